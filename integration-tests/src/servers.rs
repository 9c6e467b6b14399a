//! Servers of PostgreSQL's own programs on this machine: a first one, and a second one that is made from it.

use std::fs::{File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Result, ensure};
use postgres::embedded::{Programs, throw_away_dir};
use uuid::Uuid;

use crate::cluster::free_address;

/// A folder with the data of two servers. Both end when it is dropped, and the folder is gone.
pub(crate) struct Servers {
    pub(crate) programs: Programs,
    pub(crate) folder: PathBuf,
    ports: [u16; 2],
}

impl Servers {
    /// The folder, with nothing in it yet.
    pub(crate) fn new(name: &str) -> Result<Self> {
        let folder = throw_away_dir(&format!("{name}-{}", Uuid::from_u128(rand()?).simple()))?;
        let programs = Programs::find()?;
        std::fs::create_dir_all(&folder)?;
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        programs.own(&folder)?;
        Ok(Self { programs, folder, ports: [free_address()?.port(), free_address()?.port()] })
    }

    /// Where a server listens.
    pub(crate) fn address(&self, number: usize) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports[number]))
    }

    /// Its data.
    pub(crate) fn data(&self, number: usize) -> PathBuf {
        self.folder.join(format!("data-{number}"))
    }

    /// Makes the first server, durable, with a superuser `postgres`.
    pub(crate) fn init(&self, arguments: &[&str]) -> Result<()> {
        let mut command = self.programs.command("initdb", &self.folder);
        command.args(["-U", "postgres", "--data-checksums", "--no-sync"]).args(arguments);
        command.arg("-D").arg(self.data(0));
        self.run(command, "initdb")?;
        self.configure(
            0,
            "listen_addresses = '127.0.0.1'\nunix_socket_directories = ''\nmax_connections = 300\n",
        )
    }

    /// Adds lines to a server's settings.
    pub(crate) fn configure(&self, number: usize, lines: &str) -> Result<()> {
        let file = self.data(number).join("postgresql.conf");
        let before = std::fs::read_to_string(&file)?;
        Ok(std::fs::write(&file, before + lines)?)
    }

    /// A file of the servers' account that nobody else reads.
    pub(crate) fn file(&self, path: &Path, content: &str) -> Result<PathBuf> {
        let path = self.folder.join(path);
        std::fs::write(&path, content)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        self.programs.own(&path)?;
        Ok(path)
    }

    /// Makes the second server a copy of the first, whom `url` names.
    pub(crate) fn copy(&self, url: &str, arguments: &[&str]) -> Result<()> {
        let mut command = self.programs.command("pg_basebackup", &self.folder);
        command.args(["-c", "fast", "--no-sync", "-d", url]).args(arguments).arg("-D").arg(self.data(1));
        self.run(command, "pg_basebackup")
    }

    /// Starts a server and waits until it answers.
    pub(crate) fn start(&self, number: usize) -> Result<()> {
        let log = self.folder.join(format!("server-{number}.log"));
        let options = format!("-p {}", self.ports[number]);
        let mut command = self.programs.command("pg_ctl", &self.folder);
        command.args(["start", "-s", "-w", "-t", "60", "-o", &options, "-l"]).arg(log);
        command.arg("-D").arg(self.data(number));
        self.run(command, "pg_ctl")
    }

    /// Tells a server to stop, to be the primary, and the like.
    pub(crate) fn control(&self, number: usize, arguments: &[&str]) -> Result<()> {
        let mut command = self.programs.command("pg_ctl", &self.folder);
        command.args(arguments).args(["-s", "-D"]).arg(self.data(number));
        self.run(command, "pg_ctl")
    }

    /// Output goes to a file: a pipe would stay open as long as a server that is started.
    fn run(&self, mut command: Command, name: &str) -> Result<()> {
        let file = self.folder.join(format!("{name}.log"));
        let log = File::create(&file)?;
        command.stdin(Stdio::null()).stdout(log.try_clone()?).stderr(log);
        let status = tokio::task::block_in_place(|| command.status())?;
        let said = || std::fs::read_to_string(&file).unwrap_or_default();
        ensure!(status.success(), "{name}: {status}\n{}", said());
        Ok(())
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        for number in [0, 1] {
            let _ = self.control(number, &["stop", "-m", "immediate"]);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn rand() -> Result<u128> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(u128::from_ne_bytes(bytes))
}
