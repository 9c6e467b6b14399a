//! Events: appended with the change they tell, read in commit order without gaps, consumed exactly once.
//!
//! A position is (transaction id, sequence). A reader sees only rows of transactions older than every running one
//! (`pg_snapshot_xmin(pg_current_snapshot())`), so an event whose transaction commits late is never jumped over: the
//! price is that one long transaction anywhere holds the feed back.

mod consumer;
mod cursor;
mod reader;
mod snapshot;

use kernel::{Error, Instant, OperatorId, TenantId};
use sea_orm::{ConnectionTrait, DbBackend, Statement};
use uuid::Uuid;

pub use consumer::{advance, consumer_cursor};
pub use cursor::Cursor;
pub use reader::{Batch, Frontier, StoredEvent, read_after, start, tail};
pub use snapshot::{Snapshot, snapshot};

use crate::store_error;

/// `operator_id` of events that are no operator's: of the platform, or of a tenant alone.
pub const NO_OPERATOR: &str = "-";

/// An event to be appended. Who may read it is decided here and never again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewEvent {
    /// The operator whose event it is; `None` for events of the platform or of a tenant alone.
    pub operator: Option<OperatorId>,
    /// The tenant that may read it too.
    pub tenant: Option<TenantId>,
    /// Kind, such as `lease.effective`.
    pub kind: &'static str,
    /// Resource name of what it is about.
    pub subject: String,
    /// When the change happened.
    pub occurred_at: Instant,
    /// The full version of the aggregate, encoded as the feed's readers expect it.
    pub payload: Vec<u8>,
}

impl NewEvent {
    fn operator_id(&self) -> String {
        self.operator.as_ref().map_or_else(|| NO_OPERATOR.to_owned(), ToString::to_string)
    }
}

/// Appends in the transaction of the change; the position is given by the database.
pub async fn append(
    conn: &impl ConnectionTrait,
    schema: &str,
    event_id: Uuid,
    event: &NewEvent,
) -> Result<(), Error> {
    let sql = format!(
        "insert into {schema}.outbox (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload) \
         values ($1, $2, $3, $4, $5, $6, $7)"
    );
    let values = [
        event.operator_id().into(),
        event_id.into(),
        event.kind.into(),
        event.subject.as_str().into(),
        event.tenant.as_ref().map(ToString::to_string).into(),
        event.occurred_at.into(),
        event.payload.clone().into(),
    ];
    conn.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map(|_| ())
        .map_err(store_error)
}

/// As [`append`], many in one statement and in this order.
pub async fn append_all(
    conn: &impl ConnectionTrait,
    schema: &str,
    new_id: impl Fn() -> Uuid,
    events: Vec<NewEvent>,
) -> Result<(), Error> {
    let sql = format!(
        "insert into {schema}.outbox (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload) \
         select n.operator_id, n.event_id, n.kind, n.subject, nullif(n.tenant, ''), n.occurred_at, n.payload \
         from unnest($1::text[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bytea[]) \
            with ordinality as n(operator_id, event_id, kind, subject, tenant, occurred_at, payload, place) \
         order by n.place"
    );
    let tenant = |event: &NewEvent| event.tenant.as_ref().map(ToString::to_string).unwrap_or_default();
    let values = [
        events.iter().map(NewEvent::operator_id).collect::<Vec<_>>().into(),
        events.iter().map(|_| new_id()).collect::<Vec<_>>().into(),
        events.iter().map(|event| event.kind.to_owned()).collect::<Vec<_>>().into(),
        events.iter().map(|event| event.subject.clone()).collect::<Vec<_>>().into(),
        events.iter().map(tenant).collect::<Vec<_>>().into(),
        events.iter().map(|event| event.occurred_at).collect::<Vec<_>>().into(),
        events.into_iter().map(|event| event.payload).collect::<Vec<_>>().into(),
    ];
    conn.execute_raw(Statement::from_sql_and_values(DbBackend::Postgres, sql, values))
        .await
        .map(|_| ())
        .map_err(store_error)
}
