//! Everything that holds over the wire and in the store, in one binary: a module a journey.

mod feed;
mod schema;
mod server;
mod store;
