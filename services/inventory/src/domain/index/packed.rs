//! What is free of a block over time, exact and small: a column of instants and a column a lane, each as narrow as its
//! values allow. It is made from a step function and answers as that does; it is never changed, only made anew.

mod changed;

use std::ops::Range;

use kernel::{CapacityVector, Instant, Interval, Resource, StepFunction};

/// Instants of a column that are kept beside it.
const MARKS: usize = 15;

/// Lanes of a capacity vector.
pub(super) const LANES: usize = Resource::ALL.len();
const MICROS: i64 = 1_000_000;

#[derive(Debug, Clone)]
enum Times {
    /// Whole seconds since the first instant we know: good until the year 2136.
    Seconds(Seconds),
    /// Microseconds since then.
    Micros(Box<[i64]>),
}

/// Seconds in order, in runs of one length. The last of each run but the last is a mark: it says which run to look at,
/// and lies where the search already reads, for every halving of a column far away waits for memory anew.
#[derive(Debug, Clone)]
struct Seconds {
    marks: [u32; MARKS],
    run: usize,
    steps: Box<[u32]>,
}

#[derive(Debug, Clone)]
enum Column {
    /// `least + unit * value`.
    Narrow { least: i64, unit: i64, values: Box<[u16]> },
    /// As they are.
    Wide(Box<[i64]>),
}

/// A step function, packed.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    times: Times,
    /// None: zero at all times.
    lanes: [Option<Column>; LANES],
}

/// Microseconds since the first instant we know.
pub(super) fn micros(at: Instant) -> i64 {
    at.timestamp_micros() - kernel::time::min_instant().timestamp_micros()
}

fn instant(micros: i64) -> Instant {
    // What was packed was an instant before.
    kernel::time::instant_from_micros(micros + kernel::time::min_instant().timestamp_micros())
        .unwrap_or(kernel::time::max_instant())
}

fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}

impl Times {
    fn of(times: &[i64]) -> Self {
        let seconds: Option<Box<[u32]>> = times
            .iter()
            .map(|at| (at % MICROS == 0).then(|| u32::try_from(at / MICROS).ok()).flatten())
            .collect();
        seconds.map_or_else(|| Self::Micros(times.into()), |steps| Self::Seconds(Seconds::of(steps)))
    }

    fn len(&self) -> usize {
        match self {
            Self::Seconds(times) => times.steps.len(),
            Self::Micros(times) => times.len(),
        }
    }

    fn at(&self, step: usize) -> i64 {
        match self {
            Self::Seconds(times) => i64::from(times.steps[step]) * MICROS,
            Self::Micros(times) => times[step],
        }
    }

    /// Steps before `at`.
    fn before(&self, at: i64) -> usize {
        match self {
            Self::Seconds(times) => times.before(seconds_from(at)),
            Self::Micros(times) => times.partition_point(|step| *step < at),
        }
    }

    /// The same, where so many are known to be: for whoever asks in order of time.
    fn before_after(&self, known: usize, at: i64) -> usize {
        let more = match self {
            Self::Seconds(times) => {
                let at = seconds_from(at);
                times.steps[known..].iter().take_while(|step| i64::from(**step) < at).count()
            }
            Self::Micros(times) => times[known..].iter().take_while(|step| **step < at).count(),
        };
        known + more
    }
}

impl Seconds {
    fn of(steps: Box<[u32]>) -> Self {
        let run = steps.len().div_ceil(MARKS + 1).max(1);
        let mark = |number: usize| steps.get((number + 1) * run - 1).copied().unwrap_or(u32::MAX);
        Self { marks: std::array::from_fn(mark), run, steps }
    }

    /// Steps before a second.
    fn before(&self, at: i64) -> usize {
        let Ok(at) = u32::try_from(at) else { return if at < 0 { 0 } else { self.steps.len() } };
        let first = self.marks.iter().filter(|mark| **mark < at).count() * self.run;
        let run = self.steps[first..].iter().take(self.run);
        first + run.filter(|step| **step < at).count()
    }
}

/// The first whole second not before so many microseconds.
fn seconds_from(micros: i64) -> i64 {
    micros.div_euclid(MICROS) + i64::from(micros.rem_euclid(MICROS) > 0)
}

