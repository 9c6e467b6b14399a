//! Step functions of time with exact algebra: what a block has, what is taken, what is free.
//!
//! A function is zero until its first step and keeps its last value for ever. It is kept in normal form (sorted, no two
//! neighbours equal, the first value not zero), so that equal functions are equal values.

use serde::{Deserialize, Deserializer, Serialize};

use crate::quantity::{CapacityVector, Resource};
use crate::time::{Instant, Interval};

/// What a step function may have as a value: a group with an order per lane.
pub trait StepValue: Copy + Eq + std::fmt::Debug {
    /// Nothing.
    const ZERO: Self;
    /// The sum, or `None` beyond the range of the type.
    fn checked_add(self, other: Self) -> Option<Self>;
    /// The difference, or `None` beyond the range of the type.
    fn checked_sub(self, other: Self) -> Option<Self>;
    /// The lesser, lane by lane.
    #[must_use]
    fn lane_min(self, other: Self) -> Self;
    /// The greater, lane by lane.
    #[must_use]
    fn lane_max(self, other: Self) -> Self;
    /// Whether every lane is at least that of `need`.
    fn covers(self, need: Self) -> bool;
}

impl StepValue for i64 {
    const ZERO: Self = 0;

    fn checked_add(self, other: Self) -> Option<Self> {
        i64::checked_add(self, other)
    }

    fn checked_sub(self, other: Self) -> Option<Self> {
        i64::checked_sub(self, other)
    }

    fn lane_min(self, other: Self) -> Self {
        self.min(other)
    }

    fn lane_max(self, other: Self) -> Self {
        self.max(other)
    }

    fn covers(self, need: Self) -> bool {
        self >= need
    }
}

impl StepValue for CapacityVector {
    const ZERO: Self = CapacityVector::ZERO;

    fn checked_add(self, other: Self) -> Option<Self> {
        CapacityVector::checked_add(self, other)
    }

    fn checked_sub(self, other: Self) -> Option<Self> {
        CapacityVector::checked_sub(self, other)
    }

    fn lane_min(self, other: Self) -> Self {
        CapacityVector::min(self, other)
    }

    fn lane_max(self, other: Self) -> Self {
        CapacityVector::max(self, other)
    }

    fn covers(self, need: Self) -> bool {
        need.fits_in(&self)
    }
}

/// Why a step function could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StepError {
    /// Steps are not in strictly increasing order of time.
    #[error("steps must be in order of time, each at its own instant")]
    Unsorted,
    /// A value leaves the range of its type.
    #[error("the sum is too large")]
    Overflow,
}

/// The first stretch of time in which something is short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shortfall {
    /// What is short; the first in [`Resource::ALL`] if several are.
    pub resource: Resource,
    /// The first instant at which it is short.
    pub from: Instant,
    /// The first instant after that at which it is not, or the end of what was asked.
    pub until: Instant,
    /// How much is missing at the worst instant of the stretch, kW; of accelerators a count.
    pub short_kw: i64,
    /// How much there is at that instant, likewise; zero if more is taken than there is.
    pub available_kw: i64,
}

/// A value that changes in steps over time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct StepFunction<V> {
    steps: Vec<(Instant, V)>,
}

impl<V> Default for StepFunction<V> {
    fn default() -> Self {
        Self { steps: Vec::new() }
    }
}

impl<'de, V: StepValue + Deserialize<'de>> Deserialize<'de> for StepFunction<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let steps = Vec::deserialize(deserializer)?;
        Self::from_steps(steps).map_err(serde::de::Error::custom)
    }
}

impl<V: StepValue> StepFunction<V> {
    /// Zero at every instant.
    pub const fn zero() -> Self {
        Self { steps: Vec::new() }
    }

    /// `value` over the interval, zero elsewhere.
    pub fn constant_over(interval: Interval, value: V) -> Self {
        if value == V::ZERO {
            return Self::zero();
        }
        Self { steps: vec![(interval.start(), value), (interval.end(), V::ZERO)] }
    }

    /// `value` from `start` on for ever, zero before.
    pub fn constant_from(start: Instant, value: V) -> Self {
        if value == V::ZERO { Self::zero() } else { Self { steps: vec![(start, value)] } }
    }

    /// The function that takes each value at its instant and keeps it until the next.
    pub fn from_steps(steps: Vec<(Instant, V)>) -> Result<Self, StepError> {
        if steps.windows(2).any(|pair| pair[0].0 >= pair[1].0) {
            return Err(StepError::Unsorted);
        }
        Ok(Self::normalised(steps))
    }

