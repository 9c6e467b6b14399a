//! Kilowatts taken over time, for a writer that changes and asks thousands of times a second: a step function in
//! chunks. Each chunk keeps its greatest value and what is to be added to all its steps, so that both a change and a
//! question touch two chunks in part and pass over the others whole: the cost grows with the square root of the steps.

use kernel::step::StepError;
use kernel::{CapacityVector, Instant, Interval, StepFunction};

/// A chunk is split when it has more steps than this, and more than there are chunks: a new step moves those behind it
/// in its chunk, and a change passes over the other chunks.
const STEPS_MAX: usize = 64;

#[derive(Debug, Clone)]
struct Chunk {
    /// Where its first step is, here too: whoever looks for the chunk of an instant reads the chunks and not their steps.
    first: Instant,
    /// Sorted, never empty. A value is true once `pending` is added to it.
    steps: Vec<(Instant, CapacityVector)>,
    pending: CapacityVector,
    greatest: CapacityVector,
}

impl Chunk {
    fn new(steps: Vec<(Instant, CapacityVector)>) -> Self {
        let first = steps[0].0;
        let mut chunk = Self { first, steps, pending: CapacityVector::ZERO, greatest: CapacityVector::ZERO };
        chunk.measure();
        chunk
    }

    fn measure(&mut self) {
        let greatest = self.steps.iter().fold(self.steps[0].1, |most, step| most.max(step.1));
        self.greatest = sum(greatest, self.pending);
    }

    fn settle(&mut self) {
        let pending = std::mem::take(&mut self.pending);
        if !pending.is_zero() {
            for step in &mut self.steps {
                step.1 = sum(step.1, pending);
            }
        }
    }
}

/// Lanes are kilowatts of at most a few thousand claims of at most 10^9 each: far below the range of the type.
fn sum(a: CapacityVector, b: CapacityVector) -> CapacityVector {
    CapacityVector {
        critical_it: a.critical_it + b.critical_it,
        air: a.air + b.air,
        liquid: a.liquid + b.liquid,
        immersion: a.immersion + b.immersion,
        accelerators: a.accelerators + b.accelerators,
    }
}

fn negative(v: CapacityVector) -> CapacityVector {
    CapacityVector {
        critical_it: -v.critical_it,
        air: -v.air,
        liquid: -v.liquid,
        immersion: -v.immersion,
        accelerators: -v.accelerators,
    }
}

/// What is taken of a block over time; zero until its first step.
#[derive(Debug, Clone, Default)]
pub struct Usage {
    chunks: Vec<Chunk>,
}

impl Usage {
    /// The sum of claims, in one sort.
    pub fn of(claims: impl IntoIterator<Item = (Interval, CapacityVector)>) -> Self {
        let mut edges: Vec<(Instant, CapacityVector)> = Vec::new();
        for (interval, kw) in claims {
            edges.push((interval.start(), kw));
            edges.push((interval.end(), negative(kw)));
        }
        edges.sort_by_key(|edge| edge.0);
        let mut steps: Vec<(Instant, CapacityVector)> = Vec::with_capacity(edges.len());
        let mut value = CapacityVector::ZERO;
        for (at, change) in edges {
            value = sum(value, change);
            match steps.last_mut() {
                Some(last) if last.0 == at => last.1 = value,
                _ => steps.push((at, value)),
            }
        }
        let size = (STEPS_MAX / 2).max(steps.len().isqrt());
        Self { chunks: steps.chunks(size).map(|part| Chunk::new(part.to_vec())).collect() }
    }

    /// Takes more over the interval; gives the most that is taken within it afterwards, lane by lane.
    pub fn take(&mut self, interval: Interval, kw: CapacityVector) -> CapacityVector {
        self.change(interval, kw)
    }

    /// Gives back what was taken over the interval.
    pub fn give_back(&mut self, interval: Interval, kw: CapacityVector) {
        self.change(interval, negative(kw));
    }

    /// The most that is taken within the interval, lane by lane.
    pub fn peak(&self, interval: Interval) -> CapacityVector {
        let mut peak = self.value_at(interval.start());
        let first = self.chunk_of(interval.start()).unwrap_or(0);
        for chunk in &self.chunks[first.min(self.chunks.len())..] {
            if chunk.first >= interval.end() {
                break;
            }
            let last = chunk.steps[chunk.steps.len() - 1].0;
            if chunk.first > interval.start() && last < interval.end() {
                peak = peak.max(chunk.greatest);
            } else {
                let inside = |at: Instant| interval.start() < at && at < interval.end();
                for step in chunk.steps.iter().filter(|step| inside(step.0)) {
                    peak = peak.max(sum(step.1, chunk.pending));
                }
            }
        }
        peak
    }

    /// How many steps are kept, those that have become equal to their neighbour included.
    pub fn len(&self) -> usize {
        self.chunks.iter().map(|chunk| chunk.steps.len()).sum()
    }

    /// Whether nothing was ever taken.
    pub fn is_empty(&self) -> bool {
        self.chunks.is_empty()
    }

    /// The same as a plain step function, for the questions that are asked rarely.
    ///
    /// # Errors
    /// Never: steps are kept sorted and apart. Whoever asks for what is free must not read a failure as "nothing taken".
    pub fn to_steps(&self) -> Result<StepFunction<CapacityVector>, StepError> {
        let steps = self
            .chunks
            .iter()
            .flat_map(|chunk| chunk.steps.iter().map(|step| (step.0, sum(step.1, chunk.pending))))
            .collect();
        StepFunction::from_steps(steps)
    }

