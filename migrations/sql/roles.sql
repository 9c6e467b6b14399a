-- The roles of a cluster, made once and again without harm. Roles are shared by all databases of a server.
--
-- gridlease_owner owns every schema, table and function, and migrations run as it; nobody logs in as it.
-- Each service has two roles: `<service>` runs requests and is bound by row level security to the scope of the
-- transaction; `<service>_worker` runs sweepers, feeds and the auditor, and no request ever runs on it.
-- None is superuser, none has BYPASSRLS, none owns a table. Roles have no password: give them one
-- (`alter role inventory password '...'`), or grant them to the login you use, and set the service's `role`.
--
-- `alter role` is not run when nothing would change: two databases prepared at the same time would otherwise
-- fail with "tuple concurrently updated".

do $roles$
declare
    wanted text;
begin
    foreach wanted in array array[
        'gridlease_owner',
        'inventory', 'inventory_worker',
        'leasing', 'leasing_worker',
        'billing', 'billing_worker'
    ] loop
        if not exists (select 1 from pg_catalog.pg_roles where rolname = wanted) then
            begin
                execute pg_catalog.format(
                    'create role %I nosuperuser nobypassrls nocreatedb nocreaterole noreplication %s',
                    wanted, case wanted when 'gridlease_owner' then 'nologin' else 'login' end);
            exception when duplicate_object or unique_violation then
                null; -- another migrator on this server was first
            end;
        end if;
    end loop;
    if exists (
        select 1 from pg_catalog.pg_roles
        where rolname in ('gridlease_owner', 'inventory', 'inventory_worker', 'leasing', 'leasing_worker',
                          'billing', 'billing_worker')
          and (rolsuper or rolbypassrls)
    ) then
        raise exception 'a Gridlease role is superuser or bypasses row level security: refusing to migrate';
    end if;
end
$roles$;
