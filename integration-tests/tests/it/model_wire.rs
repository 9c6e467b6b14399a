//! The whole service over the wire against the obvious model: several operators' people at once, holds that run out, and
//! a business clock that moves. Every answer is compared, and at the end everything that is shown.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::{CapacityProfile, CapacityStep, CapacityVector};
use contracts::inventory::v1 as wire;
use gridlease::clients::Clients;
use integration_tests::market::{grid_site, liquid_block, request_id};
use integration_tests::{Refusal, TestDatabase, TestStack};
use kernel::{CivilDate, Instant, Role, Zone};
use prost_types::FieldMask;
use runtime::wire::{to_capacity, to_date, to_timestamp};
use tonic::{Request, Status};

use crate::obvious::{
    DAYS, Deed, Dice, Draft, FACTS, Key, LANES, Lanes, Level, Mind, Obvious, Piece, Plan, Refused, Take,
    Where,
};

const OPERATORS: u64 = 3;
/// Times at which everybody waits for the clock to move.
const ROUNDS: i64 = 8;
/// Deeds of each operator between two of them.
const DEEDS: u64 = 90;

/// One operator's people, and the model of what they did.
struct Player {
    operator: String,
    mind: Mind,
    model: Obvious,
    number: u64,
    deeds: Vec<Deed>,
    sales: Clients,
    ops: Clients,
    leasing: Clients,
    tenants: [Clients; 2],
    names: BTreeMap<Key, String>,
}

type Answer = Result<Result<(), Status>>;

fn profile(pieces: &[Piece]) -> CapacityProfile {
    let step = |piece: &Piece| CapacityStep {
        start_time: Some(to_timestamp(piece.from)),
        capacity: Some(to_capacity(piece.kw)),
    };
    let end_time = pieces.last().map(|piece| to_timestamp(piece.until));
    CapacityProfile { steps: pieces.iter().map(step).collect(), end_time }
}

fn refused(status: &Status) -> Result<Refused> {
    let refusal = Refusal::of(status)?;
    let facts = FACTS.iter().filter_map(|f| Some(((*f).to_owned(), refusal.metadata.get(*f)?.clone())));
    Ok(Refused { reason: refusal.reason, facts: facts.collect() })
}

impl Player {
    async fn join(stack: &TestStack, number: u64) -> Result<Self> {
        let id = format!("model-{number}");
        let operator = format!("operators/{id}");
        let create = wire::CreateOperatorRequest {
            operator_id: id.clone(),
            operator: Some(wire::Operator { display_name: id.clone(), ..Default::default() }),
            request_id: request_id(),
            validate_only: false,
        };
        stack.clients("platform", Role::PlatformAdmin)?.sites().create_operator(create).await?;
        let model = Obvious::new(&id, 2, 2);
        let mut mind = Mind::new(Dice::new(10 + number), true);
        let deeds = mind.beginning(&model);
        let player = Self {
            sales: stack.clients(&operator, Role::Sales)?,
            ops: stack.clients(&operator, Role::SiteOps)?,
            leasing: stack.clients("services/leasing", Role::Service)?,
            tenants: [
                stack.clients("tenants/tenant-0", Role::Tenant)?,
                stack.clients("tenants/tenant-1", Role::Tenant)?,
            ],
            operator,
            mind,
            model,
            number: 0,
            deeds,
            names: BTreeMap::new(),
        };
        player.found().await?;
        Ok(player)
    }

    /// The sites and halls, of which nothing is known yet.
    async fn found(&self) -> Result<()> {
        let mut sites = self.ops.sites();
        for site in &self.model.sites {
            let id = site.name.rsplit('/').next().unwrap_or_default();
            let create = wire::CreateSiteRequest {
                parent: self.operator.clone(),
                site_id: id.to_owned(),
                site: Some(wire::Site { grid_steps: Vec::new(), ..grid_site(0) }),
                request_id: request_id(),
                validate_only: false,
            };
            sites.create_site(create).await.context("a site")?;
        }
        for block in &self.model.blocks {
            let create = wire::CreateBlockRequest {
                parent: self.model.sites[block.site].name.clone(),
                block_id: block.name.rsplit('/').next().unwrap_or_default().to_owned(),
                block: Some(liquid_block()),
                request_id: request_id(),
                validate_only: false,
            };
            sites.create_block(create).await.context("a hall")?;
        }
        Ok(())
    }

