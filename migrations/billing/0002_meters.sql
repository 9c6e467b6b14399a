-- What meters measured: registers, readings by interval with every revision, and sums by day.
--
-- Readings lie in partitions of a month (UTC), made when the first reading of a month comes and put away by
-- `billing.put_away_readings` when nobody needs them any more; the sums by day stay.
--   * a reading is known by meter, interval and revision; the highest revision is in `reading`, the others are in
--     `reading_history`;
--   * whoever writes readings of a meter holds the lock on the meter's row, and moves `last_start` and `batch_count`
--     in the same commit: above `last_start` there is no reading, so that such rows need no look.
-- Energy is whole watt-hours. Sessions have an empty search_path while this runs.

create table billing.meter (
    operator_id text collate "C" not null,
    meter_id text collate "C" not null,
    display_name text not null,
    kind text collate "C" not null,
    site_id text collate "C" not null,
    block_id text collate "C",
    tenant_id text collate "C",
    time_zone text collate "C" not null,
    interval_minutes integer not null,
    max_kw bigint not null,
    assumed_kw bigint not null,
    install_date date not null,
    -- Start of the latest interval with a reading.
    last_start timestamptz,
    -- Raised by every batch that kept something; a reading says with which batch it came.
    batch_count bigint not null default 0,
    create_time timestamptz not null,
    constraint meter_pkey primary key (operator_id, meter_id),
    constraint meter_kind check (
        kind in ('BLOCK', 'TENANT', 'UTILITY')
        and (kind = 'UTILITY') = (block_id is null) and (kind = 'TENANT') = (tenant_id is not null)),
    constraint meter_interval check (interval_minutes > 0 and 60 % interval_minutes = 0),
    constraint meter_max_kw check (max_kw > 0 and assumed_kw between 0 and max_kw),
    constraint meter_install_date check (install_date between date '2000-01-01' and date '9998-12-31'),
    constraint meter_batch_count check (batch_count >= 0 and (batch_count = 0) = (last_start is null)),
    constraint meter_last_start
        check (last_start between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint meter_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
) with (fillfactor = 50);
create index meter_by_tenant on billing.meter (tenant_id, operator_id, meter_id);

-- No foreign key to the meter: it would look up the meter for each of millions of rows, and whoever writes holds the
-- meter's lock. Meters are never deleted.
create table billing.reading (
    operator_id text collate "C" not null,
    meter_id text collate "C" not null,
    start_time timestamptz not null,
    energy_wh bigint not null,
    revision integer not null,
    estimated boolean not null,
    batch bigint not null,
    receive_time timestamptz not null,
    constraint reading_pkey primary key (operator_id, meter_id, start_time),
    constraint reading_energy check (energy_wh >= 0 and revision >= 0 and batch > 0),
    constraint reading_start_time
        check (start_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint reading_receive_time
        check (receive_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
) partition by range (start_time);

-- Readings that a higher revision took the place of, or that came after it.
create table billing.reading_history (
    operator_id text collate "C" not null,
    meter_id text collate "C" not null,
    start_time timestamptz not null,
    revision integer not null,
    energy_wh bigint not null,
    estimated boolean not null,
    batch bigint not null,
    receive_time timestamptz not null,
    -- The batch from which on it no longer counted; its own if it never did.
    superseded_batch bigint not null,
    constraint reading_history_pkey primary key (operator_id, meter_id, start_time, revision),
    constraint reading_history_energy check (energy_wh >= 0 and revision >= 0 and batch > 0),
    constraint reading_history_superseded check (superseded_batch >= batch),
    constraint reading_history_start_time
        check (start_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint reading_history_receive_time
        check (receive_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
) partition by range (start_time);

-- What was read of each day (in the meter's zone), in the commit of its readings. Nothing estimated here.
create table billing.usage_day (
    operator_id text collate "C" not null,
    meter_id text collate "C" not null,
    day date not null,
    energy_wh bigint not null,
    reading_count integer not null,
    estimated_wh bigint not null,
    estimated_count integer not null,
    -- The highest energies of an interval, at most three, highest first; and the first interval with the highest.
    peaks_wh bigint[] not null,
    peak_time timestamptz not null,
    constraint usage_day_pkey primary key (operator_id, meter_id, day),
    constraint usage_day_meter
        foreign key (operator_id, meter_id) references billing.meter (operator_id, meter_id),
    constraint usage_day_sums check (
        reading_count > 0 and estimated_count between 0 and reading_count
        and estimated_wh between 0 and energy_wh and cardinality(peaks_wh) between 1 and 3),
    constraint usage_day_day check (day between date '2000-01-01' and date '9999-12-31'),
    constraint usage_day_peak_time
        check (peak_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
) with (fillfactor = 70);

-- Months whose partitions were taken out. They hold readings of every operator, so this is nobody's own.
create table billing.put_away_month (
    month date not null,
    constraint put_away_month_pkey primary key (month),
    constraint put_away_month_first check (
        extract(day from month) = 1 and month between date '2000-01-01' and date '9999-12-01')
);
alter table billing.put_away_month enable row level security;
alter table billing.put_away_month force row level security;
create policy put_away_month_all on billing.put_away_month to billing, billing_worker, gridlease_owner
    using (true) with check (true);

do $policies$
declare
    t text;
begin
    foreach t in array array['meter', 'reading', 'reading_history', 'usage_day'] loop
        execute format('alter table billing.%I enable row level security', t);
        execute format('alter table billing.%I force row level security', t);
        execute format('create policy %I on billing.%I to billing, gridlease_owner
            using (operator_id = (select current_setting(''app.operator'', true)))
            with check (operator_id = (select current_setting(''app.operator'', true)))', t || '_operator', t);
        execute format('create policy %I on billing.%I to billing_worker using (true) with check (true)',
            t || '_worker', t);
    end loop;
    foreach t in array array['reading', 'reading_history', 'usage_day'] loop
        execute format('create policy %I on billing.%I for select to billing using (exists (
            select 1 from billing.meter m
                where m.operator_id = %I.operator_id and m.meter_id = %I.meter_id
                  and m.tenant_id = (select current_setting(''app.tenant'', true))))', t || '_tenant', t, t, t);
    end loop;
end
$policies$;
create policy meter_tenant on billing.meter for select to billing
    using (tenant_id = (select current_setting('app.tenant', true)));

grant select, insert on billing.meter, billing.reading, billing.reading_history, billing.usage_day to billing;
grant update (last_start, batch_count) on billing.meter to billing;
grant update (energy_wh, revision, estimated, batch, receive_time) on billing.reading to billing;
grant update (energy_wh, reading_count, estimated_wh, estimated_count, peaks_wh, peak_time) on billing.usage_day
    to billing;

create function billing.is_reading_month(parent text, part text) returns boolean
    language sql stable set search_path = '' as $$
    select exists (
        select 1 from pg_catalog.pg_inherits i join pg_catalog.pg_class c on c.oid = i.inhrelid
            where i.inhparent = pg_catalog.to_regclass(pg_catalog.format('billing.%I', parent)) and c.relname = part)
$$;

-- Makes the partitions of a month, unless they are there. They carry row level security of their own and no grant:
-- the only way to their rows is through their parents. Attaching, unlike `create table ... partition of`, lets readings
-- of other months be written meanwhile.
create function billing.open_reading_month(month date) returns void
    language plpgsql security definer set search_path = '' as $$
declare
    first_day date := date_trunc('month', month)::date;
    parent text;
    part text;
begin
    if month is null or first_day not between date '2000-01-01' and date '9999-11-01' then
        raise exception 'no month of readings: %', month using errcode = 'check_violation';
    end if;
    if exists (select 1 from billing.put_away_month p where p.month = first_day) then
        raise exception 'the readings of % are put away', to_char(first_day, 'YYYY-MM')
            using errcode = 'check_violation', constraint = 'reading_month_put_away';
    end if;
    foreach parent in array array['reading', 'reading_history'] loop
        part := parent || to_char(first_day, '_YYYY_MM');
        if billing.is_reading_month(parent, part) then
            continue;
        end if;
        -- Two that come at once take turns, and the second finds it made.
        execute format('lock table only billing.%I in share update exclusive mode', parent);
        if billing.is_reading_month(parent, part) then
            continue;
        end if;
        execute format('create table billing.%I (like billing.%I including all)', part, parent);
        execute format('alter table billing.%I enable row level security', part);
        execute format('alter table billing.%I force row level security', part);
        execute format('alter table billing.%I attach partition billing.%I for values from (%L) to (%L)',
            parent, part, first_day::text || ' 00:00:00+00', (first_day + interval '1 month')::date::text || ' 00:00:00+00');
    end loop;
end
$$;
revoke execute on function billing.open_reading_month(date) from public;
grant execute on function billing.open_reading_month(date) to billing;

-- Takes the partitions of a month out, into a schema that an administrator made for it, to be archived and dropped by
-- hand; readings of the month are refused from then on, and its sums by day stay. For an administrator only.
create function billing.put_away_readings(month date, archive name) returns void
    language plpgsql set search_path = '' as $$
declare
    first_day date := date_trunc('month', month)::date;
    parent text;
    part text;
begin
    insert into billing.put_away_month (month) values (first_day);
    foreach parent in array array['reading', 'reading_history'] loop
        part := parent || to_char(first_day, '_YYYY_MM');
        execute format('alter table billing.%I detach partition billing.%I', parent, part);
        execute format('alter table billing.%I set schema %I', part, archive);
    end loop;
end
$$;
revoke execute on function billing.put_away_readings(date, name) from public;
