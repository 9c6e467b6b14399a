//! The site's limit: the gross power of all phases, through their interim use and their conversion, and the site's own
//! interim load stay within the contracted grid power at every instant it is known. It binds capacity, not bookings,
//! so that a booking needs only its blocks.

use kernel::{CivilDate, Error, Reason, SiteName};

use super::conversion::Stretch;
use super::phase::GridCheck;
use super::site::GridStep;

/// Gross power that a phase draws, or that is set aside for it, over civil dates in the site's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Draw {
    /// First day.
    pub from: CivilDate,
    /// First day after; none = for ever.
    pub until: Option<CivilDate>,
    /// Gross power, kW.
    pub gross_kw: i64,
}

impl From<Stretch> for Draw {
    fn from(stretch: Stretch) -> Self {
        Self { from: stretch.from, until: stretch.until, gross_kw: stretch.gross_kw }
    }
}

impl Draw {
    fn on(&self, date: CivilDate) -> i64 {
        let inside = self.from <= date && self.until.is_none_or(|until| date < until);
        if inside { self.gross_kw } else { 0 }
    }
}

/// Gross power of all draws on a day, kW.
pub fn drawn_on(draws: &[Draw], date: CivilDate) -> i64 {
    draws.iter().map(|draw| draw.on(date)).sum()
}

/// The contracted power on a day; none = unknown.
pub fn contracted_on(steps: &[GridStep], date: CivilDate) -> Option<i64> {
    step_on(steps, date).and_then(|step| step.contracted_kw)
}

/// The site's interim load outside any phase on a day, kW.
pub fn interim_on(steps: &[GridStep], date: CivilDate) -> i64 {
    step_on(steps, date).and_then(|step| step.interim_kw).unwrap_or(0)
}

fn step_on(steps: &[GridStep], date: CivilDate) -> Option<&GridStep> {
    steps.iter().rev().find(|step| step.from <= date)
}

/// Checks every day on which the sum or the limit changes.
///
/// # Errors
/// `SITE_POWER_EXCEEDED {site, contractedKw, neededKw, firstTime}`.
pub fn check(site: &SiteName, steps: &[GridStep], draws: &[Draw]) -> Result<GridCheck, Error> {
    // What changes, day by day: a limit may change without a draw.
    let mut changes: Vec<(CivilDate, i64)> = steps.iter().map(|step| (step.from, 0)).collect();
    for draw in draws.iter().filter(|draw| draw.until.is_none_or(|until| draw.from < until)) {
        changes.push((draw.from, draw.gross_kw));
        changes.extend(draw.until.map(|until| (until, -draw.gross_kw)));
    }
    changes.sort_unstable_by_key(|change| change.0);
    let (mut outcome, mut drawn) = (GridCheck::Within, 0);
    for of_day in changes.chunk_by(|a, b| a.0 == b.0) {
        let day = of_day[0].0;
        drawn += of_day.iter().map(|change| change.1).sum::<i64>();
        let needed = drawn + interim_on(steps, day);
        match contracted_on(steps, day) {
            Some(contracted) if needed > contracted => return Err(exceeded(site, contracted, needed, day)),
            None if needed > 0 => outcome = GridCheck::Unstated,
            Some(_) | None => {}
        }
    }
    Ok(outcome)
}

