//! What every schema keeps to, read from the catalogue of a migrated database.

use std::path::Path;

use integration_tests::TestDatabase;
use sqlx::{AssertSqlSafe, Row as _};

/// Tables whose keys do not begin with operator_id, and why.
const NOT_BY_OPERATOR: &[(&str, &str)] = &[
    ("schema_history", "the runner's own record, one a schema"),
    ("idempotency", "leads with the resource name of the owner, which may be a tenant or the platform"),
    ("revocation", "leads with the resource name of the organisation, which may be the platform"),
    ("audit_link", "leads with the resource name of the organisation, which may be a tenant or the platform"),
    ("audit_cursor", "one row: how far the schema's rows are sealed"),
    ("feed", "one row: the epoch of the schema's feed"),
    ("feed_cursor", "a service's place in another service's feed"),
    ("tenant", "a tenant belongs to no operator"),
    ("capacity_request", "a tenant publishes it to many operators"),
    ("capacity_request_operator", "what belongs to a capacity request"),
    ("put_away_month", "a partition of readings holds those of every operator"),
];

/// How the schema would be cut by operator is written down for every table that has none.
#[test]
fn what_cannot_be_cut_by_operator_is_told_in_the_document() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/scaling.md");
    let document = std::fs::read_to_string(path).expect("docs/scaling.md");
    for (table, why) in NOT_BY_OPERATOR {
        assert!(
            document.contains(&format!("| `{table}` | ")),
            "docs/scaling.md says nothing of {table}: {why}"
        );
    }
}

/// The first column of every row of `query`.
async fn lines(query: &'static str) -> Vec<String> {
    let database = TestDatabase::create().await.expect("a database");
    let mut connection = database.superuser().await.expect("a connection");
    let rows = sqlx::query(AssertSqlSafe(query)).fetch_all(&mut connection).await.expect("a catalogue query");
    rows.iter().map(|row| row.try_get::<String, _>(0).expect("text")).collect()
}

#[tokio::test]
async fn applying_twice_changes_nothing() {
    let database = TestDatabase::create_empty().await.expect("an empty database");
    let first = migrations::up(&database.url()).await.expect("the first time");
    assert_eq!(first.len(), migrations::all().len(), "everything is applied to an empty database");
    let before = migrations::schema_sql(&database.url()).await.expect("a catalogue");
    let second = migrations::up(&database.url()).await.expect("the second time");
    assert!(second.is_empty(), "applied again: {second:?}");
    assert_eq!(migrations::schema_sql(&database.url()).await.expect("a catalogue"), before);
    let standing = migrations::status(&database.url()).await.expect("a status");
    assert!(standing.iter().all(|s| matches!(s.state, migrations::State::Applied(_))), "{standing:?}");
}

#[tokio::test]
async fn of_two_migrators_at_once_one_runs() {
    let database = TestDatabase::create_empty().await.expect("an empty database");
    let url = database.url();
    let (one, other) = tokio::join!(migrations::up(&url), migrations::up(&url));
    let applied = [one.expect("one migrator").len(), other.expect("the other migrator").len()];
    assert!(applied.contains(&0) && applied.contains(&migrations::all().len()), "applied: {applied:?}");
}

#[tokio::test]
async fn a_migrator_need_not_be_superuser() {
    // The roles of the server are there already, as an administrator would have made them: with a database that has them.
    drop(TestDatabase::create().await.expect("a migrated database"));
    let database = TestDatabase::create_empty().await.expect("an empty database");
    let mut superuser = database.superuser().await.expect("a connection");
    let migrator = format!("migrator_{}", std::process::id());
    let prepare = format!(
        "create role {migrator} login createrole;
         grant gridlease_owner to {migrator};
         do $$ begin execute format('alter database %I owner to {migrator}', current_database()); end $$"
    );
    sqlx::raw_sql(AssertSqlSafe(prepare)).execute(&mut superuser).await.expect("a migrator");
    let url = database.url().replace("postgres@", &format!("{migrator}@"));
    migrations::up(&url).await.expect("migrated");
    migrations::check(&url).await.expect("checked by the same login");
    let tidy =
        format!("reassign owned by {migrator} to postgres; drop owned by {migrator}; drop role {migrator}");
    sqlx::raw_sql(AssertSqlSafe(tidy)).execute(&mut superuser).await.expect("the migrator is gone");
}

