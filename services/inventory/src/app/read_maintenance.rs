//! `GetMaintenance` and `ListMaintenance`.

use kernel::{BlockSlug, Caller, Error, Instant, MaintenanceName, OperatorId, SiteId};

use super::place::Place;
use super::{App, Page, PageRequest, rpc, scope_of};
use crate::domain::maintenance::Window;
use crate::store::maintenance::{self, WindowFilter, WindowKey};

/// A list of windows.
#[derive(Debug, Clone)]
pub struct ListMaintenance {
    /// Whose; none is everybody's.
    pub operator: Option<OperatorId>,
    /// Of sites of this id; none is all.
    pub site: Option<SiteId>,
    /// Of blocks of this id; none is all.
    pub block: Option<BlockSlug>,
    /// That end after this instant.
    pub ends_after: Option<Instant>,
    /// Which page.
    pub page: PageRequest,
}

impl App {
    /// Reads a window. A tenant reads those of blocks on which it has a live claim.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`.
    pub async fn get_maintenance(&self, caller: &Caller, name: &MaintenanceName) -> Result<Window, Error> {
        let scope = &scope_of(caller, &name.operator, "maintenance window")?;
        self.db
            .read("get_maintenance", scope, |tx| async move {
                let found = maintenance::find(&tx, scope, name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("maintenance window"))
    }

    /// Lists windows. A tenant sees those of blocks on which it has a live claim.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (block), `INVALID_PAGE_TOKEN`.
    pub async fn list_maintenance(
        &self,
        caller: &Caller,
        asked: ListMaintenance,
    ) -> Result<Page<Window>, Error> {
        let ListMaintenance { operator, site, block, ends_after, page } = asked;
        let scope = &self.block_scope(caller, operator.as_ref(), site.as_ref(), block.as_ref()).await?;
        let filter = format!("{operator:?}|{site:?}|{block:?}|{ends_after:?}");
        let place: Place<'_, WindowKey> = self.place(caller, rpc::LIST_MAINTENANCE, filter, &page)?;
        let after = place.after.as_ref();
        let filter = &WindowFilter { operator, site, block, window: None, ends_after };
        let rows = self
            .db
            .read("list_maintenance", scope, |tx| async move {
                let rows = maintenance::list(&tx, scope, filter, after, page.size).await?;
                Ok((tx, rows))
            })
            .await?;
        place.page(rows, |window| (window.facts.interval.start(), window.name.window.get()))
    }
}