impl Column {
    fn of(values: &[i64]) -> Option<Self> {
        let (least, most) = (values.iter().copied().min()?, values.iter().copied().max()?);
        if (least, most) == (0, 0) {
            return None;
        }
        let apart = |value: i64| value.abs_diff(least);
        // Divisions are what costs here, and most blocks do without.
        let unit = if apart(most) <= u64::from(u16::MAX) {
            1
        } else {
            let coarser = |unit: u64, value: &i64| if unit == 1 { 1 } else { gcd(apart(*value), unit) };
            values.iter().fold(0, coarser).max(1)
        };
        let narrow =
            |value: &i64| u16::try_from(if unit == 1 { apart(*value) } else { apart(*value) / unit }).ok();
        match (values.iter().map(narrow).collect::<Option<Box<[u16]>>>(), i64::try_from(unit)) {
            (Some(values), Ok(unit)) => Some(Self::Narrow { least, unit, values }),
            _ => Some(Self::Wide(values.into())),
        }
    }

    fn at(&self, step: usize) -> i64 {
        match self {
            Self::Narrow { least, unit, values } => least + unit * i64::from(values[step]),
            Self::Wide(values) => values[step],
        }
    }

    fn values(&self) -> Vec<i64> {
        match self {
            Self::Narrow { least, unit, values } => {
                values.iter().map(|value| least + unit * i64::from(*value)).collect()
            }
            Self::Wide(values) => values.to_vec(),
        }
    }

    fn least(&self, steps: Range<usize>) -> Option<i64> {
        match self {
            // Many at once, which the processor does for a minimum of values, not for one of references to them.
            Self::Narrow { least, unit, values } => {
                let values = &values[steps];
                let value = values.iter().copied().fold(u16::MAX, u16::min);
                (!values.is_empty()).then(|| least + unit * i64::from(value))
            }
            Self::Wide(values) => values[steps].iter().copied().min(),
        }
    }

    fn most(&self) -> Option<i64> {
        match self {
            Self::Narrow { least, unit, values } => {
                values.iter().max().map(|value| least + unit * i64::from(*value))
            }
            Self::Wide(values) => values.iter().copied().max(),
        }
    }

    /// The last of these steps whose value is below `need`.
    fn last_below(&self, steps: Range<usize>, need: i64) -> Option<usize> {
        let first = steps.start;
        let found = match self {
            Self::Narrow { least, unit, values } => {
                if need <= *least {
                    return None;
                }
                // value < need where least + unit * v < need.
                let bound =
                    (need - least).div_euclid(*unit) + i64::from((need - least).rem_euclid(*unit) > 0);
                values[steps].iter().rposition(|value| i64::from(*value) < bound)
            }
            Self::Wide(values) => values[steps].iter().rposition(|value| *value < need),
        };
        found.map(|step| first + step)
    }

    fn bytes(&self) -> usize {
        match self {
            Self::Narrow { values, .. } => size_of_val(&**values),
            Self::Wide(values) => size_of_val(&**values),
        }
    }
}

impl Packed {
    /// Packs a step function.
    pub(super) fn of(free: &StepFunction<CapacityVector>) -> Self {
        // What begins at the last instant we know is never asked about.
        let end = kernel::time::max_instant();
        let steps = free.steps();
        let kept = steps.partition_point(|step| step.0 < end);
        let times: Vec<i64> = steps[..kept].iter().map(|step| micros(step.0)).collect();
        let lanes = Resource::ALL.map(|lane| {
            let values: Vec<i64> = steps[..kept].iter().map(|step| step.1.get(lane)).collect();
            Column::of(&values)
        });
        Self { times: Times::of(&times), lanes }
    }

    fn values_at(&self, step: usize) -> [i64; LANES] {
        let value = |lane: usize| self.lanes[lane].as_ref().map_or(0, |column| column.at(step));
        std::array::from_fn(value)
    }

    /// The step function again.
    pub(super) fn steps(&self) -> StepFunction<CapacityVector> {
        let step = |index: usize| {
            let values = self.values_at(index);
            (instant(self.times.at(index)), vector(|lane| values[lane]))
        };
        // They were in order when they were packed.
        StepFunction::from_steps((0..self.times.len()).map(step).collect()).unwrap_or_default()
    }

    /// Whether nothing is ever free in a lane, nor over-committed.
    pub(super) fn is_nothing(&self, lane: usize) -> bool {
        self.lanes[lane].is_none()
    }

    /// The first and the last piece in an interval: piece 0 lies before the first step, piece n begins with step n - 1.
    pub(super) fn pieces(&self, interval: Interval) -> (usize, usize) {
        (self.times.before(micros(interval.start()) + 1), self.times.before(micros(interval.end())))
    }

