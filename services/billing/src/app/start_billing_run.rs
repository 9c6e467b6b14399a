//! Bills a month: drafts for every charge that is due and not yet taken by an invoice.

use std::collections::{BTreeMap, BTreeSet};

use kernel::time::add_months;
use kernel::{
    BillingRunName, Caller, Currency, DateRange, Error, Instant, InvoiceId, LeaseId, LeaseName, Money,
    OperatorId, RunId, Scope, Uuid, YearMonth,
};
use postgres::{Answer, RequestKey, Tx, idempotency};
use runtime::failpoint;
use serde::Serialize;
use tracing::{error, info, warn};

use super::agreed::{Agreed, Trouble};
use super::reckon::{Books, Reckoned};
use super::{About, App, INVOICES_IN_ANSWER, RunView, kind, rpc};
use crate::domain::charge::{self, Charge};
use crate::domain::invoice::{Bill, Invoice, TooLarge};
use crate::domain::lease::{LeaseCopy, Poison};
use crate::domain::reckoning::{Reckoning, months_before};
use crate::domain::rent_difference::{RentInputs, RentMonths, differences};
use crate::domain::run::{BillingRun, Chunk, Problem, Progress, RunHead, RunState};
use crate::store::charge::rent_billed;
use crate::store::{SCHEMA, account, feed, invoice, lease, payment_instructions, reckoning, run, run_chunk};

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

/// What comes of a chunk.
#[derive(Default)]
pub(super) struct Drafted {
    pub(super) invoices: Vec<Invoice>,
    reckonings: Vec<(LeaseId, Reckoning)>,
    problems: Vec<Problem>,
}

