-- The only writers of block versions, reservations and claims. All are SECURITY DEFINER with an empty search_path and
-- set app.operator themselves, since row security binds their owner. Locking, checking and writing are separate
-- statements and none is STABLE: under READ COMMITTED a statement that waited for a lock inside itself would go on
-- reading the snapshot from before the wait. Lock order everywhere: blocks by id, request keys in key order, reservation.

-- One batch of new reservations of one operator, checked in memory against what it knows of the blocks.
--
-- A reservation is applied if nothing can have taken from it, on any block it touches, what it was found to fit in: all
-- that was added since (added_kw against b_added) fits into the room (b_room) that the check found to be left, at every
-- instant and in every lane that the batch takes something of, on top of everything. Where nobody else booked, nothing
-- was added. Its request key is inserted with it, and a key that is already there makes that one reservation a duplicate
-- and fails no neighbour.
-- A block's version rises by the claims that were meant for it, also when some of them were not applied: versions
-- are monotone, not dense. b_* one element a block, in block id order; r_*, k_*, e_* one a reservation;
-- c_* one a claim, pointing into r_* and b_* (from 1), c_ordinal counting from 1 within its block.
--
-- The first row answers with outcomes: 0 applied, 1 stale, 2 duplicate, 3 the caller's clock is off by more than five
-- seconds (nothing done). Where blocks were stale, what has changed of them since follows, as block_state tells it, so
-- that whoever lost the race can check again at once. Where they were not, and yet not at b_version any more, an AHEAD row
-- tells the version they had: how much the caller has not seen.
create function inventory.book(
    p_operator text, p_now timestamptz, p_rpc text,
    b_id uuid[], b_version bigint[], b_claims bigint[], b_added bigint[], b_room bigint[], b_grown bigint[],
    b_peak_it bigint[], b_peak_air bigint[], b_peak_liquid bigint[], b_peak_immersion bigint[],
    b_peak_accelerators bigint[],
    r_id uuid[], r_tenant text[], r_kind text[], r_hold_until timestamptz[], r_note text[],
    k_caller text[], k_request uuid[], k_hash bytea[], k_reply bytea[],
    e_id uuid[], e_payload bytea[],
    c_reservation integer[], c_block integer[], c_ordinal bigint[],
    c_start timestamptz[], c_end timestamptz[],
    c_it bigint[], c_air bigint[], c_liquid bigint[], c_immersion bigint[],
    c_accelerators bigint[],
    e_deed text[])
    returns table (
        outcomes smallint[], at timestamptz,
        part text, block_id uuid, version bigint, reservation_id uuid, kind text, state text, hold_until timestamptz,
        start_time timestamptz, end_time timestamptz,
        critical_it_kw bigint, air_cooling_kw bigint, liquid_cooling_kw bigint, immersion_cooling_kw bigint,
        accelerators bigint)
    language plpgsql volatile security definer set search_path = ''
    -- Planned once a connection: planning would cost several times the work, and the guess of a generic plan for
    -- the length of an array is right enough.
    set plan_cache_mode = force_generic_plan
    -- Blocks are found one by one, in the order they are named or in that of their index: both are by id.
    set enable_hashjoin = off set enable_mergejoin = off set enable_seqscan = off set enable_bitmapscan = off
as $$
#variable_conflict use_column
declare
    v_owner text := 'operators/' || p_operator;
    v_fresh bigint[];
    v_base bigint[];
    v_stale bigint[] := '{}';
    v_applied integer[];
