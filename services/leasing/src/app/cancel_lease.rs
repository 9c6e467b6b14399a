//! Withdrawing a lease that is not signed yet, and giving its capacity back.

use kernel::{Caller, Error, LeaseName, ReservationName, Uuid};
use postgres::{Answer, RequestKey, idempotency};
use serde::Serialize;

use super::{App, View, kind, rpc};
use crate::store::{self, SCHEMA};

/// What a cancellation asks for.
#[derive(Clone, Debug)]
pub struct CancelLease {
    /// The lease.
    pub name: LeaseName,
    /// Why.
    pub reason: String,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// What a repetition must repeat.
#[derive(Serialize)]
struct Fingerprint<'a> {
    name: &'a LeaseName,
    reason: &'a str,
    etag: &'a str,
}

impl App {
    /// Cancels a PROPOSED lease. Its hold is given back at once, or by the sweeper if inventory cannot be reached.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`, `ETAG_MISMATCH`, `RESOURCE_NOT_FOUND`; what a request id is refused with.
    pub async fn cancel_lease(&self, caller: &Caller, command: CancelLease) -> Result<Answer<View>, Error> {
        let name = &command.name;
        let scope = caller.scope_of_operator(&name.operator).map_err(|_| Error::not_found("lease"))?;
        let key = &key_of(caller, &command)?;
        let command = &command;
        let now = self.now();
        if command.validate_only {
            return self.would_cancel(caller, command).await;
        }
        let answer = self
            .db
            .in_tx("cancel_lease", &scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let stored = store::lock(tx.conn(), name).await?;
                // Looked up again behind the lock: a repetition that waited for it finds the answer, not a refusal.
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let mut lease = stored.ok_or_else(|| Error::not_found("lease"))?;
                lease.check_etag(&command.etag)?;
                let from = lease.revision;
                lease.cancel(&command.reason, now)?;
                store::save(tx.conn(), &lease, from, None).await?;
                store::save_premises(tx.conn(), &lease).await?;
                if let Some(hold) = lease.hold {
                    let lease_id = name.lease.as_str();
                    store::note_release(tx.conn(), &name.operator, hold.reservation, lease_id).await?;
                }
                let view = View::of(lease)?;
                self.tell(&tx, kind::CANCELLED, &view).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.cancelled)(&view)).await?;
                Ok((tx, Answer::Fresh(view)))
            })
            .await?;
        if let Answer::Fresh(view) = &answer {
            self.feed.notify();
            self.release_now(view).await;
        }
        Ok(answer)
    }

    async fn would_cancel(&self, caller: &Caller, command: &CancelLease) -> Result<Answer<View>, Error> {
        let mut lease = self.get_lease(caller, &command.name).await?.lease;
        lease.check_etag(&command.etag)?;
        lease.cancel(&command.reason, self.now())?;
        View::of(lease).map(Answer::Fresh)
    }

    /// The capacity is free when the caller has its answer, if inventory can be reached; the note of the release
    /// stays for the sweeper in any case, who finds it done.
    async fn release_now(&self, view: &View) {
        let Some(hold) = view.lease.hold else { return };
        let name = ReservationName::new(view.lease.name.operator.clone(), hold.reservation);
        if let Err(error) = self.inventory.release(&name).await {
            tracing::debug!(reservation = %name, reason = %error.reason(), "left to the sweeper");
        }
    }
}

fn key_of(caller: &Caller, command: &CancelLease) -> Result<RequestKey, Error> {
    let fingerprint = Fingerprint { name: &command.name, reason: &command.reason, etag: &command.etag };
    let owner = format!("operators/{}", command.name.operator);
    RequestKey::new(owner, caller, rpc::CANCEL, command.request_id, &fingerprint)
}
