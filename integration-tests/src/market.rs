//! A small market to book in: operators with a site, halls and capacity, and tenants; and the requests that use it.

pub use crate::nominations::{nominated, nomination};
use anyhow::{Context as _, Result};
use contracts::billing::v1 as billing;
use contracts::common::v1::{CapacityProfile, CapacityStep, CapacityVector};
use contracts::google::r#type::{Date, Decimal, Money};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::clients::Clients;
use kernel::{CivilDate, Role, Zone};
use uuid::Uuid;

/// The time zone of every site here.
pub const ZONE: &str = "America/Chicago";
/// The day on which halls are ready, unless a test says otherwise.
pub const READY: &str = "2027-01-01";

/// A date from `YYYY-MM-DD`.
pub fn day(text: &str) -> CivilDate {
    text.parse().expect("a date in ISO form")
}

/// A date on the wire.
pub fn date(text: &str) -> Date {
    runtime::wire::to_date(day(text))
}

/// A new request id.
#[expect(clippy::disallowed_methods, reason = "a client makes its own request ids")]
pub fn request_id() -> String {
    Uuid::new_v4().to_string()
}

/// A number on the wire.
pub fn decimal(text: &str) -> Option<Decimal> {
    Some(Decimal { value: text.to_owned() })
}

/// IT load with 85% of its heat in liquid and the rest in air.
pub fn load(it_kw: i64) -> CapacityVector {
    let liquid = it_kw * 85 / 100;
    CapacityVector {
        critical_it_kw: it_kw,
        air_cooling_kw: it_kw - liquid,
        liquid_cooling_kw: liquid,
        ..Default::default()
    }
}

/// What a hall of `it_kw` gives: all of it in liquid, a quarter of it in air.
pub fn hall(it_kw: i64) -> CapacityVector {
    CapacityVector {
        critical_it_kw: it_kw,
        air_cooling_kw: it_kw / 4,
        liquid_cooling_kw: it_kw,
        ..Default::default()
    }
}

/// The same load from one civil date to another, at a site in [`ZONE`].
pub fn profile(capacity: CapacityVector, from: &str, until: &str) -> CapacityProfile {
    let zone: Zone = ZONE.parse().expect("a zone");
    let start = |text| Some(runtime::wire::to_timestamp(zone.start_of_day(day(text))));
    CapacityProfile {
        steps: vec![CapacityStep { start_time: start(from), capacity: Some(capacity) }],
        end_time: start(until),
    }
}

/// One operator's site with halls, through somebody's clients of each role.
#[derive(Clone)]
pub struct Site {
    /// `operators/{operator}`
    pub operator: String,
    /// `operators/{operator}/sites/{site}`
    pub site: String,
    /// Names of the halls, as they were asked for.
    pub blocks: Vec<String>,
}

/// Makes an operator with one site of unbounded grid power and these halls, each ready on [`READY`].
///
/// `clients` gives the clients of an organisation and a role.
pub async fn site(
    clients: impl Fn(&str, Role) -> Result<Clients>,
    operator: &str,
    halls: &[CapacityVector],
) -> Result<Site> {
    let name = format!("operators/{operator}");
    clients("platform", Role::PlatformAdmin)?
        .sites()
        .create_operator(inventory::CreateOperatorRequest {
            operator_id: operator.to_owned(),
            operator: Some(inventory::Operator {
                display_name: format!("Operator {operator}"),
                ..Default::default()
            }),
            request_id: request_id(),
            validate_only: false,
        })
        .await
        .context("create the operator")?;
    let mut sites = clients(&name, Role::SiteOps)?.sites();
    sites
        .create_site(inventory::CreateSiteRequest {
            parent: name.clone(),
            site_id: "rockdale".to_owned(),
            site: Some(grid_site(10_000_000)),
            request_id: request_id(),
            validate_only: false,
        })
        .await
        .context("create the site")?;
    let site = format!("{name}/sites/rockdale");
    let mut blocks = Vec::new();
    for (number, capacity) in halls.iter().enumerate() {
        let block_id = format!("hall-{number:04}");
        let block = format!("{site}/blocks/{block_id}");
        sites
            .create_block(inventory::CreateBlockRequest {
                parent: site.clone(),
                block_id,
                block: Some(liquid_block()),
                request_id: request_id(),
                validate_only: false,
            })
            .await
            .context("create the block")?;
        sites
            .create_phase(inventory::CreatePhaseRequest {
                parent: block.clone(),
                phase_id: "one".to_owned(),
                phase: Some(phase(*capacity, READY)),
                request_id: request_id(),
                validate_only: false,
            })
            .await
            .context("create the phase")?;
        blocks.push(block);
    }
    Ok(Site { operator: name, site, blocks })
}

