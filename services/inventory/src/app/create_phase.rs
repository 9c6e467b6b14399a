//! `CreatePhase`: gives a block capacity, within the site's grid power at every instant.

use kernel::{BlockId, Caller, Error, Instant, PhaseName};
use postgres::{Answer, Tx};

use super::shortfalls::{Change, OnShortfall};
use super::write::{Create, Write};
use super::{App, kind, own_scope, rpc};
use crate::domain::block::Block;
use crate::domain::grid::{self, Draw};
use crate::domain::phase::{GridCheck, Phase, PhaseDraft};
use crate::domain::shortfall::{Cause, CauseKind};
use crate::domain::site::Site;
use crate::store::phases::Derived;
use crate::store::{blocks, phases, sites};

/// A phase that was created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delivered {
    /// The phase.
    pub phase: Phase,
    /// Whether the site's grid power could be checked.
    pub grid_check: GridCheck,
}

impl App {
    /// Creates a phase under the site's lock, so that two of them never pass the limit together, and raises the
    /// block's version, so that every desk learns of it.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (block), `NAME_TAKEN`, `SITE_POWER_EXCEEDED`, `TERM_OUT_OF_RANGE`, `REQUEST_ID_REUSED`.
    pub async fn create_phase(
        &self,
        caller: &Caller,
        command: Create<PhaseDraft>,
    ) -> Result<Answer<Delivered>, Error> {
        let draft = &command.draft;
        let operator = &draft.name.operator;
        own_scope(caller, operator, "block")?;
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "create_phase",
            rpc: rpc::CREATE_PHASE,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::PHASE_CREATED,
            tell: &move |new: &Delivered| (new.phase.name.to_string(), (wire.phase)(&new.phase)),
            reply: wire.phase_created,
        };
        self.write(caller, draft, how, |tx| async move {
            let name = draft.name.block_name();
            let site = sites::lock(&tx, &name.site_name()).await?.ok_or_else(|| Error::not_found("block"))?;
            let block = blocks::find(&tx, &name).await?.ok_or_else(|| Error::not_found("block"))?;
            if block.archived_at.is_some() {
                return Err(Error::archived("block"));
            }
            blocks::lock(&tx, operator, block.id).await?;
            self.renew_shortfalls(&tx, &name, block.id, now).await?;
            let mut draws = phases::draws(&tx, &site.facts.name, None).await?;
            let delivered = deliver(&tx, &site, &block, draft, &mut draws, now).await?;
            self.delivered(&tx, &draft.name, block.id, command.validate_only).await?;
            sites::raise(&tx, &site.facts.name).await?;
            Ok((tx, delivered))
        })
        .await
    }

    /// Settles a block to which phases were delivered, `last` the last of them, and raises its version. More capacity
    /// makes nobody short, and may ease those who are. The block has been locked since before they were written.
    pub(super) async fn delivered(
        &self,
        tx: &Tx,
        last: &PhaseName,
        id: BlockId,
        validate_only: bool,
    ) -> Result<(), Error> {
        let block = &last.block_name();
        let cause = Cause { kind: CauseKind::Reduced, resource: last.to_string(), reason: String::new() };
        let on_shortfall = OnShortfall::of(false, validate_only);
        self.settle_shortfalls(tx, Change { block, id, cause, on_shortfall, now: self.now() }).await?;
        Ok(())
    }
}

/// Adds a phase to a block of a locked site, within what `draws` leave of the grid; they hold it afterwards. The caller
/// settles the block and raises the site.
///
/// # Errors
/// `NAME_TAKEN`, `SITE_POWER_EXCEEDED`, `TERM_OUT_OF_RANGE`, `INVALID_FIELD`: nothing was added.
pub(super) async fn deliver(
    tx: &Tx,
    site: &Site,
    block: &Block,
    draft: &PhaseDraft,
    draws: &mut Vec<Draw>,
    now: Instant,
) -> Result<Delivered, Error> {
    if phases::find(tx, block.id, &draft.name).await?.is_some() {
        return Err(Error::name_taken("phase"));
    }
    let today = site.facts.zone.date_of(now);
    let phase = draft.clone().settle(site.gross_per_it(), today, now)?;
    let others = draws.len();
    draws.extend(phase.life().into_iter().map(Draw::from));
    let grid_check = grid::check(&site.facts.name, &site.facts.grid_steps, draws)
        .inspect_err(|_| draws.truncate(others))?;
    let interval = phase.interval(site.facts.zone)?;
    phases::insert(tx, &phase, Derived { block: block.id, interval, grid_check }).await?;
    Ok(Delivered { phase, grid_check })
}
