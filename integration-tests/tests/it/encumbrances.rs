//! Rights and intents on capacity: shown by rank, told to who books, never in the way, and nobody's business but their
//! holder's and their operator's.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use contracts::inventory::v1::EncumbranceKind::{Loi, Rofo, Rofr};
use contracts::inventory::v1::EncumbranceState;
use gridlease::clients::Clients;
use integration_tests::market::{self, READY, date, request_id};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use tonic::Code;

struct Field {
    stack: TestStack,
    site: market::Site,
    sales: Clients,
    holder: Clients,
    rival: Clients,
}

impl Field {
    async fn prepare() -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let site =
            market::site(clients, "north-power", &[market::hall(10_000), market::hall(10_000)]).await?;
        market::tenant(clients, "holder").await?;
        market::tenant(clients, "rival").await?;
        let sales = stack.clients(&site.operator, Role::Sales)?;
        let holder = stack.clients("tenants/holder", Role::Tenant)?;
        let rival = stack.clients("tenants/rival", Role::Tenant)?;
        Ok(Self { stack, site, sales, holder, rival })
    }

    async fn place(
        &self,
        kind: inventory::EncumbranceKind,
        place: &str,
        kw: i64,
        until: &str,
    ) -> Result<inventory::Encumbrance> {
        let until = kernel::Zone::UTC.start_of_day(market::day(until));
        let request = inventory::PlaceEncumbranceRequest {
            parent: self.site.operator.clone(),
            encumbrance: Some(inventory::Encumbrance {
                place: place.to_owned(),
                kind: kind.into(),
                tenant: "tenants/holder".to_owned(),
                quantity_kw: kw,
                valid_until_time: Some(runtime::wire::to_timestamp(until)),
                response_days: 20,
                ..Default::default()
            }),
            request_id: request_id(),
            validate_only: false,
        };
        let placed = self.sales.encumbrances().place_encumbrance(request).await?.into_inner();
        placed.encumbrance.context("an encumbrance")
    }

    async fn available(&self, who: &Clients, name: &str) -> Result<inventory::GetAvailabilityResponse> {
        let days = inventory::GetAvailabilityRequest {
            name: name.to_owned(),
            start_date: Some(date(READY)),
            end_date: Some(date("2029-01-01")),
            ..Default::default()
        };
        Ok(who.capacity().get_availability(days).await?.into_inner())
    }

    async fn hold(&self, who: &Clients, tenant: &str, kw: i64) -> Result<inventory::PlaceHoldResponse> {
        let hall = &self.site.blocks[0];
        let request = market::hold(&self.site.operator, hall, tenant, market::load(kw));
        Ok(who.reservations().place_hold(request).await?.into_inner())
    }
}

