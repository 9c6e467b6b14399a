//! The sums that the checked-in data must give, computed with the same function that bills.

use std::collections::{BTreeMap, BTreeSet};

use kernel::rent::{rate_steps, rent_lines, solve_year_one_rate};
use kernel::{
    CivilDate, Currency, DateRange, EscalationBasis, Escalator, Money, Percent, QuantityStep, RentLine,
};

use super::{Deal, Kind, LEASES, Market, PlanLine};

fn market() -> Market {
    Market::load().expect("the checked-in data is sound")
}

/// `1,031,749,138.08` as cents.
fn cents(dollars: &str) -> i64 {
    super::to_cents(&dollars.replace(',', "")).expect("a sum of money")
}

fn usd(cents: i64) -> Money {
    Money::new(cents, Currency::USD)
}

fn lines_of(line: &PlanLine) -> Vec<RentLine> {
    let escalator =
        line.escalator_percent.map(|percent| Escalator { percent, basis: EscalationBasis::BlockAnniversary });
    let (start, end) = (line.start_date, line.end_date());
    let rate = line.rate_per_kw_month.expect("a priced line");
    let rates = rate_steps(rate, escalator.as_ref(), start, start, end).expect("rates");
    let quantity = [QuantityStep { from: start, kw: line.critical_it_kw }];
    let term = DateRange::new(start, end).expect("a term");
    rent_lines(&quantity, &rates, term, Currency::USD).expect("rent")
}

pub(crate) fn schedule(deal: &Deal) -> Vec<RentLine> {
    deal.lines.iter().flat_map(lines_of).collect()
}

pub(crate) fn total(lines: &[RentLine]) -> i64 {
    lines.iter().map(|line| line.amount.minor).sum()
}

#[test]
fn every_row_is_booked_or_has_its_reason() {
    let market = market();
    let mut rows = csv::Reader::from_reader(LEASES.as_bytes());
    let all: BTreeSet<String> = rows.records().map(|row| row.expect("a row")[0].to_owned()).collect();
    let booked = market.deals.iter().filter(|deal| deal.kind != Kind::Refused).map(|deal| deal.id.clone());
    let not_booked = market.not_booked.iter().map(|row| row.deal_id.clone());
    let seen: Vec<String> = booked.chain(not_booked).collect();
    assert_eq!(seen.len(), 43);
    assert_eq!(seen.iter().cloned().collect::<BTreeSet<_>>(), all);
    let refused: Vec<_> = market.deals_of(Kind::Refused).map(|deal| deal.id.as_str()).collect();
    assert_eq!(refused, ["WYFI-CBRS-5"]);
    assert!(
        market
            .not_booked
            .iter()
            .any(|row| row.reason == "SITE_POWER_EXCEEDED" && row.deal_id == "WYFI-CBRS-5")
    );
}

#[test]
fn the_megawatts_add_up() {
    let market = market();
    let booked = |kind| market.deals_of(kind).map(Deal::critical_it_kw).sum::<i64>();
    assert_eq!(market.deals_of(Kind::Lease).count(), 19);
    assert_eq!(booked(Kind::Lease), 3_282_000);
    assert_eq!(booked(Kind::CapacityOnly), 413_000);
    let left: i64 = market.not_booked.iter().map(super::NotBooked::counted_kw).sum();
    assert_eq!(left, 2_433_000);
    assert_eq!(3_282_000 + 413_000 + left, 6_128_000);
    let conditional = market.deals.iter().flat_map(|deal| &deal.lines).filter(|line| line.has("CONDITIONAL"));
    assert_eq!(conditional.map(|line| line.critical_it_kw).sum::<i64>(), 25_000);
}

#[test]
fn published_values_add_up() {
    let market = market();
    let stated: i64 = market
        .deals_of(Kind::Lease)
        .filter(|deal| deal.id != "WULF-C42")
        .map(|deal| deal.tcv.expect("a value"))
        .sum();
    assert_eq!(stated, cents("95,306,000,000.00"));
    let left: i64 = market
        .not_booked
        .iter()
        .filter(|row| row.counted == "yes" && !row.tcv_usd.is_empty())
        .map(|row| super::to_cents(&row.tcv_usd).expect("a value"))
        .sum();
    assert_eq!(stated + left, cents("162,331,000,000.00"));
}

