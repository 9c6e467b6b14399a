//! Values that are wrong in their own way, RPC by RPC.

mod agreements;
mod amended_terms;
mod amendments;
mod audit;
mod books;
mod capacity;
mod charging;
mod commissions;
mod conversion;
mod cut_over;
mod facts;
mod incidents;
mod life;
mod market;
mod metering;
mod money;
mod nominations;
mod offers;
mod payment_instructions;
mod reservations;
mod rights;
mod series;
mod sites;
mod tariffs;
mod utility_bills;

use contracts::billing::v1 as billing;
use contracts::common::v1::revoke_tokens_request::Tokens;
use contracts::common::v1::{AdvanceTimeRequest, RevokeTokensRequest};
use contracts::google::r#type::Date;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use integration_tests::world::Names;
use prost::Message as _;
use prost_types::Timestamp;
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
    ("gridlease.inventory.v1.SiteService/UpdateOperator", "nothing's"),
    ("gridlease.inventory.v1.SiteService/CreateSite", "nothing's"),
    ("gridlease.inventory.v1.SiteService/ListSites", "nothing's"),
    ("gridlease.inventory.v1.CapacityService/FindEarliestCapacity", "nothing's"),
    ("gridlease.inventory.v1.ReservationService/ListReservations", "nothing's"),
    ("gridlease.inventory.v1.EncumbranceService/ListEncumbrances", "nothing's"),
    ("gridlease.inventory.v1.WaitlistService/ListWaitlist", "nothing's"),
    ("gridlease.inventory.v1.ImportService/ImportInventory", "nothing's"),
    ("gridlease.inventory.v1.ImportService/ExportInventory", "nothing's"),
    ("gridlease.inventory.v1.IncidentService/ListIncidents", "nothing's"),
    ("gridlease.inventory.v1.IncidentService/ListCurtailments", "nothing's"),
    ("gridlease.inventory.v1.EventService/WatchEvents", "nothing's"),
    ("gridlease.leasing.v1.LeaseService/ListLeases", "nothing's"),
    ("gridlease.leasing.v1.LeaseService/ListDeadlines", "nothing's"),
    ("gridlease.common.v1.AccessService/RevokeTokens", "nothing's"),
    ("gridlease.common.v1.AuditService/ListAuditEntries", "nothing's"),
    ("gridlease.common.v1.AuditService/GetAuditHead", "nothing's"),
    ("gridlease.common.v1.AuditService/VerifyAudit", "nothing's"),
    // A list of what is published: nobody publishes nothing.
    ("gridlease.leasing.v1.MarketService/ListCapacityRequests", "nobody's"),
    ("gridlease.leasing.v1.MarketService/ListCapacityRequests", "nothing's"),
    ("gridlease.leasing.v1.MarketService/ListBids", "nothing's"),
    ("gridlease.leasing.v1.PipelineService/CreateOpportunity", "nothing's"),
    ("gridlease.leasing.v1.PipelineService/ListOpportunities", "nothing's"),
    ("gridlease.leasing.v1.OfferService/CreateRateCard", "nothing's"),
    ("gridlease.leasing.v1.OfferService/ListRateCards", "nothing's"),
    ("gridlease.leasing.v1.OfferService/ListQuotes", "nothing's"),
    ("gridlease.leasing.v1.OfferService/CompareWithMining", "nothing's"),
    ("gridlease.leasing.v1.RightService/ListRightOffers", "nothing's"),
    ("gridlease.leasing.v1.AgreementService/ListMasterAgreements", "nothing's"),
    ("gridlease.leasing.v1.EventService/WatchEvents", "nothing's"),
    ("gridlease.billing.v1.AccountService/ListAccounts", "nothing's"),
    ("gridlease.billing.v1.InvoiceService/StartBillingRun", "nothing's"),
    ("gridlease.billing.v1.InvoiceService/ListBillingRuns", "nothing's"),
    ("gridlease.billing.v1.InvoiceService/ListInvoices", "nothing's"),
    ("gridlease.billing.v1.MeteringService/CreateMeter", "nothing's"),
    ("gridlease.billing.v1.MeteringService/ListMeters", "nothing's"),
    ("gridlease.billing.v1.TariffService/CreateTariff", "nothing's"),
    ("gridlease.billing.v1.TariffService/ListTariffs", "nothing's"),
    ("gridlease.billing.v1.PriceSeriesService/RecordSeriesValues", "nothing's"),
    ("gridlease.billing.v1.PriceSeriesService/ListSeriesValues", "nothing's"),
    ("gridlease.billing.v1.ChargingService/ListChargingPlans", "nothing's"),
    ("gridlease.billing.v1.ChargingService/ListUtilityBills", "nothing's"),
    ("gridlease.billing.v1.InvoiceService/ListCreditNotes", "nothing's"),
    ("gridlease.billing.v1.DisputeService/ListDisputes", "nothing's"),
    ("gridlease.billing.v1.PaymentService/ListPayments", "nothing's"),
    ("gridlease.billing.v1.PaymentService/ProposePaymentInstructions", "nothing's"),
    ("gridlease.billing.v1.PaymentService/ListPaymentInstructions", "nothing's"),
    ("gridlease.billing.v1.BooksService/GetBooks", "nothing's"),
    ("gridlease.billing.v1.BooksService/ClosePeriod", "nothing's"),
    ("gridlease.billing.v1.BooksService/ReopenPeriod", "nothing's"),
    ("gridlease.billing.v1.BooksService/PostJournal", "nothing's"),
    ("gridlease.billing.v1.BooksService/PostAccrual", "nothing's"),
    ("gridlease.billing.v1.BooksService/ListVouchers", "nothing's"),
    ("gridlease.billing.v1.BooksService/ListCommissions", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetReceivablesAging", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetBacklog", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetAdvanceRollForward", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetCommissionRollForward", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetMaturityAnalysis", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetContractedCapacity", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetExposure", "nothing's"),
    ("gridlease.billing.v1.ReportService/ExportReport", "nothing's"),
    ("gridlease.billing.v1.ReportService/GetTrialBalance", "nothing's"),
    ("gridlease.billing.v1.ReportService/ListLedgerEntries", "nothing's"),
    ("gridlease.billing.v1.EventService/WatchEvents", "nothing's"),
];

