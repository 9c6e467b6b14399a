//! Signing: before the last signature the hold is made to last; after it only inventory's answer decides.

use std::time::Duration;

use kernel::{Caller, Error, LeaseName, Organisation, Reason, Uuid};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;

use super::requests::{Earlier, Sagas, in_progress};
use super::{App, Hands, View, kind, rpc};
use crate::domain::lease::{HOLD_EXPIRED, HOLD_RELEASED};
use crate::domain::{Lease, LeaseState, Party, Signatory, Signature, Signing, TermsHash};
use crate::store::{self, Intent, SCHEMA};

/// How long the hold must last before a last signature is taken. The step's id changes every [`EXTENDED_FOR_S`], so
/// that even a repeated answer leaves ten minutes.
const HOLD_AT_LEAST: Duration = Duration::from_secs(15 * 60);
const EXTENDED_FOR_S: i64 = 5 * 60;
/// Times that a first signature may turn out to be a last one, or a last one meet its own repetition.
const ROUNDS: usize = 4;

/// What a signature asks for.
#[derive(Clone, Debug)]
pub struct SignLease {
    /// The lease.
    pub name: LeaseName,
    /// What is signed.
    pub terms_hash: TermsHash,
    /// Who signs.
    pub signatory: Signatory,
    /// Where from; empty where nobody knows.
    pub peer_address: String,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// What a repetition must repeat.
#[derive(Serialize)]
struct Fingerprint<'a> {
    name: &'a LeaseName,
    terms_hash: &'a [u8],
    signatory: &'a Signatory,
    etag: &'a str,
}

/// What a request to sign finds.
enum Looked {
    Lease(Box<Lease>),
    Answered(Vec<u8>),
    UnderWay,
}

/// What the signing transaction did.
enum Taken {
    First(Box<View>),
    Last(Box<Lease>),
    Earlier(Earlier),
    /// The other side signed meanwhile: the hold must be extended first.
    Again,
}

/// What inventory's answer makes of a lease whose hold was to be committed.
#[derive(Clone, Copy)]
pub(super) enum Verdict {
    Committed,
    Lapsed(&'static str),
}

/// What the last transaction found.
pub(super) enum Outcome {
    Done(Box<View>),
    Answered(Option<Vec<u8>>),
}

impl App {
    /// Signs for the caller's side. The last signature commits the capacity: EFFECTIVE, or LAPSED if it is gone.
    ///
    /// # Errors
    /// `HOLD_EXPIRED` before anything is signed; what [`Lease::may_sign`] refuses; `ETAG_MISMATCH`; what a request
    /// id is refused with; `PEER_UNAVAILABLE` and its like after the last signature leave the outcome to the sweeper.
    pub async fn sign_lease(&self, caller: &Caller, command: SignLease) -> Result<Answer<View>, Error> {
        let organisation = caller.effective_organisation();
        let party = match organisation {
            Organisation::Operator(_) => Party::Operator,
            Organisation::Tenant(_) => Party::Tenant,
            Organisation::Platform | Organisation::Service(_) => return Err(Error::not_found("lease")),
        };
        let scope =
            caller.scope_of_operator(&command.name.operator).map_err(|_| Error::not_found("lease"))?;
        let hands = Hands { db: &self.db, scope: &scope };
        let intent = Intent { key: key_of(caller, &command)? };
        for _ in 0..ROUNDS {
            let mut lease = match self.look(hands, &command, &intent).await? {
                Looked::Lease(lease) => *lease,
                Looked::Answered(reply) => return Ok(Answer::Replayed(reply)),
                Looked::UnderWay => {
                    match self.answered(hands, Sagas::Leases(&command.name.operator), &intent.key).await? {
                        Some(reply) => return Ok(Answer::Replayed(reply)),
                        None => continue,
                    }
                }
            };
            let signature = Signature {
                party,
                signatory: command.signatory.clone(),
                subject: caller.subject.clone(),
                peer_address: command.peer_address.clone(),
                terms_hash: command.terms_hash,
                time: self.now(),
            };
            lease.check_etag(&command.etag)?;
            let signing = lease.may_sign(party, &command.terms_hash)?;
            self.rights_cleared(&lease).await?;
            if signing == Signing::Last {
                match self.make_hold_last(hands, organisation, &lease, command.validate_only).await {
                    // Another attempt has signed and committed since the lease was read: look again.
                    Err(refusal) if refusal.reason() == Reason::HoldAlreadyConfirmed => continue,
                    extended => extended?,
                }
            }
            if command.validate_only {
                lease.sign(signature)?;
                return View::of(lease).map(Answer::Fresh);
            }
            match self.take_signature(hands, &command, signature, signing, &intent).await? {
                Taken::First(view) => {
                    self.feed.notify();
                    return Ok(Answer::Fresh(*view));
                }
                Taken::Last(lease) => {
                    self.feed.notify();
                    failpoint("leasing.sign.after_intent")?;
                    return self.finish_signing(hands, organisation, &lease, &intent).await;
                }
                Taken::Earlier(Earlier::Answered(reply)) => return Ok(Answer::Replayed(reply)),
                Taken::Earlier(_) | Taken::Again => {}
            }
        }
        Err(in_progress())
    }

