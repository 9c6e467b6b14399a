//! `gridlease demo`: a real market loaded, booked, billed and checked, over the wire, by the people who would do it.

mod ask;
mod bill;
mod book;
pub mod calling;
mod checks;
mod figures;
mod findings;
mod load;
mod progress;
#[cfg(test)]
mod sample;
mod site_table;
mod staff;
mod sums;
mod tables;
mod wire;

use std::net::TcpListener;
use std::process::ExitCode;

use anyhow::{Context as _, ensure};
use kernel::{CivilDate, Organisation, Role, Zone};

use crate::cli::{Demo, Ports};
use crate::commands::refuse_production;
use crate::market::{Deal, Market};
use crate::out;
use crate::stack::{Home, Options, Stack, asked_to_end, unless_ended};

pub use findings::{Check, Findings};
use staff::Staff;

/// The demonstration's business dates: the first day of its billing month, and a day past its last commencement.
const OPENING: (i32, u32, u32) = (2026, 12, 1);
const COMMENCED: (i32, u32, u32) = (2026, 12, 16);

fn day((year, month, of_month): (i32, u32, u32)) -> CivilDate {
    CivilDate::from_ymd_opt(year, month, of_month).unwrap_or_default()
}

/// Runs the demonstration; the exit code says whether every check held.
///
/// # Errors
/// Whatever keeps it from running to its end.
pub async fn demo(arguments: Demo) -> anyhow::Result<ExitCode> {
    refuse_production("`gridlease demo`")?;
    let market = Market::load()?;
    if let Some(slug) = &arguments.operator {
        let known = market.lessors().iter().any(|operator| operator.id.as_str() == slug);
        ensure!(known, "--operator {slug}: no such operator with a lease");
    }
    let options = Options {
        database_url: arguments.database.database_url.clone(),
        home: Home::thrown_away("demo", arguments.database.database_url.is_none())?,
        ports: arguments.ports.unwrap_or_else(usual_or_free),
        test_clock: Some(Zone::UTC.start_of_day(day(OPENING))),
        inventory_only: false,
    };
    out::note("starting Postgres and three services");
    let Some(stack) = unless_ended(Stack::start(options)).await? else { return Ok(ExitCode::FAILURE) };
    let ended = shown(&arguments, &market, &stack).await;
    stack.stop().await;
    ended
}

/// The usual ports, or free ones where something listens already.
fn usual_or_free() -> Ports {
    let Ports { inventory, leasing, billing } = Ports::USUAL;
    let free =
        [inventory, leasing, billing].iter().all(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok());
    if free { Ports::USUAL } else { Ports::FREE }
}

