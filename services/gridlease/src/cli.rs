//! The command line: what may be typed, with an example for each.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::bench::arguments::Bench;

const EXAMPLES: &str = "\
Examples:
  gridlease demo                     see the whole thing on real data, then call it yourself
  gridlease demo --exit              the same as a check: exit code 0 when every figure holds
  gridlease up                       all three services on a Postgres of its own, data kept
  DATABASE_URL=postgres://postgres@db/gridlease gridlease migrate up
  gridlease doctor --service inventory
  gridlease token --org operators/hut-8 --role sales
  gridlease revoke --org operators/hut-8 --subject ana
  gridlease import --operator hut-8 sites.csv
  gridlease export --operator hut-8 --output sites.csv
  gridlease plan hut-8/river-bend --svg river-bend.svg
  gridlease availability hut-8
  gridlease sales deadlines --operator hut-8
  gridlease lease render operators/hut-8/leases/river-bend --out river-bend.pdf
  gridlease finance aging --operator hut-8
  gridlease simulate operators/hut-8/leases/river-bend
  cargo run --release -- bench booking --quick";

/// A capacity marketplace for powered, cooled sites: inventory, leasing and billing.
#[derive(Debug, Parser)]
#[command(name = "gridlease", version, about, after_help = EXAMPLES, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run inventory, leasing and billing in one process until Ctrl-C
    Up(Up),
    /// Load a real market, book it, bill it, check every figure, and stay up to be called
    Demo(Demo),
    /// Bring a database to this version, or say how far it is
    Migrate(Migrate),
    /// Mint a token of the local development issuer
    Token(Token),
    /// End tokens before their time, at every service
    Revoke(Box<crate::commands::Revoke>),
    /// Create sites, grid power, blocks and phases of a table: all of it or nothing, every wrong row told
    Import(crate::tables::Import),
    /// Write an operator's sites, grid power, blocks and phases as a table
    Export(crate::tables::Export),
    /// Draw where a site's gross power goes over time, in the terminal or as a picture
    Plan(crate::plan::Plan),
    /// Tell what is free over time, and who has rights on it
    Availability(crate::availability::Availability),
    /// A salesperson's day: find, hold, propose, follow a deal, the pipeline, what runs out
    Sales(crate::sales::Sales),
    /// What the operator's signatory does
    Operator(crate::sales::Operator),
    /// A lease as a file to send
    Lease(crate::render::Lease),
    /// An invoice as a file to send
    Invoice(crate::render::Invoice),
    /// A controller's month: close it, invoices, what is owed, revenue, what is contracted and not earned
    Finance(crate::finance::Finance),
    /// A contract's invoices from its first day to its last, in seconds, under stated assumptions
    Simulate(crate::simulate::Simulate),
    /// Mine or lease: what the same power earns as the one and as the other
    Compare(Box<crate::compare::Compare>),
    /// Say what is wrong with an installation: settings, store, roles, schema, row security, clock, keys, peers
    Doctor(crate::doctor::Doctor),
    /// Measure against a bare Postgres on the same machine
    Bench(Bench),
    /// The process that stops an embedded Postgres when its last user is gone
    #[command(hide = true)]
    Guard(Guard),
}

/// Which Postgres to use.
#[derive(Clone, Debug, Default, Args)]
pub struct Database {
    /// An existing server to use instead of an embedded one (superuser or owner of the database)
    #[arg(long, env = "DATABASE_URL", hide_env_values = true, value_name = "URL")]
    pub database_url: Option<String>,
}

/// The ports of the three services.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ports {
    /// Port of inventory.
    pub inventory: u16,
    /// Port of leasing.
    pub leasing: u16,
    /// Port of billing.
    pub billing: u16,
}

impl Ports {
    /// Ports that the system chooses.
    pub const FREE: Self = Self { inventory: 0, leasing: 0, billing: 0 };
    /// The documented ones.
    pub const USUAL: Self = Self { inventory: 50051, leasing: 50052, billing: 50053 };
}

impl std::str::FromStr for Ports {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let ports: Vec<u16> = text
            .split(',')
            .map(|part| part.trim().parse().map_err(|_| format!("`{part}` is no port")))
            .collect::<Result<_, _>>()?;
        match ports[..] {
            [0] => Ok(Self::FREE),
            [inventory, leasing, billing] => Ok(Self { inventory, leasing, billing }),
            _ => Err("three ports, for inventory, leasing and billing, or 0 for free ones".to_owned()),
        }
    }
}

const UP_EXAMPLES: &str = "\
Examples:
  gridlease up
  gridlease up --data-dir ./data --ports 7001,7002,7003
  gridlease up --test-clock 2026-12-01
  DATABASE_URL=postgres://postgres@127.0.0.1/gridlease gridlease up";

