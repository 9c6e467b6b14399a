//! Readings that come twice, out of order, late and corrected, month after month, while writes of readings, of runs and of
//! issues fail before and after their commits: each reading is billed once, an issued invoice never changes, and all
//! invoices together come to what the meter says in the end.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::common::v1::AdvanceTimeRequest;
use contracts::leasing::v1::LeaseState;
use gridlease::clients::Clients;
use integration_tests::cluster::{BILLING, INVENTORY, LEASING};
use integration_tests::market::{self, ZONE, date, request_id, series};
use integration_tests::requests::charging::create;
use integration_tests::requests::tariffs::{energy, tariff};
use integration_tests::world::{billable, in_state, sign};
use integration_tests::{Cluster, raw};
use kernel::{CivilDate, Instant, Role, YearMonth, Zone};
use prost::Message as _;
use tonic::{Response, Status};

const OPERATOR: &str = "operators/acme";
const METER: &str = "operators/acme/meters/hall";
const FAILING: &str = "billing.ingest.before_commit=20%return(error);billing.ingest.after_commit=20%return(error);\
                       billing.run.before_commit=30%return(error);billing.run.after_commit=30%return(error);\
                       billing.issue.before_commit=30%return(error);billing.issue.after_commit=30%return(error)";
/// Months of 2027 that are metered.
const MONTHS: u32 = 4;

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % most
    }
}

/// An hour as it is said once.
#[derive(Clone, Copy, Debug)]
struct Said {
    start: Instant,
    revision: i32,
    kwh: i64,
    /// The month in which it arrives: its own, or later.
    arrives: u32,
}

/// Every hour of the months, one in eight with corrections, one in twelve late, most of them after their own month.
fn said(dice: &mut Dice) -> Result<Vec<Said>> {
    let zone: Zone = ZONE.parse()?;
    let mut all = Vec::new();
    for month in 1..=MONTHS {
        let days = YearMonth::new(2027, month)?.range().context("a month")?;
        let (mut start, end) = (zone.start_of_day(days.start()), zone.start_of_day(days.end()));
        while start < end {
            let revisions = if dice.below(8) == 0 { 1 + dice.below(3) } else { 1 };
            for revision in 0..revisions {
                let later =
                    if revision > 0 || dice.below(12) == 0 { u32::try_from(dice.below(3))? } else { 0 };
                let kwh = 1_000 + i64::try_from(dice.below(500))?;
                all.push(Said { start, revision: i32::try_from(revision)?, kwh, arrives: month + later });
            }
            start += chrono::TimeDelta::hours(1);
        }
    }
    Ok(all)
}

/// Asks again until it is answered; gives the answer and how often it failed.
async fn insist<T>(mut ask: impl AsyncFnMut() -> Result<Response<T>, Status>) -> Result<(T, u32)> {
    for failures in 0..200 {
        match ask().await {
            Ok(answer) => return Ok((answer.into_inner(), failures)),
            Err(status) if status.code() == tonic::Code::InvalidArgument => return Err(status.into()),
            Err(_) => tokio::time::sleep(Duration::from_millis(5)).await,
        }
    }
    anyhow::bail!("never answered")
}

struct Drill {
    cluster: Cluster,
    finance: Clients,
    ops: Clients,
    failures: u32,
}

impl Drill {
    /// A lease of a hall in rent since January, its meter charged at 0.05 a kWh.
    async fn prepare() -> Result<Self> {
        let mut cluster = Cluster::new(1).await?;
        cluster.start(INVENTORY, "").await?;
        cluster.start(LEASING, "").await?;
        cluster.start(BILLING, FAILING).await?;
        let clients = |organisation: &str, role| cluster.clients(organisation, role);
        let site = market::site(clients, "acme", &[market::hall(2_000)]).await?;
        let tenant = market::tenant(clients, "lab").await?;
        let sales = cluster.clients(OPERATOR, Role::Sales)?;
        let terms = market::terms(&site.blocks[0], market::load(2_000));
        let proposal = market::proposal(OPERATOR, &tenant, "river", terms);
        let proposed = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
        sign(clients, &proposed).await?;
        let (finance, ops) =
            (cluster.clients(OPERATOR, Role::Finance)?, cluster.clients(OPERATOR, Role::SiteOps)?);
        let mut drill = Self { cluster, finance, ops, failures: 0 };
        drill.move_to(CivilDate::from_ymd_opt(2027, 1, 2).context("a day")?).await?;
        in_state(&sales, &proposed.name, LeaseState::Active).await?;
        billable(&drill.finance, OPERATOR, 2027, 1).await?;
        drill.charge(&site.blocks[0], &proposed.name).await?;
        Ok(drill)
    }

