//! What bids ask of inventory.

use kernel::time::add_months;

use super::{
    BlockName, Claim, Error, Hold, Inventory, Organisation, ReservationServiceClient, SiteName,
    SiteServiceClient, Zone, claim, derive_id, hold_of, nonsense, to_duration, wire,
};
use crate::domain::Bid;
use crate::domain::bid::{BidPremises, Offer};

impl Inventory {
    /// What an offer would take, its site and its blocks known to be there.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for a site or block that `organisation` may not see; what [`super::Peer::call`] fails with.
    pub async fn claims_of(&self, organisation: &Organisation, offer: &Offer) -> Result<Vec<Claim>, Error> {
        if let Some(site) = &offer.site {
            self.site_exists(organisation, site).await?;
        }
        for premises in &offer.premises {
            self.block_exists(organisation, &premises.block).await?;
        }
        let sites = offer.premises.iter().map(|premises| premises.block.site_name());
        let zones = self.zones(organisation, sites).await?;
        let claim = |premises: &BidPremises| {
            let site = premises.block.site_name();
            let zone = zones.iter().find(|(name, _)| *name == site).map(|(_, zone)| *zone);
            claim_of(offer, premises, zone.ok_or_else(|| nonsense("a time zone"))?)
        };
        offer.premises.iter().map(claim).collect()
    }

    async fn site_exists(&self, organisation: &Organisation, site: &SiteName) -> Result<(), Error> {
        self.zone(organisation, site).await.map(|_| ())
    }

    async fn block_exists(&self, organisation: &Organisation, block: &BlockName) -> Result<(), Error> {
        let request = wire::GetBlockRequest { name: block.to_string(), ..Default::default() };
        self.peer
            .call(Some(organisation), request, |channel, request| async move {
                SiteServiceClient::new(channel).get_block(request).await
            })
            .await
            .map(|_| ())
    }

    /// Holds what a bid offers, for its operator; the same bid always gets the same hold. The hold names no tenant:
    /// inventory would show it to the tenant before the bid is revealed.
    ///
    /// # Errors
    /// Inventory's refusal, unchanged; what [`super::Peer::call`] fails with.
    pub async fn hold_bid(
        &self,
        bid: &Bid,
        claims: &[Claim],
        seconds: i64,
        validate_only: bool,
    ) -> Result<Option<Hold>, Error> {
        let seconds = u64::try_from(seconds).map_err(Error::internal)?;
        let request = wire::PlaceHoldRequest {
            parent: format!("operators/{}", bid.name.operator),
            tenant: String::new(),
            kind: wire::ReservationKind::Hold.into(),
            claims: claims.iter().map(claim).collect(),
            hold_duration: Some(to_duration(std::time::Duration::from_secs(seconds))),
            note: format!("{} #{}", bid.name, bid.uid),
            request_id: derive_id(bid.uid, "hold").to_string(),
            validate_only,
        };
        let reply = self
            .peer
            .call(Some(&operator_of(bid)), request, |channel, request| async move {
                ReservationServiceClient::new(channel).place_hold(request).await
            })
            .await?;
        if validate_only { Ok(None) } else { hold_of(reply.reservation).map(Some) }
    }

    /// Makes the hold of a chosen bid last `seconds` from now, by inventory's clock. `round` names the award: the same
    /// one gets the same answer.
    ///
    /// # Errors
    /// Inventory's refusal, such as `HOLD_EXPIRED`; what [`super::Peer::call`] fails with.
    pub async fn secure_bid(&self, bid: &Bid, hold: Hold, round: i32, seconds: i64) -> Result<Hold, Error> {
        let seconds = u64::try_from(seconds).map_err(Error::internal)?;
        let name = kernel::ReservationName::new(bid.name.operator.clone(), hold.reservation);
        let request = wire::ExtendHoldRequest {
            name: name.to_string(),
            hold_expire_time: None,
            minimum_duration: Some(to_duration(std::time::Duration::from_secs(seconds))),
            etag: String::new(),
            request_id: derive_id(bid.uid, &format!("award {round}")).to_string(),
            validate_only: false,
        };
        let reply = self
            .peer
            .call(Some(&operator_of(bid)), request, |channel, request| async move {
                ReservationServiceClient::new(channel).extend_hold(request).await
            })
            .await?;
        hold_of(reply.reservation)
    }
}

fn operator_of(bid: &Bid) -> Organisation {
    Organisation::Operator(bid.name.operator.clone())
}

/// The whole term at the same load, in instants of the site's zone.
fn claim_of(offer: &Offer, premises: &BidPremises, zone: Zone) -> Result<Claim, Error> {
    let months = i32::try_from(offer.term_months).map_err(Error::internal)?;
    let end = add_months(offer.commencement, months).ok_or_else(|| nonsense("a calendar"))?;
    Ok(Claim {
        block: premises.block.clone(),
        steps: vec![(zone.start_of_day(offer.commencement), premises.capacity)],
        end: zone.start_of_day(end),
    })
}