begin
    perform set_config('app.operator', p_operator, true);
    at := clock_timestamp();
    if p_now not between at - interval '5 seconds' and at + interval '5 seconds' then
        outcomes := array_fill(3::smallint, array[cardinality(r_id)]);
        return next;
        return;
    end if;

    -- One statement, since each costs its start: it reads nothing that another transaction could have changed but the
    -- blocks' rows, which it locks as it compares them, in id order, so that two replicas never wait in a ring. A block
    -- that others have booked on since is fresh enough if there is room for all of that on top of everything.
    with raised as (
        update inventory.block_version v
            set version = v.version + b.claims, added_kw = v.added_kw + b.grown,
                peak_it_kw = case when b.peak_it > 0 then b.peak_it + v.added_kw - b.added else 0 end,
                peak_air_kw = case when b.peak_air > 0 then b.peak_air + v.added_kw - b.added else 0 end,
                peak_liquid_kw = case when b.peak_liquid > 0 then b.peak_liquid + v.added_kw - b.added else 0 end,
                peak_immersion_kw = case when b.peak_immersion > 0 then b.peak_immersion + v.added_kw - b.added else 0 end,
                peak_accelerators = case when b.peak_accelerators > 0 then b.peak_accelerators + v.added_kw - b.added else 0 end
            from unnest(b_id, b_claims, b_added, b_room, b_grown, b_peak_it, b_peak_air, b_peak_liquid, b_peak_immersion,
                    b_peak_accelerators)
                with ordinality as b (id, claims, added, room, grown, peak_it, peak_air, peak_liquid, peak_immersion,
                    peak_accelerators, n)
            where v.operator_id = p_operator and v.block_id = b.id and v.added_kw - b.added between 0 and b.room
            returning b.n, v.version - b.claims as base)
    select coalesce(array_agg(n), '{}'), coalesce(array_agg(base), '{}') into v_fresh, v_base from raised;
    if cardinality(v_fresh) < cardinality(b_id) then
        v_stale := array(select c.r from unnest(c_reservation, c_block) as c (r, b) where c.b <> all (v_fresh));
        v_base := array(select v_base[array_position(v_fresh, n::bigint)] from generate_subscripts(b_id, 1) n order by n);
    end if;

    with key as (
        insert into inventory.idempotency (owner, caller, rpc, request_id, request_hash, reply, created_at)
            select v_owner, k.caller, p_rpc, k.request, k.hash, k.reply, p_now
            from unnest(k_caller, k_request, k_hash, k_reply) with ordinality as k (caller, request, hash, reply, n)
            where k.n <> all (v_stale)
            order by k.request, k.caller collate "C"
            on conflict do nothing
            returning request_id),
    -- Null where all are, as nearly always: to look for each in a list would take longer the fuller the batch.
    applied as materialized (
        select case when (select count(*) from key) < cardinality(r_id)
            then array(select array_position(k_request, key.request_id) from key) end as n),
    placed as (
        insert into inventory.reservation (operator_id, reservation_id, tenant_id, kind, state, hold_until, note,
                created_by, revision, created_at, updated_at)
            select p_operator, r.id, r.tenant, r.kind, 'HELD', r.hold_until, r.note, r.caller, 1, p_now, p_now
            from unnest(r_id, r_tenant, r_kind, r_hold_until, r_note, k_caller) with ordinality
                as r (id, tenant, kind, hold_until, note, caller, n), applied
            where applied.n is null or r.n = any (applied.n)),
    claimed as (
        insert into inventory.claim (operator_id, block_id, version, reservation_id, tenant_id, kind, state, hold_until,
                start_time, end_time, critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw,
                accelerators)
            select p_operator, b_id[c.b], v_base[c.b] + c.ordinal, r_id[c.r], r_tenant[c.r], r_kind[c.r], 'HELD',
                r_hold_until[c.r], c.starts, c.ends, c.it, c.air, c.liquid, c.immersion, c.accelerators
            from unnest(c_reservation, c_block, c_ordinal, c_start, c_end, c_it, c_air, c_liquid, c_immersion,
                    c_accelerators)
                as c (r, b, ordinal, starts, ends, it, air, liquid, immersion, accelerators), applied
            where applied.n is null or c.r = any (applied.n)),
    told as (
        insert into inventory.outbox (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload, deed)
            select p_operator, e.id, 'reservation.held',
                v_owner || '/reservations/' || e.reservation, e.tenant, p_now, e.payload, e.deed::json
            from unnest(e_id, e_payload, r_id, r_tenant, e_deed) with ordinality
                as e (id, payload, reservation, tenant, deed, n), applied
            where applied.n is null or e.n = any (applied.n))
    select applied.n into v_applied from applied;
    if v_applied is null then
        outcomes := array_fill(0::smallint, array[cardinality(r_id)]);
    else
        outcomes := array(
            select case when n = any (v_applied) then 0 when n = any (v_stale) then 1 else 2 end::smallint
            from generate_series(1, cardinality(r_id)) n order by n);
    end if;
    at := clock_timestamp();
    return next;
    if cardinality(v_fresh) < cardinality(b_id) then
        return query
            select null::smallint[], null::timestamptz, s.*
            from inventory.block_state(p_operator,
                array(select b.id from unnest(b_id) with ordinality b (id, n) where b.n <> all (v_fresh) order by b.n),
                array(select b.v from unnest(b_version) with ordinality b (v, n)
                    where b.n <> all (v_fresh) order by b.n)) s;
    end if;
    if v_base is distinct from b_version then
        return query
            select null::smallint[], null::timestamptz, 'AHEAD'::text, b.id, b.base, null::uuid, null::text, null::text,
                null::timestamptz, null::timestamptz, null::timestamptz, 0::bigint, 0::bigint, 0::bigint, 0::bigint, 0::bigint
            from unnest(b_id, b_version, v_base) as b (id, known, base)
            where b.base <> b.known;
    end if;
