//! A service's life: settings, store, clock, server, stop. `main.rs` names the service and nothing else.

use std::num::NonZeroU32;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use kernel::{Clock, Error, Ids, SystemClock, SystemIds, TestClock};
use postgres::Db;
use postgres::page::PageTokens;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::access::Access;
use crate::audit::{Audit, Denials};
use crate::auth::Authenticator;
use crate::client::{Peer, ServiceTokens, channel_to};
use crate::server::{Ready, Running, Server};
use crate::settings::{Concern, SecretFile, Settings, table};
use crate::{Metrics, clock_service, explain, telemetry};

/// What a service is given to work with.
#[derive(Clone)]
pub struct Deps {
    /// The settings every service has.
    pub settings: Settings,
    /// The store, acting as the service's request role.
    pub db: Db,
    /// The store, acting as the service's worker role; no request ever runs on it.
    pub worker_db: Db,
    /// Business time.
    pub clock: Arc<dyn Clock>,
    /// Where new ids come from.
    pub ids: Arc<dyn Ids>,
    /// The service's own tokens for its peers.
    pub tokens: ServiceTokens,
    /// Judges callers' tokens.
    pub authenticator: Authenticator,
    /// Cancelled when the service takes no more requests: background work ends at its next safe place.
    pub stop: CancellationToken,
    /// Background work, spawned here so that shutdown waits for it.
    pub tasks: TaskTracker,
    /// The clock again, where it can be moved.
    pub test_clock: Option<TestClock>,
    /// What the service counts about itself.
    pub metrics: Metrics,
    /// The tokens that are over before their time.
    access: Access,
    /// Who did what.
    audit: Audit,
    /// One connection of its own for readiness: a busy pool is not a lost store.
    probe: Db,
    /// Cancelled when the service is told to stop, which is before it stops: balancers learn it first.
    told: CancellationToken,
}

impl Deps {
    /// Opens what the settings name. `test_clock` shares a clock between services of one process; without one,
    /// `clock.test` makes one that begins at the present. Cancelling `told` tells the service to stop.
    ///
    /// # Errors
    /// What cannot be opened: the key file, the store's address.
    pub fn open(
        settings: Settings,
        test_clock: Option<TestClock>,
        told: CancellationToken,
    ) -> Result<Self, Error> {
        let service = settings.service.clone();
        let metrics = Metrics::new(&service);
        let db = |worker: bool, connections: NonZeroU32| {
            let role = if worker { format!("{service}_worker") } else { service.clone() };
            Db::connect_lazy(&store(&settings, &metrics, &role, &role, connections))
        };
        let made = || TestClock::new(SystemClock.now());
        let test_clock = if settings.clock.test { Some(test_clock.unwrap_or_else(made)) } else { None };
        let clock: Arc<dyn Clock> = match &test_clock {
            Some(clock) => Arc::new(clock.clone()),
            None => Arc::new(SystemClock),
        };
        let production = settings.general.production;
        let request_db = db(false, settings.database.max_connections)?;
        let worker_db = db(true, settings.database.worker_max_connections)?;
        let authenticator =
            Authenticator::new(&settings.auth, production, Box::new(SystemClock)).map_err(Error::internal)?;
        let unwritten = metrics.counter(
            "gridlease_audit_denials_unwritten",
            "Denials that came too fast to be written to the audit trail one by one",
        );
        let deps = Self {
            access: Access::new(&request_db, &worker_db, &service, &authenticator),
            audit: Audit::new(&request_db, &worker_db, &service, Denials::new(unwritten)),
            db: request_db,
            worker_db,
            probe: db(false, NonZeroU32::MIN)?,
            clock,
            ids: Arc::new(SystemIds),
            tokens: ServiceTokens::new(&service, &settings.auth)?,
            authenticator,
            stop: CancellationToken::new(),
            told,
            tasks: TaskTracker::new(),
            test_clock,
            metrics,
            settings,
        };
        deps.metrics.watch_pool("requests", &deps.db);
        deps.metrics.watch_pool("worker", &deps.worker_db);
        Ok(deps)
    }

    /// How to reach the store as one of the service's roles, on connections of one's own that Postgres shows by this name.
    #[must_use]
    pub fn store(&self, role: &str, name: &str, connections: NonZeroU32) -> postgres::Settings {
        store(&self.settings, &self.metrics, role, name, connections)
    }

