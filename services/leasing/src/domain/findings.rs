//! Everything that is wrong with a request, found in one pass.

use kernel::{Error, Reason, Violation, Violations};

/// Two kinds of breach: a field that makes no sense, and a value that makes sense but is beyond the business.
#[derive(Debug, Default)]
pub struct Findings {
    /// Shapes and rules.
    pub invalid: Violations,
    /// Dates and terms out of range.
    beyond: Vec<Violation>,
}

impl Findings {
    /// Nothing found yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Notes a field that makes no sense.
    pub fn invalid(&mut self, field: &str, description: impl Into<String>) {
        self.invalid.add(field, description);
    }

    /// Notes a term or date beyond what the business allows.
    pub fn out_of_range(&mut self, field: &str, description: impl Into<String>) {
        self.beyond.push(Violation::new(field, description));
    }

    /// Ends the pass.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` when that is all that is wrong, else `INVALID_FIELD`; both with every breach.
    pub fn finish(mut self) -> Result<(), Error> {
        if self.invalid.is_empty() && !self.beyond.is_empty() {
            let refusal =
                Error::refused(Reason::TermOutOfRange, "A term or date is beyond what can be leased.");
            return Err(refusal.with_violations(self.beyond));
        }
        for violation in self.beyond {
            self.invalid.add(&violation.field, violation.description);
        }
        self.invalid.finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_alone_has_its_own_reason_and_joins_the_others_otherwise() {
        let mut findings = Findings::new();
        findings.out_of_range("terms.term_months", "too long");
        let refusal = findings.finish().expect_err("refused");
        assert_eq!(refusal.reason(), Reason::TermOutOfRange);
        assert_eq!(refusal.violations().len(), 1);

        let mut findings = Findings::new();
        findings.out_of_range("terms.term_months", "too long");
        findings.invalid("tenant", "is required");
        let refusal = findings.finish().expect_err("refused");
        assert_eq!(refusal.reason(), Reason::InvalidField);
        assert_eq!(refusal.violations().len(), 2);
        assert!(Findings::new().finish().is_ok());
    }
}
