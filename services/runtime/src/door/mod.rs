//! The one way in: every request passes here, in this order, before a handler sees it.
//!
//! trace -> is there such an RPC -> a stream, and draining? -> deadline -> load limit -> who calls -> may they -> the handler in a
//! task of its own. The task outlives a client that goes away, so no database future is dropped half way, and its
//! panic is one failed request.

mod body;
mod deadline;
mod glimpse;
mod rpcs;
mod translate;
mod witness;

use std::any::Any;
use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::{Request, Response};
use kernel::{Caller, Error, Organisation, Reason};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tonic::body::Body;
use tower::{Layer, Service};
use tracing::Instrument as _;

use self::body::{Bounded, End, Guarded, Uploaded};
use self::rpcs::Rpc;
use self::witness::Witness;
use crate::audit::Denials;
use crate::auth::{Authenticated, Authenticator};
use crate::metrics::RpcMeters;
use crate::policy::{Right, policy};
use crate::server::Shown;
use crate::status::status;
use crate::telemetry::trace;

/// A client may send for so long before it must begin anew.
const UPLOAD_AT_MOST: Duration = Duration::from_secs(3_600);

pub(crate) use self::deadline::left_for_peer;
pub(crate) use self::rpcs::count;
pub use self::rpcs::ours;

/// What the door needs to know.
pub(crate) struct Rules {
    pub(crate) authenticator: Authenticator,
    /// Whether a service must show a certificate of its name beside its token.
    pub(crate) services_show_certificates: bool,
    pub(crate) max_deadline: Duration,
    pub(crate) max_message_bytes: u64,
    pub(crate) calls: Arc<Semaphore>,
    pub(crate) streams: Arc<Semaphore>,
    /// Cancelled when the server takes no new connections and ends its streams.
    pub(crate) stopping: CancellationToken,
    /// The handlers at work, so that shutdown can wait for those whose client went away.
    pub(crate) handlers: TaskTracker,
    /// Counts what passes.
    pub(crate) meters: RpcMeters,
    /// Where denials are told.
    pub(crate) denials: Denials,
}

/// Puts the door in front of the services.
#[derive(Clone)]
pub(crate) struct DoorLayer(pub(crate) Arc<Rules>);

impl<S> Layer<S> for DoorLayer {
    type Service = Door<S>;

    fn layer(&self, inner: S) -> Door<S> {
        Door { rules: Arc::clone(&self.0), inner }
    }
}

/// The services behind the door.
#[derive(Clone)]
pub(crate) struct Door<S> {
    rules: Arc<Rules>,
    inner: S,
}

impl<S> Service<Request<Body>> for Door<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Clone + Send + 'static,
    S::Future: Send,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // The ready service is taken; its clone waits for the next call.
        let clone = self.inner.clone();
        let inner = std::mem::replace(&mut self.inner, clone);
        let rules = Arc::clone(&self.rules);
        let found = rpcs::find(request.uri().path());
        let rpc = found.map_or("unknown", |(name, _)| name);
        let span = tracing::info_span!(
            "rpc",
            rpc,
            org = tracing::field::Empty,
            on_behalf_of = tracing::field::Empty,
            trace_id = tracing::field::Empty,
            otel.kind = tracing::field::Empty
        );
        trace::begin(&span, rpc, request.headers());
        let answer = async move {
            let (started, witness) = (Instant::now(), Witness::default());
            let answered = pass(&rules, found, request, inner, &witness).await;
            let response = answered.unwrap_or_else(|error| status(error).into_http());
            tell(&rules, found, &response, started, &witness);
            Ok(response)
        };
        Box::pin(answer.instrument(span))
    }
}

