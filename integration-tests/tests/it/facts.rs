//! What is known of sites and blocks: everything reads back as it was said, also as of before, and one by one it changes.

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::{Confidence, Provenance};
use contracts::google::r#type::{Date, Money};
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use tonic::Code;

fn source(text: &str) -> Option<Provenance> {
    Some(Provenance {
        source: text.to_owned(),
        as_of_date: Some(Date { year: 2026, month: 6, day: 0 }),
        confidence: Confidence::High.into(),
    })
}

/// Dominion's tariff for large loads, as published.
fn dominion() -> inventory::UtilityContract {
    use inventory::DemandComponent::{Distribution, Generation, Transmission};
    let demand = |component: inventory::DemandComponent, percent_of_contracted| inventory::MinimumDemand {
        component: component.into(),
        percent_of_contracted,
    };
    inventory::UtilityContract {
        display_name: "Dominion GS-5".to_owned(),
        start_date: Some(date("2027-01-01")),
        term_months: Some(14 * 12),
        minimum_demands: vec![demand(Transmission, 85), demand(Distribution, 85), demand(Generation, 60)],
        collateral_per_mw: Some(Money { currency_code: "USD".to_owned(), units: 1_500_000, nanos: 0 }),
        provenance: source("Dominion Energy Virginia, schedule GS-5"),
        ..Default::default()
    }
}

fn site() -> inventory::Site {
    inventory::Site {
        billing_entity: Some(inventory::BillingEntity {
            legal_name: "River Bend DC, LLC".to_owned(),
            tax_number: "12-3456789".to_owned(),
            address: "1 River Road".to_owned(),
            country_code: "US".to_owned(),
        }),
        fibre: Some(inventory::Fibre {
            carriers: vec!["Zayo".to_owned(), "Lumen".to_owned()],
            diverse_path_count: Some(2),
            provenance: source("site plan"),
        }),
        backup_generation: Some(inventory::BackupGeneration {
            capacity_kw: Some(150_000),
            unit_count: Some(50),
            fuel: "diesel".to_owned(),
            run_time_minutes: Some(2_880),
            provenance: source("permit"),
        }),
        gross_to_it: Some(inventory::GrossToIt {
            gross_kw: 330_000,
            critical_it_kw: 245_000,
            provenance: source("press release"),
        }),
        regulatory_risk: Some(inventory::RegulatoryRisk {
            note: "An audit may delay new interconnections.".to_owned(),
            provenance: source("governor"),
        }),
        utility_contracts: vec![dominion()],
        curtailment_programmes: vec![inventory::CurtailmentProgramme {
            programme_id: "ers".to_owned(),
            display_name: "ERCOT ERS".to_owned(),
            notice_minutes: 10,
            hours_per_year_max: Some(220),
            payment: inventory::CurtailmentPayment::Availability.into(),
            eligible_kw: 99_000,
            penalty: "suspension".to_owned(),
            provenance: source("ERCOT"),
        }],
        ..market::grid_site(330_000)
    }
}

/// What was said, without what only the server says.
fn said(site: &inventory::Site) -> inventory::Site {
    inventory::Site {
        name: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        flow_down_required: false,
        interconnection: None,
        provenance: None,
        ..site.clone()
    }
}

/// Clears one fact.
type Clear = fn(&mut inventory::Site);

async fn get(
    who: &Clients,
    name: &str,
    read_time: Option<prost_types::Timestamp>,
) -> Result<inventory::Site> {
    let get = inventory::GetSiteRequest { name: name.to_owned(), read_time };
    who.sites().get_site(get).await?.into_inner().site.context("a site")
}

