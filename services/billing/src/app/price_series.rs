//! Records values of price indexes, reads them.

use std::collections::BTreeSet;

use kernel::{Caller, Error, PriceSeriesName, Uuid};
use postgres::{Answer, RequestKey, Tx, idempotency};
use serde::Serialize;
use tracing::info;

use super::{App, ListRequest, Listed, rpc};
use crate::domain::price_series::{Recorded, SeriesValue, unknown};
use crate::store::SCHEMA;
use crate::store::price_series::{self, ValueKey};

/// Records values.
#[derive(Clone, Debug, Serialize)]
pub struct RecordSeriesValues {
    /// Of which series.
    pub name: PriceSeriesName,
    /// What is recorded.
    #[serde(serialize_with = "as_text")]
    pub values: Vec<SeriesValue>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Months have no form of their own in JSON.
fn as_text<S: serde::Serializer>(values: &[SeriesValue], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(|one| (one.month.to_string(), one.revision, one.value, &one.source)))
}

/// How many values were new, and how many were known.
#[derive(Clone, Copy, Debug)]
pub struct RecordedValues {
    /// Not known before.
    pub recorded: usize,
    /// Known, and the same.
    pub duplicate: usize,
}

/// Lists values of a series.
#[derive(Clone, Debug)]
pub struct ListSeriesValues {
    /// Of which series.
    pub name: PriceSeriesName,
    /// Parent and page.
    pub list: ListRequest,
}

impl App {
    /// Records values; what was recorded stays.
    pub async fn record_series_values(
        &self,
        caller: &Caller,
        command: RecordSeriesValues,
    ) -> Result<Answer<RecordedValues>, Error> {
        let scope = &Self::own_operator(caller, &command.name.operator)?;
        let owner = format!("operators/{}", command.name.operator);
        let key = &RequestKey::new(owner, caller, rpc::RECORD_VALUES, command.request_id, &command)?;
        let (command, now) = (&command, self.now());
        if command.validate_only {
            return self
                .db
                .read("check_record_series_values", scope, |tx| async move {
                    if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                        return Ok((tx, Answer::Replayed(reply)));
                    }
                    let fresh = fresh(&tx, command).await?;
                    Ok((tx, Answer::Fresh(counted(command, &fresh))))
                })
                .await;
        }
        let answer = self
            .db
            .in_tx("record_series_values", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let fresh = fresh(&tx, command).await?;
                price_series::insert(tx.conn(), &command.name, &fresh, now).await?;
                let done = counted(command, &fresh);
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.values_recorded)(&done)).await?;
                Ok((tx, Answer::Fresh(done)))
            })
            .await;
        let answer = idempotency::or_answered_before(&self.db, SCHEMA, scope, key, answer).await?;
        if let Answer::Fresh(done) = &answer {
            info!(series = %command.name, recorded = done.recorded, "values of a price series recorded");
        }
        Ok(answer)
    }

    /// Values by month, then revision.
    pub async fn list_series_values(
        &self,
        caller: &Caller,
        command: ListSeriesValues,
    ) -> Result<Listed<Recorded>, Error> {
        let scope = &Self::own_operator(caller, &command.name.operator)?;
        let name = &command.name;
        let key = |(value, _): &Recorded| ValueKey(value.month.first_day(), value.revision);
        let what = ("list_series_values", rpc::LIST_VALUES);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let rows = price_series::list(tx.conn(), name, &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}

async fn fresh(tx: &Tx, command: &RecordSeriesValues) -> Result<Vec<SeriesValue>, Error> {
    let months: BTreeSet<_> = command.values.iter().map(|value| value.month).collect();
    let known = price_series::of_months(tx.conn(), &command.name, months).await?;
    unknown(&known, command.values.clone())
        .ok_or_else(|| Error::name_taken("value of this month and revision"))
}

fn counted(command: &RecordSeriesValues, fresh: &[SeriesValue]) -> RecordedValues {
    RecordedValues { recorded: fresh.len(), duplicate: command.values.len() - fresh.len() }
}
