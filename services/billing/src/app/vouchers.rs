//! What needs two people: one proposes, another approves, and then it is done in the same transaction.
//!
//! Locks are taken in one order: the voucher, the books, the account's turn, its invoice.

use kernel::{
    Caller, CommissionName, Error, Instant, InvoiceId, InvoiceName, LedgerTransactionId, OperatorId, Scope,
    Uuid, Violations, VoucherId, VoucherName, YearMonth,
};
use postgres::{Answer, Tx};
use serde::Serialize;
use tracing::info;

use super::books::{accounts_exist, no_operator, of_operator};
use super::corrections::lock_invoice;
use super::{About, App, ListRequest, Listed, check_etag, kind, rpc, sight};
use crate::domain::books::{Journal, check_lines};
use crate::domain::posting_money::{post_journal, post_write_off};
use crate::domain::posting_rules::Deed;
use crate::domain::voucher::{Content, Voucher, VoucherState};
use crate::store::books::{self, PeriodDeed};
use crate::store::listing::Newest;
use crate::store::{invoice, ledger, settlement};

/// Proposes something that needs two people.
#[derive(Clone, Debug, Serialize)]
pub struct Propose {
    /// Whose.
    pub operator: OperatorId,
    /// What is to be done.
    pub content: Content,
    /// Why.
    pub reason: String,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Approves or rejects a voucher.
#[derive(Clone, Debug, Serialize)]
pub struct Decide {
    /// Which voucher.
    pub name: VoucherName,
    /// Approves it; else rejects it.
    pub approve: bool,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists vouchers.
#[derive(Clone, Debug)]
pub struct ListVouchers {
    /// Parent and page.
    pub list: ListRequest,
    /// Only in this state.
    pub state: Option<VoucherState>,
}

impl App {
    /// Proposes; refuses what could not be done now.
    pub async fn propose(
        &self,
        caller: &Caller,
        command: Propose,
        encode: fn(&Voucher) -> Vec<u8>,
    ) -> Result<Answer<Voucher>, Error> {
        let of = (command.request_id, command.validate_only);
        let rpc = match &command.content {
            Content::Journal { .. } => rpc::POST_JOURNAL,
            Content::WriteOff { .. } => rpc::WRITE_OFF,
            Content::ReopenPeriod { .. } => rpc::REOPEN_PERIOD,
            Content::Commission { .. } => rpc::RECORD_COMMISSION,
            Content::CommissionReversal { .. } => rpc::REVERSE_COMMISSION,
            Content::PaymentInstructions { .. } => rpc::PROPOSE_PAYMENT_INSTRUCTIONS,
        };
        let write = of_operator(caller, &command.operator, ("propose", rpc), of, &command, encode);
        let write = match &command.content {
            Content::WriteOff { .. } => write.map_err(|_| Error::not_found("invoice"))?,
            Content::CommissionReversal { .. } => write.map_err(|_| Error::not_found("commission"))?,
            _ => write?,
        };
        if let Content::Journal { journal } = &command.content {
            let mut v = Violations::new();
            v.nested("journal", |v| check_lines(v, &journal.lines));
            v.finish()?;
        }
        let (now, command, author, scope) = (self.now(), &command, caller.subject.as_str(), &write.scope);
        self.write(&write, |tx| async move {
            let (operator, id) = (&command.operator, VoucherId::new(self.ids.next()));
            match &command.content {
                Content::Journal { journal } => {
                    let books = books::find(tx.conn(), operator).await?.ok_or_else(no_operator)?;
                    books.check_open(journal.posting_date)?;
                    accounts_exist(&tx, operator, &journal.lines).await?;
                }
                Content::WriteOff { invoice } => {
                    let name = InvoiceName::new(operator.clone(), *invoice);
                    let found = invoice::find(tx.conn(), scope, &name).await?;
                    let found = found.ok_or_else(|| Error::not_found("invoice"))?;
                    found.write_off(command.reason.clone())?;
                }
                Content::ReopenPeriod { month } => {
                    let books = books::find(tx.conn(), operator).await?.ok_or_else(no_operator)?;
                    books.may_reopen(*month)?;
                }
                Content::Commission { commission } => {
                    books::find(tx.conn(), operator).await?.ok_or_else(no_operator)?;
                    self.check_commission(&tx, scope, operator, commission).await?;
                }
                Content::CommissionReversal { commission } => {
                    let name = CommissionName::new(operator.clone(), *commission);
                    self.check_reversal(&tx, scope, &name, id).await?;
                }
                Content::PaymentInstructions { .. } => {
                    books::find(tx.conn(), operator).await?.ok_or_else(no_operator)?;
                }
            }
            let voucher = Voucher {
                operator: operator.clone(),
                id,
                content: command.content.clone(),
                reason: command.reason.clone(),
                state: VoucherState::Proposed,
                author: author.to_owned(),
                decided: None,
                version: 1,
                create_time: now,
            };
            books::propose(tx.conn(), &voucher).await?;
            self.tell_voucher(&tx, kind::VOUCHER_PROPOSED, &voucher, now).await?;
            Ok((tx, voucher))
        })
        .await
    }

