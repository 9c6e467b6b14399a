//! The tables as sea-orm sees them. Their meaning, limits and rights are in `migrations/inventory`.

use postgres::entity;

entity!("inventory", operator = "operator" {
    key { operator_id: String }
    revision: i64,
    display_name: String,
    aliases: Json,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
});

entity!("inventory", site = "site" {
    key { operator_id: String, site_id: String }
    version: i64,
    display_name: String,
    aliases: Json,
    city: String,
    state_code: String,
    country_code: String,
    grid_iso: String,
    utility: String,
    time_zone: String,
    latitude_e7: Option<i64>,
    longitude_e7: Option<i64>,
    interconnection_status: String,
    interconnection_source: String,
    interconnection_as_of: Option<String>,
    reported_leased_it_kw: Option<i64>,
    current_use: String,
    figures_source: String,
    figures_as_of: Option<String>,
    figures_confidence: String,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
    archived_at: Option<DateTimeUtc>,
    more: Json,
});

entity!("inventory", site_grid_step = "site_grid_step" {
    key { operator_id: String, site_id: String, from_date: Date }
    contracted_kw: Option<i64>,
    energised_kw: Option<i64>,
    interim_kw: Option<i64>,
});

entity!("inventory", block = "block" {
    key { operator_id: String, block_id: Uuid }
    site_id: String,
    block_slug: String,
    revision: i64,
    display_name: String,
    cooling_kinds: Json,
    redundancy: String,
    max_kw_per_rack: Option<i64>,
    lease_type: String,
    rate_per_kw_month: Option<Decimal>,
    currency_code: Option<String>,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
    archived_at: Option<DateTimeUtc>,
    more: Json,
});

entity!("inventory", phase = "phase" {
    key { operator_id: String, block_id: Uuid, phase_id: String }
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
    immersion_cooling_kw: i64,
    accelerators: i64,
    gross_kw: i64,
    gross_basis: String,
    it_basis: String,
    use_state: String,
    interim_use: String,
    interim_gross_kw: i64,
    interim_start_date: Option<Date>,
    conversion_start_date: Option<Date>,
    wind_down_notice_days: i32,
    ready_for_service_date: Date,
    date_basis: String,
    ready_dates: Json,
    end_date: Option<Date>,
    start_time: DateTimeUtc,
    end_time: DateTimeUtc,
    grid_check: String,
    cancel_reason: String,
    revision: i64,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
});

entity!("inventory", derate = "derate" {
    key { operator_id: String, derate_id: Uuid }
    block_id: Uuid,
    kind: String,
    state: String,
    start_time: DateTimeUtc,
    end_time: DateTimeUtc,
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
    immersion_cooling_kw: i64,
    accelerators: i64,
    reason: String,
    revision: i64,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
});

entity!("inventory", shortfall = "shortfall" {
    key { operator_id: String, block_id: Uuid, reservation_id: Uuid, start_time: DateTimeUtc }
    end_time: DateTimeUtc,
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
    immersion_cooling_kw: i64,
    accelerators: i64,
    cause: String,
    cause_resource: String,
    reason: String,
    recorded_at: DateTimeUtc,
});

entity!("inventory", reservation = "reservation" {
    key { operator_id: String, reservation_id: Uuid }
    tenant_id: Option<String>,
    kind: String,
    state: String,
    hold_until: DateTimeUtc,
    note: String,
    created_by: String,
    revision: i64,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
});

entity!("inventory", claim = "claim" {
    key { operator_id: String, block_id: Uuid, version: i64 }
    reservation_id: Uuid,
    tenant_id: Option<String>,
    kind: String,
    state: String,
    hold_until: DateTimeUtc,
    start_time: DateTimeUtc,
    end_time: DateTimeUtc,
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
    immersion_cooling_kw: i64,
    accelerators: i64,
});

entity!("inventory", encumbrance = "encumbrance" {
    key { operator_id: String, encumbrance_id: Uuid }
    site_id: Option<String>,
    block_id: Option<Uuid>,
    tenant_id: String,
    kind: String,
    quantity_kw: i64,
    valid_until: DateTimeUtc,
    response_days: i32,
    note: String,
    is_released: bool,
    revision: i64,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
});

entity!("inventory", waitlist_entry = "waitlist_entry" {
    key { operator_id: String, entry_id: Uuid }
    site_id: String,
    block_id: Option<Uuid>,
    tenant_id: String,
    expire_at: DateTimeUtc,
    note: String,
    state: String,
    seen_versions: i64,
    available: Json,
    told_at: Option<DateTimeUtc>,
    revision: i64,
    created_at: DateTimeUtc,
    updated_at: DateTimeUtc,
});

entity!("inventory", waitlist_step = "waitlist_step" {
    key { operator_id: String, entry_id: Uuid, start_time: DateTimeUtc }
    end_time: DateTimeUtc,
    critical_it_kw: i64,
    air_cooling_kw: i64,
    liquid_cooling_kw: i64,
    immersion_cooling_kw: i64,
    accelerators: i64,
});
