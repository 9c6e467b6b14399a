//! The names that a document needs and inventory knows.

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use kernel::{Error, LeaseName, Organisation, SiteName};
use paper::Entity;

use super::{Inventory, nonsense};
use crate::domain::order_form::NamedSite;

impl Inventory {
    /// What an operator is called.
    ///
    /// # Errors
    /// What [`runtime::client::Peer::call`] fails with.
    pub(crate) async fn operator_name(&self, lease: &LeaseName) -> Result<String, Error> {
        let request =
            wire::GetOperatorRequest { name: format!("operators/{}", lease.operator), read_time: None };
        let own = Organisation::Operator(lease.operator.clone());
        let reply = self
            .peer
            .call(Some(&own), request, |channel, request| async move {
                SiteServiceClient::new(channel).get_operator(request).await
            })
            .await?;
        reply.operator.map(|operator| operator.display_name).ok_or_else(|| nonsense("an operator"))
    }

    /// What sites are called and who issues for them: both sides of a contract know that, so it is asked for their
    /// operator.
    ///
    /// # Errors
    /// What [`runtime::client::Peer::call`] fails with.
    pub(crate) async fn named_sites(&self, sites: Vec<SiteName>) -> Result<Vec<NamedSite>, Error> {
        let mut named: Vec<NamedSite> = Vec::new();
        for name in sites {
            if named.iter().any(|known| known.site == name) {
                continue;
            }
            let site = self.site(&Organisation::Operator(name.operator.clone()), &name).await?;
            let entity = site.billing_entity.map(Entity::from);
            named.push(NamedSite { site: name, display_name: site.display_name, entity });
        }
        Ok(named)
    }
}
