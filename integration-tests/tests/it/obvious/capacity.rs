//! Capacity in the obvious model: what is given at every edge, who is short, and what the grid carries on every day.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{CapacityVector, CivilDate, Instant};

use super::{Draft, Grid, Key, LANES, Lanes, Obvious, Phase, Piece, Power, Refused, Window, lanes, rfc};

/// What a block gives and what is taken of it, from an edge on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Level {
    pub(crate) given: Lanes,
    pub(crate) used: Lanes,
    /// Committed to leases, to options, in holds, in own use.
    pub(crate) shares: [Lanes; 4],
}

/// What each reservation is short of, from each edge on at which it is short.
pub(crate) type Short = BTreeMap<Key, BTreeMap<Instant, Lanes>>;

/// Where a site's gross power goes at one instant.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    pub(crate) contracted: Option<i64>,
    pub(crate) leased: i64,
    pub(crate) reserved: i64,
    pub(crate) free: i64,
    pub(crate) derated: i64,
    pub(crate) converting: i64,
    pub(crate) interim: i64,
}

pub(crate) fn add(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|lane| a[lane] + b[lane])
}

/// States that may follow, by the table in the service's README.
const FOLLOWS: [(&str, &[&str]); 7] = [
    ("PLANNED", &["MINING", "HOSTING", "IDLE", "CONVERTING", "COMMISSIONING", "CANCELLED"]),
    ("MINING", &["HOSTING", "IDLE", "CONVERTING", "CANCELLED"]),
    ("HOSTING", &["MINING", "IDLE", "CONVERTING", "CANCELLED"]),
    ("IDLE", &["MINING", "HOSTING", "CONVERTING", "CANCELLED"]),
    ("CONVERTING", &["IDLE", "COMMISSIONING", "CANCELLED"]),
    ("COMMISSIONING", &["CONVERTING", "READY", "CANCELLED"]),
    ("READY", &["RETIRED"]),
];

fn may_follow(from: &str, to: &str) -> Result<(), Refused> {
    let known = FOLLOWS.iter().any(|(state, next)| *state == from && next.contains(&to));
    if known { Ok(()) } else { Err(Refused::new("INVALID_STATE_TRANSITION")) }
}

fn invalid() -> Refused {
    Refused::new("INVALID_FIELD")
}

impl Phase {
    fn gives_at(&self, at: Instant) -> bool {
        self.state != "CANCELLED" && self.gives.0 <= at && at < self.gives.1
    }

    /// Gross power on a day, and whether the tranche is in service, dark, or in interim use.
    fn draws_on(&self, day: CivilDate) -> (&'static str, i64) {
        let interim = self.interim.map_or(0, |interim| interim.1);
        if self.state == "CANCELLED" {
            return ("none", 0);
        }
        if day >= self.ready {
            return if self.end.is_none_or(|end| day < end) { ("service", self.gross) } else { ("none", 0) };
        }
        if self.conversion.is_some_and(|start| start <= day) {
            return ("dark", self.gross.max(interim));
        }
        match self.interim {
            Some((word, kw, from)) if from <= day => (if word == "IDLE" { "dark" } else { "interim" }, kw),
            _ => ("none", 0),
        }
    }

    fn check(&self) -> Result<(), Refused> {
        let before = self.conversion.unwrap_or(self.ready);
        let holds = self.gross >= self.kw.critical_it
            && self.kw.critical_it > 0
            && self.end.is_none_or(|end| self.ready < end)
            && self.conversion.is_none_or(|start| start < self.ready)
            && self.interim.is_none_or(|(_, _, from)| from < before);
        if holds { Ok(()) } else { Err(invalid()) }
    }
}

