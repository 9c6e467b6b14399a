//! What people do to capacity, and a die that thinks of it.

use kernel::{CapacityVector, CivilDate, Instant, Zone};

use super::{Dice, Grid, Key, Obvious, Piece, Reservation, Take};

/// Something that somebody does.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    Place {
        kind: &'static str,
        tenant: usize,
        minutes: i64,
        takes: Vec<Take>,
    },
    Extend {
        of: Key,
        minutes: i64,
    },
    Commit {
        of: Key,
    },
    Release {
        of: Key,
        by_service: bool,
    },
    Amend {
        of: Key,
        by_service: bool,
        takes: Vec<Take>,
    },
    Split {
        of: Key,
        by_service: bool,
        parts: Vec<Vec<Take>>,
    },
    Merge {
        of: Key,
        others: Vec<Key>,
        by_service: bool,
    },
    /// The database's time goes on.
    Wait {
        minutes: i64,
    },
    /// The time of one hold runs out.
    RunOut {
        of: Key,
    },
    /// Business time goes on.
    Clock {
        to: Instant,
    },
    Build {
        block: usize,
        draft: Draft,
    },
    Resize {
        phase: Key,
        power: Power,
        end: Option<CivilDate>,
        accept: bool,
    },
    Slip {
        phase: Key,
        ready: CivilDate,
        accept: bool,
    },
    Advance {
        phase: Key,
        to: &'static str,
        since: Option<CivilDate>,
        accept: bool,
    },
    Cancel {
        phase: Key,
        accept: bool,
    },
    Reduce {
        block: usize,
        piece: Piece,
        accept: bool,
    },
    Restore {
        window: Key,
    },
    Connect {
        site: usize,
        grid: Vec<Grid>,
    },
}

/// What a phase gives and draws, as it is said: without IT load or without gross power, that is assumed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Power {
    pub(crate) kw: CapacityVector,
    pub(crate) gross: Option<i64>,
}

/// A phase as it is said.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Draft {
    pub(crate) power: Power,
    pub(crate) ready: CivilDate,
    pub(crate) is_actual: bool,
    pub(crate) end: Option<CivilDate>,
    /// Its word, gross power and first day, which may be today.
    pub(crate) interim: Option<(&'static str, i64, Option<CivilDate>)>,
    pub(crate) conversion: Option<CivilDate>,
}

/// Where and when everything happens: few days, so that much meets, and a change of the clocks among them.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Where {
    pub(crate) zone: Zone,
    first: CivilDate,
}

/// Days on which something may begin.
pub(crate) const DAYS: i64 = 40;

impl Default for Where {
    fn default() -> Self {
        let zone = "America/Chicago".parse().expect("a zone");
        Self { zone, first: CivilDate::from_ymd_opt(2027, 3, 1).expect("a date") }
    }
}

impl Where {
    /// A day by its number.
    pub(crate) fn day(&self, number: i64) -> CivilDate {
        self.first + chrono::TimeDelta::days(number)
    }

    /// Half days by their number: each begins at midnight or twelve hours later.
    pub(crate) fn instant(&self, half: i64) -> Instant {
        let midnight = self.zone.start_of_day(self.day(half.div_euclid(2)));
        midnight + chrono::TimeDelta::hours(12 * half.rem_euclid(2))
    }
}

/// Thinks of deeds, most of them possible.
#[derive(Debug)]
pub(crate) struct Mind {
    dice: Dice,
    place: Where,
    /// Whether the database's time is real, so that only single holds can be made to run out.
    real_time: bool,
}

impl Mind {
    pub(crate) fn new(dice: Dice, real_time: bool) -> Self {
        Self { dice, place: Where::default(), real_time }
    }

    pub(crate) fn dice(&mut self) -> &mut Dice {
        &mut self.dice
    }

    /// What is done first: sites are connected and halls are built.
    pub(crate) fn beginning(&mut self, model: &Obvious) -> Vec<Deed> {
        let mut deeds: Vec<Deed> =
            (0..model.sites.len()).map(|site| Deed::Connect { site, grid: self.grid() }).collect();
        for block in 0..model.blocks.len() {
            deeds.push(Deed::Build { block, draft: self.draft() });
            deeds.push(Deed::Build { block, draft: self.draft() });
        }
        deeds
    }

