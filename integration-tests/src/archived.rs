//! A Postgres that archives its log, and what is made of it after a disaster: a base backup, the log, a restore to an instant.

use std::path::Path;

use anyhow::{Context as _, Result};
use sqlx::postgres::{PgConnectOptions, PgConnection};
use sqlx::{AssertSqlSafe, ConnectOptions as _};

use crate::servers::Servers;

const DATABASE: &str = "gridlease";

/// The server, and the one that is restored from its backup.
pub struct Archived {
    servers: Servers,
    /// Which of the two is in use.
    present: usize,
}

impl Archived {
    /// A server that archives, with an empty database.
    pub async fn start() -> Result<Self> {
        let this = Self { servers: Servers::new("archived")?, present: 0 };
        let archive = this.archive();
        std::fs::create_dir(&archive)?;
        this.servers.programs.own(Path::new(&archive))?;
        this.servers.init(&["-A", "trust"])?;
        let lines =
            format!("archive_mode = on\narchive_command = 'test ! -f {archive}/%f && cp %p {archive}/%f'\n");
        this.servers.configure(0, &lines)?;
        this.servers.start(0)?;
        let create = format!("create database {DATABASE}");
        sqlx::raw_sql(AssertSqlSafe(create)).execute(&mut this.superuser_of("postgres").await?).await?;
        Ok(this)
    }

    /// The database, as its superuser.
    #[must_use]
    pub fn url(&self) -> String {
        self.url_of(DATABASE)
    }

    /// A connection of the superuser.
    pub async fn superuser(&self) -> Result<PgConnection> {
        self.superuser_of(DATABASE).await
    }

    /// Makes a base backup.
    pub fn back_up(&self) -> Result<()> {
        self.servers.copy(&self.url_of("postgres"), &["-X", "none"])
    }

    /// The instant now, for a restore.
    pub async fn instant(&self) -> Result<String> {
        let now = "select clock_timestamp()::text";
        Ok(sqlx::query_scalar(now).fetch_one(&mut self.superuser().await?).await?)
    }

    /// The server and its data are gone; what it has archived is left.
    pub async fn lose(&mut self) -> Result<()> {
        sqlx::raw_sql("select pg_switch_wal()").execute(&mut self.superuser().await?).await?;
        self.servers.control(0, &["stop", "-m", "fast"])?;
        Ok(std::fs::remove_dir_all(self.servers.data(0))?)
    }

    /// Restores the base backup to an instant, as a server of its own.
    pub async fn restore(&mut self, instant: &str) -> Result<()> {
        let lines = format!(
            "restore_command = 'cp {}/%f %p'\nrecovery_target_time = '{instant}'\n\
             recovery_target_action = 'promote'\narchive_mode = off\n",
            self.archive()
        );
        self.servers.configure(1, &lines)?;
        self.servers.file(&self.servers.data(1).join("recovery.signal"), "")?;
        self.servers.start(1)?;
        self.present = 1;
        crate::eventually("the server is restored", async || {
            let recovering: bool = sqlx::query_scalar("select pg_is_in_recovery()")
                .fetch_one(&mut self.superuser().await?)
                .await?;
            Ok(Some(()).filter(|()| !recovering))
        })
        .await
        .context("restore")
    }

    fn archive(&self) -> String {
        self.servers.folder.join("archive").display().to_string()
    }

    fn url_of(&self, database: &str) -> String {
        format!("postgres://postgres@{}/{database}", self.servers.address(self.present))
    }

    async fn superuser_of(&self, database: &str) -> Result<PgConnection> {
        let options: PgConnectOptions = self.url_of(database).parse()?;
        Ok(options.disable_statement_logging().connect().await?)
    }
}
