-- A schema and the record of what was applied to it. Run by the runner as gridlease_owner, once per schema.

create schema {schema} authorization gridlease_owner;

create table {schema}.schema_history (
    version bigint not null,
    name text not null,
    checksum text not null,
    applied_at timestamptz not null default clock_timestamp(),
    constraint schema_history_pkey primary key (version),
    constraint schema_history_version check (version >= 0),
    constraint schema_history_applied_at check (applied_at between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

alter table {schema}.schema_history enable row level security;
alter table {schema}.schema_history force row level security;
create policy schema_history_owner on {schema}.schema_history to gridlease_owner using (true) with check (true);
-- A service may ask whether its schema is the one it was built for.
create policy schema_history_read on {schema}.schema_history to {schema}, {schema}_worker
    using (true) with check (false);
grant select on {schema}.schema_history to {schema}, {schema}_worker;
