//! What the same Postgres does without us: one row, one commit, over and over.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, Connection as _};

const TABLE: &str = "drop table if exists public.bench_row; create table public.bench_row (\
    id bigint generated always as identity primary key, operator_id text not null, block_id uuid not null, \
    start_time timestamptz not null, end_time timestamptz not null, it_kw bigint not null, air_kw bigint not null, \
    liquid_kw bigint not null, immersion_kw bigint not null, note text not null)";
const INSERT: &str = "insert into public.bench_row (operator_id, block_id, start_time, end_time, it_kw, air_kw, \
    liquid_kw, immersion_kw, note) values ('bench', '00000000-0000-4000-8000-000000000001', \
    '2027-01-01 00:00:00+00', '2037-01-01 00:00:00+00', 1000, 150, 850, 0, 'a row as wide as a claim')";

/// How INSERTs are made.
pub(super) struct Baseline {
    url: String,
    seconds: u64,
    pgbench: Option<PathBuf>,
    script: tempfile::NamedTempFile,
}

impl Baseline {
    /// Makes the table and finds pgbench.
    pub(super) async fn prepare(url: &str, seconds: u64) -> anyhow::Result<Self> {
        let options: sqlx::postgres::PgConnectOptions = url.parse()?;
        let mut connection = options.disable_statement_logging().connect().await?;
        sqlx::raw_sql(TABLE).execute(&mut connection).await.context("make the baseline's table")?;
        connection.close().await?;
        let script = tempfile::NamedTempFile::new()?;
        std::fs::write(script.path(), format!("{INSERT};\n"))?;
        Ok(Self { url: url.to_owned(), seconds, pgbench: find_pgbench(), script })
    }

    /// What makes the INSERTs.
    pub(super) fn name(&self) -> String {
        match &self.pgbench {
            Some(path) => format!("pgbench -M prepared ({})", path.display()),
            None => "prepared INSERTs by this program (pgbench was not found)".to_owned(),
        }
    }

    /// How long a measurement lasts.
    pub(super) fn seconds(&self) -> u64 {
        self.seconds
    }

    /// INSERTs a second by so many clients.
    pub(super) async fn run(&self, clients: usize) -> anyhow::Result<u64> {
        let per_s = match &self.pgbench {
            Some(pgbench) => self.by_pgbench(pgbench, clients).await?,
            None => self.by_ourselves(clients).await?,
        };
        ensure!(per_s > 0, "the baseline made no INSERT");
        Ok(per_s)
    }

    async fn by_pgbench(&self, pgbench: &Path, clients: usize) -> anyhow::Result<u64> {
        let output = tokio::process::Command::new(pgbench)
            .args(["-n", "-M", "prepared", "-j", &clients.min(2).to_string()])
            .args(["-c", &clients.to_string(), "-T", &self.seconds.to_string(), "-f"])
            .arg(self.script.path())
            .arg(&self.url)
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output()
            .await
            .context("run pgbench")?;
        ensure!(output.status.success(), "pgbench: {}", String::from_utf8_lossy(&output.stderr).trim());
        tps(&String::from_utf8_lossy(&output.stdout)).context("pgbench said no tps")
    }

    async fn by_ourselves(&self, clients: usize) -> anyhow::Result<u64> {
        let count = u32::try_from(clients)?;
        let pool =
            PgPoolOptions::new().min_connections(count).max_connections(count).connect(&self.url).await?;
        let end = tokio::time::Instant::now() + Duration::from_secs(self.seconds);
        let tasks: Vec<_> = (0..clients)
            .map(|_| {
                let pool = pool.clone();
                tokio::spawn(async move {
                    let mut connection = pool.acquire().await?;
                    let mut done = 0_u64;
                    while tokio::time::Instant::now() < end {
                        sqlx::query(INSERT).execute(&mut *connection).await?;
                        done += 1;
                    }
                    Ok::<_, sqlx::Error>(done)
                })
            })
            .collect();
        let mut done = 0;
        for task in tasks {
            done += task.await??;
        }
        pool.close().await;
        Ok(done / self.seconds)
    }
}

/// The last figure that pgbench prints, without its fraction: `tps = 1234.567 (without initial connection time)`.
fn tps(text: &str) -> Option<u64> {
    let line = text.lines().rfind(|line| line.starts_with("tps = "))?;
    line.trim_start_matches("tps = ").split(['.', ' ']).next()?.parse().ok()
}

/// Beside the server's programs, else on PATH, else where Debian puts it.
fn find_pgbench() -> Option<PathBuf> {
    let named = std::env::var_os("GRIDLEASE_PG_BIN_DIR").map(PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let debian = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let debian = debian.map(|entry| entry.path().join("bin"));
    let all: Vec<PathBuf> = named.into_iter().chain(debian).chain(std::env::split_paths(&path)).collect();
    all.into_iter().map(|folder| folder.join("pgbench")).find(|program| program.is_file())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_pgbench_prints() {
        let text = "number of failed transactions: 0 (0.000%)\nlatency average = 1.2 ms\n\
                    tps = 12345.678901 (without initial connection time)\n";
        assert_eq!(tps(text), Some(12_345));
        assert_eq!(tps("tps = 0 (x)"), Some(0));
        assert_eq!(tps("nothing"), None);
    }
}
