-- Reservations that take something else from now on: amended, split, merged. What they take was decided in memory under
-- the locks of every block they touch, before or after; here it is written in the same transaction, all or nothing.
--
-- A claim that is replaced stays as AMENDED (or MERGED, with its reservation) at a new version of its block: so every
-- desk that reads what was written since its own version forgets what the reservation took.
--
-- p_rewrite is one document: off the path of a booking, readable, and in one statement all the same.
--   now, key {caller, rpc, request, hash, reply, deed}, event (the kind of all events; the first carries the deed);
--   blocks   {id, version, peak_it .. peak_accelerators} as they were read, with the most the grown claims declare;
--   changed  {id, revision, state, hold_until, tenant, before} state, end and tenant afterwards, and the resource as it was;
--   added    {id, of, note} a new reservation, in every other way like the one it comes of;
--   claims   {reservation, block, start, end, it .. accelerators} everything that is taken afterwards;
--   events   {id, reservation, payload}. Bytes are in hexadecimal.
--
-- outcome: applied | stale (a block or a reservation is not as it was read) | expired | duplicate
create function inventory.rewrite_reservations(p_operator text, p_rewrite jsonb, out outcome text)
    language plpgsql volatile security definer set search_path = ''
as $$
declare
    v_now timestamptz := (p_rewrite->>'now')::timestamptz;
    v_key jsonb := p_rewrite->'key';
