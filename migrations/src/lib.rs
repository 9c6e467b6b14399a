#![doc = include_str!("../README.md")]

#[cfg(test)]
mod beside;
mod catalogue;
mod error;
mod files;
mod runner;

pub use catalogue::{GOLDEN, schema_sql};
pub use error::MigrationError;
pub use files::{Migration, SCHEMAS, all, fingerprint, latest};
pub use runner::{State, Status, check, status, up};
