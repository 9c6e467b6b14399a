//! What a job asks of the store beside its blocks: request ids that were used before, and open holds.

use std::collections::{HashMap, HashSet};

use postgres::Answer;

use super::job::Job;
use super::order::{KeyState, Waiting};
use crate::store::desk as store;

impl Job {
    /// Answers the orders whose request id was used before, and marks the others that were asked for as new.
    pub(super) async fn look_up(&mut self) -> Result<(), sqlx::Error> {
        let asked: Vec<&Waiting> = self.open.iter().filter(|waiting| waiting.key == KeyState::Ask).collect();
        let Some(rpc) = asked.first().map(|waiting| waiting.order.key.rpc) else { return Ok(()) };
        let keys: Vec<(String, kernel::Uuid)> = asked
            .iter()
            .map(|waiting| (waiting.order.key.caller.clone(), waiting.order.key.request_id))
            .collect();
        let operator = self.operator.clone();
        let found = store::recorded(self.connection().await?, &operator, rpc, &keys).await?;
        for mut waiting in std::mem::take(&mut self.open) {
            let key = &waiting.order.key;
            let recorded = found
                .iter()
                .find(|r| r.request == key.request_id && r.caller == key.caller)
                .filter(|_| waiting.key == KeyState::Ask);
            match recorded {
                Some(recorded) if recorded.hash == key.hash => {
                    waiting.answer(Ok(Answer::Replayed(recorded.reply.clone())));
                }
                Some(recorded) => waiting.answer(Err(postgres::idempotency::reused(recorded.at))),
                None => {
                    if waiting.key == KeyState::Ask {
                        waiting.key = KeyState::New;
                    }
                    self.open.push(waiting);
                }
            }
        }
        Ok(())
    }

    /// How many holds the tenants with a quota have open.
    pub(super) async fn open_holds(&mut self) -> Result<HashMap<String, i64>, sqlx::Error> {
        let limited: HashSet<&str> = self
            .open
            .iter()
            .filter(|waiting| waiting.order.quota.is_some())
            .filter_map(|waiting| waiting.order.draft.tenant.as_ref().map(kernel::TenantId::as_str))
            .collect();
        if limited.is_empty() {
            return Ok(HashMap::new());
        }
        let tenants: Vec<String> = limited.into_iter().map(str::to_owned).collect();
        let operator = self.operator.clone();
        Ok(store::open_holds(self.connection().await?, &operator, &tenants).await?.into_iter().collect())
    }
}
