//! What the door has seen of one call, for the audit trail, in case it is denied.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use http_body_util::BodyExt as _;
use kernel::Caller;
use postgres::audit::Outcome;
use prost::bytes::Bytes;
use tonic::Code;
use tonic::body::Body;
use tonic_types::StatusExt as _;

use super::rpcs::Rpc;
use crate::audit::{Denials, Seen, Stranger};

/// How long the first bytes of a request that was denied are waited for.
const PATIENCE: Duration = Duration::from_secs(1);

/// The facts of one call; cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Witness(Arc<Facts>);

#[derive(Default)]
struct Facts {
    address: OnceLock<IpAddr>,
    caller: OnceLock<Arc<Caller>>,
    check: OnceLock<&'static str>,
    first_bytes: OnceLock<Bytes>,
    unread: Mutex<Option<Body>>,
}

// Each fact is told once; what is told again is the same, and goes nowhere.
impl Witness {
    pub(super) fn came_from(&self, address: Option<IpAddr>) {
        if let Some(address) = address {
            let _ = self.0.address.set(address);
        }
    }

    pub(super) fn address(&self) -> Option<IpAddr> {
        self.0.address.get().copied()
    }

    pub(super) fn is(&self, caller: Arc<Caller>) {
        let _ = self.0.caller.set(caller);
    }

    pub(super) fn failed(&self, check: &'static str) {
        let _ = self.0.check.set(check);
    }

    pub(super) fn sent(&self, bytes: &Bytes) {
        let _ = self.0.first_bytes.set(bytes.clone());
    }

    /// The body of a request that no handler reads.
    pub(super) fn left(&self, body: Body) {
        *self.0.unread.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
    }

    /// Tells the trail, if the answer is a denial. The caller does not wait for it.
    pub(super) fn testify(&self, denials: &Denials, (rpc, of): (&'static str, Rpc), answer: &tonic::Status) {
        let outcome = match answer.code() {
            Code::PermissionDenied => Outcome::Denied,
            Code::Unauthenticated => Outcome::Unauthenticated,
            _ => return,
        };
        let reason = match self.0.check.get() {
            Some(check) => (*check).to_owned(),
            None => {
                answer.get_error_details().error_info().map(|info| info.reason.clone()).unwrap_or_default()
            }
        };
        let who = match self.0.caller.get() {
            Some(caller) => Stranger::Known(Box::new(Caller::clone(caller))),
            None => Stranger::Unknown,
        };
        let seen = Seen { who, address: self.address(), rpc, outcome, reason };
        if !denials.admit(&seen) {
            return;
        }
        let unread = self.0.unread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(mut body) = unread.filter(|_| !of.takes_stream) else {
            let (target, request_id) =
                self.0.first_bytes.get().map(|bytes| of.marks.read(bytes)).unwrap_or_default();
            return denials.tell(seen, target, request_id);
        };
        let denials = denials.clone();
        // As many at most as are admitted in a second.
        tokio::spawn(async move {
            let frame = tokio::time::timeout(PATIENCE, body.frame()).await;
            let bytes = frame.ok().flatten().and_then(Result::ok).and_then(|frame| frame.into_data().ok());
            let (target, request_id) = bytes.map(|bytes| of.marks.read(&bytes)).unwrap_or_default();
            denials.tell(seen, target, request_id);
        });
    }
}
