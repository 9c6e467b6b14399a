//! Capacity that is lowered or late: who is hurt is said, refused until accepted, recorded and told; and of a booking
//! and a lowering that race for the same megawatts, one wins.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use gridlease::clients::Clients;
use integration_tests::fleet::Fleet;
use integration_tests::market::{self, READY, date, request_id};
use integration_tests::{Refusal, TestDatabase, TestStack, eventually, feed};
use kernel::Role;
use prost::Message as _;
use prost_types::FieldMask;
use sqlx::Row as _;
use tonic::Code;
use tonic_types::StatusExt as _;

/// A slip of the hall's only phase, forecast.
fn slip(hall: &str, ready: &str) -> inventory::SlipPhaseRequest {
    inventory::SlipPhaseRequest {
        name: format!("{hall}/phases/one"),
        ready_for_service_date: Some(date(ready)),
        date_basis: inventory::DateBasis::Forecast.into(),
        reason: "transformers".to_owned(),
        request_id: request_id(),
        ..Default::default()
    }
}

async fn held(sales: &Clients, operator: &str, hall: &str, tenant: &str, kw: i64) -> Result<String> {
    let hold = market::hold(operator, hall, tenant, market::load(kw));
    Ok(sales.reservations().place_hold(hold).await?.into_inner().reservation.context("a hold")?.name)
}

