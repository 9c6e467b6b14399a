//! Orders one deed from its start to its commit: one use case a file.

mod agreed;
mod apply_lease_event;
mod books;
mod charging_plans;
mod commissions;
mod corrections;
mod disputes;
mod explain_line;
mod finish_runs;
mod follow_inventory;
mod follow_leasing;
mod ingest_readings;
mod issue;
mod lease_reports;
mod measure;
mod meters;
mod payment_instructions;
mod payments;
mod preview_invoices;
mod price_series;
mod print;
mod rate_load;
mod read;
mod read_usage;
mod receivables;
mod reckon;
mod report;
pub mod rpc;
mod simulate;
mod start_billing_run;
mod tariffs;
mod true_up;
mod utility_bills;
mod vouchers;
mod write;

use std::sync::Arc;

use kernel::{Caller, Clock, Error, Ids, Instant, OperatorId, OperatorParent, Scope, TenantId};
use postgres::page::{Listing, PageTokens};
use postgres::{Db, NewEvent, Tx, outbox};
use runtime::feed::Feed;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::sync::Notify;

use crate::domain::account::Account;
use crate::domain::books::Books;
use crate::domain::commission::Commission;
use crate::domain::credit_note::CreditNote;
use crate::domain::dispute::Dispute;
use crate::domain::invoice::Invoice;
use crate::domain::meter::Meter;
use crate::domain::payment::Payment;
use crate::domain::payment_instructions::PaymentInstructions;
use crate::domain::plan::ChargingPlan;
use crate::domain::run::{BillingRun, Problem};
use crate::domain::tariff::Tariff;
use crate::domain::utility_bill::UtilityBill;
use crate::domain::voucher::Voucher;
use crate::store::SCHEMA;
use crate::store::listing::{Page, Paged, Sight};

pub use apply_lease_event::LeaseEvent;
pub use books::{Accrued, ClosePeriod, Closed, PostAccrual};
pub use charging_plans::{CreateChargingPlan, ListChargingPlans};
pub use commissions::{ListCommissions, PayCommission};
pub use corrections::{Corrected, CreateCreditNote, ListCreditNotes, VoidInvoice};
pub use disputes::{DisputeLine, ListDisputes, ResolveDispute, Told};
pub use explain_line::ExplainLine;
pub use finish_runs::{CHUNK, HANDS};
pub use follow_inventory::{IncidentEvent, InventoryFollower};
pub use follow_leasing::LeasingFollower;
pub use ingest_readings::{Ingest, IngestReadings, Ingested};
pub use issue::{IssueBillingRun, IssueInvoice};
pub use lease_reports::LeaseMonths;
pub use meters::{CreateMeter, ListMeters};
pub use payment_instructions::ListPaymentInstructions;
pub use payments::{AllocatePayment, ListPayments, RecordPayment, RefundPayment};
pub use preview_invoices::{Preview, PreviewInvoices};
pub use price_series::{ListSeriesValues, RecordSeriesValues, RecordedValues};
pub use print::{Printed, Printer};
pub use rate_load::{EnergyOf, Prices, RateLoad, Rated};
pub use read::{ListAccounts, ListInvoices, ListRuns};
pub use read_usage::{GetUsage, ListReadings};
pub use report::ListEntries;
pub use simulate::{SimulateBilling, Simulation};
pub use start_billing_run::StartBillingRun;
pub use tariffs::{AddTariffComponents, CreateTariff, ListTariffs};
pub use utility_bills::{BillTold, ListUtilityBills, PostTrueUp, RecordUtilityBill};
pub use vouchers::{Decide, ListVouchers, Propose};

/// Invoices that an answer about a run carries at most; the list has all.
pub const INVOICES_IN_ANSWER: usize = 1_000;

/// A run with the first of its invoices.
#[derive(Clone, Debug)]
pub struct RunView {
    /// The run.
    pub run: BillingRun,
    /// At most [`INVOICES_IN_ANSWER`].
    pub invoices: Vec<Invoice>,
    /// What could not be billed, at most as many; only of a run that is started.
    pub problems: Vec<Problem>,
    /// Whether it is only tried out: nothing of it is kept, and it has no name.
    pub tried_out: bool,
}

