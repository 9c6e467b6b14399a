//! The service's domain without its wire and its store: rows in memory, two replicas of the booking desk, and every deed
//! ordered as the service orders it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use inventory::domain::amendment::{self, BlockChange, Totals, Verdict, totals};
use inventory::domain::book::{BlockBook, Standing, StoredClaim};
use inventory::domain::grid::{self, Draw};
use inventory::domain::maintenance::{self, MaintenanceKind, MaintenanceState, Window, WindowDraft};
use inventory::domain::phase::{DateBasis, Phase, PhaseDraft};
use inventory::domain::phase_change::{Deed as PhaseDeed, PhasePatch};
use inventory::domain::reservation::{Claim, Kind, Profile, Reservation};
use inventory::domain::shortfall::{self, Cause, CauseKind, Short, Shortfall, Taken};
use inventory::domain::site::GridStep;
use inventory::domain::states::{Deed as MoveDeed, State};
use inventory::domain::use_state::UseState;
use kernel::{
    BlockId, BlockName, CapacityVector, Error, GrossPerIt, Instant, Interval, MaintenanceId, MaintenanceName,
    ReservationId, ReservationName, SiteName, StepFunction, TenantId, Uuid,
};

use super::words;
use crate::obvious::{Deed, FACTS, Key, Obvious, Refused, Take, rfc};

/// A claim as it lies in the store: dead ones stay, at the version at which they died.
#[derive(Clone, Debug)]
pub(super) struct Row {
    version: i64,
    pub(super) reservation: ReservationId,
    pub(super) interval: Interval,
    pub(super) kw: CapacityVector,
    pub(super) standing: Standing,
}

#[derive(Clone, Debug)]
pub(super) struct Hall {
    pub(super) name: BlockName,
    pub(super) site: usize,
    version: i64,
    pub(super) phases: BTreeMap<Key, Phase>,
    pub(super) windows: BTreeMap<Key, Window>,
    pub(super) rows: Vec<Row>,
    /// What is recorded as short.
    pub(super) short: Short,
}

#[derive(Clone, Debug)]
pub(super) struct Ground {
    pub(super) name: SiteName,
    pub(super) grid: Vec<GridStep>,
}

pub(super) struct Stage {
    pub(super) words: Obvious,
    pub(super) sites: Vec<Ground>,
    pub(super) halls: Vec<Hall>,
    pub(super) reservations: BTreeMap<ReservationId, Reservation>,
    /// What each replica's desk has in memory.
    desks: [HashMap<usize, BlockBook>; 2],
    turn: usize,
}

type Outcome = Result<(), Refused>;

fn refused(error: &Error) -> Refused {
    let facts = FACTS.iter().filter_map(|fact| Some(((*fact).to_owned(), error.get(fact)?.to_owned())));
    Refused { reason: error.reason().to_string(), facts: facts.collect() }
}

pub(super) fn id(key: Key) -> ReservationId {
    ReservationId::new(Uuid::from_u128(u128::from(key)))
}

impl Hall {
    /// What it gives, by the one function that everybody in the service uses.
    pub(super) fn capacity(&self, zone: kernel::Zone) -> StepFunction<CapacityVector> {
        let phases = self.phases.values().filter(|phase| phase.use_state != UseState::Cancelled);
        let phases = phases.map(|phase| (phase.interval(zone).expect("in range"), phase.capacity));
        let windows = self.windows.values().filter(|window| window.state != MaintenanceState::Cancelled);
        maintenance::capacity(phases, windows.map(|window| (window.facts.interval, window.facts.reduction)))
    }

    /// Claims written after a version; without one, all that live.
    fn claims(&self, since: Option<i64>) -> Vec<StoredClaim> {
        let wanted = |row: &&Row| since.map_or(row.standing != Standing::Gone, |since| row.version > since);
        let stored = |row: &Row| StoredClaim {
            reservation: row.reservation,
            interval: row.interval,
            kw: row.kw,
            standing: row.standing,
        };
        self.rows.iter().filter(wanted).map(stored).collect()
    }

