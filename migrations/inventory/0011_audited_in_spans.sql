-- The auditor looks at some blocks at a time: in a market of a hundred thousand blocks to look at all of them in one statement takes
-- longer than any statement may. What it looks for is what it was.

-- Of the blocks after one and up to another, both by operator and id, which it finds by index whatever is known of the tables;
-- to compile the query takes longer than to run it.
create function inventory.oversold_between(after_operator text, after_block uuid, last_operator text, last_block uuid)
    returns table (operator_id text, block_id uuid, resource text, at timestamptz, used_kw bigint, capacity_kw bigint)
    language plpgsql volatile set search_path = '' set enable_seqscan = off set jit = off as $$
begin
    return query
    with lane as (
        select c.operator_id, c.block_id, 'claim' as part, c.start_time, c.end_time,
            c.critical_it_kw, c.air_cooling_kw, c.liquid_cooling_kw, c.immersion_cooling_kw, c.accelerators
        from inventory.claim c
        where (c.operator_id, c.block_id) > (after_operator, after_block)
            and (c.operator_id, c.block_id) <= (last_operator, last_block)
            and (c.state = 'COMMITTED' or (c.state = 'HELD' and c.hold_until > clock_timestamp()))
        union all
        select p.operator_id, p.block_id, 'phase', p.start_time, p.end_time,
            p.critical_it_kw, p.air_cooling_kw, p.liquid_cooling_kw, p.immersion_cooling_kw, p.accelerators
        from inventory.phase p
        where (p.operator_id, p.block_id) > (after_operator, after_block)
            and (p.operator_id, p.block_id) <= (last_operator, last_block) and p.use_state <> 'CANCELLED'
        union all
        select d.operator_id, d.block_id, 'derate', d.start_time, d.end_time,
            d.critical_it_kw, d.air_cooling_kw, d.liquid_cooling_kw, d.immersion_cooling_kw, d.accelerators
        from inventory.derate d
        where (d.operator_id, d.block_id) > (after_operator, after_block)
            and (d.operator_id, d.block_id) <= (last_operator, last_block) and d.state <> 'CANCELLED'
        union all
        select s.operator_id, s.block_id, 'short', s.start_time, s.end_time,
            s.critical_it_kw, s.air_cooling_kw, s.liquid_cooling_kw, s.immersion_cooling_kw, s.accelerators
        from inventory.shortfall s
        where (s.operator_id, s.block_id) > (after_operator, after_block)
            and (s.operator_id, s.block_id) <= (last_operator, last_block) and exists (
            select from inventory.claim c
            where c.operator_id = s.operator_id and c.reservation_id = s.reservation_id and c.block_id = s.block_id
                and (c.state = 'COMMITTED' or (c.state = 'HELD' and c.hold_until > clock_timestamp())))),
    edge as (
        select l.operator_id, l.block_id, l.part, e.at, r.resource, e.sign * r.kw as kw
        from lane l
        cross join lateral (values (l.start_time, 1), (l.end_time, -1)) as e (at, sign)
        cross join lateral (values
            ('critical_it', l.critical_it_kw), ('air_cooling', l.air_cooling_kw),
            ('liquid_cooling', l.liquid_cooling_kw), ('immersion_cooling', l.immersion_cooling_kw),
            ('accelerators', l.accelerators)
        ) as r (resource, kw)
        where r.kw <> 0),
    level as (
        select e.operator_id, e.block_id, e.resource, e.at,
            sum(coalesce(sum(e.kw) filter (where e.part = 'claim'), 0)) over w as used,
            sum(coalesce(sum(e.kw) filter (where e.part = 'phase'), 0)) over w as given,
            sum(coalesce(sum(e.kw) filter (where e.part = 'derate'), 0)) over w as derated,
            sum(coalesce(sum(e.kw) filter (where e.part = 'short'), 0)) over w as short
        from edge e
        group by e.operator_id, e.block_id, e.resource, e.at
        window w as (partition by e.operator_id, e.block_id, e.resource order by e.at))
    select l.operator_id, l.block_id, l.resource, l.at, l.used::bigint,
        (greatest(l.given - l.derated, 0) + l.short)::bigint
    from level l
    where l.used > greatest(l.given - l.derated, 0) + l.short
    order by 1, 2, 4, 3;
end
$$;

-- Of all blocks.
create or replace function inventory.oversold_instants()
    returns table (operator_id text, block_id uuid, resource text, at timestamptz, used_kw bigint, capacity_kw bigint)
    language plpgsql volatile set search_path = '' as $$
begin
    -- No operator's id comes after the last.
    return query select o.* from inventory.oversold_between(
        '', '00000000-0000-0000-0000-000000000000', '~', 'ffffffff-ffff-ffff-ffff-ffffffffffff') o;
end
$$;

revoke execute on function inventory.oversold_between(text, uuid, text, uuid) from public;
grant execute on function inventory.oversold_between(text, uuid, text, uuid) to inventory_worker;