end
$$;

-- Every change of a reservation after it was placed: extended, committed, released, expired. Judged by the database's
-- clock after the locks are held. The caller read the reservation at p_revision and prepared reply and event for it.
--
-- p_guard: 'live' = the hold must not have run out, 'expired' = it must have, 'any'. p_before: the resource as it was.
-- outcome: applied | missing | duplicate | stale (another revision) | state (not in p_from) | expired | live
create function inventory.move_reservation(
    p_operator text, p_reservation uuid, p_revision bigint, p_from text[], p_to text, p_guard text,
    p_hold_until timestamptz, p_now timestamptz, p_before bytea,
    k_caller text, k_rpc text, k_request uuid, k_hash bytea, k_reply bytea,
    e_id uuid, e_kind text, e_payload bytea, e_deed text,
    out outcome text, out at timestamptz
) language plpgsql volatile security definer set search_path = ''
    set plan_cache_mode = force_generic_plan
as $$
declare
    v_reservation inventory.reservation;
begin
    perform set_config('app.operator', p_operator, true);

    -- The blocks may be read before they are locked: they change only with the reservation's revision.
    perform 1 from inventory.block_version v
        where v.operator_id = p_operator and v.block_id in (
            select c.block_id from inventory.claim c
            where c.operator_id = p_operator and c.reservation_id = p_reservation)
        order by v.block_id for no key update;
    select * into v_reservation from inventory.reservation r
        where r.operator_id = p_operator and r.reservation_id = p_reservation for no key update;
    at := clock_timestamp();

    outcome := case
        when v_reservation.reservation_id is null then 'missing'
        when k_request is not null and exists (
            select from inventory.idempotency i
            where i.owner = 'operators/' || p_operator and i.caller = k_caller and i.rpc = k_rpc
                and i.request_id = k_request) then 'duplicate'
        when v_reservation.state <> all (p_from) then 'state'
        when p_guard = 'live' and v_reservation.hold_until <= at then 'expired'
        when p_guard = 'expired' and v_reservation.hold_until > at then 'live'
        when v_reservation.revision <> p_revision then 'stale'
    end;
    if outcome is not null then
        return;
    end if;

    if k_request is not null then
        insert into inventory.idempotency (owner, caller, rpc, request_id, request_hash, reply, created_at)
            values ('operators/' || p_operator, k_caller, k_rpc, k_request, k_hash, k_reply, p_now)
            on conflict do nothing;
        if not found then
            outcome := 'duplicate';
            return;
        end if;
    end if;

    with moved as (
        select c.block_id, c.version,
            row_number() over (partition by c.block_id order by c.version) as ordinal,
            count(*) over (partition by c.block_id) as claims
        from inventory.claim c
        where c.operator_id = p_operator and c.reservation_id = p_reservation and c.state <> 'AMENDED'),
    raised as (
        update inventory.block_version v set version = v.version + b.claims
            from (select distinct m.block_id, m.claims from moved m) b
            where v.operator_id = p_operator and v.block_id = b.block_id
            returning v.block_id, v.version - b.claims as base)
    update inventory.claim c
        set version = raised.base + moved.ordinal, state = p_to, hold_until = p_hold_until
        from moved join raised on raised.block_id = moved.block_id
        where c.operator_id = p_operator and c.block_id = moved.block_id and c.version = moved.version;

    insert into inventory.superseded (operator_id, name, revision, kind, tenant_id, valid_from, valid_until, payload)
        values (p_operator, 'operators/' || p_operator || '/reservations/' || p_reservation, v_reservation.revision,
            'RESERVATION', v_reservation.tenant_id, v_reservation.updated_at,
            greatest(p_now, v_reservation.updated_at), p_before);
    update inventory.reservation r
        set state = p_to, hold_until = p_hold_until, revision = r.revision + 1,
            updated_at = greatest(p_now, r.updated_at)
        where r.operator_id = p_operator and r.reservation_id = p_reservation;

    insert into inventory.outbox (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload, deed)
        values (p_operator, e_id, e_kind, 'operators/' || p_operator || '/reservations/' || p_reservation,
            v_reservation.tenant_id, p_now, e_payload, e_deed::json);
    outcome := 'applied';
