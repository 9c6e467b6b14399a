-- What is owed and why: a copy of the leases as leasing told them, the invoices made from them, and the ledger.
--
-- What the database itself holds, whoever writes:
--   * nothing is billed twice: `invoice_line_charge` is unique while the invoice is not void;
--   * a total is the sum of its lines, and an invoice's facts never change after it is written;
--   * numbers are gapless per operator and series: the counter moves only with the invoices that took its numbers;
--   * every ledger transaction sums to zero per currency and is complete; ledgers and lines are append only.
-- Amounts are bigint minor units; a debit is positive, a credit negative.
-- Sessions have an empty search_path while this runs, so every name is written with its schema.

-- Refuses a change of rows that are written once; privileges refuse it to the services before this does.
create function billing.refuse_change() returns trigger
    language plpgsql set search_path = '' as $$
begin
    raise exception 'rows of billing.% are written once', tg_table_name
        using errcode = 'check_violation', constraint = tg_table_name || '_append_only';
end
$$;

-- An operator as issuer of invoices. `run_count` numbers the billing runs; raising it is also the lock under which
-- two runs of one operator take turns, so that the second sees what the first billed.
create table billing.billing_entity (
    operator_id text collate "C" not null,
    run_count bigint not null default 0,
    create_time timestamptz not null,
    constraint billing_entity_pkey primary key (operator_id),
    constraint billing_entity_run_count check (run_count >= 0),
    constraint billing_entity_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- One account for a tenant in one currency of one operator: what it owes there.
create table billing.account (
    operator_id text collate "C" not null,
    account_id uuid not null,
    tenant_id text collate "C" not null,
    currency_code text collate "C" not null,
    create_time timestamptz not null,
    constraint account_pkey primary key (operator_id, account_id),
    constraint account_tenant_currency unique (operator_id, tenant_id, currency_code),
    -- What an invoice refers to, so that its tenant and currency are its account's.
    constraint account_identity unique (operator_id, account_id, tenant_id, currency_code),
    constraint account_entity foreign key (operator_id) references billing.billing_entity (operator_id),
    constraint account_currency_code check (currency_code ~ '^[A-Z]{3}$'),
    constraint account_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index account_by_tenant on billing.account (tenant_id, operator_id, account_id);

-- A lease as leasing's last event told it. Only the worker writes here.
create table billing.lease (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    tenant_id text collate "C" not null,
    version bigint not null,
    state text collate "C" not null,
    currency_code text collate "C" not null,
    -- What is charged for days before it was billed elsewhere; none where all is billed here.
    billed_from date,
    last_event_id uuid not null,
    update_time timestamptz not null,
    constraint lease_pkey primary key (operator_id, lease_id),
    constraint lease_version_positive check (version > 0),
    constraint lease_state check (state in ('DRAFT', 'PROPOSING', 'PROPOSED', 'SIGNING', 'SIGNED', 'EFFECTIVE', 'ACTIVE',
                                            'HOLDOVER', 'DEFAULTED', 'EXPIRED', 'TERMINATED', 'CLOSED', 'CANCELLED',
                                            'LAPSED')),
    constraint lease_currency_code check (currency_code ~ '^[A-Z]{3}$'),
    constraint lease_billed_from check (billed_from between '2000-01-01' and '9999-12-31'),
    constraint lease_update_time
        check (update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index lease_by_tenant on billing.lease (tenant_id, operator_id, lease_id);

-- The billing terms of each version, kept for ever: an invoice line names the version it was computed from.
create table billing.lease_version (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    version bigint not null,
    terms jsonb not null,
    event_id uuid not null,
    create_time timestamptz not null,
    constraint lease_version_pkey primary key (operator_id, lease_id, version),
    constraint lease_version_lease
        foreign key (operator_id, lease_id) references billing.lease (operator_id, lease_id),
    constraint lease_version_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create trigger lease_version_append_only before update or delete on billing.lease_version
    for each row execute function billing.refuse_change();

-- How far each block of a lease is: only a commenced (or already ended) block is billed. moved: its days and rates, where
-- they are other ones than the terms say, since it was handed over early or late, or the lease ended first.
create table billing.lease_block (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    site_id text collate "C" not null,
    block_id text collate "C" not null,
    state text collate "C" not null,
    moved jsonb,
    constraint lease_block_pkey primary key (operator_id, lease_id, site_id, block_id),
    constraint lease_block_lease
        foreign key (operator_id, lease_id) references billing.lease (operator_id, lease_id),
    constraint lease_block_state check (state in ('PLANNED', 'COMMENCED', 'ENDED', 'LAPSED'))
);

-- Events already applied, by id: a feed that starts a new epoch after a restore tells old events again.
create table billing.applied_event (
    operator_id text collate "C" not null,
    event_id uuid not null,
    source text collate "C" not null,
    apply_time timestamptz not null,
    constraint applied_event_pkey primary key (operator_id, event_id),
    constraint applied_event_apply_time
        check (apply_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- A lease whose last event could not be understood. It is left out of billing runs until a later event of the
-- same lease is understood; every other lease goes on. `subject` is the resource name in the event.
create table billing.parked_lease (
    operator_id text collate "C" not null,
    subject text collate "C" not null,
    event_id uuid not null,
    kind text collate "C" not null,
    problem text not null,
    park_time timestamptz not null,
    constraint parked_lease_pkey primary key (operator_id, subject),
    constraint parked_lease_park_time
        check (park_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- One billing of one month; `run_number` counts all runs of the operator, so a month's second run is supplementary.
create table billing.billing_run (
    operator_id text collate "C" not null,
    run_id uuid not null,
    run_number bigint not null,
    billing_month date not null,
    state text collate "C" not null,
    version bigint not null,
    create_time timestamptz not null,
    issue_time timestamptz,
    constraint billing_run_pkey primary key (operator_id, run_id),
    constraint billing_run_number unique (operator_id, run_number),
    constraint billing_run_entity foreign key (operator_id) references billing.billing_entity (operator_id),
    constraint billing_run_number_positive check (run_number > 0),
    constraint billing_run_version check (version > 0),
    constraint billing_run_state check (
        state in ('COMPUTING', 'DRAFT', 'ISSUING', 'ISSUED') and (state = 'ISSUED') = (issue_time is not null)),
    constraint billing_run_month check (
        extract(day from billing_month) = 1
        and billing_month between date '2000-01-01' and date '9998-12-01'),
    constraint billing_run_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint billing_run_issue_time
        check (issue_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index billing_run_by_month on billing.billing_run (operator_id, billing_month);
-- What a replica goes on with.
create index billing_run_unfinished on billing.billing_run (create_time) where state in ('COMPUTING', 'ISSUING');

-- The leases of a run in pieces that are computed one transaction each, by any replica: whoever has its row locked. It is
-- done in the commit that writes its invoices, so that a piece whose worker is killed is computed again, and once.
create table billing.billing_run_chunk (
    operator_id text collate "C" not null,
    run_id uuid not null,
    chunk_number integer not null,
    -- In order of id, both inclusive.
    first_lease_id text collate "C" not null,
    last_lease_id text collate "C" not null,
    lease_count bigint not null,
    done_time timestamptz,
    constraint billing_run_chunk_pkey primary key (operator_id, run_id, chunk_number),
    constraint billing_run_chunk_run foreign key (operator_id, run_id) references billing.billing_run (operator_id, run_id),
    constraint billing_run_chunk_number check (chunk_number > 0),
    constraint billing_run_chunk_leases check (first_lease_id <= last_lease_id and lease_count > 0),
    constraint billing_run_chunk_done_time
        check (done_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- What a run could not bill, in the words that its answer tells.
create table billing.billing_run_problem (
    operator_id text collate "C" not null,
    problem_id uuid not null,
    run_id uuid not null,
    lease_id text collate "C" not null,
    -- None is the whole lease.
    site_id text collate "C",
    block_id text collate "C",
    problem text not null,
    constraint billing_run_problem_pkey primary key (operator_id, problem_id),
    constraint billing_run_problem_run
        foreign key (operator_id, run_id) references billing.billing_run (operator_id, run_id),
    constraint billing_run_problem_block check ((site_id is null) = (block_id is null))
);
create index billing_run_problem_by_run on billing.billing_run_problem (operator_id, run_id, lease_id);

-- The last number given out per series. Its row lock is the turn-taking of issuing, held to the commit only.
create table billing.number_counter (
    operator_id text collate "C" not null,
    series text collate "C" not null,
    last_number bigint not null,
    constraint number_counter_pkey primary key (operator_id, series),
    constraint number_counter_entity foreign key (operator_id) references billing.billing_entity (operator_id),
    constraint number_counter_series check (series ~ '^[A-Z][A-Z0-9-]{0,15}$'),
    constraint number_counter_positive check (last_number > 0)
);

create table billing.invoice (
    operator_id text collate "C" not null,
    invoice_id uuid not null,
    run_id uuid not null,
    account_id uuid not null,
    tenant_id text collate "C" not null,
    lease_id text collate "C" not null,
    state text collate "C" not null,
    -- Start inclusive, end exclusive: the billing month.
    period_start date not null,
    period_end date not null,
    currency_code text collate "C" not null,
    total_minor bigint not null,
    line_count integer not null,
    payment_terms_days integer not null,
    -- Raised by every change; the etag.
    version bigint not null,
    create_time timestamptz not null,
    -- Given together, when the invoice is issued.
    series text collate "C",
    number bigint,
    issue_time timestamptz,
    due_date date,
    constraint invoice_pkey primary key (operator_id, invoice_id),
    constraint invoice_number unique (operator_id, series, number),
    constraint invoice_run foreign key (operator_id, run_id) references billing.billing_run (operator_id, run_id),
    constraint invoice_account foreign key (operator_id, account_id, tenant_id, currency_code)
        references billing.account (operator_id, account_id, tenant_id, currency_code),
    constraint invoice_lease
        foreign key (operator_id, lease_id) references billing.lease (operator_id, lease_id),
    constraint invoice_counter foreign key (operator_id, series)
        references billing.number_counter (operator_id, series),
    constraint invoice_state
        check (state in ('DRAFT', 'OPEN', 'PARTIALLY_PAID', 'PAID', 'VOID', 'UNCOLLECTIBLE')),
    constraint invoice_issued_whole check (
        num_nulls(series, number, issue_time, due_date) in (0, 4)
        and (state = 'VOID' or (state = 'DRAFT') = (number is null))),
    constraint invoice_version check (version > 0),
    constraint invoice_number_positive check (number > 0),
    constraint invoice_period check (period_start < period_end),
    constraint invoice_period_bounds
        check (period_start >= date '2000-01-01' and period_end <= date '9999-01-01'),
    constraint invoice_due_date check (due_date between date '2000-01-01' and date '9999-12-31'),
    constraint invoice_payment_terms check (payment_terms_days between 0 and 3660),
    constraint invoice_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint invoice_issue_time
        check (issue_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index invoice_by_run on billing.invoice (operator_id, run_id, invoice_id);
create index invoice_by_account on billing.invoice (operator_id, account_id, tenant_id, currency_code);
create index invoice_by_lease on billing.invoice (operator_id, lease_id, period_start);
create index invoice_by_tenant on billing.invoice (tenant_id, operator_id, invoice_id);

create table billing.invoice_line (
    operator_id text collate "C" not null,
    invoice_id uuid not null,
    line_number integer not null,
    -- The charge: what may be billed once. `revision` rises with each rebill of a corrected charge.
    lease_id text collate "C" not null,
    site_id text collate "C" not null,
    block_id text collate "C" not null,
    charge_type text collate "C" not null,
    period_start date not null,
    revision integer not null default 0,
    -- False once the invoice is void: the charge may then be billed again.
    live boolean not null default true,
    period_end date not null,
    days integer not null,
    days_in_month integer not null,
    quantity_kw bigint not null,
    rate_per_kw_month numeric(24, 10) not null,
    amount_minor bigint not null,
    -- The version of the lease's terms this line was computed from.
    lease_version bigint not null,
    constraint invoice_line_pkey primary key (operator_id, invoice_id, line_number),
    constraint invoice_line_invoice
        foreign key (operator_id, invoice_id) references billing.invoice (operator_id, invoice_id),
    constraint invoice_line_version foreign key (operator_id, lease_id, lease_version)
        references billing.lease_version (operator_id, lease_id, version),
    constraint invoice_line_number check (line_number > 0),
    constraint invoice_line_charge_type check (charge_type in ('BASE_RENT')),
    constraint invoice_line_revision check (revision >= 0),
    constraint invoice_line_days check (
        days = period_end - period_start and days > 0 and days <= days_in_month
        and days_in_month between 28 and 31),
    constraint invoice_line_period_bounds
        check (period_start >= date '2000-01-01' and period_end <= date '9999-01-01'),
    constraint invoice_line_quantity check (quantity_kw > 0),
    constraint invoice_line_rate check (rate_per_kw_month >= 0 and rate_per_kw_month <> 'NaN'),
    constraint invoice_line_amount check (amount_minor >= 0)
);
create unique index invoice_line_charge on billing.invoice_line
    (operator_id, lease_id, site_id, block_id, charge_type, period_start, revision) where live;
create index invoice_line_by_version on billing.invoice_line (operator_id, lease_id, lease_version);

-- A movement of money with its reason; its entries are complete when there are `entry_count` of them.
create table billing.ledger_transaction (
    operator_id text collate "C" not null,
    transaction_id uuid not null,
    kind text collate "C" not null,
    -- What it comes from: an invoice, a credit note, a payment, an allocation, a refund, a voucher, an accrual.
    source_id uuid not null,
    -- The invoice whose receivable it moves, if it moves one.
    invoice_id uuid,
    entry_count integer not null,
    posting_date date not null,
    description text not null,
    create_time timestamptz not null,
    constraint ledger_transaction_pkey primary key (operator_id, transaction_id),
    -- Each deed on its source is posted once.
    constraint ledger_transaction_once unique (operator_id, source_id, kind),
    constraint ledger_transaction_invoice
        foreign key (operator_id, invoice_id) references billing.invoice (operator_id, invoice_id),
    constraint ledger_transaction_kind check (kind in (
        'INVOICE_ISSUED', 'INVOICE_VOIDED', 'CREDIT_NOTE_ISSUED', 'PAYMENT_RECEIVED', 'PAYMENT_ALLOCATED',
        'PAYMENT_REFUNDED', 'INVOICE_WRITTEN_OFF', 'JOURNAL_POSTED', 'ACCRUAL_POSTED', 'ACCRUAL_REVERSED')),
    constraint ledger_transaction_entry_count check (entry_count >= 2),
    constraint ledger_transaction_posting_date
        check (posting_date between date '2000-01-01' and date '9999-12-31'),
    constraint ledger_transaction_create_time
        check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index ledger_transaction_by_date on billing.ledger_transaction (operator_id, posting_date, transaction_id);
create index ledger_transaction_by_invoice on billing.ledger_transaction (operator_id, invoice_id);

create table billing.ledger_entry (
    operator_id text collate "C" not null,
    transaction_id uuid not null,
    entry_number integer not null,
    entry_id uuid not null,
    ledger_account text collate "C" not null,
    -- Whose dealings; a journal may concern nobody's.
    account_id uuid,
    currency_code text collate "C" not null,
    amount_minor bigint not null,
    constraint ledger_entry_pkey primary key (operator_id, transaction_id, entry_number),
    constraint ledger_entry_id unique (operator_id, entry_id),
    constraint ledger_entry_transaction foreign key (operator_id, transaction_id)
        references billing.ledger_transaction (operator_id, transaction_id),
    constraint ledger_entry_account
        foreign key (operator_id, account_id) references billing.account (operator_id, account_id),
    constraint ledger_entry_number check (entry_number > 0),
    constraint ledger_entry_ledger_account check (ledger_account in ('accounts_receivable', 'rent_income')),
    -- What a tenant owes and what is kept for it are never nobody's.
    constraint ledger_entry_subledger
        check (ledger_account not in ('accounts_receivable', 'unapplied_cash') or account_id is not null),
    constraint ledger_entry_currency_code check (currency_code ~ '^[A-Z]{3}$'),
    constraint ledger_entry_amount check (amount_minor <> 0)
);
create index ledger_entry_by_account on billing.ledger_entry (operator_id, account_id);

create trigger ledger_transaction_append_only before update or delete on billing.ledger_transaction
    for each row execute function billing.refuse_change();
create trigger ledger_entry_append_only before update or delete on billing.ledger_entry
    for each row execute function billing.refuse_change();

-- Judged once a transaction, at its commit, when all entries are there; entries that come later are too many for it.
-- No reading of whole tables, here and below: a plan is kept as long as the session, and the tables were small when it began.
create function billing.check_ledger_transaction() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    entries bigint;
    crooked text;
begin
    select sum(c.entries), min(c.currency_code) filter (where c.amount <> 0) into entries, crooked from (
        select e.currency_code, count(*) as entries, sum(e.amount_minor) as amount from billing.ledger_entry e
            where e.operator_id = new.operator_id and e.transaction_id = new.transaction_id
            group by e.currency_code) c;
    if entries is distinct from new.entry_count then
        raise exception 'ledger transaction % has % entries, not %', new.transaction_id, entries, new.entry_count
            using errcode = 'check_violation', constraint = 'ledger_transaction_complete';
    end if;
    if crooked is not null then
        raise exception 'ledger transaction % does not sum to zero in %', new.transaction_id, crooked
            using errcode = 'check_violation', constraint = 'ledger_transaction_balanced';
    end if;
    return null;
end
$$;
create constraint trigger ledger_transaction_complete after insert on billing.ledger_transaction
    deferrable initially deferred for each row execute function billing.check_ledger_transaction();

create function billing.check_ledger_entries() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    full_transaction uuid;
begin
    select t.transaction_id into full_transaction
        from (select distinct w.operator_id, w.transaction_id from written w) n
        join billing.ledger_transaction t on t.operator_id = n.operator_id and t.transaction_id = n.transaction_id
        where (select count(*) from billing.ledger_entry e
                   where e.operator_id = n.operator_id and e.transaction_id = n.transaction_id) > t.entry_count
        limit 1;
    if found then
        raise exception 'ledger transaction % has all its entries', full_transaction
            using errcode = 'check_violation', constraint = 'ledger_transaction_complete';
    end if;
    return null;
end
$$;
create trigger ledger_entry_in_transaction after insert on billing.ledger_entry
    referencing new table as written for each statement execute function billing.check_ledger_entries();

-- The sum of the lines is the total, and all lines are there, from the commit that writes them on. Judged once an invoice,
-- at its commit; lines that come later are one too many for it.
create function billing.check_invoice_total() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    summed numeric;
    lines bigint;
begin
    select sum(l.amount_minor), count(*) into summed, lines from billing.invoice_line l
        where l.operator_id = new.operator_id and l.invoice_id = new.invoice_id;
    if lines <> new.line_count or summed is distinct from new.total_minor then
        raise exception 'invoice % says % in % lines, its % lines sum to %', new.invoice_id, new.total_minor,
            new.line_count, lines, summed
            using errcode = 'check_violation', constraint = 'invoice_total_is_sum_of_lines';
    end if;
    return null;
end
$$;
create constraint trigger invoice_total_is_sum_of_lines after insert on billing.invoice
    deferrable initially deferred for each row execute function billing.check_invoice_total();

create function billing.check_invoice_lines() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    full_invoice uuid;
begin
    select i.invoice_id into full_invoice
        from (select distinct w.operator_id, w.invoice_id from written w) n
        join billing.invoice i on i.operator_id = n.operator_id and i.invoice_id = n.invoice_id
        where (select count(*) from billing.invoice_line l
                   where l.operator_id = n.operator_id and l.invoice_id = n.invoice_id) > i.line_count
        limit 1;
    if found then
        raise exception 'invoice % has all its lines', full_invoice
            using errcode = 'check_violation', constraint = 'invoice_total_is_sum_of_lines';
    end if;
    return null;
end
$$;
create trigger invoice_line_in_total after insert on billing.invoice_line
    referencing new table as written for each statement execute function billing.check_invoice_lines();

-- A run goes forward only, and is issued once.
create function billing.guard_billing_run() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'DELETE' or (old.state, new.state) not in (
        ('COMPUTING', 'DRAFT'), ('DRAFT', 'ISSUING'), ('DRAFT', 'ISSUED'), ('ISSUING', 'ISSUED'))
    then
        raise exception 'billing run %: no way from % to %', old.run_id, old.state, new.state
            using errcode = 'check_violation', constraint = 'billing_run_state_moves';
    end if;
    return new;
end
$$;
create trigger billing_run_guard before update or delete on billing.billing_run
    for each row execute function billing.guard_billing_run();

-- The facts of an invoice never change; its state moves forward only, its number is given once.
create function billing.guard_invoice() returns trigger
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
       or (old.state <> 'DRAFT' and (new.series, new.number, new.issue_time, new.due_date)
           is distinct from (old.series, old.number, old.issue_time, old.due_date))
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
create trigger invoice_guard before update or delete on billing.invoice
    for each row execute function billing.guard_invoice();

create function billing.guard_invoice_line() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if tg_op = 'UPDATE' and old.live and not new.live then
        old.live := false;
        if old is not distinct from new then
            return new;
        end if;
    end if;
    raise exception 'lines of an invoice are written once'
        using errcode = 'check_violation', constraint = 'invoice_line_immutable';
end
$$;
create trigger invoice_line_guard before update or delete on billing.invoice_line
    for each row execute function billing.guard_invoice_line();

-- Voiding frees the charges. The service has no right to change lines, so the owner does it.
create function billing.free_charges() returns trigger
    language plpgsql security definer set search_path = '' as $$
begin
    update billing.invoice_line set live = false
        where operator_id = new.operator_id and invoice_id = new.invoice_id and live;
    if not found then
        raise exception 'invoice % became void without freeing its charges', new.invoice_id
            using errcode = 'check_violation', constraint = 'invoice_void_frees_charges';
    end if;
    return null;
end
$$;
create trigger invoice_void_frees_charges after update of state on billing.invoice
    for each row when (new.state = 'VOID' and old.state <> 'VOID') execute function billing.free_charges();

-- Gapless: whoever moves the counter must have issued exactly the numbers it passed, in the same commit, or have written
-- them down as lost ...
create function billing.check_number_counter() returns trigger
    language plpgsql set search_path = '' set enable_seqscan = off as $$
declare
    first_free bigint := 1;
    issued bigint;
begin
    if tg_op = 'UPDATE' then
        first_free := old.last_number + 1;
    end if;
    select (select count(*) from billing.invoice i
                where i.operator_id = new.operator_id and i.series = new.series
                  and i.number between first_free and new.last_number)
         + (select count(*) from billing.credit_note n
                where n.operator_id = new.operator_id and n.series = new.series
                  and n.number between first_free and new.last_number)
         + (select coalesce(sum(l.last_number - l.first_number + 1), 0) from billing.lost_numbers l
                where l.operator_id = new.operator_id and l.series = new.series
                  and l.first_number between first_free and new.last_number)
        into issued;
    if new.last_number < first_free or issued <> new.last_number - first_free + 1 then
        raise exception 'series % of % would have a gap', new.series, new.operator_id
            using errcode = 'check_violation', constraint = 'number_counter_gapless';
    end if;
    return null;
end
$$;
create constraint trigger number_counter_gapless after insert or update on billing.number_counter
    deferrable initially deferred for each row execute function billing.check_number_counter();

-- ... and no document has a number that the counter has not passed.
create function billing.check_invoice_number() returns trigger
    language plpgsql set search_path = '' as $$
begin
    if not exists (
        select 1 from billing.number_counter c
            where c.operator_id = new.operator_id and c.series = new.series and c.last_number >= new.number
    ) then
        raise exception '%: number % was not drawn from its series', tg_table_name, new.number
            using errcode = 'check_violation', constraint = tg_table_name || '_number_drawn';
    end if;
    return null;
end
$$;
create constraint trigger invoice_number_drawn after insert or update on billing.invoice
    deferrable initially deferred for each row when (new.number is not null)
    execute function billing.check_invoice_number();

-- Row level security: an operator sees its own rows; a tenant sees, across operators, its leases, its accounts and
-- its invoices once issued; the worker (feed) sees all. gridlease_owner is bound like a request, for free_charges.
do $policies$
declare
    t text;
begin
    foreach t in array array['billing_entity', 'account', 'lease', 'lease_version', 'lease_block', 'applied_event',
                             'parked_lease', 'billing_run', 'billing_run_chunk', 'billing_run_problem', 'number_counter', 'invoice', 'invoice_line',
                             'ledger_transaction', 'ledger_entry'] loop
        execute format('alter table billing.%I enable row level security', t);
        execute format('alter table billing.%I force row level security', t);
        execute format('create policy %I on billing.%I to billing, gridlease_owner
            using (operator_id = (select current_setting(''app.operator'', true)))
            with check (operator_id = (select current_setting(''app.operator'', true)))', t || '_operator', t);
        execute format('create policy %I on billing.%I to billing_worker using (true) with check (true)',
            t || '_worker', t);
    end loop;
    foreach t in array array['account', 'lease'] loop
        execute format('create policy %I on billing.%I for select to billing
            using (tenant_id = (select current_setting(''app.tenant'', true)))', t || '_tenant', t);
    end loop;
end
$policies$;
create policy invoice_tenant on billing.invoice for select to billing
    using (tenant_id = (select current_setting('app.tenant', true)) and number is not null);
create policy invoice_line_tenant on billing.invoice_line for select to billing using (exists (
    select 1 from billing.invoice i
        where i.operator_id = invoice_line.operator_id and i.invoice_id = invoice_line.invoice_id
          and i.tenant_id = (select current_setting('app.tenant', true))));
create policy lease_version_tenant on billing.lease_version for select to billing using (exists (
    select 1 from billing.lease l
        where l.operator_id = lease_version.operator_id and l.lease_id = lease_version.lease_id
          and l.tenant_id = (select current_setting('app.tenant', true))));
create policy lease_block_tenant on billing.lease_block for select to billing using (exists (
    select 1 from billing.lease l
        where l.operator_id = lease_block.operator_id and l.lease_id = lease_block.lease_id
          and l.tenant_id = (select current_setting('app.tenant', true))));

-- Rights. Requests bill and issue; the worker keeps the copies of leases and opens accounts.
grant select, insert on billing.account, billing.billing_run, billing.billing_run_chunk, billing.billing_run_problem,
    billing.invoice, billing.invoice_line,
    billing.ledger_transaction, billing.ledger_entry, billing.number_counter to billing;
grant select on billing.billing_entity, billing.lease, billing.lease_version, billing.lease_block,
    billing.parked_lease to billing;
grant insert, update (run_count) on billing.billing_entity to billing;
grant update (last_number) on billing.number_counter to billing;
grant update (state, version, issue_time) on billing.billing_run to billing;
grant update (done_time) on billing.billing_run_chunk to billing;
grant update (state, version, series, number, issue_time, due_date) on billing.invoice to billing;

grant select on billing.billing_run to billing_worker;
grant select, insert on billing.billing_entity, billing.account, billing.lease, billing.lease_version,
    billing.lease_block, billing.applied_event, billing.parked_lease to billing_worker;
grant update (tenant_id, version, state, currency_code, billed_from, last_event_id, update_time) on billing.lease
    to billing_worker;
grant update (state, moved) on billing.lease_block to billing_worker;
grant update (event_id, kind, problem, park_time), delete on billing.parked_lease to billing_worker;
