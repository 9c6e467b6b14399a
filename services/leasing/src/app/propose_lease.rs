//! Proposing: durable intent, then the hold, then its record. Whoever dies in between, the sweeper goes on.

use kernel::{Caller, Error, LeaseId, LeaseName, OperatorId, Organisation, QuoteName, TenantName, Uuid};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;

use super::agreements::still_takes_orders;
use super::quotes::rpc_of;
use super::requests::{Earlier, Sagas, in_progress, is_nothing_done};
use super::{App, Hands, View, kind, rpc};
use crate::domain::quote_record::QuoteState;
use crate::domain::{Checked, Hold, Lease, LeaseState, Proposal};
use crate::store::{self, Intent, SCHEMA};

/// What a proposal asks for.
#[derive(Clone, Debug)]
pub struct ProposeLease {
    /// Who would give the capacity.
    pub operator: OperatorId,
    /// The name it should have; none lets us choose.
    pub lease: Option<LeaseId>,
    /// The quote that it takes up, if it does.
    pub of_quote: Option<OfQuote>,
    /// Who would take it.
    pub tenant: TenantName,
    /// The terms, every rule checked.
    pub terms: Checked,
    /// How long to hold, in seconds.
    pub hold_seconds: i64,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// A quote that is being taken up.
#[derive(Clone, Debug)]
pub struct OfQuote {
    /// The quote.
    pub name: QuoteName,
    /// As it was when it was taken up: another one takes up nothing.
    pub revision: i64,
    /// The parent of the lease's derived request ids, where the quote holds its capacity; none is a new one.
    pub uid: Option<Uuid>,
}

/// What a repetition must repeat.
#[derive(Serialize)]
struct Fingerprint<'a> {
    lease: Option<&'a LeaseId>,
    tenant: &'a TenantName,
    terms: String,
    hold_seconds: i64,
}

/// What became of the attempt to record an intent.
enum Recorded {
    Begun,
    Earlier(Earlier),
    NameTaken,
}

/// What the last transaction found.
enum Outcome {
    Done(Box<View>),
    Answered(Vec<u8>),
    Gone,
}

impl App {
    /// Proposes a lease: PROPOSED with its capacity held, or nothing at all.
    ///
    /// # Errors
    /// Inventory's refusal, unchanged; `RESOURCE_NOT_FOUND` for a tenant or site that the caller may not see;
    /// `NAME_TAKEN`; what a request id is refused with; `PEER_UNAVAILABLE` and its like leave the outcome to the
    /// sweeper: the same request id finds it.
    pub async fn propose_lease(&self, caller: &Caller, command: ProposeLease) -> Result<Answer<View>, Error> {
        let scope = caller.scope_of_operator(&command.operator)?;
        let organisation = caller.effective_organisation();
        if matches!(organisation, Organisation::Tenant(own) if *own != command.tenant.tenant) {
            return Err(Error::not_found("tenant"));
        }
        let hands = Hands { db: &self.db, scope: &scope };
        let key = key_of(caller, &command)?;
        if !command.validate_only
            && let Some(reply) = self.answered(hands, Sagas::Leases(&command.operator), &key).await?
        {
            return Ok(Answer::Replayed(reply));
        }
        self.must_know_tenant(hands, &command.tenant).await?;
        let terms = self.under_agreement(hands, &command.tenant, command.terms).await?;
        let zones = self.inventory.zones(organisation, terms.sites()).await?;
        let of_quote = command.of_quote.as_ref();
        let uid = of_quote.and_then(|quote| quote.uid).unwrap_or_else(|| self.ids.next());
        let proposal = Proposal {
            name: self.lease_name(&command.operator, command.lease.clone())?,
            uid,
            tenant: command.tenant.clone(),
            terms: terms.in_zones(&zones).ok_or_else(|| Error::internal("a site without a zone"))?,
            hold_seconds: command.hold_seconds,
        };
        let (lease, terms) = Lease::propose(proposal, self.now())?;
        if command.validate_only {
            return self.would_propose(hands, organisation, lease).await.map(Answer::Fresh);
        }
        let intent = Intent { key };
        failpoint("leasing.propose.before_intent")?;
        if let Some(reply) = self.begin(hands, &lease, &terms, &intent, of_quote).await? {
            return Ok(Answer::Replayed(reply));
        }
        failpoint("leasing.propose.after_intent")?;
        self.finish_proposal(hands, organisation, lease, &intent).await
    }

