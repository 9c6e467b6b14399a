-- What capacity exists, and what of it is promised. Every operator-owned row leads its keys with operator_id.
-- Ids that a caller chooses are text in collation "C"; ids we choose are uuid. Half-open intervals everywhere.

create table inventory.operator (
    operator_id   text collate "C" not null check (operator_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'),
    revision      bigint not null check (revision > 0),
    display_name  text not null check (length(display_name) between 1 and 255),
    aliases       jsonb not null check (jsonb_typeof(aliases) = 'array'),
    created_at    timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id)
);

create table inventory.site (
    operator_id              text collate "C" not null,
    site_id                  text collate "C" not null check (site_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'),
    -- The lock under which phases of the site are added: raised by every change of the site and of its phases.
    version                  bigint not null check (version > 0),
    display_name             text not null check (length(display_name) between 1 and 255),
    aliases                  jsonb not null check (jsonb_typeof(aliases) = 'array'),
    city                     text not null,
    state_code               text not null,
    country_code             text not null,
    grid_iso                 text not null,
    utility                  text not null,
    time_zone                text not null check (time_zone <> ''),
    latitude_e7              bigint check (latitude_e7 between -900000000 and 900000000),
    longitude_e7             bigint check (longitude_e7 between -1800000000 and 1800000000),
    interconnection_status   text not null check (interconnection_status in
        ('UNSPECIFIED', 'REQUESTED', 'STUDIED', 'CONTRACTED', 'ENERGISED')),
    interconnection_source   text not null,
    -- A date, or only its year or month where no more is known: 2026, 2026-05 or 2026-05-31.
    interconnection_as_of    text check (interconnection_as_of ~ '^[0-9]{4}(-[0-9]{2}){0,2}$'),
    -- What the operator publicly reports as leased, booked here or not. Absent = unknown.
    reported_leased_it_kw    bigint check (reported_leased_it_kw >= 0),
    current_use              text not null,
    figures_source           text not null,
    figures_as_of            text check (figures_as_of ~ '^[0-9]{4}(-[0-9]{2}){0,2}$'),
    figures_confidence       text not null check (figures_confidence in ('UNSPECIFIED', 'HIGH', 'MEDIUM', 'LOW')),
    created_at               timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    updated_at               timestamptz not null check (updated_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, site_id),
    foreign key (operator_id) references inventory.operator (operator_id)
);

-- The grid connection as step functions of civil date. A null is "unknown": neither zero nor unlimited.
create table inventory.site_grid_step (
    operator_id    text collate "C" not null,
    site_id        text collate "C" not null,
    from_date      date not null check (from_date between '2000-01-01' and '9999-12-31'),
    contracted_kw  bigint check (contracted_kw between 0 and 1000000000),
    energised_kw   bigint check (energised_kw between 0 and 1000000000),
    -- Interim load outside any phase, such as mining. A null is none.
    interim_kw     bigint check (interim_kw between 0 and 1000000000),
    primary key (operator_id, site_id, from_date),
    foreign key (operator_id, site_id) references inventory.site (operator_id, site_id)
);

create table inventory.block (
    operator_id        text collate "C" not null,
    block_id           uuid not null,
    site_id            text collate "C" not null,
    block_slug         text collate "C" not null check (block_slug ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'),
    -- The etag of the descriptive fields. What bookings raise is block_version.version.
    revision           bigint not null check (revision > 0),
    display_name       text not null check (length(display_name) between 1 and 255),
    cooling_kinds      jsonb not null check (jsonb_typeof(cooling_kinds) = 'array'),
    redundancy         text not null check (redundancy in ('UNSPECIFIED', 'N', 'N_PLUS_1', 'TWO_N')),
    max_kw_per_rack    bigint check (max_kw_per_rack > 0),
    lease_type         text not null check (lease_type in ('UNSPECIFIED', 'POWERED_SHELL', 'TURNKEY', 'GPU_CLOUD')),
    -- Indicative and not binding: for search only.
    rate_per_kw_month  numeric(24, 10) check (rate_per_kw_month >= 0 and rate_per_kw_month <> 'NaN'),
    currency_code      text check (currency_code ~ '^[A-Z]{3}$'),
    created_at         timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    updated_at         timestamptz not null check (updated_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, block_id),
    unique (operator_id, site_id, block_slug),
    foreign key (operator_id, site_id) references inventory.site (operator_id, site_id),
    check ((rate_per_kw_month is null) = (currency_code is null))
);

-- One writer order per block: lock, compare-and-set and feed of a block's claims. Narrow, so that raising it is a
-- cheap in-page (HOT) update. Written only by the functions of 0003. The declared peak is what the writer says the
-- block carries at most within the intervals it touched; the limit is the most the phases ever give: a coarse second wall.
create table inventory.block_version (
    operator_id           text collate "C" not null,
    block_id              uuid not null,
    version               bigint not null,
    -- All that was ever added to what is taken: of every claim its greatest lane. It never falls. Since some instant no
    -- more was added at any time and in any lane than this has grown by, whatever was freed meanwhile.
    added_kw              bigint not null,
    limit_it_kw           bigint not null,
    limit_air_kw          bigint not null,
    limit_liquid_kw       bigint not null,
    limit_immersion_kw    bigint not null,
    limit_accelerators    bigint not null,
    peak_it_kw            bigint not null,
    peak_air_kw           bigint not null,
    peak_liquid_kw        bigint not null,
    peak_immersion_kw     bigint not null,
    peak_accelerators     bigint not null,
    primary key (operator_id, block_id),
    foreign key (operator_id, block_id) references inventory.block (operator_id, block_id),
    constraint peak_within_limit check (
        peak_it_kw <= limit_it_kw and peak_air_kw <= limit_air_kw
        and peak_liquid_kw <= limit_liquid_kw and peak_immersion_kw <= limit_immersion_kw
        and peak_accelerators <= limit_accelerators)
) with (fillfactor = 50);

-- What gives a block capacity over time. Civil dates are the truth; the instants are derived from them once, in the
-- site's zone, and frozen here. Capacity of a block at t = sum of its phases in service at t, less its derates at t. A
-- phase is a tranche of gross power through its life: interim use until the conversion starts, dark until it is ready,
-- in service until it ends. A cancelled one gives and draws nothing.
create table inventory.phase (
    operator_id             text collate "C" not null,
    block_id                uuid not null,
    phase_id                text collate "C" not null check (phase_id ~ '^[a-z][a-z0-9-]{1,61}[a-z0-9]$'),
    critical_it_kw          bigint not null check (critical_it_kw between 0 and 1000000000),
    air_cooling_kw          bigint not null check (air_cooling_kw between 0 and 1000000000),
    liquid_cooling_kw       bigint not null check (liquid_cooling_kw between 0 and 1000000000),
    immersion_cooling_kw    bigint not null check (immersion_cooling_kw between 0 and 1000000000),
    -- A count, beside the kilowatts.
    accelerators            bigint not null check (accelerators between 0 and 1000000000),
    gross_kw                bigint not null check (gross_kw between 0 and 10000000000),
    gross_basis             text not null check (gross_basis in ('STATED', 'ASSUMED')),
    it_basis                text not null check (it_basis in ('STATED', 'ASSUMED')),
    -- A fact of today, told by people; capacity over time never follows from it, but that a cancelled phase has none.
    use_state               text not null check (use_state in
        ('PLANNED', 'MINING', 'HOSTING', 'IDLE', 'CONVERTING', 'COMMISSIONING', 'READY', 'RETIRED', 'CANCELLED')),
    interim_use             text not null check (interim_use in ('NONE', 'MINING', 'HOSTING', 'IDLE')),
    interim_gross_kw        bigint not null check (interim_gross_kw between 0 and 10000000000),
    interim_start_date      date check (interim_start_date between '2000-01-01' and '9999-12-31'),
    conversion_start_date   date check (conversion_start_date between '2000-01-01' and '9999-12-31'),
    wind_down_notice_days   integer not null check (wind_down_notice_days between 0 and 3650),
    ready_for_service_date  date not null check (ready_for_service_date between '2000-01-01' and '9999-12-31'),
    date_basis              text not null check (date_basis in ('ACTUAL', 'FORECAST', 'ASSUMED')),
    -- Everything that was ever said of the date, the baseline first: date, basis, when and why.
    ready_dates             jsonb not null check (jsonb_typeof(ready_dates) = 'array' and ready_dates <> '[]'),
    end_date                date check (end_date between '2000-01-01' and '9999-12-31'),
    start_time              timestamptz not null check (start_time between '2000-01-01Z' and '9999-12-31Z'),
    -- A phase without an end lasts to the end of time as we count it.
    end_time                timestamptz not null check (end_time between '2000-01-01Z' and '9999-12-31Z'),
    grid_check              text not null check (grid_check in ('WITHIN', 'UNSTATED')),
    cancel_reason           text not null check (length(cancel_reason) <= 500),
    revision                bigint not null check (revision > 0),
    created_at              timestamptz not null check (created_at between '2000-01-01Z' and '9999-12-31Z'),
    updated_at              timestamptz not null check (updated_at between '2000-01-01Z' and '9999-12-31Z'),
    primary key (operator_id, block_id, phase_id),
    foreign key (operator_id, block_id) references inventory.block (operator_id, block_id),
    check (start_time < end_time),
    check (ready_for_service_date < end_date),
    check ((interim_use = 'NONE') = (interim_gross_kw = 0)),
    check ((interim_use = 'NONE') = (interim_start_date is null)),
    check (conversion_start_date < ready_for_service_date),
    check (interim_start_date < coalesce(conversion_start_date, ready_for_service_date))
);

-- The hot tables have few and short constraints: every statement that inserts reads and compiles all of them.
create table inventory.reservation (
    operator_id      text collate "C" not null,
    reservation_id   uuid not null,
    tenant_id        text collate "C",
    kind             text not null,
    state            text not null,
    -- Judged by the database's clock only, and only while HELD.
    hold_until       timestamptz not null,
    note             text not null,
    created_by       text not null,
    revision         bigint not null,
    created_at       timestamptz not null,
    updated_at       timestamptz not null,
    primary key (operator_id, reservation_id),
    constraint reservation_words check (
        kind in ('HOLD', 'LEASE', 'OPTION', 'OPERATOR_USE') and state in ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED', 'MERGED')
        and length(note) <= 1000 and revision > 0),
    constraint reservation_times check (
        least(hold_until, created_at, updated_at) >= '2000-01-01Z'
        and greatest(hold_until, created_at, updated_at) <= '9999-12-31Z')
);

-- Open holds only: the quota of a tenant, and the sweeper's list.
create index reservation_held on inventory.reservation (operator_id, tenant_id, hold_until) where state = 'HELD';

-- A reservation's row for one block and one step of its profile. The key is the block's version at which the claim was
-- last written: even a faulty writer cannot commit two claims on one version of a block.
create table inventory.claim (
    operator_id             text collate "C" not null,
    block_id                uuid not null,
    version                 bigint not null,
    reservation_id          uuid not null,
    tenant_id               text collate "C",
    kind                    text not null,
    state                   text not null,
    hold_until              timestamptz not null,
    start_time              timestamptz not null,
    end_time                timestamptz not null,
    critical_it_kw          bigint not null,
    air_cooling_kw          bigint not null,
    liquid_cooling_kw       bigint not null,
    immersion_cooling_kw    bigint not null,
    accelerators            bigint not null,
    primary key (operator_id, block_id, version),
    -- No foreign key to the reservation: one function writes both in one statement, and nobody may delete either.
    -- No lane negative, none absurd, and something is taken.
    constraint claim_kw check (
        least(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators) >= 0
        and greatest(critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw, accelerators)
            between 1 and 1000000000),
    constraint claim_times check (
        start_time < end_time
        and least(start_time, hold_until) >= '2000-01-01Z' and greatest(end_time, hold_until) <= '9999-12-31Z'),
    -- AMENDED: another claim of the same reservation has taken its place.
    constraint claim_state check (
        state in ('HELD', 'COMMITTED', 'RELEASED', 'EXPIRED', 'MERGED', 'AMENDED') and version > 0)
);

create index claim_reservation on inventory.claim (operator_id, reservation_id);

-- What a resource was before each of its changes, as it went over the wire then: the answer to "as of". The current
-- state lies in the resource's own table and becomes a row here when it is changed, so that what is only created,
-- as most bookings are, costs nothing more.
create table inventory.superseded (
    operator_id    text collate "C" not null,
    -- The resource's full name, with its operator.
    name           text collate "C" not null,
    revision       bigint not null check (revision > 0),
    kind           text not null check (kind in ('OPERATOR', 'SITE', 'BLOCK', 'PHASE', 'RESERVATION')),
    -- The tenant of a reservation, who may read it too.
    tenant_id      text collate "C",
    -- Known from then on, and until then: half-open.
    valid_from     timestamptz not null check (valid_from between '2000-01-01Z' and '9999-12-31Z'),
    valid_until    timestamptz not null check (valid_until between '2000-01-01Z' and '9999-12-31Z'),
    payload        bytea not null,
    primary key (operator_id, name, revision),
    check (valid_from <= valid_until)
);
