-- Where tenants pay, and what of it an invoice was issued with.
--
--   * instructions never change, and two people agreed on them; of one operator and currency the highest number is in force;
--   * an issued invoice keeps those that it was issued with, and one that was issued without any never gets some;
--   * a tenant sees those of operators where it has an account in their currency.
-- Sessions have an empty search_path while this runs.

create table billing.payment_instructions (
    operator_id text collate "C" not null,
    instructions_id uuid not null,
    -- By which they were approved.
    voucher_id uuid not null,
    currency_code text collate "C" not null,
    -- Counts those of the currency from 1.
    number integer not null,
    account_holder text not null,
    bank_name text not null,
    iban text collate "C",
    account_number text collate "C",
    bic text collate "C",
    routing_number text collate "C",
    bank_address text not null,
    reference text not null,
    confirm_time timestamptz not null,
    constraint payment_instructions_pkey primary key (operator_id, instructions_id),
    -- Of two that are confirmed at once one comes later.
    constraint payment_instructions_number unique (operator_id, currency_code, number),
    constraint payment_instructions_once unique (operator_id, voucher_id),
    constraint payment_instructions_voucher foreign key (operator_id, voucher_id)
        references billing.voucher (operator_id, voucher_id),
    constraint payment_instructions_number_positive check (number > 0),
    constraint payment_instructions_currency_code check (currency_code ~ '^[A-Z]{3}$'),
    constraint payment_instructions_account check (
        num_nonnulls(iban, account_number) = 1
        and case when iban is null then num_nonnulls(bic, routing_number) > 0 else routing_number is null end),
    constraint payment_instructions_iban check (iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    constraint payment_instructions_account_number check (account_number ~ '^[A-Z0-9]{1,34}$'),
    constraint payment_instructions_bic check (bic ~ '^[A-Z0-9]{4}[A-Z]{2}[A-Z0-9]{2}([A-Z0-9]{3})?$'),
    constraint payment_instructions_routing_number check (routing_number ~ '^[0-9]{9}$'),
    constraint payment_instructions_confirm_time
        check (confirm_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create trigger payment_instructions_append_only before update or delete on billing.payment_instructions
    for each row execute function billing.refuse_change();

-- Whoever writes: a second person has approved them by the commit. The voucher's own constraint says that it was another.
create function billing.check_payment_instructions() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if not exists (
        select 1 from billing.voucher v
            where v.operator_id = new.operator_id and v.voucher_id = new.voucher_id
              and v.kind = 'PAYMENT_INSTRUCTIONS' and v.state = 'APPROVED'
    ) then
        raise exception 'payment instructions %: nobody approved them', new.instructions_id
            using errcode = 'check_violation', constraint = 'payment_instructions_two_people';
    end if;
    return null;
end
$$;
create constraint trigger payment_instructions_two_people after insert on billing.payment_instructions
    deferrable initially deferred for each row execute function billing.check_payment_instructions();

alter table billing.payment_instructions enable row level security;
alter table billing.payment_instructions force row level security;
create policy payment_instructions_operator on billing.payment_instructions to billing, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy payment_instructions_worker on billing.payment_instructions to billing_worker
    using (true) with check (true);
create policy payment_instructions_tenant on billing.payment_instructions for select to billing using (exists (
    select 1 from billing.account a
        where a.operator_id = payment_instructions.operator_id and a.currency_code = payment_instructions.currency_code
          and a.tenant_id = (select current_setting('app.tenant', true))));
grant select, insert on billing.payment_instructions to billing;

alter table billing.voucher
    drop constraint voucher_kind,
    add constraint voucher_kind check (
        kind in ('JOURNAL', 'WRITE_OFF', 'REOPEN_PERIOD', 'COMMISSION', 'PAYMENT_INSTRUCTIONS'));

-- Written with the number, and no row of its own: what is referred to is never deleted and keeps its key, so that to have seen it
-- once is enough.
alter table billing.invoice
    add column payment_instructions_id uuid,
    add constraint invoice_pay_to_issued check (payment_instructions_id is null or number is not null);
grant update (payment_instructions_id) on billing.invoice to billing;

create or replace function billing.guard_invoice() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE' then
        raise exception 'invoices are never deleted'
            using errcode = 'check_violation', constraint = 'invoice_immutable';
    end if;
    if (new.operator_id, new.invoice_id, new.run_id, new.account_id, new.tenant_id, new.lease_id, new.period_start,
        new.period_end, new.currency_code, new.total_minor, new.payment_terms_days, new.create_time)
       is distinct from
       (old.operator_id, old.invoice_id, old.run_id, old.account_id, old.tenant_id, old.lease_id, old.period_start,
        old.period_end, old.currency_code, old.total_minor, old.payment_terms_days, old.create_time)
       or (old.state <> 'DRAFT'
           and (new.series, new.number, new.issue_time, new.due_date, new.payment_instructions_id)
           is distinct from (old.series, old.number, old.issue_time, old.due_date, old.payment_instructions_id))
    then
        raise exception 'invoice %: what is written is never changed; correct it by a credit note', old.invoice_id
            using errcode = 'check_violation', constraint = 'invoice_immutable';
    end if;
    if not (
        (old.state = 'DRAFT' and new.state in ('OPEN', 'VOID'))
        or (old.state = 'OPEN' and new.state in ('PARTIALLY_PAID', 'PAID', 'VOID', 'UNCOLLECTIBLE'))
        or (old.state = 'PARTIALLY_PAID' and new.state in ('PARTIALLY_PAID', 'PAID', 'UNCOLLECTIBLE'))
    ) then
        raise exception 'invoice %: no way from % to %', old.invoice_id, old.state, new.state
            using errcode = 'check_violation', constraint = 'invoice_state_moves';
    end if;
    return new;
end
$$;

-- As before, and what an invoice says where to pay is its operator's, in its currency: a statement writes thousands of invoices
-- and names few instructions.
create or replace function billing.check_invoice_numbers() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    wrong bigint;
    lost uuid;
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
    select n.payment_instructions_id into lost
        from (select distinct w.operator_id, w.currency_code, w.payment_instructions_id from written w
            where w.payment_instructions_id is not null) n
        where (select p.instructions_id from billing.payment_instructions p
            where p.operator_id = n.operator_id and p.instructions_id = n.payment_instructions_id
              and p.currency_code = n.currency_code limit 1) is null
        limit 1;
    if found then
        raise exception 'an invoice is to be paid by instructions % that are not there in its currency', lost
            using errcode = 'foreign_key_violation', constraint = 'invoice_pays_to';
    end if;
    return null;
end
$$;
