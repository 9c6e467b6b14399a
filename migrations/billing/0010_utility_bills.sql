-- What utilities charged, and how it was divided among those who share a meter.
--
--   * a bill never changes; a mistake is corrected by a bill of the same meter and days under the next revision;
--   * of the days of a meter there is one bill, beside those that correct it;
--   * how it was divided is kept with it, and may be divided anew; what was billed by a division keeps a copy of it.
-- Sessions have an empty search_path while this runs.

create table billing.utility_bill (
    operator_id text collate "C" not null,
    bill_id uuid not null,
    meter_id text collate "C" not null,
    number text not null,
    from_date date not null,
    until_date date not null,
    bill_date date not null,
    currency_code text collate "C" not null,
    amount_minor bigint not null,
    energy_kwh bigint not null,
    components jsonb not null,
    revision integer not null,
    corrects_id uuid,
    division jsonb,
    division_time timestamptz,
    version bigint not null,
    create_time timestamptz not null,
    constraint utility_bill_pkey primary key (operator_id, bill_id),
    constraint utility_bill_meter foreign key (operator_id, meter_id) references billing.meter (operator_id, meter_id),
    constraint utility_bill_days unique (operator_id, meter_id, from_date, revision),
    constraint utility_bill_corrects foreign key (operator_id, corrects_id)
        references billing.utility_bill (operator_id, bill_id),
    constraint utility_bill_corrected_once unique (operator_id, corrects_id),
    constraint utility_bill_dates check (
        from_date between date '2000-01-01' and date '9998-12-31'
        and until_date between from_date + 1 and from_date + 366
        and bill_date between date '2000-01-01' and date '9999-12-31'),
    constraint utility_bill_amount check (amount_minor between 0 and 100000000000000),
    constraint utility_bill_energy check (energy_kwh between 0 and 100000000000),
    constraint utility_bill_revision check (revision > 0 and (revision > 1) = (corrects_id is not null)),
    constraint utility_bill_divided check ((division is null) = (division_time is null)),
    constraint utility_bill_version check (version > 0),
    constraint utility_bill_times check (
        create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'
        and division_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index utility_bill_by_day on billing.utility_bill (operator_id, from_date);

create function billing.guard_utility_bill() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE' or new.division is null or new.version <> old.version + 1
       or (new.operator_id, new.bill_id, new.meter_id, new.number, new.from_date, new.until_date, new.bill_date,
           new.currency_code, new.amount_minor, new.energy_kwh, new.components, new.revision, new.corrects_id,
           new.create_time)
          is distinct from
          (old.operator_id, old.bill_id, old.meter_id, old.number, old.from_date, old.until_date, old.bill_date,
           old.currency_code, old.amount_minor, old.energy_kwh, old.components, old.revision, old.corrects_id,
           old.create_time)
    then
        raise exception 'utility bill %: what was charged stays; it is divided, and nothing else', old.bill_id
            using errcode = 'check_violation', constraint = 'utility_bill_immutable';
    end if;
    return new;
end
$$;
create trigger utility_bill_guard before update or delete on billing.utility_bill
    for each row execute function billing.guard_utility_bill();

-- No two bills of a meter have a day in common, but a bill and those that correct it. Judged under the lock of the meter's row,
-- so that of two at once the second sees the first, is tried again, and is then told which one is in its way.
create function billing.check_utility_bill() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
begin
    perform 1 from billing.meter m where m.operator_id = new.operator_id and m.meter_id = new.meter_id for no key update;
    if exists (
        select from billing.utility_bill b
        where b.operator_id = new.operator_id and b.meter_id = new.meter_id and b.bill_id <> new.bill_id
          and b.from_date < new.until_date and b.until_date > new.from_date
          and ((b.from_date, b.until_date) is distinct from (new.from_date, new.until_date) or new.revision = 1)
    ) then
        raise exception 'meter %: another utility bill has some of these days', new.meter_id
            using errcode = 'serialization_failure', constraint = 'utility_bill_overlap';
    end if;
    return null;
end
$$;
create constraint trigger utility_bill_overlap after insert on billing.utility_bill
    deferrable initially deferred for each row execute function billing.check_utility_bill();

alter table billing.utility_bill enable row level security;
alter table billing.utility_bill force row level security;
create policy utility_bill_operator on billing.utility_bill to billing, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy utility_bill_worker on billing.utility_bill to billing_worker using (true) with check (true);
grant select, insert on billing.utility_bill to billing;
grant update (division, division_time, version) on billing.utility_bill to billing;

alter table billing.invoice_line
    drop constraint invoice_line_charge_type,
    add constraint invoice_line_charge_type check (charge_type in (
        'BASE_RENT', 'ENERGY', 'DEMAND', 'PASS_THROUGH', 'TAX', 'SLA_CREDIT', 'PREPAYMENT', 'DEPOSIT', 'PREPAYMENT_DRAW',
        'TAKE_OR_PAY', 'LATE_INTEREST', 'TERMINATION_FEE', 'TRUE_UP'));
