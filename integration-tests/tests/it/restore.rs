//! After a disaster: the store is restored to an instant, and everything is started again on it. Nothing from before the
//! instant is lost, no number is given a second time, and nobody hears an event anew that he has heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::common::v1::{AdvanceTimeRequest, Event};
use contracts::inventory::v1 as inventory;
use contracts::leasing::v1 as leasing;
use gridlease::cli::Ports;
use gridlease::clients::{Channels, Clients};
use gridlease::stack::{Home, Options, Stack};
use integration_tests::market::{self, day, request_id};
use integration_tests::{Archived, installation, world};
use kernel::{Organisation, Role, Zone};
use runtime::client::{Bearer, channel};

const OPERATOR: &str = "operators/north";
const STARTS: &str = "2026-12-01";
/// After commencement, before the disaster.
const JANUARY: &str = "2027-01-02";
/// After the restore.
const RESTORED: &str = "2027-02-02";
const DOCUMENT: &str = include_str!("../../../docs/operations.md");

/// The three services on a store.
struct Running {
    stack: Stack,
    channels: Channels,
}

impl Running {
    async fn start(store: &Archived, today: &str) -> Result<Self> {
        let stack = Stack::start(Options {
            database_url: Some(store.url()),
            home: Home::thrown_away("restore", false)?,
            ports: Ports::FREE,
            test_clock: Some(Zone::UTC.start_of_day(day(today)) + chrono::TimeDelta::hours(12)),
            inventory_only: false,
        })
        .await?;
        let channels = stack.channels()?;
        Ok(Self { stack, channels })
    }

    fn token(&self, organisation: &str, role: Role) -> Result<String> {
        let organisation: Organisation = organisation.parse()?;
        Ok(self.stack.issuer().mint("tester", &organisation, &[role], Duration::from_secs(3600))?)
    }

    fn clients(&self, organisation: &str, role: Role) -> Result<Clients> {
        self.channels.caller(&self.token(organisation, role)?)
    }

    async fn move_to(&self, today: &str) -> Result<()> {
        let noon = Zone::UTC.start_of_day(day(today)) + chrono::TimeDelta::hours(12);
        let time = Some(runtime::wire::to_timestamp(noon));
        let clock = self.clients("platform", Role::PlatformAdmin)?.clock();
        clock.clone().advance_time(AdvanceTimeRequest { time }).await?;
        Ok(())
    }

    /// Leases half of the hall and waits until billing has heard of it, and so of everything before it.
    async fn lease(&self, id: &str, block: &str) -> Result<()> {
        let clients = |organisation: &str, role| self.clients(organisation, role);
        let terms = market::terms_from(block, market::load(1_000), "2027-03-01");
        let terms = if id == "first" { market::terms(block, market::load(1_000)) } else { terms };
        let proposal = market::proposal(OPERATOR, "tenants/acme", id, terms);
        let sales = self.clients(OPERATOR, Role::Sales)?;
        let answer = sales.leases().propose_lease(proposal).await.context("propose")?.into_inner();
        let lease = world::sign(clients, &answer.lease.context("a lease")?).await?;
        let finance = self.clients(OPERATOR, Role::Finance)?;
        world::known_to_billing(&finance, &lease.name, "2027-03-31").await
    }

    /// Bills a month and issues it: the numbers that it takes.
    async fn issue(&self, month: i32) -> Result<Vec<String>> {
        let finance = self.clients(OPERATOR, Role::Finance)?;
        world::billable(&finance, OPERATOR, 2027, month).await?;
        let start = billing::StartBillingRunRequest {
            parent: OPERATOR.to_owned(),
            billing_month: Some(billing::BillingMonth { year: 2027, month }),
            request_id: request_id(),
            validate_only: false,
        };
        let run = finance.invoices().start_billing_run(start).await?.into_inner();
        let run = run.billing_run.context("a run")?;
        let issue = billing::IssueBillingRunRequest {
            name: run.name,
            etag: run.etag,
            request_id: request_id(),
            validate_only: false,
        };
        let issued = finance.invoices().issue_billing_run(issue).await?.into_inner();
        Ok(issued.invoices.into_iter().map(|invoice| invoice.number).collect())
    }

