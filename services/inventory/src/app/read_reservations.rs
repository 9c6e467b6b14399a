//! `GetReservation` and `ListReservations`. A hold that has run out is shown as EXPIRED, swept or not.

use kernel::{BlockName, Caller, Error, OperatorParent, ReservationName, Uuid};

use super::read_sites::Place;
use super::{App, Page, PageRequest, rpc, scope_of};
use crate::domain::reservation::Reservation;
use crate::domain::states::State;
use crate::store::Rows;
use crate::store::reservations::{self, ReservationFilter};

/// A list of reservations.
#[derive(Debug, Clone)]
pub struct ListReservations {
    /// With whom.
    pub parent: OperatorParent,
    /// States as they are shown; empty is all.
    pub states: Vec<State>,
    /// With a claim on this block.
    pub block: Option<BlockName>,
    /// Which page.
    pub page: PageRequest,
}

impl App {
    /// Reads a reservation.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_reservation(
        &self,
        caller: &Caller,
        name: &ReservationName,
    ) -> Result<Reservation, Error> {
        let scope = scope_of(caller, &name.operator, "reservation")?;
        self.db
            .read("get_reservation", &scope, |tx| async move {
                let found = match reservations::find(&tx, name).await? {
                    Some(found) => Some(found.seen_at(reservations::database_now(&tx).await?)),
                    None => None,
                };
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("reservation"))
    }

    /// Lists reservations, newest first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (operator or block), `INVALID_PAGE_TOKEN`.
    pub async fn list_reservations(
        &self,
        caller: &Caller,
        asked: ListReservations,
    ) -> Result<Page<Reservation>, Error> {
        let scope = &self.parent_scope(caller, asked.parent.operator()).await?;
        let block = match &asked.block {
            Some(name) => Some(self.get_block(caller, name).await?.id),
            None => None,
        };
        let filter = format!("{}|{:?}|{:?}", asked.parent, asked.states, asked.block);
        let place: Place<'_, (Uuid, String)> =
            self.place(caller, rpc::LIST_RESERVATIONS, filter, &asked.page)?;
        let filter =
            &ReservationFilter { operator: asked.parent.operator().cloned(), states: asked.states, block };
        let after = place.after.as_ref();
        let rows = self
            .db
            .read("list_reservations", scope, |tx| async move {
                let now = reservations::database_now(&tx).await?;
                let Rows { rows, more } =
                    reservations::list(&tx, scope, filter, now, after, asked.page.size).await?;
                let rows = rows.into_iter().map(|found| found.seen_at(now)).collect();
                Ok((tx, Rows { rows, more }))
            })
            .await?;
        place.page(rows, |found| (found.name.reservation.get(), found.name.operator.to_string()))
    }
}
