//! What inventory can be told beside what every service can.

use std::num::{NonZeroU32, NonZeroUsize};
use std::time::Duration;

use runtime::settings::SecretFile;

runtime::concern! {
    /// Inventory's own settings.
    pub struct InventorySettings {
        quota_open_holds: NonZeroU32 = ("INVENTORY__QUOTA_OPEN_HOLDS", "holds", "50",
            "Holds a tenant may have open with one operator; one more is refused with QUOTA_EXCEEDED."),
        desk_connections: NonZeroU32 = ("INVENTORY__DESK_CONNECTIONS", "connections", "8",
            "Connections of the booking desk, apart from those for requests."),
        desk_batches: NonZeroUsize = ("INVENTORY__DESK_BATCHES", "batches", "4",
            "Batches of one operator in flight at once, a further one only beside a slow one; never two for one block."),
        sweep: bool = ("INVENTORY__SWEEP", "true or false", "true",
            "Whether this replica writes off holds that ran out. They are gone either way."),
        sweep_every: Duration = ("INVENTORY__SWEEP_EVERY", "duration", "1s", "Pause between two sweeps."),
        waitlist_every: Duration = ("INVENTORY__WAITLIST_EVERY", "duration", "1s",
            "Pause between two looks at whether something has come free that is waited for."),
        audit_every: Duration = ("INVENTORY__AUDIT_EVERY", "duration", "60s",
            "Pause between two looks of the independent auditor for capacity promised twice."),
        page_secret_file: Option<SecretFile> = ("INVENTORY__PAGE_SECRET_FILE", "path", "",
            "Secret that seals page tokens, the same on every replica; without one, tokens end with the process."),
    }
}

impl Default for InventorySettings {
    fn default() -> Self {
        const ONE: NonZeroU32 = NonZeroU32::MIN;
        Self {
            quota_open_holds: ONE.saturating_add(49),
            desk_connections: ONE.saturating_add(7),
            desk_batches: NonZeroUsize::MIN.saturating_add(3),
            sweep: true,
            sweep_every: Duration::from_secs(1),
            waitlist_every: Duration::from_secs(1),
            audit_every: Duration::from_secs(60),
            page_secret_file: None,
        }
    }
}