impl Obvious {
    /// Everything about a block that may change, at every edge at which it may; `also` are edges of the question.
    pub(crate) fn levels(&self, block: usize, without: &[Key], also: &[Instant]) -> BTreeMap<Instant, Level> {
        let phases: Vec<&Phase> =
            self.phases.values().filter(|p| p.block == block && p.state != "CANCELLED").collect();
        let windows: Vec<&Window> =
            self.windows.values().filter(|w| w.block == block && w.state != "CANCELLED").collect();
        let mut takers: Vec<(usize, &Piece)> = Vec::new();
        for (_, one) in
            self.reservations.iter().filter(|(key, one)| self.is_live(one) && !without.contains(key))
        {
            let share = match (one.state, one.kind) {
                ("COMMITTED", "LEASE") => 0,
                ("COMMITTED", "OPTION") => 1,
                ("COMMITTED", "OPERATOR_USE") => 3,
                _ => 2,
            };
            let takes = one.takes.iter().filter(|take| take.block == block);
            takers.extend(takes.flat_map(|take| &take.pieces).map(|piece| (share, piece)));
        }
        let mut edges: BTreeSet<Instant> = also.iter().copied().collect();
        edges.extend(phases.iter().flat_map(|phase| [phase.gives.0, phase.gives.1]));
        edges.extend(windows.iter().flat_map(|window| [window.piece.from, window.piece.until]));
        edges.extend(takers.iter().flat_map(|(_, piece)| [piece.from, piece.until]));
        let level = |at: Instant| {
            let mut level = Level::default();
            for phase in phases.iter().filter(|phase| phase.gives_at(at)) {
                level.given = add(level.given, lanes(phase.kw));
            }
            let less = windows.iter().fold([0; 5], |sum, window| add(sum, window.piece.at(at)));
            level.given = std::array::from_fn(|lane| (level.given[lane] - less[lane]).max(0));
            for (share, piece) in &takers {
                let kw = piece.at(at);
                level.used = add(level.used, kw);
                level.shares[*share] = add(level.shares[*share], kw);
            }
            level
        };
        edges.into_iter().map(|at| (at, level(at))).collect()
    }

    /// Who is short of what at every edge, and at these: holds before commitments, and who came last first, lane by
    /// lane.
    pub(crate) fn short(&self, block: usize, also: &[Instant]) -> Short {
        let mut short = Short::new();
        let mut takers: Vec<(bool, Key)> = self
            .reservations
            .iter()
            .filter(|(_, one)| self.is_live(one) && one.takes.iter().any(|take| take.block == block))
            .map(|(key, one)| (one.state == "COMMITTED", *key))
            .collect();
        takers.sort_by_key(|(committed, key)| (*committed, std::cmp::Reverse(*key)));
        for (at, level) in self.levels(block, &[], also) {
            for lane in 0..5 {
                let mut missing = level.used[lane] - level.given[lane];
                for (_, key) in takers.iter().take_while(|_| level.used[lane] > level.given[lane]) {
                    let takes = self.reservations[key].takes.iter().filter(|take| take.block == block);
                    let own: i64 = takes.flat_map(|t| &t.pieces).map(|piece| piece.at(at)[lane]).sum();
                    let share = own.min(missing).max(0);
                    if share > 0 {
                        short.entry(*key).or_default().entry(at).or_default()[lane] = share;
                        missing -= share;
                    }
                }
            }
        }
        short
    }

    /// Goes on with a change of a block's capacity, unless somebody is hurt more than before and that is not accepted.
    fn settle(&mut self, block: usize, accept: bool, changed: Self) -> Result<(), Refused> {
        if !accept {
            let edges: Vec<Instant> = self.levels(block, &[], &[]).into_keys().collect();
            let edges: Vec<Instant> = changed.levels(block, &[], &edges).into_keys().collect();
            let (before, after) = (self.short(block, &edges), changed.short(block, &edges));
            let was = |key: &Key, at: &Instant| {
                before.get(key).and_then(|shares| shares.get(at)).copied().unwrap_or_default()
            };
            let worse = |key: &Key, shares: &BTreeMap<Instant, Lanes>| {
                shares.iter().any(|(at, share)| (0..5).any(|lane| share[lane] > was(key, at)[lane]))
            };
            let hurt: Vec<_> = after.iter().filter(|(key, shares)| worse(key, shares)).collect();
            let first =
                hurt.iter().filter_map(|(key, steps)| Some((*steps.first_key_value()?.0, **key))).min();
            if let Some((at, key)) = first {
                let share = after[&key][&at];
                let lane = (0..5).find(|lane| share[*lane] > 0).unwrap_or(0);
                return Err(Refused::new("CAPACITY_COMMITTED")
                    .with("block", &self.blocks[block].name)
                    .with("reservationCount", hurt.len())
                    .with("resource", LANES[lane])
                    .with("firstShortTime", rfc(at))
                    .with("shortKw", share[lane]));
            }
        }
        *self = changed;
        Ok(())
    }

