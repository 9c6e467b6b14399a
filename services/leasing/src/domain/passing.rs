//! What time does to a lease. The earliest thing that is due happens first, so that a look that comes late finds the same
//! as many that came in time.

use kernel::{CivilDate, Error, Instant};

use super::contract::Condition;
use super::lease::Lease;
use super::life::Happened;
use super::nomination::Nomination;
use super::state::{COMMITTED, Deed, IN_FORCE, LeaseState, PremisesState, Step};

/// Why a lease lapsed: a condition was open on its outside date.
pub const CONDITION_OPEN: &str = "CONDITION_OPEN";

/// What falls due. In this order where several do at the same instant.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Due {
    SettleAssignment,
    ExpireAmendment,
    LapseOption,
    LapseExpansions,
    LapseNominations,
    Lapse,
    LapseBlocks,
    Terminate,
    Default,
    End,
    HoldOver,
    Commence,
}

impl Lease {
    /// When time next changes it by itself; none if it never does.
    #[must_use]
    pub fn due_at(&self) -> Option<Instant> {
        self.due().map(|(at, _)| at)
    }

    fn due(&self) -> Option<(Instant, Due)> {
        if !self.state.is_in(COMMITTED) || self.life.pending.is_some() {
            return None;
        }
        let delivery = self.terms.contract.delivery.as_ref();
        let conditions = self.awaited().map(|condition| {
            let due = if condition.block.is_none() { Due::Lapse } else { Due::LapseBlocks };
            (self.outside(condition), due)
        });
        let termination = self.life.termination.iter();
        let ended = termination.map(|termination| (self.start_of(termination.end), Due::Terminate));
        let defaults = self.default_days().map(|late| (self.start_of(late), Due::Default));
        let in_force = self.premises.iter().filter(|_| self.state.is_in(IN_FORCE));
        let blocks = in_force.filter_map(|premises| match premises.state {
            PremisesState::Commenced => Some((premises.end_at, Due::End)),
            PremisesState::Planned if !self.is_open_for(&premises.block) => {
                premises.commences_at(delivery).map(|at| (at, Due::Commence))
            }
            _ => None,
        });
        let amendments = self.life.amendment.iter();
        let expired = amendments.map(|amendment| (self.start_of(amendment.effective), Due::ExpireAmendment));
        let options = self.option_window().filter(|_| self.state.is_in(IN_FORCE)).and_then(|window| {
            let ends = self.premises.iter().filter(|one| one.state.is_live()).map(|one| one.end_at).min()?;
            let too_late = self.start_of(window.last.succ_opt()?);
            Some((too_late.min(ends), Due::LapseOption))
        });
        let expansions = self.open_expansions().filter_map(|option| option.last.succ_opt());
        let expansions = expansions.map(|too_late| (self.start_of(too_late), Due::LapseExpansions));
        let assignments = self.life.assignment.iter();
        let settled = assignments.map(|one| (self.start_of(one.wish.effective), Due::SettleAssignment));
        let stays = self.holds_over_from().map(|day| (self.start_of(day), Due::HoldOver));
        let first = conditions.chain(ended).chain(defaults).chain(blocks);
        let nominations = self.open_nominations().filter_map(Nomination::closes_at);
        let nominations = nominations.map(|at| (at, Due::LapseNominations));
        let later = expired.chain(options).chain(expansions).chain(nominations);
        first.chain(later).chain(settled).chain(stays).min()
    }

