//! `MergeReservations`.

use kernel::{Caller, Error, Instant, ReservationName};
use postgres::Answer;
use serde::Serialize;

use super::move_reservation::MoveReservation;
use super::rewrite_reservations::{How, Rewrite, deed_of, only};
use super::{App, rpc};
use crate::domain::reservation::{Claim, Reservation};
use crate::domain::states::Deed;
use crate::domain::{amendment, check_etag};

/// Claims of one reservation at most, as in what is placed.
const CLAIMS_MAX: usize = 50;

/// Reservations that are to become one.
#[derive(Debug, Clone, Serialize)]
pub struct MergeReservations {
    /// The one that takes everything afterwards.
    pub of: MoveReservation,
    /// Those that become part of it.
    pub others: Vec<ReservationName>,
}

impl App {
    /// Makes one reservation of several.
    ///
    /// # Errors
    /// `INVALID_FIELD` (others of another tenant, kind or state, or with a gap), `RESOURCE_NOT_FOUND`,
    /// `ROLE_NOT_ALLOWED`, `ETAG_MISMATCH`, the refusals of the state table, `REQUEST_ID_REUSED`,
    /// `TRANSACTION_CONFLICT`, `OUTCOME_UNKNOWN`.
    pub async fn merge_reservations(
        &self,
        caller: &Caller,
        command: MergeReservations,
    ) -> Result<Answer<Reservation>, Error> {
        let (of, deed) = (&command.of, deed_of(caller));
        let names: Vec<ReservationName> = std::iter::once(&of.name).chain(&command.others).cloned().collect();
        let how = How {
            rpc: rpc::MERGE,
            event: Deed::Join.event_kind(),
            names: &names,
            request_id: of.request_id,
            validate_only: of.validate_only,
            plan: &|found, now| {
                if let (Some(etag), Some(first)) = (&of.etag, found.first()) {
                    check_etag(etag, first.revision)?;
                }
                merged(found, deed, now)
            },
            reply: &|living| living.first().map(self.wire.merged).unwrap_or_default(),
        };
        only(self.rewrite_reservations(caller, &command, how).await?)
    }
}

/// The first takes everything; the others become part of it.
fn merged(found: Vec<Reservation>, deed: Deed, now: Instant) -> Result<Rewrite, Error> {
    let claims: Vec<Claim> = found.iter().flat_map(|one| one.claims.clone()).collect();
    let until = found.iter().map(|one| one.hold_until).min().unwrap_or(now);
    let mut found = found.into_iter();
    let first = found.next().ok_or_else(|| Error::not_found("reservation"))?;
    let after = first.after(deed, until, now)?;
    let mut changed = Vec::new();
    for (n, other) in found.enumerate() {
        // Whoever may not amend it may not merge it either.
        other.after(deed, other.hold_until, now)?;
        if (&other.tenant, other.kind, other.state) != (&first.tenant, first.kind, first.state) {
            let problem = "must be of the same tenant, kind and state";
            return Err(Error::invalid_field(format!("others[{n}]"), problem));
        }
        let joined = other.after(Deed::Join, other.hold_until, now)?;
        changed.push((other, joined));
    }
    let claims = amendment::merged(&claims)?;
    if claims.len() > CLAIMS_MAX {
        return Err(Error::invalid_field("others", "must take of 50 blocks at most together"));
    }
    changed.insert(0, (first, Reservation { claims, ..after }));
    Ok(Rewrite { changed, added: Vec::new() })
}