end
$$;

-- Takes the blocks' locks in id order: what a booking does first after it lost the race for them several times.
create function inventory.lock_blocks(p_operator text, p_blocks uuid[]) returns void
    language plpgsql volatile security definer set search_path = '' as $$
begin
    perform set_config('app.operator', p_operator, true);
    perform 1 from inventory.block_version v
        where v.operator_id = p_operator and v.block_id = any (p_blocks)
        order by v.block_id for no key update;
end
$$;

-- What block_version.added_kw grows by where a change cannot be told in kilowatts added, so that whoever has not seen it
-- must: a batch never says that it has so much room.
create function inventory.more_than_any_room() returns bigint
    language sql immutable set search_path = '' return 10000000000;

-- Raises a block's version after its phases or derates changed, in the same transaction, and records the most that its
-- phases ever give. Makes the version row of a new block. What the last batch declared as its peak may be more than
-- what is left, so it is forgotten.
create function inventory.touch_block(p_operator text, p_block uuid) returns bigint
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_version bigint;
begin
    perform set_config('app.operator', p_operator, true);
    insert into inventory.block_version as v (operator_id, block_id, version, added_kw,
            limit_it_kw, limit_air_kw, limit_liquid_kw, limit_immersion_kw, limit_accelerators,
            peak_it_kw, peak_air_kw, peak_liquid_kw, peak_immersion_kw, peak_accelerators)
        select p_operator, p_block, 1, 0,
            coalesce(max(t.it), 0), coalesce(max(t.air), 0), coalesce(max(t.liquid), 0), coalesce(max(t.immersion), 0),
            coalesce(max(t.accelerators), 0), 0, 0, 0, 0, 0
        from (
            select sum(p.critical_it_kw)::bigint as it, sum(p.air_cooling_kw)::bigint as air,
                sum(p.liquid_cooling_kw)::bigint as liquid, sum(p.immersion_cooling_kw)::bigint as immersion,
                sum(p.accelerators)::bigint as accelerators
            from inventory.phase s
            join inventory.phase p on p.operator_id = p_operator and p.block_id = p_block
                and p.start_time <= s.start_time and s.start_time < p.end_time and p.use_state <> 'CANCELLED'
            where s.operator_id = p_operator and s.block_id = p_block and s.use_state <> 'CANCELLED'
            group by s.start_time, s.phase_id) t
        on conflict (operator_id, block_id) do update
            set version = v.version + 1, added_kw = v.added_kw + inventory.more_than_any_room(),
                limit_it_kw = excluded.limit_it_kw, limit_air_kw = excluded.limit_air_kw,
                limit_liquid_kw = excluded.limit_liquid_kw, limit_immersion_kw = excluded.limit_immersion_kw,
                limit_accelerators = excluded.limit_accelerators,
                peak_it_kw = 0, peak_air_kw = 0, peak_liquid_kw = 0, peak_immersion_kw = 0,
                peak_accelerators = 0
        returning v.version into v_version;
    return v_version;
end
$$;

-- What the desk keeps in memory of blocks: versions, phases, derates and claims, all from one statement and so from one
-- snapshot. A version read before its claims would be harmless, claims read before their version would oversell.
--
-- p_since: -1 = all live claims; otherwise every claim written after that version, whatever its state.
create function inventory.block_state(p_operator text, p_blocks uuid[], p_since bigint[])
    returns table (
        part text, block_id uuid, version bigint, reservation_id uuid, kind text, state text, hold_until timestamptz,
        start_time timestamptz, end_time timestamptz,
        critical_it_kw bigint, air_cooling_kw bigint, liquid_cooling_kw bigint, immersion_cooling_kw bigint,
        accelerators bigint)
    language plpgsql volatile security definer set search_path = ''
    set plan_cache_mode = force_generic_plan
