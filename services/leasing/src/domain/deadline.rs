//! What runs out: holds, conditions, notices, terms, quotes, bids and the requests that were bid on.

use kernel::{BlockName, CivilDate, Instant, Zone};

use super::expansion::ExpansionOption;
use super::lease::{Lease, Premises};
use super::quote_record::{Quote, QuoteState};
use super::right::{OfferState, RightOffer};
use super::state::{COMMITTED, IN_FORCE, LeaseState, PremisesState};

/// What a deadline is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum DeadlineKind {
    /// The hold of a proposed lease ends.
    ProposalHold,
    /// A block commences.
    Commencement,
    /// The first day for notice of a renewal.
    RenewalWindow,
    /// The last day for notice of a renewal.
    RenewalNotice,
    /// A block ends.
    TermEnd,
    /// Bids on a request are taken until then.
    BidDeadline,
    /// The hold of a bid ends.
    BidHold,
    /// A bid binds its operator until then.
    BidValidity,
    /// From then on a condition comes too late.
    ConditionOutside,
    /// From then on a default that is not cured is one.
    Cure,
    /// The lease ends before its term.
    Termination,
    /// A quote can be accepted until then.
    QuoteValidity,
    /// An amendment can be signed until then.
    Amendment,
    /// The holder of a right answers until then, or waives.
    RightResponse,
    /// An assignment takes effect, or the request for it is over.
    Assignment,
    /// The term is over, and the tenant stays.
    Holdover,
    /// The first day for notice of more blocks.
    ExpansionWindow,
    /// The last day for notice of more blocks.
    ExpansionNotice,
    /// The last day to name blocks.
    Nomination,
    /// A renewal whose rent is to be agreed yet begins, or ends.
    RenewalRent,
}

impl DeadlineKind {
    /// What happens when it has run out.
    #[must_use]
    pub fn consequence(self) -> &'static str {
        match self {
            Self::ProposalHold => "The lease lapses and its capacity is free, unless both sides have signed.",
            Self::Commencement => "The block is deemed accepted and its rent starts.",
            Self::RenewalWindow => "From then on the tenant may renew.",
            Self::RenewalNotice => {
                "The right to renew is gone, and the block is free from the end of its term."
            }
            Self::TermEnd => "The block's rent stops and its capacity is free.",
            Self::BidDeadline => "No bid is taken or withdrawn any more, and the tenant may award.",
            Self::BidHold => "The bid's capacity is free; the bid stands, but cannot be won.",
            Self::BidValidity => "The bid lapses and what it holds is given back.",
            Self::ConditionOutside => "What waits for the condition lapses and its capacity is free.",
            Self::Cure => "The lease is in default, and the operator may end it.",
            Self::Termination => "The lease ends: its rent stops and its capacity is free.",
            Self::QuoteValidity => "The quote lapses and what it holds is given back.",
            Self::Amendment => {
                "The amendment expires, unless both sides have signed it; the lease stays as it is."
            }
            Self::Assignment => {
                "It takes effect if the operator has consented; otherwise the request for it is over."
            }
            Self::Holdover => "The term is over and the tenant stays, at the rate for it.",
            Self::ExpansionWindow => "From then on the tenant may take more blocks.",
            Self::ExpansionNotice => "The option is gone, and its blocks are free.",
            Self::Nomination => {
                "What is not named by then is owed no more. Nothing is held for it: what is free may be sold to another first."
            }
            Self::RenewalRent => {
                "Until both sides state the rent of the renewal by an amendment, the last rate before it goes on, within floor and cap."
            }
            Self::RightResponse => "The right is deemed waived, and the capacity may be leased to another.",
        }
    }

    /// Whether the database's clock decides, and not business time.
    #[must_use]
    pub fn is_of_database(self) -> bool {
        match self {
            Self::ProposalHold
            | Self::BidDeadline
            | Self::BidHold
            | Self::BidValidity
            | Self::QuoteValidity
            | Self::RightResponse => true,
            Self::Commencement
            | Self::RenewalWindow
            | Self::RenewalNotice
            | Self::TermEnd
            | Self::ConditionOutside
            | Self::Cure
            | Self::Termination
            | Self::Amendment
            | Self::Assignment
            | Self::Holdover
            | Self::ExpansionWindow
            | Self::ExpansionNotice
            | Self::Nomination
            | Self::RenewalRent => false,
        }
    }
}

