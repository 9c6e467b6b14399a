//! What may be typed after `gridlease bench`.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use crate::cli::Database;

/// `gridlease bench`.
#[derive(Debug, Args)]
pub struct Bench {
    /// What to measure.
    #[command(subcommand)]
    pub what: BenchWhat,
}

/// What can be measured.
#[derive(Debug, Subcommand)]
pub enum BenchWhat {
    /// Invoices a second of a billing run, beside one transaction an invoice over eight connections
    Billing(BenchBilling),
    /// Durable bookings a second through gRPC, beside single-row INSERTs on the same Postgres
    Booking(BenchBooking),
    /// Readings of meters a second through the gRPC stream, beside COPY into the same table
    Ingest(BenchIngest),
    /// Search over many blocks: in memory, through gRPC beside an empty call, and how soon a booking shows
    Search(BenchSearch),
}

const BENCH_EXAMPLES: &str = "\
Examples:
  cargo run --release -- bench booking
  cargo run --release -- bench booking --quick
  cargo run --release -- bench booking --json --rounds 5 --seconds 10

A debug build, a server with fsync=off and data on a memory file system are refused: their figures mean nothing.";

/// `gridlease bench booking`.
#[derive(Debug, Args)]
#[command(after_help = BENCH_EXAMPLES)]
pub struct BenchBooking {
    /// Fewer and shorter rounds: an impression, not a result
    #[arg(long)]
    pub quick: bool,
    /// Only what these targets are judged by, such as T1,T3
    #[arg(long, value_name = "TARGETS", value_delimiter = ',', value_parser = ["T1", "T2", "T3", "T4", "T5", "T6"], ignore_case = true)]
    pub only: Vec<String>,
    /// One JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Runs on any build and any server; what it prints means nothing.
    #[arg(long, hide = true)]
    pub rehearse: bool,
    /// Rounds whose median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: u32,
    /// Seconds of each measurement
    #[arg(long, default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=600))]
    pub seconds: u32,
    /// Where the embedded Postgres keeps the data while it runs; must be a real disk [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Which Postgres.
    #[command(flatten)]
    pub database: Database,
}

const BENCH_BILLING_EXAMPLES: &str = "\
Examples:
  cargo run --release -- bench billing
  cargo run --release -- bench billing --quick
  cargo run --release -- bench billing --leases 10000 --rounds 5 --json

A debug build, a server with fsync=off and data on a memory file system are refused: their figures mean nothing.";

/// `gridlease bench billing`.
#[derive(Debug, Args)]
#[command(after_help = BENCH_BILLING_EXAMPLES)]
pub struct BenchBilling {
    /// One round of the smallest size: an impression, not a result
    #[arg(long)]
    pub quick: bool,
    /// One JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Runs on any build and any server; what it prints means nothing.
    #[arg(long, hide = true)]
    pub rehearse: bool,
    /// How many leases the operator has, each size measured in turn, in rising order [default: 1000,10000,100000]
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub leases: Vec<u32>,
    /// Rounds whose median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: u32,
    /// Where the embedded Postgres keeps the data while it runs; must be a real disk [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Which Postgres; its database must be empty.
    #[command(flatten)]
    pub database: Database,
}

const BENCH_INGEST_EXAMPLES: &str = "\
Examples:
  cargo run --release -- bench ingest
  cargo run --release -- bench ingest --quick
  cargo run --release -- bench ingest --only T9 --rounds 5 --json

A debug build, a server with fsync=off and data on a memory file system are refused: their figures mean nothing.";

/// `gridlease bench ingest`.
#[derive(Debug, Args)]
#[command(after_help = BENCH_INGEST_EXAMPLES)]
pub struct BenchIngest {
    /// One round of a quarter of the readings: an impression, not a result
    #[arg(long)]
    pub quick: bool,
    /// Only what these targets are judged by, such as T9
    #[arg(long, value_name = "TARGETS", value_delimiter = ',', value_parser = ["T9", "T10"], ignore_case = true)]
    pub only: Vec<String>,
    /// One JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Runs on any build and any server; what it prints means nothing.
    #[arg(long, hide = true)]
    pub rehearse: bool,
    /// Rounds whose median counts
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=99))]
    pub rounds: u32,
    /// Days of readings of a hundred meters in each measurement
    #[arg(long, default_value_t = 40, value_parser = clap::value_parser!(u32).range(2..=360))]
    pub days: u32,
    /// Where the embedded Postgres keeps the data while it runs; must be a real disk [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Which Postgres; its database must be empty.
    #[command(flatten)]
    pub database: Database,
}

const BENCH_SEARCH_EXAMPLES: &str = "\
Examples:
  cargo run --release -- bench search
  cargo run --release -- bench search --quick
  cargo run --release -- bench search --blocks 1000,100000 --reservations 100 --json

A debug build is refused: its figures mean nothing.";

/// `gridlease bench search`.
#[derive(Debug, Args)]
#[command(after_help = BENCH_SEARCH_EXAMPLES)]
pub struct BenchSearch {
    /// Fewer blocks and questions: an impression, not a result
    #[arg(long)]
    pub quick: bool,
    /// One JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Runs on any build and any server; what it prints means nothing.
    #[arg(long, hide = true)]
    pub rehearse: bool,
    /// How many blocks the market has, each size measured in turn [default: 1000,10000,100000, or the first two if quick]
    #[arg(long, value_delimiter = ',', value_parser = clap::value_parser!(u32).range(50..=1_000_000))]
    pub blocks: Vec<u32>,
    /// Reservations on each block
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(0..=10_000))]
    pub reservations: u32,
    /// Where the embedded Postgres keeps the data while it runs [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Which Postgres; its database must be empty.
    #[command(flatten)]
    pub database: Database,
}
