//! What a lease is and how it may change. Decides, touches nothing.

pub mod bid;
pub mod capacity_request;
pub mod card_state;
pub mod comparison;
pub mod contract;
pub mod deadline;
pub mod delivery;
pub mod draft;
pub mod exact;
pub mod findings;
pub mod lease;
pub mod lease_years;
pub mod life;
pub mod market_state;
pub mod mining;
pub mod opportunity;
pub mod order_form;
pub mod orders;
pub mod passing;
pub mod premises;
pub mod quote;
pub mod quote_hold;
pub mod quote_record;
pub mod rate_card;
pub mod record;
mod redraft;
pub mod schedule;
pub mod state;
pub mod tenant;
pub mod terms;
#[cfg(test)]
pub(crate) mod testing;

pub use bid::Bid;
pub use capacity_request::CapacityRequest;
pub use draft::{Checked, Draft};
pub use findings::Findings;
pub use lease::{Claim, Hold, Lease, Party, Premises, Proposal, Signatory, Signature, Signing};
pub use life::{Actor, Command, Happened};
pub use market_state::{BidState, RequestState};
pub use opportunity::Opportunity;
pub use rate_card::{CardState, RateCard};
pub use record::TermsHash;
pub use schedule::{ScheduleLine, Value};
pub use state::{LeaseState, PremisesState};
pub use tenant::Tenant;
pub use terms::Terms;
