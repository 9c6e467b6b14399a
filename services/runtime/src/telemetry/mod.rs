//! What a service says about itself: log lines, human on a terminal and JSON otherwise, and traces where they are wanted.

mod export;
mod statements;
pub(crate) mod trace;

use std::io::IsTerminal as _;

use kernel::Error;
use tracing::Subscriber;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer};

use self::export::Traces;
use crate::settings::{LogFormat, Settings, TelemetrySettings};

/// Sends log lines to standard error from now on. A second call in a process changes nothing: the first one wins.
pub fn init(settings: &TelemetrySettings) {
    let done = tracing_subscriber::registry().with(filter(settings)).with(lines(settings)).try_init();
    if let Err(error) = done {
        tracing::debug!(%error, "log lines go where they went before");
    }
}

/// The same for a process that is one service, with traces where the settings say where they go. Within the runtime of
/// the process.
///
/// # Errors
/// `INTERNAL` where the address for traces is none, or a file of authorities does not read.
pub(crate) fn start(settings: &Settings) -> Result<Traces, Error> {
    let Some(endpoint) = &settings.telemetry.otlp_endpoint else {
        // Without traces nothing of them is there: not even a layer that says no.
        init(&settings.telemetry);
        return Ok(Traces::none());
    };
    let (traces, tracer) = Traces::to(endpoint, settings)?;
    let done = tracing_subscriber::registry()
        .with(lines(&settings.telemetry).with_filter(filter(&settings.telemetry)))
        .with(export::spans(tracer.clone()))
        .with(statements::spans(tracer))
        .try_init();
    match done {
        Ok(()) => trace::turn_on(),
        Err(error) => tracing::debug!(%error, "log lines go where they went before"),
    }
    Ok(traces)
}

fn lines<S>(settings: &TelemetrySettings) -> Box<dyn Layer<S> + Send + Sync>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    if is_human(settings) {
        lines.with_target(false).compact().boxed()
    } else {
        lines.json().flatten_event(true).with_current_span(true).with_span_list(false).boxed()
    }
}

fn filter(settings: &TelemetrySettings) -> EnvFilter {
    EnvFilter::try_from_default_env()
        .or_else(|_| EnvFilter::try_new(&settings.filter))
        .unwrap_or_else(|_| EnvFilter::new("info"))
}

fn is_human(settings: &TelemetrySettings) -> bool {
    match settings.format {
        LogFormat::Human => true,
        LogFormat::Json => false,
        LogFormat::Auto => std::io::stderr().is_terminal(),
    }
}
