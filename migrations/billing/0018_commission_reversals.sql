-- A commission that was recorded wrongly is reversed, once; what its payee was paid comes back.
--
--   * a reversal is written once, two people agreed on it, and from then on the ledger has no cost and no expense of the commission,
--     and owes it what the payee has to return, below zero;
--   * of one reference there is one commission that is not reversed;
--   * of what is reversed nothing becomes an expense or is paid; no more comes back than was paid.
-- Sessions have an empty search_path while this runs.

alter table billing.commission
    drop constraint commission_reference,
    add column reversal_voucher_id uuid,
    add column reverse_time timestamptz,
    add constraint commission_reversal check (num_nulls(reversal_voucher_id, reverse_time) in (0, 2)),
    -- A voucher reverses one.
    add constraint commission_reversal_once unique (operator_id, reversal_voucher_id),
    add constraint commission_reversal_voucher foreign key (operator_id, reversal_voucher_id)
        references billing.voucher (operator_id, voucher_id),
    add constraint commission_reverse_time
        check (reverse_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z');
create unique index commission_reference on billing.commission (operator_id, reference) where reverse_time is null;
grant update (reversal_voucher_id, reverse_time) on billing.commission to billing;

create function billing.guard_commission() returns trigger
    language plpgsql set search_path = '' as $$
declare
    may constant text[] := array['reversal_voucher_id', 'reverse_time'];
begin
    if tg_op = 'DELETE' or old.reverse_time is not null or to_jsonb(new) - may is distinct from to_jsonb(old) - may then
        raise exception 'commission %: it never changes, and is reversed once', old.commission_id
            using errcode = 'check_violation', constraint = 'commission_append_only';
    end if;
    return new;
end
$$;
drop trigger commission_append_only on billing.commission;
create trigger commission_append_only before update or delete on billing.commission
    for each row execute function billing.guard_commission();

-- Judged at commit under the lock of the books, as its moves are: what becomes an expense or is paid beside it comes before, and then
-- the reversal that did not count it is refused, or after, and then it is itself.
create function billing.check_commission_reversal() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    kept numeric;
    cost numeric;
    expense numeric;
    owed numeric;
begin
    perform 1 from billing.books b where b.operator_id = new.operator_id for no key update;
    if not exists (
        select 1 from billing.voucher v
            where v.operator_id = new.operator_id and v.voucher_id = new.reversal_voucher_id
              and v.kind = 'COMMISSION_REVERSAL' and v.state = 'APPROVED'
              and v.content ->> 'commission' = new.commission_id::text
    ) then
        raise exception 'commission %: nobody approved its reversal', new.commission_id
            using errcode = 'check_violation', constraint = 'commission_reversal_two_people';
    end if;
    select coalesce(sum(case m.kind when 'PAID' then m.amount_minor when 'RETURNED' then -m.amount_minor end), 0)
        into kept from billing.commission_move m
        where m.operator_id = new.operator_id and m.commission_id = new.commission_id;
    select coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'commission_costs'), 0),
           coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'commission_expense'), 0),
           coalesce(sum(e.amount_minor) filter (where e.ledger_account = 'commissions_payable'), 0)
        into cost, expense, owed
        from billing.ledger_transaction t
        join billing.ledger_entry e on e.operator_id = t.operator_id and e.transaction_id = t.transaction_id
        where t.operator_id = new.operator_id
          and t.source_id in (
              select new.commission_id
              union all
              select m.move_id from billing.commission_move m
                  where m.operator_id = new.operator_id and m.commission_id = new.commission_id);
    if (cost, expense, owed) is distinct from (0, 0, kept) then
        raise exception 'commission %: reversed, and its cost is %, its expense % and % is owed by its payee, of % that it kept',
            new.commission_id, cost, expense, owed, kept
            using errcode = 'check_violation', constraint = 'commission_reversal_whole';
    end if;
    return null;
end
$$;
create constraint trigger commission_reversal_whole after update on billing.commission
    deferrable initially deferred for each row execute function billing.check_commission_reversal();

alter table billing.commission_move
    drop constraint commission_move_kind,
    add constraint commission_move_kind check (
        kind in ('AMORTIZED', 'WRITTEN_OFF', 'PAID', 'RETURNED')
        and (kind in ('PAID', 'RETURNED')) = (bank_reference is not null));

-- As before; what came back may be paid again, and what is reversed only comes back.
create or replace function billing.check_commission() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    whole bigint;
    reversed timestamptz;
    expensed numeric;
    paid numeric;
    returned numeric;
begin
    perform 1 from billing.books b where b.operator_id = new.operator_id for no key update;
    select c.amount_minor, c.reverse_time into whole, reversed from billing.commission c
        where c.operator_id = new.operator_id and c.commission_id = new.commission_id;
    if reversed is not null and new.kind <> 'RETURNED' then
        raise exception 'commission % is reversed: nothing of it is %', new.commission_id, new.kind
            using errcode = 'check_violation', constraint = 'commission_move_reversed';
    end if;
    select coalesce(sum(m.amount_minor) filter (where m.kind in ('AMORTIZED', 'WRITTEN_OFF')), 0),
           coalesce(sum(m.amount_minor) filter (where m.kind = 'PAID'), 0),
           coalesce(sum(m.amount_minor) filter (where m.kind = 'RETURNED'), 0)
        into expensed, paid, returned from billing.commission_move m
        where m.operator_id = new.operator_id and m.commission_id = new.commission_id;
    if greatest(expensed, paid - returned) > whole or returned > paid then
        raise exception 'commission % is %, of which % became an expense, % was paid and % came back', new.commission_id,
            whole, expensed, paid, returned using errcode = 'check_violation', constraint = 'commission_move_within';
    end if;
    return null;
end
$$;

alter table billing.voucher
    drop constraint voucher_kind,
    add constraint voucher_kind check (kind in (
        'JOURNAL', 'WRITE_OFF', 'REOPEN_PERIOD', 'COMMISSION', 'COMMISSION_REVERSAL', 'PAYMENT_INSTRUCTIONS'));
alter table billing.ledger_transaction
    drop constraint ledger_transaction_kind,
    add constraint ledger_transaction_kind check (kind in (
        'INVOICE_ISSUED', 'INVOICE_VOIDED', 'CREDIT_NOTE_ISSUED', 'PAYMENT_RECEIVED', 'PAYMENT_ALLOCATED',
        'PAYMENT_REFUNDED', 'INVOICE_WRITTEN_OFF', 'JOURNAL_POSTED', 'ACCRUAL_POSTED', 'ACCRUAL_REVERSED',
        'COMMISSION_CAPITALIZED', 'COMMISSION_AMORTIZED', 'COMMISSION_WRITTEN_OFF', 'COMMISSION_PAID',
        'COMMISSION_RETURNED', 'COMMISSION_REVERSED'));
