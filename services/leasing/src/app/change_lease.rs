//! What a side says about a lease that is agreed: one transaction, or, where its reservation must take more first, a saga
//! of intent, inventory's word and record.

use kernel::{Caller, Error, LeaseName, Organisation, Reason, Uuid};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;

use super::assignment::assignee_is_known;
use super::new_blocks::settled_by_phases;
use super::requests::{Earlier, Sagas, in_progress, is_nothing_done, is_refusal};
use super::sign_lease::Verdict;
use super::{App, Hands, View, kind};
use crate::domain::life::Pending;
use crate::domain::{Actor, Command, Happened, Hold, Lease, Party};
use crate::store::{self, Intent, SCHEMA};

/// What is said about a lease.
#[derive(Clone, Debug)]
pub struct ChangeLease {
    /// The lease.
    pub name: LeaseName,
    /// What is said.
    pub command: Command,
    /// What was read; empty is not checked.
    pub etag: String,
    /// Where it came from; empty where nobody knows. No part of what a repetition must repeat.
    pub peer_address: String,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// What a repetition must repeat.
#[derive(Serialize)]
struct Fingerprint<'a> {
    name: &'a LeaseName,
    command: &'a Command,
    etag: &'a str,
}

/// What the first transaction did.
enum Taken {
    Done(Box<View>),
    /// Inventory must agree first.
    Asked(Box<Lease>),
    Earlier(Earlier),
}

impl Command {
    /// The RPC that says it.
    pub(crate) fn rpc(&self) -> &'static str {
        match self {
            Self::Satisfy { .. } => super::rpc::SATISFY,
            Self::Accept { .. } => super::rpc::ACCEPT,
            Self::Notify { .. } => super::rpc::NOTICE,
            Self::Terminate { .. } => super::rpc::TERMINATE,
            Self::ProposeAmendment { .. } => super::rpc::PROPOSE_AMENDMENT,
            Self::SignAmendment { .. } => super::rpc::SIGN_AMENDMENT,
            Self::WithdrawAmendment => super::rpc::WITHDRAW_AMENDMENT,
            Self::Renew { .. } | Self::Expand { .. } => super::rpc::EXERCISE,
            Self::Nominate { .. } => super::rpc::NOMINATE,
            Self::BeginHoldover { .. } => super::rpc::BEGIN_HOLDOVER,
            Self::EndHoldover { .. } => super::rpc::END_HOLDOVER,
            Self::RequestAssignment { .. } => super::rpc::REQUEST_ASSIGNMENT,
            Self::ConsentToAssignment { .. } => super::rpc::CONSENT_TO_ASSIGNMENT,
            Self::DeclineAssignment => super::rpc::DECLINE_ASSIGNMENT,
        }
    }
}

impl App {
    /// Does what the caller's side says.
    ///
    /// # Errors
    /// What [`Lease::obey`] refuses; `ETAG_MISMATCH`, `RESOURCE_NOT_FOUND`; what a request id is refused with; where the
    /// reservation must take more first, inventory's refusal, `PEER_UNAVAILABLE` and its like.
    pub async fn change_lease(&self, caller: &Caller, change: ChangeLease) -> Result<Answer<View>, Error> {
        let by = &actor(caller, &change.peer_address)?;
        let scope =
            &caller.scope_of_operator(&change.name.operator).map_err(|_| Error::not_found("lease"))?;
        let hands = Hands { db: &self.db, scope };
        let intent = Intent { key: key_of(caller, &change)? };
        let change = &match self.with_new_blocks(caller, hands, change, &intent).await? {
            Ok(change) => change,
            Err(reply) => return Ok(Answer::Replayed(reply)),
        };
        if change.validate_only {
            return self.would_change(caller, change, by).await;
        }
        if matches!(change.command, Command::Nominate { .. }) {
            // A hall that is not there or not free is refused before it is written that it is wanted.
            self.would_change(caller, change, by).await?;
        }
        match self.take_change(hands, change, by, &intent).await? {
            Taken::Done(view) => {
                failpoint("leasing.change.after_record")?;
                self.feed.notify();
                Ok(Answer::Fresh(*view))
            }
            Taken::Asked(lease) => {
                failpoint("leasing.change.after_intent")?;
                self.finish_change(hands, &lease, &intent).await
            }
            Taken::Earlier(Earlier::Answered(reply)) => Ok(Answer::Replayed(reply)),
            Taken::Earlier(_) => {
                let sagas = Sagas::Leases(&change.name.operator);
                let reply = self.answered(hands, sagas, &intent.key).await?;
                reply.map(Answer::Replayed).ok_or_else(in_progress)
            }
        }
    }

    async fn would_change(
        &self,
        caller: &Caller,
        change: &ChangeLease,
        by: &Actor,
    ) -> Result<Answer<View>, Error> {
        let before = self.get_lease(caller, &change.name).await?.lease;
        before.check_etag(&change.etag)?;
        let mut lease = before.clone();
        lease.obey(&change.command, by, self.now())?;
        self.db
            .read("find_assignee", &caller.scope(), |tx| async {
                assignee_is_known(&tx, &before, &change.command).await?;
                Ok((tx, ()))
            })
            .await?;
        let amended = match change.command {
            Command::ProposeAmendment { .. } | Command::SignAmendment { .. } => {
                lease.as_amended(self.now())?
            }
            _ => None,
        };
        let wanted = amended.as_ref().unwrap_or(&lease);
        if wanted.takes_more_than(&before) {
            self.inventory.check_claims(&before, wanted).await?;
        }
        View::of(lease).map(Answer::Fresh)
    }

