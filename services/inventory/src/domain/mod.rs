//! What capacity is and when it may be promised. Pure: takes the time, gives back values and refusals.

pub mod availability;
pub mod block;
pub mod book;
pub mod convertible;
pub mod geo;
pub mod grid;
pub mod index;
pub mod operator;
pub mod phase;
pub mod reservation;
pub mod search;
pub mod site;
pub mod states;
pub mod suit;
pub mod usage;

use kernel::Error;

/// The etag of a revision: opaque to callers.
pub fn etag(revision: i64) -> String {
    format!("{revision:x}")
}

/// Refuses a copy that is older than ours. An etag is compared as a whole and never read.
///
/// # Errors
/// `ETAG_MISMATCH`.
pub fn check_etag(given: &str, revision: i64) -> Result<(), Error> {
    if given == etag(revision) { Ok(()) } else { Err(Error::etag_mismatch()) }
}
