//! The market in memory: every site and block with what is free of it, laid out so that 100,000 blocks are searched
//! faster than a question travels. Pure: it is told what changed and asked what is there; who tells it and how old that
//! is, is not its business.
//!
//! * Blocks stand in one order of price, in groups of up to 64. A group keeps of each of its blocks the least that is free
//!   in each slot of a quarter of a year and in each eight of them, lane by lane, and the greatest of these. A search
//!   walks the order, passes over groups and then blocks that cannot carry the need, asks the exact function of what is
//!   left, and stops when nothing further on can be better.
//! * What costs is waiting for memory: most blocks have too little, and a group tells so of all its blocks at once, from one
//!   place, before any of them is looked at.
//! * The exact function is packed: what 100 reservations leave free of a block takes about 2 KiB.
//! * A change of a block makes its function anew, and its minima in the slots that the change touches.

mod group;
mod near;
mod order;
mod packed;
mod plan;
mod slots;
mod split;
mod walk;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use kernel::{
    BlockName, BlockSlug, CapacityVector, Currency, Instant, Interval, OperatorId, Rate, Resource, SiteName,
    StepFunction, Zone,
};

use super::availability::{BlockView, PhaseView, Region, SiteView};
use super::convertible::{self, DrawnAfter};
use super::search::{Filter, Need};
use super::suit::Traits;
use group::Group;
use packed::Packed;
use plan::Plan;
use slots::{Calendar, SLOTS};

/// A block.
#[derive(Debug)]
struct Entry {
    site: usize,
    slug: BlockSlug,
    rate: Option<(Rate, Currency)>,
    traits: Traits,
    phases: Box<[PhaseView]>,
    capacity: StepFunction<CapacityVector>,
    /// What is free; below zero where more is promised than there is, so that giving back adds up.
    free: Packed,
}

/// A site.
#[derive(Debug)]
struct Site {
    /// What is said of it, without blocks.
    facts: SiteView,
    zone: usize,
    blocks: BTreeMap<BlockSlug, usize>,
    /// What its phases draw, and the most IT load that is ever booked on it: worked out when first asked for.
    drawn: OnceLock<DrawnAfter>,
    booked_most: OnceLock<i64>,
}

/// What every question asks of every site, side by side.
#[derive(Debug, Clone, Copy)]
struct Mark {
    region: usize,
    /// No more; its number stays taken.
    is_gone: bool,
    /// Anything is said of its grid power.
    has_grid: bool,
}

/// The market in memory.
#[derive(Debug)]
pub struct Index {
    calendar: Calendar,
    operators: HashSet<OperatorId>,
    zones: Vec<Zone>,
    sites: Vec<Site>,
    regions: Vec<Region>,
    /// By site.
    marks: Vec<Mark>,
    site_of: HashMap<SiteName, usize>,
    /// By number, which a block keeps for good; that of a removed one stays taken.
    blocks: Vec<Entry>,
    /// Every block once, in order of price.
    groups: Vec<Group>,
    /// Blocks that were put in and are not in order yet.
    unplaced: Vec<usize>,
}

/// A question to the market, made ready once for all that is asked of it.
pub struct Question<'a> {
    index: &'a Index,
    plan: Plan<'a>,
}

impl Index {
    /// Makes a question ready. `own`: whose sites the caller sees; none is everybody's.
    #[must_use]
    pub fn ask<'a>(&'a self, own: Option<&OperatorId>, filter: &'a Filter, need: Need) -> Question<'a> {
        Question { index: self, plan: Plan::new(self, own, filter, need) }
    }

    /// Nothing yet. Slots begin a little before `now`, in business time.
    #[must_use]
    pub fn new(now: Instant) -> Self {
        Self {
            calendar: Calendar::from(now - chrono::TimeDelta::days(100)),
            operators: HashSet::new(),
            zones: Vec::new(),
            sites: Vec::new(),
            regions: Vec::new(),
            marks: Vec::new(),
            site_of: HashMap::new(),
            blocks: Vec::new(),
            groups: Vec::new(),
            unplaced: Vec::new(),
        }
    }

    /// Of a market that was read as it is promised.
    #[must_use]
    pub fn of(now: Instant, sites: Vec<SiteView>) -> Self {
        let mut index = Self::new(now);
        for mut site in sites {
            let blocks = std::mem::take(&mut site.blocks);
            index.put_site(site);
            for block in blocks {
                let (capacity, left) = (block.capacity(), block.left());
                index.put_block(block, capacity, &left);
            }
        }
        index.settle();
        index
    }

