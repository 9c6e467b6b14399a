//! `GetPowerPlan`: where a site's gross power goes.

use kernel::{Caller, Clock as _, DateRange, Error, Instant, Reason, SiteName, SystemClock};

use super::{App, own_scope};
use crate::domain::power_plan::{PlanStep, power_plan};

/// A site over civil dates.
#[derive(Debug, Clone)]
pub struct GetPowerPlan {
    /// Which site.
    pub site: SiteName,
    /// Over which days.
    pub days: DateRange,
}

/// Where its power goes.
#[derive(Debug, Clone)]
pub struct PowerPlan {
    /// Steps without gaps.
    pub steps: Vec<PlanStep>,
    /// The instant the answer describes.
    pub read_time: Instant,
}

impl App {
    /// Splits a site's gross power over time. For its operator only.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `TERM_OUT_OF_RANGE`.
    pub async fn get_power_plan(&self, caller: &Caller, asked: GetPowerPlan) -> Result<PowerPlan, Error> {
        let scope = own_scope(caller, &asked.site.operator, "site")?;
        let read_time = SystemClock.now();
        let found = self.site_now(&scope, &asked.site, kernel::time::min_instant()).await?;
        let site = found.ok_or_else(|| Error::not_found("site"))?;
        let interval = asked.days.to_interval(site.zone).map_err(|_| {
            Error::refused(Reason::TermOutOfRange, "The dates lie beyond the years 2000 to 9999.")
        })?;
        Ok(PowerPlan { steps: power_plan(&site, interval), read_time })
    }
}
