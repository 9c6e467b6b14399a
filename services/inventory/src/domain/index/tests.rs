//! The index answers as the obvious search does, whatever market it holds and however it came to hold it.

use chrono::TimeDelta;
use kernel::Resource;
use proptest::prelude::*;

use super::samples::*;
use super::slots::{Calendar, SLOTS, bucket};
use super::*;
use crate::domain::availability::Use;
use crate::domain::conversion::Conversion;
use crate::domain::phase::DateBasis;
use crate::domain::reservation::Kind;
use crate::domain::search::{Filter, Need, Span, Split, fewest_parts, obvious, part_of, share_of};
use crate::domain::states::State;

fn check(
    index: &Index,
    market: &[SiteView],
    filter: &Filter,
    need: &Need,
    limit: usize,
) -> Result<(), TestCaseError> {
    let slow = obvious::free_and_dated(market, filter, need, limit);
    prop_assert_eq!(index.ask(None, filter, *need).free_and_dated(limit), slow);
    prop_assert_eq!(index.ask(None, filter, *need).near_misses(), obvious::near_misses(market, filter, need));
    let own = "op1".parse().expect("an id");
    let of_own: Vec<SiteView> = market.iter().filter(|site| site.name.operator == own).cloned().collect();
    let slow = obvious::free_and_dated(&of_own, filter, need, limit);
    prop_assert_eq!(index.ask(Some(&own), filter, *need).free_and_dated(limit), slow);
    let whenever = Need { until: None, ..*need };
    let slow = obvious::near_misses(&of_own, filter, &whenever).earliest;
    let quick = index.ask(Some(&own), filter, whenever).earliest(1).found;
    prop_assert_eq!(
        quick.map(|found| (found.start, found.basis, found.parts[0].block.clone())),
        slow.map(|found| (found.start, found.basis, found.block))
    );
    Ok(())
}

proptest! {
    #[test]
    fn answers_as_the_obvious_search(
        market in market(),
        filter in filter(),
        needs in prop::collection::vec(need(), 1..4),
        limit in 1..6_usize,
    ) {
        let index = Index::of(now(), market.clone());
        for need in &needs {
            check(&index, &market, &filter, need, limit)?;
        }
    }

    #[test]
    fn combines_as_trying_everything_does(
        market in market(),
        filter in filter(),
        need in need(),
        parts_max in 2..5_usize,
    ) {
        let index = Index::of(now(), market.clone());
        let found = index.ask(None, &filter, need).combinations(Split { parts_max, span: Span::Site }, 100);
        let mut slow = 0;
        for site in market.iter().filter(|site| filter.wants_site(site)) {
            let Some((start, blocks)) = obvious::together(site, &filter, &need, parts_max) else { continue };
            if blocks.len() < 2 {
                continue;
            }
            slow += 1;
            let own = found.iter().find(|own| own.parts[0].block.site_name() == site.name).expect("listed");
            let names: Vec<BlockName> = own.parts.iter().map(|part| part.block.clone()).collect();
            prop_assert_eq!((own.start, names), (start, blocks));
            let carried: i64 = own.parts.iter().map(|part| part.capacity.critical_it).sum();
            prop_assert_eq!(carried, need.capacity.critical_it);
            let whole = own.parts.iter().fold(CapacityVector::ZERO, |sum, part| {
                sum.checked_add(part.capacity).expect("small")
            });
            prop_assert!(need.capacity.fits_in(&whole));
            for part in &own.parts {
                prop_assert!(part.capacity.carries_heat());
                let view = site.blocks.iter().find(|block| block.name == part.block).expect("of the site");
                let term = crate::domain::search::term_from(site.zone, need.months, site.zone.start_of_day(start));
                prop_assert!(view.free().covers_over(term.expect("a term"), part.capacity), "can be booked");
            }
        }
        prop_assert_eq!(found.len(), slow);
    }

    #[test]
    fn the_fewest_parts_are_the_first_of_all(
        shares in prop::collection::vec(0..50_i64, 0..9),
        need_kw in 1..150_i64,
        parts_max in 1..6_usize,
    ) {
        let quick = fewest_parts(&shares, need_kw, parts_max);
        let places = quick.as_ref().map(|parts| parts.iter().map(|part| part.0).collect::<Vec<_>>());
        prop_assert_eq!(places, obvious::every_combination(&shares, need_kw, parts_max));
        if let Some(parts) = quick {
            prop_assert_eq!(parts.iter().map(|part| part.1).sum::<i64>(), need_kw);
            prop_assert!(parts.iter().all(|part| part.1 > 0 && part.1 <= shares[part.0]));
        }
    }

    #[test]
    fn a_part_is_never_more_than_was_found_free(free in load(700), need in load(30), air in 0..5_000_i64) {
        let free = free.checked_add(kw(0, 0, air)).expect("small");
        let share = share_of(free, need);
        prop_assert!(part_of(need, share).fits_in(&free));
        prop_assert!(part_of(need, share).carries_heat());
    }

    /// Random changes told one by one leave the index as one made of the market after them.
    #[test]
    fn changes_lead_where_reading_it_all_again_does(
        market in market(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), 0..8_u8, claim(), block()), 0..40),
        filter in filter(),
        need in need(),
    ) {
        let mut market = market;
        let mut index = Index::of(now(), market.clone());
        for (number, (which, what, claim, parts)) in changes.into_iter().enumerate() {
            let places: Vec<(usize, usize)> = market.iter().enumerate()
                .flat_map(|(site, view)| (0..view.blocks.len()).map(move |block| (site, block)))
                .collect();
            if places.is_empty() {
                break;
            }
            let (site, at) = *which.get(&places);
            let view = &mut market[site].blocks[at];
            let name = view.name.clone();
            match what {
                0 => {
                    view.uses.push(claim);
                    prop_assert!(index.change(&name, &[(claim.interval, claim.kw)], &[]));
                }
                1 => if let Some(gone) = view.uses.pop() {
                    prop_assert!(index.change(&name, &[], &[(gone.interval, gone.kw)]));
                },
                2 => {
                    *view = named(name, parts);
                    let changed = view.clone();
                    index.put_block(changed.clone(), changed.capacity(), &changed.left());
                }
                3 => {
                    index.remove_block(&name);
                    market[site].blocks.remove(at);
                }
                4 => {
                    index.remove_site(&market[site].name);
                    market.remove(site);
                }
                _ => {
                    // Names are never used twice.
                    let hall = 1_000 + number;
                    let name = format!("{}/blocks/hall-{hall}", market[site].name).parse().expect("a name");
                    let new = named(name, parts);
                    index.put_block(new.clone(), new.capacity(), &new.left());
                    index.settle();
                    market[site].blocks.push(new);
                }
            }
        }
        for view in market.iter().flat_map(|site| &site.blocks) {
            // The last instant we know is never asked about.
            let ever = Interval::new(kernel::time::min_instant(), kernel::time::max_instant()).expect("forward");
            let kept = index.free_of(&view.name).expect("known");
            prop_assert!(kept.steps_in(ever).eq(view.free().steps_in(ever)));
        }
        check(&index, &market, &filter, &need, 5)?;
        let anew = Index::of(now(), market);
        let whole = |index: &Index| index.ask(None, &filter, need).convertible(day(0), 50);
        prop_assert_eq!(whole(&index), whole(&anew));
    }

    #[test]
    fn packing_loses_nothing(uses in prop::collection::vec(claim(), 0..60), asked in prop::collection::vec(interval(), 1..10)) {
        let parts = uses.iter().map(|u| (u.interval, u.kw));
        let free = StepFunction::from_intervals(parts).expect("small");
        let packed = Packed::of(&free);
        prop_assert_eq!(packed.steps(), free.clone());
        for interval in asked {
            prop_assert_eq!(packed.min_over(interval), free.min_over(interval));
        }
        let calendar = Calendar::from(now());
        let minima = calendar.minima(&packed, 0..SLOTS);
        for slot in 0..SLOTS {
            let least = free.min_over(calendar.interval(slot).expect("a slot"));
            for lane in Resource::ALL {
                let kept = minima.rows[lane as usize][slot];
                prop_assert_eq!(kept, bucket(least.get(lane)));
            }
        }
    }
}