    /// Live claims, those of holds that have run out left out.
    pub(super) fn living(&self, now: Instant) -> impl Iterator<Item = &Row> {
        self.rows.iter().filter(move |row| match row.standing {
            Standing::Held(until) => until > now,
            Standing::Committed => true,
            Standing::Gone => false,
        })
    }

    fn judge(&self, zone: kernel::Zone, now: Instant) -> Short {
        let taken: Vec<Taken> = self
            .living(now)
            .map(|row| Taken {
                reservation: row.reservation,
                is_committed: row.standing == Standing::Committed,
                interval: row.interval,
                kw: row.kw,
            })
            .collect();
        shortfall::short(&self.capacity(zone), &taken)
    }

    /// Gives every claim of a reservation a new version and a new standing.
    fn rewrite(&mut self, reservation: ReservationId, standing: Standing) {
        let mut version = self.version;
        for row in self.rows.iter_mut().filter(|row| row.reservation == reservation) {
            if row.standing != Standing::Gone {
                version += 1;
                row.version = version;
                row.standing = standing;
            }
        }
        self.version = version;
    }

    fn insert(&mut self, reservation: ReservationId, profile: &Profile, standing: Standing) {
        for (interval, kw) in profile.pieces() {
            self.version += 1;
            self.rows.push(Row { version: self.version, reservation, interval, kw, standing });
        }
    }
}

impl Stage {
    pub(super) fn new(words: &Obvious) -> Self {
        let ground = |name: &str| Ground { name: name.parse().expect("a name"), grid: Vec::new() };
        let hall = |block: &crate::obvious::Block| Hall {
            name: block.name.parse().expect("a name"),
            site: block.site,
            version: 1,
            phases: BTreeMap::new(),
            windows: BTreeMap::new(),
            rows: Vec::new(),
            short: Short::new(),
        };
        Self {
            words: words.clone(),
            sites: words.sites.iter().map(|site| ground(&site.name)).collect(),
            halls: words.blocks.iter().map(hall).collect(),
            reservations: BTreeMap::new(),
            desks: [HashMap::new(), HashMap::new()],
            turn: 0,
        }
    }

    pub(super) fn apply(&mut self, number: u64, deed: &Deed) -> Outcome {
        let key = number * 32;
        self.turn += 1;
        let now = self.words.now;
        match deed {
            Deed::Place { kind, tenant, minutes, takes } => self.place(key, kind, *tenant, *minutes, takes),
            Deed::Extend { of, minutes } => {
                let until = now + chrono::TimeDelta::minutes(*minutes);
                self.move_on(id(*of), MoveDeed::Extend, Some(until))
            }
            Deed::Commit { of } => self.move_on(id(*of), MoveDeed::Commit, None),
            Deed::Release { of, by_service } => {
                let deed = if *by_service { MoveDeed::Withdraw } else { MoveDeed::Release };
                self.move_on(id(*of), deed, None)
            }
            Deed::Amend { of, by_service, takes } => self.amend(id(*of), *by_service, takes),
            Deed::Split { of, by_service, parts } => self.split(key, id(*of), *by_service, parts),
            Deed::Merge { of, others, by_service } => self.merge(id(*of), others, *by_service),
            Deed::Wait { minutes } => {
                self.words.now += chrono::TimeDelta::minutes(*minutes);
                Ok(())
            }
            Deed::RunOut { .. } => Ok(()),
            Deed::Clock { to } => {
                self.words.business = *to;
                Ok(())
            }
            Deed::Build { block, draft } => self.build(key, *block, draft),
            Deed::Resize { phase, power, end, accept } => {
                let patch = PhasePatch {
                    capacity: Some(power.kw),
                    gross_kw: Some(power.gross),
                    end: Some(*end),
                    ..PhasePatch::default()
                };
                self.change_phase(*phase, &PhaseDeed::Update(patch), *accept)
            }
            Deed::Slip { phase, ready, accept } => {
                let (ready, basis) = (*ready, DateBasis::Forecast);
                self.change_phase(
                    *phase,
                    &PhaseDeed::Slip { ready, basis, reason: "late".to_owned() },
                    *accept,
                )
            }
            Deed::Advance { phase, to, since, accept } => {
                let to = UseState::of_word(to).expect("a state");
                self.change_phase(*phase, &PhaseDeed::Advance(to, *since), *accept)
            }
            Deed::Cancel { phase, accept } => {
                self.change_phase(*phase, &PhaseDeed::Cancel("no power".to_owned()), *accept)
            }
            Deed::Reduce { block, piece, accept } => self.reduce(key, *block, piece, *accept),
            Deed::Restore { window } => self.restore(*window),
            Deed::Connect { site, grid } => self.connect(*site, grid),
        }
    }

