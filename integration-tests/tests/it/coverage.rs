//! Every RPC of the descriptor set as nobody, as each role, and as a stranger. A new RPC without a row fails here.

use std::fmt::Write as _;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use contracts::{Rpc, rpcs};
use futures::{StreamExt as _, TryStreamExt as _};
use integration_tests::shape::{self, full_name};
use integration_tests::world::Names;
use integration_tests::{Refusal, TestStack, World, raw, requests};
use kernel::{Clock as _, Organisation, Role, SystemClock};
use runtime::client::Channel;
use runtime::policy::{ROLES, Right, policy};
use tonic::Code;

use crate::doors::{Doors, Who, row, someone};

/// Calls under way at once: a feed answers its first heartbeat after a second, and nobody else should wait for it.
const ABREAST: usize = 24;
/// What an RPC that is allowed never answers.
const NOT_FOR_THE_ALLOWED: [Code; 4] =
    [Code::Unauthenticated, Code::PermissionDenied, Code::Unimplemented, Code::Internal];

#[tokio::test]
async fn nobody_may_do_anything() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let organisation: Organisation = "operators/acme".parse()?;
    let long_ago = SystemClock.now() - chrono::TimeDelta::hours(2);
    let roles = [Role::OperatorAdmin, Role::Finance];
    let hour = Duration::from_secs(3600);
    let expired = stack.stack().issuer().mint_at(long_ago, "tester", &organisation, &roles, hour)?;
    for rpc in rpcs() {
        let name = full_name(rpc);
        for channel in doors.to(rpc) {
            let answers = [
                raw::call(channel, &name, None, Vec::new()).await,
                raw::call(channel, &name, Some(&expired), Vec::new()).await,
                raw::call(channel, &name, Some("not.a.token"), b"\xff".to_vec()).await,
            ];
            let mut refusals = Vec::new();
            for answer in answers {
                let refusal = Refusal::expect(answer).with_context(|| name.clone())?;
                refusals.push(
                    refusal.is(Code::Unauthenticated, "UNAUTHENTICATED").with_context(|| name.clone())?,
                );
            }
            refusals.dedup();
            ensure!(refusals.len() == 1, "{name} tells bad tokens apart: {refusals:#?}");
        }
    }
    stack.stop().await;
    Ok(())
}

/// What one role saw of one RPC.
async fn observe(
    stack: &TestStack,
    doors: &Doors,
    rpc: &Rpc,
    role: Role,
    right: Option<Right>,
) -> Result<bool> {
    let name = full_name(rpc);
    let who = someone(stack, role, right, "operators/acme", "tenants/lab")?;
    let mut seen = Vec::new();
    for channel in doors.to(rpc) {
        let allowed = match who.call(channel, rpc, Vec::new()).await {
            Ok(_) => true,
            Err(status) if status.code() == Code::PermissionDenied => {
                let refusal = Refusal::of(&status)?.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED")?;
                ensure!(refusal.fact("rpc")?.contains(&name), "{refusal:#?}");
                ensure!(refusal.fact("role")?.contains(role.as_str()), "{refusal:#?}");
                false
            }
            Err(status) => {
                let code = status.code();
                ensure!(!NOT_FOR_THE_ALLOWED.contains(&code), "{name} as {role}: {status:?}");
                Refusal::of(&status).with_context(|| format!("{name} as {role}"))?;
                true
            }
        };
        seen.push(allowed);
    }
    seen.dedup();
    ensure!(seen.len() == 1, "{name} as {role}: the services differ");
    Ok(seen == [true])
}