    /// What is done next.
    pub(crate) fn next(&mut self, model: &Obvious) -> Deed {
        let block = self.block(model);
        let accept = self.dice.chance(40);
        let roll = self.dice.roll(1, 100);
        let deed = match roll {
            1..=66 => self.about_reservations(model, roll),
            67..=70 if self.real_time => self.of(model).map(|(of, _)| Deed::RunOut { of }),
            67..=70 => Some(Deed::Wait { minutes: self.dice.roll(1, 90) }),
            71..=72 => {
                let hours = self.dice.roll(1, 30);
                Some(Deed::Clock { to: model.business + chrono::TimeDelta::hours(hours) })
            }
            73..=75 => Some(Deed::Build { block, draft: self.draft() }),
            76..=78 => self.phase(model).map(|phase| {
                let kw = self.capacity();
                let power = Power { kw, gross: Some(kw.critical_it + self.dice.roll(0, 8)) };
                Deed::Resize { phase, power, end: self.end(), accept }
            }),
            79..=83 => self.phase(model).map(|phase| {
                let ready = self.day();
                Deed::Slip { phase, ready, accept }
            }),
            84..=88 => self.phase(model).and_then(|phase| {
                let words = [
                    "MINING",
                    "HOSTING",
                    "IDLE",
                    "CONVERTING",
                    "CONVERTING",
                    "COMMISSIONING",
                    "COMMISSIONING",
                    "READY",
                    "RETIRED",
                ];
                let to = self.dice.pick(&words)?;
                let since = self.dice.chance(50).then(|| self.day());
                Some(Deed::Advance { phase, to, since, accept })
            }),
            89 => self.phase(model).map(|phase| Deed::Cancel { phase, accept }),
            90..=95 => {
                let from = self.dice.roll(0, 2 * DAYS);
                let piece = self.piece(from, self.place);
                Some(Deed::Reduce { block, piece, accept })
            }
            96..=98 => {
                let windows: Vec<Key> = model.windows.keys().copied().collect();
                self.dice.pick(&windows).map(|window| Deed::Restore { window })
            }
            _ => {
                let last = i64::try_from(model.sites.len()).unwrap_or(1) - 1;
                let site = usize::try_from(self.dice.roll(0, last)).unwrap_or(0);
                Some(Deed::Connect { site, grid: self.grid() })
            }
        };
        deed.unwrap_or_else(|| self.placing(model))
    }

    fn about_reservations(&mut self, model: &Obvious, roll: i64) -> Option<Deed> {
        let live = model.reservations.values().filter(|one| model.is_live(one)).count();
        // Full halls are what is interesting, crowded ones are only slow.
        if roll <= 24 && live < 24 {
            return Some(self.placing(model));
        }
        let (of, one) = self.of(model)?;
        let by_service = one.kind == "LEASE" || self.dice.chance(50);
        match roll {
            ..=40 => Some(Deed::Release { of, by_service }),
            41..=49 => {
                let takes = self.changed(model, one);
                Some(Deed::Amend { of, by_service, takes })
            }
            50..=53 => Some(Deed::Split { of, by_service, parts: self.parts(one) }),
            54..=57 => {
                // Most of those that can be merged, some that cannot.
                let like = |other: &Reservation| {
                    (other.tenant, other.kind, other.state) == (one.tenant, one.kind, one.state)
                        && model.is_live(other)
                };
                let all = self.dice.chance(10);
                let others =
                    model.reservations.iter().filter(|(key, other)| **key != of && (all || like(other)));
                let others: Vec<Key> = others.map(|(key, _)| *key).collect();
                let other = self.dice.pick(&others)?;
                Some(Deed::Merge { of, others: vec![other], by_service: true })
            }
            58..=63 => Some(Deed::Commit { of }),
            _ => Some(Deed::Extend { of, minutes: self.dice.roll(1, 200) }),
        }
    }

    fn placing(&mut self, model: &Obvious) -> Deed {
        let kind = self.dice.pick(&["HOLD", "HOLD", "LEASE", "OPTION", "OPERATOR_USE"]).unwrap_or("HOLD");
        // The operator's own use is no tenant's.
        let tenant = if kind == "OPERATOR_USE" { 2 } else { usize::from(self.dice.chance(50)) };
        let minutes = if self.real_time { 600 } else { self.dice.roll(1, 300) };
        Deed::Place { kind, tenant, minutes, takes: self.takes(model) }
    }

