//! Windows in which a hall gives less: no booking gets what they take, those on the hall are told, others see nothing.

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::{Refusal, TestStack, feed};
use kernel::Role;
use prost::Message as _;
use tonic::Code;

struct Deal {
    stack: TestStack,
    operator: String,
    hall: String,
    ops: Clients,
    sales: Clients,
}

impl Deal {
    async fn prepare() -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let place = market::site(clients, "kept-power", &[market::hall(10_000)]).await?;
        let hall = place.blocks.first().context("a hall")?.clone();
        let (ops, sales) =
            (stack.clients(&place.operator, Role::SiteOps)?, stack.clients(&place.operator, Role::Sales)?);
        Ok(Self { stack, operator: place.operator, hall, ops, sales })
    }

    async fn hold(&self, tenant: &str, kw: i64) -> Result<(), tonic::Status> {
        let hold = market::hold(&self.operator, &self.hall, tenant, market::load(kw));
        self.sales.reservations().place_hold(hold).await.map(|_| ())
    }

    fn derate(&self, kw: i64, from: &str, until: &str) -> inventory::ScheduleMaintenanceRequest {
        let reduction = CapacityVector { critical_it_kw: kw, ..Default::default() };
        inventory::ScheduleMaintenanceRequest {
            parent: self.hall.clone(),
            window: Some(inventory::MaintenanceWindow {
                kind: inventory::MaintenanceKind::Derate.into(),
                ..market::window(from, until, reduction, "a transformer is out")
            }),
            request_id: request_id(),
            ..Default::default()
        }
    }

    async fn schedule(
        &self,
        window: inventory::ScheduleMaintenanceRequest,
    ) -> Result<inventory::MaintenanceWindow> {
        let answer = self.ops.maintenance().schedule_maintenance(window).await?.into_inner();
        answer.window.context("a window")
    }

    async fn cancel(
        &self,
        name: &str,
    ) -> Result<tonic::Response<inventory::CancelMaintenanceResponse>, tonic::Status> {
        let cancel = inventory::CancelMaintenanceRequest {
            name: name.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.ops.maintenance().cancel_maintenance(cancel).await
    }

    /// The windows that somebody's feed announces.
    async fn announced(&self, tenant: &str) -> Result<Vec<inventory::MaintenanceWindow>> {
        let at = self.stack.stack().addresses().inventory;
        let channel = runtime::client::channel(&format!("http://{at}"))?;
        let bearer = runtime::client::Bearer::new(&self.stack.token(tenant, Role::Tenant)?)?;
        let mut client =
            inventory::event_service_client::EventServiceClient::with_interceptor(channel, bearer);
        let mut stream = client.watch_events(inventory::WatchEventsRequest::default()).await?.into_inner();
        let mut seen = Vec::new();
        for event in feed::up_to_now(&self.stack.database, &mut stream).await? {
            if event.r#type == "maintenance.announced" {
                let data = event.data.context("a payload")?;
                seen.push(inventory::MaintenanceWindow::decode(data.value.as_slice())?);
            }
        }
        Ok(seen)
    }
}

async fn windows(who: &Clients, parent: &str) -> Result<Vec<String>> {
    let list = inventory::ListMaintenanceRequest { parent: parent.to_owned(), ..Default::default() };
    let windows = who.maintenance().list_maintenance(list).await?.into_inner().windows;
    Ok(windows.into_iter().map(|window| window.name).collect())
}

