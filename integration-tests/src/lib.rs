//! What the tests that see the product from outside have in common.
//!
//! The tests themselves are in `tests/it`, one binary, a module a journey.

pub mod database;

pub use database::TestDatabase;