    /// The service's server, ready while the store answers; the service adds its gRPC services. `page_secret` seals the
    /// page tokens of the audit trail, as it does the service's own.
    ///
    /// # Errors
    /// `INTERNAL` if there is no cipher.
    pub fn server(&self, page_secret: Option<&SecretFile>) -> Result<Server, Error> {
        let pages = page_tokens(page_secret)?;
        let server = Server::new(&self.settings.service, &self.settings.server, self.authenticator.clone())
            .observed(self.metrics.clone(), self.settings.admin.listen)
            .ready_when(store_answers(self.probe.clone(), &self.settings.service, self.metrics.clone()))
            .ready_when(self.revocations_known())
            .wait_for(self.tasks.clone(), self.stop.clone())
            .audited(self.audit.denials())
            .add_service(self.access.service())
            .add_service(self.audit.service(pages));
        Ok(match &self.test_clock {
            Some(clock) => server.add_service(clock_service(clock.clone())),
            None => server,
        })
    }

    fn revocations_known(&self) -> Ready {
        let access = self.access.clone();
        Arc::new(move || {
            let known = access.is_known();
            Box::pin(async move { known })
        })
    }

    /// The peer `name`, at the address that the settings give it.
    ///
    /// # Errors
    /// `INTERNAL` if the settings give none.
    pub fn peer(&self, name: &'static str) -> Result<Peer, Error> {
        let peers = &self.settings.peers;
        let address = match name {
            "inventory" => peers.inventory.as_deref(),
            "leasing" => peers.leasing.as_deref(),
            _ => None,
        };
        let address = address.ok_or_else(|| Error::internal(format!("peers.{name} is not set")))?;
        let channel = channel_to(address, peers)?;
        Ok(Peer::over(name, channel, self.tokens.clone(), peers.deadline))
    }
}

fn store(
    settings: &Settings,
    metrics: &Metrics,
    role: &str,
    name: &str,
    connections: NonZeroU32,
) -> postgres::Settings {
    let mut store = postgres::Settings::new(settings.database_url.clone())
        .role(role)
        .application_name(name)
        .max_connections(connections.get());
    store.acquire_timeout = settings.database.acquire_timeout;
    store.statement_timeout = settings.database.statement_timeout;
    store.meters = metrics.transactions();
    store.tell_statements = settings.telemetry.otlp_endpoint.is_some();
    store.verify_tls = settings.database.verify_tls || settings.general.production;
    store.ca_file.clone_from(&settings.database.ca_file);
    store
}

/// Starts a service in this process: `service` puts its server together and spawns its background work.
///
/// # Errors
/// What the service cannot start without.
pub async fn start<S, F, Fut>(own: S, deps: Deps, service: F) -> Result<Running, Error>
where
    F: FnOnce(S, Deps) -> Fut,
    Fut: Future<Output = Result<Server, Error>>,
{
    let (told, stop) = (deps.told.clone(), deps.stop.clone());
    // Whatever goes wrong from here on also ends the work that was begun.
    let unless_served = stop.clone().drop_guard();
    deps.access.read().await;
    deps.tasks.spawn(deps.access.clone().follow(stop.clone()));
    deps.tasks.spawn(deps.audit.clone().write_denials(stop.clone()));
    deps.tasks.spawn(deps.audit.clone().seal(deps.metrics.sweep("audit_chain"), stop));
    let running = service(own, deps).await?.serve(told).await?;
    unless_served.disarm();
    Ok(running)
}

/// What seals page tokens: the secret that all replicas share, or one that this process alone knows.
///
/// # Errors
/// `INTERNAL` if there is no cipher.
pub fn page_tokens(secret: Option<&SecretFile>) -> Result<PageTokens, Error> {
    match secret {
        Some(file) => PageTokens::new(file.secret()),
        None => PageTokens::ephemeral(),
    }
}

