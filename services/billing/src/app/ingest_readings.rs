//! Takes a stream of readings: checks message by message, writes in batches, and answers once all is committed.
//!
//! While batches are written the next are read and checked. A stream's meters are dealt out to lanes that write at the same
//! time, since a statement of many rows keeps one processor busy. The order of locks is that of the meters' ids; whoever
//! holds a meter's row may write its readings.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use kernel::{Caller, CivilDate, Error, Instant, MeterId, OperatorId, Scope, Violations, YearMonth};
use postgres::Tx;
use runtime::failpoint;
use tokio::task::JoinHandle;

use super::App;
use crate::domain::meter::{Meter, Progress};
use crate::domain::reading::{
    Arrival, Change, Conflict, Counts, DayRead, Days, Known, Series, Value, settle, sort,
};
use crate::store::reading::{Row, Superseded};
use crate::store::{meter, reading, usage};

/// Batches of a stream that are written at the same time, each of other meters.
const LANES: usize = 2;
/// Readings that are written in one transaction, or a few more.
const BATCH: usize = 8_192;
/// Conflicts that an answer tells at most.
const CONFLICTS_TOLD: usize = 100;

/// One message of a stream.
#[derive(Clone, Debug)]
pub struct IngestReadings {
    /// Whose meters.
    pub operator: OperatorId,
    /// Their readings.
    pub series: Vec<Series>,
    /// Only check.
    pub validate_only: bool,
}

/// What became of a stream.
#[derive(Clone, Debug, Default)]
pub struct Ingested {
    /// Every reading, counted once.
    pub counts: Counts,
    /// The first readings that were not kept.
    pub conflicts: Vec<(OperatorId, Conflict)>,
}

/// A stream that is being taken.
pub struct Ingest {
    app: Arc<App>,
    caller: Caller,
    stream: Option<(OperatorId, Scope, bool)>,
    /// Those that the stream has named, each with its lane.
    meters: HashMap<MeterId, (Arc<Meter>, usize)>,
    lanes: [Lane; LANES],
    counts: Counts,
}

/// Some of a stream's meters: the readings that wait, the batch before them, and what was not kept of those before it.
#[derive(Default)]
struct Lane {
    pending: Batch,
    writing: Option<JoinHandle<Result<Written, Error>>>,
    conflicts: Vec<Conflict>,
}

/// What became of a batch: every reading counted, and those that were not kept.
type Written = (Counts, Vec<Conflict>);

/// Readings to be written together.
#[derive(Default)]
struct Batch {
    meters: Vec<Arc<Meter>>,
    places: HashMap<MeterId, usize>,
    arrivals: Vec<Arrival>,
}

impl Ingest {
    /// A stream of this caller, of which nothing has come yet.
    #[must_use]
    pub fn new(app: Arc<App>, caller: Caller) -> Self {
        Self {
            app,
            caller,
            stream: None,
            meters: HashMap::new(),
            lanes: Default::default(),
            counts: Counts::default(),
        }
    }

    /// Takes a message, or refuses all of it.
    pub async fn take(&mut self, message: IngestReadings) -> Result<(), Error> {
        let scope = self.same_stream(&message)?;
        self.learn(&scope, &message).await?;
        let now = self.app.now();
        let mut v = Violations::new();
        for (at, series) in message.series.iter().enumerate() {
            if let Some((meter, _)) = self.meters.get(&series.meter) {
                v.nested(&format!("series[{at}]"), |v| series.check(v, meter, now));
            }
        }
        v.finish()?;
        if message.validate_only {
            return Ok(());
        }
        for series in &message.series {
            if let Some((meter, lane)) = self.meters.get(&series.meter) {
                self.lanes[*lane].pending.add(meter, series);
            }
        }
        for lane in 0..LANES {
            if self.lanes[lane].pending.arrivals.len() >= BATCH {
                self.write(lane).await?;
            }
        }
        Ok(())
    }

    /// Waits until all is committed.
    pub async fn finish(mut self) -> Result<Ingested, Error> {
        for lane in 0..LANES {
            self.write(lane).await?;
        }
        for lane in 0..LANES {
            self.written(lane).await?;
        }
        let Some((operator, _, _)) = self.stream else { return Ok(Ingested::default()) };
        let mut conflicts: Vec<Conflict> = self.lanes.into_iter().flat_map(|lane| lane.conflicts).collect();
        conflicts.sort_by(|a, b| (&a.meter, a.start).cmp(&(&b.meter, b.start)));
        let told = conflicts.into_iter().take(CONFLICTS_TOLD);
        let conflicts = told.map(|conflict| (operator.clone(), conflict)).collect();
        Ok(Ingested { counts: self.counts, conflicts })
    }

