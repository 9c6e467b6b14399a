//! What is remembered: rows in and out of schema `billing`. Decides nothing.
//!
//! Every query is given the connection it runs on and the scope of its caller; row level security is the second wall
//! behind the conditions written here.

mod entity;
mod rows;

pub mod account;
pub mod advance;
pub mod books;
pub mod charge;
pub mod commission;
pub mod credit_note;
pub mod dispute;
pub mod exposure;
pub mod feed;
pub mod incident;
pub mod invoice;
pub mod late;
pub mod lease;
pub mod ledger;
pub mod listing;
pub mod meter;
pub mod number;
pub mod payment;
pub mod payment_instructions;
pub mod plan;
pub mod price_series;
pub mod reading;
pub mod receivables;
pub mod reckoning;
pub mod roll_forward;
pub mod run;
pub mod run_chunk;
pub mod settlement;
pub mod tariff;
pub mod usage;
pub mod utility_bill;

/// The schema of this service.
pub const SCHEMA: &str = "billing";

/// Rows of one INSERT: the widest table has 22 columns and a statement takes 65,535 values.
const ROWS_PER_INSERT: usize = 2_000;
