//! The process that outlives the users of a server by a moment, and then ends it.

use std::ffi::OsString;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use super::account::Account;
use super::binaries::Binaries;
use super::home::Home;
use super::server::Server;
use super::{Durability, EmbeddedError, EmbeddedOptions};

/// Starts the guard of this folder if none is there. Call it on one's turn only: two callers would start two.
pub(super) fn ensure(
    home: &Home,
    server: &Server<'_>,
    options: &EmbeddedOptions,
) -> Result<(), EmbeddedError> {
    if home.become_guard()?.is_none() {
        return Ok(());
    }
    let mut guard = Command::new(&options.guard.program)
        .arg(&options.guard.argument)
        .arg(home.path())
        .arg(&server.binaries().folder)
        .arg(if options.durability == Durability::Disposable { "disposable" } else { "durable" })
        .arg(options.linger.as_millis().to_string())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .current_dir("/")
        // A process group of its own: Ctrl-C in the terminal is for the users.
        .process_group(0)
        .spawn()
        .map_err(|e| EmbeddedError::io(format!("start the guard {}", options.guard.program.display()), e))?;
    // It mostly outlives us; if it does not, it is reaped.
    std::thread::spawn(move || guard.wait());
    Ok(())
}

/// The `main` of the guard: call it with the arguments after the hidden one, before anything else is set up.
#[must_use]
pub fn guard_main(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    let [home, folder, durability, linger] = arguments.as_slice() else { return ExitCode::from(2) };
    let Some(linger_ms) = linger.to_str().and_then(|text| text.parse().ok()) else {
        return ExitCode::from(2);
    };
    let durability = if durability == "disposable" { Durability::Disposable } else { Durability::Durable };
    let home = Home::existing(PathBuf::from(home));
    match guard(&home, Path::new(folder), durability, Duration::from_millis(linger_ms)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody reads a guard's output; the reason stays beside the server's log if the folder does.
            let _ = std::fs::write(home.path().join("guard.log"), format!("{error}\n"));
            ExitCode::FAILURE
        }
    }
}

fn guard(home: &Home, folder: &Path, durability: Durability, linger: Duration) -> Result<(), EmbeddedError> {
    let Some(only_guard) = home.become_guard()? else { return Ok(()) };
    let account = Account::for_server()?;
    let binaries = Binaries::at(folder)
        .ok_or_else(|| EmbeddedError::Refused(format!("{} has no PostgreSQL any more", folder.display())))?;
    let server = Server::new(home, &account, &binaries, durability);
    loop {
        home.wait_for_no_users()?;
        std::thread::sleep(linger);
        let Some(turn) = home.take_turn()? else { return Ok(()) };
        let Some(_nobody) = home.no_users_now()? else { continue };
        server.stop()?;
        home.remove_if_throw_away()?;
        drop(only_guard);
        drop(turn);
        return Ok(());
    }
}
