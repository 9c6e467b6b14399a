//! What leasing remembers. Decides nothing; every query runs in the scope of its transaction.

mod entity;
mod leases;
mod load;
mod sagas;
mod tenants;

pub use leases::{Filter, add_signature, delete_intent, insert, list, save, save_premises};
pub use load::{load, lock};
pub use sagas::{
    Due, Intent, Release, due_premises, due_releases, due_sagas, find_intent, forget_release, intent_of,
    lease_of_reservation, lease_of_uid, note_hold, note_release,
};
pub use tenants::{find_tenant, insert_tenant, list_tenants};

/// The schema of this service.
pub const SCHEMA: &str = "leasing";

/// What the database holds is not what was written: our own fault, or somebody's by hand.
#[derive(Debug, thiserror::Error)]
#[error("row of {table} does not read back: {column}")]
struct Corrupt {
    table: &'static str,
    column: &'static str,
}

fn corrupt(table: &'static str, column: &'static str) -> kernel::Error {
    kernel::Error::internal(Corrupt { table, column })
}
