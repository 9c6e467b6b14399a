//! What every write of a site, block or phase has in common: one transaction in which the reply is found, or the deed
//! is done, told and recorded.

use std::sync::Mutex;

use kernel::{Caller, Error, OperatorId, Scope, TenantId, Uuid};
use postgres::{Answer, NewEvent, RequestKey, Tx, idempotency, outbox};
use serde::Serialize;

use super::App;
use crate::store::SCHEMA;

/// A command to create something, as the caller sent it.
#[derive(Debug, Clone)]
pub struct Create<D> {
    /// What is to be created.
    pub draft: D,
    /// The caller's id for this request.
    pub request_id: Uuid,
    /// Only check.
    pub validate_only: bool,
}

/// How one kind of write is named, told and answered.
pub(crate) struct Write<'a, T> {
    pub(crate) name: &'static str,
    pub(crate) rpc: &'static str,
    pub(crate) operator: &'a OperatorId,
    pub(crate) request_id: Uuid,
    pub(crate) validate_only: bool,
    pub(crate) event: &'static str,
    /// Resource name and payload of what was made.
    pub(crate) tell: &'a (dyn Fn(&T) -> (String, Vec<u8>) + Send + Sync),
    pub(crate) reply: fn(&T) -> Vec<u8>,
}

impl App {
    /// As [`App::write_for`], of what concerns no tenant.
    pub(crate) async fn write<C, T, F, Fut>(
        &self,
        caller: &Caller,
        command: &C,
        how: Write<'_, T>,
        deed: F,
    ) -> Result<Answer<T>, Error>
    where
        C: Serialize + Sync,
        T: Send + Sync,
        F: Fn(Tx) -> Fut + Sync,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        self.write_for(caller, command, how, |_| None, deed).await
    }

    /// Runs `deed` once for a request id, in one transaction with its event and its reply. With `validate_only` it is
    /// done and rolled back, so that it fails as the live call would. `audience` is the tenant that is told, too.
    pub(crate) async fn write_for<C, T, F, Fut>(
        &self,
        caller: &Caller,
        command: &C,
        how: Write<'_, T>,
        audience: fn(&T) -> Option<TenantId>,
        deed: F,
    ) -> Result<Answer<T>, Error>
    where
        C: Serialize + Sync,
        T: Send + Sync,
        F: Fn(Tx) -> Fut + Sync,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        let scope = Scope::Operator(how.operator.clone());
        let owner = format!("operators/{}", how.operator);
        let key = RequestKey::new(owner, caller, how.rpc, how.request_id, command)?;
        let validated: Mutex<Option<T>> = Mutex::new(None);
        let (key, how, deed, validated_ref) = (&key, &how, &deed, &validated);
        let answer = self
            .db
            .in_tx(how.name, &scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let (tx, made) = deed(tx).await?;
                if how.validate_only {
                    if let Ok(mut slot) = validated_ref.lock() {
                        *slot = Some(made);
                    }
                    return Err(Error::internal("validated only: rolled back"));
                }
                self.tell(&tx, how, audience(&made), &made).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(how.reply)(&made)).await?;
                Ok((tx, Answer::Fresh(made)))
            })
            .await;
        if let Some(made) = validated.into_inner().ok().flatten() {
            return Ok(Answer::Fresh(made));
        }
        self.feed.notify();
        idempotency::or_answered_before(&self.db, SCHEMA, &scope, key, answer).await
    }

    async fn tell<T>(
        &self,
        tx: &Tx,
        how: &Write<'_, T>,
        tenant: Option<TenantId>,
        made: &T,
    ) -> Result<(), Error> {
        let (subject, payload) = (how.tell)(made);
        let event = NewEvent {
            operator: Some(how.operator.clone()),
            tenant,
            kind: how.event,
            subject,
            occurred_at: self.now(),
            payload,
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }
}
