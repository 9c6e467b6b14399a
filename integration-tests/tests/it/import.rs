//! Tables in and out: what is exported imports into another operator and is exported alike; every wrong row is told,
//! and nothing is half imported.

use std::fmt::Write as _;

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::{Confidence, Provenance};
use contracts::google::r#type::Money;
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use gridlease::market::Market;
use integration_tests::market::{self, date, request_id};
use integration_tests::{Refusal, TestStack, tables};
use inventory::TableFormat::{self, Csv, Json};
use kernel::Role;
use tonic::Code;

fn ask(parent: &str, format: TableFormat, text: &str) -> inventory::ImportInventoryRequest {
    inventory::ImportInventoryRequest {
        parent: parent.to_owned(),
        format: format.into(),
        text: text.to_owned(),
        request_id: request_id(),
        validate_only: false,
    }
}

async fn import(
    who: &Clients,
    parent: &str,
    format: TableFormat,
    text: &str,
) -> Result<inventory::ImportInventoryResponse> {
    Ok(who.imports().import_inventory(ask(parent, format, text)).await?.into_inner())
}

/// Every page, each with its header.
async fn export(who: &Clients, parent: &str, format: TableFormat, page_size: i32) -> Result<Vec<String>> {
    let mut pages = Vec::new();
    let mut page_token = String::new();
    loop {
        let request = inventory::ExportInventoryRequest {
            parent: parent.to_owned(),
            format: format.into(),
            page_size,
            page_token,
        };
        let page = who.imports().export_inventory(request).await?.into_inner();
        pages.push(page.text);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return Ok(pages);
        }
    }
}

/// An operator without sites.
async fn operator(stack: &TestStack, id: &str) -> Result<String> {
    let create = inventory::CreateOperatorRequest {
        operator_id: id.to_owned(),
        operator: Some(inventory::Operator { display_name: id.to_owned(), ..Default::default() }),
        request_id: request_id(),
        validate_only: false,
    };
    stack.clients("platform", Role::PlatformAdmin)?.sites().create_operator(create).await?;
    Ok(format!("operators/{id}"))
}

