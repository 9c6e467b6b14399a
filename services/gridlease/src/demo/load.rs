//! Operators, tenants, sites, blocks and phases: what the operators' staff would enter.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use contracts::common::v1::{Confidence, Provenance};
use contracts::inventory::v1 as wire;
use contracts::leasing::v1::{CreateTenantRequest, Tenant};
use kernel::{CivilDate, Role};

use super::progress::stage;
use super::staff::Staff;
use super::wire::{date, request_id, vector};
use crate::market::{Basis, Kind, Market, PlanLine, Site};

/// First day on which a published grid figure is taken to hold: the sources date the report, not the contract.
const GRID_SINCE: CivilDate = match CivilDate::from_ymd_opt(2020, 1, 1) {
    Some(day) => day,
    None => CivilDate::MIN,
};

/// Enters the organisations and the sites.
pub(super) async fn sites(market: &Market, staff: &Staff) -> anyhow::Result<()> {
    let tenants = market.tenants();
    let progress = stage("operators and tenants", market.operators.len() + tenants.len());
    let platform = staff.platform()?;
    for operator in &market.operators {
        let aliases = operator.names_in_sources.split('|').filter(|name| *name != operator.display_name);
        let request = wire::CreateOperatorRequest {
            operator_id: operator.id.to_string(),
            operator: Some(wire::Operator {
                display_name: operator.display_name.clone(),
                aliases: aliases.map(str::to_owned).collect(),
                ..Default::default()
            }),
            request_id: request_id(),
            validate_only: false,
        };
        platform.sites().create_operator(request).await.map_err(|status| match status.code() {
            tonic::Code::AlreadyExists => {
                anyhow::Error::new(status).context("the database holds a demonstration: use an empty one")
            }
            _ => anyhow::Error::new(status).context(format!("create {}", operator.id)),
        })?;
        progress.step();
    }
    for (tenant, name) in tenants {
        let request = CreateTenantRequest {
            tenant_id: tenant.to_string(),
            tenant: Some(Tenant { display_name: name.to_owned(), ..Default::default() }),
            request_id: request_id(),
            validate_only: false,
        };
        platform.tenants().create_tenant(request).await.with_context(|| format!("create {tenant}"))?;
        progress.step();
    }
    drop(progress);

    let progress = stage("sites", market.sites.len());
    for site in &market.sites {
        let request = wire::CreateSiteRequest {
            parent: format!("operators/{}", site.operator),
            site_id: site.id.to_string(),
            site: Some(of_site(market, site)),
            request_id: request_id(),
            validate_only: false,
        };
        let mut client = staff.of(&site.operator, Role::SiteOps)?.sites();
        client.create_site(request).await.with_context(|| format!("create {}", site.id))?;
        progress.step();
    }
    Ok(())
}

/// The grid figures from the first day on, and what is mined until phases of the plan take its place.
fn grid_steps(market: &Market, site: &Site) -> Vec<wire::GridStep> {
    let from = site.grid_from.unwrap_or(GRID_SINCE);
    let booked = market.deals.iter().filter(|deal| deal.kind != Kind::Refused && deal.site == site.id);
    let phases: Vec<_> =
        booked.flat_map(|deal| &deal.lines).map(|line| (line.start_date, line.gross_kw)).collect();
    let mut steps: Vec<(CivilDate, Option<i64>)> =
        site.mined_steps(from, &phases).into_iter().map(|(day, kw)| (day, Some(kw))).collect();
    if steps.is_empty() && (site.contracted_kw.is_some() || site.energised_kw.is_some()) {
        steps.push((from, None));
    }
    let step = |(day, interim_kw)| wire::GridStep {
        from_date: date(day),
        contracted_kw: site.contracted_kw,
        energised_kw: site.energised_kw,
        interim_kw,
    };
    steps.into_iter().map(step).collect()
}

