//! Bringing in a contract that was signed on paper: durable intent, the hold, its commitment, and then it is what its days say.
//! Whoever dies in between, the sweeper goes on.

use kernel::{Caller, CivilDate, Error, LeaseId, OperatorId, Organisation, SiteName, TenantName, Uuid, Zone};
use postgres::{Answer, RequestKey, idempotency};
use runtime::failpoint;
use serde::Serialize;

use super::requests::Sagas;
use super::sign_lease::{Outcome, Verdict};
use super::{App, Hands, View, kind, rpc};
use crate::domain::cut_over::Import;
use crate::domain::{Checked, Hold, Lease, LeaseState, Proposal, Signatory};
use crate::store::{self, Intent, SCHEMA};

/// Long enough for a process to come back: nobody signs in the meantime.
const HOLD_SECONDS: i64 = 24 * 60 * 60;

/// A contract that was signed on paper.
#[derive(Clone, Debug)]
pub struct ImportLease {
    /// Who gives the capacity.
    pub operator: OperatorId,
    /// The name it should have; none lets us choose.
    pub lease: Option<LeaseId>,
    /// Who takes it.
    pub tenant: TenantName,
    /// The terms, every rule checked.
    pub terms: Checked,
    /// The paper.
    pub paper: Paper,
    /// The caller's name for this deed.
    pub request_id: Uuid,
    /// Only ask.
    pub validate_only: bool,
}

/// What was signed, and who attests to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Paper {
    /// Where it is found.
    pub reference: String,
    /// When it was signed.
    pub signed: CivilDate,
    /// When it came into force, if that is said.
    pub effective: Option<CivilDate>,
    /// First day whose charges are billed here.
    pub billed_from: CivilDate,
    /// Who attests to it.
    pub signatory: Signatory,
}

/// What a repetition must repeat.
#[derive(Serialize)]
struct Fingerprint<'a> {
    lease: Option<&'a LeaseId>,
    tenant: &'a TenantName,
    terms: String,
    paper: &'a Paper,
}

impl App {
    /// Brings in a contract that was signed on paper, on capacity that is committed to it, or not at all.
    ///
    /// # Errors
    /// What [`Lease::import`] refuses; inventory's refusal, unchanged; `RESOURCE_NOT_FOUND` for a tenant or site that the caller
    /// may not see; `NAME_TAKEN`; what a request id is refused with; `PEER_UNAVAILABLE` and its like leave the outcome to the
    /// sweeper: the same request id finds it.
    pub async fn import_lease(&self, caller: &Caller, command: ImportLease) -> Result<Answer<View>, Error> {
        let scope = caller.scope_of_operator(&command.operator)?;
        let organisation = caller.effective_organisation();
        let hands = Hands { db: &self.db, scope: &scope };
        let intent = Intent { key: key_of(caller, &command)? };
        if !command.validate_only
            && let Some(reply) = self.answered(hands, Sagas::Leases(&command.operator), &intent.key).await?
        {
            return Ok(Answer::Replayed(reply));
        }
        self.must_know_tenant(hands, &command.tenant).await?;
        let terms = self.under_agreement(hands, &command.tenant, command.terms).await?;
        let command = ImportLease { terms, ..command };
        let zones = self.inventory.zones(organisation, command.terms.sites()).await?;
        let (lease, terms) = self.paper_lease(caller, &command, &zones)?;
        if command.validate_only {
            let mut lease = self.would_propose(hands, organisation, lease).await?.lease;
            lease.brought_in(self.now())?;
            return View::of(lease).map(Answer::Fresh);
        }
        failpoint("leasing.import.before_intent")?;
        if let Some(reply) = self.begin(hands, &lease, &terms, &intent, None).await? {
            return Ok(Answer::Replayed(reply));
        }
        failpoint("leasing.import.after_intent")?;
        self.finish_import(hands, organisation, lease, &intent).await
    }

    /// The lease as it begins, and the bytes of its terms.
    fn paper_lease(
        &self,
        caller: &Caller,
        command: &ImportLease,
        zones: &[(SiteName, Zone)],
    ) -> Result<(Lease, Vec<u8>), Error> {
        let terms = command.terms.clone().in_zones(zones);
        let proposal = Proposal {
            name: self.lease_name(&command.operator, command.lease.clone())?,
            uid: self.ids.next(),
            tenant: command.tenant.clone(),
            terms: terms.ok_or_else(|| Error::internal("a site without a zone"))?,
            hold_seconds: HOLD_SECONDS,
        };
        let now = self.now();
        let (mut lease, terms) = Lease::propose(proposal, now)?;
        let Paper { reference, signed, effective, billed_from, signatory } = command.paper.clone();
        let subject = caller.subject.clone();
        lease.import(Import { reference, signed, effective, billed_from, signatory, subject, time: now })?;
        Ok((lease, terms))
    }

    /// From the recorded intent to the end: also the sweeper's way.
    pub(crate) async fn finish_import(
        &self,
        hands: Hands<'_>,
        organisation: &Organisation,
        mut lease: Lease,
        intent: &Intent,
    ) -> Result<Answer<View>, Error> {
        let hold = self.hold_or_give_up(hands, organisation, &lease).await?;
        failpoint("leasing.import.after_hold")?;
        lease.hold = hold;
        let verdict = self.commit_hold(organisation, &lease).await?;
        failpoint("leasing.import.after_commit")?;
        let outcome = self.record_import(hands, &lease, hold, verdict, intent).await?;
        failpoint("leasing.import.after_record")?;
        self.answer_of(outcome)
    }

    async fn record_import(
        &self,
        hands: Hands<'_>,
        lease: &Lease,
        hold: Option<Hold>,
        verdict: Verdict,
        intent: &Intent,
    ) -> Result<Outcome, Error> {
        let now = self.now();
        hands
            .db
            .in_tx("import_lease_taken", hands.scope, |tx| async move {
                let stored = store::lock(tx.conn(), &lease.name).await?;
                let Some(mut lease) = stored.filter(|stored| stored.uid == lease.uid) else {
                    return Ok((tx, Outcome::Answered(None)));
                };
                if lease.state != LeaseState::Proposing {
                    let reply = idempotency::find(tx.conn(), SCHEMA, &intent.key).await?;
                    return Ok((tx, Outcome::Answered(reply)));
                }
                let from = lease.revision;
                lease.hold = hold;
                let kind = match verdict {
                    Verdict::Committed => {
                        lease.brought_in(now)?;
                        kind::IMPORTED
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
                idempotency::record(tx.conn(), SCHEMA, &intent.key, &(self.wire.imported)(&view)).await?;
                Ok((tx, Outcome::Done(Box::new(view))))
            })
            .await
    }
}

fn key_of(caller: &Caller, command: &ImportLease) -> Result<RequestKey, Error> {
    let fingerprint = Fingerprint {
        lease: command.lease.as_ref(),
        tenant: &command.tenant,
        terms: command.terms.fingerprint(&command.operator, &command.tenant)?,
        paper: &command.paper,
    };
    let owner = format!("operators/{}", command.operator);
    RequestKey::new(owner, caller, rpc::IMPORT, command.request_id, &fingerprint)
}
