//! `SearchCapacity`: free and dated, parts together, convertible with every assumption said, and what comes nearest.

use kernel::{Caller, Error, Instant, OperatorId, Scope, SiteName};

use super::market::Seen;
use super::{App, reading_scope};
use crate::domain::convertible::Convertible;
use crate::domain::index::Index;
use crate::domain::search::{Combination, Filter, Free, Near, Need, Split};
use crate::store::market;
use crate::store::reservations;
use crate::store::sites::SiteFilter;

/// A need.
#[derive(Debug, Clone)]
pub struct SearchCapacity {
    /// What, when, how long.
    pub need: Need,
    /// Where, at most for how much, and what the load needs of a hall.
    pub filter: Filter,
    /// Whether the need may be split.
    pub split: Option<Split>,
    /// Answers in each list.
    pub limit: usize,
    /// The answer describes this instant or a later one.
    pub fresh_from: Option<Instant>,
}

/// What the market has.
#[derive(Debug, Clone)]
pub struct Found {
    /// Free and dated.
    pub free: Vec<Free>,
    /// Several blocks together.
    pub combinations: Vec<Combination>,
    /// Convertible, date assumed.
    pub convertible: Vec<Convertible>,
    /// What comes nearest, where nothing is free and dated and no combination carries the need.
    pub near: Option<Near>,
    /// When and from what it was answered.
    pub seen: Seen,
}

impl App {
    /// Searches what the caller may see.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for a named operator or site.
    pub async fn search_capacity(&self, caller: &Caller, asked: SearchCapacity) -> Result<Found, Error> {
        for operator in &asked.filter.operators {
            self.operator_is_there(caller, operator).await?;
        }
        if let Some(site) = &asked.filter.site {
            self.site_is_there(caller, site).await?;
        }
        let scope = reading_scope(caller);
        let today = self.now().date_naive();
        let SearchCapacity { need, filter, split, limit, fresh_from } = asked;
        self.ask_market(caller, fresh_from, |index, seen| {
            let asked = index.ask(own_of(&scope), &filter, need);
            let free = asked.free_and_dated(limit);
            let combinations = split.map(|split| asked.combinations(split, limit)).unwrap_or_default();
            let nothing = free.is_empty() && combinations.is_empty();
            let near = nothing.then(|| asked.near_misses());
            let convertible = asked.convertible(today, limit);
            Found { free, combinations, convertible, near, seen }
        })
        .await
    }

    /// Asks the index, or where there is none yet that is fresh enough, one made of what the store says now.
    pub(crate) async fn ask_market<T>(
        &self,
        caller: &Caller,
        fresh_from: Option<Instant>,
        ask: impl FnOnce(&Index, Seen) -> T,
    ) -> Result<T, Error> {
        match self.market.fresh(fresh_from).await {
            Some(market) => Ok(market.read(ask)),
            None => {
                let (index, read_time) = self.market_now(caller).await?;
                Ok(ask(&index, Seen::of_the_store(read_time)))
            }
        }
    }

    async fn market_now(&self, caller: &Caller) -> Result<(Index, Instant), Error> {
        let scope = &reading_scope(caller);
        let filter = &SiteFilter::default();
        let (sites, read_time) = self
            .db
            .read("market_now", scope, |tx| async move {
                let now = reservations::database_now(&tx).await?;
                let sites = market::sites(&tx, scope, filter, kernel::time::min_instant()).await?;
                Ok((tx, (sites, now)))
            })
            .await?;
        Ok((Index::of(self.now(), sites), read_time))
    }

    /// Whether the caller may see such an operator: from memory, unless it is so new that memory does not know it.
    pub(crate) async fn operator_is_there(
        &self,
        caller: &Caller,
        operator: &OperatorId,
    ) -> Result<(), Error> {
        super::scope_of(caller, operator, "operator")?;
        if self.market.knows(|index| index.knows_operator(operator)) {
            return Ok(());
        }
        self.get_operator(caller, operator, None).await.map(|_| ())
    }

    /// Whether the caller may see such a site.
    pub(crate) async fn site_is_there(&self, caller: &Caller, site: &SiteName) -> Result<(), Error> {
        super::scope_of(caller, &site.operator, "site")?;
        if self.market.knows(|index| index.knows_site(site)) {
            return Ok(());
        }
        self.get_site(caller, site, None).await.map(|_| ())
    }
}

/// Whose sites a scope sees; none is everybody's.
pub(crate) fn own_of(scope: &Scope) -> Option<&OperatorId> {
    match scope {
        Scope::Operator(own) => Some(own),
        Scope::Tenant(_) | Scope::Market | Scope::Worker => None,
    }
}
