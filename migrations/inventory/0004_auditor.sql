-- The independent auditor: a sweep over every edge of claims and phases, sharing nothing with the desk. A row is an
-- instant from which on a block promises more of a resource than its phases give. A sound database returns none.
create function inventory.oversold_instants()
    returns table (operator_id text, block_id uuid, resource text, at timestamptz, used_kw bigint, capacity_kw bigint)
    language sql volatile set search_path = '' as $$
    with edge as (
        select c.operator_id, c.block_id, e.at, e.sign * c.critical_it_kw as it, e.sign * c.air_cooling_kw as air,
            e.sign * c.liquid_cooling_kw as liquid, e.sign * c.immersion_cooling_kw as immersion,
            e.sign * c.accelerators as accelerators,
            0 as cap_it, 0 as cap_air, 0 as cap_liquid, 0 as cap_immersion, 0 as cap_accelerators
        from inventory.claim c
        cross join lateral (values (c.start_time, 1), (c.end_time, -1)) as e (at, sign)
        where c.state = 'COMMITTED' or (c.state = 'HELD' and c.hold_until > clock_timestamp())
        union all
        select p.operator_id, p.block_id, e.at, 0, 0, 0, 0, 0, e.sign * p.critical_it_kw, e.sign * p.air_cooling_kw,
            e.sign * p.liquid_cooling_kw, e.sign * p.immersion_cooling_kw, e.sign * p.accelerators
        from inventory.phase p
        cross join lateral (values (p.start_time, 1), (p.end_time, -1)) as e (at, sign)),
    level as (
        select e.operator_id, e.block_id, e.at,
            sum(sum(it)) over w as it, sum(sum(air)) over w as air, sum(sum(liquid)) over w as liquid,
            sum(sum(immersion)) over w as immersion, sum(sum(accelerators)) over w as accelerators,
            sum(sum(cap_it)) over w as cap_it,
            sum(sum(cap_air)) over w as cap_air, sum(sum(cap_liquid)) over w as cap_liquid,
            sum(sum(cap_immersion)) over w as cap_immersion, sum(sum(cap_accelerators)) over w as cap_accelerators
        from edge e
        group by e.operator_id, e.block_id, e.at
        window w as (partition by e.operator_id, e.block_id order by e.at))
    select l.operator_id, l.block_id, r.resource, l.at, r.used::bigint, r.capacity::bigint
    from level l
    cross join lateral (values
        ('critical_it', l.it, l.cap_it), ('air_cooling', l.air, l.cap_air),
        ('liquid_cooling', l.liquid, l.cap_liquid), ('immersion_cooling', l.immersion, l.cap_immersion),
        ('accelerators', l.accelerators, l.cap_accelerators)
    ) as r (resource, used, capacity)
    where r.used > r.capacity
    order by 1, 2, 4, 3
$$;

revoke execute on function inventory.oversold_instants() from public;
grant execute on function inventory.oversold_instants() to inventory_worker;
