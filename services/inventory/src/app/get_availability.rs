//! `GetAvailability`: capacity of a block, a site, an operator or a region over time, and what takes it.

use kernel::{Caller, Clock as _, DateRange, Error, Instant, Organisation, Reason, Scope, SystemClock, Zone};

use super::rights::viewer;
use super::{App, reading_scope, scope_of};
use crate::domain::availability::{BlockView, EncumberedStep, SiteView, availability, encumbered};
use crate::domain::encumbrance::{Extent, Right};
use crate::store::market;
use crate::store::sites::SiteFilter;

/// What is asked about.
#[derive(Debug, Clone)]
pub enum AvailabilityOf {
    /// A block, a site, or everything of an operator.
    Extent(Extent),
    /// The sites of a region that the caller may see.
    Region {
        /// Of this grid operator.
        grid_iso: Option<String>,
        /// In this country.
        country_code: Option<String>,
    },
}

/// Capacity over civil dates: of the site, or where there are several of UTC.
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
    pub steps: Vec<EncumberedStep>,
    /// Whether the caller may see what takes it, and not only how much is free.
    pub with_shares: bool,
    /// Encumbrances on any of it as the caller may see them, by rank.
    pub rights: Vec<Right>,
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
        let read_time = SystemClock.now();
        let sites = self.sites_of(caller, &asked.of).await?;
        let zone = match (&asked.of, sites.first()) {
            (AvailabilityOf::Extent(Extent::Site(_) | Extent::Block(_)), Some(site)) => site.zone,
            _ => Zone::UTC,
        };
        let interval = asked.days.to_interval(zone).map_err(|_| {
            Error::refused(Reason::TermOutOfRange, "The dates lie beyond the years 2000 to 9999.")
        })?;
        let on = |extent: &Extent| match &asked.of {
            AvailabilityOf::Extent(Extent::Block(block)) => extent.covers(block),
            _ => sites.iter().any(|site| extent.touches_site(&site.name)),
        };
        let mut operators: Vec<_> = sites.iter().map(|site| &site.name.operator).collect();
        operators.sort_unstable();
        operators.dedup();
        let encumbrances = self.encumbrances_on(operators, on);
        let rights = encumbrances.iter().map(|one| one.seen_by(viewer(caller))).collect();
        let with_shares = !matches!(caller.effective_organisation(), Organisation::Tenant(_));
        let blocks = blocks_of(&asked.of, sites)?;
        let steps = availability(&blocks, interval);
        // Steps that end where another's right ends would tell when that is.
        let steps = if with_shares {
            encumbered(steps, &encumbrances)
        } else {
            steps.into_iter().map(|step| EncumberedStep { step, soft_kw: None }).collect()
        };
        Ok(Availability { steps, with_shares, rights, read_time })
    }

    async fn sites_of(&self, caller: &Caller, of: &AvailabilityOf) -> Result<Vec<SiteView>, Error> {
        let one = |site: Option<SiteView>, resource| {
            site.map(|site| vec![site]).ok_or_else(|| Error::not_found(resource))
        };
        let always = kernel::time::min_instant();
        match of {
            AvailabilityOf::Extent(Extent::Block(block)) => {
                let scope = scope_of(caller, &block.operator, "block")?;
                one(self.site_now(&scope, &block.site_name(), always).await?, "block")
            }
            AvailabilityOf::Extent(Extent::Site(site)) => {
                let scope = scope_of(caller, &site.operator, "site")?;
                one(self.site_now(&scope, site, always).await?, "site")
            }
            AvailabilityOf::Extent(Extent::Operator(operator)) => {
                self.get_operator(caller, operator, None).await?;
                let scope = scope_of(caller, operator, "operator")?;
                let filter = SiteFilter { operator: Some(operator.clone()), ..SiteFilter::default() };
                self.sites_now(&scope, &filter).await
            }
            AvailabilityOf::Region { grid_iso, country_code } => {
                let filter = SiteFilter {
                    grid_isos: grid_iso.iter().cloned().collect(),
                    country_codes: country_code.iter().cloned().collect(),
                    ..SiteFilter::default()
                };
                self.sites_now(&reading_scope(caller), &filter).await
            }
        }
    }

    async fn sites_now(&self, scope: &Scope, filter: &SiteFilter) -> Result<Vec<SiteView>, Error> {
        self.db
            .read("sites_now", scope, |tx| async move {
                let found = market::sites(&tx, scope, filter, kernel::time::min_instant()).await?;
                Ok((tx, found))
            })
            .await
    }
}

fn blocks_of(of: &AvailabilityOf, sites: Vec<SiteView>) -> Result<Vec<BlockView>, Error> {
    let blocks = sites.into_iter().flat_map(|site| site.blocks);
    match of {
        AvailabilityOf::Extent(Extent::Block(name)) => {
            let found: Vec<BlockView> = blocks.filter(|block| block.name == *name).collect();
            if found.is_empty() { Err(Error::not_found("block")) } else { Ok(found) }
        }
        _ => Ok(blocks.collect()),
    }
}
