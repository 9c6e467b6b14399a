//! Many rows in one statement.
//!
//! A column goes as one array, so that a statement has as many parameters as the table has columns, however many rows
//! there are: Postgres neither parses nor plans a value of its own for each. COPY would be the fastest way, but Postgres
//! refuses it on tables with row level security.

use std::collections::BTreeMap;

use sea_orm::sea_query::ArrayType;
use sea_orm::{
    ActiveModelTrait, ActiveValue, ConnectionTrait, DbBackend, DbErr, EntityName as _, EntityTrait,
    Iden as _, Iterable as _, Statement, Value,
};

/// Rows of one statement: more gain nothing, and its arrays are held in memory.
const ROWS: usize = 5_000;

/// Writes rows of one table, all or, where the transaction is rolled back, none. Columns that are not set get the
/// table's default. Rows that leave different columns empty go in different statements, since an array has no empty
/// places here.
///
/// # Errors
/// As the database refuses them; a column of a type that no table here has.
pub async fn insert_all<A>(
    conn: &impl ConnectionTrait,
    rows: impl IntoIterator<Item = A>,
) -> Result<(), DbErr>
where
    A: ActiveModelTrait,
    A::Entity: Default,
{
    let mut alike: BTreeMap<Vec<usize>, Vec<Vec<Value>>> = BTreeMap::new();
    for row in rows {
        let (at, columns) = filled(row);
        let kept = alike.entry(at).or_insert_with(|| vec![Vec::new(); columns.len()]);
        for (column, value) in kept.iter_mut().zip(columns) {
            column.push(value);
        }
    }
    for (at, mut columns) in alike {
        while columns.first().is_some_and(|column| !column.is_empty()) {
            let some = columns.iter_mut().map(|column| column.drain(..column.len().min(ROWS)).collect());
            conn.execute_raw(statement::<A>(&at, some.collect())?).await?;
        }
    }
    Ok(())
}

/// Which columns a row fills, by their place in the table, and with what.
fn filled<A: ActiveModelTrait>(mut row: A) -> (Vec<usize>, Vec<Value>) {
    <A::Entity as EntityTrait>::Column::iter()
        .enumerate()
        .filter_map(|(at, column)| match row.take(column) {
            ActiveValue::Set(value) | ActiveValue::Unchanged(value) if value != value.as_null() => {
                Some((at, value))
            }
            _ => None,
        })
        .unzip()
}

fn statement<A>(at: &[usize], columns: Vec<Vec<Value>>) -> Result<Statement, DbErr>
where
    A: ActiveModelTrait,
    A::Entity: Default,
{
    let table = A::Entity::default();
    let all: Vec<_> = <A::Entity as EntityTrait>::Column::iter().collect();
    let names: Vec<String> =
        at.iter().filter_map(|at| all.get(*at)).map(|column| quoted(&column.to_string())).collect();
    let (mut arrays, mut values) = (Vec::with_capacity(at.len()), Vec::with_capacity(at.len()));
    for (n, column) in (1..).zip(columns) {
        let of = column.first().map_or(ArrayType::String, Value::array_type);
        arrays.push(format!("${n}::{}[]", sql_type(&of)?));
        values.push(Value::Array(of, Some(Box::new(column))));
    }
    let schema = table.schema_name().map(|schema| format!("{}.", quoted(schema))).unwrap_or_default();
    let (table, names, arrays) = (quoted(table.table_name()), names.join(", "), arrays.join(", "));
    let sql = format!("insert into {schema}{table} ({names}) select * from unnest({arrays})");
    Ok(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
}

fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

fn sql_type(of: &ArrayType) -> Result<&'static str, DbErr> {
    Ok(match of {
        ArrayType::Bool => "boolean",
        ArrayType::SmallInt => "smallint",
        ArrayType::Int => "integer",
        ArrayType::BigInt => "bigint",
        ArrayType::String => "text",
        ArrayType::Bytes => "bytea",
        ArrayType::Uuid => "uuid",
        ArrayType::Json => "jsonb",
        ArrayType::Decimal => "numeric",
        ArrayType::ChronoDate => "date",
        ArrayType::ChronoDateTimeUtc => "timestamptz",
        other => return Err(DbErr::Custom(format!("no column here is of type {other:?}"))),
    })
}