    /// A stream is of one operator, and meant or not meant.
    fn same_stream(&mut self, message: &IngestReadings) -> Result<Scope, Error> {
        if let Some((operator, scope, validate_only)) = &self.stream {
            let mut v = Violations::new();
            let same = "must be the same in every message of a stream";
            v.require("parent", *operator == message.operator, same);
            v.require("validate_only", *validate_only == message.validate_only, same);
            v.finish()?;
            return Ok(scope.clone());
        }
        let scope = App::own_operator(&self.caller, &message.operator)?;
        self.stream = Some((message.operator.clone(), scope.clone(), message.validate_only));
        Ok(scope)
    }

    /// Looks up the meters that the stream has not named yet.
    async fn learn(&mut self, scope: &Scope, message: &IngestReadings) -> Result<(), Error> {
        let unknown: BTreeSet<&MeterId> =
            message.series.iter().map(|s| &s.meter).filter(|id| !self.meters.contains_key(*id)).collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let ids: &Vec<MeterId> = &unknown.into_iter().cloned().collect();
        let found = self
            .app
            .db
            .read("meters_of_readings", scope, |tx| async move {
                let found = meter::of_ids(tx.conn(), &message.operator, ids).await?;
                Ok((tx, found))
            })
            .await?;
        if found.len() < ids.len() {
            return Err(Error::not_found("meter"));
        }
        for meter in found {
            let lane = self.meters.len() % LANES;
            self.meters.insert(meter.id.clone(), (Arc::new(meter), lane));
        }
        Ok(())
    }

    /// Sends a lane's pending readings off, after the batch before them.
    async fn write(&mut self, lane: usize) -> Result<(), Error> {
        self.written(lane).await?;
        let Some((operator, scope, _)) = self.stream.clone() else { return Ok(()) };
        let lane = &mut self.lanes[lane];
        if lane.pending.arrivals.is_empty() {
            return Ok(());
        }
        let (batch, app) = (std::mem::take(&mut lane.pending), Arc::clone(&self.app));
        lane.writing = Some(tokio::spawn(async move { app.write_readings(&operator, &scope, batch).await }));
        Ok(())
    }

    async fn written(&mut self, lane: usize) -> Result<(), Error> {
        let lane = &mut self.lanes[lane];
        let Some(writing) = lane.writing.take() else { return Ok(()) };
        let (counts, conflicts) = writing.await.map_err(Error::internal)??;
        self.counts.add(&counts);
        let room = CONFLICTS_TOLD.saturating_sub(lane.conflicts.len());
        lane.conflicts.extend(conflicts.into_iter().take(room));
        Ok(())
    }
}

impl Batch {
    fn add(&mut self, meter: &Arc<Meter>, series: &Series) {
        let next = self.meters.len();
        let place = *self.places.entry(series.meter.clone()).or_insert(next);
        if place == next {
            self.meters.push(Arc::clone(meter));
        }
        let (length, mut start) = (meter.facts.interval.delta(), series.start);
        let (revision, estimated) = (series.revision, series.estimated);
        for &energy_wh in &series.energies_wh {
            let value = Value { energy_wh, revision, estimated };
            self.arrivals.push(Arrival { meter: place, start, value });
            start += length;
        }
    }
}

impl App {
    /// Writes a batch: its rows, the meters' progress and the sums of its days in one transaction, or nothing.
    async fn write_readings(
        &self,
        operator: &OperatorId,
        scope: &Scope,
        mut batch: Batch,
    ) -> Result<Written, Error> {
        sort(&mut batch.arrivals);
        let months: BTreeSet<YearMonth> =
            batch.arrivals.iter().map(|arrival| YearMonth::of(arrival.start.date_naive())).collect();
        // In a transaction of its own: making a partition locks more than readings do.
        let months = &months;
        self.db
            .in_tx("open_reading_months", scope, |tx| async move {
                for month in months {
                    reading::open_month(tx.conn(), *month).await?;
                }
                Ok((tx, ()))
            })
            .await?;
        let (batch, now) = (&batch, self.now());
        let written = self
            .db
            .in_tx("ingest_readings", scope, |tx| async move {
                let written = keep(&tx, operator, batch, now).await?;
                failpoint("billing.ingest.before_commit")?;
                Ok((tx, written))
            })
            .await?;
        failpoint("billing.ingest.after_commit")?;
        Ok(written)
    }
}

/// What a batch comes to.
#[derive(Default)]
struct Plan<'a> {
    new: Vec<Row<'a>>,
    corrected: Vec<Row<'a>>,
    superseded: Vec<Superseded<'a>>,
    progress: Vec<(&'a str, Progress)>,
    /// Sums of new readings by day.
    added: Vec<((usize, CivilDate), DayRead)>,
    /// Days of which a reading was corrected: they are summed up anew.
    dirty: BTreeSet<(usize, CivilDate)>,
    counts: Counts,
    conflicts: Vec<Conflict>,
}