#[tokio::test]
async fn a_file_changed_after_it_was_applied_is_refused() {
    let database = TestDatabase::create().await.expect("a database");
    let mut connection = database.superuser().await.expect("a connection");
    sqlx::query("update billing.schema_history set checksum = 'other' where version = 1")
        .execute(&mut connection)
        .await
        .expect("a changed history");
    for outcome in
        [migrations::up(&database.url()).await.map(|_| ()), migrations::check(&database.url()).await]
    {
        let error = outcome.expect_err("refused");
        assert!(matches!(error, migrations::MigrationError::Changed { .. }), "{error}");
    }
    sqlx::query("insert into leasing.schema_history (version, name, checksum) values (9999, 'future', 'x')")
        .execute(&mut connection)
        .await
        .expect("a later history");
    let error = migrations::status(&database.url()).await.expect_err("refused");
    assert!(matches!(error, migrations::MigrationError::Newer { .. }), "{error}");
}

#[tokio::test]
async fn the_golden_schema_is_what_the_migrations_make() {
    let database = TestDatabase::create().await.expect("a database");
    let made = migrations::schema_sql(&database.url()).await.expect("a catalogue");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../migrations/schema.sql");
        std::fs::write(golden, &made).expect("the golden file is written");
        return;
    }
    let checked = migrations::check(&database.url()).await;
    checked.expect("rewrite migrations/schema.sql with UPDATE_GOLDEN=1 and read its diff");

    let mut superuser = database.superuser().await.expect("a connection");
    sqlx::query("create index by_hand on leasing.tenant (display_name)")
        .execute(&mut superuser)
        .await
        .expect("an index");
    let drift = migrations::check(&database.url()).await.expect_err("a change by hand is found");
    assert!(drift.to_string().contains("by_hand"), "{drift}");
}

#[tokio::test]
async fn every_table_forces_row_security_with_using_and_with_check() {
    let bare = lines(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and c.relkind in ('r', 'p')
           and (not c.relrowsecurity or not c.relforcerowsecurity
                or not exists (select 1 from pg_policy p where p.polrelid = c.oid))",
    )
    .await;
    assert_eq!(bare, Vec::<String>::new(), "tables without forced row security or without a policy");
    let half = lines(
        "select p.polrelid::regclass::text || ': ' || p.polname from pg_policy p
         join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing')
           and ((p.polqual is null and p.polcmd <> 'a') or (p.polwithcheck is null and p.polcmd not in ('r', 'd')))",
    )
    .await;
    assert_eq!(half, Vec::<String>::new(), "policies without USING or WITH CHECK");
    let for_all = lines(
        "select p.polrelid::regclass::text || ': ' || p.polname from pg_policy p
         join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and 0 = any (p.polroles)",
    )
    .await;
    assert_eq!(for_all, Vec::<String>::new(), "policies for PUBLIC: name the roles");
}

#[tokio::test]
async fn no_column_is_a_float_and_no_rate_may_be_nan() {
    let floats = lines(
        "select a.attrelid::regclass::text || '.' || a.attname from pg_attribute a
         join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and a.attnum > 0 and not a.attisdropped
           and a.atttypid in ('float4'::regtype, 'float8'::regtype, 'money'::regtype)",
    )
    .await;
    assert_eq!(floats, Vec::<String>::new(), "float columns");
    let rates = lines(
        "select a.attrelid::regclass::text || '.' || a.attname from pg_attribute a
         join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and c.relkind in ('r', 'p')
           and a.attnum > 0 and not a.attisdropped and a.atttypid = 'numeric'::regtype
           and (a.atttypmod = -1 or not exists (
               select 1 from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'c'
                 and a.attnum = any (k.conkey) and pg_get_constraintdef(k.oid) like '%NaN%'))",
    )
    .await;
    assert_eq!(rates, Vec::<String>::new(), "numeric columns without precision, or that accept NaN");
}

#[tokio::test]
async fn every_timestamp_is_bounded() {
    let open = lines(
        "select a.attrelid::regclass::text || '.' || a.attname from pg_attribute a
         join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and c.relkind in ('r', 'p')
           and a.attnum > 0 and not a.attisdropped
           and (a.atttypid = 'timestamp'::regtype or a.atttypid = 'timestamptz'::regtype and not exists (
               select 1 from pg_constraint k where k.conrelid = a.attrelid and k.contype = 'c'
                 and a.attnum = any (k.conkey)
                 and pg_get_constraintdef(k.oid) like '%2000-01-01%' and pg_get_constraintdef(k.oid) like '%9999-12-31%'))",
    )
    .await;
    assert_eq!(
        open,
        Vec::<String>::new(),
        "timestamps that accept infinity: one such row could stop a service"
    );
}

#[tokio::test]
async fn every_foreign_key_is_indexed() {
    let bare = lines(
        "select k.conrelid::regclass::text || ': ' || k.conname from pg_constraint k
         join pg_namespace n on n.oid = k.connamespace
         where k.contype = 'f' and n.nspname in ('inventory', 'leasing', 'billing')
           and not exists (
               select 1 from pg_index i where i.indrelid = k.conrelid
                 -- What is null refers to nothing.
                 and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) in (
                     select '(' || a.attname || ' IS NOT NULL)' from pg_attribute a
                     where a.attrelid = k.conrelid and a.attnum = any(k.conkey)))
                 and (select array_agg(x) from unnest((i.indkey::int2[])[0:cardinality(k.conkey) - 1]) x)
                     @> k.conkey)",
    )
    .await;
    assert_eq!(bare, Vec::<String>::new(), "foreign keys without an index that begins with their columns");
}

