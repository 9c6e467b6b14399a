-- Outages and curtailments. The audience is the tenants that may read a row beside its operator: decided whenever the row
-- is written, as the audience of an event is.

create table inventory.incident (
    operator_id   text collate "C" not null,
    incident_id   uuid not null,
    site_id       text collate "C" not null,
    -- None is the whole site.
    block_id      uuid,
    kind          text not null check (kind in ('POWER', 'COOLING')),
    state         text not null check (state in ('OPEN', 'ACKNOWLEDGED', 'RESOLVED', 'REJECTED', 'WITHDRAWN')),
    -- Who opened it; none if the operator reported it.
    tenant_id     text collate "C",
    start_time    timestamptz not null check (start_time between '2000-01-01Z' and '9999-12-31Z'),
    end_time      timestamptz check (end_time between '2000-01-01Z' and '9999-12-31Z'),
    audience      text[] collate "C" not null,
    -- What is known of it, each fact under its name.
    facts         jsonb not null check (jsonb_typeof(facts) = 'object'),
    resolution    text not null check (length(resolution) <= 1000),
    revision      bigint not null check (revision > 0),
    created_at    timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    updated_at    timestamptz not null check (updated_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, incident_id),
    foreign key (operator_id, site_id) references inventory.site (operator_id, site_id),
    foreign key (operator_id, block_id) references inventory.block (operator_id, block_id),
    check (start_time < end_time),
    -- What credits are reckoned from has an end.
    check (state <> 'RESOLVED' or end_time is not null),
    -- Whoever opened it may read it; nobody else has anything to withdraw.
    check (tenant_id = any (audience)),
    check (state not in ('OPEN', 'WITHDRAWN') or tenant_id is not null)
);
create index incident_site on inventory.incident (operator_id, site_id, incident_id);
create index incident_block on inventory.incident (operator_id, block_id);

create table inventory.curtailment (
    operator_id     text collate "C" not null,
    curtailment_id  uuid not null,
    site_id         text collate "C" not null,
    -- A programme of the site, or none.
    programme_id    text,
    start_time      timestamptz not null check (start_time between '2000-01-01Z' and '9999-12-31Z'),
    end_time        timestamptz not null check (end_time between '2000-01-01Z' and '9999-12-31Z'),
    curtailed_kw    bigint not null check (curtailed_kw between 1 and 1000000000),
    note            text not null check (length(note) <= 1000),
    audience        text[] collate "C" not null,
    created_at      timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, curtailment_id),
    foreign key (operator_id, site_id) references inventory.site (operator_id, site_id),
    check (start_time < end_time)
);
create index curtailment_site on inventory.curtailment (operator_id, site_id, curtailment_id);

alter table inventory.incident enable row level security;
alter table inventory.incident force row level security;
alter table inventory.curtailment enable row level security;
alter table inventory.curtailment force row level security;

create policy incident_own on inventory.incident to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy curtailment_own on inventory.curtailment to inventory, gridlease_owner
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));

-- An empty setting is no tenant's slug, and no audience holds it.
create policy incident_audience on inventory.incident for select to inventory
    using ((select current_setting('app.tenant', true)) = any (audience));
create policy curtailment_audience on inventory.curtailment for select to inventory
    using ((select current_setting('app.tenant', true)) = any (audience));

create policy incident_worker on inventory.incident to inventory_worker using (true) with check (true);
create policy curtailment_worker on inventory.curtailment to inventory_worker using (true) with check (true);

grant select, insert, update on inventory.incident to inventory;
grant select, insert on inventory.curtailment to inventory;
grant select on inventory.incident, inventory.curtailment to inventory_worker;
