-- Values of price indexes by month, as finance records them: rent that follows an index is computed from them alone.
--
-- Append only. A value that was wrong gets a higher revision; what was billed by the lower one stays as it is.
-- Sessions have an empty search_path while this runs.

create table billing.price_series_value (
    operator_id text collate "C" not null,
    price_series_id text collate "C" not null,
    -- The first of the month.
    month date not null,
    revision integer not null,
    value numeric(24, 10) not null,
    source text not null,
    create_time timestamptz not null,
    constraint price_series_value_pkey primary key (operator_id, price_series_id, month, revision),
    constraint price_series_value_month check (
        month between date '2000-01-01' and date '9998-12-01' and extract(day from month) = 1),
    constraint price_series_value_revision check (revision >= 0),
    constraint price_series_value_value check (value > 0 and value <> 'NaN'),
    constraint price_series_value_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create trigger price_series_value_append_only before update or delete on billing.price_series_value
    for each row execute function billing.refuse_change();

alter table billing.price_series_value enable row level security;
alter table billing.price_series_value force row level security;
create policy price_series_value_operator on billing.price_series_value to billing, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy price_series_value_worker on billing.price_series_value to billing_worker
    using (true) with check (true);
-- Whoever leases from the operator may see what its rent follows.
create policy price_series_value_tenant on billing.price_series_value for select to billing using (exists (
    select 1 from billing.lease l
        where l.operator_id = price_series_value.operator_id
          and l.tenant_id = (select current_setting('app.tenant', true))));
grant select, insert on billing.price_series_value to billing;

-- How the days of rent are counted, and how much of it is let off.
alter table billing.invoice_line
    add column proration text collate "C" not null default 'ACTUAL_ACTUAL',
    add column abated_percent numeric(9, 6) not null default 0,
    add constraint invoice_line_proration
        check (proration in ('ACTUAL_ACTUAL', 'THIRTY_360', 'ACTUAL_365')),
    add constraint invoice_line_abated
        check (abated_percent >= 0 and abated_percent < 100 and abated_percent <> 'NaN');
