//! Time: instants, civil dates, the zone that joins them, and the clock.
//!
//! A contract says a civil date in its site's zone: that is the truth. Capacity is held over half-open intervals of UTC
//! instants, derived from the dates once and frozen. Every range here is half-open: the start is in, the end is not.

mod civil;
mod clock;
mod instant;
mod zone;

pub use civil::{CivilDate, DateRange, YearMonth, add_months, first_of_month_on_or_after, months_between};
pub use clock::{Clock, SystemClock, TestClock};
pub use instant::{Instant, Interval, instant_from_micros, max_instant, min_instant, normalise_instant};
pub use zone::Zone;

/// The first civil date the product knows. Earlier ones are mistakes.
pub const YEAR_MIN: i32 = 2000;
/// The last year the product knows.
pub const YEAR_MAX: i32 = 9999;

/// Why a time, date or range was refused. The text is a sentence for the caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TimeError {
    /// The end of a range is not after its start.
    #[error("must end after it starts")]
    EndNotAfterStart,
    /// An instant or a date lies outside what the product knows.
    #[error("must lie between the years 2000 and 9999")]
    OutOfRange,
    /// The text is not an IANA time zone.
    #[error("must be an IANA time zone such as America/Chicago")]
    UnknownZone,
    /// The numbers are not a month of the calendar.
    #[error("must be a year from 2000 to 9999 and a month from 1 to 12")]
    NotAMonth,
    /// A test clock was asked to go back.
    #[error("the clock only moves forward")]
    Backwards,
}