#[test]
fn schedules_tie_to_published_values() {
    let market = market();
    let mut by_operator: BTreeMap<String, (usize, i64, i64, i64)> = BTreeMap::new();
    for deal in market.deals_of(Kind::Lease) {
        let lines = schedule(deal);
        let tcv = deal.tcv.expect("a value");
        let residue = total(&lines) - tcv;
        let half_cents = i64::try_from(lines.len()).expect("few lines");
        assert!(residue.abs() * 2 <= half_cents, "{}: {residue} cents on {half_cents} lines", deal.id);
        let sum = by_operator.entry(deal.operator.to_string()).or_default();
        *sum = (sum.0 + 1, sum.1 + deal.critical_it_kw(), sum.2 + tcv, sum.3 + total(&lines));
    }
    let expected = [
        ("applied-digital", 4, 900, cents("23,500,000,000.00"), cents("23,500,000,000.80")),
        ("cipher-digital", 4, 493, cents("11,330,000,000.00"), cents("11,330,000,000.28")),
        ("cleanspark", 1, 175, cents("6,600,000,000.00"), cents("6,600,000,000.00")),
        ("digi-power-x", 1, 40, cents("1,100,000,000.00"), cents("1,100,000,000.40")),
        ("hut-8", 2, 597, cents("16,800,000,000.00"), cents("16,799,999,999.64")),
        ("riot-platforms", 2, 216, cents("9,411,000,000.00"), cents("9,410,999,998.80")),
        ("terawulf", 4, 821, cents("26,731,749,138.08"), cents("26,731,749,139.68")),
        ("whitefiber", 1, 40, cents("865,000,000.00"), cents("865,000,000.80")),
    ];
    let expected = expected
        .map(|(operator, leases, mw, tcv, sum)| (operator.to_owned(), (leases, mw * 1000, tcv, sum)))
        .into();
    assert_eq!(by_operator, expected);
}

#[test]
fn rates_are_solved_from_published_values() {
    let market = market();
    for deal in market.deals_of(Kind::Lease).filter(|deal| deal.id != "WULF-C42") {
        let percent = deal.escalator().unwrap_or(Percent::ZERO);
        let tcv = usd(deal.tcv.expect("a value"));
        let solved = solve_year_one_rate(tcv, deal.critical_it_kw(), deal.term_months() / 12, percent);
        assert_eq!(Some(solved.expect("a rate")), deal.rate(), "{}", deal.id);
    }
    let rate = |id: &str| {
        let deal = market.deals.iter().find(|deal| deal.id == id).expect("a deal");
        deal.rate().expect("a rate")
    };
    assert_eq!(rate("HUT-FS-RB"), "128.0156677674".parse().expect("a rate"));
    assert_eq!(rate("HUT-FS-RB").rounded(2), "128.02");
    let core42 = market.deals.iter().find(|deal| deal.id == "WULF-C42").expect("a deal");
    assert_eq!(total(&schedule(core42)), cents("1,031,749,138.08"));
}

#[test]
fn december_2026_is_seven_invoices() {
    let market = market();
    let december = DateRange::new(
        CivilDate::from_ymd_opt(2026, 12, 1).expect("a day"),
        CivilDate::from_ymd_opt(2027, 1, 1).expect("a day"),
    )
    .expect("a month");
    let mut invoices = BTreeMap::new();
    for deal in market.deals_of(Kind::Lease) {
        let due: i64 = schedule(deal)
            .iter()
            .filter(|line| december.contains(line.period.start()))
            .map(|line| line.amount.minor)
            .sum();
        if due > 0 {
            invoices.insert(deal.id.as_str(), due);
        }
    }
    let expected = BTreeMap::from([
        ("WULF-C42", cents("7,500,000.00")),
        ("WULF-FS-CB34", cents("30,833,333.34")),
        ("CIFR-FS-168", cents("25,000,000.00")),
        ("RIOT-AMD-25", cents("2,591,666.67")),
        ("WYFI-NSC-40", cents("7,208,333.34")),
        ("APLD-CW-250", cents("38,888,888.89")),
        ("DGXX-CBRS-40", cents("1,885,080.65")),
    ]);
    assert_eq!(invoices, expected);
    assert_eq!(invoices.values().sum::<i64>(), cents("113,907,302.89"));
}

