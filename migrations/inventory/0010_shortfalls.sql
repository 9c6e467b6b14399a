-- What live reservations are short of, because an operator lowered or delayed capacity below what was promised and
-- accepted it. The rows of a block are written anew, under its lock, whenever its capacity changes, so that they are
-- what is so now; what was so before is in the feed. The auditor counts them as known, while the reservation lives.
create table inventory.shortfall (
    operator_id             text collate "C" not null,
    block_id                uuid not null,
    reservation_id          uuid not null,
    start_time              timestamptz not null check (start_time between '2000-01-01Z' and '9999-12-31Z'),
    end_time                timestamptz not null check (end_time between '2000-01-01Z' and '9999-12-31Z'),
    critical_it_kw          bigint not null check (critical_it_kw between 0 and 1000000000),
    air_cooling_kw          bigint not null check (air_cooling_kw between 0 and 1000000000),
    liquid_cooling_kw       bigint not null check (liquid_cooling_kw between 0 and 1000000000),
    immersion_cooling_kw    bigint not null check (immersion_cooling_kw between 0 and 1000000000),
    accelerators            bigint not null check (accelerators between 0 and 1000000000),
    cause                   text not null check (cause in
        ('DELAYED', 'REDUCED', 'CANCELLED', 'MAINTENANCE', 'DERATED')),
    -- Resource name of the phase or maintenance window.
    cause_resource          text not null check (length(cause_resource) between 1 and 500),
    reason                  text not null check (length(reason) <= 500),
    recorded_at             timestamptz not null check (recorded_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, block_id, reservation_id, start_time),
    foreign key (operator_id, block_id) references inventory.block (operator_id, block_id),
    foreign key (operator_id, reservation_id) references inventory.reservation (operator_id, reservation_id),
    check (start_time < end_time),
    check (greatest(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) > 0)
);

create index shortfall_reservation on inventory.shortfall (operator_id, reservation_id);

alter table inventory.shortfall enable row level security;
alter table inventory.shortfall force row level security;

create policy shortfall_own on inventory.shortfall to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy shortfall_worker on inventory.shortfall to inventory_worker using (true) with check (true);

grant select, insert, delete on inventory.shortfall to inventory;
-- The sweeper eases what is recorded after claims were given back.
grant select, insert, delete on inventory.shortfall to inventory_worker;
