//! Reservations in the obvious model: what may be done in which state, and whether it fits at every edge.

use std::collections::{BTreeMap, BTreeSet};

use kernel::Instant;

use super::capacity::{Level, add};
use super::{Key, LANES, Lanes, Obvious, Refused, Reservation, Take, lanes, rfc};

/// What is taken of one block at every edge.
type Taken = BTreeMap<Instant, Lanes>;

/// What is short first.
struct Short {
    lane: usize,
    first: Instant,
    short: i64,
    available: i64,
}

impl Obvious {
    /// Whether a reservation takes capacity now.
    pub(crate) fn is_live(&self, one: &Reservation) -> bool {
        one.state == "COMMITTED" || (one.state == "HELD" && one.until > self.now)
    }

    /// The state as it is shown.
    pub(crate) fn seen(&self, one: &Reservation) -> &'static str {
        if one.state == "HELD" && one.until <= self.now { "EXPIRED" } else { one.state }
    }

    /// The state table: `release` gives back, `change` takes something else, `hold` concerns holds only.
    fn may(&self, of: Key, deed: &str, by_service: bool) -> Result<(), Refused> {
        let Some(one) = self.reservations.get(&of) else { return Err(Refused::new("RESOURCE_NOT_FOUND")) };
        let reason = match (self.seen(one), deed) {
            ("HELD", _) => return Ok(()),
            ("COMMITTED", "release" | "change") if by_service => return Ok(()),
            ("COMMITTED", "release") => "INVALID_STATE_TRANSITION",
            ("COMMITTED", _) => "HOLD_ALREADY_CONFIRMED",
            ("EXPIRED", _) => "HOLD_EXPIRED",
            _ => "HOLD_RELEASED",
        };
        Err(Refused::new(reason))
    }

    pub(super) fn place(
        &mut self,
        key: Key,
        kind: &'static str,
        tenant: usize,
        minutes: i64,
        takes: &[Take],
    ) -> Result<(), Refused> {
        for take in takes {
            let edges: Vec<Instant> = take.pieces.iter().map(|piece| piece.from).collect();
            let levels = self.levels(take.block, &[], &edges);
            for piece in &take.pieces {
                let need = lanes(piece.kw).map(Some);
                if let Some(short) = first_short(&levels, piece.from, piece.until, need) {
                    return Err(self.exhausted(take.block, &short));
                }
            }
        }
        let until = self.now + chrono::TimeDelta::minutes(minutes);
        let takes = takes.to_vec();
        self.reservations.insert(key, Reservation { kind, tenant, state: "HELD", until, takes });
        Ok(())
    }

    pub(super) fn extend(&mut self, of: Key, minutes: i64) -> Result<(), Refused> {
        self.may(of, "hold", true)?;
        let until = self.now + chrono::TimeDelta::minutes(minutes);
        self.reservations.entry(of).and_modify(|held| held.until = held.until.max(until));
        Ok(())
    }

    pub(super) fn commit(&mut self, of: Key) -> Result<(), Refused> {
        self.may(of, "hold", true)?;
        self.reservations.entry(of).and_modify(|held| held.state = "COMMITTED");
        Ok(())
    }

    pub(super) fn release(&mut self, of: Key, by_service: bool) -> Result<(), Refused> {
        self.may(of, "release", by_service)?;
        self.reservations.entry(of).and_modify(|held| held.state = "RELEASED");
        Ok(())
    }

    /// Only what grows is judged, lane by lane, beside everything that others take.
    pub(super) fn amend(&mut self, of: Key, by_service: bool, takes: &[Take]) -> Result<(), Refused> {
        self.may(of, "change", by_service)?;
        let was = self.reservations[&of].takes.clone();
        let blocks: BTreeSet<usize> = was.iter().chain(takes).map(|take| take.block).collect();
        for block in blocks {
            let (before, after) = (taken(&was, block), taken(takes, block));
            let mut edges: BTreeSet<Instant> = changes(&before).into_iter().collect();
            edges.extend(changes(&after));
            let edges: Vec<Instant> = edges.into_iter().collect();
            let levels = self.levels(block, &[of], &edges);
            for (from, until) in edges.iter().zip(edges.iter().skip(1)) {
                let (old, new) = (value(&before, *from), value(&after, *from));
                let need = std::array::from_fn(|lane| (new[lane] > old[lane]).then_some(new[lane]));
                if let Some(short) = first_short(&levels, *from, *until, need) {
                    return Err(self.exhausted(block, &short));
                }
            }
        }
        self.reservations.entry(of).and_modify(|held| held.takes = takes.to_vec());
        Ok(())
    }

    pub(super) fn split(
        &mut self,
        key: Key,
        of: Key,
        by_service: bool,
        parts: &[Vec<Take>],
    ) -> Result<(), Refused> {
        self.may(of, "change", by_service)?;
        let whole = self.reservations[&of].clone();
        let together = parts.concat();
        let blocks: BTreeSet<usize> = whole.takes.iter().chain(&together).map(|take| take.block).collect();
        for block in blocks {
            let (before, after) = (taken(&whole.takes, block), taken(&together, block));
            let mut edges = before.keys().chain(after.keys());
            if edges.any(|at| value(&before, *at) != value(&after, *at)) {
                return Err(Refused::new("INVALID_FIELD"));
            }
        }
        for (takes, name) in parts.iter().zip(std::iter::once(of).chain(key + 1..)) {
            self.reservations.insert(name, Reservation { takes: takes.clone(), ..whole.clone() });
        }
        Ok(())
    }

    pub(super) fn merge(&mut self, of: Key, others: &[Key], by_service: bool) -> Result<(), Refused> {
        self.may(of, "change", by_service)?;
        let mut whole = self.reservations[&of].clone();
        let mut all = whole.takes.clone();
        for other in others {
            self.may(*other, "change", by_service)?;
            let one = &self.reservations[other];
            if (one.tenant, one.kind, one.state) != (whole.tenant, whole.kind, whole.state) {
                return Err(Refused::new("INVALID_FIELD"));
            }
            whole.until = whole.until.min(one.until);
            all.extend(one.takes.clone());
        }
        let blocks: BTreeSet<usize> = all.iter().map(|take| take.block).collect();
        whole.takes = Vec::new();
        for block in blocks {
            let take = in_one(&taken(&all, block), block).ok_or_else(|| Refused::new("INVALID_FIELD"))?;
            whole.takes.push(take);
        }
        self.reservations.insert(of, whole);
        for other in others {
            self.reservations.entry(*other).and_modify(|one| one.state = "MERGED");
        }
        Ok(())
    }

    fn exhausted(&self, block: usize, short: &Short) -> Refused {
        Refused::new("CAPACITY_EXHAUSTED")
            .with("block", &self.blocks[block].name)
            .with("resource", LANES[short.lane])
            .with("firstShortTime", rfc(short.first))
            .with("shortKw", short.short)
            .with("availableKw", short.available)
    }
}

