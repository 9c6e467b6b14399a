//! The kinds of events.

use crate::domain::Happened;

/// The capacity is held; signatures are awaited.
pub const PROPOSED: &str = "lease.proposed";
/// One side has signed.
pub const SIGNED: &str = "lease.signed";
/// Agreed, with a condition open: not in force.
pub const CONDITIONAL: &str = "lease.conditional";
/// A contract that was signed on paper was brought in.
pub const IMPORTED: &str = "lease.imported";
/// In force.
pub const EFFECTIVE: &str = "lease.effective";
/// Withdrawn.
pub const CANCELLED: &str = "lease.cancelled";
/// The hold ended first.
pub const LAPSED: &str = "lease.lapsed";
/// One or more blocks have commenced.
pub const COMMENCED: &str = "lease.commenced";
/// One or more blocks have ended, and others go on.
pub const ENDED: &str = "lease.ended";
/// The last block has ended.
pub const EXPIRED: &str = "lease.expired";
/// A quote was made.
pub const QUOTED: &str = "quote.made";
/// A second person approved it.
pub const QUOTE_APPROVED: &str = "quote.approved";
/// One side turned it down.
pub const QUOTE_REJECTED: &str = "quote.rejected";
/// A lease was proposed with the numbers of one option.
pub const QUOTE_ACCEPTED: &str = "quote.accepted";
/// Its time is over.
pub const QUOTE_LAPSED: &str = "quote.lapsed";
/// A rate card was drafted.
pub const CARD_DRAFTED: &str = "ratecard.drafted";
/// A draft was changed.
pub const CARD_CHANGED: &str = "ratecard.changed";
/// A second person approved it.
pub const CARD_APPROVED: &str = "ratecard.approved";
/// It is quoted from no more.
pub const CARD_RETIRED: &str = "ratecard.retired";
/// A tenant was registered.
pub const TENANT_CREATED: &str = "tenant.created";
/// A need was published.
pub const CAPACITY_REQUEST_PUBLISHED: &str = "capacity_request.published";
/// A need was called off.
pub const CAPACITY_REQUEST_CANCELLED: &str = "capacity_request.cancelled";
/// A need was awarded.
pub const CAPACITY_REQUEST_AWARDED: &str = "capacity_request.awarded";
/// A bid stands.
pub const BID_SUBMITTED: &str = "bid.submitted";
/// A bid was taken back.
pub const BID_WITHDRAWN: &str = "bid.withdrawn";
/// A bid was won.
pub const BID_AWARDED: &str = "bid.awarded";
/// A bid was lost.
pub const BID_LOST: &str = "bid.lost";
/// A bid went back unopened.
pub const BID_RETURNED: &str = "bid.returned";
/// A bid no longer binds, or its hold was gone.
pub const BID_LAPSED: &str = "bid.lapsed";
/// The holder of a right was asked.
pub const RIGHT_OFFERED: &str = "right.offered";
/// The holder takes it.
pub const RIGHT_EXERCISED: &str = "right.exercised";
/// The holder lets it pass.
pub const RIGHT_WAIVED: &str = "right.waived";
/// The holder did not answer in time.
pub const RIGHT_DEEMED_WAIVED: &str = "right.deemed_waived";
/// There is nothing to take any more.
pub const RIGHT_WITHDRAWN: &str = "right.withdrawn";
/// A master agreement is on the table.
pub const AGREEMENT_DRAFTED: &str = "master_agreement.drafted";
/// One side has signed it.
pub const AGREEMENT_SIGNED: &str = "master_agreement.signed";
/// Off the table, or no new orders.
pub const AGREEMENT_ENDED: &str = "master_agreement.ended";
/// A deal was recorded.
pub const OPPORTUNITY_CREATED: &str = "opportunity.created";
/// A deal was changed.
pub const OPPORTUNITY_UPDATED: &str = "opportunity.updated";

/// Another is the tenant of record: the last that the former one hears of the lease.
pub const ASSIGNED_AWAY: &str = "lease.assigned_away";

/// The kind of the event that tells what happened to an agreed lease.
#[must_use]
pub fn of(happened: Happened) -> &'static str {
    match happened {
        Happened::Satisfied => "lease.condition_satisfied",
        Happened::Effective => EFFECTIVE,
        Happened::Lapsed => LAPSED,
        Happened::BlockLapsed => "lease.block_lapsed",
        Happened::Moved => "lease.delivery_moved",
        Happened::Ready => "lease.block_ready",
        Happened::Commenced => COMMENCED,
        Happened::Ended => ENDED,
        Happened::Expired => EXPIRED,
        Happened::Noticed => "lease.notice_given",
        Happened::Defaulted => "lease.defaulted",
        Happened::Cured => "lease.cured",
        Happened::TerminationNoticed => "lease.termination_given",
        Happened::Terminated => "lease.terminated",
        Happened::Closed => "lease.closed",
        Happened::AmendmentProposed => "lease.amendment_proposed",
        Happened::AmendmentSigned => "lease.amendment_signed",
        Happened::Amended => "lease.amended",
        Happened::AmendmentWithdrawn => "lease.amendment_withdrawn",
        Happened::AmendmentExpired => "lease.amendment_expired",
        Happened::Renewed => "lease.renewed",
        Happened::Expanded => "lease.expanded",
        Happened::ExpansionLapsed => "lease.expansion_lapsed",
        Happened::Nominated => "lease.premises_nominated",
        Happened::NominationLapsed => "lease.nomination_lapsed",
        Happened::OptionLapsed => "lease.option_lapsed",
        Happened::HoldoverAgreed => "lease.holdover_agreed",
        Happened::HeldOver => "lease.held_over",
        Happened::HoldoverEnded => "lease.holdover_ended",
        Happened::AssignmentRequested => "lease.assignment_requested",
        Happened::AssignmentConsented => "lease.assignment_consented",
        Happened::AssignmentDeclined => "lease.assignment_declined",
        Happened::AssignmentExpired => "lease.assignment_expired",
        Happened::Assigned => "lease.assigned",
        Happened::Subleased => "lease.subleased",
    }
}
