//! The pure half of a round: checking orders against memory, and turning the accepted ones into one statement.

use std::collections::HashMap;

use kernel::{BlockId, Instant, Shortfall};

use super::job::Kept;
use super::order::{Order, Placed, Waiting};
use crate::app::Wire;
use crate::store::batch::Batch;

/// What memory says of an order.
#[derive(Debug)]
pub(super) enum Check {
    /// It fits, and memory has taken it.
    Accepted(Placed),
    /// One of its blocks does not exist.
    Unknown,
    /// Its tenant has too many holds open.
    OverQuota { quota: u32 },
    /// A claim does not fit.
    Short { claim: usize, shortfall: Shortfall },
}

/// Checks orders in order of arrival; what fits is taken in memory, so that the next is checked beside it.
pub(super) fn check(
    books: &mut HashMap<BlockId, Box<Kept>>,
    orders: &[Waiting],
    open_holds: &HashMap<String, i64>,
    now: Instant,
) -> Vec<Check> {
    let mut placed_now: HashMap<&str, i64> = HashMap::new();
    let mut checks = Vec::with_capacity(orders.len());
    for waiting in orders {
        let order = &waiting.order;
        let tenant = order.draft.tenant.as_ref().map(kernel::TenantId::as_str);
        let quota_left = match (order.quota, tenant) {
            (Some(quota), Some(tenant)) => {
                let held = open_holds.get(tenant).copied().unwrap_or(0);
                let held = held + placed_now.get(tenant).copied().unwrap_or(0);
                let left = i64::from(quota) - held - 1;
                let Ok(left) = u32::try_from(left) else {
                    checks.push(Check::OverQuota { quota });
                    continue;
                };
                Some(left)
            }
            _ => None,
        };
        let check = check_one(books, order, quota_left, now);
        if let (Check::Accepted(_), Some(tenant)) = (&check, tenant) {
            *placed_now.entry(tenant).or_default() += 1;
        }
        checks.push(check);
    }
    checks
}

fn check_one(
    books: &mut HashMap<BlockId, Box<Kept>>,
    order: &Order,
    quota_left: Option<u32>,
    now: Instant,
) -> Check {
    let (id, hold_until) = (order.draft.name.reservation, now + order.hold_for);
    // Of one block it is all or nothing by itself; of several, all are asked before any is taken from.
    let alone = order.blocks.len() == 1 && !order.validate_only;
    let mut taken = order.validate_only;
    for (n, (block, claim)) in order.blocks.iter().zip(&order.draft.claims).enumerate() {
        let Some(kept) = books.get_mut(block) else { return Check::Unknown };
        let fits = if alone {
            kept.book.take_if_fits(id, &claim.profile, hold_until)
        } else {
            kept.book.fits(&claim.profile)
        };
        taken |= alone && fits;
        if !fits && let Some(shortfall) = kept.book.shortfall(&claim.profile) {
            return Check::Short { claim: n, shortfall };
        }
    }
    if !taken {
        for (block, claim) in order.blocks.iter().zip(&order.draft.claims) {
            if let Some(kept) = books.get_mut(block) {
                kept.book.take(id, &claim.profile, hold_until);
            }
        }
    }
    let mut reservation = order.draft.clone();
    reservation.created_at = now;
    reservation.updated_at = now;
    reservation.hold_until = hold_until;
    Check::Accepted(Placed { reservation, quota_left, rights: order.rights.clone() })
}

/// Forgets an order that was taken in memory and not in the store.
pub(super) fn give_back(books: &mut HashMap<BlockId, Box<Kept>>, order: &Order) {
    for block in &order.blocks {
        if let Some(kept) = books.get_mut(block) {
            kept.book.give_back(order.draft.name.reservation);
        }
    }
}

/// The accepted orders as one statement.
pub(super) fn batch(
    books: &mut HashMap<BlockId, Box<Kept>>,
    accepted: &[(Waiting, Placed)],
    wire: &Wire,
) -> Batch {
    let mut touched: Vec<BlockId> =
        accepted.iter().flat_map(|(waiting, _)| waiting.order.blocks.iter().copied()).collect();
    touched.sort_unstable();
    touched.dedup();
    let mut batch = Batch::with_room(touched.len(), accepted.len());
    batch.claims.resize(touched.len(), 0);
    for block in &touched {
        batch.blocks.push(block.get());
        if let Some(kept) = books.get_mut(block) {
            let declared = kept.book.declare();
            batch.versions.push(kept.book.version());
            batch.peaks.push(declared.peak);
            batch.added.push(kept.added);
            batch.rooms.push(declared.room);
            batch.grown.push(declared.grown);
        }
    }
    for (n, (waiting, placed)) in (1..).zip(accepted) {
        let (order, reservation) = (&waiting.order, &placed.reservation);
        batch.rpc = order.key.rpc;
        batch.reservations.push(reservation.name.reservation.get());
        batch.tenants.push(reservation.tenant.as_ref().map(ToString::to_string));
        batch.kinds.push(reservation.kind.as_str());
        batch.hold_until.push(reservation.hold_until);
        batch.notes.push(reservation.note.clone());
        batch.callers.push(order.key.caller.clone());
        batch.requests.push(order.key.request_id);
        batch.hashes.push(order.key.hash.to_vec());
        batch.deeds.push(order.key.deed());
        let (reply, told) = (wire.placed)(placed);
        batch.replies.push(reply);
        batch.events.push(order.event);
        batch.payloads.push(told);
        for (block, claim) in order.blocks.iter().zip(&reservation.claims) {
            // Blocks are in `touched` by construction.
            let index = touched.binary_search(block).unwrap_or(0);
            for (interval, kw) in claim.profile.pieces() {
                batch.claims[index] += 1;
                batch.claim_reservation.push(n);
                batch.claim_block.push(i32::try_from(index + 1).unwrap_or(i32::MAX));
                batch.claim_ordinal.push(batch.claims[index]);
                batch.starts.push(interval.start());
                batch.ends.push(interval.end());
                batch.kw.push(kw);
            }
        }
    }
    batch
}