    async fn charge(&mut self, block: &str, lease: &str) -> Result<()> {
        let meter = billing::Meter {
            display_name: "Hall".to_owned(),
            kind: billing::MeterKind::Block.into(),
            site: format!("{OPERATOR}/sites/rockdale"),
            block: block.to_owned(),
            time_zone: ZONE.to_owned(),
            interval_minutes: 60,
            max_kw: 50_000,
            assumed_kw: 900,
            install_date: Some(date("2027-01-01")),
            ..Default::default()
        };
        let meter = billing::CreateMeterRequest {
            parent: OPERATOR.to_owned(),
            meter_id: "hall".to_owned(),
            meter: Some(meter),
            request_id: request_id(),
            validate_only: false,
        };
        self.ops.meters().create_meter(meter).await?;
        let tariff = billing::CreateTariffRequest {
            parent: OPERATOR.to_owned(),
            tariff_id: "flat".to_owned(),
            tariff: Some(billing::Tariff { components: vec![energy("0.05")], ..tariff() }),
            request_id: request_id(),
            validate_only: false,
        };
        let tariff =
            self.finance.tariffs().create_tariff(tariff).await?.into_inner().tariff.context("a tariff")?;
        let usage = billing::UsageRule { tariff: tariff.name, meter: METER.to_owned(), ..Default::default() };
        let plan = billing::ChargingPlan {
            lease: lease.to_owned(),
            block: block.to_owned(),
            from_date: Some(date("2027-01-01")),
            until_date: Some(date(&format!("2027-{:02}-01", MONTHS + 1))),
            time_zone: ZONE.to_owned(),
            usage: Some(usage),
            ..Default::default()
        };
        self.finance.charging().create_charging_plan(create(OPERATOR, "hall", plan)).await?;
        Ok(())
    }

    /// Moves the clocks of leasing and of billing: each process has its own.
    async fn move_to(&self, day: CivilDate) -> Result<()> {
        let noon = Zone::UTC.start_of_day(day) + chrono::TimeDelta::hours(12);
        let advance = AdvanceTimeRequest { time: Some(runtime::wire::to_timestamp(noon)) };
        let token = self.cluster.token("platform", Role::PlatformAdmin)?;
        let at = self.cluster.addresses(0);
        for address in [at.inventory, at.leasing, at.billing] {
            let channel = runtime::client::channel(&format!("http://{address}"))?;
            let rpc = "gridlease.common.v1.ClockService/AdvanceTime";
            raw::call(&channel, rpc, Some(&token), advance.encode_to_vec()).await?;
        }
        Ok(())
    }

    /// Sends what arrives in a month, a fifth of it twice, dealt out in any order.
    async fn send(&mut self, dice: &mut Dice, said: &[Said]) -> Result<()> {
        let mut sent = said.to_vec();
        sent.extend(said.iter().filter(|_| dice.below(5) == 0));
        for at in (1..sent.len()).rev() {
            let other = usize::try_from(dice.below(u64::try_from(at)? + 1))?;
            if dice.below(3) == 0 {
                sent.swap(at, other);
            }
        }
        for part in sent.chunks(150) {
            let message = billing::IngestReadingsRequest {
                parent: OPERATOR.to_owned(),
                series: part
                    .iter()
                    .map(|said| billing::ReadingSeries {
                        revision: said.revision,
                        ..series(METER, &said.start.to_rfc3339(), &[said.kwh * 1_000])
                    })
                    .collect(),
                validate_only: false,
            };
            let mut meters = self.ops.meters();
            let ask = async || meters.ingest_readings(tokio_stream::iter([message.clone()])).await;
            let (answer, failures) = insist(ask).await?;
            ensure!(answer.conflict_count == 0, "{answer:?}");
            self.failures += failures;
        }
        Ok(())
    }

    /// A run of a month and its issue, each asked for until it is answered.
    async fn bill(&mut self, month: i32) -> Result<Vec<billing::Invoice>> {
        let start = billing::StartBillingRunRequest {
            parent: OPERATOR.to_owned(),
            billing_month: Some(billing::BillingMonth { year: 2027, month }),
            request_id: request_id(),
            validate_only: false,
        };
        let mut invoices = self.finance.invoices();
        let (started, failed) = insist(async || invoices.start_billing_run(start.clone()).await).await?;
        let issue = billing::IssueBillingRunRequest {
            name: started.billing_run.context("a run")?.name,
            etag: String::new(),
            request_id: request_id(),
            validate_only: false,
        };
        let (issued, again) = insist(async || invoices.issue_billing_run(issue.clone()).await).await?;
        self.failures += failed + again;
        Ok(issued.invoices)
    }
}

