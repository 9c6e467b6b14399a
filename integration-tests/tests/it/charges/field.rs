//! An operator with a hall in rent, and what is done there over and over.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::google::r#type::Money;
use contracts::leasing::v1::{LeaseState, LeaseTerms};
use gridlease::clients::Clients;
use integration_tests::TestStack;
use integration_tests::market::{self, date, day, request_id, series};
use integration_tests::requests::charging::create;
use integration_tests::world::{in_state, invoices_due, sign};
use kernel::{Instant, Role};

/// The stack, its people, and a lease of a hall for each load, all in rent since 1 January 2027.
pub(crate) struct Field {
    pub(crate) stack: TestStack,
    pub(crate) operator: String,
    pub(crate) blocks: Vec<String>,
    pub(crate) leases: Vec<String>,
    pub(crate) finance: Clients,
    pub(crate) ops: Clients,
    pub(crate) tenant: Clients,
}

pub(crate) fn cents(money: Option<&Money>) -> i64 {
    money.map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
}

/// Readings of an hour each, from an instant on.
pub(crate) fn hours(meter: &str, start: &str, count: usize, kwh: i64) -> billing::ReadingSeries {
    series(meter, start, &vec![kwh * 1_000; count])
}

/// Item, revision and amount of each line of one type.
pub(crate) fn of_type(
    invoice: &billing::Invoice,
    charge_type: billing::ChargeType,
) -> Vec<(String, i32, i64)> {
    let lines = invoice.lines.iter().filter(|line| line.charge_type() == charge_type);
    lines.map(|line| (line.item.clone(), line.revision, cents(line.amount.as_ref()))).collect()
}

/// Item, revision and amount of each line that is not rent.
pub(crate) fn lines(invoice: &billing::Invoice) -> Vec<(&str, i32, i64)> {
    let reckoned = invoice.lines.iter().filter(|line| line.charge_type() != billing::ChargeType::BaseRent);
    reckoned.map(|line| (line.item.as_str(), line.revision, cents(line.amount.as_ref()))).collect()
}

/// Every line computed again, which must come to the same cent.
pub(crate) async fn explain_all(
    who: &Clients,
    invoice: &billing::Invoice,
) -> Result<Vec<billing::ExplainLineResponse>> {
    let mut explained = Vec::new();
    for line in &invoice.lines {
        let ask =
            billing::ExplainLineRequest { invoice: invoice.name.clone(), line_number: line.line_number };
        let answer = who.invoices().explain_line(ask).await.context("explain")?.into_inner();
        ensure!(answer.same && answer.computed == line.amount, "another amount: {answer:#?}");
        ensure!(answer.line.as_ref() == Some(line) && !answer.steps.is_empty(), "{answer:#?}");
        explained.push(answer);
    }
    Ok(explained)
}

impl Field {
    /// Halls of these loads, each leased at 125 a kW and month by the same tenant.
    pub(crate) async fn prepare(loads_kw: &[i64]) -> Result<Self> {
        Self::prepare_with(loads_kw, |_| {}).await
    }

