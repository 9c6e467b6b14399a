//! The last signature against the end of the hold, many times within a few milliseconds of it: a lease is in force on
//! committed capacity, or it has lapsed and its capacity is free, and never anything between.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::leasing::v1 as leasing;
use futures::{StreamExt as _, TryStreamExt as _};
use integration_tests::market;
use integration_tests::{Refusal, TestStack, eventually};
use kernel::Role;
use sqlx::{PgConnection, Row as _};

use crate::sagas::{answered, is_open};

/// Leases that run at once to their ends.
const HEAT: usize = 50;
/// Races in all; `RACES` says otherwise.
const RACES: usize = 50;
/// A signature sent within so much of the moment at which half of them are in time is a race.
const CLOSE_US: i64 = 5_000;
/// The first heat finds out how long before the end a signature must be sent to be in time: each runner so much earlier.
const SCOUT_US: i64 = 10_000;
/// Least and most time between two ends.
const APART_US: (i64, i64) = (15_000, 150_000);

/// A lease that waits for its last signature, and the end of its hold, in microseconds of the test's own clock.
struct Runner {
    lease: leasing::Lease,
    ends_at: i64,
}

#[expect(clippy::disallowed_methods, reason = "a race is run against the machine's clock")]
fn now_us() -> i64 {
    std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .ok()
        .and_then(|since| i64::try_from(since.as_micros()).ok())
        .unwrap_or(0)
}

/// The superuser moves the ends of these holds: one after the other, from a moment on, a few milliseconds apart. Clock of
/// the database and of the test are those of one machine.
async fn move_ends(
    superuser: &mut PgConnection,
    leases: &[leasing::Lease],
    apart_us: i64,
) -> Result<Vec<i64>> {
    let ids: Vec<uuid::Uuid> = leases
        .iter()
        .map(|lease| lease.reservation.rsplit('/').next().unwrap_or_default().parse())
        .collect::<Result<_, _>>()?;
    let start = now_us() + 400_000;
    let ends: Vec<i64> = (0..).zip(&ids).map(|(place, _)| start + place * apart_us).collect();
    let reservations = "update inventory.reservation r set hold_until = to_timestamp(e.us / 1000000.0)
        from unnest($1::uuid[], $2::bigint[]) as e (id, us) where r.reservation_id = e.id";
    // Each claim at a version of its own, raised as every writer of claims raises it, or nobody would look.
    let claims = "with mine as (
            select c.ctid as place, c.block_id, e.us, row_number() over (partition by c.block_id) as n,
                   count(*) over (partition by c.block_id) as of
            from inventory.claim c join unnest($1::uuid[], $2::bigint[]) as e (id, us) on c.reservation_id = e.id),
        raised as (
            update inventory.block_version v set version = v.version + m.of
            from (select distinct block_id, of from mine) m where v.block_id = m.block_id
            returning v.block_id, v.version)
        update inventory.claim c
            set hold_until = to_timestamp(m.us / 1000000.0), version = raised.version - m.of + m.n
            from mine m join raised using (block_id) where c.ctid = m.place";
    for sql in [reservations, claims] {
        let done = sqlx::query(sql).bind(&ids).bind(&ends).execute(&mut *superuser).await?;
        ensure!(done.rows_affected() == u64::try_from(ids.len())?, "not every hold was moved");
    }
    Ok(ends)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_signature_at_the_last_moment_is_in_force_or_nothing() -> Result<()> {
    let races = std::env::var("RACES").ok().and_then(|text| text.parse().ok()).unwrap_or(RACES);
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "acme", &vec![market::hall(100_000); HEAT]).await?;
    let tenant = market::tenant(clients, "lab").await?;
    let admin = stack.clients(&site.operator, Role::OperatorAdmin)?;
    let tenants = stack.clients(&tenant, Role::Tenant)?;
    let mut superuser = stack.database.superuser().await?;
    let mut tally = BTreeMap::<String, usize>::new();
    let (mut close, mut heat, mut lead, mut apart) = (0, 0, 0, APART_US.1);
    while close < races {
        heat += 1;
        ensure!(heat < races, "only {close} of {} were close", heat * HEAT);
        let runners = gather(&site, &tenant, [&admin, &tenants], &mut superuser, (heat, apart)).await?;
        let mut field = tokio::task::JoinSet::new();
        for (place, runner) in (0_i64..).zip(runners) {
            let admin = admin.clone();
            // Earlier and later in turn, by up to three milliseconds.
            let offset = if heat == 1 { -place * SCOUT_US } else { (place % 13) * 500 - 3_000 - lead };
            field.spawn(async move { finish(admin, runner, offset).await });
        }
        let (mut ahead, mut near, mut took) = (0_i64, 0, Vec::new());
        while let Some(result) = field.join_next().await {
            let (word, off, answered_in) = result.context("somebody fell over")??;
            took.push(answered_in);
            ahead += if word == "EFFECTIVE" { 1 } else { -1 };
            *tally.entry(word).or_default() += 1;
            near += usize::from((off + lead).abs() <= CLOSE_US);
        }
        let all = i64::try_from(HEAT)?;
        took.sort_unstable();
        // What it takes to get there is another on every machine. The next heat is sent nearer to where the two sides are
        // even, and a heat that went all one way was no race.
        if heat == 1 {
            lead = (all - ahead) / 2 * SCOUT_US + SCOUT_US / 2;
            // So far apart that none waits for another.
            apart = took[took.len() / 2].clamp(APART_US.0, APART_US.1);
            continue;
        }
        close += if ahead.abs() < all { near } else { 0 };
        lead -= lead * ahead / (2 * all);
    }
    audit(&mut superuser).await?;
    ensure!(stack.database.oversold().await? == 0, "oversold");
    let strange: Vec<_> = tally
        .keys()
        .filter(|word| !["EFFECTIVE", "LAPSED", "HOLD_EXPIRED"].contains(&word.as_str()))
        .collect();
    ensure!(strange.is_empty(), "nobody may be told {strange:?}: {tally:?}");
    ensure!(tally.contains_key("EFFECTIVE") && tally.len() > 1, "it was no race: {tally:?}");
    println!("{close} races within 5 ms of {lead} us before the end, of {}: {tally:?}", heat * HEAT);
    stack.stop().await;
    Ok(())
}