    async fn take_change(
        &self,
        hands: Hands<'_>,
        change: &ChangeLease,
        by: &Actor,
        intent: &Intent,
    ) -> Result<Taken, Error> {
        let now = self.now();
        failpoint("leasing.change.before_intent")?;
        hands
            .db
            .in_tx("change_lease", hands.scope, |tx| async move {
                // The lock first: a repetition that waited for it finds the answer behind it.
                let stored = store::lock(tx.conn(), &change.name).await?;
                let before = Sagas::Leases(&change.name.operator).earlier(&tx, &intent.key).await?;
                if before != Earlier::None {
                    return Ok((tx, Taken::Earlier(before)));
                }
                let before = stored.ok_or_else(|| Error::not_found("lease"))?;
                before.check_etag(&change.etag)?;
                if before.life.pending.is_some() {
                    return Err(in_progress());
                }
                let mut lease = before.clone();
                let happened = lease.obey(&change.command, by, now)?;
                assignee_is_known(&tx, &before, &change.command).await?;
                if lease.takes_more_than(&before) {
                    let asked = self.ask_first(&tx, before, change, by, intent).await?;
                    return Ok((tx, Taken::Asked(Box::new(asked))));
                }
                lease.life.claims_due |= !lease.takes_as(&before);
                let view = self.record_change(&tx, lease, before.revision, happened).await?;
                let reply = (self.wire.changed)(&view);
                idempotency::record(tx.conn(), SCHEMA, &intent.key, &reply).await?;
                Ok((tx, Taken::Done(Box::new(view))))
            })
            .await
    }

    /// Records what is wanted, and nothing else: no revision, no event.
    async fn ask_first(
        &self,
        tx: &Tx,
        mut lease: Lease,
        change: &ChangeLease,
        by: &Actor,
        intent: &Intent,
    ) -> Result<Lease, Error> {
        let (command, by, time) = (change.command.clone(), by.clone(), self.now());
        lease.life.claims_no += 1;
        lease.life.pending = Some(Pending { command, by, time });
        store::save(tx.conn(), &lease, lease.revision, Some(intent)).await?;
        Ok(lease)
    }

    /// Writes a changed lease with its blocks and its event.
    pub(crate) async fn record_change(
        &self,
        tx: &Tx,
        lease: Lease,
        from: i64,
        happened: Happened,
    ) -> Result<View, Error> {
        store::save(tx.conn(), &lease, from, None).await?;
        let lease = match happened {
            Happened::Amended | Happened::Expanded | Happened::Nominated => {
                store::add_version(tx.conn(), &lease).await?;
                settled_by_phases(tx, lease).await?
            }
            _ => {
                store::save_premises(tx.conn(), &lease).await?;
                lease
            }
        };
        self.give_back_if_over(tx, &lease).await?;
        let view = View::of(lease)?;
        self.tell(tx, kind::of(happened), &view).await?;
        if happened == Happened::Assigned {
            self.part_with_tenant(tx, &view).await?;
        }
        Ok(view)
    }

    /// A lease that ended without having run its term needs its capacity no more; one that has, not what was held to renew it.
    async fn give_back_if_over(&self, tx: &Tx, lease: &Lease) -> Result<(), Error> {
        use crate::domain::LeaseState::{Expired, Lapsed, Terminated};
        match (lease.state, lease.hold) {
            (Lapsed | Terminated, Some(hold)) => self.give_back(tx, lease, hold).await,
            (Expired, Some(hold)) if lease.life.claims_due => self.give_back(tx, lease, hold).await,
            _ => Ok(()),
        }
    }

    pub(super) async fn give_back(&self, tx: &Tx, lease: &Lease, hold: Hold) -> Result<(), Error> {
        let (operator, id) = (&lease.name.operator, lease.name.lease.as_str());
        store::note_release(tx.conn(), operator, hold.reservation, id).await
    }

    /// From the recorded intent to the end: also the sweeper's way.
    pub(crate) async fn finish_change(
        &self,
        hands: Hands<'_>,
        lease: &Lease,
        intent: &Intent,
    ) -> Result<Answer<View>, Error> {
        let Some(pending) = lease.life.pending.clone() else { return Err(in_progress()) };
        let mut wanted = lease.clone();
        let verdict = match wanted.obey(&pending.command, &pending.by, pending.time) {
            Ok(_) => {
                let step = format!("claims/{}", lease.life.claims_no);
                self.take_claims(lease, &wanted, &step).await
            }
            Err(refusal) => Err(refusal),
        };
        let verdict = match verdict {
            Err(open) if !is_nothing_done(open.reason()) => return Err(open),
            decided => decided,
        };
        failpoint("leasing.change.after_amend")?;
        let taken = verdict.as_ref().ok().copied();
        let done = match self.record_word(hands, lease, &pending, verdict, intent).await {
            // News came between, by which it cannot be recorded, now or later: what was taken is given back.
            Err(refusal) if taken.is_some() && is_refusal(refusal.reason()) => {
                self.call_off(hands, lease, &pending, taken).await?;
                Err(refusal)
            }
            recorded => recorded?,
        };
        failpoint("leasing.change.after_record")?;
        self.feed.notify();
        done
    }

