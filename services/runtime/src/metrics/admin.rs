//! The admin port: health and metrics over HTTP, apart from the API, for the machinery of the platform only.

use std::net::SocketAddr;

use axum::Router;
use axum::http::{StatusCode, header};
use axum::routing::get;
use kernel::Error;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use super::Metrics;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A bound admin port.
pub(crate) struct Admin {
    listener: TcpListener,
    metrics: Metrics,
    pub(crate) address: SocketAddr,
}

impl Admin {
    pub(crate) async fn bind(address: SocketAddr, metrics: Metrics) -> Result<Self, Error> {
        let listener = TcpListener::bind(address).await.map_err(Error::internal)?;
        let address = listener.local_addr().map_err(Error::internal)?;
        Ok(Self { listener, metrics, address })
    }

    /// Answers until `end`, which is later than the end of the API: a draining server is looked at too.
    pub(crate) async fn serve(self, end: CancellationToken) {
        let (told, asked) = (self.metrics.clone(), self.metrics);
        let ready = move || async move {
            if asked.is_ready() {
                (StatusCode::OK, "ready\n")
            } else {
                (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
            }
        };
        let router = Router::new()
            .route(
                "/metrics",
                get(move || async move { ([(header::CONTENT_TYPE, OPEN_METRICS)], told.text()) }),
            )
            .route("/healthz", get(|| async { "alive\n" }))
            .route("/readyz", get(ready));
        // Open connections are not waited for: nobody's work hangs on them.
        let served = end.run_until_cancelled(async { axum::serve(self.listener, router).await }).await;
        if let Some(Err(error)) = served {
            tracing::error!(%error, "the admin port stopped by itself");
        }
    }
}
