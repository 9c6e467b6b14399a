//! Incidents as inventory's last event told them: what credits are reckoned from.

use kernel::{BlockSlug, IncidentId, Instant, OperatorId, SiteId};

use super::service_level::ServiceKind;
use super::words::names;

/// Where an incident stands, as inventory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IncidentState {
    /// Opened by a tenant, not answered.
    Open,
    /// The operator stands by it.
    Acknowledged,
    /// Over: credits are reckoned from it.
    Resolved,
    /// The operator says that there was none.
    Rejected,
    /// Taken back.
    Withdrawn,
}

names!(IncidentState {
    Open => "OPEN",
    Acknowledged => "ACKNOWLEDGED",
    Resolved => "RESOLVED",
    Rejected => "REJECTED",
    Withdrawn => "WITHDRAWN",
});

/// An incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentCopy {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: IncidentId,
    /// The site.
    pub site: SiteId,
    /// The block; none is the whole site.
    pub block: Option<BlockSlug>,
    /// What failed.
    pub kind: ServiceKind,
    /// Where it stands.
    pub state: IncidentState,
    /// When it began.
    pub start: Instant,
    /// When it was over.
    pub end: Option<Instant>,
    /// Minutes in which it was measured to be out of bounds, where that is less.
    pub measured_minutes: Option<i32>,
    /// Of power: whether all feeds were down at once.
    pub all_feeds_down: Option<bool>,
    /// Of cooling: the highest temperature, in tenths of a degree Celsius.
    pub temperature_max: Option<i32>,
    /// When it was last changed.
    pub update_time: Instant,
}
