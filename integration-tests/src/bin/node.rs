//! A process of its own for tests: the guard of the shared server, a service, or something else that a test kills.

use std::ffi::OsString;
use std::process::ExitCode;
use std::time::Duration;

use gridlease::doctor::{self, Doctor, Service};
use integration_tests::cluster::NODE_SERVICE;
use postgres::embedded::{Durability, Embedded, EmbeddedOptions, guard_main};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    match (arguments.next().unwrap_or_default().to_str(), std::env::var(NODE_SERVICE)) {
        (Some("guard"), _) => guard_main(arguments),
        (Some("doctor"), Ok(service)) => examine(&service),
        (Some("postgres"), _) => finish(postgres_user(arguments.next().unwrap_or_default())),
        (_, Ok(service)) => run(&service),
        _ => finish(Err(anyhow::anyhow!("a helper of the integration tests, not to be run by hand"))),
    }
}

/// One service, as its own `main` would run it, but with failpoints.
fn run(service: &str) -> ExitCode {
    match service {
        "inventory" => runtime::run("inventory", inventory::service),
        "leasing" => runtime::run("leasing", leasing::service),
        "billing" => runtime::run("billing", billing::service),
        _ => finish(Err(anyhow::anyhow!("{NODE_SERVICE}={service} names no service"))),
    }
}

/// What whoever looks after a pod runs in it.
fn examine(service: &str) -> ExitCode {
    let service = match service {
        "inventory" => Service::Inventory,
        "leasing" => Service::Leasing,
        _ => Service::Billing,
    };
    let asked = Doctor { service, config: None, json: false };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let found =
        runtime.map_err(anyhow::Error::from).and_then(|runtime| runtime.block_on(doctor::doctor(asked)));
    found.unwrap_or_else(|error| finish(Err(error)))
}

#[expect(clippy::print_stderr, reason = "the test that started this process reads it")]
fn finish(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// Uses the throw-away server in this folder, says its address, and stays until it is killed.
#[expect(clippy::print_stdout, reason = "the test that started this process reads it")]
fn postgres_user(home: OsString) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let server = runtime.block_on(Embedded::start(EmbeddedOptions {
        home: home.into(),
        throw_away: true,
        durability: Durability::Disposable,
        guard: integration_tests::database::guard_command()?,
        linger: Duration::from_millis(100),
    }))?;
    println!("{}", server.url());
    loop {
        std::thread::sleep(Duration::from_secs(60));
    }
}
