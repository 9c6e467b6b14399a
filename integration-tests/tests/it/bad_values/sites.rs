//! Bad operators, tenants, sites, blocks and phases.

use contracts::common::v1::{CapacityVector, Provenance};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, decimal, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn organisation(method: &str) -> Vec<Case> {
    let message = |id: &str, display_name: Option<String>| match method {
        "CreateOperator" => inventory::CreateOperatorRequest {
            operator_id: id.to_owned(),
            operator: display_name
                .map(|display_name| inventory::Operator { display_name, ..Default::default() }),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec(),
        _ => leasing::CreateTenantRequest {
            tenant_id: id.to_owned(),
            tenant: display_name.map(|display_name| leasing::Tenant { display_name, ..Default::default() }),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec(),
    };
    let (id, resource, taken) = if method == "CreateOperator" {
        ("operator_id", "operator", "acme")
    } else {
        ("tenant_id", "tenant", "lab")
    };
    let name = format!("{resource}.display_name");
    let text = |text: &str| Some(text.to_owned());
    vec![
        Case::invalid("nothing of it", message("", None), &[id, resource]),
        Case::invalid("an id with capitals", message("Acme", text("Acme")), &[id]),
        Case::invalid("an id too long", message(&"a".repeat(64), text("Acme")), &[id]),
        Case::invalid("a blank name", message("fresh", text("  ")), &[&name]),
        Case::invalid("a long name", message("fresh", Some("x".repeat(201))), &[&name]),
        Case::invalid("a name of control", message("-fresh", text("a\u{7}b")), &[id, &name]),
        Case::new("a taken id", message(taken, text("Again")), Code::AlreadyExists, "NAME_TAKEN", &[]),
    ]
}

#[expect(clippy::too_many_lines, reason = "a table")]
pub(super) fn site(method: &str, n: &Names) -> Vec<Case> {
    let all_wrong = inventory::Site {
        display_name: String::new(),
        country_code: "usa".to_owned(),
        time_zone: "Mars/Olympus".to_owned(),
        latitude_e7: Some(900_000_001),
        longitude_e7: Some(-1_800_000_001),
        interconnection: Some(inventory::Interconnection {
            status: 99,
            as_of_date: NO_DAY,
            ..Default::default()
        }),
        grid_steps: vec![
            inventory::GridStep {
                from_date: None,
                contracted_kw: Some(-1),
                energised_kw: Some(i64::MAX),
                interim_kw: Some(-1),
            },
            inventory::GridStep { from_date: NO_DAY, ..Default::default() },
            inventory::GridStep {
                from_date: Some(date("2030-01-01")),
                contracted_kw: Some(10),
                energised_kw: None,
                interim_kw: Some(11),
            },
        ],
        reported_leased_it_kw: Some(-5),
        provenance: Some(Provenance { confidence: 99, ..Default::default() }),
        ..Default::default()
    };
    if method == "UpdateSite" {
        let ask = |mut site: inventory::Site, paths: &[&str]| {
            site.name.clone_from(&n.site);
            site.etag.clone_from(&n.site_etag);
            inventory::UpdateSiteRequest {
                site: Some(site),
                update_mask: Some(prost_types::FieldMask {
                    paths: paths.iter().map(ToString::to_string).collect(),
                }),
                request_id: request_id(),
                validate_only: false,
            }
            .encode_to_vec()
        };
        let masked = ["country_code", "latitude_e7", "reported_leased_it_kw"];
        let fields = ["site.country_code", "site.latitude_e7", "site.reported_leased_it_kw"];
        let mask = |what, paths: &[&str]| {
            let message = ask(all_wrong.clone(), paths);
            Case::new(what, message, Code::InvalidArgument, "INVALID_FIELD_MASK", &["update_mask"])
        };
        return vec![
            Case::invalid("what the mask names", ask(all_wrong.clone(), &masked), &fields),
            mask("an empty mask", &[]),
            mask("the zone, which never changes", &["time_zone"]),
        ];
    }
    let ask = |site_id: &str, site: Option<inventory::Site>| {
        inventory::CreateSiteRequest {
            parent: n.operator.clone(),
            site_id: site_id.to_owned(),
            site,
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let falling = inventory::Site {
        grid_steps: ["2027-01-01", "2026-01-01"]
            .map(|from| inventory::GridStep { from_date: Some(date(from)), ..Default::default() })
            .to_vec(),
        ..market::grid_site(1)
    };
    vec![
        Case::invalid("no site", ask("fresh", None), &["site"]),
        Case::invalid("falling steps", ask("fresh", Some(falling)), &["site.grid_steps"]),
        Case::invalid(
            "everything",
            ask("No", Some(all_wrong)),
            &[
                "site_id",
                "site.display_name",
                "site.country_code",
                "site.time_zone",
                "site.latitude_e7",
                "site.longitude_e7",
                "site.interconnection.status",
                "site.interconnection.as_of_date",
                "site.grid_steps[0].from_date",
                "site.grid_steps[0].contracted_kw",
                "site.grid_steps[0].energised_kw",
                "site.grid_steps[0].interim_kw",
                "site.grid_steps[1].from_date",
                "site.grid_steps[2].interim_kw",
                "site.reported_leased_it_kw",
                "site.provenance.confidence",
            ],
        ),
        Case::new(
            "a taken id",
            ask("rockdale", Some(market::grid_site(1))),
            Code::AlreadyExists,
            "NAME_TAKEN",
            &[],
        ),
    ]
}

pub(super) fn block(n: &Names) -> Vec<Case> {
    let ask = |block_id: &str, block: Option<inventory::Block>| {
        inventory::CreateBlockRequest {
            parent: n.site.clone(),
            block_id: block_id.to_owned(),
            block,
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let rated = |rate: &str, currency: &str| inventory::Block {
        rate_per_kw_month: decimal(rate),
        currency_code: currency.to_owned(),
        ..market::liquid_block()
    };
    let all_wrong = inventory::Block {
        display_name: "x".repeat(201),
        cooling_kinds: vec![0, 99],
        redundancy: 99,
        max_kw_per_rack: -1,
        lease_type: -1,
        rate_per_kw_month: decimal("1e5"),
        currency_code: "DOLLAR".to_owned(),
        ..Default::default()
    };
    let taken = Some(market::liquid_block());
    vec![
        Case::invalid("no block", ask("fresh", None), &["block"]),
        Case::invalid(
            "everything",
            ask("a_b", Some(all_wrong)),
            &[
                "block_id",
                "block.display_name",
                "block.cooling_kinds[0]",
                "block.cooling_kinds[1]",
                "block.redundancy",
                "block.max_kw_per_rack",
                "block.lease_type",
                "block.rate_per_kw_month",
                "block.currency_code",
            ],
        ),
        Case::invalid(
            "a negative rate",
            ask("fresh", Some(rated("-1", "USD"))),
            &["block.rate_per_kw_month"],
        ),
        Case::invalid(
            "a rate that is none",
            ask("fresh", Some(rated("NaN", "USD"))),
            &["block.rate_per_kw_month"],
        ),
        Case::invalid(
            "a rate too fine",
            ask("fresh", Some(rated("0.00000000001", "USD"))),
            &["block.rate_per_kw_month"],
        ),
        Case::invalid("a rate of no currency", ask("fresh", Some(rated("1", ""))), &["block.currency_code"]),
        Case::new("a taken id", ask("hall-0000", taken), Code::AlreadyExists, "NAME_TAKEN", &[]),
    ]
}

pub(super) fn phase(n: &Names) -> Vec<Case> {
    let ask = |phase_id: &str, phase: Option<inventory::Phase>| {
        inventory::CreatePhaseRequest {
            parent: n.block.clone(),
            phase_id: phase_id.to_owned(),
            phase,
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let good = || market::phase(market::hall(1_000), "2028-01-01");
    let all_wrong = inventory::Phase {
        capacity: Some(CapacityVector {
            critical_it_kw: -1,
            immersion_cooling_kw: i64::MAX,
            ..market::hall(1)
        }),
        gross_kw: -7,
        ready_for_service_date: NO_DAY,
        date_basis: 0,
        ..Default::default()
    };
    let reversed = inventory::Phase { end_date: Some(date("2028-01-01")), ..good() };
    let vast = inventory::Phase { gross_kw: 9_999_000, ..good() };
    let mined = inventory::Phase {
        gross_kw: 999,
        interim_gross_kw: 10,
        conversion_start_date: Some(date("2028-01-01")),
        ..good()
    };
    vec![
        Case::invalid("no phase", ask("fresh", None), &["phase"]),
        Case::invalid(
            "everything",
            ask("", Some(all_wrong)),
            &[
                "phase_id",
                "phase.capacity.critical_it_kw",
                "phase.capacity.immersion_cooling_kw",
                "phase.gross_kw",
                "phase.ready_for_service_date",
                "phase.date_basis",
            ],
        ),
        Case::invalid(
            "no capacity",
            ask("fresh", Some(inventory::Phase { capacity: None, ..good() })),
            &["phase.capacity"],
        ),
        Case::invalid("an end that is the start", ask("fresh", Some(reversed)), &["phase.end_date"]),
        Case::invalid(
            "a mine that contradicts itself",
            ask("fresh", Some(mined)),
            &["phase.gross_kw", "phase.interim_gross_kw", "phase.conversion_start_date"],
        ),
        Case::new(
            "more than the grid gives",
            ask("fresh", Some(vast)),
            Code::FailedPrecondition,
            "SITE_POWER_EXCEEDED",
            &[],
        ),
        Case::new("a taken id", ask("one", Some(good())), Code::AlreadyExists, "NAME_TAKEN", &[]),
    ]
}
