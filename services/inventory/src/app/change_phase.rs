//! `UpdatePhase`, `AdvancePhase`, `SlipPhase`, `CancelPhase`: what happens to a phase after it was created.

use kernel::{Caller, Error, PhaseName, Uuid};
use postgres::{Answer, Tx};
use serde::Serialize;

use super::as_of::supersede;
use super::shortfalls::{Change, OnShortfall};
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::phase::{GridCheck, Phase};
use crate::domain::phase_change::Deed;
use crate::domain::shortfall::{Cause, CauseKind, Shortfall};
use crate::domain::site::Site;
use crate::domain::{check_etag_if_given, grid};
use crate::store::phases::Derived;
use crate::store::{blocks, phases, sites};

/// A change of a phase.
#[derive(Debug, Clone, Serialize)]
pub struct ChangePhase {
    /// Which phase.
    pub name: PhaseName,
    /// The etag the caller read, if it insists.
    pub etag: Option<String>,
    /// What happens to it.
    pub deed: Deed,
    /// Go on although reservations are short then.
    pub accept_shortfall: bool,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A phase that was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Changed {
    /// The phase.
    pub phase: Phase,
    /// Whether the site's grid power could be checked.
    pub grid_check: GridCheck,
    /// Reservations that are short of more than before.
    pub shortfalls: Vec<Shortfall>,
}

impl App {
    /// Changes a phase under the locks of its site and its block: within the site's grid power, and nobody is made
    /// short unseen.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `RESOURCE_ARCHIVED` (block), `ETAG_MISMATCH`, `INVALID_FIELD`,
    /// `INVALID_STATE_TRANSITION`, `SITE_POWER_EXCEEDED`, `CAPACITY_COMMITTED`, `TERM_OUT_OF_RANGE`,
    /// `REQUEST_ID_REUSED`.
    pub async fn change_phase(
        &self,
        caller: &Caller,
        command: ChangePhase,
    ) -> Result<Answer<Changed>, Error> {
        let name = &command.name;
        own_scope(caller, &name.operator, "phase")?;
        let wire = self.wire;
        let (rpc, event, reply) = match &command.deed {
            Deed::Update(_) => (rpc::UPDATE_PHASE, kind::PHASE_UPDATED, wire.phase_updated),
            Deed::Advance(..) => (rpc::ADVANCE_PHASE, kind::PHASE_ADVANCED, wire.phase_advanced),
            Deed::Slip { .. } => (rpc::SLIP_PHASE, kind::PHASE_SLIPPED, wire.phase_slipped),
            Deed::Cancel(_) => (rpc::CANCEL_PHASE, kind::PHASE_CANCELLED, wire.phase_cancelled),
        };
        let how = Write {
            name: "change_phase",
            rpc,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event,
            tell: &move |new: &Changed| (new.phase.name.to_string(), (wire.phase)(&new.phase)),
            reply,
        };
        let command = &command;
        self.write(caller, command, how, |tx| async move {
            let changed = self.change_under_lock(&tx, command).await?;
            Ok((tx, changed))
        })
        .await
    }

    async fn change_under_lock(&self, tx: &Tx, command: &ChangePhase) -> Result<Changed, Error> {
        let absent = || Error::not_found("phase");
        let (name, block_name) = (&command.name, command.name.block_name());
        let site = sites::lock(tx, &block_name.site_name()).await?.ok_or_else(absent)?;
        let block = blocks::find(tx, &block_name).await?.ok_or_else(absent)?;
        blocks::lock(tx, &name.operator, block.id).await?;
        let was = phases::find(tx, block.id, name).await?.ok_or_else(absent)?;
        if block.archived_at.is_some() {
            return Err(Error::archived("block"));
        }
        check_etag_if_given(command.etag.as_deref(), was.revision)?;
        // Two replicas' clocks may differ a little; time does not run backwards in what is kept.
        let now = self.now().max(was.updated_at);
        self.renew_shortfalls(tx, &block_name, block.id, now).await?;
        let (ratio, today) = (site.gross_per_it(), site.facts.zone.date_of(now));
        let phase = was.after(&command.deed, ratio, today, now)?;
        let grid_check = check_grid(tx, &site, &phase).await?;
        let interval = phase.interval(site.facts.zone)?;
        supersede(tx, &self.wire, &was, now).await?;
        phases::update(tx, &phase, Derived { block: block.id, interval, grid_check }).await?;
        let change = Change {
            block: &block_name,
            id: block.id,
            cause: cause(command, &was, &phase),
            on_shortfall: OnShortfall::of(command.accept_shortfall, command.validate_only),
            now,
        };
        let shortfalls = self.settle_shortfalls(tx, change).await?;
        sites::raise(tx, &site.facts.name).await?;
        Ok(Changed { phase, grid_check, shortfalls })
    }
}

/// Holds the site's limit with a phase as it is to be.
pub(super) async fn check_grid(tx: &Tx, site: &Site, phase: &Phase) -> Result<GridCheck, Error> {
    let mut draws = phases::draws(tx, &site.facts.name, Some(&phase.name)).await?;
    draws.extend(phase.life().into_iter().map(grid::Draw::from));
    grid::check(&site.facts.name, &site.facts.grid_steps, &draws)
}

fn cause(command: &ChangePhase, was: &Phase, is: &Phase) -> Cause {
    let (kind, reason) = match &command.deed {
        Deed::Cancel(reason) => (CauseKind::Cancelled, reason.clone()),
        Deed::Slip { reason, .. } => (CauseKind::Delayed, reason.clone()),
        Deed::Update(_) | Deed::Advance(..) if is.ready_for_service > was.ready_for_service => {
            (CauseKind::Delayed, String::new())
        }
        Deed::Update(_) | Deed::Advance(..) => (CauseKind::Reduced, String::new()),
    };
    Cause { kind, resource: command.name.to_string(), reason }
}
