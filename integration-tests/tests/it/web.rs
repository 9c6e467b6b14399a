//! Pages of the web: gRPC-Web over HTTP/1.1, for the origins that were named and for no others.

use std::net::SocketAddr;

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1::{ListInvoicesRequest, ListInvoicesResponse};
use contracts::inventory::v1::{
    GetOperatorRequest, ListOperatorsRequest, ListOperatorsResponse, WatchEventsRequest, WatchEventsResponse,
};
use contracts::leasing::v1::{ListTenantsRequest, ListTenantsResponse};
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use integration_tests::cluster::INVENTORY;
use integration_tests::{Cluster, market};
use kernel::Role;
use prost::Message;
use prost::bytes::{Buf as _, Bytes};
use tokio::net::TcpStream;
use tonic::Code;

const PAGE: &str = "https://console.example.com";
const OTHER: &str = "https://console.example.com.evil.example";

/// What a browser sends from a page, over HTTP/1.1.
struct Browser {
    at: SocketAddr,
    origin: &'static str,
    token: String,
}

impl Browser {
    async fn send(&self, request: http::request::Builder, body: Vec<u8>) -> Result<http::Response<Incoming>> {
        let stream = TcpStream::connect(self.at).await?;
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection);
        let request = request.header("host", "api.example.com").header("origin", self.origin);
        Ok(sender.send_request(request.body(Full::new(Bytes::from(body)))?).await?)
    }

    /// The question before a call: may I?
    async fn preflight(&self, path: &str) -> Result<http::Response<Incoming>> {
        let request = Request::builder()
            .method(Method::OPTIONS)
            .uri(path)
            .header("access-control-request-method", "POST")
            .header("access-control-request-headers", "authorization,content-type,x-grpc-web");
        self.send(request, Vec::new()).await
    }

    async fn post(&self, path: &str, message: &impl Message) -> Result<http::Response<Incoming>> {
        let request = Request::builder()
            .method(Method::POST)
            .uri(path)
            .header("content-type", "application/grpc-web+proto")
            .header("x-grpc-web", "1")
            .header("authorization", format!("Bearer {}", self.token));
        let message = message.encode_to_vec();
        let mut body = vec![0];
        body.extend_from_slice(&u32::try_from(message.len())?.to_be_bytes());
        body.extend_from_slice(&message);
        self.send(request, body).await
    }

    /// A call and its answer: the code, and the message if there is one.
    async fn call<R: Message + Default>(
        &self,
        path: &str,
        message: &impl Message,
    ) -> Result<(Code, Option<R>)> {
        let response = self.post(path, message).await?;
        ensure!(response.status() == StatusCode::OK, "{response:?}");
        ensure!(response.headers()["access-control-allow-origin"] == self.origin, "{response:?}");
        let headers = response.headers().clone();
        let mut body = response.into_body().collect().await?.to_bytes();
        let (mut answer, mut trailers) = (None, String::new());
        while body.has_remaining() {
            match frame(&mut body)? {
                (0, message) => answer = Some(R::decode(message)?),
                (_, text) => trailers = String::from_utf8(text.to_vec())?,
            }
        }
        Ok((code(&headers, &trailers)?, answer))
    }
}

/// One frame: what it is, and what is in it. 0 is a message, 0x80 the trailers as text.
fn frame(body: &mut Bytes) -> Result<(u8, Bytes)> {
    ensure!(body.remaining() >= 5, "half a frame");
    let (kind, length) = (body.get_u8(), usize::try_from(body.get_u32())?);
    ensure!(body.remaining() >= length, "half a frame");
    Ok((kind, body.split_to(length)))
}

/// How it ended: trailers in the body, or headers where there was no body.
fn code(headers: &HeaderMap, trailers: &str) -> Result<Code> {
    let in_body = trailers.lines().find_map(|line| line.strip_prefix("grpc-status:")).map(str::trim);
    let in_headers = headers.get("grpc-status").and_then(|value| value.to_str().ok());
    Ok(Code::from_i32(in_body.or(in_headers).context("a status")?.parse()?))
}

