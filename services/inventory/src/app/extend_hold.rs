//! `ExtendHold`.

use std::time::Duration;

use kernel::{Caller, Error, Instant, Reason, Violation};
use postgres::Answer;
use serde::Serialize;

use super::move_reservation::{How, MoveReservation};
use super::{App, rpc};
use crate::domain::reservation::Reservation;
use crate::domain::states::Deed;

/// The longest a hold may last from now on.
const LONGEST: Duration = Duration::from_secs(60 * 86_400);

/// Until when a hold is to last.
#[derive(Debug, Clone, Copy, Serialize)]
pub enum Until {
    /// Until an instant.
    Time(Instant),
    /// At least so long from now, by the database's clock.
    AtLeast(Duration),
}

/// A hold that is to last longer.
#[derive(Debug, Clone, Serialize)]
pub struct ExtendHold {
    /// Which one.
    pub of: MoveReservation,
    /// Until when.
    pub until: Until,
}

impl App {
    /// Moves the end of a hold to a later time.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, the refusals of the state table, `REQUEST_ID_REUSED`.
    pub async fn extend_hold(
        &self,
        caller: &Caller,
        command: ExtendHold,
    ) -> Result<Answer<Reservation>, Error> {
        let until = command.until;
        let how = How {
            rpc: rpc::EXTEND_HOLD,
            deed: Deed::Extend,
            reply: self.wire.extended,
            hold_until: &move |found, now| {
                // The state is judged first: of a hold that is gone, the end does not matter.
                found.state.after(Deed::Extend, found.has_lapsed(now))?;
                later(until, found.hold_until, now)
            },
        };
        self.move_reservation(caller, &command, &command.of, how).await
    }
}

fn later(until: Until, present: Instant, now: Instant) -> Result<Instant, Error> {
    match until {
        Until::AtLeast(duration) => Ok(present.max(now + duration)),
        Until::Time(time) if time < present => {
            Err(Error::invalid_field("hold_expire_time", "must not be before the present end of the hold"))
        }
        Until::Time(time) if time > now + LONGEST => {
            let violation = Violation::new("hold_expire_time", "must be at most 60 days from now");
            Err(Error::refused(Reason::TermOutOfRange, "A hold may last 60 days from now at most.")
                .with_violations(vec![violation]))
        }
        Until::Time(time) => Ok(time),
    }
}
