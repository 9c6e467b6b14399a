//! What amending, splitting and merging have in common: read, decide what is to be, lock every block that is touched
//! before or after, judge in the pure domain, write in the same transaction. The old is kept if the new does not fit.

use std::collections::BTreeMap;

use kernel::{
    BlockId, BlockName, Caller, Error, Instant, OperatorId, Organisation, Reason, ReservationId,
    ReservationName, Role, Scope, TenantId, Uuid,
};
use postgres::{Answer, RequestKey, idempotency};
use serde::Serialize;

use super::desk::refusal;
use super::expire_holds::Expirer;
use super::{App, scope_of};
use crate::domain::amendment::{BlockChange, Verdict, totals};
use crate::domain::book::BlockBook;
use crate::domain::reservation::{Claim, Kind, Reservation};
use crate::domain::states::Deed;
use crate::store::desk::BlockState;
use crate::store::rewrites::{self, Added, BlockWrite, Changed, Rewritten};
use crate::store::{SCHEMA, reservations};

/// Tries while others change the same reservations.
const TRIES: u32 = 8;
/// How often holds in the way are written off; what still stands there does so by the database's own word.
const EXPIRIES_MAX: u32 = 3;

/// What reservations are to become.
#[derive(Debug)]
pub(super) struct Rewrite {
    /// Each that changes, before and after.
    pub(super) changed: Vec<(Reservation, Reservation)>,
    /// Those that come of the first of them.
    pub(super) added: Vec<Reservation>,
}

/// How one kind of change is named, decided and answered.
pub(super) struct How<'a> {
    pub(super) rpc: &'static str,
    pub(super) event: &'static str,
    /// The reservations that are read; the first is the one that the etag is of.
    pub(super) names: &'a [ReservationName],
    pub(super) request_id: Uuid,
    pub(super) validate_only: bool,
    /// From the reservations as they are and the database's time.
    pub(super) plan: &'a (dyn Fn(Vec<Reservation>, Instant) -> Result<Rewrite, Error> + Send + Sync),
    pub(super) reply: &'a (dyn Fn(&[Reservation]) -> Vec<u8> + Send + Sync),
}

enum Found {
    Reply(Vec<u8>),
    Reservations(Vec<Reservation>, Instant),
}

enum Outcome {
    Done,
    Changed,
    InTheWay(Vec<ReservationId>),
}

impl Rewrite {
    /// The reservations that take something afterwards.
    fn living(&self) -> impl Iterator<Item = &Reservation> {
        let changed = self.changed.iter().map(|(_, after)| after);
        changed.chain(&self.added).filter(|after| after.state.is_live())
    }

    /// What changes on each block that is touched.
    fn changes(&self) -> BTreeMap<BlockName, BlockChange> {
        let mut changes: BTreeMap<BlockName, BlockChange> = BTreeMap::new();
        for (before, _) in &self.changed {
            for claim in &before.claims {
                let change = changes.entry(claim.block.clone()).or_default();
                change.reservations.push(before.name.reservation);
            }
        }
        for (block, total) in totals(self.changed.iter().flat_map(|(before, _)| &before.claims)) {
            changes.entry(block).or_default().before = total;
        }
        for (block, total) in totals(self.living().flat_map(|after| &after.claims)) {
            changes.entry(block).or_default().after = total;
        }
        changes
    }

    fn claims(&self) -> impl Iterator<Item = (ReservationId, &Claim)> {
        self.living().flat_map(|after| after.claims.iter().map(|claim| (after.name.reservation, claim)))
    }
}

/// The deed of whoever changes what a reservation takes: of what is firm only the service may.
pub(super) fn deed_of(caller: &Caller) -> Deed {
    if caller.has_role(Role::Service) { Deed::Revise } else { Deed::Amend }
}

/// Refuses what is another's to change: what a lease stands on is its service's, and tenants have holds only.
pub(super) fn may_rewrite(caller: &Caller, rpc: &'static str, found: &Reservation) -> Result<(), Error> {
    let tenant = matches!(caller.effective_organisation(), Organisation::Tenant(_));
    match found.kind {
        _ if caller.has_role(Role::Service) => Ok(()),
        Kind::Hold => Ok(()),
        Kind::Option | Kind::OperatorUse if !tenant => Ok(()),
        Kind::Lease | Kind::Option | Kind::OperatorUse => {
            let role = if tenant { Role::Tenant } else { Role::OperatorAdmin };
            Err(Error::role_not_allowed(rpc, role))
        }
    }
}