fn exceeded(site: &SiteName, contracted: i64, needed: i64, day: CivilDate) -> Error {
    Error::refused(
        Reason::SitePowerExceeded,
        format!(
            "{site} would draw {needed} kW on {day}, interim use included, more than the {contracted} kW contracted."
        ),
    )
    .with("site", site)
    .with("contractedKw", contracted)
    .with("neededKw", needed)
    .with("firstTime", day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn day(text: &str) -> CivilDate {
        text.parse().expect("a date")
    }

    fn site() -> SiteName {
        "operators/hut-8/sites/river-bend".parse().expect("a name")
    }

    fn step(from: &str, contracted_kw: Option<i64>) -> GridStep {
        GridStep { from: day(from), contracted_kw, energised_kw: None, interim_kw: None }
    }

    fn draw(from: &str, until: Option<&str>, gross_kw: i64) -> Draw {
        Draw { from: day(from), until: until.map(day), gross_kw }
    }

    #[test]
    fn the_sum_on_every_day_counts() {
        let steps = [step("2026-01-01", Some(330_000)), step("2030-01-01", Some(400_000))];
        let fits = [draw("2027-12-01", None, 330_000), draw("2030-01-01", None, 70_000)];
        assert_eq!(check(&site(), &steps, &fits).expect("fits"), GridCheck::Within);
        let early = [draw("2027-12-01", None, 330_000), draw("2029-12-31", None, 1)];
        let error = check(&site(), &steps, &early).expect_err("one kW too many for one day");
        assert_eq!(error.reason(), Reason::SitePowerExceeded);
        assert_eq!(error.get("contractedKw"), Some("330000"));
        assert_eq!(error.get("neededKw"), Some("330001"));
        assert_eq!(error.get("firstTime"), Some("2029-12-31"));
    }

    #[test]
    fn an_end_makes_room() {
        let steps = [step("2026-01-01", Some(10))];
        let draws = [draw("2026-01-01", Some("2027-01-01"), 10), draw("2027-01-01", None, 10)];
        assert_eq!(check(&site(), &steps, &draws).expect("one after the other"), GridCheck::Within);
    }

    #[test]
    fn unknown_is_neither_zero_nor_unlimited() {
        let draws = [draw("2026-01-01", None, 10)];
        assert_eq!(check(&site(), &[], &draws).expect("unknown"), GridCheck::Unstated);
        let later = [step("2027-01-01", Some(9))];
        check(&site(), &later, &draws).expect_err("known from 2027 on, and then too little");
    }

    proptest! {
        #[test]
        fn the_sum_is_that_of_every_draw_on_every_day(
            steps in prop::collection::btree_map(0..30_i64, (prop::option::of(0..60_i64), prop::option::of(0..9_i64)), 0..4),
            draws in prop::collection::vec((0..30_i64, prop::option::of(0..30_i64), 1..20_i64), 0..8),
        ) {
            let day = |offset: i64| day("2027-01-01") + chrono::TimeDelta::days(offset);
            let steps: Vec<GridStep> = steps
                .into_iter()
                .map(|(from, (contracted_kw, interim_kw))| {
                    GridStep { from: day(from), contracted_kw, energised_kw: None, interim_kw }
                })
                .collect();
            let draws: Vec<Draw> = draws
                .into_iter()
                .map(|(from, until, gross_kw)| Draw { from: day(from), until: until.map(day), gross_kw })
                .collect();
            let needed = |day| drawn_on(&draws, day) + interim_on(&steps, day);
            let exceeds = |day: &CivilDate| contracted_on(&steps, *day).is_some_and(|most| needed(*day) > most);
            let first = (0..31).map(day).find(exceeds);
            match check(&site(), &steps, &draws) {
                Ok(outcome) => {
                    prop_assert_eq!(first, None);
                    let unstated = (0..31).map(day).any(|day| contracted_on(&steps, day).is_none() && needed(day) > 0);
                    prop_assert_eq!(outcome == GridCheck::Unstated, unstated);
                }
                Err(error) => {
                    let first = first.expect("some day has too little");
                    let (day, kw) = (first.to_string(), needed(first).to_string());
                    let told = (error.get("firstTime"), error.get("neededKw"));
                    prop_assert_eq!(told, (Some(day.as_str()), Some(kw.as_str())));
                }
            }
        }
    }

    #[test]
    fn the_sites_own_interim_load_counts() {
        let mining = |from, kw| GridStep { interim_kw: Some(kw), ..step(from, Some(100)) };
        let steps = [mining("2026-01-01", 60), mining("2027-01-01", 40)];
        assert_eq!(check(&site(), &steps, &[draw("2027-01-01", None, 60)]).expect("fits"), GridCheck::Within);
        let early = [draw("2026-12-31", None, 60)];
        let error = check(&site(), &steps, &early).expect_err("one day too early");
        assert_eq!((error.get("neededKw"), error.get("firstTime")), (Some("120"), Some("2026-12-31")));
    }
}