fn of_site(market: &Market, site: &Site) -> wire::Site {
    let status = match (site.energised_kw, site.contracted_kw) {
        (Some(kw), _) if kw > 0 => wire::InterconnectionStatus::Energised,
        (_, Some(_)) => wire::InterconnectionStatus::Contracted,
        _ => wire::InterconnectionStatus::Unspecified,
    };
    let confidence = match site.confidence.as_str() {
        "A" => Confidence::High,
        "B" => Confidence::Medium,
        "C" => Confidence::Low,
        _ => Confidence::Unspecified,
    };
    wire::Site {
        display_name: site.name.clone(),
        city: site.city.clone(),
        state_code: site.state.clone(),
        country_code: site.country.clone(),
        grid_iso: site.grid_iso.clone(),
        utility: site.utility.clone(),
        time_zone: site.time_zone.clone(),
        latitude_e7: site.place.map(|(latitude, _)| latitude),
        longitude_e7: site.place.map(|(_, longitude)| longitude),
        interconnection: Some(wire::Interconnection {
            status: status.into(),
            source: site.source.clone(),
            as_of_date: date(site.as_of),
        }),
        grid_steps: grid_steps(market, site),
        reported_leased_it_kw: site.reported_leased_it_kw,
        current_use: site.current_use.clone(),
        provenance: Some(Provenance {
            source: site.source.clone(),
            as_of_date: date(site.as_of),
            confidence: confidence.into(),
        }),
        ..Default::default()
    }
}

/// What became of the phases.
pub(super) struct Phases {
    /// Gross kW of the accepted phases by site.
    pub gross_kw: BTreeMap<String, i64>,
    /// The refusals, in words, with the block they were for.
    pub refused: Vec<(PlanLine, tonic::Status)>,
}

/// Enters a block and its phase for every line of the plan; what the grid cannot carry comes back as refused.
pub(super) async fn phases(market: &Market, staff: &Staff, today: CivilDate) -> anyhow::Result<Phases> {
    let lines: Vec<&PlanLine> = market.deals.iter().flat_map(|deal| &deal.lines).collect();
    let progress = stage("blocks and phases", lines.len());
    let mut found = Phases { gross_kw: BTreeMap::new(), refused: Vec::new() };
    for line in lines {
        let mut client = staff.of(&line.operator, Role::SiteOps)?.sites();
        let site = format!("operators/{}/sites/{}", line.operator, line.site_id);
        let request = wire::CreateBlockRequest {
            parent: site.clone(),
            block_id: line.block_id.to_string(),
            block: Some(wire::Block {
                display_name: line.block_id.to_string().to_uppercase(),
                cooling_kinds: vec![wire::CoolingKind::Liquid.into(), wire::CoolingKind::Air.into()],
                ..Default::default()
            }),
            request_id: request_id(),
            validate_only: false,
        };
        client.create_block(request).await.with_context(|| format!("create {}", line.block_id))?;
        match client.create_phase(of_phase(line, &site, today)).await {
            Ok(answer) => {
                let answer = answer.into_inner();
                let phase = answer.phase.context("CreatePhase answered without the phase")?;
                ensure!(
                    phase.gross_kw == line.gross_kw,
                    "{}: the server takes {} kW gross, the plan {}",
                    line.block_id,
                    phase.gross_kw,
                    line.gross_kw
                );
                *found.gross_kw.entry(line.site_id.to_string()).or_default() += phase.gross_kw;
            }
            Err(status) if line.kind == Kind::Refused => found.refused.push((line.clone(), status)),
            Err(status) => return Err(status).with_context(|| format!("phase of {}", line.block_id)),
        }
        progress.step();
    }
    Ok(found)
}

fn of_phase(line: &PlanLine, site: &str, today: CivilDate) -> wire::CreatePhaseRequest {
    let date_basis = match line.start_basis {
        Basis::Assumed => wire::DateBasis::Assumed,
        Basis::Stated if line.start_date <= today => wire::DateBasis::Actual,
        Basis::Stated | Basis::Derived => wire::DateBasis::Forecast,
    };
    // Where the gross power is not stated, 0 asks the server to assume it; its figure is compared with the plan's.
    let gross_kw = if line.gross_basis == Basis::Assumed { 0 } else { line.gross_kw };
    wire::CreatePhaseRequest {
        parent: format!("{site}/blocks/{}", line.block_id),
        phase_id: "phase-1".to_owned(),
        phase: Some(wire::Phase {
            capacity: vector(line.critical_it_kw, line.block_air_kw, line.block_liquid_kw),
            gross_kw,
            ready_for_service_date: date(line.start_date),
            date_basis: date_basis.into(),
            ..Default::default()
        }),
        request_id: request_id(),
        validate_only: false,
    }
}
