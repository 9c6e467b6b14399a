//! Reads readings and usage.

use std::collections::BTreeMap;

use kernel::{Caller, DateRange, Error, Instant, MeterName};

use super::{App, ListRequest, Listed, rpc};
use crate::domain::meter::Meter;
use crate::domain::reading::Kept;
use crate::domain::usage::{Span, UsageDay, filled_day, intervals, needed, spans, whole_day};
use crate::store::reading::ReadingKey;
use crate::store::{meter, reading, usage};

/// Lists readings.
#[derive(Clone, Debug)]
pub struct ListReadings {
    /// Parent and page.
    pub list: ListRequest,
    /// The meter.
    pub meter: MeterName,
    /// Intervals that begin in this span.
    pub span: (Instant, Instant),
    /// Also what no longer counts.
    pub include_superseded: bool,
}

/// Asks what a meter measured.
#[derive(Clone, Debug)]
pub struct GetUsage {
    /// The meter.
    pub meter: MeterName,
    /// The days, in the meter's zone.
    pub days: DateRange,
    /// Each interval too.
    pub with_intervals: bool,
}

impl App {
    /// Readings in order of time, then revision, with the meter they are of.
    pub async fn list_readings(
        &self,
        caller: &Caller,
        command: ListReadings,
    ) -> Result<(Meter, Listed<Kept>), Error> {
        let meter = self.get_meter(caller, &command.meter).await?;
        let scope = &caller.scope_of_operator(&command.meter.operator)?;
        let command = &command;
        let key = |kept: &Kept| ReadingKey(kept.start, kept.value.revision);
        let what = ("list_readings", rpc::LIST_READINGS);
        let listed = self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let superseded = command.include_superseded;
            let rows = reading::list(tx.conn(), &command.meter, command.span, superseded, &page).await?;
            Ok((tx, rows))
        });
        let listed = listed.await?;
        Ok((meter, listed))
    }

    /// What a meter measured, with estimates of what is missing. Days that were read whole come from their sums; only
    /// the others need their readings.
    pub async fn get_usage(&self, caller: &Caller, command: GetUsage) -> Result<Vec<UsageDay>, Error> {
        let gone = || Error::not_found("meter");
        let scope = &caller.scope_of_operator(&command.meter.operator).map_err(|_| gone())?;
        let (command, now) = (&command, self.now());
        self.db
            .read("get_usage", scope, |tx| async move {
                let name = &command.meter;
                let facts = meter::find(tx.conn(), scope, name).await?.ok_or_else(gone)?.facts;
                let spans = spans(&facts, command.days, now);
                let sums = usage::of_meter(tx.conn(), name, command.days).await?;
                let whole =
                    |span: &Span| sums.get(&span.date).and_then(|read| whole_day(&facts, *span, read));
                let open: Vec<Span> =
                    spans.iter().filter(|s| command.with_intervals || whole(s).is_none()).copied().collect();
                let readings: BTreeMap<_, _> = match needed(&open) {
                    Some(span) => reading::between(tx.conn(), name, span).await?.into_iter().collect(),
                    None => BTreeMap::new(),
                };
                let days = spans
                    .iter()
                    .map(|span| match whole(span) {
                        Some(day) if !command.with_intervals => day,
                        _ => filled_day(&facts, *span, intervals(&facts, *span, &readings)),
                    })
                    .collect();
                Ok((tx, days))
            })
            .await
    }
}