/// Enough blocks that groups are split, pruned and passed over, with answers as before.
#[test]
fn many_blocks_answer_alike() {
    let mut market = Vec::new();
    let mut mixed = 7_u64;
    let mut next = |below: i64| {
        mixed = mixed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from(mixed >> 33).expect("small") % below
    };
    for number in 0..40 {
        let name = format!("operators/op{}/sites/site-{number}", number % 5);
        let blocks = (0..20).map(|hall| {
            let it = 5_000 + 1_000 * next(60);
            let uses: Vec<Use> = (0..next(12))
                .map(|_| {
                    let start = now() + TimeDelta::days(next(2_000));
                    let interval =
                        Interval::new(start, start + TimeDelta::days(30 + next(1_500))).expect("forward");
                    let it = 100 * (1 + next(40));
                    Use { kind: Kind::Lease, state: State::Committed, interval, kw: kw(it, it, 0) }
                })
                .collect();
            let end = kernel::time::max_instant();
            let from = day(next(900) - 300);
            let interval = Interval::new(Zone::UTC.start_of_day(from), end).expect("forward");
            let phase = PhaseView {
                capacity: kw(it, it, it),
                gross_kw: it,
                interval,
                from,
                until: None,
                basis: DateBasis::Actual,
                conversion: Conversion::default(),
            };
            let rate =
                (next(10) > 0).then(|| ((80 + next(60)).to_string().parse().expect("a rate"), Currency::USD));
            BlockView {
                name: format!("{name}/blocks/hall-{hall}").parse().expect("a name"),
                rate,
                traits: Traits::default(),
                uses,
                derates: Vec::new(),
                phases: vec![phase],
            }
        });
        let blocks = blocks.collect();
        market.push(SiteView {
            name: name.parse().expect("a name"),
            zone: Zone::UTC,
            country_code: "US".to_owned(),
            grid_iso: String::new(),
            state_code: String::new(),
            point: None,
            grid_steps: Vec::new(),
            reported_leased_it_kw: None,
            blocks,
        });
    }
    let index = Index::of(now(), market.clone());
    assert_eq!(index.len(), 800);
    for (it, from, until, months) in [
        (1_000, 0, 365, 120),
        (30_000, 100, 400, 60),
        (60_000, 0, 30, 24),
        (64_000, 0, 365, 120),
        (20_000, 0, 700, 7),
    ] {
        let need = Need { capacity: kw(it, it, 0), from: day(from), until: Some(day(until)), months };
        check(&index, &market, &Filter::default(), &need, 20).expect("the same");
        let one =
            Filter { site: Some("operators/op3/sites/site-8".parse().expect("a name")), ..Filter::default() };
        check(&index, &market, &one, &need, 20).expect("the same");
    }
}
