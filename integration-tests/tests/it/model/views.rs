//! What is shown of a stage and what must hold on it, against the model.

use std::collections::BTreeMap;

use anyhow::{Result, ensure};
use inventory::domain::availability::{AvailabilityStep, BlockView, PhaseView, SiteView, Use, availability};
use inventory::domain::book::Standing;
use inventory::domain::maintenance::MaintenanceState;
use inventory::domain::power_plan::power_plan;
use inventory::domain::states::State;
use inventory::domain::suit::Traits;
use inventory::domain::use_state::UseState;
use kernel::{Instant, Interval};

use super::stage::{Hall, Stage, id};
use crate::obvious::{DAYS, Key, LANES, Lanes, Obvious, Plan, Where, lanes};

/// At every instant that a block promises more than it gives: how much more.
pub(super) type Over = BTreeMap<(usize, usize), Vec<(Instant, i64)>>;

fn view(stage: &Stage, hall: &Hall) -> BlockView {
    let zone = stage.words.zone;
    let phases = hall.phases.values().filter(|phase| phase.use_state != UseState::Cancelled);
    let windows = hall.windows.values().filter(|window| window.state != MaintenanceState::Cancelled);
    BlockView {
        name: hall.name.clone(),
        rate: None,
        traits: Traits::default(),
        phases: phases
            .map(|phase| PhaseView {
                capacity: phase.capacity,
                gross_kw: phase.gross_kw,
                interval: phase.interval(zone).expect("in range"),
                from: phase.ready_for_service,
                until: phase.end,
                basis: phase.date_basis,
                conversion: phase.conversion,
            })
            .collect(),
        derates: windows.map(|window| (window.facts.interval, window.facts.reduction)).collect(),
        uses: hall
            .living(stage.words.now)
            .map(|row| Use {
                kind: stage.reservations[&row.reservation].kind,
                state: if row.standing == Standing::Committed { State::Committed } else { State::Held },
                interval: row.interval,
                kw: row.kw,
            })
            .collect(),
    }
}

/// Everything that may be asked about.
fn horizon() -> Interval {
    let place = Where::default();
    Interval::new(place.instant(-60), place.instant(6 * DAYS)).expect("forward")
}

/// Blocks are shown as the model has them, at every edge of either.
pub(super) fn availability_agrees(stage: &Stage, model: &Obvious, block: usize) -> Result<()> {
    let view = view(stage, &stage.halls[block]);
    let steps = availability(std::slice::from_ref(&view), horizon());
    gapless(steps.iter().map(|step| step.interval), horizon())?;
    let starts: Vec<Instant> = steps.iter().map(|step| step.interval.start()).collect();
    let levels = model.levels(block, &[], &starts);
    for (at, level) in levels.range(horizon().start()..horizon().end()) {
        let step = steps.iter().rfind(|step| step.interval.start() <= *at);
        let step = step.ok_or_else(|| anyhow::anyhow!("nothing is shown at {at}"))?;
        let AvailabilityStep { capacity, leased, optioned, held, own_use, free, short, .. } = *step;
        let shown = [capacity, leased, optioned, held, own_use, free, short].map(lanes);
        let left = |lane: usize| level.given[lane] - level.used[lane];
        let [leased, optioned, held, own_use] = level.shares;
        let expected = [
            level.given,
            leased,
            optioned,
            held,
            own_use,
            std::array::from_fn(|lane| left(lane).max(0)),
            std::array::from_fn(|lane| (-left(lane)).max(0)),
        ];
        ensure!(shown == expected, "block {block} at {at}: {shown:?} is shown, {expected:?} is so");
    }
    Ok(())
}

/// The power of a site goes where the model has it go, and the parts add up to what is contracted.
pub(super) fn plan_agrees(stage: &Stage, model: &Obvious, site: usize) -> Result<()> {
    let blocks = stage.halls.iter().filter(|hall| hall.site == site).map(|hall| view(stage, hall));
    let view = SiteView {
        name: stage.sites[site].name.clone(),
        zone: stage.words.zone,
        country_code: "US".to_owned(),
        grid_iso: "ERCOT".to_owned(),
        state_code: String::new(),
        point: None,
        grid_steps: stage.sites[site].grid.clone(),
        reported_leased_it_kw: None,
        blocks: blocks.collect(),
    };
    let steps = power_plan(&view, horizon());
    gapless(steps.iter().map(|step| step.interval), horizon())?;
    for step in steps {
        let at = step.interval.start();
        let shown = Plan {
            contracted: step.contracted_kw,
            leased: step.leased_kw,
            reserved: step.reserved_kw,
            free: step.free_kw,
            derated: step.derated_kw,
            converting: step.converting_kw,
            interim: step.interim_kw,
        };
        // The last half day of a step is as its first instant: nothing changed unseen.
        for at in [at, (step.interval.end() - chrono::TimeDelta::hours(12)).max(at)] {
            let expected = model.plan(site, at);
            ensure!(shown == expected, "site {site} at {at}: {shown:?} is shown, {expected:?} is so");
        }
        ensure!(step.headroom_kw().is_none_or(|kw| kw >= 0), "site {site} draws too much at {at}");
    }
    Ok(())
}

