//! What the terms come to: frozen steps, rent lines, and the three figures kept apart.

use kernel::rent::{self, Agreed, IndexValues};
use kernel::time::add_months;
use kernel::{CivilDate, DateRange, Error, Money, QuantityStep, Rate, RateStep, Reason, RentLine};

use super::premises::{FromDay, Premises, ReadyDates, Standing, cut};
use super::renewal_rent::{self, options_of};
use super::state::PremisesState;
use super::terms::{PremisesTerms, RateTerms, Terms};

/// The rent of one block for one month or part of it.
#[derive(Clone, Copy, Debug)]
pub struct ScheduleLine {
    /// Which of the lease's premises, from 0.
    pub premises: usize,
    /// The rent.
    pub line: RentLine,
}

/// What a lease is worth by its terms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Value {
    /// Sum over the blocks of their largest load.
    pub critical_it_kw: i64,
    /// Rent of the first twelve months from the first commencement.
    pub year_one_rent: Money,
    /// The sum of the schedule.
    pub base_contract_value: Money,
    /// Rent of every renewal, the escalator going on; never part of the base.
    pub options_contract_value: Money,
    /// Rent of every option on more blocks that is open; never part of the base.
    pub expansions_contract_value: Money,
    /// Rent of the base term of what is not placed yet; never part of the base.
    pub unplaced_contract_value: Money,
    /// Load that is not placed yet, kW.
    pub unplaced_it_kw: i64,
    /// Lines of the schedule.
    pub line_count: usize,
}

/// The blocks of new terms with every step fixed: dates become instants, the escalator becomes rates.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rate outgrows its type.
pub fn freeze(terms: &Terms) -> Result<Vec<Premises>, Error> {
    // Without a block nothing is frozen.
    let lease_start = terms.lease_start().unwrap_or_default();
    let optioned = |one| Premises { state: PremisesState::Optioned, ..one };
    let leased = terms.premises.iter().map(|premises| freeze_one(terms, premises, lease_start));
    let options = terms.expansion_options.iter().flat_map(|option| &option.premises);
    leased.chain(options.map(|premises| freeze_one(terms, premises, lease_start).map(optioned))).collect()
}

pub(super) fn freeze_one(
    terms: &Terms,
    premises: &PremisesTerms,
    lease_start: CivilDate,
) -> Result<Premises, Error> {
    let agreed = DateRange::new(premises.commencement, premises.end).map_err(|_| too_large())?;
    let rate_steps = match &premises.rate {
        RateTerms::Stated(steps) => steps.clone(),
        RateTerms::Base(rate) => rates(terms, *rate, lease_start, agreed)?,
    };
    Ok(Premises {
        agreed,
        block: premises.block.clone(),
        zone: premises.zone,
        commencement: premises.commencement,
        end: premises.end,
        commence_at: premises.zone.start_of_day(premises.commencement),
        end_at: premises.zone.start_of_day(premises.end),
        rate_steps,
        quantity_steps: premises.profile.clone(),
        state: PremisesState::Planned,
        commence_time: None,
        standing: Standing::default(),
        ready: ReadyDates::default(),
    })
}

pub(super) fn rates(
    terms: &Terms,
    base: Rate,
    lease_start: CivilDate,
    over: DateRange,
) -> Result<Vec<RateStep>, Error> {
    rent::rate_steps(base, terms.escalator.as_ref(), lease_start, over.start(), over.end())
        .map_err(|_| too_large())
}

/// The rates of blocks that have not commenced, where their days, or the first day of the lease, are not what was agreed:
/// the escalator counts from the days as they are.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rate outgrows its type.
pub fn move_rates(terms: &Terms, premises: &mut [Premises]) -> Result<(), Error> {
    let live = premises.iter().filter(|one| one.state.is_leased());
    let Some(lease_start) = live.map(|one| one.commencement).min() else { return Ok(()) };
    let agreed_start = terms.lease_start().ok_or_else(too_large)?;
    for one in premises.iter_mut().filter(|one| one.state == PremisesState::Planned) {
        let over = DateRange::new(one.commencement, one.end).map_err(|_| too_large())?;
        let agreed = terms.of_block(&one.block);
        if let Some(RateTerms::Base(base)) = agreed.map(|agreed| &agreed.rate) {
            one.rate_steps = rates(terms, *base, lease_start, over)?;
        }
        let moved = over != one.agreed || lease_start != agreed_start;
        one.standing.rate_steps = moved.then(|| one.rate_steps.clone());
    }
    Ok(())
}

