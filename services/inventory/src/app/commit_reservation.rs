//! `CommitReservation`.

use kernel::{Caller, Error};
use postgres::Answer;

use super::move_reservation::{How, MoveReservation};
use super::{App, rpc};
use crate::domain::reservation::Reservation;
use crate::domain::states::Deed;

impl App {
    /// Turns a hold that has not run out into a commitment.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, the refusals of the state table, `REQUEST_ID_REUSED`.
    pub async fn commit_reservation(
        &self,
        caller: &Caller,
        command: MoveReservation,
    ) -> Result<Answer<Reservation>, Error> {
        let how = How {
            rpc: rpc::COMMIT,
            deed: Deed::Commit,
            reply: self.wire.committed,
            hold_until: &|found, _| Ok(found.hold_until),
        };
        self.move_reservation(caller, &command, &command, how).await
    }
}
