//! Values that are wrong in their own way, RPC by RPC: sites, capacity and holds.

use contracts::billing::v1 as billing;
use contracts::common::v1::{AdvanceTimeRequest, CapacityProfile, CapacityStep, CapacityVector, Provenance};
use contracts::google::r#type::Date;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, decimal, request_id};
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::{Duration, Timestamp};
use tonic::Code;

use crate::bad_input::Case;
use crate::{bad_search, bad_terms};

/// Request ids that are none: absent, no UUID, nil, without hyphens, in braces, with a space.
pub(crate) const REQUEST_IDS: &[&str] = &[
    "",
    "seven",
    "00000000-0000-0000-0000-000000000000",
    "0189f7c26b1e7c3a9d50c5a7b1b2c3d4",
    "{0189f7c2-6b1e-7c3a-9d50-c5a7b1b2c3d4}",
    "0189f7c2-6b1e-7c3a-9d50-c5a7b1b2c3d4 ",
];

/// Resource names that are none of any kind.
pub(crate) const NAMES: &[&str] = &[
    "",
    "nonsense",
    "operators/ACME",
    "operators/a",
    "operators/acme/",
    "/operators/acme",
    "operators/acme/sites/x/y/z/w/v/u/t",
    "operators/acme'; drop table inventory.site; --",
];

