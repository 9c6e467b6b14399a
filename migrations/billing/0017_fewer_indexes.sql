-- What a billing run writes thousands of rows of is in the indexes that somebody reads by, and in no other; and what it refers to is
-- looked up by the statement. Sessions have an empty search_path while this runs.

-- Rows that refer to nothing: plain rent has no reckoning, and income and expense are no tenant's account.
drop index billing.invoice_line_by_reckoning;
create index invoice_line_by_reckoning on billing.invoice_line (operator_id, reckoning_id) where reckoning_id is not null;
drop index billing.ledger_entry_by_account;
create index ledger_entry_by_account on billing.ledger_entry (operator_id, account_id) where account_id is not null;

-- A draft has no number, and an account is asked for what is owed.
alter table billing.invoice drop constraint invoice_number;
create unique index invoice_number on billing.invoice (operator_id, series, number) where number is not null;
drop index billing.invoice_by_account;
create index invoice_owed on billing.invoice (operator_id, account_id, due_date, number)
    where state in ('OPEN', 'PARTIALLY_PAID');

-- One for the invoices of a run: its drafts, which have no number, in order of lease. With two the drafts were taken by the wrong one.
drop index billing.invoice_draft_of_run;
drop index billing.invoice_by_run;
create index invoice_of_run on billing.invoice (operator_id, run_id, number, lease_id, invoice_id);

-- Leases and their versions are never deleted and keep their keys, so that to have seen them once is enough; foreign keys locked a
-- row of each for every invoice and line.
create trigger lease_keeps_key before delete or update of operator_id, lease_id on billing.lease
    for each row execute function billing.keep_key();

create or replace function billing.check_invoices() returns trigger
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
    if lost is null then
        select 'lease ' || w.lease_id into lost from written w
            where (select l.lease_id from billing.lease l
                where l.operator_id = w.operator_id and l.lease_id = w.lease_id limit 1) is null
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
alter table billing.invoice drop constraint invoice_lease;

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
    select n.lease_id, n.lease_version into wrong
        from (select distinct w.operator_id, w.lease_id, w.lease_version from written w) n
        where (select v.version from billing.lease_version v
            where v.operator_id = n.operator_id and v.lease_id = n.lease_id and v.version = n.lease_version limit 1) is null
        limit 1;
    if found then
        raise exception 'a line is of version % of lease % that is not there', wrong.lease_version, wrong.lease_id
            using errcode = 'foreign_key_violation', constraint = 'invoice_line_refers';
    end if;
    return null;
end
$$;
alter table billing.invoice_line drop constraint invoice_line_version;
drop index billing.invoice_line_by_version;
