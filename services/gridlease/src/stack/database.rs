//! The embedded Postgres and our database on it.

use std::time::Duration;

use anyhow::Context as _;
use postgres::embedded::{Durability, Embedded, EmbeddedOptions, GuardCommand};
use sqlx::{ConnectOptions as _, Connection as _};

use super::Home;

/// The hidden command that runs the guard.
pub(super) const GUARD: &str = "guard";
/// Our database: the superuser's own stays empty.
const DATABASE: &str = "gridlease";

/// Starts the server of this home, or joins it, and makes our database.
pub(super) async fn embedded(home: &Home) -> anyhow::Result<(Embedded, String)> {
    let embedded = Embedded::start(EmbeddedOptions {
        home: home.postgres().to_path_buf(),
        throw_away: home.is_thrown_away(),
        // Durable also where it is thrown away: what is shown and measured is what runs in earnest.
        durability: Durability::Durable,
        guard: GuardCommand::this_program(GUARD)?,
        linger: Duration::ZERO,
    })
    .await
    .context("start Postgres")?;
    create(&embedded.url()).await.context("make the database")?;
    let url = embedded.url_of(DATABASE);
    Ok((embedded, url))
}

async fn create(url: &str) -> Result<(), sqlx::Error> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    let mut connection = options.disable_statement_logging().connect().await?;
    let there: Option<i32> = sqlx::query_scalar("select 1 from pg_database where datname = 'gridlease'")
        .fetch_optional(&mut connection)
        .await?;
    if there.is_none() {
        sqlx::query("create database gridlease").execute(&mut connection).await?;
    }
    connection.close().await
}