    /// Does the next deeds and compares each answer with the model's.
    async fn play(mut self, database: &TestDatabase, business: Instant) -> Result<Self> {
        self.model.business = business;
        for _ in 0..DEEDS {
            let index = usize::try_from(self.number)?;
            if index >= self.deeds.len() {
                let next = loop {
                    let next = self.mind.next(&self.model);
                    if !matches!(next, Deed::Clock { .. }) {
                        break next;
                    }
                };
                self.deeds.push(next);
            }
            let (number, deed) = (self.number, self.deeds[index].clone());
            let operator = self.operator.clone();
            let what = || format!("{operator} at deed {number}: {deed:?}");
            let answer = match &deed {
                Deed::RunOut { of } => {
                    run_out(database, &self.names[of]).await?;
                    Ok(())
                }
                _ => self.ask(number, &deed).await.with_context(what)?,
            };
            let expected = self.model.apply(number, &deed);
            let answer = match answer {
                Ok(()) => Ok(()),
                Err(status) => Err(refused(&status).with_context(what)?),
            };
            ensure!(answer == expected, "{}: {answer:?} and not {expected:?}", what());
            if number.is_multiple_of(40) {
                for block in self.model.touched(&deed) {
                    self.availability_agrees(block).await.with_context(what)?;
                }
            }
            self.number += 1;
        }
        Ok(self)
    }

