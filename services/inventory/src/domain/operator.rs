//! Operators: who owns sites.

use kernel::{Instant, OperatorId};
use serde::Serialize;

/// What a caller says of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OperatorDraft {
    /// Its id, chosen by the caller.
    pub operator: OperatorId,
    /// Its name.
    pub display_name: String,
    /// Other names the market knows it by.
    pub aliases: Vec<String>,
}

/// An operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Operator {
    /// What was said of it.
    pub facts: OperatorDraft,
    /// Raised by every change.
    pub revision: i64,
    /// When it was created.
    pub created_at: Instant,
    /// When it was last changed.
    pub updated_at: Instant,
}
