//! Where a page of a list begins, and how the next one is named.

use kernel::{Caller, Clock as _, Error, SystemClock};
use postgres::page::Listing;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::{App, Page, PageRequest};
use crate::store::Rows;

impl App {
    /// Where a page begins, and how the next one is named.
    pub(crate) fn place<K: DeserializeOwned>(
        &self,
        caller: &Caller,
        rpc: &'static str,
        filter: String,
        page: &PageRequest,
    ) -> Result<Place<'_, K>, Error> {
        let caller = caller.effective_organisation().to_string();
        let listing = Listing { caller: &caller, rpc, filter: &filter };
        // Real time: no test clock makes tokens old.
        let after = self.pages.open(&listing, &page.token, SystemClock.now())?;
        Ok(Place { app: self, caller, rpc, filter, after })
    }
}

/// Where a page begins.
pub(crate) struct Place<'a, K> {
    app: &'a App,
    caller: String,
    rpc: &'static str,
    filter: String,
    /// The sort key of the last row before it.
    pub(crate) after: Option<K>,
}

impl<K: Serialize> Place<'_, K> {
    /// The page of these rows.
    pub(crate) fn page<T>(&self, rows: Rows<T>, key: impl Fn(&T) -> K) -> Result<Page<T>, Error> {
        let next = match rows.rows.last().filter(|_| rows.more) {
            Some(last) => {
                let listing = Listing { caller: &self.caller, rpc: self.rpc, filter: &self.filter };
                self.app.pages.seal(&listing, &key(last), SystemClock.now())?
            }
            None => String::new(),
        };
        Ok(Page { items: rows.rows, next })
    }
}
