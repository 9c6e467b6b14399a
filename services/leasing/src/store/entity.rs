//! The tables as they lie in the database. Nothing outside the store names these types.

use postgres::entity;

entity!("leasing", tenant = "tenant" {
    key { tenant_id: String }
    display_name: String,
    revision: i64,
    create_time: DateTimeUtc,
});

entity!("leasing", lease = "lease" {
    key { operator_id: String, lease_id: String }
    lease_uid: Uuid,
    tenant_id: String,
    state: String,
    version: i32,
    revision: i64,
    reservation_id: Option<Uuid>,
    hold_expire_time: Option<DateTimeUtc>,
    hold_seconds: i64,
    ended_because: Option<String>,
    intent_rpc: Option<String>,
    intent_caller: Option<String>,
    intent_request_id: Option<Uuid>,
    intent_hash: Option<Vec<u8>>,
    intent_actor: Option<String>,
    sweep_at: Option<DateTimeUtc>,
    create_time: DateTimeUtc,
    update_time: DateTimeUtc,
    signed_time: Option<DateTimeUtc>,
    effective_time: Option<DateTimeUtc>,
    due_at: Option<DateTimeUtc>,
    life: Json,
    unplaced: bool,
    master_agreement_id: Option<Uuid>,
});

entity!("leasing", lease_version = "lease_version" {
    key { operator_id: String, lease_id: String, version: i32 }
    terms: Vec<u8>,
    terms_hash: Vec<u8>,
    create_time: DateTimeUtc,
});

entity!("leasing", premises = "premises" {
    key { operator_id: String, lease_id: String, version: i32, premises_no: i32 }
    site_id: String,
    block_slug: String,
    time_zone: String,
    commencement_date: Date,
    end_date: Date,
    commence_at: DateTimeUtc,
    end_at: DateTimeUtc,
    state: String,
    commence_time: Option<DateTimeUtc>,
    standing: Json,
});

entity!("leasing", rate_step = "rate_step" {
    key { operator_id: String, lease_id: String, version: i32, premises_no: i32, from_date: Date }
    rate_per_kw_month: Decimal,
});

entity!("leasing", quantity_step = "quantity_step" {
    key { operator_id: String, lease_id: String, version: i32, premises_no: i32, from_date: Date }
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
    immersion_cooling_kw: i64,
    accelerators: i64,
});

entity!("leasing", signature = "signature" {
    key { operator_id: String, lease_id: String, version: i32, party: String }
    signatory_name: String,
    signatory_title: String,
    subject: String,
    peer_address: String,
    terms_hash: Vec<u8>,
    signed_time: DateTimeUtc,
});

entity!("leasing", rate_card = "rate_card" {
    key { operator_id: String, rate_card_id: String }
    state: String,
    facts: Json,
    authors: Json,
    approver: Option<String>,
    revision: i64,
    create_time: DateTimeUtc,
    update_time: DateTimeUtc,
});

entity!("leasing", quote = "quote" {
    key { operator_id: String, quote_id: Uuid }
    tenant_id: String,
    state: String,
    is_shown: bool,
    author: String,
    approver: Option<String>,
    valid_until: DateTimeUtc,
    hold_seconds: i64,
    body: Json,
    intent_caller: Option<String>,
    intent_request_id: Option<Uuid>,
    intent_hash: Option<Vec<u8>>,
    intent_actor: Option<String>,
    sweep_at: Option<DateTimeUtc>,
    revision: i64,
    create_time: DateTimeUtc,
    update_time: DateTimeUtc,
});

entity!("leasing", ready_phase = "ready_phase" {
    key { operator_id: String, site_id: String, block_slug: String, phase_id: String }
    baseline_date: Date,
    ready_date: Date,
    actual_date: Option<Date>,
});

entity!("leasing", lease_right = "lease_right" {
    key { operator_id: String, lease_id: String, version: i32, right_id: String }
    kind: String,
    site_id: Option<String>,
    block_slug: Option<String>,
    until_date: Option<Date>,
    body: Json,
});

entity!("leasing", master_agreement = "master_agreement" {
    key { operator_id: String, master_agreement_id: Uuid }
    tenant_id: String,
    state: String,
    terms: Vec<u8>,
    terms_hash: Vec<u8>,
    consents: Json,
    ending: Option<Json>,
    revision: i64,
    create_time: DateTimeUtc,
    update_time: DateTimeUtc,
});

entity!("leasing", right_offer = "right_offer" {
    key { operator_id: String, right_offer_id: Uuid }
    lease_id: String,
    right_id: String,
    tenant_id: String,
    offered_lease_id: String,
    state: String,
    respond_by: DateTimeUtc,
    body: Json,
    revision: i64,
    create_time: DateTimeUtc,
    update_time: DateTimeUtc,
});
