//! A master agreement as a person writes it: JSON, with the names of `GeneralTerms`.

use anyhow::bail;
use contracts::leasing::v1 as leasing;
use runtime::wire::to_decimal;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Paper {
    display_name: String,
    #[serde(default)]
    payment_terms_days: i32,
    cure: Option<Cure>,
    late_interest: Option<LateInterest>,
    dispute: Option<Dispute>,
    holdover: Option<Holdover>,
    precedence: Option<String>,
    #[serde(default)]
    clauses: Vec<Clause>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Cure {
    monetary_days: i32,
    other_days: i32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LateInterest {
    annual_percent: String,
    #[serde(default)]
    grace_days: i32,
    year: Option<String>,
    accrues_from: Option<String>,
    once_percent: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Dispute {
    window_days: i32,
    rejected_interest: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Holdover {
    rate_percent: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Clause {
    heading: String,
    text: String,
}

/// A word of a few; none is not said.
fn one_of<E: Copy + Into<i32>>(field: &str, said: Option<&str>, words: &[(&str, E)]) -> anyhow::Result<i32> {
    let Some(said) = said else { return Ok(0) };
    match words.iter().find(|(word, _)| *word == said) {
        Some((_, meaning)) => Ok((*meaning).into()),
        None => {
            let valid: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            bail!("{field}: `{said}` is not one of {}", valid.join(", "))
        }
    }
}

/// What a file says: what the agreement is called, and its general terms.
///
/// # Errors
/// What is wrong with it, and what is valid.
pub(super) fn read(text: &str) -> anyhow::Result<(String, leasing::GeneralTerms)> {
    serde_json::from_str::<Paper>(text)?.terms()
}

impl Paper {
    fn terms(self) -> anyhow::Result<(String, leasing::GeneralTerms)> {
        use leasing::{AccrualStart, InterestYear, RejectedInterest, TermsPrecedence};
        let late_interest = match self.late_interest {
            None => None,
            Some(late) => Some(leasing::LateInterest {
                annual_percent: Some(to_decimal(late.annual_percent)),
                grace_days: late.grace_days,
                year: one_of(
                    "late_interest.year",
                    late.year.as_deref(),
                    &[("ACTUAL_365", InterestYear::Actual365), ("ACTUAL_360", InterestYear::Actual360)],
                )?,
                accrues_from: one_of(
                    "late_interest.accrues_from",
                    late.accrues_from.as_deref(),
                    &[("DUE_DATE", AccrualStart::DueDate), ("GRACE_END", AccrualStart::GraceEnd)],
                )?,
                once_percent: late.once_percent.map(to_decimal),
            }),
        };
        let dispute = match self.dispute {
            None => None,
            Some(dispute) => Some(leasing::DisputeTerms {
                window_days: dispute.window_days,
                rejected_interest: one_of(
                    "dispute.rejected_interest",
                    dispute.rejected_interest.as_deref(),
                    &[
                        ("AS_AGREED", RejectedInterest::AsAgreed),
                        ("FROM_ANSWER", RejectedInterest::FromAnswer),
                    ],
                )?,
            }),
        };
        let words = [("ORDER", TermsPrecedence::Order), ("AGREEMENT", TermsPrecedence::Agreement)];
        let clause = |clause: Clause| leasing::Clause { heading: clause.heading, text: clause.text };
        let terms = leasing::GeneralTerms {
            payment_terms_days: self.payment_terms_days,
            cure: self.cure.map(|cure| leasing::CureTerms {
                monetary_days: cure.monetary_days,
                other_days: cure.other_days,
            }),
            late_interest,
            dispute,
            holdover: self
                .holdover
                .map(|one| leasing::HoldoverTerms { rate_percent: Some(to_decimal(one.rate_percent)) }),
            precedence: one_of("precedence", self.precedence.as_deref(), &words)?,
            clauses: self.clauses.into_iter().map(clause).collect(),
        };
        Ok((self.display_name, terms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_says_what_the_agreement_says_and_a_wrong_word_what_is_valid() {
        let (name, terms) = read(
            r#"{"display_name": "MSA", "payment_terms_days": 45, "holdover": {"rate_percent": "175"},
                "late_interest": {"annual_percent": "12", "accrues_from": "GRACE_END"}, "precedence": "AGREEMENT",
                "clauses": [{"heading": "Governing law", "text": "New York."}]}"#,
        )
        .expect("an agreement");
        assert_eq!((name.as_str(), terms.payment_terms_days), ("MSA", 45));
        assert_eq!(terms.precedence(), leasing::TermsPrecedence::Agreement);
        let late = terms.late_interest.clone().expect("late interest");
        assert_eq!(late.accrues_from(), leasing::AccrualStart::GraceEnd);
        assert_eq!(late.annual_percent, Some(to_decimal("12")));
        assert!(terms.cure.is_none() && terms.clauses[0].heading == "Governing law");
        for (wrong, says) in [
            (r#"{"display_name": "MSA", "precedence": "OURS"}"#, "`OURS` is not one of ORDER, AGREEMENT"),
            (r#"{"display_name": "MSA", "payment_days": 4}"#, "expected one of `display_name`"),
            (r#"{}"#, "missing field `display_name`"),
        ] {
            let error = read(wrong).expect_err("refused").to_string();
            assert!(error.contains(says), "{error}");
        }
    }
}