    /// The site's limit on every day on which something changes.
    fn check_grid(&self, site: usize) -> Result<(), Refused> {
        let phases: Vec<&Phase> =
            self.phases.values().filter(|phase| self.blocks[phase.block].site == site).collect();
        let grid = &self.sites[site].grid;
        let mut days: BTreeSet<CivilDate> = grid.iter().map(|step| step.from).collect();
        for phase in phases.iter().filter(|phase| phase.state != "CANCELLED") {
            days.extend([Some(phase.ready), phase.end, phase.conversion].into_iter().flatten());
            days.extend(phase.interim.map(|interim| interim.2));
        }
        for day in days {
            let drawn: i64 = phases.iter().map(|phase| phase.draws_on(day).1).sum();
            let step = grid.iter().rfind(|step| step.from <= day);
            let needed = drawn + step.and_then(|step| step.interim).unwrap_or(0);
            if let Some(contracted) = step.and_then(|step| step.contracted).filter(|kw| needed > *kw) {
                return Err(Refused::new("SITE_POWER_EXCEEDED")
                    .with("site", &self.sites[site].name)
                    .with("contractedKw", contracted)
                    .with("neededKw", needed));
            }
        }
        Ok(())
    }

    fn put(&mut self, key: Key, mut phase: Phase, accept: bool) -> Result<(), Refused> {
        let end = phase.end.map_or_else(kernel::time::max_instant, |end| self.zone.start_of_day(end));
        phase.gives = (self.zone.start_of_day(phase.ready), end);
        let block = phase.block;
        let mut changed = self.clone();
        changed.phases.insert(key, phase);
        changed.check_grid(self.blocks[block].site)?;
        self.settle(block, accept, changed)
    }

    pub(super) fn build(&mut self, key: Key, block: usize, draft: &Draft) -> Result<(), Refused> {
        let (kw, gross) = match draft.power {
            Power { kw, gross: Some(gross) } if kw.critical_it == 0 => {
                (CapacityVector { critical_it: gross * 7 / 10, ..kw }, gross)
            }
            Power { kw, gross: Some(gross) } => (kw, gross),
            Power { kw, gross: None } => (kw, (kw.critical_it * 10 + 6) / 7),
        };
        let state = match (draft.is_actual, draft.interim) {
            (true, _) => "READY",
            (false, Some((word, ..))) => word,
            (false, None) => "PLANNED",
        };
        let phase = Phase {
            block,
            name: format!("{}/phases/p{key}", self.blocks[block].name),
            state,
            kw,
            gross,
            ready: draft.ready,
            end: draft.end,
            interim: draft.interim.map(|(word, kw, from)| (word, kw, from.unwrap_or(self.today()))),
            conversion: draft.conversion,
            gives: (self.now, self.now),
        };
        phase.check()?;
        self.put(key, phase, false)
    }

    pub(super) fn resize(
        &mut self,
        key: Key,
        power: Power,
        end: Option<CivilDate>,
        accept: bool,
    ) -> Result<(), Refused> {
        let phase = self.phases[&key].clone();
        if ["RETIRED", "CANCELLED"].contains(&phase.state) {
            return Err(Refused::new("INVALID_STATE_TRANSITION"));
        }
        let changed = Phase { kw: power.kw, gross: power.gross.unwrap_or(0), end, ..phase };
        changed.check()?;
        self.put(key, changed, accept)
    }

    pub(super) fn slip(&mut self, key: Key, ready: CivilDate, accept: bool) -> Result<(), Refused> {
        let phase = self.phases[&key].clone();
        if ["READY", "RETIRED", "CANCELLED"].contains(&phase.state) {
            return Err(Refused::new("INVALID_STATE_TRANSITION"));
        }
        let changed = ready_on(phase, ready)?;
        self.put(key, changed, accept)
    }