/// Requests in which an absent name finds something all the same: (RPC, whose names).
pub(crate) const FINDS_ALL_THE_SAME: &[(&str, &str)] = &[
    // Nothing but the caller's own operator is named.
    ("gridlease.inventory.v1.SiteService/GetOperator", "nothing's"),
    ("gridlease.inventory.v1.SiteService/CreateSite", "nothing's"),
    ("gridlease.inventory.v1.SiteService/ListSites", "nothing's"),
    ("gridlease.inventory.v1.CapacityService/FindEarliestCapacity", "nothing's"),
    ("gridlease.inventory.v1.ReservationService/ListReservations", "nothing's"),
    ("gridlease.inventory.v1.EventService/WatchEvents", "nothing's"),
    ("gridlease.leasing.v1.LeaseService/ListLeases", "nothing's"),
    ("gridlease.leasing.v1.EventService/WatchEvents", "nothing's"),
    ("gridlease.billing.v1.AccountService/ListAccounts", "nothing's"),
    ("gridlease.billing.v1.InvoiceService/StartBillingRun", "nothing's"),
    ("gridlease.billing.v1.InvoiceService/ListBillingRuns", "nothing's"),
    ("gridlease.billing.v1.InvoiceService/ListInvoices", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetTrialBalance", "nothing's"),
    ("gridlease.billing.v1.ReportService/ListLedgerEntries", "nothing's"),
    ("gridlease.billing.v1.EventService/WatchEvents", "nothing's"),
];

/// Enums in resources that only the server sets; what a caller says there is ignored.
pub(crate) const OUTPUT_ONLY: &[&str] = &["phase.gross_basis"];

pub(crate) const NO_DAY: Option<Date> = Some(Date { year: 2027, month: 2, day: 30 });
const HOUR: Option<Duration> = Some(Duration { seconds: 3600, nanos: 0 });

/// The bad values of an RPC.
pub(crate) fn of(rpc: &str, n: &Names) -> Vec<Case> {
    let method = rpc.rsplit('/').next().unwrap_or_default();
    match method {
        "AdvanceTime" => advance_time(),
        "WatchEvents" => watch(n),
        "CreateOperator" | "CreateTenant" => organisation(method),
        "CreateSite" | "UpdateSite" => site(method, n),
        "CreateBlock" => block(n),
        "CreatePhase" => phase(n),
        "SearchCapacity" => [search(), bad_search::search()].into_iter().flatten().collect(),
        "FindEarliestCapacity" => {
            [availability(method, n), bad_search::earliest(&n.operator)].into_iter().flatten().collect()
        }
        "GetAvailability" => availability(method, n),
        "PlaceHold" => place_hold(n),
        "ExtendHold" => extend_hold(n),
        "ListReservations" | "ListLeases" | "ListInvoices" | "ListAccounts" | "ListLedgerEntries" => {
            filters(method, n)
        }
        "ProposeLease" => bad_terms::propose(n),
        "SignLease" | "CancelLease" => bad_terms::sign_and_cancel(method, n),
        "PreviewInvoices" | "StartBillingRun" | "GetTrialBalance" => bad_terms::bills(method, n),
        _ => Vec::new(),
    }
}

/// A date or term that makes sense and is beyond the business.
pub(crate) fn range(what: &str, message: Vec<u8>, field: &str) -> Case {
    Case::new(what, message, Code::InvalidArgument, "TERM_OUT_OF_RANGE", &[field])
}

fn advance_time() -> Vec<Case> {
    let at = |time: Option<Timestamp>| AdvanceTimeRequest { time }.encode_to_vec();
    vec![
        Case::invalid("no time", at(None), &["time"]),
        Case::invalid("back", at(Some(Timestamp { seconds: 1_600_000_000, nanos: 0 })), &["time"]),
        Case::invalid("nanos", at(Some(Timestamp { seconds: 1_900_000_000, nanos: -1 })), &["time"]),
        Case::invalid("no year", at(Some(Timestamp { seconds: i64::MAX, nanos: 0 })), &["time"]),
    ]
}

fn watch(n: &Names) -> Vec<Case> {
    // The three requests are of one form.
    let ask = |after: &str, kinds: Vec<String>| {
        let parent = n.operator.clone();
        inventory::WatchEventsRequest { parent, after_cursor: after.to_owned(), kinds }.encode_to_vec()
    };
    vec![
        Case::invalid("a cursor of nothing", ask("yesterday", Vec::new()), &["after_cursor"]),
        Case::invalid("too many kinds", ask("", vec!["k".to_owned(); 51]), &["kinds"]),
        Case::invalid("everything", ask("?", vec!["k".repeat(101)]), &["after_cursor", "kinds"]),
    ]
}

fn organisation(method: &str) -> Vec<Case> {
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
fn site(method: &str, n: &Names) -> Vec<Case> {
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
            inventory::GridStep { from_date: None, contracted_kw: Some(-1), energised_kw: Some(i64::MAX) },
            inventory::GridStep { from_date: NO_DAY, contracted_kw: None, energised_kw: None },
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
                "site.grid_steps[1].from_date",
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

fn block(n: &Names) -> Vec<Case> {
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

fn phase(n: &Names) -> Vec<Case> {
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

fn search() -> Vec<Case> {
    let good = || inventory::SearchCapacityRequest {
        critical_it_kw: 1_000,
        liquid_share_percent: 85,
        start_from_date: Some(date("2027-01-01")),
        term_months: 120,
        ..Default::default()
    };
    let all_wrong = inventory::SearchCapacityRequest {
        critical_it_kw: -1,
        liquid_share_percent: 101,
        capacity: None,
        start_from_date: NO_DAY,
        start_until_date: NO_DAY,
        term_months: 0,
        operators: vec!["acme".to_owned()],
        site: "rockdale".to_owned(),
        max_rate_per_kw_month: decimal("-1"),
        limit: -1,
        ..Default::default()
    };
    let reversed = inventory::SearchCapacityRequest { start_until_date: Some(date("2027-01-01")), ..good() };
    let both = inventory::SearchCapacityRequest { capacity: Some(market::load(1_000)), ..good() };
    let long = inventory::SearchCapacityRequest { term_months: 601, ..good() };
    let of_nobody =
        inventory::SearchCapacityRequest { operators: vec!["operators/nobody-at-all".to_owned()], ..good() };
    vec![
        Case::invalid("nothing", Vec::new(), &["critical_it_kw", "start_from_date", "term_months"]),
        Case::invalid(
            "everything",
            all_wrong.encode_to_vec(),
            &[
                "critical_it_kw",
                "liquid_share_percent",
                "start_from_date",
                "start_until_date",
                "term_months",
                "operators[0]",
                "site",
                "max_rate_per_kw_month",
                "currency_code",
                "limit",
            ],
        ),
        Case::invalid("a reversed window", reversed.encode_to_vec(), &["start_until_date"]),
        Case::invalid("a need said twice", both.encode_to_vec(), &["critical_it_kw", "liquid_share_percent"]),
        Case::new(
            "a term too long",
            long.encode_to_vec(),
            Code::InvalidArgument,
            "TERM_OUT_OF_RANGE",
            &["term_months"],
        ),
        Case::new("a foreign operator", of_nobody.encode_to_vec(), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}

fn availability(method: &str, n: &Names) -> Vec<Case> {
    if method == "FindEarliestCapacity" {
        let ask = |capacity, term_months, not_before_date| {
            let parent = n.operator.clone();
            inventory::FindEarliestCapacityRequest {
                parent,
                capacity,
                term_months,
                not_before_date,
                ..Default::default()
            }
            .encode_to_vec()
        };
        let need = market::load(1_000);
        let day = Some(date("2027-01-01"));
        return vec![
            Case::invalid(
                "everything",
                ask(None, -1, NO_DAY),
                &["capacity", "term_months", "not_before_date"],
            ),
            Case::invalid(
                "no load",
                ask(Some(CapacityVector::default()), 12, day),
                &["capacity.critical_it_kw"],
            ),
            Case::new(
                "too long",
                ask(Some(need), 601, day),
                Code::InvalidArgument,
                "TERM_OUT_OF_RANGE",
                &["term_months"],
            ),
        ];
    }
    let ask = |start: &str, end: &str| {
        let (start_date, end_date) = (Some(date(start)), Some(date(end)));
        inventory::GetAvailabilityRequest { name: n.block.clone(), start_date, end_date }.encode_to_vec()
    };
    let absurd = inventory::GetAvailabilityRequest {
        name: n.operator.clone(),
        start_date: NO_DAY,
        end_date: Some(Date { year: 12_000, month: 1, day: 1 }),
    };
    vec![
        Case::invalid("everything", absurd.encode_to_vec(), &["name", "start_date", "end_date"]),
        Case::invalid("reversed", ask("2028-01-01", "2027-01-01"), &["end_date"]),
        Case::invalid("empty", ask("2028-01-01", "2028-01-01"), &["end_date"]),
        Case::new(
            "51 years",
            ask("2027-01-01", "2078-01-01"),
            Code::InvalidArgument,
            "TERM_OUT_OF_RANGE",
            &["end_date"],
        ),
    ]
}

fn step(seconds: i64, capacity: CapacityVector) -> CapacityStep {
    CapacityStep { start_time: Some(Timestamp { seconds, nanos: 0 }), capacity: Some(capacity) }
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn place_hold(n: &Names) -> Vec<Case> {
    let (start, end) = (1_800_000_000, Some(Timestamp { seconds: 1_900_000_000, nanos: 0 }));
    let claim = |block: &str, steps: Vec<CapacityStep>, end_time| inventory::Claim {
        block: block.to_owned(),
        profile: Some(CapacityProfile { steps, end_time }),
    };
    let good = || market::hold(&n.operator, &n.free_block, &n.tenant, market::load(1_000));
    let of = |claims: Vec<inventory::Claim>| inventory::PlaceHoldRequest { claims, ..good() }.encode_to_vec();
    let one = |steps: Vec<CapacityStep>| of(vec![claim(&n.free_block, steps, end)]);
    let load = market::load(1_000);
    let warm = CapacityVector { air_cooling_kw: 0, ..load };
    let negative = CapacityVector { critical_it_kw: -5, air_cooling_kw: i64::MIN, ..load };
    let absurd = CapacityVector { liquid_cooling_kw: i64::MAX, ..load };
    let foreign = n.free_block.replace(&n.operator, "operators/zenith");
    let all_wrong = inventory::PlaceHoldRequest {
        parent: "acme".to_owned(),
        tenant: "lab".to_owned(),
        kind: 0,
        claims: vec![claim("hall", Vec::new(), None)],
        hold_duration: Some(Duration { seconds: -1, nanos: 0 }),
        note: "x".repeat(1_001),
        request_id: "again".to_owned(),
        validate_only: false,
    };
    let held_for = |seconds| {
        let hold_duration = Some(Duration { seconds, nanos: 0 });
        inventory::PlaceHoldRequest { hold_duration, ..good() }.encode_to_vec()
    };
    let own_use =
        inventory::PlaceHoldRequest { kind: inventory::ReservationKind::OperatorUse.into(), ..good() };
    let over = |from: &str, until: &str| {
        let profile = Some(market::profile(load, from, until));
        of(vec![inventory::Claim { block: n.free_block.clone(), profile }])
    };
    let (long, late) = (over("2027-01-01", "2078-01-01"), over("2038-02-01", "2039-01-01"));
    let full = market::hold(&n.operator, &n.block, &n.tenant, load).encode_to_vec();
    let profile = "claims[0].profile";
    vec![
        Case::invalid(
            "everything",
            all_wrong.encode_to_vec(),
            &[
                "parent",
                "tenant",
                "kind",
                "claims[0].block",
                "claims[0].profile.steps",
                "hold_duration",
                "note",
                "request_id",
            ],
        ),
        Case::invalid("no claims", of(Vec::new()), &["claims"]),
        Case::invalid(
            "51 claims",
            of(vec![claim(&n.free_block, vec![step(start, load)], end); 51]),
            &["claims"],
        ),
        Case::invalid(
            "a block twice",
            of(vec![claim(&n.free_block, vec![step(start, load)], end); 2]),
            &["claims"],
        ),
        Case::invalid(
            "a foreign block",
            of(vec![claim(&foreign, vec![step(start, load)], end)]),
            &["claims[0].block"],
        ),
        Case::invalid(
            "no profile",
            of(vec![inventory::Claim { block: n.free_block.clone(), profile: None }]),
            &[profile],
        ),
        Case::invalid(
            "an end before the start",
            one(vec![step(1_950_000_000, load)]),
            &["claims[0].profile.end_time"],
        ),
        Case::invalid(
            "falling steps",
            one(vec![step(start, load), step(start, load)]),
            &["claims[0].profile.steps"],
        ),
        Case::invalid(
            "negative",
            one(vec![step(start, negative)]),
            &[
                "claims[0].profile.steps[0].capacity.critical_it_kw",
                "claims[0].profile.steps[0].capacity.air_cooling_kw",
            ],
        ),
        Case::invalid(
            "absurd",
            one(vec![step(start, absurd)]),
            &["claims[0].profile.steps[0].capacity.liquid_cooling_kw"],
        ),
        Case::invalid(
            "heat that nothing carries",
            one(vec![step(start, warm)]),
            &["claims[0].profile.steps[0].capacity"],
        ),
        Case::invalid(
            "nothing claimed",
            one(vec![step(start, CapacityVector::default())]),
            &["claims[0].profile.steps[0].capacity"],
        ),
        Case::invalid("held for 59 seconds", held_for(59), &["hold_duration"]),
        Case::invalid("held for 61 days", held_for(61 * 86_400), &["hold_duration"]),
        Case::invalid("own use for a tenant", own_use.encode_to_vec(), &["tenant"]),
        range("51 years", long, profile),
        range("a start in eleven years", late, profile),
        Case::new("a full hall", full, Code::FailedPrecondition, "CAPACITY_EXHAUSTED", &[]),
    ]
}

fn extend_hold(n: &Names) -> Vec<Case> {
    let ask = |hold_expire_time, minimum_duration| {
        inventory::ExtendHoldRequest {
            name: n.reservation.clone(),
            hold_expire_time,
            minimum_duration,
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
        }
        .encode_to_vec()
    };
    let long_ago = Some(Timestamp { seconds: 1_600_000_000, nanos: 0 });
    let in_ages = Some(Timestamp { seconds: 4_000_000_000, nanos: 0 });
    vec![
        Case::invalid("no end", ask(None, None), &["hold_expire_time"]),
        Case::invalid("two ends", ask(in_ages, HOUR), &["hold_expire_time"]),
        Case::invalid("an end in the past", ask(long_ago, None), &["hold_expire_time"]),
        range("an end too far", ask(in_ages, None), "hold_expire_time"),
        Case::invalid(
            "61 days",
            ask(None, Some(Duration { seconds: 61 * 86_400, nanos: 0 })),
            &["minimum_duration"],
        ),
        Case::invalid("nanos", ask(None, Some(Duration { seconds: 3600, nanos: -1 })), &["minimum_duration"]),
    ]
}

fn filters(method: &str, n: &Names) -> Vec<Case> {
    let (parent, tenant) = (n.operator.clone(), "lab".to_owned());
    let (message, fields): (Vec<u8>, &[&str]) = match method {
        "ListReservations" => (
            inventory::ListReservationsRequest {
                parent,
                states: vec![1, 0],
                block: "hall".to_owned(),
                ..Default::default()
            }
            .encode_to_vec(),
            &["states[1]", "block"],
        ),
        "ListLeases" => (
            leasing::ListLeasesRequest {
                parent,
                states: vec![0],
                tenant,
                block: n.site.clone(),
                ..Default::default()
            }
            .encode_to_vec(),
            &["states[0]", "tenant", "block"],
        ),
        "ListInvoices" => (
            billing::ListInvoicesRequest {
                parent,
                states: vec![0],
                tenant,
                lease: n.operator.clone(),
                billing_run: "run".to_owned(),
                billing_month: Some(billing::BillingMonth { year: 2027, month: 13 }),
                ..Default::default()
            }
            .encode_to_vec(),
            &["states[0]", "tenant", "lease", "billing_run", "billing_month"],
        ),
        "ListAccounts" => (
            billing::ListAccountsRequest { parent, tenant, ..Default::default() }.encode_to_vec(),
            &["tenant"],
        ),
        _ => (
            billing::ListLedgerEntriesRequest {
                parent,
                ledger_account: "slush".to_owned(),
                invoice: n.open_invoice.replace("acme", "zenith"),
                ..Default::default()
            }
            .encode_to_vec(),
            &["ledger_account", "invoice"],
        ),
    };
    vec![Case::invalid("every filter", message, fields)]
}
