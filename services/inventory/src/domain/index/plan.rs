//! One question, made ready: which sites it is about, and what must be free in which slots for a block to be looked at.

use std::ops::Range;

use kernel::{CapacityVector, CivilDate, Instant, Interval, OperatorId, Zone};

use super::group::{Column, Group, PLACES, bit, least};
use super::packed::LANES;
use super::slots::{Calendar, Minima, Row, SLOTS, at_most, floors};
use super::{Entry, Index};
use crate::domain::search::{Filter, Need, part_of, share_by, term_from};

/// When terms may begin in one zone.
#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    /// The first term.
    pub(super) first: Interval,
    /// Its first day.
    pub(super) day: CivilDate,
    /// The first instant that is too late to begin.
    pub(super) until: Option<Instant>,
}

/// What must be reached in each lane, as buckets.
pub(super) type Floors = [u16; LANES];

/// Slots of which something is said: those that are kept, and some beyond of which nothing is known.
const KNOWN: usize = 128;

/// By slot, the blocks of a group that may carry a need through a term that begins in it, a bit each.
pub(super) type Starts = [u64; KNOWN];

/// A question made ready.
#[derive(Clone)]
pub(super) struct Plan<'a> {
    pub(super) need: Need,
    pub(super) filter: &'a Filter,
    /// By site: whether the caller sees it, and whether it is asked for.
    pub(super) seen: Vec<bool>,
    pub(super) wanted: Vec<bool>,
    /// The bits of the wanted sites.
    sites: u64,
    /// By zone; none where the term would pass the last year.
    openings: Vec<Option<Opening>>,
    floors: Floors,
    /// Slots that lie in every term that may be chosen.
    core: Range<usize>,
    /// Whole slots of any term after the one that it begins in.
    run: usize,
    /// The slots in which a term may begin, where that is known.
    begins: Option<Range<usize>>,
}

impl<'a> Plan<'a> {
    pub(super) fn new(index: &Index, own: Option<&OperatorId>, filter: &'a Filter, need: Need) -> Self {
        let facts = |site: usize| &index.sites[site].facts;
        let sees = |site: usize| own.is_none_or(|own| *own == facts(site).name.operator);
        let marks = || index.marks.iter().enumerate();
        let seen: Vec<bool> = marks().map(|(site, mark)| !mark.is_gone && sees(site)).collect();
        let regions: Vec<bool> = index.regions.iter().map(|region| filter.wants_region(region)).collect();
        let whole = filter.wants_whole_regions();
        let wants = |site: usize| whole || filter.wants_among_its_region(facts(site));
        let wanted: Vec<bool> =
            marks().map(|(site, mark)| seen[site] && regions[mark.region] && wants(site)).collect();
        let sites = wanted.iter().enumerate().filter(|(_, wanted)| **wanted).map(|(site, _)| bit(site));
        let mut plan = Self {
            sites: sites.fold(0, |all, bit| all | bit),
            need,
            filter,
            seen,
            wanted,
            floors: floors(need.capacity),
            core: 0..0,
            run: 0,
            begins: None,
            openings: Vec::new(),
        };
        plan.lay_out(index);
        plan
    }

    /// The same question with no last start.
    pub(super) fn whenever(&self, index: &Index) -> Self {
        let mut plan = self.clone();
        plan.need.until = None;
        plan.lay_out(index);
        plan
    }

    fn lay_out(&mut self, index: &Index) {
        let (need, calendar) = (self.need, index.calendar);
        let opening = |zone: &Zone| {
            let first = term_from(*zone, need.months, zone.start_of_day(need.from))?;
            let day = zone.date_of(first.start());
            Some(Opening { first, day, until: need.until.map(|until| zone.start_of_day(until)) })
        };
        self.openings = index.zones.iter().map(opening).collect();
        (self.core, self.run, self.begins) = (0..0, 0, None);
        let known: Vec<Opening> = self.openings.iter().flatten().copied().collect();
        let Some(earliest) = known.iter().map(|opening| opening.first.start()).min() else { return };
        let shortest = known.iter().map(|opening| opening.first.duration().num_seconds()).min().unwrap_or(0);
        // A later term may be shorter by a leap day and an hour or two.
        self.run = Calendar::whole_in((shortest - 2 * 86_400).max(0));
        let latest = known.iter().map(|opening| opening.until).max().flatten();
        let ends = known.iter().map(|opening| opening.first.end()).min().unwrap_or(earliest);
        if let Some(latest) = latest.filter(|latest| *latest < ends) {
            self.core = calendar.within(latest, ends);
        }
        self.begins = calendar.slot_of(earliest).map(|first| {
            let last = latest.and_then(|latest| calendar.slot_of(latest));
            first..last.map_or(usize::MAX, |last| last + 1)
        });
    }