fn gapless(pieces: impl Iterator<Item = Interval>, over: Interval) -> Result<()> {
    let mut end = over.start();
    for piece in pieces {
        ensure!(piece.start() == end, "a gap at {end}");
        end = piece.end();
    }
    ensure!(end == over.end(), "it ends at {end}");
    Ok(())
}

/// Every reservation stands where the model has it, and takes the same.
pub(super) fn reservations_agree(stage: &Stage, model: &Obvious) -> Result<()> {
    ensure!(stage.reservations.len() == model.reservations.len(), "not the same reservations");
    for (key, one) in &model.reservations {
        let shown = stage.reservations[&id(*key)].clone().seen_at(stage.words.now);
        ensure!(
            shown.state.as_str() == model.seen(one),
            "{key}: {} and not {}",
            shown.state,
            model.seen(one)
        );
        if model.is_live(one) {
            ensure!(
                shown.state != State::Held || shown.hold_until == one.until,
                "{key} ends at another time"
            );
        }
    }
    Ok(())
}

/// What is recorded as short is what the model finds short.
pub(super) fn shortfalls_agree(stage: &Stage, model: &Obvious, block: usize) -> Result<()> {
    let recorded = &stage.halls[block].short;
    let edges: Vec<Instant> =
        recorded.values().flat_map(|function| function.steps().iter().map(|step| step.0)).collect();
    let expected = model.short(block, &edges);
    let keys: Vec<Key> = expected.keys().copied().collect();
    ensure!(
        recorded.keys().copied().eq(keys.iter().map(|key| id(*key))),
        "others are short on block {block}"
    );
    for (key, shares) in &expected {
        for at in model.levels(block, &[], &edges).keys() {
            let share = shares.get(at).copied().unwrap_or_default();
            let shown = lanes(recorded[&id(*key)].value_at(*at));
            ensure!(
                shown == share,
                "{key} is short of {shown:?} at {at} on block {block}, and not of {share:?}"
            );
        }
    }
    Ok(())
}

/// What a block promises beyond what it gives, at every edge of its rows: added up here, by nobody else's code.
pub(super) fn oversold(stage: &Stage, block: usize, over: &mut Over) {
    let hall = &stage.halls[block];
    let zone = stage.words.zone;
    let phases: Vec<(Instant, Instant, Lanes)> = hall
        .phases
        .values()
        .filter(|phase| phase.use_state != UseState::Cancelled)
        .map(|phase| {
            let until = phase.end.map_or_else(kernel::time::max_instant, |end| zone.start_of_day(end));
            (zone.start_of_day(phase.ready_for_service), until, lanes(phase.capacity))
        })
        .collect();
    let windows: Vec<(Instant, Instant, Lanes)> = hall
        .windows
        .values()
        .filter(|window| window.state != MaintenanceState::Cancelled)
        .map(|w| (w.facts.interval.start(), w.facts.interval.end(), lanes(w.facts.reduction)))
        .collect();
    let claims: Vec<(Instant, Instant, Lanes)> = hall
        .living(stage.words.now)
        .map(|row| (row.interval.start(), row.interval.end(), lanes(row.kw)))
        .collect();
    let mut edges: Vec<Instant> =
        phases.iter().chain(&windows).chain(&claims).flat_map(|part| [part.0, part.1]).collect();
    edges.sort_unstable();
    edges.dedup();
    for lane in 0..LANES.len() {
        let sum = |parts: &[(Instant, Instant, Lanes)], at: Instant| -> i64 {
            parts.iter().filter(|part| part.0 <= at && at < part.1).map(|part| part.2[lane]).sum()
        };
        let excess = |at: Instant| sum(&claims, at) - (sum(&phases, at) - sum(&windows, at)).max(0);
        over.insert((block, lane), edges.iter().map(|at| (*at, excess(*at).max(0))).collect());
    }
}

/// Nothing became more oversold than it was, at any instant and in any lane.
pub(super) fn no_worse(before: &Over, after: &Over) -> Result<()> {
    for (of, steps) in after {
        for (at, excess) in steps {
            let was = before.get(of).and_then(|steps| steps.iter().rfind(|step| step.0 <= *at));
            let was = was.map_or(0, |step| step.1);
            ensure!(*excess <= was, "block {}: {} oversold by {excess} at {at}", of.0, LANES[of.1]);
        }
    }
    Ok(())
}