/// Everything a request must pass, in order, and then its handler.
async fn pass<S>(
    rules: &Arc<Rules>,
    found: Option<(&'static str, Rpc)>,
    request: Request<Body>,
    inner: S,
    witness: &Witness,
) -> Result<Response<Body>, Error>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let Some((name, rpc)) = found else {
        return Err(Error::refused(Reason::Unimplemented, translate::NO_METHOD));
    };
    // A stream would end as it begins. A call is answered: it left its client before that had heard our farewell.
    if rules.stopping.is_cancelled() && !rpc.public && (rpc.streams || rpc.takes_stream) {
        return Err(body::draining());
    }
    let started = Instant::now();
    let longest = if rpc.takes_stream { UPLOAD_AT_MOST } else { rules.max_deadline };
    let deadline = started + deadline::of(request.headers(), longest)?;
    let permit = admit(rules, rpc)?;
    witness.came_from(address_of(&request));
    let (request, visitor) = enter(rules, (name, rpc), request, witness).await?;
    if deadline <= Instant::now() {
        return Err(out_of_time());
    }
    let (call_permit, stream_permit) = if rpc.streams { (None, Some(permit)) } else { (Some(permit), None) };
    let request = request.map(|inner| match rpc.takes_stream {
        true => {
            Body::new(Uploaded::new(inner, rules.max_message_bytes, end_of_stream(rules, visitor.clone())))
        }
        false => Body::new(Bounded::new(inner, rules.max_message_bytes, witness.clone())),
    });
    let response = run(rules, deadline, request, inner, call_permit).await?;
    let response = translate::translate(response);
    if !rpc.streams {
        return Ok(response);
    }
    let end = end_of_stream(rules, visitor);
    Ok(response.map(|inner| Body::new(Guarded::new(inner, end, stream_permit))))
}

fn admit(rules: &Rules, rpc: Rpc) -> Result<OwnedSemaphorePermit, Error> {
    let room = if rpc.streams || rpc.takes_stream { &rules.streams } else { &rules.calls };
    Arc::clone(room).try_acquire_owned().map_err(|_| {
        Error::refused(Reason::Overloaded, "The server is at its limit; nothing was done.")
            .with_retry_after(Duration::from_secs(1))
    })
}

/// Whose token a stream lives by.
#[derive(Clone)]
struct Visitor {
    caller: Arc<Caller>,
    issued_at: i64,
    expires_at: i64,
}

/// Whence a request comes: the other end of its connection.
fn address_of(request: &Request<Body>) -> Option<IpAddr> {
    let shown = request.extensions().get::<Shown>()?;
    shown.tcp.remote_addr().map(|address| address.ip().to_canonical())
}

/// Lets a request in, if it needs no token or has a good one. One that is not let in leaves its body to the witness.
async fn enter(
    rules: &Rules,
    (name, rpc): (&str, Rpc),
    mut request: Request<Body>,
    witness: &Witness,
) -> Result<(Request<Body>, Option<Visitor>), Error> {
    if rpc.public {
        rules.authenticator.stranger(witness.address())?;
        return Ok((request, None));
    }
    match authorize(rules, name, &mut request, witness).await {
        Ok(visitor) => Ok((request, Some(visitor))),
        Err(error) => {
            if error.reason() == Reason::Unauthenticated {
                rules.authenticator.stranger(witness.address())?;
            }
            witness.left(request.into_body());
            Err(error)
        }
    }
}

/// Who calls and whether they may; leaves the caller and the right in the request's extensions.
async fn authorize(
    rules: &Rules,
    rpc: &str,
    request: &mut Request<Body>,
    witness: &Witness,
) -> Result<Visitor, Error> {
    let judged = rules.authenticator.judge(request.headers()).await;
    let Authenticated { caller, issued_at, expires_at, meter } = judged.map_err(|refused| {
        witness.failed(refused.check);
        if let Some(caller) = refused.caller {
            witness.is(Arc::from(caller));
        }
        refused.error
    })?;
    let caller = Arc::new(caller);
    witness.is(Arc::clone(&caller));
    let shown = request.extensions_mut().remove::<Shown>();
    if rules.services_show_certificates && !proves(shown.as_ref(), &caller) {
        witness.failed("no certificate");
        tracing::debug!("a service without its certificate");
        return Err(Error::unauthenticated());
    }
    if let Some(Shown { tcp, .. }) = shown {
        request.extensions_mut().insert(tcp);
    }
    let span = tracing::Span::current();
    span.record("org", tracing::field::display(&caller.organisation));
    if let Some(other) = &caller.on_behalf_of {
        span.record("on_behalf_of", tracing::field::display(other));
    }
    meter.take(&caller.organisation)?;
    let Some(right) = policy().right(rpc, &caller) else {
        let roles: Vec<&str> = caller.roles.iter().map(|role| role.as_str()).collect();
        return Err(Error::role_not_allowed(rpc, roles.join(",")));
    };
    request.extensions_mut().insert::<Right>(right);
    request.extensions_mut().insert(Arc::clone(&caller));
    Ok(Visitor { caller, issued_at, expires_at })
}

