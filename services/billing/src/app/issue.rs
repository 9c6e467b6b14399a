//! Issues drafts: one, or all of a run. Numbers are drawn late, since others wait for the counter until the commit:
//! what needs no number is written before.
//!
//! Locks are taken in one order: the run, its invoices by lease, the counter.

use kernel::{
    BillingRunName, Caller, Error, Instant, InvoiceName, LedgerTransactionId, OperatorId, Scope, Uuid,
};
use postgres::{Answer, RequestKey, Tx, idempotency, outbox};
use runtime::failpoint;
use serde::Serialize;
use tracing::info;

use super::{About, App, INVOICES_IN_ANSWER, RunView, check_etag, kind, rpc};
use crate::domain::invoice::Invoice;
use crate::domain::number::{InvoiceNumber, Series};
use crate::domain::posting::post;
use crate::domain::posting_rules::Deed;
use crate::domain::run::{BillingRun, RunHead, RunState};
use crate::store::{SCHEMA, invoice, ledger, number, run};

/// Issues every draft of a run.
#[derive(Clone, Debug, Serialize)]
pub struct IssueBillingRun {
    /// Which run.
    pub name: BillingRunName,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Issues one draft.
#[derive(Clone, Debug, Serialize)]
pub struct IssueInvoice {
    /// Which invoice.
    pub name: InvoiceName,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Issues every draft of a run: those of one chunk, nearly always all, in one transaction, so that all get numbers or
    /// none; where there are more, replicas issue them, which nobody can stop any more.
    pub async fn issue_billing_run(
        &self,
        caller: &Caller,
        command: IssueBillingRun,
    ) -> Result<Answer<RunView>, Error> {
        let scope = Self::own_operator(caller, &command.name.operator)
            .map_err(|_| Error::not_found("billing run"))?;
        let owner = format!("operators/{}", command.name.operator);
        let key = RequestKey::new(owner, caller, rpc::ISSUE_RUN, command.request_id, &command)?;
        let (command, key, scope) = (&command, &key, &scope);
        let now = self.now();
        if command.validate_only {
            return self.check_run(scope, command, key).await;
        }
        let answer = self
            .db
            .in_tx("issue_billing_run", scope, |tx| async move {
                let operator = &command.name.operator;
                let found = run::lock(tx.conn(), operator, command.name.run).await?;
                let run = found.ok_or_else(|| Error::not_found("billing run"))?;
                // Under the lock, so that a repetition that waited for the first attempt finds its answer.
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                check_etag(command.etag.as_deref(), run.version)?;
                run.may_issue()?;
                let whole = self.issue_chunk(&tx, run, now).await?;
                let run = match whole {
                    None => run::find(tx.conn(), scope, &command.name).await?,
                    whole => whole,
                };
                let run = run.ok_or_else(|| Error::internal("a run is gone"))?;
                let view = view_of(&tx, operator, run).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.run_issued)(&view)).await?;
                failpoint("billing.issue.before_commit")?;
                Ok((tx, Answer::Fresh(view)))
            })
            .await?;
        failpoint("billing.issue.after_commit")?;
        if let Answer::Fresh(view) = &answer {
            self.feed.notify();
            self.rouse();
            info!(run = %command.name, invoices = view.run.invoice_count, "billing run issued");
        }
        Ok(answer)
    }

    /// Issues the drafts of a run that is locked if they are one chunk, and with the last of them the run, which is then given:
    /// a draft that somebody else has in hand is left to the replicas.
    async fn issue_chunk(&self, tx: &Tx, run: RunHead, now: Instant) -> Result<Option<BillingRun>, Error> {
        if !run::has_more_drafts_than(tx.conn(), &run.operator, run.id, self.chunk).await? {
            let drafts = invoice::take_drafts(tx.conn(), &run.operator, run.id, self.chunk).await?;
            self.issue(tx, &run.operator, drafts, now).await?;
        }
        let rest = run::has_draft(tx.conn(), &run.operator, run.id).await?;
        self.issued_some(tx, run, rest, now).await
    }

    /// Where a run stands after some of its drafts were issued because all are to be: the run, once none is left.
    pub(super) async fn issued_some(
        &self,
        tx: &Tx,
        run: RunHead,
        rest: bool,
        now: Instant,
    ) -> Result<Option<BillingRun>, Error> {
        let Some(run) = run.issued_some(rest, now)? else { return Ok(None) };
        run::put(tx.conn(), &run).await?;
        match run.state {
            RunState::Issued => self.tell_run(tx, kind::RUN_ISSUED, &run.name(), now).await.map(Some),
            _ => Ok(None),
        }
    }

    async fn check_run(
        &self,
        scope: &Scope,
        command: &IssueBillingRun,
        key: &RequestKey,
    ) -> Result<Answer<RunView>, Error> {
        self.db
            .read("check_issue_billing_run", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let found = run::find(tx.conn(), scope, &command.name).await?;
                let run = found.ok_or_else(|| Error::not_found("billing run"))?;
                check_etag(command.etag.as_deref(), run.head.version)?;
                run.head.may_issue()?;
                let view = view_of(&tx, &command.name.operator, run).await?;
                Ok((tx, Answer::Fresh(view)))
            })
            .await
    }

    /// Issues one draft; the last of a run issues the run with it.
    pub async fn issue_invoice(
        &self,
        caller: &Caller,
        command: IssueInvoice,
    ) -> Result<Answer<Invoice>, Error> {
        let scope =
            Self::own_operator(caller, &command.name.operator).map_err(|_| Error::not_found("invoice"))?;
        let owner = format!("operators/{}", command.name.operator);
        let key = RequestKey::new(owner, caller, rpc::ISSUE_INVOICE, command.request_id, &command)?;
        let (command, key, scope) = (&command, &key, &scope);
        let now = self.now();
        if command.validate_only {
            return self.check_invoice(scope, command, key).await;
        }
        let answer = self
            .db
            .in_tx("issue_invoice", scope, |tx| async move {
                let operator = &command.name.operator;
                let (run, draft) = lock_with_run(&tx, scope, &command.name).await?;
                // Under the lock, so that a repetition that waited for the first attempt finds its answer.
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                check_etag(command.etag.as_deref(), draft.version)?;
                draft.may_issue()?;
                run.may_issue_one()?;
                let issued = self.issue(&tx, operator, vec![draft], now).await?.pop();
                let issued = issued.ok_or_else(|| Error::internal("one draft gave no invoice"))?;
                if !run::has_draft(tx.conn(), operator, run.id).await? {
                    self.issued_some(&tx, run, false, now).await?;
                }
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.invoice_issued)(&issued)).await?;
                Ok((tx, Answer::Fresh(issued)))
            })
            .await?;
        if matches!(answer, Answer::Fresh(_)) {
            self.feed.notify();
            info!(invoice = %command.name, "invoice issued");
        }
        Ok(answer)
    }

    async fn check_invoice(
        &self,
        scope: &Scope,
        command: &IssueInvoice,
        key: &RequestKey,
    ) -> Result<Answer<Invoice>, Error> {
        self.db
            .read("check_issue_invoice", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let found = invoice::find(tx.conn(), scope, &command.name).await?;
                let draft = found.ok_or_else(|| Error::not_found("invoice"))?;
                check_etag(command.etag.as_deref(), draft.version)?;
                draft.may_issue()?;
                Ok((tx, Answer::Fresh(draft)))
            })
            .await
    }

    /// Posts, numbers and freezes drafts that are locked and may be issued. All that can fail is done before the
    /// numbers are drawn; after that there are only writes.
    pub(super) async fn issue(
        &self,
        tx: &Tx,
        operator: &OperatorId,
        drafts: Vec<Invoice>,
        now: Instant,
    ) -> Result<Vec<Invoice>, Error> {
        if drafts.is_empty() {
            return Ok(drafts);
        }
        let mut postings = Vec::with_capacity(drafts.len());
        for draft in &drafts {
            draft.may_issue()?;
            let id = LedgerTransactionId::new(self.ids.next());
            postings.extend(post(Deed::InvoiceIssued, draft, id, now.date_naive())?);
        }
        ledger::insert(tx.conn(), &postings, || self.ids.next(), now).await?;
        ledger::judge(tx.conn()).await?;
        let first = number::draw(tx.conn(), operator, Series::Invoice, drafts.len()).await?;
        let mut issued = Vec::with_capacity(drafts.len());
        for (number, draft) in (first..).zip(drafts) {
            issued.push(draft.issue(InvoiceNumber::new(Series::Invoice.as_str(), number), now)?);
        }
        invoice::mark_issued(tx.conn(), operator, &issued).await?;
        let events = issued.iter().map(|invoice| {
            let subject = InvoiceName::new(operator.clone(), invoice.id).to_string();
            let about = About { operator, tenant: Some(&invoice.tenant), subject };
            about.event(kind::INVOICE_ISSUED, now, (self.wire.invoice_event)(invoice))
        });
        outbox::append_all(tx.conn(), SCHEMA, || self.ids.next(), events.collect()).await?;
        Ok(issued)
    }
}

/// The invoice and its run, both locked, the run first.
async fn lock_with_run(tx: &Tx, scope: &Scope, name: &InvoiceName) -> Result<(RunHead, Invoice), Error> {
    let gone = || Error::not_found("invoice");
    let seen = invoice::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
    let run = run::lock(tx.conn(), &name.operator, seen.run).await?.ok_or_else(gone)?;
    let invoice = invoice::lock(tx.conn(), name).await?.ok_or_else(gone)?;
    Ok((run, invoice))
}

/// A run that is ISSUING has no invoices to show yet that stay as they are.
async fn view_of(tx: &Tx, operator: &OperatorId, run: BillingRun) -> Result<RunView, Error> {
    let invoices = match run.head.state {
        RunState::Issuing => Vec::new(),
        _ => invoice::first_of_run(tx.conn(), operator, run.head.id, INVOICES_IN_ANSWER).await?,
    };
    Ok(RunView { run, invoices, problems: Vec::new(), tried_out: false })
}
