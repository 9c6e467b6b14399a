//! Text to rows of cells: CSV with a header, or a JSON array of objects.

use std::collections::BTreeMap;

use contracts::inventory::v1::TableFormat;
use kernel::Violations;
use serde_json::{Map, Value};

use super::COLUMNS;
use crate::app::ROWS_MAX;
use crate::grpc::quoted;

/// A row: its number, the cells that are not empty, and what is wrong with its form.
pub(super) struct Row {
    pub(super) number: i32,
    pub(super) cells: BTreeMap<String, String>,
    pub(super) broken: Option<String>,
}

/// Reads the rows; what makes the text no table at all is a violation of `text`.
pub(super) fn rows(v: &mut Violations, format: TableFormat, text: &str) -> Option<Vec<Row>> {
    let read = match format {
        TableFormat::Csv | TableFormat::Unspecified => csv_rows(text),
        TableFormat::Json => json_rows(text),
    };
    let rows = match read {
        Ok(rows) => rows,
        Err(why) => {
            v.add("text", why);
            return None;
        }
    };
    let number = |(place, (cells, broken)): (usize, (BTreeMap<String, String>, Option<String>))| Row {
        number: i32::try_from(place + 1).unwrap_or(i32::MAX),
        cells,
        broken,
    };
    v.require("text", !rows.is_empty(), "must have at least one row");
    v.require("text", rows.len() <= ROWS_MAX, "must have at most 2000 rows");
    ((1..=ROWS_MAX).contains(&rows.len())).then(|| rows.into_iter().enumerate().map(number).collect())
}

type Cells = (BTreeMap<String, String>, Option<String>);

fn unknown(name: &str) -> bool {
    COLUMNS.iter().all(|column| column.name != name)
}

fn csv_rows(text: &str) -> Result<Vec<Cells>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| format!("is not CSV: {error}"))?.clone();
    // A spreadsheet's byte order mark is no part of the first name.
    let names: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}').trim()).collect();
    let mut once = names.clone();
    once.sort_unstable();
    for pair in once.windows(2) {
        if pair[0] == pair[1] {
            return Err(format!("has the column {} twice", quoted(pair[0])));
        }
    }
    if let Some(name) = names.iter().find(|name| unknown(name)) {
        return Err(format!("has a column {} that no table has", quoted(name)));
    }
    let mut rows = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| format!("is not CSV: {error}"))?;
        let broken = (record.len() != names.len())
            .then(|| format!("must have {} cells as the header has, and has {}", names.len(), record.len()));
        let filled = names.iter().zip(&record).filter(|(_, cell)| !cell.is_empty());
        rows.push((filled.map(|(name, cell)| ((*name).to_owned(), cell.to_owned())).collect(), broken));
    }
    Ok(rows)
}

fn json_rows(text: &str) -> Result<Vec<Cells>, String> {
    let rows: Vec<Map<String, Value>> =
        serde_json::from_str(text).map_err(|error| format!("is not a JSON array of objects: {error}"))?;
    let row = |row: Map<String, Value>| {
        let broken = row
            .keys()
            .find(|name| unknown(name))
            .map(|name| format!("has a key {} that no table has", quoted(name)));
        let cells = row.into_iter().filter_map(|(name, value)| Some((name, cell(value)?)));
        (cells.collect(), broken)
    };
    Ok(rows.into_iter().map(row).collect())
}

/// A value as the cell of a CSV row would hold it.
fn cell(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}
