//! Worked numbers that the rent engine must reproduce to the cent: published leases and a filed escalation rule.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use kernel::rent::{rate_steps, rent_lines, solve_rate_on_calendar, solve_year_one_rate, step_rate, total};
use kernel::{
    CivilDate, Currency, DateRange, EscalationBasis, Escalator, Money, QuantityStep, Rate, RentLine,
    YearMonth,
};

fn date(text: &str) -> CivilDate {
    text.parse().unwrap()
}

fn rate(text: &str) -> Rate {
    text.parse().unwrap()
}

fn usd(cents: i64) -> Money {
    Money::new(cents, Currency::USD)
}

fn three_percent(basis: EscalationBasis) -> Escalator {
    Escalator { percent: "3".parse().unwrap(), basis }
}

/// The lines of one block over whole months from its start.
fn schedule(
    quantity: &[(&str, i64)],
    base: &str,
    escalator: Option<Escalator>,
    months: u32,
) -> Vec<RentLine> {
    let quantity: Vec<QuantityStep> =
        quantity.iter().map(|&(from, kw)| QuantityStep { from: date(from), kw }).collect();
    let term = DateRange::of_months(quantity[0].from, months).unwrap();
    let rates = rate_steps(rate(base), escalator.as_ref(), term.start(), term.start(), term.end()).unwrap();
    rent_lines(&quantity, &rates, term, Currency::USD).unwrap()
}

fn sum(lines: &[RentLine]) -> String {
    total(lines, Currency::USD).unwrap().grouped()
}

fn of_month(lines: &[RentLine], month: &str) -> String {
    let month: YearMonth = month.parse().unwrap();
    sum(&lines.iter().filter(|line| line.month == month).copied().collect::<Vec<_>>())
}

/// B-01, with kW for square feet and 180 / 12 as the monthly rate.
#[test]
fn phased_premises_do_not_restart_the_escalator() {
    let escalator = three_percent(EscalationBasis::LeaseAnniversary);
    let lines = schedule(&[("2027-01-01", 2_750), ("2027-07-01", 5_500)], "15", Some(escalator), 48);
    assert_eq!(lines.len(), 48);
    for (months, monthly, period) in [
        (0..6, "41,250.00", "247,500.00"),
        (6..12, "82,500.00", "495,000.00"),
        (12..24, "84,975.00", "1,019,700.00"),
        (24..36, "87,524.25", "1,050,291.00"),
        (36..48, "90,149.98", "1,081,799.76"),
    ] {
        assert!(lines[months.clone()].iter().all(|line| line.amount.grouped() == monthly), "{monthly}");
        assert_eq!(sum(&lines[months]), period);
    }
    assert_eq!(sum(&lines), "3,894,290.76");
}

/// B-01 once more, with the second half of the area as a block of its own that comes later on the lease's clock.
#[test]
fn a_block_that_comes_later_joins_at_the_rate_of_the_lease_year() {
    let escalator = three_percent(EscalationBasis::LeaseAnniversary);
    let end = date("2031-01-01");
    let steps =
        rate_steps(rate("15"), Some(&escalator), date("2027-01-01"), date("2028-07-01"), end).unwrap();
    let seen: Vec<_> = steps.iter().map(|step| (step.from.to_string(), step.rate.to_string())).collect();
    let expected = [("2028-07-01", "15.45"), ("2029-01-01", "15.9135"), ("2030-01-01", "16.390905")];
    assert_eq!(seen, expected.map(|(from, rate)| (from.to_owned(), rate.to_owned())));
}

/// B-02 without its prepayment.
#[test]
fn ten_years_of_core42() {
    let escalator = three_percent(EscalationBasis::BlockAnniversary);
    let lines = schedule(&[("2026-12-01", 60_000)], "125", Some(escalator), 120);
    for (year, unit, monthly, annual) in [
        (1, "125.0000", "7,500,000.00", "90,000,000.00"),
        (2, "128.7500", "7,725,000.00", "92,700,000.00"),
        (3, "132.6125", "7,956,750.00", "95,481,000.00"),
        (5, "140.6886", "8,441,316.08", "101,295,792.96"),
        (10, "163.0966", "9,785,798.88", "117,429,586.56"),
    ] {
        let lines = &lines[(year - 1) * 12..year * 12];
        assert_eq!(lines[0].rate.rounded(4), unit);
        assert_eq!(lines[0].amount.grouped(), monthly);
        assert_eq!(sum(lines), annual);
    }
    assert_eq!(sum(&lines), "1,031,749,138.08");
}

