//! Reading bids, and taking one back.

use kernel::{BidName, Caller, CapacityRequestName, Error, OperatorParent, Rate, Scope, Uuid};
use postgres::page::Listing;
use postgres::{Answer, RequestKey};
use serde::Serialize;

use super::once::Once;
use super::submit_bid::deadline_passed;
use super::{App, Page, kind, rpc};
use crate::domain::bid::Bid;
use crate::domain::market_state::{BidDeed, BidState};
use crate::store::{self, BidFilter};

/// A bid to be taken back.
#[derive(Clone, Debug, Serialize)]
pub struct WithdrawBid {
    /// Which one.
    pub name: BidName,
    /// What was read; empty is not checked.
    pub etag: String,
    /// The caller's name for this deed.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only ask.
    #[serde(skip)]
    pub validate_only: bool,
}

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListBids {
    /// Of whom.
    pub parent: OperatorParent,
    /// On this request.
    pub request: Option<CapacityRequestName>,
    /// In one of these states; empty is any.
    pub states: Vec<BidState>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

impl App {
    /// One bid: the operator's own, or on the tenant's request once it is revealed.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, whether it is absent, another's or sealed.
    pub async fn get_bid(&self, caller: &Caller, name: &BidName) -> Result<Bid, Error> {
        let scope = bid_scope(caller, name)?;
        self.db
            .read("get_bid", &scope, |tx| async move {
                let found = store::find_bid(tx.conn(), name).await?;
                Ok((tx, found))
            })
            .await?
            .ok_or_else(|| Error::not_found("bid"))
    }

    /// A page of bids, the lowest triple-net rate first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for another's operator; `INVALID_PAGE_TOKEN`.
    pub async fn list_bids(&self, caller: &Caller, query: &ListBids) -> Result<Page<Bid>, Error> {
        let scope = match &query.parent {
            OperatorParent::All => caller.scope(),
            OperatorParent::One(operator) => caller.scope_of_operator(operator)?,
        };
        let states: Vec<_> = query.states.iter().map(|state| state.name()).collect();
        let filter_text = format!("{} {:?} {}", query.parent, query.request, states.join(","));
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: rpc::LIST_BIDS, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let after: Option<(Rate, String, Uuid)> = self.pages.open(&listing, &query.page_token, real_time)?;
        let mut filter = BidFilter {
            operator: query.parent.operator().cloned(),
            tenant: None,
            request: query.request.clone(),
            states: query.states.clone(),
            after,
            limit: query.page_size + 1,
        };
        // Row security says the same; said here too, the query finds its index.
        match &scope {
            Scope::Operator(operator) => filter.operator = Some(operator.clone()),
            Scope::Tenant(tenant) => filter.tenant = Some(tenant.clone()),
            Scope::Market | Scope::Worker => {}
        }
        let filter = &filter;
        let rows = self
            .db
            .read("list_bids", &scope, |tx| async move {
                let rows = store::list_bids(tx.conn(), filter).await?;
                Ok((tx, rows))
            })
            .await?;
        self.page_of(&listing, real_time, query.page_size, rows, |last| {
            (last.triple_net.year_one, last.name.operator.to_string(), last.name.bid.get())
        })
    }

    /// Takes a bid back before the deadline, and gives back what it holds.
    ///
    /// # Errors
    /// `BID_DEADLINE_PASSED`, `INVALID_STATE_TRANSITION`, `ETAG_MISMATCH`, `RESOURCE_NOT_FOUND`; what a request id is
    /// refused with.
    pub async fn withdraw_bid(&self, caller: &Caller, command: WithdrawBid) -> Result<Answer<Bid>, Error> {
        let name = &command.name;
        let scope = &bid_scope(caller, name)?;
        let owner = format!("operators/{}", name.operator);
        let key = RequestKey::new(owner, caller, rpc::WITHDRAW_BID, command.request_id, &command)?;
        let (command, now) = (&command, self.now());
        let how = Once {
            name: "withdraw_bid",
            scope,
            key: &key,
            validate_only: command.validate_only,
            reply: self.wire.market.bid_withdrawn,
        };
        self.once(how, |tx| async move {
            let found = store::lock_bid(tx.conn(), name).await?;
            let mut bid = found.ok_or_else(|| Error::not_found("bid"))?;
            bid.check_etag(&command.etag)?;
            let from = bid.revision;
            bid.go(BidDeed::Withdraw, now)?;
            if !store::save_bid(tx.conn(), &bid, from, true).await? {
                return Err(deadline_passed(bid.bid_deadline));
            }
            if let Some(hold) = bid.hold {
                let id = name.bid.to_string();
                store::note_release(tx.conn(), &name.operator, hold.reservation, &id).await?;
            }
            let time = store::database_time(tx.conn()).await?;
            self.tell_bid(&tx, kind::BID_WITHDRAWN, &bid, time).await?;
            Ok((tx, bid))
        })
        .await
    }
}

/// The rows among which a bid is looked for; another operator's bid is looked for nowhere.
fn bid_scope(caller: &Caller, name: &BidName) -> Result<Scope, Error> {
    caller.scope_of_operator(&name.operator).map_err(|_| Error::not_found("bid"))
}
