//! Readings that come twice, late, out of order and corrected, over several streams at once, while one write in five
//! fails before its commit and one in five after it: each is counted once.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use gridlease::clients::Clients;
use integration_tests::Cluster;
use integration_tests::cluster::BILLING;
use integration_tests::market::{date, request_id};
use kernel::{Instant, Role};
use sqlx::Row as _;

const OPERATOR: &str = "operators/acme";
const METERS: [&str; 3] = ["hall-a", "hall-b", "hall-c"];
const FAILING: &str =
    "billing.ingest.before_commit=20%return(error);billing.ingest.after_commit=20%return(error)";
/// Quarter-hours of a meter: three days.
const INTERVALS: u64 = 288;
const STREAMS: usize = 4;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Said {
    meter: usize,
    interval: u64,
    revision: i32,
}

impl Said {
    fn energy(self) -> i64 {
        let interval = i64::try_from(self.interval).unwrap_or(0);
        1_000 + interval * 7 + i64::from(self.revision) * 100_000 + i64::try_from(self.meter).unwrap_or(0)
    }

    fn start(self) -> Instant {
        let first = "2026-03-07T06:00:00Z".parse::<Instant>().expect("an instant");
        first + chrono::TimeDelta::minutes(15 * i64::try_from(self.interval).unwrap_or(0))
    }

    fn series(self) -> billing::ReadingSeries {
        billing::ReadingSeries {
            meter: format!("{OPERATOR}/meters/{}", METERS[self.meter]),
            start_time: Some(runtime::wire::to_timestamp(self.start())),
            energy_wh: vec![self.energy()],
            revision: self.revision,
            estimated: false,
        }
    }
}

/// Every interval in one to three revisions, a fifth of it twice, dealt out to messages in any order.
fn messages(dice: &mut Dice) -> (Vec<Said>, Vec<Vec<Said>>) {
    let mut said = Vec::new();
    for meter in 0..METERS.len() {
        for interval in 0..INTERVALS {
            let revisions = if dice.below(4) == 0 { 1 + dice.below(3) } else { 1 };
            said.extend((0..revisions).map(|revision| Said {
                meter,
                interval,
                revision: i32::try_from(revision).unwrap_or(0),
            }));
        }
    }
    let mut sent = said.clone();
    sent.extend(said.iter().filter(|_| dice.below(5) == 0));
    for at in (1..sent.len()).rev() {
        let other = usize::try_from(dice.below(u64::try_from(at).unwrap_or(0) + 1)).unwrap_or(0);
        // Mostly in order, as meters send: only one in three is moved about.
        if dice.below(3) == 0 {
            sent.swap(at, other);
        }
    }
    (said, sent.chunks(12).map(<[Said]>::to_vec).collect())
}

