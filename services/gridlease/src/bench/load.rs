//! The load: clients that book, each waiting for its answer before the next.

mod line;
mod random;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::Context as _;
use contracts::common::v1::{CapacityProfile, CapacityStep, CapacityVector};
use contracts::google::r#type::Date;
use contracts::inventory::v1 as wire;
use contracts::inventory::v1::reservation_service_client::ReservationServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use futures::{StreamExt as _, TryStreamExt as _};
use inventory::app::rpc::PLACE_HOLD;
use kernel::{Ids as _, Organisation, Role, SystemIds};
use runtime::client::{Bearer, channel};
use serde::Serialize;
use tokio::sync::Barrier;
use tokio::time::Instant;

use self::line::Line;
pub(super) use self::random::Random;
use super::{Depth, Target};
use crate::clients::Wire;
use crate::stack::Stack;

const OPERATOR: &str = "operators/bench";
const SITE: &str = "operators/bench/sites/bench-site";
/// Capacity that no run exhausts, in kW.
const ENDLESS_KW: i64 = 100_000_000;
/// Clients that share a connection, fewer than a server takes calls on one, and connections to a replica.
const CLIENTS_A_CONNECTION: usize = 64;
const CONNECTIONS: usize = 4;
/// Bookings of each client before the clock starts.
const WARM_UP: usize = 3;
/// Claims that lie on blocks of growing depth, and bookings of one measurement on each.
const DEPTHS: [u64; 4] = [10, 100, 1_000, 10_000];
/// From so many claims on a block is filled once and used for every round.
const DEPTH_KEPT: u64 = 1_000;
const DEPTH_BOOKINGS: u64 = 500;
const DEPTH_TURNS: usize = 4;
const DEPTH_CLIENTS: usize = 64;
/// The first second that bookings may start in: 2027-01-01 UTC; they spread over eight years by the hour.
const FROM: i64 = 1_798_761_600;
const HOURS: u64 = 70_080;

/// Bookings of one measurement.
#[derive(Clone, Debug, Serialize)]
pub struct Measured {
    /// Accepted bookings.
    pub bookings: u64,
    /// A second.
    pub per_s: u64,
    /// Half of the calls took at most this, in microseconds.
    pub p50_us: u64,
    /// All but a hundredth took at most this, in microseconds.
    pub p99_us: u64,
}

/// Blocks to book and clients to book with. Many clients share a connection, as when the targets were set, and as callers
/// behind a proxy do.
pub(super) struct Bench {
    sites: SiteServiceClient<Wire>,
    token: String,
    reservations: ReservationServiceClient<Wire>,
    /// One a replica, each with its connections.
    desks: Vec<Vec<Line>>,
    spread: Arc<Vec<String>>,
    deep: BTreeMap<u64, String>,
    made: usize,
}

/// Where a measurement books.
#[derive(Clone)]
struct Place {
    blocks: Arc<Vec<String>>,
    /// The n-th block n times less often than the first (Zipf), or all alike.
    popular_first: bool,
    /// Calls go to so many replicas, without regard to the block.
    replicas: usize,
}

impl Place {
    /// One block through one replica.
    fn one(block: String) -> Self {
        Self { blocks: Arc::new(vec![block]), popular_first: false, replicas: 1 }
    }

    fn block(&self, random: &mut Random) -> &String {
        let index = if self.popular_first {
            random.popular(self.blocks.len())
        } else {
            random.below(self.blocks.len())
        };
        &self.blocks[index]
    }
}

/// When a measurement ends.
#[derive(Clone, Copy)]
enum Until {
    Seconds(u64),
    Bookings(u64),
}

impl Bench {
    /// An operator with a site and `blocks` blocks.
    pub(super) async fn prepare(stack: &Stack, blocks: usize) -> anyhow::Result<Self> {
        let mint = |organisation: &Organisation, role| {
            stack.issuer().mint("bench", organisation, &[role], Duration::from_secs(24 * 3600))
        };
        let operator = Organisation::Operator("bench".parse()?);
        let address = format!("http://{}", stack.addresses().inventory);
        let platform = Bearer::new(&mint(&Organisation::Platform, Role::PlatformAdmin)?)?;
        let token = mint(&operator, Role::OperatorAdmin)?;
        let mut market = SiteServiceClient::with_interceptor(channel(&address)?, platform);
        market.create_operator(operator_request()).await.context("make the bench's operator")?;
        let sites = SiteServiceClient::with_interceptor(channel(&address)?, Bearer::new(&token)?);
        sites.clone().create_site(site_request()).await.context("make the bench's site")?;
        let reservations =
            ReservationServiceClient::with_interceptor(channel(&address)?, Bearer::new(&token)?);
        let desks = vec![lines(stack.addresses().inventory, &token).await?];
        let spread = futures::stream::iter((0..blocks).map(|n| block(sites.clone(), format!("spread-{n}"))))
            .buffered(16)
            .try_collect::<Vec<_>>()
            .await?;
        let (spread, deep) = (Arc::new(spread), BTreeMap::new());
        let bench = Self { sites, token, reservations, desks, spread, deep, made: 0 };
        bench.touch_each_block().await?;
        Ok(bench)
    }

