#![doc = include_str!("../README.md")]

pub mod asking;
pub mod availability;
pub mod bench;
pub mod cli;
pub mod clients;
pub mod commands;
pub mod compare;
pub mod demo;
pub mod doctor;
pub mod finance;
pub mod market;
pub mod out;
pub mod plan;
mod refused;
pub mod render;
pub mod sales;
pub mod simulate;
pub mod stack;
pub mod tables;

use std::path::Path;
use std::process::ExitCode;

use bench::arguments::BenchWhat;
use clap::Parser as _;
use cli::{Cli, Command};
use runtime::Settings;

/// The command: reads its arguments, does what they say, and ends with 0 if all went well.
#[must_use]
pub fn main() -> ExitCode {
    let cli = Cli::parse();
    if let Command::Guard(guard) = cli.command {
        return postgres::embedded::guard_main(guard.arguments);
    }
    match run(cli.command) {
        Ok(code) => code,
        Err(error) => {
            out::note(format!("gridlease: {}", refused::explained(&error)));
            ExitCode::FAILURE
        }
    }
}

fn run(command: Command) -> anyhow::Result<ExitCode> {
    // Only `up` is a server whose log is its output; elsewhere log lines would stand between the answers.
    let filter = if matches!(command, Command::Up(_)) { "info" } else { "warn" };
    let nowhere = ("postgres://unused", Path::new("unused"));
    if let Ok(mut settings) = Settings::local("gridlease", nowhere.0, nowhere.1) {
        settings.telemetry.filter = filter.to_owned();
        runtime::telemetry::init(&settings.telemetry);
    }
    let mut threads = tokio::runtime::Builder::new_multi_thread();
    if matches!(&command, Command::Bench(bench) if !matches!(bench.what, BenchWhat::Billing(_))) {
        // The database is on the same machine and needs the other half; but a run computes with as many hands as it has.
        threads
            .worker_threads(std::thread::available_parallelism().map_or(1, |cores| cores.get().div_ceil(2)));
    }
    let runtime = threads.enable_all().build()?;
    let done = runtime.block_on(async {
        match command {
            Command::Up(arguments) => commands::up(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Demo(arguments) => demo::demo(arguments).await,
            Command::Migrate(arguments) => commands::migrate(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Token(arguments) => commands::token(arguments).map(|()| ExitCode::SUCCESS),
            Command::Revoke(arguments) => commands::revoke(*arguments).await,
            Command::Import(arguments) => tables::import(arguments).await,
            Command::Export(arguments) => tables::export(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Plan(arguments) => plan::plan(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Availability(arguments) => {
                availability::availability(arguments).await.map(|()| ExitCode::SUCCESS)
            }
            Command::Sales(arguments) => sales::sales(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Operator(arguments) => sales::operator(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Lease(arguments) => {
                render::lease(arguments).await.map(|file| render::said(&file)).map(|()| ExitCode::SUCCESS)
            }
            Command::Invoice(arguments) => {
                render::invoice(arguments).await.map(|file| render::said(&file)).map(|()| ExitCode::SUCCESS)
            }
            Command::Simulate(arguments) => simulate::simulate(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Finance(arguments) => finance::finance(arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Doctor(arguments) => doctor::doctor(arguments).await,
            Command::Compare(arguments) => compare::compare(*arguments).await.map(|()| ExitCode::SUCCESS),
            Command::Bench(arguments) => match arguments.what {
                BenchWhat::Booking(arguments) => bench::booking(arguments).await,
                BenchWhat::Billing(arguments) => bench::billing(arguments).await,
                BenchWhat::Ingest(arguments) => bench::ingest(arguments).await,
                BenchWhat::Search(arguments) => bench::search(arguments).await,
            },
            // Handled before a runtime is built: the guard is a process of one thread.
            Command::Guard(guard) => Ok(postgres::embedded::guard_main(guard.arguments)),
        }
    });
    // A task that hangs must not keep the process: everything of value was waited for.
    runtime.shutdown_timeout(std::time::Duration::from_secs(2));
    done
}