/// `gridlease up`.
#[derive(Debug, Args)]
#[command(after_help = UP_EXAMPLES)]
pub struct Up {
    /// Where the embedded Postgres and the development key live [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Business time stands at this date and moves only when asked (ClockService.AdvanceTime)
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub test_clock: Option<chrono::NaiveDate>,
    /// gRPC ports of inventory, leasing and billing; 0 for free ones
    #[arg(long, default_value = "50051,50052,50053", value_name = "I,L,B")]
    pub ports: Ports,
    /// Which Postgres.
    #[command(flatten)]
    pub database: Database,
}

const DEMO_EXAMPLES: &str = "\
Examples:
  gridlease demo                      tables, then stays up until Ctrl-C
  gridlease demo --exit               ends after the tables; exit code 1 when a check fails
  gridlease demo --exit --json        the same for a machine: one JSON document on standard output
  gridlease demo --operator hut-8     the tables of one operator only (all are loaded)";

/// `gridlease demo`.
#[derive(Debug, Args)]
#[command(after_help = DEMO_EXAMPLES)]
pub struct Demo {
    /// End after the tables instead of staying up
    #[arg(long)]
    pub exit: bool,
    /// One JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Print the lease table of this operator only
    #[arg(long, value_name = "SLUG")]
    pub operator: Option<String>,
    /// gRPC ports of inventory, leasing and billing; 0 for free ones [default: 50051,50052,50053, or free ones where taken]
    #[arg(long, value_name = "I,L,B")]
    pub ports: Option<Ports>,
    /// Which Postgres; its database must be empty of the demonstration's operators.
    #[command(flatten)]
    pub database: Database,
}

const MIGRATE_EXAMPLES: &str = "\
Examples:
  DATABASE_URL=postgres://postgres@127.0.0.1/gridlease gridlease migrate up
  gridlease migrate status --database-url postgres://postgres@127.0.0.1/gridlease
  gridlease migrate up --database-url-file /etc/gridlease/database/url
  gridlease migrate check      exit code 1 when the database is behind or a released file was changed";

/// `gridlease migrate`.
#[derive(Debug, Args)]
#[command(after_help = MIGRATE_EXAMPLES)]
pub struct Migrate {
    /// What to do with the migrations.
    #[arg(value_enum)]
    pub action: MigrateAction,
    /// The database, as a superuser or the owner
    #[arg(
        long,
        env = "DATABASE_URL",
        hide_env_values = true,
        value_name = "URL",
        required_unless_present = "database_url_file"
    )]
    pub database_url: Option<String>,
    /// A file with that URL instead, so that no password is in an argument or a variable
    #[arg(long, value_name = "FILE", conflicts_with = "database_url")]
    pub database_url_file: Option<PathBuf>,
}

/// What to do with the migrations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum MigrateAction {
    /// Apply what is missing
    Up,
    /// Say what is applied and what is missing
    Status,
    /// As status, as an exit code
    Check,
}

const TOKEN_EXAMPLES: &str = "\
Examples:
  gridlease token --org operators/hut-8 --role sales
  gridlease token --org tenants/anthropic --role tenant --subject alice --minutes 480
  TOKEN=$(gridlease token --org platform --role platform_admin)";

/// `gridlease token`.
#[derive(Debug, Args)]
#[command(after_help = TOKEN_EXAMPLES)]
pub struct Token {
    /// The organisation: operators/SLUG, tenants/SLUG or platform
    #[arg(long, value_name = "ORG")]
    pub org: String,
    /// A role; may be given several times
    #[arg(
        long = "role",
        required = true,
        value_name = "ROLE",
        help = "operator_admin, site_ops, sales, finance, tenant, auditor or platform_admin; may be repeated"
    )]
    pub roles: Vec<String>,
    /// Who the caller is
    #[arg(long, default_value = "developer", value_name = "NAME")]
    pub subject: String,
    /// How long it is good for
    #[arg(long, default_value_t = 60, value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub minutes: u32,
    /// The data directory of the `up` that shall accept it [default: the user's data directory]
    #[arg(long, env = "GRIDLEASE_DATA_DIR", value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
}

/// `gridlease guard`, started by ourselves only.
#[derive(Debug, Args)]
pub struct Guard {
    /// What the launcher hands over.
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    pub arguments: Vec<std::ffi::OsString>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_shows_an_example() {
        fn walk(command: &clap::Command) {
            for sub in command.get_subcommands() {
                if sub.is_hide_set() {
                    continue;
                }
                if sub.has_subcommands() {
                    walk(sub);
                } else {
                    let help = sub.clone().render_help().to_string();
                    assert!(help.contains("Examples:"), "`{}` shows no example", sub.get_name());
                }
            }
        }
        walk(&Cli::command());
    }

    #[test]
    fn ports_are_three_or_free() {
        assert_eq!("0".parse(), Ok(Ports::FREE));
        assert_eq!("50051, 50052,50053".parse(), Ok(Ports::USUAL));
        assert!("1,2".parse::<Ports>().is_err());
        assert!("a,b,c".parse::<Ports>().is_err());
    }
}