async fn shown(arguments: &Demo, market: &Market, stack: &Stack) -> anyhow::Result<ExitCode> {
    let staff = Staff::new(stack.issuer().clone(), stack.channels()?);
    let Some(found) = unless_ended(found(market, &staff)).await? else {
        out::note("ended before it was done");
        return Ok(ExitCode::FAILURE);
    };
    if arguments.json {
        out::say(serde_json::to_string_pretty(&found)?);
    } else {
        print(&found, arguments.operator.as_deref());
    }
    let held = found.checks.iter().all(|check| check.held);
    if !arguments.exit {
        how_to_call(arguments, market, stack, &staff)?;
        asked_to_end().await?;
        out::note("ending");
    }
    Ok(if held { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Does everything, in the order of a real opening: load, book, ask, let time pass, bill, check.
async fn found(market: &Market, staff: &Staff) -> anyhow::Result<Findings> {
    let opening = day(OPENING);
    load::sites(market, staff).await?;
    let phases = load::phases(market, staff, opening).await?;
    let leases = book::leases(market, staff).await?;
    let capacity_only = book::capacity_only(market, staff).await?;
    let operators = sums::operators(market, staff, &leases).await?;
    let search = ask::search(market, staff).await?;
    let riot = market.operators.iter().find(|operator| operator.id.as_str() == "riot-platforms");
    let own_search = ask::own_search(riot.context("no Riot Platforms")?, staff).await?;
    let full = ask::one_more(market, deal(market, "HUT-FS-RB")?, staff).await?;
    let (line, status) = phases.refused.first().context("WYFI-CBRS-5 was not refused")?;
    let asked =
        format!("{}: a phase of {} kW of IT load at {}", line.deal_id, line.critical_it_kw, line.site_id);
    let over_grid = ask::refusal(asked, status);

    // The site furthest west has passed the day too by noon.
    let noon = Zone::UTC.start_of_day(day(COMMENCED)) + chrono::TimeDelta::hours(12);
    let today = Zone::UTC.date_of(bill::advance(noon, staff).await?);
    bill::commenced(market, staff, today).await?;
    let invoices = bill::month(market, staff, today).await?;
    let books = bill::books(&invoices, staff).await?;
    let preview = bill::preview(deal(market, "WULF-C42")?, staff, &invoices).await?;
    let site_figures = figures::sites(market, staff, today).await?;
    let mut found = Findings {
        business_date: today,
        sites: market.sites.len(),
        bands: sums::bands(market)?,
        grid: sums::grid(market, &phases),
        differences: figures::differences(market, &site_figures),
        site_figures,
        assumptions: sums::assumptions(market),
        not_booked: sums::not_booked(market),
        leases,
        capacity_only,
        operators,
        search,
        own_search,
        full,
        over_grid,
        invoices,
        books,
        preview,
        checks: Vec::new(),
    };
    found.checks = checks::all(market, &found);
    Ok(found)
}

fn deal<'a>(market: &'a Market, id: &str) -> anyhow::Result<&'a Deal> {
    market.deals.iter().find(|deal| deal.id == id).with_context(|| format!("no deal {id}"))
}

fn print(found: &Findings, only: Option<&str>) {
    let chapter = |title: &str| out::say(format!("\n== {title}"));
    chapter("Leases by operator");
    for operator in found.operators.iter().filter(|own| only.is_none_or(|only| only == own.operator)) {
        out::say(format!("\n{}", tables::leases(operator, &found.leases)));
    }
    chapter("Operators");
    out::say(tables::operators(found));
    chapter("Schedules beside published values");
    out::say(tables::ties(found));
    chapter("Capacity without a price, and the grid");
    out::say(tables::capacity(found));
    chapter("Megawatts of all sites: what is answered, and what sites.csv says");
    out::say(site_table::figures(found));
    chapter("What can be offered");
    out::say(tables::search(found));
    chapter("One more megawatt where the hall is full");
    out::say(tables::refusal(&found.full));
    chapter("More than the grid connection carries");
    out::say(tables::refusal(&found.over_grid));
    chapter("Rent invoices of December 2026");
    out::say(tables::invoices(found));
    chapter("What the bookings assume");
    out::say(tables::assumptions(found));
    chapter("Rows not booked, and why");
    out::say(tables::not_booked(found));
    chapter("Checks");
    out::say(tables::checks(found));
    let failed = found.checks.iter().filter(|check| !check.held).count();
    out::say(match failed {
        0 => format!("\nAll {} checks held.", found.checks.len()),
        _ => format!("\n{failed} of {} checks FAILED.", found.checks.len()),
    });
}

fn how_to_call(arguments: &Demo, market: &Market, stack: &Stack, staff: &Staff) -> anyhow::Result<()> {
    let say = |line: String| if arguments.json { out::note(line) } else { out::say(line) };
    let at = stack.addresses();
    let tenant = &deal(market, "WULF-ANT-401")?.tenant;
    let operator = &deal(market, "HUT-FS-RB")?.operator;
    say(format!("\n== Call it yourself\n{}", calling::addresses(at)));
    say(format!("\nA token of a tenant, tenants/{tenant}:"));
    say(format!("export TOKEN={}", staff.token(&Organisation::Tenant(tenant.clone()), Role::Tenant)?));
    say(format!("\nOne of an operator's sales, operators/{operator}:"));
    say(format!("export SALES={}", staff.token(&Organisation::Operator(operator.clone()), Role::Sales)?));
    say(format!("\n{}", calling::grpcurl(at.inventory)));
    say(format!("\n{}", calling::python(at.inventory)));
    say("\nCtrl-C ends it; its data goes with it.".to_owned());
    Ok(())
}
