//! A site's power plan as it was answered, and whether it adds up.

use anyhow::Context as _;
use contracts::inventory::v1 as inventory;
use kernel::{CivilDate, Instant, Violations, Zone};
use runtime::wire::instant;
use serde::Serialize;

/// Where a site's gross power goes over a stretch of time, in gross kW at the meter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Step {
    /// First instant.
    pub start_time: Instant,
    /// First instant after.
    pub end_time: Instant,
    /// What the utility has contracted to deliver; `None`: unknown.
    pub contracted_kw: Option<i64>,
    /// In service and leased.
    pub leased_kw: i64,
    /// In service and held, optioned or in own use.
    pub reserved_kw: i64,
    /// In service and free.
    pub free_kw: i64,
    /// In service and taken away by maintenance or derates.
    pub derated_kw: i64,
    /// Dark.
    pub converting_kw: i64,
    /// Mined or hosted.
    pub interim_kw: i64,
    /// Contracted and not allocated; `None`: unknown.
    pub headroom_kw: Option<i64>,
}

/// A use of gross power: how it is called and drawn.
#[derive(Clone, Copy, Debug)]
pub struct Use {
    /// Its name.
    pub name: &'static str,
    /// What fills its part of a bar.
    pub glyph: char,
    /// What fills its area; colours that most people can tell apart.
    pub colour: &'static str,
    /// How much it takes.
    pub kw: fn(&Step) -> i64,
}

const fn usage(name: &'static str, glyph: char, colour: &'static str, kw: fn(&Step) -> i64) -> Use {
    Use { name, glyph, colour, kw }
}

/// The uses, in the order in which they are stacked.
pub static USES: [Use; 6] = [
    usage("leased", '█', "#0072b2", |step| step.leased_kw),
    usage("reserved", '▓', "#56b4e9", |step| step.reserved_kw),
    usage("free", '░', "#009e73", |step| step.free_kw),
    usage("derated", 'x', "#cc79a7", |step| step.derated_kw),
    usage("converting", '/', "#e69f00", |step| step.converting_kw),
    usage("interim", '+', "#a6a6a6", |step| step.interim_kw),
];

impl Step {
    fn of(step: &inventory::PowerPlanStep) -> anyhow::Result<Self> {
        let mut v = Violations::new();
        let start_time = instant(&mut v, "start_time", step.start_time.as_ref());
        let end_time = instant(&mut v, "end_time", step.end_time.as_ref());
        Ok(Self {
            start_time: start_time.context("a step without its start")?,
            end_time: end_time.context("a step without its end")?,
            contracted_kw: step.contracted_kw,
            leased_kw: step.leased_kw,
            reserved_kw: step.reserved_kw,
            free_kw: step.free_kw,
            derated_kw: step.derated_kw,
            converting_kw: step.converting_kw,
            interim_kw: step.interim_kw,
            headroom_kw: step.headroom_kw,
        })
    }

    /// What all uses take together.
    #[must_use]
    pub fn allocated_kw(&self) -> i64 {
        USES.iter().map(|of| (of.kw)(self)).sum()
    }

    /// What keeps the parts from adding up to what is contracted.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let negative = USES.iter().find(|of| (of.kw)(self) < 0).map(|of| format!("{} below 0", of.name));
        let sum = match (self.contracted_kw, self.headroom_kw) {
            (None, None) => None,
            (Some(contracted), Some(headroom)) if headroom < 0 => {
                Some(format!("{} kW beyond the {contracted} kW contracted", -headroom))
            }
            (Some(contracted), Some(headroom)) => {
                let sum = self.allocated_kw() + headroom;
                (sum != contracted).then(|| format!("{sum} kW of {contracted} kW"))
            }
            (Some(_), None) | (None, Some(_)) => {
                Some("headroom without a limit, or a limit without".to_owned())
            }
        };
        negative.or(sum)
    }
}

/// A site's power plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PowerPlan {
    /// Resource name of the site.
    pub site: String,
    /// The site's name for people.
    pub display_name: String,
    /// In which its days are read.
    pub zone: Zone,
    /// When it was so.
    pub read_time: Option<Instant>,
    /// Without gaps; never empty.
    pub steps: Vec<Step>,
}

impl PowerPlan {
    /// Reads an answer.
    ///
    /// # Errors
    /// An answer without steps or times.
    pub fn of(
        (site, display_name, zone): (String, String, Zone),
        answer: &inventory::GetPowerPlanResponse,
    ) -> anyhow::Result<Self> {
        let steps = answer.steps.iter().map(Step::of).collect::<anyhow::Result<Vec<_>>>()?;
        anyhow::ensure!(!steps.is_empty(), "a power plan without steps");
        let read_time = instant(&mut Violations::new(), "read_time", answer.read_time.as_ref());
        Ok(Self { site, display_name, zone, read_time, steps })
    }

