//! The tables as sea-orm sees them. Their meaning, limits and rights are in `migrations/billing`.

use postgres::entity;

entity!("billing", account = "account" {
    key { operator_id: String, account_id: Uuid }
    tenant_id: String,
    currency_code: String,
    create_time: DateTimeUtc,
});

entity!("billing", lease = "lease" {
    key { operator_id: String, lease_id: String }
    tenant_id: String,
    version: i64,
    state: String,
    currency_code: String,
    billed_from: Option<Date>,
    last_event_id: Uuid,
    update_time: DateTimeUtc,
    ending: Option<Json>,
});

entity!("billing", price_series_value = "price_series_value" {
    key { operator_id: String, price_series_id: String, month: Date, revision: i32 }
    value: Decimal,
    source: String,
    create_time: DateTimeUtc,
});

entity!("billing", lease_version = "lease_version" {
    key { operator_id: String, lease_id: String, version: i64 }
    terms: Json,
    event_id: Uuid,
    create_time: DateTimeUtc,
});

entity!("billing", lease_block = "lease_block" {
    key { operator_id: String, lease_id: String, site_id: String, block_id: String }
    state: String,
    moved: Option<Json>,
});

entity!("billing", parked_lease = "parked_lease" {
    key { operator_id: String, subject: String }
    event_id: Uuid,
    kind: String,
    problem: String,
    park_time: DateTimeUtc,
});

entity!("billing", billing_run = "billing_run" {
    key { operator_id: String, run_id: Uuid }
    run_number: i64,
    billing_month: Date,
    state: String,
    version: i64,
    create_time: DateTimeUtc,
    issue_time: Option<DateTimeUtc>,
});

entity!("billing", billing_run_problem = "billing_run_problem" {
    key { operator_id: String, problem_id: Uuid }
    run_id: Uuid,
    lease_id: String,
    site_id: Option<String>,
    block_id: Option<String>,
    problem: String,
});

entity!("billing", invoice = "invoice" {
    key { operator_id: String, invoice_id: Uuid }
    run_id: Uuid,
    account_id: Uuid,
    tenant_id: String,
    lease_id: String,
    kind: String,
    state: String,
    period_start: Date,
    period_end: Date,
    currency_code: String,
    total_minor: i64,
    line_count: i32,
    payment_terms_days: i32,
    version: i64,
    create_time: DateTimeUtc,
    series: Option<String>,
    number: Option<i64>,
    issue_time: Option<DateTimeUtc>,
    due_date: Option<Date>,
    paid_minor: i64,
    credited_minor: i64,
    written_off_minor: i64,
    state_reason: String,
    payment_instructions_id: Option<Uuid>,
});

entity!("billing", invoice_line = "invoice_line" {
    key { operator_id: String, invoice_id: Uuid, line_number: i32 }
    lease_id: String,
    site_id: Option<String>,
    block_id: Option<String>,
    charge_type: String,
    period_start: Date,
    revision: i32,
    live: bool,
    period_end: Date,
    days: Option<i32>,
    days_in_month: Option<i32>,
    quantity_kw: Option<i64>,
    rate_per_kw_month: Option<Decimal>,
    proration: String,
    abated_percent: Decimal,
    amount_minor: i64,
    lease_version: i64,
    item: String,
    detail: Option<Json>,
    reckoning_id: Option<Uuid>,
});

entity!("billing", charging_plan = "charging_plan" {
    key { operator_id: String, plan_id: String }
    lease_id: String,
    site_id: String,
    block_id: String,
    from_date: Date,
    until_date: Option<Date>,
    time_zone: String,
    usage: Option<Json>,
    service_level: Option<Json>,
    create_time: DateTimeUtc,
    create_order: i64,
});

entity!("billing", reckoning = "reckoning" {
    key { operator_id: String, reckoning_id: Uuid }
    lease_id: String,
    site_id: Option<String>,
    block_id: Option<String>,
    month: Date,
    inputs: Json,
    create_time: DateTimeUtc,
});

entity!("billing", incident = "incident" {
    key { operator_id: String, incident_id: Uuid }
    site_id: String,
    block_id: Option<String>,
    kind: String,
    state: String,
    start_time: DateTimeUtc,
    end_time: Option<DateTimeUtc>,
    measured_minutes: Option<i32>,
    all_feeds_down: Option<bool>,
    temperature_max_decicelsius: Option<i32>,
    update_time: DateTimeUtc,
});

entity!("billing", meter = "meter" {
    key { operator_id: String, meter_id: String }
    display_name: String,
    kind: String,
    site_id: String,
    block_id: Option<String>,
    tenant_id: Option<String>,
    time_zone: String,
    interval_minutes: i32,
    max_kw: i64,
    assumed_kw: i64,
    install_date: Date,
    last_start: Option<DateTimeUtc>,
    batch_count: i64,
    create_time: DateTimeUtc,
});

entity!("billing", usage_day = "usage_day" {
    key { operator_id: String, meter_id: String, day: Date }
    energy_wh: i64,
    reading_count: i32,
    estimated_wh: i64,
    estimated_count: i32,
    peaks_wh: Vec<i64>,
    peak_time: DateTimeUtc,
});