#[tokio::test]
async fn rights_are_shown_by_rank_and_never_in_the_way() -> Result<()> {
    let field = Field::prepare().await?;
    let (site, hall) = (field.site.site.clone(), field.site.blocks[0].clone());
    field.place(Loi, &hall, 4_000, "2040-01-01").await?;
    let on_site = field.place(Rofo, &site, 3_000, "2028-01-01").await?;
    let on_all = field.place(Rofr, &field.site.operator, 8_000, "2040-01-01").await?;
    ensure!(
        (on_all.rank, on_site.rank) == (3, 4) && on_all.state() == EncumbranceState::Active,
        "{on_all:#?}"
    );

    // They do not change what is free; what is free of them floors at nothing, and a right that ends lets go.
    let seen = field.available(&field.sales, &hall).await?;
    let [before, after] = seen.steps.as_slice() else { anyhow::bail!("{:#?}", seen.steps) };
    ensure!(before.end_time.is_some_and(|end| end.seconds == 1_830_297_600), "{before:#?}");
    for (step, soft) in [(before, 15_000), (after, 12_000)] {
        ensure!(step.free == step.capacity, "{step:#?}");
        ensure!((step.soft_kw, step.free_unencumbered_kw) == (Some(soft), Some(0)), "{step:#?}");
    }
    let kinds: Vec<_> = seen.rights.iter().map(inventory::Right::kind).collect();
    ensure!(kinds == [Rofr, Rofo, Loi], "by rank: {kinds:?}");
    let whole = field.available(&field.sales, &field.site.operator).await?;
    // Days of UTC: the halls are ready six hours after the first has begun.
    let step = whole.steps.get(1).context("a step")?;
    ensure!(step.capacity.is_some_and(|all| all.critical_it_kw == 20_000), "{whole:#?}");
    ensure!(step.free_unencumbered_kw == Some(5_000), "{whole:#?}");

    // Who books learns what must be cleared, and books all the same. An intent need not be cleared, nor one's own right.
    let held = field.hold(&field.sales, "tenants/rival", 10_000).await?;
    let rights: Vec<_> =
        held.rights_to_clear.iter().map(|right| (right.kind(), right.encumbrance.as_str())).collect();
    ensure!(rights == [(Rofr, on_all.name.as_str()), (Rofo, on_site.name.as_str())], "{rights:?}");
    ensure!(held.rights_to_clear[0].response_days == 20 && held.rights_to_clear[0].quantity_kw == 8_000);
    let release = inventory::ReleaseReservationRequest {
        name: held.reservation.context("a hold")?.name,
        request_id: request_id(),
        ..Default::default()
    };
    field.sales.reservations().release_reservation(release).await?;
    ensure!(field.hold(&field.sales, "tenants/holder", 1_000).await?.rights_to_clear.is_empty());
    field.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_region_is_added_up_for_whoever_may_see_it() -> Result<()> {
    let field = Field::prepare().await?;
    let clients = |organisation: &str, role| field.stack.clients(organisation, role);
    market::site(clients, "south-power", &[market::hall(5_000)]).await?;
    let region = |iso: &str, country: &str| inventory::GetAvailabilityRequest {
        start_date: Some(date(READY)),
        end_date: Some(date("2028-01-01")),
        grid_iso: iso.to_owned(),
        country_code: country.to_owned(),
        ..Default::default()
    };
    let total = async |who: &Clients, asked| {
        let seen = who.capacity().get_availability(asked).await?.into_inner();
        // Ready at midnight of the site, six hours after the day has begun in UTC.
        let last = seen.steps.last().context("a step")?;
        anyhow::Ok(last.capacity.context("capacity")?.critical_it_kw)
    };
    ensure!(total(&field.rival, region("ERCOT", "")).await? == 25_000, "the market sees all");
    ensure!(total(&field.rival, region("ERCOT", "US")).await? == 25_000);
    ensure!(total(&field.rival, region("PJM", "US")).await? == 0);
    ensure!(total(&field.sales, region("", "US")).await? == 20_000, "an operator sees its own");
    let both = inventory::GetAvailabilityRequest { name: field.site.site.clone(), ..region("ERCOT", "") };
    let refusal = Refusal::expect(field.rival.capacity().get_availability(both).await)?;
    ensure!(refusal.fields == ["name"], "{refusal:#?}");
    field.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn of_anothers_right_a_tenant_learns_that_there_is_one() -> Result<()> {
    let field = Field::prepare().await?;
    let hall = field.site.blocks[0].clone();
    let right = field.place(Rofr, &hall, 4_321, "2028-01-01").await?;
    let own = field.available(&field.holder, &hall).await?;
    ensure!(own.rights[0].encumbrance == right.name && own.rights[0].quantity_kw == 4_321, "{own:#?}");
    let seen = field.available(&field.rival, &hall).await?;
    let [other] = seen.rights.as_slice() else { anyhow::bail!("{seen:#?}") };
    ensure!((other.kind(), other.rank, other.response_days) == (Rofr, 3, 20), "{other:#?}");
    let told = other.encumbrance.len() + other.tenant.len();
    ensure!(told == 0 && other.quantity_kw == 0 && other.valid_until_time.is_none(), "{other:#?}");
    // Neither the sum nor the instant at which it changes.
    ensure!(seen.steps.len() == 1 && seen.steps[0].soft_kw.is_none(), "{seen:#?}");
    ensure!(seen.steps[0].free_unencumbered_kw.is_none(), "{seen:#?}");
    let held = field.hold(&field.rival, "tenants/rival", 1_000).await?;
    ensure!(held.rights_to_clear == seen.rights, "{held:#?}");

    let get = |name: &str| inventory::GetEncumbranceRequest { name: name.to_owned() };
    ensure!(field.holder.encumbrances().get_encumbrance(get(&right.name)).await.is_ok());
    Refusal::expect(field.rival.encumbrances().get_encumbrance(get(&right.name)).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let release = || inventory::ReleaseEncumbranceRequest {
        name: right.name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    Refusal::expect(field.rival.encumbrances().release_encumbrance(release()).await)?
        .is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    let given_up = field.holder.encumbrances().release_encumbrance(release()).await?.into_inner();
    let given_up = given_up.encumbrance.context("an encumbrance")?;
    ensure!(given_up.state() == EncumbranceState::Released, "{given_up:#?}");
    Refusal::expect(field.sales.encumbrances().release_encumbrance(release()).await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    ensure!(field.available(&field.rival, &hall).await?.rights.is_empty());
    field.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_right_ends_by_itself() -> Result<()> {
    let field = Field::prepare().await?;
    let hall = field.site.blocks[0].clone();
    let right = field.place(Rofr, &hall, 1_000, "2027-02-01").await?;
    field.stack.move_to(market::day("2027-02-02")).await?;
    let get = inventory::GetEncumbranceRequest { name: right.name };
    let seen = field.sales.encumbrances().get_encumbrance(get).await?.into_inner().encumbrance;
    ensure!(seen.context("an encumbrance")?.state() == EncumbranceState::Expired);
    ensure!(field.hold(&field.sales, "tenants/rival", 1_000).await?.rights_to_clear.is_empty());
    let list = inventory::ListEncumbrancesRequest {
        parent: field.site.operator.clone(),
        active_only: true,
        ..Default::default()
    };
    ensure!(field.sales.encumbrances().list_encumbrances(list).await?.into_inner().encumbrances.is_empty());
    field.stack.stop().await;
    Ok(())
}
