//! What a file may not do while the version before it still runs. A release's programs meet the schema of the next one, for
//! as long as the pods roll and after a rollback: what they read and write must go on as it was.

use std::collections::BTreeSet;

use super::files::{Migration, all};

/// The last file of each schema that a release has brought. Raised when one is made: from then on what those files made is
/// in use. None is made yet.
const RELEASED: [(&str, i64); 3] = [("inventory", -1), ("leasing", -1), ("billing", -1)];

fn is_released(migration: &Migration) -> bool {
    RELEASED.iter().any(|(schema, version)| *schema == migration.schema && *version >= migration.version)
}

/// The statements of a file in lower case, without comments, each on one line; the bodies of functions are left out.
fn statements(sql: &str) -> Vec<String> {
    let lines: Vec<&str> = sql.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
    let text = lines.join("\n").to_lowercase();
    let outside: String = text.split("$$").step_by(2).collect::<Vec<_>>().join("$$");
    let words = |statement: &str| statement.split_whitespace().collect::<Vec<_>>().join(" ");
    outside.split(';').map(words).filter(|statement| !statement.is_empty()).collect()
}

/// The name of the table that a statement begins with `verb` for.
fn table<'a>(statement: &'a str, verb: &str) -> Option<&'a str> {
    let rest = statement.strip_prefix(verb)?.trim_start();
    let rest = ["if not exists ", "if exists ", "only "]
        .iter()
        .fold(rest, |rest, word| rest.strip_prefix(word).unwrap_or(rest));
    rest.split([' ', '(']).next()
}

fn made_by<'a>(statements: impl IntoIterator<Item = &'a String>) -> BTreeSet<String> {
    statements
        .into_iter()
        .filter_map(|statement| table(statement, "create table "))
        .map(str::to_owned)
        .collect()
}

/// Why a statement breaks the version before, whose tables are `in_use`, and the way out; none if it does not.
fn harm(statement: &str, in_use: &BTreeSet<String>) -> Option<&'static str> {
    let has = |words: &str| statement.contains(words);
    for (words, way_out) in [
        ("drop table", "contract in a later release"),
        ("drop column", "contract in a later release"),
        ("drop function", "it is called: drop it in a later release"),
        (" rename ", "add the new name, and drop the old one in a later release"),
        ("create schema", "the runner makes the schema"),
        ("bypassrls", "no role of ours bypasses row level security"),
    ] {
        if has(words) {
            return Some(way_out);
        }
    }
    if statement.starts_with("revoke ") && !has(" from public") && has(" on ") {
        let on =
            statement.split(" on ").nth(1).and_then(|rest| rest.split([' ', ',']).find(|w| *w != "table"));
        return on.filter(|on| in_use.contains(*on)).map(|_| "it is used: take the right in a later release");
    }
    if statement.starts_with("create unique index ") {
        let on = statement.split(" on ").nth(1).and_then(|rest| rest.split([' ', '(']).next());
        return on.filter(|on| in_use.contains(*on)).map(|_| "the version before may write what it refuses");
    }
    let changed = table(statement, "alter table ")?;
    if !in_use.contains(changed) {
        return None;
    }
    for action in statement.split(", ") {
        let does = |words: &str| action.contains(words);
        if does("set not null") {
            return Some("the version before may write null: require it in a later release");
        }
        if does("alter column ") && (does(" type ") || does("drop default")) {
            return Some("the version before reads and writes it as it was: add another column");
        }
        if does("add column ") && does("not null") && !does("default") && !does("generated") {
            return Some("the version before does not write it: give it a default");
        }
        if does("add constraint ") && !statement.ends_with("not valid") && !does("using index") {
            return Some("add it `not valid`, validate it in a later file: it reads the table under a lock");
        }
    }
    None
}

#[test]
fn files_are_safe_beside_the_version_before() {
    let (released, new): (Vec<Migration>, Vec<Migration>) = all().into_iter().partition(is_released);
    let in_use = made_by(released.iter().flat_map(|file| statements(&file.sql)).collect::<Vec<_>>().iter());
    for file in new {
        for statement in statements(&file.sql) {
            if let Some(way_out) = harm(&statement, &in_use) {
                panic!("{file} says `{statement}`: {way_out}");
            }
        }
    }
}

#[test]
fn what_would_break_the_version_before_is_found() {
    let in_use = made_by(&statements("create table billing.invoice (id uuid);"));
    for bad in [
        "drop table billing.invoice",
        "alter table billing.invoice drop column state",
        "drop function billing.lose_numbers(text)",
        "alter table billing.invoice rename column state to status",
        "create schema other",
        "alter role billing bypassrls",
        "revoke select on billing.invoice from billing",
        "create unique index one on billing.invoice (state)",
        "alter table billing.invoice alter column state set not null",
        "alter table only billing.invoice alter column total_minor type numeric",
        "alter table billing.invoice alter column state drop default",
        "alter table billing.invoice add column b text default 'x', add column c text not null",
        "alter table billing.invoice add constraint c check (total_minor > 0)",
    ] {
        assert!(harm(bad, &in_use).is_some(), "not found: {bad}");
    }
    for good in [
        "create table billing.other (id uuid not null)",
        "alter table billing.other alter column id set not null",
        "alter table billing.invoice add column c text not null default 'x'",
        "alter table billing.invoice add constraint c check (total_minor > 0) not valid",
        "alter table billing.invoice validate constraint c",
        "create index one on billing.invoice (state)",
        "revoke execute on function billing.lose_numbers(text) from public",
    ] {
        assert_eq!(harm(good, &in_use), None, "{good}");
    }
    let sql = "-- drop table x;\ncreate function f() as $$ drop table y; $$;\nselect 1;";
    assert_eq!(statements(sql), ["create function f() as $$", "select 1"]);
}
