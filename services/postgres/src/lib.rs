#![doc = include_str!("../README.md")]

pub mod audit;
mod db;
pub mod embedded;
mod entity;
mod error;
pub mod idempotency;
mod meters;
pub mod outbox;
pub mod page;
mod rows;
mod settings;
mod silence;
mod tx;

pub use db::Db;
pub use error::{is_unique_violation, sqlx_error, store_error, violated_constraint};
pub use idempotency::{Answer, Once, RequestKey};
pub use meters::{PoolUse, TransactionLabels, TransactionMeters, TransactionName};
pub use outbox::{Cursor, NewEvent, StoredEvent};
pub use rows::insert_all;
pub use settings::{Secret, Settings};
pub use silence::heard;
pub use tx::Tx;

/// A SHA-256 as its bytes.
fn sha256_bytes(digest: aws_lc_rs::digest::Digest) -> [u8; 32] {
    let mut out = [0; 32];
    out.copy_from_slice(digest.as_ref());
    out
}
