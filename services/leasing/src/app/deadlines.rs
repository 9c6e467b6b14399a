//! What runs out, and where a deal stands.

use chrono::TimeDelta;
use kernel::{Caller, Error, Instant, LeaseName, OperatorParent};
use postgres::Tx;
use postgres::page::Listing;

use super::{App, Page, View, rpc};
use crate::domain::deadline::{Deadline, DeadlineKind, Place, of_lease, of_quote, of_right_offer};
use crate::domain::delivery::NextAction;
use crate::domain::quote_record::QuoteState;
use crate::domain::right::OfferState;
use crate::domain::state::{COMMITTED, OPEN};
use crate::domain::{Bid, BidState};
use crate::store::{self, BidFilter, Filter, QuoteFilter, RightOfferFilter};

/// Leases, quotes or bids read at once; a list goes through all of them.
const BATCH: u32 = 1_000;

/// What a list asks for.
#[derive(Clone, Debug)]
pub struct ListDeadlines {
    /// Of whom.
    pub parent: OperatorParent,
    /// How far ahead.
    pub within_days: i64,
    /// Of these kinds; empty is any.
    pub kinds: Vec<DeadlineKind>,
    /// At most so many.
    pub page_size: u32,
    /// The page before's `next`.
    pub page_token: String,
}

impl App {
    /// What runs out within some days, the earliest first.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for another's operator; `INVALID_PAGE_TOKEN`.
    pub async fn list_deadlines(
        &self,
        caller: &Caller,
        query: &ListDeadlines,
    ) -> Result<Page<Deadline>, Error> {
        let scope = match &query.parent {
            OperatorParent::All => caller.scope(),
            OperatorParent::One(operator) => caller.scope_of_operator(operator)?,
        };
        let filter_text = format!("{} {} {:?}", query.parent, query.within_days, query.kinds);
        let organisation = caller.effective_organisation().to_string();
        let listing = Listing { caller: &organisation, rpc: rpc::LIST_DEADLINES, filter: &filter_text };
        let real_time = self.db.database_time().await?;
        let after: Option<Place> = self.pages.open(&listing, &query.page_token, real_time)?;
        let mut found = self
            .db
            .read("list_deadlines", &scope, |tx| async move {
                let mut found = lease_deadlines(&tx, &query.parent).await?;
                found.extend(quote_deadlines(&tx, &query.parent).await?);
                found.extend(bid_deadlines(&tx, &query.parent).await?);
                found.extend(right_deadlines(&tx, &query.parent).await?);
                Ok((tx, found))
            })
            .await?;
        // Each clock decides about its own: business time may stand elsewhere than the database's.
        let (business, days) = (self.now(), TimeDelta::days(query.within_days));
        found.retain(|one| {
            let now = if one.kind.is_of_database() { real_time } else { business };
            one.time > now
                && one.time <= now + days
                && (query.kinds.is_empty() || query.kinds.contains(&one.kind))
                && after.as_ref().is_none_or(|after| one.place() > *after)
        });
        found.sort_by_cached_key(Deadline::place);
        found.dedup();
        self.page_of(&listing, real_time, query.page_size, found, Deadline::place)
    }

    /// A lease, and what comes next for it.
    ///
    /// # Errors
    /// As [`App::get_lease`].
    pub async fn delivery_status(
        &self,
        caller: &Caller,
        name: &LeaseName,
    ) -> Result<(View, NextAction), Error> {
        let view = self.get_lease(caller, name).await?;
        let next = NextAction::of(&view.lease, self.now());
        Ok((view, next))
    }
}

async fn lease_deadlines(tx: &Tx, parent: &OperatorParent) -> Result<Vec<Deadline>, Error> {
    let mut filter = Filter {
        operator: parent.operator().map(ToString::to_string),
        // States in which something can run out for a lease.
        states: [OPEN, COMMITTED].concat(),
        limit: BATCH,
        ..Filter::default()
    };
    let mut found = Vec::new();
    loop {
        let leases = store::list(tx.conn(), &filter).await?;
        found.extend(leases.iter().flat_map(of_lease));
        match leases.last() {
            Some(last) if leases.len() == usize::try_from(BATCH).unwrap_or(usize::MAX) => {
                filter.after = Some((last.name.operator.to_string(), last.name.lease.to_string()));
            }
            _ => return Ok(found),
        }
    }
}

async fn quote_deadlines(tx: &Tx, parent: &OperatorParent) -> Result<Vec<Deadline>, Error> {
    let mut filter = QuoteFilter {
        operator: parent.operator().cloned(),
        states: vec![QuoteState::PendingApproval, QuoteState::Open],
        limit: BATCH,
        ..QuoteFilter::default()
    };
    let mut found = Vec::new();
    loop {
        let quotes = store::list_quotes(tx.conn(), &filter).await?;
        found.extend(quotes.iter().filter_map(of_quote));
        match quotes.last() {
            Some(last) if quotes.len() == usize::try_from(BATCH).unwrap_or(usize::MAX) => {
                filter.after = Some(last.name.quote.get());
            }
            _ => return Ok(found),
        }
    }
}

async fn right_deadlines(tx: &Tx, parent: &OperatorParent) -> Result<Vec<Deadline>, Error> {
    let mut filter = RightOfferFilter {
        operator: parent.operator().cloned(),
        states: vec![OfferState::Open],
        limit: BATCH,
        ..RightOfferFilter::default()
    };
    let mut found = Vec::new();
    loop {
        let offers = store::list_right_offers(tx.conn(), &filter).await?;
        found.extend(offers.iter().filter_map(of_right_offer));
        match offers.last() {
            Some(last) if offers.len() == usize::try_from(BATCH).unwrap_or(usize::MAX) => {
                filter.after = Some(last.place());
            }
            _ => return Ok(found),
        }
    }
}

/// Of the bids that the scope sees, and of the requests that they answer; of a request without one, nothing runs out
/// for an operator, and a tenant knows its own deadlines.
async fn bid_deadlines(tx: &Tx, parent: &OperatorParent) -> Result<Vec<Deadline>, Error> {
    let mut filter = BidFilter {
        operator: parent.operator().cloned(),
        states: vec![BidState::Submitted, BidState::Awarding, BidState::Awarded],
        limit: BATCH,
        ..BidFilter::default()
    };
    let mut found = Vec::new();
    loop {
        let bids = store::list_bids(tx.conn(), &filter).await?;
        found.extend(bids.iter().flat_map(of_bid));
        match bids.last() {
            Some(last) if bids.len() == usize::try_from(BATCH).unwrap_or(usize::MAX) => {
                let operator = last.name.operator.to_string();
                filter.after = Some((last.triple_net.year_one, operator, last.name.bid.get()));
            }
            _ => return Ok(found),
        }
    }
}

fn of_bid(bid: &Bid) -> Vec<Deadline> {
    let at = |time: Instant, kind| Deadline::at(time, kind, bid.name.to_string(), bid.offer.critical_it_kw);
    let hold = bid.hold.map(|hold| at(hold.expire_time, DeadlineKind::BidHold));
    let mut found: Vec<_> = hold.into_iter().collect();
    if bid.state == BidState::Submitted {
        found.push(at(bid.offer.valid_until, DeadlineKind::BidValidity));
        let request = bid.offer.request.to_string();
        let deadline =
            Deadline::at(bid.bid_deadline, DeadlineKind::BidDeadline, request, bid.offer.critical_it_kw);
        found.push(deadline);
    }
    found
}
