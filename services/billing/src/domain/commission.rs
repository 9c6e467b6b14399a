//! Commissions: what somebody earned by bringing a lease. An initial direct cost (ASC 842): an asset that becomes an expense over the
//! base term, and what is left of it at once when the lease ends before.

use kernel::{
    CivilDate, CommissionId, CommissionName, DateRange, Error, Exact, Instant, LeaseId, Money, OperatorId,
    Uuid, YearMonth,
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
    /// The last day up to which it became an expense.
    pub amortized_through: Option<CivilDate>,
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
    /// What became of it.
    pub moved: Moved,
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
}

names!(MoveKind { Amortized => "AMORTIZED", WrittenOff => "WRITTEN_OFF", Paid => "PAID" });

/// A part of a commission that moves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// Its id.
    pub id: Uuid,
    /// How.
    pub kind: MoveKind,
    /// The last day up to which it becomes an expense; of a payment the bank's day.
    pub through: CivilDate,
    /// How much.
    pub amount: Money,
    /// The bank's reference, of a payment.
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

    /// Still an asset.
    #[must_use]
    pub fn unamortized(&self) -> Money {
        self.money(self.facts.amount.minor - self.moved.amortized_minor - self.moved.written_off_minor)
    }

    /// Still owed to the payee.
    #[must_use]
    pub fn payable(&self) -> Money {
        self.money(self.facts.amount.minor - self.moved.paid_minor)
    }

    /// Became an expense month by month.
    #[must_use]
    pub fn amortized(&self) -> Money {
        self.money(self.moved.amortized_minor)
    }

    /// Became an expense at once.
    #[must_use]
    pub fn written_off(&self) -> Money {
        self.money(self.moved.written_off_minor)
    }

    /// Paid to the payee.
    #[must_use]
    pub fn paid(&self) -> Money {
        self.money(self.moved.paid_minor)
    }

    fn take(&mut self, part: &Move) {
        let sum = match part.kind {
            MoveKind::Amortized => &mut self.moved.amortized_minor,
            MoveKind::WrittenOff => &mut self.moved.written_off_minor,
            MoveKind::Paid => &mut self.moved.paid_minor,
        };
        *sum += part.amount.minor;
        if part.kind != MoveKind::Paid {
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
    /// `AMOUNT_EXCEEDED` when less is owed, or nothing.
    pub fn pay(
        &mut self,
        amount: Option<Money>,
        (bank_reference, value_date): (String, CivilDate),
        id: Uuid,
    ) -> Result<Move, Error> {
        let owed = self.payable();
        let amount = amount.unwrap_or(owed);
        if amount.minor > owed.minor || owed.is_zero() {
            return Err(exceeded("commission", self.name(), owed));
        }
        let part = Move {
            id,
            kind: MoveKind::Paid,
            through: value_date,
            amount,
            bank_reference: Some(bank_reference),
        };
        self.take(&part);
        Ok(part)
    }
}

#[cfg(test)]
mod tests;
