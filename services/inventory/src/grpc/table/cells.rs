//! One row, cell by cell, every violation under the name of its column.

use std::str::FromStr;

use contracts::google::r#type::Date;
use kernel::{CivilDate, Error, Violations};
use runtime::wire::to_date;

use super::COLUMNS;
use super::format::Row;
use crate::domain::site::PartialDate;
use crate::grpc::to_partial_date;

/// What separates the entries of a list.
pub(super) const BETWEEN: char = '|';

pub(super) struct Cells<'a> {
    pub(super) row: &'a Row,
    pub(super) v: Violations,
}

impl<'a> Cells<'a> {
    pub(super) fn of(row: &'a Row) -> Self {
        let mut v = Violations::new();
        if let Some(broken) = &row.broken {
            v.add("", broken.clone());
        }
        Self { row, v }
    }

    /// Notes the cells that rows of this kind do not have.
    pub(super) fn only_of(&mut self, kind: &str) {
        for column in COLUMNS.iter().filter(|column| !column.of.contains(&kind)) {
            if self.row.cells.contains_key(column.name) {
                self.v.add(column.name, format!("must be empty in rows of kind {kind}"));
            }
        }
    }

    /// Notes what contradicts itself, `within` being the message that the fields lie in.
    pub(super) fn contradicted(&mut self, within: &str, checked: Result<(), Error>) {
        let Err(refusal) = checked else { return };
        for violation in refusal.violations() {
            self.v.add(violation.field.trim_start_matches(within), violation.description.clone());
        }
    }

    pub(super) fn text(&self, column: &str) -> &'a str {
        self.row.cells.get(column).map(String::as_str).unwrap_or_default()
    }

    pub(super) fn owned(&self, column: &str) -> String {
        self.text(column).to_owned()
    }

    pub(super) fn list(&self, column: &str) -> Vec<String> {
        match self.text(column) {
            "" => Vec::new(),
            text => text.split(BETWEEN).map(|entry| entry.trim().to_owned()).collect(),
        }
    }

    pub(super) fn id<T: FromStr>(&mut self, column: &str) -> Option<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(column);
        self.v.parse(column, text, str::parse)
    }

    /// A whole number, or nothing.
    pub(super) fn number<T: FromStr>(&mut self, column: &str) -> Option<T> {
        let text = self.text(column);
        let read = text.parse().ok();
        if read.is_none() && !text.is_empty() {
            self.v.add(column, "must be a whole number");
        }
        read
    }

    /// The number of an enum's value, written without the prefix that its values have; 0 where there is none.
    pub(super) fn word<E: Into<i32>>(
        &mut self,
        column: &str,
        prefix: &str,
        of_name: fn(&str) -> Option<E>,
    ) -> i32 {
        let text = self.text(column);
        self.one_word(column, prefix, text, of_name)
    }

    /// The numbers of a list of an enum's values.
    pub(super) fn words<E: Into<i32>>(
        &mut self,
        column: &str,
        prefix: &str,
        of_name: fn(&str) -> Option<E>,
    ) -> Vec<i32> {
        let list = self.list(column);
        list.iter().map(|text| self.one_word(column, prefix, text, of_name)).collect()
    }

    fn one_word<E: Into<i32>>(
        &mut self,
        column: &str,
        prefix: &str,
        text: &str,
        of_name: fn(&str) -> Option<E>,
    ) -> i32 {
        if text.is_empty() {
            return 0;
        }
        let Some(value) = of_name(&format!("{prefix}{text}")) else {
            self.v.add(column, format!("is not a known value: {}", crate::grpc::quoted(text)));
            return 0;
        };
        value.into()
    }

    /// A whole date, or nothing.
    pub(super) fn date(&mut self, column: &str) -> Option<Date> {
        let text = self.text(column);
        let read = text.parse::<CivilDate>().ok();
        if read.is_none() && !text.is_empty() {
            self.v.add(column, "must be a date such as 2027-01-01");
        }
        read.map(to_date)
    }

    /// A date of which month and day may be left out, or nothing.
    pub(super) fn partial_date(&mut self, column: &str) -> Option<Date> {
        let text = self.text(column);
        let read = PartialDate::of_text(text);
        if read.is_none() && !text.is_empty() {
            self.v.add(column, "must be a date such as 2027, 2027-01 or 2027-01-01");
        }
        read.map(to_partial_date)
    }
}
