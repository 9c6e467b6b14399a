//! Neighbours in the order of price, and what is free of each of them side by side: a question is put to all of them at
//! once, and none of them is looked at that has too little.

use std::ops::Range;

use kernel::Rate;

use super::packed::LANES;
use super::slots::{Minima, Row, SLOTS};

/// Blocks of a group at most: a bit each. It is split when it holds so many.
pub(super) const PLACES: usize = 64;

/// Slots of a span, of which the least is kept too: a term of years is looked at a span at a time.
const SPAN: usize = 8;
const SPANS: usize = SLOTS / SPAN;

/// A value of each block of a group, in its order; 0 where there is none.
pub(super) type Column = [u16; PLACES];

/// What is free in one lane.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    pub(super) slots: [Column; SLOTS],
    spans: [Column; SPANS],
}

/// The greatest of the blocks' values in one lane.
#[derive(Debug, Clone, Copy)]
pub(super) struct Greatest {
    pub(super) slots: Row,
    spans: [u16; SPANS],
}

impl Columns {
    fn all(&mut self) -> impl Iterator<Item = &mut Column> {
        self.slots.iter_mut().chain(&mut self.spans)
    }

    /// What says all of these slots: whole spans, and the slots beside them.
    pub(super) fn over(&self, slots: Range<usize>) -> [&[Column]; 3] {
        over(&self.slots, &self.spans, slots)
    }
}

impl Greatest {
    const NOTHING: Self = Self { slots: [0; SLOTS], spans: [0; SPANS] };

    /// As [`Columns::over`]: no block has more throughout these slots than the least of these.
    pub(super) fn over(&self, slots: Range<usize>) -> impl Iterator<Item = u16> {
        over(&self.slots, &self.spans, slots).into_iter().flatten().copied()
    }
}

/// The spans first: each says as much as its slots.
fn over<'a, T>(slots: &'a [T], spans: &'a [T], range: Range<usize>) -> [&'a [T]; 3] {
    let (first, last) = (range.start.div_ceil(SPAN), range.end / SPAN);
    let whole = first..last.max(first);
    let (before, after) =
        if last > first { (range.start..first * SPAN, last * SPAN..range.end) } else { (range, 0..0) };
    [&spans[whole], &slots[before], &slots[after]]
}

/// Neighbours in the order of price.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) blocks: Vec<usize>,
    /// The first block's rate: the others' is no lower.
    pub(super) rate: Option<Rate>,
    /// The site of each block.
    sites_of: Vec<usize>,
    /// A bit for each site that has a block here; sites share bits.
    pub(super) sites: u64,
    /// The blocks' minima, of the lanes in which any of them has anything.
    pub(super) minima: [Option<Box<Columns>>; LANES],
    /// The most that is ever free of each block, lane by lane.
    pub(super) evers: [Column; LANES],
    /// The greatest of the blocks' minima, lane by lane.
    pub(super) maxima: Box<[Greatest; LANES]>,
    /// The most that is ever free of any block, lane by lane.
    pub(super) ever: [u16; LANES],
}

impl Group {
    pub(super) fn new() -> Self {
        Self {
            blocks: Vec::new(),
            rate: None,
            sites_of: Vec::new(),
            sites: 0,
            minima: Default::default(),
            evers: [[0; PLACES]; LANES],
            maxima: Box::new([Greatest::NOTHING; LANES]),
            ever: [0; LANES],
        }
    }

    /// The blocks of sites that are looked at, a bit each.
    pub(super) fn places(&self, looks_at: impl Fn(usize) -> bool) -> u64 {
        self.sites_of.iter().rev().fold(0, |places, site| (places << 1) | u64::from(looks_at(*site)))
    }

    /// A block joins at a place; those from there on move one further.
    pub(super) fn insert(&mut self, place: usize, block: usize, site: usize, minima: &Minima) {
        if place < self.blocks.len() {
            for column in self.columns() {
                column.copy_within(place..PLACES - 1, place + 1);
                column[place] = 0;
            }
        }
        self.blocks.insert(place, block);
        self.sites_of.insert(place, site);
        self.sites |= bit(site);
        self.put(place, minima, 0..SLOTS);
    }

    /// The block at a place leaves.
    pub(super) fn remove(&mut self, place: usize) {
        for column in self.columns() {
            column.copy_within(place + 1.., place);
            column[PLACES - 1] = 0;
        }
        self.blocks.remove(place);
        self.sites_of.remove(place);
        self.measure();
    }

    /// The blocks from a place on leave together.
    pub(super) fn split_off(&mut self, place: usize) -> Self {
        let mut upper = Self::new();
        upper.blocks = self.blocks.split_off(place);
        upper.sites_of = self.sites_of.split_off(place);
        for (own, upper) in self.minima.iter().zip(&mut upper.minima) {
            *upper = own.as_ref().map(|_| nothing());
        }
        for (own, upper) in self.columns().zip(upper.columns()) {
            upper[..PLACES - place].copy_from_slice(&own[place..]);
            own[place..].fill(0);
        }
        self.measure();
        upper.measure();
        upper
    }

