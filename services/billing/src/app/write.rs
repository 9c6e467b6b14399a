//! One form of every write about money: one effect and one answer for each request id, and a trial that does all of it and
//! keeps nothing, so that it fails as the deed would.

use std::sync::Mutex;

use kernel::{Caller, Error, OperatorId, Scope, Uuid};
use postgres::{Answer, RequestKey, Tx, idempotency};
use serde::Serialize;

use super::App;
use crate::store::SCHEMA;

/// What a write is, beside what it does.
pub(crate) struct Write<T> {
    /// The transaction's name.
    pub(crate) name: &'static str,
    /// Whose rows.
    pub(crate) scope: Scope,
    /// Under what its answer is kept.
    pub(crate) key: RequestKey,
    /// Only try it out.
    pub(crate) validate_only: bool,
    /// Its answer as it goes over the wire.
    pub(crate) encode: fn(&T) -> Vec<u8>,
}

impl<T> Write<T> {
    /// A deed in an operator's books; whether the caller may do it was asked before.
    pub(super) fn in_books<C: Serialize>(
        caller: &Caller,
        operator: &OperatorId,
        (name, rpc): (&'static str, &'static str),
        (request_id, validate_only): (Uuid, bool),
        command: &C,
        encode: fn(&T) -> Vec<u8>,
    ) -> Result<Self, Error> {
        let key = RequestKey::new(format!("operators/{operator}"), caller, rpc, request_id, command)?;
        Ok(Self { name, scope: Scope::Operator(operator.clone()), key, validate_only, encode })
    }
}

/// Rolls a trial back; nobody sees it.
#[derive(Debug, thiserror::Error)]
#[error("only tried out")]
struct TriedOut;

impl App {
    /// Does `deed` once.
    pub(crate) async fn write<T, F, Fut>(&self, write: &Write<T>, deed: F) -> Result<Answer<T>, Error>
    where
        T: Send,
        F: Fn(Tx) -> Fut + Sync,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        let (tried, deed) = (&Mutex::new(None), &deed);
        let answer = self
            .db
            .in_tx(write.name, &write.scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, &write.key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let (tx, done) = deed(tx).await?;
                if write.validate_only {
                    *tried.lock().map_err(|_| Error::internal("poisoned"))? = Some(done);
                    return Err(Error::internal(TriedOut));
                }
                idempotency::record(tx.conn(), SCHEMA, &write.key, &(write.encode)(&done)).await?;
                Ok((tx, Answer::Fresh(done)))
            })
            .await;
        if let Some(done) = tried.lock().map_err(|_| Error::internal("poisoned"))?.take() {
            return Ok(Answer::Fresh(done));
        }
        let answer =
            idempotency::or_answered_before(&self.db, SCHEMA, &write.scope, &write.key, answer).await?;
        if matches!(answer, Answer::Fresh(_)) {
            self.feed.notify();
        }
        Ok(answer)
    }
}