/// The blocks of amended terms: what the terms say counts from `effective` on, what was before it stays as it was. A block
/// that has not commenced has all of them before it; one that is over keeps what it had. The first `taken` of `premises` are the first
/// blocks of `terms`, in their order; those after them are new.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rate outgrows its type.
pub fn amend(
    terms: &Terms,
    premises: &[Premises],
    taken: usize,
    effective: CivilDate,
) -> Result<Vec<Premises>, Error> {
    let lease_start = start_with(premises, &terms.premises[taken.min(terms.premises.len())..]);
    let both = premises.iter().take(taken).zip(&terms.premises);
    let leased = both.map(|(one, agreed)| amend_one(terms, one, agreed, lease_start, effective));
    let added = terms.premises.iter().skip(taken).map(|agreed| freeze_one(terms, agreed, lease_start));
    let options = terms.expansion_options.iter().flat_map(|option| &option.premises).map(|agreed| {
        let mut frozen =
            Premises { state: PremisesState::Optioned, ..freeze_one(terms, agreed, lease_start)? };
        if let Some(before) = premises.iter().find(|before| before.block == agreed.block) {
            (frozen.standing, frozen.ready) = (before.standing.clone(), before.ready);
        }
        Ok(frozen)
    });
    leased.chain(added).chain(options).collect()
}

/// The day on which a lease begins that has these blocks, and takes those.
pub(super) fn start_with(premises: &[Premises], more: &[PremisesTerms]) -> CivilDate {
    let live = premises.iter().filter(|one| one.state.is_leased()).map(|one| one.commencement);
    live.chain(more.iter().map(|one| one.commencement)).min().unwrap_or_default()
}

fn amend_one(
    terms: &Terms,
    before: &Premises,
    agreed: &PremisesTerms,
    lease_start: CivilDate,
    effective: CivilDate,
) -> Result<Premises, Error> {
    let mut one = before.clone();
    one.agreed = DateRange::new(agreed.commencement, agreed.end).map_err(|_| too_large())?;
    if one.state == PremisesState::Planned {
        let frozen = freeze_one(terms, agreed, lease_start)?;
        one.standing.rate_steps = None;
        return Ok(Premises { standing: one.standing, ready: one.ready, ..frozen });
    }
    if one.state == PremisesState::Commenced {
        if one.agreed.end() != before.agreed.end() {
            // The term is another one: what was renewed is part of it.
            one.move_to(one.commencement, one.end_for(one.commencement, terms.contract.term_basis));
            one.standing.renewed_until = None;
            one.standing.renewals.clear();
        }
        let end = one.end;
        let rates = renewal_rent::price(terms, &mut one, lease_start, end)?;
        one.rate_steps = splice(&one.rate_steps, &rates, effective, one.end);
        one.quantity_steps = splice(&one.quantity_steps, &agreed.profile, effective, one.end);
    }
    one.standing.rate_steps = Some(one.rate_steps.clone());
    Ok(one)
}

/// `before` up to a day, `after` from it on.
pub(super) fn splice<T: FromDay>(before: &[T], after: &[T], day: CivilDate, end: CivilDate) -> Vec<T> {
    let kept = before.iter().filter(|step| step.first_day() < day).cloned();
    kept.chain(cut(after, day, end)).collect()
}

/// The rent of the blocks from a day until another, as it would have followed; nothing of those that never will commence, or that only an
/// option is on.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
pub(super) fn rent_between(
    terms: &Terms,
    premises: &[Premises],
    from: CivilDate,
    until: CivilDate,
) -> Result<Money, Error> {
    let mut total = Money::zero(terms.currency);
    for one in premises.iter().filter(|one| one.state.is_live()) {
        let (start, end) = (one.rent_from().max(from), one.end.min(until));
        if let Ok(range) = DateRange::new(start, end) {
            let rent = rent_of(terms, premises, one, range)?;
            total = total.checked_add(sum(terms, rent)?).ok_or_else(too_large)?;
        }
    }
    Ok(total)
}

