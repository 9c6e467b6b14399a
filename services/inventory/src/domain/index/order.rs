//! The one order of price, in groups: like the leaves of a tree, without the tree.

use std::cmp::Ordering;

use kernel::Resource;

use super::Index;
use super::slots::{Minima, NOTHING, Row, Rows, SLOTS};
use crate::domain::search::price_order;

/// Blocks of a group when the order is made; it is split when it holds twice as many.
const BLOCKS: usize = 64;

/// A lane in which nothing ever is.
const NONE: Row = [0; SLOTS];

/// Neighbours in the order of price.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) blocks: Vec<usize>,
    /// A bit for each site that has a block here; sites share bits.
    pub(super) sites: u64,
    /// The greatest of the blocks' minima, lane by lane and slot by slot.
    pub(super) maxima: Box<Rows>,
}

impl Group {
    fn new(blocks: Vec<usize>) -> Self {
        Self { blocks, sites: 0, maxima: Box::new(NOTHING) }
    }

    pub(super) fn bytes(&self) -> usize {
        size_of::<Self>() + size_of::<Rows>() + self.blocks.capacity() * size_of::<usize>()
    }
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
        if group.blocks.len() >= 2 * BLOCKS {
            let upper = Group::new(group.blocks.split_off(BLOCKS));
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
        group.sites = 0;
        for &block in &group.blocks {
            let entry = &self.blocks[block];
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