    fn behalf<T>(&self, message: T) -> Result<Request<T>> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("gridlease-on-behalf-of", self.operator.parse()?);
        Ok(request)
    }

    fn holder(&self, by_service: bool) -> &Clients {
        if by_service { &self.leasing } else { &self.sales }
    }

    fn for_holder<T>(&self, by_service: bool, message: T) -> Result<Request<T>> {
        if by_service { self.behalf(message) } else { Ok(Request::new(message)) }
    }

    fn claims(&self, takes: &[Take]) -> Vec<wire::Claim> {
        let claim = |take: &Take| wire::Claim {
            block: self.model.blocks[take.block].name.clone(),
            profile: Some(profile(&take.pieces)),
        };
        takes.iter().map(claim).collect()
    }

    async fn ask(&mut self, number: u64, deed: &Deed) -> Answer {
        match deed {
            Deed::Place { .. } | Deed::Extend { .. } | Deed::Commit { .. } | Deed::Release { .. } => {
                self.ask_of_holds(number, deed).await
            }
            Deed::Amend { of, by_service, takes } => {
                let request = wire::AmendReservationRequest {
                    name: self.names[of].clone(),
                    claims: self.claims(takes),
                    request_id: request_id(),
                    ..Default::default()
                };
                let request = self.for_holder(*by_service, request)?;
                Ok(self.holder(*by_service).reservations().amend_reservation(request).await.map(|_| ()))
            }
            Deed::Split { of, by_service, parts } => {
                let part = |takes: &Vec<Take>| wire::ReservationPart {
                    claims: self.claims(takes),
                    note: String::new(),
                };
                let request = wire::SplitReservationRequest {
                    name: self.names[of].clone(),
                    parts: parts.iter().map(part).collect(),
                    request_id: request_id(),
                    ..Default::default()
                };
                let request = self.for_holder(*by_service, request)?;
                let split = self.holder(*by_service).reservations().split_reservation(request).await;
                Ok(split.map(|split| {
                    let names = split.into_inner().reservations.into_iter().skip(1).map(|one| one.name);
                    self.names.extend((number * 32 + 1..).zip(names));
                }))
            }
            Deed::Merge { of, others, by_service } => {
                let request = wire::MergeReservationsRequest {
                    name: self.names[of].clone(),
                    others: others.iter().map(|other| self.names[other].clone()).collect(),
                    request_id: request_id(),
                    ..Default::default()
                };
                let request = self.for_holder(*by_service, request)?;
                Ok(self.holder(*by_service).reservations().merge_reservations(request).await.map(|_| ()))
            }
            Deed::Wait { .. } | Deed::RunOut { .. } | Deed::Clock { .. } => Ok(Ok(())),
            Deed::Reduce { .. } | Deed::Restore { .. } => self.ask_of_windows(number, deed).await,
            Deed::Connect { site, grid } => {
                let request =
                    wire::GetSiteRequest { name: self.model.sites[*site].name.clone(), ..Default::default() };
                let found = self.ops.sites().get_site(request).await?.into_inner().site;
                let step = |step: &crate::obvious::Grid| wire::GridStep {
                    from_date: Some(to_date(step.from)),
                    contracted_kw: step.contracted,
                    energised_kw: None,
                    interim_kw: step.interim,
                };
                let update = wire::UpdateSiteRequest {
                    site: found
                        .map(|found| wire::Site { grid_steps: grid.iter().map(step).collect(), ..found }),
                    update_mask: Some(FieldMask { paths: vec!["grid_steps".to_owned()] }),
                    request_id: request_id(),
                    validate_only: false,
                };
                Ok(self.ops.sites().update_site(update).await.map(|_| ()))
            }
            _ => self.ask_of_phases(number, deed).await,
        }
    }

    async fn ask_of_holds(&mut self, number: u64, deed: &Deed) -> Answer {
        let minutes = |minutes: i64| Some(prost_types::Duration { seconds: minutes * 60, nanos: 0 });
        match deed {
            Deed::Place { kind, tenant, minutes: held, takes } => {
                let kind = format!("RESERVATION_KIND_{kind}");
                let request = wire::PlaceHoldRequest {
                    parent: self.operator.clone(),
                    tenant: if *tenant < 2 { format!("tenants/tenant-{tenant}") } else { String::new() },
                    kind: wire::ReservationKind::from_str_name(&kind).context("a kind")?.into(),
                    claims: self.claims(takes),
                    hold_duration: minutes(*held),
                    note: String::new(),
                    request_id: request_id(),
                    validate_only: false,
                };
                let own = kind.ends_with("_HOLD") && number.is_multiple_of(3);
                let clients = self.tenants.get(*tenant).filter(|_| own).unwrap_or(&self.sales);
                let placed = clients.reservations().place_hold(request).await;
                Ok(placed.map(|placed| {
                    let name = placed.into_inner().reservation.map(|held| held.name);
                    self.names.extend(name.map(|name| (number * 32, name)));
                }))
            }
            Deed::Extend { of, minutes: held } => {
                let request = wire::ExtendHoldRequest {
                    name: self.names[of].clone(),
                    minimum_duration: minutes(*held),
                    request_id: request_id(),
                    ..Default::default()
                };
                Ok(self.sales.reservations().extend_hold(request).await.map(|_| ()))
            }
            Deed::Commit { of } => {
                let request = wire::CommitReservationRequest {
                    name: self.names[of].clone(),
                    request_id: request_id(),
                    validate_only: false,
                };
                let request = self.behalf(request)?;
                Ok(self.leasing.reservations().commit_reservation(request).await.map(|_| ()))
            }
            Deed::Release { of, by_service } => {
                let request = wire::ReleaseReservationRequest {
                    name: self.names[of].clone(),
                    request_id: request_id(),
                    ..Default::default()
                };
                let request = self.for_holder(*by_service, request)?;
                Ok(self.holder(*by_service).reservations().release_reservation(request).await.map(|_| ()))
            }
            _ => Ok(Ok(())),
        }
    }

    async fn ask_of_windows(&mut self, number: u64, deed: &Deed) -> Answer {
        let mut maintenance = self.ops.maintenance();
        match deed {
            Deed::Reduce { block, piece, accept } => {
                let request = wire::ScheduleMaintenanceRequest {
                    parent: self.model.blocks[*block].name.clone(),
                    window: Some(wire::MaintenanceWindow {
                        kind: wire::MaintenanceKind::Derate.into(),
                        start_time: Some(to_timestamp(piece.from)),
                        end_time: Some(to_timestamp(piece.until)),
                        reduction: Some(to_capacity(piece.kw)),
                        reason: "filters".to_owned(),
                        ..Default::default()
                    }),
                    accept_shortfall: *accept,
                    request_id: request_id(),
                    validate_only: false,
                };
                let scheduled = maintenance.schedule_maintenance(request).await;
                Ok(scheduled.map(|scheduled| {
                    let name = scheduled.into_inner().window.map(|window| window.name);
                    self.names.extend(name.map(|name| (number * 32, name)));
                }))
            }
            Deed::Restore { window } => {
                let name = self.names[window].clone();
                let request =
                    wire::CancelMaintenanceRequest { name, request_id: request_id(), ..Default::default() };
                Ok(maintenance.cancel_maintenance(request).await.map(|_| ()))
            }
            _ => Ok(Ok(())),
        }
    }

    async fn ask_of_phases(&mut self, number: u64, deed: &Deed) -> Answer {
        let mut sites = self.ops.sites();
        let name = |phase: &Key| self.model.phases[phase].name.clone();
        match deed {
            Deed::Build { block, draft } => {
                let request = wire::CreatePhaseRequest {
                    parent: self.model.blocks[*block].name.clone(),
                    phase_id: format!("p{}", number * 32),
                    phase: Some(phase_of(draft)),
                    request_id: request_id(),
                    validate_only: false,
                };
                Ok(sites.create_phase(request).await.map(|_| ()))
            }
            Deed::Resize { phase, power, end, accept } => {
                let get = wire::GetPhaseRequest { name: name(phase), ..Default::default() };
                let found = sites.get_phase(get).await?.into_inner().phase.context("a phase")?;
                let request = wire::UpdatePhaseRequest {
                    phase: Some(wire::Phase {
                        capacity: Some(to_capacity(power.kw)),
                        gross_kw: power.gross.unwrap_or(0),
                        end_date: end.map(to_date),
                        ..found
                    }),
                    update_mask: Some(FieldMask {
                        paths: ["capacity", "gross_kw", "end_date"].map(str::to_owned).to_vec(),
                    }),
                    accept_shortfall: *accept,
                    request_id: request_id(),
                    validate_only: false,
                };
                Ok(sites.update_phase(request).await.map(|_| ()))
            }
            Deed::Slip { phase, ready, accept } => {
                let request = wire::SlipPhaseRequest {
                    name: name(phase),
                    ready_for_service_date: Some(to_date(*ready)),
                    date_basis: wire::DateBasis::Forecast.into(),
                    reason: "late".to_owned(),
                    accept_shortfall: *accept,
                    request_id: request_id(),
                    ..Default::default()
                };
                Ok(sites.slip_phase(request).await.map(|_| ()))
            }
            Deed::Advance { phase, to, since, accept } => {
                let state = wire::UseState::from_str_name(&format!("USE_STATE_{to}")).context("a state")?;
                let request = wire::AdvancePhaseRequest {
                    name: name(phase),
                    use_state: state.into(),
                    date: since.map(to_date),
                    accept_shortfall: *accept,
                    request_id: request_id(),
                    ..Default::default()
                };
                Ok(sites.advance_phase(request).await.map(|_| ()))
            }
            Deed::Cancel { phase, accept } => {
                let request = wire::CancelPhaseRequest {
                    name: name(phase),
                    reason: "no power".to_owned(),
                    accept_shortfall: *accept,
                    request_id: request_id(),
                    ..Default::default()
                };
                Ok(sites.cancel_phase(request).await.map(|_| ()))
            }
            _ => Ok(Ok(())),
        }
    }

    async fn availability_agrees(&self, block: usize) -> Result<()> {
        let place = Where::default();
        let request = wire::GetAvailabilityRequest {
            name: self.model.blocks[block].name.clone(),
            start_date: Some(to_date(place.day(-30))),
            end_date: Some(to_date(place.day(3 * DAYS))),
            ..Default::default()
        };
        let steps = self.sales.capacity().get_availability(request).await?.into_inner().steps;
        let starts: Result<Vec<Instant>> = steps.iter().map(|step| instant(step.start_time)).collect();
        let starts = starts?;
        let levels = self.model.levels(block, &[], &starts);
        for (at, level) in levels.range(place.instant(-60)..place.instant(6 * DAYS)) {
            let index = starts.iter().rposition(|start| start <= at).context("a step")?;
            let step = &steps[index];
            let shown = [
                &step.capacity,
                &step.leased,
                &step.optioned,
                &step.held,
                &step.own_use,
                &step.free,
                &step.short,
            ];
            let shown = shown.map(|kw| lanes(kw.as_ref()));
            let expected = shown_of(level);
            ensure!(shown == expected, "block {block} at {at}: {shown:?} is shown, {expected:?} is so");
        }
        Ok(())
    }

    async fn plan_agrees(&self, site: usize) -> Result<()> {
        let place = Where::default();
        let request = wire::GetPowerPlanRequest {
            name: self.model.sites[site].name.clone(),
            start_date: Some(to_date(place.day(-30))),
            end_date: Some(to_date(place.day(3 * DAYS))),
        };
        let steps = self.sales.sites().get_power_plan(request).await?.into_inner().steps;
        ensure!(!steps.is_empty(), "there is a plan");
        for step in steps {
            let at = instant(step.start_time)?;
            let shown = Plan {
                contracted: step.contracted_kw,
                leased: step.leased_kw,
                reserved: step.reserved_kw,
                free: step.free_kw,
                derated: step.derated_kw,
                converting: step.converting_kw,
                interim: step.interim_kw,
            };
            let expected = self.model.plan(site, at);
            ensure!(shown == expected, "site {site} at {at}: {shown:?} is shown, {expected:?} is so");
        }
        Ok(())
    }

    async fn reservations_agree(&self) -> Result<()> {
        let mut listed: BTreeMap<String, wire::Reservation> = BTreeMap::new();
        let mut request = wire::ListReservationsRequest {
            parent: self.operator.clone(),
            page_size: 100,
            ..Default::default()
        };
        loop {
            let page = self.sales.reservations().list_reservations(request.clone()).await?.into_inner();
            listed.extend(page.reservations.into_iter().map(|one| (one.name.clone(), one)));
            if page.next_page_token.is_empty() {
                break;
            }
            request.page_token = page.next_page_token;
        }
        ensure!(listed.len() == self.model.reservations.len(), "not the same reservations");
        for (key, one) in &self.model.reservations {
            let shown = listed.get(&self.names[key]).with_context(|| format!("{key} is not listed"))?;
            let state = format!("RESERVATION_STATE_{}", self.model.seen(one));
            ensure!(shown.state().as_str_name() == state, "{key} is not {state}: {shown:#?}");
            if self.model.is_live(one) {
                let claims = self.claims(&one.takes);
                ensure!(shown.claims == claims, "{key} takes {:?} and not {claims:?}", shown.claims);
            }
        }
        Ok(())
    }
}

