//! A packed function with more or less in some intervals, made from the packed one: this is done for every booking.

use kernel::Interval;

use super::{Column, LANES, Packed, Times, micros};

impl Packed {
    /// The same with so much more or less in some intervals; none beyond the range of the type. It is what adding step
    /// functions would give.
    pub(in crate::domain::index) fn changed(
        &self,
        by: impl Iterator<Item = (Interval, [i64; LANES])>,
    ) -> Option<Self> {
        let end = micros(kernel::time::max_instant());
        let mut edges: Vec<(i64, [i64; LANES])> = Vec::with_capacity(2 * by.size_hint().0);
        for (interval, more) in by {
            let ends = [(interval.start(), more), (interval.end(), more.map(|kw| -kw))];
            edges.extend(ends.map(|(at, more)| (micros(at), more)).iter().filter(|edge| edge.0 < end));
        }
        edges.sort_unstable_by_key(|edge| edge.0);
        let steps = self.merged(&edges);
        let mut lanes: [Vec<i64>; LANES] = Default::default();
        for (lane, values) in lanes.iter_mut().enumerate() {
            let more = edges.iter().map(|edge| edge.1[lane]);
            *values = added(&steps, self.lanes[lane].as_ref(), more)?;
        }
        let differs = |step: usize| {
            let before = |values: &Vec<i64>| step.checked_sub(1).map_or(0, |before| values[before]);
            lanes.iter().any(|values| !values.is_empty() && values[step] != before(values))
        };
        let kept: Vec<usize> = (0..steps.len()).filter(|step| differs(*step)).collect();
        let times: Vec<i64> = kept.iter().map(|step| steps[*step].at).collect();
        let lanes = lanes.map(|values| {
            if values.is_empty() || kept.len() == values.len() {
                return Column::of(&values);
            }
            Column::of(&kept.iter().map(|step| values[*step]).collect::<Vec<i64>>())
        });
        Some(Self { times: Times::of(&times), lanes })
    }

    /// The instants of its steps and of these edges, each once and in order.
    fn merged(&self, edges: &[(i64, [i64; LANES])]) -> Vec<Merged> {
        let mut merged = Vec::with_capacity(self.times.len() + edges.len());
        let (mut old, mut edge) = (0, 0);
        loop {
            let next_step = (old < self.times.len()).then(|| self.times.at(old));
            let next_edge = edges.get(edge).map(|edge| edge.0);
            let Some(at) = next_step.into_iter().chain(next_edge).min() else { return merged };
            old += usize::from(next_step == Some(at));
            edge += edges[edge..].iter().take_while(|edge| edge.0 == at).count();
            merged.push(Merged { at, old, edges: edge });
        }
    }
}

/// An instant at which something may change: how many steps and how many edges lie before it or on it.
#[derive(Debug, Clone, Copy)]
struct Merged {
    at: i64,
    old: usize,
    edges: usize,
}

/// A lane's values from each of these instants on, with what the edges add; empty where there is nothing at any. None beyond
/// the range of the type.
fn added(
    steps: &[Merged],
    column: Option<&Column>,
    more: impl ExactSizeIterator<Item = i64>,
) -> Option<Vec<i64>> {
    let mut sums = Vec::with_capacity(more.len() + 1);
    sums.push(0_i64);
    for more in more {
        sums.push(sums.last().copied().unwrap_or(0).checked_add(more)?);
    }
    let old = match column {
        Some(column) => column.values(),
        None if sums.iter().all(|sum| *sum == 0) => return Some(Vec::new()),
        None => Vec::new(),
    };
    let before = |step: &Merged| step.old.checked_sub(1).and_then(|at| old.get(at)).copied().unwrap_or(0);
    steps.iter().map(|step| before(step).checked_add(sums[step.edges])).collect()
}
