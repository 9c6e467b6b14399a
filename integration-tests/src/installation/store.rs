//! Postgres as production has it: durable, by TLS and passwords, a primary whose commits wait for a standby, and a balancer
//! in front that follows whoever is the primary.

use std::path::Path;

use anyhow::{Context as _, Result};
use postgres::embedded::Programs;
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::balancer::Balancer;
use crate::certificates::Authority;
use crate::servers::Servers;

/// The roles and the database as the documents have them made.
const DOCUMENT: &str = include_str!("../../../docs/operations.md");
const ROLES: &str = "<!-- doctor: roles -->\n```sql\n";
const SUPERUSER_PASSWORD: &str = "superuser";
const DATABASE: &str = "gridlease";
/// Names the standby to its primary.
const STANDBY: &str = "standby";

/// A primary, its standby, and the address of whichever of them is the primary.
pub struct Store {
    /// The second begins as the standby.
    servers: Servers,
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
        let store = Self { servers: Servers::new("installation")?, balancer: Balancer::start().await? };
        store.init(authority)?;
        store.servers.start(0)?;
        store.balancer.add(store.servers.address(0));
        let mut superuser = store.superuser("postgres").await?;
        let (_, roles) = DOCUMENT.split_once(ROLES).context("the roles of the documents")?;
        let (roles, _) = roles.split_once("```").context("the end of the roles")?;
        for statement in roles.split(';') {
            sqlx::raw_sql(AssertSqlSafe(statement.to_owned())).execute(&mut superuser).await?;
        }
        let port = store.servers.address(0).port();
        let from = format!(
            "postgres://postgres:{SUPERUSER_PASSWORD}@127.0.0.1:{port}/postgres?application_name={STANDBY}"
        );
        store.servers.copy(&from, &["-R", "-X", "stream"])?;
        store.servers.start(1)?;
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
        self.servers.control(0, &["stop", "-m", "fast"])
    }

    /// Starts it again.
    pub fn start_again(&self) -> Result<()> {
        self.servers.start(0)
    }

    /// The primary dies without a word, and its connections with it; nothing answers at its address.
    pub fn kill_primary(&self) -> Result<()> {
        self.balancer.remove(self.servers.address(0));
        self.servers.control(0, &["stop", "-m", "immediate"])
    }

    /// The primary's machine is gone: no connection to it is reset, none is answered, and new ones are not either.
    pub fn lose_primary(&self) -> Result<()> {
        self.balancer.go_silent();
        self.servers.control(0, &["stop", "-m", "immediate"])
    }

    /// Makes the standby the primary, which waits for nobody, and leads everybody there.
    pub fn promote(&self) -> Result<()> {
        self.servers.control(1, &["promote", "-w"])?;
        self.balancer.add(self.servers.address(1));
        Ok(())
    }

    fn init(&self, authority: &Authority) -> Result<()> {
        let password = self.servers.file(Path::new("password"), SUPERUSER_PASSWORD)?;
        let password = password.display().to_string();
        // Within TLS a password may be sent as it is; SCRAM's thousands of rounds take a debug build too long when all connect.
        self.servers.init(&["-A", "password", "--pwfile", &password])?;
        let certificate = authority.issue(&["localhost"], |_| {})?;
        let file = |name: &str, pem: &str| self.servers.file(Path::new(name), pem);
        self.servers.configure(
            0,
            &format!(
                "ssl = on\nssl_cert_file = '{}'\nssl_key_file = '{}'\nwal_keep_size = 256MB\n",
                file("server.crt", &certificate.pem)?.display(),
                file("server.key", &certificate.key_pem)?.display(),
            ),
        )
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
