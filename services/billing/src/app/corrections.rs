//! Takes issued invoices back: whole as void, by line as a credit note.
//!
//! Locks are taken in one order: the account's turn, its invoices, the counter.

use kernel::{
    AccountName, Caller, CreditNoteId, CreditNoteName, DisputeId, Error, Instant, InvoiceName,
    LedgerTransactionId, Money, PaymentId, Reason, Scope, Uuid,
};
use postgres::{Answer, Tx};
use serde::Serialize;
use tracing::info;

use super::disputes::taken;
use super::write::Write;
use super::{About, App, ListRequest, Listed, check_etag, kind, rpc, sight};
use crate::domain::advance::Advanced;
use crate::domain::credit_note::{CreditNote, WantedCredit, correct};
use crate::domain::invoice::{Invoice, InvoiceKind};
use crate::domain::invoice_state::InvoiceState;
use crate::domain::number::{InvoiceNumber, Series};
use crate::domain::payment::{Payment, PaymentKind};
use crate::domain::posting::post;
use crate::domain::posting_money::post_credit_note;
use crate::domain::posting_rules::Deed;
use crate::domain::settlement::exceeded;
use crate::store::listing::Newest;
use crate::store::{advance, credit_note, dispute, invoice, ledger, number, payment, settlement};

/// Takes an invoice back.
#[derive(Clone, Debug, Serialize)]
pub struct VoidInvoice {
    /// Which invoice.
    pub name: InvoiceName,
    /// Why.
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

/// Corrects an invoice by line.
#[derive(Clone, Debug, Serialize)]
pub struct CreateCreditNote {
    /// Which invoice.
    pub name: InvoiceName,
    /// What is taken back; empty is all that is left.
    pub lines: Vec<WantedCredit>,
    /// Why.
    pub reason: String,
    /// Whether the lines may be billed again.
    pub rebill: bool,
    /// The version of the invoice it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// A credit note with the invoice it corrects.
#[derive(Clone, Debug)]
pub struct Corrected {
    /// The credit note.
    pub note: CreditNote,
    /// The invoice, with what is still owed of it.
    pub invoice: Invoice,
    /// Whether it is only tried out: then the note has no name and no number.
    pub tried_out: bool,
}

/// Lists credit notes.
#[derive(Clone, Debug)]
pub struct ListCreditNotes {
    /// Parent and page.
    pub list: ListRequest,
    /// Only of this invoice.
    pub invoice: Option<InvoiceName>,
}

impl App {
    /// Takes back an invoice of which nothing is settled.
    pub async fn void_invoice(
        &self,
        caller: &Caller,
        command: VoidInvoice,
        encode: fn(&Invoice) -> Vec<u8>,
    ) -> Result<Answer<Invoice>, Error> {
        let of = (command.request_id, command.validate_only);
        let what = ("void_invoice", rpc::VOID_INVOICE);
        let write = of_invoice(caller, &command.name, what, of, &command, encode)?;
        let (now, command, scope) = (self.now(), &command, &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let found = lock_invoice(&tx, scope, &command.name).await?;
                check_etag(command.etag.as_deref(), found.version)?;
                within_prepaid(&tx, &found, found.total).await?;
                let was_issued = found.state != InvoiceState::Draft;
                let void = found.void(command.reason.clone())?;
                undisputed(&tx, &command.name).await?;
                settlement::save(tx.conn(), &void.operator, std::slice::from_ref(&void)).await?;
                if was_issued {
                    let id = LedgerTransactionId::new(self.ids.next());
                    let back = post(Deed::InvoiceVoided, &void, id, now.date_naive())?;
                    ledger::insert(tx.conn(), back.as_slice(), || self.ids.next(), now).await?;
                    self.tell_invoice(&tx, kind::INVOICE_VOIDED, &void, now).await?;
                }
                Ok((tx, void))
            })
            .await?;
        if matches!(answer, Answer::Fresh(_)) {
            info!(invoice = %command.name, "invoice taken back");
        }
        Ok(answer)
    }

    /// Corrects an issued invoice by line.
    pub async fn create_credit_note(
        &self,
        caller: &Caller,
        command: CreateCreditNote,
        encode: fn(&Corrected) -> Vec<u8>,
    ) -> Result<Answer<Corrected>, Error> {
        let of = (command.request_id, command.validate_only);
        let what = ("create_credit_note", rpc::CREATE_CREDIT_NOTE);
        let write = of_invoice(caller, &command.name, what, of, &command, encode)?;
        let (now, command, scope) = (self.now(), &command, &write.scope);
        let answer = self
            .write(&write, |tx| async move {
                let found = lock_invoice(&tx, scope, &command.name).await?;
                check_etag(command.etag.as_deref(), found.version)?;
                let corrected = self.credit(&tx, found, command, None, now).await?;
                Ok((tx, corrected))
            })
            .await?;
        if let Answer::Fresh(corrected) = &answer {
            info!(invoice = %command.name, credit_note = %corrected.note.number, "invoice corrected");
        }
        Ok(answer)
    }

