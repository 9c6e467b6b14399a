//! A span for each SQL statement, made of what the driver says when it has ended: what it did to what, never a value.

use std::sync::OnceLock;
use std::time::{Duration, SystemTime};

use opentelemetry::KeyValue;
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt as _, Tracer as _};
use opentelemetry_sdk::trace::SdkTracer;
use tracing::dispatcher::WeakDispatch;
use tracing::field::{Field, Visit};
use tracing::{Dispatch, Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;

/// Where the driver tells of statements, at a level that no log line has.
const TARGET: &str = "sqlx::query";

/// Makes a span of each statement of a span that is traced.
pub(super) fn spans<S>(tracer: SdkTracer) -> impl Layer<S>
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    let told = filter_fn(|metadata| metadata.target() == TARGET);
    Statements { tracer, dispatch: OnceLock::new() }.with_filter(told.with_max_level_hint(LevelFilter::TRACE))
}

struct Statements {
    tracer: SdkTracer,
    dispatch: OnceLock<WeakDispatch>,
}

impl<S> Layer<S> for Statements
where
    S: Subscriber + for<'span> LookupSpan<'span>,
{
    fn on_register_dispatch(&self, dispatch: &Dispatch) {
        let _ = self.dispatch.set(dispatch.downgrade());
    }

    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let Some(dispatch) = self.dispatch.get().and_then(WeakDispatch::upgrade) else { return };
        // This layer sees no spans, so the subscriber is asked which one is the present.
        let current = dispatch.current_span();
        let Some(parent) = current.id().and_then(|id| tracing_opentelemetry::get_otel_context(id, &dispatch))
        else {
            return;
        };
        if !parent.span().span_context().is_sampled() {
            return;
        }
        let mut said = Said::default();
        event.record(&mut said);
        let ended = now();
        let began = ended.checked_sub(said.elapsed).unwrap_or(ended);
        let (verb, object) = name_of(said.sql());
        let name = if object.is_empty() { verb.to_owned() } else { format!("{verb} {object}") };
        let mut span = self
            .tracer
            .span_builder(name)
            .with_kind(SpanKind::Client)
            .with_start_time(began)
            .with_attributes([
                KeyValue::new("db.system.name", "postgresql"),
                KeyValue::new("db.operation.name", verb.to_owned()),
                KeyValue::new("db.response.returned_rows", said.rows),
            ])
            .start_with_context(&self.tracer, &parent);
        span.end_with_timestamp(ended);
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a collector wants real time, whatever the business clock says"
)]
fn now() -> SystemTime {
    SystemTime::now()
}

/// What the driver said.
#[derive(Default)]
struct Said {
    /// The first words, and the whole where there are more.
    summary: String,
    whole: String,
    elapsed: Duration,
    rows: i64,
}

impl Said {
    fn sql(&self) -> &str {
        if self.whole.is_empty() { &self.summary } else { &self.whole }
    }
}

impl Visit for Said {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "summary" => value.clone_into(&mut self.summary),
            "db.statement" => value.clone_into(&mut self.whole),
            _ => {}
        }
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        if field.name() == "elapsed_secs" {
            self.elapsed = Duration::try_from_secs_f64(value).unwrap_or_default();
        }
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "rows_returned" {
            self.rows = i64::try_from(value).unwrap_or(i64::MAX);
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// What a statement does and to which table, or which function it calls. Only words are taken, of which none is a value.
fn name_of(sql: &str) -> (&'static str, String) {
    const VERBS: [(&str, &str, &str); 9] = [
        ("insert", "INSERT", "into"),
        ("update", "UPDATE", "update"),
        ("delete", "DELETE", "from"),
        ("select", "SELECT", "from"),
        ("begin", "BEGIN", ""),
        ("commit", "COMMIT", ""),
        ("rollback", "ROLLBACK", ""),
        ("savepoint", "SAVEPOINT", ""),
        ("copy", "COPY", "copy"),
    ];
    let words = || sql.split(|c: char| c.is_whitespace() || c == ';').filter(|word| !word.is_empty());
    let is = |word: &str, wanted: &str| word.eq_ignore_ascii_case(wanted);
    // A common table expression is named after the statement that changes something, or else the first in it.
    let changes = words().find(|word| VERBS[..3].iter().any(|verb| is(word.trim_start_matches('('), verb.0)));
    let first = words().next().unwrap_or_default();
    let verb = if is(first, "with") { changes.unwrap_or("select") } else { first }.trim_start_matches('(');
    let Some((_, name, before)) = VERBS.iter().find(|known| is(verb, known.0)) else {
        return ("SQL", String::new());
    };
    let mut rest = words();
    let _ = rest.find(|word| is(word.trim_start_matches('('), verb));
    let called = rest.clone().next().and_then(|word| word.split_once('(')).map(|(function, _)| function);
    let object = match called.filter(|function| *name == "SELECT" && !function.is_empty()) {
        Some(function) => Some(function),
        None if before.is_empty() => None,
        None if is(before, verb) => rest.next(),
        None => rest.find(|word| is(word, before)).and_then(|_| rest.next()),
    };
    let object = object.unwrap_or_default().replace('"', "");
    let end =
        object.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == '.')).unwrap_or(object.len());
    (name, object[..end].to_owned())
}

#[cfg(test)]
mod tests {
    use super::name_of;

    #[test]
    fn a_statement_is_named_by_what_it_does_to_what_and_never_by_a_value() {
        for (sql, verb, object) in [
            ("insert into inventory.reservation (a, b) values ($1, 'x')", "INSERT", "inventory.reservation"),
            (
                "\n\nSELECT \"block\".\"id\" FROM \"inventory\".\"block\" WHERE x = 'y'\n",
                "SELECT",
                "inventory.block",
            ),
            ("select inventory.book($1, $2)", "SELECT", "inventory.book"),
            ("select * from inventory.book($1)", "SELECT", "inventory.book"),
            ("select set_config('app.operator', $1, true)", "SELECT", "set_config"),
            ("update leasing.lease set state = 'SIGNED' where id = $1", "UPDATE", "leasing.lease"),
            ("delete from billing.outbox where n < $1", "DELETE", "billing.outbox"),
            ("with gone as (delete from a.b returning 1) select count(*) from gone", "DELETE", "a.b"),
            ("with recent as (select 1 from a.c) select * from recent", "SELECT", "a.c"),
            ("COMMIT", "COMMIT", ""),
            ("rollback; show transaction_read_only", "ROLLBACK", ""),
            ("copy billing.reading (a) from stdin", "COPY", "billing.reading"),
            ("select 'hunter2'", "SELECT", ""),
            ("set local work_mem = '1MB'", "SQL", ""),
            ("", "SQL", ""),
        ] {
            assert_eq!(name_of(sql), (verb, object.to_owned()), "{sql}");
        }
    }
}
