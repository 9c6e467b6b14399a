//! A market written straight into the tables, by whoever may do everything: sites of fifty blocks, blocks of 20 to 120
//! MW at prices of their own, each with so many leases at random over fifteen years. The same in every run.

use std::ops::Range;

use anyhow::Context as _;
use indicatif::{ProgressBar, ProgressStyle};
use sqlx::{ConnectOptions as _, Connection as _};

use crate::out;

/// Blocks written by one statement.
const STEP: u32 = 500;

const OPERATORS: &str = "insert into inventory.operator \
    select 'bench-' || lpad(o::text, 2, '0'), 1, 'Bench', '[]', now() from generate_series(0, 19) o on conflict do nothing";

const SITES: &str = "insert into inventory.site (operator_id, site_id, version, display_name, aliases, city, \
        state_code, country_code, grid_iso, utility, time_zone, latitude_e7, longitude_e7, interconnection_status, \
        interconnection_source, current_use, figures_source, figures_confidence, created_at, updated_at) \
    select 'bench-' || lpad((s % 20)::text, 2, '0'), 'site-' || s, 1, 'Site', '[]', '', \
        (array['TX', 'ND', 'NY', 'OH', 'GA'])[1 + s % 5], 'US', (array['ERCOT', 'SPP', 'NYISO', 'PJM', 'SERC'])[1 + s % 5], '', \
        (array['America/Chicago', 'America/New_York'])[1 + s % 2], \
        300000000 + abs(hashint8extended(s, 1) % 150000000), -1200000000 + abs(hashint8extended(s, 2) % 450000000), \
        'ENERGISED', '', '', '', 'HIGH', now(), now() \
    from generate_series($1::bigint / 50, ($2::bigint - 1) / 50) s on conflict do nothing";

const BLOCKS: &str = "insert into inventory.block (operator_id, block_id, site_id, block_slug, revision, display_name, \
        cooling_kinds, redundancy, max_kw_per_rack, lease_type, rate_per_kw_month, currency_code, created_at, updated_at) \
    select 'bench-' || lpad((b / 50 % 20)::text, 2, '0'), md5('block ' || b)::uuid, 'site-' || b / 50, 'hall-' || b, 1, 'Hall', \
        '[\"AIR\", \"LIQUID\"]', 'N_PLUS_1', 20 + abs(hashint8extended(b, 3) % 160), 'TURNKEY', \
        90 + abs(hashint8extended(b, 4) % 6000) / 100.0, 'USD', now(), now() \
    from generate_series($1::bigint, $2::bigint - 1) b";

const PHASES: &str = "insert into inventory.phase (operator_id, block_id, phase_id, critical_it_kw, air_cooling_kw, \
        liquid_cooling_kw, immersion_cooling_kw, accelerators, gross_kw, gross_basis, it_basis, use_state, interim_use, \
        interim_gross_kw, wind_down_notice_days, ready_for_service_date, date_basis, ready_dates, start_time, end_time, \
        grid_check, cancel_reason, revision, created_at, updated_at) \
    select b.operator_id, b.block_id, 'one', c.kw, c.kw / 4, c.kw, 0, 0, c.kw * 10 / 7, 'ASSUMED', 'STATED', 'PLANNED', 'NONE', \
        0, 0, r.day, 'FORECAST', \
        jsonb_build_array(jsonb_build_object('date', r.day, 'basis', 'FORECAST', 'recorded_at', now(), 'reason', '')), \
        r.day::timestamptz, '9999-12-31Z', 'UNSTATED', '', 1, now(), now() \
    from generate_series($1::bigint, $2::bigint - 1) n \
    join inventory.block b on b.operator_id = 'bench-' || lpad((n / 50 % 20)::text, 2, '0') and b.block_id = md5('block ' || n)::uuid \
    cross join lateral (select 1000 * (20 + abs(hashint8extended(n, 5) % 100)) as kw) c \
    cross join lateral (select date '2025-01-01' + (abs(hashint8extended(n, 6) % 40) * 30)::integer as day) r";

