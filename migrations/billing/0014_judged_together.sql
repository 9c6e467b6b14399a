-- The same walls for less: what a billing run writes thousands of rows of is judged by the statement, or once at the commit for
-- all that a statement wrote, and no longer row by row. Sessions have an empty search_path while this runs.

-- What a statement wrote that is whole only at the commit; judged there, and gone with it. To take a row away, or to hide what it
-- names, saves nobody from the judgement: that is of the row as it was written, and of what cannot be seen it is no.
create table billing.unjudged (
    operator_id text collate "C" not null,
    statement_id bigint generated always as identity,
    -- The table that was written, and the ids of its rows.
    table_name text collate "C" not null,
    ids uuid[] not null,
    constraint unjudged_pkey primary key (operator_id, statement_id),
    constraint unjudged_table_name check (table_name in ('invoice', 'ledger_transaction'))
);
-- Ids do not get shorter.
alter table billing.unjudged alter column ids set storage external;
alter table billing.unjudged enable row level security;
alter table billing.unjudged force row level security;
create policy unjudged_operator on billing.unjudged to billing, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy unjudged_worker on billing.unjudged to billing_worker using (true) with check (true);
grant select, insert, delete on billing.unjudged to billing;

-- No reading of whole tables, here and below: a plan is kept as long as the session, and the tables were small when it began. So
-- rows are looked up one by one: a subquery that is aggregated or limited is never made a join.
create function billing.judge() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    wrong record;
begin
    if new.table_name = 'invoice' then
        -- The sum of the lines is the total, and all lines are there, from the commit that writes them on.
        select n.id, i.total_minor, i.line_count, l.lines, l.summed into wrong
            from unnest(new.ids) as n(id)
            left join lateral (select i.total_minor, i.line_count from billing.invoice i
                where i.operator_id = new.operator_id and i.invoice_id = n.id limit 1) i on true
            cross join lateral (select sum(l.amount_minor) as summed, count(*) as lines from billing.invoice_line l
                where l.operator_id = new.operator_id and l.invoice_id = n.id) l
            where l.lines is distinct from i.line_count or l.summed is distinct from i.total_minor
            limit 1;
        if found then
            raise exception 'invoice % says % in % lines, its % lines sum to %', wrong.id, wrong.total_minor,
                wrong.line_count, wrong.lines, wrong.summed
                using errcode = 'check_violation', constraint = 'invoice_total_is_sum_of_lines';
        end if;
    else
        select n.id, t.entry_count, e.entries, e.crooked into wrong
            from unnest(new.ids) as n(id)
            left join lateral (select t.entry_count from billing.ledger_transaction t
                where t.operator_id = new.operator_id and t.transaction_id = n.id limit 1) t on true
            cross join lateral (select sum(c.entries) as entries, min(c.currency_code) filter (where c.amount <> 0) as crooked from (
                select e.currency_code, count(*) as entries, sum(e.amount_minor) as amount from billing.ledger_entry e
                    where e.operator_id = new.operator_id and e.transaction_id = n.id
                    group by e.currency_code) c) e
            where t.entry_count is null or e.entries is distinct from t.entry_count or e.crooked is not null
            limit 1;
        if found and (wrong.entry_count is null or wrong.entries is distinct from wrong.entry_count) then
            raise exception 'ledger transaction % has % entries, not %', wrong.id, wrong.entries, wrong.entry_count
                using errcode = 'check_violation', constraint = 'ledger_transaction_complete';
        elsif found then
            raise exception 'ledger transaction % does not sum to zero in %', wrong.id, wrong.crooked
                using errcode = 'check_violation', constraint = 'ledger_transaction_balanced';
        end if;
    end if;
    delete from billing.unjudged u where u.operator_id = new.operator_id and u.statement_id = new.statement_id;
    return null;
end
$$;
create constraint trigger unjudged_at_commit after insert on billing.unjudged
    deferrable initially deferred for each row execute function billing.judge();

