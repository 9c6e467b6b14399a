//! A whole installation on one machine: the three services as processes with the environment and the files that the chart
//! gives their pods, balancers in front as a cluster has them, a Postgres of two servers behind, and an issuer of tokens.
//!
//! What stands for the cluster: a pod's files lie below a folder, it listens on a port of its own, and where the chart
//! names a Service the pod finds that Service's balancer.

mod chart;
mod store;

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use gridlease::clients::{Addresses, Channels, Clients};
use jsonwebtoken::Algorithm;
use kernel::{Clock as _, Role, SystemClock};
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use self::chart::{Chart, Pod, below};
pub use self::store::Store;
use crate::balancer::Balancer;
use crate::certificates::Authority;
use crate::cluster::{NODE_SERVICE, free_address};
use crate::signer::{Signer, jwks};

/// The services, each after those that it calls.
pub const SERVICES: [&str; 3] = ["inventory", "leasing", "billing"];
/// Passwords of the logins, as the documents make them.
const PASSWORDS: [(&str, &str); 3] = [("inventory", "two"), ("leasing", "three"), ("billing", "four")];
/// How long a pod may take to be ready.
const START_AT_MOST: Duration = Duration::from_secs(30);
/// How often a pod's readiness is asked.
const PROBE_EVERY: Duration = Duration::from_millis(100);
/// How long a pod may say that it is ready once it was told to stop.
const UNREADY_WITHIN: Duration = Duration::from_secs(1);

/// Replicas that were told to stop, until they have.
pub type Leaving = JoinSet<Result<Duration>>;

/// A process of one service.
pub struct Replica {
    service: &'static str,
    /// Where its gRPC server listens.
    pub address: SocketAddr,
    log: PathBuf,
    process: Child,
}

/// The installation. Everything ends when it is dropped.
pub struct Installation {
    /// Its Postgres.
    pub store: Store,
    folder: TempDir,
    issuer: String,
    signer: Signer,
    pods: BTreeMap<&'static str, Pod>,
    balancers: BTreeMap<&'static str, Arc<Balancer>>,
    replicas: BTreeMap<&'static str, Vec<Replica>>,
    /// What new replicas run.
    program: PathBuf,
    started: usize,
}

impl Installation {
    /// Postgres, its schema, and so many replicas of each service, ready.
    pub async fn start(replicas: usize) -> Result<Self> {
        Self::start_of(crate::database::node()?, replicas).await
    }

    /// The same with this `node` program, of another version perhaps; the schema is this version's.
    pub async fn start_of(program: PathBuf, replicas: usize) -> Result<Self> {
        let (chart, folder, authority) = (Chart::rendered()?, tempfile::tempdir()?, Authority::new()?);
        let store = Store::start(&authority).await?;
        let ca = folder.path().join("authority.pem");
        std::fs::write(&ca, authority.pem())?;
        let migrator = store.url("gridlease_migrator", "one");
        migrations::up(&format!("{migrator}&sslrootcert={}", ca.display())).await?;
        let mut pods = BTreeMap::new();
        let mut balancers = BTreeMap::new();
        for service in SERVICES {
            pods.insert(service, chart.pod(service)?);
            balancers.insert(service, Arc::new(Balancer::start().await?));
        }
        let issuer = pods["inventory"].environment["GRIDLEASE_INVENTORY__AUTH__ISSUER"].clone();
        let signer = Signer::new(Algorithm::EdDSA, "one")?;
        let mut this = Self {
            store,
            folder,
            issuer,
            signer,
            pods,
            balancers,
            replicas: BTreeMap::new(),
            program,
            started: 0,
        };
        this.mount(&authority)?;
        this.adapt(&chart)?;
        for service in SERVICES {
            for _ in 0..replicas {
                let replica = this.launch(service).await?;
                this.balancers[service].add(replica.address);
                this.replicas.entry(service).or_default().push(replica);
            }
        }
        Ok(this)
    }