    pub(super) async fn must_know_tenant(&self, hands: Hands<'_>, tenant: &TenantName) -> Result<(), Error> {
        let known = hands
            .db
            .read("find_tenant", hands.scope, |tx| async move {
                let found = store::find_tenant(tx.conn(), &tenant.tenant).await?;
                Ok((tx, found.is_some()))
            })
            .await?;
        if known { Ok(()) } else { Err(Error::not_found("tenant")) }
    }

    /// Fails as the proposal would, as far as can be known without doing it.
    pub(super) async fn would_propose(
        &self,
        hands: Hands<'_>,
        organisation: &Organisation,
        lease: Lease,
    ) -> Result<View, Error> {
        let name = &lease.name;
        let taken = hands
            .db
            .read("find_lease", hands.scope, |tx| async move {
                let found = store::load(tx.conn(), name).await?;
                Ok((tx, found.is_some()))
            })
            .await?;
        if taken {
            return Err(Error::name_taken("lease"));
        }
        if !lease.claims().is_empty() {
            self.inventory.check_hold(organisation, &lease).await?;
        }
        View::of(lease)
    }

    /// The name that is wanted, or one of ours.
    pub(super) fn lease_name(
        &self,
        operator: &OperatorId,
        wanted: Option<LeaseId>,
    ) -> Result<LeaseName, Error> {
        let id = match wanted {
            Some(id) => id,
            None => LeaseId::new(&self.ids.next().to_string()).map_err(Error::internal)?,
        };
        Ok(LeaseName::new(operator.clone(), id))
    }

    /// Records the intent; the reply of an earlier attempt, if there was one.
    pub(super) async fn begin(
        &self,
        hands: Hands<'_>,
        lease: &Lease,
        terms: &[u8],
        intent: &Intent,
        of_quote: Option<&OfQuote>,
    ) -> Result<Option<Vec<u8>>, Error> {
        match self.record_intent(hands, lease, terms, intent, of_quote).await? {
            Recorded::Begun => Ok(None),
            Recorded::NameTaken => Err(Error::name_taken("lease")),
            Recorded::Earlier(Earlier::Answered(reply)) => Ok(Some(reply)),
            Recorded::Earlier(_) => {
                let reply = self.answered(hands, Sagas::Leases(&lease.name.operator), &intent.key).await?;
                // Where the other attempt was refused meanwhile, this one may begin when it is sent again.
                reply.map(Some).ok_or_else(in_progress)
            }
        }
    }

    async fn record_intent(
        &self,
        hands: Hands<'_>,
        lease: &Lease,
        terms: &[u8],
        intent: &Intent,
        of_quote: Option<&OfQuote>,
    ) -> Result<Recorded, Error> {
        hands
            .db
            .in_tx("propose_lease_intent", hands.scope, |tx| async move {
                let before = Sagas::Leases(&lease.name.operator).earlier(&tx, &intent.key).await?;
                if before != Earlier::None {
                    return Ok((tx, Recorded::Earlier(before)));
                }
                if let Some(quote) = of_quote {
                    still_taken_up(&tx, quote).await?;
                }
                still_takes_orders(&tx, lease).await?;
                if store::insert(tx.conn(), lease, terms.to_vec(), intent).await? {
                    return Ok((tx, Recorded::Begun));
                }
                // Either the name, or the same request in another transaction that has just committed.
                let now = Sagas::Leases(&lease.name.operator).earlier(&tx, &intent.key).await?;
                let taken = if now == Earlier::None { Recorded::NameTaken } else { Recorded::Earlier(now) };
                Ok((tx, taken))
            })
            .await
    }

