-- What an operator and a tenant agree on once for every lease between them, and which leases are orders under it.

create table leasing.master_agreement (
    operator_id text collate "C" not null,
    master_agreement_id uuid not null,
    tenant_id text collate "C" not null,
    state text collate "C" not null,
    -- The record that both sign, its canonical bytes: never changed.
    terms bytea not null,
    terms_hash bytea not null,
    -- Who has signed, in order of time, and who ended it.
    consents jsonb not null,
    ending jsonb,
    revision bigint not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    constraint master_agreement_pkey primary key (operator_id, master_agreement_id),
    constraint master_agreement_tenant foreign key (tenant_id) references leasing.tenant (tenant_id),
    constraint master_agreement_state check (state in ('DRAFT', 'SIGNED', 'ENDED')),
    constraint master_agreement_terms check (octet_length(terms) between 2 and 1048576),
    constraint master_agreement_hash_of_terms check (terms_hash = sha256(terms)),
    constraint master_agreement_consents check (
        jsonb_typeof(consents) = 'array' and jsonb_array_length(consents) <= 2),
    constraint master_agreement_sides check (
        jsonb_array_length(consents) < 2 or consents -> 0 ->> 'party' <> consents -> 1 ->> 'party'),
    constraint master_agreement_signed check (
        case state when 'DRAFT' then jsonb_array_length(consents) < 2
                   when 'SIGNED' then jsonb_array_length(consents) = 2
                   else true end),
    constraint master_agreement_ending check (jsonb_typeof(ending) = 'object'),
    constraint master_agreement_ended check ((state = 'ENDED') = (ending is not null)),
    constraint master_agreement_revision check (revision > 0),
    constraint master_agreement_create_time check (
        create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint master_agreement_update_time check (
        update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);
create index master_agreement_of_tenant on leasing.master_agreement (tenant_id, operator_id, master_agreement_id);

alter table leasing.master_agreement enable row level security;
alter table leasing.master_agreement force row level security;
create policy master_agreement_scope on leasing.master_agreement to leasing
    using (
        operator_id = (select current_setting('app.operator', true))
        or tenant_id = (select current_setting('app.tenant', true))
    )
    with check (
        operator_id = (select current_setting('app.operator', true))
        or tenant_id = (select current_setting('app.tenant', true))
    );
create policy master_agreement_worker on leasing.master_agreement to leasing_worker using (true) with check (true);
grant select, insert, update (state, consents, ending, revision, update_time) on leasing.master_agreement to leasing;
grant select on leasing.master_agreement to leasing_worker;

-- Set when the lease is proposed, and never changed: what it has taken over is part of its own terms.
alter table leasing.lease
    add column master_agreement_id uuid,
    add constraint lease_master_agreement foreign key (operator_id, master_agreement_id)
        references leasing.master_agreement (operator_id, master_agreement_id);
create index lease_of_master_agreement on leasing.lease (operator_id, master_agreement_id, lease_id);