/// Something that runs out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Deadline {
    /// When.
    pub time: Instant,
    /// What it is about.
    pub kind: DeadlineKind,
    /// Name of the lease, quote, bid or request.
    pub resource: String,
    /// The block, where it is one block's.
    pub block: Option<BlockName>,
    /// The same as a day where it happens.
    pub date: CivilDate,
    /// Critical IT load that is concerned, kW.
    pub critical_it_kw: i64,
}

/// The order of a list: by time, then by what it is.
pub type Place = (Instant, u8, String, String);

impl Deadline {
    /// A deadline that is an instant and no day of a site.
    #[must_use]
    pub fn at(time: Instant, kind: DeadlineKind, resource: String, critical_it_kw: i64) -> Self {
        Self { time, kind, resource, block: None, date: Zone::UTC.date_of(time), critical_it_kw }
    }

    fn on(date: CivilDate, kind: DeadlineKind, lease: &Lease, premises: &Premises) -> Self {
        Self {
            time: premises.zone.start_of_day(date),
            kind,
            resource: lease.name.to_string(),
            block: Some(premises.block.clone()),
            date,
            critical_it_kw: premises.critical_it_kw(),
        }
    }

    /// Its place in a list.
    #[must_use]
    pub fn place(&self) -> Place {
        let block = self.block.as_ref().map(ToString::to_string).unwrap_or_default();
        (self.time, self.kind as u8, self.resource.clone(), block)
    }
}

/// Everything that runs out for a lease, whenever it does.
#[must_use]
pub fn of_lease(lease: &Lease) -> Vec<Deadline> {
    match lease.state {
        LeaseState::Proposed => {
            let kw = lease.premises.iter().map(Premises::critical_it_kw).sum();
            let hold = lease.hold.map(|hold| hold.expire_time);
            let at = |time| Deadline::at(time, DeadlineKind::ProposalHold, lease.name.to_string(), kw);
            hold.map(at).into_iter().collect()
        }
        state if state.is_in(COMMITTED) => of_agreed(lease),
        _ => Vec::new(),
    }
}

/// A quote that can still be accepted runs out with its time.
#[must_use]
pub fn of_quote(quote: &Quote) -> Option<Deadline> {
    let open = matches!(quote.state, QuoteState::PendingApproval | QuoteState::Open);
    let kw = quote.need.capacity.critical_it;
    open.then(|| Deadline::at(quote.valid_until, DeadlineKind::QuoteValidity, quote.name.to_string(), kw))
}

/// An offer to the holder of a right runs out while it is not answered.
#[must_use]
pub fn of_right_offer(offer: &RightOffer) -> Option<Deadline> {
    let (name, kw) = (offer.name.to_string(), offer.right.quantity_kw);
    let open = offer.state == OfferState::Open;
    open.then(|| Deadline::at(offer.respond_by, DeadlineKind::RightResponse, name, kw))
}

