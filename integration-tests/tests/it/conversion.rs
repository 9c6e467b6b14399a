//! A mine becomes halls: through its states and its dates, within the grid's power, with a plan that adds up.

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use prost_types::FieldMask;
use tonic::Code;

/// A stack, a site with a hall of nothing, and its people.
struct Place {
    stack: TestStack,
    site: String,
    hall: String,
    ops: Clients,
}

impl Place {
    async fn prepare(contracted_kw: i64) -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let place = market::site(clients, "riot", &[]).await?;
        let ops = stack.clients(&place.operator, Role::SiteOps)?;
        let mine = inventory::CreateSiteRequest {
            parent: place.operator.clone(),
            site_id: "mine".to_owned(),
            site: Some(market::grid_site(contracted_kw)),
            request_id: request_id(),
            validate_only: false,
        };
        let site = ops.sites().create_site(mine).await?.into_inner().site.context("a site")?.name;
        let block = inventory::CreateBlockRequest {
            parent: site.clone(),
            block_id: "hall-a".to_owned(),
            block: Some(market::liquid_block()),
            request_id: request_id(),
            validate_only: false,
        };
        let hall = ops.sites().create_block(block).await?.into_inner().block.context("a hall")?.name;
        Ok(Self { stack, site, hall, ops })
    }

    async fn create(
        &self,
        id: &str,
        phase: inventory::Phase,
    ) -> Result<tonic::Response<inventory::CreatePhaseResponse>, tonic::Status> {
        let (parent, phase_id) = (self.hall.clone(), id.to_owned());
        let request_id = request_id();
        let create = inventory::CreatePhaseRequest {
            parent,
            phase_id,
            phase: Some(phase),
            request_id,
            validate_only: false,
        };
        self.ops.sites().create_phase(create).await
    }

    async fn advance(
        &self,
        state: inventory::UseState,
        on: &str,
    ) -> Result<tonic::Response<inventory::AdvancePhaseResponse>, tonic::Status> {
        let advance = inventory::AdvancePhaseRequest {
            name: format!("{}/phases/one", self.hall),
            use_state: state.into(),
            date: Some(date(on)),
            request_id: request_id(),
            ..Default::default()
        };
        self.ops.sites().advance_phase(advance).await
    }

    async fn advanced(&self, state: inventory::UseState, on: &str) -> Result<inventory::Phase> {
        let answer = self.advance(state, on).await.with_context(|| format!("{state:?} on {on}"))?;
        answer.into_inner().phase.context("a phase")
    }

    async fn plan(&self, from: &str, until: &str) -> Result<Vec<inventory::PowerPlanStep>> {
        let days = inventory::GetPowerPlanRequest {
            name: self.site.clone(),
            start_date: Some(date(from)),
            end_date: Some(date(until)),
        };
        let steps = self.ops.sites().get_power_plan(days).await?.into_inner().steps;
        for step in &steps {
            let parts = step.leased_kw
                + step.reserved_kw
                + step.free_kw
                + step.derated_kw
                + step.converting_kw
                + step.interim_kw;
            let headroom = step.headroom_kw.map(|headroom| headroom + parts);
            ensure!(headroom == step.contracted_kw, "the parts do not add up: {step:#?}");
        }
        ensure!(steps.windows(2).all(|pair| pair[0].end_time == pair[1].start_time), "gaps: {steps:#?}");
        Ok(steps)
    }
}

/// 300 MW of mine, dark from 15 January, halls from 1 October 2027 on.
fn mine() -> inventory::Phase {
    inventory::Phase {
        capacity: Some(CapacityVector { critical_it_kw: 0, ..market::hall(210_000) }),
        gross_kw: 300_000,
        interim_use: inventory::InterimUse::Mining.into(),
        interim_gross_kw: 280_000,
        interim_start_date: Some(date("2024-01-01")),
        conversion_start_date: Some(date("2027-01-15")),
        wind_down_notice_days: 90,
        ..market::phase(market::hall(1), "2027-10-01")
    }
}

