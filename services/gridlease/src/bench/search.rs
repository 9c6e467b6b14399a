//! `gridlease bench search`: a market of many blocks with many reservations, searched in memory and through gRPC.
//!
//! Calls are measured beside an empty call with a token, in turns, so that only their ratio counts; what is measured in
//! memory is compared with nothing.

mod ask;
mod fill;
mod table;

use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context as _;
use kernel::{Clock as _, Organisation, Role, SystemClock};
use postgres::Db;
use serde::Serialize;
use tokio::time::Instant;

use super::arguments::BenchSearch;
use super::{may_measure, sound};
use crate::cli::Ports;
use crate::clients::Clients;
use crate::out;
use crate::stack::{Home, Options, Stack, data_dir, unless_ended};

/// Half and nearly all of some measurements, in nanoseconds.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Spread {
    /// Measurements.
    pub count: usize,
    /// Half of them took at most this.
    pub p50_ns: u64,
    /// All but a hundredth took at most this.
    pub p99_ns: u64,
}

impl Spread {
    fn of(mut ns: Vec<u64>) -> Self {
        ns.sort_unstable();
        let at = |percent: usize| ns.get(ns.len() * percent / 100).or(ns.last()).copied().unwrap_or(0);
        Self { count: ns.len(), p50_ns: at(50), p99_ns: at(99) }
    }
}

fn nanos(since: Instant) -> u64 {
    u64::try_from(since.elapsed().as_nanos()).unwrap_or(u64::MAX)
}

/// What was measured of a market of one size.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Size {
    /// Blocks.
    pub blocks: usize,
    /// Reading everything and building the index, in milliseconds.
    pub load_ms: u64,
    /// Bytes a block, as the index counts them.
    pub bytes_a_block: usize,
    /// What the process grew by, in bytes a block; 0 where the system does not say.
    pub resident_a_block: u64,
    /// The first fifty by price, in memory.
    pub core: Spread,
    /// The same where nothing fits, with what comes nearest.
    pub core_nothing: Spread,
    /// A need spread over blocks of a site, in memory.
    pub core_split: Spread,
    /// A reservation taken into the index.
    pub change: Spread,
    /// An empty call with a token.
    pub empty_call: Spread,
    /// A search through gRPC.
    pub call: Spread,
    /// From a booking's answer to the first search that knows it.
    pub visible: Spread,
}

impl Size {
    /// Half of the searches through gRPC over half of the empty calls, in thousandths.
    #[must_use]
    pub fn call_ratio_milli(&self) -> u64 {
        self.call.p50_ns * 1_000 / self.empty_call.p50_ns.max(1)
    }
}

/// Everything measured.
#[derive(Debug, Default, Serialize)]
pub struct Results {
    /// A rehearsal proves nothing.
    pub rehearsal: bool,
    /// Version and settings of the server.
    pub server: String,
    /// Reservations on each block.
    pub reservations: u32,
    /// One a size.
    pub sizes: Vec<Size>,
}

/// How often each thing is measured.
#[derive(Clone, Copy)]
struct Often {
    core: usize,
    calls: usize,
    bookings: usize,
}

/// Measures and reports.
///
/// # Errors
/// A build whose figures would mean nothing; anything that fails on the way.
pub async fn search(arguments: BenchSearch) -> anyhow::Result<ExitCode> {
    may_measure(arguments.rehearse)?;
    let data = data_dir(arguments.data_dir.clone())?;
    let options = Options {
        database_url: arguments.database.database_url.clone(),
        home: Home::thrown_away_in(&data, "bench", arguments.database.database_url.is_none())?,
        ports: Ports::FREE,
        // The empty call asks for the time, which is served where time can be moved.
        test_clock: Some(SystemClock.now()),
        inventory_only: true,
    };
    out::note("starting Postgres and inventory");
    let Some(mut stack) = unless_ended(Stack::start(options)).await? else { return Ok(ExitCode::FAILURE) };
    let measured = unless_ended(measure(&arguments, &mut stack)).await;
    stack.stop().await;
    let Some(results) = measured? else { return Ok(ExitCode::FAILURE) };
    out::say(if arguments.json { serde_json::to_string_pretty(&results)? } else { table::tables(&results) });
    Ok(ExitCode::SUCCESS)
}

async fn measure(arguments: &BenchSearch, stack: &mut Stack) -> anyhow::Result<Results> {
    let server = sound::check(stack.database_url(), arguments.rehearse).await?;
    let mut sizes = arguments.blocks.clone();
    if sizes.is_empty() {
        sizes = if arguments.quick { vec![1_000, 10_000] } else { vec![1_000, 10_000, 100_000] };
    }
    sizes.sort_unstable();
    sizes.dedup();
    let often = if arguments.quick {
        Often { core: 500, calls: 300, bookings: 20 }
    } else {
        Often { core: 5_000, calls: 3_000, bookings: 200 }
    };
    let reservations = arguments.reservations;
    let mut results = Results { rehearsal: arguments.rehearse, server, reservations, sizes: Vec::new() };
    let mut filled = 0;
    for blocks in sizes {
        fill::fill(stack.database_url(), filled..blocks, reservations).await?;
        filled = blocks;
        out::note(format!("measuring {blocks} blocks"));
        let mut size = in_memory(stack, often).await?;
        stack.restart_inventory().await?;
        through_grpc(stack, often, &mut size).await?;
        results.sizes.push(size);
    }
    Ok(results)
}

/// An index of our own, made as the service makes its own, and gone before the service starts again.
async fn in_memory(stack: &Stack, often: Often) -> anyhow::Result<Size> {
    let settings = postgres::Settings::new(stack.database_url()).role("inventory_worker").max_connections(1);
    let db = Db::connect(&settings).await?;
    let before = resident();
    let began = Instant::now();
    let (mut index, _) = inventory::store::index::load(&db, SystemClock.now()).await?;
    let load_ms = u64::try_from(began.elapsed().as_millis())?;
    let blocks = index.len().max(1);
    let grown = resident().saturating_sub(before);
    let mut size = Size {
        blocks: index.len(),
        load_ms,
        bytes_a_block: index.bytes() / blocks,
        resident_a_block: grown / u64::try_from(blocks)?,
        ..Size::default()
    };
    ask::in_memory(&mut index, often.core, &mut size)?;
    db.close().await;
    Ok(size)
}

async fn through_grpc(stack: &Stack, often: Often, size: &mut Size) -> anyhow::Result<()> {
    let mint = |organisation: &Organisation, role| {
        stack.issuer().mint("bench", organisation, &[role], Duration::from_secs(24 * 3_600))
    };
    let caller = |token: String| -> anyhow::Result<Clients> { stack.channels()?.caller(&token) };
    let tenant = Organisation::Tenant("bench-tenant".parse()?);
    let platform = caller(mint(&Organisation::Platform, Role::PlatformAdmin)?)?;
    let tenant = caller(mint(&tenant, Role::Tenant)?)?;
    ask::until_ready(stack.addresses().inventory).await.context("wait for the index")?;
    ask::calls(&platform, &tenant, often.calls, size).await?;
    ask::bookings(&tenant, often.bookings, size).await
}

/// The memory that this process has, in bytes; 0 where the system does not say.
pub(super) fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.split_whitespace().next()).and_then(|kib| kib.parse::<u64>().ok());
    kib.unwrap_or(0) * 1_024
}