    /// An operator is known from now on.
    pub fn put_operator(&mut self, operator: OperatorId) {
        self.operators.insert(operator);
    }

    /// Whether an operator is known.
    #[must_use]
    pub fn knows_operator(&self, operator: &OperatorId) -> bool {
        self.operators.contains(operator)
    }

    /// Whether a site is known.
    #[must_use]
    pub fn knows_site(&self, site: &SiteName) -> bool {
        self.site_of.contains_key(site)
    }

    /// Takes in what is said of a site; its blocks stay.
    pub fn put_site(&mut self, facts: SiteView) {
        let zone = number_in(&mut self.zones, facts.zone);
        let region = number_in(&mut self.regions, facts.region());
        let mark = Mark { region, is_gone: false, has_grid: !facts.grid_steps.is_empty() };
        self.operators.insert(facts.name.operator.clone());
        if let Some(&number) = self.site_of.get(&facts.name) {
            let site = &mut self.sites[number];
            (site.facts, site.zone) = (facts, zone);
            site.forget();
            self.marks[number] = mark;
        } else {
            self.site_of.insert(facts.name.clone(), self.sites.len());
            let (drawn, booked_most) = (OnceLock::new(), OnceLock::new());
            self.sites.push(Site { facts, zone, blocks: BTreeMap::new(), drawn, booked_most });
            self.marks.push(mark);
        }
    }

    /// Forgets a site and its blocks.
    pub fn remove_site(&mut self, name: &SiteName) {
        for block in self.blocks_of(name) {
            self.remove_block(&block);
        }
        if let Some(number) = self.site_of.remove(name) {
            self.marks[number].is_gone = true;
        }
    }

    /// Forgets a block.
    pub fn remove_block(&mut self, name: &BlockName) {
        let Some(block) = self.block_of(name) else { return };
        match self.unplaced.iter().position(|unplaced| *unplaced == block) {
            Some(at) => drop(self.unplaced.remove(at)),
            None => self.displace(block),
        }
        let site = &mut self.sites[self.blocks[block].site];
        site.blocks.remove(&name.block);
        site.forget();
    }

    /// Takes in a block of a known site as it is now: what it has and what is left of it, which is below zero where more
    /// is promised than there is. New blocks are found after
    /// [`Index::settle`]. False if its site is not known.
    pub fn put_block(
        &mut self,
        view: BlockView,
        capacity: StepFunction<CapacityVector>,
        left: &StepFunction<CapacityVector>,
    ) -> bool {
        let Some(&number) = self.site_of.get(&view.name.site_name()) else { return false };
        let free = Packed::of(left);
        let entry = Entry {
            site: number,
            slug: view.name.block,
            rate: view.rate,
            traits: view.traits,
            phases: view.phases.into(),
            capacity,
            free,
        };
        let site = &mut self.sites[number];
        site.forget();
        match site.blocks.get(&entry.slug).copied() {
            Some(block) if self.unplaced.contains(&block) => self.blocks[block] = entry,
            Some(block) => {
                // Its price may be another, and with it its place.
                self.displace(block);
                self.blocks[block] = entry;
                self.place(block);
            }
            None => {
                let block = self.blocks.len();
                site.blocks.insert(entry.slug.clone(), block);
                self.blocks.push(entry);
                self.unplaced.push(block);
            }
        }
        true
    }

    /// Puts new blocks into the order of price.
    pub fn settle(&mut self) {
        let unplaced = std::mem::take(&mut self.unplaced);
        if unplaced.len() > self.placed() {
            self.order_all();
        } else {
            for block in unplaced {
                self.place(block);
            }
        }
    }

    /// Reservations take and give back this of a block. False if the block is not known. All of it at once, since the
    /// work is that of writing the whole block anew, however much has changed.
    pub fn change(
        &mut self,
        name: &BlockName,
        taken: &[(Interval, CapacityVector)],
        given_back: &[(Interval, CapacityVector)],
    ) -> bool {
        let Some(block) = self.block_of(name) else { return false };
        let entry = &mut self.blocks[block];
        let less = taken.iter().map(|(interval, kw)| (*interval, Resource::ALL.map(|lane| -kw.get(lane))));
        let more =
            given_back.iter().map(|(interval, kw)| (*interval, Resource::ALL.map(|lane| kw.get(lane))));
        let touched = taken.iter().chain(given_back).map(|(interval, _)| self.calendar.touched_by(*interval));
        let touched = touched.reduce(|all, own| all.start.min(own.start)..all.end.max(own.end));
        let (free, touched) = match entry.free.changed(less.chain(more)) {
            Some(free) => (free, touched.unwrap_or(0..0)),
            // Beyond the range of the type, which bounded lanes never are, nothing is free.
            None => (Packed::of(&StepFunction::zero()), 0..SLOTS),
        };
        entry.free = free;
        let minima = self.calendar.minima(&entry.free, touched.clone());
        self.sites[entry.site].booked_most = OnceLock::new();
        self.measure_again(block, &minima, touched);
        true
    }

