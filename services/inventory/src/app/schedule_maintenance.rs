//! `ScheduleMaintenance`: takes capacity of a block away for a while.

use kernel::{BlockName, Caller, Error, Interval, MaintenanceId, MaintenanceName, Uuid};
use postgres::{Answer, Tx};
use serde::Serialize;

use super::shortfalls::{Change, OnShortfall};
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::maintenance::{MaintenanceState, Window, WindowDraft};
use crate::domain::shortfall::{Cause, Shortfall};
use crate::store::{blocks, maintenance};

/// A window to be scheduled.
#[derive(Debug, Clone, Serialize)]
pub struct ScheduleMaintenance {
    /// Its block.
    pub block: BlockName,
    /// The window.
    pub draft: WindowDraft,
    /// Go on although reservations are short then.
    pub accept_shortfall: bool,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A window that was scheduled.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scheduled {
    /// The window.
    pub window: Window,
    /// Reservations that are short of more than before.
    pub shortfalls: Vec<Shortfall>,
}

impl App {
    /// Schedules a window under the block's lock, and tells the tenants on it.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (block), `RESOURCE_ARCHIVED` (block), `CAPACITY_COMMITTED`, `REQUEST_ID_REUSED`.
    pub async fn schedule_maintenance(
        &self,
        caller: &Caller,
        command: ScheduleMaintenance,
    ) -> Result<Answer<Scheduled>, Error> {
        let operator = &command.block.operator;
        own_scope(caller, operator, "block")?;
        let wire = self.wire;
        let how = Write {
            name: "schedule_maintenance",
            rpc: rpc::SCHEDULE_MAINTENANCE,
            operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::MAINTENANCE_SCHEDULED,
            tell: &move |new: &Scheduled| (new.window.name.to_string(), (wire.maintenance)(&new.window)),
            reply: wire.maintenance_scheduled,
        };
        let command = &command;
        self.write(caller, command, how, |tx| async move {
            let name = &command.block;
            let block = blocks::find(&tx, name).await?.ok_or_else(|| Error::not_found("block"))?;
            if block.archived_at.is_some() {
                return Err(Error::archived("block"));
            }
            blocks::lock(&tx, operator, block.id).await?;
            let now = self.now();
            self.renew_shortfalls(&tx, name, block.id, now).await?;
            let window = Window {
                name: name_of(name, MaintenanceId::new(self.ids.next())),
                facts: command.draft.clone(),
                block: block.id,
                state: MaintenanceState::Scheduled,
                revision: 1,
                created_at: now,
                updated_at: now,
            };
            maintenance::insert(&tx, &window).await?;
            let on_shortfall = OnShortfall::of(command.accept_shortfall, command.validate_only);
            let cause = cause_of(&window);
            let change = Change { block: name, id: block.id, cause, on_shortfall, now };
            let shortfalls = self.settle_shortfalls(&tx, change).await?;
            self.announce(&tx, &window, window.facts.interval).await?;
            Ok((tx, Scheduled { window, shortfalls }))
        })
        .await
    }

    /// Tells each tenant with a claim on the block at some time of an interval how the window is now.
    pub(super) async fn announce(&self, tx: &Tx, window: &Window, over: Interval) -> Result<(), Error> {
        let name = window.name.block_name();
        let payload = (self.wire.maintenance)(window);
        for tenant in maintenance::tenants_on(tx, &name.operator, window.block, over).await? {
            let told = (window.name.to_string(), payload.clone());
            self.tell_also(tx, &name, kind::MAINTENANCE_ANNOUNCED, told, Some(tenant)).await?;
        }
        Ok(())
    }
}

/// How a window is named where it makes somebody short.
pub(super) fn cause_of(window: &Window) -> Cause {
    let facts = &window.facts;
    Cause { kind: facts.kind.cause(), resource: window.name.to_string(), reason: facts.reason.clone() }
}

fn name_of(block: &BlockName, id: MaintenanceId) -> MaintenanceName {
    MaintenanceName::new(block.operator.clone(), block.site.clone(), block.block.clone(), id)
}
