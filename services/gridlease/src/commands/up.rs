//! `gridlease up`: everything on one machine, until told to end.

use kernel::{Organisation, Role, Zone};

use super::refuse_production;
use crate::cli::Up;
use crate::demo::calling;
use crate::out;
use crate::stack::{Home, Options, Stack, asked_to_end, data_dir, unless_ended};

/// Runs the services until Ctrl-C.
///
/// # Errors
/// Whatever keeps them from starting.
pub async fn up(arguments: Up) -> anyhow::Result<()> {
    refuse_production("`gridlease up`, which signs its own tokens,")?;
    let directory = data_dir(arguments.data_dir)?;
    let options = Options {
        database_url: arguments.database.database_url,
        home: Home::kept(directory.clone()),
        ports: arguments.ports,
        test_clock: arguments.test_clock.map(|day| Zone::UTC.start_of_day(day)),
        inventory_only: false,
    };
    let Some(stack) = unless_ended(Stack::start(options)).await? else { return Ok(()) };
    let token = stack.issuer().mint(
        "developer",
        &Organisation::Platform,
        &[Role::PlatformAdmin],
        std::time::Duration::from_secs(3600),
    )?;
    out::say(calling::addresses(stack.addresses()));
    out::say(format!("Data and the development key: {}", directory.display()));
    out::say(
        "A token of the platform (an hour; others: gridlease token --org operators/<slug> --role sales):",
    );
    out::say(format!("TOKEN={token}"));
    out::say("Ctrl-C ends it.");
    let asked = asked_to_end().await;
    out::note("ending");
    stack.stop().await;
    asked
}
