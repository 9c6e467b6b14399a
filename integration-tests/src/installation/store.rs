//! Postgres as production has it: durable, by TLS and passwords, a primary whose commits wait for a standby, and a balancer
//! in front that follows whoever is the primary.

use std::fs::{File, Permissions};
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use postgres::embedded::{Programs, throw_away_dir};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};
use uuid::Uuid;

use crate::balancer::Balancer;
use crate::certificates::Authority;
use crate::cluster::free_address;

/// The roles and the database as the documents have them made.
const DOCUMENT: &str = include_str!("../../../docs/operations.md");
const ROLES: &str = "<!-- doctor: roles -->\n```sql\n";
const SUPERUSER_PASSWORD: &str = "superuser";
const DATABASE: &str = "gridlease";
/// Names the standby to its primary.
const STANDBY: &str = "standby";

/// A primary, its standby, and the address of whichever of them is the primary.
pub struct Store {
    programs: Programs,
    folder: PathBuf,
    /// Ports of the first server and of the second, which begins as the standby.
    ports: [u16; 2],
    balancer: Balancer,
}

impl Store {
    /// Whether this machine has what it takes: PostgreSQL with TLS and what copies a server.
    pub fn is_possible() -> bool {
        let Ok(programs) = Programs::find() else { return false };
        let said = programs.command("pg_config", Path::new("/")).arg("--configure").output();
        let has_tls = said.is_ok_and(|said| {
            let options = String::from_utf8_lossy(&said.stdout).into_owned();
            options.contains("openssl")
        });
        has_tls && programs.has("pg_basebackup")
    }

    /// A new primary with the roles and the database of the documents, and a standby that every commit waits for.
    pub async fn start(authority: &Authority) -> Result<Self> {
        let name = format!("installation-{}", Uuid::from_u128(rand()?).simple());
        let folder = throw_away_dir(&name)?;
        let programs = Programs::find()?;
        std::fs::create_dir_all(&folder)?;
        std::fs::set_permissions(&folder, Permissions::from_mode(0o700))?;
        programs.own(&folder)?;
        let balancer = Balancer::start().await?;
        let store = Self { programs, folder, ports: [free_port()?, free_port()?], balancer };
        store.init(authority)?;
        store.run_server(0)?;
        store.balancer.add(store.server(0));
        let mut superuser = store.superuser("postgres").await?;
        let (_, roles) = DOCUMENT.split_once(ROLES).context("the roles of the documents")?;
        let (roles, _) = roles.split_once("```").context("the end of the roles")?;
        for statement in roles.split(';') {
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut superuser).await?;
        }
        store.copy()?;
        store.run_server(1)?;
        for statement in
            ["alter system set synchronous_standby_names to 'ANY 1 (standby)'", "select pg_reload_conf()"]
        {
            sqlx::raw_sql(statement).execute(&mut superuser).await?;
        }
        store.wait_for_standby(&mut superuser).await?;
        Ok(store)
    }

    /// The URL of a login, as its Secret holds it.
    #[must_use]
    pub fn url(&self, login: &str, password: &str) -> String {
        let port = self.balancer.address().port();
        format!("postgres://{login}:{password}@localhost:{port}/{DATABASE}?sslmode=require")
    }

    /// A connection of the superuser to the present primary.
    pub async fn superuser(&self, database: &str) -> Result<PgConnection> {
        let url = self.url("postgres", SUPERUSER_PASSWORD).replace(DATABASE, database);
        let options: PgConnectOptions = url.parse()?;
        Ok(options.disable_statement_logging().connect().await?)
    }

    /// Stops the primary as an administrator does.
    pub fn stop(&self) -> Result<()> {
        self.control(0, &["stop", "-m", "fast"])
    }

    /// Starts it again.
    pub fn start_again(&self) -> Result<()> {
        self.run_server(0)
    }

    /// The primary dies without a word, and its connections with it; nothing answers at its address.
    pub fn kill_primary(&self) -> Result<()> {
        self.balancer.remove(self.server(0));
        self.control(0, &["stop", "-m", "immediate"])
    }

    /// Makes the standby the primary, which waits for nobody, and leads everybody there.
    pub fn promote(&self) -> Result<()> {
        self.control(1, &["promote", "-w"])?;
        self.balancer.add(self.server(1));
        Ok(())
    }

    fn server(&self, number: usize) -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], self.ports[number]))
    }

    fn data(&self, number: usize) -> PathBuf {
        self.folder.join(format!("data-{number}"))
    }

    fn init(&self, authority: &Authority) -> Result<()> {
        let password = self.file("password", SUPERUSER_PASSWORD)?;
        let mut command = self.programs.command("initdb", &self.folder);
        // Within TLS a password may be sent as it is; SCRAM's thousands of rounds take a debug build too long when all connect.
        command.args(["-U", "postgres", "-A", "password", "--data-checksums", "--no-sync", "--pwfile"]);
        command.arg(password).arg("-D").arg(self.data(0));
        self.run(command, "initdb")?;
        let certificate = authority.issue(&["localhost"], |_| {})?;
        let certificate =
            [self.file("server.crt", &certificate.pem)?, self.file("server.key", &certificate.key_pem)?];
        let settings = format!(
            "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nlisten_addresses = '127.0.0.1'\n\
             unix_socket_directories = ''\nmax_connections = 300\nwal_keep_size = 256MB\n",
            certificate[0].display(),
            certificate[1].display(),
        );
        let file = self.data(0).join("postgresql.conf");
        let before = std::fs::read_to_string(&file)?;
        std::fs::write(&file, before + &settings)?;
        Ok(())
    }

    /// A file of the server's account that nobody else reads.
    fn file(&self, name: &str, content: &str) -> Result<PathBuf> {
        let path = self.folder.join(name);
        std::fs::write(&path, content)?;
        std::fs::set_permissions(&path, Permissions::from_mode(0o600))?;
        self.programs.own(&path)?;
        Ok(path)
    }

    fn copy(&self) -> Result<()> {
        let mut command = self.programs.command("pg_basebackup", &self.folder);
        let from = format!(
            "postgres://postgres:{SUPERUSER_PASSWORD}@127.0.0.1:{}/postgres?application_name={STANDBY}",
            self.ports[0]
        );
        command.args(["-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", &from, "-D"]).arg(self.data(1));
        self.run(command, "pg_basebackup")
    }

    fn run_server(&self, number: usize) -> Result<()> {
        let log = self.folder.join(format!("server-{number}.log"));
        let options = format!("-p {}", self.ports[number]);
        let mut command = self.programs.command("pg_ctl", &self.folder);
        command.args(["start", "-s", "-w", "-t", "60", "-o", &options, "-l"]).arg(log);
        command.arg("-D").arg(self.data(number));
        self.run(command, "pg_ctl")
    }

    fn control(&self, number: usize, arguments: &[&str]) -> Result<()> {
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

    async fn wait_for_standby(&self, superuser: &mut PgConnection) -> Result<()> {
        crate::eventually("the standby is synchronous", async || {
            let state: Option<String> = sqlx::query_scalar("select sync_state from pg_stat_replication")
                .fetch_optional(&mut *superuser)
                .await?;
            Ok(state.filter(|state| state == "quorum"))
        })
        .await
        .map(drop)
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        for number in [0, 1] {
            let _ = self.control(number, &["stop", "-m", "immediate"]);
        }
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn free_port() -> Result<u16> {
    Ok(free_address()?.port())
}

fn rand() -> Result<u128> {
    let mut bytes = [0; 16];
    aws_lc_rs::rand::fill(&mut bytes)?;
    Ok(u128::from_ne_bytes(bytes))
}