as $$
begin
    perform set_config('app.operator', p_operator, true);
    return query
        -- Its first quantity is what was ever added.
        select 'HEAD'::text, v.block_id, v.version, null::uuid, null::text, null::text, null::timestamptz,
            null::timestamptz, null::timestamptz, v.added_kw, 0::bigint, 0::bigint, 0::bigint, 0::bigint
        from inventory.block_version v
        where v.operator_id = p_operator and v.block_id = any (p_blocks)
        union all
        select 'PHASE', p.block_id, 0::bigint, null, null, null, null,
            p.start_time, p.end_time, p.critical_it_kw, p.air_cooling_kw, p.liquid_cooling_kw, p.immersion_cooling_kw,
            p.accelerators
        from inventory.phase p
        where p.operator_id = p_operator and p.block_id = any (p_blocks) and p.use_state <> 'CANCELLED'
        union all
        select 'DERATE', d.block_id, 0::bigint, null, null, null, null,
            d.start_time, d.end_time, d.critical_it_kw, d.air_cooling_kw, d.liquid_cooling_kw, d.immersion_cooling_kw,
            d.accelerators
        from inventory.derate d
        where d.operator_id = p_operator and d.block_id = any (p_blocks) and d.state <> 'CANCELLED'
        union all
        select 'CLAIM', c.block_id, c.version, c.reservation_id, c.kind, c.state, c.hold_until,
            c.start_time, c.end_time, c.critical_it_kw, c.air_cooling_kw, c.liquid_cooling_kw, c.immersion_cooling_kw,
            c.accelerators
        from unnest(p_blocks, p_since) as b (id, since)
        join inventory.claim c on c.operator_id = p_operator and c.block_id = b.id and c.version > b.since
            and (b.since >= 0 or c.state in ('HELD', 'COMMITTED'));
end
$$;

-- Replies recorded under these keys, for a desk that must know them before it refuses: one row a key that is there.
create function inventory.recorded_replies(p_operator text, p_rpc text, k_caller text[], k_request uuid[])
    returns table (caller text, request_id uuid, request_hash bytea, reply bytea, created_at timestamptz)
    language plpgsql volatile security definer set search_path = ''
    set plan_cache_mode = force_generic_plan
as $$
begin
    perform set_config('app.operator', p_operator, true);
    return query
        select i.caller, i.request_id, i.request_hash, i.reply, i.created_at
        from unnest(k_caller, k_request) as k (caller, request_id)
        join inventory.idempotency i on i.owner = 'operators/' || p_operator and i.caller = k.caller
            and i.rpc = p_rpc and i.request_id = k.request_id;
end
$$;

-- Open holds of these tenants with this operator: their quota.
create function inventory.open_holds(p_operator text, p_tenants text[])
    returns table (tenant_id text, holds bigint)
    language plpgsql volatile security definer set search_path = ''
    set plan_cache_mode = force_generic_plan
as $$
begin
    perform set_config('app.operator', p_operator, true);
    return query
        select r.tenant_id, count(*)
        from inventory.reservation r
        where r.operator_id = p_operator and r.tenant_id = any (p_tenants) and r.state = 'HELD'
            and r.hold_until > clock_timestamp()
        group by r.tenant_id;
end
$$;

-- What is promised of each block, added up without naming anybody, for search and availability: the caller's operator,
-- or every operator when a tenant or the market asks. A hold that has run out does not count, swept or not.
create function inventory.booked_use(p_operators text[], p_from timestamptz)
    returns table (
        operator_id text, block_id uuid, kind text, state text, start_time timestamptz, end_time timestamptz,
        critical_it_kw bigint, air_cooling_kw bigint, liquid_cooling_kw bigint, immersion_cooling_kw bigint,
        accelerators bigint)
    language plpgsql volatile security definer set search_path = '' as $$
declare
    v_market boolean := coalesce(current_setting('app.tenant', true), '') <> ''
        or coalesce(current_setting('app.caller', true), '') = 'market';
begin
    perform set_config('app.market', case when v_market then 'on' else '' end, true);
    return query
        select c.operator_id, c.block_id, c.kind, c.state, c.start_time, c.end_time,
            sum(c.critical_it_kw)::bigint, sum(c.air_cooling_kw)::bigint, sum(c.liquid_cooling_kw)::bigint,
            sum(c.immersion_cooling_kw)::bigint, sum(c.accelerators)::bigint
        from inventory.claim c
        where (p_operators is null or c.operator_id = any (p_operators))
            and c.end_time > p_from
            and (c.state = 'COMMITTED' or (c.state = 'HELD' and c.hold_until > clock_timestamp()))
        group by 1, 2, 3, 4, 5, 6;
    perform set_config('app.market', '', true);
end
$$;

revoke execute on all functions in schema inventory from public;
grant execute on function
    inventory.book, inventory.move_reservation, inventory.lock_blocks, inventory.touch_block, inventory.block_state,
    inventory.recorded_replies, inventory.open_holds, inventory.booked_use to inventory;
-- The sweeper writes expiries off; the index of search reads blocks as the desk does.
grant execute on function inventory.move_reservation, inventory.lock_blocks, inventory.block_state to inventory_worker;