impl App {
    /// Does it once for a request id.
    pub(super) async fn rewrite_reservations<C: Serialize + Sync>(
        &self,
        caller: &Caller,
        command: &C,
        how: How<'_>,
    ) -> Result<Answer<Vec<Reservation>>, Error> {
        let operator = how.names.first().map(|name| &name.operator);
        let operator = operator.ok_or_else(|| Error::not_found("reservation"))?;
        let scope = scope_of(caller, operator, "reservation")?;
        let owner = format!("operators/{operator}");
        let key = RequestKey::new(owner, caller, how.rpc, how.request_id, command)?;
        let (mut expiries, mut unknown) = (0, None);
        for _ in 0..TRIES {
            let (found, now) = match self.find_reply_or_reservations(&scope, &how, &key).await? {
                Found::Reply(reply) => return Ok(Answer::Replayed(reply)),
                Found::Reservations(found, now) => (found, now),
            };
            for one in &found {
                may_rewrite(caller, how.rpc, one)?;
            }
            let rewrite = (how.plan)(found, now)?;
            let may_expire = expiries < EXPIRIES_MAX;
            match self.rewrite_once(operator, caller, &rewrite, &how, &key, (now, may_expire)).await {
                Ok(Outcome::Done) => {
                    self.feed.notify();
                    return Ok(Answer::Fresh(rewrite.living().cloned().collect()));
                }
                Ok(Outcome::Changed) => {}
                Ok(Outcome::InTheWay(lapsed)) => {
                    expiries += 1;
                    let expirer =
                        Expirer::for_requests(self.db.clone(), std::sync::Arc::clone(&self.ids), self.wire);
                    expirer.expire(operator, &lapsed).await?;
                }
                // It may have been done all the same: the key tells, at the next look.
                Err(error) if error.reason() == Reason::OutcomeUnknown => unknown = Some(error),
                Err(error) if error.reason() == Reason::CapacityExhausted => {
                    let asked: Vec<Claim> = rewrite.claims().map(|(_, claim)| claim.clone()).collect();
                    return Err(self.with_alternatives(&scope, &asked, error).await);
                }
                Err(error) => return Err(error),
            }
        }
        Err(unknown.unwrap_or_else(Error::transaction_conflict))
    }

    async fn find_reply_or_reservations(
        &self,
        scope: &Scope,
        how: &How<'_>,
        key: &RequestKey,
    ) -> Result<Found, Error> {
        let names = how.names;
        let ids: Vec<ReservationId> = names.iter().map(|name| name.reservation).collect();
        let (operator, ids) = (&names[0].operator, &ids);
        let found = self
            .db
            .read("read_to_rewrite", scope, |tx| async move {
                // The right first: whoever cannot see the reservations does not get the old reply either.
                let mut found = reservations::of_ids(&tx, operator, ids).await?;
                if found.len() < ids.len() {
                    return Ok((tx, None));
                }
                found.sort_by_key(|one| ids.iter().position(|id| *id == one.name.reservation));
                let now = reservations::database_now(&tx).await?;
                let reply = idempotency::find(tx.conn(), SCHEMA, key).await?;
                let latest = found.iter().map(|one| one.updated_at).fold(now, Instant::max);
                Ok((tx, Some(reply.map_or(Found::Reservations(found, latest), Found::Reply))))
            })
            .await?;
        found.ok_or_else(|| Error::not_found("reservation"))
    }

    async fn rewrite_once(
        &self,
        operator: &OperatorId,
        caller: &Caller,
        rewrite: &Rewrite,
        how: &How<'_>,
        key: &RequestKey,
        (now, may_expire): (Instant, bool),
    ) -> Result<Outcome, Error> {
        let changes = rewrite.changes();
        let names: Vec<&BlockName> = changes.keys().collect();
        let ids = self.directory.find(&self.db, operator, &names).await?;
        let blocks: BTreeMap<&BlockName, BlockId> = names.into_iter().zip(ids).collect();
        let mut in_order: Vec<BlockId> = blocks.values().copied().collect();
        in_order.sort_unstable();
        let living: Vec<Reservation> = rewrite.living().cloned().collect();
        let reply = (how.reply)(&living);
        let limited = limited_tenant(caller, rewrite);
        let (in_order, blocks, changes, reply) = (&in_order, &blocks, &changes, &reply);
        runtime::failpoint("inventory.rewrite.before")?;
        let outcome = self
            .db
            .in_tx("rewrite_reservations", &Scope::Operator(operator.clone()), |tx| async move {
                let states = rewrites::lock_and_read(&tx, operator, in_order).await?;
                let writes = match judge(states, blocks, changes, now, may_expire, rewrite)? {
                    Judged::Fits(writes) => writes,
                    Judged::InTheWay(lapsed) => return Ok((tx, Outcome::InTheWay(lapsed))),
                };
                if let Some(tenant) = limited {
                    let added = i64::try_from(rewrite.added.len()).unwrap_or(i64::MAX);
                    let open = rewrites::open_holds(&tx, operator, tenant).await?;
                    if open.saturating_add(added) > i64::from(self.quota_open_holds) {
                        return Err(refusal::over_quota(Some(tenant), self.quota_open_holds));
                    }
                }
                if how.validate_only {
                    return Ok((tx, Outcome::Done));
                }
                let document =
                    self.document(operator, (now, key, reply, how.event), &writes, blocks, rewrite);
                if rewrites::apply(&tx, &document).await? == Rewritten::Changed {
                    return Ok((tx, Outcome::Changed));
                }
                // Who is short of what goes by reservation, and those are others now.
                for (name, block) in blocks {
                    self.renew_shortfalls(&tx, name, *block, now).await?;
                }
                Ok((tx, Outcome::Done))
            })
            .await?;
        runtime::failpoint("inventory.rewrite.after")?;
        Ok(outcome)
    }