/// Whether the connection shows who the caller says to be: people need a token alone, a service its certificate too.
fn proves(shown: Option<&Shown>, caller: &Caller) -> bool {
    let Organisation::Service(service) = &caller.organisation else { return true };
    let names = shown.and_then(|shown| shown.names.as_deref()).unwrap_or_default();
    names.iter().any(|name| name == service)
}

/// The handler, in a task of its own, for as long as the deadline allows the client to wait for it.
async fn run<S>(
    rules: &Rules,
    deadline: Instant,
    request: Request<Body>,
    mut inner: S,
    permit: Option<OwnedSemaphorePermit>,
) -> Result<Response<Body>, Error>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible> + Send + 'static,
    S::Future: Send,
{
    let handler = async move {
        let answered = deadline::with(deadline, inner.call(request)).await;
        // The load it makes lasts until it ends, not until the client stops waiting.
        drop(permit);
        answered
    };
    let task = rules.handlers.spawn(handler.in_current_span());
    match tokio::time::timeout_at(deadline, task).await {
        Ok(Ok(Ok(response))) => Ok(response),
        Ok(Err(stopped)) => match stopped.try_into_panic() {
            Ok(panic) => {
                rules.meters.panics.inc();
                Err(panicked(&*panic))
            }
            // Only the end of the runtime cancels a handler.
            Err(_) => Err(body::draining()),
        },
        Err(_) => Err(out_of_time()),
    }
}

fn out_of_time() -> Error {
    Error::refused(
        Reason::DeadlineExceeded,
        "Time ran out and the outcome is unknown; repeat the call with the same request id.",
    )
}

/// What a panic is to the caller: INTERNAL. What it said goes to the log with the error id.
fn panicked(panic: &(dyn Any + Send)) -> Error {
    let said = panic
        .downcast_ref::<&str>()
        .map(ToString::to_string)
        .or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "of unknown kind".to_owned());
    Error::internal(format!("panic: {said}"))
}

/// A stream ends when the server stops, or the token expires or is revoked, whichever is first.
fn end_of_stream(rules: &Arc<Rules>, visitor: Option<Visitor>) -> End {
    let rules = Arc::clone(rules);
    Box::pin(async move {
        let authenticator = &rules.authenticator;
        let over = async {
            let Some(Visitor { caller, issued_at, expires_at }) = &visitor else {
                return std::future::pending().await;
            };
            let expired = async {
                loop {
                    let left_s = expires_at.saturating_sub(authenticator.now_s());
                    let Ok(left_s @ 1..) = u64::try_from(left_s) else { return };
                    // Looked at again every minute: real time may be set back or forth.
                    tokio::time::sleep(Duration::from_secs(left_s.min(60))).await;
                }
            };
            tokio::select! {
                () = expired => {}
                () = authenticator.revoked(caller, *issued_at) => {}
            }
        };
        tokio::select! {
            () = rules.stopping.cancelled() => body::draining(),
            () = over => Error::unauthenticated(),
        }
    })
}

/// Counts a request and writes one line: what was called and how it ended. A client's fault is not our error.
fn tell(
    rules: &Rules,
    found: Option<(&'static str, Rpc)>,
    response: &Response<Body>,
    started: Instant,
    witness: &Witness,
) {
    use tonic::Code;
    let refusal =
        tonic::Status::from_header_map(response.headers()).filter(|status| status.code() != Code::Ok);
    let code = refusal.as_ref().map_or(Code::Ok, tonic::Status::code);
    let elapsed = started.elapsed();
    // Health is asked all day by machines; it would drown what people do.
    let public = found.is_some_and(|(_, rpc)| rpc.public);
    if !public {
        rules.meters.answered(found.map(|(name, rpc)| (name, rpc.number)), code, refusal.as_ref(), elapsed);
        if let Some((found, refusal)) = found.zip(refusal.as_ref()) {
            witness.testify(&rules.denials, found, refusal);
        }
    }
    let ms = u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
    trace::end(code);
    match code {
        Code::Internal | Code::DataLoss | Code::Unknown => tracing::error!(?code, ms, "answered"),
        Code::Unavailable | Code::DeadlineExceeded => tracing::warn!(?code, ms, "answered"),
        _ if public => tracing::debug!(?code, ms, "answered"),
        _ => tracing::info!(?code, ms, "answered"),
    }
}

#[cfg(test)]
mod tests;
