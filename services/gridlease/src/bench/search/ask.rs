//! The questions: the same in memory and through gRPC, and the bookings that they must soon know.

use std::collections::HashSet;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use contracts::common::v1 as common;
use contracts::inventory::v1 as wire;
use inventory::domain::index::Index;
use inventory::domain::search::{Filter, Need, Span, Split};
use kernel::{CapacityVector, CivilDate, Currency, Interval, Rate, Zone};
use runtime::client::channel;
use tokio::time::Instant;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use super::super::load::Random;
use super::{Size, Spread, nanos};
use crate::clients::Clients;

const TOP: usize = 50;
/// Longest wait for an index, and for a booking to show.
const LOADED_AT_MOST: Duration = Duration::from_secs(600);
const VISIBLE_AT_MOST: Duration = Duration::from_secs(10);
/// The zones of sites, by the parity of their numbers.
const ZONES: [&str; 2] = ["America/Chicago", "America/New_York"];
const ISOS: [&str; 5] = ["ERCOT", "SPP", "NYISO", "PJM", "SERC"];

/// A question: how much, from when, how long, and where or at most for how much.
struct Asked {
    it_kw: i64,
    from: CivilDate,
    months: i32,
    iso: Option<&'static str>,
    max_rate: Option<u32>,
}

impl Asked {
    /// One to sixty megawatts, from some month of three years on, for one to fifteen years.
    fn any(random: &mut Random) -> Self {
        let pick = |random: &mut Random, count: usize| i32::try_from(random.below(count)).unwrap_or(0);
        let (year, month) = (2027 + pick(random, 3), 1 + pick(random, 12).unsigned_abs());
        Self {
            it_kw: 1_000 * (1 + i64::from(pick(random, 60))),
            from: CivilDate::from_ymd_opt(year, month, 1).unwrap_or_default(),
            months: 12 * (1 + pick(random, 15)),
            iso: (random.below(2) == 0).then(|| ISOS[random.below(ISOS.len())]),
            max_rate: (random.below(4) == 0).then(|| 95 + pick(random, 40).unsigned_abs()),
        }
    }

    fn need(&self) -> Need {
        let liquid = self.it_kw * 85 / 100;
        let capacity = CapacityVector::new(self.it_kw, self.it_kw - liquid, liquid, 0);
        let until = kernel::time::add_months(self.from, 12);
        Need { capacity: capacity.unwrap_or_default(), from: self.from, until, months: self.months }
    }

    fn filter(&self) -> anyhow::Result<Filter> {
        let rate = |rate: u32| anyhow::Ok((rate.to_string().parse::<Rate>()?, Currency::USD));
        Ok(Filter {
            grid_isos: self.iso.iter().map(ToString::to_string).collect(),
            max_rate: self.max_rate.map(rate).transpose()?,
            ..Filter::default()
        })
    }

