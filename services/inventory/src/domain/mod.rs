//! What capacity is and when it may be promised. Pure: takes the time, gives back values and refusals.

pub mod amendment;
pub mod availability;
pub mod block;
pub mod book;
pub mod conversion;
pub mod convertible;
pub mod curtailment;
pub mod encumbrance;
pub mod geo;
pub mod grid;
pub mod incident;
pub mod index;
pub mod maintenance;
pub mod operator;
pub mod phase;
pub mod phase_change;
pub mod power_plan;
pub mod reservation;
pub mod search;
pub mod shortfall;
pub mod site;
pub mod site_facts;
pub mod states;
pub mod suit;
pub mod usage;
pub mod use_state;
pub mod waitlist;

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

/// As [`check_etag`], where a caller may leave the etag out and take what is there.
///
/// # Errors
/// `ETAG_MISMATCH`.
pub fn check_etag_if_given(given: Option<&str>, revision: i64) -> Result<(), Error> {
    given.map_or(Ok(()), |given| check_etag(given, revision))
}
