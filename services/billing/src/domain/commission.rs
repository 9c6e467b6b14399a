//! Commissions: what somebody earned by bringing a lease. An initial direct cost (ASC 842): an asset that becomes an expense over the
//! base term, and what is left of it at once when the lease ends before.

use kernel::{
    CivilDate, CommissionId, CommissionName, DateRange, Error, Exact, Instant, LeaseId, Money, OperatorId,
    Uuid, VoucherId, YearMonth,
};
use serde::{Deserialize, Serialize};

use super::charge::occupied;
use super::invoice::TooLarge;
use super::lease::{BlockState, LeaseCopy, LeaseState, Premises};
use super::settlement::exceeded;
use super::words::names;

/// By what a commission is earned.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum Trigger {
    /// Both have signed.
    Signing,
    /// Rent has commenced.
    Commencement,
}

names!(Trigger { Signing => "SIGNING", Commencement => "COMMENCEMENT" });

/// What is agreed and never changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommissionFacts {
    /// Of which lease.
    pub lease: LeaseId,
    /// Who earned it.
    pub payee: String,
    /// How much, in the currency of the lease.
    pub amount: Money,
    /// By what.
    pub trigger: Trigger,
    /// On which day.
    pub earn_date: CivilDate,
    /// The payee's reference.
    pub reference: String,
}

/// What became of a commission so far, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Became an expense month by month.
    pub amortized_minor: i64,
    /// Became an expense at once.
    pub written_off_minor: i64,
    /// Paid to the payee.
    pub paid_minor: i64,
    /// Of that, returned by the payee.
    pub returned_minor: i64,
    /// The last day up to which it became an expense.
    pub amortized_through: Option<CivilDate>,
}

/// Two people agreed that a commission was recorded wrongly.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reversal {
    /// By which voucher.
    pub voucher: VoucherId,
    /// When it was approved.
    pub time: Instant,
}

/// A commission.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commission {
    /// Whose.
    pub operator: OperatorId,
    /// Its id: that of the voucher by which it was approved.
    pub id: CommissionId,
    /// What is agreed.
    pub facts: CommissionFacts,
    /// What became of it, also if it was reversed since.
    pub moved: Moved,
    /// That it was reversed: then nothing of it is an asset, an expense or owed to the payee.
    pub reversed: Option<Reversal>,
    /// When it was approved.
    pub create_time: Instant,
}

/// How a part of a commission moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MoveKind {
    /// Becomes an expense in its turn.
    Amortized,
    /// Becomes an expense since its lease has ended.
    WrittenOff,
    /// Goes to the payee.
    Paid,
    /// Comes back from the payee.
    Returned,
}

names!(MoveKind {
    Amortized => "AMORTIZED",
    WrittenOff => "WRITTEN_OFF",
    Paid => "PAID",
    Returned => "RETURNED",
});

/// A part of a commission that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its id.
    pub id: Uuid,
    /// How.
    pub kind: MoveKind,
    /// The last day up to which it becomes an expense; of what is paid or returned the bank's day.
    pub through: CivilDate,
    /// How much.
    pub amount: Money,
    /// The bank's reference, of what is paid or returned.
    pub bank_reference: Option<String>,
}

/// The days over which the commissions on a lease become an expense.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Course {
    /// The base term, from the first block's commencement to the last one's end; none before the first has commenced.
    pub term: Option<DateRange>,
    /// First day on which the lease is no longer in force, where that is before its term has ended.
    pub stop: Option<CivilDate>,
}

/// The first day after the base term of a block as it stands. A block that is handed over late may end later; options and
/// staying on are beyond it, and what ends before it is told by the lease.
fn base_end(lease: &LeaseCopy, premises: &Premises) -> CivilDate {
    let stands = occupied(lease, premises);
    let late = (stands.start() - premises.term.start()).max(chrono::TimeDelta::zero());
    let agreed = premises.term.end().checked_add_signed(late).unwrap_or(CivilDate::MAX);
    if lease.ending.is_some() { agreed } else { agreed.min(stands.end()) }
}

