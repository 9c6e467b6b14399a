-- What a lease owes by its terms beside rent and usage: what is paid ahead and its credits, what is held, the least that is
-- taken, interest on what is late, the fee for ending early.
--
--   * such a line is of the whole lease where it is of no block;
--   * what is paid ahead or held, and the fee, have invoices of their own, and are billed once, whatever run does it;
--   * no more is credited, taken back or freed of what was paid ahead than is left of it.
-- Sessions have an empty search_path while this runs.

alter table billing.lease
    -- How and when it ends before its term, as leasing says.
    add column ending jsonb;
grant update (ending) on billing.lease to billing_worker;

alter table billing.invoice
    add column kind text collate "C" not null default 'REGULAR',
    add constraint invoice_kind check (kind in ('REGULAR', 'PREPAYMENT', 'DEPOSIT', 'TERMINATION_FEE'));

alter table billing.reckoning
    alter column site_id drop not null,
    alter column block_id drop not null,
    add constraint reckoning_block check ((site_id is null) = (block_id is null));

alter table billing.invoice_line
    alter column site_id drop not null,
    alter column block_id drop not null,
    drop constraint invoice_line_charge_type,
    add constraint invoice_line_charge_type check (charge_type in (
        'BASE_RENT', 'ENERGY', 'DEMAND', 'PASS_THROUGH', 'TAX', 'SLA_CREDIT', 'PREPAYMENT', 'DEPOSIT', 'PREPAYMENT_DRAW',
        'TAKE_OR_PAY', 'LATE_INTEREST', 'TERMINATION_FEE')),
    -- None is the whole lease.
    add constraint invoice_line_block check (
        num_nulls(site_id, block_id) = case
            when charge_type in ('PREPAYMENT', 'DEPOSIT', 'PREPAYMENT_DRAW', 'LATE_INTEREST', 'TERMINATION_FEE') then 2
            else 0
        end);
drop index billing.invoice_line_charge;
create unique index invoice_line_charge on billing.invoice_line
    (operator_id, lease_id, site_id, block_id, charge_type, item, period_start, revision) nulls not distinct where live;
create unique index invoice_line_once on billing.invoice_line (operator_id, lease_id, charge_type, revision)
    where live and charge_type in ('PREPAYMENT', 'DEPOSIT', 'TERMINATION_FEE');
create index invoice_line_of_lease on billing.invoice_line (operator_id, lease_id, charge_type)
    where live and site_id is null;

alter table billing.ledger_entry
    drop constraint ledger_entry_ledger_account,
    add constraint ledger_entry_ledger_account check (ledger_account in (
        'accounts_receivable', 'unapplied_cash', 'cash', 'accrued_rent', 'accrued_revenue', 'accrued_expense',
        'prepayments', 'deposits', 'rent_income', 'energy_income', 'demand_income', 'pass_through_income',
        'take_or_pay_income', 'interest_income', 'termination_income', 'sla_credits', 'taxes_payable', 'other_income',
        'bad_debt_expense', 'power_expense', 'other_expense'));

-- Of what was paid ahead something may be left, never less than nothing. Judged at commit under the lock of the lease's
-- row, so that of two deeds at once the second sees the first, is tried again, and is then decided by what is left. The
-- service has no right to lock the row, so the owner does.
create function billing.check_prepaid(operator text, lease text) returns void
    language plpgsql security definer set search_path = '' set enable_seqscan = off as $$
declare
    rest numeric;
begin
    perform 1 from billing.lease l where l.operator_id = operator and l.lease_id = lease for no key update;
    select coalesce(sum(l.amount_minor - coalesce((
            select sum(c.amount_minor) from billing.credit_note_line c
                where c.operator_id = l.operator_id and c.invoice_id = l.invoice_id
                  and c.line_number = l.line_number), 0)), 0)
        into rest from billing.invoice_line l
        where l.operator_id = operator and l.lease_id = lease and l.live and l.site_id is null
          and l.charge_type in ('PREPAYMENT', 'PREPAYMENT_DRAW');
    if rest < 0 then
        raise exception 'lease %: % more is credited than is left of what was paid ahead', lease, -rest
            using errcode = 'serialization_failure', constraint = 'invoice_line_prepaid';
    end if;
end
$$;
create function billing.check_prepaid_line() returns trigger
    language plpgsql security definer set search_path = '' as $$
begin
    perform billing.check_prepaid(new.operator_id, new.lease_id);
    return null;
end
$$;
create function billing.check_prepaid_credit() returns trigger
    language plpgsql security definer set search_path = '' set enable_seqscan = off as $$
declare
    lease text;
begin
    select l.lease_id into lease from billing.invoice_line l
        where l.operator_id = new.operator_id and l.invoice_id = new.invoice_id and l.line_number = new.line_number
          and l.charge_type = 'PREPAYMENT';
    if found then
        perform billing.check_prepaid(new.operator_id, lease);
    end if;
    return null;
end
$$;
revoke execute on function billing.check_prepaid(text, text) from public;
revoke execute on function billing.check_prepaid_line() from public;
revoke execute on function billing.check_prepaid_credit() from public;
create constraint trigger invoice_line_prepaid_drawn after insert on billing.invoice_line
    deferrable initially deferred for each row when (new.charge_type = 'PREPAYMENT_DRAW')
    execute function billing.check_prepaid_line();
create constraint trigger invoice_line_prepaid_freed after update on billing.invoice_line
    deferrable initially deferred for each row when (new.charge_type = 'PREPAYMENT' and old.live and not new.live)
    execute function billing.check_prepaid_line();
create constraint trigger credit_note_line_prepaid after insert on billing.credit_note_line
    deferrable initially deferred for each row execute function billing.check_prepaid_credit();
