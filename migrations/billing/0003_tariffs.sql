-- What power costs: tariffs, and their components that hold from one day to another.
--
-- Components are append only: a change of rate is another component of the same code with a later first day, so that
-- what was charged under the old one can be computed again. Sessions have an empty search_path while this runs.

create table billing.tariff (
    operator_id text collate "C" not null,
    tariff_id text collate "C" not null,
    display_name text not null,
    currency_code text collate "C" not null,
    time_zone text collate "C" not null,
    -- Who is served, and what must be put up.
    terms jsonb not null,
    -- Raised by every addition of components; the etag.
    version bigint not null,
    create_time timestamptz not null,
    constraint tariff_pkey primary key (operator_id, tariff_id),
    constraint tariff_currency_code check (currency_code ~ '^[A-Z]{3}$'),
    constraint tariff_version check (version > 0),
    constraint tariff_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

create table billing.tariff_component (
    operator_id text collate "C" not null,
    tariff_id text collate "C" not null,
    code text collate "C" not null,
    from_date date not null,
    until_date date,
    price jsonb not null,
    source text not null,
    -- The version of the tariff with which it came.
    version bigint not null,
    constraint tariff_component_pkey primary key (operator_id, tariff_id, code, from_date),
    constraint tariff_component_tariff
        foreign key (operator_id, tariff_id) references billing.tariff (operator_id, tariff_id),
    constraint tariff_component_dates check (
        from_date between date '2000-01-01' and date '9999-12-31'
        and until_date between from_date + 1 and date '9999-12-31'),
    constraint tariff_component_version check (version > 0)
);
create trigger tariff_component_append_only before update or delete on billing.tariff_component
    for each row execute function billing.refuse_change();

do $policies$
declare
    t text;
begin
    foreach t in array array['tariff', 'tariff_component'] loop
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

grant select, insert on billing.tariff, billing.tariff_component to billing;
grant update (version) on billing.tariff to billing;