    /// The sites that are asked for.
    pub(super) fn wanted_sites(&self) -> impl Iterator<Item = usize> + '_ {
        self.wanted.iter().enumerate().filter(|(_, wanted)| **wanted).map(|(site, _)| site)
    }

    pub(super) fn opening(&self, index: &Index, block: &Entry) -> Option<Opening> {
        self.openings[index.sites[block.site].zone]
    }

    /// Whether a group has a block of a wanted site.
    pub(super) fn has_wanted(&self, group: &Group) -> bool {
        group.sites & self.sites != 0
    }

    /// Whether a block is asked for: place, price and what the load needs of it.
    pub(super) fn wants(&self, block: &Entry) -> bool {
        self.wanted[block.site] && self.filter.wants_rate(block.rate) && block.traits.suit(&self.filter.suits)
    }

    /// The buckets of so much IT load in the need's shares.
    pub(super) fn floors_of(&self, it_kw: i64) -> Floors {
        floors(part_of(self.need.capacity, it_kw))
    }

    /// False: no block of this group can carry the need in the window.
    pub(super) fn group_may(&self, group: &Group) -> bool {
        // Where terms may begin tells little beside what lies in all of them.
        let holds = |(lane, floor): (usize, u16)| {
            group.maxima[lane].over(self.core.clone()).all(|value| value >= floor)
        };
        needed(&self.floors).all(holds) && (!self.core.is_empty() || self.starts(group) != 0)
    }

    /// The slots in which a term that some block of a group may carry may begin, a bit each. What lies beyond the slots may.
    fn starts(&self, group: &Group) -> u128 {
        // What lies beyond the slots may carry it, but not where no time does.
        if needed(&self.floors).any(|(lane, floor)| group.ever[lane] < floor) {
            return 0;
        }
        let Some(begins) = &self.begins else { return u128::MAX };
        let mut pass = u128::MAX;
        for (lane, floor) in needed(&self.floors) {
            pass &= reaching(&group.maxima[lane].slots, floor) | up_to(begins.start);
        }
        // The first whole slot of a term is the one after that in which it begins.
        let starts = down(run(pass, self.run), 1);
        starts & up_to(begins.end) & !up_to(begins.start)
    }

    /// Of these blocks of a group, those that may carry the need in the window, a bit each.
    pub(super) fn places_that_may(&self, group: &Group, places: u64) -> u64 {
        self.places_that_may_carry(group, places, &self.floors)
    }

    /// Of these blocks of a group, those that may carry so much IT load, in the need's shares, in the window, a bit each.
    pub(super) fn places_that_may_carry(&self, group: &Group, mut places: u64, part: &Floors) -> u64 {
        if self.core.is_empty() {
            return self.starts_of(group, places, part).into_iter().fold(0, |all, starts| all | starts);
        }
        for (lane, floor) in needed(part) {
            let Some(columns) = &group.minima[lane] else { return 0 };
            for columns in columns.over(self.core.clone()).into_iter().filter(|columns| !columns.is_empty()) {
                places &= places_reaching(&least(columns), floor);
                if places == 0 {
                    return 0;
                }
            }
        }
        places
    }

    /// Of these blocks of a group, by slot, those that may carry the need through a term that begins in it.
    pub(super) fn starts_in_group(&self, group: &Group, places: u64) -> Starts {
        self.starts_of(group, places, &self.floors)
    }

    /// As [`Self::starts`], block by block.
    fn starts_of(&self, group: &Group, mut places: u64, floors: &Floors) -> Starts {
        let mut pass = [0; KNOWN];
        for (lane, floor) in needed(floors) {
            places &= places_reaching(&group.evers[lane], floor);
        }
        if places == 0 {
            return pass;
        }
        let Some(begins) = &self.begins else { return [places; KNOWN] };
        pass.fill(places);
        // No term that begins in time fills a later slot.
        let filled = begins.start..begins.end.saturating_add(self.run + 1).min(SLOTS);
        for (lane, floor) in needed(floors) {
            let Some(columns) = &group.minima[lane] else { return [0; KNOWN] };
            for (pass, column) in pass.iter_mut().zip(&columns.slots).take(filled.end).skip(filled.start) {
                if *pass != 0 {
                    *pass &= places_reaching(column, floor);
                }
            }
        }
        if self.run == 0 {
            pass.fill(places);
        }
        run_of_all(&mut pass[..(filled.end + 1).min(KNOWN)], self.run);
        // The first whole slot of a term is the one after that in which it begins.
        let mut starts = [0; KNOWN];
        for (slot, starts) in starts.iter_mut().enumerate().take(begins.end).skip(begins.start) {
            *starts = pass.get(slot + 1).copied().unwrap_or(places);
        }
        starts
    }

    /// Whether the slots in which terms begin are kept ones.
    pub(super) fn knows_slots(&self) -> bool {
        self.begins.is_some()
    }

    /// The first slot in which a term that some block of a group may carry may begin; `None`: there is none.
    pub(super) fn first_slot_of_group(&self, group: &Group) -> Option<usize> {
        let starts = self.starts(group);
        (starts != 0).then(|| usize::try_from(starts.trailing_zeros()).unwrap_or(0))
    }

    /// No window of any block of the group carries more IT load than this, in the need's shares.
    pub(super) fn most_of_group(&self, group: &Group) -> i64 {
        self.most(|lane, slots| [group.maxima[lane].over(slots).min().unwrap_or(u16::MAX)])[0]
    }

    /// No window of a block of the group carries more IT load than this, in the need's shares, block by block.
    pub(super) fn most_in_group(&self, group: &Group) -> [i64; PLACES] {
        self.most(|lane, slots| {
            let Some(columns) = &group.minima[lane] else { return [0; PLACES] };
            least(&columns.over(slots).map(least))
        })
    }

    /// The most that any window carries of what has so much in a lane at least throughout some slots.
    fn most<const N: usize>(&self, least: impl Fn(usize, Range<usize>) -> [u16; N]) -> [i64; N] {
        let within = |slots: Range<usize>| {
            let lanes: [[u16; N]; LANES] = std::array::from_fn(|lane| {
                if self.floors[lane] > 0 { least(lane, slots.clone()) } else { [u16::MAX; N] }
            });
            std::array::from_fn(|one| self.share(|lane| at_most(lanes[lane][one])))
        };
        let always: [i64; N] = if self.core.is_empty() { [i64::MAX; N] } else { within(self.core.clone()) };
        let Some(begins) = self.begins.clone().filter(|begins| begins.end <= SLOTS && self.run > 0) else {
            return always;
        };
        // Whatever slot a term begins in, it fills those after it.
        let filled = |first: usize| (first + 1).min(SLOTS)..(first + 1 + self.run).min(SLOTS);
        let most = begins
            .map(|first| within(filled(first)))
            .reduce(|most, own| std::array::from_fn(|one| i64::max(most[one], own[one])));
        most.map_or(always, |most| std::array::from_fn(|one| i64::min(most[one], always[one])))
    }

    /// The IT load that lanes carry in the need's shares.
    fn share(&self, lane_kw: impl Fn(usize) -> i64) -> i64 {
        share_by(|lane| lane_kw(lane as usize), self.need.capacity)
    }

    /// For each slot, the most IT load that a block may carry through a term that begins in it.
    pub(super) fn most_by_slot(&self, block: &Minima) -> [i64; SLOTS] {
        let most: [i64; SLOTS] =
            std::array::from_fn(|slot| self.share(|lane| at_most(block.rows[lane][slot])));
        let mut reach = [i64::MAX; SLOTS];
        for (slot, reach) in reach.iter_mut().enumerate() {
            let later = most.iter().skip(slot + 1).take(self.run);
            *reach = later.copied().min().unwrap_or(i64::MAX);
        }
        reach
    }

    /// The first acceptable term throughout which a block carries the need, and what is free of it throughout.
    pub(super) fn term_of(&self, index: &Index, block: &Entry) -> Option<(Interval, CapacityVector)> {
        let opening = self.opening(index, block)?;
        let zone = index.zones[index.sites[block.site].zone];
        let window = |at| term_from(zone, self.need.months, at);
        block.free.earliest_window(opening.first, window, self.need.capacity, opening.until)
    }
}

