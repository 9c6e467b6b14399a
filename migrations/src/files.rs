//! The SQL files as they are built into the program.

use std::borrow::Cow;
use std::fmt;

use aws_lc_rs::digest;

/// The schemas, one a service, in the order in which they are migrated.
pub const SCHEMAS: [&str; 3] = ["inventory", "leasing", "billing"];

pub(crate) const ROLES: &str = include_str!("../sql/roles.sql");
const HISTORY: &str = include_str!("../sql/history.sql");
const COMMON: &str = include_str!("../sql/common.sql");
const FILES: &[(&str, i64, &str, &str)] = include!(concat!(env!("OUT_DIR"), "/list.rs"));

/// Header of a file that cannot run in a transaction (`create index concurrently`).
const NO_TRANSACTION: &str = "-- no-transaction";

/// One file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Migration {
    /// The schema it belongs to.
    pub schema: &'static str,
    /// Its number; 0 is what every schema has.
    pub version: i64,
    /// Its name without number and suffix.
    pub name: &'static str,
    pub(crate) sql: Cow<'static, str>,
}

impl Migration {
    /// SHA-256 of the text, in hexadecimal.
    #[must_use]
    pub fn checksum(&self) -> String {
        hexadecimal(digest::digest(&digest::SHA256, self.sql.as_bytes()).as_ref())
    }

    /// Whether the file runs in one transaction, as all do but those whose first line is `-- no-transaction`. Such a file
    /// holds one statement and can be repeated after a crash.
    #[must_use]
    pub fn in_transaction(&self) -> bool {
        self.sql.lines().next().is_none_or(|line| line.trim() != NO_TRANSACTION)
    }
}

impl fmt::Display for Migration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{:04}_{}", self.schema, self.version, self.name)
    }
}

/// Every migration of every schema, in the order of application.
#[must_use]
pub fn all() -> Vec<Migration> {
    SCHEMAS
        .iter()
        .flat_map(|schema| {
            let common =
                Migration { schema, version: 0, name: "common", sql: Cow::Owned(render(COMMON, schema)) };
            let own = FILES.iter().filter(move |(of, ..)| of == schema).map(|(_, version, name, sql)| {
                Migration { schema, version: *version, name, sql: Cow::Borrowed(sql) }
            });
            std::iter::once(common).chain(own)
        })
        .collect()
}

/// The last version of a schema; `None` where there is no such schema.
#[must_use]
pub fn latest(schema: &str) -> Option<i64> {
    all().iter().filter(|migration| migration.schema == schema).map(|migration| migration.version).max()
}

/// A name for what all migrations together make: equal fingerprints, equal databases.
#[must_use]
pub fn fingerprint() -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    context.update(ROLES.as_bytes());
    context.update(HISTORY.as_bytes());
    for migration in all() {
        context.update(migration.to_string().as_bytes());
        context.update(migration.checksum().as_bytes());
    }
    let mut text = hexadecimal(context.finish().as_ref());
    text.truncate(16);
    text
}

pub(crate) fn history(schema: &str) -> String {
    render(HISTORY, schema)
}

fn render(template: &str, schema: &str) -> String {
    template.replace("{schema}", schema)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_begins_with_the_common_tables() {
        for schema in SCHEMAS {
            let of_schema: Vec<Migration> = all().into_iter().filter(|m| m.schema == schema).collect();
            assert_eq!(of_schema[0].to_string(), format!("{schema}/0000_common"));
            assert!(!of_schema[0].sql.contains("{schema}"), "a placeholder is left");
            assert!(of_schema.len() > 1, "{schema} has no file of its own");
        }
    }

    #[test]
    fn a_file_outside_a_transaction_is_one_statement() {
        for migration in all().iter().filter(|m| !m.in_transaction()) {
            let statements = migration.sql.matches(";\n").count();
            assert_eq!(statements, 1, "{migration}: the server would wrap more than one in a transaction");
        }
    }
}
