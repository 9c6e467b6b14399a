//! What a lease is and how it may change. Decides, touches nothing.

pub mod draft;
pub mod findings;
pub mod lease;
pub mod record;
pub mod schedule;
pub mod state;
pub mod tenant;
pub mod terms;
#[cfg(test)]
pub(crate) mod testing;

pub use draft::{Checked, Draft};
pub use findings::Findings;
pub use lease::{Claim, Hold, Lease, Party, Premises, Proposal, Signatory, Signature, Signing};
pub use record::TermsHash;
pub use schedule::{ScheduleLine, Value};
pub use state::{LeaseState, PremisesState};
pub use tenant::Tenant;
pub use terms::Terms;
