-- Who was the tenant of record of a lease before another was, and which of its revisions were in that time. A former tenant
-- reads the history of its time, and nothing of what came after it.
create table leasing.former_tenant (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    from_revision bigint not null,
    until_revision bigint not null,
    tenant_id text collate "C" not null,
    constraint former_tenant_pkey primary key (operator_id, lease_id, from_revision),
    constraint former_tenant_lease foreign key (operator_id, lease_id)
        references leasing.lease (operator_id, lease_id),
    constraint former_tenant_tenant foreign key (tenant_id) references leasing.tenant (tenant_id),
    constraint former_tenant_revisions check (0 < from_revision and from_revision < until_revision)
);
create index former_tenant_of_tenant on leasing.former_tenant (tenant_id, operator_id, lease_id);

alter table leasing.former_tenant enable row level security;
alter table leasing.former_tenant force row level security;
create policy former_tenant_scope on leasing.former_tenant for select to leasing
    using (
        operator_id = (select current_setting('app.operator', true))
        or tenant_id = (select current_setting('app.tenant', true))
    );
create policy former_tenant_worker on leasing.former_tenant to leasing_worker using (true) with check (true);
grant select on leasing.former_tenant to leasing;
grant select, insert on leasing.former_tenant to leasing_worker;

create policy lease_history_former on leasing.lease_history for select to leasing
    using (exists (
        select 1 from leasing.former_tenant f
        where f.operator_id = lease_history.operator_id and f.lease_id = lease_history.lease_id
          and f.tenant_id = (select current_setting('app.tenant', true))
          and lease_history.revision between f.from_revision and f.until_revision));
