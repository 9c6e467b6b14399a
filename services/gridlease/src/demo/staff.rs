//! The people of the demonstration: each call goes out with the token of whoever would make it.

use std::time::Duration;

use kernel::{OperatorId, Organisation, Role, TenantId};
use runtime::token::TokenIssuer;

use crate::clients::{Channels, Clients};

/// Longer than the demonstration takes, shorter than a working day.
const LIFETIME: Duration = Duration::from_secs(4 * 3600);

/// Gives out tokens and clients.
pub(super) struct Staff {
    issuer: TokenIssuer,
    channels: Channels,
}

impl Staff {
    /// Staff whose tokens this issuer signs.
    pub(super) fn new(issuer: TokenIssuer, channels: Channels) -> Self {
        Self { issuer, channels }
    }

    /// A token for a person of an organisation.
    pub(super) fn token(&self, organisation: &Organisation, role: Role) -> anyhow::Result<String> {
        let subject = format!("{role}@demo");
        Ok(self.issuer.mint(&subject, organisation, &[role], LIFETIME)?)
    }

    fn clients(&self, organisation: &Organisation, role: Role) -> anyhow::Result<Clients> {
        self.channels.caller(&self.token(organisation, role)?)
    }

    /// Somebody of an operator.
    pub(super) fn of(&self, operator: &OperatorId, role: Role) -> anyhow::Result<Clients> {
        self.clients(&Organisation::Operator(operator.clone()), role)
    }

    /// Somebody of a tenant.
    pub(super) fn tenant(&self, tenant: &TenantId) -> anyhow::Result<Clients> {
        self.clients(&Organisation::Tenant(tenant.clone()), Role::Tenant)
    }

    /// Whoever runs the marketplace: organisations and the clock, no business data.
    pub(super) fn platform(&self) -> anyhow::Result<Clients> {
        self.clients(&Organisation::Platform, Role::PlatformAdmin)
    }
}