    /// A token of the installation's issuer for somebody, good for an hour.
    #[must_use]
    pub fn token(&self, subject: &str, organisation: &str, role: Role) -> String {
        let now = SystemClock.now().timestamp();
        self.signer.token(&json!({
            "iss": self.issuer, "aud": "gridlease", "sub": subject, "jti": format!("{subject} {role:?}"),
            "iat": now - 5, "exp": now + 3600, "org": organisation, "roles": [role.as_str()],
        }))
    }

    /// New connections to the three services, by their balancers.
    pub fn channels(&self) -> Result<Channels> {
        let at = |service| self.balancers[service].address();
        Channels::new(Addresses {
            inventory: at("inventory"),
            leasing: at("leasing"),
            billing: at("billing"),
        })
    }

    /// The clients of somebody, by the balancers.
    pub fn clients(&self, organisation: &str, role: Role) -> Result<Clients> {
        self.channels()?.caller(&self.token(organisation, organisation, role))
    }

    /// The replicas of a service.
    #[must_use]
    pub fn replicas(&self, service: &str) -> &[Replica] {
        self.replicas.get(service).map(Vec::as_slice).unwrap_or_default()
    }

    /// From now on new replicas run this program.
    pub fn runs(&mut self, program: PathBuf) {
        self.program = program;
    }

    /// Rolls a service as its Deployment does (`maxSurge: 1`, `maxUnavailable: 0`): a new replica, once it is ready, takes
    /// the place of an old one. The balancer learns of that one `late`, as a cluster's does, and sends it connections until
    /// then. The old ones end by themselves: `leaving` says in what time, or what was wrong.
    pub async fn roll(&mut self, service: &'static str, late: Duration, leaving: &mut Leaving) -> Result<()> {
        for old in self.replicas.remove(service).unwrap_or_default() {
            let new = self.launch(service).await?;
            self.balancers[service].add(new.address);
            self.replicas.entry(service).or_default().push(new);
            let (balancer, address) = (Arc::clone(&self.balancers[service]), old.address);
            let sent = Command::new("kill").args(["-TERM", &old.process.id().to_string()]).status()?;
            ensure!(sent.success(), "SIGTERM to {service}: {sent}");
            leaving.spawn(old.ends(self.pods[service].grace));
            tokio::spawn(async move {
                tokio::time::sleep(late).await;
                balancer.remove(address);
            });
        }
        Ok(())
    }

    /// Runs the doctor in a service's pod, as the documents say after an installation: whether all is well, and what it said.
    pub async fn doctor(&self, service: &str) -> Result<(bool, String)> {
        let mut command = tokio::process::Command::new(crate::database::node()?);
        command.env_clear().env(NODE_SERVICE, service).envs(&self.pods[service].environment).arg("doctor");
        let said = command.stdin(Stdio::null()).output().await?;
        let text = [said.stdout, said.stderr].concat();
        Ok((said.status.success(), String::from_utf8_lossy(&text).into_owned()))
    }

    /// The files of every pod: their Secrets and ConfigMaps are the installation's.
    fn mount(&self, authority: &Authority) -> Result<()> {
        for (service, pod) in &self.pods {
            let content = |name: &str, key: &str| -> Option<String> {
                match (name.strip_prefix("gridlease-"), key) {
                    (Some("jwks"), "jwks.json") => Some(jwks(&[&self.signer])),
                    (Some("pages"), "secret") => Some("0123456789abcdef0123456789abcdef".to_owned()),
                    (Some(login), "url") => {
                        let (login, password) = PASSWORDS.iter().find(|(name, _)| *name == login)?;
                        Some(self.store.url(&format!("gridlease_{login}"), password))
                    }
                    (Some(token), "token") => {
                        let service = token.strip_suffix("-token")?;
                        let service = format!("services/{service}");
                        Some(self.token(&service, &service, Role::Service))
                    }
                    _ if name == "release-gridlease-postgres-ca" && key == "ca.crt" => Some(authority.pem()),
                    _ => None,
                }
            };
            pod.mount(&self.root(service), content)?;
        }
        Ok(())
    }

    fn root(&self, service: &str) -> PathBuf {
        self.folder.path().join(service)
    }

