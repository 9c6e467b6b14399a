//! The rules of billing: pure, given the time, touching nothing.

pub mod account;
pub mod advance;
pub mod aging;
pub mod allocation;
pub mod bank_account;
pub mod books;
pub mod charge;
pub mod charge_type;
pub mod claims;
pub mod commission;
pub mod credit_note;
pub mod dispute;
pub mod explanation;
pub mod exposure;
pub mod incident;
pub mod interest;
pub mod invoice;
pub mod invoice_state;
pub mod lease;
pub mod ledger;
pub mod ledger_account;
pub mod ledger_transaction;
pub mod measured;
pub mod meter;
pub mod minimum;
pub mod number;
pub mod payment;
pub mod payment_instructions;
pub mod plan;
pub mod portfolio;
pub mod posting;
pub mod posting_money;
pub mod posting_rules;
pub mod price_series;
pub mod printed_invoice;
pub mod printed_statement;
pub mod rating;
pub mod reading;
pub mod reckoned;
pub mod reckoning;
pub mod rent_difference;
pub mod revenue;
pub mod roll_forward;
pub mod run;
pub mod service_level;
pub mod settlement;
pub mod simulation;
pub mod statement;
pub mod tariff;
pub mod trial_balance;
pub mod true_up;
pub mod unroll;
pub mod usage;
pub mod utility_bill;
pub mod voucher;
pub mod words;

#[cfg(test)]
mod calendar_tests;
#[cfg(test)]
mod cases;
#[cfg(test)]
pub(crate) mod sample;
