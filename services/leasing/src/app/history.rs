//! Everything that happened to a lease, for its sides; for a former tenant, everything until it was another's.

use kernel::{Caller, Error, LeaseName};
use postgres::page::Listing;

use super::{App, Page};
use crate::domain::life::Happening;
use crate::store;

/// What a history is asked for.
#[derive(Clone, Debug)]
pub struct GetHistory {
    /// The lease.
    pub name: LeaseName,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

const RPC: &str = "gridlease.leasing.v1.LeaseService/GetHistory";

impl App {
    /// A page of what happened, oldest first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or another's; `INVALID_PAGE_TOKEN`.
    pub async fn get_history(&self, caller: &Caller, query: &GetHistory) -> Result<Page<Happening>, Error> {
        let name = &query.name;
        let scope = caller.scope_of_operator(&name.operator).map_err(|_| Error::not_found("lease"))?;
        let (organisation, filter) = (caller.effective_organisation().to_string(), name.to_string());
        let listing = Listing { caller: &organisation, rpc: RPC, filter: &filter };
        let real_time = self.db.database_time().await?;
        let after: Option<i64> = self.pages.open(&listing, &query.page_token, real_time)?;
        let limit = query.page_size + 1;
        let (known, mut items) = self
            .db
            .read("get_history", &scope, |tx| async move {
                let own = store::load(tx.conn(), name).await?.is_some();
                // Who was its tenant reads what happened until it was so no more.
                let known = own || store::was_tenant(tx.conn(), name).await?;
                let items = store::happenings(tx.conn(), name, after.unwrap_or(0), limit).await?;
                Ok((tx, (known, items)))
            })
            .await?;
        if !known {
            return Err(Error::not_found("lease"));
        }
        let more = items.len() > usize::try_from(query.page_size).unwrap_or(usize::MAX);
        if more {
            items.pop();
        }
        let next = match items.last() {
            Some(last) if more => self.pages.seal(&listing, &last.revision, real_time)?,
            _ => String::new(),
        };
        Ok(Page { items, next })
    }
}
