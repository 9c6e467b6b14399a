//! The services as processes of their own on one database: to be killed, stopped at a named step, and started again.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use gridlease::clients::{Addresses, Channels, Clients};
use kernel::{Organisation, Role};
use runtime::TokenIssuer;
use runtime::token::{DEVELOPMENT_ISSUER, JWKS_FILE, KEY_FILE};
use tempfile::TempDir;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::TestDatabase;

/// How long a process may take to serve.
const START_AT_MOST: Duration = Duration::from_secs(30);
/// How long a process may take to run into its failpoint.
const DIE_AT_MOST: Duration = Duration::from_secs(15);
const FIRST_PORT: u16 = 20_000;
const PORTS: u16 = 10_000;
/// The variable that tells the helper program which service to be.
pub const NODE_SERVICE: &str = "NODE_SERVICE";

/// A process of the cluster: a service and which of its replicas.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Node {
    /// `inventory`, `leasing` or `billing`.
    pub service: &'static str,
    /// Counted from 0.
    pub replica: usize,
}

/// The first replica of each service.
pub const INVENTORY: Node = Node { service: "inventory", replica: 0 };
/// See [`INVENTORY`].
pub const LEASING: Node = Node { service: "leasing", replica: 0 };
/// See [`INVENTORY`].
pub const BILLING: Node = Node { service: "billing", replica: 0 };

/// Processes on one database. Everything ends when it is dropped.
pub struct Cluster {
    /// The database that they share.
    pub database: TestDatabase,
    folder: TempDir,
    issuer: TokenIssuer,
    addresses: BTreeMap<Node, SocketAddr>,
    /// Settings of every process beside those below.
    settings: Vec<(&'static str, String)>,
    processes: BTreeMap<Node, Child>,
}

impl Cluster {
    /// A cluster with nothing running yet: `inventories` replicas of inventory, one of leasing and of billing.
    pub async fn new(inventories: usize) -> Result<Self> {
        let database = TestDatabase::create().await?;
        let folder = tempfile::tempdir()?;
        std::fs::write(folder.path().join("database-url"), database.url())?;
        let issuer = TokenIssuer::in_directory(folder.path())?;
        let replicas = (0..inventories).map(|replica| Node { service: "inventory", replica });
        let addresses = replicas
            .chain([LEASING, BILLING])
            .map(|node| Ok((node, free_address()?)))
            .collect::<Result<_>>()?;
        Ok(Self { database, folder, issuer, addresses, settings: Vec::new(), processes: BTreeMap::new() })
    }

    /// Gives every process that is started from now on this setting, as `TELEMETRY__FILTER`.
    pub fn set(&mut self, setting: &'static str, value: impl Into<String>) {
        self.settings.push((setting, value.into()));
    }

    /// Tells a process to stop, as a cluster does, and waits until it has.
    pub async fn stop(&mut self, node: Node) -> Result<ExitStatus> {
        let child = self.processes.get(&node).with_context(|| format!("{node:?} was not started"))?;
        Command::new("kill").args(["-TERM", &child.id().to_string()]).status()?;
        self.ended(node, DIE_AT_MOST).await
    }

    /// Starts every process and waits until all serve.
    pub async fn start_all(&mut self) -> Result<()> {
        for node in self.addresses.keys().copied().collect::<Vec<_>>() {
            self.start(node, "").await?;
        }
        Ok(())
    }

