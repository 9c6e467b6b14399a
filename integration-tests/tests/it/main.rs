//! Everything that holds over the wire and in the store, in one binary: a module a journey.

mod accelerators;
mod archive;
mod as_of;
mod bad_input;
mod bad_terms;
mod bad_values;
mod billing_store;
mod booking;
mod conversion;
mod coverage;
mod doors;
mod facts;
mod feed;
mod isolation;
mod lease;
mod maintenance;
mod paging;
mod replay;
mod sagas;
mod schema;
mod server;
mod shortfalls;
mod store;
