-- Rights of first refusal and first offer: those that the terms of leases give, where a query can find them, and what their
-- holders were offered.

-- The rights of one version of a lease, as they stand in its terms. On a block, on a site (no block), or on all that the
-- operator has (neither); what they name need not be there yet.
create table leasing.lease_right (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    version integer not null,
    right_id text collate "C" not null,
    kind text collate "C" not null,
    site_id text collate "C",
    block_slug text collate "C",
    until_date date,
    -- The right whole, as it is signed.
    body jsonb not null,
    constraint lease_right_pkey primary key (operator_id, lease_id, version, right_id),
    constraint lease_right_version foreign key (operator_id, lease_id, version)
        references leasing.lease_version (operator_id, lease_id, version) on delete cascade,
    constraint lease_right_kind check (kind in ('ROFR', 'ROFO')),
    constraint lease_right_place check (block_slug is null or site_id is not null),
    constraint lease_right_until_date check (until_date between '2000-01-01' and '9999-12-31'),
    constraint lease_right_body check (jsonb_typeof(body) = 'object')
);

-- What the holder of a right was offered: lease_id gives the right, offered_lease_id waits for the answer.
create table leasing.right_offer (
    operator_id text collate "C" not null,
    right_offer_id uuid not null,
    lease_id text collate "C" not null,
    right_id text collate "C" not null,
    tenant_id text collate "C" not null,
    offered_lease_id text collate "C" not null,
    state text collate "C" not null,
    -- By the database's clock: who has not answered by then has waived.
    respond_by timestamptz not null,
    -- The right, the terms that are offered, and the answer.
    body jsonb not null,
    revision bigint not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    constraint right_offer_pkey primary key (operator_id, right_offer_id),
    constraint right_offer_once unique (operator_id, offered_lease_id, lease_id, right_id),
    constraint right_offer_lease foreign key (operator_id, lease_id) references leasing.lease (operator_id, lease_id),
    constraint right_offer_offered foreign key (operator_id, offered_lease_id)
        references leasing.lease (operator_id, lease_id),
    constraint right_offer_tenant foreign key (tenant_id) references leasing.tenant (tenant_id),
    constraint right_offer_another check (lease_id <> offered_lease_id),
    constraint right_offer_state check (state in ('OPEN', 'EXERCISED', 'WAIVED', 'DEEMED_WAIVED', 'WITHDRAWN')),
    constraint right_offer_respond_by check (
        respond_by between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint right_offer_body check (jsonb_typeof(body) = 'object'),
    constraint right_offer_revision check (revision > 0),
    constraint right_offer_create_time check (
        create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint right_offer_update_time check (
        update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index right_offer_of_lease on leasing.right_offer (operator_id, lease_id);
create index right_offer_of_tenant on leasing.right_offer (tenant_id, operator_id, right_offer_id);
create index right_offer_due on leasing.right_offer (respond_by) where state = 'OPEN';

alter table leasing.lease_right enable row level security;
alter table leasing.lease_right force row level security;
create policy lease_right_scope on leasing.lease_right to leasing
    using (exists (select 1 from leasing.lease l
                   where l.operator_id = lease_right.operator_id and l.lease_id = lease_right.lease_id))
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = lease_right.operator_id and l.lease_id = lease_right.lease_id));
create policy lease_right_worker on leasing.lease_right to leasing_worker using (true) with check (true);
grant select, insert on leasing.lease_right to leasing, leasing_worker;

-- Its operator sees it, and the holder: never the tenant of the lease that waits.
alter table leasing.right_offer enable row level security;
alter table leasing.right_offer force row level security;
create policy right_offer_scope on leasing.right_offer to leasing
    using (
        operator_id = (select current_setting('app.operator', true))
        or tenant_id = (select current_setting('app.tenant', true))
    )
    with check (
        operator_id = (select current_setting('app.operator', true))
        or tenant_id = (select current_setting('app.tenant', true))
    );
create policy right_offer_worker on leasing.right_offer to leasing_worker using (true) with check (true);
grant select, insert, update on leasing.right_offer to leasing;
grant select, update on leasing.right_offer to leasing_worker;
