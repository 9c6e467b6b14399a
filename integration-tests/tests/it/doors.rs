//! Ways in for calls without our generated clients, and who makes them.

use std::collections::BTreeMap;

use anyhow::{Context as _, Result};
use contracts::Rpc;
use integration_tests::shape::full_name;
use integration_tests::{TestStack, raw};
use kernel::Role;
use prost::bytes::Bytes;
use runtime::client::Channel;
use runtime::policy::{ROLES, Right, Row, policy};
use tonic::{Response, Status};

/// One connection a service.
pub(crate) struct Doors(BTreeMap<&'static str, Channel>);

impl Doors {
    pub(crate) fn of(stack: &TestStack) -> Result<Self> {
        let at = stack.stack().addresses();
        let doors = [("inventory", at.inventory), ("leasing", at.leasing), ("billing", at.billing)];
        let open = |(name, address)| Ok((name, runtime::client::channel(&format!("http://{address}"))?));
        Ok(Self(doors.into_iter().map(open).collect::<Result<_>>()?))
    }

    /// The channels that serve an RPC: the clock is everywhere.
    pub(crate) fn to(&self, rpc: &Rpc) -> Vec<&Channel> {
        let package = rpc.service.split('.').nth(1).unwrap_or_default();
        match self.0.get(package) {
            Some(one) => vec![one],
            None => self.0.values().collect(),
        }
    }
}

/// Who calls, with which token, and for whom.
#[derive(Clone)]
pub(crate) struct Who {
    pub(crate) token: String,
    pub(crate) on_behalf_of: Option<String>,
}

impl Who {
    pub(crate) async fn call(
        &self,
        channel: &Channel,
        rpc: &Rpc,
        message: Vec<u8>,
    ) -> Result<Response<Bytes>, Status> {
        let behalf = self.on_behalf_of.as_deref();
        raw::call_for(channel, &full_name(rpc), Some(&self.token), behalf, message).await
    }
}

/// Somebody of this role in the operator's or the tenant's organisation. A service acts for the operator where its
/// right is to act for another.
pub(crate) fn someone(
    stack: &TestStack,
    role: Role,
    right: Option<Right>,
    operator: &str,
    tenant: &str,
) -> Result<Who> {
    let organisation = match role {
        Role::Tenant => tenant,
        Role::PlatformAdmin => "platform",
        Role::Service => "services/leasing",
        _ => operator,
    };
    let acts_for = role == Role::Service && right != Some(Right::All);
    Ok(Who { token: stack.token(organisation, role)?, on_behalf_of: acts_for.then(|| operator.to_owned()) })
}

/// The row of an RPC in the policy.
pub(crate) fn row(rpc: &Rpc) -> Result<&'static Row> {
    policy().row(&full_name(rpc)).with_context(|| format!("{} has no row in policy.csv", full_name(rpc)))
}

/// The first role that may make this call on its own operator, and somebody who has it.
pub(crate) fn someone_allowed(stack: &TestStack, rpc: &Rpc, operator: &str, tenant: &str) -> Result<Who> {
    let cells = row(rpc)?.cells;
    let first = ROLES.into_iter().zip(cells).find(|(_, right)| right.is_some());
    let (role, right) = first.with_context(|| format!("nobody may call {}", full_name(rpc)))?;
    someone(stack, role, right, operator, tenant)
}
