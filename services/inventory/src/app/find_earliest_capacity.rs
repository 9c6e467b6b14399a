//! `FindEarliestCapacity`.

use kernel::{Caller, Error, Instant, OperatorId, SiteName};

use super::market::Seen;
use super::search_capacity::own_of;
use super::{App, reading_scope};
use crate::domain::search::{Earliest, Filter, Need};

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
    /// Blocks of one site that may carry it together.
    pub parts_max: usize,
    /// The answer describes this instant or a later one.
    pub fresh_from: Option<Instant>,
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
    ) -> Result<(Earliest, Seen), Error> {
        let FindEarliest { parent, need, parts_max, fresh_from } = asked;
        let mut filter = Filter::default();
        match parent {
            SearchParent::All => {}
            SearchParent::Operator(operator) => {
                self.operator_is_there(caller, &operator).await?;
                filter.operators.push(operator);
            }
            SearchParent::Site(site) => {
                self.site_is_there(caller, &site).await?;
                filter.site = Some(site);
            }
        }
        let scope = reading_scope(caller);
        self.ask_market(caller, fresh_from, |index, seen| {
            (index.ask(own_of(&scope), &filter, need).earliest(parts_max), seen)
        })
        .await
    }
}
