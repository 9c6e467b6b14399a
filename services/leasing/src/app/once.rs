//! What every write without a saga has in common: one transaction in which the reply is found, or the deed is done,
//! told and recorded.

use std::sync::Mutex;

use kernel::{Error, Scope};
use postgres::{Answer, RequestKey, Tx, idempotency};

use super::App;
use crate::store::SCHEMA;

/// How one write is named, scoped and answered.
pub(crate) struct Once<'a, T> {
    pub(crate) name: &'static str,
    pub(crate) scope: &'a Scope,
    pub(crate) key: &'a RequestKey,
    pub(crate) validate_only: bool,
    pub(crate) reply: fn(&T) -> Vec<u8>,
}

impl App {
    /// Runs `deed`, which also tells of itself, once for a request id. With `validate_only` it is done and rolled back,
    /// so that it fails as the live call would.
    pub(crate) async fn once<T, F, Fut>(&self, how: Once<'_, T>, deed: F) -> Result<Answer<T>, Error>
    where
        T: Send + Sync,
        F: Fn(Tx) -> Fut + Sync,
        Fut: Future<Output = Result<(Tx, T), Error>> + Send,
    {
        let validated: Mutex<Option<T>> = Mutex::new(None);
        let (how, deed, slot) = (&how, &deed, &validated);
        let answer = self
            .db
            .in_tx(how.name, how.scope, |tx| async move {
                if !how.validate_only
                    && let Some(reply) = idempotency::find(tx.conn(), SCHEMA, how.key).await?
                {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let (tx, made) = deed(tx).await?;
                if how.validate_only {
                    if let Ok(mut slot) = slot.lock() {
                        *slot = Some(made);
                    }
                    return Err(Error::internal("validated only: rolled back"));
                }
                idempotency::record(tx.conn(), SCHEMA, how.key, &(how.reply)(&made)).await?;
                Ok((tx, Answer::Fresh(made)))
            })
            .await;
        if let Some(made) = validated.into_inner().ok().flatten() {
            return Ok(Answer::Fresh(made));
        }
        if answer.is_ok() {
            self.feed.notify();
        }
        if how.validate_only {
            return answer;
        }
        idempotency::or_answered_before(&self.db, SCHEMA, how.scope, how.key, answer).await
    }
}