impl Course {
    /// That of a lease as it stands. Of a lease that was billed elsewhere before, the days that are billed here.
    #[must_use]
    pub fn of(lease: &LeaseCopy) -> Self {
        let state = |premises: &&Premises| lease.block_state(&premises.place);
        let live: Vec<&Premises> =
            lease.terms.premises.iter().filter(|one| state(one) != Some(BlockState::Lapsed)).collect();
        let commenced =
            live.iter().any(|one| state(one).is_some_and(|state| BlockState::BILLED.contains(&state)));
        let first = live.iter().map(|one| occupied(lease, one).start()).min();
        let last = live.iter().map(|one| base_end(lease, one)).max();
        let from = first.map(|first| lease.billed_from.map_or(first, |from| from.max(first)));
        let days = from.zip(last).and_then(|(from, last)| DateRange::new(from, last).ok());
        let term = days.filter(|_| commenced);
        let over = [LeaseState::Terminated, LeaseState::Expired, LeaseState::Closed];
        let never =
            LeaseState::CALLED_OFF.contains(&lease.state) || (term.is_none() && over.contains(&lease.state));
        let stop = if never { Some(CivilDate::MIN) } else { lease.ending.as_ref().map(|ending| ending.end) };
        Self { term, stop }
    }
}

/// The months of some days, parts of a month by its days.
fn months(from: CivilDate, until: CivilDate) -> Exact {
    let Ok(days) = DateRange::new(from, until) else { return Exact::zero() };
    let parts: Vec<Exact> = days
        .months()
        .filter_map(|(month, days)| Exact::ratio(days.days(), i64::from(month.days())))
        .collect();
    Exact::sum(parts.iter())
}

impl Commission {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> CommissionName {
        CommissionName::new(self.operator.clone(), self.id)
    }

    fn money(&self, minor: i64) -> Money {
        Money::new(minor, self.facts.amount.currency)
    }

    /// So much of it, or nothing once it is reversed.
    fn standing(&self, minor: i64) -> Money {
        self.money(if self.reversed.is_some() { 0 } else { minor })
    }

    /// Still an asset.
    #[must_use]
    pub fn unamortized(&self) -> Money {
        self.standing(self.facts.amount.minor - self.moved.amortized_minor - self.moved.written_off_minor)
    }

    /// Still owed to the payee; below zero what the payee has to return.
    #[must_use]
    pub fn payable(&self) -> Money {
        self.money(self.standing(self.facts.amount.minor).minor - self.kept_minor())
    }

    /// Became an expense month by month.
    #[must_use]
    pub fn amortized(&self) -> Money {
        self.standing(self.moved.amortized_minor)
    }

    /// Became an expense at once.
    #[must_use]
    pub fn written_off(&self) -> Money {
        self.standing(self.moved.written_off_minor)
    }

    /// Paid to the payee.
    #[must_use]
    pub fn paid(&self) -> Money {
        self.money(self.moved.paid_minor)
    }

    /// Returned by the payee.
    #[must_use]
    pub fn returned(&self) -> Money {
        self.money(self.moved.returned_minor)
    }

    /// Paid to the payee and not returned.
    fn kept_minor(&self) -> i64 {
        self.moved.paid_minor - self.moved.returned_minor
    }

    fn take(&mut self, part: &Move) {
        let sum = match part.kind {
            MoveKind::Amortized => &mut self.moved.amortized_minor,
            MoveKind::WrittenOff => &mut self.moved.written_off_minor,
            MoveKind::Paid => &mut self.moved.paid_minor,
            MoveKind::Returned => &mut self.moved.returned_minor,
        };
        *sum += part.amount.minor;
        if matches!(part.kind, MoveKind::Amortized | MoveKind::WrittenOff) {
            self.moved.amortized_through = self.moved.amortized_through.max(Some(part.through));
        }
    }

