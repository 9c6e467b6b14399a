//! `ReleaseReservation`.

use kernel::{Caller, Error, Role};
use postgres::Answer;

use super::move_reservation::{How, MoveReservation};
use super::{App, rpc};
use crate::domain::reservation::Reservation;
use crate::domain::states::Deed;

impl App {
    /// Gives a hold back; a service also what it committed.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, the refusals of the state table, `REQUEST_ID_REUSED`.
    pub async fn release_reservation(
        &self,
        caller: &Caller,
        command: MoveReservation,
    ) -> Result<Answer<Reservation>, Error> {
        let deed = if caller.has_role(Role::Service) { Deed::Withdraw } else { Deed::Release };
        let how = How {
            rpc: rpc::RELEASE,
            deed,
            reply: self.wire.released,
            hold_until: &|found, _| Ok(found.hold_until),
        };
        self.move_reservation(caller, &command, &command, how).await
    }
}
