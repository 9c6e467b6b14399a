//! What a person is told when a command fails: a refusal in the server's own words, with all that it says would work.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use tonic::Status;
use tonic_types::StatusExt as _;

/// What went wrong, from the outermost deed to the cause.
pub(crate) fn explained(error: &anyhow::Error) -> String {
    let said = |cause: &(dyn std::error::Error + 'static)| match cause.downcast_ref::<Status>() {
        Some(status) => refusal(status),
        None => cause.to_string(),
    };
    error.chain().map(said).collect::<Vec<_>>().join(": ")
}

/// The code and the sentence; below, a line for each field that is wrong, for what stands in the way, and for each figure.
fn refusal(status: &Status) -> String {
    let details = status.get_error_details();
    let info = details.error_info();
    let reason = info.map(|info| format!(" {}", info.reason)).unwrap_or_default();
    let mut told = format!("{:?}{reason}: {}", status.code(), status.message());
    let mut line = |name: &str, what: &str| {
        // A text that cannot be written to memory is not told.
        let _ = write!(told, "\n    {name}: {what}");
    };
    for wrong in details.bad_request().iter().flat_map(|bad| &bad.field_violations) {
        line(&wrong.field, &wrong.description);
    }
    for hurt in details.precondition_failure().iter().flat_map(|all| &all.violations) {
        line(&hurt.subject, &hurt.description);
    }
    let figures: BTreeMap<_, _> = info.iter().flat_map(|info| &info.metadata).collect();
    for (name, figure) in figures {
        line(name, figure);
    }
    told
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;
    use tonic::Code;
    use tonic_types::ErrorDetails;

    use super::*;

    #[test]
    fn a_refusal_is_told_with_what_would_work() {
        let figures = [("earliestTime", "2042-12-01T06:00:00Z"), ("block", "hall-1")];
        let figures = figures.map(|(name, figure)| (name.to_owned(), figure.to_owned()));
        let mut details = ErrorDetails::with_error_info("CAPACITY_EXHAUSTED", "gridlease", figures);
        details.add_bad_request_violation("claims[0]", "must be 9 MW at most");
        let status = Status::with_error_details(Code::FailedPrecondition, "The hall is full.", details);
        let error = Err::<(), _>(status).context("hold").expect_err("refused");
        assert_eq!(
            explained(&error),
            "hold: FailedPrecondition CAPACITY_EXHAUSTED: The hall is full.\n    \
             claims[0]: must be 9 MW at most\n    block: hall-1\n    earliestTime: 2042-12-01T06:00:00Z"
        );
    }

    #[test]
    fn a_fault_of_the_way_there_has_only_its_words() {
        let error =
            Err::<(), _>(Status::unavailable("nobody listens")).context("search").expect_err("refused");
        assert_eq!(explained(&error), "search: Unavailable: nobody listens");
    }
}
