//! The audit trail of a service: told over the wire, sealed by a worker, denials written as they come.

mod denials;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use contracts::common::v1 as common;
use contracts::common::v1::audit_service_server::{AuditService, AuditServiceServer};
use kernel::{Caller, Clock as _, Error, Ids as _, Instant, Organisation, SystemClock, SystemIds};
use postgres::Db;
use postgres::audit::{self, Chain, Place};
use postgres::page::{Listing, PageTokens};
use tokio_util::sync::CancellationToken;
use tonic::{Request, Response, Status};

pub(crate) use self::denials::{Denials, Seen, Stranger};
use crate::metrics::SweepMeter;
use crate::{caller, explain, status};

const LIST: &str = "gridlease.common.v1.AuditService/ListAuditEntries";
/// Pause between two looks for rows to seal; they are sealed within five seconds, also when a replica dies.
const EVERY: Duration = Duration::from_secs(1);
/// How often heads are published, as lines of the log.
const PUBLISH_EVERY: Duration = Duration::from_secs(60);
/// How long one call verifies.
const VERIFY_FOR: Duration = Duration::from_secs(4);

/// The trail of one service.
#[derive(Clone)]
pub(crate) struct Audit {
    db: Db,
    worker_db: Db,
    schema: Arc<str>,
    denials: Denials,
}

impl Audit {
    pub(crate) fn new(db: &Db, worker_db: &Db, schema: &str, denials: Denials) -> Self {
        Self { db: db.clone(), worker_db: worker_db.clone(), schema: schema.into(), denials }
    }

    /// The gRPC service.
    pub(crate) fn service(&self, pages: PageTokens) -> AuditServiceServer<Served> {
        AuditServiceServer::new(Served { audit: self.clone(), pages: Arc::new(pages) })
    }

    /// Where the door tells of denials.
    pub(crate) fn denials(&self) -> Denials {
        self.denials.clone()
    }

    /// Writes denials until `stop`, and then those that wait.
    pub(crate) async fn write_denials(self, stop: CancellationToken) {
        self.denials.write(&self.worker_db, &self.schema, &stop).await;
    }

    /// Seals rows and publishes heads until `stop`.
    pub(crate) async fn seal(self, meter: SweepMeter, stop: CancellationToken) {
        let me = SystemIds.next();
        let (mut published, mut publish_at) = (None, tokio::time::Instant::now());
        loop {
            let sealed = audit::chain(&self.worker_db, &self.schema, me).await;
            meter.ran(sealed.is_ok());
            match &sealed {
                Ok(Chain::More(rows)) => {
                    tracing::debug!(rows, "audit rows sealed");
                    continue;
                }
                Ok(Chain::Idle | Chain::Sealed(_)) => {}
                Err(error) => tracing::warn!(cause = explain(error), "audit rows were not sealed"),
            }
            if tokio::time::Instant::now() >= publish_at {
                publish_at += PUBLISH_EVERY;
                self.publish(&mut published).await;
            }
            if stop.run_until_cancelled(tokio::time::sleep(EVERY)).await.is_none() {
                return;
            }
        }
    }

    /// A line of the log for each chain that grew: whoever keeps the log keeps the heads.
    async fn publish(&self, published: &mut Option<Instant>) {
        match audit::heads_since(&self.worker_db, &self.schema, *published).await {
            Ok(heads) => {
                for (owner, head) in heads {
                    let (number, hash) = (head.number, wire::hex(&head.hash));
                    tracing::info!(target: "audit", owner, number, hash, "audit head");
                    *published = (*published).max(head.chained_at);
                }
            }
            Err(error) => tracing::warn!(cause = explain(&error), "audit heads were not published"),
        }
    }
}

/// The trail with what its lists need.
pub(crate) struct Served {
    audit: Audit,
    pages: Arc<PageTokens>,
}

impl Served {
    async fn list(
        &self,
        caller: &Caller,
        request: &common::ListAuditEntriesRequest,
    ) -> Result<common::ListAuditEntriesResponse, Error> {
        let asked = wire::list(request)?;
        own(caller, &asked.owner)?;
        let (organisation, now) = (caller.effective_organisation().to_string(), SystemClock.now());
        let filter = wire::fingerprint(request);
        let listing = Listing { caller: &organisation, rpc: LIST, filter: &filter };
        let last: Option<Place> = self.pages.open(&listing, &request.page_token, now)?;
        let Audit { db, schema, .. } = &self.audit;
        // One more than asked for says whether there is another page.
        let mut entries =
            audit::list(db, schema, &asked.owner, &asked.filter, last, asked.size.saturating_add(1)).await?;
        let size = usize::try_from(asked.size).unwrap_or(usize::MAX);
        let more = entries.len() > size;
        entries.truncate(size);
        let next_page_token = match entries.last() {
            Some(last) if more => self.pages.seal(&listing, &last.place, now)?,
            _ => String::new(),
        };
        let entries = entries.into_iter().map(wire::entry).collect();
        Ok(common::ListAuditEntriesResponse { entries, next_page_token })
    }
}

/// Whoever reads a trail reads its own organisation's; any other looks absent.
fn own(caller: &Caller, owner: &Organisation) -> Result<(), Error> {
    if owner == caller.effective_organisation() { Ok(()) } else { Err(Error::not_found("organisation")) }
}

#[tonic::async_trait]
impl AuditService for Served {
    async fn list_audit_entries(
        &self,
        request: Request<common::ListAuditEntriesRequest>,
    ) -> Result<Response<common::ListAuditEntriesResponse>, Status> {
        let caller = caller(&request)?;
        self.list(&caller, request.get_ref()).await.map(Response::new).map_err(status)
    }

    async fn get_audit_head(
        &self,
        request: Request<common::GetAuditHeadRequest>,
    ) -> Result<Response<common::GetAuditHeadResponse>, Status> {
        let caller = caller(&request)?;
        let owner = wire::owner(&request.get_ref().parent).map_err(status)?;
        own(&caller, &owner).map_err(status)?;
        let head = audit::head(&self.audit.db, &self.audit.schema, &owner).await.map_err(status)?;
        Ok(Response::new(common::GetAuditHeadResponse { head: Some(wire::head(&head)) }))
    }

    async fn verify_audit(
        &self,
        request: Request<common::VerifyAuditRequest>,
    ) -> Result<Response<common::VerifyAuditResponse>, Status> {
        let caller = caller(&request)?;
        let asked = wire::verify(request.get_ref()).map_err(status)?;
        own(&caller, &asked.owner).map_err(status)?;
        let until = tokio::time::Instant::now() + VERIFY_FOR;
        let Audit { db, schema, .. } = &self.audit;
        let verdict = audit::verify(db, schema, &asked.owner, asked.after.as_ref(), &asked.heads, until)
            .await
            .map_err(status)?;
        if !verdict.breaks.is_empty() {
            tracing::error!(owner = %asked.owner, breaks = ?verdict.breaks, "the audit chain does not hold");
        }
        Ok(Response::new(wire::verdict(&verdict)))
    }
}