/// How stored replies and events become bytes; handed in, since only the wire's room knows its types.
#[derive(Clone, Copy)]
pub struct Wire {
    /// The payload of an account's event.
    pub account_event: fn(&Account) -> Vec<u8>,
    /// The payload of a run's event.
    pub run_event: fn(&BillingRun) -> Vec<u8>,
    /// The payload of an invoice's event.
    pub invoice_event: fn(&Invoice) -> Vec<u8>,
    /// The reply to `StartBillingRun`.
    pub run_started: fn(&RunView) -> Vec<u8>,
    /// The reply to `IssueBillingRun`.
    pub run_issued: fn(&RunView) -> Vec<u8>,
    /// The reply to `IssueInvoice`.
    pub invoice_issued: fn(&Invoice) -> Vec<u8>,
    /// The reply to `CreateMeter`.
    pub meter_created: fn(&Meter) -> Vec<u8>,
    /// The reply to `CreateTariff`.
    pub tariff_created: fn(&Tariff) -> Vec<u8>,
    /// The reply to `AddTariffComponents`.
    pub components_added: fn(&Tariff) -> Vec<u8>,
    /// The reply to `RecordSeriesValues`.
    pub values_recorded: fn(&RecordedValues) -> Vec<u8>,
    /// The reply to `CreateChargingPlan`.
    pub plan_created: fn(&ChargingPlan) -> Vec<u8>,
    /// The payload of a credit note's event.
    pub credit_note_event: fn(&CreditNote) -> Vec<u8>,
    /// The payload of a dispute's event.
    pub dispute_event: fn(&Dispute) -> Vec<u8>,
    /// The payload of a payment's event.
    pub payment_event: fn(&Payment) -> Vec<u8>,
    /// The payload of an event about books.
    pub books_event: fn(&Books) -> Vec<u8>,
    /// The payload of a voucher's event.
    pub voucher_event: fn(&Voucher) -> Vec<u8>,
    /// The payload of a utility bill's event.
    pub utility_bill_event: fn(&UtilityBill) -> Vec<u8>,
    /// The payload of a commission's event.
    pub commission_event: fn(&Commission) -> Vec<u8>,
    /// The payload of an event about payment instructions.
    pub instructions_event: fn(&PaymentInstructions) -> Vec<u8>,
}

/// What every use case works with.
pub struct App {
    /// The store, for requests.
    pub db: Db,
    /// The store, for the consumer of leasing's feed.
    pub worker_db: Db,
    /// The store, for who finishes runs.
    pub runs_db: Db,
    /// Business time.
    pub clock: Arc<dyn Clock>,
    /// New ids.
    pub ids: Arc<dyn Ids>,
    /// Seals page tokens.
    pub pages: PageTokens,
    /// Wakes watchers.
    pub feed: Feed,
    /// Leases that are computed, or drafts that are issued, in one transaction: a run of no more is whole at once.
    pub chunk: usize,
    /// Wakes who finishes runs.
    pub more: Notify,
    /// How things are written.
    pub wire: Wire,
}

/// The kinds of events.
pub mod kind {
    /// A tenant's first lease in a currency came into force.
    pub const ACCOUNT_OPENED: &str = "account.opened";
    /// A run began; unless it is COMPUTING, its drafts are made.
    pub const RUN_STARTED: &str = "billing_run.started";
    /// The last leases of a run that was not whole at once are computed.
    pub const RUN_COMPUTED: &str = "billing_run.computed";
    /// All invoices of a run are issued.
    pub const RUN_ISSUED: &str = "billing_run.issued";
    /// An invoice got its number.
    pub const INVOICE_ISSUED: &str = "invoice.issued";
    /// An issued invoice was taken back.
    pub const INVOICE_VOIDED: &str = "invoice.voided";
    /// A part or the rest of an invoice was paid.
    pub const INVOICE_SETTLED: &str = "invoice.settled";
    /// An invoice was corrected.
    pub const CREDIT_NOTE_ISSUED: &str = "credit_note.issued";
    /// A tenant says something against a line.
    pub const DISPUTE_OPENED: &str = "dispute.opened";
    /// It was settled.
    pub const DISPUTE_RESOLVED: &str = "dispute.resolved";
    /// Money came.
    pub const PAYMENT_RECORDED: &str = "payment.recorded";
    /// A payment paid invoices.
    pub const PAYMENT_ALLOCATED: &str = "payment.allocated";
    /// Money was sent back.
    pub const PAYMENT_REFUNDED: &str = "payment.refunded";
    /// What was owed of an invoice was given up; its tenant is not told.
    pub const INVOICE_WRITTEN_OFF: &str = "invoice.written_off";
    /// A month was closed.
    pub const PERIOD_CLOSED: &str = "period.closed";
    /// A month was opened again.
    pub const PERIOD_REOPENED: &str = "period.reopened";
    /// Something waits for a second person.
    pub const VOUCHER_PROPOSED: &str = "voucher.proposed";
    /// A second person approved it and it is done, or it was rejected.
    pub const VOUCHER_DECIDED: &str = "voucher.decided";
    /// Two people agreed on a commission.
    pub const COMMISSION_RECORDED: &str = "commission.recorded";
    /// A commission, or a part of it, was paid.
    pub const COMMISSION_PAID: &str = "commission.paid";
    /// A commission that was paid, or a part of it, came back.
    pub const COMMISSION_RETURNED: &str = "commission.returned";
    /// Two people agreed that a commission was recorded wrongly.
    pub const COMMISSION_REVERSED: &str = "commission.reversed";
    /// Two people agreed where tenants pay from now on.
    pub const PAYMENT_INSTRUCTIONS_CONFIRMED: &str = "payment_instructions.confirmed";
    /// What a utility charged was recorded.
    pub const UTILITY_BILL_RECORDED: &str = "utility_bill.recorded";
    /// It was divided among those who share its meter; the next run bills what comes of it.
    pub const UTILITY_BILL_TRUED_UP: &str = "utility_bill.trued_up";
    /// A lease's event could not be understood: the lease is not billed until a later one is.
    pub const LEASE_PARKED: &str = "lease.parked";
}

