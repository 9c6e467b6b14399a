//! The one translation between our errors and gRPC's: reason to code, details, and back.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use kernel::{Caller, Error, Reason, Violation};
use postgres::Answer;
use tonic::metadata::{Ascii, MetadataValue};
use tonic::{Code, Response, Status};
use tonic_types::{ErrorDetails, StatusExt as _};

use crate::policy::Right;

/// The domain of every `ErrorInfo` of ours.
pub const DOMAIN: &str = "gridlease";
/// The metadata of an answer that was given before.
pub const REPLAYED: &str = "idempotent-replayed";

/// At most so many violations are told.
const VIOLATIONS_MAX: usize = 50;

/// The code of each reason: exhaustive, so that a new reason does not compile without one.
pub fn code(reason: Reason) -> Code {
    match reason {
        Reason::InvalidField
        | Reason::InvalidPageSize
        | Reason::InvalidPageToken
        | Reason::InvalidFieldMask
        | Reason::InvalidRequestId
        | Reason::TermOutOfRange
        | Reason::MalformedMessage => Code::InvalidArgument,
        Reason::Unauthenticated => Code::Unauthenticated,
        Reason::RoleNotAllowed => Code::PermissionDenied,
        Reason::ResourceNotFound => Code::NotFound,
        Reason::NameTaken => Code::AlreadyExists,
        Reason::CapacityExhausted
        | Reason::CapacityCommitted
        | Reason::NotReadyForService
        | Reason::NoRightToTerminate
        | Reason::NoOptionToExercise
        | Reason::SitePowerExceeded
        | Reason::HoldExpired
        | Reason::HoldAlreadyConfirmed
        | Reason::HoldReleased
        | Reason::InvalidStateTransition
        | Reason::TermsHashMismatch
        | Reason::ResourceInUse
        | Reason::BidDeadlinePassed
        | Reason::BidDeadlinePending
        | Reason::BidExpired
        | Reason::ResourceArchived
        | Reason::SecondPersonNeeded
        | Reason::NothingToQuote
        | Reason::QuoteLapsed
        | Reason::PeriodClosed
        | Reason::AmountExceeded
        | Reason::RightNotCleared
        | Reason::DisputeWindowClosed
        | Reason::NominationExceeded
        | Reason::NominationClosed
        | Reason::UtilityBillOverlaps
        | Reason::PeriodNotBilled
        | Reason::UtilityBillCorrected
        | Reason::ChargingPlansDisagree
        | Reason::MasterAgreementNotInForce
        | Reason::RequestIdReused => Code::FailedPrecondition,
        Reason::EtagMismatch | Reason::RequestInProgress | Reason::TransactionConflict => Code::Aborted,
        Reason::QuotaExceeded | Reason::Overloaded | Reason::MessageTooLarge => Code::ResourceExhausted,
        Reason::ServerDraining | Reason::StoreUnavailable | Reason::PeerUnavailable => Code::Unavailable,
        Reason::DeadlineExceeded | Reason::OutcomeUnknown => Code::DeadlineExceeded,
        Reason::Unimplemented => Code::Unimplemented,
        Reason::Internal => Code::Internal,
    }
}

/// Whether waiting a moment may help, and how long where the error does not say.
fn retry_after(reason: Reason) -> Option<Duration> {
    match reason {
        Reason::TransactionConflict | Reason::RequestInProgress => Some(Duration::from_millis(200)),
        Reason::Overloaded
        | Reason::QuotaExceeded
        | Reason::ServerDraining
        | Reason::StoreUnavailable
        | Reason::PeerUnavailable
        | Reason::OutcomeUnknown => Some(Duration::from_secs(1)),
        _ => None,
    }
}

/// An error as it goes over the wire. INTERNAL is logged here, once, with its whole chain, under its error id.
///
/// A refusal about `request_id`, `page_size`, `page_token` or `update_mask` alone gets that field's own reason.
#[expect(clippy::needless_pass_by_value, reason = "handlers write `.map_err(status)`")]
pub fn status(error: Error) -> Status {
    let reason = own_reason(&error).unwrap_or_else(|| error.reason());
    if reason == Reason::Internal {
        return internal(&error);
    }
    let mut details = ErrorDetails::new();
    let metadata: HashMap<String, String> =
        error.metadata().iter().map(|(key, value)| (key.clone(), value.clone())).collect();
    // What a precondition is violated by is told as that.
    if !error.violations().is_empty() && reason != Reason::CapacityCommitted {
        let violations = error.violations().iter().take(VIOLATIONS_MAX);
        details.set_bad_request(
            violations
                .map(|violation| tonic_types::FieldViolation::new(&violation.field, &violation.description))
                .collect::<Vec<_>>(),
        );
    }
    if let Some(delay) = error.retry_after().or_else(|| retry_after(reason)) {
        details.set_retry_info(Some(delay));
    }
    add_kind(&mut details, reason, &error);
    details.set_error_info(reason.as_str(), DOMAIN, metadata);
    // Draining is no failure.
    if code(reason) == Code::Unavailable && reason != Reason::ServerDraining {
        tracing::warn!(reason = reason.as_str(), cause = explain(&error), "unavailable");
    }
    Status::with_error_details(code(reason), error.message(), details)
}

/// The reason of its own that some fields have, if the error is about such a field alone.
fn own_reason(error: &Error) -> Option<Reason> {
    match error.violations() {
        [one] if error.reason() == Reason::InvalidField => match one.field.as_str() {
            "request_id" => Some(Reason::InvalidRequestId),
            "page_size" => Some(Reason::InvalidPageSize),
            "page_token" => Some(Reason::InvalidPageToken),
            "update_mask" => Some(Reason::InvalidFieldMask),
            _ => None,
        },
        _ => None,
    }
}