/// Leases of one heat, signed by the tenant, with their holds about to end.
async fn gather(
    site: &market::Site,
    tenant: &str,
    sides: [&gridlease::clients::Clients; 2],
    superuser: &mut PgConnection,
    (heat, apart_us): (usize, i64),
) -> Result<Vec<Runner>> {
    let [admin, tenants] = sides;
    let papers = site.blocks.iter().enumerate().map(|(place, block)| async move {
        let terms = market::terms(block, market::load(1));
        let proposal = market::proposal(&site.operator, tenant, &format!("race-{heat}-{place}"), terms);
        let propose = async || admin.leases().propose_lease(proposal.clone()).await;
        let lease = answered("a proposal", propose).await?.lease.context("a lease")?;
        let first = market::signature(&lease);
        answered("a first signature", async || tenants.leases().sign_lease(first.clone()).await).await?;
        anyhow::Ok(lease)
    });
    let mut leases: Vec<leasing::Lease> =
        futures::stream::iter(papers).buffer_unordered(16).try_collect().await?;
    leases.sort_by(|one, other| one.name.cmp(&other.name));
    // Each has the machine to itself for a moment.
    let ends = move_ends(superuser, &leases, apart_us).await?;
    Ok(leases.into_iter().zip(ends).map(|(lease, ends_at)| Runner { lease, ends_at }).collect())
}

/// Signs at `offset` from the end; what came of it, how far from the end it was sent, and how long the answer took.
async fn finish(
    admin: gridlease::clients::Clients,
    runner: Runner,
    offset: i64,
) -> Result<(String, i64, i64)> {
    let signature = market::signature(&runner.lease);
    let wait = runner.ends_at + offset - now_us();
    tokio::time::sleep(Duration::from_micros(u64::try_from(wait).unwrap_or(0))).await;
    let sent = now_us();
    let mut answer = admin.leases().sign_lease(signature.clone()).await;
    while let Err(status) = &answer
        && is_open(status)
    {
        tokio::time::sleep(Duration::from_millis(100)).await;
        answer = admin.leases().sign_lease(signature.clone()).await;
    }
    let word = match answer {
        Ok(lease) => {
            let lease = lease.into_inner().lease.context("a lease")?;
            lease.state().as_str_name().trim_start_matches("LEASE_STATE_").to_owned()
        }
        Err(status) => Refusal::of(&status)?.reason,
    };
    Ok((word, sent - runner.ends_at, now_us() - sent))
}

/// Exactly one of signed and lapsed, and the capacity goes with it.
async fn audit(superuser: &mut PgConnection) -> Result<()> {
    let sql = "select l.lease_id, l.state, r.state as reserved, count(s.party) as signatures
        from leasing.lease l
        join inventory.reservation r on r.operator_id = l.operator_id and r.reservation_id = l.reservation_id
        left join leasing.signature s on s.operator_id = l.operator_id and s.lease_id = l.lease_id
        group by l.lease_id, l.state, r.state
        having (l.state, r.state, count(s.party)) not in
            (('EFFECTIVE', 'COMMITTED', 2), ('LAPSED', 'EXPIRED', 1), ('LAPSED', 'EXPIRED', 2))";
    let mut left = Vec::new();
    let settled = eventually("every lease is in force on its capacity, or has lapsed", async || {
        let rows = sqlx::query(sql).fetch_all(&mut *superuser).await?;
        left = rows
            .iter()
            .map(|row| {
                (
                    row.get::<String, _>(0),
                    row.get::<String, _>(1),
                    row.get::<String, _>(2),
                    row.get::<i64, _>(3),
                )
            })
            .collect();
        Ok(left.is_empty().then_some(()))
    })
    .await;
    settled.with_context(|| format!("{left:?}"))
}
