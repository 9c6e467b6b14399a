-- Quotes: priced options for one tenant, on the table until they are taken up, turned down, or their time is over.

-- intent_*: the request that the quote under way (HOLDING) or its acceptance (ACCEPTING) will answer, as a lease's.
-- sweep_at: when the sweeper looks at it. valid_until and sweep_at are database time.
create table leasing.quote (
    operator_id text collate "C" not null,
    quote_id uuid not null,
    tenant_id text collate "C" not null,
    state text collate "C" not null,
    -- Whether the tenant may see it: what was never approved is nobody's offer.
    is_shown boolean not null,
    author text not null,
    approver text,
    valid_until timestamptz not null,
    hold_seconds bigint not null,
    body jsonb not null,
    intent_caller text collate "C",
    intent_request_id uuid,
    intent_hash bytea,
    -- Who asked, for the audit trail.
    intent_actor text,
    sweep_at timestamptz,
    revision bigint not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    constraint quote_pkey primary key (operator_id, quote_id),
    constraint quote_tenant foreign key (tenant_id) references leasing.tenant (tenant_id),
    constraint quote_state check (state in
        ('HOLDING', 'PENDING_APPROVAL', 'OPEN', 'ACCEPTING', 'ACCEPTED', 'REJECTED', 'LAPSED')),
    constraint quote_shown check (
        is_shown or state in ('HOLDING', 'PENDING_APPROVAL', 'REJECTED', 'LAPSED')),
    constraint quote_hidden check (not is_shown or state <> 'HOLDING'),
    constraint quote_second_person check (approver is null or approver <> author),
    constraint quote_hold_seconds check (hold_seconds > 0),
    constraint quote_body check (jsonb_typeof(body) = 'object'),
    constraint quote_intent check (
        (state in ('HOLDING', 'ACCEPTING')) = (intent_caller is not null)
        and (intent_caller is null) = (intent_request_id is null)
        and (intent_caller is null) = (intent_hash is null)),
    constraint quote_intent_hash check (octet_length(intent_hash) = 32),
    constraint quote_revision check (revision > 0),
    constraint quote_valid_until check (valid_until between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint quote_sweep_at check (sweep_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint quote_create_time check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint quote_update_time check (update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index quote_tenant on leasing.quote (tenant_id, quote_id);
create index quote_lapse on leasing.quote (valid_until) where state in ('PENDING_APPROVAL', 'OPEN');
-- Two attempts of one request cannot both begin the deed.
create unique index quote_intent on leasing.quote (operator_id, state, intent_caller, intent_request_id)
    where intent_request_id is not null;
create index quote_sweep on leasing.quote (sweep_at) where sweep_at is not null;

alter table leasing.quote enable row level security;
alter table leasing.quote force row level security;
create policy quote_scope on leasing.quote to leasing
    using (
        operator_id = (select current_setting('app.operator', true))
        or (is_shown and tenant_id = (select current_setting('app.tenant', true)))
    )
    with check (
        operator_id = (select current_setting('app.operator', true))
        or (is_shown and tenant_id = (select current_setting('app.tenant', true)))
    );
create policy quote_worker on leasing.quote to leasing_worker using (true) with check (true);
-- Nothing but a refused intent ever disappears.
create policy quote_gone on leasing.quote as restrictive for delete to leasing, leasing_worker
    using (state = 'HOLDING');
grant select, insert, update, delete on leasing.quote to leasing, leasing_worker;

-- Whoever sees a quote may note that what it held is to be given back: the note stands under the quote's id, which is
-- that of the lease it might have become.
create policy hold_release_quote on leasing.hold_release for insert to leasing
    with check (exists (select 1 from leasing.quote q
                        where q.operator_id = hold_release.operator_id
                          and q.quote_id = case when hold_release.lease_id ~ '^[0-9a-f-]{36}$'
                                                then hold_release.lease_id::uuid end));
