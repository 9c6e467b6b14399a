//! The audit trail over the wire: one entry for each deed, one for each denial, in a chain that holds.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::common::v1 as common;
use contracts::common::v1::AuditOutcome;
use contracts::common::v1::audit_service_client::AuditServiceClient;
use contracts::inventory::v1 as inventory;
use gridlease::clients::{Clients, Wire};
use integration_tests::market::{self, request_id};
use integration_tests::{Refusal, TestStack, World, eventually, raw};
use kernel::{Clock as _, Organisation, Role, SystemClock};
use prost::Message as _;
use sqlx::AssertSqlSafe;
use tonic::Code;

const SCHEMAS: [&str; 3] = ["inventory", "leasing", "billing"];

fn trails(clients: &Clients) -> [AuditServiceClient<Wire>; 3] {
    [clients.inventory_audit(), clients.leasing_audit(), clients.billing_audit()]
}

fn list_of(parent: &str) -> common::ListAuditEntriesRequest {
    common::ListAuditEntriesRequest { parent: parent.to_owned(), page_size: 1_000, ..Default::default() }
}

async fn entries(
    trail: &mut AuditServiceClient<Wire>,
    mut request: common::ListAuditEntriesRequest,
) -> Result<Vec<common::AuditEntry>> {
    let mut all = Vec::new();
    loop {
        let page = trail.list_audit_entries(request.clone()).await?.into_inner();
        all.extend(page.entries);
        if page.next_page_token.is_empty() {
            return Ok(all);
        }
        request.page_token = page.next_page_token;
    }
}

/// A number that the superuser counts.
async fn count(stack: &TestStack, sql: String) -> Result<i64> {
    let mut superuser = stack.database.superuser().await?;
    Ok(sqlx::query_scalar(AssertSqlSafe(sql)).fetch_one(&mut superuser).await?)
}

/// Waits until every row is sealed.
async fn sealed(stack: &TestStack, schema: &str) -> Result<()> {
    eventually("every row is sealed", async || {
        let sql = format!(
            "select count(*) from {schema}.outbox o, {schema}.audit_cursor c \
             where (o.position_xid, o.position_seq) > (c.xid, c.seq)"
        );
        Ok((count(stack, sql).await? == 0).then_some(()))
    })
    .await
}

/// Fails unless a chain of inventory's holds to its end, with something in it.
async fn holds(stack: &TestStack, trail: &mut AuditServiceClient<Wire>, parent: &str) -> Result<()> {
    sealed(stack, "inventory").await?;
    let ask = common::VerifyAuditRequest { parent: parent.to_owned(), ..Default::default() };
    let verdict = trail.verify_audit(ask).await?.into_inner();
    ensure!(
        verdict.complete && verdict.breaks.is_empty() && verdict.entry_count > 0,
        "{parent}: {verdict:?}"
    );
    Ok(())
}

