-- What somebody earned by bringing a lease, and how it becomes an expense.
--
--   * a commission never changes; of one reference there is one per operator, and two people agreed on it;
--   * no more of it becomes an expense, and no more is paid, than it is;
--   * of one last day it becomes an expense once, and it is written off once, whatever closes a month.
-- Sessions have an empty search_path while this runs.

create table billing.commission (
    operator_id text collate "C" not null,
    -- That of the voucher by which it was approved.
    commission_id uuid not null,
    lease_id text collate "C" not null,
    payee text not null,
    reference text collate "C" not null,
    trigger_kind text collate "C" not null,
    earn_date date not null,
    currency_code text collate "C" not null,
    amount_minor bigint not null,
    create_time timestamptz not null,
    constraint commission_pkey primary key (operator_id, commission_id),
    constraint commission_voucher foreign key (operator_id, commission_id)
        references billing.voucher (operator_id, voucher_id),
    constraint commission_lease foreign key (operator_id, lease_id) references billing.lease (operator_id, lease_id),
    constraint commission_reference unique (operator_id, reference),
    constraint commission_trigger check (trigger_kind in ('SIGNING', 'COMMENCEMENT')),
    constraint commission_earn_date check (earn_date between date '2000-01-01' and date '9999-12-31'),
    constraint commission_currency_code check (currency_code ~ '^[A-Z]{3}$'),
    constraint commission_amount check (amount_minor > 0),
    constraint commission_create_time check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index commission_by_lease on billing.commission (operator_id, lease_id);

-- What became an expense, and what was paid.
create table billing.commission_move (
    operator_id text collate "C" not null,
    move_id uuid not null,
    commission_id uuid not null,
    kind text collate "C" not null,
    -- The last day up to which it became an expense; of a payment the bank's day.
    through_date date not null,
    amount_minor bigint not null,
    -- The bank's, of a payment.
    bank_reference text collate "C",
    create_time timestamptz not null,
    constraint commission_move_pkey primary key (operator_id, move_id),
    constraint commission_move_commission foreign key (operator_id, commission_id)
        references billing.commission (operator_id, commission_id),
    constraint commission_move_kind check (
        kind in ('AMORTIZED', 'WRITTEN_OFF', 'PAID') and (kind = 'PAID') = (bank_reference is not null)),
    constraint commission_move_bank_reference unique (operator_id, bank_reference),
    constraint commission_move_through check (through_date between date '2000-01-01' and date '9999-12-31'),
    constraint commission_move_amount check (amount_minor > 0),
    constraint commission_move_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index commission_move_by_commission on billing.commission_move (operator_id, commission_id, kind);
create unique index commission_move_amortized_once on billing.commission_move (operator_id, commission_id, through_date)
    where kind = 'AMORTIZED';
create unique index commission_move_written_off_once on billing.commission_move (operator_id, commission_id)
    where kind = 'WRITTEN_OFF';

create trigger commission_append_only before update or delete on billing.commission
    for each row execute function billing.refuse_change();
create trigger commission_move_append_only before update or delete on billing.commission_move
    for each row execute function billing.refuse_change();

-- Judged at commit under the lock of the books, which whoever moves a commission takes first: of two at once the second sees the
-- first.
create function billing.check_commission() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    whole bigint;
    expensed numeric;
    paid numeric;
begin
    perform 1 from billing.books b where b.operator_id = new.operator_id for no key update;
    select c.amount_minor into whole from billing.commission c
        where c.operator_id = new.operator_id and c.commission_id = new.commission_id;
    select coalesce(sum(m.amount_minor) filter (where m.kind <> 'PAID'), 0),
           coalesce(sum(m.amount_minor) filter (where m.kind = 'PAID'), 0)
        into expensed, paid from billing.commission_move m
        where m.operator_id = new.operator_id and m.commission_id = new.commission_id;
    if greatest(expensed, paid) > whole then
        raise exception 'commission % is %, of which % became an expense and % was paid', new.commission_id, whole,
            expensed, paid using errcode = 'check_violation', constraint = 'commission_move_within';
    end if;
    return null;
end
$$;
create constraint trigger commission_move_within after insert on billing.commission_move
    deferrable initially deferred for each row execute function billing.check_commission();

do $policies$
declare
    t text;
begin
    foreach t in array array['commission', 'commission_move'] loop
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
grant select, insert on billing.commission, billing.commission_move to billing;

alter table billing.voucher
    drop constraint voucher_kind,
    add constraint voucher_kind check (kind in ('JOURNAL', 'WRITE_OFF', 'REOPEN_PERIOD', 'COMMISSION'));
alter table billing.ledger_transaction
    drop constraint ledger_transaction_kind,
    add constraint ledger_transaction_kind check (kind in (
        'INVOICE_ISSUED', 'INVOICE_VOIDED', 'CREDIT_NOTE_ISSUED', 'PAYMENT_RECEIVED', 'PAYMENT_ALLOCATED',
        'PAYMENT_REFUNDED', 'INVOICE_WRITTEN_OFF', 'JOURNAL_POSTED', 'ACCRUAL_POSTED', 'ACCRUAL_REVERSED',
        'COMMISSION_CAPITALIZED', 'COMMISSION_AMORTIZED', 'COMMISSION_WRITTEN_OFF', 'COMMISSION_PAID'));
alter table billing.ledger_entry
    drop constraint ledger_entry_ledger_account,
    add constraint ledger_entry_ledger_account check (ledger_account in (
        'accounts_receivable', 'unapplied_cash', 'cash', 'accrued_rent', 'accrued_revenue', 'accrued_expense',
        'prepayments', 'deposits', 'rent_income', 'energy_income', 'demand_income', 'pass_through_income',
        'take_or_pay_income', 'interest_income', 'termination_income', 'sla_credits', 'taxes_payable', 'other_income',
        'bad_debt_expense', 'power_expense', 'other_expense', 'commission_costs', 'commissions_payable',
        'commission_expense'));