    /// The pieces between neighbours of these instants, which are in order and in microseconds since the first we know.
    pub(super) fn pieces_between(&self, cuts: &[i64]) -> Vec<(usize, usize)> {
        let mut last = 0;
        let mut pieces = Vec::with_capacity(cuts.len());
        for ends in cuts.windows(2) {
            let first = self.times.before_after(last, ends[0] + 1);
            last = self.times.before_after(first, ends[1]);
            pieces.push((first, last));
        }
        pieces
    }

    /// The least value of a lane in these pieces.
    pub(super) fn least(&self, lane: usize, (first, last): (usize, usize)) -> i64 {
        let Some(column) = &self.lanes[lane] else { return 0 };
        let inner = column.least(first.max(1) - 1..last);
        if first == 0 { inner.unwrap_or(0).min(0) } else { inner.unwrap_or(0) }
    }

    /// The greatest value of a lane.
    pub(super) fn most(&self, lane: usize) -> i64 {
        self.lanes[lane].as_ref().and_then(Column::most).unwrap_or(0).max(0)
    }

    /// The least that is free within the interval, lane by lane.
    pub(super) fn min_over(&self, interval: Interval) -> CapacityVector {
        self.free_in(self.pieces(interval))
    }

    fn free_in(&self, pieces: (usize, usize)) -> CapacityVector {
        vector(|lane| self.least(lane, pieces).max(0))
    }

    /// The last of these pieces that does not cover the need.
    fn last_short(&self, (first, last): (usize, usize), need: &[i64; LANES]) -> Option<usize> {
        let steps = first.max(1) - 1..last;
        let later = self.lanes.iter().zip(need).filter_map(|(column, need)| match column {
            // A lane of which more is promised than there is keeps nobody out who needs nothing of it.
            _ if *need == 0 => None,
            None => Some(last),
            Some(column) => column.last_below(steps.clone(), *need).map(|step| step + 1),
        });
        let before_all = || (first == 0 && need.iter().any(|need| *need > 0)).then_some(0);
        later.max().or_else(before_all)
    }

    /// As [`StepFunction::earliest_window`] of what is free, with what is free throughout it.
    pub(super) fn earliest_window(
        &self,
        first: Interval,
        window: impl Fn(Instant) -> Option<Interval>,
        need: CapacityVector,
        until: Option<Instant>,
    ) -> Option<(Interval, CapacityVector)> {
        let needed = Resource::ALL.map(|lane| need.get(lane));
        if self.lanes.iter().zip(&needed).any(|(column, need)| column.is_none() && *need > 0) {
            return None;
        }
        let mut candidate = first;
        loop {
            if until.is_some_and(|until| candidate.start() >= until) {
                return None;
            }
            let pieces = self.pieces(candidate);
            // Most windows that are looked at carry the need, which is seen faster than where one falls short.
            let free = self.free_in(pieces);
            if need.fits_in(&free) {
                return Some((candidate, free));
            }
            // Every window that begins before the end of the last short piece contains some of it.
            let short = self.last_short(pieces, &needed)?;
            if short >= self.times.len() {
                return None;
            }
            candidate = window(instant(self.times.at(short)))?;
        }
    }

    /// The instants after `from` and before `until` at which some lane rises: only then can a later start be better.
    pub(super) fn rises(&self, from: Instant, until: Option<Instant>) -> Vec<Instant> {
        let first = self.times.before(micros(from) + 1);
        let last = until.map_or(self.times.len(), |until| self.times.before(micros(until)));
        let rises = |step: usize| {
            let before = |column: &Column| step.checked_sub(1).map_or(0, |before| column.at(before));
            self.lanes.iter().flatten().any(|column| column.at(step) > before(column))
        };
        (first..last.max(first))
            .filter(|step| rises(*step))
            .map(|step| instant(self.times.at(step)))
            .collect()
    }

    /// Bytes on the heap.
    pub(super) fn bytes(&self) -> usize {
        let times = match &self.times {
            Times::Seconds(times) => size_of_val(&*times.steps),
            Times::Micros(times) => size_of_val(&**times),
        };
        times + self.lanes.iter().flatten().map(Column::bytes).sum::<usize>()
    }
}

/// A vector from its lanes by number, in the order of [`Resource::ALL`].
pub(super) fn vector(mut lane: impl FnMut(usize) -> i64) -> CapacityVector {
    CapacityVector::of(|resource| lane(resource as usize))
}