    /// The step of an instant; the first or last one outside of the plan.
    #[must_use]
    pub fn at(&self, instant: Instant) -> Option<&Step> {
        self.steps.iter().rev().find(|step| step.start_time <= instant).or(self.steps.first())
    }

    /// The first step that does not add up or does not follow the one before, in words.
    #[must_use]
    pub fn fault(&self) -> Option<String> {
        let gap = self.steps.windows(2).find(|pair| pair[0].end_time != pair[1].start_time);
        let sum = self.steps.iter().find_map(|step| {
            step.fault().map(|fault| format!("from {}: {fault}", self.date(step.start_time)))
        });
        sum.or_else(|| gap.map(|pair| format!("a gap at {}", self.date(pair[0].end_time))))
    }

    /// The day of an instant at the site.
    #[must_use]
    pub fn date(&self, instant: Instant) -> CivilDate {
        self.zone.date_of(instant)
    }

    /// Where the grid limit is unknown, neighbouring steps together.
    #[must_use]
    pub fn unknown(&self) -> Vec<(Instant, Instant)> {
        let mut spans: Vec<(Instant, Instant)> = Vec::new();
        for step in self.steps.iter().filter(|step| step.contracted_kw.is_none()) {
            match spans.last_mut().filter(|last| last.1 == step.start_time) {
                Some(last) => last.1 = step.end_time,
                None => spans.push((step.start_time, step.end_time)),
            }
        }
        spans
    }

    /// The most that is contracted or allocated at any time, at least 1 kW.
    #[must_use]
    pub fn most_kw(&self) -> i64 {
        let of = |step: &Step| step.allocated_kw().max(step.contracted_kw.unwrap_or(0));
        self.steps.iter().map(of).max().unwrap_or(0).max(1)
    }

    /// The uses that take anything at any time.
    pub fn uses(&self) -> impl Iterator<Item = &'static Use> + '_ {
        USES.iter().filter(|of| self.steps.iter().any(|step| (of.kw)(step) > 0))
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    pub(in crate::plan) fn step(from: &str, until: &str, contracted_kw: Option<i64>, uses: [i64; 6]) -> Step {
        let at = |day: &str| Zone::UTC.start_of_day(day.parse().expect("a date"));
        let [leased_kw, reserved_kw, free_kw, derated_kw, converting_kw, interim_kw] = uses;
        let headroom_kw = contracted_kw.map(|contracted| contracted - uses.iter().sum::<i64>());
        Step {
            start_time: at(from),
            end_time: at(until),
            contracted_kw,
            leased_kw,
            reserved_kw,
            free_kw,
            derated_kw,
            converting_kw,
            interim_kw,
            headroom_kw,
        }
    }

    /// A mine that becomes halls, its limit unknown at first.
    pub(in crate::plan) fn mine() -> PowerPlan {
        PowerPlan {
            site: "operators/north/sites/rockdale".to_owned(),
            display_name: "Rockdale & Sons".to_owned(),
            zone: Zone::UTC,
            read_time: Some(Zone::UTC.start_of_day("2026-11-26".parse().expect("a date"))),
            steps: vec![
                step("2026-10-01", "2027-01-01", None, [0, 0, 0, 0, 0, 60_000]),
                step("2027-01-01", "2027-09-15", Some(100_000), [0, 0, 0, 0, 50_000, 30_000]),
                step("2027-09-15", "2028-03-01", Some(100_000), [35_000, 10_000, 5_000, 0, 0, 30_000]),
                step("2028-03-01", "2029-01-01", Some(120_000), [35_000, 10_000, 1_500, 3_500, 0, 0]),
            ],
        }
    }

    #[test]
    fn a_plan_adds_up_or_says_where_it_does_not() {
        assert_eq!(mine().fault(), None);
        let mut less = mine();
        less.steps[1].headroom_kw = Some(19_999);
        assert_eq!(less.fault().as_deref(), Some("from 2027-01-01: 99999 kW of 100000 kW"));
        let mut over = mine();
        over.steps[1].contracted_kw = Some(79_999);
        over.steps[1].headroom_kw = Some(-1);
        assert_eq!(over.fault().as_deref(), Some("from 2027-01-01: 1 kW beyond the 79999 kW contracted"));
        let mut gap = mine();
        gap.steps.remove(1);
        assert_eq!(gap.fault().as_deref(), Some("a gap at 2027-01-01"));
        let mut unclear = mine();
        unclear.steps[0].headroom_kw = Some(0);
        assert!(unclear.fault().is_some());
    }
}
