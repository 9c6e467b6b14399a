//! `SplitReservation`.

use kernel::{Caller, Error, ReservationId, ReservationName};
use postgres::Answer;
use serde::Serialize;

use super::move_reservation::MoveReservation;
use super::rewrite_reservations::{How, Rewrite, deed_of};
use super::{App, kind, rpc};
use crate::domain::reservation::{Claim, Reservation};
use crate::domain::{amendment, check_etag_if_given};

/// What one part takes.
#[derive(Debug, Clone, Serialize)]
pub struct Part {
    /// Each of another block.
    pub claims: Vec<Claim>,
    /// A remark.
    pub note: String,
}

/// A reservation that is to become several.
#[derive(Debug, Clone, Serialize)]
pub struct SplitReservation {
    /// Which one.
    pub of: MoveReservation,
    /// The parts; the first keeps the name.
    pub parts: Vec<Part>,
}

impl App {
    /// Makes several reservations of one, which take together what it takes.
    ///
    /// # Errors
    /// `INVALID_FIELD` (parts that do not add up), `RESOURCE_NOT_FOUND`, `ROLE_NOT_ALLOWED`, `ETAG_MISMATCH`, the
    /// refusals of the state table, `QUOTA_EXCEEDED`, `REQUEST_ID_REUSED`, `TRANSACTION_CONFLICT`, `OUTCOME_UNKNOWN`.
    pub async fn split_reservation(
        &self,
        caller: &Caller,
        mut command: SplitReservation,
    ) -> Result<Answer<Vec<Reservation>>, Error> {
        for part in &mut command.parts {
            part.claims.sort_by(|a, b| a.block.cmp(&b.block));
        }
        let (of, parts, deed) = (&command.of, &command.parts, deed_of(caller));
        let claims: Vec<Vec<Claim>> = parts.iter().map(|part| part.claims.clone()).collect();
        let how = How {
            rpc: rpc::SPLIT,
            event: kind::RESERVATION_SPLIT,
            names: std::slice::from_ref(&of.name),
            request_id: of.request_id,
            validate_only: of.validate_only,
            plan: &|mut found, now| {
                let before = found.swap_remove(0);
                check_etag_if_given(of.etag.as_deref(), before.revision)?;
                let after = before.after(deed, before.hold_until, now)?;
                amendment::adds_up(&before.claims, &claims)?;
                let mut made = parts.iter().map(|part| Reservation {
                    claims: part.claims.clone(),
                    note: part.note.clone(),
                    ..after.clone()
                });
                let first = made.next().ok_or_else(|| Error::invalid_field("parts", "is required"))?;
                let note = if first.note.is_empty() { before.note.clone() } else { first.note.clone() };
                let added = made.map(|part| Reservation {
                    name: ReservationName::new(of.name.operator.clone(), ReservationId::new(self.ids.next())),
                    revision: 1,
                    created_at: after.updated_at,
                    ..part
                });
                let added = added.collect();
                Ok(Rewrite { changed: vec![(before, Reservation { note, ..first })], added })
            },
            reply: &self.wire.split,
        };
        self.rewrite_reservations(caller, &command, how).await
    }
}