#[tokio::test]
async fn a_mine_becomes_halls_within_the_grid_and_the_plan_adds_up() -> Result<()> {
    let place = Place::prepare(400_000).await?;
    let phase = place.create("one", mine()).await?.into_inner().phase.context("a phase")?;
    ensure!(phase.capacity.is_some_and(|all| all.critical_it_kw == 210_000), "{phase:#?}");
    ensure!(phase.it_basis() == inventory::ItBasis::Assumed, "{phase:#?}");
    ensure!(phase.use_state() == inventory::UseState::Mining, "{phase:#?}");
    ensure!(phase.last_notice_date == Some(date("2026-10-17")) && phase.dark_months == 9, "{phase:#?}");

    // While it is dark, its whole power is set aside.
    let more = |kw, ready| inventory::Phase { gross_kw: kw, ..market::phase(market::hall(70_000), ready) };
    let refusal = Refusal::expect(place.create("two", more(100_001, "2027-09-30")).await)?;
    let refusal = refusal.is(Code::FailedPrecondition, "SITE_POWER_EXCEEDED")?;
    ensure!(
        refusal.fact("neededKw")? == "400001" && refusal.fact("firstTime")? == "2027-09-30",
        "{refusal:#?}"
    );
    place.create("two", more(100_000, "2027-12-01")).await?;

    // The site mines beside it as long as there is room, and no longer.
    let get = inventory::GetSiteRequest { name: place.site.clone(), ..Default::default() };
    let site = place.ops.sites().get_site(get).await?.into_inner().site.context("a site")?;
    let step = |from: &str, interim_kw| inventory::GridStep {
        from_date: Some(date(from)),
        contracted_kw: Some(400_000),
        energised_kw: None,
        interim_kw: Some(interim_kw),
    };
    let update = |until: &str| inventory::UpdateSiteRequest {
        site: Some(inventory::Site {
            grid_steps: vec![step("2020-01-01", 100_000), step(until, 0)],
            ..site.clone()
        }),
        update_mask: Some(FieldMask { paths: vec!["grid_steps".to_owned()] }),
        request_id: request_id(),
        validate_only: false,
    };
    let refusal = Refusal::expect(place.ops.sites().update_site(update("2027-12-02")).await)?;
    refusal.is(Code::FailedPrecondition, "SITE_POWER_EXCEEDED")?;
    place.ops.sites().update_site(update("2027-11-01")).await?;

    let sales = place.stack.clients("operators/riot", Role::Sales)?;
    let mut hold = market::hold("operators/riot", &place.hall, "tenants/lab", market::load(105_000));
    hold.claims[0].profile = Some(market::profile(market::load(105_000), "2027-10-01", "2037-10-01"));
    sales.reservations().place_hold(hold).await?;
    let plan = place.plan("2027-01-01", "2028-01-01").await?;
    let rows: Vec<_> = plan
        .iter()
        .map(|s| (s.interim_kw, s.converting_kw, s.reserved_kw, s.free_kw, s.headroom_kw))
        .collect();
    ensure!(
        rows == [
            (380_000, 0, 0, 0, Some(20_000)),
            (100_000, 300_000, 0, 0, Some(0)),
            (100_000, 0, 150_000, 150_000, Some(0)),
            (0, 0, 150_000, 150_000, Some(100_000)),
            (0, 0, 150_000, 250_000, Some(0)),
        ],
        "{rows:#?}"
    );
    let tenant = place.stack.clients("tenants/lab", Role::Tenant)?;
    let days = inventory::GetPowerPlanRequest { name: place.site.clone(), ..Default::default() };
    Refusal::expect(tenant.sites().get_power_plan(days).await)?
        .is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    ensure!(place.stack.database.oversold().await? == 0);
    place.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_phase_lives_by_the_table_and_keeps_every_date() -> Result<()> {
    use inventory::UseState::{Commissioning, Converting, Mining, Ready, Retired};
    let place = Place::prepare(400_000).await?;
    place.create("one", mine()).await?;
    Refusal::expect(place.advance(Ready, "2026-12-01").await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    place.stack.move_to(day("2027-01-20")).await?;
    let built = place.advanced(Converting, "2027-01-18").await?;
    ensure!(built.conversion_start_date == Some(date("2027-01-18")), "{built:#?}");
    let slip = inventory::SlipPhaseRequest {
        name: built.name.clone(),
        ready_for_service_date: Some(date("2027-11-30")),
        date_basis: inventory::DateBasis::Forecast.into(),
        reason: "transformers".to_owned(),
        etag: built.etag,
        request_id: request_id(),
        ..Default::default()
    };
    let slipped = place.ops.sites().slip_phase(slip.clone()).await?.into_inner();
    ensure!(slipped.shortfall_count == 0, "{slipped:#?}");
    // The etag is old now; the same request is answered again all the same.
    let again = place.ops.sites().slip_phase(slip.clone()).await?;
    ensure!(again.metadata().get("idempotent-replayed").is_some() && *again.get_ref() == slipped);
    let stale = inventory::SlipPhaseRequest { request_id: request_id(), ..slip };
    Refusal::expect(place.ops.sites().slip_phase(stale).await)?.is(Code::Aborted, "ETAG_MISMATCH")?;

    place.stack.move_to(day("2027-11-20")).await?;
    place.advanced(Commissioning, "2027-11-01").await?;
    let ready = place.advanced(Ready, "2027-11-15").await?;
    ensure!(ready.use_state() == Ready && ready.actual_date == Some(date("2027-11-15")), "{ready:#?}");
    ensure!(ready.baseline_date == Some(date("2027-10-01")), "{ready:#?}");
    ensure!(ready.forecast_date == Some(date("2027-11-30")), "{ready:#?}");
    let said: Vec<_> = ready.ready_dates.iter().map(|said| (said.date, said.reason.as_str())).collect();
    let expected = [
        (Some(date("2027-10-01")), ""),
        (Some(date("2027-11-30")), "transformers"),
        (Some(date("2027-11-15")), ""),
    ];
    ensure!(said == expected, "{said:#?}");
    Refusal::expect(place.advance(Mining, "2027-11-20").await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;

    // Every version reads back as it was known, and the list with it.
    let tenant = place.stack.clients("tenants/lab", Role::Tenant)?;
    let before_ready = slipped.phase.context("a phase")?;
    let read_time = before_ready.update_time;
    for who in [&place.ops, &tenant] {
        let get = inventory::GetPhaseRequest { name: ready.name.clone(), read_time };
        let then = who.sites().get_phase(get).await?.into_inner().phase.context("a phase")?;
        ensure!(then == before_ready, "{then:#?}");
        let list =
            inventory::ListPhasesRequest { parent: place.hall.clone(), read_time, ..Default::default() };
        let phases = who.sites().list_phases(list).await?.into_inner().phases;
        ensure!(phases == [before_ready.clone()], "{phases:#?}");
    }
    let long_ago = Some(prost_types::Timestamp { seconds: 1_700_000_000, nanos: 0 });
    let get = inventory::GetPhaseRequest { name: ready.name.clone(), read_time: long_ago };
    Refusal::expect(place.ops.sites().get_phase(get).await)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;

    place.stack.move_to(day("2028-01-02")).await?;
    let gone = place.advanced(Retired, "2028-01-01").await?;
    ensure!(gone.end_date == Some(date("2028-01-01")), "{gone:#?}");
    let plan = place.plan("2028-01-01", "2028-02-01").await?;
    ensure!(plan.iter().all(|step| step.headroom_kw == Some(400_000)), "{plan:#?}");
    place.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_not_stated_follows_the_sites_own_ratio() -> Result<()> {
    let place = Place::prepare(400_000).await?;
    let get = inventory::GetSiteRequest { name: place.site.clone(), ..Default::default() };
    let site = place.ops.sites().get_site(get).await?.into_inner().site.context("a site")?;
    let update = inventory::UpdateSiteRequest {
        site: Some(inventory::Site {
            gross_to_it: Some(inventory::GrossToIt {
                gross_kw: 330_000,
                critical_it_kw: 245_000,
                ..Default::default()
            }),
            ..site
        }),
        update_mask: Some(FieldMask { paths: vec!["gross_to_it".to_owned()] }),
        request_id: request_id(),
        validate_only: false,
    };
    place.ops.sites().update_site(update).await?;
    let product = inventory::Phase { gross_kw: 330_000, interim_gross_kw: 330_000, ..mine() };
    let phase = place.create("one", product).await?.into_inner().phase.context("a phase")?;
    ensure!(phase.capacity.is_some_and(|all| all.critical_it_kw == 245_000), "{phase:#?}");
    ensure!(phase.it_basis() == inventory::ItBasis::Assumed, "{phase:#?}");
    let small = market::phase(market::hall(2), "2027-10-01");
    let phase = place.create("two", small).await?.into_inner().phase.context("a phase")?;
    ensure!(phase.gross_kw == 3 && phase.gross_basis() == inventory::GrossBasis::Assumed, "{phase:#?}");
    place.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn phases_that_are_alike_draw_each_its_own_and_no_two_take_the_same_power() -> Result<()> {
    let place = Place::prepare(400_000).await?;
    let alike =
        || inventory::Phase { gross_kw: 100_000, ..market::phase(market::hall(70_000), "2027-10-01") };
    let ids = ["one", "two", "three", "four", "five", "six", "seven"];
    let told = futures::future::join_all(ids.map(|id| place.create(id, alike()))).await;
    let (created, refused): (Vec<_>, Vec<_>) = told.into_iter().partition(Result::is_ok);
    ensure!(created.len() == 4, "{created:#?}");
    for refusal in refused {
        let refusal = Refusal::expect(refusal)?.is(Code::FailedPrecondition, "SITE_POWER_EXCEEDED")?;
        ensure!(refusal.fact("neededKw")? == "500000", "{refusal:#?}");
    }
    Ok(())
}