#[tokio::test]
async fn operator_id_leads_every_key() {
    let keys = lines(
        "select c.relname || ' ' || coalesce(r.relname, '') || ' ' || k.conname from pg_constraint k
         left join pg_class r on r.oid = nullif(k.confrelid, 0)
         join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum = k.conkey[1]
         where n.nspname in ('inventory', 'leasing', 'billing') and k.contype in ('p', 'u', 'f')
           and a.attname <> 'operator_id'
         union all
         select c.relname || '  (no primary key)' from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and c.relkind in ('r', 'p')
           and not exists (select 1 from pg_constraint k where k.conrelid = c.oid and k.contype = 'p')",
    )
    .await;
    let wrong: Vec<&String> = keys
        .iter()
        .filter(|key| {
            // The table, and what a foreign key refers to: a reference to a table of the list is its key.
            let mut tables = key.split(' ').take(2);
            !tables.any(|table| NOT_BY_OPERATOR.iter().any(|(exception, _)| table == *exception))
        })
        .collect();
    assert!(wrong.is_empty(), "keys that do not begin with operator_id: {wrong:#?}");
    let tables = lines(
        "select c.relname::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and c.relkind in ('r', 'p')",
    )
    .await;
    for (exception, _) in NOT_BY_OPERATOR {
        assert!(tables.iter().any(|table| table == exception), "{exception} is gone: take it off the list");
    }
}

#[tokio::test]
async fn text_in_keys_is_in_collation_c() {
    let wrong = lines(
        "select distinct c.oid::regclass::text || '.' || a.attname from pg_constraint k
         join pg_class c on c.oid = k.conrelid join pg_namespace n on n.oid = c.relnamespace
         join pg_attribute a on a.attrelid = c.oid and a.attnum = any (k.conkey)
         where n.nspname in ('inventory', 'leasing', 'billing') and k.contype in ('p', 'u', 'f')
           and a.attcollation <> 0 and a.attcollation <> 'pg_catalog.\"C\"'::regcollation",
    )
    .await;
    assert_eq!(wrong, Vec::<String>::new(), "key columns in a collation that an upgrade of libc may change");
}

#[tokio::test]
async fn no_service_owns_a_table_or_goes_around_row_security() {
    let powers = lines(
        "select rolname::text from pg_roles
         where (rolname = 'gridlease_owner' or rolname ~ '^(inventory|leasing|billing)(_worker)?$')
           and (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolreplication)",
    )
    .await;
    assert_eq!(powers, Vec::<String>::new(), "roles with powers");
    let owned = lines(
        "select c.oid::regclass::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and c.relowner <> 'gridlease_owner'::regrole
         union all
         select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and p.proowner <> 'gridlease_owner'::regrole
         union all
         select m.oid::regrole::text || ' is a member of gridlease_owner' from pg_roles m
         where m.rolname ~ '^(inventory|leasing|billing)(_worker)?$'
           and pg_has_role(m.oid, 'gridlease_owner', 'member')",
    )
    .await;
    assert_eq!(owned, Vec::<String>::new(), "not owned by gridlease_owner alone");
    let foreign = lines(
        "select r.rolname || ' reaches ' || n.nspname from pg_roles r cross join pg_namespace n
         where r.rolname ~ '^(inventory|leasing|billing)(_worker)?$' and n.nspname in ('inventory', 'leasing', 'billing')
           and split_part(r.rolname::text, '_', 1) <> n.nspname::text and has_schema_privilege(r.oid, n.oid, 'usage')",
    )
    .await;
    assert_eq!(foreign, Vec::<String>::new(), "a service reaches its own schema only");
}

#[tokio::test]
async fn functions_fix_their_search_path_and_are_not_for_everybody() {
    let loose = lines(
        "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('inventory', 'leasing', 'billing')
           and not coalesce(p.proconfig @> array['search_path=\"\"'], false)",
    )
    .await;
    assert_eq!(loose, Vec::<String>::new(), "functions without `set search_path = ''`");
    let open = lines(
        "select p.oid::regprocedure::text from pg_proc p join pg_namespace n on n.oid = p.pronamespace
         where n.nspname in ('inventory', 'leasing', 'billing') and p.prosecdef
           and p.prorettype <> 'trigger'::regtype and has_function_privilege('public', p.oid, 'execute')",
    )
    .await;
    assert_eq!(open, Vec::<String>::new(), "security definer functions that anybody may call");
}