#[tokio::test]
async fn each_role_may_do_what_the_table_says() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let mut calls = Vec::new();
    for rpc in rpcs() {
        let row = row(rpc)?;
        calls.extend(ROLES.into_iter().zip(row.cells).map(|(role, right)| (rpc, role, right)));
    }
    let observed: Vec<(&Rpc, Role, bool)> = futures::stream::iter(calls)
        .map(|(rpc, role, right)| {
            let (stack, doors) = (&stack, &doors);
            async move {
                let allowed = observe(stack, doors, rpc, role, right).await?;
                ensure!(
                    allowed == right.is_some(),
                    "{} as {role}: the table says {right:?}, the server {}",
                    full_name(rpc),
                    if allowed { "allows it" } else { "denies it" }
                );
                Ok((rpc, role, allowed))
            }
        })
        .buffered(ABREAST)
        .try_collect()
        .await?;
    compare_with_golden(&table(&observed)?)?;
    // The other half of "behalf": without anybody to act for, the right is nobody's.
    for row in policy().rows().filter(|row| row.cells[7] == Some(Right::Behalf)) {
        let rpc = shape::rpc(&row.rpc);
        let who = Who { token: stack.token("services/leasing", Role::Service)?, on_behalf_of: None };
        for channel in doors.to(rpc) {
            let answer = who.call(channel, rpc, Vec::new()).await;
            Refusal::expect(answer)
                .and_then(|refusal| refusal.is(Code::PermissionDenied, "ROLE_NOT_ALLOWED"))
                .with_context(|| format!("{} for nobody", row.rpc))?;
        }
    }
    stack.stop().await;
    Ok(())
}

/// The observed rights in the form of the golden file.
fn table(observed: &[(&Rpc, Role, bool)]) -> Result<String> {
    let roles: Vec<&str> = ROLES.iter().map(|role| role.as_str()).collect();
    let mut text = String::from(
        "# Who may call what, as the servers answered\n\nWritten by the test `coverage`; `UPDATE_GOLDEN=1` renews it.\n\n",
    );
    writeln!(text, "| RPC | {} |\n|---|{}", roles.join(" | "), "---|".repeat(roles.len()))?;
    for rpc in rpcs() {
        let cells: Vec<&str> = ROLES
            .iter()
            .map(|role| observed.iter().find(|(of, by, _)| *of == rpc && by == role))
            .map(|seen| if seen.is_some_and(|(_, _, allowed)| *allowed) { "yes" } else { "–" })
            .collect();
        writeln!(text, "| {} | {} |", full_name(rpc), cells.join(" | "))?;
    }
    Ok(text)
}

fn compare_with_golden(text: &str) -> Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/golden/rights.md");
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(path, text)?;
    }
    let golden = std::fs::read_to_string(path).unwrap_or_default();
    ensure!(
        golden == text,
        "golden/rights.md is not what the servers answer; UPDATE_GOLDEN=1 renews it:\n{text}"
    );
    Ok(())
}

/// Lists that a tenant may ask of any operator and that hold the tenant's own rows only: empty, whoever is asked.
const EMPTY_FOR_STRANGERS: &[&str] = &[
    "gridlease.inventory.v1.MaintenanceService/ListMaintenance",
    "gridlease.inventory.v1.ReservationService/ListReservations",
    "gridlease.inventory.v1.EncumbranceService/ListEncumbrances",
    "gridlease.inventory.v1.WaitlistService/ListWaitlist",
    "gridlease.inventory.v1.IncidentService/ListIncidents",
    "gridlease.inventory.v1.IncidentService/ListCurtailments",
    "gridlease.leasing.v1.LeaseService/ListLeases",
    "gridlease.leasing.v1.LeaseService/ListDeadlines",
    "gridlease.leasing.v1.MarketService/ListBids",
    "gridlease.leasing.v1.OfferService/ListQuotes",
    "gridlease.leasing.v1.RightService/ListRightOffers",
    "gridlease.leasing.v1.AgreementService/ListMasterAgreements",
    "gridlease.billing.v1.AccountService/ListAccounts",
    "gridlease.billing.v1.InvoiceService/ListInvoices",
    "gridlease.billing.v1.MeteringService/ListMeters",
    "gridlease.billing.v1.InvoiceService/ListCreditNotes",
    "gridlease.billing.v1.DisputeService/ListDisputes",
    "gridlease.billing.v1.PaymentService/ListPayments",
];
/// What a tenant asks of an operator it has nothing with yet: it is no stranger there, anybody may come to lease.
const OPEN_TO_TENANTS: &[&str] = &[
    "gridlease.inventory.v1.ReservationService/PlaceHold",
    "gridlease.inventory.v1.WaitlistService/JoinWaitlist",
    "gridlease.leasing.v1.LeaseService/ProposeLease",
];

