-- Intervals in which a block gives less than its phases do: maintenance that people plan, and derates. The desk, search
-- and the auditor take them from what the phases give, never below nothing. One that was cancelled before it began
-- takes nothing; one that was cut short ends where it was.
create table inventory.derate (
    operator_id             text collate "C" not null,
    derate_id               uuid not null,
    block_id                uuid not null,
    kind                    text not null check (kind in ('MAINTENANCE', 'DERATE')),
    state                   text not null check (state in ('SCHEDULED', 'CANCELLED', 'CUT_SHORT')),
    start_time              timestamptz not null check (start_time between '2000-01-01Z' and '9999-12-31Z'),
    end_time                timestamptz not null check (end_time between '2000-01-01Z' and '9999-12-31Z'),
    critical_it_kw          bigint not null check (critical_it_kw between 0 and 1000000000),
    air_cooling_kw          bigint not null check (air_cooling_kw between 0 and 1000000000),
    liquid_cooling_kw       bigint not null check (liquid_cooling_kw between 0 and 1000000000),
    immersion_cooling_kw    bigint not null check (immersion_cooling_kw between 0 and 1000000000),
    accelerators            bigint not null check (accelerators between 0 and 1000000000),
    reason                  text not null check (length(reason) between 1 and 500),
    revision                bigint not null check (revision > 0),
    created_at              timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    updated_at              timestamptz not null check (updated_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, derate_id),
    foreign key (operator_id, block_id) references inventory.block (operator_id, block_id),
    check (start_time < end_time),
    -- A derate takes something; maintenance may only be told.
    check (kind <> 'DERATE'
        or greatest(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) > 0)
);

create index derate_block on inventory.derate (operator_id, block_id, start_time);

alter table inventory.derate enable row level security;
alter table inventory.derate force row level security;

create policy derate_own on inventory.derate to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
-- What a block gives is published, so what it gives less is too; the service tells why only to those on the block.
create policy derate_published on inventory.derate for select to inventory
    using ((select current_setting('app.tenant', true)) <> ''
        or (select current_setting('app.caller', true)) = 'market');
create policy derate_worker on inventory.derate to inventory_worker using (true) with check (true);

grant select, insert, update on inventory.derate to inventory;
grant select on inventory.derate to inventory_worker;
