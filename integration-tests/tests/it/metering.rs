//! Meters as their operator and their tenant use them: readings in, usage out, with what was missing, late or wrong.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id, series};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use tonic::Code;

const OPERATOR: &str = "operators/acme";
const METER: &str = "operators/acme/meters/hall-a";
/// An hour of a hall at 39 MW in quarter-hours.
const QUARTER_WH: i64 = 9_750_000;

fn meter(zone: &str, minutes: i32) -> billing::Meter {
    billing::Meter {
        display_name: "Hall A".to_owned(),
        kind: billing::MeterKind::Tenant.into(),
        site: format!("{OPERATOR}/sites/rockdale"),
        block: format!("{OPERATOR}/sites/rockdale/blocks/hall-a"),
        tenant: "tenants/lab".to_owned(),
        time_zone: zone.to_owned(),
        interval_minutes: minutes,
        max_kw: 50_000,
        assumed_kw: 8_000,
        install_date: Some(date("2026-01-01")),
        ..Default::default()
    }
}

async fn create(ops: &Clients, id: &str, meter: billing::Meter) -> Result<billing::Meter> {
    let create = billing::CreateMeterRequest {
        parent: OPERATOR.to_owned(),
        meter_id: id.to_owned(),
        meter: Some(meter),
        request_id: request_id(),
        validate_only: false,
    };
    ops.meters().create_meter(create).await?.into_inner().meter.context("a meter")
}

/// Sends each list of series as a message of one stream.
async fn send(
    ops: &Clients,
    messages: Vec<Vec<billing::ReadingSeries>>,
) -> Result<billing::IngestReadingsResponse, tonic::Status> {
    let messages = messages.into_iter().map(|series| billing::IngestReadingsRequest {
        parent: OPERATOR.to_owned(),
        series,
        validate_only: false,
    });
    let messages: Vec<_> = messages.collect();
    Ok(ops.meters().ingest_readings(tokio_stream::iter(messages)).await?.into_inner())
}

async fn usage(
    clients: &Clients,
    name: &str,
    from: &str,
    until: &str,
    fine: bool,
) -> Result<billing::GetUsageResponse> {
    let ask = billing::GetUsageRequest {
        name: name.to_owned(),
        start_date: Some(date(from)),
        end_date: Some(date(until)),
        with_intervals: fine,
    };
    Ok(clients.meters().get_usage(ask).await?.into_inner())
}

