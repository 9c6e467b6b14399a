-- What tenants say against lines of issued invoices, until it is settled. Facts never change; a dispute is settled once.
-- Deeds on a dispute take the turn of its account. Sessions have an empty search_path while this runs.

create table billing.dispute (
    operator_id text collate "C" not null,
    dispute_id uuid not null,
    invoice_id uuid not null,
    line_number integer not null,
    tenant_id text collate "C" not null,
    currency_code text collate "C" not null,
    amount_minor bigint not null,
    reason text not null,
    opened_by text not null,
    state text collate "C" not null,
    resolution text not null default '',
    resolved_by text,
    credit_note_id uuid,
    version bigint not null,
    create_time timestamptz not null,
    resolve_time timestamptz,
    constraint dispute_pkey primary key (operator_id, dispute_id),
    constraint dispute_line foreign key (operator_id, invoice_id, line_number)
        references billing.invoice_line (operator_id, invoice_id, line_number),
    constraint dispute_credit_note foreign key (operator_id, credit_note_id)
        references billing.credit_note (operator_id, credit_note_id),
    constraint dispute_amount check (amount_minor > 0),
    constraint dispute_state check (
        case state
            when 'OPEN' then num_nonnulls(resolved_by, resolve_time, credit_note_id) = 0
            when 'UPHELD' then num_nulls(resolved_by, resolve_time, credit_note_id) = 0
            when 'REJECTED' then num_nulls(resolved_by, resolve_time) = 0 and credit_note_id is null
            else false
        end),
    constraint dispute_version check (version > 0),
    constraint dispute_create_time check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint dispute_resolve_time
        check (resolve_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index dispute_by_line on billing.dispute (operator_id, invoice_id, line_number);
create index dispute_by_credit_note on billing.dispute (operator_id, credit_note_id);
create index dispute_by_tenant on billing.dispute (tenant_id, operator_id, dispute_id);

create function billing.guard_dispute() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE' or old.state <> 'OPEN' or new.state = 'OPEN'
       or (new.operator_id, new.dispute_id, new.invoice_id, new.line_number, new.tenant_id, new.currency_code,
           new.amount_minor, new.reason, new.opened_by, new.create_time)
          is distinct from
          (old.operator_id, old.dispute_id, old.invoice_id, old.line_number, old.tenant_id, old.currency_code,
           old.amount_minor, old.reason, old.opened_by, old.create_time)
    then
        raise exception 'dispute %: what was said stays, and it is settled once', old.dispute_id
            using errcode = 'check_violation', constraint = 'dispute_immutable';
    end if;
    return new;
end
$$;
create trigger dispute_guard before update or delete on billing.dispute
    for each row execute function billing.guard_dispute();

-- Of no line more is in dispute and taken back than it charged, judged at commit: what is upheld is taken back by then.
create function billing.check_dispute() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    disputed numeric;
begin
    select sum(d.amount_minor) into disputed from billing.dispute d
        where d.operator_id = new.operator_id and d.invoice_id = new.invoice_id
          and d.line_number = new.line_number and d.state = 'OPEN';
    if disputed > (
        select l.amount_minor - coalesce((
            select sum(c.amount_minor) from billing.credit_note_line c
            where c.operator_id = l.operator_id and c.invoice_id = l.invoice_id and c.line_number = l.line_number), 0)
        from billing.invoice_line l
        where l.operator_id = new.operator_id and l.invoice_id = new.invoice_id and l.line_number = new.line_number
    ) then
        raise exception 'line % of invoice % is disputed beyond what is left of it', new.line_number, new.invoice_id
            using errcode = 'check_violation', constraint = 'dispute_within_line';
    end if;
    return null;
end
$$;
create constraint trigger dispute_within_line after insert on billing.dispute
    deferrable initially deferred for each row execute function billing.check_dispute();
create constraint trigger credit_note_line_beside_disputes after insert on billing.credit_note_line
    deferrable initially deferred for each row execute function billing.check_dispute();

alter table billing.dispute enable row level security;
alter table billing.dispute force row level security;
create policy dispute_operator on billing.dispute to billing, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy dispute_worker on billing.dispute to billing_worker using (true) with check (true);
create policy dispute_tenant on billing.dispute for select to billing
    using (tenant_id = (select current_setting('app.tenant', true)));
grant select, insert on billing.dispute to billing;
grant update (state, resolution, resolved_by, credit_note_id, version, resolve_time) on billing.dispute to billing;
