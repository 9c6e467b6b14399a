//! Making, starting and stopping the server of one folder by PostgreSQL's own programs.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::account::Account;
use super::binaries::Binaries;
use super::fetch::last_lines;
use super::home::Home;
use super::{Durability, EmbeddedError};

/// Name of PostgreSQL's data folder inside the server's folder.
pub(super) const DATA: &str = "data";
/// The port is free when we look and may be taken when the server does: so often is it tried with another.
const STARTS: u32 = 5;
const STOP_SECONDS: &str = "30";

#[derive(Clone, Debug)]
pub(super) struct Server<'a> {
    home: &'a Home,
    account: &'a Account,
    binaries: &'a Binaries,
    durability: Durability,
}

impl<'a> Server<'a> {
    pub(super) fn new(
        home: &'a Home,
        account: &'a Account,
        binaries: &'a Binaries,
        durability: Durability,
    ) -> Self {
        Self { home, account, binaries, durability }
    }

    pub(super) fn binaries(&self) -> &Binaries {
        self.binaries
    }

    /// The port of the running server of this folder, if there is one.
    pub(super) fn running_port(&self) -> Result<Option<u16>, EmbeddedError> {
        let Some(found) = self.postmaster()? else { return Ok(None) };
        let listens = found.port.filter(|port| TcpStream::connect((Ipv4Addr::LOCALHOST, *port)).is_ok());
        Ok(listens.filter(|_| self.is_process_of_ours(found.pid)))
    }

    /// Makes the data if there is none, and starts the server on a free port.
    pub(super) fn start(&self) -> Result<u16, EmbeddedError> {
        self.init()?;
        let mut last = None;
        for _ in 0..STARTS {
            match self.start_on(free_port()?) {
                Ok(()) => {
                    let running = self.postmaster()?.and_then(|found| found.port);
                    return running.ok_or_else(|| {
                        EmbeddedError::Refused("the server started and left no port number".to_owned())
                    });
                }
                Err(error) => last = Some(error),
            }
        }
        Err(last.unwrap_or_else(|| EmbeddedError::Refused("no free port".to_owned())))
    }

    /// Ends the server, if it is running; its clients are disconnected.
    pub(super) fn stop(&self) -> Result<(), EmbeddedError> {
        let Some(found) = self.postmaster()? else { return Ok(()) };
        if !self.is_process_of_ours(found.pid) {
            return Ok(());
        }
        let mode = if self.durability == Durability::Disposable { "immediate" } else { "fast" };
        let stopped = self.stop_by(mode);
        if stopped.is_err() { self.stop_by("immediate") } else { stopped }
    }

    fn stop_by(&self, mode: &str) -> Result<(), EmbeddedError> {
        let mut command = self.account.command(&self.binaries.program("pg_ctl"), self.home.path());
        command.args(["stop", "-s", "-w", "-t", STOP_SECONDS, "-m", mode, "-D"]).arg(self.data());
        self.run(command, "pg_ctl")
    }

    fn data(&self) -> PathBuf {
        self.home.path().join(DATA)
    }

    /// `initdb` works beside its place and the rename is what counts: a half made folder is never started.
    fn init(&self) -> Result<(), EmbeddedError> {
        if self.data().join("PG_VERSION").is_file() {
            return Ok(());
        }
        let making = self.home.path().join("data.making");
        let io = |doing: &str| {
            let doing = format!("{doing} {}", making.display());
            move |e| EmbeddedError::io(doing, e)
        };
        match fs::remove_dir_all(&making) {
            Err(e) if e.kind() != ErrorKind::NotFound => return Err(io("remove")(e)),
            _ => {}
        }
        let mut command = self.account.command(&self.binaries.program("initdb"), self.home.path());
        command.args(["--auth=trust", "--username=postgres", "--encoding=UTF8", "--locale=C"]);
        if self.durability == Durability::Disposable {
            command.arg("--no-sync");
        }
        command.arg("-D").arg(&making);
        self.run(command, "initdb")?;
        fs::rename(&making, self.data()).map_err(io("rename"))
    }

    fn start_on(&self, port: u16) -> Result<(), EmbeddedError> {
        let mut settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' -c max_connections=300"
        );
        if self.durability == Durability::Disposable {
            settings.push_str(" -c fsync=off -c synchronous_commit=off -c full_page_writes=off");
        }
        let mut command = self.account.command(&self.binaries.program("pg_ctl"), self.home.path());
        command.args(["start", "-s", "-w", "-t", "60", "-o", &settings, "-l"]);
        command.arg(self.home.path().join("server.log")).arg("-D").arg(self.data());
        self.run(command, "pg_ctl")
    }

    /// What the program says goes to a file: a pipe would stay open as long as the server it starts.
    fn run(&self, mut command: Command, program: &str) -> Result<(), EmbeddedError> {
        let log = self.home.path().join(format!("{program}.log"));
        let io = |e| EmbeddedError::io(format!("write {}", log.display()), e);
        let file = File::create(&log).map_err(io)?;
        let status = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().map_err(io)?)
            .stderr(file)
            .status()
            .map_err(|e| EmbeddedError::io(format!("run {program}"), e))?;
        if status.success() {
            return Ok(());
        }
        let mut output = last_lines(&fs::read_to_string(&log).unwrap_or_default(), 5);
        let server_log = fs::read_to_string(self.home.path().join("server.log")).unwrap_or_default();
        if !server_log.is_empty() {
            output.push('\n');
            output.push_str(&last_lines(&server_log, 5));
        }
        Err(EmbeddedError::Program { program: program.to_owned(), output })
    }

    fn postmaster(&self) -> Result<Option<Postmaster>, EmbeddedError> {
        let file = self.data().join("postmaster.pid");
        match fs::read_to_string(&file) {
            Ok(text) => Ok(Postmaster::parse(&text)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(EmbeddedError::io(format!("read {}", file.display()), e)),
        }
    }

    /// After a crash the file may name a process that is somebody else's by now. A postmaster works in its data folder;
    /// where that cannot be seen (no /proc), the server is asked for its data folder after connecting.
    fn is_process_of_ours(&self, pid: u32) -> bool {
        if !Path::new("/proc/self").exists() {
            return true;
        }
        fs::read_link(format!("/proc/{pid}/cwd")).is_ok_and(|folder| folder == self.data())
    }
}

/// What postmaster.pid says: process id in line 1, port in line 4.
#[derive(Debug, PartialEq, Eq)]
struct Postmaster {
    pid: u32,
    port: Option<u16>,
}

impl Postmaster {
    fn parse(text: &str) -> Option<Self> {
        let mut lines = text.lines();
        let pid = lines.next()?.trim().parse().ok()?;
        let port = lines.nth(2).and_then(|line| line.trim().parse().ok());
        Some(Self { pid, port })
    }
}

fn free_port() -> Result<u16, EmbeddedError> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|e| EmbeddedError::io("find a free port", e))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_pid_file_of_a_running_and_of_a_starting_server() {
        let text = "4711\n/x/data\n1700000000\n54321\n\n127.0.0.1\n  1 2\nready   \n";
        assert_eq!(Postmaster::parse(text), Some(Postmaster { pid: 4711, port: Some(54321) }));
        assert_eq!(Postmaster::parse("4711\n/x/data\n"), Some(Postmaster { pid: 4711, port: None }));
        assert_eq!(Postmaster::parse(""), None);
    }
}
