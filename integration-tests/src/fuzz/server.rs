//! The three services without a store: whatever a request is refused for before one is needed, it is refused for here.

use std::sync::OnceLock;
use std::time::Duration;

use anyhow::Result;
use contracts::Rpc;
use http::HeaderMap;
use kernel::{Caller, Organisation, Role, SystemClock};
use runtime::client::{Channel, channel};
use runtime::policy::{ROLES, Right, policy};
use runtime::token::{JWKS_FILE, KEY_FILE};
use runtime::{Authenticator, Deps, Running, Settings, TokenIssuer};
use tokio::runtime::Runtime;
use tokio_util::sync::CancellationToken;
use tonic::Code;

use crate::raw;
use crate::shape::full_name;

/// Whose people call.
pub(super) const OPERATOR: &str = "operators/north";

/// The services, and who calls them.
pub(super) struct Server {
    runtime: Runtime,
    issuer: TokenIssuer,
    authenticator: Authenticator,
    channels: [(&'static str, Channel); 3],
    _running: [Running; 3],
    _keys: tempfile::TempDir,
}

impl Server {
    /// The one of this process.
    pub(super) fn get() -> &'static Self {
        static SERVER: OnceLock<Server> = OnceLock::new();
        SERVER.get_or_init(|| Self::start().expect("three services start without a store"))
    }

    fn start() -> Result<Self> {
        let keys = tempfile::tempdir()?;
        let issuer = TokenIssuer::in_directory(keys.path())?;
        let settings = |service: &str| {
            let url = "postgres://nobody@127.0.0.1:1/nothing";
            let mut settings = Settings::local(service, url, &keys.path().join(JWKS_FILE))?;
            settings.auth.development_key_file = Some(keys.path().join(KEY_FILE));
            settings.database.acquire_timeout = Duration::from_millis(2);
            // Nobody is there: whom they name does not matter.
            settings.peers.inventory = Some("http://127.0.0.1:1".to_owned());
            settings.peers.leasing = Some("http://127.0.0.1:1".to_owned());
            anyhow::Ok(settings)
        };
        let open = |service| anyhow::Ok(Deps::open(settings(service)?, None, CancellationToken::new())?);
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
        let running = runtime.block_on(async {
            let inventory = inventory::InventorySettings::default();
            let leasing = leasing::LeasingSettings::default();
            let billing = billing::BillingSettings::default();
            anyhow::Ok([
                runtime::start(inventory, open("inventory")?, inventory::service).await?,
                runtime::start(leasing, open("leasing")?, leasing::service).await?,
                runtime::start(billing, open("billing")?, billing::service).await?,
            ])
        })?;
        let [inventory, leasing, billing] = &running;
        let _guard = runtime.enter();
        let channels = [
            ("inventory", channel(&inventory.url())?),
            ("leasing", channel(&leasing.url())?),
            ("billing", channel(&billing.url())?),
        ];
        let auth = settings("inventory")?.auth;
        let authenticator =
            Authenticator::new(&auth, false, Box::new(SystemClock)).map_err(anyhow::Error::msg)?;
        drop(_guard);
        Ok(Self { runtime, issuer, authenticator, channels, _running: running, _keys: keys })
    }

    /// A good token of the operator's.
    pub(super) fn token(&self, role: Role) -> String {
        let organisation = match role {
            Role::Tenant => "tenants/lab",
            Role::PlatformAdmin => "platform",
            Role::Service => "services/leasing",
            _ => OPERATOR,
        };
        let organisation: Organisation = organisation.parse().expect("an organisation");
        self.issuer.mint("fuzz", &organisation, &[role], Duration::from_secs(36_000)).expect("a token")
    }

    /// Who these bytes say that they are, if they are believed.
    pub(super) fn believes(&self, token: &[u8]) -> Option<Caller> {
        let mut headers = HeaderMap::new();
        let value = [b"Bearer ", token].concat();
        headers.insert("authorization", http::HeaderValue::from_bytes(&value).ok()?);
        self.runtime.block_on(self.authenticator.authenticate(&headers)).ok().map(|known| known.caller)
    }

    /// Asks as somebody who may. The answer is never a fault of ours.
    pub(super) fn ask(&self, rpc: &Rpc, message: Vec<u8>) {
        let name = full_name(rpc);
        let Some(row) = policy().row(&name) else { return };
        let may = ROLES.into_iter().zip(row.cells).find_map(|(role, right)| Some((role, right?)));
        let Some((role, right)) = may else { return };
        let behalf = (role == Role::Service && right != Right::All).then_some(OPERATOR);
        let service = rpc.service.split('.').nth(1).unwrap_or_default();
        let known = self.channels.iter().find(|(name, _)| *name == service);
        let Some((_, channel)) = known.or_else(|| self.channels.first()) else { return };
        let token = self.token(role);
        let shown = message.clone();
        let asked = raw::call_for(channel, &name, Some(&token), behalf, message);
        let answer = self.runtime.block_on(asked);
        if let Err(status) = answer {
            let ours =
                [Code::Internal, Code::Unknown, Code::DataLoss, Code::DeadlineExceeded, Code::Cancelled];
            assert!(!ours.contains(&status.code()), "{name} of {shown:02x?}: {status:?}");
        }
    }
}
