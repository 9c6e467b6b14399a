//! Several inventory services on one database: what a booking must not be able to tell apart.

use std::time::Duration;

use anyhow::{Context as _, Result};
use gridlease::clients::{Addresses, Channels, Clients};
use inventory::InventorySettings;
use kernel::{Organisation, Role};
use runtime::token::{JWKS_FILE, KEY_FILE};
use runtime::{Deps, Running, Settings, TokenIssuer};
use tokio_util::sync::CancellationToken;

use crate::TestDatabase;

/// Replicas of inventory, and nothing else.
pub struct Fleet {
    /// The database; its superuser plants and audits.
    pub database: TestDatabase,
    issuer: TokenIssuer,
    stop: CancellationToken,
    running: Vec<Running>,
    channels: Vec<Channels>,
    // Last: the services read the key set again when it changes.
    _keys: tempfile::TempDir,
}

impl Fleet {
    /// So many replicas, with the sweeper off: whether it runs must make no difference.
    pub async fn start(replicas: usize) -> Result<Self> {
        let mut own = InventorySettings::default();
        own.sweep = false;
        Self::start_with(replicas, own).await
    }

    /// So many replicas with these settings.
    pub async fn start_with(replicas: usize, own: InventorySettings) -> Result<Self> {
        let database = TestDatabase::create().await?;
        let keys = tempfile::tempdir()?;
        let issuer = TokenIssuer::in_directory(keys.path())?;
        let stop = CancellationToken::new();
        let mut running = Vec::new();
        let mut channels = Vec::new();
        for _ in 0..replicas {
            let mut settings = Settings::local("inventory", &database.url(), &keys.path().join(JWKS_FILE))?;
            settings.auth.development_key_file = Some(keys.path().join(KEY_FILE));
            let deps = Deps::open(settings, None, stop.clone())?;
            let service = runtime::start(own.clone(), deps, inventory::service).await?;
            let at = service.address;
            channels.push(Channels::new(Addresses { inventory: at, leasing: at, billing: at })?);
            running.push(service);
        }
        Ok(Self { database, issuer, stop, running, channels, _keys: keys })
    }

    /// A token of somebody in `organisation`.
    pub fn token(&self, organisation: &str, role: Role) -> Result<String> {
        self.token_of("tester", organisation, role)
    }

    /// A token of this person.
    pub fn token_of(&self, subject: &str, organisation: &str, role: Role) -> Result<String> {
        let organisation: Organisation = organisation.parse()?;
        Ok(self.issuer.mint(subject, &organisation, &[role], Duration::from_secs(3600))?)
    }

    /// Connections to one replica.
    pub fn channels(&self, replica: usize) -> Result<&Channels> {
        self.channels.get(replica % self.channels.len().max(1)).context("a replica")
    }

    /// The clients of this person at the first replica.
    pub fn clients_of(&self, subject: &str, organisation: &str, role: Role) -> Result<Clients> {
        self.channels(0)?.caller(&self.token_of(subject, organisation, role)?)
    }

    /// The clients of somebody in `organisation` at one replica.
    pub fn clients_at(&self, replica: usize, organisation: &str, role: Role) -> Result<Clients> {
        self.channels(replica)?.caller(&self.token(organisation, role)?)
    }

    /// The clients of somebody in `organisation` at the first replica.
    pub fn clients(&self, organisation: &str, role: Role) -> Result<Clients> {
        self.clients_at(0, organisation, role)
    }

    /// Ends the services.
    pub async fn stop(self) {
        self.stop.cancel();
        for service in self.running {
            service.ended().await;
        }
    }
}
