//! A table in parts that the server takes at once, each of whole sites, and pages put together again.

use std::collections::BTreeMap;

use anyhow::{Context as _, ensure};
use serde_json::{Map, Value};

use super::Format;

/// Bytes of a part: a little less than the server takes.
const BYTES_MAX: usize = 850_000;
/// Rows of a part.
const ROWS_MAX: usize = 2_000;

/// A part of a table, itself a table.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// The table.
    pub(super) text: String,
    /// The number of each of its rows in the file, from 1.
    pub(super) rows: Vec<usize>,
}

/// A row as text, and the site it is of.
struct Row {
    number: usize,
    site: String,
    text: String,
}

/// Splits a table. The rows of a site stay together, in the order of the file.
pub(super) fn split(format: Format, text: &str) -> anyhow::Result<Vec<Part>> {
    let (header, rows) = match format {
        Format::Csv => csv_rows(text)?,
        Format::Json => (String::new(), json_rows(text)?),
    };
    ensure!(!rows.is_empty(), "the table has no rows");
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut sites: Vec<Vec<Row>> = Vec::new();
    for row in rows {
        let place = *places.entry(row.site.clone()).or_insert_with(|| {
            sites.push(Vec::new());
            sites.len() - 1
        });
        sites[place].push(row);
    }
    let mut parts: Vec<Vec<Row>> = Vec::new();
    let mut bytes = 0;
    for site in sites {
        let more: usize = site.iter().map(|row| row.text.len() + 1).sum();
        let room = parts.last().is_some_and(|part| {
            part.len() + site.len() <= ROWS_MAX && header.len() + bytes + more <= BYTES_MAX
        });
        match parts.last_mut().filter(|_| room) {
            Some(part) => {
                part.extend(site);
                bytes += more;
            }
            None => {
                parts.push(site);
                bytes = more;
            }
        }
    }
    Ok(parts.into_iter().map(|part| table(format, &header, part)).collect())
}

fn table(format: Format, header: &str, mut rows: Vec<Row>) -> Part {
    rows.sort_by_key(|row| row.number);
    let lines: Vec<&str> = rows.iter().map(|row| row.text.as_str()).collect();
    let text = match format {
        Format::Csv => format!("{header}{}", lines.concat()),
        Format::Json => format!("[{}]", lines.join(",\n")),
    };
    Part { text, rows: rows.iter().map(|row| row.number).collect() }
}

fn csv_rows(text: &str) -> anyhow::Result<(String, Vec<Row>)> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let header = reader.headers().context("not CSV")?.clone();
    let site = header.iter().position(|name| name == "site").context("the table has no column `site`")?;
    let rows = reader.records().enumerate().map(|(place, record)| {
        let record = record.context("not CSV")?;
        let site = record.get(site).unwrap_or_default().to_owned();
        Ok(Row { number: place + 1, site, text: line(&record)? })
    });
    Ok((line(&header)?, rows.collect::<anyhow::Result<_>>()?))
}

fn line(record: &csv::StringRecord) -> anyhow::Result<String> {
    let mut writer = csv::WriterBuilder::new().flexible(true).from_writer(Vec::new());
    writer.write_record(record)?;
    Ok(String::from_utf8(writer.into_inner()?)?)
}

fn json_rows(text: &str) -> anyhow::Result<Vec<Row>> {
    let rows: Vec<Map<String, Value>> = serde_json::from_str(text).context("not a JSON array of objects")?;
    let row = |(place, row): (usize, Map<String, Value>)| {
        let site = row.get("site").and_then(Value::as_str).unwrap_or_default().to_owned();
        Ok(Row { number: place + 1, site, text: serde_json::to_string(&row)? })
    };
    rows.into_iter().enumerate().map(row).collect()
}

/// Puts pages together.
pub(super) fn join(format: Format, pages: &[String]) -> anyhow::Result<String> {
    match format {
        Format::Csv => {
            let mut table = String::new();
            for page in pages {
                // Every page has the same header, in one line.
                let rows = page.split_once('\n').map_or("", |(_, rows)| rows);
                table.push_str(if table.is_empty() { page } else { rows });
            }
            Ok(table)
        }
        Format::Json => {
            let mut rows: Vec<Value> = Vec::new();
            for page in pages {
                rows.extend(serde_json::from_str::<Vec<Value>>(page).context("a page")?);
            }
            Ok(serde_json::to_string_pretty(&rows)? + "\n")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_small_table_is_one_part_as_it_stands() {
        let text = "kind,site,display_name\nsite,a,\"A, \"\"B\"\"\"\nsite,b\n";
        let parts = split(Format::Csv, text).expect("a table");
        assert_eq!(parts, [Part { text: text.to_owned(), rows: vec![1, 2] }]);
        let json = "[{\"site\":\"a\"},\n{\"site\":\"b\"}]";
        assert_eq!(split(Format::Json, json).expect("a table")[0].text, json);
    }

    #[test]
    fn parts_hold_whole_sites_and_know_their_rows() {
        let mut text = String::from("site,kind\n");
        for _ in 0..3 {
            for site in 0..900 {
                text.push_str(&format!("s-{site},grid_step\n"));
            }
        }
        let parts = split(Format::Csv, &text).expect("a table");
        assert_eq!(parts.iter().map(|part| part.rows.len()).collect::<Vec<_>>(), [1_998, 702]);
        assert_eq!(parts[1].rows[..2], [667, 668]);
        assert!(parts.iter().all(|part| part.text.starts_with("site,kind\n")));
        assert!(!parts[1].text.contains("s-665,") && parts[1].text.contains("s-666,"));
    }

    #[test]
    fn pages_are_put_together_under_one_header() {
        let pages = ["a,b\n1,2\n".to_owned(), "a,b\n3,\"4\n5\"\n".to_owned()];
        assert_eq!(join(Format::Csv, &pages).expect("a table"), "a,b\n1,2\n3,\"4\n5\"\n");
        let pages = ["[{\"a\":1}]".to_owned(), "[]".to_owned(), "[{\"a\":2}]".to_owned()];
        let joined: Value =
            serde_json::from_str(&join(Format::Json, &pages).expect("a table")).expect("JSON");
        assert_eq!(joined, serde_json::json!([{"a": 1}, {"a": 2}]));
    }

    #[test]
    fn what_is_no_table_is_said() {
        for (format, text) in [(Format::Csv, "kind\nsite\n"), (Format::Csv, "site\n"), (Format::Json, "{}")] {
            assert!(split(format, text).is_err(), "{text}");
        }
    }
}
