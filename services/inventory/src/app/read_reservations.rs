//! `GetReservation` and `ListReservations`. A hold that has run out is shown as EXPIRED, swept or not.

use kernel::{BlockName, Caller, Error, Instant, OperatorParent, ReservationName, Uuid};

use super::as_of::{known_at, one_known_at};
use super::place::Place;
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
    /// What was known then; none is now.
    pub read_time: Option<Instant>,
    /// Which page.
    pub page: PageRequest,
}

impl ListReservations {
    /// Those of a past instant that the list shows, as they were seen then.
    fn seen(&self, found: Vec<Reservation>, now: Instant) -> Vec<Reservation> {
        let at = self.read_time.map_or(now, |at| at.min(now));
        let shown = |found: &Reservation| {
            let on_block = |block: &BlockName| found.claims.iter().any(|claim| claim.block == *block);
            (self.states.is_empty() || self.states.contains(&found.state))
                && self.block.as_ref().is_none_or(on_block)
        };
        found.into_iter().map(|found| found.seen_at(at)).filter(shown).collect()
    }
}

impl App {
    /// Reads a reservation as it was known at an instant, or is now.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_reservation(
        &self,
        caller: &Caller,
        name: &ReservationName,
        read_time: Option<Instant>,
    ) -> Result<Reservation, Error> {
        let scope = scope_of(caller, &name.operator, "reservation")?;
        self.db
            .read("get_reservation", &scope, |tx| async move {
                let found = reservations::find(&tx, name).await?;
                let now = reservations::database_now(&tx).await?;
                let found = one_known_at(&tx, &self.wire, read_time, found).await?;
                Ok((tx, found.map(|found| found.seen_at(read_time.map_or(now, |at| at.min(now))))))
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
            Some(name) => Some(self.get_block(caller, name, None).await?.id),
            None => None,
        };
        let of = format!("{:?}|{:?}|{:?}", asked.states, asked.block, asked.read_time);
        let filter = format!("{}|{of}", asked.parent);
        let place: Place<'_, (Uuid, String)> =
            self.place(caller, rpc::LIST_RESERVATIONS, filter, &asked.page)?;
        let (after, asked) = (place.after.as_ref(), &asked);
        let filter = &ReservationFilter {
            operator: asked.parent.operator().cloned(),
            // Of a past instant, what it was then may differ from its row.
            states: if asked.read_time.is_some() { Vec::new() } else { asked.states.clone() },
            block,
        };
        let (rows, then) = self
            .db
            .read("list_reservations", scope, |tx| async move {
                let now = reservations::database_now(&tx).await?;
                let Rows { rows, more } =
                    reservations::list(&tx, scope, filter, now, after, asked.page.size).await?;
                let then = known_at(&tx, &self.wire, asked.read_time, &rows).await?;
                let then = then.map(|found| asked.seen(found, now));
                let rows = rows.into_iter().map(|found| found.seen_at(now)).collect();
                Ok((tx, (Rows { rows, more }, then)))
            })
            .await?;
        let key = |found: &Reservation| (found.name.reservation.get(), found.name.operator.to_string());
        Ok(place.page(rows, key)?.with(then))
    }
}
