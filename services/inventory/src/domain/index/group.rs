//! Neighbours in the order of price, and what is free of each of them side by side: a question is put to all of them at
//! once, and none of them is looked at that has too little.

use std::ops::Range;

use kernel::Rate;

use super::packed::LANES;
use super::slots::{Minima, NOTHING, Rows, SLOTS};

/// Blocks of a group at most: a bit each. It is split when it holds so many.
pub(super) const PLACES: usize = 64;

/// A value of each block of a group, in its order; 0 where there is none.
pub(super) type Column = [u16; PLACES];
/// A column per slot.
type Columns = [Column; SLOTS];

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
    /// The blocks' minima slot by slot, of the lanes in which any of them has anything.
    pub(super) minima: [Option<Box<Columns>>; LANES],
    /// The most that is ever free of each block, lane by lane.
    pub(super) evers: [Column; LANES],
    /// The greatest of the blocks' minima, lane by lane and slot by slot.
    pub(super) maxima: Box<Rows>,
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
            maxima: Box::new(NOTHING),
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
            for slot in slots.clone() {
                if columns[slot][place] != row[slot] {
                    columns[slot][place] = row[slot];
                    self.maxima[lane][slot] = most(&columns[slot]);
                }
            }
        }
    }

    fn columns(&mut self) -> impl Iterator<Item = &mut Column> {
        self.minima.iter_mut().flatten().flat_map(|columns| columns.iter_mut()).chain(&mut self.evers)
    }

    fn measure(&mut self) {
        self.sites = self.sites_of.iter().fold(0, |sites, site| sites | bit(*site));
        *self.maxima = NOTHING;
        for lane in 0..LANES {
            self.ever[lane] = most(&self.evers[lane]);
            let columns = self.minima[lane].iter().flat_map(|columns| columns.iter());
            for (greatest, column) in self.maxima[lane].iter_mut().zip(columns) {
                *greatest = most(column);
            }
        }
    }

    pub(super) fn bytes(&self) -> usize {
        let blocks = self.blocks.capacity() + self.sites_of.capacity();
        let minima = self.minima.iter().flatten().count() * size_of::<Columns>();
        size_of::<Self>() + size_of::<Rows>() + minima + blocks * size_of::<usize>()
    }
}

/// No block has anything in a lane.
fn nothing() -> Box<Columns> {
    Box::new([[0; PLACES]; SLOTS])
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
