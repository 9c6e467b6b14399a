//! How dates, numbers and money are written on paper.

use chrono::Datelike as _;
use kernel::{CivilDate, Instant, Money, Rate};

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// A day that nobody takes for another: `1 Dec 2027`.
#[must_use]
pub fn day(date: CivilDate) -> String {
    let month = MONTHS.get(date.month0() as usize).copied().unwrap_or_default();
    format!("{} {month} {}", date.day(), date.year())
}

/// The last day of what ends before `end`.
#[must_use]
pub fn last_day(end: CivilDate) -> String {
    day(end.pred_opt().unwrap_or(end))
}

/// An instant to the second: `1 Dec 2027 06:00:00 UTC`.
#[must_use]
pub fn instant(at: Instant) -> String {
    format!("{} {} UTC", day(at.date_naive()), at.format("%H:%M:%S"))
}

/// A number with its thousands apart: `245,000`.
#[must_use]
pub fn number(number: i64) -> String {
    let grouped = group(&number.unsigned_abs().to_string());
    if number < 0 { format!("-{grouped}") } else { grouped }
}

/// An amount with its currency: `USD 31,363,838.60`.
#[must_use]
pub fn money(amount: Money) -> String {
    format!("{} {}", amount.currency, amount.grouped())
}

/// Rates of one column, all with the decimals of the one that has most, and two at the least, so that their points stand
/// below each other: `125.0000000000`, `128.0156677674`.
#[must_use]
pub fn rates(rates: &[Rate]) -> Vec<String> {
    let decimals = |rate: &Rate| rate.to_string().split_once('.').map_or(0, |(_, fraction)| fraction.len());
    let most = rates.iter().map(decimals).max().unwrap_or(0).max(2);
    rates.iter().map(|rate| padded(*rate, most)).collect()
}

/// A quantity with its thousands apart and only the decimals it has: `1,440,000.5`.
#[must_use]
pub fn quantity(quantity: Rate) -> String {
    padded(quantity, 0).trim_end_matches('.').to_owned()
}

fn padded(rate: Rate, decimals: usize) -> String {
    let text = rate.to_string();
    let (sign, text) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    format!("{sign}{}.{fraction:0<decimals$}", group(whole))
}

/// Bytes in hexadecimal.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A count and its noun: `1 month`, `120 months`.
#[must_use]
pub fn count(count: u32, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

fn group(digits: &str) -> String {
    let mut text = String::new();
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn figures_are_written_as_people_write_them() {
        let date = "2027-12-01".parse().unwrap();
        assert_eq!((day(date), last_day(date)), ("1 Dec 2027".to_owned(), "30 Nov 2027".to_owned()));
        let at = "2027-12-01T06:00:05.9Z".parse().unwrap();
        assert_eq!(instant(at), "1 Dec 2027 06:00:05 UTC");
        for (n, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (-245_000, "-245,000")] {
            assert_eq!(number(n), text);
        }
        let plain = [("1440000.5", "1,440,000.5"), ("20", "20"), ("-1000", "-1,000")];
        for (given, text) in plain {
            assert_eq!(quantity(given.parse().unwrap()), text);
        }
        let of = |all: &[&str]| rates(&all.iter().map(|text| text.parse().unwrap()).collect::<Vec<_>>());
        assert_eq!(of(&["125", "-0.5"]), ["125.00", "-0.50"]);
        assert_eq!(of(&["12345.0156677674", "157.443"]), ["12,345.0156677674", "157.4430000000"]);
        assert_eq!(count(1, "month") + " " + &count(12, "month"), "1 month 12 months");
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
    }
}