    /// The same, with terms that are changed so.
    pub(crate) async fn prepare_with(loads_kw: &[i64], change: fn(&mut LeaseTerms)) -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let halls: Vec<_> = loads_kw.iter().map(|kw| market::hall(*kw)).collect();
        let site = market::site(clients, "acme", &halls).await?;
        let tenant = market::tenant(clients, "lab").await?;
        let sales = stack.clients(&site.operator, Role::Sales)?;
        let mut leases = Vec::new();
        for (at, (block, kw)) in site.blocks.iter().zip(loads_kw).enumerate() {
            let mut terms = market::terms(block, market::load(*kw));
            change(&mut terms);
            let proposal = market::proposal(&site.operator, &tenant, &format!("lease-{at}"), terms);
            let proposed = sales.leases().propose_lease(proposal).await.context("propose")?.into_inner();
            let proposed = proposed.lease.context("a lease")?;
            sign(clients, &proposed).await?;
            leases.push(proposed.name);
        }
        stack.move_to(day("2027-01-02")).await?;
        for lease in &leases {
            in_state(&sales, lease, LeaseState::Active).await?;
        }
        let finance = stack.clients(&site.operator, Role::Finance)?;
        invoices_due(&finance, &site.operator, (2027, 1), leases.len()).await?;
        Ok(Self {
            ops: stack.clients(&site.operator, Role::SiteOps)?,
            tenant: stack.clients(&tenant, Role::Tenant)?,
            operator: site.operator,
            blocks: site.blocks,
            leases,
            finance,
            stack,
        })
    }

    /// A meter of a hall, or of all that the site takes.
    pub(crate) async fn meter(
        &self,
        id: &str,
        hall: Option<usize>,
        zone: &str,
        minutes: i32,
    ) -> Result<String> {
        let block = hall.map(|hall| self.blocks[hall].clone());
        let kind = if block.is_some() { billing::MeterKind::Block } else { billing::MeterKind::Utility };
        let meter = billing::Meter {
            display_name: id.to_owned(),
            kind: kind.into(),
            site: format!("{}/sites/rockdale", self.operator),
            block: block.unwrap_or_default(),
            time_zone: zone.to_owned(),
            interval_minutes: minutes,
            max_kw: 1_000_000,
            assumed_kw: 1_000,
            install_date: Some(date("2027-01-01")),
            ..Default::default()
        };
        let create = billing::CreateMeterRequest {
            parent: self.operator.clone(),
            meter_id: id.to_owned(),
            meter: Some(meter),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.ops.meters().create_meter(create).await?.into_inner().meter.context("a meter")?.name)
    }

    pub(crate) async fn tariff(&self, id: &str, tariff: billing::Tariff) -> Result<String> {
        let create = billing::CreateTariffRequest {
            parent: self.operator.clone(),
            tariff_id: id.to_owned(),
            tariff: Some(tariff),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.finance.tariffs().create_tariff(create).await?.into_inner().tariff.context("a tariff")?.name)
    }

    /// A plan of a hall for days of a zone.
    pub(crate) async fn plan(
        &self,
        id: &str,
        hall: usize,
        (from, until, zone): (&str, &str, &str),
        plan: billing::ChargingPlan,
    ) -> Result<()> {
        let plan = billing::ChargingPlan {
            lease: self.leases[hall].clone(),
            block: self.blocks[hall].clone(),
            from_date: Some(date(from)),
            until_date: Some(date(until)),
            time_zone: zone.to_owned(),
            ..plan
        };
        let wanted = plan.clone();
        let create = create(&self.operator, id, plan);
        let created = self.finance.charging().create_charging_plan(create).await.context("create a plan")?;
        let created = created.into_inner().charging_plan.context("a plan")?;
        let get = billing::GetChargingPlanRequest { name: created.name.clone() };
        let read = self.finance.charging().get_charging_plan(get).await?.into_inner().charging_plan;
        ensure!(read.as_ref() == Some(&created), "read otherwise than created: {read:#?}");
        ensure!(created.from_date == wanted.from_date && created.service_level == wanted.service_level);
        Ok(())
    }

    pub(crate) async fn send(&self, series: Vec<billing::ReadingSeries>) -> Result<()> {
        let messages = series.chunks(4).map(|series| billing::IngestReadingsRequest {
            parent: self.operator.clone(),
            series: series.to_vec(),
            validate_only: false,
        });
        let messages: Vec<_> = messages.collect();
        let answer = self.ops.meters().ingest_readings(tokio_stream::iter(messages)).await?.into_inner();
        ensure!(answer.conflict_count == 0, "{answer:?}");
        Ok(())
    }

    /// Starts a run of a month at noon of its second day.
    pub(crate) async fn run(&self, year: i32, month: i32) -> Result<billing::StartBillingRunResponse> {
        let second = kernel::CivilDate::from_ymd_opt(year, u32::try_from(month)?, 2).context("a day")?;
        self.stack.move_to(second).await?;
        self.run_now(year, month).await
    }

    pub(crate) async fn run_now(&self, year: i32, month: i32) -> Result<billing::StartBillingRunResponse> {
        let start = billing::StartBillingRunRequest {
            parent: self.operator.clone(),
            billing_month: Some(billing::BillingMonth { year, month }),
            request_id: request_id(),
            validate_only: false,
        };
        Ok(self.finance.invoices().start_billing_run(start).await.context("start a run")?.into_inner())
    }

    /// Starts a run of a month and issues it; the invoices in order of lease.
    pub(crate) async fn bill(&self, year: i32, month: i32) -> Result<Vec<billing::Invoice>> {
        let started = self.run(year, month).await?;
        ensure!(started.problems.is_empty(), "{:#?}", started.problems);
        let run = started.billing_run.context("a run")?;
        let issue = billing::IssueBillingRunRequest {
            name: run.name,
            etag: run.etag,
            request_id: request_id(),
            validate_only: false,
        };
        let issued = self.finance.invoices().issue_billing_run(issue).await.context("issue")?.into_inner();
        Ok(issued.invoices)
    }

    pub(crate) async fn invoice(&self, name: &str) -> Result<billing::Invoice> {
        let get = billing::GetInvoiceRequest { name: name.to_owned() };
        self.tenant.invoices().get_invoice(get).await?.into_inner().invoice.context("an invoice")
    }

    /// Ledger account, jurisdiction and balance, debits above zero.
    pub(crate) async fn books(&self) -> Result<Vec<(String, String, i64)>> {
        let ask = billing::GetTrialBalanceRequest { parent: self.operator.clone(), as_of_date: None };
        let balance = self.finance.reports().get_trial_balance(ask).await?.into_inner();
        let rows = balance.rows.iter().map(|row| {
            let sum = cents(row.debit.as_ref()) - cents(row.credit.as_ref());
            (row.ledger_account.clone(), row.jurisdiction.clone(), sum)
        });
        Ok(rows.collect())
    }
}

/// The instant of a text.
pub(crate) fn at(text: &str) -> Instant {
    text.parse().expect("an instant")
}