    fn document<'a>(
        &self,
        operator: &'a OperatorId,
        (now, key, reply, event): (Instant, &'a RequestKey, &'a [u8], &'static str),
        writes: &'a [BlockWrite],
        blocks: &BTreeMap<&BlockName, BlockId>,
        rewrite: &'a Rewrite,
    ) -> rewrites::Rewrite<'a> {
        let payload = self.wire.reservation;
        let changed = rewrite.changed.iter().map(|(before, after)| Changed {
            before,
            after,
            payload_before: payload(before),
            payload: payload(after),
            event: self.ids.next(),
        });
        let of = rewrite.changed.first().map(|(before, _)| before.name.reservation);
        let added = rewrite.added.iter().zip(std::iter::repeat(of)).filter_map(|(new, of)| {
            Some(Added { new, of: of?, payload: payload(new), event: self.ids.next() })
        });
        let claims = rewrite.claims().filter_map(|(reservation, claim)| {
            Some((reservation, *blocks.get(&claim.block)?, &claim.profile))
        });
        rewrites::Rewrite {
            operator,
            now,
            event,
            key,
            reply,
            blocks: writes,
            changed: changed.collect(),
            added: added.collect(),
            claims: claims.collect(),
        }
    }
}

/// The tenant whose open holds become more by its own doing.
fn limited_tenant<'a>(caller: &Caller, rewrite: &'a Rewrite) -> Option<&'a TenantId> {
    let own = matches!(caller.effective_organisation(), Organisation::Tenant(_));
    let limited = own && !caller.has_role(Role::Service) && !rewrite.added.is_empty();
    rewrite.changed.first().filter(|_| limited).and_then(|(before, _)| before.tenant.as_ref())
}

enum Judged {
    Fits(Vec<BlockWrite>),
    InTheWay(Vec<ReservationId>),
}

/// Judges every block as it was read under its lock.
fn judge(
    states: Vec<BlockState>,
    blocks: &BTreeMap<&BlockName, BlockId>,
    changes: &BTreeMap<BlockName, BlockChange>,
    now: Instant,
    may_expire: bool,
    rewrite: &Rewrite,
) -> Result<Judged, Error> {
    let mut states: BTreeMap<BlockId, BlockState> =
        states.into_iter().map(|state| (state.block, state)).collect();
    let mut writes = Vec::with_capacity(changes.len());
    for (name, change) in changes {
        let block = blocks.get(name).copied().ok_or_else(|| Error::not_found("block"))?;
        let state = states.remove(&block).ok_or_else(|| Error::not_found("block"))?;
        let book = BlockBook::new(state.version, state.capacity, &state.claims);
        match change.judge(book, now) {
            Verdict::Fits(peak) => writes.push(BlockWrite { block, version: state.version, peak }),
            Verdict::Short { lapsed, .. } if may_expire && !lapsed.is_empty() => {
                return Ok(Judged::InTheWay(lapsed));
            }
            Verdict::Short { shortfall, .. } => {
                let claim = rewrite.claims().map(|(_, claim)| claim).find(|claim| claim.block == *name);
                let claim = claim.ok_or_else(|| Error::not_found("block"))?;
                return Err(refusal::exhausted(claim, &shortfall));
            }
        }
    }
    Ok(Judged::Fits(writes))
}

/// The one reservation of an answer that has one.
pub(super) fn only(answer: Answer<Vec<Reservation>>) -> Result<Answer<Reservation>, Error> {
    match answer {
        Answer::Fresh(found) => {
            let one = found.into_iter().next();
            one.map(Answer::Fresh).ok_or_else(|| Error::internal("an answer without its reservation"))
        }
        Answer::Replayed(reply) => Ok(Answer::Replayed(reply)),
    }
}