    fn claims(&self, takes: &[Take]) -> Vec<(usize, Claim)> {
        takes
            .iter()
            .map(|take| {
                let steps = take.pieces.iter().map(|piece| (piece.from, piece.kw)).collect();
                let end = take.pieces.last().expect("a piece").until;
                let profile = Profile::new(steps, end).expect("a profile");
                (take.block, Claim { block: self.halls[take.block].name.clone(), profile })
            })
            .collect()
    }

    /// What the desk of one replica has in memory of a block, read if it has nothing.
    fn book(&mut self, desk: usize, block: usize) -> &mut BlockBook {
        let (hall, zone) = (&self.halls[block], self.words.zone);
        self.desks[desk]
            .entry(block)
            .or_insert_with(|| BlockBook::new(hall.version, hall.capacity(zone), &hall.claims(None)))
    }

    /// Reads what was written since; says whether anything was.
    fn refresh(&mut self, desk: usize, block: usize) -> bool {
        let (hall, zone) = (&self.halls[block], self.words.zone);
        let Some(book) = self.desks[desk].get_mut(&block) else { return false };
        let stale = book.version() != hall.version;
        book.refresh(hall.version, hall.capacity(zone), &hall.claims(Some(book.version())));
        stale
    }

    /// The desk: checks in memory, writes if the versions still are those that were checked, refuses only what was read
    /// again and in whose way no hold has run out.
    fn place(&mut self, key: Key, kind: &str, tenant: usize, minutes: i64, takes: &[Take]) -> Outcome {
        let desk = self.turn % 2;
        let (claims, now) = (self.claims(takes), self.words.now);
        for rounds in 0.. {
            assert!(rounds < 20, "the desk goes round and round");
            let mut short = None;
            for (block, claim) in &claims {
                let book = self.book(desk, *block);
                let shortfall = book.shortfall(&claim.profile);
                assert_eq!(book.fits(&claim.profile), shortfall.is_none(), "the two ways to ask agree");
                short = short.or(shortfall.map(|shortfall| (claim.block.clone(), shortfall)));
            }
            let blocks: Vec<usize> = claims.iter().map(|(block, _)| *block).collect();
            let stale = blocks.iter().filter(|block| self.refresh(desk, **block)).count();
            if stale > 0 {
                continue;
            }
            let Some((block, short)) = short else { break };
            let mut lapsed = BTreeSet::new();
            for (block, claim) in &claims {
                lapsed.extend(self.book(desk, *block).lapsed_in_the_way(&claim.profile, now));
            }
            if lapsed.is_empty() {
                return Err(Refused::new("CAPACITY_EXHAUSTED")
                    .with("block", block)
                    .with("resource", short.resource)
                    .with("firstShortTime", rfc(short.from))
                    .with("shortKw", short.short_kw)
                    .with("availableKw", short.available_kw));
            }
            for one in lapsed {
                self.move_on(one, MoveDeed::Expire, None)?;
            }
        }
        let until = now + chrono::TimeDelta::minutes(minutes);
        for (block, claim) in &claims {
            let pieces = i64::try_from(claim.profile.pieces().count()).expect("few");
            let book = self.book(desk, *block);
            book.take(id(key), &claim.profile, until);
            let peak = book.declare().peak;
            book.advance(pieces);
            self.within_limit(*block, peak);
            self.halls[*block].insert(id(key), &claim.profile, Standing::Held(until));
        }
        let claims = claims.into_iter().map(|(_, claim)| claim).collect();
        self.reservations
            .insert(id(key), words::reservation(&self.halls[0].name, key, kind, tenant, claims, until, now));
        Ok(())
    }