/// Enums in resources that only the server sets; what a caller says there is ignored.
pub(crate) const OUTPUT_ONLY: &[&str] = &[
    "phase.gross_basis",
    "phase.it_basis",
    "phase.use_state",
    "capacity_request.state",
    "rate_card.state",
    "master_agreement.state",
    "master_agreement.ended_by",
];

pub(crate) const NO_DAY: Option<Date> = Some(Date { year: 2027, month: 2, day: 30 });

fn proposals(n: &Names) -> Vec<Case> {
    let of_terms = [bad_terms::propose(n), rights::in_terms(n), cut_over::supports(n), series::rents(n)];
    [of_terms.concat(), nominations::terms(n), agreements::orders(n)].concat()
}

/// Those of RPCs that lie together with others of their kind, or none.
const OF_A_KIND: [fn(&str, &Names) -> Vec<Case>; 6] =
    [amendments::of, offers::of, market::of, utility_bills::of, commissions::of, payment_instructions::of];

/// The bad values of an RPC.
pub(crate) fn of(rpc: &str, n: &Names) -> Vec<Case> {
    let method = rpc.rsplit('/').next().unwrap_or_default();
    match method {
        "AdvanceTime" => advance_time(),
        "RevokeTokens" => revoke_tokens(n),
        "ListAuditEntries" | "VerifyAudit" => audit::of(method, n),
        "UpdateOperator" => facts::update_operator(n),
        "ReportIncident" | "OpenIncident" | "UpdateIncident" => incidents::incident(method, n),
        "CloseIncident" | "ListIncidents" | "ListCurtailments" => incidents::close_and_lists(method, n),
        "AnnounceCurtailment" => incidents::curtailment(n),
        "ImportInventory" => facts::import(n),
        "ArchiveSite" | "ArchiveBlock" => facts::archive(method, n),
        "GetOperator" | "GetSite" | "GetBlock" | "GetReservation" => facts::read_time(method, n),
        "WatchEvents" => watch(n),
        "CreateOperator" | "CreateTenant" => sites::organisation(method),
        "CreateSite" => [sites::site(method, n), facts::site(n)].concat(),
        "UpdateSite" => sites::site(method, n),
        "CreateBlock" => [sites::block(n), facts::block(n)].concat(),
        "CreatePhase" => sites::phase(n),
        "UpdatePhase" => conversion::update_phase(n),
        "AdvancePhase" | "SlipPhase" | "CancelPhase" => conversion::change_phase(method, n),
        "GetPhase" | "ListPhases" => conversion::read_time(method, n),
        "GetPowerPlan" => conversion::power_plan(n),
        "ScheduleMaintenance" | "ListMaintenance" => conversion::maintenance(method, n),
        "SearchCapacity" => [capacity::search(), bad_search::search()].concat(),
        "FindEarliestCapacity" => {
            [capacity::availability(method, n), bad_search::earliest(&n.operator)].concat()
        }
        "GetAvailability" => capacity::availability(method, n),
        "PlaceHold" => reservations::place_hold(n),
        "ExtendHold" => reservations::extend_hold(n),
        "ListReservations" | "ListLeases" | "ListInvoices" | "ListAccounts" | "ListLedgerEntries" => {
            filters(method, n)
        }
        "RenderLease" | "RenderInvoice" => render(method, n),
        "ProposeLease" => proposals(n),
        "GetCreditCover" => cut_over::cover(n),
        "ImportLease" => cut_over::import(n),
        "BeginHoldover" | "EndHoldover" => cut_over::holdover(method, n),
        "RequestAssignment" | "ConsentToAssignment" | "DeclineAssignment" => rights::assignments(method, n),
        "OfferToRightHolders" | "ExerciseRight" | "WaiveRight" | "ListRightOffers" => rights::of(method, n),
        "SignLease" | "CancelLease" => bad_terms::sign_and_cancel(method, n),
        "CreateMeter" | "ListMeters" | "IngestReadings" | "ListReadings" | "GetUsage" => {
            metering::of(method, n)
        }
        "CreateTariff" | "AddTariffComponents" | "RateLoad" => tariffs::of(method, n),
        "RecordSeriesValues" => series::values(n),
        "SatisfyCondition" | "AcceptBlock" | "GiveNotice" | "TerminateLease" | "ExerciseOption" => {
            life::of(method, n)
        }
        "CreateChargingPlan" | "ListChargingPlans" | "ExplainLine" => charging::of(method, n),
        "ProposeAmendment" => amended_terms::propose(n),
        "SignAmendment" | "WithdrawAmendment" => amended_terms::sign_and_withdraw(method, n),
        "GetLease" => amended_terms::versions(n),
        "VoidInvoice" | "CreateCreditNote" | "ListCreditNotes" => money::corrections(method, n),
        "DisputeLine" | "ResolveDispute" | "ListDisputes" => money::disputes(method, n),
        "RecordPayment" | "AllocatePayment" | "RefundPayment" | "ListPayments" => money::payments(method, n),
        "ClosePeriod" | "ReopenPeriod" | "PostJournal" | "PostAccrual" | "WriteOff" => {
            books::books(method, n)
        }
        "GetStatement" | "RenderStatement" | "GetReceivablesAging" => books::reports(method, n),
        "GetRevenueSchedule" | "GetBacklog" | "GetAdvanceRollForward" => books::by_month(method, n),
        "GetMaturityAnalysis" | "GetContractedCapacity" | "GetExposure" | "ExportReport" => {
            books::of_day(method, n)
        }
        "PreviewInvoices" | "SimulateBilling" | "StartBillingRun" | "GetTrialBalance" => {
            bad_terms::bills(method, n)
        }
        "NominatePremises" => nominations::nominate(n),
        _ => OF_A_KIND.iter().flat_map(|of| of(method, n)).collect(),
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

fn revoke_tokens(n: &Names) -> Vec<Case> {
    let good = integration_tests::requests::revoke_tokens(n);
    let case = |what: &str, change: &dyn Fn(&mut RevokeTokensRequest), fields: &[&str]| {
        let mut request = good.clone();
        change(&mut request);
        Case::invalid(what, request.encode_to_vec(), fields)
    };
    let at = |seconds| Some(Timestamp { seconds, nanos: 0 });
    vec![
        case("no tokens", &|r| r.tokens = None, &["tokens"]),
        case("no token id", &|r| r.tokens = Some(Tokens::TokenId(String::new())), &["token_id"]),
        case("a blank subject", &|r| r.tokens = Some(Tokens::Subject("  ".to_owned())), &["subject"]),
        case("a long subject", &|r| r.tokens = Some(Tokens::Subject("s".repeat(256))), &["subject"]),
        case("a line", &|r| r.tokens = Some(Tokens::Subject("a\nb".to_owned())), &["subject"]),
        case("a long reason", &|r| r.reason = "r".repeat(201), &["reason"]),
        case("far ahead", &|r| r.issued_until_time = at(4_000_000_000), &["issued_until_time"]),
        case("no year", &|r| r.issued_until_time = at(i64::MAX), &["issued_until_time"]),
        case(
            "a time with a token",
            &|r| {
                r.tokens = Some(Tokens::TokenId("1".to_owned()));
                r.issued_until_time = at(1_700_000_000);
            },
            &["issued_until_time"],
        ),
    ]
}

fn render(method: &str, n: &Names) -> Vec<Case> {
    // The two requests are of one form.
    let name = if method == "RenderLease" { &n.active } else { &n.open_invoice };
    let ask =
        |name: &str, format| leasing::RenderLeaseRequest { name: name.to_owned(), format }.encode_to_vec();
    vec![
        Case::invalid("no format", ask(name, 0), &["format"]),
        Case::invalid("a format of nobody's", ask(name, 99), &["format"]),
        Case::invalid("everything", ask("nonsense", -1), &["name", "format"]),
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
                master_agreement: n.site.clone(),
                ..Default::default()
            }
            .encode_to_vec(),
            &["states[0]", "tenant", "block", "master_agreement"],
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
    let mut cases = vec![Case::invalid("every filter", message, fields)];
    // A list of alternatives becomes a condition of so many parts: it must end before the stack does.
    let states = vec![1; 30_000];
    let parent = n.operator.clone();
    match method {
        "ListReservations" => {
            let many = inventory::ListReservationsRequest { parent, states, ..Default::default() };
            cases.push(Case::invalid("too many states", many.encode_to_vec(), &["states"]));
        }
        "ListLeases" => {
            let many = leasing::ListLeasesRequest { parent, states, ..Default::default() };
            cases.push(Case::invalid("too many states", many.encode_to_vec(), &["states"]));
        }
        _ => {}
    }
    cases
}
