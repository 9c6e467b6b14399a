-- What stands beside reservations: softer rights on capacity, and those who wait for it. Neither is on the path of a
-- booking, and neither changes what is free.

create table inventory.encumbrance (
    operator_id      text collate "C" not null,
    encumbrance_id   uuid not null,
    -- On a block, on a site (no block), or on all that the operator has (neither).
    site_id          text collate "C",
    block_id         uuid,
    tenant_id        text collate "C" not null,
    kind             text not null check (kind in ('LOI', 'ROFO', 'ROFR')),
    quantity_kw      bigint not null check (quantity_kw between 1 and 1000000000),
    valid_until      timestamptz not null check (valid_until between '2000-01-01Z' and '9999-12-31Z'),
    response_days    integer not null check (response_days between 0 and 365),
    note             text not null check (length(note) <= 1000),
    is_released      boolean not null,
    revision         bigint not null check (revision > 0),
    created_at       timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    updated_at       timestamptz not null check (updated_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, encumbrance_id),
    foreign key (operator_id) references inventory.operator (operator_id),
    foreign key (operator_id, site_id) references inventory.site (operator_id, site_id),
    foreign key (operator_id, block_id) references inventory.block (operator_id, block_id),
    check (block_id is null or site_id is not null)
);
create index encumbrance_site on inventory.encumbrance (operator_id, site_id);
create index encumbrance_block on inventory.encumbrance (operator_id, block_id);

create table inventory.waitlist_entry (
    operator_id      text collate "C" not null,
    entry_id         uuid not null,
    site_id          text collate "C" not null,
    -- None: any block of the site will do.
    block_id         uuid,
    tenant_id        text collate "C" not null,
    expire_at        timestamptz not null check (expire_at between '2000-01-01Z' and '9999-12-31Z'),
    note             text not null check (length(note) <= 1000),
    state            text not null check (state in ('WAITING', 'AVAILABLE', 'LEFT')),
    -- The versions of its blocks, added up, when it was last looked at: they only rise, so another sum is news.
    seen_versions    bigint not null check (seen_versions >= 0),
    available        jsonb not null check (jsonb_typeof(available) = 'array'),
    told_at          timestamptz check (told_at between '2000-01-01Z' and '9999-12-31Z'),
    revision         bigint not null check (revision > 0),
    created_at       timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    updated_at       timestamptz not null check (updated_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, entry_id),
    foreign key (operator_id, site_id) references inventory.site (operator_id, site_id),
    foreign key (operator_id, block_id) references inventory.block (operator_id, block_id)
);
create index waitlist_entry_site on inventory.waitlist_entry (operator_id, site_id);
create index waitlist_entry_block on inventory.waitlist_entry (operator_id, block_id);

create table inventory.waitlist_step (
    operator_id             text collate "C" not null,
    entry_id                uuid not null,
    start_time              timestamptz not null check (start_time between '2000-01-01Z' and '9999-12-31Z'),
    end_time                timestamptz not null check (end_time between '2000-01-01Z' and '9999-12-31Z'),
    critical_it_kw          bigint not null,
    air_cooling_kw          bigint not null,
    liquid_cooling_kw       bigint not null,
    immersion_cooling_kw    bigint not null,
    accelerators            bigint not null,
    primary key (operator_id, entry_id, start_time),
    foreign key (operator_id, entry_id) references inventory.waitlist_entry (operator_id, entry_id),
    check (start_time < end_time),
    check (
        least(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) >= 0
        and greatest(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators)
            between 1 and 1000000000)
);

alter table inventory.encumbrance enable row level security;
alter table inventory.encumbrance force row level security;
alter table inventory.waitlist_entry enable row level security;
alter table inventory.waitlist_entry force row level security;
alter table inventory.waitlist_step enable row level security;
alter table inventory.waitlist_step force row level security;

create policy encumbrance_own on inventory.encumbrance to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy waitlist_entry_own on inventory.waitlist_entry to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy waitlist_step_own on inventory.waitlist_step to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));

-- A tenant reads its own with every operator. The steps of an entry are read with the entry, whose tenant decides.
create policy encumbrance_tenant on inventory.encumbrance for select to inventory
    using (tenant_id = (select current_setting('app.tenant', true)));
create policy waitlist_entry_tenant on inventory.waitlist_entry for select to inventory
    using (tenant_id = (select current_setting('app.tenant', true)));
create policy waitlist_step_tenant on inventory.waitlist_step for select to inventory
    using (exists (
        select from inventory.waitlist_entry e
        where e.operator_id = waitlist_step.operator_id and e.entry_id = waitlist_step.entry_id
            and e.tenant_id = (select current_setting('app.tenant', true))));

create policy encumbrance_worker on inventory.encumbrance to inventory_worker using (true) with check (true);
create policy waitlist_entry_worker on inventory.waitlist_entry to inventory_worker using (true) with check (true);
create policy waitlist_step_worker on inventory.waitlist_step to inventory_worker using (true) with check (true);

grant select, insert, update on inventory.encumbrance, inventory.waitlist_entry to inventory;
grant select, insert on inventory.waitlist_step to inventory;
grant select on inventory.encumbrance, inventory.waitlist_entry, inventory.waitlist_step to inventory_worker;
