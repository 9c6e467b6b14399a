//! Calls, by RPC and by how they ended: rate, errors, duration.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use kernel::Reason;
use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::door;

/// Upper bounds in seconds, from an answer out of memory to the longest deadline.
const BUCKETS: [f64; 12] = [0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0];

/// The RPCs that book, whose refusals are counted by reason.
const BOOKINGS: [&str; 3] = [
    "gridlease.inventory.v1.ReservationService/PlaceHold",
    "gridlease.inventory.v1.ReservationService/CommitReservation",
    "gridlease.inventory.v1.ReservationService/AmendReservation",
];

/// What a call to no RPC of ours is counted as.
const UNKNOWN: &str = "unknown/unknown";

/// The codes of gRPC by number, as its specification writes them.
const CODES: [&str; 17] = [
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Rpc {
    rpc_service: &'static str,
    rpc_method: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answer {
    rpc_service: &'static str,
    rpc_method: &'static str,
    code: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Refused {
    reason: &'static str,
}

/// Counts calls. Cheap to clone.
#[derive(Clone)]
pub(crate) struct RpcMeters {
    requests: Family<Answer, Counter>,
    seconds: Family<Rpc, Histogram, fn() -> Histogram>,
    refused: Family<Refused, Counter>,
    pub(crate) panics: Counter,
    in_flight: Gauge,
    in_flight_limit: Gauge,
    streams: Gauge,
    streams_limit: Gauge,
    /// By the number that the door gives each RPC; the last is for what is none. Made when first called.
    by_rpc: Arc<[OnceLock<Handles>]>,
}

/// The counters of one RPC, found without a look into a map.
struct Handles {
    rpc: Rpc,
    books: bool,
    seconds: Histogram,
    by_code: [OnceLock<Counter>; CODES.len()],
}

impl RpcMeters {
    pub(super) fn new(registry: &mut Registry) -> Self {
        let meters = Self {
            requests: Family::default(),
            seconds: Family::new_with_constructor(|| Histogram::new(BUCKETS)),
            refused: Family::default(),
            panics: Counter::default(),
            in_flight: Gauge::default(),
            in_flight_limit: Gauge::default(),
            streams: Gauge::default(),
            streams_limit: Gauge::default(),
            by_rpc: (0..=door::count()).map(|_| OnceLock::new()).collect(),
        };
        let all = meters.clone();
        registry.register("gridlease_rpc_requests", "Calls, by how they ended", all.requests);
        registry.register(
            "gridlease_rpc_seconds",
            "Time to the answer, of a stream to its beginning",
            all.seconds,
        );
        registry.register(
            "gridlease_bookings_refused",
            "Holds, commitments and amendments that were refused",
            all.refused,
        );
        registry.register("gridlease_panics", "Handlers that panicked", all.panics);
        registry.register("gridlease_calls_in_flight", "Unary calls at work", all.in_flight);
        registry.register(
            "gridlease_calls_limit",
            "Unary calls at once, before one is refused",
            all.in_flight_limit,
        );
        registry.register("gridlease_streams_open", "Streams open", all.streams);
        registry.register(
            "gridlease_streams_limit",
            "Streams at once, before one is refused",
            all.streams_limit,
        );
        meters
    }

    /// Tells how much of its limits the server uses.
    pub(crate) fn tell_load(&self, calls: (usize, usize), streams: (usize, usize)) {
        let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
        self.in_flight.set(number(calls.0));
        self.in_flight_limit.set(number(calls.1));
        self.streams.set(number(streams.0));
        self.streams_limit.set(number(streams.1));
    }

    /// Counts an answer: one look at an array, two atomic numbers and one short lock; nothing is allocated.
    pub(crate) fn answered(
        &self,
        rpc: Option<(&'static str, usize)>,
        code: Code,
        status: Option<&tonic::Status>,
        elapsed: Duration,
    ) {
        let (name, index) = rpc.unwrap_or((UNKNOWN, self.by_rpc.len() - 1));
        let Some(slot) = self.by_rpc.get(index) else { return };
        let handles = slot.get_or_init(|| self.handles(name));
        handles.seconds.observe(elapsed.as_secs_f64());
        let code = usize::try_from(i32::from(code)).unwrap_or_default();
        if let Some(counter) = handles.by_code.get(code) {
            counter.get_or_init(|| self.counter(&handles.rpc, code)).inc();
        }
        if let Some(status) = status.filter(|_| handles.books) {
            let told = status.get_details_error_info().and_then(|info| info.reason.parse::<Reason>().ok());
            let reason = told.map_or("OTHER", Reason::as_str);
            self.refused.get_or_create(&Refused { reason }).inc();
        }
    }

    fn handles(&self, name: &'static str) -> Handles {
        let (rpc_service, rpc_method) = name.split_once('/').unwrap_or((name, ""));
        let rpc = Rpc { rpc_service, rpc_method };
        let handles = Handles {
            books: BOOKINGS.contains(&name),
            seconds: self.seconds.get_or_create_owned(&rpc),
            by_code: std::array::from_fn(|_| OnceLock::new()),
            rpc,
        };
        // From the first call on also the failures are there, as 0: a rate of what appears later misses its first.
        for code in [Code::Ok, Code::Internal] {
            let code = usize::try_from(i32::from(code)).unwrap_or_default();
            handles.by_code[code].get_or_init(|| self.counter(&handles.rpc, code));
        }
        for reason in Reason::ALL.iter().filter(|_| handles.books) {
            drop(self.refused.get_or_create(&Refused { reason: reason.as_str() }));
        }
        handles
    }

    fn counter(&self, rpc: &Rpc, code: usize) -> Counter {
        let code = CODES.get(code).copied().unwrap_or("UNKNOWN");
        let Rpc { rpc_service, rpc_method } = *rpc;
        self.requests.get_or_create_owned(&Answer { rpc_service, rpc_method, code })
    }
}