    /// What of it becomes an expense at the end of a month: what is left, evenly over what is left of the base term, so
    /// that all months together are the commission to the cent. What was recorded late is made up for, and a term that an amendment
    /// changes counts from then on. What is left when the lease is over is written off.
    pub fn expense(
        &mut self,
        course: Course,
        month: YearMonth,
        mut id: impl FnMut() -> Uuid,
    ) -> Result<Vec<Move>, Error> {
        let too_large = || Error::internal(TooLarge);
        let end = month.range().ok_or_else(too_large)?.end();
        let stop = course.stop.filter(|stop| *stop <= end);
        let until = stop.map_or(end, |stop| stop.max(month.first_day()));
        let left = self.unamortized().minor;
        let amortized = course.term.map_or(Ok(0), |term| self.share(term, stop.unwrap_or(end)));
        let amortized = amortized?;
        let rest = if stop.is_some() { left - amortized } else { 0 };
        let through = until.pred_opt().filter(|day| *day >= month.first_day()).unwrap_or(month.first_day());
        let parts = [(MoveKind::Amortized, amortized), (MoveKind::WrittenOff, rest)];
        let mut moves = Vec::new();
        for (kind, minor) in parts.into_iter().filter(|(_, minor)| *minor > 0) {
            let part = Move { id: id(), kind, through, amount: self.money(minor), bank_reference: None };
            self.take(&part);
            moves.push(part);
        }
        Ok(moves)
    }

    /// What is left, for the days from the last that counted until this one.
    fn share(&self, term: DateRange, until: CivilDate) -> Result<i64, Error> {
        let left = self.unamortized().minor;
        if until >= term.end() {
            return Ok(left);
        }
        let counted = self.moved.amortized_through.and_then(|day| day.succ_opt());
        let from = counted.map_or(term.start(), |counted| counted.max(term.start()));
        if until <= from {
            return Ok(0);
        }
        let (part, whole) = (months(from, until), months(from, term.end()));
        let share = part.over(&whole).and_then(|share| (&share * &Exact::from(left)).rounded());
        share.ok_or_else(|| Error::internal(TooLarge))
    }

    /// What goes to the payee; without an amount, all that is owed.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` when it is reversed, `AMOUNT_EXCEEDED` when less is owed, or nothing.
    pub fn pay(&mut self, amount: Option<Money>, bank: (String, CivilDate), id: Uuid) -> Result<Move, Error> {
        self.check_stands("paid")?;
        self.settle(MoveKind::Paid, (amount, self.payable()), bank, id)
    }

    /// What comes back from the payee; without an amount, all that it was paid and has not returned.
    ///
    /// # Errors
    /// `AMOUNT_EXCEEDED` when it was paid less, or nothing.
    pub fn give_back(
        &mut self,
        amount: Option<Money>,
        bank: (String, CivilDate),
        id: Uuid,
    ) -> Result<Move, Error> {
        self.settle(MoveKind::Returned, (amount, self.money(self.kept_minor())), bank, id)
    }

    fn settle(
        &mut self,
        kind: MoveKind,
        (amount, left): (Option<Money>, Money),
        (bank_reference, through): (String, CivilDate),
        id: Uuid,
    ) -> Result<Move, Error> {
        let amount = amount.unwrap_or(left);
        if amount.minor > left.minor || left.is_zero() {
            return Err(exceeded("commission", self.name(), left));
        }
        let part = Move { id, kind, through, amount, bank_reference: Some(bank_reference) };
        self.take(&part);
        Ok(part)
    }

    /// The commission reversed: all of it goes back, and what the payee was paid it owes.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION` when it is reversed already.
    pub fn reverse(&self, voucher: VoucherId, time: Instant) -> Result<Self, Error> {
        self.check_stands("reversed")?;
        Ok(Self { reversed: Some(Reversal { voucher, time }), ..self.clone() })
    }

    fn check_stands(&self, to: &str) -> Result<(), Error> {
        match self.reversed {
            Some(_) => Err(Error::invalid_transition("commission", "reversed", to)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
