//! What a tranche of gross power carries before it is in service: interim use, then darkness while it is rebuilt.

use kernel::CivilDate;
use kernel::time::months_between;
use serde::{Deserialize, Serialize};

use super::site::words;

words! {
    /// What power is used for before it is converted.
    InterimUse {
        /// Nothing.
        None = "NONE",
        /// Mining.
        Mining = "MINING",
        /// Hosting of somebody else's machines.
        Hosting = "HOSTING",
        /// Nothing runs, and the power is kept.
        Idle = "IDLE",
    }
}

/// A phase before it is in service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Conversion {
    /// What its power is used for first.
    pub interim_use: InterimUse,
    /// How much that draws, gross kW; 0 if and only if it is none.
    pub interim_gross_kw: i64,
    /// First day of the interim use.
    pub interim_start: Option<CivilDate>,
    /// First day of the conversion; none = the interim use lasts until the phase is in service.
    pub start: Option<CivilDate>,
    /// Days of notice that ending the interim use takes.
    pub wind_down_notice_days: i32,
}

impl Default for Conversion {
    fn default() -> Self {
        Self {
            interim_use: InterimUse::None,
            interim_gross_kw: 0,
            interim_start: None,
            start: None,
            wind_down_notice_days: 0,
        }
    }
}

/// What a tranche of power does for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Stage {
    /// Mines or hosts.
    Interim,
    /// Earns nothing: is rebuilt, or kept idle.
    Dark,
    /// Gives capacity.
    Service,
}

/// A stretch of a tranche's life, over civil dates of the site.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// What it does.
    pub stage: Stage,
    /// First day.
    pub from: CivilDate,
    /// First day after; none = for ever.
    pub until: Option<CivilDate>,
    /// Gross power that it draws or that is set aside for it, kW.
    pub gross_kw: i64,
}

impl Conversion {
    /// The last day on which notice of the end of the interim use can be given.
    pub fn last_notice(&self) -> Option<CivilDate> {
        let days = u64::try_from(self.wind_down_notice_days).ok()?;
        self.start?.checked_sub_days(chrono::Days::new(days))
    }

    /// Months between the conversion's start and the first day in service, begun ones included.
    pub fn dark_months(&self, ready: CivilDate) -> i32 {
        // Whole months up to the day before, and the one that has begun.
        let begun = |start: CivilDate| ready.pred_opt().map(|last| months_between(start, last) + 1);
        self.start.filter(|start| *start < ready).and_then(begun).unwrap_or(0)
    }

    /// The life of a tranche that is in service from `ready` to `end` and draws `gross_kw` then. While it is dark, the
    /// greater of what it drew and what it will draw is set aside: tests run at full load.
    pub fn life(&self, ready: CivilDate, end: Option<CivilDate>, gross_kw: i64) -> Vec<Stretch> {
        let mut life = Vec::with_capacity(3);
        let stage = match self.interim_use {
            InterimUse::None => None,
            InterimUse::Mining | InterimUse::Hosting => Some(Stage::Interim),
            InterimUse::Idle => Some(Stage::Dark),
        };
        if let (Some(stage), Some(from)) = (stage, self.interim_start) {
            let until = Some(self.start.unwrap_or(ready));
            life.push(Stretch { stage, from, until, gross_kw: self.interim_gross_kw });
        }
        if let Some(from) = self.start {
            let gross_kw = gross_kw.max(self.interim_gross_kw);
            life.push(Stretch { stage: Stage::Dark, from, until: Some(ready), gross_kw });
        }
        life.push(Stretch { stage: Stage::Service, from: ready, until: end, gross_kw });
        life
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> CivilDate {
        text.parse().expect("a date")
    }

    fn mine() -> Conversion {
        Conversion {
            interim_use: InterimUse::Mining,
            interim_gross_kw: 320,
            interim_start: Some(day("2024-01-01")),
            start: Some(day("2027-01-15")),
            wind_down_notice_days: 90,
        }
    }

    #[test]
    fn a_mine_goes_dark_and_then_into_service() {
        let life = mine().life(day("2027-10-01"), Some(day("2042-10-01")), 300);
        let stretch = |stage, from, until, gross_kw| Stretch {
            stage,
            from: day(from),
            until: Some(day(until)),
            gross_kw,
        };
        assert_eq!(
            life,
            [
                stretch(Stage::Interim, "2024-01-01", "2027-01-15", 320),
                stretch(Stage::Dark, "2027-01-15", "2027-10-01", 320),
                stretch(Stage::Service, "2027-10-01", "2042-10-01", 300),
            ]
        );
    }

    #[test]
    fn a_new_hall_draws_nothing_before_it_is_ready() {
        let life = Conversion::default().life(day("2027-10-01"), None, 300);
        assert_eq!(
            life,
            [Stretch { stage: Stage::Service, from: day("2027-10-01"), until: None, gross_kw: 300 }]
        );
    }

    #[test]
    fn idle_power_is_dark_until_it_is_in_service() {
        let idle = Conversion { interim_use: InterimUse::Idle, start: None, ..mine() };
        let life = idle.life(day("2027-10-01"), None, 300);
        assert_eq!(life[0].stage, Stage::Dark);
        assert_eq!(life[0].until, Some(day("2027-10-01")));
        assert_eq!(life.len(), 2);
    }

    #[test]
    fn notice_is_counted_back_and_a_begun_month_is_a_dark_month() {
        assert_eq!(mine().last_notice(), Some(day("2026-10-17")));
        assert_eq!(Conversion::default().last_notice(), None);
        for (ready, months) in
            [("2027-01-16", 1), ("2027-02-15", 1), ("2027-02-16", 2), ("2027-10-15", 9), ("2027-10-16", 10)]
        {
            assert_eq!(mine().dark_months(day(ready)), months, "{ready}");
        }
        assert_eq!(Conversion::default().dark_months(day("2027-10-15")), 0);
    }
}