    /// The next thing that is due by `now`, done; none if nothing is.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn pass(&mut self, now: Instant) -> Result<Option<Happened>, Error> {
        let Some((at, due)) = self.due().filter(|(at, _)| *at <= now) else { return Ok(None) };
        match due {
            Due::SettleAssignment => self.settle_assignment(now).map(Some),
            Due::LapseOption => self.lapse_options(now).map(|()| Some(Happened::OptionLapsed)),
            Due::LapseExpansions => self.lapse_expansions(at, now).map(|()| Some(Happened::ExpansionLapsed)),
            Due::LapseNominations => self.lapse_nominations(at, now).map(Some),
            Due::ExpireAmendment => self.drop_amendment(now).map(|()| Some(Happened::AmendmentExpired)),
            Due::Lapse => self.lapse(CONDITION_OPEN, now).map(|()| Some(Happened::Lapsed)),
            Due::LapseBlocks => self.lapse_blocks(at, now).map(Some),
            Due::Terminate => self.terminate(now).map(|()| Some(Happened::Terminated)),
            Due::Default => self.go(Deed::Default, now).map(|()| Some(Happened::Defaulted)),
            Due::End => self.end_blocks(at, now).map(Some),
            Due::HoldOver => self.go(Deed::HoldOver, now).map(|()| Some(Happened::HeldOver)),
            Due::Commence => self.commence(at, now).map(|()| Some(Happened::Commenced)),
        }
    }

    /// Every block whose date that is, deemed accepted on it, however late somebody looks.
    fn commence(&mut self, at: Instant, now: Instant) -> Result<(), Error> {
        let delivery = self.terms.contract.delivery;
        let open: Vec<bool> =
            self.premises.iter().map(|premises| self.is_open_for(&premises.block)).collect();
        let mut moved = false;
        for (premises, open) in self.premises.iter_mut().zip(open) {
            let due = premises.commences_at(delivery.as_ref()).is_some_and(|due| due <= at);
            if due && !open && Self::step(premises, Step::Commence) {
                premises.commence_time = Some(premises.commence_at);
                moved |=
                    (premises.commencement, premises.end) != (premises.agreed.start(), premises.agreed.end());
            }
        }
        self.life.claims_due |= moved;
        self.go(Deed::Commence, now)
    }

    fn end_blocks(&mut self, at: Instant, now: Instant) -> Result<Happened, Error> {
        for premises in self.premises.iter_mut().filter(|premises| premises.end_at <= at) {
            Self::step(premises, Step::End);
        }
        let over = self.is_over();
        if over {
            self.life.claims_due |= self.drop_expansions();
        }
        self.go(if over { Deed::Expire } else { Deed::End }, now)?;
        Ok(if over { Happened::Expired } else { Happened::Ended })
    }

    /// Blocks whose own condition is open for too long are left out. With the last of them the lease is over.
    fn lapse_blocks(&mut self, at: Instant, now: Instant) -> Result<Happened, Error> {
        let late: Vec<_> = self
            .open_conditions()
            .filter(|condition| self.outside(condition) <= at)
            .filter_map(|condition| condition.block.clone())
            .collect();
        for premises in self.premises.iter_mut().filter(|premises| late.contains(&premises.block)) {
            Self::step(premises, Step::Lapse);
        }
        let over = self.is_over();
        self.life.claims_due = true;
        if over {
            self.drop_expansions();
        }
        if over && !self.premises.iter().any(|premises| premises.state.is_leased()) {
            if self.state == LeaseState::Signed {
                self.lapse(CONDITION_OPEN, now)?;
                return Ok(Happened::Lapsed);
            }
            self.go(Deed::Terminate, now)?;
            return Ok(Happened::Terminated);
        }
        if over {
            self.go(Deed::Expire, now)?;
            return Ok(Happened::Expired);
        }
        self.go(Deed::Adjust, now)?;
        Ok(Happened::BlockLapsed)
    }

    /// What has commenced ends on that day, what has not never will.
    fn terminate(&mut self, now: Instant) -> Result<(), Error> {
        let end = self.life.termination.as_ref().map(|termination| termination.end);
        self.drop_expansions();
        self.drop_nominations();
        let leased = self.terms.premises.len();
        for premises in self.premises.iter_mut().take(leased) {
            if let Some(end) = end.filter(|end| *end < premises.end) {
                // A block that began on that day has one day, and owes nothing for it.
                let day_after = premises.commencement.succ_opt().unwrap_or(premises.end);
                premises.move_to(premises.commencement, end.max(day_after));
                premises.standing.rent_from = premises.standing.rent_from.map(|rent| rent.min(premises.end));
                if end <= premises.commencement {
                    premises.standing.rent_from = Some(premises.end);
                }
            }
            let step = if premises.state == PremisesState::Commenced { Step::End } else { Step::Lapse };
            Self::step(premises, step);
        }
        self.go(Deed::Terminate, now)
    }

    /// Inventory refuses what the reservation was to take from now on: what was agreed is all there is.
    pub fn cut_back(&mut self, now: Instant) -> Result<(), Error> {
        for premises in self.premises.iter_mut().filter(|one| one.state == PremisesState::Commenced) {
            let firm = premises.firm_end();
            if premises.end > firm && premises.commencement < firm {
                premises.move_to(premises.commencement, firm);
            }
        }
        self.go(Deed::Adjust, now)
    }

    /// Open conditions that something waits for: the lease, to come into force, or a block, to commence.
    pub(super) fn awaited(&self) -> impl Iterator<Item = &Condition> {
        self.open_conditions().filter(|condition| match &condition.block {
            None => self.state == LeaseState::Signed,
            Some(_) => self.waits_for(condition),
        })
    }

    /// The days from which on a default that is not cured is one.
    pub(super) fn default_days(&self) -> impl Iterator<Item = CivilDate> {
        let can = matches!(self.state, LeaseState::Active | LeaseState::Holdover);
        let notices = self.open_defaults().filter(move |_| can);
        notices.filter_map(|notice| notice.cure_date?.succ_opt())
    }

    pub(super) fn start_of(&self, day: CivilDate) -> Instant {
        self.terms.zone().start_of_day(day)
    }

    pub(super) fn outside(&self, condition: &Condition) -> Instant {
        let own = self.premises.iter().find(|premises| Some(&premises.block) == condition.block.as_ref());
        own.map_or_else(
            || self.start_of(condition.outside_date),
            |premises| premises.zone.start_of_day(condition.outside_date),
        )
    }

    /// Whether the block that a condition is about has not commenced.
    fn waits_for(&self, condition: &Condition) -> bool {
        self.premises.iter().any(|premises| {
            Some(&premises.block) == condition.block.as_ref() && premises.state == PremisesState::Planned
        })
    }
}