    fn request(&self) -> wire::SearchCapacityRequest {
        let rate = self.max_rate.map(|rate| contracts::google::r#type::Decimal { value: rate.to_string() });
        wire::SearchCapacityRequest {
            critical_it_kw: self.it_kw,
            liquid_share_percent: 85,
            start_from_date: date(self.from),
            term_months: self.months,
            grid_isos: self.iso.iter().map(ToString::to_string).collect(),
            currency_code: rate.as_ref().map(|_| "USD".to_owned()).unwrap_or_default(),
            max_rate_per_kw_month: rate,
            ..Default::default()
        }
    }
}

/// Searches and changes an index.
pub(super) fn in_memory(index: &mut Index, often: usize, size: &mut Size) -> anyhow::Result<()> {
    let mut random = Random(1);
    let (mut core, mut nothing, mut split) = (Vec::new(), Vec::new(), Vec::new());
    let mut blocks = Vec::new();
    for _ in 0..often {
        let asked = Asked::any(&mut random);
        let (need, filter) = (asked.need(), asked.filter()?);
        let began = Instant::now();
        let found = index.ask(None, &filter, need).free_and_dated(TOP);
        core.push(nanos(began));
        blocks.extend(found.into_iter().map(|free| free.block).take(1));
    }
    for _ in 0..(often / 20).max(10) {
        let mut asked = Asked::any(&mut random);
        asked.it_kw = 200_000;
        let (need, filter) = (asked.need(), asked.filter()?);
        let began = Instant::now();
        let question = index.ask(None, &filter, need);
        let (found, near) = (question.free_and_dated(TOP), question.near_misses());
        nothing.push(nanos(began));
        ensure!(found.is_empty() && near.earliest.is_none(), "no block has so much");
        let began = Instant::now();
        let spread = Split { parts_max: 4, span: Span::Site };
        std::hint::black_box(index.ask(None, &filter, need).combinations(spread, TOP));
        split.push(nanos(began));
    }
    let year = |year: i32| CivilDate::from_ymd_opt(year, 1, 1).map(|day| Zone::UTC.start_of_day(day));
    let interval = Interval::new(year(2028).context("a day")?, year(2033).context("a day")?)?;
    let load = CapacityVector::new(10, 2, 8, 0).unwrap_or_default();
    let mut change = Vec::new();
    for block in blocks.iter().cycle().take(often) {
        let began = Instant::now();
        index.change(block, &[(interval, load)], &[]);
        change.push(nanos(began));
    }
    size.core = Spread::of(core);
    size.core_nothing = Spread::of(nothing);
    size.core_split = Spread::of(split);
    size.change = Spread::of(change);
    Ok(())
}

/// Waits until the service is ready, which it is once its index is loaded.
pub(super) async fn until_ready(address: std::net::SocketAddr) -> anyhow::Result<()> {
    let end = Instant::now() + LOADED_AT_MOST;
    let mut health = HealthClient::new(channel(&format!("http://{address}"))?);
    loop {
        let asked = health.check(HealthCheckRequest { service: String::new() }).await;
        if asked.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving) {
            return Ok(());
        }
        ensure!(Instant::now() < end, "the index was not loaded in time");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

fn date(day: CivilDate) -> Option<contracts::google::r#type::Date> {
    Some(runtime::wire::to_date(day))
}

/// Empty calls and searches, in turns.
pub(super) async fn calls(
    platform: &Clients,
    tenant: &Clients,
    often: usize,
    size: &mut Size,
) -> anyhow::Result<()> {
    let (mut clock, mut capacity) = (platform.clock(), tenant.capacity());
    let mut random = Random(1);
    let (mut empty, mut search) = (Vec::new(), Vec::new());
    for turn in 0..often + often / 10 {
        let request = Asked::any(&mut random).request();
        let began = Instant::now();
        clock.get_time(common::GetTimeRequest {}).await.context("an empty call")?;
        let empty_ns = nanos(began);
        let began = Instant::now();
        capacity.search_capacity(request).await.context("a search")?;
        let search_ns = nanos(began);
        // The first tenth warms the connection up.
        if turn >= often / 10 {
            empty.push(empty_ns);
            search.push(search_ns);
        }
    }
    size.empty_call = Spread::of(empty);
    size.call = Spread::of(search);
    Ok(())
}

/// Takes all that is free of a block and asks until search knows it.
pub(super) async fn bookings(tenant: &Clients, often: usize, size: &mut Size) -> anyhow::Result<()> {
    let (mut capacity, mut desk) = (tenant.capacity(), tenant.reservations());
    let mut random = Random(2);
    let mut visible = Vec::new();
    // A block once: what was released of it a moment ago may not show yet, and then more is free than search said.
    let mut booked_once = HashSet::new();
    for _ in 0..10 * often {
        if visible.len() == often {
            break;
        }
        let asked = Asked { iso: None, max_rate: None, it_kw: 1_000, ..Asked::any(&mut random) };
        let next_day = asked.from.succ_opt().context("a day")?;
        let number = random.below(size.blocks / 50).min(19);
        let site = format!("operators/bench-{number:02}/sites/site-{number}");
        let zone: Zone = ZONES[number % ZONES.len()].parse()?;
        let window =
            wire::SearchCapacityRequest { site, start_until_date: date(next_day), ..asked.request() };
        let found = capacity.search_capacity(window.clone()).await?.into_inner();
        let mut free = found.free_and_dated.into_iter();
        let Some(free) = free.find(|free| booked_once.insert(free.block.clone())) else { continue };
        let kw = free.capacity.unwrap_or_default();
        let all = common::CapacityVector {
            air_cooling_kw: 0,
            critical_it_kw: kw.critical_it_kw.min(kw.liquid_cooling_kw),
            ..kw
        };
        let question = wire::SearchCapacityRequest {
            critical_it_kw: 0,
            liquid_share_percent: 0,
            capacity: Some(all),
            ..window
        };
        let placed = desk.place_hold(hold(&free.block, zone, &asked, all)?).await.context("a booking")?;
        let booked = Instant::now();
        loop {
            let answer = capacity.search_capacity(question.clone()).await?.into_inner();
            if answer.free_and_dated.iter().all(|other| other.block != free.block) {
                break;
            }
            ensure!(booked.elapsed() < VISIBLE_AT_MOST, "a booking did not show");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        visible.push(nanos(booked));
        // A tenant may have so many holds open and no more.
        let release = wire::ReleaseReservationRequest {
            name: placed.into_inner().reservation.unwrap_or_default().name,
            request_id: kernel::Ids::next(&kernel::SystemIds).to_string(),
            ..Default::default()
        };
        desk.release_reservation(release).await.context("a release")?;
    }
    size.visible = Spread::of(visible);
    Ok(())
}

/// A hold over the whole term, in the zone of the site: what was the least of the term is nothing then.
fn hold(
    block: &str,
    zone: Zone,
    asked: &Asked,
    load: common::CapacityVector,
) -> anyhow::Result<wire::PlaceHoldRequest> {
    let day = |date: CivilDate| Some(runtime::wire::to_timestamp(zone.start_of_day(date)));
    let end = kernel::time::add_months(asked.from, asked.months).context("an end")?;
    let steps = vec![common::CapacityStep { start_time: day(asked.from), capacity: Some(load) }];
    let parent: Vec<&str> = block.split('/').take(2).collect();
    Ok(wire::PlaceHoldRequest {
        parent: parent.join("/"),
        kind: wire::ReservationKind::Hold.into(),
        claims: vec![wire::Claim {
            block: block.to_owned(),
            profile: Some(common::CapacityProfile { steps, end_time: day(end) }),
        }],
        hold_duration: Some(prost_types::Duration { seconds: 86_400, nanos: 0 }),
        request_id: kernel::Ids::next(&kernel::SystemIds).to_string(),
        ..Default::default()
    })
}
