//! Curtailments: times in which a site draws less than it could.

use std::collections::BTreeSet;

use kernel::{CurtailmentName, Instant, SiteName, TenantId};
use serde::Serialize;

/// What a caller says of a curtailment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CurtailmentDraft {
    /// The site.
    pub site: SiteName,
    /// A programme of the site.
    pub programme_id: Option<String>,
    /// When it begins.
    pub start: Instant,
    /// When it ends.
    pub end: Instant,
    /// Power that is not drawn, gross kW.
    pub curtailed_kw: i64,
    /// Who asked for it and why.
    pub note: String,
}

/// A curtailment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Curtailment {
    /// Its name.
    pub name: CurtailmentName,
    /// What was said of it.
    pub facts: CurtailmentDraft,
    /// The tenants that may read it.
    pub audience: BTreeSet<TenantId>,
    /// When it was announced.
    pub created_at: Instant,
}

impl Curtailment {
    /// Minutes from the announcement to its start.
    pub fn notice_minutes(&self) -> i64 {
        (self.facts.start - self.created_at).num_minutes()
    }
}