#[tokio::test]
async fn a_page_calls_every_service_and_pages_of_others_do_not() -> Result<()> {
    let mut cluster = Cluster::new(1).await?;
    cluster.set("SERVER__WEB_ORIGINS", format!("{PAGE}, https://admin.example.com:8443"));
    cluster.start_all().await?;
    market::site(|o, r| cluster.clients(o, r), "north", &[market::hall(10_000)]).await?;
    let token = cluster.token("operators/north", Role::Finance)?;
    let at = cluster.addresses(0);
    let page = |at| Browser { at, origin: PAGE, token: token.clone() };

    let operators = "/gridlease.inventory.v1.SiteService/ListOperators";
    let (code, answer) =
        page(at.inventory).call::<ListOperatorsResponse>(operators, &ListOperatorsRequest::default()).await?;
    ensure!(code == Code::Ok && answer.is_some_and(|found| found.operators.len() == 1), "{code:?}");
    let tenants = "/gridlease.leasing.v1.TenantService/ListTenants";
    let (code, answer) =
        page(at.leasing).call::<ListTenantsResponse>(tenants, &ListTenantsRequest::default()).await?;
    ensure!(code == Code::Ok && answer.is_some(), "{code:?}");
    let invoices = "/gridlease.billing.v1.InvoiceService/ListInvoices";
    let asked = ListInvoicesRequest { parent: "operators/north".to_owned(), ..Default::default() };
    let (code, answer) = page(at.billing).call::<ListInvoicesResponse>(invoices, &asked).await?;
    ensure!(code == Code::Ok && answer.is_some(), "{code:?}");

    // Refusals are refusals: of somebody else's operator, and of no token.
    let other = GetOperatorRequest { name: "operators/nobody".to_owned(), ..Default::default() };
    let get = "/gridlease.inventory.v1.SiteService/GetOperator";
    let (code, answer) = page(at.inventory).call::<ListOperatorsResponse>(get, &other).await?;
    ensure!(code == Code::NotFound && answer.is_none(), "{code:?}");
    let nobody = Browser { token: String::new(), ..page(at.inventory) };
    let (code, _) = nobody.call::<ListOperatorsResponse>(operators, &ListOperatorsRequest::default()).await?;
    ensure!(code == Code::Unauthenticated, "{code:?}");

    for at in [at.inventory, at.leasing, at.billing] {
        let may = page(at).preflight(operators).await?;
        ensure!(
            may.status() == StatusCode::OK && may.headers()["access-control-allow-origin"] == PAGE,
            "{may:?}"
        );
        let sent = may.headers()["access-control-allow-headers"].to_str()?;
        ensure!(
            ["authorization", "content-type", "x-grpc-web"].iter().all(|one| sent.contains(one)),
            "{sent}"
        );
        ensure!(!may.headers().contains_key("access-control-allow-credentials"), "no cookie is ours");
        let stranger = Browser { origin: OTHER, ..page(at) };
        for refused in [stranger.preflight(operators).await?, stranger.post(operators, &asked).await?] {
            ensure!(refused.status() == StatusCode::FORBIDDEN, "{refused:?}");
            ensure!(!refused.headers().contains_key("access-control-allow-origin"), "{refused:?}");
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_page_follows_a_stream() -> Result<()> {
    let mut cluster = Cluster::new(1).await?;
    cluster.set("SERVER__WEB_ORIGINS", PAGE);
    cluster.start(INVENTORY, "").await?;
    market::site(|o, r| cluster.clients(o, r), "north", &[market::hall(10_000)]).await?;
    let token = cluster.token("operators/north", Role::SiteOps)?;
    let page = Browser { at: cluster.addresses(0).inventory, origin: PAGE, token };
    let watch = WatchEventsRequest { parent: "operators/north".to_owned(), ..Default::default() };
    let response = page.post("/gridlease.inventory.v1.EventService/WatchEvents", &watch).await?;
    let mut body = response.into_body();
    let mut read = Vec::new();
    let mut events = 0;
    while events < 2 {
        let part = body.frame().await.context("the stream goes on")??;
        read.extend_from_slice(part.data_ref().context("trailers while the stream goes on")?);
        let mut whole = Bytes::from(read.clone());
        while let Ok((kind, message)) = frame(&mut whole) {
            ensure!(kind == 0, "it ended");
            WatchEventsResponse::decode(message)?;
            events += 1;
            read = whole.to_vec();
        }
    }
    Ok(())
}

#[tokio::test]
async fn without_origins_nothing_but_grpc_is_spoken() -> Result<()> {
    let mut cluster = Cluster::new(1).await?;
    cluster.start(INVENTORY, "").await?;
    let page = Browser { at: cluster.addresses(0).inventory, origin: PAGE, token: String::new() };
    let list = ListOperatorsRequest::default();
    let asked = page.post("/gridlease.inventory.v1.SiteService/ListOperators", &list).await;
    ensure!(asked.is_err(), "HTTP/1.1 was answered");
    Ok(())
}
