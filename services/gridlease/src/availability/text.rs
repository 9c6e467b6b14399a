//! Availability as tables, and as a line of blocks for each site.

use std::fmt::Write as _;

use anyhow::Context as _;
use kernel::{DateRange, Instant};

use super::{Availability, Lane, Of, Right, Step};
use crate::asking::{By, periods};
use crate::out::{megawatts, table};

/// Eighths of a line's height.
const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
/// More quarters than this make a line of years.
const QUARTERS_MAX: usize = 40;

/// Tells what was answered of a place and of the sites that lie in it.
pub(super) fn tell(whole: &Of, sites: &[Of], asked: &Availability) -> anyhow::Result<String> {
    let lane = asked.lane;
    let mut text = format!("{}: {}\n", whole.name, lane.unit());
    text.push_str(match asked.by {
        By::Step => "A row for every change.\n\n",
        By::Quarter => "A quarter shows the time at which least is free.\n\n",
        By::Year => "A year shows the time at which least is free.\n\n",
    });
    text.push_str(&steps(&rows(whole, asked.by)?, lane));
    let lines = if sites.is_empty() { std::slice::from_ref(whole) } else { sites };
    let _ = write!(text, "\n\n{}", sparklines(lines, lane)?);
    let _ = write!(text, "\n\n{}", rights(whole));
    Ok(text)
}

/// The rows of a table: every step, or of each period the step at which least is free.
fn rows(of: &Of, by: By) -> anyhow::Result<Vec<(String, Step)>> {
    let named = |step: &Step| (of.zone.date_of(step.start_time).to_string(), *step);
    match by {
        By::Step => Ok(of.steps.iter().map(named).collect()),
        By::Quarter | By::Year => least(of, by == By::Year),
    }
}

/// Of each quarter or year the step at which least is free.
fn least(of: &Of, years: bool) -> anyhow::Result<Vec<(String, Step)>> {
    let (first, last) = of.steps.first().zip(of.steps.last()).context("nothing was answered")?;
    let days = DateRange::new(of.zone.date_of(first.start_time), of.zone.date_of(last.end_time))?;
    let periods = periods(years, days);
    let starts: Vec<Instant> = periods.iter().map(|(day, _)| of.zone.start_of_day(*day)).collect();
    let ends = starts.iter().skip(1).copied().chain([last.end_time]);
    let row = |((_, name), (from, until)): ((_, String), (Instant, Instant))| {
        let within = of.steps.iter().filter(|step| step.start_time < until && from < step.end_time);
        Some((name, *within.min_by_key(|step| (step.free, step.capacity))?))
    };
    Ok(periods.into_iter().zip(starts.iter().copied().zip(ends)).filter_map(row).collect())
}

