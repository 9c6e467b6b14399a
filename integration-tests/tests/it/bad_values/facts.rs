//! Bad changes of operators, archiving what is in use, and bad instants to read as of.

use contracts::google::r#type::Money;
use contracts::inventory::v1 as inventory;
use integration_tests::market::{self, date, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::{FieldMask, Timestamp};
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn update_operator(n: &Names) -> Vec<Case> {
    let operator = inventory::Operator {
        name: n.operator.clone(),
        etag: n.operator_etag.clone(),
        display_name: " ".to_owned(),
        aliases: vec![String::new()],
        ..Default::default()
    };
    let ask = |operator: Option<inventory::Operator>| {
        inventory::UpdateOperatorRequest {
            operator,
            update_mask: Some(FieldMask { paths: vec!["display_name".to_owned(), "aliases".to_owned()] }),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let many = inventory::Operator { aliases: vec!["x".to_owned(); 21], ..operator.clone() };
    vec![
        Case::invalid("no operator", ask(None), &["operator"]),
        Case::invalid("everything", ask(Some(operator)), &["operator.display_name", "operator.aliases[0]"]),
        Case::invalid("too many aliases", ask(Some(many)), &["operator.display_name", "operator.aliases"]),
    ]
}

pub(super) fn archive(method: &str, n: &Names) -> Vec<Case> {
    let (etag, request_id) = (String::new(), request_id());
    let message = match method {
        "ArchiveSite" => {
            inventory::ArchiveSiteRequest { name: n.site.clone(), etag, request_id, validate_only: false }
                .encode_to_vec()
        }
        _ => inventory::ArchiveBlockRequest { name: n.block.clone(), etag, request_id, validate_only: false }
            .encode_to_vec(),
    };
    vec![Case::new("what is in use", message, Code::FailedPrecondition, "RESOURCE_IN_USE", &[])]
}

pub(super) fn read_time(method: &str, n: &Names) -> Vec<Case> {
    let message = |read_time: Timestamp| {
        let read_time = Some(read_time);
        match method {
            "GetOperator" => {
                inventory::GetOperatorRequest { name: n.operator.clone(), read_time }.encode_to_vec()
            }
            "GetSite" => inventory::GetSiteRequest { name: n.site.clone(), read_time }.encode_to_vec(),
            "GetBlock" => inventory::GetBlockRequest { name: n.block.clone(), read_time }.encode_to_vec(),
            _ => inventory::GetReservationRequest { name: n.reservation.clone(), read_time }.encode_to_vec(),
        }
    };
    vec![
        Case::invalid(
            "nanos to read as of",
            message(Timestamp { seconds: 1_900_000_000, nanos: -1 }),
            &["read_time"],
        ),
        Case::invalid(
            "no year to read as of",
            message(Timestamp { seconds: i64::MAX, nanos: 0 }),
            &["read_time"],
        ),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn site(n: &Names) -> Vec<Case> {
    let ask = |site| {
        inventory::CreateSiteRequest {
            parent: n.operator.clone(),
            site_id: "fresh".to_owned(),
            site: Some(site),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let demand =
        |component: i32, percent_of_contracted| inventory::MinimumDemand { component, percent_of_contracted };
    let all_wrong = inventory::Site {
        billing_entity: Some(inventory::BillingEntity {
            country_code: "usa".to_owned(),
            ..Default::default()
        }),
        fibre: Some(inventory::Fibre {
            carriers: vec![" ".to_owned()],
            diverse_path_count: Some(-1),
            provenance: None,
        }),
        backup_generation: Some(inventory::BackupGeneration {
            capacity_kw: Some(-1),
            unit_count: Some(10_001),
            run_time_minutes: Some(-1),
            ..Default::default()
        }),
        gross_to_it: Some(inventory::GrossToIt { gross_kw: 99, critical_it_kw: 100, provenance: None }),
        regulatory_risk: Some(inventory::RegulatoryRisk::default()),
        utility_contracts: vec![inventory::UtilityContract {
            start_date: NO_DAY,
            term_months: Some(601),
            minimum_demands: vec![demand(0, 85), demand(1, 101)],
            collateral_per_mw: Some(Money { currency_code: "USD".to_owned(), units: -1, nanos: 0 }),
            ..Default::default()
        }],
        curtailment_programmes: vec![inventory::CurtailmentProgramme {
            programme_id: "ERS".to_owned(),
            notice_minutes: -1,
            hours_per_year_max: Some(8_785),
            payment: 99,
            ..Default::default()
        }],
        ..market::grid_site(1)
    };
    let twice = inventory::Site {
        utility_contracts: vec![inventory::UtilityContract {
            display_name: "Twice".to_owned(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2027-01-01")),
            minimum_demands: vec![demand(2, 85), demand(2, 60)],
            ..Default::default()
        }],
        curtailment_programmes: vec![
            inventory::CurtailmentProgramme {
                programme_id: "ers".to_owned(),
                display_name: "ERS".to_owned(),
                eligible_kw: 1,
                ..Default::default()
            };
            2
        ],
        ..market::grid_site(1)
    };
    let no_load = inventory::Site {
        gross_to_it: Some(inventory::GrossToIt { gross_kw: 10, critical_it_kw: 0, provenance: None }),
        ..market::grid_site(1)
    };
    vec![
        Case::invalid("a ratio of nothing", ask(no_load), &["site.gross_to_it.critical_it_kw"]),
        Case::invalid(
            "things twice",
            ask(twice),
            &[
                "site.utility_contracts[0].end_date",
                "site.utility_contracts[0].minimum_demands",
                "site.curtailment_programmes",
            ],
        ),
        Case::invalid(
            "every fact",
            ask(all_wrong),
            &[
                "site.billing_entity.legal_name",
                "site.billing_entity.country_code",
                "site.fibre.carriers[0]",
                "site.fibre.diverse_path_count",
                "site.backup_generation.capacity_kw",
                "site.backup_generation.unit_count",
                "site.backup_generation.run_time_minutes",
                "site.gross_to_it.gross_kw",
                "site.regulatory_risk.note",
                "site.utility_contracts[0].display_name",
                "site.utility_contracts[0].start_date",
                "site.utility_contracts[0].term_months",
                "site.utility_contracts[0].minimum_demands[0].component",
                "site.utility_contracts[0].minimum_demands[1].percent_of_contracted",
                "site.utility_contracts[0].collateral_per_mw",
                "site.curtailment_programmes[0].programme_id",
                "site.curtailment_programmes[0].display_name",
                "site.curtailment_programmes[0].notice_minutes",
                "site.curtailment_programmes[0].hours_per_year_max",
                "site.curtailment_programmes[0].payment",
                "site.curtailment_programmes[0].eligible_kw",
            ],
        ),
    ]
}

pub(super) fn block(n: &Names) -> Vec<Case> {
    let ask = |block| {
        inventory::CreateBlockRequest {
            parent: n.site.clone(),
            block_id: "fresh".to_owned(),
            block: Some(block),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let accelerator = |model: &str, watts| Some(inventory::Accelerator { model: model.to_owned(), watts });
    let all_wrong = inventory::Block {
        supply_temperature_decicelsius: Some(1_001),
        design_generation: "x".repeat(101),
        cooling_demarcation: "a\u{7}b".to_owned(),
        accelerator: accelerator("", 0),
        ..market::liquid_block()
    };
    let turnkey = inventory::Block { accelerator: accelerator("GB300", 1_400), ..market::liquid_block() };
    vec![
        Case::invalid("machines of no GPU cloud", ask(turnkey), &["block.accelerator"]),
        Case::invalid(
            "every fact",
            ask(all_wrong),
            &[
                "block.supply_temperature_decicelsius",
                "block.design_generation",
                "block.cooling_demarcation",
                "block.accelerator.model",
                "block.accelerator.watts",
            ],
        ),
    ]
}

pub(super) fn import(n: &Names) -> Vec<Case> {
    use inventory::TableFormat::{Csv, Json};
    let ask = |what, format: inventory::TableFormat, text: String| {
        let request = inventory::ImportInventoryRequest {
            parent: n.operator.clone(),
            format: format.into(),
            text,
            request_id: request_id(),
            validate_only: false,
        };
        Case::invalid(what, request.encode_to_vec(), &["text"])
    };
    let row = "site,x,X,US,UTC\n";
    vec![
        ask("nothing", Csv, String::new()),
        ask("a header alone", Csv, "kind,site\n".to_owned()),
        ask("an unknown column", Csv, "kind,site,colour\nsite,x,red\n".to_owned()),
        ask("a column twice", Csv, "kind,site,site\nsite,x,x\n".to_owned()),
        ask(
            "too many rows",
            Csv,
            format!("kind,site,display_name,country_code,time_zone\n{}", row.repeat(2_001)),
        ),
        ask("too many bytes", Csv, "x".repeat(900_001)),
        ask("no JSON", Json, "kind,site\n".to_owned()),
        ask("no array", Json, "{}".to_owned()),
        ask("no objects", Json, "[1]".to_owned()),
        ask("an empty array", Json, "[]".to_owned()),
    ]
}