impl RunView {
    /// Adds what a chunk of a trial came to.
    fn take_in(&mut self, chunk: &Chunk, drafted: Drafted) -> Result<(), Error> {
        let run = &mut self.run;
        run.invoice_count += i64::try_from(drafted.invoices.len()).map_err(Error::internal)?;
        run.progress.lease_count += chunk.lease_count;
        run.progress.computed_count += chunk.lease_count;
        run.progress.problem_count += i64::try_from(drafted.problems.len()).map_err(Error::internal)?;
        let mut totals: BTreeMap<Currency, Money> =
            run.totals.iter().map(|sum| (sum.currency, *sum)).collect();
        for invoice in &drafted.invoices {
            let currency = invoice.total.currency;
            let total = totals.entry(currency).or_insert(Money::zero(currency));
            *total = total.checked_add(invoice.total).ok_or_else(|| Error::internal(TooLarge))?;
        }
        run.totals = totals.into_values().collect();
        let room = |kept: usize| INVOICES_IN_ANSWER.saturating_sub(kept);
        self.invoices.extend(drafted.invoices.into_iter().take(room(self.invoices.len())));
        self.problems.extend(drafted.problems.into_iter().take(room(self.problems.len())));
        Ok(())
    }
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
                let view = self.begin(&tx, scope, command, number, now).await?;
                idempotency::record(tx.conn(), SCHEMA, key, &(self.wire.run_started)(&view)).await?;
                failpoint("billing.run.before_commit")?;
                Ok((tx, Answer::Fresh(view)))
            })
            .await?;
        failpoint("billing.run.after_commit")?;
        if let Answer::Fresh(view) = &answer {
            self.feed.notify();
            self.rouse();
            info!(operator = %command.operator, month = %command.month, invoices = view.run.invoice_count,
                "billing run started");
        }
        Ok(answer)
    }

    /// Writes the run and computes it if it is one chunk, as nearly all are; the chunks of a larger one are computed by
    /// replicas, side by side.
    async fn begin(
        &self,
        tx: &Tx,
        scope: &Scope,
        command: &StartBillingRun,
        number: i64,
        now: Instant,
    ) -> Result<RunView, Error> {
        let chunks = run_chunk::cut(tx.conn(), &command.operator, self.chunk).await?;
        let state = if chunks.len() > 1 { RunState::Computing } else { RunState::Draft };
        let run = RunHead { state, ..self.new_run(command, number, now) };
        run::insert(tx.conn(), &run).await?;
        run_chunk::insert(tx.conn(), &run.operator, run.id, &chunks).await?;
        let drafted = match chunks.as_slice() {
            [whole] => self.compute_chunk(tx, scope, &run, whole, now).await?,
            _ => Drafted::default(),
        };
        let run = self.tell_run(tx, kind::RUN_STARTED, &run.name(), now).await?;
        let (mut invoices, mut problems) = (drafted.invoices, drafted.problems);
        invoices.truncate(INVOICES_IN_ANSWER);
        problems.truncate(INVOICES_IN_ANSWER);
        Ok(RunView { run, invoices, problems, tried_out: false })
    }

    fn new_run(&self, command: &StartBillingRun, number: i64, now: Instant) -> RunHead {
        RunHead {
            operator: command.operator.clone(),
            id: RunId::new(self.ids.next()),
            number,
            month: command.month,
            state: RunState::Draft,
            version: 1,
            create_time: now,
            issue_time: None,
        }
    }

    /// Computes a chunk and writes what comes of it.
    pub(super) async fn compute_chunk(
        &self,
        tx: &Tx,
        scope: &Scope,
        run: &RunHead,
        chunk: &Chunk,
        now: Instant,
    ) -> Result<Drafted, Error> {
        let drafted = self.draft(tx, scope, run, chunk, now).await?;
        reckoning::insert(tx.conn(), &run.operator, &drafted.reckonings, now).await?;
        invoice::insert(tx.conn(), &drafted.invoices).await?;
        run_chunk::insert_problems(tx.conn(), run.id, &drafted.problems, || self.ids.next()).await?;
        run_chunk::done(tx.conn(), &run.operator, run.id, chunk, now).await?;
        Ok(drafted)
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
                let mut view = RunView {
                    run: BillingRun {
                        head: self.new_run(command, 0, now),
                        invoice_count: 0,
                        totals: Vec::new(),
                        progress: Progress::default(),
                    },
                    invoices: Vec::new(),
                    problems: Vec::new(),
                    tried_out: true,
                };
                for chunk in run_chunk::cut(tx.conn(), &command.operator, self.chunk).await? {
                    let drafted = self.draft(&tx, scope, &view.run.head, &chunk, now).await?;
                    view.take_in(&chunk, drafted)?;
                }
                Ok((tx, Answer::Fresh(view)))
            })
            .await
    }

    /// The drafts of a chunk, not yet written.
    async fn draft(
        &self,
        tx: &Tx,
        scope: &Scope,
        run: &RunHead,
        chunk: &Chunk,
        now: Instant,
    ) -> Result<Drafted, Error> {
        let mut reckoned = Reckoned::default();
        let bills = self.due_bills(tx, run, chunk, now, &mut reckoned).await?;
        let accounts = account::by_tenant(tx.conn(), scope, &run.operator).await?;
        let pay_to = payment_instructions::in_force(tx.conn(), &run.operator).await?;
        let mut invoices = Vec::with_capacity(bills.len());
        for bill in bills {
            let currency = bill.total.currency;
            match accounts.get(&(bill.tenant.clone(), currency)) {
                Some(account) => {
                    let id = InvoiceId::new(self.ids.next());
                    let pay_to = pay_to.now(&run.operator, currency);
                    invoices.push(Invoice { pay_to, ..Invoice::draft(bill, id, run.id, *account, now) });
                }
                None => {
                    error!(lease = %bill.lease, tenant = %bill.tenant, %currency, "a tenant has no account");
                    let lease = LeaseName::new(run.operator.clone(), bill.lease);
                    let problem = format!("{} has no account in {currency}", bill.tenant);
                    reckoned.forget(&lease.lease);
                    reckoned.problems.push(Problem { lease, place: None, problem });
                }
            }
        }
        Ok(Drafted { invoices, reckonings: reckoned.kept, problems: reckoned.problems })
    }

    /// What each lease of a chunk owes and no invoice has: rent of the month, and what the months before it came to
    /// beside rent. A lease that is parked, or whose terms turn out not to be computable, is left out and told; it never
    /// stops the others.
    async fn due_bills(
        &self,
        tx: &Tx,
        run: &RunHead,
        chunk: &Chunk,
        now: Instant,
        into: &mut Reckoned,
    ) -> Result<Vec<Bill>, Error> {
        let (operator, month, leases) = (&run.operator, run.month, (&chunk.first, &chunk.last));
        let parked = feed::parked(tx.conn(), operator).await?;
        let books = Books::open(self, tx, operator, leases, month, now).await?;
        let nothing = RentMonths::new();
        let mut bills = Vec::new();
        let all = lease::in_force(tx.conn(), operator, leases).await?;
        let agreed = Agreed::open(self, tx, operator, leases, &all, month).await?;
        let taken = rent_billed(tx.conn(), operator, leases, reach(month, &all)).await?;
        for lease in all {
            let left_out = |problem: String| Problem { lease: lease.name(), place: None, problem };
            if parked.contains(&lease.name().to_string()) {
                warn!(lease = %lease.name(), %month, "a parked lease is left out of the run");
                into.problems.push(left_out("is parked: its last event could not be understood".to_owned()));
                continue;
            }
            let billed = taken.get(&lease.lease).unwrap_or(&nothing);
            let rent = rent_of(&lease, month, billed)
                .map_err(Trouble::Poison)
                .and_then(|rent| agreed.add(self, &lease, month, &rent.0, into).map(|()| rent));
            let (rent, changed) = match rent {
                Ok(rent) => rent,
                Err(Trouble::Failed(error)) => return Err(error),
                Err(Trouble::Poison(poison)) => {
                    error!(lease = %lease.name(), problem = %poison, "a lease cannot be billed");
                    into.forget(&lease.lease);
                    into.problems.push(left_out(poison.0));
                    continue;
                }
            };
            if let Some(books) = &books {
                books.reckon(&lease, into).await?;
            }
            self.bill_differences(&lease, &rent, &changed, into)?;
            let reckoned = into.lines.remove(&lease.lease).unwrap_or_default();
            bills.extend(Bill::of(&lease, month, rent, reckoned)?);
        }
        Ok(bills)
    }

    /// Tells what became of a run, with what it has come to by now.
    pub(super) async fn tell_run(
        &self,
        tx: &Tx,
        kind: &'static str,
        name: &BillingRunName,
        now: Instant,
    ) -> Result<BillingRun, Error> {
        let scope = Scope::Operator(name.operator.clone());
        let run = run::find(tx.conn(), &scope, name).await?;
        let run = run.ok_or_else(|| Error::internal("a run is gone"))?;
        let about = About { operator: &name.operator, tenant: None, subject: name.to_string() };
        self.tell(tx, kind, about, now, (self.wire.run_event)(&run)).await?;
        Ok(run)
    }
}

/// The rent of a run of `month`, and what has changed of rent that was billed before.
fn rent_of(
    lease: &LeaseCopy,
    month: YearMonth,
    billed: &RentMonths,
) -> Result<(Vec<Charge>, Vec<RentInputs>), Poison> {
    let rent = charge::due(lease, month, &billed.keys().cloned().collect::<BTreeSet<_>>())?;
    let changed = differences(lease, month, billed, &rent)?;
    Ok((rent, changed))
}

/// The days whose rent a run of `month` may bill or correct: as far back as usage, and in advance a period from it on.
fn reach(month: YearMonth, leases: &[LeaseCopy]) -> Option<DateRange> {
    let months = leases.iter().map(|lease| lease.terms.rent.frequency.months()).max().unwrap_or(1);
    let first = months_before(month).first()?.first_day();
    DateRange::new(first, add_months(month.first_day(), i32::try_from(months).ok()?)?).ok()
}