/// Sends a stream again and again until it is answered; gives how often it was.
async fn deliver(ops: &Clients, part: &[Vec<Said>]) -> Result<u32> {
    for tries in 1..200 {
        let messages: Vec<_> = part
            .iter()
            .map(|said| billing::IngestReadingsRequest {
                parent: OPERATOR.to_owned(),
                series: said.iter().map(|said| said.series()).collect(),
                validate_only: false,
            })
            .collect();
        let sent: usize = part.iter().map(Vec::len).sum();
        match ops.meters().ingest_readings(tokio_stream::iter(messages)).await {
            Ok(answer) => {
                let a = answer.into_inner();
                let counted = a.new_count + a.corrected_count + a.superseded_count + a.duplicate_count;
                ensure!(counted == i64::try_from(sent)? && a.conflict_count == 0, "of {sent}: {a:?}");
                return Ok(tries);
            }
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    anyhow::bail!("never answered")
}

#[tokio::test]
async fn each_reading_is_counted_once_whatever_fails() -> Result<()> {
    let mut cluster = Cluster::new(1).await?;
    cluster.start(BILLING, FAILING).await?;
    let ops = cluster.clients(OPERATOR, Role::SiteOps)?;
    for meter in METERS {
        create(&ops, meter).await?;
    }
    let mut dice = Dice(7);
    let (said, messages) = messages(&mut dice);
    let parts: Vec<&[Vec<Said>]> = messages.chunks(2).collect();
    let mut failures = 0;
    for round in parts.chunks(STREAMS) {
        let tries = futures::future::try_join_all(round.iter().map(|part| deliver(&ops, part))).await?;
        failures += tries.iter().map(|tries| tries - 1).sum::<u32>();
    }
    ensure!(failures > 10, "only {failures} streams failed: nothing was shown");
    hold_to_the_model(&cluster, &said).await
}

/// What the tables hold, beside what was said.
async fn hold_to_the_model(cluster: &Cluster, said: &[Said]) -> Result<()> {
    let mut wanted: BTreeMap<(String, Instant), Vec<(i32, i64)>> = BTreeMap::new();
    for said in said {
        let key = (METERS[said.meter].to_owned(), said.start());
        wanted.entry(key).or_default().push((said.revision, said.energy()));
    }
    let mut superuser = cluster.database.superuser().await?;
    let mut kept: BTreeMap<(String, Instant), Vec<(i32, i64)>> = BTreeMap::new();
    let all = "select meter_id, start_time, revision, energy_wh from billing.reading_history union all \
               select meter_id, start_time, revision, energy_wh from billing.reading order by 1, 2, 3";
    for row in sqlx::query(all).fetch_all(&mut superuser).await? {
        kept.entry((row.get(0), row.get(1))).or_default().push((row.get(2), row.get(3)));
    }
    ensure!(kept == wanted, "readings and history are not what was said");
    let askew = "with summed as (
            select meter_id, (start_time at time zone 'America/Chicago')::date as day, sum(energy_wh) as energy_wh,
                   count(*) as readings, max(energy_wh) as peak
            from billing.reading group by 1, 2)
        select count(*) from summed s full join billing.usage_day u using (meter_id, day)
        where s.energy_wh is distinct from u.energy_wh or s.readings is distinct from u.reading_count
           or s.peak is distinct from u.peaks_wh[1]";
    let askew: i64 = sqlx::query_scalar(askew).fetch_one(&mut superuser).await?;
    ensure!(askew == 0, "{askew} days are not the sum of their readings");
    let low = "select count(*) from billing.reading_history h join billing.reading r using (operator_id, meter_id, start_time)
        where h.revision >= r.revision or h.superseded_batch < h.batch";
    let low: i64 = sqlx::query_scalar(low).fetch_one(&mut superuser).await?;
    ensure!(low == 0, "{low} superseded readings are above what counts");
    let mark = "select count(*) from billing.meter m where last_start is distinct from (
        select max(start_time) from billing.reading r where r.operator_id = m.operator_id and r.meter_id = m.meter_id)";
    let mark: i64 = sqlx::query_scalar(mark).fetch_one(&mut superuser).await?;
    ensure!(mark == 0, "{mark} meters are not marked at their last reading");
    Ok(())
}

async fn create(ops: &Clients, id: &str) -> Result<()> {
    let meter = billing::Meter {
        display_name: id.to_owned(),
        kind: billing::MeterKind::Block.into(),
        site: format!("{OPERATOR}/sites/rockdale"),
        block: format!("{OPERATOR}/sites/rockdale/blocks/{id}"),
        time_zone: "America/Chicago".to_owned(),
        interval_minutes: 15,
        max_kw: 50_000,
        install_date: Some(date("2026-01-01")),
        ..Default::default()
    };
    let create = billing::CreateMeterRequest {
        parent: OPERATOR.to_owned(),
        meter_id: id.to_owned(),
        meter: Some(meter),
        request_id: request_id(),
        validate_only: false,
    };
    ops.meters().create_meter(create).await.context("create a meter")?;
    Ok(())
}
