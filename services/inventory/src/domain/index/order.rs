//! The one order of price, in groups: like the leaves of a tree, without the tree.

use std::cmp::Ordering;
use std::ops::Range;

use super::Index;
use super::group::{Group, PLACES};
use super::slots::{Minima, SLOTS};
use crate::domain::search::{Filter, price_order};

/// Blocks of a group when the order is made.
const BLOCKS: usize = 56;

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
        self.groups = Vec::with_capacity(all.len().div_ceil(BLOCKS));
        for blocks in all.chunks(BLOCKS) {
            self.groups.push(Group::new());
            for (place, block) in blocks.iter().enumerate() {
                self.insert(self.groups.len() - 1, place, *block);
            }
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
        if self.groups.is_empty() {
            self.groups.push(Group::new());
        }
        let blocks = &self.groups[number].blocks;
        let at = blocks.partition_point(|own| self.price_cmp(*own, block) == Ordering::Less);
        self.insert(number, at, block);
        let group = &mut self.groups[number];
        if group.blocks.len() >= PLACES {
            let upper = group.split_off(PLACES / 2);
            self.groups.insert(number + 1, upper);
            self.tell_rate(number + 1);
        }
    }

    fn insert(&mut self, number: usize, place: usize, block: usize) {
        let entry = &self.blocks[block];
        let minima = self.calendar.minima(&entry.free, 0..SLOTS);
        self.groups[number].insert(place, block, entry.site, &minima);
        self.tell_rate(number);
    }

    pub(super) fn displace(&mut self, block: usize) {
        let Some((number, place)) = self.place_of(block) else { return };
        self.groups[number].remove(place);
        if self.groups[number].blocks.is_empty() {
            self.groups.remove(number);
        } else {
            self.tell_rate(number);
        }
    }

    /// What is free of a block is other than before in these slots.
    pub(super) fn measure_again(&mut self, block: usize, minima: &Minima, slots: Range<usize>) {
        if let Some((number, place)) = self.place_of(block) {
            self.groups[number].put(place, minima, slots);
        }
    }

    fn place_of(&self, block: usize) -> Option<(usize, usize)> {
        let number = self.group_of(block);
        let place = self.groups.get(number)?.blocks.iter().position(|own| *own == block)?;
        Some((number, place))
    }

    fn tell_rate(&mut self, number: usize) {
        let group = &mut self.groups[number];
        group.rate = group.blocks.first().and_then(|first| self.blocks[*first].rate).map(|rate| rate.0);
    }
}
