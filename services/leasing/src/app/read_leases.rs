//! Reading leases and their rent.

use kernel::{
    BlockName, Caller, CivilDate, Error, LeaseName, MasterAgreementName, OperatorParent, Scope, TenantName,
};
use postgres::page::Listing;

use super::{App, Page, View};
use crate::domain::credit::CreditCover;
use crate::domain::{LeaseState, ScheduleLine, schedule};
use crate::store::{self, Filter};

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListLeases {
    /// Of whom.
    pub parent: OperatorParent,
    /// In one of these states; empty is any.
    pub states: Vec<LeaseState>,
    /// Of this tenant.
    pub tenant: Option<TenantName>,
    /// With this block.
    pub block: Option<BlockName>,
    /// Under this agreement.
    pub master: Option<MasterAgreementName>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

/// The rent of a lease's base term.
#[derive(Clone, Debug)]
pub struct RentSchedule {
    /// The lease and its figures.
    pub view: View,
    /// Every line, by period, then by block.
    pub lines: Vec<ScheduleLine>,
}

const LIST: &str = "gridlease.leasing.v1.LeaseService/ListLeases";

impl App {
    /// One lease.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent or another's.
    pub async fn get_lease(&self, caller: &Caller, name: &LeaseName) -> Result<View, Error> {
        let scope = caller.scope_of_operator(&name.operator).map_err(|_| Error::not_found("lease"))?;
        let lease = self
            .db
            .read("get_lease", &scope, |tx| async move {
                let found = store::load(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?;
        View::of(lease.ok_or_else(|| Error::not_found("lease"))?)
    }

    /// One lease with a version of its terms; none is the one in force.
    ///
    /// # Errors
    /// As [`App::get_lease`], also for a version that it never had.
    pub async fn get_version(
        &self,
        caller: &Caller,
        name: &LeaseName,
        version: Option<i32>,
    ) -> Result<View, Error> {
        let Some(version) = version else { return self.get_lease(caller, name).await };
        let scope = caller.scope_of_operator(&name.operator).map_err(|_| Error::not_found("lease"))?;
        let lease = self
            .db
            .read("get_lease_version", &scope, |tx| async move {
                let found = store::load_version(tx.conn(), name, version).await?;
                Ok((tx, found))
            })
            .await?;
        View::of(lease.ok_or_else(|| Error::not_found("lease"))?)
    }

    /// The rent of a lease, line by line.
    ///
    /// # Errors
    /// As [`App::get_lease`].
    pub async fn rent_schedule(&self, caller: &Caller, name: &LeaseName) -> Result<RentSchedule, Error> {
        let view = self.get_lease(caller, name).await?;
        let lines = schedule::lines(&view.lease.terms, &view.lease.premises)?;
        Ok(RentSchedule { view, lines })
    }

    /// How far what stands behind the tenant reaches on a day; none is today.
    ///
    /// # Errors
    /// As [`App::get_lease`].
    pub async fn credit_cover(
        &self,
        caller: &Caller,
        name: &LeaseName,
        as_of: Option<CivilDate>,
    ) -> Result<CreditCover, Error> {
        let lease = self.get_lease(caller, name).await?.lease;
        lease.credit_cover(as_of.unwrap_or_else(|| lease.today(self.now())))
    }

    /// A page of leases in order of name.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for another's operator; `INVALID_PAGE_TOKEN`.
    pub async fn list_leases(&self, caller: &Caller, query: &ListLeases) -> Result<Page<View>, Error> {
        let scope = match &query.parent {
            OperatorParent::All => caller.scope(),
            OperatorParent::One(operator) => caller.scope_of_operator(operator)?,
        };
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let filter_text = format!(
            "{} {} {} {} {}",
            query.parent,
            states.join(","),
            query.tenant.as_ref().map(ToString::to_string).unwrap_or_default(),
            query.block.as_ref().map(ToString::to_string).unwrap_or_default(),
            query.master.as_ref().map(ToString::to_string).unwrap_or_default(),
        );
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: LIST, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let mut filter = Filter {
            operator: query.parent.operator().map(ToString::to_string),
            tenants: [query.tenant.as_ref().map(|name| name.tenant.to_string()), None],
            states: query.states.clone(),
            block: query.block.clone(),
            master: query.master.clone(),
            after: self.pages.open(&listing, &query.page_token, real_time)?,
            limit: query.page_size + 1,
        };
        // Row security says the same; said here too, the query finds its index.
        match &scope {
            Scope::Operator(operator) => filter.operator = Some(operator.to_string()),
            Scope::Tenant(tenant) => filter.tenants[1] = Some(tenant.to_string()),
            Scope::Market | Scope::Worker => {}
        }
        let filter = &filter;
        let mut leases = self
            .db
            .read("list_leases", &scope, |tx| async move {
                let leases = store::list(tx.conn(), filter).await?;
                Ok((tx, leases))
            })
            .await?;
        let more = leases.len() > usize::try_from(query.page_size).unwrap_or(usize::MAX);
        if more {
            leases.pop();
        }
        let next = match leases.last() {
            Some(last) if more => {
                let place = (last.name.operator.as_str(), last.name.lease.as_str());
                self.pages.seal(&listing, &place, real_time)?
            }
            _ => String::new(),
        };
        let items = leases.into_iter().map(View::of).collect::<Result<_, _>>()?;
        Ok(Page { items, next })
    }
}
