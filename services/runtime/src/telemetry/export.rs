//! Spans on their way to a collector, by OTLP over gRPC.

use std::time::Duration;

use kernel::Error;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _, WithTonicConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::{Sampler, SdkTracer, SdkTracerProvider};
use tracing::{Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::registry::LookupSpan;

use crate::client;
use crate::settings::Settings;

/// Longest time for the last spans at the end of the process, and for one batch before.
const AT_MOST: Duration = Duration::from_secs(3);
/// Crates whose spans are ours: those of libraries say how they work, not what was done.
const OURS: [&str; 5] = ["runtime", "postgres", "inventory", "leasing", "billing"];

/// Where the spans of this process go.
pub(crate) struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Nowhere.
    pub(super) fn none() -> Self {
        Self(None)
    }

    /// To this collector. Spans are sent in batches by a thread of its own; a collector that is slow or gone costs spans,
    /// never a request.
    pub(super) fn to(endpoint: &str, settings: &Settings) -> Result<(Self, SdkTracer), Error> {
        let telemetry = &settings.telemetry;
        let exporter = SpanExporter::builder()
            .with_tonic()
            .with_channel(client::collector(endpoint, telemetry.otlp_ca_file.as_deref())?)
            .with_timeout(AT_MOST)
            .build()
            .map_err(Error::internal)?;
        let one_in = f64::from(telemetry.trace_one_in.get());
        // Who calls has decided already; otherwise one in so many.
        let sampler = Sampler::ParentBased(Box::new(Sampler::TraceIdRatioBased(one_in.recip())));
        let name = format!("gridlease-{}", settings.service);
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_sampler(sampler)
            .with_resource(Resource::builder().with_service_name(name).build())
            .build();
        let tracer = provider.tracer("gridlease");
        Ok((Self(Some(provider)), tracer))
    }

    /// Sends what is left, for as long as that may take.
    pub(crate) async fn flush(self) {
        let Some(provider) = self.0 else { return };
        // It waits for its own thread, which needs this runtime to send.
        let ended = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(AT_MOST)).await;
        if let Ok(Err(error)) = ended {
            tracing::warn!(%error, "the last spans did not arrive");
        }
    }
}

/// Makes our spans OpenTelemetry's, also those that are too many for log lines.
pub(super) fn spans<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let ours = |metadata: &Metadata<'_>| {
        let from = metadata.target().split("::").next().unwrap_or_default();
        metadata.is_span() && OURS.contains(&from)
    };
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        .with_filter(filter_fn(ours).with_max_level_hint(LevelFilter::DEBUG))
}