    /// Books once on each block, so that what is measured is a service at work and not its first minute.
    async fn touch_each_block(&self) -> anyhow::Result<()> {
        let place = |block: &String| Place::one(block.clone());
        let each = self.spread.iter().map(|block| self.load(place(block), 1, Until::Bookings(1), 0));
        futures::stream::iter(each).buffer_unordered(16).try_for_each(|_| async { Ok(()) }).await
    }

    /// Lets the targets of two replicas book through this one too.
    pub(super) async fn add_replica(&mut self, address: SocketAddr) -> anyhow::Result<()> {
        self.desks.push(lines(address, &self.token).await?);
        Ok(())
    }

    /// Books for so many seconds.
    pub(super) async fn run(
        &mut self,
        target: Target,
        clients: usize,
        seconds: u64,
    ) -> anyhow::Result<Measured> {
        let spread = Place { blocks: self.spread.clone(), popular_first: false, replicas: 1 };
        let place = match target {
            Target::HotBlock => Place::one(self.fresh_block().await?),
            Target::ThousandBlocks => spread,
            Target::TwoReplicasHot => Place { replicas: 2, ..Place::one(self.fresh_block().await?) },
            Target::TwoReplicasZipf => Place { replicas: 2, popular_first: true, ..spread },
        };
        self.load(place, clients, Until::Seconds(seconds), WARM_UP).await
    }

    /// The same number of bookings on blocks with few claims and with many, in turns.
    pub(super) async fn depths(&mut self) -> anyhow::Result<Vec<Depth>> {
        let mut micros = [0; DEPTHS.len()];
        for _ in 0..DEPTH_TURNS {
            for (claims, micros) in DEPTHS.into_iter().zip(&mut micros) {
                let block = self.block_with(claims).await?;
                *micros += self.fill(&block, DEPTH_BOOKINGS).await?;
            }
        }
        let booked = DEPTH_BOOKINGS * u64::try_from(DEPTH_TURNS)?;
        let depth =
            |(claims, micros): (u64, u64)| Depth { claims, per_s: booked * 1_000_000 / micros.max(1) };
        Ok(DEPTHS.into_iter().zip(micros).map(depth).collect())
    }

    /// A block on which so many claims lie, or at least: to fill a deep one each time would take too long.
    async fn block_with(&mut self, claims: u64) -> anyhow::Result<String> {
        if let Some(kept) = self.deep.get(&claims) {
            return Ok(kept.clone());
        }
        let block = self.fresh_block().await?;
        self.fill(&block, claims).await?;
        if claims >= DEPTH_KEPT {
            self.deep.insert(claims, block.clone());
        }
        Ok(block)
    }

    async fn fresh_block(&mut self) -> anyhow::Result<String> {
        self.made += 1;
        block(self.sites.clone(), format!("fresh-{}", self.made)).await
    }

    /// Books so many times on one block; answers the microseconds it took.
    async fn fill(&self, block: &str, bookings: u64) -> anyhow::Result<u64> {
        let began = Instant::now();
        self.load(Place::one(block.to_owned()), DEPTH_CLIENTS, Until::Bookings(bookings), 0).await?;
        Ok(u64::try_from(began.elapsed().as_micros())?)
    }

    async fn load(
        &self,
        place: Place,
        clients: usize,
        until: Until,
        warm_up: usize,
    ) -> anyhow::Result<Measured> {
        let barrier = Arc::new(Barrier::new(clients + 1));
        let left = Arc::new(AtomicU64::new(match until {
            Until::Seconds(_) => u64::MAX,
            Until::Bookings(bookings) => bookings,
        }));
        let seconds = match until {
            Until::Seconds(seconds) => Duration::from_secs(seconds),
            Until::Bookings(_) => Duration::from_secs(600),
        };
        let mut tasks = Vec::new();
        for client in 0..clients {
            let worker = Worker {
                desks: self.desks.iter().take(place.replicas).map(|lines| line_of(lines, client)).collect(),
                reservations: self.reservations.clone(),
                place: place.clone(),
                random: Random(u64::try_from(client)? + 1),
            };
            tasks.push(tokio::spawn(worker.work(barrier.clone(), left.clone(), seconds, warm_up)));
        }
        barrier.wait().await;
        let began = Instant::now();
        let mut micros = Vec::new();
        for task in tasks {
            micros.extend(task.await??);
        }
        let took_us = u64::try_from(began.elapsed().as_micros())?.max(1);
        micros.sort_unstable();
        let bookings = u64::try_from(micros.len())?;
        let at = |percent: usize| micros.get(micros.len() * percent / 100).copied().unwrap_or(0);
        Ok(Measured { bookings, per_s: bookings * 1_000_000 / took_us, p50_us: at(50), p99_us: at(99) })
    }
}

