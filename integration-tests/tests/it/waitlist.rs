//! Those who wait are told when capacity comes free: in the order in which they came, once each time, by one of the
//! replicas, and nothing is held for them.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use contracts::inventory::v1::WaitlistState::{Available, Waiting};
use gridlease::clients::Clients;
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, READY, profile, request_id};
use integration_tests::{Refusal, eventually};
use kernel::Role;
use tonic::Code;

const FIRST: &str = "tenants/first-ai";
const SECOND: &str = "tenants/second-ai";

struct Field {
    fleet: Fleet,
    site: market::Site,
    sales: Clients,
}

impl Field {
    /// Three replicas that look every few milliseconds, and a hall that is full.
    async fn prepare() -> Result<(Self, inventory::Reservation)> {
        let mut own = ::inventory::InventorySettings::default();
        own.waitlist_every = std::time::Duration::from_millis(5);
        let fleet = Fleet::start_with(3, own).await?;
        let site = market::site(|o, r| fleet.clients(o, r), "full-power", &[market::hall(10_000)]).await?;
        let sales = fleet.clients(&site.operator, Role::Sales)?;
        let field = Self { fleet, site, sales };
        let full = field.hold(10_000).await?;
        Ok((field, full))
    }

    async fn hold(&self, kw: i64) -> Result<inventory::Reservation> {
        let hall = &self.site.blocks[0];
        let request = market::hold(&self.site.operator, hall, "tenants/taker", market::load(kw));
        self.sales.reservations().place_hold(request).await?.into_inner().reservation.context("a hold")
    }

    async fn release(&self, name: &str) -> Result<()> {
        let request = inventory::ReleaseReservationRequest {
            name: name.to_owned(),
            request_id: request_id(),
            ..Default::default()
        };
        self.sales.reservations().release_reservation(request).await?;
        Ok(())
    }

    async fn join(&self, tenant: &str, place: &str, kw: i64) -> Result<inventory::WaitlistEntry> {
        let until = kernel::Zone::UTC.start_of_day(market::day("2029-01-01"));
        let request = inventory::JoinWaitlistRequest {
            parent: self.site.operator.clone(),
            waitlist_entry: Some(inventory::WaitlistEntry {
                place: place.to_owned(),
                profile: Some(profile(market::load(kw), READY, "2037-01-01")),
                expire_time: Some(runtime::wire::to_timestamp(until)),
                ..Default::default()
            }),
            request_id: request_id(),
            validate_only: false,
        };
        let tenant = self.fleet.clients(tenant, Role::Tenant)?;
        tenant.waitlist().join_waitlist(request).await?.into_inner().waitlist_entry.context("an entry")
    }

    async fn get(&self, name: &str) -> Result<inventory::WaitlistEntry> {
        let request = inventory::GetWaitlistEntryRequest { name: name.to_owned() };
        let found = self.sales.waitlist().get_waitlist_entry(request).await?.into_inner();
        found.waitlist_entry.context("an entry")
    }

    async fn comes(&self, name: &str, state: inventory::WaitlistState) -> Result<inventory::WaitlistEntry> {
        eventually(&format!("{name} is {}", state.as_str_name()), async || {
            let found = self.get(name).await?;
            Ok((found.state() == state).then_some(found))
        })
        .await
    }

    /// Whom the event told, in order.
    async fn told(&self) -> Result<Vec<String>> {
        let mut superuser = self.fleet.database.superuser().await?;
        let sql = "select audience_tenant from inventory.outbox where kind = 'waitlist.available' \
                   order by position_xid, position_seq";
        Ok(sqlx::query_scalar(sql).fetch_all(&mut superuser).await?)
    }

    /// Lets every replica look several times more.
    async fn look_again(&self) {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_waits_is_told_in_order_and_once_each_time() -> Result<()> {
    let (field, full) = Field::prepare().await?;
    let hall = field.site.blocks[0].clone();
    let first = field.join(FIRST, &hall, 2_000).await?;
    let second = field.join(SECOND, &field.site.site, 1_000).await?;
    let greedy = field.join(SECOND, &hall, 10_001).await?;
    field.look_again().await;
    ensure!(field.told().await?.is_empty() && first.state() == Waiting, "nothing is free");

    // An amendment frees three megawatts: both are told, in the order in which they joined.
    let smaller = inventory::AmendReservationRequest {
        name: full.name.clone(),
        claims: vec![inventory::Claim {
            block: hall.clone(),
            profile: Some(profile(market::load(7_000), READY, "2037-01-01")),
        }],
        request_id: request_id(),
        ..Default::default()
    };
    field.sales.reservations().amend_reservation(smaller).await?;
    let told = field.comes(&second.name, Available).await?;
    ensure!(told.available_blocks == [hall.clone()] && told.told_time.is_some(), "{told:#?}");
    field.comes(&first.name, Available).await?;
    field.look_again().await;
    ensure!(field.told().await? == ["first-ai", "second-ai"], "{:?}", field.told().await?);
    ensure!(field.get(&greedy.name).await?.state() == Waiting);

    // Telling is not holding: another takes it. They wait again, and are told again when a hold ends.
    let taken = field.hold(3_000).await?;
    field.comes(&first.name, Waiting).await?;
    field.comes(&second.name, Waiting).await?;
    field.release(&taken.name).await?;
    field.comes(&first.name, Available).await?;
    field.comes(&second.name, Available).await?;
    field.look_again().await;
    ensure!(field.told().await? == ["first-ai", "second-ai", "first-ai", "second-ai"]);
    ensure!(field.fleet.database.oversold().await? == 0);
    field.fleet.stop().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_new_phase_is_news_and_who_left_is_not_told() -> Result<()> {
    let (field, _full) = Field::prepare().await?;
    let hall = field.site.blocks[0].clone();
    let stays = field.join(FIRST, &hall, 2_000).await?;
    let leaves = field.join(SECOND, &hall, 2_000).await?;
    let leave = || inventory::LeaveWaitlistRequest {
        name: leaves.name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    // Another's place in the list is nobody's business.
    let stranger = field.fleet.clients(FIRST, Role::Tenant)?;
    Refusal::expect(stranger.waitlist().leave_waitlist(leave()).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let tenant = field.fleet.clients(SECOND, Role::Tenant)?;
    tenant.waitlist().leave_waitlist(leave()).await?;
    Refusal::expect(tenant.waitlist().leave_waitlist(leave()).await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    let own = inventory::ListWaitlistRequest { parent: "operators/-".to_owned(), ..Default::default() };
    let listed = tenant.waitlist().list_waitlist(own).await?.into_inner().waitlist_entries;
    ensure!(listed.len() == 1 && listed[0].name == leaves.name, "{listed:#?}");

    let phase = inventory::CreatePhaseRequest {
        parent: hall,
        phase_id: "two".to_owned(),
        phase: Some(market::phase(market::hall(5_000), READY)),
        request_id: request_id(),
        validate_only: false,
    };
    field.fleet.clients(&field.site.operator, Role::SiteOps)?.sites().create_phase(phase).await?;
    field.comes(&stays.name, Available).await?;
    field.look_again().await;
    ensure!(field.told().await? == ["first-ai"]);
    field.fleet.stop().await;
    Ok(())
}
