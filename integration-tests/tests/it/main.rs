//! Everything that holds over the wire and in the store, in one binary: a module a journey.

mod bad_input;
mod bad_search;
mod bad_terms;
mod bad_values;
mod billing_store;
mod booking;
mod coverage;
mod doors;
mod feed;
mod isolation;
mod lease;
mod paging;
mod replay;
mod sagas;
mod schema;
mod search;
mod server;
mod store;