    /// The lease, and what became of an earlier attempt. The lease is read first: if it shows what an earlier attempt
    /// did, the attempt's answer, written in the same transaction, is found behind it.
    async fn look(&self, hands: Hands<'_>, command: &SignLease, intent: &Intent) -> Result<Looked, Error> {
        let name = &command.name;
        let (lease, before) = hands
            .db
            .read("find_lease", hands.scope, |tx| async move {
                let lease = store::load(tx.conn(), name).await?;
                let before = match command.validate_only {
                    true => Earlier::None,
                    false => Sagas::Leases(&name.operator).earlier(&tx, &intent.key).await?,
                };
                Ok((tx, (lease, before)))
            })
            .await?;
        match before {
            Earlier::Answered(reply) => Ok(Looked::Answered(reply)),
            Earlier::UnderWay => Ok(Looked::UnderWay),
            Earlier::None => lease.map(Box::new).map(Looked::Lease).ok_or_else(|| Error::not_found("lease")),
        }
    }

    /// No signature without capacity: the hold lasts ten minutes more, or there is no signature.
    async fn make_hold_last(
        &self,
        hands: Hands<'_>,
        organisation: &Organisation,
        lease: &Lease,
        validate_only: bool,
    ) -> Result<(), Error> {
        if lease.hold.is_none() {
            // Nothing is held where no block is named yet.
            return Ok(());
        }
        failpoint("leasing.sign.before_extend")?;
        let spell = hands.db.database_time().await?.timestamp() / EXTENDED_FOR_S;
        let step = format!("extend/{spell}");
        let extended =
            self.inventory.extend_hold(organisation, lease, &step, HOLD_AT_LEAST, validate_only).await;
        if let Err(refusal) = &extended
            && !validate_only
            && let Some(because) = gone(refusal.reason())
        {
            self.lapse(hands, &lease.name, because).await?;
        }
        extended?;
        failpoint("leasing.sign.after_extend")
    }

    async fn take_signature(
        &self,
        hands: Hands<'_>,
        command: &SignLease,
        signature: Signature,
        expected: Signing,
        intent: &Intent,
    ) -> Result<Taken, Error> {
        let signature = &signature;
        hands
            .db
            .in_tx("sign_lease", hands.scope, |tx| async move {
                let stored = store::lock(tx.conn(), &command.name).await?;
                let before = Sagas::Leases(&command.name.operator).earlier(&tx, &intent.key).await?;
                if before != Earlier::None {
                    return Ok((tx, Taken::Earlier(before)));
                }
                let mut lease = stored.ok_or_else(|| Error::not_found("lease"))?;
                lease.check_etag(&command.etag)?;
                if lease.may_sign(signature.party, &signature.terms_hash)? != expected {
                    return Ok((tx, Taken::Again));
                }
                let from = lease.revision;
                let signing = lease.sign(signature.clone())?;
                let last = signing == Signing::Last;
                store::save(tx.conn(), &lease, from, last.then_some(intent)).await?;
                store::add_signature(tx.conn(), &lease, signature).await?;
                let view = View::of(lease)?;
                self.tell(&tx, kind::SIGNED, &view).await?;
                if last {
                    return Ok((tx, Taken::Last(Box::new(view.lease))));
                }
                self.answer(&tx, intent, &view).await?;
                Ok((tx, Taken::First(Box::new(view))))
            })
            .await
    }

    async fn answer(&self, tx: &Tx, intent: &Intent, view: &View) -> Result<(), Error> {
        idempotency::record(tx.conn(), SCHEMA, &intent.key, &(self.wire.signed)(view)).await
    }

    /// From SIGNING to the end: also the sweeper's way.
    pub(crate) async fn finish_signing(
        &self,
        hands: Hands<'_>,
        organisation: &Organisation,
        lease: &Lease,
        intent: &Intent,
    ) -> Result<Answer<View>, Error> {
        let verdict = self.commit_hold(organisation, lease).await?;
        failpoint("leasing.sign.after_commit")?;
        let outcome = self.record_verdict(hands, lease, verdict, intent).await?;
        failpoint("leasing.sign.after_record")?;
        self.answer_of(outcome)
    }