/// A column of the table, and whether it is shown where it is nothing but zeros.
type Column = (&'static str, fn(&Step) -> i64, bool);

static COLUMNS: [Column; 7] = [
    (">Capacity", |step| step.capacity, true),
    (">Leased", |step| step.leased, true),
    (">Optioned", |step| step.optioned, false),
    (">Held", |step| step.held, true),
    (">Own use", |step| step.own_use, false),
    (">Short", |step| step.short, false),
    (">Free", |step| step.free, true),
];

fn steps(rows: &[(String, Step)], lane: Lane) -> String {
    let shown: Vec<&Column> = COLUMNS
        .iter()
        .filter(|(_, of, always)| *always || rows.iter().any(|(_, step)| of(step) != 0))
        .collect();
    // Encumbrances are on critical IT load.
    let soft = lane == Lane::CriticalIt && rows.iter().any(|(_, step)| step.soft_kw.is_some_and(|kw| kw > 0));
    let mut headers = vec!["From"];
    headers.extend(shown.iter().map(|column| column.0));
    headers.extend(soft.then_some([">Under rights", ">Free of rights"]).into_iter().flatten());
    let mut table = table(&headers);
    for (name, step) in rows {
        let mut row = vec![name.clone()];
        row.extend(shown.iter().map(|column| lane.figure((column.1)(step))));
        if soft {
            let known = |kw: Option<i64>| kw.map_or_else(|| "?".to_owned(), megawatts);
            row.extend([known(step.soft_kw), known(step.free_unencumbered_kw)]);
        }
        table.add_row(row);
    }
    table.trim_fmt()
}

/// A line for each place: what is free of the most that it ever has.
fn sparklines(of: &[Of], lane: Lane) -> anyhow::Result<String> {
    let mut rows = table(&["Free over time", "", ">Least", ">Most", ">Capacity"]);
    let mut first_and_last = None;
    for one in of {
        let quarters = least(one, false)?;
        let periods = if quarters.len() > QUARTERS_MAX { least(one, true)? } else { quarters };
        let most = one.steps.iter().map(|step| step.capacity).max().unwrap_or(0);
        let free = one.steps.iter().map(|step| step.free);
        rows.add_row([
            one.name.rsplit('/').next().unwrap_or_default().to_owned(),
            periods.iter().map(|(_, step)| level(step, most)).collect(),
            lane.figure(free.clone().min().unwrap_or(0)),
            lane.figure(free.max().unwrap_or(0)),
            lane.figure(most),
        ]);
        first_and_last = periods.first().zip(periods.last()).map(|(a, b)| (a.0.clone(), b.0.clone()));
    }
    let (first, last) = first_and_last.unwrap_or_default();
    Ok(format!(
        "{}\n{first} to {last}; full height is the most capacity, · is nothing free, - nothing there.",
        rows.trim_fmt()
    ))
}

fn level(step: &Step, most: i64) -> char {
    match (step.capacity, step.free) {
        (0, _) => '-',
        (_, free) if free <= 0 => '·',
        (_, free) => {
            let eighths = (i128::from(free) * 8 + i128::from(most) - 1) / i128::from(most.max(1));
            LEVELS[usize::try_from(eighths - 1).unwrap_or(0).min(7)]
        }
    }
}

fn rights(of: &Of) -> String {
    if of.rights.is_empty() {
        return "No rights or intents of others lie on it.".to_owned();
    }
    let mut rows = table(&[">Rank", "Right", "Held by", ">IT MW", "Until", ">Days to answer", "Encumbrance"]);
    let told = |text: &str| if text.is_empty() { "another".to_owned() } else { text.to_owned() };
    for Right { rank, kind, tenant, quantity_kw, valid_until_time, response_days, encumbrance } in &of.rights
    {
        rows.add_row([
            rank.to_string(),
            kind.clone(),
            told(tenant.trim_start_matches("tenants/")),
            if tenant.is_empty() { "?".to_owned() } else { megawatts(*quantity_kw) },
            valid_until_time.map_or_else(|| "?".to_owned(), |at| of.zone.date_of(at).to_string()),
            response_days.to_string(),
            encumbrance.rsplit('/').next().unwrap_or_default().to_owned(),
        ]);
    }
    rows.trim_fmt()
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use kernel::Zone;

    use super::*;

    fn at(day: &str) -> Instant {
        Zone::UTC.start_of_day(day.parse().expect("a date"))
    }

    fn step(from: &str, until: &str, capacity: i64, leased: i64, held: i64) -> Step {
        Step {
            start_time: at(from),
            end_time: at(until),
            capacity,
            leased,
            optioned: 0,
            held,
            own_use: 0,
            free: capacity - leased - held,
            short: 0,
            soft_kw: Some(if capacity > 0 { 5_000 } else { 0 }),
            free_unencumbered_kw: Some((capacity - leased - held - 5_000).max(0)),
        }
    }

    fn rockdale() -> Of {
        let right = |rank, kind: &str, tenant: &str| Right {
            rank,
            kind: kind.to_owned(),
            tenant: tenant.to_owned(),
            quantity_kw: if tenant.is_empty() { 0 } else { 5_000 },
            valid_until_time: (!tenant.is_empty()).then(|| at("2027-06-30")),
            response_days: 10,
            encumbrance: if tenant.is_empty() {
                String::new()
            } else {
                "operators/north/encumbrances/one".to_owned()
            },
        };
        Of {
            name: "operators/north/sites/rockdale".to_owned(),
            zone: Zone::UTC,
            read_time: None,
            steps: vec![
                step("2026-10-01", "2027-01-01", 0, 0, 0),
                step("2027-01-01", "2027-02-01", 40_000, 30_000, 0),
                step("2027-02-01", "2027-02-15", 40_000, 30_000, 9_500),
                step("2027-02-15", "2028-01-01", 40_000, 30_000, 0),
                step("2028-01-01", "2028-10-01", 40_000, 40_000, 0),
            ],
            rights: vec![right(3, "ROFR", "tenants/acme"), right(6, "LOI", "")],
        }
    }

    fn asked(arguments: &[&str]) -> Availability {
        let all = ["gridlease", "availability", "north/rockdale"].iter().chain(arguments);
        match crate::cli::Cli::parse_from(all).command {
            crate::cli::Command::Availability(asked) => asked,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_quarter_shows_the_time_at_which_least_is_free() {
        let told = tell(&rockdale(), &[], &asked(&[])).expect("a text");
        crate::out::golden(
            concat!(env!("CARGO_MANIFEST_DIR"), "/src/availability/availability.golden.txt"),
            &told,
        );
        assert!(told.lines().all(|line| line.chars().count() <= 100), "{told}");
    }

    #[test]
    fn steps_are_told_on_request_and_every_site_has_its_line() {
        let sites = [rockdale(), Of { name: "operators/north/sites/odessa".to_owned(), ..rockdale() }];
        let told = tell(&rockdale(), &sites, &asked(&["--by", "step"])).expect("a text");
        for line in ["2027-02-01", "2027-02-15", "rockdale", "odessa"] {
            assert!(told.contains(line), "{line}:\n{told}");
        }
        let told = tell(&rockdale(), &[], &asked(&["--lane", "accelerators"])).expect("a text");
        assert!(told.contains("40,000") && !told.contains("Under rights"), "{told}");
    }

    #[test]
    fn a_line_is_as_high_as_what_is_free() {
        let of = |free: i64| level(&step("2027-01-01", "2027-02-01", 80, 80 - free, 0), 80);
        assert_eq!([0, 1, 10, 11, 79, 80].map(of), ['·', '▁', '▁', '▂', '█', '█']);
        assert_eq!(level(&step("2027-01-01", "2027-02-01", 0, 0, 0), 80), '-');
    }
}
