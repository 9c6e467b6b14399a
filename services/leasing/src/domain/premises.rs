//! One leased block as it stands: what was agreed, when it is really handed over, and what a delay costs.

use chrono::TimeDelta;
use kernel::time::{add_months, months_between};
use kernel::{BlockName, CapacityVector, CivilDate, DateRange, Instant, RateStep, Zone};
use serde::{Deserialize, Serialize};

use super::contract::{Contract, DeliveryTerms, TermBasis};
use super::lease::Signatory;
use super::renewal_rent::Renewed;
use super::state::PremisesState;
use super::terms::{PremisesTerms, ProfileStep, RateTerms};

/// One block of the lease as it stands, with its frozen steps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Premises {
    /// The block.
    pub block: BlockName,
    /// The zone its dates are read in.
    pub zone: Zone,
    /// The days that were agreed.
    pub agreed: DateRange,
    /// First day.
    pub commencement: CivilDate,
    /// First day after.
    pub end: CivilDate,
    /// The first day's start.
    pub commence_at: Instant,
    /// The end's start.
    pub end_at: Instant,
    /// The rate over the base term.
    pub rate_steps: Vec<RateStep>,
    /// The capacity over the base term.
    pub quantity_steps: Vec<ProfileStep>,
    /// Where it stands.
    pub state: PremisesState,
    /// When it commenced.
    pub commence_time: Option<Instant>,
    /// What has happened to its dates.
    pub standing: Standing,
    /// What is known of its phases.
    pub ready: ReadyDates,
}

/// What has happened to the dates of a block since they were agreed.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Standing {
    /// Its capacity is there from this day on only, as inventory says.
    pub short_until: Option<CivilDate>,
    /// The phase or window that made it so.
    pub delayed_by: String,
    /// As far as is known it will not be there within its term.
    pub never: bool,
    /// It cannot commence before this day, since the lease, or its own condition, came into force late.
    pub not_before: Option<CivilDate>,
    /// The tenant's acceptance.
    pub accepted: Option<Acceptance>,
    /// First day of rent, where it is not the commencement.
    pub rent_from: Option<CivilDate>,
    /// Days by which it is ready later than was agreed.
    pub late_days: u32,
    /// Days of rent that this abates.
    pub abated_days: u32,
    /// The rates, where the dates have moved them.
    pub rate_steps: Option<Vec<RateStep>>,
    /// First day after the last renewal that was exercised.
    pub renewed_until: Option<CivilDate>,
    /// Renewals that were exercised, in order of time.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub renewals: Vec<Renewed>,
    /// First day beyond the term, where the tenant stays.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held_over_from: Option<CivilDate>,
    /// Renewals that are exercised or lapsed, of all that the terms give.
    pub options_spent: u32,
}

/// A tenant's word that a block is as agreed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acceptance {
    /// First day of the term.
    pub on: CivilDate,
    /// Who accepted.
    pub signatory: Signatory,
    /// The token's subject.
    pub subject: String,
    /// When, in business time.
    pub time: Instant,
}

/// When a block is ready for service, as its phases say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadyDates {
    /// As it was said first.
    pub baseline: Option<CivilDate>,
    /// As it is expected, or was.
    pub forecast: Option<CivilDate>,
    /// Since when all of it is.
    pub actual: Option<CivilDate>,
}

/// What is known of one phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PhaseDates {
    /// As it was said first.
    pub baseline: CivilDate,
    /// As it is said now.
    pub current: CivilDate,
    /// The day on which it was ready.
    pub actual: Option<CivilDate>,
}

impl ReadyDates {
    /// The dates of a block whose phases these are: the latest of those promised for `agreed`, or of all if none was.
    #[must_use]
    pub fn of(agreed: CivilDate, phases: &[PhaseDates]) -> Self {
        let promised = |phase: &&PhaseDates| phase.baseline <= agreed || phase.current <= agreed;
        let mut counted: Vec<_> = phases.iter().filter(promised).collect();
        if counted.is_empty() {
            counted = phases.iter().collect();
        }
        let actual: Option<Vec<_>> = counted.iter().map(|phase| phase.actual).collect();
        Self {
            baseline: counted.iter().map(|phase| phase.baseline).max(),
            forecast: counted.iter().map(|phase| phase.current).max(),
            actual: actual.and_then(|dates| dates.into_iter().max()),
        }
    }
}