fn needed(floors: &Floors) -> impl Iterator<Item = (usize, u16)> + '_ {
    floors.iter().copied().enumerate().filter(|(_, floor)| *floor > 0)
}

/// Bits moved down, with ones from above: nothing is known of what lies beyond.
fn down(bits: u128, by: u32) -> u128 {
    if by >= 128 { u128::MAX } else { (bits >> by) | !(u128::MAX >> by) }
}

/// The bits below a place.
fn up_to(place: usize) -> u128 {
    u32::try_from(place).ok().filter(|place| *place < 128).map_or(u128::MAX, |place| (1 << place) - 1)
}

/// The places from which on so many bits in a row are set.
fn run(bits: u128, length: usize) -> u128 {
    let Ok(length) = u32::try_from(length) else { return u128::MAX };
    if length == 0 {
        return u128::MAX;
    }
    let (mut found, mut have) = (bits, 1);
    while have < length {
        let step = have.min(length - have);
        found &= down(found, step);
        have += step;
    }
    found
}

/// The same for many at once, each of which is a bit of every number.
fn run_of_all(bits: &mut [u64], length: usize) {
    let mut have = 1;
    while have < length {
        let step = have.min(length - have);
        for place in 0..bits.len().saturating_sub(step) {
            bits[place] &= bits[place + step];
        }
        have += step;
    }
}

