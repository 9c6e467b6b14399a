//! A power plan as a picture: stacked areas over time. Whole pixels throughout, and no library: what is drawn is
//! polygons, lines and words.

use std::fmt::Write as _;

use chrono::Datelike as _;
use kernel::{CivilDate, Instant};

use super::step::{PowerPlan, Step};
use crate::out::megawatts;

const WIDTH: i64 = 1000;
const HEIGHT: i64 = 560;
/// The plot's edges.
const LEFT: i64 = 84;
const RIGHT: i64 = WIDTH - 24;
const TOP: i64 = 112;
const BOTTOM: i64 = HEIGHT - 58;
/// About as wide as a letter of the legend is.
const LETTER: i64 = 8;

const HEADROOM: &str = "#eef3f7";
const INK: &str = "#1a1a1a";
const GREY: &str = "#5f6b76";

/// Time and power as places in the picture.
struct Scale {
    start: Instant,
    end: Instant,
    most_kw: i64,
}

impl Scale {
    fn x(&self, at: Instant) -> i64 {
        let (whole, part) = ((self.end - self.start).num_seconds().max(1), (at - self.start).num_seconds());
        LEFT + part.clamp(0, whole) * (RIGHT - LEFT) / whole
    }

    fn y(&self, kw: i64) -> i64 {
        let exact = i128::from(kw.max(0)) * i128::from(BOTTOM - TOP) / i128::from(self.most_kw.max(1));
        BOTTOM - i64::try_from(exact).unwrap_or(BOTTOM - TOP)
    }
}

/// Draws a plan.
pub(super) fn draw(plan: &PowerPlan) -> String {
    let (Some(first), Some(last)) = (plan.steps.first(), plan.steps.last()) else { return String::new() };
    let tick = tick(plan.most_kw());
    let ceiling = (plan.most_kw() + tick - 1) / tick * tick;
    let scale = Scale { start: first.start_time, end: last.end_time, most_kw: ceiling };
    let mut svg = String::new();
    head(&mut svg, plan);
    areas(&mut svg, plan, &scale);
    power_axis(&mut svg, &scale, tick);
    time_axis(&mut svg, plan, &scale);
    limit(&mut svg, plan, &scale);
    legend(&mut svg, plan);
    svg.push_str("</svg>\n");
    svg
}

