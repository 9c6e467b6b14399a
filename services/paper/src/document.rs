//! What stands on a document, and nothing about how it looks.

use aws_lc_rs::digest::{SHA256, digest};
use kernel::Instant;
use serde::Serialize;

use crate::{PaperError, Party, words};

/// Rows of a table that are printed; how many more there are is said below them.
pub const ROWS_MAX: usize = 2_000;

/// A document: everything is text that somebody has already chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Document {
    /// What it is: `Invoice`.
    pub title: String,
    /// What it is about, on every page: a number or a name.
    pub reference: String,
    /// A warning across every page, of one short word of ours: `DRAFT`.
    pub stamp: Option<&'static str>,
    /// When what it says came to be. Its only time: nothing asks a clock.
    pub as_of: Instant,
    /// Who it is between.
    pub parties: Vec<Party>,
    /// What one looks for first.
    pub facts: Vec<Fact>,
    /// The rest, in order.
    pub sections: Vec<Section>,
    /// The hash on every page, if what it tells has one of its own; else it is that of the document.
    pub seal: Option<Fact>,
}

/// A label and what it says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fact {
    /// The label.
    pub label: String,
    /// The value.
    pub value: String,
}

impl Fact {
    /// A fact.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// Parts under one heading.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Section {
    /// The heading.
    pub heading: String,
    /// What stands under it.
    pub parts: Vec<Part>,
}

impl Section {
    /// A section.
    #[must_use]
    pub fn new(heading: impl Into<String>, parts: Vec<Part>) -> Self {
        Self { heading: heading.into(), parts }
    }
}

/// A part of a section.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Part {
    /// A paragraph.
    Text(String),
    /// Labels and values.
    Facts(Vec<Fact>),
    /// A table.
    Table(Table),
}

/// A column of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its heading.
    pub heading: String,
    /// Whether it holds numbers: at the right edge, never broken.
    pub numbers: bool,
}

impl Column {
    /// A column of words.
    #[must_use]
    pub fn words(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), numbers: false }
    }

    /// A column of numbers.
    #[must_use]
    pub fn numbers(heading: impl Into<String>) -> Self {
        Self { heading: heading.into(), numbers: true }
    }
}

/// A row of a table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Row {
    /// One cell a column.
    pub cells: Vec<String>,
    /// A small line of its own below the cells, over the whole width; empty is none.
    pub remark: String,
    /// Whether it sums up: set apart.
    pub total: bool,
}

/// A table: as many cells in every row as there are columns, since it is made by the row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Row>,
}

impl Table {
    /// A table of these columns and rows.
    #[must_use]
    pub fn new<const N: usize>(columns: [Column; N], rows: impl IntoIterator<Item = [String; N]>) -> Self {
        let plain = |cells: [String; N]| Row { cells: cells.into(), remark: String::new(), total: false };
        Self { columns: columns.into(), rows: rows.into_iter().map(plain).collect() }
    }

    /// The same with a remark below each row, in their order.
    #[must_use]
    pub fn with_remarks(mut self, remarks: impl IntoIterator<Item = String>) -> Self {
        for (row, remark) in self.rows.iter_mut().zip(remarks) {
            row.remark = remark;
        }
        self
    }

    /// The same with a row that sums up.
    #[must_use]
    pub fn with_total<const N: usize>(mut self, cells: [String; N]) -> Self {
        let mut cells = Vec::from(cells);
        cells.resize(self.columns.len(), String::new());
        self.rows.push(Row { cells, remark: String::new(), total: true });
        self
    }

    /// The columns.
    #[must_use]
    pub fn columns(&self) -> &[Column] {
        &self.columns
    }

    /// What is printed: at most [`ROWS_MAX`] rows and every sum, and a sentence about the rows that are not.
    pub(crate) fn printed(&self) -> (impl Iterator<Item = &Row>, Option<String>) {
        let plain = self.rows.iter().filter(|row| !row.total).count();
        let mut left = ROWS_MAX;
        let rows = self.rows.iter().filter(move |row| {
            let shown = row.total || left > 0;
            left = left.saturating_sub(usize::from(!row.total));
            shown
        });
        let more = i64::try_from(plain.saturating_sub(ROWS_MAX)).unwrap_or(i64::MAX);
        let told = (more > 0).then(|| format!("{} more rows are not printed.", words::number(more)));
        (rows, told)
    }
}

impl Document {
    /// The hash that stands on every page: its own label and value, or that of all that the document says.
    ///
    /// # Errors
    /// [`PaperError::Hash`].
    pub fn sealed(&self) -> Result<Fact, PaperError> {
        match &self.seal {
            Some(seal) => Ok(seal.clone()),
            None => Ok(Fact::new("Content SHA-256", self.digest()?)),
        }
    }

    /// SHA-256 over all that the document says, in hexadecimal: the same for both formats.
    ///
    /// # Errors
    /// [`PaperError::Hash`].
    pub fn digest(&self) -> Result<String, PaperError> {
        Ok(words::hex(digest(&SHA256, &serde_json::to_vec(self)?).as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    #[test]
    fn a_long_table_says_what_it_leaves_out_and_keeps_its_sum() {
        let rows = (0..ROWS_MAX + 1_500).map(|n| [n.to_string()]);
        let table = Table::new([Column::numbers("n")], rows).with_total(["sum".to_owned()]);
        let (shown, told) = table.printed();
        let shown: Vec<_> = shown.collect();
        assert_eq!(shown.len(), ROWS_MAX + 1);
        assert!(shown.last().is_some_and(|row| row.total));
        assert_eq!(told.as_deref(), Some("1,500 more rows are not printed."));
    }

    #[test]
    fn the_hash_changes_with_every_word() {
        let one = sample::invoice(3);
        let mut other = one.clone();
        other.sections[0].heading.push('.');
        assert_ne!(one.digest().unwrap(), other.digest().unwrap());
        assert_eq!(one.digest().unwrap().len(), 64);
    }
}
