use super::*;
use crate::domain::availability::{BlockView, PhaseView, Use};
use crate::domain::conversion::Conversion;
use crate::domain::index::Index;
use crate::domain::reservation::Kind;
use crate::domain::site::GridStep;
use crate::domain::states::State;
use crate::domain::suit::Traits;

fn day(text: &str) -> CivilDate {
    text.parse().expect("a date")
}

fn zone() -> Zone {
    "America/Chicago".parse().expect("a zone")
}

fn kw(it: i64, liquid: i64) -> CapacityVector {
    CapacityVector { critical_it: it, air: it, liquid, immersion: 0, accelerators: 0 }
}

fn phase(from: &str, capacity: CapacityVector, basis: DateBasis) -> PhaseView {
    let interval =
        Interval::new(zone().start_of_day(day(from)), kernel::time::max_instant()).expect("forward");
    let gross_kw = capacity.critical_it * 10 / 7;
    let conversion = Conversion::default();
    PhaseView { capacity, gross_kw, interval, from: day(from), until: None, basis, conversion }
}

fn lease(from: &str, until: &str, kw: CapacityVector) -> Use {
    let interval =
        Interval::new(zone().start_of_day(day(from)), zone().start_of_day(day(until))).expect("forward");
    Use { kind: Kind::Lease, state: State::Committed, interval, kw }
}

fn site(name: &str, iso: &str, blocks: Vec<BlockView>) -> SiteView {
    SiteView {
        name: name.parse().expect("a name"),
        zone: zone(),
        country_code: "US".to_owned(),
        grid_iso: iso.to_owned(),
        state_code: String::new(),
        point: None,
        grid_steps: vec![GridStep {
            from: day("2026-01-01"),
            contracted_kw: Some(1_000_000),
            energised_kw: None,
            interim_kw: None,
        }],
        reported_leased_it_kw: Some(50_000),
        blocks,
    }
}

fn block(name: &str, rate: Option<&str>, phases: Vec<PhaseView>, uses: Vec<Use>) -> BlockView {
    let rate = rate.map(|text| (text.parse().expect("a rate"), Currency::USD));
    let traits = Traits::default();
    BlockView { name: name.parse().expect("a name"), rate, traits, phases, derates: Vec::new(), uses }
}

fn need(it: i64, from: &str, until: &str) -> Need {
    Need { capacity: kw(it, it), from: day(from), until: Some(day(until)), months: 144 }
}

fn index() -> Index {
    Index::of(zone().start_of_day(day("2026-12-01")), market())
}

fn market() -> Vec<SiteView> {
    let full = block(
        "operators/riot/sites/rockdale/blocks/hall-1",
        Some("100"),
        vec![phase("2026-05-01", kw(100_000, 100_000), DateBasis::Actual)],
        vec![lease("2026-05-01", "2036-05-01", kw(70_000, 70_000))],
    );
    let later = block(
        "operators/riot/sites/rockdale/blocks/hall-2",
        None,
        vec![phase("2027-06-01", kw(60_000, 60_000), DateBasis::Forecast)],
        vec![],
    );
    let away = block(
        "operators/hut/sites/river-bend/blocks/hall-1",
        Some("128"),
        vec![phase("2027-03-01", kw(80_000, 80_000), DateBasis::Forecast)],
        vec![],
    );
    vec![
        site("operators/riot/sites/rockdale", "ERCOT", vec![full, later]),
        site("operators/hut/sites/river-bend", "MISO", vec![away]),
    ]
}

#[test]
fn finds_what_is_free_for_the_whole_term_and_says_how_the_date_is_known() {
    let ercot = Filter { grid_isos: vec!["ERCOT".to_owned()], ..Filter::default() };
    let found = index().ask(None, &ercot, need(40_000, "2027-01-01", "2028-01-01")).free_and_dated(50);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].block.to_string(), "operators/riot/sites/rockdale/blocks/hall-2");
    assert_eq!((found[0].start, found[0].basis), (day("2027-06-01"), DateBasis::Forecast));
    assert_eq!(found[0].capacity, kw(60_000, 60_000));
    let any =
        index().ask(None, &Filter::default(), need(20_000, "2027-01-01", "2028-01-01")).free_and_dated(50);
    let rates: Vec<_> = any.iter().map(|free| free.rate.map(|rate| rate.0.to_string())).collect();
    assert_eq!(rates, [Some("100".to_owned()), Some("128".to_owned()), None], "by rate, unknown last");
}

