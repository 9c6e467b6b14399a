//! The three services in this process, each with its own roles, port and token.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;

use inventory::InventorySettings;
use kernel::TestClock;
use runtime::token::{JWKS_FILE, KEY_FILE};
use runtime::{Deps, Running, Settings};
use tokio_util::sync::CancellationToken;

/// What the services of one stack share.
pub(super) struct Place<'a> {
    /// The database; each service acts as its own roles on it.
    pub(super) database_url: &'a str,
    /// The folder of the development issuer's key and key set.
    pub(super) keys: &'a Path,
    /// Business time, where it is moved by hand: one clock for all three.
    pub(super) test_clock: Option<TestClock>,
}

impl Place<'_> {
    fn settings(&self, service: &str, port: u16) -> anyhow::Result<Settings> {
        let mut settings = Settings::local(service, self.database_url, &self.keys.join(JWKS_FILE))?;
        settings.server.listen = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        settings.admin.listen = Some(SocketAddr::from((Ipv4Addr::LOCALHOST, 0)));
        settings.auth.development_key_file = Some(self.keys.join(KEY_FILE));
        settings.clock.test = self.test_clock.is_some();
        Ok(settings)
    }

    fn deps(&self, settings: Settings) -> anyhow::Result<Deps> {
        // Each its own: they are stopped one after the other, callers before callees.
        Ok(Deps::open(settings, self.test_clock.clone(), CancellationToken::new())?)
    }

    pub(super) async fn inventory(&self, port: u16, own: InventorySettings) -> anyhow::Result<Running> {
        let settings = self.settings("inventory", port)?;
        Ok(runtime::start(own, self.deps(settings)?, inventory::service).await?)
    }

    pub(super) async fn leasing(&self, port: u16, inventory: SocketAddr) -> anyhow::Result<Running> {
        let mut settings = self.settings("leasing", port)?;
        settings.peers.inventory = Some(format!("http://{inventory}"));
        let own = leasing::LeasingSettings::default();
        Ok(runtime::start(own, self.deps(settings)?, leasing::service).await?)
    }

    pub(super) async fn billing(
        &self,
        port: u16,
        inventory: SocketAddr,
        leasing: SocketAddr,
    ) -> anyhow::Result<Running> {
        let mut settings = self.settings("billing", port)?;
        settings.peers.inventory = Some(format!("http://{inventory}"));
        settings.peers.leasing = Some(format!("http://{leasing}"));
        let own = billing::BillingSettings::default();
        Ok(runtime::start(own, self.deps(settings)?, billing::service).await?)
    }
}