/// Gross MW used per site, to a hundredth; each phase is rounded up to a kW, so a site may use a few kW more.
#[test]
fn grid_use_is_as_computed_by_hand() {
    let market = market();
    let expected = [
        ("wulf-lakemariner", 551_070, Some(750_000)),
        ("wulf-hawesville", 480_000, Some(480_000)),
        ("cifr-barberlake", 300_000, Some(300_000)),
        ("cifr-blackpearl", 300_000, Some(300_000)),
        ("cifr-stingray", 100_000, Some(100_000)),
        ("hut-riverbend", 330_000, Some(330_000)),
        ("hut-beaconpoint", 500_000, Some(1_000_000)),
        ("apld-deltaforge1", 430_000, Some(430_000)),
        ("riot-rockdale", 308_570, Some(700_000)),
        ("clsk-sandersville", 250_000, Some(250_000)),
        ("wyfi-nc1", 57_140, Some(99_000)),
        ("apld-ellendale", 571_430, None),
        ("apld-harwood", 285_710, None),
        ("dgxx-columbiana", 57_140, None),
        ("glxy-helios", 561_430, Some(800_000)),
        ("gpus-dowagiac", 28_570, Some(70_000)),
    ];
    let mut used: BTreeMap<&str, i64> = BTreeMap::new();
    for line in market.deals.iter().filter(|deal| deal.kind != Kind::Refused).flat_map(|deal| &deal.lines) {
        *used.entry(line.site_id.as_str()).or_default() += line.gross_kw;
        assert_eq!(line.has("GRID_UNSTATED"), contracted(&market, line).is_none(), "{}", line.block_id);
    }
    assert_eq!(used.len(), expected.len());
    for (site, gross_kw, limit) in expected {
        assert!((used[site] - gross_kw).abs() <= 7, "{site}: {} kW", used[site]);
        let found = market.sites.iter().find(|own| own.id.as_str() == site).expect("a site");
        assert_eq!(found.contracted_kw, limit, "{site}");
        assert!(limit.is_none_or(|limit| used[site] <= limit), "{site} is over its grid");
    }
    let refused = market.deals_of(Kind::Refused).next().expect("one");
    assert_eq!(refused.lines[0].gross_kw, 7_143);
    assert_eq!(contracted(&market, &refused.lines[0]), Some(5_000));
}

fn contracted(market: &Market, line: &PlanLine) -> Option<i64> {
    market.sites.iter().find(|site| site.id == line.site_id).expect("a site").contracted_kw
}

#[test]
fn cooling_carries_the_heat_and_fits_the_block() {
    for line in market().deals.iter().flat_map(|deal| &deal.lines) {
        assert_eq!(line.claim_air_kw + line.claim_liquid_kw, line.critical_it_kw, "{}", line.block_id);
        assert!(line.claim_air_kw <= line.block_air_kw && line.claim_liquid_kw <= line.block_liquid_kw);
        assert_eq!((line.block_air_kw * 4, line.block_liquid_kw), (line.critical_it_kw, line.critical_it_kw));
    }
}

#[test]
fn every_flag_has_its_meaning() {
    let market = market();
    let known = |name: &str| super::FLAGS.iter().any(|flag| flag.name == name);
    let lines = market.deals.iter().flat_map(|deal| &deal.lines);
    let used: BTreeSet<&str> = lines.flat_map(|line| line.flags.split('|')).collect();
    let unknown: Vec<_> = used.iter().filter(|name| !known(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
    let carried = super::FLAGS.iter().filter(|flag| !flag.everywhere).count();
    assert_eq!(used.len(), carried, "a flag that nobody carries");
}

#[test]
fn the_market_has_its_sites_and_operators() {
    let market = market();
    assert_eq!(market.sites.len(), 75);
    assert_eq!(market.operators.len(), 22);
    assert_eq!(market.lessors().len(), 8);
    assert!(market.sites.iter().all(|site| site.time_zone.parse::<kernel::Zone>().is_ok()));
    let rockdale = market.sites.iter().find(|site| site.id.as_str() == "riot-rockdale").expect("a site");
    assert_eq!(rockdale.contracted_kw, Some(700_000));
    let site = |id: &str| market.sites.iter().find(|site| site.id.as_str() == id).expect("a site");
    assert_eq!(site("crusoe-abilene").reported_leased_it_kw, Some(840_000), "a correction is lost");
    assert_eq!(site("layer1-ward").contracted_kw, None, "a correction is lost");
    assert_eq!(rockdale.place, Some((306_550_000, -970_010_000)));
}