/// Whether a request's first field names the resource it is about.
fn names_a_resource(rpc: &Rpc) -> bool {
    shape::fields(&rpc.request).first().is_some_and(|first| {
        ["name", "parent", "lease"].contains(&first.name.as_str())
            || shape::field(&first.type_name, "name").is_some_and(|_| rpc.method.starts_with("Update"))
    })
}

#[tokio::test]
async fn what_is_anothers_looks_like_what_is_not_there() -> Result<()> {
    let stack = TestStack::start().await?;
    let doors = Doors::of(&stack)?;
    let world = World::build(&stack, "acme", "lab", "ZZ-B").await?;
    // The strangers exist, and have things of their own.
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    integration_tests::market::site(clients, "zenith", &[]).await?;
    integration_tests::market::tenant(clients, "rival").await?;
    let mut asked = 0;
    for rpc in rpcs().iter().filter(|rpc| names_a_resource(rpc)) {
        for (role, right) in ROLES.into_iter().zip(row(rpc)?.cells) {
            // The right to see what is published, or everything, makes nobody a stranger.
            if matches!(right, Some(Right::Own | Right::Behalf)) {
                let who = someone(&stack, role, right, "operators/zenith", "tenants/rival")?;
                let Some(channel) = doors.to(rpc).first().copied() else { continue };
                ask_as_stranger(channel, rpc, role, &who, &world.names)
                    .await
                    .with_context(|| format!("{} as {role} of another organisation", full_name(rpc)))?;
                asked += 1;
            }
        }
    }
    ensure!(asked > 100, "only {asked} strangers asked");
    stack.stop().await;
    Ok(())
}

async fn ask_as_stranger(channel: &Channel, rpc: &Rpc, role: Role, who: &Who, names: &Names) -> Result<()> {
    let name = full_name(rpc);
    let tenant = role == Role::Tenant;
    // A tenant may listen to any operator and hears of its own only: the test of isolation listens.
    if tenant && (rpc.server_streaming || OPEN_TO_TENANTS.contains(&name.as_str())) {
        return Ok(());
    }
    let ask = async |names: &Names| {
        let message = requests::valid(&name, names).context("write a request for it in requests.rs")?;
        anyhow::Ok(who.call(channel, rpc, message).await)
    };
    let real = ask(names).await?;
    if tenant && EMPTY_FOR_STRANGERS.contains(&name.as_str()) {
        let list = real.context("a list of the tenant's own")?.into_inner();
        ensure!(list.is_empty(), "the list is not empty: {list:?}");
        return Ok(());
    }
    let real = Refusal::expect(real)?.is(Code::NotFound, "RESOURCE_NOT_FOUND")?;
    ensure!(real.metadata.keys().collect::<Vec<_>>() == ["resource_type"], "{real:#?}");
    ensure!(real.fields.is_empty() && !format!("{real:?}").contains("ZZ-B"), "{real:#?}");
    for other in [names.of_nobody(), names.of_nothing()] {
        let absent = Refusal::expect(ask(&other).await?)?;
        ensure!(absent == real, "an absent name is told from a foreign one:\n{absent:#?}\n{real:#?}");
    }
    Ok(())
}

#[test]
fn every_rpc_has_a_row_and_a_request() -> Result<()> {
    let names: Vec<String> = rpcs().iter().map(full_name).collect();
    for rpc in rpcs() {
        row(rpc)?;
    }
    for row in policy().rows() {
        ensure!(names.contains(&row.rpc), "policy.csv has a row for {}, which is no RPC", row.rpc);
    }
    for listed in EMPTY_FOR_STRANGERS.iter().chain(OPEN_TO_TENANTS) {
        ensure!(names.iter().any(|name| name == listed), "{listed} is listed as an exception and is no RPC");
    }
    Ok(())
}
