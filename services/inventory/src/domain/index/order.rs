//! The one order of price, in groups: like the leaves of a tree, without the tree.

use std::cmp::Ordering;

use kernel::{Rate, Resource};

use super::Index;
use super::packed::LANES;
use super::slots::{Minima, NOTHING, Row, Rows, SLOTS};
use crate::domain::search::{Filter, price_order};

/// Blocks of a group at most: a bit each. It is split when it holds so many.
pub(super) const PLACES: usize = 64;
/// Blocks of a group when the order is made.
const BLOCKS: usize = 56;

/// A lane in which nothing ever is.
const NONE: Row = [0; SLOTS];

/// A value of each block of a group, in its order; 0 where there is none.
pub(super) type Column = [u16; PLACES];
/// A column per slot.
pub(super) type Columns = [Column; SLOTS];

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
    /// The greatest of the blocks' minima, lane by lane and slot by slot.
    pub(super) maxima: Box<Rows>,
    /// The most that is ever free of any block, lane by lane.
    pub(super) ever: [u16; LANES],
    /// The blocks' minima side by side, slot by slot, of the lanes in which any of them has anything: what a block has too
    /// little of is told of all blocks at once, without looking at any.
    pub(super) minima: [Option<Box<Columns>>; LANES],
    /// The most that is ever free of each block, lane by lane.
    pub(super) evers: [Column; LANES],
}

impl Group {
    fn new(blocks: Vec<usize>) -> Self {
        let (maxima, ever) = (Box::new(NOTHING), [0; LANES]);
        let (minima, evers) = (Default::default(), [[0; PLACES]; LANES]);
        Self { blocks, rate: None, sites_of: Vec::new(), sites: 0, maxima, ever, minima, evers }
    }

    /// The blocks of sites that are looked at, a bit each.
    pub(super) fn places(&self, looks_at: impl Fn(usize) -> bool) -> u64 {
        self.sites_of.iter().rev().fold(0, |places, site| (places << 1) | u64::from(looks_at(*site)))
    }

    /// Writes a block's minima where they are others than before.
    fn put(&mut self, place: usize, before: &Minima, now: &Minima) {
        for (lane, columns) in self.minima.iter_mut().enumerate() {
            self.evers[lane][place] = now.ever[lane];
            let (before, now) = match (before.lane(lane), now.lane(lane)) {
                (None, None) => continue,
                (before, now) => (before.unwrap_or(&NONE), now.unwrap_or(&NONE)),
            };
            let columns = columns.get_or_insert_with(nothing);
            for (column, (before, now)) in columns.iter_mut().zip(before.iter().zip(now)) {
                if before != now {
                    column[place] = *now;
                }
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

impl Index {
    pub(super) fn price_cmp(&self, a: usize, b: usize) -> Ordering {
        let key = |block: usize| {
            let entry = &self.blocks[block];
            (entry.rate.map(|rate| rate.0), &self.sites[entry.site].facts.name, entry.slug.as_str())
        };
        price_order(key(a), key(b))
    }

    /// The groups up to the last that has a block of a rate that is asked for.
    pub(super) fn cheap_enough(&self, filter: &Filter) -> &[Group] {
        let begins_cheap_enough = |group: &Group| {
            filter.max_rate.is_none_or(|(most, _)| group.rate.is_some_and(|rate| rate <= most))
        };
        &self.groups[..self.groups.partition_point(begins_cheap_enough)]
    }

    pub(super) fn placed(&self) -> usize {
        self.groups.iter().map(|group| group.blocks.len()).sum()
    }

    /// Makes the order anew.
    pub(super) fn order_all(&mut self) {
        let mut all: Vec<usize> = self.sites.iter().flat_map(|site| site.blocks.values().copied()).collect();
        all.sort_unstable_by(|a, b| self.price_cmp(*a, *b));
        self.groups = all.chunks(BLOCKS).map(|part| Group::new(part.to_vec())).collect();
        for group in 0..self.groups.len() {
            self.measure(group);
        }
    }

    /// The group in which a block stands or would stand.
    fn group_of(&self, block: usize) -> usize {
        let begins_before = |group: &Group| {
            group.blocks.first().is_some_and(|first| self.price_cmp(*first, block) != Ordering::Greater)
        };
        self.groups.partition_point(begins_before).saturating_sub(1)
    }

    pub(super) fn place(&mut self, block: usize) {
        let number = self.group_of(block);
        let Some(group) = self.groups.get(number) else {
            self.groups.push(Group::new(vec![block]));
            self.measure(0);
            return;
        };
        let at = group.blocks.partition_point(|own| self.price_cmp(*own, block) == Ordering::Less);
        let group = &mut self.groups[number];
        group.blocks.insert(at, block);
        if group.blocks.len() >= PLACES {
            let upper = Group::new(group.blocks.split_off(PLACES / 2));
            self.groups.insert(number + 1, upper);
            self.measure(number + 1);
        }
        self.measure(number);
    }

    pub(super) fn displace(&mut self, block: usize) {
        let number = self.group_of(block);
        let Some(group) = self.groups.get_mut(number) else { return };
        group.blocks.retain(|own| *own != block);
        if group.blocks.is_empty() {
            self.groups.remove(number);
        } else {
            self.measure(number);
        }
    }

    /// Measures the group of a block whose minima were others before: anew only if it was the greatest anywhere where
    /// it is no longer.
    pub(super) fn measure_again(&mut self, block: usize, before: &Minima) {
        let number = self.group_of(block);
        let Some(group) = self.groups.get_mut(number) else { return };
        let now = &self.blocks[block].minima;
        if let Some(place) = group.blocks.iter().position(|own| *own == block) {
            group.put(place, before, now);
        }
        for (most, (before, now)) in group.ever.iter_mut().zip(before.ever.iter().zip(&now.ever)) {
            if before == most && now < before {
                return self.measure(number);
            }
            *most = (*most).max(*now);
        }
        for (lane, most) in group.maxima.iter_mut().enumerate() {
            let (before, now) = (before.lane(lane).unwrap_or(&NONE), now.lane(lane).unwrap_or(&NONE));
            for (most, (before, now)) in most.iter_mut().zip(before.iter().zip(now)) {
                if before == most && now < before {
                    return self.measure(number);
                }
                *most = (*most).max(*now);
            }
        }
    }

    fn measure(&mut self, number: usize) {
        let Some(group) = self.groups.get_mut(number) else { return };
        *group.maxima = NOTHING;
        group.ever = [0; LANES];
        group.minima = Default::default();
        group.evers = [[0; PLACES]; LANES];
        group.sites = 0;
        group.rate = group.blocks.first().and_then(|first| self.blocks[*first].rate).map(|rate| rate.0);
        group.sites_of = group.blocks.iter().map(|block| self.blocks[*block].site).collect();
        for place in 0..group.blocks.len() {
            let entry = &self.blocks[group.blocks[place]];
            group.put(place, &Minima::default(), &entry.minima);
            for (most, value) in group.ever.iter_mut().zip(entry.minima.ever) {
                *most = (*most).max(value);
            }
            group.sites |= bit(entry.site);
            for (lane, most) in group.maxima.iter_mut().enumerate() {
                if let Some(row) = entry.minima.lane(lane) {
                    for (most, value) in most.iter_mut().zip(row) {
                        *most = (*most).max(*value);
                    }
                }
            }
        }
        debug_assert_eq!(group.maxima.len(), Resource::ALL.len());
    }
}
