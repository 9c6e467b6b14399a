-- Who sees and writes which row. Row security is forced, so it binds the owner and with it the functions of 0003 too.
--   * request role `inventory`: the operator of the transaction; tenants and the market read what is published
--     (operators, sites, blocks, phases) and their own reservations;
--   * worker role: every row, and no request ever runs on it;
--   * nobody but the functions of 0003 writes block_version, reservation or claim.

alter table inventory.operator enable row level security;
alter table inventory.operator force row level security;
alter table inventory.site enable row level security;
alter table inventory.site force row level security;
alter table inventory.site_grid_step enable row level security;
alter table inventory.site_grid_step force row level security;
alter table inventory.block enable row level security;
alter table inventory.block force row level security;
alter table inventory.block_version enable row level security;
alter table inventory.block_version force row level security;
alter table inventory.phase enable row level security;
alter table inventory.phase force row level security;
alter table inventory.reservation enable row level security;
alter table inventory.reservation force row level security;
alter table inventory.claim enable row level security;
alter table inventory.claim force row level security;
alter table inventory.superseded enable row level security;
alter table inventory.superseded force row level security;

create policy operator_own on inventory.operator to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy site_own on inventory.site to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy site_grid_step_own on inventory.site_grid_step to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy block_own on inventory.block to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy block_version_own on inventory.block_version to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy phase_own on inventory.phase to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy reservation_own on inventory.reservation to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy claim_own on inventory.claim to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy superseded_own on inventory.superseded to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));

-- What every tenant and the market may read.
create policy operator_published on inventory.operator for select to inventory
    using ((select current_setting('app.tenant', true)) <> ''
        or (select current_setting('app.caller', true)) = 'market');
create policy site_published on inventory.site for select to inventory
    using ((select current_setting('app.tenant', true)) <> ''
        or (select current_setting('app.caller', true)) = 'market');
create policy site_grid_step_published on inventory.site_grid_step for select to inventory
    using ((select current_setting('app.tenant', true)) <> ''
        or (select current_setting('app.caller', true)) = 'market');
create policy block_published on inventory.block for select to inventory
    using ((select current_setting('app.tenant', true)) <> ''
        or (select current_setting('app.caller', true)) = 'market');
create policy phase_published on inventory.phase for select to inventory
    using ((select current_setting('app.tenant', true)) <> ''
        or (select current_setting('app.caller', true)) = 'market');
create policy superseded_published on inventory.superseded for select to inventory
    using (kind <> 'RESERVATION' and ((select current_setting('app.tenant', true)) <> ''
        or (select current_setting('app.caller', true)) = 'market'));

-- A tenant reads its own reservations with every operator. An empty setting is no tenant's slug.
create policy reservation_tenant on inventory.reservation for select to inventory
    using (tenant_id = (select current_setting('app.tenant', true)));
create policy claim_tenant on inventory.claim for select to inventory
    using (tenant_id = (select current_setting('app.tenant', true)));
create policy superseded_tenant on inventory.superseded for select to inventory
    using (tenant_id = (select current_setting('app.tenant', true)));

-- Only inventory.booked_use sets app.market, for the length of its call: it adds up claims without naming anybody.
create policy claim_added_up on inventory.claim for select to gridlease_owner
    using ((select current_setting('app.market', true)) = 'on');

create policy operator_worker on inventory.operator to inventory_worker using (true) with check (true);
create policy site_worker on inventory.site to inventory_worker using (true) with check (true);
create policy site_grid_step_worker on inventory.site_grid_step to inventory_worker using (true) with check (true);
create policy block_worker on inventory.block to inventory_worker using (true) with check (true);
create policy block_version_worker on inventory.block_version to inventory_worker using (true) with check (true);
create policy phase_worker on inventory.phase to inventory_worker using (true) with check (true);
create policy reservation_worker on inventory.reservation to inventory_worker using (true) with check (true);
create policy claim_worker on inventory.claim to inventory_worker using (true) with check (true);
create policy superseded_worker on inventory.superseded to inventory_worker using (true) with check (true);

grant select, insert on inventory.operator to inventory;
grant select, insert, update on inventory.site to inventory;
grant select, insert, delete on inventory.site_grid_step to inventory;
grant select, insert, update on inventory.block to inventory;
grant select, insert, update on inventory.phase to inventory;
grant select on inventory.block_version, inventory.reservation, inventory.claim to inventory;
grant select, insert on inventory.superseded to inventory;
grant select on inventory.operator, inventory.site, inventory.site_grid_step, inventory.block, inventory.block_version,
    inventory.phase, inventory.reservation, inventory.claim, inventory.superseded to inventory_worker;
