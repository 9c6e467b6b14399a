//! Bills a month: drafts for every charge that is due and not yet taken by an invoice.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{
    AccountId, BillingRunName, Caller, Currency, Error, Instant, InvoiceId, LeaseId, Money, OperatorId,
    RunId, Scope, Uuid, YearMonth,
};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;
use tracing::{error, info, warn};

use super::reckon::{Books, Reckoned};
use super::{About, App, INVOICES_IN_ANSWER, RunView, kind, rpc};
use crate::domain::charge;
use crate::domain::invoice::{Bill, Invoice, TooLarge};
use crate::domain::reckoning::Reckoning;
use crate::domain::run::{BillingRun, Problem, RunState};
use crate::store::charge::taken as taken_charges;
use crate::store::{SCHEMA, account, feed, invoice, lease, reckoning, run};

/// Starts a billing run.
#[derive(Clone, Debug, Serialize)]
pub struct StartBillingRun {
    /// Who bills.
    pub operator: OperatorId,
    /// The month.
    pub month: YearMonth,
    /// The caller's id for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only try it out.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Starts a billing run. Runs of one operator take turns, so that a second run of a month sees what the first
    /// billed and makes supplementary invoices, or none.
    pub async fn start_billing_run(
        &self,
        caller: &Caller,
        command: StartBillingRun,
    ) -> Result<Answer<RunView>, Error> {
        let scope = Self::own_operator(caller, &command.operator)?;
        let owner = format!("operators/{}", command.operator);
        let key = RequestKey::new(owner, caller, rpc::START_RUN, command.request_id, &command)?;
        let (command, key, scope) = (&command, &key, &scope);
        let now = self.now();
        if command.validate_only {
            return self.try_run(scope, command, key, now).await;
        }
        let answer = self
            .db
            .in_tx("start_billing_run", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let number = run::take_turn(tx.conn(), &command.operator, now).await?;
                let (mut view, reckonings) = self.compute(&tx, scope, command, number, now).await?;
                run::insert(tx.conn(), &view.run).await?;
                reckoning::insert(tx.conn(), &command.operator, &reckonings, now).await?;
                invoice::insert(tx.conn(), &view.invoices).await?;
                self.tell_run(&tx, kind::RUN_STARTED, &view.run, now).await?;
                view.invoices.truncate(INVOICES_IN_ANSWER);
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.run_started)(&view)).await?;
                failpoint("billing.run.before_commit")?;
                Ok((tx, Answer::Fresh(view)))
            })
            .await?;
        failpoint("billing.run.after_commit")?;
        if let Answer::Fresh(view) = &answer {
            self.feed.notify();
            info!(operator = %command.operator, month = %command.month, invoices = view.run.invoice_count,
                "billing run started");
        }
        Ok(answer)
    }

    async fn try_run(
        &self,
        scope: &Scope,
        command: &StartBillingRun,
        key: &RequestKey,
        now: Instant,
    ) -> Result<Answer<RunView>, Error> {
        self.db
            .read("try_billing_run", scope, |tx| async move {
                if let Some(reply) = idempotency::find(tx.conn(), SCHEMA, key).await? {
                    return Ok((tx, Answer::Replayed(reply)));
                }
                let (mut view, _) = self.compute(&tx, scope, command, 0, now).await?;
                view.invoices.truncate(INVOICES_IN_ANSWER);
                view.tried_out = true;
                Ok((tx, Answer::Fresh(view)))
            })
            .await
    }

    /// The run and all its drafts, not yet written.
    async fn compute(
        &self,
        tx: &Tx,
        scope: &Scope,
        command: &StartBillingRun,
        number: i64,
        now: Instant,
    ) -> Result<(RunView, Vec<(LeaseId, Reckoning)>), Error> {
        let mut reckoned = Reckoned::default();
        let bills = self.due_bills(tx, command, now, &mut reckoned).await?;
        let accounts = account::by_tenant(tx.conn(), scope, &command.operator).await?;
        let run = RunId::new(self.ids.next());
        let mut invoices = Vec::with_capacity(bills.len());
        let mut totals: BTreeMap<Currency, Money> = BTreeMap::new();
        for bill in bills {
            let currency = bill.total.currency;
            let account: AccountId = *accounts
                .get(&(bill.tenant.clone(), currency))
                .ok_or_else(|| Error::internal(format!("{} has no account in {currency}", bill.tenant)))?;
            let total = totals.entry(currency).or_insert(Money::zero(currency));
            *total = total.checked_add(bill.total).ok_or_else(|| Error::internal(TooLarge))?;
            invoices.push(Invoice::draft(bill, InvoiceId::new(self.ids.next()), run, account, now));
        }
        let run = BillingRun {
            operator: command.operator.clone(),
            id: run,
            number,
            month: command.month,
            state: RunState::Draft,
            version: 1,
            create_time: now,
            issue_time: None,
            invoice_count: i64::try_from(invoices.len()).map_err(Error::internal)?,
            totals: totals.into_values().collect(),
        };
        reckoned.problems.truncate(INVOICES_IN_ANSWER);
        Ok((RunView { run, invoices, problems: reckoned.problems, tried_out: false }, reckoned.kept))
    }

    /// What each lease of the operator owes and no invoice has: rent of the month, and what the months before it came to
    /// beside rent. A lease that is parked, or whose terms turn out not to be computable, is left out and told; it never
    /// stops the others.
    async fn due_bills(
        &self,
        tx: &Tx,
        command: &StartBillingRun,
        now: Instant,
        into: &mut Reckoned,
    ) -> Result<Vec<Bill>, Error> {
        let (operator, month) = (&command.operator, command.month);
        let parked = feed::parked(tx.conn(), operator).await?;
        let taken = taken_charges(tx.conn(), operator, None, month.range()).await?;
        let books = Books::open(self, tx, operator, month, now).await?;
        let nothing = BTreeSet::new();
        let mut bills = Vec::new();
        for lease in lease::commenced(tx.conn(), operator).await? {
            let left_out = |problem: String| Problem { lease: lease.name(), place: None, problem };
            if parked.contains(&lease.name().to_string()) {
                warn!(lease = %lease.name(), %month, "a parked lease is left out of the run");
                into.problems.push(left_out("is parked: its last event could not be understood".to_owned()));
                continue;
            }
            let rent = match charge::due(&lease, month, taken.get(&lease.lease).unwrap_or(&nothing)) {
                Ok(rent) => rent,
                Err(poison) => {
                    error!(lease = %lease.name(), problem = %poison, "a lease cannot be billed");
                    into.problems.push(left_out(poison.0));
                    continue;
                }
            };
            if let Some(books) = &books {
                books.reckon(&lease, month, into).await?;
            }
            let reckoned = into.lines.remove(&lease.lease).unwrap_or_default();
            bills.extend(Bill::with(&lease, month, rent, reckoned)?);
        }
        Ok(bills)
    }

    pub(super) async fn tell_run(
        &self,
        tx: &Tx,
        kind: &'static str,
        run: &BillingRun,
        now: Instant,
    ) -> Result<(), Error> {
        let subject = BillingRunName::new(run.operator.clone(), run.id).to_string();
        let about = About { operator: &run.operator, tenant: None, subject };
        self.tell(tx, kind, about, now, (self.wire.run_event)(run)).await
    }
}
