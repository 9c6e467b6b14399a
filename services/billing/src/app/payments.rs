//! Money in: recorded once, allocated to invoices, sent back.
//!
//! Locks are taken in one order: the account's turn, its invoices.

use kernel::{
    AccountId, AccountName, Caller, CivilDate, Error, Instant, InvoiceId, LeaseName, LedgerTransactionId,
    Money, OperatorId, PaymentId, PaymentName, Scope, TenantId, Uuid, Violations,
};
use postgres::{Answer, Tx};
use serde::Serialize;
use tracing::info;

use super::write::Write;
use super::{About, App, ListRequest, Listed, check_etag, kind, rpc, sight};
use crate::domain::invoice::Invoice;
use crate::domain::payment::{Drawn, Payment, PaymentFilter, PaymentKind, Wanted};
use crate::domain::posting_money::{post_allocation, post_payment, post_refund};
use crate::store::listing::Newest;
use crate::store::{lease, ledger, payment, settlement};

/// Records a payment.
#[derive(Clone, Debug, Serialize)]
pub struct RecordPayment {
    /// Whose account.
    pub account: AccountName,
    /// The bank's reference.
    pub reference: String,
    /// The day it came.
    pub value_date: CivilDate,
    /// How much.
    pub amount: Money,
    /// A remark.
    pub note: String,
    /// Under which promise of a lease somebody else paid it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub drawn: Option<Drawn>,
    /// Pays the longest due invoices at once.
    pub allocate: bool,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Allocates what is left of a payment.
#[derive(Clone, Debug, Serialize)]
pub struct AllocatePayment {
    /// Which payment.
    pub name: PaymentName,
    /// What it pays; empty is the longest due first.
    pub wanted: Vec<Wanted>,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Records that money was sent back.
#[derive(Clone, Debug, Serialize)]
pub struct RefundPayment {
    /// Which payment.
    pub name: PaymentName,
    /// The bank's reference.
    pub reference: String,
    /// How much; `None` is all that is left.
    pub amount: Option<Money>,
    /// The version it was decided on.
    pub etag: Option<String>,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

/// Lists payments.
#[derive(Clone, Debug)]
pub struct ListPayments {
    /// Parent and page.
    pub list: ListRequest,
    /// Which.
    pub filter: PaymentFilter,
}

/// What came over with a payment, as the account's own currency must be.
fn same_currency(field: &str, amount: Money, account: kernel::Currency) -> Result<(), Error> {
    if amount.currency == account {
        return Ok(());
    }
    Err(Error::invalid_field(
        field,
        format!("must be in {account}, the account's currency: nothing is converted"),
    ))
}

/// Refuses a promise that is none of the lease, or stands behind another tenant.
async fn promised(
    tx: &Tx,
    operator: &OperatorId,
    drawn: &Drawn,
    (tenant, currency): (&TenantId, kernel::Currency),
) -> Result<(), Error> {
    let name = LeaseName::new(operator.clone(), drawn.lease.clone());
    let found = lease::find(tx.conn(), &Scope::Operator(operator.clone()), &name).await?;
    let found = found.ok_or_else(|| Error::not_found("lease"))?;
    let ids: Vec<&str> = found.terms.credit.iter().map(|support| support.id.as_str()).collect();
    let mut v = Violations::new();
    let own = found.tenant == *tenant && found.terms.currency == currency;
    v.require("lease", own, "must be of the account's tenant and currency");
    if !ids.contains(&drawn.support.as_str()) {
        let ids = if ids.is_empty() { "which are none".to_owned() } else { ids.join(", ") };
        v.add("credit_support_id", format!("must be one of the lease's: {ids}"));
    }
    v.finish()
}

impl App {
    /// Records money that the bank received.
    pub async fn record_payment(
        &self,
        caller: &Caller,
        command: RecordPayment,
        encode: fn(&Payment) -> Vec<u8>,
    ) -> Result<Answer<Payment>, Error> {
        let gone = || Error::not_found("account");
        let operator = &command.account.operator;
        Self::own_operator(caller, operator).map_err(|_| gone())?;
        let of = (command.request_id, command.validate_only);
        let what = ("record_payment", rpc::RECORD_PAYMENT);
        let write = Write::in_books(caller, operator, what, of, &command, encode)?;
        let now = self.now();
        if command.value_date > now.date_naive() {
            return Err(Error::invalid_field(
                "value_date",
                format!("must not be after {}", now.date_naive()),
            ));
        }
        let command = &command;
        let answer = self
            .write(&write, |tx| async move {
                let operator = &command.account.operator;
                let owner = settlement::take_turn(tx.conn(), &command.account).await?.ok_or_else(gone)?;
                same_currency("amount", command.amount, owner.currency)?;
                if let Some(drawn) = &command.drawn {
                    promised(&tx, operator, drawn, (&owner.tenant, owner.currency)).await?;
                }
                let mut new = Payment {
                    operator: operator.clone(),
                    id: PaymentId::new(self.ids.next()),
                    account: command.account.account,
                    tenant: owner.tenant,
                    kind: PaymentKind::Bank,
                    reference: command.reference.clone(),
                    value_date: command.value_date,
                    note: command.note.clone(),
                    drawn: command.drawn.clone(),
                    amount: command.amount,
                    allocations: Vec::new(),
                    refunds: Vec::new(),
                    version: 1,
                    create_time: now,
                };
                payment::insert(tx.conn(), &new).await?;
                let first_open = settlement::first_open_day(tx.conn(), operator).await?;
                let at = (LedgerTransactionId::new(self.ids.next()), new.value_date.max(first_open));
                let posted = post_payment(&new, at)?;
                ledger::insert(tx.conn(), posted.as_slice(), || self.ids.next(), now).await?;
                if command.allocate {
                    self.allocate(&tx, &mut new, &[], now).await?;
                }
                self.tell_payment(&tx, kind::PAYMENT_RECORDED, &new, now).await?;
                Ok((tx, new))
            })
            .await?;
        if let Answer::Fresh(new) = &answer {
            info!(payment = %new.name(), "payment recorded");
        }
        Ok(answer)
    }

