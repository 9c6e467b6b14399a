//! The slow, obvious model of what inventory promises: everything in plain maps, every question answered by looking at
//! every edge. It shares words with the service, and no code: where the two differ, one of them is wrong.

mod capacity;
mod deeds;
mod dice;
mod reservations;

use std::collections::{BTreeMap, BTreeSet};

use kernel::{CapacityVector, CivilDate, Instant, Zone};

pub(crate) use capacity::{Level, Plan};
pub(crate) use deeds::{DAYS, Deed, Draft, Mind, Power, Where};
pub(crate) use dice::Dice;

/// Names what a deed makes: the number of the deed, times 32, plus which of several it is.
pub(crate) type Key = u64;

/// The lanes of a capacity vector, in the order in which refusals name them.
pub(crate) type Lanes = [i64; 5];

/// How refusals name them.
pub(crate) const LANES: [&str; 5] =
    ["CRITICAL_IT", "AIR_COOLING", "LIQUID_COOLING", "IMMERSION_COOLING", "ACCELERATORS"];

pub(crate) fn lanes(kw: CapacityVector) -> Lanes {
    [kw.critical_it, kw.air, kw.liquid, kw.immersion, kw.accelerators]
}

/// A value that holds for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from: Instant,
    pub(crate) until: Instant,
    pub(crate) kw: CapacityVector,
}

impl Piece {
    fn at(&self, at: Instant) -> Lanes {
        if self.from <= at && at < self.until { lanes(self.kw) } else { [0; 5] }
    }
}

/// What is taken of a block, piece after piece.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Take {
    pub(crate) block: usize,
    pub(crate) pieces: Vec<Piece>,
}

/// Grid power from a day on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Grid {
    pub(crate) from: CivilDate,
    pub(crate) contracted: Option<i64>,
    pub(crate) interim: Option<i64>,
}

#[derive(Clone, Debug)]
pub(crate) struct Site {
    pub(crate) name: String,
    pub(crate) grid: Vec<Grid>,
}

#[derive(Clone, Debug)]
pub(crate) struct Block {
    pub(crate) site: usize,
    pub(crate) name: String,
}

#[derive(Clone, Debug)]
pub(crate) struct Phase {
    pub(crate) block: usize,
    pub(crate) name: String,
    pub(crate) state: &'static str,
    pub(crate) kw: CapacityVector,
    pub(crate) gross: i64,
    pub(crate) ready: CivilDate,
    pub(crate) end: Option<CivilDate>,
    /// Its word, gross power and first day.
    pub(crate) interim: Option<(&'static str, i64, CivilDate)>,
    pub(crate) conversion: Option<CivilDate>,
    /// When it gives, as an instant and not as a day.
    pub(crate) gives: (Instant, Instant),
}

#[derive(Clone, Debug)]
pub(crate) struct Window {
    pub(crate) block: usize,
    pub(crate) piece: Piece,
    pub(crate) state: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reservation {
    pub(crate) kind: &'static str,
    pub(crate) tenant: usize,
    /// As it was last told; a hold that has run out still says HELD.
    pub(crate) state: &'static str,
    pub(crate) until: Instant,
    pub(crate) takes: Vec<Take>,
}

/// A refusal: its reason, and the facts that tell what is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) reason: String,
    pub(crate) facts: BTreeMap<String, String>,
}

/// The facts of a refusal that are compared.
pub(crate) const FACTS: [&str; 9] = [
    "block",
    "resource",
    "firstShortTime",
    "shortKw",
    "availableKw",
    "reservationCount",
    "site",
    "contractedKw",
    "neededKw",
];

impl Refused {
    #[expect(clippy::needless_pass_by_value, reason = "a refusal is built from whatever is at hand")]
    pub(crate) fn new(reason: impl ToString) -> Self {
        Self { reason: reason.to_string(), facts: BTreeMap::new() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "a refusal is built from whatever is at hand")]
    pub(crate) fn with(mut self, fact: &str, value: impl ToString) -> Self {
        self.facts.insert(fact.to_owned(), value.to_string());
        self
    }
}

/// An instant as refusals say it.
pub(crate) fn rfc(at: Instant) -> String {
    at.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true)
}

/// One operator's sites, and everything that is promised of them.
#[derive(Clone, Debug)]
pub(crate) struct Obvious {
    pub(crate) zone: Zone,
    /// The database's time.
    pub(crate) now: Instant,
    /// Business time.
    pub(crate) business: Instant,
    pub(crate) sites: Vec<Site>,
    pub(crate) blocks: Vec<Block>,
    pub(crate) phases: BTreeMap<Key, Phase>,
    pub(crate) windows: BTreeMap<Key, Window>,
    pub(crate) reservations: BTreeMap<Key, Reservation>,
}

