-- Who has agreed to what: tenants, leases, the terms they signed, and the steps that follow from the terms.
--
-- A lease row is the only thing here that changes much. What was agreed (lease_version and everything below it)
-- is written once: no role has UPDATE on it, but for the state and the days of one premises, which time and delivery
-- move on; what was agreed of them stays in the terms.
-- Dates are civil dates in the premises' own zone; commence_at and end_at are the instants derived from them.

-- Organisations that lease. Exception to "operator_id leads every key": a tenant belongs to no operator.
create table leasing.tenant (
    tenant_id text collate "C" not null,
    display_name text not null,
    revision bigint not null default 1,
    create_time timestamptz not null,
    constraint tenant_pkey primary key (tenant_id),
    constraint tenant_id_shape check (tenant_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'),
    constraint tenant_display_name check (char_length(display_name) between 1 and 200),
    constraint tenant_revision check (revision > 0),
    constraint tenant_create_time check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- One row per lease. intent_* is filled exactly while a saga is under way (PROPOSING, SIGNING, or a deed in life that
-- waits for inventory's word): it is everything a sweeper needs to finish the deed and to store the original caller's reply.
-- life: what has happened since it was agreed, one document; due_at: when time next does something to it (business time).
-- sweep_at: when the sweeper next looks at this row (database time); null when there is nothing to wait for.
create table leasing.lease (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    -- Never shown: the parent of every derived request id, new for every attempt to propose under the same name.
    lease_uid uuid not null,
    tenant_id text collate "C" not null,
    state text collate "C" not null,
    version integer not null,
    revision bigint not null,
    reservation_id uuid,
    hold_expire_time timestamptz,
    hold_seconds bigint not null,
    ended_because text collate "C",
    intent_rpc text collate "C",
    intent_caller text collate "C",
    intent_request_id uuid,
    intent_hash bytea,
    -- Who asked, for the audit trail.
    intent_actor text,
    sweep_at timestamptz,
    create_time timestamptz not null,
    update_time timestamptz not null,
    signed_time timestamptz,
    effective_time timestamptz,
    due_at timestamptz,
    life jsonb not null default '{}',
    -- Whether it takes nothing of any block, and so has no reservation.
    unplaced boolean not null default false,
    constraint lease_pkey primary key (operator_id, lease_id),
    constraint lease_uid_unique unique (operator_id, lease_uid),
    constraint lease_tenant foreign key (tenant_id) references leasing.tenant (tenant_id),
    constraint lease_state check (state in
        ('DRAFT', 'PROPOSING', 'PROPOSED', 'SIGNING', 'SIGNED', 'EFFECTIVE', 'ACTIVE', 'HOLDOVER', 'DEFAULTED', 'EXPIRED',
         'TERMINATED', 'CLOSED', 'CANCELLED', 'LAPSED')),
    constraint lease_version_positive check (version > 0),
    constraint lease_revision check (revision > 0),
    constraint lease_hold_seconds check (hold_seconds > 0),
    constraint lease_held check (
        (reservation_id is null) = (hold_expire_time is null)
        and (state in ('DRAFT', 'PROPOSING') or unplaced or reservation_id is not null)),
    constraint lease_intent check (
        (state in ('PROPOSING', 'SIGNING') or coalesce(life -> 'pending', 'null') <> 'null') = (intent_rpc is not null)
        and (intent_rpc is null) = (intent_caller is null)
        and (intent_rpc is null) = (intent_request_id is null)
        and (intent_rpc is null) = (intent_hash is null)),
    constraint lease_intent_hash check (octet_length(intent_hash) = 32),
    constraint lease_ended_because check (
        (state in ('CANCELLED', 'LAPSED')) = (ended_because is not null)),
    constraint lease_effective check (
        case when state in ('TERMINATED', 'CLOSED') then true
             else (state in ('EFFECTIVE', 'ACTIVE', 'HOLDOVER', 'DEFAULTED', 'EXPIRED')) = (effective_time is not null) end),
    -- Only time itself, and no deed, is waited for.
    constraint lease_due_at check (due_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint lease_due_state check (
        due_at is null or state in ('SIGNED', 'EFFECTIVE', 'ACTIVE', 'HOLDOVER', 'DEFAULTED')),
    constraint lease_life check (jsonb_typeof(life) = 'object'),
    constraint lease_hold_expire_time check (
        hold_expire_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint lease_sweep_at check (sweep_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint lease_create_time check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint lease_update_time check (update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint lease_signed_time check (signed_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint lease_effective_time check (
        effective_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index lease_tenant on leasing.lease (tenant_id, operator_id, lease_id);
create unique index lease_reservation on leasing.lease (operator_id, reservation_id) where reservation_id is not null;
-- Two attempts of one request cannot both begin the deed.
create unique index lease_intent on leasing.lease (operator_id, intent_caller, intent_rpc, intent_request_id)
    where intent_request_id is not null;
create index lease_sweep on leasing.lease (sweep_at) where sweep_at is not null;
create index lease_due on leasing.lease (due_at) where due_at is not null;

-- One immutable version of what the parties sign: the canonical JSON and its SHA-256.
create table leasing.lease_version (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    version integer not null,
    terms bytea not null,
    terms_hash bytea not null,
    create_time timestamptz not null,
    constraint lease_version_pkey primary key (operator_id, lease_id, version),
    constraint lease_version_lease foreign key (operator_id, lease_id)
        references leasing.lease (operator_id, lease_id) on delete cascade,
    constraint lease_version_positive check (version > 0),
    constraint lease_version_terms check (octet_length(terms) between 2 and 1048576),
    constraint lease_version_terms_hash check (octet_length(terms_hash) = 32),
    constraint lease_version_hash_of_terms check (terms_hash = sha256(terms)),
    constraint lease_version_create_time check (
        create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- One leased block of a version, with its days as they stand; standing: what has moved them, one document.
create table leasing.premises (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    version integer not null,
    premises_no integer not null,
    site_id text collate "C" not null,
    block_slug text collate "C" not null,
    time_zone text collate "C" not null,
    commencement_date date not null,
    end_date date not null,
    commence_at timestamptz not null,
    end_at timestamptz not null,
    state text collate "C" not null,
    commence_time timestamptz,
    standing jsonb not null default '{}',
    constraint premises_pkey primary key (operator_id, lease_id, version, premises_no),
    constraint premises_version foreign key (operator_id, lease_id, version)
        references leasing.lease_version (operator_id, lease_id, version) on delete cascade,
    constraint premises_block unique (operator_id, lease_id, version, site_id, block_slug),
    constraint premises_no check (premises_no > 0),
    constraint premises_state check (state in ('OPTIONED', 'PLANNED', 'COMMENCED', 'ENDED', 'LAPSED')),
    constraint premises_commenced check ((state in ('OPTIONED', 'PLANNED', 'LAPSED')) = (commence_time is null)),
    constraint premises_standing check (jsonb_typeof(standing) = 'object'),
    constraint premises_dates check (commencement_date < end_date and commence_at < end_at),
    constraint premises_dates_bounded check (
        commencement_date >= '2000-01-01' and end_date <= '9999-12-31'),
    constraint premises_commence_at check (commence_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint premises_end_at check (end_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint premises_commence_time check (
        commence_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
-- Which leases wait for a block, when inventory tells of one of its phases.
create index premises_planned on leasing.premises (operator_id, site_id, block_slug) where state = 'PLANNED';

-- The rate from a date on, frozen when proposed: a later change of arithmetic never changes a signed lease.
create table leasing.rate_step (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    version integer not null,
    premises_no integer not null,
    from_date date not null,
    rate_per_kw_month numeric(24, 10) not null,
    constraint rate_step_pkey primary key (operator_id, lease_id, version, premises_no, from_date),
    constraint rate_step_premises foreign key (operator_id, lease_id, version, premises_no)
        references leasing.premises (operator_id, lease_id, version, premises_no) on delete cascade,
    constraint rate_step_rate check (rate_per_kw_month >= 0 and rate_per_kw_month <> 'NaN'),
    constraint rate_step_from_date check (from_date between '2000-01-01' and '9999-12-31')
);

-- The capacity from a date on, until the next step or the end of the premises.
create table leasing.quantity_step (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    version integer not null,
    premises_no integer not null,
    from_date date not null,
    critical_it_kw bigint not null,
    air_cooling_kw bigint not null,
    liquid_cooling_kw bigint not null,
    immersion_cooling_kw bigint not null,
    accelerators bigint not null,
    constraint quantity_step_pkey primary key (operator_id, lease_id, version, premises_no, from_date),
    constraint quantity_step_premises foreign key (operator_id, lease_id, version, premises_no)
        references leasing.premises (operator_id, lease_id, version, premises_no) on delete cascade,
    constraint quantity_step_kw check (
        critical_it_kw > 0 and air_cooling_kw >= 0 and liquid_cooling_kw >= 0 and immersion_cooling_kw >= 0
        and accelerators >= 0),
    constraint quantity_step_from_date check (from_date between '2000-01-01' and '9999-12-31')
);

-- One side's consent to one hash.
create table leasing.signature (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    version integer not null,
    party text collate "C" not null,
    signatory_name text not null,
    signatory_title text not null,
    -- The token's subject: who pressed the button for the signatory.
    subject text collate "C" not null,
    -- Where it came from, as the service saw it; empty where there was no address.
    peer_address text collate "C" not null,
    terms_hash bytea not null,
    signed_time timestamptz not null,
    constraint signature_pkey primary key (operator_id, lease_id, version, party),
    constraint signature_version foreign key (operator_id, lease_id, version)
        references leasing.lease_version (operator_id, lease_id, version) on delete cascade,
    constraint signature_party check (party in ('OPERATOR', 'TENANT')),
    constraint signature_terms_hash check (octet_length(terms_hash) = 32),
    constraint signature_signed_time check (
        signed_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

-- Reservations that no lease needs any more; the row goes when inventory has released them.
create table leasing.hold_release (
    operator_id text collate "C" not null,
    reservation_id uuid not null,
    lease_id text collate "C" not null,
    sweep_at timestamptz not null default clock_timestamp(),
    constraint hold_release_pkey primary key (operator_id, reservation_id),
    constraint hold_release_sweep_at check (sweep_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index hold_release_sweep on leasing.hold_release (sweep_at);

-- Row level security: forced on every table; a wrong or empty setting sees no row.

alter table leasing.tenant enable row level security;
alter table leasing.tenant force row level security;
-- A tenant sees itself; an operator sees whom it may lease to; the platform reads the market. A tenant is registered
-- under its own scope, as an operator is: which role may do so is decided before, by the policy of RPCs.
create policy tenant_read on leasing.tenant for select to leasing
    using (
        tenant_id = (select current_setting('app.tenant', true))
        or coalesce((select current_setting('app.operator', true)), '') <> ''
        or (select current_setting('app.caller', true)) = 'market'
    );
create policy tenant_register on leasing.tenant for insert to leasing
    with check (tenant_id = (select current_setting('app.tenant', true)));
create policy tenant_worker on leasing.tenant to leasing_worker using (true) with check (true);
grant select, insert on leasing.tenant to leasing;
grant select on leasing.tenant to leasing_worker;

alter table leasing.lease enable row level security;
alter table leasing.lease force row level security;
create policy lease_scope on leasing.lease to leasing
    using (
        operator_id = (select current_setting('app.operator', true))
        or tenant_id = (select current_setting('app.tenant', true))
    )
    with check (
        operator_id = (select current_setting('app.operator', true))
        or tenant_id = (select current_setting('app.tenant', true))
    );
create policy lease_worker on leasing.lease to leasing_worker using (true) with check (true);
-- Nothing but a refused intent ever disappears.
create policy lease_gone on leasing.lease as restrictive for delete to leasing, leasing_worker
    using (state = 'PROPOSING' and reservation_id is null);
grant select, insert, update, delete on leasing.lease to leasing, leasing_worker;

-- What belongs to a lease is seen by whoever sees the lease: the inner query is bound by the lease's own policy.
alter table leasing.lease_version enable row level security;
alter table leasing.lease_version force row level security;
create policy lease_version_scope on leasing.lease_version to leasing
    using (exists (select 1 from leasing.lease l
                   where l.operator_id = lease_version.operator_id and l.lease_id = lease_version.lease_id))
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = lease_version.operator_id and l.lease_id = lease_version.lease_id));
create policy lease_version_worker on leasing.lease_version to leasing_worker using (true) with check (true);
grant select, insert on leasing.lease_version to leasing;
grant select on leasing.lease_version to leasing_worker;

alter table leasing.premises enable row level security;
alter table leasing.premises force row level security;
create policy premises_scope on leasing.premises to leasing
    using (exists (select 1 from leasing.lease l
                   where l.operator_id = premises.operator_id and l.lease_id = premises.lease_id))
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = premises.operator_id and l.lease_id = premises.lease_id));
create policy premises_worker on leasing.premises to leasing_worker using (true) with check (true);
grant select, insert on leasing.premises to leasing;
grant select on leasing.premises to leasing_worker;
grant update (state, commence_time, commencement_date, end_date, commence_at, end_at, standing) on leasing.premises
    to leasing, leasing_worker;

alter table leasing.rate_step enable row level security;
alter table leasing.rate_step force row level security;
create policy rate_step_scope on leasing.rate_step to leasing
    using (exists (select 1 from leasing.lease l
                   where l.operator_id = rate_step.operator_id and l.lease_id = rate_step.lease_id))
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = rate_step.operator_id and l.lease_id = rate_step.lease_id));
create policy rate_step_worker on leasing.rate_step to leasing_worker using (true) with check (true);
grant select, insert on leasing.rate_step to leasing;
grant select on leasing.rate_step to leasing_worker;

alter table leasing.quantity_step enable row level security;
alter table leasing.quantity_step force row level security;
create policy quantity_step_scope on leasing.quantity_step to leasing
    using (exists (select 1 from leasing.lease l
                   where l.operator_id = quantity_step.operator_id and l.lease_id = quantity_step.lease_id))
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = quantity_step.operator_id and l.lease_id = quantity_step.lease_id));
create policy quantity_step_worker on leasing.quantity_step to leasing_worker using (true) with check (true);
grant select, insert on leasing.quantity_step to leasing;
grant select on leasing.quantity_step to leasing_worker;

alter table leasing.signature enable row level security;
alter table leasing.signature force row level security;
create policy signature_scope on leasing.signature to leasing
    using (exists (select 1 from leasing.lease l
                   where l.operator_id = signature.operator_id and l.lease_id = signature.lease_id))
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = signature.operator_id and l.lease_id = signature.lease_id));
create policy signature_worker on leasing.signature to leasing_worker using (true) with check (true);
grant select, insert on leasing.signature to leasing;
grant select on leasing.signature to leasing_worker;

alter table leasing.hold_release enable row level security;
alter table leasing.hold_release force row level security;
create policy hold_release_scope on leasing.hold_release for insert to leasing
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = hold_release.operator_id and l.lease_id = hold_release.lease_id));
create policy hold_release_worker on leasing.hold_release to leasing_worker using (true) with check (true);
grant insert on leasing.hold_release to leasing;
grant select, insert, update, delete on leasing.hold_release to leasing_worker;