/// A site with every fact.
fn whole_site() -> inventory::Site {
    let source = || {
        Some(Provenance {
            source: "a filing, \"quoted\"; with | and\u{e9}".to_owned(),
            as_of_date: Some(contracts::google::r#type::Date { year: 2026, month: 6, day: 0 }),
            confidence: Confidence::Medium.into(),
        })
    };
    inventory::Site {
        aliases: vec!["Whinstone".to_owned(), "Old Mill".to_owned()],
        latitude_e7: Some(306_550_000),
        longitude_e7: Some(-970_010_000),
        interconnection: Some(inventory::Interconnection {
            status: inventory::InterconnectionStatus::Energised.into(),
            source: "ERCOT".to_owned(),
            as_of_date: Some(date("2026-05-31")),
        }),
        reported_leased_it_kw: Some(0),
        current_use: "mining, \"mixed\"".to_owned(),
        provenance: source(),
        grid_steps: vec![
            inventory::GridStep {
                from_date: Some(date("2020-01-01")),
                contracted_kw: Some(50_000),
                energised_kw: None,
                interim_kw: None,
            },
            inventory::GridStep {
                from_date: Some(date("2030-01-01")),
                contracted_kw: None,
                energised_kw: Some(7),
                interim_kw: None,
            },
        ],
        gross_to_it: Some(inventory::GrossToIt { gross_kw: 10, critical_it_kw: 7, provenance: source() }),
        billing_entity: Some(inventory::BillingEntity { legal_name: "LLC".to_owned(), ..Default::default() }),
        fibre: Some(inventory::Fibre { diverse_path_count: Some(2), ..Default::default() }),
        utility_contracts: vec![inventory::UtilityContract {
            display_name: "AEP Ohio DCT".to_owned(),
            start_date: Some(date("2026-01-01")),
            term_months: Some(144),
            minimum_demands: vec![inventory::MinimumDemand {
                component: inventory::DemandComponent::All.into(),
                percent_of_contracted: 85,
            }],
            collateral_per_mw: Some(Money { currency_code: "USD".to_owned(), units: 1_500_000, nanos: 0 }),
            provenance: source(),
            ..Default::default()
        }],
        curtailment_programmes: vec![inventory::CurtailmentProgramme {
            programme_id: "ers".to_owned(),
            display_name: "ERCOT ERS".to_owned(),
            notice_minutes: 10,
            payment: inventory::CurtailmentPayment::Energy.into(),
            eligible_kw: 9_000,
            ..Default::default()
        }],
        ..market::grid_site(1)
    }
}

/// A site with every fact, a hall of machines and phases of every kind.
async fn fill(ops: &Clients, parent: &str) -> Result<()> {
    let create = inventory::CreateSiteRequest {
        parent: parent.to_owned(),
        site_id: "rockdale".to_owned(),
        site: Some(whole_site()),
        request_id: request_id(),
        validate_only: false,
    };
    let site = ops.sites().create_site(create).await?.into_inner().site.context("a site")?.name;
    let block = inventory::Block {
        lease_type: inventory::LeaseType::GpuCloud.into(),
        redundancy: inventory::Redundancy::TwoNPlus1.into(),
        max_kw_per_rack: 140,
        rate_per_kw_month: market::decimal("128.0156677674"),
        currency_code: "USD".to_owned(),
        supply_temperature_decicelsius: Some(325),
        design_generation: "Vera Rubin".to_owned(),
        accelerator: Some(inventory::Accelerator { model: "GB300".to_owned(), watts: 1_400 }),
        ..market::liquid_block()
    };
    let create = |id: &str, block| inventory::CreateBlockRequest {
        parent: site.clone(),
        block_id: id.to_owned(),
        block: Some(block),
        request_id: request_id(),
        validate_only: false,
    };
    ops.sites().create_block(create("hall-a", block)).await?;
    ops.sites().create_block(create("hall-b", market::liquid_block())).await?;
    let stated = inventory::Phase {
        gross_kw: 1_500,
        end_date: Some(date("2040-01-01")),
        ..market::phase(market::hall(1_000), "2027-06-15")
    };
    let mined = inventory::Phase {
        interim_use: inventory::InterimUse::Mining.into(),
        interim_gross_kw: 2_000,
        interim_start_date: Some(date("2024-03-01")),
        conversion_start_date: Some(date("2027-01-31")),
        wind_down_notice_days: 60,
        ..market::phase(market::hall(1_000), "2027-09-01")
    };
    // Its load follows from its power, its interim use begins on the day on which it is said, and lasts until it is ready.
    let assumed = inventory::Phase {
        capacity: Some(contracts::common::v1::CapacityVector { air_cooling_kw: 70, ..Default::default() }),
        gross_kw: 100,
        interim_use: inventory::InterimUse::Idle.into(),
        interim_gross_kw: 90,
        ..market::phase(market::hall(1_000), "2033-01-01")
    };
    let first = market::phase(market::hall(1_000), market::READY);
    for (id, phase) in [("one", first), ("two", stated), ("three", mined), ("four", assumed)] {
        let create = inventory::CreatePhaseRequest {
            parent: format!("{site}/blocks/hall-a"),
            phase_id: id.to_owned(),
            phase: Some(phase),
            request_id: request_id(),
            validate_only: false,
        };
        ops.sites().create_phase(create).await?;
    }
    Ok(())
}

#[tokio::test]
async fn what_is_exported_imports_elsewhere_and_is_exported_alike() -> Result<()> {
    let stack = TestStack::start().await?;
    let acme = operator(&stack, "acme").await?;
    let ops = stack.clients(&acme, Role::SiteOps)?;
    fill(&ops, &acme).await?;
    for (id, format) in [("from-csv", Csv), ("from-json", Json)] {
        let table = export(&ops, &acme, format, 0).await?.pop().context("a page")?;
        let other = operator(&stack, id).await?;
        let there = stack.clients(&other, Role::OperatorAdmin)?;
        let request = ask(&other, format, &table);
        let done = there.imports().import_inventory(request.clone()).await?.into_inner();
        ensure!(done.problems.is_empty(), "{id}: {done:#?}\n{table}");
        ensure!((done.site_count, done.block_count, done.phase_count) == (1, 2, 4), "{done:#?}");
        ensure!(there.imports().import_inventory(request).await?.into_inner() == done, "a repetition");
        for format in [Csv, Json] {
            let (one, two) =
                (export(&ops, &acme, format, 0).await?, export(&there, &other, format, 0).await?);
            ensure!(one == two, "{id}:\n{one:#?}\n{two:#?}");
        }
    }
    // Strangers, and those who only lease, have no table.
    market::tenant(|organisation, role| stack.clients(organisation, role), "lab").await?;
    let request =
        inventory::ExportInventoryRequest { parent: acme, format: Csv.into(), ..Default::default() };
    let stranger = stack.clients("operators/from-csv", Role::Auditor)?;
    Refusal::expect(stranger.imports().export_inventory(request).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    stack.stop().await;
    Ok(())
}

/// Rows that are wrong in their own form, but for the first.
const MALFORMED: &str = "\
kind,site,block,phase,display_name,country_code,time_zone,latitude_e7,from_date,contracted_kw,critical_it_kw,ready_for_service_date,date_basis,redundancy,more
site,good,,,Good,US,UTC,,,,,,,,
site,Bad Id,,,,usa,Mars,north,,,,,,,
site,good,,,Again,US,UTC,,,,,,,,
grid_step,good,,,,,,,2027-13-01,-5,,,,,
grid_step,nowhere,,,,,,,2027-01-01,5,,,,,
block,good,hall,,Hall,,,,,,,,,MANY,
block,good,hall-2,,Hall,,,,,,,,,,\"{\"\"accelerator\"\":{\"\"model\"\":\"\"X\"\",\"\"watts\"\":0}}\"
block,good,hall-3,,Hall,,,,,,,,,,\"{\"\"colour\"\":1}\"
phase,good,hall,one,,,,,,,0,soon,MAYBE,,
river,good,,,,,,,,,,,,,
site,short,,,Short
site,filled,hall,,Filled,US,UTC,,,,,,,,
";

/// Rows that are well-formed, and in the way of what is there or of each other.
const IN_THE_WAY: &str = "\
kind,site,block,phase,display_name,country_code,time_zone,from_date,contracted_kw,critical_it_kw,liquid_cooling_kw,ready_for_service_date,date_basis
site,fresh,,,Fresh,US,UTC,,,,,,
grid_step,fresh,,,,,,2026-01-01,1000,,,,
site,rockdale,,,Taken,US,UTC,,,,,,
block,fresh,hall,,Hall,,,,,,,,
block,rockdale,hall-a,,Taken,,,,,,,,
block,nowhere,hall,,Lost,,,,,,,,
phase,fresh,hall,one,,,,,,600,600,2027-01-01,FORECAST
phase,fresh,hall,two,,,,,,600,600,2027-01-01,FORECAST
phase,rockdale,hall-a,one,,,,,,1,1,2027-01-01,ACTUAL
phase,rockdale,hall-z,one,,,,,,1,1,2027-01-01,ACTUAL
";

/// Phases whose figures contradict each other.
const CROOKED: &str = "\
kind,site,block,phase,critical_it_kw,ready_for_service_date,date_basis,interim_use,interim_gross_kw,conversion_start_date,wind_down_notice_days
phase,rockdale,hall-a,crooked-a,100,2027-06-01,FORECAST,MINING,,2027-06-01,
phase,rockdale,hall-a,crooked-b,100,2027-06-01,FORECAST,DIGGING,5,,
phase,rockdale,hall-a,crooked-c,100,2027-06-01,FORECAST,MINING,5,,-1
";

/// An interim use that has ended, and nobody says when it began.
const ENDED: &str = "\
kind,site,block,phase,critical_it_kw,ready_for_service_date,date_basis,interim_use,interim_gross_kw,conversion_start_date
phase,rockdale,hall-a,crooked-a,100,2027-06-01,FORECAST,IDLE,5,2026-01-01
";

/// Rows and columns as they are told.
fn at(list: &[(i32, &str)]) -> Vec<(i32, String)> {
    list.iter().map(|(row, column)| (*row, (*column).to_owned())).collect()
}

#[tokio::test]
async fn every_wrong_row_is_told_and_nothing_is_half_imported() -> Result<()> {
    let stack = TestStack::start().await?;
    let acme = operator(&stack, "acme").await?;
    let ops = stack.clients(&acme, Role::SiteOps)?;
    fill(&ops, &acme).await?;
    let mut superuser = stack.database.superuser().await?;
    let before = tables::read(&mut superuser).await?;
    let told = async |format, text: &str| -> Result<Vec<(i32, String)>> {
        let done = import(&ops, &acme, format, text).await?;
        ensure!((done.site_count, done.block_count, done.phase_count) == (0, 0, 0), "{done:#?}");
        ensure!(done.problems.iter().all(|problem| !problem.message.is_empty()), "{done:#?}");
        Ok(done.problems.into_iter().map(|problem| (problem.row, problem.column)).collect())
    };
    let expected = at(&[
        (2, "site"),
        (2, "latitude_e7"),
        (2, "time_zone"),
        (2, "display_name"),
        (2, "country_code"),
        (3, "site"),
        (4, "from_date"),
        (4, "contracted_kw"),
        (5, "site"),
        (6, "redundancy"),
        (7, "more"),
        (8, "more"),
        (9, "ready_for_service_date"),
        (9, "date_basis"),
        (10, "kind"),
        (11, ""),
        (11, "time_zone"),
        (11, "country_code"),
        (12, "block"),
    ]);
    let (mut found, mut expected_sorted) = (told(Csv, MALFORMED).await?, expected);
    found.sort();
    expected_sorted.sort();
    ensure!(found == expected_sorted, "{found:#?}");

    let json = r#"[{"kind": "site", "site": "one", "display_name": "One", "country_code": "US", "time_zone": "UTC", "colour": 1},
        {"kind": "phase", "site": "one", "block": "hall", "phase": "one", "critical_it_kw": "many"}]"#;
    let found = told(Json, json).await?;
    ensure!(
        found.contains(&(1, String::new())) && found.contains(&(2, "critical_it_kw".to_owned())),
        "{found:#?}"
    );

    // Well-formed, and in the way of what is there, or of each other.
    let expected =
        at(&[(3, "site"), (5, "block"), (6, "site"), (8, "gross_kw"), (9, "phase"), (10, "block")]);
    let found = told(Csv, IN_THE_WAY).await?;
    ensure!(found == expected, "{found:#?}");

    // What contradicts itself, or comes too late, is told under its own column.
    let mut found = told(Csv, CROOKED).await?;
    found.sort();
    let expected = [
        (1, "conversion_start_date"),
        (1, "interim_gross_kw"),
        (2, "interim_gross_kw"),
        (2, "interim_use"),
        (3, "wind_down_notice_days"),
    ];
    ensure!(found == at(&expected), "{found:#?}");
    ensure!(told(Csv, ENDED).await? == at(&[(1, "interim_start_date")]));

    let good = "kind,site,display_name,country_code,time_zone\nsite,fresh,Fresh,US,UTC\n";
    let only_asked = inventory::ImportInventoryRequest { validate_only: true, ..ask(&acme, Csv, good) };
    let done = ops.imports().import_inventory(only_asked).await?.into_inner();
    ensure!(done.site_count == 1 && done.problems.is_empty(), "{done:#?}");
    let mut changed = tables::changed(&before, &tables::read(&mut superuser).await?);
    // The other services may still be taking in what was there before.
    changed.retain(|table| table.starts_with("inventory."));
    ensure!(changed.is_empty(), "something was half imported: {changed:?}");
    let done = import(&ops, &acme, Csv, good).await?;
    ensure!(done.site_count == 1, "{done:#?}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_command_takes_a_file_in_parts_and_writes_it_again() -> Result<()> {
    use gridlease::tables::{Export, Import, Server};
    let stack = TestStack::start().await?;
    let acme = operator(&stack, "acme").await?;
    let folder = tempfile::tempdir()?;
    let (csv, json) = (folder.path().join("in.csv"), folder.path().join("out.json"));
    let server = || -> Result<Server> {
        Ok(Server {
            inventory: format!("http://{}", stack.stack().addresses().inventory),
            token: stack.token(&acme, Role::SiteOps)?,
            operator: "acme".parse()?,
        })
    };
    let import = async |text: &str, check| -> Result<bool> {
        std::fs::write(&csv, text)?;
        let code =
            gridlease::tables::import(Import { file: csv.clone(), format: None, check, server: server()? });
        Ok(code.await? == std::process::ExitCode::SUCCESS)
    };
    let mut table = String::from("kind,site,display_name,country_code,time_zone,from_date,contracted_kw\n");
    for site in 0..700 {
        writeln!(table, "site,s-{site:03},Site {site},US,UTC,,")?;
    }
    for site in 0..700 {
        for year in [2027, 2028] {
            writeln!(table, "grid_step,s-{site:03},,,,{year}-01-01,{year}")?;
        }
    }
    let broken = table.replace("2028-01-01,2028\n", "2028-01-01,-1\n");
    ensure!(!import(&broken, false).await?, "a wrong row in a later part stops the first one too");
    let ops = stack.clients(&acme, Role::SiteOps)?;
    let list =
        || inventory::ListSitesRequest { parent: acme.clone(), page_size: 1_000, ..Default::default() };
    ensure!(ops.sites().list_sites(list()).await?.into_inner().sites.is_empty(), "nothing was created");
    ensure!(import(&table, true).await?, "it would do");
    ensure!(ops.sites().list_sites(list()).await?.into_inner().sites.is_empty(), "it was only checked");
    ensure!(import(&table, false).await?, "it does");
    ensure!(ops.sites().list_sites(list()).await?.into_inner().sites.len() == 700);
    gridlease::tables::export(Export { output: Some(json.clone()), format: None, server: server()? }).await?;
    let rows: Vec<serde_json::Value> = serde_json::from_str(&std::fs::read_to_string(&json)?)?;
    ensure!(
        rows.len() == 2_100 && rows[0]["kind"] == "site" && rows[1]["contracted_kw"] == 2027,
        "{:?}",
        rows.first()
    );
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn the_real_market_fits_into_one_table() -> Result<()> {
    let stack = TestStack::start().await?;
    let (one, other) = (operator(&stack, "everybody").await?, operator(&stack, "again").await?);
    let sites = Market::load()?.sites;
    let mut table = String::from(
        "kind,site,display_name,country_code,time_zone,grid_iso,latitude_e7,longitude_e7,provenance_source,\
         from_date,contracted_kw,energised_kw\n",
    );
    let quoted = |text: &str| format!("\"{}\"", text.replace('"', "\"\""));
    let number = |kw: Option<i64>| kw.map(|kw| kw.to_string()).unwrap_or_default();
    for site in &sites {
        let place = site.place.map_or_else(|| ",".to_owned(), |(lat, lon)| format!("{lat},{lon}"));
        writeln!(
            table,
            "site,{},{},{},{},{},{place},{},,,",
            site.id,
            quoted(&site.name),
            site.country,
            site.time_zone,
            quoted(&site.grid_iso),
            quoted(&site.source)
        )?;
        let from = site.grid_from.unwrap_or(site.as_of);
        let (contracted, energised) = (number(site.contracted_kw), number(site.energised_kw));
        writeln!(table, "grid_step,{},,,,,,,,{from},{contracted},{energised}", site.id)?;
    }
    let ops = stack.clients(&one, Role::SiteOps)?;
    let done = import(&ops, &one, Csv, &table).await?;
    ensure!(done.problems.is_empty() && done.site_count == 75, "{done:#?}");
    let whole = export(&ops, &one, Csv, 1_000).await?;
    ensure!(whole.len() == 1, "all in one page");
    // In pages: each is a table of its own, and together they are the same.
    let there = stack.clients(&other, Role::SiteOps)?;
    let pages = export(&ops, &one, Json, 20).await?;
    ensure!(pages.len() == 4, "{} pages", pages.len());
    for page in &pages {
        let done = import(&there, &other, Json, page).await?;
        ensure!(done.problems.is_empty(), "{done:#?}");
    }
    ensure!(export(&there, &other, Csv, 1_000).await? == whole, "the same table");
    stack.stop().await;
    Ok(())
}
