//! The gRPC server of a service: bind, serve behind the door, drain, always end.

mod arrivals;
mod health;
mod io;
mod web;

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use http::Request;
use kernel::Error;
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tonic::server::NamedService;
use tonic::service::{Routes, RoutesBuilder};
use tower::Service;
use tower::util::option_layer;

use self::arrivals::Arrivals;
pub use self::health::Ready;
use self::health::Watcher;
pub(crate) use self::io::Shown;
use crate::audit::Denials;
use crate::auth::Authenticator;
use crate::door::{DoorLayer, Rules};
use crate::metrics::{Admin, Metrics};
use crate::settings::ServerSettings;
use crate::tls;

/// A server being put together.
pub struct Server {
    name: String,
    settings: ServerSettings,
    authenticator: Authenticator,
    routes: RoutesBuilder,
    services: Vec<&'static str>,
    ready: Vec<Ready>,
    tasks: TaskTracker,
    /// Cancelled for those tasks when the server lingers no longer.
    tasks_end: CancellationToken,
    admin: Option<SocketAddr>,
    metrics: Metrics,
    denials: Denials,
}

/// A server at work.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    /// Where health and metrics are, if the settings give them a port.
    pub admin: Option<SocketAddr>,
    scheme: &'static str,
    stop: CancellationToken,
    ended: JoinHandle<()>,
}

impl Server {
    /// A server without services yet; health and reflection are always there.
    pub fn new(name: &str, settings: &ServerSettings, authenticator: Authenticator) -> Self {
        Self {
            name: name.to_owned(),
            settings: settings.clone(),
            authenticator,
            routes: Routes::builder(),
            services: Vec::new(),
            ready: Vec::new(),
            tasks: TaskTracker::new(),
            tasks_end: CancellationToken::new(),
            admin: None,
            metrics: Metrics::new(name),
            denials: Denials::default(),
        }
    }

    /// Counts in these metrics, and shows them with health on an admin port where there is an address for it.
    #[must_use]
    pub fn observed(mut self, metrics: Metrics, admin: Option<SocketAddr>) -> Self {
        (self.metrics, self.admin) = (metrics, admin);
        self
    }

    /// Tells denials to an audit trail; without it, to nobody.
    #[must_use]
    pub(crate) fn audited(mut self, denials: Denials) -> Self {
        self.denials = denials;
        self
    }

