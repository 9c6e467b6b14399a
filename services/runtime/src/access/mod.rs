//! Tokens ended before their time: told over the wire, kept in the service's own schema, known to every replica.

mod store;
mod wire;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use chrono::TimeDelta;
use contracts::common::v1 as common;
use contracts::common::v1::access_service_server::{AccessService, AccessServiceServer};
use kernel::{Caller, Error, Instant, Organisation, Reason, Scope, Uuid};
use postgres::{Answer, Db, RequestKey, idempotency};
use prost::Message as _;
use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

use crate::auth::{Authenticator, LIFETIME_MAX_S};
use crate::policy::Right;
use crate::{caller, reply, right, status};

const RPC: &str = "gridlease.common.v1.AccessService/RevokeTokens";
/// How often a replica reads the list: what another replica was told holds here as soon.
const EVERY: Duration = Duration::from_secs(5);
/// Readings between two removals of rows that no token needs any more.
const PRUNE_EVERY: u32 = 720;
/// How long the server waits at start for its first reading, and any reading lasts.
const READ_AT_MOST: Duration = Duration::from_secs(3);
/// Rows of one organisation that are still needed: a list that everybody keeps in memory has an end.
const REVOCATIONS_MAX: i64 = 10_000;
/// How far ahead a subject may be locked out.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(24);
/// Beyond a token's longest life: clocks that differ, and a margin.
const MARGIN: TimeDelta = TimeDelta::minutes(60);

/// Which tokens.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Tokens {
    /// The one with this id.
    Token(String),
    /// All of this subject.
    Subject(String),
}

/// What a caller asks for.
#[derive(Clone, Debug)]
struct Revoke {
    owner: Organisation,
    tokens: Tokens,
    issued_until: Option<Instant>,
    reason: String,
    request_id: Uuid,
    validate_only: bool,
}

/// What a repetition must repeat.
#[derive(Serialize)]
struct Fingerprint<'a> {
    tokens: &'a Tokens,
    issued_until: Option<Instant>,
    reason: &'a str,
}

/// A revocation as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Revocation {
    owner: Organisation,
    tokens: Tokens,
    issued_until: Instant,
    reason: String,
    updated: Instant,
    expires: Instant,
}

/// The list of a service: its store, and the authenticator that must know it.
#[derive(Clone)]
pub(crate) struct Access {
    db: Db,
    worker_db: Db,
    schema: Arc<str>,
    authenticator: Authenticator,
    known: Arc<AtomicBool>,
}

impl Access {
    pub(crate) fn new(db: &Db, worker_db: &Db, schema: &str, authenticator: &Authenticator) -> Self {
        Self {
            db: db.clone(),
            worker_db: worker_db.clone(),
            schema: schema.into(),
            authenticator: authenticator.clone(),
            known: Arc::default(),
        }
    }

    /// The gRPC service.
    pub(crate) fn service(&self) -> AccessServiceServer<Self> {
        AccessServiceServer::new(self.clone())
    }

    /// Whether the list was ever read: before that the server is not ready.
    pub(crate) fn is_known(&self) -> bool {
        self.known.load(Ordering::Relaxed)
    }

    /// Reads the list, so that it holds from now on.
    pub(crate) async fn read(&self) {
        // A task of its own: giving up on the answer drops no query half way.
        let this = self.clone();
        let read = tokio::spawn(async move { store::all(&this.worker_db, &this.schema).await });
        match tokio::time::timeout(READ_AT_MOST, read).await {
            Ok(Ok(Ok(revocations))) => {
                self.authenticator.revoke(revocations);
                self.known.store(true, Ordering::Relaxed);
            }
            Ok(Ok(Err(error))) => {
                tracing::warn!(cause = crate::explain(&error), "the list of revoked tokens was not read");
            }
            Ok(Err(_)) | Err(_) => tracing::warn!("the list of revoked tokens was not read in time"),
        }
    }