    /// Pays invoices with what is left of a payment.
    pub async fn allocate_payment(
        &self,
        caller: &Caller,
        command: AllocatePayment,
        encode: fn(&Payment) -> Vec<u8>,
    ) -> Result<Answer<Payment>, Error> {
        let of = (command.request_id, command.validate_only);
        let what = ("allocate_payment", rpc::ALLOCATE_PAYMENT);
        let write = of_payment(caller, &command.name, what, of, &command, encode)?;
        let (now, command, scope) = (self.now(), &command, &write.scope);
        self.write(&write, |tx| async move {
            let mut found = lock_payment(&tx, scope, &command.name, command.etag.as_deref()).await?;
            for (at, wanted) in command.wanted.iter().enumerate() {
                if let Some(amount) = wanted.amount {
                    same_currency(&format!("allocations[{at}].amount"), amount, found.amount.currency)?;
                }
            }
            if found.unapplied().is_zero() {
                return Err(crate::domain::settlement::exceeded("payment", &command.name, found.unapplied()));
            }
            self.allocate(&tx, &mut found, &command.wanted, now).await?;
            self.tell_payment(&tx, kind::PAYMENT_ALLOCATED, &found, now).await?;
            Ok((tx, found))
        })
        .await
    }

    /// Records that what is left of a payment was sent back.
    pub async fn refund_payment(
        &self,
        caller: &Caller,
        command: RefundPayment,
        encode: fn(&Payment) -> Vec<u8>,
    ) -> Result<Answer<Payment>, Error> {
        let of = (command.request_id, command.validate_only);
        let what = ("refund_payment", rpc::REFUND_PAYMENT);
        let write = of_payment(caller, &command.name, what, of, &command, encode)?;
        let (now, command, scope) = (self.now(), &command, &write.scope);
        self.write(&write, |tx| async move {
            let mut found = lock_payment(&tx, scope, &command.name, command.etag.as_deref()).await?;
            if let Some(amount) = command.amount {
                same_currency("amount", amount, found.amount.currency)?;
            }
            let part = found.refund(command.amount, command.reference.clone(), self.ids.next(), now)?;
            payment::refund(tx.conn(), &found, &part).await?;
            payment::save(tx.conn(), &found).await?;
            let at = (LedgerTransactionId::new(self.ids.next()), now.date_naive());
            let posted = post_refund(&found, &part, at)?;
            ledger::insert(tx.conn(), posted.as_slice(), || self.ids.next(), now).await?;
            self.tell_payment(&tx, kind::PAYMENT_REFUNDED, &found, now).await?;
            Ok((tx, found))
        })
        .await
    }

