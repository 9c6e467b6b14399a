use kernel::{CivilDate, Zone};
use proptest::prelude::*;

use super::*;
use crate::domain::availability::{PhaseView, Use};
use crate::domain::conversion::{Conversion, InterimUse};
use crate::domain::phase::DateBasis;
use crate::domain::reservation::Kind;
use crate::domain::site::GridStep;
use crate::domain::states::State;
use crate::domain::suit::Traits;

fn zone() -> Zone {
    "America/Chicago".parse().expect("a zone")
}

fn first() -> CivilDate {
    "2026-01-01".parse().expect("a date")
}

/// A day by its number; the plan is asked for over the first hundred.
fn day(number: u64) -> CivilDate {
    first() + chrono::Days::new(number)
}

fn noon(number: u64) -> Instant {
    zone().start_of_day(day(number)) + chrono::TimeDelta::hours(12)
}

fn days(from: u64, until: u64) -> Interval {
    Interval::new(zone().start_of_day(day(from)), zone().start_of_day(day(until))).expect("forward")
}

fn it(critical_it: i64) -> CapacityVector {
    CapacityVector { critical_it, ..CapacityVector::ZERO }
}

fn phase(ready: u64, until: Option<u64>, it_kw: i64, gross_kw: i64, conversion: Conversion) -> PhaseView {
    let end = until.map_or_else(kernel::time::max_instant, |until| zone().start_of_day(day(until)));
    PhaseView {
        capacity: it(it_kw),
        gross_kw,
        interval: Interval::new(zone().start_of_day(day(ready)), end).expect("forward"),
        from: day(ready),
        until: until.map(day),
        basis: DateBasis::Forecast,
        conversion,
    }
}

fn mine(interim_gross_kw: i64, from: u64, conversion: u64) -> Conversion {
    Conversion {
        interim_use: InterimUse::Mining,
        interim_gross_kw,
        interim_start: Some(day(from)),
        start: Some(day(conversion)),
        wind_down_notice_days: 0,
    }
}

fn taken(kind: Kind, state: State, from: u64, until: u64, it_kw: i64) -> Use {
    Use { kind, state, interval: days(from, until), kw: it(it_kw) }
}

fn block(phases: Vec<PhaseView>, derates: Vec<(Interval, CapacityVector)>, uses: Vec<Use>) -> BlockView {
    let name = "operators/riot/sites/rockdale/blocks/hall-a".parse().expect("a name");
    BlockView { name, rate: None, traits: Traits::default(), phases, derates, uses }
}

fn site(blocks: Vec<BlockView>, grid_steps: Vec<GridStep>) -> SiteView {
    SiteView {
        name: "operators/riot/sites/rockdale".parse().expect("a name"),
        zone: zone(),
        country_code: "US".to_owned(),
        grid_iso: "ERCOT".to_owned(),
        state_code: String::new(),
        point: None,
        grid_steps,
        reported_leased_it_kw: None,
        blocks,
    }
}

fn grid(from: u64, contracted_kw: Option<i64>, interim_kw: Option<i64>) -> GridStep {
    GridStep { from: day(from), contracted_kw, energised_kw: None, interim_kw }
}

#[test]
fn a_mine_becomes_halls_that_fill() {
    let hall = block(
        vec![phase(60, None, 210, 300, mine(300, 0, 30))],
        vec![(days(80, 90), it(21))],
        vec![
            taken(Kind::Lease, State::Committed, 60, 400, 100),
            taken(Kind::Option, State::Committed, 70, 400, 50),
        ],
    );
    let plan = power_plan(&site(vec![hall], vec![grid(0, Some(700), Some(200))]), days(0, 100));
    let rows: Vec<_> = plan
        .iter()
        .map(|step| {
            (
                step.leased_kw,
                step.reserved_kw,
                step.free_kw,
                step.derated_kw,
                step.converting_kw,
                step.interim_kw,
                step.headroom_kw(),
            )
        })
        .collect();
    // 100 of 210 kW IT are 142 of 300 kW gross, rounded down; what does not divide is free.
    assert_eq!(
        rows,
        [
            (0, 0, 0, 0, 0, 500, Some(200)),
            (0, 0, 0, 0, 300, 200, Some(200)),
            (142, 0, 158, 0, 0, 200, Some(200)),
            (142, 71, 87, 0, 0, 200, Some(200)),
            (142, 71, 57, 30, 0, 200, Some(200)),
            (142, 71, 87, 0, 0, 200, Some(200)),
        ]
    );
    assert_eq!(plan[0].interval.start(), days(0, 1).start());
    assert!(plan.windows(2).all(|pair| pair[0].interval.end() == pair[1].interval.start()));
}

#[test]
fn unknown_power_has_no_headroom_and_says_so() {
    let hall = block(vec![phase(0, None, 70, 100, Conversion::default())], Vec::new(), Vec::new());
    let plan = power_plan(&site(vec![hall], vec![grid(50, Some(120), None)]), days(0, 100));
    assert_eq!(plan.iter().map(PlanStep::headroom_kw).collect::<Vec<_>>(), [None, Some(20)]);
    assert_eq!(plan[0].free_kw, 100);
}