#[tokio::test]
async fn every_deed_leaves_one_entry_and_the_chains_hold() -> Result<()> {
    let stack = TestStack::start().await?;
    let world = World::build(&stack, "north", "acme", "ZZ-AUDIT-").await?;
    for schema in SCHEMAS {
        let answered = count(&stack, format!("select count(*) from {schema}.idempotency")).await?;
        let told = format!("select count(*) from {schema}.outbox where deed ->> 'outcome' = 'done'");
        ensure!(count(&stack, told).await? == answered && answered > 10, "{schema}: {answered} deeds");
        let untold = format!(
            "select count(*) from {schema}.idempotency i where 1 <> (select count(*) from {schema}.outbox o \
             where o.deed ->> 'rpc' = i.rpc and o.deed ->> 'request_id' = i.request_id::text \
               and o.deed ->> 'subject' <> '' and o.deed ->> 'token' <> '' \
               and coalesce(o.deed ->> 'on_behalf_of', o.deed ->> 'organisation') = i.caller)"
        );
        ensure!(count(&stack, untold).await? == 0, "{schema}: deeds without their entry");
        sealed(&stack, schema).await?;
    }
    let auditor = stack.clients(&world.names.operator, Role::Auditor)?;
    for mut trail in trails(&auditor) {
        let parent = world.names.operator.clone();
        let head = trail.get_audit_head(common::GetAuditHeadRequest { parent: parent.clone() }).await?;
        let head = head.into_inner().head.context("a head")?;
        ensure!(head.number > 0 && head.hash.len() == 64, "{head:?}");
        let verify = common::VerifyAuditRequest { parent, heads: vec![head.clone()], ..Default::default() };
        let verdict = trail.verify_audit(verify.clone()).await?.into_inner();
        ensure!(verdict.complete && verdict.breaks.is_empty(), "{verdict:?}");
        ensure!(verdict.entry_count > 10, "{verdict:?}");
        // On from the head there is nothing more, and nothing wrong.
        let rest = common::VerifyAuditRequest { after: verdict.head.clone(), ..verify };
        let rest = trail.verify_audit(rest).await?.into_inner();
        ensure!(rest.complete && rest.entry_count == 0 && rest.breaks.is_empty(), "{rest:?}");
        let published = trail.verify_audit(common::VerifyAuditRequest {
            parent: world.names.operator.clone(),
            heads: vec![common::AuditHead { hash: "0".repeat(64), ..head }],
            after: None,
        });
        let breaks = published.await?.into_inner().breaks;
        let anew = i32::from(common::AuditFlaw::MadeAnew);
        ensure!(breaks.iter().map(|one| one.flaw).collect::<Vec<_>>() == [anew], "{breaks:?}");
    }
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_trail_says_who_did_what_for_whom_and_as_of_when() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "north", &[market::hall(100_000)]).await?;
    let tenant = market::tenant(clients, "acme").await?;
    let block = site.blocks.first().context("a block")?;
    let ana = stack.clients_of("ana", &site.operator, Role::Sales)?;
    let hold = market::hold(&site.operator, block, &tenant, market::load(1_000));
    let asked = hold.request_id.clone();
    let held = ana.reservations().place_hold(hold).await?.into_inner().reservation.context("a hold")?;
    let auditor = stack.clients(&site.operator, Role::Auditor)?;
    let mut trail = auditor.inventory_audit();
    let of_ana = common::ListAuditEntriesRequest { subject: "ana".to_owned(), ..list_of(&site.operator) };
    let found = entries(&mut trail, of_ana.clone()).await?;
    let [entry] = &found[..] else { anyhow::bail!("{found:#?}") };
    ensure!(entry.outcome() == AuditOutcome::Done, "{entry:#?}");
    ensure!((&entry.organisation, &entry.tenant) == (&site.operator, &tenant), "{entry:#?}");
    ensure!((&entry.request_id, &entry.target) == (&asked, &held.name), "{entry:#?}");
    ensure!(entry.rpc == "gridlease.inventory.v1.ReservationService/PlaceHold", "{entry:#?}");
    ensure!(entry.event_kind == "reservation.held" && !entry.token_id.is_empty(), "{entry:#?}");

    let release = inventory::ReleaseReservationRequest {
        name: held.name.clone(),
        request_id: request_id(),
        ..Default::default()
    };
    let tess = stack.clients_of("tess", &tenant, Role::Tenant)?;
    tess.reservations().release_reservation(release).await?;
    let of_hold = common::ListAuditEntriesRequest { target: held.name.clone(), ..list_of(&site.operator) };
    let who: Vec<String> =
        entries(&mut trail, of_hold.clone()).await?.into_iter().map(|entry| entry.subject).collect();
    ensure!(who == ["tess", "ana"], "newest first: {who:?}");
    // As of the instant before the second deed, there was one.
    let second = entries(&mut trail, of_hold.clone()).await?[0].record_time;
    let then = common::ListAuditEntriesRequest { until_time: second, ..of_hold.clone() };
    ensure!(entries(&mut trail, then).await?.len() == 1);
    let since = common::ListAuditEntriesRequest { since_time: second, ..of_hold.clone() };
    ensure!(entries(&mut trail, since).await?.len() == 1);
    // Pages are the list, whatever their size.
    let whole = entries(&mut trail, list_of(&site.operator)).await?;
    let paged = common::ListAuditEntriesRequest { page_size: 2, ..list_of(&site.operator) };
    ensure!(entries(&mut trail, paged).await? == whole && whole.len() > 4);

    // The tenant reads what its own people did with the operator, and nothing of the operator's.
    let mut theirs = stack.clients(&tenant, Role::Tenant)?.inventory_audit();
    let own = entries(&mut theirs, list_of(&tenant)).await?;
    ensure!(own.iter().all(|entry| entry.organisation == tenant && entry.subject != "ana"), "{own:#?}");
    ensure!(own.iter().any(|entry| entry.target == held.name), "{own:#?}");
    for stranger in [list_of(&site.operator), list_of("platform"), list_of("tenants/nobody")] {
        let refusal = Refusal::expect(theirs.list_audit_entries(stranger).await)?;
        refusal.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    }
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn whoever_is_denied_is_in_the_trail_with_what_they_asked_for() -> Result<()> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "north", &[market::hall(100_000)]).await?;
    // At the door, by the policy.
    let create = inventory::CreateSiteRequest {
        parent: site.operator.clone(),
        site_id: "mine".to_owned(),
        site: Some(market::grid_site(1_000)),
        request_id: request_id(),
        ..Default::default()
    };
    let sales = stack.clients_of("ana", &site.operator, Role::Sales)?;
    let refusal = Refusal::expect(sales.sites().create_site(create.clone()).await)?;
    refusal.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    // By a use case: a tenant may not hold for the operator's own use.
    let tenant = market::tenant(clients, "acme").await?;
    let block = site.blocks.first().context("a block")?;
    let mut hold = market::hold(&site.operator, block, &tenant, market::load(1_000));
    hold.kind = inventory::ReservationKind::Lease.into();
    let tess = stack.clients_of("tess", &tenant, Role::Tenant)?;
    let refusal = Refusal::expect(tess.reservations().place_hold(hold.clone()).await)?;
    refusal.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
    // Without a good token: one of yesterday, and one of nobody's.
    let operator: Organisation = site.operator.parse()?;
    let yesterday = SystemClock.now() - chrono::TimeDelta::hours(24);
    let hour = Duration::from_secs(3_600);
    let expired = stack.stack().issuer().mint_at(yesterday, "leo", &operator, &[Role::Sales], hour)?;
    let channel = runtime::client::channel(&format!("http://{}", stack.stack().addresses().inventory))?;
    let rpc = "gridlease.inventory.v1.SiteService/CreateSite";
    for token in [expired.as_str(), "no.good.token"] {
        let answer = raw::call(&channel, rpc, Some(token), create.encode_to_vec()).await;
        Refusal::expect(answer)?.is(Code::Unauthenticated, "UNAUTHENTICATED")?;
    }

    let denied = |parent: &str| common::ListAuditEntriesRequest {
        outcomes: vec![AuditOutcome::Denied.into(), AuditOutcome::Unauthenticated.into()],
        ..list_of(parent)
    };
    let wait = async |trail: &mut AuditServiceClient<Wire>, parent: &str, wanted: usize| {
        eventually("denials are written", async || {
            let found = entries(trail, denied(parent)).await?;
            Ok((found.len() >= wanted).then_some(found))
        })
        .await
    };
    let mut trail = stack.clients(&site.operator, Role::Auditor)?.inventory_audit();
    let found = wait(&mut trail, &site.operator, 2).await?;
    let of = |subject: &str| found.iter().find(|entry| entry.subject == subject).context("nobody");
    let ana = of("ana")?;
    ensure!(ana.outcome() == AuditOutcome::Denied && ana.reason == "ROLE_NOT_ALLOWED", "{ana:#?}");
    ensure!((&ana.target, &ana.request_id) == (&create.parent, &create.request_id), "{ana:#?}");
    ensure!(ana.rpc == rpc && ana.address == "127.0.0.1" && ana.organisation == site.operator, "{ana:#?}");
    let leo = of("leo")?;
    ensure!(leo.outcome() == AuditOutcome::Unauthenticated && leo.reason == "not timely", "{leo:#?}");
    ensure!(leo.request_id == create.request_id, "{leo:#?}");

    let mut theirs = stack.clients(&tenant, Role::Tenant)?.inventory_audit();
    let found = wait(&mut theirs, &tenant, 1).await?;
    ensure!(found[0].subject == "tess" && found[0].request_id == hold.request_id, "{found:#?}");
    ensure!(found[0].target == site.operator, "{found:#?}");
    let mut platforms = stack.clients("platform", Role::PlatformAdmin)?.inventory_audit();
    let found = wait(&mut platforms, "platform", 1).await?;
    ensure!(found[0].subject.is_empty() && found[0].address == "127.0.0.1", "{found:#?}");
    ensure!(found[0].target == create.parent, "{found:#?}");
    for (trail, parent) in
        [(&mut trail, site.operator.as_str()), (&mut theirs, tenant.as_str()), (&mut platforms, "platform")]
    {
        holds(&stack, trail, parent).await?;
    }
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn a_flood_of_denials_is_counted_and_does_not_fill_the_store() -> Result<()> {
    const FLOOD: usize = 2_000;
    let stack = TestStack::start().await?;
    let began = std::time::Instant::now();
    let channel = runtime::client::channel(&format!("http://{}", stack.stack().addresses().inventory))?;
    let token = stack.token_of("ana", "operators/north", Role::Sales)?;
    let rpc = "gridlease.inventory.v1.SiteService/CreateSite";
    let ask = async || {
        let answer = raw::call(&channel, rpc, Some(&token), Vec::new()).await;
        Refusal::expect(answer)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
        anyhow::Ok(())
    };
    for _ in 0..FLOOD / 50 {
        futures::future::try_join_all((0..50).map(|_| ask())).await?;
    }
    // Later there is room again, and the next one tells of those before it.
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    ask().await?;
    let sum = "select coalesce(sum(1 + coalesce((deed ->> 'unwritten')::bigint, 0)), 0)::bigint \
               from inventory.outbox where kind = 'audit.denial'";
    eventually("every denial is told", async || {
        let told = count(&stack, sum.to_owned()).await?;
        ensure!(told <= 2_001, "{told} denials told");
        Ok((told == 2_001).then_some(()))
    })
    .await?;
    let rows =
        count(&stack, "select count(*) from inventory.outbox where kind = 'audit.denial'".to_owned()).await?;
    let most = 50 + 5 * (began.elapsed().as_secs() + 1);
    ensure!(rows > 10 && u64::try_from(rows)? <= most, "{rows} rows of at most {most}");
    stack.stop().await;
    Ok(())
}