async fn keep(tx: &Tx, operator: &OperatorId, batch: &Batch, now: Instant) -> Result<Written, Error> {
    let conn = tx.conn();
    let ids: Vec<String> = batch.meters.iter().map(|meter| meter.id.to_string()).collect();
    let progress = reading::lock_meters(conn, operator, &ids).await?;
    let of_meter = |at: usize| progress.get(batch.meters[at].id.as_str()).copied().unwrap_or_default();
    // Above a meter's last interval nothing is known, so that nothing is looked up.
    let mut late: Vec<(&str, Instant)> = batch
        .arrivals
        .iter()
        .filter(|arrival| of_meter(arrival.meter).last_start.is_some_and(|last| arrival.start <= last))
        .map(|arrival| (batch.meters[arrival.meter].id.as_str(), arrival.start))
        .collect();
    late.dedup();
    let known = reading::known(conn, operator, &late).await?;
    let plan = plan(batch, &known, of_meter);
    reading::remember(conn, operator, now, &plan.superseded).await?;
    reading::insert(conn, operator, now, &plan.new).await?;
    reading::correct(conn, operator, now, &plan.corrected).await?;
    reading::advance(conn, operator, &plan.progress).await?;
    sum_up(tx, operator, batch, &plan).await?;
    Ok((plan.counts, plan.conflicts))
}

fn plan<'a>(
    batch: &'a Batch,
    known: &HashMap<(String, Instant), Known>,
    of_meter: impl Fn(usize) -> Progress,
) -> Plan<'a> {
    let mut plan = Plan::default();
    let nothing = Known::default();
    for arrivals in batch.arrivals.chunk_by(|a, b| a.meter == b.meter) {
        let Some(first) = arrivals.first() else { continue };
        let (place, meter) = (first.meter, &batch.meters[first.meter]);
        let id = meter.id.as_str();
        let before = of_meter(place);
        let batch_number = before.batch_count + 1;
        let mut days = Days::of(&meter.facts);
        let (mut last, mut changed) = (before.last_start, false);
        for arrivals in arrivals.chunk_by(|a, b| a.start == b.start) {
            let Some(start) = arrivals.first().map(|arrival| arrival.start) else { continue };
            let above = before.last_start.is_none_or(|last| start > last);
            let found = if above { None } else { known.get(&(id.to_owned(), start)) };
            let Some(settled) =
                settle(found.unwrap_or(&nothing), arrivals.iter().map(|arrival| arrival.value))
            else {
                continue;
            };
            let row = |value| Row { meter: id, start, value, batch: batch_number };
            match settled.change {
                Change::New => {
                    plan.new.push(row(settled.current));
                    days.add(start, settled.current);
                    last = last.max(Some(start));
                }
                Change::Corrected => {
                    plan.corrected.push(row(settled.current));
                    plan.dirty.insert((place, days.day_of(start)));
                }
                Change::Unchanged => {}
            }
            changed |= settled.change != Change::Unchanged || !settled.history.is_empty();
            let history = settled.history.into_iter();
            plan.superseded.extend(history.map(|(value, counted)| Superseded { row: row(value), counted }));
            plan.counts.add(&settled.counts);
            plan.conflicts.extend(settled.conflicts.into_iter().map(|(kept, refused)| Conflict {
                meter: meter.id.clone(),
                start,
                revision: kept.revision,
                kept_wh: kept.energy_wh,
                refused_wh: refused.energy_wh,
            }));
        }
        if changed {
            plan.progress.push((id, Progress { last_start: last, batch_count: batch_number }));
        }
        plan.added.extend(days.into_sums().into_iter().map(|(day, read)| ((place, day), read)));
    }
    plan
}

/// Brings the sums of the batch's days up to date: new readings are added, corrected days are read again.
async fn sum_up(tx: &Tx, operator: &OperatorId, batch: &Batch, plan: &Plan<'_>) -> Result<(), Error> {
    let clean: Vec<&((usize, CivilDate), DayRead)> =
        plan.added.iter().filter(|(day, _)| !plan.dirty.contains(day)).collect();
    let named = |(place, day): (usize, CivilDate)| (batch.meters[place].id.to_string(), day);
    let days: Vec<usage::MeterDay> = clean.iter().map(|(day, _)| named(*day)).collect();
    let mut so_far = usage::of_days(tx.conn(), operator, &days).await?;
    let mut sums: Vec<(usage::MeterDay, DayRead)> = Vec::with_capacity(clean.len());
    for (name, (_, added)) in days.into_iter().zip(clean) {
        let sum = match so_far.remove(&name) {
            Some(mut sum) => {
                sum.merge(added);
                sum
            }
            None => added.clone(),
        };
        sums.push((name, sum));
    }
    for &(place, day) in &plan.dirty {
        let meter = &batch.meters[place];
        let zone = meter.facts.zone;
        let end = day.succ_opt().map_or(zone.start_of_day(day), |next| zone.start_of_day(next));
        let name = kernel::MeterName::new(operator.clone(), meter.id.clone());
        let mut again = Days::of(&meter.facts);
        for (start, value) in reading::between(tx.conn(), &name, (zone.start_of_day(day), end)).await? {
            again.add(start, value);
        }
        sums.extend(again.into_sums().into_iter().map(|(day, read)| (named((place, day)), read)));
    }
    usage::put(tx.conn(), operator, &sums).await
}
