-- Needs that tenants publish, and sealed bids of operators on them.
--
-- A request leads with its tenant: it is published by a tenant to many operators and belongs to none of them. A bid
-- leads with its operator. No policy shows one operator a bid of another, and no change of a bid touches its request,
-- so that neither a row, a count nor an etag tells of it. What is written in content is the JSON of what was asked or
-- offered; it never changes. Deadlines are judged by this database's clock, in the statement that writes.

create table leasing.capacity_request (
    tenant_id text collate "C" not null,
    capacity_request_id uuid not null,
    state text collate "C" not null,
    visibility text collate "C" not null,
    bid_deadline timestamptz not null,
    -- From when on the tenant sees bids; null is from the first one on.
    reveal_at timestamptz,
    content text not null,
    revision bigint not null,
    -- What an award under way has to secure, for how long.
    award_hold_seconds bigint,
    cancel_reason text,
    -- Called off before its bids were revealed: they go back unopened.
    unopened boolean not null default false,
    intent_rpc text collate "C",
    intent_caller text collate "C",
    intent_request_id uuid,
    intent_hash bytea,
    -- Who asked, for the audit trail.
    intent_actor text,
    sweep_at timestamptz,
    create_time timestamptz not null,
    update_time timestamptz not null,
    constraint capacity_request_pkey primary key (tenant_id, capacity_request_id),
    constraint capacity_request_tenant foreign key (tenant_id) references leasing.tenant (tenant_id),
    constraint capacity_request_state check (state in ('OPEN', 'AWARDING', 'AWARDED', 'CANCELLED')),
    constraint capacity_request_visibility check (visibility in ('MARKET', 'NAMED')),
    constraint capacity_request_revision check (revision > 0),
    constraint capacity_request_content check (octet_length(content) between 2 and 65536),
    constraint capacity_request_reveal check (reveal_at is null or reveal_at = bid_deadline),
    constraint capacity_request_cancelled check ((state = 'CANCELLED') = (cancel_reason is not null)),
    constraint capacity_request_unopened check (state = 'CANCELLED' or not unopened),
    constraint capacity_request_intent check (
        (state = 'AWARDING') = (intent_rpc is not null)
        and (intent_rpc is null) = (intent_caller is null)
        and (intent_rpc is null) = (intent_request_id is null)
        and (intent_rpc is null) = (intent_hash is null)
        and (intent_rpc is null) = (award_hold_seconds is null)),
    constraint capacity_request_intent_hash check (octet_length(intent_hash) = 32),
    constraint capacity_request_award_hold check (award_hold_seconds > 0),
    constraint capacity_request_bid_deadline check (
        bid_deadline between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint capacity_request_reveal_at check (
        reveal_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint capacity_request_sweep_at check (
        sweep_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint capacity_request_create_time check (
        create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint capacity_request_update_time check (
        update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index capacity_request_by_deadline on leasing.capacity_request (bid_deadline, tenant_id, capacity_request_id);
create index capacity_request_sweep on leasing.capacity_request (sweep_at) where sweep_at is not null;

-- An operator to which a NAMED request is published. Each reads its own row only.
create table leasing.capacity_request_operator (
    tenant_id text collate "C" not null,
    capacity_request_id uuid not null,
    operator_id text collate "C" not null,
    constraint capacity_request_operator_pkey primary key (tenant_id, capacity_request_id, operator_id),
    constraint capacity_request_operator_request foreign key (tenant_id, capacity_request_id)
        references leasing.capacity_request (tenant_id, capacity_request_id)
);

create table leasing.bid (
    operator_id text collate "C" not null,
    bid_id uuid not null,
    -- Parent of every derived request id; never shown.
    bid_uid uuid not null,
    tenant_id text collate "C" not null,
    capacity_request_id uuid not null,
    state text collate "C" not null,
    -- From when on the tenant sees it, copied from the request; null is as soon as it is submitted.
    reveal_at timestamptz,
    bid_deadline timestamptz not null,
    valid_until timestamptz not null,
    content text not null,
    critical_it_kw bigint not null,
    triple_net_rate numeric(24, 10) not null,
    average_triple_net_rate numeric(24, 10) not null,
    hold_seconds bigint,
    reservation_id uuid,
    hold_expire_time timestamptz,
    -- Place among the bids that an award under way has chosen.
    award_no integer,
    revision bigint not null,
    intent_rpc text collate "C",
    intent_caller text collate "C",
    intent_request_id uuid,
    intent_hash bytea,
    -- Who asked, for the audit trail.
    intent_actor text,
    sweep_at timestamptz,
    submit_time timestamptz not null default clock_timestamp(),
    update_time timestamptz not null,
    constraint bid_pkey primary key (operator_id, bid_id),
    constraint bid_uid unique (operator_id, bid_uid),
    constraint bid_request foreign key (tenant_id, capacity_request_id)
        references leasing.capacity_request (tenant_id, capacity_request_id),
    constraint bid_state check (state in
        ('SUBMITTING', 'SUBMITTED', 'AWARDING', 'AWARDED', 'LOST', 'RETURNED', 'WITHDRAWN', 'LAPSED')),
    constraint bid_content check (octet_length(content) between 2 and 65536),
    constraint bid_kw check (critical_it_kw > 0),
    constraint bid_rate check (triple_net_rate > 0 and triple_net_rate <> 'NaN'),
    constraint bid_average check (average_triple_net_rate <> 'NaN'),
    constraint bid_revision check (revision > 0),
    constraint bid_reveal check (reveal_at is null or reveal_at = bid_deadline),
    -- The last wall of the deadline: a bid that is late is no row, whoever writes it.
    constraint bid_in_time check (submit_time < bid_deadline and valid_until > bid_deadline),
    constraint bid_hold_seconds check (hold_seconds > 0),
    constraint bid_held check (
        (reservation_id is null) = (hold_expire_time is null)
        and (hold_seconds is not null or reservation_id is null)
        and (state = 'SUBMITTING' or hold_seconds is null or reservation_id is not null)),
    constraint bid_award_no check (award_no is null or state in ('AWARDING', 'AWARDED', 'LAPSED')),
    constraint bid_intent check (
        (state = 'SUBMITTING') = (intent_rpc is not null)
        and (intent_rpc is null) = (intent_caller is null)
        and (intent_rpc is null) = (intent_request_id is null)
        and (intent_rpc is null) = (intent_hash is null)),
    constraint bid_intent_hash check (octet_length(intent_hash) = 32),
    constraint bid_reveal_at check (reveal_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint bid_bid_deadline check (bid_deadline between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint bid_valid_until check (valid_until between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint bid_hold_expire_time check (
        hold_expire_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint bid_sweep_at check (sweep_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint bid_submit_time check (submit_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint bid_update_time check (update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index bid_of_request on leasing.bid (tenant_id, capacity_request_id, triple_net_rate, operator_id, bid_id);
create index bid_by_rate on leasing.bid (operator_id, triple_net_rate, bid_id);
create unique index bid_reservation on leasing.bid (operator_id, reservation_id) where reservation_id is not null;
-- Two attempts of one request cannot both begin the deed.
create unique index bid_intent on leasing.bid (operator_id, intent_caller, intent_rpc, intent_request_id)
    where intent_request_id is not null;
create index bid_sweep on leasing.bid (sweep_at) where sweep_at is not null;
-- What the closing of a request and the end of a validity look for.
create index bid_standing on leasing.bid (valid_until) where state = 'SUBMITTED';

-- Row level security: forced on every table; a wrong or empty setting sees no row.

alter table leasing.capacity_request enable row level security;
alter table leasing.capacity_request force row level security;
create policy capacity_request_tenant on leasing.capacity_request to leasing
    using (tenant_id = (select current_setting('app.tenant', true)))
    with check (tenant_id = (select current_setting('app.tenant', true)));
-- Published: to every operator, or to those that are named. The inner query sees an operator's own row only.
create policy capacity_request_published on leasing.capacity_request for select to leasing
    using (
        coalesce((select current_setting('app.operator', true)), '') <> ''
        and (visibility = 'MARKET' or exists (
            select 1 from leasing.capacity_request_operator o
            where o.tenant_id = capacity_request.tenant_id
              and o.capacity_request_id = capacity_request.capacity_request_id
              and o.operator_id = (select current_setting('app.operator', true))))
    );
create policy capacity_request_worker on leasing.capacity_request to leasing_worker using (true) with check (true);
grant select, insert, update on leasing.capacity_request to leasing;
grant select, update on leasing.capacity_request to leasing_worker;

alter table leasing.capacity_request_operator enable row level security;
alter table leasing.capacity_request_operator force row level security;
create policy capacity_request_operator_tenant on leasing.capacity_request_operator to leasing
    using (tenant_id = (select current_setting('app.tenant', true)))
    with check (tenant_id = (select current_setting('app.tenant', true)));
create policy capacity_request_operator_own on leasing.capacity_request_operator for select to leasing
    using (operator_id = (select current_setting('app.operator', true)));
create policy capacity_request_operator_worker on leasing.capacity_request_operator to leasing_worker
    using (true) with check (true);
grant select, insert on leasing.capacity_request_operator to leasing;
grant select on leasing.capacity_request_operator to leasing_worker;

alter table leasing.bid enable row level security;
alter table leasing.bid force row level security;
create policy bid_operator on leasing.bid to leasing
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
-- The seal: the tenant's side begins when the bid is revealed, by this database's clock, and what was taken back
-- before, or goes back unopened, was never there. A tenant reads and awards; it cannot write a bid.
create policy bid_revealed on leasing.bid for select to leasing
    using (
        tenant_id = (select current_setting('app.tenant', true))
        and state not in ('SUBMITTING', 'RETURNED', 'WITHDRAWN')
        and (reveal_at is null or reveal_at <= clock_timestamp())
        and (state <> 'SUBMITTED' or exists (
            select 1 from leasing.capacity_request r
            where r.tenant_id = bid.tenant_id and r.capacity_request_id = bid.capacity_request_id
              and not r.unopened))
    );
create policy bid_awarded on leasing.bid for update to leasing
    using (
        tenant_id = (select current_setting('app.tenant', true))
        and state in ('SUBMITTED', 'AWARDING')
        and (reveal_at is null or reveal_at <= clock_timestamp())
    )
    with check (tenant_id = (select current_setting('app.tenant', true)) and state in ('AWARDING', 'AWARDED', 'LAPSED'));
create policy bid_worker on leasing.bid to leasing_worker using (true) with check (true);
-- Only a refused intent ever disappears.
create policy bid_gone on leasing.bid as restrictive for delete to leasing, leasing_worker
    using (state = 'SUBMITTING' and reservation_id is null);
grant select, insert, update, delete on leasing.bid to leasing, leasing_worker;

-- What a bid holds is given back as what a lease holds; the row then names the bid.
create policy hold_release_bid on leasing.hold_release for insert to leasing
    with check (exists (select 1 from leasing.bid b
                        where b.operator_id = hold_release.operator_id and b.bid_id::text = hold_release.lease_id));
