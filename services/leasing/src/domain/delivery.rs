//! Where a deal stands: what comes next, who has to do it, and by when.

use kernel::{CivilDate, Instant};

use super::deadline::{Deadline, DeadlineKind, of_lease};
use super::lease::{Lease, Party, Premises};
use super::state::{LeaseState, PremisesState};

/// Who has to act.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Owner {
    /// The deal is over.
    Nobody,
    /// The operator.
    Operator,
    /// The tenant.
    Tenant,
    /// Either side.
    Either,
    /// Gridlease itself.
    System,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NextAction {
    /// As a sentence.
    pub action: String,
    /// Who has to do it.
    pub owner: Owner,
    /// By when; none where nothing presses.
    pub by: Option<Instant>,
}

impl NextAction {
    fn new(action: impl Into<String>, owner: Owner, by: Option<Instant>) -> Self {
        Self { action: action.into(), owner, by }
    }

    /// What comes next for a lease at `now`, in business time.
    #[must_use]
    pub fn of(lease: &Lease, now: Instant) -> Self {
        match lease.state {
            LeaseState::Draft => Self::new("Propose it.", Owner::Either, None),
            LeaseState::Proposing => Self::new("The capacity is being held.", Owner::System, None),
            LeaseState::Proposed => Self::signature(lease),
            LeaseState::Signing => Self::new("The capacity is being committed.", Owner::System, None),
            LeaseState::Signed => Self::condition(lease),
            LeaseState::Effective | LeaseState::Active => Self::delivery(lease, now),
            LeaseState::Holdover => {
                let by = lease.life.holdover.as_ref().map(|one| lease.start_of(one.until));
                Self::new("The tenant hands back what has ended.", Owner::Tenant, by)
            }
            LeaseState::Defaulted => {
                Self::new("The default is cured, or the lease is ended.", Owner::Either, None)
            }
            LeaseState::Expired | LeaseState::Terminated => {
                Self::new("Settle what is open, and give notice that nothing is.", Owner::Operator, None)
            }
            LeaseState::Closed => Self::new("Nothing is open any more.", Owner::Nobody, None),
            LeaseState::Cancelled => Self::new("The lease was called off.", Owner::Nobody, None),
            LeaseState::Lapsed => {
                Self::new("It lapsed before it was in force; propose it again.", Owner::Either, None)
            }
        }
    }

    fn signature(lease: &Lease) -> Self {
        let signed = |party| lease.signatures.iter().any(|signature| signature.party == party);
        let by = lease.hold.map(|hold| hold.expire_time);
        match (signed(Party::Operator), signed(Party::Tenant)) {
            (true, _) => Self::new("The tenant signs.", Owner::Tenant, by),
            (false, true) => Self::new("The operator signs.", Owner::Operator, by),
            (false, false) => Self::new("Both sides sign.", Owner::Either, by),
        }
    }

    /// The condition that is too late first.
    fn condition(lease: &Lease) -> Self {
        let of_the_whole = lease.open_conditions().filter(|condition| condition.block.is_none());
        let Some(first) = of_the_whole.min_by_key(|condition| condition.outside_date) else {
            return Self::new("The lease comes into force.", Owner::System, None);
        };
        let owner = match first.satisfied_by {
            Party::Operator => Owner::Operator,
            Party::Tenant => Owner::Tenant,
        };
        let action = format!("Satisfy {} before {}.", first.id, first.outside_date);
        Self::new(action, owner, Some(lease.outside(first)))
    }

