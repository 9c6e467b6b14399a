//! A power plan as stacked bars of text.

use std::fmt::Write as _;

use kernel::DateRange;

use super::step::{PowerPlan, Step};
use crate::asking::{By, periods};
use crate::out::{megawatts, table};

/// Columns of the longest bar; with the period before it and the figures after it a line has 100.
const BAR: u8 = 66;
/// More quarters than this are drawn as years, where nobody says which.
const QUARTERS_MAX: usize = 24;

/// Draws a plan: a bar a period, what the bars mean, and every change as figures.
pub(super) fn draw(plan: &PowerPlan, by: Option<By>) -> String {
    let mut text = format!("{}, {}\n", plan.display_name, plan.site);
    text.push_str("Gross power at the meter in MW; a bar shows the first day of its period");
    let most = plan.most_kw();
    let _ = writeln!(text, ", the widest {} MW.\n", megawatts(most));
    for (label, step) in rows(plan, by) {
        let limit = step.contracted_kw.map_or_else(|| "unknown".to_owned(), megawatts);
        let used = megawatts(step.allocated_kw());
        let line =
            format!("{label:<11}{:<width$} {used} / {limit}", bar(step, most), width = usize::from(BAR) + 1);
        let _ = writeln!(text, "{}", line.trim_end());
    }
    let _ = write!(text, "\n{}\n\n{}\n\n{}", legend(plan), limits(plan), figures(plan));
    text
}

/// The bars: what each is called, and the step it shows.
fn rows(plan: &PowerPlan, by: Option<By>) -> Vec<(String, &Step)> {
    let (Some(first), Some(last)) = (plan.steps.first(), plan.steps.last()) else { return Vec::new() };
    if by == Some(By::Step) {
        return plan.steps.iter().map(|step| (plan.date(step.start_time).to_string(), step)).collect();
    }
    let Ok(days) = DateRange::new(plan.date(first.start_time), plan.date(last.end_time)) else {
        return Vec::new();
    };
    let years = match by {
        Some(by) => by == By::Year,
        None => periods(false, days).len() > QUARTERS_MAX,
    };
    let step = |(day, name)| Some((name, plan.at(plan.zone.start_of_day(day))?));
    periods(years, days).into_iter().filter_map(step).collect()
}

/// `kw` of `most` in columns, rounded to the nearest.
fn columns(kw: i64, most: i64) -> usize {
    let exact = (i128::from(kw) * 2 * i128::from(BAR) + i128::from(most)) / (2 * i128::from(most.max(1)));
    usize::try_from(exact).unwrap_or(0).min(usize::from(BAR))
}

fn bar(step: &Step, most: i64) -> String {
    let mut bar = String::new();
    let mut below = 0;
    // Sums are rounded, not parts, so that the bar is as long as its sum.
    for of in &super::step::USES {
        let from = columns(below, most);
        below += (of.kw)(step);
        bar.extend(std::iter::repeat_n(of.glyph, columns(below, most).saturating_sub(from)));
    }
    if let Some(contracted) = step.contracted_kw {
        let (filled, limit) = (columns(below, most), columns(contracted, most));
        bar.extend(std::iter::repeat_n('·', limit.saturating_sub(filled)));
        bar.push('|');
    }
    bar
}

fn legend(plan: &PowerPlan) -> String {
    let mut parts: Vec<String> = plan.uses().map(|of| format!("{} {}", of.glyph, of.name)).collect();
    if plan.steps.iter().any(|step| step.contracted_kw.is_some()) {
        parts.extend(["· headroom".to_owned(), "| grid limit".to_owned()]);
    }
    parts.join("   ")
}

/// What is known of the grid limit, said plainly.
pub(super) fn limits(plan: &PowerPlan) -> String {
    let unknown = plan.unknown();
    if plan.steps.iter().all(|step| step.contracted_kw.is_none()) {
        return "The grid limit is unknown all the time: whether this fits, and what is left, nobody can say."
            .to_owned();
    }
    let spans: Vec<String> = unknown
        .iter()
        .map(|(from, until)| format!("from {} to {}", plan.date(*from), plan.date(*until)))
        .collect();
    match spans.len() {
        0 => "The grid limit is known all the time; the parts add up to it.".to_owned(),
        _ => format!("The grid limit is unknown {}; elsewhere the parts add up to it.", spans.join(" and ")),
    }
}

/// Every change, in figures.
fn figures(plan: &PowerPlan) -> String {
    let uses: Vec<_> = plan.uses().collect();
    let mut headers = vec!["From".to_owned(), ">Grid limit".to_owned()];
    headers.extend(uses.iter().map(|of| format!(">{}{}", of.name[..1].to_uppercase(), &of.name[1..])));
    headers.push(">Headroom".to_owned());
    let mut rows = table(&headers.iter().map(String::as_str).collect::<Vec<_>>());
    let known = |kw: Option<i64>| kw.map_or_else(|| "unknown".to_owned(), megawatts);
    for step in &plan.steps {
        let mut row = vec![plan.date(step.start_time).to_string(), known(step.contracted_kw)];
        row.extend(uses.iter().map(|of| megawatts((of.kw)(step))));
        row.push(known(step.headroom_kw));
        rows.add_row(row);
    }
    rows.trim_fmt()
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::{mine, step};
    use super::*;
    use crate::out::golden;

    #[test]
    fn a_mine_that_becomes_halls_is_drawn_by_quarter() {
        let drawn = draw(&mine(), None);
        golden(concat!(env!("CARGO_MANIFEST_DIR"), "/src/plan/plan.golden.txt"), &drawn);
        assert!(drawn.lines().all(|line| line.chars().count() <= 100), "{drawn}");
    }

    #[test]
    fn long_plans_are_drawn_by_year_and_steps_on_request() {
        let mut plan = mine();
        plan.steps.push(step("2029-01-01", "2040-01-01", None, [0, 0, 0, 0, 0, 1]));
        let drawn = draw(&plan, None);
        assert!(drawn.contains("\n2026       ") && drawn.contains("\n2039       "), "{drawn}");
        assert!(drawn.contains("unknown from 2026-10-01 to 2027-01-01 and from 2029-01-01 to 2040-01-01"));
        let drawn = draw(&plan, Some(By::Step));
        assert!(drawn.contains("\n2027-09-15 ███"), "{drawn}");
        plan.steps.truncate(1);
        let drawn = draw(&plan, None);
        assert!(drawn.contains("60 / unknown") && drawn.contains("nobody can say"), "{drawn}");
    }

    #[test]
    fn a_bar_is_as_long_as_its_sum() {
        let thirds = step("2027-01-01", "2028-01-01", Some(3), [1, 1, 1, 0, 0, 0]);
        assert_eq!(bar(&thirds, 3).chars().count(), usize::from(BAR) + 1);
        let nothing = step("2027-01-01", "2028-01-01", None, [0; 6]);
        assert_eq!(bar(&nothing, 1), "");
    }
}