    /// Adds a generated tonic server.
    #[must_use]
    pub fn add_service<S>(mut self, service: S) -> Self
    where
        S: Service<Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.routes.add_service(service);
        self.services.push(S::NAME);
        self
    }

    /// Makes readiness follow a check, asked again every second; liveness does not.
    #[must_use]
    pub fn ready_when(mut self, check: Ready) -> Self {
        self.ready.push(check);
        self
    }

    /// Ends these tasks, by cancelling `end`, when the server takes no more requests, and waits for them too: background
    /// work of the service. Until then it goes on, so that whoever still comes is answered from what is known now.
    #[must_use]
    pub fn wait_for(mut self, tasks: TaskTracker, end: CancellationToken) -> Self {
        (self.tasks, self.tasks_end) = (tasks, end);
        self
    }

    /// Binds and serves until `stop` is cancelled, and then as long as the drain takes, never longer than the
    /// settings allow.
    ///
    /// # Errors
    /// `INTERNAL` if the address cannot be bound, reflection cannot be built or a certificate does not read.
    pub async fn serve(mut self, stop: CancellationToken) -> Result<Running, Error> {
        let acceptor = tls::acceptor(&self.settings).map_err(Error::internal)?;
        let scheme = if acceptor.is_some() { "https" } else { "http" };
        let listener = TcpListener::bind(self.settings.listen).await.map_err(Error::internal)?;
        let address = listener.local_addr().map_err(Error::internal)?;
        self.add_reflection()?;
        let (reporter, health) = tonic_health::server::health_reporter();
        self.routes.add_service(health);
        self.authenticator.first_keys().await;
        let authenticator = self.authenticator.clone();
        self.ready.push(Arc::new(move || {
            let ready = authenticator.has_keys();
            Box::pin(async move { ready })
        }));
        let (authenticator, until) = (self.authenticator.clone(), self.tasks_end.clone());
        self.tasks.spawn(async move { authenticator.keep_fresh(&until).await });
        let (services, ready) = (std::mem::take(&mut self.services), std::mem::take(&mut self.ready));
        let watcher = Watcher::new(reporter, services, ready, self.metrics.clone());
        watcher.look().await;
        let admin = match self.admin {
            Some(address) => Some(Admin::bind(address, self.metrics.clone()).await?),
            None => None,
        };
        let admin_address = admin.as_ref().map(|admin| admin.address);
        tracing::info!(service = self.name, %address, admin = admin_address.map(tracing::field::display), "listening");
        let stopped = stop.clone();
        let ended = tokio::spawn(async move {
            let end = CancellationToken::new();
            let looked_at = tokio::spawn(with(admin, end.clone()));
            self.run(listener, acceptor, watcher, stopped).await;
            end.cancel();
            let _ = looked_at.await;
        });
        Ok(Running { address, admin: admin_address, scheme, stop, ended })
    }

    fn add_reflection(&mut self) -> Result<(), Error> {
        let builder = || {
            tonic_reflection::server::Builder::configure()
                .register_encoded_file_descriptor_set(contracts::FILE_DESCRIPTOR_SET)
                .register_encoded_file_descriptor_set(tonic_health::pb::FILE_DESCRIPTOR_SET)
        };
        // Python and grpcurl speak v1alpha only.
        self.routes.add_service(builder().build_v1().map_err(Error::internal)?);
        self.routes.add_service(builder().build_v1alpha().map_err(Error::internal)?);
        Ok(())
    }

    async fn run(
        self,
        listener: TcpListener,
        acceptor: Option<TlsAcceptor>,
        watcher: Watcher,
        stop: CancellationToken,
    ) {
        let settings = &self.settings;
        let refuse = CancellationToken::new();
        let cut = CancellationToken::new();
        let handlers = TaskTracker::new();
        let rules = Arc::new(Rules {
            authenticator: self.authenticator,
            services_show_certificates: settings.client_ca_file.is_some(),
            max_deadline: settings.max_deadline,
            max_message_bytes: u64::from(settings.max_message_bytes.get()),
            calls: Arc::new(Semaphore::new(settings.max_in_flight.get())),
            streams: Arc::new(Semaphore::new(settings.max_open_streams.get())),
            stopping: refuse.clone(),
            handlers: handlers.clone(),
            meters: self.metrics.rpc(),
            denials: self.denials,
        });
        tell_load(&self.metrics, &rules, settings);
        let places = Arc::new(Semaphore::new(settings.max_connections.get()));
        let incoming =
            Arrivals { listener, tls: acceptor, places, refuse: refuse.clone(), cut: cut.clone() }.stream();
        let refused = refuse.clone();
        let server = tonic::transport::Server::builder()
            .max_concurrent_streams(settings.max_streams_per_connection.get())
            .http2_max_header_list_size(settings.max_metadata_bytes.get())
            .http2_keepalive_interval(Some(settings.keepalive_interval))
            .http2_keepalive_timeout(Some(settings.keepalive_timeout))
            .max_connection_age(settings.max_connection_age)
            .accept_http1(!settings.web_origins.is_empty())
            .layer(option_layer(web::layer(&settings.web_origins)))
            .layer(DoorLayer(rules))
            .serve_with_incoming_shutdown(
                self.routes.routes().prepare(),
                incoming,
                refused.cancelled_owned(),
            );
        let mut server = tokio::spawn(server);

        // Until told to stop; then not ready at once, still serving while the balancers learn it.
        tokio::select! {
            () = watcher.watch(&stop) => {}
            _ = &mut server => tracing::error!(service = self.name, "the server stopped by itself"),
        }
        watcher.not_serving().await;
        tokio::time::sleep(settings.linger).await;
        refuse.cancel();
        self.tasks_end.cancel();
        handlers.close();
        self.tasks.close();
        let drained = async {
            let _ = (&mut server).await;
            handlers.wait().await;
            self.tasks.wait().await;
        };
        if tokio::time::timeout(settings.drain, drained).await.is_err() {
            tracing::warn!(
                service = self.name,
                handlers = handlers.len(),
                tasks = self.tasks.len(),
                "not drained in time; connections are cut"
            );
        }
        // Whoever is still connected, does not read, or never spoke: their connections end here.
        cut.cancel();
        server.abort();
        tracing::info!(service = self.name, "stopped");
    }
}

async fn with(admin: Option<Admin>, end: CancellationToken) {
    if let Some(admin) = admin {
        admin.serve(end).await;
    }
}

/// How much of its limits the server uses, looked at when asked.
fn tell_load(metrics: &Metrics, rules: &Arc<Rules>, settings: &ServerSettings) {
    let (meters, calls, streams) = (metrics.rpc(), Arc::clone(&rules.calls), Arc::clone(&rules.streams));
    let limits = (settings.max_in_flight.get(), settings.max_open_streams.get());
    metrics.before_each_answer(move || {
        let used = |room: &Semaphore, limit: usize| (limit.saturating_sub(room.available_permits()), limit);
        meters.tell_load(used(&calls, limits.0), used(&streams, limits.1));
    });
}

impl Running {
    /// The address as a client wants it.
    pub fn url(&self) -> String {
        format!("{}://{}", self.scheme, self.address)
    }

    /// Tells the server to stop; [`Running::ended`] says when it has.
    pub fn stop(&self) {
        self.stop.cancel();
    }

    /// Waits until it has stopped.
    pub async fn ended(self) {
        if let Err(error) = self.ended.await {
            tracing::error!(%error, "the server's task failed");
        }
    }
}

#[cfg(test)]
mod tests;
