//! Figures per operator and per site, each asked of the service that owns it.

use kernel::rent::solve_year_one_rate;
use kernel::{Currency, Money};

use super::ask;
use super::findings::{AssumptionFound, BandFound, GridFound, LeaseFound, NotBookedFound, OperatorFound};
use super::load::Phases;
use super::progress::stage;
use super::staff::Staff;
use crate::market::{Basis, Deal, FLAGS, Kind, Market, Operator};

/// One line per operator that leases.
pub(super) async fn operators(
    market: &Market,
    staff: &Staff,
    leases: &[LeaseFound],
) -> anyhow::Result<Vec<OperatorFound>> {
    let lessors = market.lessors();
    let progress = stage("availability and search", lessors.len());
    let mut found = Vec::new();
    for operator in lessors {
        found.push(one(market, staff, operator, leases).await?);
        progress.step();
    }
    Ok(found)
}

async fn one(
    market: &Market,
    staff: &Staff,
    operator: &Operator,
    leases: &[LeaseFound],
) -> anyhow::Result<OperatorFound> {
    let own: Vec<&LeaseFound> =
        leases.iter().filter(|lease| lease.operator == operator.id.as_str()).collect();
    let mut leased_in_inventory_kw = 0;
    let mut free_kw = 0;
    for line in
        market.deals_of(Kind::Lease).filter(|deal| deal.operator == operator.id).flat_map(|deal| &deal.lines)
    {
        let (leased, free) = ask::availability(line, staff).await?;
        leased_in_inventory_kw += leased;
        free_kw += free;
    }
    let sum = |of: fn(&LeaseFound) -> i64| own.iter().map(|lease| of(lease)).sum::<i64>();
    Ok(OperatorFound {
        operator: operator.id.to_string(),
        name: operator.display_name.clone(),
        leases: own.len(),
        contracted_kw: sum(|lease| lease.critical_it_kw),
        leased_in_inventory_kw,
        free_kw,
        convertible_kw: ask::convertible_kw(&operator.id, staff).await?,
        year_one_rent_cents: sum(|lease| lease.year_one_rent_cents.unwrap_or(0)),
        without_year_one: own.iter().filter(|lease| lease.year_one_rent_cents.is_none()).count(),
        stated_cents: sum(|lease| lease.stated_cents),
        schedule_cents: sum(|lease| lease.schedule_cents),
        options_cents: sum(|lease| lease.options_cents.unwrap_or(0)),
        grid_unstated_kw: sum(|lease| if lease.grid_unstated { lease.critical_it_kw } else { 0 }),
        conditional_kw: sum(|lease| lease.conditional_kw),
    })
}

/// Gross power of the accepted phases beside the grid connection, for every site that has one.
pub(super) fn grid(market: &Market, phases: &Phases) -> Vec<GridFound> {
    market
        .sites
        .iter()
        .filter_map(|site| {
            let gross_kw = *phases.gross_kw.get(site.id.as_str())?;
            Some(GridFound { site: site.id.to_string(), gross_kw, contracted_kw: site.contracted_kw })
        })
        .collect()
}

/// Half of a tenth of a billion dollars: how far a published value may be rounded.
const ROUNDED_BY_CENTS: i64 = 5_000_000_000;

/// The band of year-1 rates of every deal whose rate was solved with an escalator from a rounded value.
pub(super) fn bands(market: &Market) -> anyhow::Result<Vec<BandFound>> {
    let mut found = Vec::new();
    for deal in market.deals_of(Kind::Lease) {
        let stated = deal.lines.iter().all(|line| line.tcv_basis == Some(Basis::Stated));
        let (Some(tcv), Some(percent), true) = (deal.tcv, deal.escalator(), stated) else { continue };
        let rate = |cents| {
            let total = Money::new(cents, Currency::USD);
            let years = deal.term_months() / 12;
            Ok::<_, anyhow::Error>(
                solve_year_one_rate(total, deal.critical_it_kw(), years, percent)?.rounded(2),
            )
        };
        found.push(BandFound {
            deal: deal.id.clone(),
            low: rate(tcv - ROUNDED_BY_CENTS)?,
            high: rate(tcv + ROUNDED_BY_CENTS)?,
        });
    }
    Ok(found)
}

/// Each assumption with the rows that carry it.
pub(super) fn assumptions(market: &Market) -> Vec<AssumptionFound> {
    let booked = || market.deals.iter().filter(|deal| deal.kind != Kind::Refused);
    let found = |flag: &crate::market::Flag| {
        let carries = |deal: &&Deal| flag.everywhere || deal.lines.iter().any(|line| line.has(flag.name));
        let rows: Vec<String> = booked().filter(carries).map(|deal| deal.id.clone()).collect();
        let all = rows.len() == booked().count();
        AssumptionFound {
            flag: flag.name.to_owned(),
            meaning: flag.meaning.to_owned(),
            rows: if all { Vec::new() } else { rows },
        }
    };
    let corrected = market.corrections.iter().map(|correction| AssumptionFound {
        flag: format!("SITE_{}", format!("{:?}", correction.basis).to_uppercase()),
        meaning: format!("{}: {}", correction.column, correction.why),
        rows: vec![correction.site_id.to_string()],
    });
    FLAGS.iter().map(found).chain(corrected).collect()
}

/// The rows that are left out.
pub(super) fn not_booked(market: &Market) -> Vec<NotBookedFound> {
    let found = |row: &crate::market::NotBooked| NotBookedFound {
        deal: row.deal_id.clone(),
        critical_it_kw: row.critical_it_kw,
        reason: row.reason.clone(),
        detail: row.detail.clone(),
    };
    market.not_booked.iter().map(found).collect()
}
