//! Pages of the web: gRPC-Web for the origins that the settings name, and for no others.

use std::future::{Ready, ready};
use std::task::{Context, Poll};
use std::time::Duration;

use futures::future::Either;
use http::header::{AUTHORIZATION, CONTENT_TYPE, ORIGIN};
use http::{HeaderName, Method, Request, Response, StatusCode};
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::layer::util::Stack;
use tower::{Layer, Service};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::settings::Origins;
use crate::status::REPLAYED;

/// How long a browser remembers what it may do.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// What a page may send.
const SENT: [HeaderName; 8] = [
    AUTHORIZATION,
    CONTENT_TYPE,
    HeaderName::from_static("x-grpc-web"),
    HeaderName::from_static("x-user-agent"),
    HeaderName::from_static("grpc-timeout"),
    HeaderName::from_static(crate::auth::ON_BEHALF_OF),
    HeaderName::from_static("traceparent"),
    HeaderName::from_static("tracestate"),
];

/// What a page may read.
const READ: [HeaderName; 4] = [
    HeaderName::from_static("grpc-status"),
    HeaderName::from_static("grpc-message"),
    HeaderName::from_static("grpc-status-details-bin"),
    HeaderName::from_static(REPLAYED),
];

type Web = Stack<Stack<GrpcWebLayer, CorsLayer>, GateLayer>;

/// What stands before the door where pages may call: the gate, the browser's questions, the translation.
pub(super) fn layer(origins: &Origins) -> Option<Web> {
    if origins.is_empty() {
        return None;
    }
    let cors = CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::POST])
        .allow_headers(SENT)
        .expose_headers(READ)
        .max_age(REMEMBERED);
    Some(Stack::new(Stack::new(GrpcWebLayer::new(), cors), GateLayer { origins: origins.clone() }))
}

/// Keeps out the pages of other origins: a browser would not show them the answer, but it would have asked.
#[derive(Clone)]
pub(super) struct GateLayer {
    origins: Origins,
}

impl<S> Layer<S> for GateLayer {
    type Service = Gate<S>;

    fn layer(&self, inner: S) -> Gate<S> {
        Gate { origins: self.origins.clone(), inner }
    }
}

/// See [`GateLayer`].
#[derive(Clone)]
pub(super) struct Gate<S> {
    origins: Origins,
    inner: S,
}

impl<S> Service<Request<Body>> for Gate<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = Either<Ready<Result<Response<Body>, S::Error>>, S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let mut named = request.headers().get_all(ORIGIN).iter();
        if named.all(|origin| self.origins.iter().any(|known| known == origin)) {
            return Either::Right(self.inner.call(request));
        }
        let mut refused = Response::new(Body::empty());
        *refused.status_mut() = StatusCode::FORBIDDEN;
        Either::Left(ready(Ok(refused)))
    }
}