    /// The sum of values over intervals, in one sort: the quick way to build a function from many claims.
    pub fn from_intervals(parts: impl IntoIterator<Item = (Interval, V)>) -> Result<Self, StepError> {
        let mut edges: Vec<(Instant, V, bool)> = Vec::new();
        for (interval, value) in parts {
            edges.push((interval.start(), value, true));
            edges.push((interval.end(), value, false));
        }
        edges.sort_by_key(|&(at, _, begins)| (at, begins));
        let mut steps: Vec<(Instant, V)> = Vec::new();
        let mut value = V::ZERO;
        for (at, change, begins) in edges {
            let next = if begins { value.checked_add(change) } else { value.checked_sub(change) };
            value = next.ok_or(StepError::Overflow)?;
            match steps.last_mut() {
                Some(last) if last.0 == at => last.1 = value,
                _ => steps.push((at, value)),
            }
        }
        Ok(Self::normalised(steps))
    }

    fn normalised(mut steps: Vec<(Instant, V)>) -> Self {
        let mut before = V::ZERO;
        steps.retain(|&(_, value)| {
            let changes = value != before;
            before = value;
            changes
        });
        Self { steps }
    }

    /// The steps: each instant at which the value changes, with the value from then on.
    pub fn steps(&self) -> &[(Instant, V)] {
        &self.steps
    }

    /// Whether it is zero at every instant.
    pub fn is_zero(&self) -> bool {
        self.steps.is_empty()
    }

    /// The value at an instant.
    pub fn value_at(&self, at: Instant) -> V {
        self.value_before(self.steps.partition_point(|step| step.0 <= at))
    }

    /// The value just before the step of this index.
    fn value_before(&self, index: usize) -> V {
        index.checked_sub(1).map_or(V::ZERO, |i| self.steps[i].1)
    }

    /// The sum of two functions.
    pub fn add(&self, other: &Self) -> Result<Self, StepError> {
        self.merge(other, V::checked_add)
    }

    /// The difference of two functions.
    pub fn sub(&self, other: &Self) -> Result<Self, StepError> {
        self.merge(other, V::checked_sub)
    }

    /// The lesser of two functions at every instant, lane by lane.
    pub fn pointwise_min(&self, other: &Self) -> Self {
        // `min` never fails, so neither does the merge.
        self.merge(other, |a, b| Some(a.lane_min(b))).unwrap_or_default()
    }

    /// The greater of two functions at every instant, lane by lane.
    #[must_use]
    pub fn pointwise_max(&self, other: &Self) -> Self {
        // `max` never fails, so neither does the merge.
        self.merge(other, |a, b| Some(a.lane_max(b))).unwrap_or_default()
    }

    fn merge(&self, other: &Self, combine: impl Fn(V, V) -> Option<V>) -> Result<Self, StepError> {
        let (mut left, mut right) = (self.steps.iter().peekable(), other.steps.iter().peekable());
        let (mut a, mut b) = (V::ZERO, V::ZERO);
        let mut before = V::ZERO;
        let mut steps = Vec::with_capacity(self.steps.len() + other.steps.len());
        while let Some(at) = match (left.peek(), right.peek()) {
            (Some(l), Some(r)) => Some(l.0.min(r.0)),
            (Some(one), None) | (None, Some(one)) => Some(one.0),
            (None, None) => None,
        } {
            if let Some(step) = left.next_if(|step| step.0 == at) {
                a = step.1;
            }
            if let Some(step) = right.next_if(|step| step.0 == at) {
                b = step.1;
            }
            let value = combine(a, b).ok_or(StepError::Overflow)?;
            if value != before {
                steps.push((at, value));
                before = value;
            }
        }
        Ok(Self { steps })
    }

    /// Adds `value` over the interval, in place. On overflow nothing is changed.
    pub fn add_over(&mut self, interval: Interval, value: V) -> Result<(), StepError> {
        self.change_over(interval, |old| old.checked_add(value), |new| new.checked_sub(value))
    }

    /// Takes `value` away over the interval, in place. On overflow nothing is changed.
    pub fn sub_over(&mut self, interval: Interval, value: V) -> Result<(), StepError> {
        self.change_over(interval, |old| old.checked_sub(value), |new| new.checked_add(value))
    }

    /// Changes every value in the interval, in one pass; `undo` is the exact inverse of `change`.
    fn change_over(
        &mut self,
        interval: Interval,
        change: impl Fn(V) -> Option<V>,
        undo: impl Fn(V) -> Option<V>,
    ) -> Result<(), StepError> {
        let first = self.split_at(interval.start());
        let last = self.split_at(interval.end());
        let mut result = Ok(());
        for i in first..last {
            let Some(value) = change(self.steps[i].1) else {
                for step in &mut self.steps[first..i] {
                    step.1 = undo(step.1).unwrap_or(step.1);
                }
                result = Err(StepError::Overflow);
                break;
            };
            self.steps[i].1 = value;
        }
        // Inside, neighbours differ as they did before; only at the two ends may a step have come to change nothing.
        self.join_at(last);
        self.join_at(first);
        result
    }