/// What a list was asked for, beside its filter.
#[derive(Clone, Debug)]
pub struct ListRequest {
    /// Whose rows.
    pub parent: OperatorParent,
    /// Most rows in a page.
    pub page_size: u32,
    /// Goes on after an earlier page; empty begins.
    pub page_token: String,
    /// Parent and filter in one text: a token is good for the same list only.
    pub fingerprint: String,
}

/// A page of a list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Asks for the next page; empty on the last.
    pub next: String,
}

impl App {
    /// Now, in business time.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.clock.now()
    }

    /// The scope of a deed that only the operator's own people do.
    pub(crate) fn own_operator(caller: &Caller, operator: &OperatorId) -> Result<Scope, Error> {
        match caller.scope_of_operator(operator)? {
            scope @ Scope::Operator(_) => Ok(scope),
            Scope::Tenant(_) | Scope::Market | Scope::Worker => Err(Error::not_found("operator")),
        }
    }

    /// The scope of a list: the parent's operator as the caller may see it, or all the caller may see.
    pub(crate) fn list_scope(caller: &Caller, parent: &OperatorParent) -> Result<Scope, Error> {
        match parent.operator() {
            Some(operator) => caller.scope_of_operator(operator),
            None => Ok(caller.scope()),
        }
    }

    /// Opens the page token of a list, reads a page in a transaction of `scope` and seals the next token.
    pub(crate) async fn page<T, K, F, Fut>(
        &self,
        caller: &Caller,
        (transaction, rpc): (&'static str, &'static str),
        scope: &Scope,
        request: &ListRequest,
        key_of: impl Fn(&T) -> K,
        read: F,
    ) -> Result<Listed<T>, Error>
    where
        K: Clone + Serialize + DeserializeOwned + Send + Sync,
        T: Send,
        F: Fn(Tx, Page<K>) -> Fut + Sync,
        Fut: Future<Output = Result<(Tx, Paged<T>), Error>> + Send,
    {
        // Tokens age by real time: no test clock moves them.
        let now = kernel::SystemClock.now();
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc, filter: &request.fingerprint };
        let after = self.pages.open(&listing, &request.page_token, now)?;
        let page = Page { after, size: request.page_size };
        let paged = self.db.read(transaction, scope, |tx| read(tx, page.clone())).await?;
        let next = match paged.rows.last() {
            Some(last) if paged.more => self.pages.seal(&listing, &key_of(last), now)?,
            _ => String::new(),
        };
        Ok(Listed { items: paged.rows, next })
    }

    /// Appends an event in the transaction of its change.
    pub(crate) async fn tell(
        &self,
        tx: &Tx,
        kind: &'static str,
        about: About<'_>,
        now: Instant,
        payload: Vec<u8>,
    ) -> Result<(), Error> {
        outbox::append(tx.conn(), SCHEMA, self.ids.next(), &about.event(kind, now, payload)).await
    }
}

/// What an event is about, and who may see it.
pub(crate) struct About<'a> {
    pub(crate) operator: &'a OperatorId,
    pub(crate) tenant: Option<&'a TenantId>,
    pub(crate) subject: String,
}

impl About<'_> {
    /// An event about it.
    pub(crate) fn event(self, kind: &'static str, now: Instant, payload: Vec<u8>) -> NewEvent {
        NewEvent {
            operator: Some(self.operator.clone()),
            tenant: self.tenant.cloned(),
            kind,
            subject: self.subject,
            occurred_at: now,
            payload,
        }
    }
}

/// What a list may see, as its store function wants it.
pub(crate) fn sight<'a>(scope: &'a Scope, parent: &'a OperatorParent) -> Sight<'a> {
    Sight { scope, operator: parent.operator() }
}

/// Refuses a change that was decided on an older version.
pub(crate) fn check_etag(given: Option<&str>, version: i64) -> Result<(), Error> {
    match given {
        Some(etag) if etag != etag_of(version) => Err(Error::etag_mismatch()),
        _ => Ok(()),
    }
}

/// The etag of a version.
#[must_use]
pub fn etag_of(version: i64) -> String {
    format!("v{version}")
}
