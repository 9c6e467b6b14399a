//! Request ids: the same id gives the same answer, and another payload under it is refused.
//!
//! Key and effect are in one transaction, so either both exist or none. Only successful replies are recorded; a
//! refused or failed attempt leaves its id free.

use aws_lc_rs::digest;
use kernel::{Caller, Error, Instant, Reason, Scope};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use serde::Serialize;
use uuid::Uuid;

use crate::audit::{self, Actor};
use crate::outbox::NO_OPERATOR;
use crate::{Db, is_unique_violation, sha256_bytes, store_error};

/// Under what a reply is kept. Not global and not by subject: owner and caller are organisations, so that a retry
/// with another service account does not act twice, and no organisation can meet another's key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RequestKey {
    /// Resource name of the organisation that owns the effect: `operators/o`, `tenants/t` or `platform`.
    pub owner: String,
    /// Resource name of the caller's organisation (the one acted for, when a service acts for another).
    pub caller: String,
    /// Full name of the RPC.
    pub rpc: &'static str,
    /// The caller's id for this request.
    pub request_id: Uuid,
    /// SHA-256 of the validated command without its request id.
    pub hash: [u8; 32],
    /// Who asks, for the audit trail; no part of the key.
    pub actor: Actor,
}

impl RequestKey {
    /// The key of this command; `command` is the validated domain command, without request id and deadline.
    pub fn new(
        owner: impl Into<String>,
        caller: &Caller,
        rpc: &'static str,
        request_id: Uuid,
        command: &impl Serialize,
    ) -> Result<Self, Error> {
        Ok(Self {
            owner: owner.into(),
            caller: caller.effective_organisation().to_string(),
            rpc,
            request_id,
            hash: hash(command)?,
            actor: Actor::of(caller),
        })
    }

    /// What the audit trail says of the deed, once it is done.
    #[must_use]
    pub fn deed(&self) -> String {
        let behalf = (self.caller != self.actor.organisation).then_some(self.caller.as_str());
        audit::done(&self.actor, behalf, self.rpc, self.request_id)
    }

    /// Where the deed is kept: the operator's slug or none, and the tenant beside it, who reads its own deeds.
    fn place(&self) -> (&str, Option<&str>) {
        let operator = self.owner.strip_prefix("operators/").unwrap_or(NO_OPERATOR);
        let tenant = self.owner.strip_prefix("tenants/").or_else(|| self.caller.strip_prefix("tenants/"));
        (operator, tenant)
    }
}

/// A command's key together with how its reply becomes bytes; the handler hands it to the use case.
pub struct Once<'a, T> {
    /// Under what the reply is kept.
    pub key: RequestKey,
    /// The reply as it goes over the wire.
    pub encode: &'a (dyn Fn(&T) -> Vec<u8> + Send + Sync),
}

impl<T> std::fmt::Debug for Once<'_, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Once").field("key", &self.key).finish_non_exhaustive()
    }
}

/// What a use case gives back: a new result, or the bytes that the first attempt answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer<T> {
    /// Done now.
    Fresh(T),
    /// Done before under the same request id.
    Replayed(Vec<u8>),
}

fn hash(command: &impl Serialize) -> Result<[u8; 32], Error> {
    let bytes = serde_json::to_vec(command).map_err(Error::internal)?;
    Ok(sha256_bytes(digest::digest(&digest::SHA256, &bytes)))
}

/// The recorded reply of this key, if there is one.
///
/// # Errors
/// `REQUEST_ID_REUSED` when the id was used for another payload; the first payload's reply is not given away.
pub async fn find(
    conn: &impl ConnectionTrait,
    schema: &str,
    key: &RequestKey,
) -> Result<Option<Vec<u8>>, Error> {
    let sql = format!(
        "select request_hash, reply, created_at from {schema}.idempotency \
         where owner = $1 and caller = $2 and rpc = $3 and request_id = $4"
    );
    let values =
        [key.owner.as_str().into(), key.caller.as_str().into(), key.rpc.into(), key.request_id.into()];
    let row = conn
        .query_one_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map_err(store_error)?;
    let Some(row) = row else { return Ok(None) };
    let request_hash: Vec<u8> = row.try_get_by_index(0).map_err(store_error)?;
    if request_hash != key.hash {
        let first_seen: Instant = row.try_get_by_index(2).map_err(store_error)?;
        return Err(reused(first_seen));
    }
    row.try_get_by_index(1).map(Some).map_err(store_error)
}

/// What a write came to. A repetition that waited for the first attempt is refused for what that one has done, such as a
/// name that is taken now: then the first answer is its answer too. Asked after the transaction has ended.
///
/// # Errors
/// The refusal, where nothing was answered before.
pub async fn or_answered_before<T>(
    db: &Db,
    schema: &'static str,
    scope: &Scope,
    key: &RequestKey,
    answer: Result<Answer<T>, Error>,
) -> Result<Answer<T>, Error> {
    let Err(refusal) = answer else { return answer };
    let found = db
        .read("find_request", scope, |tx| async move {
            let reply = find(tx.conn(), schema, key).await?;
            Ok((tx, reply))
        })
        .await;
    match found {
        Ok(Some(reply)) => Ok(Answer::Replayed(reply)),
        // What was refused stays refused, whatever this look met.
        Ok(None) | Err(_) => Err(refusal),
    }
}

/// Refusal of a request id that came with another payload.
#[must_use]
pub fn reused(first_seen: Instant) -> Error {
    Error::refused(
        Reason::RequestIdReused,
        "The request id was used before for a different request; use a new one.",
    )
    .with("firstSeenAt", first_seen.to_rfc3339_opts(chrono::SecondsFormat::Micros, true))
}

/// Records the reply in the transaction of its effect, and in the audit trail who did it.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when the same key was recorded meanwhile: the transaction is tried again, and finds it.
pub async fn record(
    conn: &impl ConnectionTrait,
    schema: &str,
    key: &RequestKey,
    reply: &[u8],
) -> Result<(), Error> {
    let sql = format!(
        "with kept as (insert into {schema}.idempotency (owner, caller, rpc, request_id, request_hash, reply) \
            values ($1, $2, $3, $4, $5, $6) returning request_hash) \
         insert into {schema}.outbox \
            (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload, deed) \
         select $7, gen_random_uuid(), '{deed}', $8, $9, clock_timestamp(), kept.request_hash, $10::json from kept",
        deed = audit::DEED,
    );
    let (operator, tenant) = key.place();
    let values = [
        key.owner.as_str().into(),
        key.caller.as_str().into(),
        key.rpc.into(),
        key.request_id.into(),
        key.hash.to_vec().into(),
        reply.to_vec().into(),
        operator.into(),
        audit::named_in(reply).unwrap_or(&key.owner).into(),
        tenant.into(),
        key.deed().into(),
    ];
    match conn.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values)).await {
        Ok(_) => Ok(()),
        Err(error) if is_unique_violation(&error) => Err(Error::refused(
            Reason::TransactionConflict,
            "The same request is being answered at this moment; try again.",
        )
        .with_source(error)),
        Err(error) => Err(store_error(error)),
    }
}
