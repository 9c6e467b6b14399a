//! Time passes, blocks commence, rent is invoiced and posted.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, bail, ensure};
use chrono::Datelike as _;
use contracts::billing::v1 as wire;
use contracts::common::v1::{AdvanceTimeRequest, GetTimeRequest};
use contracts::leasing::v1 as leasing;
use kernel::{CivilDate, Instant, OperatorId, Role};

use super::ask::short;
use super::findings::{BooksFound, InvoiceFound, PreviewFound};
use super::progress::stage;
use super::staff::Staff;
use super::wire::{cents, civil, request_id};
use crate::market::{Deal, Kind, Market};

/// Blocks commence and events travel in the background: longer than this is a fault.
const PATIENCE: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(100);

/// Moves business time and answers where it stands then.
pub(super) async fn advance(to: Instant, staff: &Staff) -> anyhow::Result<Instant> {
    let mut clock = staff.platform()?.clock();
    let time = Some(prost_types::Timestamp { seconds: to.timestamp(), nanos: 0 });
    clock.advance_time(AdvanceTimeRequest { time }).await.context("move the business clock")?;
    let now = clock.get_time(GetTimeRequest {}).await?.into_inner().time.context("a clock without time")?;
    Instant::from_timestamp(now.seconds, 0).context("a clock beyond time")
}

/// Waits until every block that is due by `today` has commenced; answers how many have.
pub(super) async fn commenced(market: &Market, staff: &Staff, today: CivilDate) -> anyhow::Result<usize> {
    let lines = || market.deals_of(Kind::Lease).flat_map(|deal| &deal.lines);
    let due = lines().filter(|line| line.start_date <= today).count();
    let progress = stage("blocks commence", due);
    let deadline = tokio::time::Instant::now() + PATIENCE;
    let mut seen = 0;
    loop {
        let mut have = 0;
        for operator in market.lessors() {
            for lease in list(&operator.id, staff).await? {
                let state = leasing::LeaseBlockState::Commenced;
                have += lease.blocks.iter().filter(|block| block.state() == state).count();
            }
        }
        (seen..have).for_each(|_| progress.step());
        seen = seen.max(have);
        if have >= due {
            return Ok(have);
        }
        ensure!(tokio::time::Instant::now() < deadline, "only {have} of {due} blocks have commenced");
        tokio::time::sleep(PAUSE).await;
    }
}

async fn list(operator: &OperatorId, staff: &Staff) -> anyhow::Result<Vec<leasing::Lease>> {
    let request = leasing::ListLeasesRequest {
        parent: format!("operators/{operator}"),
        page_size: 1_000,
        ..Default::default()
    };
    Ok(staff.of(operator, Role::Sales)?.leases().list_leases(request).await?.into_inner().leases)
}

/// Invoices the rent of a month: each operator's finance runs it, then issues it.
pub(super) async fn month(
    market: &Market,
    staff: &Staff,
    today: CivilDate,
) -> anyhow::Result<Vec<InvoiceFound>> {
    let progress = stage("rent invoices", market.lessors().len());
    let mut found = Vec::new();
    for operator in market.lessors() {
        let due = due_lines(market, &operator.id, today);
        let mut client = staff.of(&operator.id, Role::Finance)?.invoices();
        wait_for_billing(&mut client, &operator.id, today, due).await?;
        if due > 0 {
            let run = client.start_billing_run(run_request(&operator.id, today, false)?).await?.into_inner();
            let run = run.billing_run.context("StartBillingRun answered without the run")?;
            let request = wire::IssueBillingRunRequest {
                name: run.name,
                etag: run.etag,
                request_id: request_id(),
                validate_only: false,
            };
            let issued = client.issue_billing_run(request).await?.into_inner();
            for invoice in &issued.invoices {
                found.push(invoice_found(&operator.id, &operator.display_name, invoice)?);
            }
        }
        progress.step();
    }
    Ok(found)
}