    /// Paths become paths of this machine, and names of Services the addresses of balancers; nothing else changes.
    fn adapt(&mut self, chart: &Chart) -> Result<()> {
        let roots: BTreeMap<_, _> = SERVICES.map(|service| (service, self.root(service))).into();
        for (service, pod) in &mut self.pods {
            let folders: Vec<_> = pod.files.iter().map(|file| file.folder.clone()).collect();
            for (name, value) in &mut pod.environment {
                if folders.iter().any(|folder| value.starts_with(folder)) {
                    *value = below(&roots[service], value).display().to_string();
                } else if name.contains("__PEERS__") {
                    let called = value.strip_prefix("http://").and_then(|rest| rest.split_once(':'));
                    let (host, port) = called.with_context(|| format!("{name}={value}"))?;
                    let behind = chart.behind(host, port.parse()?)?;
                    *value = format!("http://{}", self.balancers[behind.as_str()].address());
                }
            }
        }
        Ok(())
    }

    /// Starts a process and waits until its readiness probe succeeds.
    async fn launch(&mut self, service: &'static str) -> Result<Replica> {
        self.started += 1;
        let log = self.folder.path().join(format!("{service}-{}.log", self.started));
        let address = free_address()?;
        let file = File::create(&log)?;
        let mut command = Command::new(&self.program);
        command.env_clear().env(NODE_SERVICE, service).envs(&self.pods[service].environment);
        let prefix = format!("GRIDLEASE_{}__", service.to_ascii_uppercase());
        command.env(format!("{prefix}SERVER__LISTEN"), address.to_string());
        command.env(format!("{prefix}ADMIN__LISTEN"), "127.0.0.1:0");
        command.stdin(Stdio::null()).stdout(file.try_clone()?).stderr(file);
        let process = command.spawn().context("start the node program")?;
        let mut replica = Replica { service, address, log, process };
        let end = Instant::now() + START_AT_MOST;
        while !replica.is_ready().await {
            if let Some(status) = replica.process.try_wait()? {
                bail!("{service} ended with {status} before it was ready:\n{}", replica.log());
            }
            ensure!(
                Instant::now() < end,
                "{service} is not ready after {START_AT_MOST:?}:\n{}",
                replica.log()
            );
            tokio::time::sleep(PROBE_EVERY).await;
        }
        Ok(replica)
    }
}

impl Replica {
    /// What its readiness probe is told.
    pub async fn is_ready(&self) -> bool {
        self.is_serving("").await
    }

    /// What its liveness probe is told.
    pub async fn is_alive(&self) -> bool {
        self.is_serving("liveness").await
    }

    /// The process, which stays the same as long as nobody restarts it.
    #[must_use]
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// What it wrote.
    #[must_use]
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    async fn is_serving(&self, service: &str) -> bool {
        let Ok(channel) = runtime::client::channel(&format!("http://{}", self.address)) else { return false };
        let asked =
            HealthClient::new(channel).check(HealthCheckRequest { service: service.to_owned() }).await;
        asked.is_ok_and(|answer| answer.into_inner().status() == ServingStatus::Serving)
    }

    /// It was told to stop: it is not ready at once, and ends by itself within the grace that the chart gives it. Says in
    /// what time.
    async fn ends(mut self, grace: Duration) -> Result<Duration> {
        let told = Instant::now();
        while self.is_ready().await {
            ensure!(
                told.elapsed() < UNREADY_WITHIN,
                "{} is ready after SIGTERM:\n{}",
                self.service,
                self.log()
            );
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        let status = loop {
            if let Some(status) = self.process.try_wait()? {
                break status;
            }
            ensure!(told.elapsed() < grace, "{} outlived its grace:\n{}", self.service, self.log());
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        ensure!(ExitStatus::success(&status), "{} ended with {status}:\n{}", self.service, self.log());
        Ok(told.elapsed())
    }
}

impl Drop for Replica {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Whether this machine can run an installation; says on standard error when it cannot.
#[expect(clippy::print_stderr, reason = "whoever runs the tests must see what was not tried")]
#[must_use]
pub fn is_possible() -> bool {
    let possible = Store::is_possible();
    if !possible {
        eprintln!("not run: no PostgreSQL with TLS and pg_basebackup is installed");
    }
    possible
}
