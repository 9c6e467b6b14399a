//! What a command found: rows, as a table that fits a terminal or as JSON.

use contracts::google::r#type::{Date, Decimal};
use prost_types::Timestamp;
use serde_json::{Map, Value};

use crate::out;

/// Rows under headers; a header that begins with `>` is of figures.
pub(crate) struct Report {
    headers: &'static [&'static str],
    rows: Vec<Vec<Value>>,
}

impl Report {
    pub(crate) fn new(headers: &'static [&'static str]) -> Self {
        Self { headers, rows: Vec::new() }
    }

    pub(crate) fn row(&mut self, cells: impl IntoIterator<Item = Value>) {
        self.rows.push(cells.into_iter().collect());
    }

    /// As it is printed; `nothing` is said where there is no row.
    pub(crate) fn told(&self, json: bool, nothing: &str) -> String {
        if json {
            self.to_json().to_string()
        } else if self.rows.is_empty() {
            nothing.to_owned()
        } else {
            self.to_table().trim_end().to_owned()
        }
    }

    pub(crate) fn to_json(&self) -> Value {
        let keys: Vec<String> = self
            .headers
            .iter()
            .map(|header| header.trim_start_matches('>').to_lowercase().replace(' ', "_"))
            .collect();
        let object = |row: &Vec<Value>| {
            Value::Object(keys.iter().cloned().zip(row.iter().cloned()).collect::<Map<_, _>>())
        };
        Value::Array(self.rows.iter().map(object).collect())
    }

    fn to_table(&self) -> String {
        let mut table = out::table(self.headers);
        for row in &self.rows {
            table.add_row(row.iter().map(for_people));
        }
        table.trim_fmt()
    }
}

fn for_people(cell: &Value) -> String {
    match cell {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Number(number) => number.as_i64().map_or_else(|| number.to_string(), out::grouped),
        other => other.to_string(),
    }
}

/// A text, or nothing.
pub(crate) fn text(text: impl Into<String>) -> Value {
    let text = text.into();
    if text.is_empty() { Value::Null } else { Value::String(text) }
}

/// A date, if there is one.
pub(crate) fn day(date: Option<&Date>) -> Value {
    text(date.map(|date| format!("{:04}-{:02}-{:02}", date.year, date.month, date.day)).unwrap_or_default())
}

/// An instant, if there is one: to the minute, UTC.
pub(crate) fn time(time: Option<&Timestamp>) -> Value {
    let read = time.and_then(|time| chrono::DateTime::from_timestamp(time.seconds, 0));
    text(read.map(|read| read.format("%Y-%m-%d %H:%M UTC").to_string()).unwrap_or_default())
}

/// A number, if there is one, as it was sent.
pub(crate) fn number(decimal: Option<&Decimal>) -> Value {
    text(decimal.map(|decimal| decimal.value.clone()).unwrap_or_default())
}

/// The name of an enum's value without the enum's.
pub(crate) fn word(name: &str, prefix: &str) -> Value {
    text(name.trim_start_matches(prefix))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_table_fits_a_terminal_and_json_has_the_same_rows() {
        let mut report = Report::new(&["Block", ">IT kW", "Consequence"]);
        let long = "The lease lapses and its capacity is free, unless both sides have signed. ".repeat(3);
        report.row([
            text("operators/hut-8/sites/river-bend/blocks/hall-1"),
            Value::from(245_000),
            text(long),
        ]);
        let table = report.to_table();
        assert!(table.lines().all(|line| line.chars().count() <= usize::from(out::WIDTH)), "{table}");
        assert!(table.contains("245,000"), "{table}");
        assert_eq!(report.to_json()[0]["it_kw"], 245_000);
        assert_eq!(day(Some(&Date { year: 2027, month: 1, day: 2 })), "2027-01-02");
        assert_eq!(time(None), Value::Null);
    }
}