    fn block_of(&self, name: &BlockName) -> Option<usize> {
        let site = *self.site_of.get(&name.site_name())?;
        self.sites[site].blocks.get(&name.block).copied()
    }

    /// The blocks of a site, to be read again when all of it may have changed.
    #[must_use]
    pub fn blocks_of(&self, site: &SiteName) -> Vec<BlockName> {
        let Some(&number) = self.site_of.get(site) else { return Vec::new() };
        let name = |slug: &BlockSlug| BlockName::new(site.operator.clone(), site.site.clone(), slug.clone());
        self.sites[number].blocks.keys().map(name).collect()
    }

    /// What is free of a block, if it is known.
    #[must_use]
    pub fn free_of(&self, block: &BlockName) -> Option<StepFunction<CapacityVector>> {
        Some(self.blocks[self.block_of(block)?].free.steps().pointwise_max(&StepFunction::zero()))
    }

    fn name_of(&self, block: usize) -> BlockName {
        let entry = &self.blocks[block];
        let site = &self.sites[entry.site].facts.name;
        BlockName::new(site.operator.clone(), site.site.clone(), entry.slug.clone())
    }

    /// How many blocks it holds.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sites.iter().map(|site| site.blocks.len()).sum()
    }

    /// Whether it holds no block.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes it takes, without what the allocator adds.
    #[must_use]
    pub fn bytes(&self) -> usize {
        let blocks: usize = self.blocks.iter().map(Entry::bytes).sum();
        let groups: usize = self.groups.iter().map(Group::bytes).sum();
        let sites: usize = self.sites.iter().map(Site::bytes).sum();
        blocks + groups + sites + self.site_of.len() * size_of::<(SiteName, usize, Mark)>()
    }

    /// Works out what the first questions would otherwise wait for.
    pub fn warm(&self) {
        for site in &self.sites {
            self.drawn_of(site);
            self.booked_most_of(site);
        }
    }

    fn drawn_of<'a>(&self, site: &'a Site) -> &'a DrawnAfter {
        site.drawn.get_or_init(|| {
            let phases = site.blocks.values().flat_map(|&block| self.blocks[block].phases.iter());
            DrawnAfter::of(phases)
        })
    }

    /// The most IT load that is booked on a site at any instant; only told where something is compared with it.
    fn booked_most_of(&self, site: &Site) -> i64 {
        if site.facts.reported_leased_it_kw.is_none() {
            return 0;
        }
        *site.booked_most.get_or_init(|| {
            let booked = site.blocks.values().map(|&block| {
                let entry = &self.blocks[block];
                entry.capacity.sub(&entry.free.steps()).unwrap_or_default()
            });
            convertible::most_it(booked)
        })
    }
}

/// The number of a value in a list of few, which it joins where it is not in it.
fn number_in<T: PartialEq>(list: &mut Vec<T>, value: T) -> usize {
    list.iter().position(|known| *known == value).unwrap_or_else(|| {
        list.push(value);
        list.len() - 1
    })
}

impl Site {
    fn forget(&mut self) {
        self.drawn = OnceLock::new();
        self.booked_most = OnceLock::new();
    }

    fn bytes(&self) -> usize {
        let slugs: usize = self.blocks.keys().map(|slug| slug.as_str().len()).sum();
        let texts = &self.facts;
        size_of::<Self>()
            + slugs
            + self.blocks.len() * size_of::<(BlockSlug, usize)>()
            + size_of_val(&*texts.grid_steps)
            + texts.country_code.len()
            + texts.grid_iso.len()
            + texts.state_code.len()
            + self.drawn.get().map_or(0, DrawnAfter::bytes)
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        size_of::<Self>()
            + self.slug.as_str().len()
            + size_of_val(&*self.phases)
            + size_of_val(self.capacity.steps())
            + self.free.bytes()
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
