//! Disputes of lines: opened by who is billed, settled by who bills. Each takes the turn of its account.

use std::collections::BTreeMap;

use kernel::{Caller, DisputeId, DisputeName, Error, Instant, InvoiceName, LeaseName, Money, Uuid};
use postgres::{Answer, Tx};
use serde::Serialize;
use tracing::info;

use super::corrections::{CreateCreditNote, lock_invoice};
use super::write::Write;
use super::{About, App, ListRequest, Listed, check_etag, kind, rpc, sight};
use crate::domain::credit_note::WantedCredit;
use crate::domain::dispute::{Dispute, DisputeFilter, DisputeState, Outcome, Resolution, disputed};
use crate::domain::invoice::TooLarge;
use crate::store::listing::Newest;
use crate::store::{credit_note, dispute, lease};

/// Disputes a line.
#[derive(Clone, Debug, Serialize)]
pub struct DisputeLine {
    /// The invoice.
    pub invoice: InvoiceName,
    /// The line's place on it, from 1.
    pub line: i32,
    /// How much of it; none is all that is left.
    pub amount: Option<Money>,
    /// Why.
    pub reason: String,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Settles a dispute.
#[derive(Clone, Debug, Serialize)]
pub struct ResolveDispute {
    /// Which.
    pub name: DisputeName,
    /// How.
    pub outcome: Outcome,
    /// The answer.
    pub reason: String,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists disputes.
#[derive(Clone, Debug)]
pub struct ListDisputes {
    /// Parent and page.
    pub list: ListRequest,
    /// Which.
    pub filter: DisputeFilter,
}

/// A dispute as a write left it.
#[derive(Clone, Debug)]
pub struct Told {
    /// The dispute.
    pub dispute: Dispute,
    /// Whether it is only tried out: then what is new has no name.
    pub tried_out: bool,
}

impl App {
    /// Opens a dispute: for the tenant, whose the invoice must be, or by the operator's finance on its word.
    pub async fn dispute_line(
        &self,
        caller: &Caller,
        command: DisputeLine,
        encode: fn(&Told) -> Vec<u8>,
    ) -> Result<Answer<Told>, Error> {
        // Who may see the invoice may dispute it; what follows is the operator's, in whose books it is.
        self.get_invoice(caller, &command.invoice).await?;
        let of = (command.request_id, command.validate_only);
        let what = ("dispute_line", rpc::DISPUTE_LINE);
        let write = Write::in_books(caller, &command.invoice.operator, what, of, &command, encode)?;
        let (now, command, by, scope) = (self.now(), &command, caller.subject.as_str(), &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let found = lock_invoice(&tx, scope, &command.invoice).await?;
                let taken = taken(&tx, &command.invoice, None).await?;
                let gone = taken.get(&command.line).copied().unwrap_or(0);
                let of = LeaseName::new(found.operator.clone(), found.lease.clone());
                let lease = lease::find(tx.conn(), scope, &of).await?;
                let terms = lease.and_then(|lease| lease.terms.money.dispute);
                let amount = disputed(&found, command.line, command.amount, gone, (terms, now.date_naive()))?;
                let dispute = Dispute {
                    operator: found.operator,
                    id: DisputeId::new(self.ids.next()),
                    invoice: found.id,
                    line: command.line,
                    tenant: found.tenant,
                    amount,
                    reason: command.reason.clone(),
                    opened_by: by.to_owned(),
                    state: DisputeState::Open,
                    resolution: None,
                    version: 1,
                    create_time: now,
                };
                dispute::insert(tx.conn(), &dispute).await?;
                self.tell_dispute(&tx, kind::DISPUTE_OPENED, &dispute, now).await?;
                Ok((tx, Told { dispute, tried_out: command.validate_only }))
            })
            .await?;
        if let Answer::Fresh(told) = &answer {
            info!(invoice = %command.invoice, dispute = %told.dispute.id, "line disputed");
        }
        Ok(answer)
    }

