//! How rent is prorated, let off and adjusted by an index: worked numbers, and what holds of any.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kernel::rent::{Agreed, rent_lines};
use kernel::time::add_months;
use kernel::{
    Abatement, CivilDate, Currency, DateRange, EscalationBasis, Exact, IndexEscalator, IndexMethod,
    IndexValues, Percent, Proration, QuantityStep, Rate, RateStep, RentLine, RentRules, YearMonth,
};
use proptest::prelude::*;

const USD: Currency = Currency::USD;
const PRORATIONS: [Proration; 3] = [Proration::ActualActual, Proration::Thirty360, Proration::Actual365];

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn percent(text: &str) -> Percent {
    text.parse().unwrap()
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

/// A block of constant load and rate.
fn lines(kw: i64, per_kw: Rate, rules: &RentRules, term: DateRange, days: DateRange) -> Vec<RentLine> {
    let quantity_steps = &[QuantityStep { from: term.start(), kw }];
    let rate_steps = &[RateStep { from: term.start(), rate: per_kw }];
    Agreed { quantity_steps, rate_steps, rules, term }.lines(days, USD).unwrap()
}

fn minors(lines: &[RentLine]) -> Vec<i64> {
    lines.iter().map(|line| line.amount.minor).collect()
}

fn term(from: &str, until: &str) -> DateRange {
    DateRange::new(date(from), date(until)).unwrap()
}

#[test]
fn a_stub_month_by_each_way_of_counting() {
    // 20,000 kW at 130: 2,600,000 a month, 31,200,000 a year; from 24 October 8 of 31 days.
    for (proration, stub) in [
        (Proration::ActualActual, 67_096_774),
        (Proration::Thirty360, 60_666_667),
        (Proration::Actual365, 68_383_562),
    ] {
        let rules = RentRules { proration, ..RentRules::default() };
        let days = term("2026-10-24", "2027-03-01");
        let told = minors(&lines(20_000, rate("130"), &rules, days, days));
        assert_eq!(told, [stub, 260_000_000, 260_000_000, 260_000_000, 260_000_000], "{proration:?}");
    }
}

#[test]
fn thirty_days_of_february_and_nothing_of_a_thirty_first() {
    let rules = RentRules { proration: Proration::Thirty360, ..RentRules::default() };
    let of = |from, until| {
        let days = term(from, until);
        lines(1, rate("30"), &rules, days, days)[0].part()
    };
    assert_eq!(of("2027-02-15", "2027-03-01"), (16, 30));
    assert_eq!(of("2028-02-29", "2028-03-01"), (2, 30));
    assert_eq!(of("2027-01-31", "2027-02-01"), (0, 30));
    assert_eq!(of("2027-01-30", "2027-02-01"), (1, 30));
    assert_eq!(of("2027-01-01", "2027-01-31"), (30, 30));
}

#[test]
fn a_day_of_a_year_of_365_costs_what_a_filed_lease_says() {
    // B-16: 729,750 a year are 1,999.32 a day; B-23: 31.2 million a year are 85,479.45.
    let rules = RentRules { proration: Proration::Actual365, ..RentRules::default() };
    for (yearly, daily) in [(72_975_000_i64, 199_932), (3_120_000_000, 8_547_945)] {
        let monthly = Exact::ratio(yearly, 1_200).unwrap().to_rate().unwrap();
        let days = term("2028-02-11", "2028-02-12");
        assert_eq!(minors(&lines(1, monthly, &rules, days, days)), [daily]);
    }
}

#[test]
fn months_are_free_or_let_off_in_part_from_the_first_day_of_rent() {
    let off = |first_month, months, text| Abatement { first_month, months, percent: percent(text) };
    let rules = RentRules { abatements: vec![off(0, 2, "100"), off(2, 1, "50")], ..RentRules::default() };
    let days = term("2027-01-15", "2027-06-01");
    let told = lines(10_000, rate("125"), &rules, days, days);
    let shown: Vec<_> = told.iter().map(|line| (line.days, line.amount.minor)).collect();
    // Free to 14 March, half to 14 April; 17 of 31 days of March and 14 of 30 of April at half.
    assert_eq!(
        shown,
        [(17, 0), (28, 0), (14, 0), (17, 34_274_194), (14, 29_166_667), (16, 66_666_667), (31, 125_000_000)]
    );
}

fn index(method: IndexMethod, cap: Option<&str>) -> IndexEscalator {
    IndexEscalator {
        series: "cpi-u".parse().unwrap(),
        base: rate("300"),
        lag_months: 3,
        floor: percent("2"),
        cap: cap.map(percent),
        method,
        basis: EscalationBasis::BlockAnniversary,
    }
}

fn values(of: &[(&str, &str)]) -> IndexValues {
    of.iter().map(|(month, value)| (month.parse().unwrap(), rate(value))).collect()
}

fn rates(index: &IndexEscalator, known: &IndexValues, years: u32) -> (Vec<String>, Option<String>) {
    let days = DateRange::of_months(date("2027-01-01"), 12 * years).unwrap();
    let given = [RateStep { from: days.start(), rate: rate("100") }];
    let told = index.rates(&given, days.start(), days.start(), days.end(), known).unwrap();
    (told.steps.iter().map(|step| step.rate.to_string()).collect(), told.missing.map(|m| m.to_string()))
}

#[test]
fn years_compound_each_within_floor_and_cap() {
    // 3.5 %, then 1 % which the floor makes 2 %, then 10 % which the cap makes 5 %.
    let known = values(&[("2027-10", "310.5"), ("2028-10", "313.605"), ("2029-10", "344.9655")]);
    let (told, missing) = rates(&index(IndexMethod::Compounding, Some("5")), &known, 4);
    assert_eq!(told, ["100", "103.5", "105.57", "110.8485"]);
    assert_eq!(missing, None);
}

#[test]
fn base_on_base_is_bounded_as_if_it_had_compounded() {
    let known = values(&[("2027-10", "310.5"), ("2028-10", "307"), ("2029-10", "360")]);
    // 3.5 %; 2.33 % of two years, which the floor makes 4.04 %; 20 % of three, which the cap makes 15.7625 %.
    let (told, missing) = rates(&index(IndexMethod::BaseOnBase, Some("5")), &known, 4);
    assert_eq!(told, ["100", "103.5", "104.04", "115.7625"]);
    assert_eq!(missing, None);
    let (told, _) = rates(&index(IndexMethod::BaseOnBase, None), &known, 4);
    assert_eq!(told[3], "120");
}

#[test]
fn a_missing_value_is_named_and_never_made_up() {
    let known = values(&[("2027-10", "310.5"), ("2029-10", "344.9655")]);
    for (method, certain) in [
        (IndexMethod::Compounding, ["100", "103.5", "105.57", "107.6814"]),
        (IndexMethod::BaseOnBase, ["100", "103.5", "104.04", "114.9885"]),
    ] {
        let (told, missing) = rates(&index(method, None), &known, 4);
        assert_eq!(told, certain, "{method:?}");
        let says = "index cpi-u has no value for 2028-10, which rent from 2029-01-01 on needs";
        assert_eq!(missing.as_deref(), Some(says));
    }
}

#[test]
fn what_is_not_said_leaves_no_trace_in_a_record() {
    assert_eq!(serde_json::to_string(&RentRules::default()).unwrap(), "{}");
    let rules = RentRules {
        proration: Proration::Thirty360,
        abatements: vec![Abatement { first_month: 0, months: 2, percent: percent("100") }],
        index: Some(index(IndexMethod::Compounding, None)),
        ..RentRules::default()
    };
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(
        json,
        r#"{"proration":"THIRTY_360","abatements":[{"first_month":0,"months":2,"percent":"100"}],"index":{"series":"cpi-u","base":"300","lag_months":3,"floor":"2","method":"COMPOUNDING","basis":"BLOCK_ANNIVERSARY"}}"#
    );
    assert_eq!(serde_json::from_str::<RentRules>(&json).unwrap(), rules);
    for proration in PRORATIONS {
        assert_eq!(proration.as_str().parse(), Ok(proration));
    }
}

fn any_days() -> impl Strategy<Value = DateRange> {
    (0_u64..2_000, 1_u64..2_500).prop_map(|(first, days)| {
        let start = date("2026-01-01") + chrono::Days::new(first);
        DateRange::new(start, start + chrono::Days::new(days)).unwrap()
    })
}

fn any_rules() -> impl Strategy<Value = RentRules> {
    let abatement = (0..6_u32, 1..6_u32, 1..=100_000_000_i64);
    (0..3_usize, prop::collection::vec(abatement, 0..4)).prop_map(|(proration, all)| {
        let mut abatements: Vec<Abatement> = Vec::new();
        for (gap, months, scaled) in all {
            let first_month = gap + abatements.last().and_then(Abatement::end_month).unwrap_or(0);
            abatements.push(Abatement {
                first_month,
                months,
                percent: Percent::from_scaled(scaled).unwrap(),
            });
        }
        RentRules { proration: PRORATIONS[proration], abatements, ..RentRules::default() }
    })
}

proptest! {
    #[test]
    fn a_term_walked_by_months_has_the_lines_of_the_whole(
        term in any_days(), rules in any_rules(), kw in 1..200_000_i64, scaled in 1..5_000_000_000_000_i128,
    ) {
        let per_kw = Rate::from_scaled(scaled).unwrap();
        let whole = lines(kw, per_kw, &rules, term, term);
        let walked: Vec<RentLine> =
            term.months().flat_map(|(_, days)| lines(kw, per_kw, &rules, term, days)).collect();
        prop_assert_eq!(&walked, &whole);
        prop_assert_eq!(whole.iter().map(|line| line.period.days()).sum::<i64>(), term.days());
        // Each line is its exact rent, rounded once.
        for line in &whole {
            let (part, of) = line.part();
            let kept = &Exact::from(1) - &Exact::from(line.abated);
            let exact = &(&Exact::from(per_kw) * &Exact::from(kw)) * &Exact::ratio(part.into(), of.into()).unwrap();
            prop_assert_eq!((&exact * &kept).to_money(USD), Some(line.amount));
        }
    }

    /// However a month is cut by steps within it, its parts make the month.
    #[test]
    fn the_parts_of_a_whole_month_make_a_month(
        year in 2026..2032_i32, month in 1..=12_u32, cuts in prop::collection::btree_set(2..=28_u32, 0..5), which in 0..3_usize,
    ) {
        let month = YearMonth::new(year, month).unwrap();
        let term = DateRange::new(add_months(month.first_day(), -1).unwrap(), add_months(month.first_day(), 2).unwrap()).unwrap();
        let rules = RentRules { proration: PRORATIONS[which], ..RentRules::default() };
        let days = cuts.iter().map(|day| month.first_day() + chrono::Days::new(u64::from(day - 1)));
        let steps: Vec<QuantityStep> =
            std::iter::once(term.start()).chain(days).map(|from| QuantityStep { from, kw: 1 }).collect();
        let rates = [RateStep { from: term.start(), rate: rate("1000") }];
        let agreed = Agreed { quantity_steps: &steps, rate_steps: &rates, rules: &rules, term };
        let parts = agreed.lines(month.range().unwrap(), USD).unwrap().iter().map(RentLine::part)
            .map(|(part, of)| Exact::ratio(part.into(), of.into()).unwrap()).collect::<Vec<_>>();
        prop_assert_eq!(parts.len(), cuts.len() + 1);
        prop_assert_eq!(Exact::sum(&parts), Exact::from(1));
    }

    #[test]
    fn nothing_said_is_as_it_always_was(term in any_days(), kw in 1..200_000_i64) {
        let quantities = [QuantityStep { from: term.start(), kw }];
        let rates = [RateStep { from: term.start(), rate: rate("131.7") }];
        let plain = rent_lines(&quantities, &rates, term, USD).unwrap();
        prop_assert_eq!(lines(kw, rate("131.7"), &RentRules::default(), term, term), plain);
    }

    #[test]
    fn an_adjusted_rate_lies_within_floor_and_cap(
        start in 0_u64..700, years in 2..12_u32, floor in 0..4_000_000_i64, above in 0..6_000_000_i64,
        changes in prop::collection::vec(80..130_i128, 12), gap in prop::option::of(0..12_usize), compounding in any::<bool>(),
    ) {
        let start = date("2026-01-01") + chrono::Days::new(start);
        let end = add_months(start, 12 * i32::try_from(years).unwrap()).unwrap();
        let cap = Percent::from_scaled(floor + above).unwrap();
        let floor = Percent::from_scaled(floor).unwrap();
        let method = if compounding { IndexMethod::Compounding } else { IndexMethod::BaseOnBase };
        let index = IndexEscalator { floor, cap: Some(cap), ..index(method, None) };
        let (mut value, mut known) = (300 * 10_i128.pow(10), IndexValues::new());
        for (n, change) in (1..).zip(changes) {
            value = value * change / 100;
            let month = index.month_of(add_months(start, 12 * n).unwrap()).unwrap();
            known.insert(month, Rate::from_scaled(value).unwrap());
        }
        let dropped = gap.and_then(|at| known.keys().nth(at).copied());
        if let Some(month) = dropped {
            known.remove(&month);
        }
        let given = [RateStep { from: start, rate: rate("100") }];
        let told = index.rates(&given, start, start, end, &known).unwrap();
        prop_assert_eq!(told.steps.len(), usize::try_from(years).unwrap());
        let needed = |month: &YearMonth| index.adjustments(start, start, end, &known).unwrap().iter().any(|one| one.month == *month);
        prop_assert_eq!(told.missing.map(|missing| missing.month), dropped.filter(needed));
        let bound = |percent: Percent, n: u32| {
            let once = &Exact::from(1) + &Exact::from(percent);
            (0..n).fold(Exact::from(100), |all, _| &all * &once).to_rate().unwrap()
        };
        for (n, step) in (0..).zip(&told.steps) {
            prop_assert!(step.rate >= bound(floor, n) && step.rate <= bound(cap, n), "{n}: {step:?}");
        }
    }
}