/// The whole of a service's `main`: settings from `--config FILE` and the environment, log lines, stop on SIGTERM or
/// Ctrl-C. Exit code 2 is a bad configuration, 1 is everything else that goes wrong.
///
/// ```ignore
/// fn main() -> std::process::ExitCode {
///     runtime::run("inventory", inventory::service)
/// }
/// ```
pub fn run<S, F, Fut>(name: &'static str, service: F) -> ExitCode
where
    S: Concern,
    F: FnOnce(S, Deps) -> Fut,
    Fut: Future<Output = Result<Server, Error>>,
{
    let file = match arguments(std::env::args().skip(1)) {
        Ok(Asked::Run(file)) => file,
        Ok(Asked::Settings) => {
            let tables: Vec<_> = Settings::TABLES.iter().copied().chain([S::SETTINGS]).collect();
            return say(&table(&tables), ExitCode::SUCCESS);
        }
        Err(usage) => {
            return say(
                &format!("{name}: {usage}\nusage: {name} [--config FILE] [--settings]"),
                ExitCode::from(2),
            );
        }
    };
    let (settings, own) = match Settings::load::<S>(name, file.as_deref(), std::env::vars()) {
        Ok(loaded) => loaded,
        Err(error) => return say(&error.to_string(), ExitCode::from(2)),
    };
    #[cfg(feature = "failpoints")]
    let _scenario = fail::FailScenario::setup();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return say(&format!("{name}: no runtime: {error}"), ExitCode::FAILURE),
    };
    let ended = runtime.block_on(async {
        let traces = telemetry::start(&settings)?;
        let ended = live(settings, own, service).await;
        if let Err(error) = &ended {
            tracing::error!(cause = explain(error), "the service did not start");
        }
        traces.flush().await;
        ended
    });
    // A blocking task that never ends must not keep the process.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn live<S, F, Fut>(settings: Settings, own: S, service: F) -> Result<(), Error>
where
    F: FnOnce(S, Deps) -> Fut,
    Fut: Future<Output = Result<Server, Error>>,
{
    let stop = CancellationToken::new();
    let deps = Deps::open(settings, None, stop.clone())?;
    let running = start(own, deps, service).await?;
    stop_signal().await.map_err(Error::internal)?;
    tracing::info!("told to stop");
    stop.cancel();
    running.ended().await;
    Ok(())
}

/// Waits for SIGTERM or Ctrl-C.
async fn stop_signal() -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use tokio::signal::unix::{SignalKind, signal};
        let mut terminate = signal(SignalKind::terminate())?;
        tokio::select! {
            interrupted = tokio::signal::ctrl_c() => interrupted,
            _ = terminate.recv() => Ok(()),
        }
    }
    #[cfg(not(unix))]
    tokio::signal::ctrl_c().await
}

/// Ready while the store answers and has the schema that this program was built for, or a later one. A store that is not
/// migrated yet is waited for; one that was migrated for the version to come goes on being served.
fn store_answers(db: Db, service: &str, metrics: Metrics) -> Ready {
    let wanted = migrations::latest(service);
    let schema: Arc<str> = service.into();
    let is_migrated = Arc::new(AtomicBool::new(wanted.is_none()));
    Arc::new(move || {
        let (db, schema) = (db.clone(), Arc::clone(&schema));
        let (metrics, is_migrated) = (metrics.clone(), Arc::clone(&is_migrated));
        Box::pin(async move {
            let Ok(theirs) = db.database_time().await else { return false };
            let apart = SystemClock.now().signed_duration_since(theirs).abs().to_std().unwrap_or_default();
            metrics.set_skew(apart.as_secs_f64());
            if !is_migrated.load(Ordering::Relaxed) {
                let found = db.schema_version(&schema).await.unwrap_or_default();
                is_migrated.store(found >= wanted, Ordering::Relaxed);
            }
            is_migrated.load(Ordering::Relaxed)
        })
    })
}

enum Asked {
    Run(Option<PathBuf>),
    Settings,
}

fn arguments(mut arguments: impl Iterator<Item = String>) -> Result<Asked, String> {
    let mut file = None;
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "--settings" => return Ok(Asked::Settings),
            "--config" => {
                let path = arguments.next().ok_or("--config needs a file")?;
                file = Some(PathBuf::from(path));
            }
            other => return Err(format!("{other} is not an option")),
        }
    }
    Ok(Asked::Run(file))
}

/// Says something before there are log lines.
#[expect(
    clippy::print_stderr,
    reason = "there is no subscriber yet, and this is for whoever typed the command"
)]
fn say(text: &str, code: ExitCode) -> ExitCode {
    eprintln!("{text}");
    code
}
