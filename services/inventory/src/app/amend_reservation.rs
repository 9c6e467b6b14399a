//! `AmendReservation`.

use kernel::{Caller, Error, Organisation, Role, TenantId};
use postgres::Answer;
use serde::Serialize;

use super::move_reservation::MoveReservation;
use super::place_hold::all_in_range;
use super::rewrite_reservations::{How, Rewrite, deed_of, only};
use super::{App, rpc};
use crate::domain::check_etag_if_given;
use crate::domain::reservation::{Claim, Reservation};

/// A reservation that is to take something else.
#[derive(Debug, Clone, Serialize)]
pub struct AmendReservation {
    /// Which one.
    pub of: MoveReservation,
    /// Everything it takes afterwards, each of another block.
    pub claims: Vec<Claim>,
    /// Whom it is for from now on; none leaves it with whom it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tenant: Option<TenantId>,
}

impl App {
    /// Changes what a reservation takes: all of it, or nothing.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ROLE_NOT_ALLOWED`, `TERM_OUT_OF_RANGE`, `ETAG_MISMATCH`, the refusals of the state table,
    /// `CAPACITY_EXHAUSTED`, `REQUEST_ID_REUSED`, `TRANSACTION_CONFLICT`, `OUTCOME_UNKNOWN`.
    pub async fn amend_reservation(
        &self,
        caller: &Caller,
        mut command: AmendReservation,
    ) -> Result<Answer<Reservation>, Error> {
        all_in_range(&command.claims, self.now())?;
        // As they are read back: in order of name.
        command.claims.sort_by(|a, b| a.block.cmp(&b.block));
        let (of, claims, deed) = (&command.of, &command.claims, deed_of(caller));
        let (tenant, is_service) = (&command.tenant, caller.has_role(Role::Service));
        let tenants = matches!(caller.effective_organisation(), Organisation::Tenant(_));
        let role = if tenants { Role::Tenant } else { Role::OperatorAdmin };
        let how = How {
            rpc: rpc::AMEND,
            event: deed.event_kind(),
            names: std::slice::from_ref(&of.name),
            request_id: of.request_id,
            validate_only: of.validate_only,
            plan: &|mut found, now| {
                let before = found.swap_remove(0);
                check_etag_if_given(of.etag.as_deref(), before.revision)?;
                let after = before.after(deed, before.hold_until, now)?;
                let tenant = tenant.clone().or_else(|| before.tenant.clone());
                if tenant != before.tenant && !is_service {
                    return Err(Error::role_not_allowed(rpc::AMEND, role));
                }
                let after = Reservation { claims: claims.clone(), tenant, ..after };
                Ok(Rewrite { changed: vec![(before, after)], added: Vec::new() })
            },
            reply: &|living| living.first().map(self.wire.amended).unwrap_or_default(),
        };
        only(self.rewrite_reservations(caller, &command, how).await?)
    }
}
