//! The deals: proposed by the operator's sales, signed by the tenant and by the operator's administrator.

use anyhow::{Context as _, ensure};
use contracts::common::v1::{CapacityProfile, CapacityStep};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as wire;
use kernel::{CivilDate, Role, Zone};

use super::findings::{LeaseFound, ReservationFound};
use super::progress::stage;
use super::staff::Staff;
use super::wire::{cents, date, days, decimal, request_id, vector};
use crate::market::{Deal, Kind, Market, PlanLine};

/// How long capacity stays held while both sides sign.
const HOLD_DAYS: i64 = 30;
/// A reservation without a lease is held as long as a hold may last.
const LONGEST_HOLD_DAYS: i64 = 60;
/// Net 30: the usual term; no source states one.
const PAYMENT_TERMS_DAYS: i32 = 30;

/// Proposes and signs every priced deal.
pub(super) async fn leases(market: &Market, staff: &Staff) -> anyhow::Result<Vec<LeaseFound>> {
    let deals: Vec<&Deal> = market.deals_of(Kind::Lease).collect();
    let progress = stage("leases: propose, sign, sign", deals.len() * 3);
    let mut found = Vec::new();
    for deal in deals {
        let lease = propose(deal, staff).await.with_context(|| format!("propose {}", deal.id))?;
        progress.step();
        sign(&lease, &staff.tenant(&deal.tenant)?, deal.tenant_name()).await?;
        progress.step();
        let admin = staff.of(&deal.operator, Role::OperatorAdmin)?;
        let lease = sign(&lease, &admin, &deal.lines[0].operator_name).await?;
        progress.step();
        ensure!(
            lease.state() == wire::LeaseState::Effective,
            "{} is {} after both signatures",
            deal.id,
            lease.state().as_str_name()
        );
        found.push(schedule(deal, &lease, staff).await.with_context(|| format!("schedule of {}", deal.id))?);
    }
    Ok(found)
}

async fn propose(deal: &Deal, staff: &Staff) -> anyhow::Result<wire::Lease> {
    let request = wire::ProposeLeaseRequest {
        parent: format!("operators/{}", deal.operator),
        lease_id: deal.lease_id(),
        tenant: format!("tenants/{}", deal.tenant),
        terms: Some(terms(deal)?),
        hold_duration: days(HOLD_DAYS),
        request_id: request_id(),
        validate_only: false,
    };
    let mut client = staff.of(&deal.operator, Role::Sales)?.leases();
    client.propose_lease(request).await?.into_inner().lease.context("ProposeLease answered without the lease")
}

fn terms(deal: &Deal) -> anyhow::Result<wire::LeaseTerms> {
    let first = &deal.lines[0];
    let structure = match first.structure.as_str() {
        "NNN" => wire::LeaseStructure::Nnn,
        "MODIFIED_GROSS" => wire::LeaseStructure::ModifiedGross,
        "GROSS" => wire::LeaseStructure::Gross,
        other => anyhow::bail!("structure `{other}`"),
    };
    let escalator = deal.escalator().map(|percent| wire::Escalator {
        percent: decimal(&percent),
        basis: wire::EscalationBasis::BlockAnniversary.into(),
        fixed_date: None,
    });
    let renewal = first.renewal_count.zip(first.renewal_term_months).map(|(count, months)| {
        Ok::<_, anyhow::Error>(wire::RenewalOption {
            count: i32::try_from(count)?,
            term_months: i32::try_from(months)?,
            notice_months: 0,
            ..Default::default()
        })
    });
    Ok(wire::LeaseTerms {
        currency_code: "USD".to_owned(),
        structure: structure.into(),
        premises: deal.lines.iter().map(premises).collect(),
        escalator,
        billing_frequency: wire::BillingFrequency::Monthly.into(),
        invoice_lead_days: 0,
        payment_terms_days: PAYMENT_TERMS_DAYS,
        term_months: i32::try_from(deal.term_months())?,
        renewal_options: renewal.transpose()?.into_iter().collect(),
        announced_date: date(first.announced_date),
        notes: format!("Assumptions: {}. Source: {}", first.flags.replace('|', ", "), first.source_url),
        ..Default::default()
    })
}

fn block_name(line: &PlanLine) -> String {
    format!("operators/{}/sites/{}/blocks/{}", line.operator, line.site_id, line.block_id)
}

fn premises(line: &PlanLine) -> wire::Premises {
    wire::Premises {
        block: block_name(line),
        quantity_steps: vec![wire::QuantityStep {
            from_date: date(line.start_date),
            capacity: vector(line.critical_it_kw, line.claim_air_kw, line.claim_liquid_kw),
        }],
        commencement_date: date(line.start_date),
        end_date: date(line.end_date()),
        base_rate_per_kw_month: line.rate_per_kw_month.as_ref().and_then(decimal),
        rate_steps: Vec::new(),
    }
}

async fn sign(
    lease: &wire::Lease,
    signer: &crate::clients::Clients,
    company: &str,
) -> anyhow::Result<wire::Lease> {
    let request = wire::SignLeaseRequest {
        name: lease.name.clone(),
        terms_hash: lease.terms_hash.clone(),
        signatory: Some(wire::Signatory {
            name: format!("Authorised signatory of {company}"),
            title: String::new(),
        }),
        // Each side signs the hash it was shown; what changed since would have another hash.
        etag: String::new(),
        request_id: request_id(),
        validate_only: false,
    };
    let answer = signer.leases().sign_lease(request).await.with_context(|| format!("sign {}", lease.name))?;
    answer.into_inner().lease.context("SignLease answered without the lease")
}