-- Foreign keys look up each row and lock what it refers to, which the rows of a run all share or have just been written. What is
-- referred to here is never deleted and keeps its key (invoices and ledger transactions are guarded already), so that to have
-- seen it once is enough.
create function billing.keep_key() returns trigger
    language plpgsql set search_path = '' as $$
begin
    raise exception 'rows of billing.% stay, and keep their keys', tg_table_name
        using errcode = 'check_violation', constraint = tg_table_name || '_keeps_key';
end
$$;
create trigger account_keeps_key before delete or update of operator_id, account_id, tenant_id, currency_code
    on billing.account for each row execute function billing.keep_key();
create trigger billing_run_keeps_key before delete or update of operator_id, run_id on billing.billing_run
    for each row execute function billing.keep_key();
create trigger number_counter_keeps_key before delete or update of operator_id, series on billing.number_counter
    for each row execute function billing.keep_key();

create function billing.check_invoices() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    lost text;
begin
    select 'run ' || n.run_id into lost
        from (select distinct w.operator_id, w.run_id from written w) n
        where (select r.run_id from billing.billing_run r
            where r.operator_id = n.operator_id and r.run_id = n.run_id limit 1) is null
        limit 1;
    if lost is null then
        select 'account ' || n.account_id into lost
            from (select distinct w.operator_id, w.account_id, w.tenant_id, w.currency_code from written w) n
            where (select a.account_id from billing.account a
                where a.operator_id = n.operator_id and a.account_id = n.account_id and a.tenant_id = n.tenant_id
                  and a.currency_code = n.currency_code limit 1) is null
            limit 1;
    end if;
    if lost is not null then
        raise exception 'an invoice is of % that is not there', lost
            using errcode = 'foreign_key_violation', constraint = 'invoice_refers';
    end if;
    insert into billing.unjudged (operator_id, table_name, ids)
        select w.operator_id, 'invoice', array_agg(w.invoice_id) from written w group by w.operator_id;
    return null;
end
$$;
alter table billing.invoice drop constraint invoice_run, drop constraint invoice_account;
drop trigger invoice_total_is_sum_of_lines on billing.invoice;
create trigger invoice_refers after insert on billing.invoice
    referencing new table as written for each statement execute function billing.check_invoices();

-- Lines are of an invoice that is there, and that has not more of them than it says.
create or replace function billing.check_invoice_lines() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    wrong record;
begin
    select n.invoice_id, i.line_count into wrong
        from (select distinct w.operator_id, w.invoice_id from written w) n
        left join lateral (select i.line_count from billing.invoice i
            where i.operator_id = n.operator_id and i.invoice_id = n.invoice_id limit 1) i on true
        where i.line_count is null
           or (select count(*) from billing.invoice_line l
                   where l.operator_id = n.operator_id and l.invoice_id = n.invoice_id) > i.line_count
        limit 1;
    if found and wrong.line_count is null then
        raise exception 'a line is of invoice % that is not there', wrong.invoice_id
            using errcode = 'foreign_key_violation', constraint = 'invoice_line_refers';
    elsif found then
        raise exception 'invoice % has all its lines', wrong.invoice_id
            using errcode = 'check_violation', constraint = 'invoice_total_is_sum_of_lines';
    end if;
    return null;
end
$$;
alter table billing.invoice_line drop constraint invoice_line_invoice;

