//! Who calls, for whom, and which rows that lets them see.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::id::{OperatorId, TenantId, serde_as_text};

/// What a caller may do, as the token says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// Everything within its operator.
    OperatorAdmin,
    /// Sites, blocks and phases of its operator.
    SiteOps,
    /// Search, holds and leases of its operator.
    Sales,
    /// Accounts, invoices and the ledger of its operator.
    Finance,
    /// A tenant's own side: search, its holds, its leases, its invoices.
    Tenant,
    /// Reads everything of its operator.
    Auditor,
    /// Organisations only; no business data.
    PlatformAdmin,
    /// Another service of ours, for itself or on behalf of an organisation.
    Service,
}

impl Role {
    /// Every role.
    pub const ALL: [Self; 8] = [
        Self::OperatorAdmin,
        Self::SiteOps,
        Self::Sales,
        Self::Finance,
        Self::Tenant,
        Self::Auditor,
        Self::PlatformAdmin,
        Self::Service,
    ];

    /// The name in tokens and in the policy table.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::OperatorAdmin => "operator_admin",
            Self::SiteOps => "site_ops",
            Self::Sales => "sales",
            Self::Finance => "finance",
            Self::Tenant => "tenant",
            Self::Auditor => "auditor",
            Self::PlatformAdmin => "platform_admin",
            Self::Service => "service",
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A text is not a role or not an organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CallerError {
    /// Not a role.
    #[error("is not a role")]
    Role,
    /// Not an organisation.
    #[error("must be operators/{{operator}}, tenants/{{tenant}}, services/{{service}} or platform")]
    Organisation,
}

impl FromStr for Role {
    type Err = CallerError;

    fn from_str(text: &str) -> Result<Self, CallerError> {
        Self::ALL.into_iter().find(|role| role.as_str() == text).ok_or(CallerError::Role)
    }
}

/// Who stands behind a token: the `org` claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Organisation {
    /// `operators/{operator}`
    Operator(OperatorId),
    /// `tenants/{tenant}`
    Tenant(TenantId),
    /// `platform`: those who run Gridlease.
    Platform,
    /// `services/{service}`: one of our own services.
    Service(String),
}

impl fmt::Display for Organisation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Operator(id) => write!(f, "operators/{id}"),
            Self::Tenant(id) => write!(f, "tenants/{id}"),
            Self::Platform => f.write_str("platform"),
            Self::Service(name) => write!(f, "services/{name}"),
        }
    }
}

impl FromStr for Organisation {
    type Err = CallerError;

    fn from_str(text: &str) -> Result<Self, CallerError> {
        let bad = |_| CallerError::Organisation;
        match text.split_once('/') {
            None if text == "platform" => Ok(Self::Platform),
            Some(("operators", id)) => id.parse().map(Self::Operator).map_err(bad),
            Some(("tenants", id)) => id.parse().map(Self::Tenant).map_err(bad),
            // A service is named like an organisation, so that keys and logs hold no surprise.
            Some(("services", id)) => OperatorId::new(id).map(|id| Self::Service(id.into())).map_err(bad),
            _ => Err(CallerError::Organisation),
        }
    }
}

serde_as_text!(Organisation);

/// The verified caller of a request. Only authentication makes one from a token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The token's subject: a person or a machine account.
    pub subject: String,
    /// The token's organisation.
    pub organisation: Organisation,
    /// The token's roles.
    pub roles: Vec<Role>,
    /// For whom a service calls. Present with role `service` only.
    pub on_behalf_of: Option<Organisation>,
    /// The token's own identifier, for the audit trail.
    pub token_id: String,
}

/// Which rows a query may see. Becomes the transaction's settings, which row level security reads.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Scope {
    /// Rows of one operator.
    Operator(OperatorId),
    /// Rows that name one tenant.
    Tenant(TenantId),
    /// What operators publish: sites, blocks, phases and how much of them is free.
    Market,
    /// Every row, for our own background work and feeds between services; only on the worker's role.
    Worker,
}

impl Caller {
    /// Whether the caller has the role.
    pub fn has_role(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// The organisation whose right counts and under whose name effects are recorded: the one a service calls for, else
    /// the caller's own. Without role `service`, on-behalf-of means nothing.
    pub fn effective_organisation(&self) -> &Organisation {
        match &self.on_behalf_of {
            Some(organisation) if self.has_role(Role::Service) => organisation,
            _ => &self.organisation,
        }
    }

    /// The rows this caller may see when a request names no operator.
    pub fn scope(&self) -> Scope {
        match self.effective_organisation() {
            Organisation::Operator(operator) => Scope::Operator(operator.clone()),
            Organisation::Tenant(tenant) => Scope::Tenant(tenant.clone()),
            Organisation::Platform => Scope::Market,
            Organisation::Service(_) => Scope::Worker,
        }
    }

    /// The rows this caller may see of one operator: an operator its own, a tenant those that name it, a service of
    /// ours that operator's. Anyone else learns that there is no such operator.
    pub fn scope_of_operator(&self, operator: &OperatorId) -> Result<Scope, Error> {
        match self.effective_organisation() {
            Organisation::Operator(own) if own == operator => Ok(Scope::Operator(own.clone())),
            Organisation::Tenant(tenant) => Ok(Scope::Tenant(tenant.clone())),
            Organisation::Service(_) if self.has_role(Role::Service) => Ok(Scope::Operator(operator.clone())),
            Organisation::Operator(_) | Organisation::Platform | Organisation::Service(_) => {
                Err(Error::not_found("operator"))
            }
        }
    }
}