/// The detail that says more for some reasons.
fn add_kind(details: &mut ErrorDetails, reason: Reason, error: &Error) {
    let of = |key: &str| error.get(key).unwrap_or_default().to_owned();
    match reason {
        Reason::InvalidStateTransition => {
            let violation = tonic_types::PreconditionViolation::new("STATE", of("from"), error.message());
            details.set_precondition_failure(vec![violation]);
        }
        Reason::CapacityExhausted => {
            let violation = tonic_types::PreconditionViolation::new("CAPACITY", of("block"), error.message());
            details.set_precondition_failure(vec![violation]);
        }
        Reason::CapacityCommitted => {
            let hurt = error.violations().iter().take(VIOLATIONS_MAX);
            details.set_precondition_failure(
                hurt.map(|one| {
                    tonic_types::PreconditionViolation::new("SHORTFALL", &one.field, &one.description)
                })
                .collect::<Vec<_>>(),
            );
        }
        Reason::QuotaExceeded => {
            details.set_quota_failure(vec![tonic_types::QuotaViolation::new(of("subject"), error.message())]);
        }
        Reason::ResourceNotFound => {
            // No name: what is absent and what is another's must look the same.
            details.set_resource_info(of("resource_type"), "", "", "");
        }
        _ => {}
    }
}

fn internal(error: &Error) -> Status {
    let id = error_id();
    tracing::error!(error_id = id, cause = explain(error), "internal error");
    let metadata = HashMap::from([("error_id".to_owned(), id)]);
    let mut details = ErrorDetails::new();
    details.set_error_info(Reason::Internal.as_str(), DOMAIN, metadata);
    Status::with_error_details(Code::Internal, kernel::error::INTERNAL_MESSAGE, details)
}

/// A random word that joins an answer with a log line.
fn error_id() -> String {
    use aws_lc_rs::rand::SecureRandom as _;
    let mut bytes = [0; 8];
    // Without randomness the line is still found by its time.
    let _ = aws_lc_rs::rand::SystemRandom::new().fill(&mut bytes);
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The whole chain of causes, for logs and for whoever runs the process; never for a caller.
pub fn explain(error: &Error) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// The answer of a write: fresh, or byte for byte what was answered before, which the metadata says.
///
/// # Errors
/// `INTERNAL` if what was stored is not such a message.
pub fn reply<T, M: prost::Message + Default>(
    answer: Answer<T>,
    to_wire: impl FnOnce(&T) -> M,
) -> Result<Response<M>, Status> {
    match answer {
        Answer::Fresh(value) => Ok(Response::new(to_wire(&value))),
        Answer::Replayed(bytes) => {
            let message = M::decode(bytes.as_slice()).map_err(|error| status(Error::internal(error)))?;
            let mut response = Response::new(message);
            response.metadata_mut().insert(REPLAYED, MetadataValue::<Ascii>::from_static("true"));
            Ok(response)
        }
    }
}

/// The error behind a peer's status: its refusals keep reason, message and metadata, so that they can be passed on;
/// its failures and its opinion of ourselves are `PEER_UNAVAILABLE`.
pub fn peer_error(peer: &'static str, status: Status) -> Error {
    let details = status.get_error_details();
    let known = details.error_info().filter(|info| info.domain == DOMAIN);
    let reason = known.and_then(|info| info.reason.parse::<Reason>().ok());
    let ours = |reason: &Reason| {
        // A peer that does not believe us, or breaks, is our fault or its own; never our caller's.
        !matches!(reason, Reason::Unauthenticated | Reason::MalformedMessage | Reason::Unimplemented)
            && !matches!(code(*reason), Code::Internal | Code::Unavailable)
    };
    match reason.filter(ours) {
        Some(reason) => {
            let violations = details.bad_request().map(|bad| bad.field_violations.as_slice());
            let mut error = Error::refused(reason, status.message().to_owned()).with_violations(
                violations
                    .unwrap_or_default()
                    .iter()
                    .map(|violation| Violation::new(&violation.field, &violation.description))
                    .collect(),
            );
            for (key, value) in known.map(|info| &info.metadata).into_iter().flatten() {
                error = error.with(key, value);
            }
            match details.retry_info().and_then(|info| info.retry_delay) {
                Some(delay) => error.with_retry_after(delay),
                None => error,
            }
        }
        // CANCELLED is what our own client library says when the time is over.
        None if matches!(status.code(), Code::DeadlineExceeded | Code::Cancelled) => {
            Error::refused(Reason::DeadlineExceeded, "a peer did not answer in time; the outcome is unknown")
                .with_source(status)
        }
        None => {
            Error::refused(Reason::PeerUnavailable, format!("{peer} cannot answer now")).with_source(status)
        }
    }
}

/// Who calls, as the door left it.
///
/// # Errors
/// `INTERNAL` where there is no door (a public RPC).
pub fn caller<T>(request: &tonic::Request<T>) -> Result<Arc<Caller>, Status> {
    request
        .extensions()
        .get::<Arc<Caller>>()
        .cloned()
        .ok_or_else(|| status(Error::internal("the request has no caller: it did not pass the door")))
}

/// The right that the policy gives the caller on this RPC.
pub fn right<T>(request: &tonic::Request<T>) -> Option<Right> {
    request.extensions().get::<Right>().copied()
}

#[cfg(test)]
mod tests;
