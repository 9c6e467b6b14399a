//! Random markets, changes and questions for the tests beside this.

use chrono::TimeDelta;
use kernel::{CivilDate, Resource};
use proptest::prelude::*;

use super::*;
use crate::domain::availability::Use;
use crate::domain::block::{BlockDraft, BlockFacts, Cooling, LeaseType, Redundancy};
use crate::domain::conversion::Conversion;
use crate::domain::geo::Point;
use crate::domain::phase::DateBasis;
use crate::domain::reservation::Kind;
use crate::domain::search::{Around, Filter, Need};
use crate::domain::states::State;
use crate::domain::suit::Suitability;

pub(super) fn day(offset: i64) -> CivilDate {
    CivilDate::from_ymd_opt(2027, 1, 1).expect("a date") + TimeDelta::days(offset)
}

pub(super) fn now() -> Instant {
    Zone::UTC.start_of_day(day(0))
}

pub(super) fn kw(it: i64, liquid: i64, air: i64) -> CapacityVector {
    CapacityVector::of(|lane| match lane {
        Resource::CriticalIt => it,
        Resource::LiquidCooling => liquid,
        Resource::AirCooling => air,
        _ => 0,
    })
}

/// Mostly whole days, sometimes any microsecond.
pub(super) fn instant(days: std::ops::Range<i64>) -> impl Strategy<Value = Instant> {
    (days, prop_oneof![6 => Just(0_i64), 1 => 1..86_400_000_000_i64])
        .prop_map(|(days, micros)| now() + TimeDelta::days(days) + TimeDelta::microseconds(micros))
}

pub(super) fn interval() -> impl Strategy<Value = Interval> {
    (instant(-200..3_000), 1..2_500_i64)
        .prop_map(|(start, length)| Interval::new(start, start + TimeDelta::days(length)).expect("forward"))
}

pub(super) fn load(unit: i64) -> impl Strategy<Value = CapacityVector> {
    (1..20_i64, 0..=100_i64).prop_map(move |(it, share)| {
        let it = it * unit;
        let liquid = (it * share + 99) / 100;
        kw(it, liquid, it - liquid)
    })
}

/// A use may be more than there is: an accepted shortfall.
pub(super) fn claim() -> impl Strategy<Value = Use> {
    (interval(), prop_oneof![load(1), load(500)]).prop_map(|(interval, kw)| Use {
        kind: Kind::Lease,
        state: State::Committed,
        interval,
        kw,
    })
}

pub(super) fn phase() -> impl Strategy<Value = PhaseView> {
    let basis = prop_oneof![Just(DateBasis::Actual), Just(DateBasis::Forecast), Just(DateBasis::Assumed)];
    (-300..1_500_i64, prop::option::of(500..9_000_i64), 1..60_i64, 0..3_i64, basis).prop_map(
        |(from, length, size, air, basis)| {
            let (from, until) = (day(from), length.map(|length| day(from + length)));
            let end = until.map_or(kernel::time::max_instant(), |until| Zone::UTC.start_of_day(until));
            let it = size * 1_000;
            PhaseView {
                capacity: kw(it, it, it * air / 4),
                gross_kw: it * 10 / 7,
                interval: Interval::new(Zone::UTC.start_of_day(from), end).expect("forward"),
                from,
                until,
                basis,
                conversion: Conversion::default(),
            }
        },
    )
}

pub(super) fn traits() -> impl Strategy<Value = Traits> {
    let cooling = prop::sample::subsequence(vec![Cooling::Air, Cooling::Liquid, Cooling::Immersion], 0..=3);
    let redundancy = prop::sample::select(vec![
        Redundancy::Unspecified,
        Redundancy::N,
        Redundancy::NPlus1,
        Redundancy::TwoN,
        Redundancy::TwoNPlus1,
        Redundancy::Distributed,
    ]);
    let more = (prop::option::of(200..400_i32), prop::sample::select(vec!["", "Blackwell", "Vera Rubin"]))
        .prop_map(|(supply_temperature_decicelsius, generation)| BlockFacts {
            supply_temperature_decicelsius,
            design_generation: generation.to_owned(),
            ..BlockFacts::default()
        });
    let lease_type =
        prop::sample::select(vec![LeaseType::Unspecified, LeaseType::Turnkey, LeaseType::PoweredShell]);
    (cooling, redundancy, prop::option::of(10..200_i64), lease_type, more).prop_map(
        |(cooling, redundancy, max_kw_per_rack, lease_type, more)| {
            Traits::of(&BlockDraft {
                name: "operators/aaa/sites/bbb/blocks/ccc".parse().expect("a name"),
                display_name: String::new(),
                cooling,
                redundancy,
                max_kw_per_rack,
                lease_type,
                rate: None,
                more,
            })
        },
    )
}

type Derate = (Interval, CapacityVector);

