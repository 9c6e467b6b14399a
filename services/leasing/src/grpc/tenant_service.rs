//! `gridlease.leasing.v1.TenantService`.

use std::sync::Arc;

use contracts::leasing::v1 as wire;
use contracts::leasing::v1::tenant_service_server::TenantService;
use kernel::{TenantName, Violations};
use runtime::{caller, reply, status};
use tonic::{Request, Response, Status};

use super::tenant;
use crate::app::App;

/// Answers for tenants.
pub struct TenantHandler {
    app: Arc<App>,
}

impl TenantHandler {
    /// A handler of these use cases.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app }
    }
}

#[tonic::async_trait]
impl TenantService for TenantHandler {
    async fn create_tenant(
        &self,
        request: Request<wire::CreateTenantRequest>,
    ) -> Result<Response<wire::CreateTenantResponse>, Status> {
        let caller = caller(&request)?;
        let command = tenant::create(request.get_ref()).map_err(status)?;
        let answer = self.app.create_tenant(&caller, command).await.map_err(status)?;
        reply(answer, |new| wire::CreateTenantResponse { tenant: Some(tenant::to_wire(new)) })
    }

    async fn get_tenant(
        &self,
        request: Request<wire::GetTenantRequest>,
    ) -> Result<Response<wire::GetTenantResponse>, Status> {
        let caller = caller(&request)?;
        let mut v = Violations::new();
        let name = v.parse("name", &request.get_ref().name, str::parse::<TenantName>);
        let name = v.build(|| name).map_err(status)?;
        let found = self.app.get_tenant(&caller, &name.tenant).await.map_err(status)?;
        Ok(Response::new(wire::GetTenantResponse { tenant: Some(tenant::to_wire(&found)) }))
    }

    async fn list_tenants(
        &self,
        request: Request<wire::ListTenantsRequest>,
    ) -> Result<Response<wire::ListTenantsResponse>, Status> {
        let caller = caller(&request)?;
        let query = tenant::list(request.get_ref()).map_err(status)?;
        let page = self.app.list_tenants(&caller, &query).await.map_err(status)?;
        let tenants = page.items.iter().map(tenant::to_wire).collect();
        Ok(Response::new(wire::ListTenantsResponse { tenants, next_page_token: page.next }))
    }
}
