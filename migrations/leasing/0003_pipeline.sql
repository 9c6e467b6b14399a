-- Deals that may come. An operator's own notes: no tenant sees a row.

create table leasing.opportunity (
    operator_id text collate "C" not null,
    opportunity_id uuid not null,
    display_name text not null,
    stage text collate "C" not null,
    probability_percent integer,
    -- What counts: the stated probability, or the stage's.
    effective_percent integer not null,
    loss_code text collate "C",
    tenant_id text collate "C",
    prospect text not null,
    critical_it_kw bigint not null,
    rate_per_kw_month numeric(24, 10),
    currency_code text collate "C",
    expected_close_date date,
    quote text collate "C" not null,
    bid_id uuid,
    lease_id text collate "C",
    note text not null,
    revision bigint not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    constraint opportunity_pkey primary key (operator_id, opportunity_id),
    constraint opportunity_tenant foreign key (tenant_id) references leasing.tenant (tenant_id),
    constraint opportunity_display_name check (char_length(display_name) between 1 and 200),
    constraint opportunity_stage check (stage in
        ('INQUIRY', 'QUALIFIED', 'RFP', 'SITE_VISIT', 'LOI', 'PAPERING', 'APPROVAL', 'SIGNED', 'LOST')),
    constraint opportunity_probability check (probability_percent between 0 and 100),
    constraint opportunity_effective check (
        effective_percent between 0 and 100
        and (probability_percent is null or effective_percent = probability_percent)),
    constraint opportunity_loss check ((stage = 'LOST') = (loss_code is not null)),
    constraint opportunity_loss_code check (loss_code in
        ('POWER_DATE', 'PRICE', 'CREDIT', 'DENSITY', 'FIBRE', 'LOCATION', 'TAX')),
    constraint opportunity_who check (tenant_id is not null or prospect <> ''),
    constraint opportunity_prospect check (char_length(prospect) <= 200),
    constraint opportunity_kw check (critical_it_kw > 0),
    constraint opportunity_rate check (rate_per_kw_month > 0 and rate_per_kw_month <> 'NaN'),
    constraint opportunity_currency check ((rate_per_kw_month is null) = (currency_code is null)),
    constraint opportunity_expected_close_date check (expected_close_date between '2000-01-01' and '9999-12-31'),
    constraint opportunity_quote check (char_length(quote) <= 200),
    constraint opportunity_note check (char_length(note) <= 1000),
    constraint opportunity_revision check (revision > 0),
    constraint opportunity_create_time check (
        create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint opportunity_update_time check (
        update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index opportunity_of_tenant on leasing.opportunity (tenant_id);

alter table leasing.opportunity enable row level security;
alter table leasing.opportunity force row level security;
create policy opportunity_scope on leasing.opportunity to leasing
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy opportunity_worker on leasing.opportunity to leasing_worker using (true) with check (true);
grant select, insert, update on leasing.opportunity to leasing;
grant select on leasing.opportunity to leasing_worker;
