//! Printing the order form of a lease.

use kernel::{Caller, Error, LeaseName};
use paper::{Document, Format};

use super::{App, RentSchedule};
use crate::domain::order_form::{Names, order_form};

impl App {
    /// The order form of a lease: what [`App::get_lease`] and [`App::rent_schedule`] tell, to send.
    ///
    /// # Errors
    /// As [`App::get_lease`]; what inventory is asked with.
    pub async fn render_lease(
        &self,
        caller: &Caller,
        name: &LeaseName,
        format: Format,
    ) -> Result<Vec<u8>, Error> {
        let RentSchedule { view, lines } = self.rent_schedule(caller, name).await?;
        let sites = view.lease.premises.iter().map(|one| one.block.site_name()).collect();
        let names = Names {
            operator: self.inventory.operator_name(name).await?,
            tenant: self.get_tenant(caller, &view.lease.tenant.tenant).await?.display_name,
            sites: self.inventory.named_sites(sites).await?,
        };
        let document = order_form(&view.lease, &view.value, &lines, &names)?;
        print(document, format).await
    }
}

/// A long document takes a while: not on a thread that answers others.
async fn print(document: Document, format: Format) -> Result<Vec<u8>, Error> {
    let printed = tokio::task::spawn_blocking(move || paper::print(&document, format));
    printed.await.map_err(Error::internal)?.map_err(Error::internal)
}