/// The shortfalls that somebody's feed tells: kind, reservation, tenant, IT kW short of each step.
async fn told(stack: &TestStack, organisation: &str, role: Role) -> Result<Vec<(String, String, Vec<i64>)>> {
    let at = stack.stack().addresses().inventory;
    let channel = runtime::client::channel(&format!("http://{at}"))?;
    let bearer = runtime::client::Bearer::new(&stack.token(organisation, role)?)?;
    let mut client = inventory::event_service_client::EventServiceClient::with_interceptor(channel, bearer);
    let kinds = vec!["shortfall.recorded".to_owned(), "shortfall.eased".to_owned()];
    let watch = inventory::WatchEventsRequest { kinds, ..Default::default() };
    let mut stream = client.watch_events(watch).await?.into_inner();
    let mut seen = Vec::new();
    for event in feed::up_to_now(&stack.database, &mut stream).await? {
        let data = event.data.context("a payload")?;
        ensure!(data.type_url.ends_with("gridlease.inventory.v1.Shortfall"), "{}", data.type_url);
        let shortfall = inventory::Shortfall::decode(data.value.as_slice())?;
        ensure!(event.subject == shortfall.reservation && event.tenant == shortfall.tenant);
        let short = shortfall.steps.iter().map(|step| step.short.map_or(0, |short| short.critical_it_kw));
        seen.push((event.r#type, shortfall.reservation, short.collect()));
    }
    Ok(seen)
}

async fn count(database: &TestDatabase, sql: &'static str) -> Result<i64> {
    let mut superuser = database.superuser().await?;
    Ok(sqlx::query(sql).fetch_one(&mut superuser).await?.try_get(0)?)
}

#[tokio::test]
async fn a_slip_hurts_those_it_names_and_goes_on_only_when_that_is_accepted() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "late-power", &[market::hall(10_000)]).await?;
    let hall = place.blocks.first().context("a hall")?;
    let (sales, ops) =
        (stack.clients(&place.operator, Role::Sales)?, stack.clients(&place.operator, Role::SiteOps)?);
    let first = held(&sales, &place.operator, hall, "tenants/lab", 6_000).await?;
    let second = held(&sales, &place.operator, hall, "tenants/rival", 4_000).await?;

    // The question: who is hurt if it slips sixty days?
    let question = inventory::SlipPhaseRequest { validate_only: true, ..slip(hall, "2027-03-02") };
    let hurt = ops.sites().slip_phase(question).await?.into_inner();
    ensure!(hurt.shortfall_count == 2, "{hurt:#?}");
    for (shortfall, (name, tenant, kw)) in
        hurt.shortfalls.iter().zip([(&first, "tenants/lab", 6_000), (&second, "tenants/rival", 4_000)])
    {
        ensure!(shortfall.reservation == *name && shortfall.tenant == tenant, "{shortfall:#?}");
        ensure!(shortfall.cause() == inventory::ShortfallCause::Delayed, "{shortfall:#?}");
        ensure!(shortfall.reason == "transformers" && shortfall.cause_resource.ends_with("/phases/one"));
        let until = market::profile(market::load(kw), READY, "2027-03-02");
        let step = shortfall.steps.first().context("a step")?;
        ensure!(shortfall.steps.len() == 1 && step.short == Some(market::load(kw)), "{shortfall:#?}");
        ensure!(step.start_time == until.steps[0].start_time && step.end_time == until.end_time);
    }

    let status = ops.sites().slip_phase(slip(hall, "2027-03-02")).await.expect_err("refused");
    let violations = status.get_error_details().precondition_failure().context("who")?.violations.clone();
    let named: Vec<&str> = violations.iter().map(|violation| violation.subject.as_str()).collect();
    ensure!(named == [&first, &second], "{violations:#?}");
    let refusal = Refusal::of(&status)?.is(Code::FailedPrecondition, "CAPACITY_COMMITTED")?;
    ensure!(refusal.fact("block")? == hall && refusal.fact("reservationCount")? == "2", "{refusal:#?}");
    ensure!(refusal.fact("firstShortTime")? == "2027-01-01T06:00:00Z", "{refusal:#?}");
    ensure!((refusal.fact("resource")?, refusal.fact("shortKw")?) == ("CRITICAL_IT", "6000"), "{refusal:#?}");
    ensure!(count(&stack.database, "select count(*) from inventory.shortfall").await? == 0);

    let accepted = inventory::SlipPhaseRequest { accept_shortfall: true, ..slip(hall, "2027-03-02") };
    let phase = ops.sites().slip_phase(accepted).await?.into_inner().phase.context("a phase")?;
    ensure!(phase.ready_dates.len() == 2, "{phase:#?}");
    ensure!(count(&stack.database, "select count(*) from inventory.shortfall").await? == 2);
    ensure!(stack.database.oversold().await? == 0, "what was accepted is known, and not oversold");
    // The control: without the record it would be.
    let hidden = "with gone as (delete from inventory.shortfall returning 1) select count(*) from gone";
    let mut superuser = stack.database.superuser().await?;
    sqlx::raw_sql("begin").execute(&mut superuser).await?;
    sqlx::raw_sql(hidden).execute(&mut superuser).await?;
    let found: i64 = sqlx::query("select count(*) from inventory.oversold_instants()")
        .fetch_one(&mut superuser)
        .await?
        .try_get(0)?;
    ensure!(found > 0, "the auditor sees nothing");
    sqlx::raw_sql("rollback").execute(&mut superuser).await?;

    // More of the same hurt is refused again; a slip back eases both.
    Refusal::expect(ops.sites().slip_phase(slip(hall, "2027-03-03")).await)?
        .is(Code::FailedPrecondition, "CAPACITY_COMMITTED")?;
    let eased = ops.sites().slip_phase(slip(hall, "2027-02-01")).await?.into_inner();
    ensure!(eased.shortfall_count == 0, "{eased:#?}");
    ops.sites().slip_phase(slip(hall, READY)).await?;
    ensure!(count(&stack.database, "select count(*) from inventory.shortfall").await? == 0);

    let (recorded, over) = ("shortfall.recorded".to_owned(), "shortfall.eased".to_owned());
    let expected = [
        (recorded, first.clone(), vec![6_000]),
        (over.clone(), first.clone(), vec![6_000]),
        (over, first, Vec::new()),
    ];
    ensure!(told(&stack, "tenants/lab", Role::Tenant).await? == expected);
    ensure!(told(&stack, "tenants/stranger", Role::Tenant).await?.is_empty());
    ensure!(told(&stack, &place.operator, Role::Sales).await?.len() == 6);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_hall_that_is_short_says_so_and_still_takes_what_it_has() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "short-power", &[market::hall(10_000)]).await?;
    let hall = place.blocks.first().context("a hall")?;
    let (sales, ops) =
        (stack.clients(&place.operator, Role::Sales)?, stack.clients(&place.operator, Role::SiteOps)?);
    held(&sales, &place.operator, hall, "tenants/lab", 8_000).await?;
    // Liquid falls below what is taken of it; power and air do not.
    let get = inventory::GetPhaseRequest { name: format!("{hall}/phases/one"), ..Default::default() };
    let mut phase = ops.sites().get_phase(get).await?.into_inner().phase.context("a phase")?;
    phase.capacity = Some(CapacityVector { liquid_cooling_kw: 5_000, ..market::hall(10_000) });
    let update = inventory::UpdatePhaseRequest {
        phase: Some(phase),
        update_mask: Some(FieldMask { paths: vec!["capacity".to_owned()] }),
        accept_shortfall: true,
        request_id: request_id(),
        validate_only: false,
    };
    let changed = ops.sites().update_phase(update).await?.into_inner();
    ensure!(changed.shortfall_count == 1, "{changed:#?}");
    let days = inventory::GetAvailabilityRequest {
        name: hall.clone(),
        start_date: Some(date(READY)),
        end_date: Some(date("2027-02-01")),
        ..Default::default()
    };
    let steps = sales.capacity().get_availability(days).await?.into_inner().steps;
    let step = steps.first().context("a step")?;
    ensure!(step.short.is_some_and(|short| short.liquid_cooling_kw == 1_800), "{step:#?}");
    ensure!(
        step.free.is_some_and(|free| free.liquid_cooling_kw == 0 && free.critical_it_kw == 2_000),
        "{step:#?}"
    );
    let air = |kw| CapacityVector { critical_it_kw: kw, air_cooling_kw: kw, ..Default::default() };
    let cooled = |kw| market::hold(&place.operator, hall, "tenants/rival", air(kw));
    sales.reservations().place_hold(cooled(1_300)).await.context("air is left")?;
    let refusal = Refusal::expect(sales.reservations().place_hold(cooled(1)).await)?;
    ensure!(refusal.fact("resource")? == "AIR_COOLING", "{refusal:#?}");
    held(&sales, &place.operator, hall, "tenants/rival", 1).await.expect_err("no liquid is left");
    ensure!(stack.database.oversold().await? == 0);
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_given_back_eases_those_who_came_after() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "eased-power", &[market::hall(10_000)]).await?;
    let hall = place.blocks.first().context("a hall")?;
    let (sales, ops) =
        (stack.clients(&place.operator, Role::Sales)?, stack.clients(&place.operator, Role::SiteOps)?);
    let first = held(&sales, &place.operator, hall, "tenants/lab", 3_000).await?;
    let second = held(&sales, &place.operator, hall, "tenants/rival", 7_000).await?;
    let reduction = CapacityVector { critical_it_kw: 4_000, ..Default::default() };
    let window = inventory::ScheduleMaintenanceRequest {
        parent: hall.clone(),
        window: Some(market::window("2028-01-01", "2028-02-01", reduction, "filters")),
        accept_shortfall: true,
        request_id: request_id(),
        validate_only: false,
    };
    let hurt = ops.maintenance().schedule_maintenance(window).await?.into_inner().shortfalls;
    let [hurt] = hurt.as_slice() else { anyhow::bail!("who came last is hurt alone: {hurt:#?}") };
    ensure!(
        hurt.reservation == second && hurt.cause() == inventory::ShortfallCause::Maintenance,
        "{hurt:#?}"
    );
    let release =
        inventory::ReleaseReservationRequest { name: first, request_id: request_id(), ..Default::default() };
    sales.reservations().release_reservation(release).await?;
    let expected = [
        ("shortfall.recorded".to_owned(), second.clone(), vec![4_000]),
        ("shortfall.eased".to_owned(), second, vec![1_000]),
    ];
    eventually("the second is eased", async || {
        Ok((told(&stack, "tenants/rival", Role::Tenant).await? == expected).then_some(()))
    })
    .await?;
    ensure!(stack.database.oversold().await? == 0);
    stack.stop().await;
    Ok(())
}