    /// The database's second wall: what is declared as the peak is no more than phases ever give.
    fn within_limit(&self, block: usize, peak: CapacityVector) {
        let hall = &self.halls[block];
        let phases = hall.phases.values().filter(|phase| phase.use_state != UseState::Cancelled);
        let given: Vec<_> = phases
            .map(|phase| (phase.interval(self.words.zone).expect("in range"), phase.capacity))
            .collect();
        let at = |at: Instant| {
            let then = given.iter().filter(|phase| phase.0.contains(at));
            then.fold(CapacityVector::ZERO, |sum, phase| sum.checked_add(phase.1).expect("small"))
        };
        let limit = given.iter().fold(CapacityVector::ZERO, |most, phase| most.max(at(phase.0.start())));
        assert!(peak.fits_in(&limit), "a peak of {peak:?} is declared where {limit:?} is the most there is");
    }

    fn move_on(&mut self, of: ReservationId, deed: MoveDeed, until: Option<Instant>) -> Outcome {
        let now = self.words.now;
        let found = &self.reservations[&of];
        let until = until.map_or(found.hold_until, |until| until.max(found.hold_until));
        let after = found.after(deed, until, now).map_err(|error| refused(&error))?;
        let standing = standing(&after);
        for hall in &mut self.halls {
            hall.rewrite(of, standing);
        }
        self.reservations.insert(of, after);
        Ok(())
    }

    fn amend(&mut self, of: ReservationId, by_service: bool, takes: &[Take]) -> Outcome {
        let before = self.reservations[&of].clone();
        let after = before.after(deed_of(by_service), before.hold_until, self.words.now);
        let after = after.map_err(|error| refused(&error))?;
        let claims = self.claims(takes).into_iter().map(|(_, claim)| claim).collect();
        self.rewrite(&[(before, Reservation { claims, ..after })], &[])
    }

    fn split(&mut self, key: Key, of: ReservationId, by_service: bool, parts: &[Vec<Take>]) -> Outcome {
        let before = self.reservations[&of].clone();
        let after = before.after(deed_of(by_service), before.hold_until, self.words.now);
        let after = after.map_err(|error| refused(&error))?;
        let claims: Vec<Vec<Claim>> = parts
            .iter()
            .map(|part| self.claims(part).into_iter().map(|(_, claim)| claim).collect())
            .collect();
        amendment::adds_up(&before.claims, &claims).map_err(|error| refused(&error))?;
        let mut made = claims.into_iter().map(|claims| Reservation { claims, ..after.clone() });
        let first = made.next().expect("a part");
        let operator = before.name.operator.clone();
        let added = (key + 1..)
            .zip(made)
            .map(|(key, part)| Reservation { name: ReservationName::new(operator.clone(), id(key)), ..part });
        let added: Vec<Reservation> = added.collect();
        self.rewrite(&[(before, first)], &added)
    }

    fn merge(&mut self, of: ReservationId, others: &[Key], by_service: bool) -> Outcome {
        let (now, deed) = (self.words.now, deed_of(by_service));
        let first = self.reservations[&of].clone();
        let others: Vec<Reservation> =
            others.iter().map(|key| self.reservations[&id(*key)].clone()).collect();
        let all: Vec<Claim> =
            std::iter::once(&first).chain(&others).flat_map(|one| one.claims.clone()).collect();
        let until = others.iter().map(|one| one.hold_until).fold(first.hold_until, Instant::min);
        let error = |error: Error| refused(&error);
        let after = first.after(deed, until, now).map_err(error)?;
        let mut changed = Vec::new();
        for other in others {
            other.after(deed, other.hold_until, now).map_err(error)?;
            if (&other.tenant, other.kind, other.state) != (&first.tenant, first.kind, first.state) {
                return Err(Refused::new("INVALID_FIELD"));
            }
            let joined = other.after(MoveDeed::Join, other.hold_until, now).map_err(error)?;
            changed.push((other, joined));
        }
        let claims = amendment::merged(&all).map_err(error)?;
        changed.insert(0, (first, Reservation { claims, ..after }));
        self.rewrite(&changed, &[])
    }