    /// Reads the list again and again until `stop`.
    pub(crate) async fn follow(self, stop: CancellationToken) {
        let mut readings = 0_u32;
        while stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_some() {
            self.read().await;
            readings = (readings + 1) % PRUNE_EVERY;
            if readings == 0
                && let Err(error) = store::prune(&self.worker_db, &self.schema).await
            {
                tracing::warn!(cause = crate::explain(&error), "old revocations were not removed");
            }
        }
    }

    async fn revoke(&self, caller: &Caller, command: Revoke) -> Result<Answer<Revocation>, Error> {
        let fingerprint = Fingerprint {
            tokens: &command.tokens,
            issued_until: command.issued_until,
            reason: &command.reason,
        };
        let owner = command.owner.to_string();
        let key = &RequestKey::new(owner, caller, RPC, command.request_id, &fingerprint)?;
        let (command, by) = (&command, &format!("{} of {}", caller.subject, caller.organisation));
        let answer = self
            .db
            .in_tx("revoke_tokens", &scope(&command.owner), |tx| async move {
                let conn = tx.conn();
                store::as_platform(conn, caller).await?;
                if !command.validate_only
                    && let Some(reply) = idempotency::find(conn, &self.schema, key).await?
                {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let (now, kept) = store::now_and_kept(conn, &self.schema, &command.owner).await?;
                let revocation = judge(command, now)?;
                if kept >= REVOCATIONS_MAX {
                    return Err(full(&command.owner));
                }
                if command.validate_only {
                    return Ok((tx, Answer::Fresh(revocation)));
                }
                let revocation = store::keep(conn, &self.schema, &revocation, by).await?;
                let reply = wire::to_reply(&revocation).encode_to_vec();
                idempotency::record(conn, &self.schema, key, &reply).await?;
                Ok((tx, Answer::Fresh(revocation)))
            })
            .await?;
        if !command.validate_only {
            // Whoever is answered can rely on it, here at least.
            self.read().await;
        }
        Ok(answer)
    }
}

/// The scope of a revocation is its organisation's; who runs the platform or is a service of ours has no rows, and
/// [`store::as_platform`] opens the list to them.
fn scope(owner: &Organisation) -> Scope {
    match owner {
        Organisation::Operator(id) => Scope::Operator(id.clone()),
        Organisation::Tenant(id) => Scope::Tenant(id.clone()),
        Organisation::Platform | Organisation::Service(_) => Scope::Market,
    }
}

/// What a command comes to at this instant.
fn judge(command: &Revoke, now: Instant) -> Result<Revocation, Error> {
    let issued_until = command.issued_until.unwrap_or(now);
    if issued_until > now + AHEAD_MAX {
        return Err(Error::invalid_field("issued_until_time", "must be at most 24 hours ahead"));
    }
    let expires = now.max(issued_until) + TimeDelta::seconds(LIFETIME_MAX_S) + MARGIN;
    Ok(Revocation {
        owner: command.owner.clone(),
        tokens: command.tokens.clone(),
        issued_until,
        reason: command.reason.clone(),
        updated: now,
        expires,
    })
}

fn full(owner: &Organisation) -> Error {
    Error::refused(
        Reason::QuotaExceeded,
        "Ten thousand revocations of the organisation are still needed; end a subject's tokens as a whole.",
    )
    .with("subject", owner)
}

#[tonic::async_trait]
impl AccessService for Access {
    async fn revoke_tokens(
        &self,
        request: Request<common::RevokeTokensRequest>,
    ) -> Result<Response<common::RevokeTokensResponse>, Status> {
        let caller = caller(&request)?;
        let any = right(&request) == Some(Right::All);
        let command = wire::read(request.get_ref()).map_err(status)?;
        if !any && command.owner != *caller.effective_organisation() {
            return Err(status(Error::not_found("organisation")));
        }
        let answer = self.revoke(&caller, command).await.map_err(status)?;
        reply(answer, wire::to_reply)
    }
}