    /// The index of the step at this instant, which is made if there is none.
    fn split_at(&mut self, at: Instant) -> usize {
        let index = self.steps.partition_point(|step| step.0 < at);
        if self.steps.get(index).is_none_or(|step| step.0 != at) {
            self.steps.insert(index, (at, self.value_before(index)));
        }
        index
    }

    /// Drops the step of this index if it changes nothing.
    fn join_at(&mut self, index: usize) {
        if self.steps[index].1 == self.value_before(index) {
            self.steps.remove(index);
        }
    }

    /// The pieces of the interval in which the value is constant, in order, zero ones included.
    pub fn steps_in(&self, interval: Interval) -> impl Iterator<Item = (Interval, V)> + '_ {
        let (entering, inner) = self.values_in(interval);
        let starts = std::iter::once((interval.start(), entering)).chain(inner.iter().copied());
        let ends = inner.iter().map(|step| step.0).chain(std::iter::once(interval.end()));
        starts.zip(ends).filter_map(|((start, value), end)| Some((Interval::within(start, end)?, value)))
    }

    /// The value with which the interval begins and the steps inside it.
    fn values_in(&self, interval: Interval) -> (V, &[(Instant, V)]) {
        let first = self.steps.partition_point(|step| step.0 <= interval.start());
        let last = first + self.steps[first..].partition_point(|step| step.0 < interval.end());
        (self.value_before(first), &self.steps[first..last])
    }

    /// The least value within the interval, lane by lane.
    pub fn min_over(&self, interval: Interval) -> V {
        let (entering, steps) = self.values_in(interval);
        steps.iter().fold(entering, |least, step| least.lane_min(step.1))
    }

    /// The greatest value within the interval, lane by lane.
    pub fn max_over(&self, interval: Interval) -> V {
        let (entering, steps) = self.values_in(interval);
        steps.iter().fold(entering, |greatest, step| greatest.lane_max(step.1))
    }

    /// Whether the value covers `need` at every instant of the interval.
    pub fn covers_over(&self, interval: Interval, need: V) -> bool {
        let (entering, steps) = self.values_in(interval);
        entering.covers(need) && steps.iter().all(|step| step.1.covers(need))
    }

    /// The earliest window throughout which the value covers `need`.
    ///
    /// `window` makes the window for an instant: it begins at that instant or later (at the next start of a day, say)
    /// and lasts as long as a term from there does. A later instant must not give an earlier start or end. `None` from
    /// it, as when a term would pass the year 9999, ends the search.
    pub fn earliest_window(
        &self,
        from: Instant,
        window: impl Fn(Instant) -> Option<Interval>,
        need: V,
    ) -> Option<Interval> {
        let mut candidate = window(from)?;
        let first = self.steps.partition_point(|step| step.0 <= candidate.start());
        let entering = std::iter::once((candidate.start(), self.value_before(first)));
        let mut pieces = entering.chain(self.steps[first..].iter().copied()).peekable();
        while let Some((start, value)) = pieces.next() {
            if start >= candidate.end() {
                break;
            }
            // The last piece has no end: if it is short, there is no window at all.
            let end = pieces.peek().map(|next| next.0);
            let over = end.is_some_and(|end| end <= candidate.start());
            if !over && !value.covers(need) {
                candidate = window(end?)?;
            }
        }
        Some(candidate)
    }
}

impl StepFunction<CapacityVector> {
    /// The first stretch of the interval in which this function, as what is free, falls below `need` in some lane.
    /// `None`: it fits. Allocates nothing.
    pub fn first_shortfall(&self, interval: Interval, need: CapacityVector) -> Option<Shortfall> {
        let (entering, steps) = self.values_in(interval);
        let short_in = |free: CapacityVector| Resource::ALL.into_iter().find(|&r| free.get(r) < need.get(r));
        let mut pieces = std::iter::once((interval.start(), entering))
            .chain(steps.iter().copied())
            .skip_while(|p| p.1.covers(need));
        let (from, free) = pieces.next()?;
        let resource = short_in(free)?;
        let wanted = need.get(resource);
        let (mut least, mut until) = (free.get(resource), interval.end());
        for (at, free) in pieces {
            if free.get(resource) >= wanted {
                until = at;
                break;
            }
            least = least.min(free.get(resource));
        }
        let short_kw = wanted.saturating_sub(least);
        Some(Shortfall { resource, from, until, short_kw, available_kw: least.max(0) })
    }
}