/// What a reservation takes of one block.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The block.
    pub block: BlockName,
    /// From when how much.
    pub steps: Vec<(Instant, CapacityVector)>,
    /// Until when.
    pub end: Instant,
}

impl PremisesTerms {
    /// What to reserve for a block that no lease has yet, and for so many months of renewals.
    #[must_use]
    pub fn claim(&self, option_months: i32) -> Claim {
        Claim::of(&self.block, self.zone, &self.profile, self.end, option_months)
    }
}

impl Claim {
    fn of(block: &BlockName, zone: Zone, steps: &[ProfileStep], end: CivilDate, option_months: i32) -> Self {
        let end = zone.start_of_day(add_months(end, option_months).unwrap_or(end));
        let steps = steps.iter().map(|step| (zone.start_of_day(step.from), step.capacity)).collect();
        Self { block: block.clone(), steps, end }
    }
}

impl Premises {
    /// The largest critical IT load of the ramp.
    #[must_use]
    pub fn critical_it_kw(&self) -> i64 {
        self.quantity_steps.iter().map(|step| step.capacity.critical_it).max().unwrap_or(0)
    }

    /// What to reserve: the ramp in instants, and the last of it for the months of the renewals that are left.
    #[must_use]
    pub fn claim(&self, option_months: i32) -> Claim {
        self.claim_of(&self.quantity_steps, self.end, option_months)
    }

    /// What was reserved when it was agreed, and for the renewals that are left.
    #[must_use]
    pub fn claim_as_agreed(&self, terms: &PremisesTerms, option_months: i32) -> Claim {
        self.claim_of(&terms.profile, self.agreed.end(), option_months)
    }

    /// The end that nobody can take away: what was agreed, or renewed, or was taken for a tenant that stays.
    #[must_use]
    pub fn firm_end(&self) -> CivilDate {
        if self.standing.held_over_from.is_some() {
            return self.end;
        }
        self.standing.renewed_until.unwrap_or(self.agreed.end())
    }

    /// First day after the term, whether the tenant stays or not.
    #[must_use]
    pub fn term_end(&self) -> CivilDate {
        self.standing.held_over_from.unwrap_or(self.end)
    }

    fn claim_of(&self, steps: &[ProfileStep], end: CivilDate, option_months: i32) -> Claim {
        Claim::of(&self.block, self.zone, steps, end, option_months)
    }

    /// First day of rent.
    #[must_use]
    pub fn rent_from(&self) -> CivilDate {
        self.standing.rent_from.unwrap_or(self.commencement)
    }

    /// Whether its days or rates are not what its terms say by themselves.
    #[must_use]
    pub fn is_moved(&self) -> bool {
        let days = (self.commencement, self.end) != (self.agreed.start(), self.agreed.end());
        days || self.standing.rent_from.is_some() || self.standing.rate_steps.is_some()
    }

    /// The first day on which the tenant may end the lease for its delay.
    #[must_use]
    pub fn outside_date(&self, delivery: Option<&DeliveryTerms>) -> Option<CivilDate> {
        delivery?.outside_days.and_then(|days| plus(self.agreed.start(), days))
    }

    /// When it commences by itself; none while something must happen first.
    #[must_use]
    pub fn commences_at(&self, delivery: Option<&DeliveryTerms>) -> Option<Instant> {
        let ready = delivery.is_none() || self.ready.actual.is_some();
        (self.state == PremisesState::Planned && ready && !self.standing.never).then_some(self.commence_at)
    }