    /// Takes in what a block has in these slots.
    pub(super) fn put(&mut self, place: usize, now: &Minima, slots: Range<usize>) {
        for lane in 0..LANES {
            self.evers[lane][place] = now.ever[lane];
            self.ever[lane] = most(&self.evers[lane]);
            let row = &now.rows[lane];
            let columns = match &mut self.minima[lane] {
                Some(columns) => columns,
                None if row[slots.clone()].iter().all(|value| *value == 0) => continue,
                none => none.insert(nothing()),
            };
            let greatest = &mut self.maxima[lane];
            for slot in slots.clone() {
                if columns.slots[slot][place] != row[slot] {
                    columns.slots[slot][place] = row[slot];
                    greatest.slots[slot] = most(&columns.slots[slot]);
                }
            }
            for span in slots.start / SPAN..slots.end.div_ceil(SPAN) {
                let within = &columns.slots[span * SPAN..(span + 1) * SPAN];
                columns.spans[span][place] = within.iter().map(|column| column[place]).min().unwrap_or(0);
                greatest.spans[span] = most(&columns.spans[span]);
            }
        }
    }

    fn columns(&mut self) -> impl Iterator<Item = &mut Column> {
        self.minima.iter_mut().flatten().flat_map(|columns| columns.all()).chain(&mut self.evers)
    }

    fn measure(&mut self) {
        self.sites = self.sites_of.iter().fold(0, |sites, site| sites | bit(*site));
        for lane in 0..LANES {
            self.ever[lane] = most(&self.evers[lane]);
            self.maxima[lane] = self.minima[lane].as_ref().map_or(Greatest::NOTHING, |columns| Greatest {
                slots: std::array::from_fn(|slot| most(&columns.slots[slot])),
                spans: std::array::from_fn(|span| most(&columns.spans[span])),
            });
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let blocks = self.blocks.capacity() + self.sites_of.capacity();
        let minima = self.minima.iter().flatten().count() * size_of::<Columns>();
        size_of::<Self>() + size_of_val(&*self.maxima) + minima + blocks * size_of::<usize>()
    }
}

/// No block has anything in a lane.
fn nothing() -> Box<Columns> {
    Box::new(Columns { slots: [[0; PLACES]; SLOTS], spans: [[0; PLACES]; SPANS] })
}

/// The least of each block in some columns.
pub(super) fn least(columns: &[Column]) -> Column {
    let mut least = [u16::MAX; PLACES];
    for column in columns {
        for (least, value) in least.iter_mut().zip(column) {
            *least = (*least).min(*value);
        }
    }
    least
}

/// The greatest value of a column.
fn most(column: &Column) -> u16 {
    column.iter().copied().fold(0, u16::max)
}

/// The places whose bit is set, in order.
pub(super) fn places(mut bits: u64) -> impl Iterator<Item = usize> {
    std::iter::from_fn(move || {
        let place = usize::try_from(bits.trailing_zeros()).ok().filter(|place| *place < PLACES)?;
        bits &= bits - 1;
        Some(place)
    })
}

/// The bit of a site.
pub(super) fn bit(site: usize) -> u64 {
    1 << (site % 64)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::index::slots::NOTHING;

    #[derive(Clone, Debug)]
    enum Deed {
        Insert(usize),
        Put(usize, Range<usize>, u16),
        Remove(usize),
        SplitOff(usize),
    }

    fn deed() -> impl Strategy<Value = Deed> {
        let place = 0..PLACES;
        prop_oneof![
            4 => place.clone().prop_map(Deed::Insert),
            8 => (place.clone(), 0..SLOTS, 1..SLOTS, 0..9_u16)
                .prop_map(|(place, from, many, value)| Deed::Put(place, from..(from + many).min(SLOTS), value)),
            1 => place.clone().prop_map(Deed::Remove),
            1 => place.prop_map(Deed::SplitOff),
        ]
    }

    proptest! {
        #[test]
        fn what_is_kept_of_spans_and_of_all_blocks_follows_every_change(deeds in prop::collection::vec(deed(), 1..60)) {
            let (mut group, mut rows) = (Group::new(), Vec::new());
            for deed in deeds {
                let many = rows.len();
                match deed {
                    Deed::Insert(place) if many < PLACES => {
                        rows.insert(place.min(many), NOTHING);
                        group.insert(place.min(many), 0, 0, &Minima { rows: NOTHING, ever: [0; LANES] });
                    }
                    Deed::Put(place, slots, value) if many > 0 => {
                        rows[place % many][1][slots.clone()].fill(value);
                        let now = Minima { rows: rows[place % many], ever: [0; LANES] };
                        group.put(place % many, &now, slots);
                    }
                    Deed::Remove(place) if many > 0 => {
                        rows.remove(place % many);
                        group.remove(place % many);
                    }
                    Deed::SplitOff(place) if many > 0 => {
                        rows.truncate(place % many);
                        group.split_off(place % many);
                    }
                    _ => {}
                }
                let Some(columns) = &group.minima[1] else { continue };
                for slots in [0..SLOTS, 3..70, 8..16, 5..6, 17..23] {
                    let told = least(&columns.over(slots.clone()).map(least));
                    for (place, rows) in rows.iter().enumerate() {
                        let own = rows[1][slots.clone()].iter().copied().min();
                        prop_assert_eq!(told[place], own.unwrap_or(u16::MAX));
                    }
                }
                for (span, greatest) in group.maxima[1].spans.iter().enumerate() {
                    let own = |rows: &[Row; LANES]| rows[1][span * SPAN..(span + 1) * SPAN].iter().copied().min();
                    prop_assert_eq!(Some(*greatest), rows.iter().filter_map(own).max().or(Some(0)));
                }
            }
        }
    }
}
