//! `SearchCapacity`: free and dated, convertible with every assumption said, and what comes nearest.

use kernel::{Caller, Error, Instant};

use super::{App, reading_scope};
use crate::domain::availability::SiteView;
use crate::domain::convertible::{Convertible, convertible};
use crate::domain::search::{Filter, Free, Near, Need, free_and_dated, near_misses};
use crate::store::market;
use crate::store::reservations;
use crate::store::sites::SiteFilter;

/// A need.
#[derive(Debug, Clone)]
pub struct SearchCapacity {
    /// What, when, how long.
    pub need: Need,
    /// Where, and at most for how much.
    pub filter: Filter,
    /// Answers in each list.
    pub limit: usize,
}

/// What the market has.
#[derive(Debug, Clone)]
pub struct Found {
    /// Free and dated.
    pub free: Vec<Free>,
    /// Convertible, date assumed.
    pub convertible: Vec<Convertible>,
    /// What comes nearest, where nothing is free and dated.
    pub near: Option<Near>,
    /// The instant the answer describes.
    pub read_time: Instant,
}

impl App {
    /// Searches what the caller may see.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for a named operator or site.
    pub async fn search_capacity(&self, caller: &Caller, asked: SearchCapacity) -> Result<Found, Error> {
        for operator in &asked.filter.operators {
            self.get_operator(caller, operator, None).await?;
        }
        if let Some(site) = &asked.filter.site {
            self.get_site(caller, site, None).await?;
        }
        let today = self.now().date_naive();
        let (sites, read_time) = self.market_now(caller).await?;
        let SearchCapacity { need, filter, limit } = asked;
        let free = free_and_dated(&sites, &filter, &need, limit);
        let near = free.is_empty().then(|| near_misses(&sites, &filter, &need));
        let convertible = convertible(&sites, &filter, &need, today, limit);
        Ok(Found { free, convertible, near, read_time })
    }

    /// Every site the caller may see, as it is promised now.
    pub(crate) async fn market_now(&self, caller: &Caller) -> Result<(Vec<SiteView>, Instant), Error> {
        let scope = &reading_scope(caller);
        let filter = &SiteFilter::default();
        self.db
            .read("market_now", scope, |tx| async move {
                let now = reservations::database_now(&tx).await?;
                let sites = market::sites(&tx, scope, filter, kernel::time::min_instant()).await?;
                Ok((tx, (sites, now)))
            })
            .await
    }
}
