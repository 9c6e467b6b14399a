//! What a meter measured over some days, as far as readings had come: of all batches, or up to one.

use std::collections::BTreeMap;

use kernel::{DateRange, Error, Instant, MeterName};
use postgres::Tx;

use crate::domain::measured::Measured;
use crate::domain::meter::Meter;
use crate::domain::usage::{Span, filled_day, intervals, needed, spans, whole_day};
use crate::store::{reading, usage};

/// How a meter is read.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct HowRead {
    /// Readings up to this batch; all, if none. Sums by day are of all batches, so that this reads every interval.
    pub(super) as_of: Option<i64>,
    /// Each interval, also of days that were read whole.
    pub(super) with_intervals: bool,
}

/// Reads a meter. Days that were read whole come from their sums unless their intervals are wanted.
///
/// # Errors
/// `RESOURCE_ARCHIVED` when readings that are needed are put away.
pub(super) async fn measure(
    tx: &Tx,
    meter: &Meter,
    days: DateRange,
    now: Instant,
    how: HowRead,
) -> Result<Measured, Error> {
    let (name, facts) = (MeterName::new(meter.operator.clone(), meter.id.clone()), &meter.facts);
    let spans = spans(facts, days, now);
    // One statement for both, so that the sums are those of that batch.
    let (batch, sums) = match how.as_of {
        Some(batch) => (batch, BTreeMap::new()),
        None => usage::with_batch(tx.conn(), &name, days).await?,
    };
    let whole = |span: &Span| sums.get(&span.date).and_then(|read| whole_day(facts, *span, read));
    let open: Vec<Span> =
        spans.iter().filter(|span| how.with_intervals || whole(span).is_none()).copied().collect();
    let readings = match needed(&open) {
        Some(span) => {
            if let Some(month) = reading::put_away(tx.conn(), span).await? {
                return Err(Error::archived("month of readings").with("month", month));
            }
            reading::as_of(tx.conn(), &name, span, batch).await?.into_iter().collect()
        }
        None => BTreeMap::new(),
    };
    let days = spans
        .iter()
        .map(|span| match whole(span) {
            Some(day) if !how.with_intervals => day,
            _ => filled_day(facts, *span, intervals(facts, *span, &readings)),
        })
        .collect();
    Ok(Measured { meter: meter.id.clone(), batch, days })
}