/// One client.
struct Worker {
    desks: Vec<Line>,
    reservations: ReservationServiceClient<Wire>,
    place: Place,
    random: Random,
}

impl Worker {
    /// Books until the time is over or nothing is left to book; answers how long each booking took.
    async fn work(
        mut self,
        barrier: Arc<Barrier>,
        left: Arc<AtomicU64>,
        longest: Duration,
        warm_up: usize,
    ) -> anyhow::Result<Vec<u64>> {
        let mut warm = Ok(());
        for _ in 0..warm_up {
            warm = warm.and(self.book().await);
        }
        // Everyone arrives, also after a failure: nobody is left waiting.
        barrier.wait().await;
        warm?;
        let end = Instant::now() + longest;
        let take = |left: u64| left.checked_sub(1);
        let mut micros = Vec::new();
        while Instant::now() < end && left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok() {
            let began = Instant::now();
            self.book().await?;
            micros.push(u64::try_from(began.elapsed().as_micros())?);
        }
        Ok(micros)
    }

    async fn book(&mut self) -> anyhow::Result<()> {
        let block = self.place.block(&mut self.random);
        let start = FROM + i64::try_from(self.random.next() % HOURS)? * 3_600;
        let end = start + (1 + i64::try_from(self.random.next() % HOURS)?) * 3_600;
        let stamp = |seconds| Some(prost_types::Timestamp { seconds, nanos: 0 });
        let capacity = CapacityVector {
            critical_it_kw: 20,
            air_cooling_kw: 3,
            liquid_cooling_kw: 17,
            ..Default::default()
        };
        let step = CapacityStep { start_time: stamp(start), capacity: Some(capacity) };
        let request = wire::PlaceHoldRequest {
            parent: OPERATOR.to_owned(),
            tenant: "tenants/bench-tenant".to_owned(),
            kind: wire::ReservationKind::Hold.into(),
            claims: vec![wire::Claim {
                block: block.clone(),
                profile: Some(CapacityProfile { steps: vec![step], end_time: stamp(end) }),
            }],
            hold_duration: Some(prost_types::Duration { seconds: 30 * 86_400, nanos: 0 }),
            note: String::new(),
            request_id: SystemIds.next().to_string(),
            validate_only: false,
        };
        let desk = self.random.below(self.desks.len());
        if !self.desks[desk].call(&request).await.context("a booking")? {
            // Asked once more by a client that reads why.
            self.reservations.place_hold(request).await.context("a booking")?;
        }
        Ok(())
    }
}

/// The connections to one replica.
async fn lines(address: SocketAddr, token: &str) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::with_capacity(CONNECTIONS);
    for _ in 0..CONNECTIONS {
        lines.push(Line::open(address, PLACE_HOLD, token).await?);
    }
    Ok(lines)
}

/// The connection of the n-th client.
fn line_of(lines: &[Line], client: usize) -> Line {
    lines[client / CLIENTS_A_CONNECTION % lines.len()].clone()
}

fn operator_request() -> wire::CreateOperatorRequest {
    wire::CreateOperatorRequest {
        operator_id: "bench".to_owned(),
        operator: Some(wire::Operator { display_name: "Bench".to_owned(), ..Default::default() }),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    }
}

fn site_request() -> wire::CreateSiteRequest {
    wire::CreateSiteRequest {
        parent: OPERATOR.to_owned(),
        site_id: "bench-site".to_owned(),
        site: Some(wire::Site {
            display_name: "Bench".to_owned(),
            country_code: "US".to_owned(),
            time_zone: "UTC".to_owned(),
            ..Default::default()
        }),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    }
}

/// A block with one endless phase.
async fn block(mut sites: SiteServiceClient<Wire>, id: String) -> anyhow::Result<String> {
    let name = format!("{SITE}/blocks/{id}");
    let request = wire::CreateBlockRequest {
        parent: SITE.to_owned(),
        block_id: id.clone(),
        block: Some(wire::Block { display_name: id, ..Default::default() }),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    };
    sites.create_block(request).await.context("make a block")?;
    let request = wire::CreatePhaseRequest {
        parent: name.clone(),
        phase_id: "phase-1".to_owned(),
        phase: Some(wire::Phase {
            capacity: Some(CapacityVector {
                critical_it_kw: ENDLESS_KW,
                air_cooling_kw: ENDLESS_KW,
                liquid_cooling_kw: ENDLESS_KW,
                ..Default::default()
            }),
            ready_for_service_date: Some(Date { year: 2026, month: 1, day: 1 }),
            date_basis: wire::DateBasis::Actual.into(),
            ..Default::default()
        }),
        request_id: SystemIds.next().to_string(),
        validate_only: false,
    };
    sites.create_phase(request).await.context("make a phase")?;
    Ok(name)
}
