//! `FindEarliestCapacity`.

use kernel::{Caller, Error, Instant, OperatorId, Resource, SiteName};

use super::App;
use crate::domain::search::{self, Free, Need};

/// Where to look.
#[derive(Debug, Clone)]
pub enum SearchParent {
    /// Everywhere the caller may see.
    All,
    /// One operator's sites.
    Operator(OperatorId),
    /// One site.
    Site(SiteName),
}

/// A need without an end of its window.
#[derive(Debug, Clone)]
pub struct FindEarliest {
    /// Where.
    pub parent: SearchParent,
    /// What, from when, how long.
    pub need: Need,
}

/// When a need can be met.
#[derive(Debug, Clone)]
pub struct Earliest {
    /// The block that carries it first; none = never.
    pub found: Option<Free>,
    /// What kept it from starting on the first day asked for.
    pub limiting: Option<Resource>,
    /// The instant the answer describes.
    pub read_time: Instant,
}

impl App {
    /// Finds the earliest term.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` (parent).
    pub async fn find_earliest_capacity(
        &self,
        caller: &Caller,
        asked: FindEarliest,
    ) -> Result<Earliest, Error> {
        let FindEarliest { parent, need } = asked;
        match &parent {
            SearchParent::All => {}
            SearchParent::Operator(operator) => drop(self.get_operator(caller, operator, None).await?),
            SearchParent::Site(site) => drop(self.get_site(caller, site, None).await?),
        }
        let (sites, read_time) = self.market_now(caller).await?;
        let wanted = |site: &SiteName| match &parent {
            SearchParent::All => true,
            SearchParent::Operator(operator) => site.operator == *operator,
            SearchParent::Site(wanted) => site == wanted,
        };
        let places: Vec<_> = sites
            .iter()
            .filter(|site| wanted(&site.name))
            .flat_map(|site| site.blocks.iter().map(move |block| (site, block)))
            .collect();
        let first = places
            .iter()
            .filter_map(|(site, block)| Some((search::earliest(site, block, &need)?, *site, *block)))
            .min_by(|a, b| (a.0.start, &a.0.block).cmp(&(b.0.start, &b.0.block)));
        let (found, limiting) = match first {
            Some((free, _, _)) if free.start == need.from => (Some(free), None),
            Some((free, site, block)) => (Some(free), search::limiting(site, block, &need)),
            // Never: what is short of the block that comes nearest.
            None => {
                let nearest = places.iter().max_by_key(|(site, block)| {
                    search::largest(site, block, &need).map_or(0, |most| most.critical_it_kw)
                });
                (None, nearest.and_then(|(site, block)| search::limiting(site, block, &need)))
            }
        };
        Ok(Earliest { found, limiting, read_time })
    }
}