    /// Brings the dates up to date with what is known, as long as it has not commenced: where it commences, when it ends,
    /// and from when rent runs. Every step is moved with them.
    pub fn settle(&mut self, terms: &PremisesTerms, contract: &Contract) {
        if self.state != PremisesState::Planned {
            return;
        }
        let promised = self.agreed.start();
        let delivery = contract.delivery.as_ref();
        let (mut there, mut commencement) = self.there_and_commencement(delivery);
        let mut end = self.end_for(commencement, contract.term_basis);
        let short_for_ever = self.standing.short_until.is_some_and(|day| day >= self.agreed.end());
        self.standing.never = short_for_ever || commencement >= end;
        if self.standing.never {
            // It cannot be said when: the agreed dates stand until somebody says something else.
            (there, commencement, end) = (promised, promised, self.agreed.end());
        }
        let late = u32::try_from((there - promised).num_days()).unwrap_or(0);
        let abated = delivery.map_or(0, |delivery| delivery.abated_days(late));
        let rent_from = plus(commencement, abated).map_or(end, |day| day.min(end));
        self.standing.late_days = late;
        self.standing.abated_days = abated;
        self.standing.rent_from = (rent_from != commencement).then_some(rent_from);
        self.move_to(commencement, end);
        self.quantity_steps = cut(&terms.profile, commencement, end);
        if let RateTerms::Stated(steps) = &terms.rate {
            self.rate_steps = cut(steps, commencement, end);
        }
    }

    fn there_and_commencement(&self, delivery: Option<&DeliveryTerms>) -> (CivilDate, CivilDate) {
        let promised = self.agreed.start();
        let mut there = promised.max(self.standing.short_until.unwrap_or(promised));
        if delivery.is_some() {
            there = there.max(self.ready.actual.or(self.ready.forecast).unwrap_or(promised));
        }
        if let Some(acceptance) = &self.standing.accepted {
            return (there, acceptance.on);
        }
        let deemed = match (delivery, self.ready.actual) {
            (Some(terms), Some(actual)) => plus(actual, terms.acceptance_days).unwrap_or(there),
            _ => there,
        };
        let not_before = self.standing.not_before.unwrap_or(promised);
        (there, there.max(deemed).max(not_before))
    }

    /// First day after a term that begins on `commencement`.
    pub(super) fn end_for(&self, commencement: CivilDate, basis: TermBasis) -> CivilDate {
        let (start, end) = (self.agreed.start(), self.agreed.end());
        if basis == TermBasis::CoTerminous || commencement == start {
            return end;
        }
        let months = months_between(start, end);
        let whole = add_months(start, months) == Some(end);
        let moved = if whole { add_months(commencement, months) } else { None };
        moved.or_else(|| commencement.checked_add_signed(end - start)).unwrap_or(end)
    }

    /// Other days; the steps stay.
    pub fn move_to(&mut self, commencement: CivilDate, end: CivilDate) {
        self.commencement = commencement;
        self.end = end;
        self.commence_at = self.zone.start_of_day(commencement);
        self.end_at = self.zone.start_of_day(end);
    }
}

fn plus(day: CivilDate, days: u32) -> Option<CivilDate> {
    day.checked_add_signed(TimeDelta::days(days.into()))
}

/// Something that is so from a day on.
pub trait FromDay: Clone {
    /// The first day.
    fn first_day(&self) -> CivilDate;
    /// The same from another day on.
    #[must_use]
    fn since_day(self, day: CivilDate) -> Self;
}

impl FromDay for ProfileStep {
    fn first_day(&self) -> CivilDate {
        self.from
    }

    fn since_day(self, day: CivilDate) -> Self {
        Self { from: day, ..self }
    }
}

impl FromDay for RateStep {
    fn first_day(&self) -> CivilDate {
        self.from
    }

    fn since_day(self, day: CivilDate) -> Self {
        Self { from: day, ..self }
    }
}

/// Steps over [`start`, `end`): what was in force before `start` begins on it, and the first one does if it came later.
pub fn cut<T: FromDay>(steps: &[T], start: CivilDate, end: CivilDate) -> Vec<T> {
    let begun = steps.iter().take_while(|step| step.first_day() <= start).count();
    let mut left = steps.iter().skip(begun.saturating_sub(1)).cloned();
    let first = left.next().map(|step| step.since_day(start));
    first.into_iter().chain(left.take_while(|step| step.first_day() < end)).collect()
}

#[cfg(test)]
#[path = "premises_tests.rs"]
mod tests;
