//! Whether a server's figures mean anything: durable, and on a disk.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::out;

/// Settings that make a commit durable; with any of them off, the figures say nothing.
const MUST_BE_ON: [&str; 3] = ["fsync", "full_page_writes", "synchronous_commit"];

/// Megabytes of log that are written, so that their files are used again.
const LOG_MB: i32 = 600;

/// Brings the server to where it is by itself after some minutes of work. The planner has counted the tables; before, it
/// guesses that an operator has a handful of blocks, and reads them all for each batch. And files of the log lie ready
/// to be used again; before, every few thousand rows wait until a new one has been laid out. A rehearsal goes without.
pub(super) async fn settle(url: &str, rehearse: bool) -> anyhow::Result<()> {
    if rehearse {
        return Ok(());
    }
    let mut connection = connect(url).await?;
    sqlx::raw_sql("analyze").execute(&mut connection).await.context("count the tables")?;
    let filled = sqlx::query(
        "select count(pg_logical_emit_message(false, 'bench', repeat('x', 1000000))) from generate_series(1, $1)",
    )
    .bind(LOG_MB)
    .execute(&mut connection)
    .await;
    let written = match filled {
        Ok(_) => sqlx::raw_sql("checkpoint").execute(&mut connection).await,
        Err(error) => Err(error),
    };
    if let Err(error) = written {
        out::note(format!("the log is not warm, which makes the first figures worse: {error}"));
    }
    connection.close().await?;
    Ok(())
}

async fn connect(url: &str) -> anyhow::Result<sqlx::PgConnection> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    Ok(options.disable_statement_logging().connect().await?)
}

/// Refuses a server that is not durable or lies in memory; answers what it is.
pub(super) async fn check(url: &str, rehearse: bool) -> anyhow::Result<String> {
    let mut connection = connect(url).await?;
    for name in MUST_BE_ON {
        let value: String =
            sqlx::query_scalar("select current_setting($1)").bind(name).fetch_one(&mut connection).await?;
        ensure!(rehearse || value == "on", "the server has {name}={value}: its figures mean nothing");
    }
    let version: String =
        sqlx::query_scalar("select current_setting('server_version')").fetch_one(&mut connection).await?;
    let folder: String =
        sqlx::query_scalar("select current_setting('data_directory')").fetch_one(&mut connection).await?;
    connection.close().await?;
    let folder = PathBuf::from(folder);
    // A server elsewhere has a folder that is not on this machine: nothing can be said about its disk.
    let disk = if folder.exists() { file_system(&folder)? } else { "unknown".to_owned() };
    ensure!(
        rehearse || !matches!(disk.as_str(), "tmpfs" | "ramfs"),
        "the server's data is in memory ({disk} at {}): its figures mean nothing; use --data-dir",
        folder.display()
    );
    Ok(format!("PostgreSQL {version}, durable, on {disk}"))
}

/// Instants at which a block was promised twice, as the independent auditor counts them.
pub(super) async fn oversold(url: &str) -> anyhow::Result<i64> {
    let mut connection = connect(url).await?;
    let found = sqlx::query_scalar("select count(*) from inventory.oversold_instants()")
        .fetch_one(&mut connection)
        .await
        .context("ask the auditor")?;
    connection.close().await?;
    Ok(found)
}

/// The kind of file system that holds a folder.
fn file_system(folder: &Path) -> anyhow::Result<String> {
    let Ok(mounts) = std::fs::read_to_string("/proc/mounts") else { return Ok("unknown".to_owned()) };
    // A folder that only the server's account may enter is named as it is.
    let folder = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    kind_of(&mounts, &folder).context("no mount holds the server's data")
}

/// Of the mounts that hold the folder, the kind of the deepest; of equals, the last, which lies on top.
fn kind_of(mounts: &str, folder: &Path) -> Option<String> {
    mounts
        .lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace().skip(1);
            Some((PathBuf::from(words.next()?), words.next()?))
        })
        .filter(|(point, _)| folder.starts_with(point))
        .max_by_key(|(point, _)| point.components().count())
        .map(|(_, kind)| kind.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deepest_mount_counts() {
        let mounts = "/dev/vda / ext4 rw 0 0\ntmpfs /tmp tmpfs rw 0 0\n/dev/vdb /tmp/disk xfs rw 0 0\n";
        let kind = |path: &str| kind_of(mounts, Path::new(path));
        assert_eq!(kind("/var/lib").as_deref(), Some("ext4"));
        assert_eq!(kind("/tmp/a").as_deref(), Some("tmpfs"));
        assert_eq!(kind("/tmp/disk/a").as_deref(), Some("xfs"));
        assert_eq!(kind("/tmpfile").as_deref(), Some("ext4"));
    }
}