#[test]
fn an_accepted_shortfall_cuts_the_parts_and_not_the_sum() {
    let hall = block(
        vec![phase(0, None, 70, 100, Conversion::default())],
        vec![(days(0, 100), it(35))],
        vec![taken(Kind::Lease, State::Committed, 0, 400, 60), taken(Kind::Hold, State::Held, 0, 400, 10)],
    );
    let plan = power_plan(&site(vec![hall], vec![grid(0, Some(100), None)]), days(0, 100));
    let step = plan[0];
    assert_eq!((step.derated_kw, step.leased_kw, step.reserved_kw, step.free_kw), (50, 50, 0, 0));
    assert_eq!(step.headroom_kw(), Some(0));
}

fn some_phase() -> impl Strategy<Value = PhaseView> {
    let dates = (0..40_u64, 1..20_u64, 1..20_u64, prop::option::of(1..60_u64));
    let interim = prop_oneof![
        Just(InterimUse::None),
        Just(InterimUse::Mining),
        Just(InterimUse::Hosting),
        Just(InterimUse::Idle),
    ];
    (dates, interim, any::<bool>(), 1..500_i64, 0..300_i64, 1..500_i64).prop_map(
        |((from, dig, build, length), interim_use, converts, it_kw, over, interim_kw)| {
            let ready = from + dig + build;
            let none = interim_use == InterimUse::None;
            let conversion = Conversion {
                interim_use,
                interim_gross_kw: if none { 0 } else { interim_kw },
                interim_start: (!none).then(|| day(from)),
                start: converts.then(|| day(from + dig)),
                wind_down_notice_days: 0,
            };
            phase(ready, length.map(|length| ready + length), it_kw, it_kw + over, conversion)
        },
    )
}

fn some_use() -> impl Strategy<Value = Use> {
    let kinds = prop_oneof![
        Just((Kind::Lease, State::Committed)),
        Just((Kind::Lease, State::Held)),
        Just((Kind::Option, State::Committed)),
        Just((Kind::OperatorUse, State::Committed)),
        Just((Kind::Hold, State::Held)),
    ];
    (kinds, 0..90_u64, 1..60_u64, 1..300_i64)
        .prop_map(|((kind, state), from, length, kw)| taken(kind, state, from, from + length, kw))
}

fn some_block() -> impl Strategy<Value = BlockView> {
    let derate =
        (0..90_u64, 1..30_u64, 1..300_i64).prop_map(|(from, length, kw)| (days(from, from + length), it(kw)));
    (
        prop::collection::vec(some_phase(), 0..4),
        prop::collection::vec(derate, 0..3),
        prop::collection::vec(some_use(), 0..5),
    )
        .prop_map(|(phases, derates, uses)| block(phases, derates, uses))
}

proptest! {
    /// At every noon: no part is negative, all parts together are what the phases draw by the site's own check, and
    /// with the headroom they are what is contracted.
    #[test]
    fn the_parts_add_up_at_every_instant(
        blocks in prop::collection::vec(some_block(), 0..4),
        steps in prop::collection::btree_map(0..100_u64, (prop::option::of(0..3_000_i64), prop::option::of(0..500_i64)), 0..4),
    ) {
        let steps = steps.into_iter().map(|(from, (contracted, interim))| grid(from, contracted, interim)).collect();
        let site = site(blocks, steps);
        let plan = power_plan(&site, days(0, 100));
        let phases = || site.blocks.iter().flat_map(|block| &block.phases);
        let draws: Vec<grid::Draw> = phases().flat_map(PhaseView::life).map(grid::Draw::from).collect();
        let within = grid::check(&site.name, &site.grid_steps, &draws).is_ok();
        prop_assert_eq!(plan.first().map(|step| step.interval.start()), Some(days(0, 1).start()));
        prop_assert_eq!(plan.last().map(|step| step.interval.end()), Some(days(99, 100).end()));
        for pair in plan.windows(2) {
            prop_assert_eq!(pair[0].interval.end(), pair[1].interval.start());
        }
        for number in 0..100 {
            let step = plan.iter().find(|step| step.interval.contains(noon(number))).expect("no gap");
            let parts = [
                step.leased_kw, step.reserved_kw, step.free_kw, step.derated_kw, step.converting_kw, step.interim_kw,
            ];
            prop_assert!(parts.iter().all(|part| *part >= 0), "{step:?}");
            let drawn = grid::drawn_on(&draws, day(number)) + grid::interim_on(&site.grid_steps, day(number));
            prop_assert_eq!(parts.iter().sum::<i64>(), drawn);
            let contracted = grid::contracted_on(&site.grid_steps, day(number));
            prop_assert_eq!(step.contracted_kw, contracted);
            prop_assert_eq!(step.headroom_kw().map(|headroom| headroom + drawn), contracted);
            prop_assert!(!within || step.headroom_kw().is_none_or(|headroom| headroom >= 0), "{step:?}");
            let leased: i64 = site.blocks.iter().map(|block| {
                let in_service = |phase: &&PhaseView| phase.interval.contains(noon(number));
                let given: i64 = block.phases.iter().filter(in_service).map(|phase| phase.capacity.critical_it).sum();
                let gross: i64 = block.phases.iter().filter(in_service).map(|phase| phase.gross_kw).sum();
                let off: i64 = block.derates.iter().filter(|d| d.0.contains(noon(number))).map(|d| d.1.critical_it).sum();
                let leases = block.uses.iter().filter(|u| u.kind == Kind::Lease && u.state == State::Committed);
                let leased: i64 = leases.filter(|u| u.interval.contains(noon(number))).map(|u| u.kw.critical_it).sum();
                if given == 0 { 0 } else { gross * leased.min((given - off).max(0)) / given }
            }).sum();
            prop_assert_eq!(step.leased_kw, leased);
        }
    }
}
