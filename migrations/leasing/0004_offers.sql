-- What is asked for capacity: rate cards, which two people make, and quotes, which may hold capacity until they end.
--
-- What a card or a quote says is one document, written whole; beside it stand the columns that rules and queries need.

create table leasing.rate_card (
    operator_id text collate "C" not null,
    rate_card_id text collate "C" not null,
    state text collate "C" not null,
    facts jsonb not null,
    -- Everybody who wrote some of it.
    authors jsonb not null,
    approver text collate "C",
    revision bigint not null,
    create_time timestamptz not null,
    update_time timestamptz not null,
    constraint rate_card_pkey primary key (operator_id, rate_card_id),
    constraint rate_card_id_shape check (rate_card_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'),
    constraint rate_card_state check (state in ('DRAFT', 'APPROVED', 'RETIRED')),
    constraint rate_card_facts check (jsonb_typeof(facts) = 'object'),
    constraint rate_card_authors check (jsonb_typeof(authors) = 'array' and jsonb_array_length(authors) > 0),
    constraint rate_card_approved check (
        (state <> 'DRAFT' or approver is null) and (state <> 'APPROVED' or approver is not null)),
    constraint rate_card_second_person check (approver is null or not authors @> to_jsonb(approver)),
    constraint rate_card_revision check (revision > 0),
    constraint rate_card_create_time check (create_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z'),
    constraint rate_card_update_time check (update_time between '2000-01-01T00:00:00Z' and '9999-12-31T00:00:00Z')
);

alter table leasing.rate_card enable row level security;
alter table leasing.rate_card force row level security;
-- An operator's own business: no tenant ever sees a card.
create policy rate_card_scope on leasing.rate_card to leasing
    using (operator_id = (select current_setting('app.operator', true)))
    with check (operator_id = (select current_setting('app.operator', true)));
create policy rate_card_worker on leasing.rate_card to leasing_worker using (true) with check (true);
grant select, insert, update on leasing.rate_card to leasing;
grant select on leasing.rate_card to leasing_worker;
