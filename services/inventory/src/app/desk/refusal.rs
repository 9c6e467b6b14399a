//! What the desk says no with.

use kernel::{Error, Reason, Shortfall};

use super::Order;
use crate::domain::reservation::Claim;

/// What a caller is told when the desk gives up on the store.
pub(super) fn last_word(error: &Error, nothing_done: bool) -> Error {
    if nothing_done {
        Error::refused(error.reason(), error.message().to_owned()).with_source(error.to_string())
    } else {
        Error::outcome_unknown(error.to_string())
    }
}

/// The tenant has as many open holds as it may.
pub(super) fn over_quota(order: &Order, quota: u32) -> Error {
    let subject = order.draft.tenant.as_ref().map(|tenant| format!("tenants/{tenant}")).unwrap_or_default();
    Error::refused(
        Reason::QuotaExceeded,
        format!("The tenant has {quota} holds open with this operator, as many as it may."),
    )
    .with("subject", subject)
    .with("quota", quota)
}

/// A claim does not fit: what is short, from when, by how much.
pub(super) fn exhausted(claim: &Claim, short: &Shortfall) -> Error {
    let at = short.from.to_rfc3339_opts(chrono::SecondsFormat::AutoSi, true);
    Error::refused(
        Reason::CapacityExhausted,
        format!(
            "{} is short of {} of {} from {at} on; {} are free.",
            claim.block,
            short.resource.amount(short.short_kw),
            short.resource,
            short.resource.amount(short.available_kw)
        ),
    )
    .with("block", &claim.block)
    .with("resource", short.resource)
    .with("firstShortTime", at)
    .with("shortKw", short.short_kw)
    .with("availableKw", short.available_kw)
}
