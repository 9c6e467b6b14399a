//! An organisation that leases.

use kernel::{Instant, TenantId};

/// A tenant as registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tenant {
    /// Its slug.
    pub id: TenantId,
    /// The company's name.
    pub display_name: String,
    /// Raised by every change; the etag.
    pub revision: i64,
    /// When it was registered.
    pub create_time: Instant,
}

impl Tenant {
    /// The etag of this revision.
    #[must_use]
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.revision)
    }
}