/// Lines that the plan has for the month of `today` on blocks that have commenced.
fn due_lines(market: &Market, operator: &OperatorId, today: CivilDate) -> usize {
    market
        .deals_of(Kind::Lease)
        .filter(|deal| deal.operator == *operator)
        .flat_map(|deal| &deal.lines)
        .filter(|line| line.start_date <= today && today < line.end_date())
        .count()
}

fn run_request(
    operator: &OperatorId,
    today: CivilDate,
    validate_only: bool,
) -> anyhow::Result<wire::StartBillingRunRequest> {
    Ok(wire::StartBillingRunRequest {
        parent: format!("operators/{operator}"),
        billing_month: Some(wire::BillingMonth { year: today.year(), month: i32::try_from(today.month())? }),
        request_id: request_id(),
        validate_only,
    })
}

/// Billing follows leasing's events: waits until a dry run has a line for every commenced block.
async fn wait_for_billing(
    client: &mut wire::invoice_service_client::InvoiceServiceClient<crate::clients::Wire>,
    operator: &OperatorId,
    today: CivilDate,
    due: usize,
) -> anyhow::Result<()> {
    let deadline = tokio::time::Instant::now() + PATIENCE;
    loop {
        let dry = client.start_billing_run(run_request(operator, today, true)?).await?.into_inner();
        let lines: usize = dry.invoices.iter().map(|invoice| invoice.lines.len()).sum();
        if lines >= due {
            return Ok(());
        }
        if tokio::time::Instant::now() > deadline {
            bail!("{operator}: billing knows {lines} of {due} commenced blocks");
        }
        tokio::time::sleep(PAUSE).await;
    }
}

fn invoice_found(operator: &OperatorId, name: &str, invoice: &wire::Invoice) -> anyhow::Result<InvoiceFound> {
    let lease = invoice.lease.rsplit('/').next().unwrap_or_default();
    Ok(InvoiceFound {
        operator: operator.to_string(),
        operator_name: name.to_owned(),
        deal: lease.to_uppercase(),
        number: invoice.number.clone(),
        state: invoice.state().as_str_name().trim_start_matches("INVOICE_STATE_").to_owned(),
        due_date: civil(invoice.due_date.as_ref())?,
        total_cents: cents(invoice.total.as_ref())?,
        lines: invoice.lines.iter().map(|line| format!("{}: {}", short(&line.block), line.formula)).collect(),
    })
}

/// The books of every operator that has invoices.
pub(super) async fn books(invoices: &[InvoiceFound], staff: &Staff) -> anyhow::Result<Vec<BooksFound>> {
    let operators: BTreeMap<&str, ()> =
        invoices.iter().map(|invoice| (invoice.operator.as_str(), ())).collect();
    let mut found = Vec::new();
    for operator in operators.into_keys() {
        let id: OperatorId = operator.parse().context("an operator's slug")?;
        let request =
            wire::GetTrialBalanceRequest { parent: format!("operators/{operator}"), as_of_date: None };
        let answer = staff.of(&id, Role::Finance)?.reports().get_trial_balance(request).await?.into_inner();
        let total = answer.totals.first().context("a trial balance without totals")?;
        found.push(BooksFound {
            operator: operator.to_owned(),
            debit_cents: cents(total.debit.as_ref())?,
            credit_cents: cents(total.credit.as_ref())?,
        });
    }
    Ok(found)
}

/// What billing says is still to come of a lease, to the end of its term.
pub(super) async fn preview(
    deal: &Deal,
    staff: &Staff,
    invoices: &[InvoiceFound],
) -> anyhow::Result<PreviewFound> {
    let request = wire::PreviewInvoicesRequest {
        lease: format!("operators/{}/leases/{}", deal.operator, deal.lease_id()),
        through_date: None,
        until_end: true,
    };
    let mut client = staff.of(&deal.operator, Role::Finance)?.invoices();
    let answer = client.preview_invoices(request).await?.into_inner();
    let own = invoices.iter().filter(|invoice| invoice.deal == deal.id);
    Ok(PreviewFound {
        deal: deal.id.clone(),
        invoices: answer.invoices.len(),
        to_come_cents: cents(answer.total.as_ref())?,
        invoiced_cents: own.map(|invoice| invoice.total_cents).sum(),
    })
}