entity!("billing", tariff = "tariff" {
    key { operator_id: String, tariff_id: String }
    display_name: String,
    currency_code: String,
    time_zone: String,
    terms: Json,
    version: i64,
    create_time: DateTimeUtc,
});

entity!("billing", tariff_component = "tariff_component" {
    key { operator_id: String, tariff_id: String, code: String, from_date: Date }
    until_date: Option<Date>,
    price: Json,
    source: String,
    version: i64,
});

entity!("billing", ledger_transaction = "ledger_transaction" {
    key { operator_id: String, transaction_id: Uuid }
    kind: String,
    source_id: Uuid,
    invoice_id: Option<Uuid>,
    entry_count: i32,
    posting_date: Date,
    description: String,
    create_time: DateTimeUtc,
});

entity!("billing", ledger_entry = "ledger_entry" {
    key { operator_id: String, transaction_id: Uuid, entry_number: i32 }
    entry_id: Uuid,
    ledger_account: String,
    account_id: Option<Uuid>,
    currency_code: String,
    amount_minor: i64,
    jurisdiction: Option<String>,
});

entity!("billing", credit_note = "credit_note" {
    key { operator_id: String, credit_note_id: Uuid }
    invoice_id: Uuid,
    account_id: Uuid,
    tenant_id: String,
    currency_code: String,
    total_minor: i64,
    applied_minor: i64,
    reason: String,
    rebill: bool,
    series: String,
    number: i64,
    create_time: DateTimeUtc,
});

entity!("billing", credit_note_line = "credit_note_line" {
    key { operator_id: String, credit_note_id: Uuid, line_number: i32 }
    invoice_id: Uuid,
    amount_minor: i64,
});

entity!("billing", payment = "payment" {
    key { operator_id: String, payment_id: Uuid }
    account_id: Uuid,
    tenant_id: String,
    currency_code: String,
    kind: String,
    reference: String,
    value_date: Date,
    note: String,
    amount_minor: i64,
    allocated_minor: i64,
    refunded_minor: i64,
    version: i64,
    create_time: DateTimeUtc,
    lease_id: Option<String>,
    credit_support_id: Option<String>,
});

entity!("billing", payment_allocation = "payment_allocation" {
    key { operator_id: String, allocation_id: Uuid }
    payment_id: Uuid,
    invoice_id: Uuid,
    amount_minor: i64,
    posting_date: Date,
    create_time: DateTimeUtc,
});

entity!("billing", payment_refund = "payment_refund" {
    key { operator_id: String, refund_id: Uuid }
    payment_id: Uuid,
    reference: String,
    amount_minor: i64,
    create_time: DateTimeUtc,
});

entity!("billing", voucher = "voucher" {
    key { operator_id: String, voucher_id: Uuid }
    kind: String,
    content: Json,
    reason: String,
    state: String,
    author: String,
    decider: Option<String>,
    version: i64,
    create_time: DateTimeUtc,
    decide_time: Option<DateTimeUtc>,
});

entity!("billing", dispute = "dispute" {
    key { operator_id: String, dispute_id: Uuid }
    invoice_id: Uuid,
    line_number: i32,
    tenant_id: String,
    currency_code: String,
    amount_minor: i64,
    reason: String,
    opened_by: String,
    state: String,
    resolution: String,
    resolved_by: Option<String>,
    credit_note_id: Option<Uuid>,
    version: i64,
    create_time: DateTimeUtc,
    resolve_time: Option<DateTimeUtc>,
});

entity!("billing", utility_bill = "utility_bill" {
    key { operator_id: String, bill_id: Uuid }
    meter_id: String,
    number: String,
    from_date: Date,
    until_date: Date,
    bill_date: Date,
    currency_code: String,
    amount_minor: i64,
    energy_kwh: i64,
    components: Json,
    revision: i32,
    corrects_id: Option<Uuid>,
    division: Option<Json>,
    division_time: Option<DateTimeUtc>,
    version: i64,
    create_time: DateTimeUtc,
});

entity!("billing", commission = "commission" {
    key { operator_id: String, commission_id: Uuid }
    lease_id: String,
    payee: String,
    reference: String,
    trigger_kind: String,
    earn_date: Date,
    currency_code: String,
    amount_minor: i64,
    create_time: DateTimeUtc,
    reversal_voucher_id: Option<Uuid>,
    reverse_time: Option<DateTimeUtc>,
});

entity!("billing", commission_move = "commission_move" {
    key { operator_id: String, move_id: Uuid }
    commission_id: Uuid,
    kind: String,
    through_date: Date,
    amount_minor: i64,
    bank_reference: Option<String>,
    create_time: DateTimeUtc,
});

entity!("billing", payment_instructions = "payment_instructions" {
    key { operator_id: String, instructions_id: Uuid }
    voucher_id: Uuid,
    currency_code: String,
    number: i32,
    account_holder: String,
    bank_name: String,
    iban: Option<String>,
    account_number: Option<String>,
    bic: Option<String>,
    routing_number: Option<String>,
    bank_address: String,
    reference: String,
    confirm_time: DateTimeUtc,
});