    /// One payment.
    pub async fn get_payment(&self, caller: &Caller, name: &PaymentName) -> Result<Payment, Error> {
        let gone = || Error::not_found("payment");
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("get_payment", scope, |tx| async move {
                let found = payment::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Payments, newest first.
    pub async fn list_payments(
        &self,
        caller: &Caller,
        command: ListPayments,
    ) -> Result<Listed<Payment>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |payment: &Payment| Newest(payment.id.get(), payment.operator.clone());
        let what = ("list_payments", rpc::LIST_PAYMENTS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = payment::list(tx.conn(), &sight, &command.filter, &page).await?;
            Ok((tx, rows))
        })
        .await
    }

    /// Allocates in the account's turn, which the transaction has.
    async fn allocate(
        &self,
        tx: &Tx,
        from: &mut Payment,
        wanted: &[Wanted],
        now: Instant,
    ) -> Result<(), Error> {
        let invoices = invoices_of(tx, &from.operator, from.account, wanted).await?;
        let first_open = settlement::first_open_day(tx.conn(), &from.operator).await?;
        let done = from.allocate(invoices, wanted, first_open, || self.ids.next())?;
        if done.allocations.is_empty() {
            return Ok(());
        }
        settlement::save(tx.conn(), &from.operator, &done.invoices).await?;
        payment::allocate(tx.conn(), from, &done.allocations, now).await?;
        payment::save(tx.conn(), from).await?;
        let mut posted = Vec::new();
        for part in &done.allocations {
            posted.extend(post_allocation(from, part, LedgerTransactionId::new(self.ids.next()))?);
        }
        ledger::insert(tx.conn(), &posted, || self.ids.next(), now).await?;
        for invoice in &done.invoices {
            self.tell_invoice(tx, kind::INVOICE_SETTLED, invoice, now).await?;
        }
        Ok(())
    }

    async fn tell_payment(
        &self,
        tx: &Tx,
        kind: &'static str,
        payment: &Payment,
        now: Instant,
    ) -> Result<(), Error> {
        let subject = payment.name().to_string();
        let about = About { operator: &payment.operator, tenant: Some(&payment.tenant), subject };
        self.tell(tx, kind, about, now, (self.wire.payment_event)(payment)).await
    }
}

/// The invoices that are named, in the order in which they are, or all that are owed, the longest due first.
async fn invoices_of(
    tx: &Tx,
    operator: &OperatorId,
    account: AccountId,
    wanted: &[Wanted],
) -> Result<Vec<Invoice>, Error> {
    let named: Vec<InvoiceId> = wanted.iter().map(|one| one.invoice).collect();
    let named = (!named.is_empty()).then_some(named.as_slice());
    let mut found = settlement::lock_invoices(tx.conn(), operator, account, named).await?;
    if let Some(named) = named {
        if found.len() < named.len() {
            return Err(Error::not_found("invoice"));
        }
        found.sort_by_key(|invoice| named.iter().position(|id| *id == invoice.id));
    }
    Ok(found)
}

/// What a deed on a payment is.
fn of_payment<T, C: Serialize>(
    caller: &Caller,
    name: &PaymentName,
    what: (&'static str, &'static str),
    of: (Uuid, bool),
    command: &C,
    encode: fn(&T) -> Vec<u8>,
) -> Result<Write<T>, Error> {
    App::own_operator(caller, &name.operator).map_err(|_| Error::not_found("payment"))?;
    Write::in_books(caller, &name.operator, what, of, command, encode)
}

/// The payment in its account's turn.
async fn lock_payment(
    tx: &Tx,
    scope: &Scope,
    name: &PaymentName,
    etag: Option<&str>,
) -> Result<Payment, Error> {
    let gone = || Error::not_found("payment");
    let seen = payment::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
    settlement::take_turn(tx.conn(), &AccountName::new(name.operator.clone(), seen.account)).await?;
    let found = payment::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
    check_etag(etag, found.version)?;
    Ok(found)
}