-- Nothing is posted into a closed period. The share lock makes a close wait for postings that are under way, and those
-- that come while it is committed see it.
create or replace function billing.check_period_open() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    wrong record;
begin
    perform 1 from billing.books b where b.operator_id in (select p.operator_id from posted p) for share;
    select p.posting_date, b.closed_through into wrong
        from (select distinct p.operator_id, p.posting_date from posted p) p
        left join billing.books b on b.operator_id = p.operator_id
        where b.operator_id is null or p.posting_date <= b.closed_through limit 1;
    if found then
        raise exception 'nothing is posted on %: the books are closed through %', wrong.posting_date, wrong.closed_through
            using errcode = 'check_violation', constraint = 'ledger_transaction_period_open';
    end if;
    select p.invoice_id into wrong from posted p
        where p.invoice_id is not null and (select i.invoice_id from billing.invoice i
            where i.operator_id = p.operator_id and i.invoice_id = p.invoice_id limit 1) is null
        limit 1;
    if found then
        raise exception 'a ledger transaction is of invoice % that is not there', wrong.invoice_id
            using errcode = 'foreign_key_violation', constraint = 'ledger_transaction_refers';
    end if;
    insert into billing.unjudged (operator_id, table_name, ids)
        select p.operator_id, 'ledger_transaction', array_agg(p.transaction_id) from posted p group by p.operator_id;
    return null;
end
$$;
alter table billing.ledger_transaction drop constraint ledger_transaction_invoice;
drop trigger ledger_transaction_complete on billing.ledger_transaction;

-- Entries are of a transaction that is there and has not more of them than it says, and of an account that is there.
create or replace function billing.check_ledger_entries() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    wrong record;
begin
    select n.transaction_id, t.entry_count into wrong
        from (select distinct w.operator_id, w.transaction_id from written w) n
        left join lateral (select t.entry_count from billing.ledger_transaction t
            where t.operator_id = n.operator_id and t.transaction_id = n.transaction_id limit 1) t on true
        where t.entry_count is null
           or (select count(*) from billing.ledger_entry e
                   where e.operator_id = n.operator_id and e.transaction_id = n.transaction_id) > t.entry_count
        limit 1;
    if found and wrong.entry_count is null then
        raise exception 'an entry is of ledger transaction % that is not there', wrong.transaction_id
            using errcode = 'foreign_key_violation', constraint = 'ledger_entry_refers';
    elsif found then
        raise exception 'ledger transaction % has all its entries', wrong.transaction_id
            using errcode = 'check_violation', constraint = 'ledger_transaction_complete';
    end if;
    select n.account_id into wrong
        from (select distinct w.operator_id, w.account_id from written w where w.account_id is not null) n
        where (select a.account_id from billing.account a
            where a.operator_id = n.operator_id and a.account_id = n.account_id limit 1) is null
        limit 1;
    if found then
        raise exception 'an entry is of account % that is not there', wrong.account_id
            using errcode = 'foreign_key_violation', constraint = 'ledger_entry_refers';
    end if;
    return null;
end
$$;
alter table billing.ledger_entry drop constraint ledger_entry_transaction, drop constraint ledger_entry_account;

-- No invoice has a number that its series' counter has not passed, from the statement that gives it on: the counter never goes
-- back. An invoice is written without one or with it.
create function billing.check_invoice_numbers() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    wrong bigint;
begin
    select n.number into wrong
        from (select w.operator_id, w.series, max(w.number) as number from written w
            where w.number is not null group by w.operator_id, w.series) n
        where (select c.last_number from billing.number_counter c
            where c.operator_id = n.operator_id and c.series = n.series and c.last_number >= n.number limit 1) is null
        limit 1;
    if found then
        raise exception 'invoice: number % was not drawn from its series', wrong
            using errcode = 'check_violation', constraint = 'invoice_number_drawn';
    end if;
    return null;
end
$$;
alter table billing.invoice drop constraint invoice_counter;
drop trigger invoice_number_drawn on billing.invoice;
create trigger invoice_number_drawn after insert on billing.invoice
    referencing new table as written for each statement execute function billing.check_invoice_numbers();
create trigger invoice_number_given after update on billing.invoice
    referencing new table as written for each statement execute function billing.check_invoice_numbers();

-- A settlement that goes back is found before the function that refuses it is called.
drop trigger invoice_settled_stays on billing.invoice;
create trigger invoice_settled_stays before update on billing.invoice for each row
    when (new.paid_minor < old.paid_minor or new.credited_minor < old.credited_minor
        or new.written_off_minor < old.written_off_minor)
    execute function billing.guard_settlement();
