-- The life of an agreed lease: what happened to it, and what inventory tells of the phases that it waits for.

-- Everything that happened to a lease, in the order of its revisions. Nothing is ever changed or taken away.
create table leasing.lease_history (
    operator_id text collate "C" not null,
    lease_id text collate "C" not null,
    revision bigint not null,
    kind text collate "C" not null,
    occurred_at timestamptz not null,
    state text collate "C" not null,
    version integer not null,
    constraint lease_history_pkey primary key (operator_id, lease_id, revision),
    constraint lease_history_lease foreign key (operator_id, lease_id)
        references leasing.lease (operator_id, lease_id) on delete cascade,
    constraint lease_history_revision check (revision > 0),
    constraint lease_history_version check (version > 0),
    constraint lease_history_occurred_at check (
        occurred_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

alter table leasing.lease_history enable row level security;
alter table leasing.lease_history force row level security;
create policy lease_history_scope on leasing.lease_history to leasing
    using (exists (select 1 from leasing.lease l
                   where l.operator_id = lease_history.operator_id and l.lease_id = lease_history.lease_id))
    with check (exists (select 1 from leasing.lease l
                        where l.operator_id = lease_history.operator_id and l.lease_id = lease_history.lease_id));
create policy lease_history_worker on leasing.lease_history to leasing_worker using (true) with check (true);
grant select, insert on leasing.lease_history to leasing, leasing_worker;

-- When the phases of a block are ready for service, as inventory's feed told last. Phases that will never be, or are no
-- more, have no row.
create table leasing.ready_phase (
    operator_id text collate "C" not null,
    site_id text collate "C" not null,
    block_slug text collate "C" not null,
    phase_id text collate "C" not null,
    baseline_date date not null,
    ready_date date not null,
    actual_date date,
    constraint ready_phase_pkey primary key (operator_id, site_id, block_slug, phase_id),
    constraint ready_phase_dates check (
        baseline_date between '2000-01-01' and '9999-12-31' and ready_date between '2000-01-01' and '9999-12-31'
        and actual_date between '2000-01-01' and '9999-12-31')
);

alter table leasing.ready_phase enable row level security;
alter table leasing.ready_phase force row level security;
-- An operator sees its own; a tenant sees the phases of blocks in its leases.
create policy ready_phase_scope on leasing.ready_phase for select to leasing
    using (
        operator_id = (select current_setting('app.operator', true))
        or exists (select 1 from leasing.premises p
                   where p.operator_id = ready_phase.operator_id and p.site_id = ready_phase.site_id
                     and p.block_slug = ready_phase.block_slug)
    );
create policy ready_phase_worker on leasing.ready_phase to leasing_worker using (true) with check (true);
grant select on leasing.ready_phase to leasing;
grant select, insert, update, delete on leasing.ready_phase to leasing_worker;
