//! One trace through all services: W3C `traceparent` in and out. Where nothing is traced, each of these is one look at a
//! flag.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, Ordering};

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, Injector, TextMapPropagator as _};
use opentelemetry::trace::{Status, TraceContextExt as _};
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tonic::Code;
use tonic::metadata::{MetadataKey, MetadataMap};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

static IS_ON: AtomicBool = AtomicBool::new(false);
static W3C: LazyLock<TraceContextPropagator> = LazyLock::new(TraceContextPropagator::new);

pub(super) fn turn_on() {
    IS_ON.store(true, Ordering::Relaxed);
}

fn is_on() -> bool {
    IS_ON.load(Ordering::Relaxed)
}

/// A request has come: its span goes on with the caller's trace, or begins one, and its log lines say which.
pub(crate) fn begin(span: &Span, rpc: &'static str, headers: &HeaderMap) {
    if !is_on() {
        return;
    }
    span.record("otel.kind", "server");
    // Only a span that nobody traces refuses a parent.
    let _ = span.set_parent(W3C.extract(&Headers(headers)));
    let context = span.context();
    let traced = context.span();
    traced.update_name(rpc);
    span.record("trace_id", tracing::field::display(traced.span_context().trace_id()));
    let (service, method) = rpc.split_once('/').unwrap_or((rpc, ""));
    span.set_attribute("rpc.system", "grpc");
    span.set_attribute("rpc.service", service);
    span.set_attribute("rpc.method", method);
}

/// The present request was answered.
pub(crate) fn end(code: Code) {
    if !is_on() {
        return;
    }
    let span = Span::current();
    span.set_attribute("rpc.grpc.status_code", i64::from(i32::from(code)));
    if matches!(
        code,
        Code::Internal | Code::DataLoss | Code::Unknown | Code::Unavailable | Code::DeadlineExceeded
    ) {
        span.set_status(Status::error(code.description()));
    }
}

/// Tells a peer which trace it works for.
pub(crate) fn pass_on(metadata: &mut MetadataMap) {
    if is_on() {
        W3C.inject_context(&Span::current().context(), &mut Metadata(metadata));
    }
}

struct Headers<'a>(&'a HeaderMap);

impl Extractor for Headers<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        self.0.get(key)?.to_str().ok()
    }

    fn keys(&self) -> Vec<&str> {
        self.0.keys().map(http::HeaderName::as_str).collect()
    }
}

struct Metadata<'a>(&'a mut MetadataMap);

impl Injector for Metadata<'_> {
    fn set(&mut self, key: &str, value: String) {
        let name = MetadataKey::from_bytes(key.as_bytes());
        if let (Ok(name), Ok(value)) = (name, value.parse()) {
            self.0.insert(name, value);
        }
    }
}