/// The slots whose value is at least so much, a bit each.
fn reaching(row: &Row, floor: u16) -> u128 {
    // Of what lies beyond nothing is known.
    reached(row, floor).rev().fold(0, |bits, eight| (bits << 8) | u128::from(eight)) | !up_to(SLOTS)
}

/// The blocks whose value is at least so much, a bit each.
fn places_reaching(column: &Column, floor: u16) -> u64 {
    reached(column, floor).rev().fold(0, |bits, eight| (bits << 8) | eight)
}

/// For eight values each, a bit for those that are at least so much.
fn reached<const N: usize>(values: &[u16; N], floor: u16) -> impl DoubleEndedIterator<Item = u64> {
    // Bytes first, since the processor compares many values at once to as many bytes, and then a product whose highest byte has
    // the lowest bit of each of eight.
    let mut bytes = [0; N];
    for (byte, value) in bytes.iter_mut().zip(values) {
        *byte = u8::from(*value >= floor);
    }
    (0..N / 8).map(move |at| {
        let eight = bytes.as_chunks().0[at];
        u64::from_le_bytes(eight).wrapping_mul(0x0102_0408_1020_4080) >> 56
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::index::samples::{market, need, now};

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]

        #[test]
        fn a_group_says_of_each_block_what_the_block_says(market in market(), need in need()) {
            let (index, filter) = (Index::of(now(), market), Filter::default());
            let plan = Plan::new(&index, None, &filter, need);
            for group in &index.groups {
                let all = group.places(|_| true);
                let (starts, may) = (plan.starts_in_group(group, all), plan.places_that_may(group, all));
                let most = plan.most_in_group(group);
                for (place, block) in group.blocks.iter().enumerate() {
                    let entry = &index.blocks[*block];
                    let own = |bits: u64| bits & (1 << place) != 0;
                    let told = starts.iter().rev().fold(0, |bits, starts| (bits << 1) | u128::from(own(*starts)));
                    // As a group of its own.
                    let mut alone = Group::new();
                    alone.insert(0, *block, entry.site, &index.calendar.minima(&entry.free, 0..SLOTS));
                    prop_assert_eq!(told, plan.starts(&alone));
                    prop_assert_eq!(own(may), plan.group_may(&alone));
                    prop_assert_eq!(most[place], plan.most_of_group(&alone));
                }
            }
        }
    }

    #[test]
    fn runs_are_found_and_the_unknown_counts_as_set() {
        assert_eq!(run(0b0111_0110, 3) & 0xff, 0b0001_0000);
        assert_eq!(run(0b1, 1), 0b1);
        assert_eq!(run(0, 0), u128::MAX);
        let top = 0b11 << 126;
        assert_eq!(run(top, 5), top, "beyond the end everything may be");
        assert_eq!(up_to(3), 0b111);
        assert_eq!(up_to(usize::MAX), u128::MAX);
    }
}
