-- What is billed beside rent when a month is over: usage by a tariff, and rent given back for outages.
--
--   * a plan says from which day on what a block of a lease is charged and credited; it never changes;
--   * a reckoning keeps from what a block's month was computed, so that each of its lines can be computed again;
--   * a line of the same charge under a higher revision carries what has changed since the one before it;
--   * outages are inventory's; here is the copy that credits are computed from, as its last event told it.
-- Sessions have an empty search_path while this runs.

create table billing.charging_plan (
    operator_id text collate "C" not null,
    plan_id text collate "C" not null,
    lease_id text collate "C" not null,
    site_id text collate "C" not null,
    block_id text collate "C" not null,
    from_date date not null,
    until_date date,
    time_zone text collate "C" not null,
    usage jsonb,
    service_level jsonb,
    create_time timestamptz not null,
    -- Of two plans of a block with the same first day the one created last holds.
    create_order bigint generated always as identity,
    constraint charging_plan_pkey primary key (operator_id, plan_id),
    constraint charging_plan_lease
        foreign key (operator_id, lease_id) references billing.lease (operator_id, lease_id),
    constraint charging_plan_says_something check (usage is not null or service_level is not null),
    constraint charging_plan_dates check (
        from_date between date '2000-01-01' and date '9999-12-31'
        and until_date between from_date + 1 and date '9999-12-31'),
    constraint charging_plan_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index charging_plan_by_lease on billing.charging_plan (operator_id, lease_id, site_id, block_id);
create trigger charging_plan_append_only before update or delete on billing.charging_plan
    for each row execute function billing.refuse_change();

create table billing.reckoning (
    operator_id text collate "C" not null,
    reckoning_id uuid not null,
    lease_id text collate "C" not null,
    site_id text collate "C" not null,
    block_id text collate "C" not null,
    month date not null,
    -- Plans, tariff components, batches of readings, outages: all that is not kept elsewhere for ever.
    inputs jsonb not null,
    create_time timestamptz not null,
    constraint reckoning_pkey primary key (operator_id, reckoning_id),
    constraint reckoning_lease foreign key (operator_id, lease_id) references billing.lease (operator_id, lease_id),
    constraint reckoning_month check (
        extract(day from month) = 1 and month between date '2000-01-01' and date '9998-12-01'),
    constraint reckoning_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index reckoning_by_lease on billing.reckoning (operator_id, lease_id, site_id, block_id, month);
create trigger reckoning_append_only before update or delete on billing.reckoning
    for each row execute function billing.refuse_change();

-- Only the worker writes here.
create table billing.incident (
    operator_id text collate "C" not null,
    incident_id uuid not null,
    site_id text collate "C" not null,
    -- None is the whole site.
    block_id text collate "C",
    kind text collate "C" not null,
    state text collate "C" not null,
    start_time timestamptz not null,
    end_time timestamptz,
    measured_minutes integer,
    all_feeds_down boolean,
    temperature_max_decicelsius integer,
    update_time timestamptz not null,
    constraint incident_pkey primary key (operator_id, incident_id),
    constraint incident_kind check (kind in ('POWER', 'COOLING')),
    constraint incident_state check (state in ('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'REJECTED', 'WITHDRAWN')),
    constraint incident_times check (
        start_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'
        and end_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'
        and start_time < end_time and (state <> 'RESOLVED' or end_time is not null)),
    constraint incident_measured_minutes check (measured_minutes >= 0),
    constraint incident_update_time
        check (update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index incident_by_site on billing.incident (operator_id, site_id, start_time);

alter table billing.invoice_line
    alter column days drop not null,
    alter column days_in_month drop not null,
    alter column quantity_kw drop not null,
    alter column rate_per_kw_month drop not null,
    -- The tariff's component, and its band.
    add column item text collate "C" not null default '',
    -- Of a line that is not rent: quantity, rate and formula of the whole charge.
    add column detail jsonb,
    add column reckoning_id uuid,
    add constraint invoice_line_reckoning
        foreign key (operator_id, reckoning_id) references billing.reckoning (operator_id, reckoning_id),
    drop constraint invoice_line_charge_type,
    add constraint invoice_line_charge_type check (
        charge_type in ('BASE_RENT', 'ENERGY', 'DEMAND', 'PASS_THROUGH', 'TAX', 'SLA_CREDIT')),
    -- Rent is computed from the terms and billed once; the rest is reckoned, and may be corrected.
    add constraint invoice_line_rent_or_reckoned check (
        case charge_type
            when 'BASE_RENT' then num_nulls(days, days_in_month, quantity_kw, rate_per_kw_month) = 0
                and num_nonnulls(detail, reckoning_id) = 0 and revision = 0 and item = ''
            else num_nonnulls(days, days_in_month, quantity_kw, rate_per_kw_month) = 0
                and num_nulls(detail, reckoning_id) = 0
        end),
    drop constraint invoice_line_amount,
    add constraint invoice_line_amount check (amount_minor > 0 or (amount_minor < 0 and reckoning_id is not null)
        or (amount_minor = 0 and reckoning_id is null));
drop index billing.invoice_line_charge;
create unique index invoice_line_charge on billing.invoice_line
    (operator_id, lease_id, site_id, block_id, charge_type, item, period_start, revision) where live;
create index invoice_line_by_reckoning on billing.invoice_line (operator_id, reckoning_id);

alter table billing.ledger_entry
    -- To whom a tax is owed.
    add column jurisdiction text collate "C",
    add constraint ledger_entry_jurisdiction check (jurisdiction is null or ledger_account = 'taxes_payable'),
    drop constraint ledger_entry_ledger_account,
    add constraint ledger_entry_ledger_account check (ledger_account in (
        'accounts_receivable', 'rent_income', 'energy_income', 'demand_income', 'pass_through_income', 'sla_credits',
        'taxes_payable'));

do $policies$
declare
    t text;
begin
    foreach t in array array['charging_plan', 'reckoning', 'incident'] loop
        execute format('alter table billing.%I enable row level security', t);
        execute format('alter table billing.%I force row level security', t);
        execute format('create policy %I on billing.%I to billing, gridlease_owner
            using (operator_id = (select current_setting(''app.operator'', true)))
            with check (operator_id = (select current_setting(''app.operator'', true)))', t || '_operator', t);
        execute format('create policy %I on billing.%I to billing_worker using (true) with check (true)',
            t || '_worker', t);
    end loop;
end
$policies$;

grant select, insert on billing.charging_plan, billing.reckoning to billing;
-- Months whose readings are put away stay as they were billed.
grant select on billing.incident, billing.put_away_month to billing;
grant select, insert on billing.incident to billing_worker;
grant update (state, start_time, end_time, measured_minutes, all_feeds_down, temperature_max_decicelsius, update_time)
    on billing.incident to billing_worker;