/// The step between two lines of the power axis: 1, 2 or 5 times a power of ten, for at most seven lines.
fn tick(most_kw: i64) -> i64 {
    let mut ten = 1;
    loop {
        for tick in [ten, 2 * ten, 5 * ten] {
            if most_kw <= 6 * tick || tick > i64::MAX / 100 {
                return tick;
            }
        }
        ten *= 10;
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// A line of text.
fn words(svg: &mut String, (x, y): (i64, i64), attributes: &str, text: &str) {
    let _ = writeln!(svg, r#"<text x="{x}" y="{y}" {attributes}>{}</text>"#, escaped(text));
}

fn head(svg: &mut String, plan: &PowerPlan) {
    let title = format!("Power plan of {}", plan.display_name);
    let _ = writeln!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" \
         height=\"{HEIGHT}\" role=\"img\" font-family=\"Helvetica, Arial, 'DejaVu Sans', sans-serif\" font-size=\"14\">\n\
         <title>{}</title>\n\
         <desc>{}</desc>\n\
         <defs><pattern id=\"unknown\" width=\"8\" height=\"8\" patternUnits=\"userSpaceOnUse\" \
         patternTransform=\"rotate(45)\"><rect width=\"2\" height=\"8\" fill=\"#d9dee3\"/></pattern></defs>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>",
        escaped(&title),
        escaped(&super::bars::limits(plan)),
    );
    words(svg, (LEFT, 34), &format!(r#"font-size="22" font-weight="bold" fill="{INK}""#), &title);
    let as_of = plan.read_time.map(|at| format!(", as known on {}", plan.date(at))).unwrap_or_default();
    let about = format!("Gross power at the meter, MW; {}{as_of}", plan.site);
    words(svg, (LEFT, 56), &format!(r#"fill="{GREY}""#), &about);
}

/// The corners of what lies between two lines over some steps: there on one line, back on the other.
fn area(steps: &[Step], scale: &Scale, low: impl Fn(&Step) -> i64, high: impl Fn(&Step) -> i64) -> String {
    let mut there = Vec::new();
    let mut back = Vec::new();
    for step in steps {
        let (from, until) = (scale.x(step.start_time), scale.x(step.end_time));
        there.extend([(from, scale.y(high(step))), (until, scale.y(high(step)))]);
        back.extend([(from, scale.y(low(step))), (until, scale.y(low(step)))]);
    }
    let corners = there.into_iter().chain(back.into_iter().rev());
    corners.map(|(x, y)| format!("{x},{y}")).collect::<Vec<_>>().join(" ")
}

/// Steps of which the limit is known, or of which it is not, neighbours together.
fn spans(plan: &PowerPlan, known: bool) -> impl Iterator<Item = &[Step]> {
    plan.steps
        .chunk_by(|one, next| one.contracted_kw.is_some() == next.contracted_kw.is_some())
        .filter(move |span| span.iter().all(|step| step.contracted_kw.is_some() == known))
}

fn areas(svg: &mut String, plan: &PowerPlan, scale: &Scale) {
    let mut polygon = |fill: &str, points: String| {
        let _ = writeln!(svg, r#"<polygon fill="{fill}" points="{points}"/>"#);
    };
    for span in spans(plan, true) {
        polygon(HEADROOM, area(span, scale, Step::allocated_kw, |step| step.contracted_kw.unwrap_or(0)));
    }
    for span in spans(plan, false) {
        polygon("url(#unknown)", area(span, scale, Step::allocated_kw, |_| scale.most_kw));
    }
    for of in plan.uses() {
        let below = |step: &Step| -> i64 {
            let lower = super::step::USES.iter().take_while(|other| other.name != of.name);
            lower.map(|other| (other.kw)(step)).sum()
        };
        polygon(of.colour, area(&plan.steps, scale, below, |step| below(step) + (of.kw)(step)));
    }
}

fn power_axis(svg: &mut String, scale: &Scale, tick: i64) {
    let mut kw = 0;
    while kw <= scale.most_kw {
        let y = scale.y(kw);
        let _ = writeln!(
            svg,
            r##"<line x1="{LEFT}" y1="{y}" x2="{RIGHT}" y2="{y}" stroke="#000000" stroke-opacity="0.12"/>"##
        );
        words(svg, (LEFT - 10, y + 5), &format!(r#"text-anchor="end" fill="{GREY}""#), &megawatts(kw));
        kw += tick;
    }
}

/// The days that the time axis names: the first of every year, of every quarter where there are few years, and of no
/// more than twelve.
fn dates(first: CivilDate, last: CivilDate) -> Vec<(CivilDate, String)> {
    let quarters = last.year() - first.year() < 3;
    let months: &[u32] = if quarters { &[1, 4, 7, 10] } else { &[1] };
    let every = usize::try_from((last.year() - first.year()) / 12 + 1).unwrap_or(1);
    let named = |year: i32, month: u32| {
        let name = if quarters { format!("{year}-{month:02}") } else { year.to_string() };
        Some((CivilDate::from_ymd_opt(year, month, 1)?, name))
    };
    let years = (first.year()..=last.year()).step_by(if quarters { 1 } else { every });
    years
        .flat_map(|year| months.iter().filter_map(move |month| named(year, *month)))
        .filter(|(day, _)| first <= *day && *day <= last)
        .collect()
}

fn time_axis(svg: &mut String, plan: &PowerPlan, scale: &Scale) {
    for (day, name) in dates(plan.date(scale.start), plan.date(scale.end)) {
        let x = scale.x(plan.zone.start_of_day(day));
        let _ =
            writeln!(svg, r#"<line x1="{x}" y1="{BOTTOM}" x2="{x}" y2="{}" stroke="{GREY}"/>"#, BOTTOM + 6);
        words(svg, (x, BOTTOM + 24), &format!(r#"text-anchor="middle" fill="{GREY}""#), &name);
    }
    let _ = writeln!(svg, r#"<line x1="{LEFT}" y1="{BOTTOM}" x2="{RIGHT}" y2="{BOTTOM}" stroke="{INK}"/>"#);
    words(svg, (LEFT, HEIGHT - 12), &format!(r#"font-size="12" fill="{GREY}""#), &super::bars::limits(plan));
}

/// The line of the limit where it is known, and a word where it is not and there is room for one.
fn limit(svg: &mut String, plan: &PowerPlan, scale: &Scale) {
    for span in spans(plan, true) {
        let at = |step: &Step| {
            let y = scale.y(step.contracted_kw.unwrap_or(0));
            format!("{},{y} {},{y}", scale.x(step.start_time), scale.x(step.end_time))
        };
        let points: Vec<String> = span.iter().map(at).collect();
        let _ = writeln!(
            svg,
            r#"<polyline fill="none" stroke="{INK}" stroke-width="2" points="{}"/>"#,
            points.join(" ")
        );
    }
    for span in spans(plan, false) {
        let (Some(first), Some(last)) = (span.first(), span.last()) else { continue };
        let (from, until) = (scale.x(first.start_time), scale.x(last.end_time));
        let text = "grid limit unknown";
        if until - from > LETTER * 18 {
            words(
                svg,
                ((from + until) / 2, TOP + 18),
                &format!(r#"text-anchor="middle" fill="{GREY}""#),
                text,
            );
        }
    }
}

fn legend(svg: &mut String, plan: &PowerPlan) {
    let known = plan.steps.iter().any(|step| step.contracted_kw.is_some());
    let unknown = plan.steps.iter().any(|step| step.contracted_kw.is_none());
    let mut entries: Vec<(&str, &str)> = plan.uses().map(|of| (of.name, of.colour)).collect();
    entries.extend(known.then_some(("headroom", HEADROOM)));
    entries.extend(unknown.then_some(("limit unknown", "url(#unknown)")));
    let mut x = LEFT;
    for (name, fill) in entries {
        let _ = writeln!(
            svg,
            r##"<rect x="{x}" y="76" width="14" height="14" fill="{fill}" stroke="#00000033"/>"##
        );
        words(svg, (x + 20, 88), &format!(r#"fill="{INK}""#), name);
        x += 20 + LETTER * i64::try_from(name.len()).unwrap_or(0) + 16;
    }
    if known {
        let _ = writeln!(
            svg,
            r#"<line x1="{x}" y1="83" x2="{}" y2="83" stroke="{INK}" stroke-width="2"/>"#,
            x + 16
        );
        words(svg, (x + 22, 88), &format!(r#"fill="{INK}""#), "grid limit");
    }
}

#[cfg(test)]
mod tests {
    use super::super::step::tests::{mine, step};
    use super::*;

    #[test]
    fn a_mine_that_becomes_halls_is_a_picture() {
        let drawn = draw(&mine());
        crate::out::golden(concat!(env!("CARGO_MANIFEST_DIR"), "/src/plan/plan.golden.svg"), &drawn);
    }

    #[test]
    fn what_is_unknown_all_the_time_is_drawn_as_that() {
        let mut plan = mine();
        plan.steps = vec![step("2026-01-01", "2060-01-01", None, [1, 0, 0, 0, 0, 0])];
        let drawn = draw(&plan);
        assert!(drawn.contains("grid limit unknown") && drawn.contains("nobody can say"), "{drawn}");
        assert!(!drawn.contains("polyline") && !drawn.contains("headroom"), "{drawn}");
        assert!(drawn.contains("Rockdale &amp; Sons"));
    }

    #[test]
    fn axes_have_few_round_lines() {
        assert_eq!([1, 6, 7, 60_000, 100_000, 1_400_000].map(tick), [1, 1, 2, 10_000, 20_000, 500_000]);
        let day = |text: &str| text.parse::<CivilDate>().expect("a date");
        let names = |from, until| -> Vec<String> {
            dates(day(from), day(until)).into_iter().map(|(_, name)| name).collect()
        };
        assert_eq!(names("2026-10-01", "2027-05-01"), ["2026-10", "2027-01", "2027-04"]);
        assert_eq!(names("2026-10-01", "2031-10-01"), ["2027", "2028", "2029", "2030", "2031"]);
        assert!(names("2020-01-01", "2070-01-01").len() <= 12);
    }
}
