//! What must come out, by the rules of `data/README.md`; the exit code says whether it did.

use super::findings::{Check, Findings};
use crate::market::{Deal, Kind, Market, NotBooked};
use crate::out::{dollars, grouped, megawatts};

/// Rows of the source: booked, capacity only, not booked, and all of them.
const MW: [(&str, i64); 4] = [
    ("IT MW booked by priced leases", 3_282_000),
    ("IT MW of capacity only", 413_000),
    ("IT MW not booked", 2_433_000),
    ("IT MW of all rows but aggregates and the amendment", 6_128_000),
];
const LEASES: usize = 19;
const INVOICES: usize = 7;
const DECEMBER_CENTS: i64 = 11_390_730_289;
const CORE42_CENTS: i64 = 103_174_913_808;
const RIVER_BEND_RATE: &str = "128.0156677674";

fn check(what: impl Into<String>, expected: impl Into<String>, found: impl Into<String>) -> Check {
    let (what, expected, found) = (what.into(), expected.into(), found.into());
    let held = expected == found;
    Check { what, expected, found, held }
}

/// A check whose outcome is a yes or no, with what was seen.
fn holds(
    what: impl Into<String>,
    expected: impl Into<String>,
    found: impl Into<String>,
    held: bool,
) -> Check {
    Check { what: what.into(), expected: expected.into(), found: found.into(), held }
}

/// Every check on what was found.
pub(super) fn all(market: &Market, found: &Findings) -> Vec<Check> {
    let mut checks = sums(market, found);
    checks.extend(operators(market, found));
    checks.extend(money(found));
    checks.extend(refusals(found));
    checks.extend(sites(market, found));
    checks
}

/// Every power plan adds up at every step, and whatever is answered otherwise than the file has it has its reason.
fn sites(market: &Market, found: &Findings) -> Vec<Check> {
    let plans = &found.site_figures;
    let faults: Vec<String> = plans
        .iter()
        .filter_map(|own| own.fault.as_ref().map(|fault| format!("{} {fault}", own.site)))
        .collect();
    let steps: usize = plans.iter().map(|own| own.plan_steps).sum();
    let seen = if faults.is_empty() {
        format!("{} sites, {} steps", plans.len(), grouped_count(steps))
    } else {
        faults.join(", ")
    };
    let held = faults.is_empty() && plans.len() == market.sites.len() && steps >= plans.len();
    let expected = format!("{} sites", market.sites.len());
    let mut checks = vec![holds("power plans that add up at every step", expected, seen, held)];
    let odd: Vec<&str> =
        found.differences.iter().filter(|own| own.why.is_empty()).map(|own| own.site.as_str()).collect();
    checks.push(check("figures other than in sites.csv, without a reason", "none", none_or(&odd)));
    let there = |why: &crate::market::Difference| {
        found.differences.iter().any(|own| own.site == why.site_id.as_str() && own.column == why.column)
    };
    let stale: Vec<&str> =
        market.differences.iter().filter(|why| !there(why)).map(|why| why.site_id.as_str()).collect();
    checks.push(check("reasons for a difference that there is not", "none", none_or(&stale)));
    let mined: Vec<&str> = plans
        .iter()
        .filter(|own| own.contracted_kw.is_some_and(|contracted| own.mined_kw > contracted))
        .map(|own| own.site.as_str())
        .collect();
    checks.push(check("sites that mine more than is contracted", "none", none_or(&mined)));
    checks
}

fn sums(market: &Market, found: &Findings) -> Vec<Check> {
    let booked: i64 = found.leases.iter().map(|lease| lease.critical_it_kw).sum();
    let capacity: i64 = found.capacity_only.iter().map(|own| own.critical_it_kw).sum();
    let left: i64 = market.not_booked.iter().map(NotBooked::counted_kw).sum();
    let sums = [booked, capacity, left, booked + capacity + left];
    let mut checks: Vec<Check> = MW
        .into_iter()
        .zip(sums)
        .map(|((what, expected), found)| check(what, megawatts(expected), megawatts(found)))
        .collect();
    checks.push(check("priced leases in force", grouped_count(LEASES), grouped_count(found.leases.len())));
    let rows = found.leases.len() + found.capacity_only.len() + found.not_booked.len();
    checks.push(check("rows booked or listed with a reason", "43", grouped_count(rows)));
    checks
}

fn grouped_count(count: usize) -> String {
    grouped(i64::try_from(count).unwrap_or(i64::MAX))
}

fn operators(market: &Market, found: &Findings) -> Vec<Check> {
    let mut checks = Vec::new();
    for operator in &found.operators {
        let planned: i64 = market
            .deals_of(Kind::Lease)
            .filter(|deal| deal.operator.as_str() == operator.operator)
            .map(Deal::critical_it_kw)
            .sum();
        let what = format!("{}: IT MW in the rows, leasing, inventory", operator.name);
        let seen = [operator.contracted_kw, operator.leased_in_inventory_kw];
        let held = seen == [planned; 2];
        checks.push(holds(what, megawatts(planned), seen.map(megawatts).join(", "), held));
    }
    checks
}