const VERSIONS: &str = "insert into inventory.block_version (operator_id, block_id, version, added_kw, limit_it_kw, limit_air_kw, \
        limit_liquid_kw, limit_immersion_kw, limit_accelerators, peak_it_kw, peak_air_kw, peak_liquid_kw, \
        peak_immersion_kw, peak_accelerators) \
    select p.operator_id, p.block_id, $3::bigint + 1, 0, p.critical_it_kw, p.air_cooling_kw, p.liquid_cooling_kw, 0, 0, \
        0, 0, 0, 0, 0 \
    from generate_series($1::bigint, $2::bigint - 1) n \
    join inventory.phase p on p.operator_id = 'bench-' || lpad((n / 50 % 20)::text, 2, '0') and p.block_id = md5('block ' || n)::uuid";

/// About a fifth of the leases run at any instant, each of a sixtieth to a thirtieth of the block: it is never full.
const CLAIMS: &str = "insert into inventory.claim (operator_id, block_id, version, reservation_id, tenant_id, kind, state, \
        hold_until, start_time, end_time, critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, \
        accelerators) \
    select p.operator_id, p.block_id, r, md5('lease ' || n || ' ' || r)::uuid, 'bench-tenant', 'LEASE', 'COMMITTED', \
        '2026-01-01Z', t.starts, t.starts + make_interval(days => 200 + abs(hashint8extended(n * 1000003 + r, 8) % 1800)::integer), \
        t.kw, t.kw - t.kw * 85 / 100, t.kw * 85 / 100, 0, 0 \
    from generate_series($1::bigint, $2::bigint - 1) n \
    join inventory.phase p on p.operator_id = 'bench-' || lpad((n / 50 % 20)::text, 2, '0') and p.block_id = md5('block ' || n)::uuid \
    cross join generate_series(1, $3::bigint) r \
    cross join lateral (select \
        p.start_time + make_interval(days => abs(hashint8extended(n * 1000003 + r, 7) % 5000)::integer) as starts, \
        10 * (1 + (p.critical_it_kw / 60 + abs(hashint8extended(n * 1000003 + r, 9) % (p.critical_it_kw / 60))) * 100 \
            / greatest($3::bigint, 100) / 10) as kw) t";

/// Adds these blocks to what is there.
pub(super) async fn fill(url: &str, blocks: Range<u32>, reservations: u32) -> anyhow::Result<()> {
    let options: sqlx::postgres::PgConnectOptions = url.parse()?;
    let mut connection = options.disable_statement_logging().connect().await?;
    let bar = progress(u64::from(blocks.end - blocks.start));
    sqlx::raw_sql(OPERATORS).execute(&mut connection).await.context("write operators")?;
    let mut from = blocks.start;
    while from < blocks.end {
        let until = (from + STEP).min(blocks.end);
        let bounds = (i64::from(from), i64::from(until));
        for statement in [SITES, BLOCKS, PHASES] {
            let query = sqlx::query(statement).bind(bounds.0).bind(bounds.1);
            query.execute(&mut connection).await.context("write sites, blocks and phases")?;
        }
        for statement in [VERSIONS, CLAIMS] {
            let query = sqlx::query(statement).bind(bounds.0).bind(bounds.1).bind(i64::from(reservations));
            query.execute(&mut connection).await.context("write versions and claims")?;
        }
        bar.inc(u64::from(until - from));
        from = until;
    }
    bar.finish_and_clear();
    sqlx::raw_sql("analyze").execute(&mut connection).await.context("analyse the tables")?;
    connection.close().await?;
    Ok(())
}

fn progress(blocks: u64) -> ProgressBar {
    if !out::on_terminal() {
        out::note(format!("writing {blocks} blocks"));
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(blocks);
    if let Ok(style) = ProgressStyle::with_template("writing blocks {bar:30} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}
