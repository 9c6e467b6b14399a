//! `CancelMaintenance`: a window is gone, or ends now.

use kernel::{Caller, Error, MaintenanceName, Uuid};
use postgres::Answer;
use serde::Serialize;

use super::schedule_maintenance::cause_of;
use super::shortfalls::{Change, OnShortfall};
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::check_etag_if_given;
use crate::domain::maintenance::Window;
use crate::store::{blocks, maintenance};

/// A window to be cancelled.
#[derive(Debug, Clone, Serialize)]
pub struct CancelMaintenance {
    /// Which one.
    pub name: MaintenanceName,
    /// The etag the caller read, if it insists.
    pub etag: Option<String>,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Gives the block back what the window took, under its lock, and tells the tenants on it.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `INVALID_STATE_TRANSITION`, `REQUEST_ID_REUSED`.
    pub async fn cancel_maintenance(
        &self,
        caller: &Caller,
        command: CancelMaintenance,
    ) -> Result<Answer<Window>, Error> {
        let name = &command.name;
        let scope = own_scope(caller, &name.operator, "maintenance window")?;
        let wire = self.wire;
        let how = Write {
            name: "cancel_maintenance",
            rpc: rpc::CANCEL_MAINTENANCE,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::MAINTENANCE_CANCELLED,
            tell: &move |window: &Window| (window.name.to_string(), (wire.maintenance)(window)),
            reply: wire.maintenance_cancelled,
        };
        let (command, scope) = (&command, &scope);
        self.write(caller, command, how, |tx| async move {
            let absent = || Error::not_found("maintenance window");
            let block_name = name.block_name();
            let block = blocks::find(&tx, &block_name).await?.ok_or_else(absent)?;
            blocks::lock(&tx, &name.operator, block.id).await?;
            let was = maintenance::find(&tx, scope, name).await?.ok_or_else(absent)?;
            check_etag_if_given(command.etag.as_deref(), was.revision)?;
            let now = self.now().max(was.updated_at);
            let window = was.cancelled(now)?;
            self.renew_shortfalls(&tx, &block_name, block.id, now).await?;
            maintenance::update(&tx, &window).await?;
            // Giving back makes nobody short.
            let on_shortfall = OnShortfall::of(false, command.validate_only);
            let cause = cause_of(&window);
            let change = Change { block: &block_name, id: block.id, cause, on_shortfall, now };
            self.settle_shortfalls(&tx, change).await?;
            // Whoever was told of it is told of its end too.
            self.announce(&tx, &window, was.facts.interval).await?;
            Ok((tx, window))
        })
        .await
    }
}