    /// A reservation, mostly one that lives.
    fn of<'a>(&mut self, model: &'a Obvious) -> Option<(Key, &'a Reservation)> {
        let any = self.dice.chance(12);
        let all = model.reservations.iter().filter(|(_, one)| any || model.is_live(one));
        let keys: Vec<Key> = all.map(|(key, _)| *key).collect();
        let key = self.dice.pick(&keys)?;
        Some((key, model.reservations.get(&key)?))
    }

    fn phase(&mut self, model: &Obvious) -> Option<Key> {
        let keys: Vec<Key> = model.phases.keys().copied().collect();
        self.dice.pick(&keys)
    }

    fn block(&mut self, model: &Obvious) -> usize {
        let blocks: Vec<usize> = (0..model.blocks.len()).collect();
        self.dice.pick(&blocks).unwrap_or(0)
    }

    fn takes(&mut self, model: &Obvious) -> Vec<Take> {
        let count = self.dice.pick(&[1, 1, 1, 2, 3]).unwrap_or(1);
        let mut blocks: Vec<usize> = (0..count).map(|_| self.block(model)).collect();
        blocks.sort_unstable();
        blocks.dedup();
        blocks.into_iter().map(|block| Take { block, pieces: self.pieces() }).collect()
    }

    fn pieces(&mut self) -> Vec<Piece> {
        let mut from = self.dice.roll(0, 2 * DAYS);
        let count = self.dice.pick(&[1, 1, 2, 3]).unwrap_or(1);
        let place = self.place;
        (0..count)
            .map(|_| {
                let until = from + self.dice.roll(1, 24);
                let piece = Piece { from: place.instant(from), until: place.instant(until), kw: self.load() };
                from = until;
                piece
            })
            .collect()
    }

    /// Something else to take: a little more or less, other times, or all anew.
    fn changed(&mut self, model: &Obvious, one: &Reservation) -> Vec<Take> {
        if one.takes.is_empty() || self.dice.chance(30) {
            return self.takes(model);
        }
        let mut takes = one.takes.clone();
        for take in &mut takes {
            for piece in &mut take.pieces {
                let by = self.dice.roll(-3, 2);
                let kw = piece.kw;
                let it = (kw.critical_it + by).clamp(0, kw.air + kw.liquid + kw.immersion);
                piece.kw = CapacityVector { critical_it: it, liquid: kw.liquid.max(1), ..kw };
            }
            if self.dice.chance(40)
                && let Some(last) = take.pieces.last_mut()
            {
                last.until = (last.until + chrono::TimeDelta::hours(12 * self.dice.roll(-8, 8)))
                    .max(last.from + chrono::TimeDelta::hours(1));
            }
        }
        takes
    }

    /// Two parts that are together what one takes: before and after an instant, or some blocks and the others; now and
    /// then two that are not.
    fn parts(&mut self, one: &Reservation) -> Vec<Vec<Take>> {
        let edges: Vec<Instant> = one
            .takes
            .iter()
            .flat_map(|take| &take.pieces)
            .flat_map(|piece| [piece.from, piece.until])
            .collect();
        let middle = self.dice.pick(&edges).unwrap_or(one.until);
        let middle = middle + chrono::TimeDelta::hours(self.dice.pick(&[0, 12, -12]).unwrap_or(0));
        let cut = |early: bool| {
            let side = |piece: &Piece| {
                let (from, until) = if early {
                    (piece.from, piece.until.min(middle))
                } else {
                    (piece.from.max(middle), piece.until)
                };
                (from < until).then_some(Piece { from, until, ..*piece })
            };
            let takes = one.takes.iter().map(|take| Take {
                block: take.block,
                pieces: take.pieces.iter().filter_map(side).collect(),
            });
            takes.filter(|take| !take.pieces.is_empty()).collect::<Vec<_>>()
        };
        let mut parts = vec![cut(true), cut(false)];
        if parts.iter().any(Vec::is_empty) || self.dice.chance(40) {
            parts = self.halves(one);
        }
        if self.dice.chance(8)
            && let Some(piece) = parts.iter_mut().flatten().flat_map(|take| &mut take.pieces).next()
        {
            piece.kw.liquid += 1;
        }
        parts
    }

    /// Two parts that share every lane, of which the first may be a little more.
    fn halves(&mut self, one: &Reservation) -> Vec<Vec<Take>> {
        let share = |kw: CapacityVector, first: bool| {
            let half = |lane: i64| if first { lane - lane / 2 } else { lane / 2 };
            let kw = CapacityVector {
                critical_it: half(kw.critical_it),
                air: half(kw.air),
                liquid: half(kw.liquid),
                immersion: half(kw.immersion),
                accelerators: half(kw.accelerators),
            };
            (kw, kw.carries_heat() && !kw.is_zero())
        };
        let shared = one.takes.iter().flat_map(|take| &take.pieces);
        if !shared.clone().all(|piece| share(piece.kw, true).1 && share(piece.kw, false).1) {
            // It cannot be shared so that the cooling carries the load of both: ask for what does not add up.
            return vec![one.takes.clone(), one.takes.clone()];
        }
        let part = |first: bool| {
            let takes = one.takes.iter().map(|take| Take {
                block: take.block,
                pieces: take.pieces.iter().map(|p| Piece { kw: share(p.kw, first).0, ..*p }).collect(),
            });
            takes.collect::<Vec<_>>()
        };
        vec![part(true), part(false)]
    }

    /// Something to take, with cooling that carries it.
    fn load(&mut self) -> CapacityVector {
        let it = self.dice.roll(0, 9);
        let air = self.dice.roll(0, it);
        let immersion = if self.dice.chance(15) { self.dice.roll(0, 2) } else { 0 };
        let accelerators = if self.dice.chance(30) { self.dice.roll(0, 5) } else { 0 };
        CapacityVector { critical_it: it, air, liquid: it - air + 1, immersion, accelerators }
    }

    fn capacity(&mut self) -> CapacityVector {
        let mut lane = |until| self.dice.roll(0, until);
        CapacityVector {
            critical_it: lane(24) + 1,
            air: lane(14),
            liquid: lane(24),
            immersion: lane(4),
            accelerators: lane(12),
        }
    }

    fn piece(&mut self, from: i64, place: Where) -> Piece {
        let until = from + self.dice.roll(1, 30);
        let kw = CapacityVector { immersion: 1, ..self.load() };
        Piece { from: place.instant(from), until: place.instant(until), kw }
    }

    fn day(&mut self) -> CivilDate {
        let number = self.dice.roll(0, DAYS);
        self.place.day(number)
    }

    fn end(&mut self) -> Option<CivilDate> {
        let number = self.dice.roll(DAYS / 2, 2 * DAYS);
        self.dice.chance(30).then(|| self.place.day(number))
    }

    fn draft(&mut self) -> Draft {
        let kw = self.capacity();
        let gross = kw.critical_it + self.dice.roll(0, 10);
        let power = match self.dice.roll(1, 4) {
            1 => Power { kw, gross: None },
            2 => Power { kw: CapacityVector { critical_it: 0, ..kw }, gross: Some(gross) },
            _ => Power { kw, gross: Some(gross) },
        };
        let ready = self.dice.roll(0, DAYS);
        let word = self.dice.pick(&["MINING", "HOSTING", "IDLE"]).unwrap_or("IDLE");
        let from = self.place.day(ready - self.dice.roll(0, 20));
        let interim =
            self.dice.chance(40).then(|| (word, self.dice.roll(1, 40), self.dice.chance(80).then_some(from)));
        Draft {
            power,
            ready: self.place.day(ready),
            is_actual: self.dice.chance(10),
            end: self.end(),
            interim,
            conversion: self.dice.chance(40).then(|| self.place.day(ready - self.dice.roll(0, 12))),
        }
    }

    fn grid(&mut self) -> Vec<Grid> {
        let mut from = -10;
        let count = self.dice.roll(1, 3);
        (0..count)
            .map(|_| {
                let step = Grid {
                    from: self.place.day(from),
                    contracted: self.dice.chance(85).then(|| self.dice.roll(60, 220)),
                    interim: self.dice.chance(30).then(|| self.dice.roll(0, 30)),
                };
                from += self.dice.roll(1, 30);
                step
            })
            .collect()
    }
}
