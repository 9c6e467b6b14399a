//! What writes of one row have in common: one transaction in which the reply is found, or the deed is done, told and
//! recorded.

use std::sync::Mutex;

use kernel::{Caller, Error, OperatorId, Scope, TenantId, Uuid};
use postgres::{Answer, NewEvent, RequestKey, Tx, idempotency, outbox};
use serde::Serialize;

use super::App;
use crate::store::SCHEMA;

/// How one kind of write is named, told and answered.
pub(crate) struct Write<'a, T> {
    pub(crate) name: &'static str,
    pub(crate) rpc: &'static str,
    pub(crate) operator: &'a OperatorId,
    pub(crate) request_id: Uuid,
    pub(crate) validate_only: bool,
    pub(crate) event: &'static str,
    pub(crate) tell: fn(&T, &super::Wire) -> Told,
    pub(crate) reply: fn(&T) -> Vec<u8>,
}

/// What an event says, and to whom beside its operator.
pub(crate) struct Told {
    pub(crate) subject: String,
    pub(crate) tenant: Option<TenantId>,
    pub(crate) payload: Vec<u8>,
}

impl App {
    /// Runs `deed` once for a request id, in one transaction with its event and its reply, in the caller's scope. With
    /// `validate_only` it is done and rolled back, so that it fails as the live call would.
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
        let scope = caller.scope_of_operator(how.operator)?;
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
                self.tell_all(&tx, how.operator, how.event, (how.tell)(&made, &self.wire)).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(how.reply)(&made)).await?;
                Ok((tx, Answer::Fresh(made)))
            })
            .await;
        if let Some(made) = validated.into_inner().ok().flatten() {
            return Ok(Answer::Fresh(made));
        }
        self.feed.notify();
        match answer {
            Err(refusal) => self.answered_before(&scope, key, refusal).await,
            done => done,
        }
    }

    /// Appends an event in the transaction of its change.
    pub(crate) async fn tell_all(
        &self,
        tx: &Tx,
        operator: &OperatorId,
        kind: &'static str,
        told: Told,
    ) -> Result<(), Error> {
        let event = NewEvent {
            operator: Some(operator.clone()),
            tenant: told.tenant,
            kind,
            subject: told.subject,
            occurred_at: self.now(),
            payload: told.payload,
        };
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &event).await
    }

    /// A repetition that waited for the first attempt meets what that one has done, such as a name that is taken now:
    /// then the first answer is its answer too.
    async fn answered_before<T>(
        &self,
        scope: &Scope,
        key: &RequestKey,
        refusal: Error,
    ) -> Result<Answer<T>, Error> {
        let found = self
            .db
            .read("find_request", scope, |tx| async move {
                let reply = idempotency::find(tx.conn(), SCHEMA, key).await?;
                Ok((tx, reply))
            })
            .await;
        match found {
            Ok(Some(reply)) => Ok(Answer::Replayed(reply)),
            // What was refused stays refused, whatever this look met.
            Ok(None) | Err(_) => Err(refusal),
        }
    }
}