#[tokio::test]
async fn b07_a_year_of_quarter_hours_with_both_changes_of_the_clock() -> Result<()> {
    let stack = TestStack::start_on(day("2027-02-01")).await?;
    let ops = stack.clients(OPERATOR, Role::SiteOps)?;
    create(&ops, "hall-a", meter(market::ZONE, 15)).await?;
    // All of 2026 in Chicago is as many quarter-hours as in UTC: 35,040, in messages of ten days.
    let start = "2026-01-01T06:00:00Z".parse::<kernel::Instant>()?;
    let part = |n: i64| {
        let at = (start + chrono::TimeDelta::minutes(15 * 960 * n)).to_rfc3339();
        let count = usize::try_from((35_040 - 960 * n).min(960)).unwrap_or(0);
        vec![series(METER, &at, &vec![QUARTER_WH; count])]
    };
    let kept = send(&ops, (0..37).map(part).collect()).await?;
    ensure!(kept.new_count == 35_040 && kept.duplicate_count == 0, "{kept:?}");

    let year = usage(&ops, METER, "2026-01-01", "2027-01-01", false).await?;
    ensure!(year.days.len() == 365 && year.energy_wh == 35_040 * QUARTER_WH && year.missing_count == 0);
    let count = |month: i32, day: i32| {
        let found = year.days.iter().find(|d| d.date.is_some_and(|d| (d.month, d.day) == (month, day)));
        found.map_or(0, |day| day.metered_count)
    };
    ensure!((count(3, 8), count(11, 1), count(7, 4)) == (92, 100, 96), "the clocks of Chicago");
    // 9,750 kWh in a quarter of an hour are 39,000 kW.
    ensure!(year.peak_w == 39_000_000 && year.days.iter().all(|d| d.peak_w == 39_000_000 && !d.spike));
    // What was read whole is told from its sums, and interval by interval alike.
    let spring = usage(&ops, METER, "2026-03-08", "2026-03-09", true).await?;
    ensure!(spring.days[0].intervals.len() == 92 && spring.energy_wh == 92 * QUARTER_WH, "{spring:?}");

    let again = send(&ops, vec![part(0), part(5)]).await?;
    ensure!(again.duplicate_count == 1_920 && again.new_count == 0, "{again:?}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn lord_howe_has_94_and_98_quarter_hours() -> Result<()> {
    let stack = TestStack::start_on(day("2027-02-01")).await?;
    let ops = stack.clients(OPERATOR, Role::SiteOps)?;
    create(&ops, "hall-a", meter("Australia/Lord_Howe", 15)).await?;
    for (first, count, from, until) in [
        ("2026-04-04T13:00:00Z", 98, "2026-04-05", "2026-04-06"),
        ("2026-10-03T13:30:00Z", 94, "2026-10-04", "2026-10-05"),
    ] {
        let kept = send(&ops, vec![vec![series(METER, first, &vec![1_000; count])]]).await?;
        ensure!(kept.new_count == i64::try_from(count)?, "{kept:?}");
        let days = usage(&ops, METER, from, until, false).await?.days;
        let all = i32::try_from(count)?;
        ensure!(days.len() == 1 && days[0].interval_count == all && days[0].metered_count == all, "{days:?}");
    }
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_missing_is_estimated_and_gives_way_to_what_is_read() -> Result<()> {
    let stack = TestStack::start_on(day("2027-02-01")).await?;
    let ops = stack.clients(OPERATOR, Role::SiteOps)?;
    create(&ops, "hall-a", meter("UTC", 15)).await?;
    // Two quarter-hours are missing between 1,000 and 1,300; the rest of the day is read.
    let day_one = vec![
        series(METER, "2027-01-05T00:00:00Z", &[1_000]),
        series(METER, "2027-01-05T00:45:00Z", &[1_300; 93]),
    ];
    send(&ops, vec![day_one]).await?;
    let read = async || usage(&ops, METER, "2027-01-05", "2027-01-06", true).await;
    let filled = read().await?;
    let (day, energy) = (&filled.days[0], 1_000 + 93 * 1_300);
    ensure!((day.missing_count, day.estimated_wh, day.energy_wh) == (2, 2_300, energy + 2_300), "{day:?}");
    let basis = |at: usize| (day.intervals[at].energy_wh, day.intervals[at].basis());
    let line = billing::ReadingBasis::Interpolated;
    ensure!((basis(1), basis(2)) == ((1_100, line), (1_200, line)), "{:?}", &day.intervals[..4]);

    // A week later nothing is read at all: as a week before, estimates of estimates aside.
    let like = usage(&ops, METER, "2027-01-12", "2027-01-13", true).await?;
    let alike: Vec<_> = like.days[0].intervals[..4].iter().map(|i| (i.energy_wh, i.basis())).collect();
    let (like, assumed) = (billing::ReadingBasis::LikeDays, billing::ReadingBasis::Assumed);
    ensure!(alike == [(1_000, like), (2_000_000, assumed), (2_000_000, assumed), (1_300, like)], "{alike:?}");

    // The sender's own estimate comes, then what was measured.
    let estimate =
        billing::ReadingSeries { estimated: true, ..series(METER, "2027-01-05T00:15:00Z", &[1_111, 1_222]) };
    send(&ops, vec![vec![estimate]]).await?;
    let supplied = read().await?;
    let day = &supplied.days[0];
    ensure!((day.missing_count, day.supplied_estimate_count, day.estimated_wh) == (0, 2, 2_333), "{day:?}");
    let measured =
        billing::ReadingSeries { revision: 1, ..series(METER, "2027-01-05T00:15:00Z", &[900, 950]) };
    let corrected = send(&ops, vec![vec![measured]]).await?;
    ensure!(corrected.corrected_count == 2, "{corrected:?}");
    let actual = usage(&ops, METER, "2027-01-05", "2027-01-06", false).await?;
    let day = &actual.days[0];
    ensure!((day.metered_count, day.estimated_wh, day.energy_wh) == (96, 0, energy + 1_850), "{day:?}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn every_revision_is_kept_and_the_highest_counts() -> Result<()> {
    let stack = TestStack::start_on(day("2027-02-01")).await?;
    let ops = stack.clients(OPERATOR, Role::SiteOps)?;
    create(&ops, "hall-a", meter("UTC", 15)).await?;
    let said = |revision, energy| billing::ReadingSeries {
        revision,
        ..series(METER, "2027-01-05T00:00:00Z", &[energy])
    };
    let (mut counts, mut refused) = (Vec::new(), Vec::new());
    for (revision, energy) in [(1, 110), (0, 100), (1, 110), (3, 130), (2, 120), (3, 999), (2, 121), (0, 100)]
    {
        let c = send(&ops, vec![vec![said(revision, energy)]]).await?;
        counts.push([
            c.new_count,
            c.corrected_count,
            c.superseded_count,
            c.duplicate_count,
            c.conflict_count,
        ]);
        refused.extend(c.conflicts.iter().map(|conflict| (conflict.kept_wh, conflict.refused_wh)));
    }
    ensure!(refused == [(130, 999), (120, 121)], "{refused:?}");
    let (new, corrected, superseded, duplicate, conflict) =
        ([1, 0, 0, 0, 0], [0, 1, 0, 0, 0], [0, 0, 1, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 0, 1]);
    let wanted = [new, superseded, duplicate, corrected, superseded, conflict, conflict, duplicate];
    ensure!(counts == wanted, "{counts:?}");
    let instant = |text: &str| Some(runtime::wire::to_timestamp(text.parse().expect("an instant")));
    let list = billing::ListReadingsRequest {
        parent: METER.to_owned(),
        start_time: instant("2027-01-05T00:00:00Z"),
        end_time: instant("2027-01-05T00:15:00Z"),
        include_superseded: true,
        ..Default::default()
    };
    let listed = ops.meters().list_readings(list).await?.into_inner().readings;
    let kept: Vec<_> = listed.iter().map(|r| (r.revision, r.energy_wh, r.superseded, r.batch)).collect();
    ensure!(
        kept == [(0, 100, true, 2), (1, 110, true, 1), (2, 120, true, 4), (3, 130, false, 3)],
        "{kept:?}"
    );
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_tenant_sees_its_own_meters_only() -> Result<()> {
    let stack = TestStack::start_on(day("2027-02-01")).await?;
    let ops = stack.clients(OPERATOR, Role::SiteOps)?;
    create(&ops, "hall-a", meter("UTC", 15)).await?;
    let whole = billing::Meter {
        kind: billing::MeterKind::Utility.into(),
        block: String::new(),
        tenant: String::new(),
        ..meter("UTC", 60)
    };
    create(&ops, "grid", whole).await?;
    send(&ops, vec![vec![series(METER, "2027-01-05T00:00:00Z", &[1_000; 96])]]).await?;
    let names = async |tenant: &str| {
        let list = billing::ListMetersRequest { parent: "operators/-".to_owned(), ..Default::default() };
        let listed = stack.clients(tenant, Role::Tenant)?.meters().list_meters(list).await?.into_inner();
        anyhow::Ok(listed.meters.into_iter().map(|meter| meter.name).collect::<Vec<_>>())
    };
    ensure!(names("tenants/lab").await? == [METER]);
    ensure!(names("tenants/rival").await?.is_empty());
    let lab = stack.clients("tenants/lab", Role::Tenant)?;
    ensure!(usage(&lab, METER, "2027-01-05", "2027-01-06", true).await?.energy_wh == 96_000);
    let rival = stack.clients("tenants/rival", Role::Tenant)?;
    for (clients, name) in [(&rival, METER), (&lab, "operators/acme/meters/grid")] {
        let ask = billing::GetMeterRequest { name: name.to_owned() };
        Refusal::expect(clients.meters().get_meter(ask).await)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    }
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_month_that_is_put_away_takes_no_readings_and_keeps_its_sums() -> Result<()> {
    let stack = TestStack::start_on(day("2027-03-01")).await?;
    let ops = stack.clients(OPERATOR, Role::SiteOps)?;
    create(&ops, "hall-a", meter("UTC", 15)).await?;
    let january = || vec![series(METER, "2027-01-05T00:00:00Z", &[1_000; 96])];
    send(&ops, vec![january(), vec![series(METER, "2027-02-05T00:00:00Z", &[2_000; 96])]]).await?;
    // Partitions are no drift: what they are, the migrations say.
    migrations::check(&stack.database.url()).await?;
    let mut superuser = stack.database.superuser().await?;
    let mut owner = stack.database.superuser().await?;
    let parts = "select count(*) from pg_inherits where inhparent = 'billing.reading'::regclass";
    ensure!(sqlx::query_scalar::<_, i64>(parts).fetch_one(&mut owner).await? == 2, "two months");
    let put_away = "create schema archive authorization gridlease_owner; set role gridlease_owner;
        select billing.put_away_readings('2027-01-01', 'archive')";
    sqlx::raw_sql(put_away).execute(&mut owner).await?;
    let kept = "select count(*) from archive.reading_2027_01";
    ensure!(sqlx::query_scalar::<_, i64>(kept).fetch_one(&mut superuser).await? == 96, "a day is put away");
    migrations::check(&stack.database.url()).await?;

    let refused = Refusal::expect(send(&ops, vec![january()]).await.map(tonic::Response::new))?;
    refused.is(Code::FailedPrecondition, "RESOURCE_ARCHIVED")?;
    let sums = usage(&ops, METER, "2027-01-05", "2027-01-06", false).await?;
    ensure!(sums.energy_wh == 96_000 && sums.missing_count == 0, "{sums:?}");
    ensure!(usage(&ops, METER, "2027-02-05", "2027-02-06", true).await?.energy_wh == 192_000);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_stream_is_of_one_operator_and_a_refused_message_ends_it() -> Result<()> {
    let stack = TestStack::start_on(day("2027-02-01")).await?;
    let ops = stack.clients(OPERATOR, Role::SiteOps)?;
    create(&ops, "hall-a", meter("UTC", 15)).await?;
    let message = |parent: &str, validate_only| billing::IngestReadingsRequest {
        parent: parent.to_owned(),
        series: vec![series(&METER.replace(OPERATOR, parent), "2027-01-05T00:00:00Z", &[1])],
        validate_only,
    };
    let ask = async |messages: Vec<billing::IngestReadingsRequest>| {
        Refusal::expect(ops.meters().ingest_readings(tokio_stream::iter(messages)).await)
    };
    for (other, field) in
        [(message("operators/zenith", false), "parent"), (message(OPERATOR, true), "validate_only")]
    {
        let refused = ask(vec![message(OPERATOR, false), other]).await?;
        ensure!(refused.reason == "INVALID_FIELD" && refused.fields == [field], "{refused:#?}");
    }
    // Nothing of a stream is nothing; and what is only asked leaves nothing behind.
    let nothing = send(&ops, Vec::new()).await?;
    ensure!(nothing == billing::IngestReadingsResponse::default(), "{nothing:?}");
    let tried =
        ops.meters().ingest_readings(tokio_stream::iter([message(OPERATOR, true)])).await?.into_inner();
    ensure!(tried == billing::IngestReadingsResponse::default(), "{tried:?}");
    stack.stop().await;
    Ok(())
}
