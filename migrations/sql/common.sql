-- The tables that every service has: request ids, event outbox, audit chain, feed epoch, feed cursors, revocations.
--
-- DECISION: the runner applies this file once to each schema, as version 0000, BEFORE the schema's own
-- 0001_*.sql, with {schema} replaced by the schema's name. No service copies these tables into its own files.
-- The file is part of history once released: change a table by a new numbered file in each schema.
--
-- The runner has already created the schema (owned by gridlease_owner) and runs as gridlease_owner with an empty
-- search_path, so every name is written with its schema.
--
-- Scope of a transaction: app.operator, app.tenant and app.caller hold a slug or ''. An empty setting matches
-- no row, since no organisation's name ends with a slash.

grant usage on schema {schema} to {schema}, {schema}_worker;

-- One row per finished request: the reply that every repetition of the same request id gets.
-- `owner` is the resource name of the organisation that owns the effect ("operators/o", "tenants/t", "platform"),
-- `caller` the name of the caller's organisation. Two organisations can never meet in one key.
create table {schema}.idempotency (
    owner text collate "C" not null,
    caller text collate "C" not null,
    rpc text collate "C" not null,
    request_id uuid not null,
    request_hash bytea not null,
    reply bytea not null,
    created_at timestamptz not null default clock_timestamp(),
    -- The id second: it tells rows apart at once, so that a search compares little more than it.
    constraint idempotency_pkey primary key (owner, request_id, caller, rpc),
    constraint idempotency_request_hash check (octet_length(request_hash) = 32),
    constraint idempotency_created_at check (created_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
-- Pruning by age: rows lie in the order they were written, so a summary of each range of pages is index enough, and
-- costs a booking nothing.
create index idempotency_created_at on {schema}.idempotency using brin (created_at);

alter table {schema}.idempotency enable row level security;
alter table {schema}.idempotency force row level security;
create policy idempotency_scope on {schema}.idempotency to {schema}, gridlease_owner
    using (
        owner = 'operators/' || (select current_setting('app.operator', true))
        or owner = 'tenants/' || (select current_setting('app.tenant', true))
        or caller = (select current_setting('app.caller', true))
    )
    with check (
        owner = 'operators/' || (select current_setting('app.operator', true))
        or owner = 'tenants/' || (select current_setting('app.tenant', true))
        or caller = (select current_setting('app.caller', true))
    );
create policy idempotency_worker on {schema}.idempotency to {schema}_worker using (true) with check (true);
grant select, insert on {schema}.idempotency to {schema};
grant select, insert, delete on {schema}.idempotency to {schema}_worker;

-- Events, appended in the transaction of the change they tell. A position is (transaction id, sequence): readers
-- see only rows below pg_snapshot_xmin(pg_current_snapshot()), so a late commit is never jumped over.
-- operator_id is '-' for events of the platform or of a tenant alone. audience_tenant is the tenant that may read
-- the row beside its operator; it is decided when the event is appended and never re-evaluated.
--
-- The outbox is the audit trail too. `deed` says who did it: it is filled where an event is the whole of a deed, and in
-- rows of the kinds `audit.*`, which no feed shows: a deed done or denied, with the hash of what was asked as payload.
-- A row without one is an event of the deed in the same transaction, or of the service's own work.
create table {schema}.outbox (
    operator_id text collate "C" not null,
    position_xid bigint not null default pg_current_xact_id()::text::bigint,
    position_seq bigint not null generated always as identity,
    event_id uuid not null,
    kind text collate "C" not null,
    subject text collate "C" not null,
    audience_tenant text collate "C",
    occurred_at timestamptz not null,
    payload bytea not null,
    -- Real time, by this server's clock, whatever the clock of business says.
    recorded_at timestamptz not null default clock_timestamp(),
    deed json,
    constraint outbox_pkey primary key (operator_id, position_xid, position_seq),
    constraint outbox_times check (
        least(occurred_at, recorded_at) >= '2000-01-01T00:00:00Z'
        and greatest(occurred_at, recorded_at) <= '9999-12-31T00:00:00Z')
);
-- The worker's feed crosses operators; a tenant's feed crosses them too.
create index outbox_position on {schema}.outbox (position_xid, position_seq);
create index outbox_tenant on {schema}.outbox (audience_tenant, position_xid, position_seq)
    where audience_tenant is not null;
-- Reading the trail by time: rows lie in the order they were written, so a summary of each range of pages is index enough,
-- and costs a booking nothing.
create index outbox_recorded on {schema}.outbox using brin (recorded_at) with (pages_per_range = 16);

alter table {schema}.outbox enable row level security;
alter table {schema}.outbox force row level security;
create policy outbox_scope on {schema}.outbox to {schema}, gridlease_owner
    using (
        operator_id = (select current_setting('app.operator', true))
        or audience_tenant = (select current_setting('app.tenant', true))
        or (operator_id = '-' and audience_tenant is null and (select current_setting('app.caller', true)) = 'platform')
    )
    with check (
        operator_id = (select current_setting('app.operator', true))
        or audience_tenant = (select current_setting('app.tenant', true))
        or (operator_id = '-' and audience_tenant is null and (select current_setting('app.caller', true)) = 'platform')
    );
create policy outbox_worker on {schema}.outbox to {schema}_worker using (true) with check (true);
grant select, insert on {schema}.outbox to {schema}, {schema}_worker;

-- The seal on the outbox: for each organisation ("operators/o", "tenants/t", "platform") a chain of links, each of which
-- covers every row after one position until another, in order, and the link before it. A worker adds links within
-- seconds; rows never wait for it. Nobody changes or deletes one.
create table {schema}.audit_link (
    owner text collate "C" not null,
    number bigint not null,
    after_xid bigint not null,
    after_seq bigint not null,
    until_xid bigint not null,
    until_seq bigint not null,
    entries bigint not null,
    -- SHA-256 of the rows' own bytes, one after the other.
    digest bytea not null,
    prev_hash bytea not null,
    hash bytea not null,
    chained_at timestamptz not null,
    constraint audit_link_pkey primary key (owner, number),
    -- Even a faulty writer cannot let a chain fork.
    constraint audit_link_follows unique (owner, prev_hash),
    constraint audit_link_shape check (
        number > 0 and entries > 0 and (after_xid, after_seq) < (until_xid, until_seq)
        and octet_length(digest) = 32 and octet_length(prev_hash) = 32 and octet_length(hash) = 32),
    constraint audit_link_chained_at check (chained_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

alter table {schema}.audit_link enable row level security;
alter table {schema}.audit_link force row level security;
create policy audit_link_scope on {schema}.audit_link for select to {schema}
    using (owner = (select current_setting('app.caller', true)));
create policy audit_link_worker on {schema}.audit_link to {schema}_worker using (true) with check (true);
grant select on {schema}.audit_link to {schema};
grant select, insert on {schema}.audit_link to {schema}_worker;

-- How far the chains have come, and which replica adds to them: another takes over when the claim has run out.
create table {schema}.audit_cursor (
    only_row boolean not null default true,
    xid bigint not null default 0,
    seq bigint not null default 0,
    claimed_by uuid,
    claimed_until timestamptz not null default '2000-01-01T00:00:00Z',
    constraint audit_cursor_pkey primary key (only_row),
    constraint audit_cursor_only_row check (only_row),
    constraint audit_cursor_claimed_until
        check (claimed_until between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
insert into {schema}.audit_cursor default values;

alter table {schema}.audit_cursor enable row level security;
alter table {schema}.audit_cursor force row level security;
create policy audit_cursor_worker on {schema}.audit_cursor to {schema}_worker using (true) with check (true);
grant select, update on {schema}.audit_cursor to {schema}_worker;

-- The epoch of this schema's feed: cursors of another epoch are refused, and a restore begins a new one.
create table {schema}.feed (
    only_row boolean not null default true,
    epoch uuid not null default gen_random_uuid(),
    constraint feed_pkey primary key (only_row),
    constraint feed_only_row check (only_row)
);
insert into {schema}.feed default values;

alter table {schema}.feed enable row level security;
alter table {schema}.feed force row level security;
create policy feed_read on {schema}.feed to {schema}, {schema}_worker using (true) with check (false);
grant select on {schema}.feed to {schema}, {schema}_worker;

-- How far this service has read other services' feeds; only workers read feeds.
create table {schema}.feed_cursor (
    source text collate "C" not null,
    cursor text collate "C" not null,
    constraint feed_cursor_pkey primary key (source)
);

alter table {schema}.feed_cursor enable row level security;
alter table {schema}.feed_cursor force row level security;
create policy feed_cursor_worker on {schema}.feed_cursor to {schema}_worker using (true) with check (true);
grant select, insert, update on {schema}.feed_cursor to {schema}_worker;

-- Tokens that are over before their time, by the resource name of their organisation. Kept until every token that a row
-- ends has expired; each replica reads the whole list every few seconds.
create table {schema}.revocation (
    owner text collate "C" not null,
    what text collate "C" not null,
    value text collate "C" not null,
    issued_until timestamptz not null,
    reason text not null,
    revoked_by text not null,
    updated_at timestamptz not null,
    expires_at timestamptz not null,
    constraint revocation_pkey primary key (owner, what, value),
    constraint revocation_what check (what in ('token', 'subject')),
    constraint revocation_value check (length(value) between 1 and 255),
    constraint revocation_issued_until check (issued_until between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint revocation_updated_at check (updated_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint revocation_expires_at
        check (expires_at > updated_at and expires_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- Who runs the platform (app.caller) may end the tokens of any organisation.
alter table {schema}.revocation enable row level security;
alter table {schema}.revocation force row level security;
create policy revocation_scope on {schema}.revocation to {schema}, gridlease_owner
    using (
        owner = 'operators/' || (select current_setting('app.operator', true))
        or owner = 'tenants/' || (select current_setting('app.tenant', true))
        or (select current_setting('app.caller', true)) = 'platform'
    )
    with check (
        owner = 'operators/' || (select current_setting('app.operator', true))
        or owner = 'tenants/' || (select current_setting('app.tenant', true))
        or (select current_setting('app.caller', true)) = 'platform'
    );
create policy revocation_worker on {schema}.revocation to {schema}_worker using (true) with check (true);
grant select, insert, update on {schema}.revocation to {schema};
grant select, delete on {schema}.revocation to {schema}_worker;