    /// Settles a dispute; upheld, a credit note takes back what was disputed.
    pub async fn resolve_dispute(
        &self,
        caller: &Caller,
        command: ResolveDispute,
        encode: fn(&Told) -> Vec<u8>,
    ) -> Result<Answer<Told>, Error> {
        let gone = || Error::not_found("dispute");
        Self::own_operator(caller, &command.name.operator).map_err(|_| gone())?;
        let of = (command.request_id, command.validate_only);
        let what = ("resolve_dispute", rpc::RESOLVE_DISPUTE);
        let write = Write::in_books(caller, &command.name.operator, what, of, &command, encode)?;
        let (now, command, by, scope) = (self.now(), &command, caller.subject.as_str(), &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let seen = dispute::find(tx.conn(), scope, &command.name).await?.ok_or_else(gone)?;
                let invoice = InvoiceName::new(seen.operator.clone(), seen.invoice);
                let found = lock_invoice(&tx, scope, &invoice).await?;
                // As it stands within the turn.
                let open = dispute::find(tx.conn(), scope, &command.name).await?.ok_or_else(gone)?;
                check_etag(command.etag.as_deref(), open.version)?;
                open.state.settled(command.outcome)?;
                let credit_note = match command.outcome {
                    Outcome::Rejected => None,
                    Outcome::Upheld => {
                        let credit = taken_back(&open, invoice, command);
                        Some(self.credit(&tx, found, &credit, Some(open.id), now).await?.note.id)
                    }
                };
                let (reason, by) = (command.reason.clone(), by.to_owned());
                let answer = Resolution { reason, by, time: now, credit_note };
                let settled = open.resolve(command.outcome, answer)?;
                dispute::settle(tx.conn(), &settled).await?;
                self.tell_dispute(&tx, kind::DISPUTE_RESOLVED, &settled, now).await?;
                Ok((tx, Told { dispute: settled, tried_out: command.validate_only }))
            })
            .await?;
        if matches!(answer, Answer::Fresh(_)) {
            info!(dispute = %command.name, outcome = ?command.outcome, "dispute settled");
        }
        Ok(answer)
    }

    /// One dispute.
    pub async fn get_dispute(&self, caller: &Caller, name: &DisputeName) -> Result<Dispute, Error> {
        let gone = || Error::not_found("dispute");
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("get_dispute", scope, |tx| async move {
                let found = dispute::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Disputes, newest first.
    pub async fn list_disputes(
        &self,
        caller: &Caller,
        command: ListDisputes,
    ) -> Result<Listed<Dispute>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |dispute: &Dispute| Newest(dispute.id.get(), dispute.operator.clone());
        let what = ("list_disputes", rpc::LIST_DISPUTES);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = dispute::list(tx.conn(), &sight, &command.filter, &page).await?;
            Ok((tx, rows))
        })
        .await
    }

    async fn tell_dispute(
        &self,
        tx: &Tx,
        kind: &'static str,
        dispute: &Dispute,
        now: Instant,
    ) -> Result<(), Error> {
        let subject = dispute.name().to_string();
        let about = About { operator: &dispute.operator, tenant: Some(&dispute.tenant), subject };
        self.tell(tx, kind, about, now, (self.wire.dispute_event)(dispute)).await
    }
}

/// What of each line was taken back or is in dispute, but by the dispute that is settled.
pub(super) async fn taken(
    tx: &Tx,
    invoice: &InvoiceName,
    settled: Option<DisputeId>,
) -> Result<BTreeMap<i32, i64>, Error> {
    let mut taken = credit_note::credited(tx.conn(), invoice).await?;
    for (line, minor) in dispute::open_by_line(tx.conn(), invoice, settled).await? {
        let of = taken.entry(line).or_insert(0);
        *of = of.checked_add(minor).ok_or_else(|| Error::internal(TooLarge))?;
    }
    Ok(taken)
}

/// The credit note of a dispute that is upheld.
fn taken_back(dispute: &Dispute, invoice: InvoiceName, command: &ResolveDispute) -> CreateCreditNote {
    CreateCreditNote {
        name: invoice,
        lines: vec![WantedCredit { line: dispute.line, amount: Some(dispute.amount) }],
        reason: command.reason.clone(),
        rebill: false,
        etag: None,
        request_id: command.request_id,
        validate_only: command.validate_only,
    }
}