    /// Approves a voucher and does what it says, or rejects it.
    pub async fn decide(
        &self,
        caller: &Caller,
        command: Decide,
        encode: fn(&Voucher) -> Vec<u8>,
    ) -> Result<Answer<Voucher>, Error> {
        let gone = || Error::not_found("voucher");
        let of = (command.request_id, command.validate_only);
        let rpc = if command.approve { rpc::APPROVE_VOUCHER } else { rpc::REJECT_VOUCHER };
        let what = ("decide_voucher", rpc);
        let write =
            of_operator(caller, &command.name.operator, what, of, &command, encode).map_err(|_| gone())?;
        let (now, command, by, scope) = (self.now(), &command, caller.subject.as_str(), &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let found = books::lock_voucher(tx.conn(), &command.name).await?.ok_or_else(gone)?;
                check_etag(command.etag.as_deref(), found.version)?;
                let decided = if command.approve {
                    let approved = found.approve(by, now)?;
                    self.carry_out(&tx, scope, &approved, by, now).await?;
                    approved
                } else {
                    found.reject(by, now)?
                };
                books::decide(tx.conn(), &decided).await?;
                self.tell_voucher(&tx, kind::VOUCHER_DECIDED, &decided, now).await?;
                Ok((tx, decided))
            })
            .await?;
        if matches!(answer, Answer::Fresh(_)) {
            info!(voucher = %command.name, approved = command.approve, "voucher decided");
        }
        Ok(answer)
    }

    async fn carry_out(
        &self,
        tx: &Tx,
        scope: &Scope,
        voucher: &Voucher,
        by: &str,
        now: Instant,
    ) -> Result<(), Error> {
        match &voucher.content {
            Content::Journal { journal } => self.journal(tx, voucher, journal, now).await,
            Content::WriteOff { invoice } => self.give_up(tx, scope, voucher, *invoice, now).await,
            Content::ReopenPeriod { month } => self.reopen(tx, &voucher.operator, *month, by, now).await,
            Content::Commission { commission } => self.record_commission(tx, voucher, commission, now).await,
            Content::CommissionReversal { commission } => {
                self.reverse_commission(tx, scope, voucher, *commission, now).await
            }
            Content::PaymentInstructions { instructions } => {
                self.confirm_instructions(tx, voucher, instructions, now).await
            }
        }
    }

    async fn journal(
        &self,
        tx: &Tx,
        voucher: &Voucher,
        journal: &Journal,
        now: Instant,
    ) -> Result<(), Error> {
        let operator = &voucher.operator;
        let found = books::find(tx.conn(), operator).await?.ok_or_else(no_operator)?;
        found.check_open(journal.posting_date)?;
        let id = LedgerTransactionId::new(self.ids.next());
        let posted = post_journal(Deed::JournalPosted, operator, voucher.id.get(), journal, id)?;
        ledger::insert(tx.conn(), &[posted], || self.ids.next(), now).await
    }

    async fn give_up(
        &self,
        tx: &Tx,
        scope: &Scope,
        voucher: &Voucher,
        invoice: InvoiceId,
        now: Instant,
    ) -> Result<(), Error> {
        let name = InvoiceName::new(voucher.operator.clone(), invoice);
        let found = lock_invoice(tx, scope, &name).await?;
        let (lost, given_up) = found.write_off(voucher.reason.clone())?;
        settlement::save(tx.conn(), &voucher.operator, std::slice::from_ref(&lost)).await?;
        let at = (LedgerTransactionId::new(self.ids.next()), now.date_naive());
        let posted = post_write_off(&lost, given_up, at)?;
        ledger::insert(tx.conn(), posted.as_slice(), || self.ids.next(), now).await?;
        let about = About { operator: &voucher.operator, tenant: None, subject: name.to_string() };
        self.tell(tx, kind::INVOICE_WRITTEN_OFF, about, now, (self.wire.invoice_event)(&lost)).await
    }

    async fn reopen(
        &self,
        tx: &Tx,
        operator: &OperatorId,
        month: YearMonth,
        subject: &str,
        now: Instant,
    ) -> Result<(), Error> {
        let found = books::lock(tx.conn(), operator).await?.ok_or_else(no_operator)?;
        let open = found.reopen(month)?;
        let by = PeriodDeed { id: self.ids.next(), month, deed: "REOPEN", subject };
        books::save(tx.conn(), &open, by, now).await?;
        let about = About { operator, tenant: None, subject: format!("operators/{operator}") };
        self.tell(tx, kind::PERIOD_REOPENED, about, now, (self.wire.books_event)(&open)).await
    }

    /// One voucher.
    pub async fn get_voucher(&self, caller: &Caller, name: &VoucherName) -> Result<Voucher, Error> {
        let gone = || Error::not_found("voucher");
        let scope = &Self::own_operator(caller, &name.operator).map_err(|_| gone())?;
        self.db
            .read("get_voucher", scope, |tx| async move {
                let found = books::voucher(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Vouchers, newest first.
    pub async fn list_vouchers(
        &self,
        caller: &Caller,
        command: ListVouchers,
    ) -> Result<Listed<Voucher>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |voucher: &Voucher| Newest(voucher.id.get(), voucher.operator.clone());
        let what = ("list_vouchers", rpc::LIST_VOUCHERS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = books::list(tx.conn(), &sight, command.state, &page).await?;
            Ok((tx, rows))
        })
        .await
    }

    async fn tell_voucher(
        &self,
        tx: &Tx,
        kind: &'static str,
        voucher: &Voucher,
        now: Instant,
    ) -> Result<(), Error> {
        let subject = voucher.name().to_string();
        let about = About { operator: &voucher.operator, tenant: None, subject };
        self.tell(tx, kind, about, now, (self.wire.voucher_event)(voucher)).await
    }
}
