//! What the tests that see the product from outside have in common.
//!
//! The tests themselves are in `tests/it`, one binary, a module a journey.

pub mod archived;
pub mod balancer;
pub mod certificates;
pub mod cluster;
pub mod database;
pub mod feed;
pub mod fleet;
pub mod fuzz;
pub mod installation;
pub mod market;
mod nominations;
pub mod raw;
pub mod refusal;
pub mod requests;
pub(crate) mod servers;
pub mod shape;
pub mod signer;
pub mod stack;
pub mod tables;
pub mod world;

pub use archived::Archived;
pub use cluster::Cluster;
pub use database::TestDatabase;
pub use installation::Installation;
pub use refusal::Refusal;
pub use stack::{TestStack, eventually};
pub use world::World;
