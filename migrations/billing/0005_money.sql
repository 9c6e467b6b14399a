-- What happens to an invoice after it is issued, and a month's end: corrections, money in, the close of the books.
--
-- What the database itself holds, whoever writes:
--   * what is paid, credited and written off of an invoice is what the rows below say, never more than its total, never
--     less than before, and fits its state;
--   * no more of a payment is used than came, no more of a line is credited than it charged;
--   * a bank reference is recorded once per operator;
--   * nothing is posted into a closed period, also by a transaction that was under way when it closed;
--   * nobody approves a voucher of his own.
-- Deeds on one account take turns by raising `account.deed_count`. Sessions have an empty search_path while this runs.

alter table billing.account
    add column deed_count bigint not null default 0,
    add constraint account_deed_count check (deed_count >= 0);

alter table billing.invoice
    add column paid_minor bigint not null default 0,
    add column credited_minor bigint not null default 0,
    add column written_off_minor bigint not null default 0,
    -- Why it is void or uncollectible.
    add column state_reason text not null default '',
    add constraint invoice_settled check (
        paid_minor >= 0 and credited_minor >= 0 and written_off_minor >= 0
        and case state
            when 'PARTIALLY_PAID' then
                written_off_minor = 0 and paid_minor + credited_minor between 1 and total_minor - 1
            when 'PAID' then written_off_minor = 0 and paid_minor + credited_minor = total_minor
            when 'UNCOLLECTIBLE' then
                written_off_minor > 0 and paid_minor + credited_minor + written_off_minor = total_minor
            else paid_minor = 0 and credited_minor = 0 and written_off_minor = 0
        end);

alter table billing.ledger_entry
    drop constraint ledger_entry_ledger_account,
    add constraint ledger_entry_ledger_account check (ledger_account in (
        'accounts_receivable', 'unapplied_cash', 'cash', 'accrued_rent', 'accrued_revenue', 'accrued_expense',
        'rent_income', 'energy_income', 'demand_income', 'pass_through_income', 'sla_credits', 'taxes_payable',
        'other_income', 'bad_debt_expense', 'power_expense', 'other_expense'));