/// Every rent line of the base term, by period, then by block.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when an amount outgrows its type.
pub fn lines(terms: &Terms, premises: &[Premises]) -> Result<Vec<ScheduleLine>, Error> {
    let mut lines = Vec::new();
    for (i, one) in premises.iter().enumerate().filter(|(_, one)| one.state.is_leased()) {
        // All of the term may be abated.
        let Ok(range) = DateRange::new(one.rent_from(), one.end) else { continue };
        let rent = rent_of(terms, premises, one, range)?;
        lines.extend(rent.into_iter().map(|line| ScheduleLine { premises: i, line }));
    }
    lines.sort_by_key(|line| (line.line.period.start(), line.premises));
    Ok(lines)
}

/// The figures of the blocks of a lease.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
pub fn value(terms: &Terms, premises: &[Premises]) -> Result<Value, Error> {
    let base = lines(terms, premises)?;
    let own = || premises.iter().take(terms.premises.len());
    // Without a block there is no year one, and nothing to add up.
    let start = own().map(|one| one.commencement).min();
    let first_year_end = start.map_or(Some(CivilDate::MAX), |start| add_months(start, 12));
    let first_year_end = first_year_end.ok_or_else(too_large)?;
    let mut year_one = Money::zero(terms.currency);
    let mut options = Money::zero(terms.currency);
    for one in own().filter(|one| one.state.is_leased()) {
        if let Ok(range) = DateRange::new(one.rent_from(), one.end.min(first_year_end)) {
            let rent = rent_of(terms, premises, one, range)?;
            year_one = year_one.checked_add(sum(terms, rent)?).ok_or_else(too_large)?;
        }
        options = options.checked_add(options_of(terms, premises, one)?).ok_or_else(too_large)?;
    }
    let mut expansions = Money::zero(terms.currency);
    for one in premises.iter().filter(|one| one.state == PremisesState::Optioned) {
        let rent = rent_of(terms, premises, one, one.agreed)?;
        expansions = expansions.checked_add(sum(terms, rent)?).ok_or_else(too_large)?;
    }
    let kw = own().try_fold(0_i64, |kw, one| kw.checked_add(one.critical_it_kw()));
    Ok(Value {
        critical_it_kw: kw.ok_or_else(too_large)?,
        year_one_rent: year_one,
        base_contract_value: sum(terms, base.iter().map(|line| line.line))?,
        options_contract_value: options,
        expansions_contract_value: expansions,
        unplaced_contract_value: Money::zero(terms.currency),
        unplaced_it_kw: 0,
        line_count: base.len(),
    })
}

/// The rent of one of a lease's blocks over some days of its term.
pub(super) fn rent_of(
    terms: &Terms,
    premises: &[Premises],
    of: &Premises,
    range: DateRange,
) -> Result<Vec<RentLine>, Error> {
    let rates = certain(terms, premises, of, of.rate_steps.clone(), of.end)?;
    let days = DateRange::new(of.rent_from(), of.end).map_err(|_| too_large())?;
    agreed_lines(terms, days, &quantities(of), &rates, range)
}

pub(super) fn agreed_lines(
    terms: &Terms,
    days: DateRange,
    quantity_steps: &[QuantityStep],
    rate_steps: &[RateStep],
    range: DateRange,
) -> Result<Vec<RentLine>, Error> {
    let rules = &terms.contract.rent;
    let agreed = Agreed { quantity_steps, rate_steps, rules, term: days };
    agreed.lines(range, terms.currency).map_err(|_| too_large())
}

/// Rates as they are certain to be: where they follow an index, whose values leasing does not know, risen by its floor.
pub(super) fn certain(
    terms: &Terms,
    premises: &[Premises],
    of: &Premises,
    rates: Vec<RateStep>,
    end: CivilDate,
) -> Result<Vec<RateStep>, Error> {
    let agreed = terms.of_block(&of.block);
    let base = agreed.is_some_and(|agreed| matches!(agreed.rate, RateTerms::Base(_)));
    if !base {
        return Ok(rates);
    }
    risen(terms, lease_start(premises, of), of.commencement, rates, end)
}

