//! A request that succeeds for every RPC, made from the names of a world: what tests bend in one place at a time.

use contracts::billing::v1 as billing;
use contracts::common::v1 as common;
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use prost::Message as _;

use crate::market::{self, date, request_id};
use crate::world::Names;

/// An encoded request for `rpc` (`package.Service/Method`) that its role may make and that succeeds; writes only ask
/// (`validate_only`). `None` for an RPC that nobody has written a request for.
#[must_use]
pub fn valid(rpc: &str, n: &Names) -> Option<Vec<u8>> {
    let (service, method) = rpc.strip_prefix("gridlease.")?.split_once(".v1.")?;
    match service {
        "common" => clock(method),
        "inventory" => sites(method, n)
            .or_else(|| blocks(method, n))
            .or_else(|| capacity(method, n))
            .or_else(|| reservations(method, n)),
        "leasing" => leases(method, n),
        "billing" => bills(method, n),
        _ => None,
    }
}

fn mask(path: &str) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: vec![path.to_owned()] })
}

fn clock(method: &str) -> Option<Vec<u8>> {
    Some(match method {
        "ClockService/GetTime" => common::GetTimeRequest {}.encode_to_vec(),
        "ClockService/AdvanceTime" => {
            let later = kernel::Zone::UTC.start_of_day(market::day("2027-01-03"));
            common::AdvanceTimeRequest { time: Some(runtime::wire::to_timestamp(later)) }.encode_to_vec()
        }
        _ => return None,
    })
}

