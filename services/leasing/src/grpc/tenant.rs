//! Tenants, there and back.

use contracts::leasing::v1 as wire;
use kernel::{Error, Violations};
use runtime::wire::{display_name, page_size, request_id, to_timestamp};

use crate::app::{CreateTenant, ListTenants};
use crate::domain::Tenant;

/// Reads a registration.
pub(super) fn create(request: &wire::CreateTenantRequest) -> Result<CreateTenant, Error> {
    let mut v = Violations::new();
    let id = v.parse("tenant_id", &request.tenant_id, str::parse);
    let name = v
        .present("tenant", request.tenant.as_ref())
        .and_then(|tenant| v.nested("tenant", |v| display_name(v, "display_name", &tenant.display_name)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(CreateTenant {
            id: id?,
            display_name: name?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// Reads what to list.
pub(super) fn list(request: &wire::ListTenantsRequest) -> Result<ListTenants, Error> {
    let mut v = Violations::new();
    let page_size = page_size(&mut v, request.page_size);
    v.build(|| Some(ListTenants { page_size: page_size?, page_token: request.page_token.clone() }))
}

/// Writes a tenant.
pub(super) fn to_wire(tenant: &Tenant) -> wire::Tenant {
    wire::Tenant {
        name: format!("tenants/{}", tenant.id),
        display_name: tenant.display_name.clone(),
        etag: tenant.etag(),
        create_time: Some(to_timestamp(tenant.create_time)),
    }
}