    /// As the service rewrites reservations: every block is judged as it was read under its lock.
    fn rewrite(&mut self, changed: &[(Reservation, Reservation)], added: &[Reservation]) -> Outcome {
        let living: Vec<Reservation> = changed.iter().map(|(_, after)| after).chain(added).cloned().collect();
        let living: Vec<Reservation> = living.into_iter().filter(|one| one.state.is_live()).collect();
        let before = totals(changed.iter().flat_map(|(before, _)| &before.claims));
        let after = totals(living.iter().flat_map(|one| &one.claims));
        let names: BTreeSet<BlockName> = before.keys().chain(after.keys()).cloned().collect();
        let blocks: Vec<usize> = names.iter().map(|name| self.block(name)).collect();
        for (name, block) in names.iter().zip(&blocks) {
            let of = |totals: &Totals| totals.get(name).cloned().unwrap_or_default();
            let here = changed.iter().filter(|(before, _)| before.claims.iter().any(|c| c.block == *name));
            let change = BlockChange {
                reservations: here.map(|(before, _)| before.name.reservation).collect(),
                before: of(&before),
                after: of(&after),
            };
            self.judge(*block, &change)?;
        }
        for (_, after) in changed {
            for hall in &mut self.halls {
                hall.rewrite(after.name.reservation, Standing::Gone);
            }
        }
        for one in living.iter().chain(changed.iter().map(|(_, after)| after)) {
            self.reservations.insert(one.name.reservation, one.clone());
        }
        for one in &living {
            for claim in &one.claims {
                let block = self.block(&claim.block);
                self.halls[block].insert(one.name.reservation, &claim.profile, standing(one));
            }
        }
        for block in blocks {
            self.look_again(block);
        }
        Ok(())
    }

    fn judge(&mut self, block: usize, change: &BlockChange) -> Outcome {
        loop {
            let hall = &self.halls[block];
            let book = BlockBook::new(hall.version, hall.capacity(self.words.zone), &hall.claims(None));
            match change.judge(book, self.words.now) {
                Verdict::Fits(peak) => {
                    self.within_limit(block, peak);
                    return Ok(());
                }
                Verdict::Short { lapsed, .. } if !lapsed.is_empty() => {
                    for one in lapsed {
                        self.move_on(one, MoveDeed::Expire, None)?;
                    }
                }
                Verdict::Short { shortfall, .. } => {
                    return Err(Refused::new("CAPACITY_EXHAUSTED")
                        .with("block", &self.halls[block].name)
                        .with("resource", shortfall.resource)
                        .with("firstShortTime", rfc(shortfall.from))
                        .with("shortKw", shortfall.short_kw)
                        .with("availableKw", shortfall.available_kw));
                }
            }
        }
    }

    fn block(&self, name: &BlockName) -> usize {
        self.halls.iter().position(|hall| hall.name == *name).expect("a block of ours")
    }

    /// Brings what is recorded as short up to date, where anything is.
    fn look_again(&mut self, block: usize) {
        let (zone, now) = (self.words.zone, self.words.now);
        let hall = &mut self.halls[block];
        if !hall.short.is_empty() {
            hall.short = hall.judge(zone, now);
        }
    }

    fn build(&mut self, key: Key, block: usize, draft: &crate::obvious::Draft) -> Outcome {
        let draft: PhaseDraft = words::draft(&self.halls[block].name, key, draft);
        let phase = draft
            .settle(GrossPerIt::ASSUMED, self.words.today(), self.words.business)
            .map_err(|error| refused(&error))?;
        self.put(key, block, phase, CauseKind::Reduced, false)
    }

    fn change_phase(&mut self, key: Key, deed: &PhaseDeed, accept: bool) -> Outcome {
        let block = self.halls.iter().position(|hall| hall.phases.contains_key(&key)).expect("a phase");
        let phase = self.halls[block].phases[&key]
            .after(deed, GrossPerIt::ASSUMED, self.words.today(), self.words.business)
            .map_err(|error| refused(&error))?;
        self.put(key, block, phase, CauseKind::Delayed, accept)
    }