async fn change(
    ops: &Clients,
    name: &str,
    path: &str,
    with: impl FnOnce(&mut inventory::Site),
) -> Result<inventory::Site> {
    let mut site = get(ops, name, None).await?;
    with(&mut site);
    let update = inventory::UpdateSiteRequest {
        site: Some(site),
        update_mask: Some(prost_types::FieldMask { paths: vec![path.to_owned()] }),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().update_site(update).await?.into_inner().site.context("a site")
}

#[tokio::test]
async fn what_is_known_of_a_site_reads_back_and_changes_one_by_one() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "acme", &[]).await?;
    let ops = clients(&place.operator, Role::SiteOps)?;
    let create = inventory::CreateSiteRequest {
        parent: place.operator.clone(),
        site_id: "river-bend".to_owned(),
        site: Some(site()),
        request_id: request_id(),
        validate_only: false,
    };
    let first = ops.sites().create_site(create).await?.into_inner().site.context("a site")?;
    ensure!(said(&first) == said(&site()), "{first:#?}");
    ensure!(first.flow_down_required, "a lease must flow the minimum demand down");
    let name = first.name.clone();
    ensure!(get(&ops, &name, None).await? == first, "it reads back");
    let plain = get(&ops, &place.site, None).await?;
    ensure!(!plain.flow_down_required && plain.utility_contracts.is_empty(), "{plain:#?}");

    stack.move_to(day("2026-12-05")).await?;
    let clear: [(&str, Clear); 7] = [
        ("billing_entity", |site| site.billing_entity = None),
        ("fibre", |site| site.fibre = None),
        ("backup_generation", |site| site.backup_generation = None),
        ("gross_to_it", |site| site.gross_to_it = None),
        ("regulatory_risk", |site| site.regulatory_risk = None),
        ("curtailment_programmes", |site| site.curtailment_programmes.clear()),
        ("utility_contracts", |site| site.utility_contracts[0].minimum_demands.clear()),
    ];
    let mut expected = said(&first);
    for (path, clear) in clear {
        clear(&mut expected);
        let changed = change(&ops, &name, path, clear).await?;
        ensure!(said(&changed) == expected, "{path}: {changed:#?}");
    }
    let last = get(&ops, &name, None).await?;
    ensure!(!last.flow_down_required, "a contract without minimum demand binds nobody");
    let lab = market::tenant(clients, "lab").await?;
    for who in [&ops, &clients(&lab, Role::Tenant)?] {
        ensure!(get(who, &name, first.update_time).await? == first, "as it was");
        ensure!(get(who, &name, None).await? == last, "as it is");
    }
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_known_of_a_block_reads_back_and_holds_together() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "acme", &[]).await?;
    let ops = clients(&place.operator, Role::SiteOps)?;
    let block = inventory::Block {
        lease_type: inventory::LeaseType::GpuCloud.into(),
        redundancy: inventory::Redundancy::Distributed.into(),
        max_kw_per_rack: 140,
        supply_temperature_decicelsius: Some(325),
        design_generation: "Vera Rubin".to_owned(),
        cooling_demarcation: "CDU primary flange".to_owned(),
        accelerator: Some(inventory::Accelerator { model: "GB300".to_owned(), watts: 1_400 }),
        ..market::liquid_block()
    };
    let create = inventory::CreateBlockRequest {
        parent: place.site.clone(),
        block_id: "hall".to_owned(),
        block: Some(block.clone()),
        request_id: request_id(),
        validate_only: false,
    };
    let first = ops.sites().create_block(create).await?.into_inner().block.context("a block")?;
    let said = inventory::Block {
        name: String::new(),
        etag: String::new(),
        create_time: None,
        update_time: None,
        ..first.clone()
    };
    ensure!(said == block, "{said:#?}");

    stack.move_to(day("2026-12-05")).await?;
    let update = |block: inventory::Block, paths: &[&str]| inventory::UpdateBlockRequest {
        block: Some(block),
        update_mask: Some(prost_types::FieldMask { paths: paths.iter().map(ToString::to_string).collect() }),
        request_id: request_id(),
        validate_only: false,
    };
    let turnkey = inventory::Block { lease_type: inventory::LeaseType::Turnkey.into(), ..first.clone() };
    let refused = Refusal::expect(ops.sites().update_block(update(turnkey.clone(), &["lease_type"])).await)?;
    let refused = refused.is(Code::InvalidArgument, "INVALID_FIELD")?;
    ensure!(refused.fields == ["block.accelerator"], "its machines would be left over: {refused:#?}");
    let bare = inventory::Block {
        accelerator: None,
        supply_temperature_decicelsius: None,
        redundancy: inventory::Redundancy::TwoNPlus1.into(),
        ..turnkey
    };
    let paths = ["lease_type", "accelerator", "supply_temperature_decicelsius", "redundancy"];
    let second = ops.sites().update_block(update(bare.clone(), &paths)).await?.into_inner().block;
    let second = second.context("a block")?;
    ensure!(
        second == inventory::Block { etag: second.etag.clone(), update_time: second.update_time, ..bare },
        "{second:#?}"
    );
    let lab = market::tenant(clients, "lab").await?;
    let tenant = clients(&lab, Role::Tenant)?;
    let then = inventory::GetBlockRequest { name: first.name.clone(), read_time: first.update_time };
    ensure!(tenant.sites().get_block(then).await?.into_inner().block == Some(first), "as it was");
    stack.stop().await;
    Ok(())
}