fn of_agreed(lease: &Lease) -> Vec<Deadline> {
    let live = || lease.premises.iter().filter(|premises| premises.state.is_live());
    let whole = |time, date, kind| {
        let kw = live().map(Premises::critical_it_kw).sum();
        Deadline { date, ..Deadline::at(time, kind, lease.name.to_string(), kw) }
    };
    let conditions = lease.awaited().map(|condition| {
        let own = live().find(|premises| Some(&premises.block) == condition.block.as_ref());
        let (day, kind) = (condition.outside_date, DeadlineKind::ConditionOutside);
        own.map_or_else(
            || whole(lease.outside(condition), day, kind),
            |premises| Deadline::on(day, kind, lease, premises),
        )
    });
    let cures = lease.default_days().map(|day| whole(lease.start_of(day), day, DeadlineKind::Cure));
    let amendments = lease.life.amendment.iter().map(|amendment| amendment.effective);
    let amendments = amendments.map(|day| whole(lease.start_of(day), day, DeadlineKind::Amendment));
    let assignments = lease.life.assignment.iter().map(|one| one.wish.effective);
    let assignments = assignments.map(|day| whole(lease.start_of(day), day, DeadlineKind::Assignment));
    let stays = lease.holds_over_from().map(|day| whole(lease.start_of(day), day, DeadlineKind::Holdover));
    let blocks = live().filter(|_| lease.state.is_in(IN_FORCE)).flat_map(|one| of_premises(lease, one));
    let mut found: Vec<_> =
        conditions.chain(cures).chain(amendments).chain(assignments).chain(stays).chain(blocks).collect();
    found.extend(lease.open_expansions().flat_map(|option| of_expansion(lease, option)));
    found.extend(of_nominations(lease));
    if let Some(termination) = &lease.life.termination {
        let end = whole(lease.start_of(termination.end), termination.end, DeadlineKind::Termination);
        // Nothing runs out after it.
        found.retain(|one| one.time < end.time);
        found.push(end);
    }
    found
}

/// The window of an option on more blocks: days of the lease, each told of every block.
fn of_expansion(lease: &Lease, option: &ExpansionOption) -> Vec<Deadline> {
    let blocks = || lease.premises.iter().filter(|one| option.has(&one.block));
    let on = |day, kind| {
        blocks().map(move |one| Deadline { time: lease.start_of(day), ..Deadline::on(day, kind, lease, one) })
    };
    let first = option.first.into_iter().flat_map(|day| on(day, DeadlineKind::ExpansionWindow));
    first.chain(on(option.last, DeadlineKind::ExpansionNotice)).collect()
}

/// What is to be named by one day is one deadline of the lease.
fn of_nominations(lease: &Lease) -> Vec<Deadline> {
    let mut found: Vec<Deadline> = Vec::new();
    for one in lease.open_nominations() {
        let (time, kw) = (one.zone.start_of_day(one.last), one.capacity.critical_it);
        match found.iter_mut().find(|known| known.time == time) {
            Some(known) => known.critical_it_kw = known.critical_it_kw.saturating_add(kw),
            None => found.push(Deadline {
                date: one.last,
                ..Deadline::at(time, DeadlineKind::Nomination, lease.name.to_string(), kw)
            }),
        }
    }
    found
}