pub(super) type BlockParts = (Option<(Rate, Currency)>, Traits, Vec<PhaseView>, Vec<Derate>, Vec<Use>);

/// A block of this name.
pub(super) fn named(name: BlockName, (rate, traits, phases, derates, uses): BlockParts) -> BlockView {
    BlockView { name, rate, traits, phases, derates, uses }
}

/// A block; its windows may take more than it has.
pub(super) fn block() -> impl Strategy<Value = BlockParts> {
    let rate = prop::option::weighted(0.8, (90..95_i32, any::<bool>())).prop_map(|rate| {
        let currency = |usd| if usd { Currency::USD } else { "EUR".parse().expect("a currency") };
        rate.map(|(rate, usd)| (rate.to_string().parse().expect("a rate"), currency(usd)))
    });
    let traits = prop_oneof![3 => Just(Traits::default()), 1 => traits()];
    let derates = prop::collection::vec((interval(), load(500)), 0..3);
    (rate, traits, prop::collection::vec(phase(), 0..3), derates, prop::collection::vec(claim(), 0..8))
}

pub(super) fn site() -> impl Strategy<Value = (SiteView, Vec<BlockParts>)> {
    let zone = prop::sample::select(vec!["UTC", "America/Chicago", "Australia/Lord_Howe", "Asia/Tokyo"]);
    let iso = prop::sample::select(vec!["ERCOT", "MISO"]);
    let point = prop::option::of((-80..80_i32, -170..170_i32));
    let reported = prop::option::of(0..60_000_i64);
    (zone, iso, point, reported, prop::collection::vec(block(), 0..5)).prop_map(
        |(zone, iso, point, reported, blocks)| {
            let facts = SiteView {
                name: "operators/aaa/sites/bbb".parse().expect("a name"),
                zone: zone.parse().expect("a zone"),
                country_code: "US".to_owned(),
                grid_iso: iso.to_owned(),
                state_code: "TX".to_owned(),
                point: point.and_then(|(a, b)| Point::new(a * 10_000_000, b * 10_000_000)),
                grid_steps: Vec::new(),
                reported_leased_it_kw: reported,
                blocks: Vec::new(),
            };
            (facts, blocks)
        },
    )
}

/// Sites with names of their own.
pub(super) fn market() -> impl Strategy<Value = Vec<SiteView>> {
    prop::collection::vec(site(), 1..8).prop_map(|sites| {
        let named = |(number, (mut facts, blocks)): (usize, (SiteView, Vec<BlockParts>))| {
            let name = format!("operators/op{}/sites/site-{number}", number % 3);
            facts.name = name.parse().expect("a name");
            let blocks = blocks.into_iter().enumerate().map(|(hall, parts)| {
                named(format!("{name}/blocks/hall-{hall}").parse().expect("a name"), parts)
            });
            facts.blocks = blocks.collect();
            facts
        };
        sites.into_iter().enumerate().map(named).collect()
    })
}

pub(super) fn need() -> impl Strategy<Value = Need> {
    let until = prop_oneof![Just(None), (1..900_i64).prop_map(Some)];
    let months = prop_oneof![Just(1), Just(7), 24..=200_i32];
    (prop_oneof![load(1), load(500), load(3_000)], -400..1_500_i64, until, months).prop_map(
        |(capacity, from, until, months)| Need {
            capacity,
            from: day(from),
            until: until.map(|until| day(from + until)),
            months,
        },
    )
}

pub(super) fn filter() -> impl Strategy<Value = Filter> {
    let isos = prop_oneof![Just(Vec::new()), Just(vec!["ercot".to_owned()])];
    let operators = prop_oneof![2 => Just(Vec::new()), 1 => Just(vec!["op1".parse().expect("an id")])];
    let around =
        prop::option::weighted(0.4, (-80..80_i32, -170..170_i32, prop::option::of(0..12_000_000_i64)))
            .prop_map(|around| {
                around.and_then(|(a, b, within_m)| {
                    Some(Around { point: Point::new(a * 10_000_000, b * 10_000_000)?, within_m })
                })
            });
    let max_rate = prop_oneof![2 => Just(None), 1 => (90..95_i32).prop_map(|rate| {
        Some((rate.to_string().parse().expect("a rate"), Currency::USD))
    })];
    let suits = prop_oneof![
        3 => Just(Suitability::default()),
        1 => (10..180_i64).prop_map(|kw| Suitability { kw_per_rack: Some(kw), ..Suitability::default() }),
        1 => (200..400_i32).prop_map(|most| Suitability {
            supply_temperature_max: Some(most),
            ..Suitability::default()
        }),
    ];
    (isos, operators, around, max_rate, suits).prop_map(|(grid_isos, operators, around, max_rate, suits)| {
        Filter { grid_isos, operators, around, max_rate, suits, ..Filter::default() }
    })
}