    /// All that can be refused is decided before the number is drawn; after that there are only writes. What is in dispute is
    /// taken back by settling it, and by nothing else.
    pub(super) async fn credit(
        &self,
        tx: &Tx,
        found: Invoice,
        command: &CreateCreditNote,
        settled: Option<DisputeId>,
        now: Instant,
    ) -> Result<Corrected, Error> {
        let operator = &command.name.operator;
        let taken = taken(tx, &command.name, settled).await?;
        let correction = correct(found, &taken, &command.lines, command.rebill)?;
        if command.rebill {
            // What is billed again must be credited whole.
            undisputed(tx, &command.name).await?;
        }
        within_prepaid(tx, &correction.invoice, correction.total).await?;
        let drawn = number::draw(tx.conn(), operator, Series::CreditNote, 1).await?;
        let number = InvoiceNumber::new(Series::CreditNote.as_str(), drawn);
        let id = CreditNoteId::new(self.ids.next());
        let note = CreditNote::of(&correction, id, number, command.reason.clone(), now);
        let invoice = correction.invoice;
        if !note.applied.is_zero() {
            settlement::save(tx.conn(), operator, std::slice::from_ref(&invoice)).await?;
        }
        credit_note::insert(tx.conn(), &note).await?;
        if let Some(kept) = kept_of(&note, PaymentId::new(self.ids.next())) {
            payment::insert(tx.conn(), &kept).await?;
        }
        let at = (LedgerTransactionId::new(self.ids.next()), now.date_naive());
        let posted = post_credit_note(&note, &invoice, at)?;
        ledger::insert(tx.conn(), posted.as_slice(), || self.ids.next(), now).await?;
        let about = About { operator, tenant: Some(&note.tenant), subject: note.name().to_string() };
        self.tell(tx, kind::CREDIT_NOTE_ISSUED, about, now, (self.wire.credit_note_event)(&note)).await?;
        Ok(Corrected { note, invoice, tried_out: command.validate_only })
    }

    /// One credit note.
    pub async fn get_credit_note(&self, caller: &Caller, name: &CreditNoteName) -> Result<CreditNote, Error> {
        let gone = || Error::not_found("credit note");
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("get_credit_note", scope, |tx| async move {
                let found = credit_note::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Credit notes, newest first.
    pub async fn list_credit_notes(
        &self,
        caller: &Caller,
        command: ListCreditNotes,
    ) -> Result<Listed<CreditNote>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |note: &CreditNote| Newest(note.id.get(), note.operator.clone());
        let what = ("list_credit_notes", rpc::LIST_CREDIT_NOTES);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = credit_note::list(tx.conn(), &sight, command.invoice.as_ref(), &page).await?;
            Ok((tx, rows))
        })
        .await
    }

    pub(super) async fn tell_invoice(
        &self,
        tx: &Tx,
        kind: &'static str,
        invoice: &Invoice,
        now: Instant,
    ) -> Result<(), Error> {
        let subject = invoice.name().to_string();
        let about = About { operator: &invoice.operator, tenant: Some(&invoice.tenant), subject };
        self.tell(tx, kind, about, now, (self.wire.invoice_event)(invoice)).await
    }
}

/// What a deed on an invoice is.
pub(super) fn of_invoice<T, C: Serialize>(
    caller: &Caller,
    name: &InvoiceName,
    what: (&'static str, &'static str),
    of: (Uuid, bool),
    command: &C,
    encode: fn(&T) -> Vec<u8>,
) -> Result<Write<T>, Error> {
    App::own_operator(caller, &name.operator).map_err(|_| Error::not_found("invoice"))?;
    Write::in_books(caller, &name.operator, what, of, command, encode)
}

/// The invoice, locked in its account's turn.
pub(super) async fn lock_invoice(tx: &Tx, scope: &Scope, name: &InvoiceName) -> Result<Invoice, Error> {
    let gone = || Error::not_found("invoice");
    let seen = invoice::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
    settlement::take_turn(tx.conn(), &AccountName::new(name.operator.clone(), seen.account)).await?;
    invoice::lock(tx.conn(), name).await?.ok_or_else(gone)
}

/// What is void cannot be settled any more.
async fn undisputed(tx: &Tx, name: &InvoiceName) -> Result<(), Error> {
    let open = dispute::open_by_line(tx.conn(), name, None).await?;
    if open.is_empty() {
        return Ok(());
    }
    let lines: Vec<String> = open.keys().take(10).map(ToString::to_string).collect();
    let why = "The invoice is in dispute, which must be settled first.";
    Err(Error::refused(Reason::ResourceInUse, why).with("lines", lines.join(",")))
}

/// Of what was paid ahead no more is taken back than is left.
async fn within_prepaid(tx: &Tx, invoice: &Invoice, taken: Money) -> Result<(), Error> {
    if invoice.kind != InvoiceKind::Prepayment {
        return Ok(());
    }
    let span = (&invoice.lease, &invoice.lease);
    let advanced = advance::of_span(tx.conn(), &invoice.operator, span).await?;
    let left = advanced.get(&invoice.lease).map_or(0, Advanced::left_minor);
    if taken.minor > left {
        return Err(exceeded("prepayment", invoice.name(), Money::new(left, taken.currency)));
    }
    Ok(())
}

/// What of a credit note had been paid, kept as a payment.
fn kept_of(note: &CreditNote, id: PaymentId) -> Option<Payment> {
    let amount = Money::new(note.rest_minor(), note.total.currency);
    (!amount.is_zero()).then(|| Payment {
        operator: note.operator.clone(),
        id,
        account: note.account,
        tenant: note.tenant.clone(),
        kind: PaymentKind::CreditNote,
        reference: note.number.to_string(),
        value_date: note.create_time.date_naive(),
        note: note.reason.clone(),
        drawn: None,
        amount,
        allocations: Vec::new(),
        refunds: Vec::new(),
        version: 1,
        create_time: note.create_time,
    })
}