/// The first stretch in which there is less free than is needed, and the worst of it. The levels have an edge where it
/// begins.
fn first_short(
    levels: &BTreeMap<Instant, Level>,
    from: Instant,
    until: Instant,
    need: [Option<i64>; 5],
) -> Option<Short> {
    let mut found: Option<Short> = None;
    for (at, level) in levels.range(from..until) {
        let free = |lane: usize| (level.given[lane] - level.used[lane]).max(0);
        let missing = |lane: usize| need[lane].map_or(0, |need| need - free(lane));
        match &mut found {
            None => {
                let lane = (0..5).find(|lane| missing(*lane) > 0);
                found =
                    lane.map(|lane| Short { lane, first: *at, short: missing(lane), available: free(lane) });
            }
            Some(short) if missing(short.lane) > 0 => {
                short.short = short.short.max(missing(short.lane));
                short.available = short.available.min(free(short.lane));
            }
            Some(_) => break,
        }
    }
    found
}

/// What takes add up to on a block, at every edge of theirs.
fn taken(takes: &[Take], block: usize) -> Taken {
    let pieces = takes.iter().filter(|take| take.block == block).flat_map(|take| &take.pieces);
    let pieces: Vec<_> = pieces.collect();
    let edges: BTreeSet<Instant> = pieces.iter().flat_map(|piece| [piece.from, piece.until]).collect();
    let sum = |at: Instant| pieces.iter().fold([0; 5], |sum, piece| add(sum, piece.at(at)));
    edges.into_iter().map(|at| (at, sum(at))).collect()
}

fn value(taken: &Taken, at: Instant) -> Lanes {
    taken.range(..=at).next_back().map_or([0; 5], |(_, lanes)| *lanes)
}

/// The edges at which something changes.
fn changes(taken: &Taken) -> Vec<Instant> {
    let mut last = [0; 5];
    let changed = taken.iter().filter(|(_, lanes)| std::mem::replace(&mut last, **lanes) != **lanes);
    changed.map(|(at, _)| *at).collect()
}

/// The same as one take, if there is no gap.
fn in_one(taken: &Taken, block: usize) -> Option<Take> {
    let edges = changes(taken);
    let pairs = edges.iter().zip(edges.iter().skip(1));
    let pieces = pairs.map(|(from, until)| {
        let [critical_it, air, liquid, immersion, accelerators] = value(taken, *from);
        let kw = kernel::CapacityVector { critical_it, air, liquid, immersion, accelerators };
        (!kw.is_zero()).then_some(super::Piece { from: *from, until: *until, kw })
    });
    Some(Take { block, pieces: pieces.collect::<Option<_>>()? })
}
