//! The list in Postgres: written in the scope of its organisation, read whole by the worker.

use kernel::{Caller, Error, Instant, Organisation, Role, Scope};
use postgres::{Db, store_error};
use sea_orm::{ConnectionTrait, DbBackend, QueryResult, Statement};

use super::{Revocation, Tokens};
use crate::auth::Revocations;

/// Opens the list to who runs the platform, for this transaction.
pub(super) async fn as_platform(conn: &impl ConnectionTrait, caller: &Caller) -> Result<(), Error> {
    if caller.organisation == Organisation::Platform && caller.has_role(Role::PlatformAdmin) {
        conn.execute_unprepared("select set_config('app.caller', 'platform', true)")
            .await
            .map_err(store_error)?;
    }
    Ok(())
}

/// The store's clock, and how many rows of an organisation are still needed.
pub(super) async fn now_and_kept(
    conn: &impl ConnectionTrait,
    schema: &str,
    owner: &Organisation,
) -> Result<(Instant, i64), Error> {
    let sql = format!(
        "select clock_timestamp(), count(*) from {schema}.revocation \
         where owner = $1 and expires_at > clock_timestamp()"
    );
    let row = one(conn, sql, [owner.to_string().into()]).await?;
    Ok((at(&row, 0)?, at(&row, 1)?))
}

/// Keeps a revocation; of two for the same subject the wider holds.
pub(super) async fn keep(
    conn: &impl ConnectionTrait,
    schema: &str,
    revocation: &Revocation,
    by: &str,
) -> Result<Revocation, Error> {
    let sql = format!(
        "insert into {schema}.revocation as r \
             (owner, what, value, issued_until, reason, revoked_by, updated_at, expires_at) \
         values ($1, $2, $3, $4, $5, $6, $7, $8) \
         on conflict (owner, what, value) do update set \
             issued_until = greatest(r.issued_until, excluded.issued_until), reason = excluded.reason, \
             revoked_by = excluded.revoked_by, updated_at = excluded.updated_at, \
             expires_at = greatest(r.expires_at, excluded.expires_at) \
         returning issued_until, expires_at"
    );
    let (what, value) = match &revocation.tokens {
        Tokens::Token(id) => ("token", id),
        Tokens::Subject(subject) => ("subject", subject),
    };
    let values = [
        revocation.owner.to_string().into(),
        what.into(),
        value.as_str().into(),
        revocation.issued_until.into(),
        revocation.reason.as_str().into(),
        by.into(),
        revocation.updated.into(),
        revocation.expires.into(),
    ];
    let row = one(conn, sql, values).await?;
    Ok(Revocation { issued_until: at(&row, 0)?, expires: at(&row, 1)?, ..revocation.clone() })
}

/// Everything that is still needed.
pub(super) async fn all(worker_db: &Db, schema: &str) -> Result<Revocations, Error> {
    worker_db
        .read("revocations", &Scope::Worker, |tx| async move {
            let sql = format!(
                "select owner, what, value, issued_until from {schema}.revocation \
                 where expires_at > clock_timestamp()"
            );
            let rows = tx.query_all_raw(Statement::from_string(DbBackend::Postgres, sql));
            let mut revocations = Revocations::default();
            for row in rows.await.map_err(store_error)? {
                let owner: Organisation = at::<String>(&row, 0)?.parse().map_err(Error::internal)?;
                let (what, value) = (at::<String>(&row, 1)?, at(&row, 2)?);
                match what.as_str() {
                    "token" => revocations.token(owner, value),
                    _ => revocations.subject(owner, value, at::<Instant>(&row, 3)?.timestamp()),
                }
            }
            Ok((tx, revocations))
        })
        .await
}

/// Removes what no token needs any more.
pub(super) async fn prune(worker_db: &Db, schema: &str) -> Result<(), Error> {
    worker_db
        .in_tx("prune_revocations", &Scope::Worker, |tx| async move {
            let sql = format!("delete from {schema}.revocation where expires_at < clock_timestamp()");
            tx.execute_unprepared(&sql).await.map_err(store_error)?;
            Ok((tx, ()))
        })
        .await
}

async fn one<const N: usize>(
    conn: &impl ConnectionTrait,
    sql: String,
    values: [sea_orm::Value; N],
) -> Result<QueryResult, Error> {
    let statement = Statement::from_sql_and_values(DbBackend::Postgres, sql, values);
    let row = conn.query_one_raw(statement).await.map_err(store_error)?;
    row.ok_or_else(|| Error::internal("a statement that always has a row had none"))
}

fn at<T: sea_orm::TryGetable>(row: &QueryResult, index: usize) -> Result<T, Error> {
    row.try_get_by_index(index).map_err(store_error)
}