    /// Commits a lease's hold, if it is still there; what leaves that open is an error. A lease that takes nothing yet needs none.
    pub(super) async fn commit_hold(
        &self,
        organisation: &Organisation,
        lease: &Lease,
    ) -> Result<Verdict, Error> {
        if lease.hold.is_none() && lease.claims().is_empty() {
            return Ok(Verdict::Committed);
        }
        let Err(refusal) = self.inventory.commit(organisation, lease).await else {
            return Ok(Verdict::Committed);
        };
        match refusal.reason() {
            // Committed under this lease's id more than a week ago, when inventory had forgotten the request.
            Reason::HoldAlreadyConfirmed => Ok(Verdict::Committed),
            reason => gone(reason).map(Verdict::Lapsed).ok_or(refusal),
        }
    }

    /// What the caller is told of the last transaction.
    pub(super) fn answer_of(&self, outcome: Outcome) -> Result<Answer<View>, Error> {
        match outcome {
            Outcome::Done(view) => {
                self.feed.notify();
                Ok(Answer::Fresh(*view))
            }
            Outcome::Answered(reply) => reply.map(Answer::Replayed).ok_or_else(in_progress),
        }
    }

    async fn record_verdict(
        &self,
        hands: Hands<'_>,
        lease: &Lease,
        verdict: Verdict,
        intent: &Intent,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        hands
            .db
            .in_tx("sign_lease_verdict", hands.scope, |tx| async move {
                let stored = store::lock(tx.conn(), &lease.name).await?;
                let mut lease = stored.ok_or_else(|| Error::not_found("lease"))?;
                if lease.state != LeaseState::Signing {
                    let reply = idempotency::find(tx.conn(), SCHEMA, &intent.key).await?;
                    return Ok((tx, Outcome::Answered(reply)));
                }
                let from = lease.revision;
                let kind = match verdict {
                    Verdict::Committed => {
                        lease.committed(now)?;
                        if lease.state == LeaseState::Signed { kind::CONDITIONAL } else { kind::EFFECTIVE }
                    }
                    Verdict::Lapsed(because) => {
                        lease.lapse(because, now)?;
                        kind::LAPSED
                    }
                };
                store::save(tx.conn(), &lease, from, None).await?;
                store::save_premises(tx.conn(), &lease).await?;
                let view = View::of(lease)?;
                self.tell(&tx, kind, &view).await?;
                self.answer(&tx, intent, &view).await?;
                Ok((tx, Outcome::Done(Box::new(view))))
            })
            .await
    }

    /// The hold of a PROPOSED lease is gone: LAPSED. Nothing happens in any other state.
    pub(crate) async fn lapse(
        &self,
        hands: Hands<'_>,
        name: &LeaseName,
        because: &'static str,
    ) -> Result<(), Error> {
        hands
            .db
            .in_tx("lapse_lease", hands.scope, |tx| async move {
                self.lapse_in(&tx, name, because).await?;
                Ok((tx, ()))
            })
            .await?;
        self.feed.notify();
        Ok(())
    }

    /// As [`App::lapse`], in an open transaction.
    pub(crate) async fn lapse_in(
        &self,
        tx: &Tx,
        name: &LeaseName,
        because: &'static str,
    ) -> Result<(), Error> {
        let stored = store::lock(tx.conn(), name).await?;
        let Some(mut lease) = stored.filter(|lease| lease.state == LeaseState::Proposed) else {
            return Ok(());
        };
        let from = lease.revision;
        lease.lapse(because, self.now())?;
        store::save(tx.conn(), &lease, from, None).await?;
        store::save_premises(tx.conn(), &lease).await?;
        self.tell(tx, kind::LAPSED, &View::of(lease)?).await
    }
}

/// Why a hold is gone, if that is what inventory says.
fn gone(reason: Reason) -> Option<&'static str> {
    match reason {
        Reason::HoldExpired => Some(HOLD_EXPIRED),
        Reason::HoldReleased | Reason::ResourceNotFound => Some(HOLD_RELEASED),
        _ => None,
    }
}

fn key_of(caller: &Caller, command: &SignLease) -> Result<RequestKey, Error> {
    let fingerprint = Fingerprint {
        name: &command.name,
        terms_hash: &command.terms_hash.0,
        signatory: &command.signatory,
        etag: &command.etag,
    };
    let owner = format!("operators/{}", command.name.operator);
    RequestKey::new(owner, caller, rpc::SIGN, command.request_id, &fingerprint)
}