fn of_premises(lease: &Lease, premises: &Premises) -> Vec<Deadline> {
    let on = |date, kind| Deadline::on(date, kind, lease, premises);
    let mut found = vec![on(premises.end, DeadlineKind::TermEnd)];
    if premises.state == PremisesState::Planned && !lease.is_open_for(&premises.block) {
        found.push(on(premises.commencement, DeadlineKind::Commencement));
    }
    for (from, until) in premises.open_rents() {
        found.extend([from, until].map(|day| on(day, DeadlineKind::RenewalRent)));
    }
    if let Some(window) = lease.option_window() {
        found.extend(window.first.map(|day| on(day, DeadlineKind::RenewalWindow)));
        found.push(on(window.last, DeadlineKind::RenewalNotice));
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::lease::{Hold, Party};
    use crate::domain::life::{Actor, Command, Ground, NoticeKind};
    use crate::domain::testing::{at, contract, date, proposing, quote, river_bend, terms};
    use kernel::{ReservationId, Uuid};

    fn proposed() -> Lease {
        let mut lease = proposing(terms(river_bend(), "America/Chicago"));
        assert_eq!(of_lease(&lease), [], "half done, nothing runs out");
        let reservation = ReservationId::new(Uuid::from_u128(1));
        lease.held(Hold { reservation, expire_time: at("2026-12-31") }, at("2026-12-01")).expect("held");
        lease
    }

    #[test]
    fn a_proposal_runs_out_with_its_hold() {
        let found = of_lease(&proposed());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].kind, found[0].date), (DeadlineKind::ProposalHold, date("2026-12-31")));
        assert_eq!(found[0].critical_it_kw, 245_000);
    }

    #[test]
    fn a_lease_in_force_commences_is_renewed_by_a_day_and_ends() {
        let mut lease = proposed();
        lease.state = LeaseState::Effective;
        let mut found = of_lease(&lease);
        found.sort_by_key(Deadline::place);
        let days: Vec<_> = found.iter().map(|one| (one.kind, one.date)).collect();
        assert_eq!(
            days,
            [
                (DeadlineKind::Commencement, date("2027-12-01")),
                (DeadlineKind::RenewalNotice, date("2041-12-01")),
                (DeadlineKind::TermEnd, date("2042-12-01")),
            ]
        );
        // Midnight in Texas.
        assert_eq!(found[0].time.to_rfc3339(), "2027-12-01T06:00:00+00:00");
        lease.premises[0].state = PremisesState::Ended;
        assert_eq!(of_lease(&lease), []);
    }

    fn days(lease: &Lease) -> Vec<(DeadlineKind, CivilDate)> {
        let mut found = of_lease(lease);
        found.sort_by_key(Deadline::place);
        found.iter().map(|one| (one.kind, one.date)).collect()
    }

    fn says(lease: &mut Lease, party: Party, command: &Command, day: &str) {
        let by = Actor { party, subject: "tester".to_owned(), address: String::new() };
        lease.obey(command, &by, at(day)).expect("obeyed");
    }

    #[test]
    fn a_condition_runs_out_while_something_waits_for_it() {
        use DeadlineKind::{Commencement, ConditionOutside, RenewalNotice, TermEnd};
        let mut draft = river_bend();
        draft.contract = contract();
        let mut lease = proposing(terms(draft, "America/Chicago"));
        lease.state = LeaseState::Signed;
        let (loan, hall) = ((ConditionOutside, date("2027-06-01")), (ConditionOutside, date("2027-09-01")));
        assert_eq!(days(&lease), [loan, hall]);
        let met = |id: &str| Command::Satisfy { condition: id.to_owned(), note: String::new() };
        says(&mut lease, Party::Operator, &met("financing"), "2027-05-01");
        let end = [(RenewalNotice, date("2041-12-01")), (TermEnd, date("2042-12-01"))];
        assert_eq!(days(&lease), [&[hall], end.as_slice()].concat(), "it cannot commence");
        says(&mut lease, Party::Tenant, &met("fit-out"), "2027-05-01");
        assert_eq!(days(&lease), [&[(Commencement, date("2027-12-01"))], end.as_slice()].concat());
    }

    #[test]
    fn a_cure_and_an_early_end_run_out_and_nothing_after_it() {
        let mut lease = proposed();
        lease.state = LeaseState::Active;
        lease.premises[0].state = PremisesState::Commenced;
        let (kind, note) = (NoticeKind::MonetaryDefault, String::new());
        says(&mut lease, Party::Operator, &Command::Notify { kind, note }, "2028-03-05");
        // The fourth in Chicago, ten days to pay, and the day after them.
        let cure = (DeadlineKind::Cure, date("2028-03-15"));
        assert_eq!(days(&lease)[0], cure);
        lease.state = LeaseState::Defaulted;
        assert!(!days(&lease).contains(&cure), "it has run out");
        let (ground, reason) = (Ground::Default, String::new());
        let command = Command::Terminate { ground, end: date("2028-06-01"), reason };
        says(&mut lease, Party::Operator, &command, "2028-04-01");
        assert_eq!(days(&lease), [(DeadlineKind::Termination, date("2028-06-01"))]);
    }

    #[test]
    fn a_quote_runs_out_while_it_can_be_accepted() {
        let mut quote = quote(&["hut-fs-rb-1"]);
        let found = of_quote(&quote).expect("a deadline");
        assert_eq!((found.kind, found.time), (DeadlineKind::QuoteValidity, quote.valid_until));
        assert_eq!(found.critical_it_kw, 10_000);
        quote.state = QuoteState::Rejected;
        assert_eq!(of_quote(&quote), None);
    }
}