fn cents(line: &billing::InvoiceLine) -> i64 {
    line.amount.as_ref().map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
}

#[tokio::test]
async fn each_reading_is_billed_once_and_the_difference_comes_next() -> Result<()> {
    let mut drill = Drill::prepare().await?;
    let mut dice = Dice(11);
    let said = said(&mut dice)?;
    let mut issued: Vec<billing::Invoice> = Vec::new();
    for month in 2..=MONTHS + 4 {
        drill.move_to(CivilDate::from_ymd_opt(2027, month, 2).context("a day")?).await?;
        let arrived: Vec<Said> = said.iter().filter(|said| said.arrives == month - 1).copied().collect();
        drill.send(&mut dice, &arrived).await?;
        issued.extend(drill.bill(i32::try_from(month)?).await?);
    }
    ensure!(drill.failures > 10, "only {} failures: nothing was shown", drill.failures);
    let mut by_month: BTreeMap<u32, (i64, i32)> = BTreeMap::new();
    for line in issued.iter().flat_map(|invoice| &invoice.lines).filter(|line| line.item == "energy") {
        let month = u32::try_from(line.period_start_date.context("a day")?.month)?;
        let (sum, revision) = by_month.entry(month).or_insert((0, -1));
        ensure!(line.revision == *revision + 1, "revisions of {month} are not in order: {line:#?}");
        (*sum, *revision) = (*sum + cents(line), line.revision);
    }
    // What the highest revision of each hour says, at 0.05 a kWh.
    let mut last: BTreeMap<Instant, (i32, i64)> = BTreeMap::new();
    for said in &said {
        let kept = last.entry(said.start).or_insert((said.revision, said.kwh));
        *kept = (*kept).max((said.revision, said.kwh));
    }
    let zone: Zone = ZONE.parse()?;
    for month in 1..=MONTHS {
        let days = YearMonth::new(2027, month)?.range().context("a month")?;
        let kwh: i64 = last
            .iter()
            .filter(|(start, _)| days.contains(zone.date_of(**start)))
            .map(|(_, kept)| kept.1)
            .sum();
        let billed = by_month.get(&month).context("it is billed")?;
        ensure!(billed.0 == kwh * 5, "{month}: billed {billed:?}, metered {kwh} kWh");
        ensure!(billed.1 > 0, "{month} was never corrected: nothing was shown");
    }
    hold(&drill, &issued).await
}

/// Issued invoices are as they were issued, each line comes to the same again, and the books balance.
async fn hold(drill: &Drill, issued: &[billing::Invoice]) -> Result<()> {
    for invoice in issued {
        let get = billing::GetInvoiceRequest { name: invoice.name.clone() };
        let now = drill.finance.invoices().get_invoice(get).await?.into_inner().invoice;
        ensure!(now.as_ref() == Some(invoice), "an issued invoice changed: {now:#?}");
        for line in &invoice.lines {
            let ask =
                billing::ExplainLineRequest { invoice: invoice.name.clone(), line_number: line.line_number };
            let explained = drill.finance.invoices().explain_line(ask).await?.into_inner();
            ensure!(explained.same, "another amount: {explained:#?}");
        }
    }
    let numbers: Vec<&str> = issued.iter().map(|invoice| invoice.number.as_str()).collect();
    let wanted: Vec<String> = (1..=issued.len()).map(|number| format!("INV-{number:06}")).collect();
    ensure!(numbers == wanted, "{numbers:?}");
    let mut superuser = drill.cluster.database.superuser().await?;
    for (what, sql) in [
        ("the ledger is not zero", "select coalesce(sum(amount_minor), 0)::bigint from billing.ledger_entry"),
        (
            "a reckoning without a line",
            "select count(*) from billing.reckoning r where not exists (
                 select from billing.invoice_line l where l.reckoning_id = r.reckoning_id)",
        ),
        (
            "receivables are not what is issued",
            "select (select coalesce(sum(total_minor), 0) from billing.invoice)::bigint - (
                 select coalesce(sum(amount_minor), 0) from billing.ledger_entry
                 where ledger_account = 'accounts_receivable')::bigint",
        ),
    ] {
        let found: i64 = sqlx::query_scalar(sql).fetch_one(&mut superuser).await?;
        ensure!(found == 0, "{what}: {found}");
    }
    Ok(())
}