    fn put(&mut self, key: Key, block: usize, phase: Phase, cause: CauseKind, accept: bool) -> Outcome {
        self.look_again(block);
        let site = self.halls[block].site;
        let was = self.halls[block].phases.insert(key, phase);
        let checked = self.check_grid(site, &self.sites[site].grid);
        let settled = checked.and_then(|()| self.settle(block, cause, accept));
        if settled.is_err() {
            let phases = &mut self.halls[block].phases;
            phases.remove(&key);
            phases.extend(was.map(|was| (key, was)));
        }
        settled
    }

    fn check_grid(&self, site: usize, steps: &[GridStep]) -> Outcome {
        let halls = self.halls.iter().filter(|hall| hall.site == site);
        let draws: Vec<Draw> =
            halls.flat_map(|hall| hall.phases.values()).flat_map(Phase::life).map(Draw::from).collect();
        grid::check(&self.sites[site].name, steps, &draws).map(|_| ()).map_err(|error| refused(&error))
    }

    /// What every change of capacity ends with: nobody is made short unseen, and the version rises.
    fn settle(&mut self, block: usize, kind: CauseKind, accept: bool) -> Outcome {
        let hall = &self.halls[block];
        let after = hall.judge(self.words.zone, self.words.now);
        let worse = shortfall::changes(&hall.short, &after).worse;
        if !accept && !worse.is_empty() {
            let hurt: Vec<Shortfall> = worse
                .iter()
                .map(|reservation| Shortfall {
                    reservation: ReservationName::new(hall.name.operator.clone(), *reservation),
                    tenant: None::<TenantId>,
                    block: hall.name.clone(),
                    steps: shortfall::stretches(&after[reservation]),
                    cause: Cause { kind, resource: String::new(), reason: String::new() },
                })
                .collect();
            return Err(refused(&shortfall::committed(&hall.name, &hurt)));
        }
        let hall = &mut self.halls[block];
        hall.short = after;
        hall.version += 1;
        Ok(())
    }

    fn reduce(&mut self, key: Key, block: usize, piece: &crate::obvious::Piece, accept: bool) -> Outcome {
        self.look_again(block);
        let name = &self.halls[block].name;
        let window = Window {
            name: MaintenanceName::new(
                name.operator.clone(),
                name.site.clone(),
                name.block.clone(),
                MaintenanceId::new(Uuid::from_u128(u128::from(key))),
            ),
            facts: WindowDraft {
                kind: MaintenanceKind::Derate,
                interval: Interval::new(piece.from, piece.until).expect("forward"),
                reduction: piece.kw,
                reason: "filters".to_owned(),
            },
            block: BlockId::new(Uuid::from_u128(1)),
            state: MaintenanceState::Scheduled,
            revision: 1,
            created_at: self.words.business,
            updated_at: self.words.business,
        };
        self.halls[block].windows.insert(key, window);
        let settled = self.settle(block, CauseKind::Derated, accept);
        if settled.is_err() {
            self.halls[block].windows.remove(&key);
        }
        settled
    }

    fn restore(&mut self, key: Key) -> Outcome {
        let block = self.halls.iter().position(|hall| hall.windows.contains_key(&key)).expect("a window");
        self.look_again(block);
        let window = self.halls[block].windows[&key].cancelled(self.words.business);
        let window = window.map_err(|error| refused(&error))?;
        self.halls[block].windows.insert(key, window);
        self.settle(block, CauseKind::Derated, false)
    }

    fn connect(&mut self, site: usize, steps: &[crate::obvious::Grid]) -> Outcome {
        let steps: Vec<GridStep> = steps.iter().map(words::grid_step).collect();
        self.check_grid(site, &steps)?;
        self.sites[site].grid = steps;
        Ok(())
    }
}

fn deed_of(by_service: bool) -> MoveDeed {
    if by_service { MoveDeed::Revise } else { MoveDeed::Amend }
}

fn standing(of: &Reservation) -> Standing {
    match of.state {
        State::Held => Standing::Held(of.hold_until),
        State::Committed => Standing::Committed,
        State::Released | State::Expired | State::Merged => Standing::Gone,
    }
}

/// What a kind is called in the domain.
pub(super) fn kind(word: &str) -> Kind {
    Kind::of_word(word).expect("a kind")
}