fn phase_of(draft: &Draft) -> wire::Phase {
    let basis = if draft.is_actual { wire::DateBasis::Actual } else { wire::DateBasis::Forecast };
    let interim = draft.interim.map_or(wire::InterimUse::Unspecified, |(word, ..)| match word {
        "MINING" => wire::InterimUse::Mining,
        "HOSTING" => wire::InterimUse::Hosting,
        _ => wire::InterimUse::Idle,
    });
    wire::Phase {
        capacity: Some(to_capacity(draft.power.kw)),
        gross_kw: draft.power.gross.unwrap_or(0),
        ready_for_service_date: Some(to_date(draft.ready)),
        date_basis: basis.into(),
        end_date: draft.end.map(to_date),
        interim_use: interim.into(),
        interim_gross_kw: draft.interim.map_or(0, |interim| interim.1),
        interim_start_date: draft.interim.and_then(|interim| interim.2).map(to_date),
        conversion_start_date: draft.conversion.map(to_date),
        ..Default::default()
    }
}

fn lanes(kw: Option<&CapacityVector>) -> Lanes {
    kw.map_or([0; LANES.len()], |kw| {
        [kw.critical_it_kw, kw.air_cooling_kw, kw.liquid_cooling_kw, kw.immersion_cooling_kw, kw.accelerators]
    })
}

