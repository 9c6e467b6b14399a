//! `PlaceHold`: one order for the booking desk.

use std::time::Duration;

use kernel::{
    BlockName, Caller, Error, Instant, OperatorId, Organisation, Reason, ReservationName, Role, TenantId,
    Uuid, Violation,
};
use postgres::{Answer, RequestKey};
use serde::Serialize;

use super::desk::{Order, Placed};
use super::{App, rpc, scope_of};
use crate::domain::reservation::{Claim, Kind, Profile, Reservation};
use crate::domain::states::State;

const STARTS_WITHIN_DAYS: i64 = 10 * 366;
const LASTS_DAYS_MAX: i64 = 50 * 366;

/// A hold that is asked for.
#[derive(Debug, Clone, Serialize)]
pub struct PlaceHold {
    /// Whose blocks.
    pub operator: OperatorId,
    /// For whom.
    pub tenant: Option<TenantId>,
    /// What for.
    pub kind: Kind,
    /// What to take, each of another block.
    pub claims: Vec<Claim>,
    /// How long to hold.
    pub hold_for: Duration,
    /// A remark.
    pub note: String,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Holds capacity: all of it, or nothing.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ROLE_NOT_ALLOWED`, `CAPACITY_EXHAUSTED`, `QUOTA_EXCEEDED`, `REQUEST_ID_REUSED`,
    /// `TRANSACTION_CONFLICT`, `OVERLOADED`, `OUTCOME_UNKNOWN`.
    pub async fn place_hold(&self, caller: &Caller, mut command: PlaceHold) -> Result<Answer<Placed>, Error> {
        let scope = scope_of(caller, &command.operator, "operator")?;
        let owner = format!("operators/{}", command.operator);
        let key = RequestKey::new(owner, caller, rpc::PLACE_HOLD, command.request_id, &command)?;
        let tenant = tenant_of(caller, &command)?;
        all_in_range(&command.claims, self.now())?;
        // As they are read back: in order of name.
        command.claims.sort_by(|a, b| a.block.cmp(&b.block));
        let names: Vec<&BlockName> = command.claims.iter().map(|claim| &claim.block).collect();
        let blocks = self.directory.find(&self.db, &command.operator, &names).await?;
        let limited = matches!(caller.effective_organisation(), Organisation::Tenant(_))
            && !caller.has_role(Role::Service);
        let rights = self.rights_to_clear(caller, &command.operator, tenant.as_ref(), &command.claims);
        let draft = Reservation {
            name: ReservationName::new(command.operator, kernel::ReservationId::new(self.ids.next())),
            tenant,
            kind: command.kind,
            state: State::Held,
            claims: command.claims,
            hold_until: Instant::UNIX_EPOCH,
            note: command.note,
            revision: 1,
            created_at: Instant::UNIX_EPOCH,
            updated_at: Instant::UNIX_EPOCH,
        };
        let order = Order {
            key,
            draft,
            blocks,
            hold_for: command.hold_for,
            quota: limited.then_some(self.quota_open_holds),
            rights,
            event: self.ids.next(),
            validate_only: command.validate_only,
        };
        let asked = order.draft.claims.clone();
        let answer = self.desk.place(order).await;
        match answer {
            Err(error) if error.reason() == Reason::CapacityExhausted => {
                // Boxed, as whatever is rare is: every booking moves the whole future about.
                Err(Box::pin(self.with_alternatives(&scope, &asked, error)).await)
            }
            // No watcher is woken: bookings are too many for that, and every watcher looks by itself soon.
            answered => answered,
        }
    }
}

/// Contracts of this business begin within ten years and last at most fifty.
pub(super) fn in_range(field: impl std::fmt::Display, profile: &Profile, now: Instant) -> Result<(), Error> {
    let (start, end) = (profile.start(), profile.end());
    let too_late = (start - now).num_days() > STARTS_WITHIN_DAYS;
    if too_late || (end - start).num_days() > LASTS_DAYS_MAX {
        let violation =
            Violation::new(field.to_string(), "must begin within 10 years and last at most 50 years");
        return Err(Error::refused(
            Reason::TermOutOfRange,
            format!("{field} must begin within 10 years and last at most 50 years."),
        )
        .with_violations(vec![violation]));
    }
    Ok(())
}

pub(super) fn all_in_range(claims: &[Claim], now: Instant) -> Result<(), Error> {
    let mut claims = claims.iter().enumerate();
    claims.try_for_each(|(n, claim)| in_range(format_args!("claims[{n}].profile"), &claim.profile, now))
}

/// For whom a caller may hold capacity, and of what kind.
fn tenant_of(caller: &Caller, command: &PlaceHold) -> Result<Option<TenantId>, Error> {
    let named = command.tenant.clone();
    let service = caller.has_role(Role::Service);
    match caller.effective_organisation() {
        Organisation::Tenant(own) => {
            if named.as_ref().is_some_and(|named| named != own) {
                return Err(Error::not_found("tenant"));
            }
            if command.kind != Kind::Hold && !service {
                return Err(Error::role_not_allowed(rpc::PLACE_HOLD, Role::Tenant));
            }
            Ok(Some(own.clone()))
        }
        _ if command.kind == Kind::OperatorUse => match named {
            Some(_) => Err(Error::invalid_field("tenant", "must be empty for the operator's own use")),
            None => Ok(None),
        },
        _ => {
            let only_sales = caller.has_role(Role::Sales) && !caller.has_role(Role::OperatorAdmin);
            if named.is_none() && only_sales {
                return Err(Error::invalid_field("tenant", "is required"));
            }
            Ok(named)
        }
    }
}
