//! The names that an invoice needs: of its issuer from inventory, of its payer from leasing.

use contracts::inventory::v1 as inventory;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use contracts::leasing::v1::GetTenantRequest;
use contracts::leasing::v1::tenant_service_client::TenantServiceClient;
use kernel::{Error, Instant, OperatorId, Organisation, Reason, SiteId, TenantId};
use paper::Entity;
use runtime::wire::to_timestamp;

use super::{Inventory, Leasing};

impl Inventory {
    /// What an operator was called at an instant, or is now.
    ///
    /// # Errors
    /// What [`Peer::call`] fails with.
    pub async fn operator_name(&self, operator: &OperatorId, at: Option<Instant>) -> Result<String, Error> {
        let operator = match self.operator(operator, at).await {
            Err(error) if was_unknown(&error, at) => self.operator(operator, None).await?,
            answer => answer?,
        };
        Ok(operator.display_name)
    }

    /// The legal entities that issued for these sites at an instant, or do now.
    ///
    /// # Errors
    /// What [`Peer::call`] fails with.
    pub async fn issuers(
        &self,
        operator: &OperatorId,
        sites: &[SiteId],
        at: Option<Instant>,
    ) -> Result<Vec<Entity>, Error> {
        let mut issuers = Vec::new();
        for site in sites {
            let site = match self.site(operator, site, at).await {
                Err(error) if was_unknown(&error, at) => self.site(operator, site, None).await?,
                answer => answer?,
            };
            issuers.extend(site.billing_entity.map(Entity::from));
        }
        Ok(issuers)
    }

    async fn operator(
        &self,
        operator: &OperatorId,
        at: Option<Instant>,
    ) -> Result<inventory::Operator, Error> {
        let name = format!("operators/{operator}");
        let request = inventory::GetOperatorRequest { name, read_time: at.map(to_timestamp) };
        let reply = self
            .peer
            .call(Some(&Organisation::Operator(operator.clone())), request, |channel, request| async move {
                SiteServiceClient::new(channel).get_operator(request).await
            })
            .await?;
        reply.operator.ok_or_else(|| nonsense("inventory", "an operator"))
    }

    async fn site(
        &self,
        operator: &OperatorId,
        site: &SiteId,
        at: Option<Instant>,
    ) -> Result<inventory::Site, Error> {
        let name = format!("operators/{operator}/sites/{site}");
        let request = inventory::GetSiteRequest { name, read_time: at.map(to_timestamp) };
        let reply = self
            .peer
            .call(Some(&Organisation::Operator(operator.clone())), request, |channel, request| async move {
                SiteServiceClient::new(channel).get_site(request).await
            })
            .await?;
        reply.site.ok_or_else(|| nonsense("inventory", "a site"))
    }
}

/// Business time may stand before anything was recorded: then what is known now must do.
fn was_unknown(error: &Error, at: Option<Instant>) -> bool {
    at.is_some() && error.reason() == Reason::ResourceNotFound
}

impl Leasing {
    /// What a tenant is called.
    ///
    /// # Errors
    /// What [`Peer::call`] fails with.
    pub async fn tenant_name(&self, operator: &OperatorId, tenant: &TenantId) -> Result<String, Error> {
        let request = GetTenantRequest { name: format!("tenants/{tenant}") };
        let reply = self
            .peer
            .call(Some(&Organisation::Operator(operator.clone())), request, |channel, request| async move {
                TenantServiceClient::new(channel).get_tenant(request).await
            })
            .await?;
        reply.tenant.map(|tenant| tenant.display_name).ok_or_else(|| nonsense("leasing", "a tenant"))
    }
}

fn nonsense(peer: &str, what: &str) -> Error {
    Error::internal(format!("{peer} answered without {what}"))
}
