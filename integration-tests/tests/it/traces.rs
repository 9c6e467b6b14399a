//! One request's way through the services and the store, as a collector of OpenTelemetry is told it.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result, ensure};
use integration_tests::Cluster;
use integration_tests::cluster::{INVENTORY, LEASING};
use integration_tests::market::{self, READY};
use kernel::Role;
use opentelemetry_proto::tonic::collector::trace::v1::trace_service_server::{
    TraceService, TraceServiceServer,
};
use opentelemetry_proto::tonic::collector::trace::v1::{
    ExportTraceServiceRequest, ExportTraceServiceResponse,
};
use opentelemetry_proto::tonic::trace::v1::Span;
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use tokio::net::TcpListener;
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status};

/// A trace and the span of a caller outside, as W3C writes them; the last number says whether it is sampled.
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const UNSAMPLED: &str = "0af7651916cd43dd8448eb211c80319c";
const CALLER: &str = "00f067aa0ba902b7";
/// What the request carries; no span may.
const MARKER: &str = "zz-secret-lease";

/// Keeps every span by the service that sent it.
#[derive(Clone, Default)]
struct Collector(Arc<Mutex<Vec<(String, Span)>>>);

#[tonic::async_trait]
impl TraceService for Collector {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in request.into_inner().resource_spans {
            let service = format!("{:?}", resource.resource);
            let service = service.split('"').find(|word| word.starts_with("gridlease-")).unwrap_or("nobody");
            for span in resource.scope_spans.into_iter().flat_map(|scope| scope.spans) {
                kept.push((service.to_owned(), span));
            }
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

impl Collector {
    async fn serve(&self) -> Result<SocketAddr> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let service = TraceServiceServer::new(self.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        Ok(address)
    }

    /// The spans of a trace.
    fn of(&self, trace: &str) -> Vec<(String, Span)> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.iter().filter(|(_, span)| hex(&span.trace_id) == trace).cloned().collect()
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A request of a caller who traces.
fn traced<M>(message: M, trace: &str, flags: &str) -> Result<Request<M>> {
    let mut request = Request::new(message);
    request.metadata_mut().insert("traceparent", format!("00-{trace}-{CALLER}-{flags}").parse()?);
    Ok(request)
}

#[tokio::test]
async fn a_request_is_one_trace_through_services_and_store() -> Result<()> {
    let collector = Collector::default();
    let mut cluster = Cluster::new(1).await?;
    cluster.set("TELEMETRY__OTLP_ENDPOINT", format!("http://{}", collector.serve().await?));
    cluster.set("TELEMETRY__TRACE_ONE_IN", "1000000000");
    cluster.start(INVENTORY, "").await?;
    cluster.start(LEASING, "").await?;
    let clients = |organisation: &str, role| cluster.clients(organisation, role);
    let site = market::site(clients, "north", &[market::hall(10_000)]).await?;
    let tenant = market::tenant(clients, "lab").await?;
    let mut leases = cluster.clients(&site.operator, Role::Sales)?.leases();
    let mut propose = async |id: &str, trace: &str, flags: &str| -> Result<()> {
        let terms = market::terms_from(&site.blocks[0], market::load(1_000), READY);
        let proposal = market::proposal(&site.operator, &tenant, id, terms);
        leases.propose_lease(traced(proposal, trace, flags)?).await?;
        Ok(())
    };
    propose(MARKER, TRACE, "01").await?;
    propose("quiet", UNSAMPLED, "00").await?;

    // A process that ends says first what it has not said yet.
    for node in [LEASING, INVENTORY] {
        ensure!(cluster.stop(node).await?.success(), "{}", cluster.log(node));
    }
    let spans = collector.of(TRACE);
    let named: BTreeMap<_, _> =
        spans.iter().map(|(from, span)| ((from.as_str(), span.name.as_str()), span)).collect();
    let find = |service, name| {
        named.get(&(service, name)).with_context(|| format!("no {name} of {service} in {:#?}", named.keys()))
    };
    let asked = find("gridlease-leasing", "gridlease.leasing.v1.LeaseService/ProposeLease")?;
    ensure!(hex(&asked.parent_span_id) == CALLER && asked.kind == i32::from(SpanKind::Server), "{asked:?}");
    let call = find("gridlease-leasing", "inventory")?;
    ensure!(call.kind == i32::from(SpanKind::Client), "{call:?}");
    let booked = find("gridlease-inventory", "gridlease.inventory.v1.ReservationService/PlaceHold")?;
    let parents: Vec<_> = spans.iter().map(|(_, span)| span).collect();
    let parent = |span: &Span| parents.iter().find(|other| other.span_id == span.parent_span_id).copied();
    ensure!(parent(booked).is_some_and(|caller| caller.name == "inventory"), "{booked:?}");
    let insert = find("gridlease-leasing", "INSERT leasing.lease")?;
    let transaction = parent(insert).context("a statement is in a transaction")?;
    let root = parent(transaction).context("a transaction is in a request")?;
    ensure!(root.span_id == asked.span_id, "{transaction:?}");
    ensure!(insert.start_time_unix_nano >= transaction.start_time_unix_nano, "{insert:?} in {transaction:?}");
    ensure!(!format!("{spans:?}").contains(MARKER), "a span tells what was asked");

    ensure!(collector.of(UNSAMPLED).is_empty(), "the caller had said that it is not to be traced");
    for (node, trace) in [(LEASING, TRACE), (INVENTORY, TRACE), (LEASING, UNSAMPLED)] {
        let told = format!("\"trace_id\":\"{trace}\"");
        ensure!(cluster.log(node).lines().any(|line| line.contains(&told)), "{node:?} logs no {told}");
    }
    Ok(())
}

#[tokio::test]
async fn nobody_waits_for_a_collector_that_is_gone() -> Result<()> {
    let mut cluster = Cluster::new(1).await?;
    cluster.set("TELEMETRY__OTLP_ENDPOINT", "http://127.0.0.1:1");
    cluster.set("TELEMETRY__TRACE_ONE_IN", "1");
    cluster.start(INVENTORY, "").await?;
    let clients = |organisation: &str, role| cluster.clients(organisation, role);
    market::site(clients, "north", &[market::hall(10_000)]).await?;
    ensure!(cluster.stop(INVENTORY).await?.success(), "{}", cluster.log(INVENTORY));
    Ok(())
}