fn sites(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (request_id, validate_only) = (request_id(), true);
    let (page_size, page_token) = (0, String::new());
    Some(match method {
        "SiteService/CreateOperator" => inventory::CreateOperatorRequest {
            operator_id: "another".to_owned(),
            operator: Some(inventory::Operator { display_name: "Another".to_owned(), ..Default::default() }),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetOperator" => {
            inventory::GetOperatorRequest { name: n.operator.clone() }.encode_to_vec()
        }
        "SiteService/ListOperators" => {
            inventory::ListOperatorsRequest { page_size, page_token }.encode_to_vec()
        }
        "SiteService/CreateSite" => inventory::CreateSiteRequest {
            parent: n.operator.clone(),
            site_id: "another".to_owned(),
            site: Some(market::grid_site(100_000)),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetSite" => inventory::GetSiteRequest { name: n.site.clone() }.encode_to_vec(),
        "SiteService/ListSites" => {
            inventory::ListSitesRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "SiteService/UpdateSite" => inventory::UpdateSiteRequest {
            site: Some(inventory::Site {
                name: n.site.clone(),
                etag: n.site_etag.clone(),
                current_use: "mining".to_owned(),
                ..Default::default()
            }),
            update_mask: mask("current_use"),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        _ => return None,
    })
}

fn blocks(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (request_id, validate_only) = (request_id(), true);
    let (page_size, page_token) = (0, String::new());
    Some(match method {
        "SiteService/CreateBlock" => inventory::CreateBlockRequest {
            parent: n.site.clone(),
            block_id: "another".to_owned(),
            block: Some(market::liquid_block()),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetBlock" => inventory::GetBlockRequest { name: n.block.clone() }.encode_to_vec(),
        "SiteService/ListBlocks" => {
            inventory::ListBlocksRequest { parent: n.site.clone(), page_size, page_token }.encode_to_vec()
        }
        "SiteService/UpdateBlock" => inventory::UpdateBlockRequest {
            block: Some(inventory::Block {
                name: n.block.clone(),
                etag: n.block_etag.clone(),
                display_name: "Hall A".to_owned(),
                ..Default::default()
            }),
            update_mask: mask("display_name"),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/CreatePhase" => inventory::CreatePhaseRequest {
            parent: n.block.clone(),
            phase_id: "another".to_owned(),
            phase: Some(market::phase(market::hall(1_000), "2028-01-01")),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetPhase" => inventory::GetPhaseRequest { name: n.phase.clone() }.encode_to_vec(),
        "SiteService/ListPhases" => {
            inventory::ListPhasesRequest { parent: n.block.clone(), page_size, page_token }.encode_to_vec()
        }
        _ => return None,
    })
}

fn capacity(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "CapacityService/SearchCapacity" => inventory::SearchCapacityRequest {
            critical_it_kw: 1_000,
            liquid_share_percent: 85,
            start_from_date: Some(date(market::READY)),
            term_months: 120,
            ..Default::default()
        }
        .encode_to_vec(),
        "CapacityService/FindEarliestCapacity" => inventory::FindEarliestCapacityRequest {
            parent: n.operator.clone(),
            capacity: Some(market::load(1_000)),
            term_months: 120,
            not_before_date: Some(date(market::READY)),
            ..Default::default()
        }
        .encode_to_vec(),
        "CapacityService/GetAvailability" => inventory::GetAvailabilityRequest {
            name: n.block.clone(),
            start_date: Some(date("2027-01-01")),
            end_date: Some(date("2028-01-01")),
        }
        .encode_to_vec(),
        "EventService/WatchEvents" => {
            inventory::WatchEventsRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        _ => return None,
    })
}

fn reservations(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (name, etag, request_id) = (n.reservation.clone(), String::new(), request_id());
    Some(match method {
        "ReservationService/PlaceHold" => inventory::PlaceHoldRequest {
            validate_only: true,
            ..market::hold(&n.operator, &n.free_block, &n.tenant, market::load(1_000))
        }
        .encode_to_vec(),
        "ReservationService/ExtendHold" => inventory::ExtendHoldRequest {
            name,
            hold_expire_time: None,
            minimum_duration: Some(prost_types::Duration { seconds: 7_200, nanos: 0 }),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "ReservationService/CommitReservation" => {
            inventory::CommitReservationRequest { name, request_id, validate_only: true }.encode_to_vec()
        }
        "ReservationService/ReleaseReservation" => {
            inventory::ReleaseReservationRequest { name, etag, request_id, validate_only: true }
                .encode_to_vec()
        }
        "ReservationService/GetReservation" => inventory::GetReservationRequest { name }.encode_to_vec(),
        "ReservationService/ListReservations" => {
            inventory::ListReservationsRequest { parent: n.operator.clone(), ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}

fn leases(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (etag, request_id) = (String::new(), request_id());
    Some(match method {
        "TenantService/CreateTenant" => leasing::CreateTenantRequest {
            tenant_id: "another".to_owned(),
            tenant: Some(leasing::Tenant { display_name: "Another".to_owned(), ..Default::default() }),
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "TenantService/GetTenant" => leasing::GetTenantRequest { name: n.tenant.clone() }.encode_to_vec(),
        "TenantService/ListTenants" => leasing::ListTenantsRequest::default().encode_to_vec(),
        "LeaseService/ProposeLease" => leasing::ProposeLeaseRequest {
            validate_only: true,
            ..market::proposal(
                &n.operator,
                &n.tenant,
                "another",
                market::terms(&n.free_block, market::load(1_000)),
            )
        }
        .encode_to_vec(),
        "LeaseService/SignLease" => leasing::SignLeaseRequest {
            name: n.proposed.clone(),
            terms_hash: n.terms_hash.clone(),
            signatory: Some(leasing::Signatory { name: "Ada Marsh".to_owned(), title: String::new() }),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "LeaseService/CancelLease" => leasing::CancelLeaseRequest {
            name: n.proposed.clone(),
            reason: "changed our minds".to_owned(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "LeaseService/GetLease" => leasing::GetLeaseRequest { name: n.active.clone() }.encode_to_vec(),
        "LeaseService/ListLeases" => {
            leasing::ListLeasesRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "LeaseService/GetRentSchedule" => {
            leasing::GetRentScheduleRequest { name: n.active.clone() }.encode_to_vec()
        }
        "EventService/WatchEvents" => {
            leasing::WatchEventsRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        _ => return None,
    })
}

fn bills(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (parent, etag, request_id) = (n.operator.clone(), String::new(), request_id());
    let (page_size, page_token) = (0, String::new());
    Some(match method {
        "AccountService/GetAccount" => billing::GetAccountRequest { name: n.account.clone() }.encode_to_vec(),
        "AccountService/ListAccounts" => {
            billing::ListAccountsRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "InvoiceService/PreviewInvoices" => billing::PreviewInvoicesRequest {
            lease: n.active.clone(),
            through_date: Some(date("2027-12-31")),
            until_end: false,
        }
        .encode_to_vec(),
        "InvoiceService/StartBillingRun" => billing::StartBillingRunRequest {
            parent,
            billing_month: Some(billing::BillingMonth { year: 2027, month: 3 }),
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "InvoiceService/GetBillingRun" => {
            billing::GetBillingRunRequest { name: n.draft_run.clone() }.encode_to_vec()
        }
        "InvoiceService/ListBillingRuns" => {
            billing::ListBillingRunsRequest { parent, page_size, page_token }.encode_to_vec()
        }
        "InvoiceService/IssueBillingRun" => billing::IssueBillingRunRequest {
            name: n.draft_run.clone(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "InvoiceService/GetInvoice" => {
            billing::GetInvoiceRequest { name: n.open_invoice.clone() }.encode_to_vec()
        }
        "InvoiceService/ListInvoices" => {
            billing::ListInvoicesRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "InvoiceService/IssueInvoice" => billing::IssueInvoiceRequest {
            name: n.draft_invoice.clone(),
            etag,
            request_id,
            validate_only: true,
        }
        .encode_to_vec(),
        "ReportService/GetTrialBalance" => {
            billing::GetTrialBalanceRequest { parent, as_of_date: None }.encode_to_vec()
        }
        "ReportService/ListLedgerEntries" => {
            billing::ListLedgerEntriesRequest { parent, ..Default::default() }.encode_to_vec()
        }
        "EventService/WatchEvents" => {
            billing::WatchEventsRequest { parent, ..Default::default() }.encode_to_vec()
        }
        _ => return None,
    })
}
