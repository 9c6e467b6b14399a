//! What leasing remembers. Decides nothing; every query runs in the scope of its transaction.

mod agreements;
mod bids;
mod capacity_requests;
mod entity;
mod leases;
mod life;
mod load;
mod opportunities;
mod quotes;
mod rate_cards;
mod rights;
mod sagas;
mod tenants;

pub use agreements::{
    AgreementFilter, find_agreement, insert_agreement, list_agreements, lock_agreement, save_agreement,
    share_agreement,
};
pub use bids::{
    BidFilter, Ending, bid_intent_of, chosen_bids, delete_bid_intent, due_bids, ended_bids, ending_of,
    find_bid, find_bid_intent, insert_bid, list_bids, lock_bid, note_bid_hold, save_bid, standing_bids,
};
pub use capacity_requests::{
    RequestFilter, award_of, due_awards, find_award, find_request, insert_request, list_requests,
    lock_request, save_request,
};
pub use leases::{Filter, add_signature, add_version, delete_intent, insert, list, save, save_premises};
pub use life::{
    due_leases, happenings, keep_phase, leases_waiting_for, note_due, note_former_tenant, note_happening,
    was_tenant,
};
pub use load::{load, load_version, lock};
pub use opportunities::{
    find_opportunity, insert_opportunity, list_opportunities, save_opportunity, sum_opportunities,
};
pub use quotes::{
    QuoteFilter, delete_quote_intent, due_quotes, find_quote, find_quote_intent, insert_quote, list_quotes,
    lock_quote, note_quote_holds, update_quote,
};
pub use rate_cards::{find_rate_card, insert_rate_card, list_rate_cards, lock_rate_card, update_rate_card};
pub use rights::{
    RightOfferFilter, due_right_offers, find_right_offer, insert_right_offer, list_right_offers,
    lock_right_offer, places_of, rights_on, save_right_offer,
};
pub use sagas::{
    Due, Intent, Release, due_releases, due_sagas, find_intent, forget_release, intent_of,
    lease_of_reservation, lease_of_uid, note_hold, note_release,
};
pub use tenants::{find_tenant, insert_tenant, list_tenants};

/// The schema of this service.
pub const SCHEMA: &str = "leasing";

/// What the database holds is not what was written: our own fault, or somebody's by hand.
#[derive(Debug, thiserror::Error)]
#[error("row of {table} does not read back: {column}")]
struct Corrupt {
    table: &'static str,
    column: &'static str,
}

fn corrupt(table: &'static str, column: &'static str) -> kernel::Error {
    kernel::Error::internal(Corrupt { table, column })
}

fn conflict(what: &str) -> kernel::Error {
    kernel::Error::refused(
        kernel::Reason::TransactionConflict,
        format!("The {what} was changed at the same time."),
    )
}

/// The database's time in an open transaction: what deadlines are judged by.
pub async fn database_time(conn: &impl sea_orm::ConnectionTrait) -> Result<kernel::Instant, kernel::Error> {
    let rows = sagas::query(conn, "select clock_timestamp()", []).await?;
    let row = rows.first().ok_or_else(|| kernel::Error::internal("the database told no time"))?;
    row.try_get_by_index(0).map_err(postgres::store_error)
}