impl Obvious {
    /// So many sites of so many blocks each, of which nothing is known yet.
    pub(crate) fn new(operator: &str, sites: usize, blocks: usize) -> Self {
        let place = Where::default();
        let (mut all_sites, mut all_blocks) = (Vec::new(), Vec::new());
        for site in 0..sites {
            let name = format!("operators/{operator}/sites/site-{site}");
            all_blocks
                .extend((0..blocks).map(|block| Block { site, name: format!("{name}/blocks/hall-{block}") }));
            all_sites.push(Site { name, grid: Vec::new() });
        }
        Self {
            zone: place.zone,
            now: place.instant(0),
            business: place.instant(0),
            sites: all_sites,
            blocks: all_blocks,
            phases: BTreeMap::new(),
            windows: BTreeMap::new(),
            reservations: BTreeMap::new(),
        }
    }

    pub(crate) fn today(&self) -> CivilDate {
        self.zone.date_of(self.business)
    }

    /// Does a deed, the `number`th, or says why not. What it makes is named by its number.
    pub(crate) fn apply(&mut self, number: u64, deed: &Deed) -> Result<(), Refused> {
        let key = number * 32;
        match deed {
            Deed::Place { kind, tenant, minutes, takes } => self.place(key, kind, *tenant, *minutes, takes),
            Deed::Extend { of, minutes } => self.extend(*of, *minutes),
            Deed::Commit { of } => self.commit(*of),
            Deed::Release { of, by_service } => self.release(*of, *by_service),
            Deed::Amend { of, by_service, takes } => self.amend(*of, *by_service, takes),
            Deed::Split { of, by_service, parts } => self.split(key, *of, *by_service, parts),
            Deed::Merge { of, others, by_service } => self.merge(*of, others, *by_service),
            Deed::Wait { minutes } => {
                self.now += chrono::TimeDelta::minutes(*minutes);
                Ok(())
            }
            Deed::RunOut { of } => {
                let now = self.now;
                self.reservations.entry(*of).and_modify(|held| held.until = held.until.min(now));
                Ok(())
            }
            Deed::Clock { to } => {
                self.business = *to;
                Ok(())
            }
            Deed::Build { block, draft } => self.build(key, *block, draft),
            Deed::Resize { phase, power, end, accept } => self.resize(*phase, *power, *end, *accept),
            Deed::Slip { phase, ready, accept } => self.slip(*phase, *ready, *accept),
            Deed::Advance { phase, to, since, accept } => self.advance(*phase, to, *since, *accept),
            Deed::Cancel { phase, accept } => self.cancel(*phase, *accept),
            Deed::Reduce { block, piece, accept } => self.reduce(key, *block, *piece, *accept),
            Deed::Restore { window } => self.restore(*window),
            Deed::Connect { site, grid } => self.connect(*site, grid),
        }
    }

    /// The blocks of which a deed may change what is taken or given.
    pub(crate) fn touched(&self, deed: &Deed) -> BTreeSet<usize> {
        let of = |key: &Key| {
            let takes = self.reservations.get(key).map(|one| one.takes.as_slice()).unwrap_or_default();
            takes.iter().map(|take| take.block).collect::<Vec<_>>()
        };
        let named = |takes: &[Take]| takes.iter().map(|take| take.block).collect::<Vec<_>>();
        let blocks = match deed {
            Deed::Place { takes, .. } => named(takes),
            Deed::Extend { of: key, .. }
            | Deed::Commit { of: key }
            | Deed::Release { of: key, .. }
            | Deed::Split { of: key, .. } => of(key),
            Deed::Amend { of: key, takes, .. } => [of(key), named(takes)].concat(),
            Deed::Merge { of: key, others, .. } => others.iter().chain([key]).flat_map(of).collect(),
            Deed::Build { block, .. } | Deed::Reduce { block, .. } => vec![*block],
            Deed::Resize { phase, .. }
            | Deed::Slip { phase, .. }
            | Deed::Advance { phase, .. }
            | Deed::Cancel { phase, .. } => {
                self.phases.get(phase).map(|phase| phase.block).into_iter().collect()
            }
            Deed::Restore { window } => self.windows.get(window).map(|w| w.block).into_iter().collect(),
            Deed::Wait { .. } | Deed::RunOut { .. } | Deed::Clock { .. } | Deed::Connect { .. } => Vec::new(),
        };
        blocks.into_iter().collect()
    }

    /// Whether everything that a deed names exists: where a deed is left out, those that follow from it are too.
    pub(crate) fn knows(&self, deed: &Deed) -> bool {
        match deed {
            Deed::Extend { of, .. }
            | Deed::Commit { of }
            | Deed::Release { of, .. }
            | Deed::Amend { of, .. }
            | Deed::Split { of, .. }
            | Deed::RunOut { of } => self.reservations.contains_key(of),
            Deed::Merge { of, others, .. } => {
                others.iter().chain([of]).all(|key| self.reservations.contains_key(key))
            }
            Deed::Resize { phase, .. }
            | Deed::Slip { phase, .. }
            | Deed::Advance { phase, .. }
            | Deed::Cancel { phase, .. } => self.phases.contains_key(phase),
            Deed::Restore { window } => self.windows.contains_key(window),
            Deed::Place { .. }
            | Deed::Wait { .. }
            | Deed::Clock { .. }
            | Deed::Build { .. }
            | Deed::Reduce { .. }
            | Deed::Connect { .. } => true,
        }
    }
}