#[test]
fn a_price_limit_leaves_out_what_has_no_price() {
    let filter =
        Filter { max_rate: Some(("127".parse().expect("a rate"), Currency::USD)), ..Filter::default() };
    let found = index().ask(None, &filter, need(20_000, "2027-01-01", "2028-01-01")).free_and_dated(50);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].start, day("2027-01-01"));
}

#[test]
fn near_misses_are_later_less_and_elsewhere() {
    let ercot = Filter { grid_isos: vec!["ERCOT".to_owned()], ..Filter::default() };
    let misses = index().ask(None, &ercot, need(75_000, "2027-01-01", "2028-01-01")).near_misses();
    let earliest = misses.earliest.expect("when the lease ends");
    assert_eq!((earliest.start, earliest.block.block.as_str()), (day("2036-05-01"), "hall-1"));
    let largest = misses.largest.expect("something is free");
    assert_eq!((largest.critical_it_kw, largest.start), (60_000, day("2027-06-01")));
    assert_eq!(misses.elsewhere.len(), 1);
    assert_eq!(misses.elsewhere[0].block.operator.as_str(), "hut");
    let later = Need { until: None, ..need(75_000, "2027-01-01", "2028-01-01") };
    let earliest = index().ask(None, &ercot, later).earliest(1);
    assert_eq!(earliest.found.map(|found| found.start), Some(day("2036-05-01")));
    assert_eq!(earliest.limiting, Some(Resource::CriticalIt));
    let together = index().ask(None, &ercot, later).earliest(2);
    let found = together.found.expect("two halls carry it");
    assert_eq!((found.start, found.basis), (day("2027-06-01"), DateBasis::Forecast));
    let loads: Vec<_> = found.parts.iter().map(|part| part.capacity.critical_it).collect();
    assert_eq!(loads, [30_000, 45_000], "the cheaper hall gives what it can");
    assert_eq!(together.limiting, Some(Resource::CriticalIt));
}

#[test]
fn convertible_is_what_the_grid_gives_beyond_phases_and_reported_leases() {
    let need_2027 = need(40_000, "2027-01-01", "2028-01-01");
    let found = index().ask(None, &Filter::default(), need_2027).convertible(day("2026-12-01"), 50);
    assert_eq!(found.len(), 2);
    // River Bend: 1,000,000 - 80,000 x 10/7 - 50,000 x 10/7 rounded up.
    let river_bend = found.iter().find(|c| c.site.site.as_str() == "river-bend").expect("listed");
    assert_eq!(river_bend.headroom_gross_kw, 1_000_000 - 114_285 - 71_429);
    assert_eq!(river_bend.convertible_it_kw, river_bend.headroom_gross_kw * 7 / 10);
    assert_eq!(river_bend.assumed_start, day("2027-09-01"));
    // Rockdale reports 50,000 leased and 70,000 are booked: nothing is taken off twice.
    let rockdale = found.iter().find(|c| c.site.site.as_str() == "rockdale").expect("listed");
    assert_eq!(rockdale.headroom_gross_kw, 1_000_000 - 142_857 - 85_714);
    let too_late = need(40_000, "2027-01-01", "2027-08-01");
    assert_eq!(index().ask(None, &Filter::default(), too_late).convertible(day("2026-12-01"), 50), []);
}

#[test]
fn unknown_grid_power_is_not_convertible() {
    let mut market = market();
    for site in &mut market {
        site.grid_steps.clear();
    }
    let need = need(1_000, "2027-01-01", "2028-01-01");
    let index = Index::of(zone().start_of_day(day("2026-12-01")), market);
    assert_eq!(index.ask(None, &Filter::default(), need).convertible(day("2026-12-01"), 50), []);
}
