//! What the schemas look like, as text: one query over the catalogue, so that it does not depend on a dump program.

use sqlx::Row as _;
use sqlx::postgres::PgConnection;

use crate::MigrationError;
use crate::runner::connect;

/// What the migrations make, kept in the repository and compared by a test.
pub const GOLDEN: &str = include_str!("../schema.sql");

const QUERY: &str = include_str!("../sql/catalogue.sql");

/// The catalogue of this database as text, in a stable order.
pub async fn schema_sql(url: &str) -> Result<String, MigrationError> {
    let mut connection = connect(url).await?;
    schema_sql_on(&mut connection).await
}

pub(crate) async fn schema_sql_on(connection: &mut PgConnection) -> Result<String, MigrationError> {
    let rows = sqlx::query(QUERY)
        .fetch_all(connection)
        .await
        .map_err(MigrationError::store("read the catalogue"))?;
    let mut text = String::from(
        "-- What all migrations together make, read from the catalogue. Not for applying: the test that compares it\n\
         -- rewrites it with UPDATE_GOLDEN=1.\n",
    );
    for row in rows {
        let line: String = row.try_get(0).map_err(MigrationError::store("read the catalogue"))?;
        text.push_str(&line);
        text.push('\n');
    }
    Ok(text)
}

/// The first line where two catalogues differ.
pub(crate) fn first_difference(wanted: &str, found: &str) -> Option<String> {
    if wanted == found {
        return None;
    }
    let mut pairs = wanted.lines().zip(found.lines()).enumerate();
    let (number, wanted, found) = match pairs.find(|(_, (wanted, found))| wanted != found) {
        Some((number, (wanted, found))) => (number + 1, wanted, found),
        None => {
            let common = wanted.lines().count().min(found.lines().count());
            let at = |text: &'_ str| text.lines().nth(common).unwrap_or("(nothing)").to_owned();
            return Some(format!("line {}: wanted `{}`, found `{}`", common + 1, at(wanted), at(found)));
        }
    };
    Some(format!("line {number}: wanted `{}`, found `{}`", wanted.trim(), found.trim()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_the_first_difference() {
        assert_eq!(first_difference("a\nb\n", "a\nb\n"), None);
        assert_eq!(first_difference("a\nb\n", "a\nc\n").as_deref(), Some("line 2: wanted `b`, found `c`"));
        assert_eq!(
            first_difference("a\n", "a\nc\n").as_deref(),
            Some("line 2: wanted `(nothing)`, found `c`")
        );
    }
}