    /// The next block to be handed over; when all are, the next notice or end.
    fn delivery(lease: &Lease, now: Instant) -> Self {
        let planned = lease.premises.iter().filter(|one| one.state == PremisesState::Planned);
        let planned = planned.min_by_key(|one| one.commence_at);
        let unplaced = lease.open_nominations().min_by_key(|one| one.last);
        if let Some(next) = unplaced.filter(|next| planned.is_none_or(|one| next.last <= one.commencement)) {
            let (kw, site, last) = (next.capacity.critical_it, &next.site, next.last);
            let action = format!("Name blocks of {site} for {kw} kW by {last}; nothing is held for them.");
            return Self::new(action, Owner::Operator, Some(next.zone.start_of_day(last)));
        }
        if let Some(next) = planned {
            let action = format!("Hand over {} by {}.", next.block, next.commencement);
            return Self::new(action, Owner::Operator, Some(next.commence_at));
        }
        let acts = [
            DeadlineKind::RenewalNotice,
            DeadlineKind::ExpansionNotice,
            DeadlineKind::RenewalRent,
            DeadlineKind::TermEnd,
            DeadlineKind::Termination,
        ];
        let mut ahead: Vec<_> =
            of_lease(lease).into_iter().filter(|one| one.time > now && acts.contains(&one.kind)).collect();
        ahead.sort_by_key(Deadline::place);
        match ahead.first() {
            Some(one) if one.kind == DeadlineKind::RenewalNotice => {
                let action = format!("Give notice by {} to renew, or let the term end.", one.date);
                Self::new(action, Owner::Tenant, Some(one.time))
            }
            Some(one) if one.kind == DeadlineKind::ExpansionNotice => {
                let action =
                    format!("Give notice by {} to take more blocks, or let the option go.", one.date);
                Self::new(action, Owner::Tenant, Some(one.time))
            }
            Some(one) if one.kind == DeadlineKind::RenewalRent => {
                let action = "Agree on the rent of the renewal, and state it by an amendment.";
                Self::new(action, Owner::Either, Some(one.time))
            }
            Some(one) => Self::new(format!("The term ends on {}.", one.date), Owner::Either, Some(one.time)),
            None => Self::new("The last blocks are ending.", Owner::System, None),
        }
    }
}

/// First day of rent, as agreed.
#[must_use]
pub fn first_rent(lease: &Lease) -> Option<CivilDate> {
    lease.taken().iter().map(|one| one.agreed.start()).min()
}

/// The day on which a block commenced, where it stands.
#[must_use]
pub fn commenced_on(premises: &Premises) -> Option<CivilDate> {
    premises.commence_time.map(|time| premises.zone.date_of(time))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{at, contract, date, proposing, river_bend, terms};

    #[test]
    fn each_state_names_who_has_to_act() {
        let mut lease = proposing(terms(river_bend(), "America/Chicago"));
        let mut next = |state| {
            lease.state = state;
            NextAction::of(&lease, at("2027-01-01"))
        };
        assert_eq!(next(LeaseState::Proposing).owner, Owner::System);
        assert_eq!(next(LeaseState::Proposed).owner, Owner::Either);
        let handing_over = next(LeaseState::Effective);
        assert_eq!(handing_over.owner, Owner::Operator);
        assert!(handing_over.action.contains("2027-12-01"), "{}", handing_over.action);
        assert_eq!(next(LeaseState::Cancelled).owner, Owner::Nobody);
        assert_eq!(next(LeaseState::Terminated).owner, Owner::Operator);
        assert_eq!(next(LeaseState::Closed).owner, Owner::Nobody);
        lease.premises[0].state = PremisesState::Commenced;
        lease.state = LeaseState::Active;
        let renewing = NextAction::of(&lease, at("2030-01-01"));
        assert_eq!(renewing.owner, Owner::Tenant);
        assert_eq!(NextAction::of(&lease, at("2042-01-01")).owner, Owner::Either);
        assert_eq!(NextAction::of(&lease, at("2043-01-01")).by, None);
    }

    #[test]
    fn a_signed_lease_waits_for_its_condition_until_the_outside_date() {
        let mut lease = proposing(terms(river_bend(), "America/Chicago"));
        lease.terms.contract = contract();
        lease.state = LeaseState::Signed;
        let texas = lease.premises[0].zone.start_of_day(date("2027-06-01"));
        let next = NextAction::of(&lease, at("2027-01-01"));
        assert_eq!((next.owner, next.by), (Owner::Operator, Some(texas)));
        assert!(next.action.contains("financing"), "{}", next.action);
    }
}
