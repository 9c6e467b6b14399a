//! Everything that holds over the wire and in the store, in one binary: a module a journey.

mod accelerators;
mod amend;
mod archive;
mod as_of;
mod bad_input;
mod bad_terms;
mod bad_values;
mod billing_store;
mod booking;
mod coverage;
mod doors;
mod encumbrances;
mod facts;
mod feed;
mod import;
mod incidents;
mod isolation;
mod lease;
mod paging;
mod replay;
mod sagas;
mod schema;
mod server;
mod store;
mod waitlist;
