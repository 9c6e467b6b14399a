//! `GetAvailability`: capacity of a block or a site over time, and what takes it.

use kernel::{
    BlockName, Caller, Clock as _, DateRange, Error, Instant, Organisation, Reason, SiteName, SystemClock,
};

use super::{App, scope_of};
use crate::domain::availability::{AvailabilityStep, availability};

/// What is asked about.
#[derive(Debug, Clone)]
pub enum AvailabilityOf {
    /// One block.
    Block(BlockName),
    /// All blocks of a site.
    Site(SiteName),
}

/// Capacity over civil dates of the site.
#[derive(Debug, Clone)]
pub struct GetAvailability {
    /// Of what.
    pub of: AvailabilityOf,
    /// Over which days.
    pub days: DateRange,
}

/// Capacity over time.
#[derive(Debug, Clone)]
pub struct Availability {
    /// Steps without gaps.
    pub steps: Vec<AvailabilityStep>,
    /// Whether the caller may see what takes it, and not only how much is free.
    pub with_shares: bool,
    /// The instant the answer describes.
    pub read_time: Instant,
}

impl App {
    /// Reads capacity over time. Tenants see what is there and what is free, not who has the rest.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `TERM_OUT_OF_RANGE`.
    pub async fn get_availability(
        &self,
        caller: &Caller,
        asked: GetAvailability,
    ) -> Result<Availability, Error> {
        let (site_name, resource) = match &asked.of {
            AvailabilityOf::Block(block) => (block.site_name(), "block"),
            AvailabilityOf::Site(site) => (site.clone(), "site"),
        };
        let scope = scope_of(caller, &site_name.operator, resource)?;
        let read_time = SystemClock.now();
        let absent = || Error::not_found(resource);
        let found = self.site_now(&scope, &site_name, kernel::time::min_instant()).await?;
        let site = found.ok_or_else(absent)?;
        let interval = asked.days.to_interval(site.zone).map_err(|_| {
            Error::refused(Reason::TermOutOfRange, "The dates lie beyond the years 2000 to 9999.")
        })?;
        let blocks = match &asked.of {
            AvailabilityOf::Site(_) => site.blocks,
            AvailabilityOf::Block(name) => {
                let block = site.blocks.into_iter().find(|block| block.name == *name);
                vec![block.ok_or_else(absent)?]
            }
        };
        let with_shares = !matches!(caller.effective_organisation(), Organisation::Tenant(_));
        Ok(Availability { steps: availability(&blocks, interval), with_shares, read_time })
    }
}