    fn value_at(&self, at: Instant) -> CapacityVector {
        let Some(chunk) = self.chunk_of(at).map(|index| &self.chunks[index]) else {
            return CapacityVector::ZERO;
        };
        let after = chunk.steps.partition_point(|step| step.0 <= at);
        sum(chunk.steps[after - 1].1, chunk.pending)
    }

    /// The last chunk that begins at or before the instant.
    fn chunk_of(&self, at: Instant) -> Option<usize> {
        self.chunks.partition_point(|chunk| chunk.first <= at).checked_sub(1)
    }

    /// Gives the most within the interval after the change.
    fn change(&mut self, interval: Interval, by: CapacityVector) -> CapacityVector {
        self.step_at(interval.end());
        self.step_at(interval.start());
        let first = self.chunk_of(interval.start()).unwrap_or(0);
        // Both ends are steps, so every value within the interval is the value of a step within it.
        let mut peak: Option<CapacityVector> = None;
        let mut seen = |kw: CapacityVector| peak = Some(peak.map_or(kw, |peak| peak.max(kw)));
        for chunk in &mut self.chunks[first..] {
            if chunk.first >= interval.end() {
                break;
            }
            let last = chunk.steps[chunk.steps.len() - 1].0;
            if chunk.first >= interval.start() && last < interval.end() {
                chunk.pending = sum(chunk.pending, by);
                chunk.greatest = sum(chunk.greatest, by);
                seen(chunk.greatest);
            } else {
                let from = chunk.steps.partition_point(|step| step.0 < interval.start());
                let until = chunk.steps.partition_point(|step| step.0 < interval.end());
                for step in &mut chunk.steps[from..until] {
                    step.1 = sum(step.1, by);
                    seen(sum(step.1, chunk.pending));
                }
                chunk.measure();
            }
        }
        peak.unwrap_or(CapacityVector::ZERO)
    }

    /// Makes the instant a step, with the value that it already has.
    fn step_at(&mut self, at: Instant) {
        let Some(index) = self.chunk_of(at) else {
            // Before everything: zero until the first step.
            match self.chunks.first_mut() {
                None => self.chunks.push(Chunk::new(vec![(at, CapacityVector::ZERO)])),
                Some(chunk) => {
                    chunk.settle();
                    chunk.first = at;
                    chunk.steps.insert(0, (at, CapacityVector::ZERO));
                    chunk.measure();
                    self.split(0);
                }
            }
            return;
        };
        let chunk = &mut self.chunks[index];
        let after = chunk.steps.partition_point(|step| step.0 <= at);
        let before = chunk.steps[after - 1];
        if before.0 != at {
            chunk.steps.insert(after, (at, before.1));
            self.split(index);
        }
    }

    fn split(&mut self, index: usize) {
        let most = STEPS_MAX.max(self.chunks.len());
        let chunk = &mut self.chunks[index];
        if chunk.steps.len() > most {
            chunk.settle();
            let upper = chunk.steps.split_off(most / 2);
            chunk.measure();
            self.chunks.insert(index + 1, Chunk::new(upper));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeDelta;
    use proptest::prelude::*;

    use super::*;

    fn at(minute: i64) -> Instant {
        kernel::time::min_instant() + TimeDelta::minutes(minute)
    }

    fn interval() -> impl Strategy<Value = Interval> {
        (0..4_000_i64, 1..2_000_i64)
            .prop_map(|(start, length)| Interval::new(at(start), at(start + length)).expect("forward"))
    }

    fn kw() -> impl Strategy<Value = CapacityVector> {
        (0..50_i64, 0..50_i64, 0..50_i64, 0..9_i64).prop_map(|(it, air, liquid, accelerators)| {
            CapacityVector { critical_it: it, air, liquid, immersion: 0, accelerators }
        })
    }

    proptest! {
        #[test]
        fn is_the_plain_step_function(
            taken in prop::collection::vec((interval(), kw()), 0..600),
            given in prop::collection::vec(any::<prop::sample::Index>(), 0..100),
            asked in prop::collection::vec(interval(), 1..20),
        ) {
            let mut usage = Usage::default();
            let mut plain = StepFunction::zero();
            for (interval, kw) in &taken {
                let peak = usage.take(*interval, *kw);
                assert_eq!(peak, usage.peak(*interval), "the peak that a change tells is the one that is asked for");
                plain.add_over(*interval, *kw).expect("small");
            }
            for (interval, kw) in given.iter().filter(|_| !taken.is_empty()).map(|i| i.get(&taken)) {
                usage.give_back(*interval, *kw);
                plain.sub_over(*interval, *kw).expect("small");
            }
            prop_assert_eq!(usage.to_steps(), Ok(plain.clone()));
            for interval in asked {
                prop_assert_eq!(usage.peak(interval), plain.max_over(interval));
            }
        }

        #[test]
        fn building_at_once_is_taking_one_by_one(taken in prop::collection::vec((interval(), kw()), 0..600)) {
            let mut usage = Usage::default();
            for (interval, kw) in &taken {
                usage.take(*interval, *kw);
            }
            prop_assert_eq!(Usage::of(taken).to_steps(), usage.to_steps());
        }
    }
}
