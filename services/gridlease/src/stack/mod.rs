//! Everything on one machine: a Postgres, and the three services in this process, each on its own port, talking to
//! each other over real sockets with real tokens.

mod database;
mod home;
mod services;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context as _;
use inventory::InventorySettings;
use kernel::{Instant, TestClock};
use postgres::embedded::Embedded;
use runtime::{Running, TokenIssuer};

use crate::cli::Ports;
use crate::clients::{Addresses, Channels};

pub use home::{Home, data_dir};

/// A stop takes at most this long, whatever hangs.
const STOP_AT_MOST: Duration = Duration::from_secs(25);

/// What to run.
pub struct Options {
    /// An existing server instead of an embedded one.
    pub database_url: Option<String>,
    /// Where data and keys live.
    pub home: Home,
    /// Where to listen.
    pub ports: Ports,
    /// Business time stands here until it is moved.
    pub test_clock: Option<Instant>,
    /// Inventory alone: what a bench of bookings measures.
    pub inventory_only: bool,
}

/// The running services.
pub struct Stack {
    addresses: Addresses,
    database_url: String,
    issuer: TokenIssuer,
    test_clock: Option<TestClock>,
    running: Vec<Running>,
    // Last: the database outlives the services, and the folder outlives the database.
    embedded: Option<Embedded>,
    home: Home,
}

impl Stack {
    /// Finds or starts Postgres, migrates it, and starts the services one after the other.
    ///
    /// # Errors
    /// Whatever keeps one of them from starting, in words for the person at the keyboard.
    pub async fn start(options: Options) -> anyhow::Result<Self> {
        let Options { database_url, home, ports, test_clock, inventory_only } = options;
        let (embedded, database_url) = match database_url {
            Some(url) => (None, url),
            None => {
                let (embedded, url) = database::embedded(&home).await?;
                (Some(embedded), url)
            }
        };
        migrations::up(&database_url).await.context("migrate the database")?;
        let issuer = TokenIssuer::in_directory(home.keys()).context("make the development issuer's key")?;
        let test_clock = test_clock.map(TestClock::new);
        let place = services::Place {
            database_url: &database_url,
            keys: home.keys(),
            test_clock: test_clock.clone(),
        };
        let inventory = place
            .inventory(ports.inventory, InventorySettings::default())
            .await
            .context("start inventory")?;
        let mut addresses = Addresses {
            inventory: inventory.address,
            leasing: inventory.address,
            billing: inventory.address,
        };
        let mut running = vec![inventory];
        if !inventory_only {
            let leasing = place.leasing(ports.leasing, addresses.inventory).await.context("start leasing")?;
            addresses.leasing = leasing.address;
            running.push(leasing);
            let billing = place.billing(ports.billing, addresses.inventory, addresses.leasing);
            let billing = billing.await.context("start billing")?;
            addresses.billing = billing.address;
            running.push(billing);
        }
        Ok(Self { addresses, database_url, issuer, test_clock, running, embedded, home })
    }

    /// Ends what runs and starts inventory alone again, which reads its database anew.
    ///
    /// # Errors
    /// Whatever keeps it from starting.
    pub async fn restart_inventory(&mut self) -> anyhow::Result<()> {
        for service in self.running.drain(..).rev() {
            service.stop();
            service.ended().await;
        }
        let (database_url, keys, test_clock) =
            (&self.database_url, self.home.keys(), self.test_clock.clone());
        let place = services::Place { database_url, keys, test_clock };
        let mut own = InventorySettings::default();
        // Millions of rows that a bench planted: the auditor would be measured beside what is.
        own.audit_every = Duration::from_secs(24 * 3_600);
        let inventory = place.inventory(0, own).await.context("start inventory again")?;
        let at = inventory.address;
        self.addresses = Addresses { inventory: at, leasing: at, billing: at };
        self.running.push(inventory);
        Ok(())
    }

    /// Starts another inventory service on the same database, as a second replica, and tells where it listens.
    ///
    /// # Errors
    /// What keeps it from starting.
    pub async fn add_inventory(&mut self) -> anyhow::Result<SocketAddr> {
        let place =
            services::Place { database_url: &self.database_url, keys: self.home.keys(), test_clock: None };
        let replica =
            place.inventory(0, InventorySettings::default()).await.context("start another inventory")?;
        let address = replica.address;
        self.running.push(replica);
        Ok(address)
    }

    /// Where the services listen.
    #[must_use]
    pub fn addresses(&self) -> Addresses {
        self.addresses
    }

    /// Where each service shows its health and metrics.
    #[must_use]
    pub fn admin(&self) -> Vec<SocketAddr> {
        self.running.iter().filter_map(|service| service.admin).collect()
    }

    /// The database, as whoever may do everything.
    #[must_use]
    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// Signs tokens that the services believe.
    #[must_use]
    pub fn issuer(&self) -> &TokenIssuer {
        &self.issuer
    }

    /// Connections to the services, made when first used.
    ///
    /// # Errors
    /// Never for addresses that were bound.
    pub fn channels(&self) -> anyhow::Result<Channels> {
        Channels::new(self.addresses)
    }

    /// Ends the services, then lets go of the database; the guard ends it when nobody uses it.
    pub async fn stop(self) {
        let ended = async {
            // Callers before callees, so that nobody calls what is gone.
            for service in self.running.into_iter().rev() {
                service.stop();
                service.ended().await;
            }
        };
        if tokio::time::timeout(STOP_AT_MOST, ended).await.is_err() {
            tracing::warn!("a service did not stop in time");
        }
        drop(self.embedded);
        drop(self.home);
    }
}

/// Waits for Ctrl-C or a request to end.
///
/// # Errors
/// A system without signals.
pub async fn asked_to_end() -> anyhow::Result<()> {
    #[cfg(unix)]
    {
        let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed?,
            _ = terminate.recv() => {}
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await?;
    Ok(())
}

/// Runs `work`, unless the person wants to end first; `None`: they did.
///
/// # Errors
/// Those of `work`.
pub async fn unless_ended<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<Option<T>> {
    tokio::select! {
        done = work => done.map(Some),
        asked = asked_to_end() => asked.map(|()| None),
    }
}