/// Makes a tenant.
pub async fn tenant(clients: impl Fn(&str, Role) -> Result<Clients>, tenant: &str) -> Result<String> {
    clients("platform", Role::PlatformAdmin)?
        .tenants()
        .create_tenant(leasing::CreateTenantRequest {
            tenant_id: tenant.to_owned(),
            tenant: Some(leasing::Tenant { display_name: format!("Tenant {tenant}"), ..Default::default() }),
            request_id: request_id(),
            validate_only: false,
        })
        .await
        .context("create the tenant")?;
    Ok(format!("tenants/{tenant}"))
}

/// A site whose grid connection carries this much from 2026 on.
pub fn grid_site(contracted_kw: i64) -> inventory::Site {
    inventory::Site {
        display_name: "Rockdale".to_owned(),
        city: "Rockdale".to_owned(),
        state_code: "TX".to_owned(),
        country_code: "US".to_owned(),
        grid_iso: "ERCOT".to_owned(),
        time_zone: ZONE.to_owned(),
        grid_steps: vec![inventory::GridStep {
            from_date: Some(date("2020-01-01")),
            contracted_kw: Some(contracted_kw),
            ..Default::default()
        }],
        ..Default::default()
    }
}

/// A hall with liquid and air cooling.
pub fn liquid_block() -> inventory::Block {
    inventory::Block {
        display_name: "Hall".to_owned(),
        cooling_kinds: vec![inventory::CoolingKind::Air.into(), inventory::CoolingKind::Liquid.into()],
        redundancy: inventory::Redundancy::NPlus1.into(),
        lease_type: inventory::LeaseType::Turnkey.into(),
        ..Default::default()
    }
}

/// Capacity from a forecast day on, its gross power left to the assumption.
pub fn phase(capacity: CapacityVector, ready: &str) -> inventory::Phase {
    inventory::Phase {
        capacity: Some(capacity),
        ready_for_service_date: Some(date(ready)),
        date_basis: inventory::DateBasis::Forecast.into(),
        ..Default::default()
    }
}

/// An outage of power since the beginning of a day, UTC, that lasts.
pub fn outage(since: &str, cause: &str) -> inventory::Incident {
    inventory::Incident {
        kind: inventory::IncidentKind::Power.into(),
        start_time: Some(runtime::wire::to_timestamp(Zone::UTC.start_of_day(day(since)))),
        affected_resources: vec![contracts::common::v1::Resource::CriticalIt.into()],
        all_feeds_down: Some(true),
        cause: cause.to_owned(),
        ..Default::default()
    }
}

/// Two hours in which a site draws a megawatt less.
pub fn curtailment(site: &str) -> inventory::Curtailment {
    let start = Zone::UTC.start_of_day(day("2027-07-01"));
    inventory::Curtailment {
        site: site.to_owned(),
        start_time: Some(runtime::wire::to_timestamp(start)),
        end_time: Some(runtime::wire::to_timestamp(start + chrono::TimeDelta::hours(2))),
        curtailed_kw: 1_000,
        note: "a hot afternoon".to_owned(),
        ..Default::default()
    }
}

/// A quarter-hourly meter of the tenant in the hall, of at most 50 MW, installed on [`READY`].
pub fn meter(names: &crate::world::Names) -> billing::Meter {
    billing::Meter {
        display_name: "Hall one".to_owned(),
        kind: billing::MeterKind::Tenant.into(),
        // The hall's own site, also where the hall is none.
        site: names.block.split("/blocks/").next().unwrap_or_default().to_owned(),
        block: names.block.clone(),
        tenant: names.tenant.clone(),
        time_zone: ZONE.to_owned(),
        interval_minutes: 15,
        max_kw: 50_000,
        assumed_kw: 8_000,
        install_date: Some(date(READY)),
        ..Default::default()
    }
}

/// First readings of a meter from an instant on.
pub fn series(meter: &str, start: &str, energy_wh: &[i64]) -> billing::ReadingSeries {
    let start = start.parse().expect("an instant in RFC 3339");
    billing::ReadingSeries {
        meter: meter.to_owned(),
        start_time: Some(runtime::wire::to_timestamp(start)),
        energy_wh: energy_wh.to_vec(),
        revision: 0,
        estimated: false,
    }
}

/// Planned work that takes `reduction` from one civil date to another, at a site in [`ZONE`].
pub fn window(
    from: &str,
    until: &str,
    reduction: CapacityVector,
    reason: &str,
) -> inventory::MaintenanceWindow {
    let over = profile(reduction, from, until);
    inventory::MaintenanceWindow {
        kind: inventory::MaintenanceKind::Maintenance.into(),
        start_time: over.steps.first().and_then(|step| step.start_time),
        end_time: over.end_time,
        reduction: Some(reduction),
        reason: reason.to_owned(),
        ..Default::default()
    }
}