    /// From the recorded intent to the end: also the sweeper's way.
    pub(crate) async fn finish_proposal(
        &self,
        hands: Hands<'_>,
        organisation: &Organisation,
        lease: Lease,
        intent: &Intent,
    ) -> Result<Answer<View>, Error> {
        let hold = self.hold_or_give_up(hands, organisation, &lease).await?;
        failpoint("leasing.propose.after_hold")?;
        let outcome = self.record_hold(hands, &lease, hold, intent).await?;
        failpoint("leasing.propose.after_record")?;
        match outcome {
            Outcome::Done(view) => {
                self.feed.notify();
                Ok(Answer::Fresh(*view))
            }
            Outcome::Answered(reply) => Ok(Answer::Replayed(reply)),
            // Refused to another worker of this saga a moment ago; the follower gives the late hold back.
            Outcome::Gone => Err(in_progress()),
        }
    }

    /// The hold for a recorded intent, or the end of the intent where inventory refuses it; none where nothing is taken yet.
    pub(super) async fn hold_or_give_up(
        &self,
        hands: Hands<'_>,
        organisation: &Organisation,
        lease: &Lease,
    ) -> Result<Option<Hold>, Error> {
        if lease.claims().is_empty() {
            return Ok(None);
        }
        let held = self.inventory.place_hold(organisation, lease).await;
        if let Err(refusal) = &held
            && is_nothing_done(refusal.reason())
        {
            self.give_up(hands, lease).await?;
        }
        held.map(Some)
    }

    /// Nothing was held: the intent disappears, and its name is free again. If the feed has told of a hold meanwhile,
    /// the intent stays and the sweeper asks again.
    async fn give_up(&self, hands: Hands<'_>, lease: &Lease) -> Result<(), Error> {
        hands
            .db
            .in_tx("propose_lease_refused", hands.scope, |tx| async move {
                store::delete_intent(tx.conn(), lease).await?;
                Ok((tx, ()))
            })
            .await
    }

    async fn record_hold(
        &self,
        hands: Hands<'_>,
        lease: &Lease,
        hold: Option<Hold>,
        intent: &Intent,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        hands
            .db
            .in_tx("propose_lease_held", hands.scope, |tx| async move {
                let stored = store::lock(tx.conn(), &lease.name).await?;
                let Some(mut lease) = stored.filter(|stored| stored.uid == lease.uid) else {
                    return Ok((tx, Outcome::Gone));
                };
                if lease.state != LeaseState::Proposing {
                    let reply = idempotency::find(tx.conn(), SCHEMA, &intent.key).await?;
                    return Ok((tx, reply.map_or(Outcome::Gone, Outcome::Answered)));
                }
                let from = lease.revision;
                lease.held(hold, now)?;
                store::save(tx.conn(), &lease, from, None).await?;
                let view = View::of(lease)?;
                self.tell(&tx, kind::PROPOSED, &view).await?;
                idempotency::record(tx.conn(), SCHEMA, &intent.key, &(self.wire.proposed)(&view)).await?;
                Ok((tx, Outcome::Done(Box::new(view))))
            })
            .await
    }
}

/// Another worker may have put the quote back on the table: locked, it stays as it is until the intent is there, and
/// whoever would put it back sees the intent.
async fn still_taken_up(tx: &Tx, expected: &OfQuote) -> Result<(), Error> {
    let found = store::lock_quote(tx.conn(), &expected.name, rpc_of).await?;
    match found {
        Some((quote, _)) if quote.revision == expected.revision && quote.state == QuoteState::Accepting => {
            Ok(())
        }
        Some((quote, _)) => Err(Error::invalid_transition("quote", quote.state, QuoteState::Accepted)),
        None => Err(Error::not_found("quote")),
    }
}

fn key_of(caller: &Caller, command: &ProposeLease) -> Result<RequestKey, Error> {
    let fingerprint = Fingerprint {
        lease: command.lease.as_ref(),
        tenant: &command.tenant,
        terms: command.terms.fingerprint(&command.operator, &command.tenant)?,
        hold_seconds: command.hold_seconds,
    };
    let owner = format!("operators/{}", command.operator);
    RequestKey::new(owner, caller, rpc::PROPOSE, command.request_id, &fingerprint)
}