/// B-03.
#[test]
fn the_year_one_rate_of_four_published_totals() {
    for (deal, billions, kw, solved, annual, year_one, last_year, average) in [
        ("HUT-FS-RB", 70, 245_000, "128.0156677674", "376,366,063.24", "128.02", "193.64", "158.73"),
        ("HUT-BP1", 98, 352_000, "124.7425398983", "526,912,488.53", "124.74", "188.68", "154.67"),
        ("CIFR-AWS-BP", 55, 216_000, "114.0880372464", "295,716,192.54", "114.09", "172.57", "141.46"),
        ("CIFR-AWS-STG", 20, 70_000, "128.0156677674", "107,533,160.92", "128.02", "193.64", "158.73"),
    ] {
        let tcv = usd(billions * 10_000_000_000);
        let three = "3".parse().unwrap();
        let base = solve_year_one_rate(tcv, kw, 15, three).unwrap();
        assert_eq!(base, rate(solved), "{deal}");
        assert_eq!(base.rounded(2), year_one, "{deal}");
        assert_eq!(step_rate(base, three, 14).unwrap().rounded(2), last_year, "{deal}");
        let flat = solve_year_one_rate(tcv, kw, 15, "0".parse().unwrap()).unwrap();
        assert_eq!(flat.rounded(2), average, "{deal}");
        // A year at once, as the case states it: twelve times the load as one month.
        let year = schedule(&[("2027-12-01", 12 * kw)], solved, None, 1);
        assert_eq!(sum(&year), annual, "{deal}");
    }
}

/// B-05, hall A.
#[test]
fn a_stub_month_and_the_first_of_the_month_after_the_anniversary() {
    let escalator = three_percent(EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary);
    let lines = schedule(&[("2026-10-24", 20_000)], "130", Some(escalator), 24);
    assert_eq!((lines[0].days, lines[0].days_in_month), (8, 31));
    assert_eq!(lines[0].amount.grouped(), "670,967.74");
    assert!(lines[1..13].iter().all(|line| line.amount.grouped() == "2,600,000.00"));
    assert_eq!(lines[13].period.start(), date("2027-11-01"));
    assert_eq!(lines[13].amount.grouped(), "2,678,000.00");
    assert_eq!(sum(&lines[..13]), "31,870,967.74");
}

/// B-05, the other halls.
#[test]
fn each_hall_escalates_by_its_own_date() {
    let escalator = three_percent(EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary);
    for (starts, escalates) in [
        ("2027-07-05", ["2028-08-01", "2029-08-01"]),
        ("2026-10-24", ["2027-11-01", "2028-11-01"]),
        // On the 1st: on the anniversary itself.
        ("2027-07-01", ["2028-07-01", "2029-07-01"]),
        ("2026-12-31", ["2028-01-01", "2029-01-01"]),
        // A leap day has its anniversary on 28 February, so the next first is that of March.
        ("2028-02-29", ["2029-03-01", "2030-03-01"]),
    ] {
        let end = DateRange::of_months(date(starts), 35).unwrap().end();
        let steps = rate_steps(rate("130"), Some(&escalator), date("2026-01-01"), date(starts), end).unwrap();
        let dates: Vec<_> = steps[1..].iter().map(|step| step.from.to_string()).collect();
        assert_eq!(dates, escalates, "{starts}");
    }
}

#[test]
fn a_fixed_date_steps_on_its_own_anniversaries() {
    let escalator = three_percent(EscalationBasis::FixedDate(date("2028-04-15")));
    let end = date("2030-10-24");
    let steps =
        rate_steps(rate("100"), Some(&escalator), date("2026-10-24"), date("2026-10-24"), end).unwrap();
    let dates: Vec<_> = steps.iter().map(|step| step.from.to_string()).collect();
    assert_eq!(dates, ["2026-10-24", "2028-04-15", "2029-04-15", "2030-04-15"]);
    assert_eq!(steps[3].rate, rate("109.2727"));
}

/// River Bend's base rate is right for a term from the 1st only. On the calendar of a term from mid-month the same rate
/// bills less than the published total; the rate solved on that calendar bills it.
#[test]
fn a_total_solved_for_firsts_does_not_hold_from_mid_month() {
    let escalator = three_percent(EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary);
    let quantity = [("2027-06-15", 245_000)];
    assert_eq!(sum(&schedule(&quantity, "128.0156677674", Some(escalator), 180)), "6,991,425,716.43");

    let steps = [QuantityStep { from: date("2027-06-15"), kw: 245_000 }];
    let term = DateRange::of_months(date("2027-06-15"), 180).unwrap();
    let tcv = usd(700_000_000_000);
    let solved = solve_rate_on_calendar(tcv, &steps, Some(&escalator), term.start(), term).unwrap();
    let billed =
        total(&schedule(&quantity, &solved.to_string(), Some(escalator), 180), Currency::USD).unwrap();
    assert!((billed.minor - tcv.minor).abs() <= 181, "{billed}");
}

/// One deal of the market's data: its blocks, its rate and the sum of its schedule.
struct Deal {
    id: &'static str,
    blocks: &'static [(&'static str, i64)],
    years: u32,
    escalates: bool,
    rate: &'static str,
    schedule_total: &'static str,
}