    pub(super) fn advance(
        &mut self,
        key: Key,
        to: &'static str,
        since: Option<CivilDate>,
        accept: bool,
    ) -> Result<(), Refused> {
        let mut phase = self.phases[&key].clone();
        may_follow(phase.state, to)?;
        let since = since.unwrap_or(self.today());
        if since > self.today() {
            return Err(invalid());
        }
        match to {
            "CONVERTING" if phase.conversion != Some(since) => {
                if phase.interim.is_some_and(|interim| interim.2 >= since) || since >= phase.ready {
                    return Err(invalid());
                }
                phase.conversion = Some(since);
            }
            "READY" => phase = ready_on(phase, since)?,
            "RETIRED" => {
                if since <= phase.ready {
                    return Err(invalid());
                }
                phase.end = Some(phase.end.map_or(since, |end| end.min(since)));
            }
            _ => {}
        }
        phase.state = to;
        self.put(key, phase, accept)
    }

    pub(super) fn cancel(&mut self, key: Key, accept: bool) -> Result<(), Refused> {
        let mut phase = self.phases[&key].clone();
        may_follow(phase.state, "CANCELLED")?;
        phase.state = "CANCELLED";
        self.put(key, phase, accept)
    }

    pub(super) fn reduce(
        &mut self,
        key: Key,
        block: usize,
        piece: Piece,
        accept: bool,
    ) -> Result<(), Refused> {
        let mut changed = self.clone();
        changed.windows.insert(key, Window { block, piece, state: "SCHEDULED" });
        self.settle(block, accept, changed)
    }

    pub(super) fn restore(&mut self, key: Key) -> Result<(), Refused> {
        let business = self.business;
        let Some(window) = self.windows.get_mut(&key) else { return Err(Refused::new("RESOURCE_NOT_FOUND")) };
        if window.state != "SCHEDULED" || window.piece.until <= business {
            return Err(Refused::new("INVALID_STATE_TRANSITION"));
        }
        if window.piece.from < business {
            window.piece.until = business;
            window.state = "CUT_SHORT";
        } else {
            window.state = "CANCELLED";
        }
        Ok(())
    }

    pub(super) fn connect(&mut self, site: usize, grid: &[Grid]) -> Result<(), Refused> {
        let before = std::mem::replace(&mut self.sites[site].grid, grid.to_vec());
        let checked = self.check_grid(site);
        if checked.is_err() {
            self.sites[site].grid = before;
        }
        checked
    }

    /// Where a site's gross power goes: parts are shares of what the phases in service draw, rounded down.
    pub(crate) fn plan(&self, site: usize, at: Instant) -> Plan {
        let day = self.zone.date_of(at);
        let step = self.sites[site].grid.iter().rfind(|step| step.from <= day);
        let mut plan = Plan {
            contracted: step.and_then(|step| step.contracted),
            interim: step.and_then(|step| step.interim).unwrap_or(0),
            ..Plan::default()
        };
        for phase in self.phases.values().filter(|phase| self.blocks[phase.block].site == site) {
            match phase.draws_on(day) {
                ("dark", kw) => plan.converting += kw,
                ("interim", kw) => plan.interim += kw,
                _ => {}
            }
        }
        for block in (0..self.blocks.len()).filter(|block| self.blocks[*block].site == site) {
            let here = |phase: &&Phase| phase.block == block && phase.gives_at(at);
            let gross: i64 = self.phases.values().filter(here).map(|phase| phase.gross).sum();
            let given: i64 = self.phases.values().filter(here).map(|phase| phase.kw.critical_it).sum();
            let windows = self.windows.values().filter(|w| w.block == block && w.state != "CANCELLED");
            let less: i64 = windows.map(|window| window.piece.at(at)[0]).sum();
            let level = self.levels(block, &[], &[at])[&at];
            let promised = [less, level.shares[0][0], level.used[0] - level.shares[0][0]];
            let mut left = given;
            let parts = promised.map(|load| {
                let load = load.min(left);
                left -= load;
                if given > 0 { gross * load / given } else { 0 }
            });
            plan.derated += parts[0];
            plan.leased += parts[1];
            plan.reserved += parts[2];
            plan.free += gross - parts.iter().sum::<i64>();
        }
        plan
    }
}

/// In service from another day on.
fn ready_on(mut phase: Phase, day: CivilDate) -> Result<Phase, Refused> {
    let before = phase.conversion.or(phase.interim.map(|interim| interim.2));
    if before.is_some_and(|before| before >= day) || phase.end.is_some_and(|end| end <= day) {
        return Err(invalid());
    }
    phase.ready = day;
    Ok(phase)
}