/// The first day of the lease as it stands.
pub(super) fn lease_start(premises: &[Premises], of: &Premises) -> CivilDate {
    let live = premises.iter().filter(|one| one.state.is_leased());
    live.map(|one| one.commencement).min().unwrap_or(of.commencement)
}

/// Base rates with the floor of their index, where they follow one.
pub(super) fn risen(
    terms: &Terms,
    lease_start: CivilDate,
    block_start: CivilDate,
    rates: Vec<RateStep>,
    end: CivilDate,
) -> Result<Vec<RateStep>, Error> {
    let Some(index) = terms.contract.rent.index.as_ref() else { return Ok(rates) };
    let indexed = index.rates(&rates, lease_start, block_start, end, &IndexValues::new());
    indexed.map(|indexed| indexed.steps).map_err(|_| too_large())
}

pub(super) fn quantities(premises: &Premises) -> Vec<QuantityStep> {
    premises
        .quantity_steps
        .iter()
        .map(|step| QuantityStep { from: step.from, kw: step.capacity.critical_it })
        .collect()
}

pub(super) fn sum(terms: &Terms, lines: impl IntoIterator<Item = RentLine>) -> Result<Money, Error> {
    let amounts = lines.into_iter().map(|line| line.amount);
    Money::checked_sum(terms.currency, amounts).ok_or_else(too_large)
}