#[tokio::test]
async fn a_derate_keeps_bookings_out_and_hurts_nobody_unseen() -> Result<()> {
    let deal = Deal::prepare().await?;
    deal.hold("tenants/lab", 8_000).await?;
    let status =
        deal.ops.maintenance().schedule_maintenance(deal.derate(3_000, "2028-03-01", "2028-04-01")).await;
    let refusal = Refusal::expect(status)?.is(Code::FailedPrecondition, "CAPACITY_COMMITTED")?;
    ensure!(refusal.fact("shortKw")? == "1000", "{refusal:#?}");
    ensure!(refusal.fact("firstShortTime")? == "2028-03-01T06:00:00Z", "{refusal:#?}");

    let window = deal.schedule(deal.derate(2_000, "2028-03-01", "2028-04-01")).await?;
    ensure!(window.state() == inventory::MaintenanceState::Scheduled, "{window:#?}");
    let status = deal.hold("tenants/rival", 1).await.expect_err("nothing is left in March");
    let refusal = Refusal::of(&status)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
    ensure!(refusal.fact("firstShortTime")? == "2028-03-01T06:00:00Z", "{refusal:#?}");
    let days = inventory::GetAvailabilityRequest {
        name: deal.hall.clone(),
        start_date: Some(date("2028-02-01")),
        end_date: Some(date("2028-05-01")),
        ..Default::default()
    };
    let steps = deal.sales.capacity().get_availability(days).await?.into_inner().steps;
    let given: Vec<i64> =
        steps.iter().filter_map(|step| step.capacity.map(|capacity| capacity.critical_it_kw)).collect();
    ensure!(given == [10_000, 8_000, 10_000], "{steps:#?}");

    let more = inventory::ScheduleMaintenanceRequest {
        accept_shortfall: true,
        ..deal.derate(9_000, "2028-03-15", "2028-03-20")
    };
    let hurt = deal.ops.maintenance().schedule_maintenance(more).await?.into_inner();
    let short: Vec<i64> = hurt
        .shortfalls
        .iter()
        .flat_map(|one| &one.steps)
        .filter_map(|step| Some(step.short?.critical_it_kw))
        .collect();
    ensure!(short == [8_000], "two windows take no more than there is: {hurt:#?}");
    ensure!(deal.stack.database.oversold().await? == 0);

    deal.cancel(&hurt.window.context("a window")?.name).await?;
    deal.cancel(&window.name).await?;
    deal.hold("tenants/rival", 2_000).await.context("everything is given back")?;
    Refusal::expect(deal.cancel(&window.name).await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    let mut superuser = deal.stack.database.superuser().await?;
    let left: i64 =
        sqlx::query_scalar("select count(*) from inventory.shortfall").fetch_one(&mut superuser).await?;
    ensure!(left == 0 && deal.stack.database.oversold().await? == 0);
    deal.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn tenants_on_the_hall_are_told_and_others_see_nothing() -> Result<()> {
    let deal = Deal::prepare().await?;
    deal.hold("tenants/lab", 1_000).await?;
    let window = deal.schedule(deal.derate(500, "2027-02-01", "2027-03-01")).await?;
    let site = format!("{}/sites/rockdale/blocks/-", deal.operator);
    let all = "operators/-/sites/-/blocks/-";
    let (lab, rival) = (
        deal.stack.clients("tenants/lab", Role::Tenant)?,
        deal.stack.clients("tenants/rival", Role::Tenant)?,
    );
    for parent in [deal.hall.as_str(), site.as_str(), all] {
        ensure!(windows(&deal.sales, parent).await? == [window.name.clone()], "{parent}");
        ensure!(windows(&lab, parent).await? == [window.name.clone()], "{parent}");
        ensure!(windows(&rival, parent).await?.is_empty(), "{parent}");
    }
    let get = inventory::GetMaintenanceRequest { name: window.name.clone() };
    let read =
        lab.maintenance().get_maintenance(get.clone()).await?.into_inner().window.context("a window")?;
    ensure!(read == window, "{read:#?}");
    Refusal::expect(rival.maintenance().get_maintenance(get).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;

    // Once it has begun, cancelling ends it; the tenant hears of both.
    deal.stack.move_to(day("2027-02-10")).await?;
    let cut = deal.cancel(&window.name).await?.into_inner().window.context("a window")?;
    ensure!(cut.state() == inventory::MaintenanceState::CutShort, "{cut:#?}");
    ensure!(cut.end_time == Some(prost_types::Timestamp { seconds: 1_802_260_800, nanos: 0 }), "{cut:#?}");
    ensure!(deal.announced("tenants/lab").await? == [window, cut]);
    ensure!(deal.announced("tenants/rival").await?.is_empty());
    deal.stack.stop().await;
    Ok(())
}
