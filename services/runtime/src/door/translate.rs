//! What tonic itself answers, in our words: it knows neither reasons nor which faults are the client's.

use http::Response;
use kernel::{Error, Reason};
use tonic::body::Body;
use tonic::{Code, Status};

use crate::status::status;

/// Gives a failure that no handler of ours made (it has no details) our code, reason and message.
pub(super) fn translate(response: Response<Body>) -> Response<Body> {
    match Status::from_header_map(response.headers()) {
        Some(made_by_tonic) if made_by_tonic.details().is_empty() => match meaning(&made_by_tonic) {
            Some(error) => {
                let mut translated = status(error).into_http();
                // It says which compressions the server would have accepted.
                if let Some(accepted) = response.headers().get("grpc-accept-encoding") {
                    translated.headers_mut().insert("grpc-accept-encoding", accepted.clone());
                }
                translated
            }
            None => response,
        },
        _ => response,
    }
}

fn meaning(status: &Status) -> Option<Error> {
    let refused = |reason, message: &'static str| Some(Error::refused(reason, message));
    match status.code() {
        // The decoder's failures; a handler's INTERNAL has details.
        Code::Internal => {
            refused(Reason::MalformedMessage, "The bytes are not a message of the expected type.")
        }
        Code::OutOfRange | Code::ResourceExhausted => {
            refused(Reason::MessageTooLarge, "The message is larger than the server accepts.")
        }
        Code::Cancelled => refused(
            Reason::DeadlineExceeded,
            "Time ran out and the outcome is unknown; repeat the call with the same request id.",
        ),
        Code::Unimplemented if status.message().is_empty() => refused(Reason::Unimplemented, NO_METHOD),
        Code::Unimplemented => Some(Error::refused(Reason::Unimplemented, status.message().to_owned())),
        _ => None,
    }
}

pub(super) const NO_METHOD: &str = "There is no such method here.";
