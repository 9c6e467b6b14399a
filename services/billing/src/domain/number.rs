//! Invoice numbers: gapless per operator and series.
//!
//! The series and its counter are the operator's (the billing entity's); a number is drawn in the last step of
//! issuing, under the counter's row lock, and the same commit must issue every number drawn.

use std::fmt;
use std::str::FromStr;

/// A sequence of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Series {
    /// Rent invoices.
    Invoice,
    /// Credit notes.
    CreditNote,
}

impl Series {
    /// The prefix of its numbers, and its name in the database.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invoice => "INV",
            Self::CreditNote => "CN",
        }
    }
}

/// A number as it is printed: `INV-000042`. It grows past six digits without a break.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvoiceNumber {
    series: String,
    number: i64,
}

impl InvoiceNumber {
    /// The number of a series.
    #[must_use]
    pub fn new(series: impl Into<String>, number: i64) -> Self {
        Self { series: series.into(), number }
    }

    /// The series it was drawn from.
    #[must_use]
    pub fn series(&self) -> &str {
        &self.series
    }

    /// Its place in the series, from 1.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.number
    }
}

impl fmt::Display for InvoiceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:06}", self.series, self.number)
    }
}

impl FromStr for InvoiceNumber {
    type Err = NotANumber;

    /// Reads what [`fmt::Display`] writes.
    fn from_str(text: &str) -> Result<Self, NotANumber> {
        let (series, number) = text.rsplit_once('-').ok_or(NotANumber)?;
        Ok(Self::new(series, number.parse().map_err(|_| NotANumber)?))
    }
}

/// A text that is no number of an invoice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("must be a series and a number, such as INV-000042")]
pub struct NotANumber;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_as_they_are_written() {
        for number in [InvoiceNumber::new("INV", 1), InvoiceNumber::new("CN", 1_234_567)] {
            assert_eq!(number.to_string().parse(), Ok(number));
        }
        assert_eq!("INV".parse::<InvoiceNumber>(), Err(NotANumber));
        assert_eq!("INV-1x".parse::<InvoiceNumber>(), Err(NotANumber));
    }

    #[test]
    fn numbers_are_padded_and_outgrow_their_padding() {
        assert_eq!(InvoiceNumber::new(Series::Invoice.as_str(), 1).to_string(), "INV-000001");
        assert_eq!(InvoiceNumber::new(Series::Invoice.as_str(), 1_234_567).to_string(), "INV-1234567");
    }
}
