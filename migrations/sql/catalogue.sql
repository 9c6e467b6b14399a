-- One line of text per fact of the schemas of Gridlease. Owners' own rights, constraint triggers of foreign keys and
-- the NOT NULL constraints that PostgreSQL 18 lists are left out, so that every supported version gives one text.
with schema as (
    select oid, nspname, nspowner, nspacl from pg_catalog.pg_namespace
    where nspname in ('inventory', 'leasing', 'billing')
),
relation as (
    select c.*, s.nspname, format('%I.%I', s.nspname, c.relname) as full_name
    from pg_catalog.pg_class c join schema s on s.oid = c.relnamespace
    -- Partitions come and go as time does: what they are, their parents say.
    where not c.relispartition
),
routine as (
    select p.*, s.nspname,
           format('%I.%I(%s)', s.nspname, p.proname, pg_catalog.pg_get_function_identity_arguments(p.oid)) as full_name
    from pg_catalog.pg_proc p join schema s on s.oid = p.pronamespace
),
line (nspname, kind, name, part, place, text) as (
    select nspname, 0, '', 0, '', format(E'\nschema %I owner %I', nspname, pg_catalog.pg_get_userbyid(nspowner))
    from schema
    union all
    select s.nspname, 0, '', 9, coalesce(r.rolname, 'public'),
           format('  grant %s to %s', lower(string_agg(a.privilege_type, ', ' order by a.privilege_type)),
                  coalesce(r.rolname, 'public'))
    from schema s cross join lateral pg_catalog.aclexplode(s.nspacl) a
    left join pg_catalog.pg_roles r on r.oid = a.grantee
    where a.grantee <> s.nspowner group by 1, 4, r.rolname
    union all
    select nspname, 1, relname::text, 0, '',
           format(E'\n%s %s owner %I%s%s',
                  case relkind::text when 'r' then 'table' when 'p' then 'partitioned table' when 'v' then 'view'
                               when 'm' then 'materialized view' when 'S' then 'sequence' else relkind::text end,
                  full_name, pg_catalog.pg_get_userbyid(relowner),
                  case when relrowsecurity then ' row security' else '' end,
                  case when relforcerowsecurity then ' forced' else '' end)
           || case when reloptions is null then '' else ' with ' || array_to_string(reloptions, ', ') end
    from relation
    where relkind in ('r', 'p', 'v', 'm', 'S')
      and not (relkind = 'S' and exists (
          select 1 from pg_catalog.pg_depend d where d.objid = relation.oid and d.deptype = 'i'))
    union all
    select r.nspname, 1, r.relname::text, 1, to_char(a.attnum, 'fm0000'),
           format('  %I %s%s%s%s', a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
                  case when a.attcollation not in (0, t.typcollation)
                       then ' collate ' || quote_ident(l.collname) else '' end,
                  case when a.attnotnull then ' not null' else '' end,
                  case when a.attidentity <> '' then ' identity ' || a.attidentity::text
                       when a.attgenerated <> '' then ' generated ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                       when d.adbin is not null then ' default ' || pg_catalog.pg_get_expr(d.adbin, d.adrelid)
                       else '' end)
    from relation r
    join pg_catalog.pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
    join pg_catalog.pg_type t on t.oid = a.atttypid
    left join pg_catalog.pg_collation l on l.oid = a.attcollation
    left join pg_catalog.pg_attrdef d on d.adrelid = r.oid and d.adnum = a.attnum
    where r.relkind in ('r', 'p', 'v', 'm')
    union all
    select r.nspname, 1, r.relname::text, 2, c.contype::text || c.conname,
           format('  constraint %I %s', c.conname, pg_catalog.pg_get_constraintdef(c.oid))
    from relation r join pg_catalog.pg_constraint c on c.conrelid = r.oid
    where c.contype in ('p', 'u', 'f', 'c', 'x')
    union all
    select r.nspname, 1, r.relname::text, 3, i.relname::text, '  ' || pg_catalog.pg_get_indexdef(i.oid)
    from relation r
    join pg_catalog.pg_index x on x.indrelid = r.oid
    join pg_catalog.pg_class i on i.oid = x.indexrelid
    where not exists (select 1 from pg_catalog.pg_constraint c where c.conindid = i.oid and c.conrelid = r.oid)
    union all
    select r.nspname, 1, r.relname::text, 4, t.tgname::text, '  ' || pg_catalog.pg_get_triggerdef(t.oid)
    from relation r join pg_catalog.pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
    union all
    select r.nspname, 1, r.relname::text, 5, p.polname::text,
           format('  policy %I %s for %s to %s%s%s', p.polname,
                  case when p.polpermissive then 'permissive' else 'restrictive' end,
                  case p.polcmd when '*' then 'all' when 'r' then 'select' when 'a' then 'insert'
                                when 'w' then 'update' else 'delete' end,
                  (select string_agg(coalesce(u.rolname, 'public'), ', ' order by u.rolname)
                   from unnest(p.polroles) role left join pg_catalog.pg_roles u on u.oid = role),
                  coalesce(' using (' || pg_catalog.pg_get_expr(p.polqual, p.polrelid) || ')', ''),
                  coalesce(' with check (' || pg_catalog.pg_get_expr(p.polwithcheck, p.polrelid) || ')', ''))
    from relation r join pg_catalog.pg_policy p on p.polrelid = r.oid
    union all
    select r.nspname, 1, r.relname::text, 6, '', '  as ' || pg_catalog.pg_get_viewdef(r.oid)
    from relation r where r.relkind in ('v', 'm')
    union all
    select r.nspname, 1, r.relname::text, 9, coalesce(u.rolname, 'public'),
           format('  grant %s to %s', lower(string_agg(a.privilege_type, ', ' order by a.privilege_type)),
                  coalesce(u.rolname, 'public'))
    from relation r cross join lateral pg_catalog.aclexplode(r.relacl) a
    left join pg_catalog.pg_roles u on u.oid = a.grantee
    where a.grantee <> r.relowner group by 1, 3, r.oid, u.rolname
    union all
    select r.nspname, 1, r.relname::text, 9, coalesce(u.rolname, 'public') || ' ' || c.attname,
           format('  grant %s (%I) to %s', lower(string_agg(a.privilege_type, ', ' order by a.privilege_type)),
                  c.attname, coalesce(u.rolname, 'public'))
    from relation r
    join pg_catalog.pg_attribute c on c.attrelid = r.oid and not c.attisdropped
    cross join lateral pg_catalog.aclexplode(c.attacl) a
    left join pg_catalog.pg_roles u on u.oid = a.grantee
    where a.grantee <> r.relowner group by 1, 3, r.oid, u.rolname, c.attname
    union all
    select nspname, 2, full_name, 0, '',
           format(E'\n%s %s%s owner %I language %s %s%s%s%s body %s',
                  case prokind when 'p' then 'procedure' when 'a' then 'aggregate' else 'function' end, full_name,
                  coalesce(' returns ' || pg_catalog.pg_get_function_result(routine.oid), ''),
                  pg_catalog.pg_get_userbyid(proowner),
                  (select lanname from pg_catalog.pg_language l where l.oid = prolang),
                  case provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
                  case when prosecdef then ' security definer' else '' end,
                  case when proisstrict then ' strict' else '' end,
                  case when proconfig is null then '' else ' set ' || array_to_string(proconfig, ', ') end,
                  pg_catalog.md5(prosrc))
    from routine
    union all
    select p.nspname, 2, p.full_name, 9, coalesce(u.rolname, 'public'),
           format('  grant execute to %s', coalesce(u.rolname, 'public'))
    from routine p
    cross join lateral pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) a
    left join pg_catalog.pg_roles u on u.oid = a.grantee
    where a.grantee <> p.proowner
    union all
    select s.nspname, 3, t.typname::text, 0, '',
           format(E'\ntype %I.%I owner %I %s', s.nspname, t.typname, pg_catalog.pg_get_userbyid(t.typowner),
                  case t.typtype
                      when 'e' then 'enum (' || (select string_agg(quote_literal(enumlabel), ', ' order by enumsortorder)
                                                 from pg_catalog.pg_enum e where e.enumtypid = t.oid) || ')'
                      when 'd' then 'domain ' || pg_catalog.format_type(t.typbasetype, t.typtypmod)
                      else (select '(' || string_agg(format('%I %s', a.attname,
                                       pg_catalog.format_type(a.atttypid, a.atttypmod)), ', ' order by a.attnum) || ')'
                            from pg_catalog.pg_attribute a where a.attrelid = t.typrelid and a.attnum > 0) end)
    from schema s join pg_catalog.pg_type t on t.typnamespace = s.oid
    where t.typtype in ('e', 'd')
       or (t.typtype = 'c' and exists (select 1 from pg_catalog.pg_class c where c.oid = t.typrelid and c.relkind = 'c'))
)
select text from line
order by array_position(array['inventory', 'leasing', 'billing']::name[], nspname), kind,
         name collate "C", part, place collate "C"
