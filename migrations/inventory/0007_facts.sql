-- What is known of operators, sites and blocks beyond the first version of these tables. Nothing here stands in the
-- way of a booking.

alter table inventory.operator
    add column updated_at timestamptz not null default clock_timestamp()
        check (updated_at between '2000-01-01Z' and '9999-12-31Z');

grant update on inventory.operator to inventory;

-- What is archived leaves the lists and changes no more; its row stays, for reservations and versions that name it.
alter table inventory.site
    add column archived_at timestamptz check (archived_at between '2000-01-01Z' and '9999-12-31Z');
alter table inventory.block
    add column archived_at timestamptz check (archived_at between '2000-01-01Z' and '9999-12-31Z');

-- Facts that people and other services read and that no query asks for: each kind under its name, absent where unknown.
alter table inventory.site
    add column more jsonb not null default '{}' check (jsonb_typeof(more) = 'object');
alter table inventory.block
    add column more jsonb not null default '{}' check (jsonb_typeof(more) = 'object'),
    drop constraint block_redundancy_check,
    add constraint block_redundancy_check check (
        redundancy in ('UNSPECIFIED', 'N', 'N_PLUS_1', 'TWO_N', 'TWO_N_PLUS_1', 'DISTRIBUTED'));