    /// Everything that auditors of the operator hear of the three services after these cursors, up to now.
    async fn hear(&self, after: &Cursors) -> Result<(Vec<Event>, Cursors)> {
        let (mut events, mut cursors) = (Vec::new(), Cursors::new());
        macro_rules! hear {
            ($name:literal, $package:ident, $address:expr) => {{
                let bearer = Bearer::new(&self.token(OPERATOR, Role::Auditor)?)?;
                let channel = channel(&format!("http://{}", $address))?;
                let mut client = $package::event_service_client::EventServiceClient::with_interceptor(
                    channel, bearer,
                );
                let request = $package::WatchEventsRequest {
                    after_cursor: after.get($name).cloned().unwrap_or_default(),
                    ..Default::default()
                };
                let mut stream = client.watch_events(request).await?.into_inner();
                // A heartbeat says that there is no more for now; the first may come before what was just committed.
                let mut silent = 0;
                while silent < 2 {
                    let message = stream.message().await?.context("a feed ends")?;
                    silent = if message.event.is_some() { 0 } else { silent + 1 };
                    events.extend(message.event);
                    cursors.insert($name, message.cursor);
                }
            }};
        }
        let at = self.stack.addresses();
        hear!("inventory", inventory, at.inventory);
        hear!("leasing", leasing, at.leasing);
        hear!("billing", billing, at.billing);
        Ok((events, cursors))
    }
}

/// Where somebody resumes, by service.
type Cursors = BTreeMap<&'static str, String>;

fn by_id(events: Vec<Event>) -> BTreeMap<String, Event> {
    events.into_iter().map(|event| (event.id.clone(), event)).collect()
}

/// The statements that the documents have whoever restores do, by the comment before them.
fn documented(step: &str) -> Result<&'static str> {
    let (_, found) = DOCUMENT.split_once(step).with_context(|| format!("the documents have no {step}"))?;
    let (_, found) = found.split_once("```sql\n").context("its statements")?;
    Ok(found.split_once("```").context("their end")?.0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn what_is_restored_gives_no_number_twice_and_tells_no_event_anew() -> Result<()> {
    if !installation::is_possible() {
        return Ok(());
    }
    let mut store = Archived::start().await?;
    let running = Running::start(&store, STARTS).await?;
    let clients = |organisation: &str, role| running.clients(organisation, role);
    let place = market::site(clients, "north", &[market::hall(10_000)]).await?;
    market::tenant(clients, "acme").await?;
    store.back_up()?;
    running.lease("first", &place.blocks[0]).await?;
    running.move_to(JANUARY).await?;
    let before = running.issue(1).await?;
    let (heard, cursors) = running.hear(&Cursors::new()).await?;
    let heard = by_id(heard);
    let instant = store.instant().await?;

    // What comes after the instant is sent out, and lost.
    let sent = running.issue(2).await?;
    let (lost, _) = running.hear(&cursors).await?;
    ensure!(before == ["INV-000001"] && sent == ["INV-000002"] && !lost.is_empty(), "{before:?} {sent:?}");
    running.stack.stop().await;
    store.lose().await?;

    store.restore(&instant).await?;
    let mut owner = store.superuser().await?;
    for step in ["<!-- restore: feeds -->", "<!-- restore: numbers -->"] {
        let statements = documented(step)?;
        sqlx::raw_sql(statements).execute(&mut owner).await.context(step)?;
    }
    let running = Running::start(&store, RESTORED).await?;

    // Who goes on where he was is told that he must begin anew, and knows what he then hears.
    let refused = running.hear(&cursors).await.err().context("an old cursor is not refused")?;
    ensure!(format!("{refused:?}").contains("earlier life"), "{refused:?}");
    running.lease("second", &place.blocks[0]).await?;
    let (again, _) = running.hear(&Cursors::new()).await?;
    ensure!(again.len() == by_id(again.clone()).len(), "an event is told twice");
    let again = by_id(again);
    for (id, event) in &heard {
        ensure!(again.get(id).is_some_and(|now| now.data == event.data), "{event:?} is lost or another");
    }
    let known: BTreeSet<_> = heard.values().map(|event| &event.subject).collect();
    for event in again.values().filter(|event| !heard.contains_key(&event.id)) {
        ensure!(!known.contains(&event.subject), "what was done before is told as new: {event:?}");
    }

    let after = running.issue(2).await?;
    ensure!(after == ["INV-000003"], "after {before:?} and {sent:?}, which is lost, comes {after:?}");
    let twice = sqlx::raw_sql("update billing.number_counter set last_number = 9").execute(&mut owner).await;
    ensure!(twice.is_err(), "a series has a gap that nobody has written down");
    running.stack.stop().await;
    Ok(())
}
