//! What the command says: text for a person on standard output, remarks on standard error.
//!
//! A reader that closes the pipe (`| head`) is no error, so what cannot be written is dropped.

use std::io::{IsTerminal as _, Write as _};

use comfy_table::presets::NOTHING;
use comfy_table::{CellAlignment, ContentArrangement, Table, TableComponent};

/// The widest line of a table.
pub const WIDTH: u16 = 100;

/// Prints a line of the answer.
pub fn say(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stdout().lock(), "{}", line.as_ref());
}

/// Prints a remark that is no part of the answer.
pub fn note(line: impl AsRef<str>) {
    let _ = writeln!(std::io::stderr().lock(), "{}", line.as_ref());
}

/// Whether a person watches: progress bars are for them only.
#[must_use]
pub fn on_terminal() -> bool {
    std::io::stderr().is_terminal()
}

/// A table with these headers; those that begin with `>` are figures, aligned to the right, without the mark.
#[must_use]
pub fn table(headers: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_preset(NOTHING);
    table.set_style(TableComponent::HeaderLines, '─');
    table.set_style(TableComponent::MiddleHeaderIntersections, '─');
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_width(WIDTH);
    table.set_header(headers.iter().map(|header| header.trim_start_matches('>')));
    for (column, header) in table.column_iter_mut().zip(headers) {
        column.set_padding((0, 1));
        if header.starts_with('>') {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table
}

/// An integer with its thousands parted: `1,031,749`.
#[must_use]
pub fn grouped(value: i64) -> String {
    let digits = value.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if value < 0 {
        text.push('-');
    }
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Cents as dollars and cents with the thousands parted: `113,907,302.89`.
#[must_use]
pub fn dollars(cents: i64) -> String {
    let sign = if cents < 0 { "-" } else { "" };
    let cents = cents.unsigned_abs();
    let whole = i64::try_from(cents / 100).unwrap_or(i64::MAX);
    format!("{sign}{}.{:02}", grouped(whole), cents % 100)
}

/// Kilowatts as megawatts, without a fraction where there is none: `245`, `21.429`.
#[must_use]
pub fn megawatts(kw: i64) -> String {
    let sign = if kw < 0 { "-" } else { "" };
    let kw = kw.unsigned_abs();
    let whole = grouped(i64::try_from(kw / 1000).unwrap_or(i64::MAX));
    match kw % 1000 {
        0 => format!("{sign}{whole}"),
        rest => format!("{sign}{whole}.{}", format!("{rest:03}").trim_end_matches('0')),
    }
}

/// Holds text against a golden file, which `UPDATE_GOLDEN=1` renews.
#[cfg(test)]
pub(crate) fn golden(path: &str, text: &str) {
    let text = format!("{}\n", text.trim_end_matches('\n'));
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, &text).expect("the golden file is written");
    }
    assert_eq!(std::fs::read_to_string(path).unwrap_or_default(), text, "\n{text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_read_as_a_person_writes_them() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(-1_234_567), "-1,234,567");
        assert_eq!(dollars(11_390_730_289), "113,907,302.89");
        assert_eq!(dollars(-160), "-1.60");
        assert_eq!(dollars(5), "0.05");
        assert_eq!(megawatts(245_000), "245");
        assert_eq!(megawatts(21_429), "21.429");
        assert_eq!(megawatts(72_500), "72.5");
    }
}
