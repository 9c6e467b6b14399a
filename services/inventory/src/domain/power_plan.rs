//! Where a site's gross power goes over time. The parts add up to the contracted power at every instant it is known.

use kernel::{CapacityVector, Instant, Interval, StepFunction, StepValue};

use super::availability::{BlockView, PhaseView, Share, SiteView};
use super::conversion::Stage;
use super::grid;

/// A stretch of time in which nothing changes, in gross kW.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlanStep {
    /// When.
    pub interval: Interval,
    /// What the utility has contracted to deliver; none = unknown.
    pub contracted_kw: Option<i64>,
    /// In service and leased.
    pub leased_kw: i64,
    /// In service and held, optioned or in own use.
    pub reserved_kw: i64,
    /// In service and free.
    pub free_kw: i64,
    /// In service and taken away by maintenance or derates.
    pub derated_kw: i64,
    /// Dark.
    pub converting_kw: i64,
    /// Mined or hosted.
    pub interim_kw: i64,
}

impl PlanStep {
    /// What all uses take together.
    pub fn allocated_kw(&self) -> i64 {
        self.leased_kw
            + self.reserved_kw
            + self.free_kw
            + self.derated_kw
            + self.converting_kw
            + self.interim_kw
    }

    /// Contracted and not allocated; none where that is unknown.
    pub fn headroom_kw(&self) -> Option<i64> {
        self.contracted_kw.map(|contracted| contracted - self.allocated_kw())
    }
}

/// The lines of one block over time: gross power of its phases in service, and critical IT load given, taken away,
/// leased and otherwise promised.
struct Lines {
    gross: StepFunction<i64>,
    given: StepFunction<i64>,
    derated: StepFunction<i64>,
    leased: StepFunction<i64>,
    reserved: StepFunction<i64>,
}

/// Gross power in service, split.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Split {
    leased: i64,
    reserved: i64,
    free: i64,
    derated: i64,
}

impl Lines {
    fn of(block: &BlockView) -> Self {
        let it = |kw: CapacityVector| kw.critical_it;
        let shares = |wanted: &dyn Fn(Share) -> bool| {
            sum(block.uses.iter().filter(|u| wanted(u.share())).map(|u| (u.interval, it(u.kw))))
        };
        Self {
            gross: sum(block.phases.iter().map(|phase| (phase.interval, phase.gross_kw))),
            given: sum(block.phases.iter().map(|phase| (phase.interval, it(phase.capacity)))),
            derated: sum(block.derates.iter().map(|derate| (derate.0, it(derate.1)))),
            leased: shares(&|share| share == Share::Leased),
            reserved: shares(&|share| share != Share::Leased),
        }
    }

    fn all(&self) -> [&StepFunction<i64>; 5] {
        [&self.gross, &self.given, &self.derated, &self.leased, &self.reserved]
    }

    /// Each part's share in the gross power is the share of its IT load in what the phases give, rounded down; what is
    /// left is free. Where more is promised than there is, the parts are cut in the order derated, leased, reserved.
    fn split(&self, at: Instant) -> Split {
        let (gross, given) = (self.gross.value_at(at), self.given.value_at(at));
        if given <= 0 {
            return Split { free: gross, ..Split::default() };
        }
        let mut left = given;
        let mut part = |it: &StepFunction<i64>| {
            let load = it.value_at(at).clamp(0, left);
            left -= load;
            share(gross, load, given)
        };
        let (derated, leased, reserved) = (part(&self.derated), part(&self.leased), part(&self.reserved));
        Split { leased, reserved, derated, free: gross - derated - leased - reserved }
    }
}

/// `gross` times `load` over `given`, rounded down.
fn share(gross: i64, load: i64, given: i64) -> i64 {
    let exact = i128::from(gross) * i128::from(load) / i128::from(given.max(1));
    // Never more than gross, since load is not more than given.
    i64::try_from(exact).unwrap_or(gross)
}

fn sum<V: StepValue>(parts: impl IntoIterator<Item = (Interval, V)>) -> StepFunction<V> {
    // Kilowatts of one site are far below the range of the type.
    StepFunction::from_intervals(parts).unwrap_or_default()
}

/// Splits a site's gross power over an interval, in steps without gaps.
pub fn power_plan(site: &SiteView, over: Interval) -> Vec<PlanStep> {
    let blocks: Vec<Lines> = site.blocks.iter().map(Lines::of).collect();
    let (dark, interim) = (in_stage(site, Stage::Dark), in_stage(site, Stage::Interim));
    let mut edges: Vec<Instant> = vec![over.start(), over.end()];
    edges.extend(site.grid_steps.iter().map(|step| site.zone.start_of_day(step.from)));
    for function in blocks.iter().flat_map(Lines::all).chain([&dark, &interim]) {
        edges.extend(function.steps().iter().map(|step| step.0));
    }
    edges.retain(|at| over.contains(*at) || *at == over.end());
    edges.sort_unstable();
    edges.dedup();
    let pieces = edges.windows(2).filter_map(|pair| Interval::new(pair[0], pair[1]).ok());
    let mut steps: Vec<PlanStep> = Vec::new();
    for interval in pieces {
        let step = step(site, &blocks, (&dark, &interim), interval);
        match steps.last_mut().filter(|last| PlanStep { interval, ..**last } == step) {
            Some(last) => {
                last.interval = Interval::new(last.interval.start(), interval.end()).unwrap_or(interval);
            }
            None => steps.push(step),
        }
    }
    steps
}

fn step(
    site: &SiteView,
    blocks: &[Lines],
    (dark, interim): (&StepFunction<i64>, &StepFunction<i64>),
    interval: Interval,
) -> PlanStep {
    let at = interval.start();
    let today = site.zone.date_of(at);
    let service = blocks.iter().map(|block| block.split(at)).fold(Split::default(), |sum, block| Split {
        leased: sum.leased + block.leased,
        reserved: sum.reserved + block.reserved,
        free: sum.free + block.free,
        derated: sum.derated + block.derated,
    });
    PlanStep {
        interval,
        contracted_kw: grid::contracted_on(&site.grid_steps, today),
        leased_kw: service.leased,
        reserved_kw: service.reserved,
        free_kw: service.free,
        derated_kw: service.derated,
        converting_kw: dark.value_at(at),
        interim_kw: interim.value_at(at) + grid::interim_on(&site.grid_steps, today),
    }
}

/// Gross power of all phases in a stage over time.
fn in_stage(site: &SiteView, stage: Stage) -> StepFunction<i64> {
    let phases = site.blocks.iter().flat_map(|block| &block.phases);
    let stretches = phases.flat_map(PhaseView::life).filter(|stretch| stretch.stage == stage);
    sum(stretches.filter_map(|stretch| {
        let until = stretch.until.map_or_else(kernel::time::max_instant, |day| site.zone.start_of_day(day));
        Some((Interval::new(site.zone.start_of_day(stretch.from), until).ok()?, stretch.gross_kw))
    }))
}

#[cfg(test)]
#[path = "power_plan_tests.rs"]
mod tests;