    /// The reservation takes what is wanted; a lease that had nothing yet gets one.
    async fn take_claims(&self, lease: &Lease, wanted: &Lease, step: &str) -> Result<Hold, Error> {
        if let Some(hold) = lease.hold {
            self.inventory.amend(lease, &wanted.claims(), step, false).await?;
            return Ok(hold);
        }
        let hold = self.inventory.take(wanted, step).await?;
        failpoint("leasing.change.after_hold")?;
        let held = Lease { hold: Some(hold), ..wanted.clone() };
        let operator = Organisation::Operator(lease.name.operator.clone());
        match self.commit_hold(&operator, &held).await? {
            Verdict::Committed => Ok(hold),
            Verdict::Lapsed(_) => Err(Error::refused(
                Reason::HoldExpired,
                "It took so long to take the capacity that its hold ended: send it again.",
            )),
        }
    }

    /// Inventory has agreed, or not: the deed is done, or was never wanted.
    async fn record_word(
        &self,
        hands: Hands<'_>,
        asked: &Lease,
        pending: &Pending,
        verdict: Result<Hold, Error>,
        intent: &Intent,
    ) -> Result<Result<Answer<View>, Error>, Error> {
        let agreed = verdict.as_ref().ok().copied();
        let recorded = hands
            .db
            .in_tx("change_lease_word", hands.scope, |tx| async move {
                let stored = store::lock(tx.conn(), &asked.name).await?;
                let mut lease = stored.ok_or_else(|| Error::not_found("lease"))?;
                if lease.life.pending.as_ref() != Some(pending) {
                    let reply = idempotency::find(tx.conn(), SCHEMA, &intent.key).await?;
                    return Ok((tx, reply.map(Answer::Replayed)));
                }
                let Some(hold) = agreed else {
                    self.never_wanted(&tx, lease, None).await?;
                    return Ok((tx, None));
                };
                lease.life.pending = None;
                let from = lease.revision;
                lease.hold = Some(hold);
                let happened = lease.obey(&pending.command, &pending.by, pending.time)?;
                let view = self.record_change(&tx, lease, from, happened).await?;
                let reply = (self.wire.changed)(&view);
                idempotency::record(tx.conn(), SCHEMA, &intent.key, &reply).await?;
                Ok((tx, Some(Answer::Fresh(view))))
            })
            .await?;
        Ok(match (recorded, verdict) {
            (Some(answer), _) => Ok(answer),
            (None, Err(refusal)) => Err(refusal),
            (None, Ok(_)) => Err(in_progress()),
        })
    }

    /// Inventory has agreed to what cannot be recorded: the deed was never wanted.
    async fn call_off(
        &self,
        hands: Hands<'_>,
        asked: &Lease,
        pending: &Pending,
        taken: Option<Hold>,
    ) -> Result<(), Error> {
        hands
            .db
            .in_tx("call_off_change", hands.scope, |tx| async move {
                let stored = store::lock(tx.conn(), &asked.name).await?;
                if let Some(lease) = stored.filter(|lease| lease.life.pending.as_ref() == Some(pending)) {
                    self.never_wanted(&tx, lease, taken).await?;
                }
                Ok((tx, ()))
            })
            .await
    }

    /// Its intent is gone. An earlier word of inventory may have been another one: the reservation takes what the lease does, and one that
    /// it got for this alone is given back.
    async fn never_wanted(&self, tx: &Tx, mut lease: Lease, taken: Option<Hold>) -> Result<(), Error> {
        lease.life.pending = None;
        lease.life.claims_due = lease.hold.is_some();
        store::save(tx.conn(), &lease, lease.revision, None).await?;
        match taken.filter(|_| lease.hold.is_none()) {
            Some(hold) => self.give_back(tx, &lease, hold).await,
            None => Ok(()),
        }
    }
}

/// The side that the caller stands for.
pub(super) fn actor(caller: &Caller, address: &str) -> Result<Actor, Error> {
    let party = match caller.effective_organisation() {
        Organisation::Operator(_) => Party::Operator,
        Organisation::Tenant(_) => Party::Tenant,
        Organisation::Platform | Organisation::Service(_) => return Err(Error::not_found("lease")),
    };
    Ok(Actor { party, subject: caller.subject.clone(), address: address.to_owned() })
}

fn key_of(caller: &Caller, change: &ChangeLease) -> Result<RequestKey, Error> {
    let fingerprint = Fingerprint { name: &change.name, command: &change.command, etag: &change.etag };
    let owner = format!("operators/{}", change.name.operator);
    RequestKey::new(owner, caller, change.command.rpc(), change.request_id, &fingerprint)
}