const fn deal(
    id: &'static str,
    blocks: &'static [(&'static str, i64)],
    years: u32,
    escalates: bool,
    rate: &'static str,
    schedule_total: &'static str,
) -> Deal {
    Deal { id, blocks, years, escalates, rate, schedule_total }
}

const MARKET: [Deal; 19] = [
    deal("WULF-C42", &[("2026-12-01", 60)], 10, true, "125", "1,031,749,138.08"),
    deal(
        "WULF-FS-CB34",
        &[("2026-06-01", 40), ("2026-12-01", 160)],
        10,
        false,
        "154.1666666667",
        "3,700,000,000.80",
    ),
    deal("WULF-FS-CB5", &[("2027-03-01", 160)], 10, false, "156.25", "3,000,000,000.00"),
    deal("WULF-ANT-401", &[("2028-03-01", 401)], 20, false, "197.4231088944", "19,000,000,000.80"),
    deal("CIFR-FS-168", &[("2026-09-01", 168)], 10, false, "148.8095238095", "3,000,000,000.00"),
    deal("CIFR-FS-39", &[("2027-01-01", 39)], 10, false, "177.3504273504", "830,000,000.40"),
    deal("CIFR-AWS-BP", &[("2027-03-01", 216)], 15, true, "114.0880372464", "5,499,999,999.84"),
    deal("CIFR-AWS-STG", &[("2027-04-01", 70)], 15, true, "128.0156677674", "2,000,000,000.04"),
    deal("HUT-FS-RB", &[("2027-12-01", 245)], 15, true, "128.0156677674", "6,999,999,999.84"),
    deal("HUT-BP1", &[("2027-09-01", 352)], 15, true, "124.7425398983", "9,799,999,999.80"),
    deal("APLD-DF1", &[("2027-12-01", 300)], 15, false, "138.8888888889", "7,500,000,000.60"),
    deal("RIOT-AMD-25", &[("2026-05-01", 25)], 10, false, "103.6666666667", "311,000,000.40"),
    deal(
        "RIOT-LAB-191",
        &[("2027-12-01", 96), ("2028-06-01", 95)],
        20,
        false,
        "198.5165794066",
        "9,099,999,998.40",
    ),
    deal("CLSK-SAN", &[("2027-12-01", 175)], 20, false, "157.1428571429", "6,600,000,000.00"),
    deal(
        "WYFI-NSC-40",
        &[("2026-04-01", 20), ("2026-05-01", 20)],
        10,
        false,
        "180.2083333333",
        "865,000,000.80",
    ),
    deal(
        "APLD-CW-250",
        &[("2025-10-27", 50), ("2025-11-01", 50), ("2026-07-01", 150)],
        15,
        false,
        "155.5555555556",
        "7,000,000,000.20",
    ),
    deal("APLD-CW-150", &[("2027-12-01", 150)], 15, false, "148.1481481481", "3,999,999,999.60"),
    deal("APLD-PF2", &[("2027-12-01", 200)], 15, false, "138.8888888889", "5,000,000,000.40"),
    deal(
        "DGXX-CBRS-40",
        &[("2026-12-15", 15), ("2027-03-01", 25)],
        10,
        false,
        "229.1666666667",
        "1,100,000,000.40",
    ),
];

fn lines_of(deal: &Deal) -> Vec<RentLine> {
    let escalator = deal.escalates.then(|| three_percent(EscalationBasis::BlockAnniversary));
    deal.blocks
        .iter()
        .flat_map(|&(starts, mw)| schedule(&[(starts, mw * 1_000)], deal.rate, escalator, deal.years * 12))
        .collect()
}

#[test]
fn the_market_bills_what_was_published() {
    let mut all = Vec::new();
    for deal in &MARKET {
        let lines = lines_of(deal);
        assert_eq!(sum(&lines), deal.schedule_total, "{}", deal.id);
        all.extend(lines);
    }
    assert_eq!(sum(&all), "96,337,749,140.40");
    let mw: i64 = MARKET.iter().flat_map(|deal| deal.blocks).map(|block| block.1).sum();
    assert_eq!(mw, 3_282);
}

#[test]
fn the_rent_of_december_2026() {
    let mut all = Vec::new();
    for (id, rent) in [
        ("WULF-C42", "7,500,000.00"),
        ("WULF-FS-CB34", "30,833,333.34"),
        ("CIFR-FS-168", "25,000,000.00"),
        ("RIOT-AMD-25", "2,591,666.67"),
        ("WYFI-NSC-40", "7,208,333.34"),
        ("APLD-CW-250", "38,888,888.89"),
        ("DGXX-CBRS-40", "1,885,080.65"),
    ] {
        let deal = MARKET.iter().find(|deal| deal.id == id).unwrap();
        assert_eq!(of_month(&lines_of(deal), "2026-12"), rent, "{id}");
    }
    for deal in &MARKET {
        all.extend(lines_of(deal));
    }
    assert_eq!(of_month(&all, "2026-12"), "113,907,302.89");
}