fn money(found: &Findings) -> Vec<Check> {
    let lease = |deal: &str| found.leases.iter().find(|lease| lease.deal == deal);
    let mut checks = Vec::new();
    let loose: Vec<&str> =
        found.leases.iter().filter(|lease| !lease.ties()).map(|lease| lease.deal.as_str()).collect();
    let seen = if loose.is_empty() { "all".to_owned() } else { format!("not {}", loose.join(", ")) };
    checks.push(check("schedules tie within half a cent per rent line", "all", seen));
    let core42 = lease("WULF-C42").map_or(0, |lease| lease.schedule_cents);
    checks.push(check("TeraWulf-Core42, ten-year rent", dollars(CORE42_CENTS), dollars(core42)));
    let rate = lease("HUT-FS-RB").map_or("none", |lease| lease.rate_per_kw_month.as_str());
    checks.push(check("River Bend, year 1, $/kW-month", RIVER_BEND_RATE, rate));
    let december: i64 = found.invoices.iter().map(|invoice| invoice.total_cents).sum();
    checks.push(check("rent invoiced for December 2026", dollars(DECEMBER_CENTS), dollars(december)));
    checks.push(check("its invoices", grouped_count(INVOICES), grouped_count(found.invoices.len())));
    checks.push(numbers(found));
    let debit: i64 = found.books.iter().map(|books| books.debit_cents).sum();
    let credit: i64 = found.books.iter().map(|books| books.credit_cents).sum();
    let each = found.books.iter().all(|books| books.debit_cents == books.credit_cents);
    checks.push(holds(
        "debits, credits: each what was invoiced, in all books",
        dollars(december),
        format!("{}, {}", dollars(debit), dollars(credit)),
        each && debit == december && credit == december,
    ));
    let preview = &found.preview;
    let whole = lease(&preview.deal).map_or(0, |lease| lease.schedule_cents);
    checks.push(check(
        format!("{}: invoiced + billing's preview of {} months", preview.deal, preview.invoices),
        dollars(whole),
        dollars(preview.invoiced_cents + preview.to_come_cents),
    ));
    checks
}

/// Issued invoices are numbered without gaps: per operator, as many numbers as invoices, each another.
fn numbers(found: &Findings) -> Check {
    let mut seen: Vec<(&str, &str)> =
        found.invoices.iter().map(|invoice| (invoice.operator.as_str(), invoice.number.as_str())).collect();
    seen.sort_unstable();
    let all = seen.len();
    seen.dedup();
    let issued = found.invoices.iter().all(|invoice| invoice.state == "OPEN" && !invoice.number.is_empty());
    holds(
        "every invoice issued, with a number of its own",
        grouped_count(all),
        grouped_count(seen.len()),
        issued && seen.len() == all,
    )
}

fn refusals(found: &Findings) -> Vec<Check> {
    let mut checks = Vec::new();
    let full = &found.full;
    checks.push(check("one more MW at River Bend", "CAPACITY_EXHAUSTED", full.reason.clone()));
    let figures = (full.figure("availableKw"), full.figure("shortKw"));
    let seen = format!("{:?} kW free, {:?} kW short", figures.0.unwrap_or(-1), figures.1.unwrap_or(-1));
    checks.push(check("its figures", "0 kW free, 1000 kW short", seen));
    let grid = &found.over_grid;
    checks.push(check("WYFI-CBRS-5 on a 5 MW connection", "SITE_POWER_EXCEEDED", grid.reason.clone()));
    let figures = (grid.figure("neededKw"), grid.figure("contractedKw"));
    let seen = format!("{} of {} kW", figures.0.unwrap_or(-1), figures.1.unwrap_or(-1));
    checks.push(check("its figures", "7143 of 5000 kW", seen));
    let over: Vec<&str> = found
        .grid
        .iter()
        .filter(|site| site.contracted_kw.is_some_and(|limit| site.gross_kw > limit))
        .map(|site| site.site.as_str())
        .collect();
    checks.push(check("sites over their grid connection", "none", none_or(&over)));
    let free = grouped_count(found.search.free.len());
    checks.push(check("40 MW in ERCOT from 2027: free and dated", "0", free));
    let sites = found.search.convertible.len();
    let leased_out = found.search.convertible.iter().any(|own| own.site.ends_with("/crusoe-abilene"));
    checks.push(check("Abilene, wholly leased, is not convertible", "true", (!leased_out).to_string()));
    checks.push(holds("the same: convertible, date assumed", "some", grouped_count(sites), sites > 0));
    checks
}

fn none_or(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}