begin
    perform set_config('app.operator', p_operator, true);

    perform 1 from inventory.block_version v
        where v.operator_id = p_operator
            and v.block_id in (select b.id from jsonb_to_recordset(p_rewrite->'blocks') as b (id uuid))
        order by v.block_id for no key update;
    perform 1 from inventory.reservation r
        where r.operator_id = p_operator
            and r.reservation_id in (select c.id from jsonb_to_recordset(p_rewrite->'changed') as c (id uuid))
        order by r.reservation_id for no key update;

    if exists (
        select from jsonb_to_recordset(p_rewrite->'blocks') as b (id uuid, version bigint)
        left join inventory.block_version v on v.operator_id = p_operator and v.block_id = b.id
        where v.version is distinct from b.version)
        or exists (
        select from jsonb_to_recordset(p_rewrite->'changed') as c (id uuid, revision bigint)
        left join inventory.reservation r on r.operator_id = p_operator and r.reservation_id = c.id
        where r.revision is distinct from c.revision)
    then
        outcome := 'stale';
        return;
    end if;
    -- Judged by this clock, now that the locks are held.
    if exists (
        select from jsonb_to_recordset(p_rewrite->'changed') as c (id uuid)
        join inventory.reservation r on r.operator_id = p_operator and r.reservation_id = c.id
        where r.state = 'HELD' and r.hold_until <= clock_timestamp())
    then
        outcome := 'expired';
        return;
    end if;

    insert into inventory.idempotency (owner, caller, rpc, request_id, request_hash, reply, created_at)
        values ('operators/' || p_operator, v_key->>'caller', v_key->>'rpc', (v_key->>'request')::uuid,
            decode(v_key->>'hash', 'hex'), decode(v_key->>'reply', 'hex'), v_now)
        on conflict do nothing;
    if not found then
        outcome := 'duplicate';
        return;
    end if;

    insert into inventory.superseded (operator_id, name, revision, kind, tenant_id, valid_from, valid_until, payload)
        select p_operator, 'operators/' || p_operator || '/reservations/' || c.id, r.revision, 'RESERVATION', r.tenant_id,
            r.updated_at, v_now, decode(c.before, 'hex')
        from jsonb_to_recordset(p_rewrite->'changed') as c (id uuid, before text)
        join inventory.reservation r on r.operator_id = p_operator and r.reservation_id = c.id;

    insert into inventory.reservation (operator_id, reservation_id, tenant_id, kind, state, hold_until, note, created_by,
            revision, created_at, updated_at)
        select p_operator, a.id, r.tenant_id, r.kind, r.state, r.hold_until, a.note, r.created_by, 1, v_now, v_now
        from jsonb_to_recordset(p_rewrite->'added') as a (id uuid, of uuid, note text)
        join inventory.reservation r on r.operator_id = p_operator and r.reservation_id = a.of;
    update inventory.reservation r
        set state = c.state, hold_until = c.hold_until, tenant_id = c.tenant, revision = r.revision + 1, updated_at = v_now
        from jsonb_to_recordset(p_rewrite->'changed') as c (id uuid, state text, hold_until timestamptz, tenant text)
        where r.operator_id = p_operator and r.reservation_id = c.id;

    with block as (
        select b.id, b.version from jsonb_to_recordset(p_rewrite->'blocks') as b (id uuid, version bigint)),
    replaced as (
        select c.block_id, c.version, h.state, row_number() over (partition by c.block_id order by c.version) as ordinal,
            count(*) over (partition by c.block_id) as claims
        from inventory.claim c
        join jsonb_to_recordset(p_rewrite->'changed') as h (id uuid, state text) on h.id = c.reservation_id
        where c.operator_id = p_operator and c.state in ('HELD', 'COMMITTED')),
    gone as (
        update inventory.claim c
            set version = block.version + replaced.ordinal,
                state = case replaced.state when 'MERGED' then 'MERGED' else 'AMENDED' end
            from replaced join block on block.id = replaced.block_id
            where c.operator_id = p_operator and c.block_id = replaced.block_id and c.version = replaced.version),
    wanted as (
        select c.*, coalesce((select max(replaced.claims) from replaced where replaced.block_id = c.block), 0)
                + row_number() over (partition by c.block order by c.reservation, c.start) as ordinal
        from jsonb_to_recordset(p_rewrite->'claims') as c (reservation uuid, block uuid, start timestamptz,
            "end" timestamptz, it bigint, air bigint, liquid bigint, immersion bigint, accelerators bigint)),
    taken as (
        insert into inventory.claim (operator_id, block_id, version, reservation_id, tenant_id, kind, state, hold_until,
                start_time, end_time, critical_it_kw, air_cooling_kw, liquid_cooling_kw, immersion_cooling_kw,
                accelerators)
            select p_operator, wanted.block, block.version + wanted.ordinal, wanted.reservation, r.tenant_id, r.kind, r.state,
                r.hold_until, wanted.start, wanted."end", wanted.it, wanted.air, wanted.liquid, wanted.immersion, wanted.accelerators
            from wanted join block on block.id = wanted.block
            -- As it was when this statement began: written above.
            join inventory.reservation r on r.operator_id = p_operator and r.reservation_id = wanted.reservation)
    update inventory.block_version v
        set version = v.version + (select count(*) from replaced where replaced.block_id = b.id)
                + (select count(*) from wanted where wanted.block = b.id),
            added_kw = v.added_kw + inventory.more_than_any_room(),
            peak_it_kw = b.peak_it, peak_air_kw = b.peak_air, peak_liquid_kw = b.peak_liquid,
            peak_immersion_kw = b.peak_immersion, peak_accelerators = b.peak_accelerators
        from jsonb_to_recordset(p_rewrite->'blocks') as b (id uuid, peak_it bigint, peak_air bigint, peak_liquid bigint,
            peak_immersion bigint, peak_accelerators bigint)
        where v.operator_id = p_operator and v.block_id = b.id;

    insert into inventory.outbox (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload, deed)
        select p_operator, e.id, p_rewrite->>'event', 'operators/' || p_operator || '/reservations/' || e.reservation,
            r.tenant_id, v_now, decode(e.payload, 'hex'),
            case when e.id::text = p_rewrite->'events'->0->>'id' then (v_key->>'deed')::json end
        from jsonb_to_recordset(p_rewrite->'events') as e (id uuid, reservation uuid, payload text)
        join inventory.reservation r on r.operator_id = p_operator and r.reservation_id = e.reservation;
    outcome := 'applied';
end
$$;

revoke execute on function inventory.rewrite_reservations from public;
grant execute on function inventory.rewrite_reservations to inventory;