/// Capacity, leased, optioned, held, own use, free, short.
fn shown_of(level: &Level) -> [Lanes; 7] {
    let left = |lane: usize| level.given[lane] - level.used[lane];
    let [leased, optioned, held, own_use] = level.shares;
    let free = std::array::from_fn(|lane| left(lane).max(0));
    let short = std::array::from_fn(|lane| (-left(lane)).max(0));
    [level.given, leased, optioned, held, own_use, free, short]
}

fn instant(timestamp: Option<prost_types::Timestamp>) -> Result<Instant> {
    let timestamp = timestamp.context("a time")?;
    Instant::from_timestamp(timestamp.seconds, u32::try_from(timestamp.nanos)?).context("an instant")
}

/// Real time decides about holds, and nobody can wait: the superuser lets one run out, at new versions as every writer of
/// claims does.
async fn run_out(database: &TestDatabase, name: &str) -> Result<()> {
    let id = name.rsplit('/').next().unwrap_or_default();
    let sql = "with moved as (
            select c.block_id, c.version, row_number() over (partition by c.block_id order by c.version) as n,
                count(*) over (partition by c.block_id) as claims
            from inventory.claim c where c.reservation_id = $1::uuid and c.state = 'HELD'),
        raised as (
            update inventory.block_version v set version = v.version + m.claims
                from (select distinct block_id, claims from moved) m where v.block_id = m.block_id
                returning v.block_id, v.version - m.claims as base),
        gone as (
            update inventory.claim c
                set version = raised.base + moved.n, hold_until = clock_timestamp() - interval '1 second'
                from moved join raised on raised.block_id = moved.block_id
                where c.block_id = moved.block_id and c.version = moved.version)
        update inventory.reservation set hold_until = clock_timestamp() - interval '1 second'
            where reservation_id = $1::uuid and state = 'HELD'";
    sqlx::query(sql).bind(id).execute(&mut database.superuser().await?).await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_service_answers_as_the_obvious_model_does() -> Result<()> {
    let first: CivilDate = Where::default().day(0);
    let stack = TestStack::start_on(first).await?;
    let mut players = Vec::new();
    for number in 0..OPERATORS {
        players.push(Player::join(&stack, number).await?);
    }
    for round in 0..ROUNDS {
        let mut business = Zone::UTC.start_of_day(first);
        if round > 0 {
            let day = Where::default().day(round * 4);
            stack.move_to(day).await?;
            business = Zone::UTC.start_of_day(day) + chrono::TimeDelta::hours(12);
        }
        let rounds = players.drain(..).map(|player| player.play(&stack.database, business));
        players = futures::future::try_join_all(rounds).await?;
        ensure!(stack.database.oversold().await? == 0, "oversold after round {round}");
    }
    for player in &players {
        for block in 0..player.model.blocks.len() {
            player.availability_agrees(block).await.with_context(|| player.operator.clone())?;
        }
        for site in 0..player.model.sites.len() {
            player.plan_agrees(site).await.with_context(|| player.operator.clone())?;
        }
        player.reservations_agree().await.with_context(|| player.operator.clone())?;
    }
    stack.stop().await;
    Ok(())
}
