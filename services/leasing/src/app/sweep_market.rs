//! The broom among bids: finishes bids and awards that are half done, and ends bids that have nothing to wait for.

use futures::StreamExt as _;
use kernel::{BidName, CapacityRequestName, Error, Organisation};

use super::requests::is_refusal;
use super::{App, Award, kind, rpc};
use crate::domain::market_state::{BidDeed, BidState};
use crate::store::{self, Ending};

const BATCH: u32 = 64;
/// Sagas finished side by side: each waits for inventory most of its time.
const ABREAST: usize = 8;

impl App {
    /// One look at everything that waits for somebody.
    pub(crate) async fn sweep_market(&self) -> Result<(), Error> {
        let hands = self.worker();
        let (bids, awards) = hands
            .db
            .in_tx("claim_bids", hands.scope, |tx| async move {
                let bids = store::due_bids(tx.conn(), BATCH).await?;
                let awards = store::due_awards(tx.conn(), BATCH).await?;
                Ok((tx, (bids, awards)))
            })
            .await?;
        futures::stream::iter(bids)
            .for_each_concurrent(ABREAST, |name| async move {
                if let Err(error) = self.go_on_with_bid(&name).await {
                    tracing::info!(bid = %name, reason = %error.reason(), %error, "not finished yet");
                }
            })
            .await;
        futures::stream::iter(awards)
            .for_each_concurrent(ABREAST, |name| async move {
                if let Err(error) = self.go_on_with_award(&name).await {
                    tracing::info!(request = %name, reason = %error.reason(), %error, "not finished yet");
                }
            })
            .await;
        self.end_bids().await
    }

    async fn go_on_with_bid(&self, name: &BidName) -> Result<(), Error> {
        let hands = self.worker();
        let (bid, intent) = hands
            .db
            .read("load_bid", hands.scope, |tx| async move {
                let bid = store::find_bid(tx.conn(), name).await?;
                let intent = store::bid_intent_of(tx.conn(), name, rpc::SUBMIT_BID).await?;
                Ok((tx, (bid, intent)))
            })
            .await?;
        let Some((bid, intent)) = bid.zip(intent) else { return Ok(()) };
        let organisation = Organisation::Operator(name.operator.clone());
        let claims = self.inventory.claims_of(&organisation, &bid.offer).await?;
        match self.finish_bid(hands, bid, &claims, &intent).await {
            Err(refusal) if is_refusal(refusal.reason()) => {
                tracing::info!(bid = %name, reason = %refusal.reason(), "bid refused; its intent is gone");
                Ok(())
            }
            done => done.map(|_| ()),
        }
    }

    async fn go_on_with_award(&self, name: &CapacityRequestName) -> Result<(), Error> {
        let hands = self.worker();
        let found = hands
            .db
            .read("load_award", hands.scope, |tx| async move {
                let request = store::find_request(tx.conn(), name).await?;
                let intent = store::award_of(tx.conn(), name, rpc::AWARD_BID).await?;
                let Some((request, intent)) = request.zip(intent) else { return Ok((tx, None)) };
                let bids = store::chosen_bids(tx.conn(), name, request.round()?).await?;
                Ok((tx, Some((Award { request, bids }, intent))))
            })
            .await?;
        match found {
            Some((award, intent)) => self.finish_award(hands, award, &intent).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// Bids of closed requests are lost or go back unopened, and bids whose validity has ended lapse.
    async fn end_bids(&self) -> Result<(), Error> {
        let hands = self.worker();
        let ended = hands
            .db
            .read("find_ended_bids", hands.scope, |tx| async move {
                let ended = store::ended_bids(tx.conn(), BATCH).await?;
                Ok((tx, ended))
            })
            .await?;
        for name in &ended {
            self.end_bid(name).await?;
        }
        if !ended.is_empty() {
            self.feed.notify();
        }
        Ok(())
    }

    /// Behind the lock the bid is looked at again: another replica, or its tenant, may have been here.
    async fn end_bid(&self, name: &BidName) -> Result<(), Error> {
        let now = self.now();
        let hands = self.worker();
        hands
            .db
            .in_tx("end_bid", hands.scope, |tx| async move {
                let bid = store::lock_bid(tx.conn(), name).await?;
                let Some(mut bid) = bid.filter(|bid| bid.state == BidState::Submitted) else {
                    return Ok((tx, ()));
                };
                let Some((ending, time)) = store::ending_of(tx.conn(), name).await? else {
                    return Ok((tx, ()));
                };
                let (deed, kind) = match ending {
                    Ending::Lost => (BidDeed::Lose, kind::BID_LOST),
                    Ending::Returned => (BidDeed::Return, kind::BID_RETURNED),
                    Ending::Lapsed => (BidDeed::Lapse, kind::BID_LAPSED),
                };
                let from = bid.revision;
                bid.go(deed, now)?;
                store::save_bid(tx.conn(), &bid, from, false).await?;
                if let Some(hold) = bid.hold {
                    let id = name.bid.to_string();
                    store::note_release(tx.conn(), &name.operator, hold.reservation, &id).await?;
                }
                self.tell_bid(&tx, kind, &bid, time).await?;
                Ok((tx, ()))
            })
            .await
    }
}