async fn schedule(deal: &Deal, lease: &wire::Lease, staff: &Staff) -> anyhow::Result<LeaseFound> {
    let mut client = staff.of(&deal.operator, Role::Finance)?.leases();
    let request = wire::GetRentScheduleRequest { name: lease.name.clone() };
    let schedule = client.get_rent_schedule(request).await?.into_inner();
    let value = lease.value.as_ref().context("a lease without its value")?;
    let total: i64 =
        schedule.lines.iter().map(|line| cents(line.amount.as_ref())).sum::<anyhow::Result<i64>>()?;
    ensure!(
        total == cents(schedule.base_contract_value.as_ref())?
            && total == cents(value.base_contract_value.as_ref())?,
        "{}: the schedule's lines, its total and the lease's value differ",
        deal.id
    );
    let first_rate = schedule.lines.first().and_then(|line| line.rate_per_kw_month.clone());
    let escalates = deal.escalator().is_some();
    Ok(LeaseFound {
        deal: deal.id.clone(),
        lease: lease.name.clone(),
        operator: deal.operator.to_string(),
        tenant: deal.tenant_name().to_owned(),
        site: deal.site.to_string(),
        critical_it_kw: value.critical_it_kw,
        start_date: deal.start_date(),
        term_months: deal.term_months(),
        rate_per_kw_month: first_rate.context("a schedule without lines")?.value,
        escalator_percent: deal.escalator().map(|percent| percent.to_string()),
        year_one_rent_cents: if escalates { Some(cents(value.year_one_rent.as_ref())?) } else { None },
        stated_cents: deal.tcv.context("a lease without a value")?,
        schedule_cents: total,
        schedule_lines: schedule.lines.len(),
        options_cents: deal.options,
        grid_unstated: deal.lines.iter().any(|line| line.has("GRID_UNSTATED")),
        conditional_kw: deal
            .lines
            .iter()
            .filter(|line| line.has("CONDITIONAL"))
            .map(|line| line.critical_it_kw)
            .sum(),
    })
}

/// Holds what is leased without a published price: real capacity, but no lease and no rent.
pub(super) async fn capacity_only(market: &Market, staff: &Staff) -> anyhow::Result<Vec<ReservationFound>> {
    let deals: Vec<&Deal> = market.deals_of(Kind::CapacityOnly).collect();
    let progress = stage("capacity without a price", deals.len());
    let mut found = Vec::new();
    for deal in deals {
        let zone = zone(market, deal)?;
        let claims: Vec<_> =
            deal.lines.iter().map(|line| claim(line, &zone)).collect::<anyhow::Result<_>>()?;
        let request = inventory::PlaceHoldRequest {
            parent: format!("operators/{}", deal.operator),
            tenant: format!("tenants/{}", deal.tenant),
            kind: inventory::ReservationKind::Lease.into(),
            claims,
            hold_duration: days(LONGEST_HOLD_DAYS),
            note: format!(
                "{}: leased according to its source, price not published: no lease, no rent",
                deal.id
            ),
            request_id: request_id(),
            validate_only: false,
        };
        let mut client = staff.of(&deal.operator, Role::Sales)?.reservations();
        let answer = client.place_hold(request).await.with_context(|| format!("hold for {}", deal.id))?;
        let reservation = answer.into_inner().reservation.context("PlaceHold answered without the hold")?;
        found.push(ReservationFound {
            deal: deal.id.clone(),
            reservation: reservation.name,
            operator: deal.operator.to_string(),
            tenant: deal.tenant_name().to_owned(),
            site: deal.site.to_string(),
            critical_it_kw: deal.critical_it_kw(),
            start_date: deal.start_date(),
        });
        progress.step();
    }
    Ok(found)
}

/// The zone that decides the site's days.
pub(super) fn zone(market: &Market, deal: &Deal) -> anyhow::Result<Zone> {
    let site = market.sites.iter().find(|site| site.id == deal.site).context("a deal without its site")?;
    site.time_zone.parse().map_err(|_| anyhow::anyhow!("{}: no such zone", site.time_zone))
}

fn claim(line: &PlanLine, zone: &Zone) -> anyhow::Result<inventory::Claim> {
    let taken = (line.critical_it_kw, line.claim_air_kw, line.claim_liquid_kw);
    claim_on(block_name(line), zone, (line.start_date, line.end_date()), taken)
}

/// A claim of IT, air and liquid kW on a block over civil dates of its site.
pub(super) fn claim_on(
    block: String,
    zone: &Zone,
    (start, end): (CivilDate, CivilDate),
    (it, air, liquid): (i64, i64, i64),
) -> anyhow::Result<inventory::Claim> {
    let stamp = |day: CivilDate| {
        let at = zone.start_of_day(day);
        Some(prost_types::Timestamp { seconds: at.timestamp(), nanos: 0 })
    };
    let step = CapacityStep { start_time: stamp(start), capacity: vector(it, air, liquid) };
    Ok(inventory::Claim { block, profile: Some(CapacityProfile { steps: vec![step], end_time: stamp(end) }) })
}