/// A month in which the hall gives so much less.
fn filters(hall: &str, kw: i64, accept_shortfall: bool) -> inventory::ScheduleMaintenanceRequest {
    let reduction = CapacityVector { critical_it_kw: kw, ..Default::default() };
    inventory::ScheduleMaintenanceRequest {
        parent: hall.to_owned(),
        window: Some(market::window("2028-01-01", "2028-02-01", reduction, "filters")),
        accept_shortfall,
        request_id: request_id(),
        validate_only: false,
    }
}

async fn release(sales: &Clients, name: String) -> Result<()> {
    let release =
        inventory::ReleaseReservationRequest { name, request_id: request_id(), ..Default::default() };
    sales.reservations().release_reservation(release).await?;
    Ok(())
}

#[tokio::test]
async fn what_is_short_follows_those_who_split_and_merge() -> Result<()> {
    // No sweeper comes by.
    let fleet = Fleet::start(1).await?;
    let place = market::site(|o, r| fleet.clients(o, r), "moved-power", &[market::hall(10_000)]).await?;
    let hall = place.blocks.first().context("a hall")?;
    let (sales, ops) =
        (fleet.clients(&place.operator, Role::Sales)?, fleet.clients(&place.operator, Role::SiteOps)?);
    let first = held(&sales, &place.operator, hall, "tenants/lab", 5_000).await?;
    let second = held(&sales, &place.operator, hall, "tenants/lab", 5_000).await?;
    ops.maintenance().schedule_maintenance(filters(hall, 4_000, true)).await?;
    ensure!(fleet.database.oversold().await? == 0);

    let part = |kw| inventory::ReservationPart {
        claims: vec![inventory::Claim {
            block: hall.clone(),
            profile: Some(market::profile(market::load(kw), READY, "2037-01-01")),
        }],
        note: String::new(),
    };
    let split = inventory::SplitReservationRequest {
        name: second.clone(),
        parts: vec![part(1_000), part(4_000)],
        request_id: request_id(),
        ..Default::default()
    };
    let parts = sales.reservations().split_reservation(split).await?.into_inner().reservations;
    let [_, larger] = parts.as_slice() else { anyhow::bail!("two parts: {parts:#?}") };
    // The part that kept the name goes, and what was recorded of the whole with it.
    release(&sales, second).await?;
    ensure!(fleet.database.oversold().await? == 0, "the other part is short of what is left");
    let merge = inventory::MergeReservationsRequest {
        name: first,
        others: vec![larger.name.clone()],
        request_id: request_id(),
        ..Default::default()
    };
    sales.reservations().merge_reservations(merge).await?;
    ensure!(fleet.database.oversold().await? == 0, "what is merged is short together");
    fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_shortfall_that_is_over_hides_no_new_one() -> Result<()> {
    let fleet = Fleet::start(1).await?;
    let place = market::site(|o, r| fleet.clients(o, r), "hidden-power", &[market::hall(10_000)]).await?;
    let hall = place.blocks.first().context("a hall")?;
    let (sales, ops) =
        (fleet.clients(&place.operator, Role::Sales)?, fleet.clients(&place.operator, Role::SiteOps)?);
    let first = held(&sales, &place.operator, hall, "tenants/lab", 5_000).await?;
    held(&sales, &place.operator, hall, "tenants/rival", 5_000).await?;
    ops.maintenance().schedule_maintenance(filters(hall, 4_000, true)).await?;
    // Now the second is short of nothing, though nobody has written that yet.
    release(&sales, first).await?;
    let again = ops.maintenance().schedule_maintenance(filters(hall, 4_000, false)).await;
    let refusal = Refusal::expect(again)?.is(Code::FailedPrecondition, "CAPACITY_COMMITTED")?;
    ensure!(refusal.fact("shortKw")? == "3000", "{refusal:#?}");
    fleet.stop().await;
    Ok(())
}

#[tokio::test]
async fn cancelling_and_ending_hurt_as_slipping_does() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let place = market::site(clients, "gone-power", &[market::hall(10_000)]).await?;
    let hall = place.blocks.first().context("a hall")?;
    let (sales, ops) =
        (stack.clients(&place.operator, Role::Sales)?, stack.clients(&place.operator, Role::SiteOps)?);
    let name = format!("{hall}/phases/one");
    let hold = held(&sales, &place.operator, hall, "tenants/lab", 1_000).await?;
    let cancel = inventory::CancelPhaseRequest {
        name: name.clone(),
        reason: "no money".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    Refusal::expect(ops.sites().cancel_phase(cancel.clone()).await)?
        .is(Code::FailedPrecondition, "CAPACITY_COMMITTED")?;
    // A hold that is given back is in nobody's way.
    let release =
        inventory::ReleaseReservationRequest { name: hold, request_id: request_id(), ..Default::default() };
    sales.reservations().release_reservation(release).await?;
    let gone = ops.sites().cancel_phase(cancel).await?.into_inner().phase.context("a phase")?;
    ensure!(gone.use_state() == inventory::UseState::Cancelled && gone.cancel_reason == "no money");
    held(&sales, &place.operator, hall, "tenants/lab", 1).await.expect_err("nothing is left");
    let again = inventory::AdvancePhaseRequest {
        name,
        use_state: inventory::UseState::Mining.into(),
        request_id: request_id(),
        ..Default::default()
    };
    Refusal::expect(ops.sites().advance_phase(again).await)?
        .is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    stack.stop().await;
    Ok(())
}

/// Sets what the hall's phase gives.
async fn give(ops: &Clients, hall: &str, kw: i64) -> Result<Result<(), tonic::Status>> {
    let get = inventory::GetPhaseRequest { name: format!("{hall}/phases/one"), ..Default::default() };
    let mut phase = ops.sites().get_phase(get).await?.into_inner().phase.context("a phase")?;
    phase.capacity = Some(market::hall(kw));
    let update = inventory::UpdatePhaseRequest {
        phase: Some(phase),
        update_mask: Some(FieldMask { paths: vec!["capacity".to_owned()] }),
        request_id: request_id(),
        ..Default::default()
    };
    Ok(ops.sites().update_phase(update).await.map(|_| ()))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_a_booking_and_a_lowering_exactly_one_wins() -> Result<()> {
    const ROUNDS: usize = 40;
    let fleet = Fleet::start(3).await?;
    let place = market::site(|o, r| fleet.clients(o, r), "race-power", &[market::hall(10_000)]).await?;
    let hall = place.blocks.first().context("a hall")?;
    let (mut booked, mut lowered) = (0, 0);
    // How much later the booking begins: so that either may win, whatever the machine is busy with.
    let mut pause = Duration::ZERO;
    for round in 0..ROUNDS {
        let sales = fleet.clients_at(round, &place.operator, Role::Sales)?;
        let ops = fleet.clients_at(round + 1, &place.operator, Role::SiteOps)?;
        // 6 MW fit in 10 and not in 5.
        let hold = market::hold(&place.operator, hall, "tenants/lab", market::load(6_000));
        let book = async {
            tokio::time::sleep(pause).await;
            sales.reservations().place_hold(hold).await
        };
        let (hold, lower) = tokio::join!(book, give(&ops, hall, 5_000));
        match (hold, lower?) {
            (Ok(hold), Err(status)) => {
                Refusal::of(&status)?.is(Code::FailedPrecondition, "CAPACITY_COMMITTED")?;
                let name = hold.into_inner().reservation.context("a hold")?.name;
                let release = inventory::ReleaseReservationRequest {
                    name,
                    request_id: request_id(),
                    ..Default::default()
                };
                sales.reservations().release_reservation(release).await?;
                booked += 1;
                pause = pause * 2 + Duration::from_micros(200);
            }
            (Err(status), Ok(())) => {
                Refusal::of(&status)?.is(Code::FailedPrecondition, "CAPACITY_EXHAUSTED")?;
                give(&ops, hall, 10_000).await??;
                lowered += 1;
                pause /= 2;
            }
            (hold, lower) => anyhow::bail!("round {round}: both {hold:?} and {lower:?}"),
        }
        ensure!(fleet.database.oversold().await? == 0, "oversold in round {round}");
    }
    ensure!(booked > 0 && lowered > 0, "it was no race: {booked} to {lowered}");
    fleet.stop().await;
    Ok(())
}