/// A hold of `capacity` on one block over ten years, for an hour.
pub fn hold(
    operator: &str,
    block: &str,
    tenant: &str,
    capacity: CapacityVector,
) -> inventory::PlaceHoldRequest {
    inventory::PlaceHoldRequest {
        parent: operator.to_owned(),
        tenant: tenant.to_owned(),
        kind: inventory::ReservationKind::Hold.into(),
        claims: vec![inventory::Claim {
            block: block.to_owned(),
            profile: Some(profile(capacity, READY, "2037-01-01")),
        }],
        hold_duration: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
        note: String::new(),
        request_id: request_id(),
        validate_only: false,
    }
}

/// A ten-year triple-net lease of one block at 125 a kW and month, 3% a year.
pub fn terms(block: &str, capacity: CapacityVector) -> leasing::LeaseTerms {
    terms_from(block, capacity, READY)
}

/// As [`terms`], from this day on.
pub fn terms_from(block: &str, capacity: CapacityVector, from: &str) -> leasing::LeaseTerms {
    let end = kernel::time::add_months(day(from), 120).expect("a date");
    leasing::LeaseTerms {
        currency_code: "USD".to_owned(),
        structure: leasing::LeaseStructure::Nnn.into(),
        premises: vec![leasing::Premises {
            block: block.to_owned(),
            quantity_steps: vec![leasing::QuantityStep {
                from_date: Some(date(from)),
                capacity: Some(capacity),
            }],
            commencement_date: Some(date(from)),
            end_date: Some(runtime::wire::to_date(end)),
            base_rate_per_kw_month: decimal("125"),
            rate_steps: Vec::new(),
        }],
        escalator: Some(leasing::Escalator {
            percent: decimal("3"),
            basis: leasing::EscalationBasis::BlockAnniversary.into(),
            fixed_date: None,
        }),
        billing_frequency: leasing::BillingFrequency::Monthly.into(),
        payment_terms_days: 30,
        term_months: 120,
        ..Default::default()
    }
}

/// A proposal of these terms, held for an hour.
pub fn proposal(
    operator: &str,
    tenant: &str,
    lease_id: &str,
    terms: leasing::LeaseTerms,
) -> leasing::ProposeLeaseRequest {
    leasing::ProposeLeaseRequest {
        parent: operator.to_owned(),
        lease_id: lease_id.to_owned(),
        tenant: tenant.to_owned(),
        terms: Some(terms),
        hold_duration: Some(prost_types::Duration { seconds: 3600, nanos: 0 }),
        request_id: request_id(),
        validate_only: false,
    }
}

/// A guaranty of 1.3bn that falls to nothing in ten years from the first rent on, and covers nothing before it.
pub fn backstop() -> leasing::CreditSupport {
    leasing::CreditSupport {
        credit_support_id: "backstop".to_owned(),
        kind: leasing::CreditSupportKind::Guaranty.into(),
        provider: "Google".to_owned(),
        cap: Some(Money { currency_code: "USD".to_owned(), units: 1_300_000_000, nanos: 0 }),
        covers_from: leasing::CreditCoverStart::FirstRent.into(),
        amortisation_months: 120,
        expiry_date: None,
    }
}

/// A running contract of these terms, signed in 2023 and billed here from a day on.
pub fn running(
    operator: &str,
    tenant: &str,
    lease_id: &str,
    terms: leasing::LeaseTerms,
    billed_from: &str,
) -> leasing::ImportLeaseRequest {
    leasing::ImportLeaseRequest {
        parent: operator.to_owned(),
        lease_id: lease_id.to_owned(),
        tenant: tenant.to_owned(),
        terms: Some(terms),
        reference: "MSA-7, order 2".to_owned(),
        signed_date: Some(date("2023-05-06")),
        effective_date: None,
        billed_from_date: Some(date(billed_from)),
        signatory: Some(leasing::Signatory { name: "Ben Ortiz".to_owned(), title: "Director".to_owned() }),
        request_id: request_id(),
        validate_only: false,
    }
}

/// A signature under the terms of this lease.
pub fn signature(lease: &leasing::Lease) -> leasing::SignLeaseRequest {
    leasing::SignLeaseRequest {
        name: lease.name.clone(),
        terms_hash: lease.terms_hash.clone(),
        signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: "Director".to_owned() }),
        etag: String::new(),
        request_id: request_id(),
        validate_only: false,
    }
}