create table billing.credit_note (
    operator_id text collate "C" not null,
    credit_note_id uuid not null,
    invoice_id uuid not null,
    account_id uuid not null,
    tenant_id text collate "C" not null,
    currency_code text collate "C" not null,
    total_minor bigint not null,
    -- What of it lowers what is owed; the rest was paid already and is kept for the tenant.
    applied_minor bigint not null,
    reason text not null,
    -- Whether its lines may be billed again.
    rebill boolean not null,
    series text collate "C" not null,
    number bigint not null,
    create_time timestamptz not null,
    constraint credit_note_pkey primary key (operator_id, credit_note_id),
    constraint credit_note_number unique (operator_id, series, number),
    constraint credit_note_invoice
        foreign key (operator_id, invoice_id) references billing.invoice (operator_id, invoice_id),
    constraint credit_note_account foreign key (operator_id, account_id, tenant_id, currency_code)
        references billing.account (operator_id, account_id, tenant_id, currency_code),
    constraint credit_note_counter foreign key (operator_id, series)
        references billing.number_counter (operator_id, series),
    constraint credit_note_amounts check (total_minor > 0 and applied_minor between 0 and total_minor),
    constraint credit_note_number_positive check (number > 0),
    constraint credit_note_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index credit_note_by_invoice on billing.credit_note (operator_id, invoice_id);
create index credit_note_by_account on billing.credit_note (operator_id, account_id, tenant_id, currency_code);
create index credit_note_by_tenant on billing.credit_note (tenant_id, operator_id, credit_note_id);

create table billing.credit_note_line (
    operator_id text collate "C" not null,
    credit_note_id uuid not null,
    invoice_id uuid not null,
    -- The line of the invoice.
    line_number integer not null,
    amount_minor bigint not null,
    constraint credit_note_line_pkey primary key (operator_id, credit_note_id, line_number),
    constraint credit_note_line_note foreign key (operator_id, credit_note_id)
        references billing.credit_note (operator_id, credit_note_id),
    constraint credit_note_line_line foreign key (operator_id, invoice_id, line_number)
        references billing.invoice_line (operator_id, invoice_id, line_number),
    -- Below zero where the line gave back.
    constraint credit_note_line_amount check (amount_minor <> 0)
);
create index credit_note_line_by_line on billing.credit_note_line (operator_id, invoice_id, line_number);

-- Money that came, or was kept when a credit note took back what had been paid.
create table billing.payment (
    operator_id text collate "C" not null,
    payment_id uuid not null,
    account_id uuid not null,
    tenant_id text collate "C" not null,
    currency_code text collate "C" not null,
    kind text collate "C" not null,
    -- The bank's; of a credit note its number.
    reference text collate "C" not null,
    value_date date not null,
    note text not null,
    amount_minor bigint not null,
    allocated_minor bigint not null default 0,
    refunded_minor bigint not null default 0,
    version bigint not null,
    create_time timestamptz not null,
    constraint payment_pkey primary key (operator_id, payment_id),
    constraint payment_reference unique (operator_id, kind, reference),
    constraint payment_account foreign key (operator_id, account_id, tenant_id, currency_code)
        references billing.account (operator_id, account_id, tenant_id, currency_code),
    constraint payment_kind check (kind in ('BANK', 'CREDIT_NOTE')),
    constraint payment_value_date check (value_date between date '2000-01-01' and date '9999-12-31'),
    constraint payment_amounts check (
        amount_minor > 0 and allocated_minor >= 0 and refunded_minor >= 0
        and allocated_minor + refunded_minor <= amount_minor),
    constraint payment_version check (version > 0),
    constraint payment_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index payment_by_account on billing.payment (operator_id, account_id, tenant_id, currency_code);
create index payment_by_tenant on billing.payment (tenant_id, operator_id, payment_id);

-- Which invoice a part of a payment pays.
create table billing.payment_allocation (
    operator_id text collate "C" not null,
    allocation_id uuid not null,
    payment_id uuid not null,
    invoice_id uuid not null,
    amount_minor bigint not null,
    posting_date date not null,
    create_time timestamptz not null,
    constraint payment_allocation_pkey primary key (operator_id, allocation_id),
    constraint payment_allocation_payment
        foreign key (operator_id, payment_id) references billing.payment (operator_id, payment_id),
    constraint payment_allocation_invoice
        foreign key (operator_id, invoice_id) references billing.invoice (operator_id, invoice_id),
    constraint payment_allocation_amount check (amount_minor > 0),
    constraint payment_allocation_posting_date
        check (posting_date between date '2000-01-01' and date '9999-12-31'),
    constraint payment_allocation_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index payment_allocation_by_payment on billing.payment_allocation (operator_id, payment_id);
create index payment_allocation_by_invoice on billing.payment_allocation (operator_id, invoice_id);

-- What of a payment was sent back.
create table billing.payment_refund (
    operator_id text collate "C" not null,
    refund_id uuid not null,
    payment_id uuid not null,
    reference text collate "C" not null,
    amount_minor bigint not null,
    create_time timestamptz not null,
    constraint payment_refund_pkey primary key (operator_id, refund_id),
    constraint payment_refund_reference unique (operator_id, reference),
    constraint payment_refund_payment
        foreign key (operator_id, payment_id) references billing.payment (operator_id, payment_id),
    constraint payment_refund_amount check (amount_minor > 0),
    constraint payment_refund_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index payment_refund_by_payment on billing.payment_refund (operator_id, payment_id);

-- How far an operator's books are closed. One row an operator, made with it, so that it can be locked.
create table billing.books (
    operator_id text collate "C" not null,
    -- The last day into which nothing is posted any more.
    closed_through date,
    -- Raised by every change; the etag.
    version bigint not null default 1,
    constraint books_pkey primary key (operator_id),
    constraint books_entity foreign key (operator_id) references billing.billing_entity (operator_id),
    -- A month is closed as a whole.
    constraint books_closed_through check (
        closed_through between date '2000-01-31' and date '9999-12-31'
        and extract(day from closed_through + 1) = 1),
    constraint books_version check (version > 0)
);
create function billing.open_books() returns trigger
    language plpgsql set search_path = '' as $$
begin
    insert into billing.books (operator_id) values (new.operator_id);
    return null;
end
$$;
create trigger billing_entity_books after insert on billing.billing_entity
    for each row execute function billing.open_books();

-- Who closed and reopened which month, and when.
create table billing.period_deed (
    operator_id text collate "C" not null,
    deed_id uuid not null,
    month date not null,
    deed text collate "C" not null,
    subject text not null,
    create_time timestamptz not null,
    constraint period_deed_pkey primary key (operator_id, deed_id),
    constraint period_deed_books foreign key (operator_id) references billing.books (operator_id),
    constraint period_deed_deed check (deed in ('CLOSE', 'REOPEN')),
    constraint period_deed_month check (
        extract(day from month) = 1 and month between date '2000-01-01' and date '9999-12-01'),
    constraint period_deed_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- What two people must agree on before it is done.
create table billing.voucher (
    operator_id text collate "C" not null,
    voucher_id uuid not null,
    kind text collate "C" not null,
    content jsonb not null,
    reason text not null,
    state text collate "C" not null,
    author text not null,
    decider text,
    version bigint not null,
    create_time timestamptz not null,
    decide_time timestamptz,
    constraint voucher_pkey primary key (operator_id, voucher_id),
    constraint voucher_books foreign key (operator_id) references billing.books (operator_id),
    constraint voucher_kind check (kind in ('JOURNAL', 'WRITE_OFF', 'REOPEN_PERIOD')),
    constraint voucher_state check (
        state in ('PROPOSED', 'APPROVED', 'REJECTED')
        and num_nulls(decider, decide_time) = case state when 'PROPOSED' then 2 else 0 end),
    constraint voucher_two_people check (state <> 'APPROVED' or decider <> author),
    constraint voucher_version check (version > 0),
    constraint voucher_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint voucher_decide_time
        check (decide_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

do $append_only$
declare
    t text;
begin
    foreach t in array array['credit_note', 'credit_note_line', 'payment_allocation', 'payment_refund', 'period_deed'] loop
        execute format('create trigger %I before update or delete on billing.%I
            for each row execute function billing.refuse_change()', t || '_append_only', t);
    end loop;
end
$append_only$;

-- What is settled of an invoice only grows.
create function billing.guard_settlement() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if new.paid_minor < old.paid_minor or new.credited_minor < old.credited_minor
       or new.written_off_minor < old.written_off_minor then
        raise exception 'invoice %: what is settled stays settled', old.invoice_id
            using errcode = 'check_violation', constraint = 'invoice_settled_stays';
    end if;
    return new;
end
$$;
create trigger invoice_settled_stays before update on billing.invoice
    for each row execute function billing.guard_settlement();

-- What an invoice says is paid and credited is what allocations and credit notes say, judged at commit.
create function billing.check_settlement() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    paid bigint;
    credited bigint;
begin
    select coalesce(sum(a.amount_minor), 0) into paid from billing.payment_allocation a
        where a.operator_id = new.operator_id and a.invoice_id = new.invoice_id;
    select coalesce(sum(n.applied_minor), 0) into credited from billing.credit_note n
        where n.operator_id = new.operator_id and n.invoice_id = new.invoice_id;
    if not exists (
        select 1 from billing.invoice i
            where i.operator_id = new.operator_id and i.invoice_id = new.invoice_id
              and i.paid_minor = paid and i.credited_minor = credited
    ) then
        raise exception 'invoice %: its rows say % paid and % credited', new.invoice_id, paid, credited
            using errcode = 'check_violation', constraint = 'invoice_settled_by_rows';
    end if;
    return null;
end
$$;
create constraint trigger invoice_settled_by_rows after update on billing.invoice
    deferrable initially deferred for each row
    when (new.paid_minor <> old.paid_minor or new.credited_minor <> old.credited_minor)
    execute function billing.check_settlement();
create constraint trigger payment_allocation_settles after insert on billing.payment_allocation
    deferrable initially deferred for each row execute function billing.check_settlement();
create constraint trigger credit_note_settles after insert on billing.credit_note
    deferrable initially deferred for each row execute function billing.check_settlement();

-- The same for what is used of a payment.
create function billing.check_payment_use() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    allocated bigint;
    refunded bigint;
begin
    select coalesce(sum(a.amount_minor), 0) into allocated from billing.payment_allocation a
        where a.operator_id = new.operator_id and a.payment_id = new.payment_id;
    select coalesce(sum(r.amount_minor), 0) into refunded from billing.payment_refund r
        where r.operator_id = new.operator_id and r.payment_id = new.payment_id;
    if not exists (
        select 1 from billing.payment p
            where p.operator_id = new.operator_id and p.payment_id = new.payment_id
              and p.allocated_minor = allocated and p.refunded_minor = refunded
    ) then
        raise exception 'payment %: its rows say % allocated and % refunded', new.payment_id, allocated, refunded
            using errcode = 'check_violation', constraint = 'payment_used_by_rows';
    end if;
    return null;
end
$$;
create constraint trigger payment_used_by_rows after insert or update on billing.payment
    deferrable initially deferred for each row execute function billing.check_payment_use();
create constraint trigger payment_allocation_uses after insert on billing.payment_allocation
    deferrable initially deferred for each row execute function billing.check_payment_use();
create constraint trigger payment_refund_uses after insert on billing.payment_refund
    deferrable initially deferred for each row execute function billing.check_payment_use();

-- A payment's facts never change; what is used of it only grows.
create function billing.guard_payment() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE'
       or (new.operator_id, new.payment_id, new.account_id, new.tenant_id, new.currency_code, new.kind, new.reference,
           new.value_date, new.note, new.amount_minor, new.create_time)
          is distinct from
          (old.operator_id, old.payment_id, old.account_id, old.tenant_id, old.currency_code, old.kind, old.reference,
           old.value_date, old.note, old.amount_minor, old.create_time)
       or new.allocated_minor < old.allocated_minor or new.refunded_minor < old.refunded_minor
    then
        raise exception 'payment %: what came stays as it came', old.payment_id
            using errcode = 'check_violation', constraint = 'payment_immutable';
    end if;
    return new;
end
$$;
create trigger payment_guard before update or delete on billing.payment
    for each row execute function billing.guard_payment();

-- A credit note is the sum of its lines, and of no line more is credited than it charged, judged at commit. Lines of one
-- that bills again are freed then, as those of a void invoice: the service has no right to change lines, so the owner
-- does it, and only of lines that are credited whole.
create function billing.check_credit_note() returns trigger
    language plpgsql security definer set search_path = '' as $$
declare
    summed numeric;
    wrong integer;
begin
    select sum(l.amount_minor) into summed from billing.credit_note_line l
        where l.operator_id = new.operator_id and l.credit_note_id = new.credit_note_id;
    if summed is distinct from new.total_minor then
        raise exception 'credit note % says %, its lines sum to %', new.credit_note_id, new.total_minor, summed
            using errcode = 'check_violation', constraint = 'credit_note_total_is_sum_of_lines';
    end if;
    select l.line_number into wrong
        from billing.credit_note_line c join billing.invoice_line l
            on l.operator_id = c.operator_id and l.invoice_id = c.invoice_id and l.line_number = c.line_number
        where c.operator_id = new.operator_id and c.invoice_id = new.invoice_id
        group by l.line_number, l.amount_minor
        having sum(c.amount_minor) not between least(0, l.amount_minor) and greatest(0, l.amount_minor)
            or (new.rebill and sum(c.amount_minor) <> l.amount_minor
                and bool_or(c.credit_note_id = new.credit_note_id))
        limit 1;
    if found then
        raise exception 'line % of invoice % is credited beyond its amount, or freed and not credited whole', wrong,
            new.invoice_id using errcode = 'check_violation', constraint = 'credit_note_within_lines';
    end if;
    if new.rebill then
        update billing.invoice_line l set live = false from billing.credit_note_line c
            where c.operator_id = new.operator_id and c.credit_note_id = new.credit_note_id
              and l.operator_id = c.operator_id and l.invoice_id = c.invoice_id and l.line_number = c.line_number
              and l.live;
    end if;
    return null;
end
$$;
revoke execute on function billing.check_credit_note() from public;
create constraint trigger credit_note_within_lines after insert on billing.credit_note
    deferrable initially deferred for each row execute function billing.check_credit_note();
create constraint trigger credit_note_number_drawn after insert on billing.credit_note
    deferrable initially deferred for each row execute function billing.check_invoice_number();

-- Nothing is posted into a closed period. The share lock makes a close wait for postings that are under way, and those
-- that come while it is committed see it.
create function billing.check_period_open() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    late record;
begin
    perform 1 from billing.books b where b.operator_id in (select p.operator_id from posted p) for share;
    select p.posting_date, b.closed_through into late
        from posted p left join billing.books b on b.operator_id = p.operator_id
        where b.operator_id is null or p.posting_date <= b.closed_through limit 1;
    if found then
        raise exception 'nothing is posted on %: the books are closed through %', late.posting_date, late.closed_through
            using errcode = 'check_violation', constraint = 'ledger_transaction_period_open';
    end if;
    return null;
end
$$;
create trigger ledger_transaction_period_open after insert on billing.ledger_transaction
    referencing new table as posted for each statement execute function billing.check_period_open();

-- Row level security: an operator sees its own rows; a tenant its credit notes, its payments, and what moves its account.
do $policies$
declare
    t text;
begin
    foreach t in array array['credit_note', 'credit_note_line', 'payment', 'payment_allocation', 'payment_refund',
                             'books', 'period_deed', 'voucher'] loop
        execute format('alter table billing.%I enable row level security', t);
        execute format('alter table billing.%I force row level security', t);
        execute format('create policy %I on billing.%I to billing, gridlease_owner
            using (operator_id = (select current_setting(''app.operator'', true)))
            with check (operator_id = (select current_setting(''app.operator'', true)))', t || '_operator', t);
        execute format('create policy %I on billing.%I to billing_worker using (true) with check (true)',
            t || '_worker', t);
    end loop;
    foreach t in array array['credit_note', 'payment'] loop
        execute format('create policy %I on billing.%I for select to billing
            using (tenant_id = (select current_setting(''app.tenant'', true)))', t || '_tenant', t);
    end loop;
end
$policies$;
create policy credit_note_line_tenant on billing.credit_note_line for select to billing using (exists (
    select 1 from billing.credit_note n
        where n.operator_id = credit_note_line.operator_id and n.credit_note_id = credit_note_line.credit_note_id
          and n.tenant_id = (select current_setting('app.tenant', true))));
create policy payment_allocation_tenant on billing.payment_allocation for select to billing using (exists (
    select 1 from billing.payment p
        where p.operator_id = payment_allocation.operator_id and p.payment_id = payment_allocation.payment_id
          and p.tenant_id = (select current_setting('app.tenant', true))));
create policy payment_refund_tenant on billing.payment_refund for select to billing using (exists (
    select 1 from billing.payment p
        where p.operator_id = payment_refund.operator_id and p.payment_id = payment_refund.payment_id
          and p.tenant_id = (select current_setting('app.tenant', true))));
create policy ledger_entry_tenant on billing.ledger_entry for select to billing using (
    ledger_account in ('accounts_receivable', 'unapplied_cash') and exists (
        select 1 from billing.account a
            where a.operator_id = ledger_entry.operator_id and a.account_id = ledger_entry.account_id
              and a.tenant_id = (select current_setting('app.tenant', true))));
create policy ledger_transaction_tenant on billing.ledger_transaction for select to billing using (exists (
    select 1 from billing.ledger_entry e
        where e.operator_id = ledger_transaction.operator_id
          and e.transaction_id = ledger_transaction.transaction_id));

grant update (deed_count) on billing.account to billing;
grant update (paid_minor, credited_minor, written_off_minor, state_reason) on billing.invoice to billing;
grant select, insert on billing.credit_note, billing.credit_note_line, billing.payment, billing.payment_allocation,
    billing.payment_refund, billing.books, billing.period_deed, billing.voucher to billing;
grant update (allocated_minor, refunded_minor, version) on billing.payment to billing;
grant update (closed_through, version) on billing.books to billing;
grant update (state, decider, version, decide_time) on billing.voucher to billing;
grant select, insert on billing.books to billing_worker;