pub(super) fn too_large() -> Error {
    Error::refused(Reason::TermOutOfRange, "The rent of these terms is too large to be computed.")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::{Draft, PremisesDraft, RateDraft, RenewalDraft};
    use crate::domain::testing::{date, river_bend, terms};
    use kernel::{CapacityVector, EscalationBasis};
    use proptest::prelude::*;

    fn value_of(draft: Draft) -> Value {
        let terms = terms(draft, "America/Chicago");
        value(&terms, &freeze(&terms).unwrap()).unwrap()
    }

    /// One block from its commencement, and the next load from each later step.
    fn block(steps: &[(&str, i64)], end: &str, rate: &str) -> PremisesDraft {
        let mut premises = river_bend().premises[0].clone();
        premises.profile =
            steps.iter().map(|(from, kw)| (Some(date(from)), CapacityVector::new(*kw, 0, *kw, 0))).collect();
        premises.commencement = Some(date(steps[0].0));
        premises.end = Some(date(end));
        premises.rate = Some(RateDraft::Base(rate.parse().ok()));
        premises
    }

    fn with(premises: Vec<PremisesDraft>, months: i32) -> Draft {
        let mut draft = Draft { premises, term_months: months, renewal_options: Vec::new(), ..river_bend() };
        for (i, premises) in draft.premises.iter_mut().enumerate() {
            premises.block = format!("operators/hut8/sites/river-bend/blocks/b-{i}").parse().ok();
        }
        draft
    }

    #[test]
    fn river_bend_comes_to_its_published_total_and_options_stay_apart() {
        let value = value_of(river_bend());
        assert_eq!(value.critical_it_kw, 245_000);
        assert_eq!(value.base_contract_value.minor, 699_999_999_984);
        // 245,000 kW x 128.0156677674 x 12, each month rounded once.
        assert_eq!(value.year_one_rent.minor, 37_636_606_320);
        assert_eq!(value.line_count, 180);
        // Three times five years more, the escalator going on: computed apart, in decimals.
        assert_eq!(value.options_contract_value.minor, 1_090_577_191_620);
    }

    #[test]
    fn terawulf_core42_to_the_cent() {
        let draft = with(vec![block(&[("2026-12-01", 60_000)], "2036-12-01", "125")], 120);
        assert_eq!(value_of(draft).base_contract_value.minor, 103_174_913_808);
    }

    #[test]
    fn an_area_step_in_mid_year_does_not_restart_the_escalation() {
        // Digital Phoenix, with kW for square feet and 180/12 as the rate.
        let steps = [("2027-01-01", 2_750), ("2027-07-01", 5_500)];
        let draft = with(vec![block(&steps, "2031-01-01", "15")], 48);
        assert_eq!(value_of(draft).base_contract_value.minor, 389_429_076);
    }

    #[test]
    fn each_hall_escalates_on_its_own_first_of_month() {
        let mut draft = with(
            vec![
                block(&[("2026-10-24", 20_000)], "2027-11-01", "130"),
                block(&[("2027-07-05", 20_000)], "2028-09-01", "130"),
            ],
            24,
        );
        draft.escalator = draft.escalator.map(|mut escalator| {
            escalator.basis = Some(EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary);
            escalator
        });
        let terms = terms(draft, "America/Chicago");
        let premises = freeze(&terms).unwrap();
        let steps = |i: usize| premises[i].rate_steps.iter().map(|step| step.from).collect::<Vec<_>>();
        assert_eq!(steps(1), [date("2027-07-05"), date("2028-08-01")]);
        let lines = lines(&terms, &premises).unwrap();
        let first: Vec<_> = lines.iter().filter(|line| line.premises == 0).collect();
        assert_eq!(first[0].line.amount.minor, 67_096_774);
        assert_eq!(first.iter().map(|line| line.line.amount.minor).sum::<i64>(), 3_187_096_774);
    }

    #[test]
    fn dates_are_read_in_the_zone_of_the_site() {
        let terms = terms(river_bend(), "America/Chicago");
        let premises = &freeze(&terms).unwrap()[0];
        assert_eq!(premises.commence_at.to_rfc3339(), "2027-12-01T06:00:00+00:00");
        let claim = premises.claim(0);
        assert_eq!(claim.steps[0].0, premises.commence_at);
        assert_eq!(claim.end.to_rfc3339(), "2042-12-01T06:00:00+00:00");
    }

    #[test]
    fn stated_rates_go_on_from_their_last_step() {
        let mut draft = river_bend();
        draft.renewal_options = vec![RenewalDraft { count: 1, term_months: 12, ..RenewalDraft::default() }];
        draft.premises[0].rate = Some(RateDraft::Stated(vec![
            (Some(date("2027-12-01")), "100".parse().ok()),
            (Some(date("2041-12-01")), "200".parse().ok()),
        ]));
        // A year after its last step the escalator takes its next one: 206.
        assert_eq!(value_of(draft).options_contract_value.minor, 245_000 * 206 * 12 * 100);
    }

    proptest! {
        /// The years of a lease add up to its whole, whatever day it begins on.
        #[test]
        fn the_first_year_is_part_of_the_whole(day in 0_i64..1_500, kw in 1_i64..500_000, years in 1_i32..20) {
            let start = date("2026-01-01") + chrono::TimeDelta::days(day);
            let end = add_months(start, years * 12).unwrap();
            let draft = with(vec![block(&[(&start.to_string(), kw)], &end.to_string(), "128.0156677674")], years * 12);
            let value = value_of(draft);
            prop_assert!(value.year_one_rent.minor <= value.base_contract_value.minor);
            if years == 1 {
                prop_assert_eq!(value.year_one_rent, value.base_contract_value);
            }
            prop_assert_eq!(value.options_contract_value.minor, 0);
        }

        /// Two halves of a block never cost more than a cent a line more or less than the whole.
        #[test]
        fn splitting_a_block_does_not_change_the_bill(day in 0_i64..700, half in 1_i64..200_000) {
            let start = (date("2026-01-01") + chrono::TimeDelta::days(day)).to_string();
            let whole = value_of(with(vec![block(&[(&start, half * 2)], "2031-01-01", "131.7")], 120));
            let one = block(&[(&start, half)], "2031-01-01", "131.7");
            let halves = value_of(with(vec![one.clone(), one], 120));
            let lines = i64::try_from(whole.line_count).unwrap();
            let apart = whole.base_contract_value.minor - halves.base_contract_value.minor;
            prop_assert!(apart.abs() <= lines, "{} over {} lines", apart, lines);
        }
    }
}
