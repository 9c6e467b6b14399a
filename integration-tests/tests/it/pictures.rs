//! What people see of capacity at a terminal: the power plan of a site and what is free of it, as the commands print
//! them.

use anyhow::{Context as _, Result, ensure};
use contracts::inventory::v1 as inventory;
use gridlease::asking::{By, Days, Server};
use gridlease::availability::{self, Availability, Lane};
use gridlease::plan::{self, Plan};
use integration_tests::market::{self, READY, day, request_id};
use integration_tests::{TestStack, market::Site};
use kernel::Role;

/// Halls of 10 and 20 MW, 4 MW of them held, a letter of intent on 5 more.
async fn prepare() -> Result<(TestStack, Site)> {
    let stack = TestStack::start().await?;
    let clients = |organisation: &str, role| stack.clients(organisation, role);
    let site = market::site(clients, "north", &[market::hall(10_000), market::hall(20_000)]).await?;
    market::tenant(clients, "acme").await?;
    let sales = stack.clients(&site.operator, Role::Sales)?;
    let hold = market::hold(&site.operator, &site.blocks[0], "tenants/acme", market::load(4_000));
    sales.reservations().place_hold(hold).await?;
    let until = kernel::Zone::UTC.start_of_day(day("2028-01-01"));
    let intent = inventory::Encumbrance {
        place: site.site.clone(),
        kind: inventory::EncumbranceKind::Loi.into(),
        tenant: "tenants/acme".to_owned(),
        quantity_kw: 5_000,
        valid_until_time: Some(runtime::wire::to_timestamp(until)),
        ..Default::default()
    };
    let place = inventory::PlaceEncumbranceRequest {
        parent: site.operator.clone(),
        encumbrance: Some(intent),
        request_id: request_id(),
        validate_only: false,
    };
    sales.encumbrances().place_encumbrance(place).await?;
    Ok((stack, site))
}

/// As somebody whose token is given, not minted.
fn server(stack: &TestStack, organisation: &str, role: Role) -> Result<Server> {
    Ok(Server {
        inventory: format!("http://{}", stack.stack().addresses().inventory),
        token: Some(stack.token(organisation, role)?),
        organisation: None,
        data_dir: None,
    })
}

fn days() -> Days {
    Days { from: Some(day("2026-10-01")), until: Some(day("2027-07-01")) }
}

#[tokio::test]
async fn a_site_team_draws_its_power_plan() -> Result<()> {
    let (stack, site) = prepare().await?;
    let folder = tempfile::tempdir()?;
    let picture = folder.path().join("plan.svg");
    let asked = Plan {
        site: "north/rockdale".parse().map_err(anyhow::Error::msg)?,
        days: days(),
        by: None,
        svg: Some(picture.clone()),
        json: false,
        server: server(&stack, &site.operator, Role::SiteOps)?,
    };
    let drawn = plan::drawn(&asked).await?;
    // 30 MW of load need 42.858 MW; 4 of them are held.
    for part in ["2026 Q4", "2027 Q2", "▓ reserved", "░ free", "42.858 / 10,000", "5.714", "37.144"] {
        ensure!(drawn.contains(part), "{part} is missing:\n{drawn}");
    }
    let svg = std::fs::read_to_string(&picture)?;
    ensure!(svg.starts_with("<svg") && svg.contains("Power plan of Rockdale"), "{svg}");
    let json: serde_json::Value =
        serde_json::from_str(&plan::drawn(&Plan { json: true, ..asked.clone() }).await?)?;
    let sum = |step: &serde_json::Value| -> i64 {
        ["leased", "reserved", "free", "derated", "converting", "interim", "headroom"]
            .iter()
            .filter_map(|part| step[format!("{part}_kw")].as_i64())
            .sum()
    };
    let steps = json["steps"].as_array().context("steps")?;
    ensure!(steps.len() == 2 && steps.iter().all(|step| sum(step) == 10_000_000), "{json:#}");

    let refused =
        plan::drawn(&Plan { site: "north".parse().map_err(anyhow::Error::msg)?, ..asked.clone() }).await;
    ensure!(refused.is_err_and(|error| error.to_string().contains("no site")));
    let tenant = Plan { server: server(&stack, "tenants/acme", Role::Tenant)?, ..asked };
    let status = plan::drawn(&tenant).await.err().context("a tenant saw a power plan")?;
    let status = status.downcast::<tonic::Status>()?;
    ensure!(status.code() == tonic::Code::PermissionDenied, "{status}");
    stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn what_is_free_is_told_by_quarter_and_drawn_for_each_site() -> Result<()> {
    let (stack, site) = prepare().await?;
    let asked = |name: &str, by| -> Result<Availability> {
        Ok(Availability {
            name: Some(name.parse().map_err(anyhow::Error::msg)?),
            grid_iso: None,
            country: None,
            days: days(),
            by,
            lane: Lane::CriticalIt,
            json: false,
            server: server(&stack, &site.operator, Role::Sales)?,
        })
    };
    for name in ["north", "north/rockdale", &site.blocks[0]] {
        let told = availability::told(&asked(name, By::Quarter)?).await?;
        let of_hall = name == site.blocks[0];
        for part in ["2026 Q4", "2027 Q1", "Free over time", "LOI", "acme", if of_hall { "6" } else { "26" }]
        {
            ensure!(told.contains(part), "{name}: {part} is missing:\n{told}");
        }
    }
    // A region, by a tenant: what is published, one line a site, and nothing of others.
    let region = Availability {
        name: None,
        grid_iso: Some("ERCOT".to_owned()),
        server: server(&stack, "tenants/acme", Role::Tenant)?,
        ..asked("north", By::Step)?
    };
    let told = availability::told(&region).await?;
    for part in ["ERCOT: MW of critical IT load", READY, "rockdale"] {
        ensure!(told.contains(part), "{part} is missing:\n{told}");
    }
    let json: serde_json::Value =
        serde_json::from_str(&availability::told(&Availability { json: true, ..region }).await?)?;
    ensure!(json["sites"][0]["steps"][1]["free"] == 26_000, "{json:#}");
    stack.stop().await;
    Ok(())
}