    /// Starts a process, with failpoints (`name=return(kill)`, or none), and waits until it serves.
    pub async fn start(&mut self, node: Node, failpoints: &str) -> Result<()> {
        let child = self.command(node, failpoints)?.spawn().context("start the node program")?;
        self.processes.insert(node, child);
        let end = Instant::now() + START_AT_MOST;
        while !self.serves(node).await {
            if let Some(status) = self.exited(node)? {
                bail!("{node:?} ended with {status} before it served:\n{}", self.log(node));
            }
            if Instant::now() > end {
                bail!("{node:?} did not serve within {START_AT_MOST:?}:\n{}", self.log(node));
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    /// Starts a process that is to die at this failpoint of something it finds to do by itself, and waits for that.
    /// `action` as in the crate `fail`, such as `return(kill)` or `2*off->return(kill)`.
    pub async fn start_to_die(&mut self, node: Node, failpoint: &str, action: &str) -> Result<()> {
        let before = self.log(node).len();
        let child = self
            .command(node, &format!("{failpoint}={action}"))?
            .spawn()
            .context("start the node program")?;
        self.processes.insert(node, child);
        self.died_since(node, failpoint, before).await
    }

    /// Starts a process with a failpoint, lets `deed` run into it, and holds the process to having died there and
    /// nowhere else. What the deed answered is lost with it.
    pub async fn die_at<F: Future>(
        &mut self,
        node: Node,
        failpoint: &str,
        action: &str,
        deed: F,
    ) -> Result<()> {
        self.kill(node)?;
        let before = self.log(node).len();
        self.start(node, &format!("{failpoint}={action}")).await?;
        deed.await;
        self.died_since(node, failpoint, before).await
    }

    async fn died_since(&mut self, node: Node, failpoint: &str, before: usize) -> Result<()> {
        let status =
            self.ended(node, DIE_AT_MOST).await.with_context(|| format!("nothing met {failpoint}"))?;
        let log = self.log(node).split_off(before);
        let hit = log.lines().any(|line| line.contains("failpoint hit") && line.contains(failpoint));
        if !hit || status.code().is_some() {
            bail!("{node:?} ended with {status}, and not at {failpoint}:\n{log}");
        }
        Ok(())
    }

    /// Ends a process as `kill -9` does.
    pub fn kill(&mut self, node: Node) -> Result<()> {
        if let Some(mut child) = self.processes.remove(&node) {
            child.kill()?;
            child.wait()?;
        }
        Ok(())
    }

    /// Waits until a process has ended by itself, as one does that met a failpoint.
    pub async fn ended(&mut self, node: Node, within: Duration) -> Result<ExitStatus> {
        let end = Instant::now() + within;
        loop {
            if let Some(status) = self.exited(node)? {
                self.processes.remove(&node);
                return Ok(status);
            }
            if Instant::now() > end {
                bail!("{node:?} still runs after {within:?}:\n{}", self.log(node));
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Where the first replica of each service listens, with this replica of inventory.
    pub fn addresses(&self, inventory: usize) -> Addresses {
        let at = |node: Node| self.addresses[&node];
        Addresses {
            inventory: at(Node { service: "inventory", replica: inventory }),
            leasing: at(LEASING),
            billing: at(BILLING),
        }
    }

    /// A token of somebody in `organisation`.
    pub fn token(&self, organisation: &str, role: Role) -> Result<String> {
        let organisation: Organisation = organisation.parse()?;
        Ok(self.issuer.mint("tester", &organisation, &[role], Duration::from_secs(3600))?)
    }

    /// The clients of somebody with these roles, on this replica of inventory.
    pub fn clients_of(&self, organisation: &str, role: Role, inventory: usize) -> Result<Clients> {
        Channels::new(self.addresses(inventory))?.caller(&self.token(organisation, role)?)
    }

    /// As [`Cluster::clients_of`], on the first replica.
    pub fn clients(&self, organisation: &str, role: Role) -> Result<Clients> {
        self.clients_of(organisation, role, 0)
    }

    /// The clients of this person, where two people must agree.
    pub fn person(&self, subject: &str, organisation: &str, role: Role) -> Result<Clients> {
        let organisation: Organisation = organisation.parse()?;
        let token = self.issuer.mint(subject, &organisation, &[role], Duration::from_secs(3600))?;
        Channels::new(self.addresses(0))?.caller(&token)
    }

    /// What a process wrote.
    pub fn log(&self, node: Node) -> String {
        std::fs::read_to_string(self.log_file(node)).unwrap_or_default()
    }

    fn log_file(&self, node: Node) -> PathBuf {
        self.folder.path().join(format!("{}-{}.log", node.service, node.replica))
    }

    fn exited(&mut self, node: Node) -> Result<Option<ExitStatus>> {
        match self.processes.get_mut(&node) {
            Some(child) => Ok(child.try_wait()?),
            None => bail!("{node:?} was not started"),
        }
    }

    async fn serves(&self, node: Node) -> bool {
        let Ok(channel) = runtime::client::channel(&format!("http://{}", self.addresses[&node])) else {
            return false;
        };
        let asked = HealthClient::new(channel).check(HealthCheckRequest { service: String::new() }).await;
        asked.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }

    fn command(&self, node: Node, failpoints: &str) -> Result<Command> {
        let folder = self.folder.path();
        let log = File::options().create(true).append(true).open(self.log_file(node))?;
        let at = self.addresses(0);
        let settings = [
            ("SERVER__LISTEN", self.addresses[&node].to_string()),
            ("SERVER__DRAIN", "2s".into()),
            ("DATABASE__URL_FILE", folder.join("database-url").display().to_string()),
            ("DATABASE__MAX_CONNECTIONS", "8".into()),
            ("AUTH__JWKS_FILE", folder.join(JWKS_FILE).display().to_string()),
            ("AUTH__ISSUER", DEVELOPMENT_ISSUER.into()),
            ("AUTH__DEVELOPMENT_KEY_FILE", folder.join(KEY_FILE).display().to_string()),
            ("PEERS__INVENTORY", format!("http://{}", at.inventory)),
            ("PEERS__LEASING", format!("http://{}", at.leasing)),
            ("CLOCK__TEST", "true".into()),
            ("TELEMETRY__FORMAT", "json".into()),
        ];
        let prefix = format!("GRIDLEASE_{}__", node.service.to_ascii_uppercase());
        let mut command = Command::new(crate::database::node()?);
        command
            .env(NODE_SERVICE, node.service)
            .envs(
                settings
                    .into_iter()
                    .chain(self.settings.clone())
                    .map(|(key, value)| (format!("{prefix}{key}"), value)),
            )
            .env("FAILPOINTS", failpoints)
            .env("RUST_LOG", "info")
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        Ok(command)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        for child in self.processes.values_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// An address that a process keeps over its restarts. It lies below the range from which the kernel gives ports to
/// connections and to port 0, so that nobody takes it between a death and a return.
pub(crate) fn free_address() -> Result<SocketAddr> {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    for _ in 0..PORTS {
        let number = std::process::id().wrapping_mul(37).wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed));
        let port = FIRST_PORT + u16::try_from(number % u32::from(PORTS))?;
        if let Ok(listener) = TcpListener::bind(("127.0.0.1", port)) {
            return Ok(listener.local_addr()?);
        }
    }
    bail!("no port from {FIRST_PORT} on is free")
}
