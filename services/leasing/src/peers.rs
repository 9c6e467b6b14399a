//! What leasing asks of inventory. Never inside a transaction: facts are gathered before it, effects follow after it.

mod candidates;
mod market;
mod names;
mod news;
mod power;

use contracts::common::v1::{CapacityProfile, CapacityStep, Event};
use contracts::inventory::v1 as wire;
use contracts::inventory::v1::event_service_client::EventServiceClient;
use contracts::inventory::v1::reservation_service_client::ReservationServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use kernel::{
    BidName, BlockName, Error, Instant, LeaseName, Organisation, ReservationName, SiteName, Uuid, Violations,
    Zone, derive_id,
};
use prost::Message as _;
use runtime::client::Peer;
use runtime::feed::FeedStream;
use runtime::wire::{instant, to_capacity, to_duration, to_timestamp};

use crate::domain::{Claim, Hold, Lease};
pub use news::{Heard, PhaseNews, Shortage, heard};

/// Message of inventory's feed.
pub type FeedMessage = wire::WatchEventsResponse;
/// An event of inventory's feed.
pub type FeedEvent = Event;

/// Long enough for a process to come back; what it leaves then ends by itself.
const TAKING_SECONDS: i64 = 15 * 60;
const RESERVATION_TYPE: &str = "gridlease.inventory.v1.Reservation";

/// The inventory service.
#[derive(Clone)]
pub struct Inventory {
    peer: Peer,
}

/// Where a reservation stands, as inventory says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Held until then.
    Held(Instant),
    /// Taken for good.
    Committed,
    /// Given back.
    Released,
    /// Its time ran out.
    Expired,
}

/// What an event says about a reservation for a lease or a bid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// The reservation.
    pub reservation: ReservationName,
    /// Where it stands.
    pub standing: Standing,
    /// The lease it was placed for, if its note says so.
    pub lease_uid: Option<Uuid>,
    /// What that lease is called, or would be.
    pub lease_name: Option<LeaseName>,
    /// The bid it was placed for, if its note says so.
    pub bid_uid: Option<Uuid>,
}

impl Inventory {
    /// Inventory behind this peer.
    #[must_use]
    pub fn new(peer: Peer) -> Self {
        Self { peer }
    }

    /// The zone of each of these sites, each asked once.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND` for a site that `organisation` may not see; what [`Peer::call`] fails with.
    pub async fn zones(
        &self,
        organisation: &Organisation,
        sites: impl Iterator<Item = SiteName> + Send,
    ) -> Result<Vec<(SiteName, Zone)>, Error> {
        let mut known: Vec<(SiteName, Zone)> = Vec::new();
        for site in sites {
            if !known.iter().any(|(name, _)| *name == site) {
                let zone = self.zone(organisation, &site).await?;
                known.push((site, zone));
            }
        }
        Ok(known)
    }

    async fn zone(&self, organisation: &Organisation, site: &SiteName) -> Result<Zone, Error> {
        let request = wire::GetSiteRequest { name: site.to_string(), ..Default::default() };
        let reply = self
            .peer
            .call(Some(organisation), request, |channel, request| async move {
                SiteServiceClient::new(channel).get_site(request).await
            })
            .await?;
        let site = reply.site.ok_or_else(|| nonsense("a site"))?;
        site.time_zone.parse().map_err(|_| nonsense("a time zone"))
    }

    /// Holds the capacity of a lease; the same lease always gets the same hold.
    ///
    /// # Errors
    /// Inventory's refusal, unchanged; what [`Peer::call`] fails with.
    pub async fn place_hold(&self, organisation: &Organisation, lease: &Lease) -> Result<Hold, Error> {
        let reply = self.send_hold(organisation, lease, "hold", lease.hold_seconds, false).await?;
        hold_of(reply.reservation)
    }

    /// Holds, for its operator and for as long as it takes to commit it, what a lease takes that had nothing before. `step` names the
    /// attempt: the same step gets the same hold.
    ///
    /// # Errors
    /// As [`Inventory::place_hold`].
    pub async fn take(&self, lease: &Lease, step: &str) -> Result<Hold, Error> {
        let operator = Organisation::Operator(lease.name.operator.clone());
        let reply = self.send_hold(&operator, lease, step, TAKING_SECONDS, false).await?;
        hold_of(reply.reservation)
    }

    /// Asks whether the reservation of a lease, if it has one, could take what is wanted.
    ///
    /// # Errors
    /// As [`Inventory::amend`].
    pub async fn check_claims(&self, lease: &Lease, wanted: &Lease) -> Result<(), Error> {
        if lease.hold.is_some() {
            return self.amend(lease, &wanted.claims(), "check", true).await;
        }
        let operator = Organisation::Operator(lease.name.operator.clone());
        self.send_hold(&operator, wanted, "check", TAKING_SECONDS, true).await.map(|_| ())
    }

    /// Asks whether the capacity could be held now.
    ///
    /// # Errors
    /// As [`Inventory::place_hold`].
    pub async fn check_hold(&self, organisation: &Organisation, lease: &Lease) -> Result<(), Error> {
        self.send_hold(organisation, lease, "hold", lease.hold_seconds, true).await.map(|_| ())
    }

    async fn send_hold(
        &self,
        organisation: &Organisation,
        lease: &Lease,
        step: &str,
        seconds: i64,
        validate_only: bool,
    ) -> Result<wire::PlaceHoldResponse, Error> {
        let seconds = u64::try_from(seconds).map_err(Error::internal)?;
        let request = wire::PlaceHoldRequest {
            parent: format!("operators/{}", lease.name.operator),
            tenant: lease.tenant.to_string(),
            kind: wire::ReservationKind::Lease.into(),
            claims: lease.claims().iter().map(claim).collect(),
            hold_duration: Some(to_duration(std::time::Duration::from_secs(seconds))),
            note: note(lease),
            request_id: derive_id(lease.uid, step).to_string(),
            validate_only,
        };
        self.peer
            .call(Some(organisation), request, |channel, request| async move {
                ReservationServiceClient::new(channel).place_hold(request).await
            })
            .await
    }

    /// Makes the hold last `minimum` from now, by inventory's clock. `step` names the attempt: the same step gets
    /// the same answer.
    ///
    /// # Errors
    /// Inventory's refusal, such as `HOLD_EXPIRED`; what [`Peer::call`] fails with.
    pub async fn extend_hold(
        &self,
        organisation: &Organisation,
        lease: &Lease,
        step: &str,
        minimum: std::time::Duration,
        validate_only: bool,
    ) -> Result<(), Error> {
        let request = wire::ExtendHoldRequest {
            name: reservation_of(lease)?.to_string(),
            hold_expire_time: None,
            minimum_duration: Some(to_duration(minimum)),
            etag: String::new(),
            request_id: derive_id(lease.uid, step).to_string(),
            validate_only,
        };
        self.peer
            .call(Some(organisation), request, |channel, request| async move {
                ReservationServiceClient::new(channel).extend_hold(request).await
            })
            .await
            .map(|_| ())
    }

    /// Commits the capacity of a lease; once for ever.
    ///
    /// # Errors
    /// Inventory's refusal, such as `HOLD_EXPIRED`; what [`Peer::call`] fails with.
    pub async fn commit(&self, organisation: &Organisation, lease: &Lease) -> Result<(), Error> {
        let name = reservation_of(lease)?;
        let request = wire::CommitReservationRequest {
            name: name.to_string(),
            request_id: derive_id(name.reservation.get(), "commit").to_string(),
            validate_only: false,
        };
        self.peer
            .call(Some(organisation), request, |channel, request| async move {
                ReservationServiceClient::new(channel).commit_reservation(request).await
            })
            .await
            .map(|_| ())
    }

    /// Makes the reservation of a lease take this and nothing else. `step` names the change: the same step gets the same
    /// answer.
    ///
    /// # Errors
    /// Inventory's refusal, such as `CAPACITY_EXHAUSTED`; what [`Peer::call`] fails with.
    pub async fn amend(
        &self,
        lease: &Lease,
        claims: &[Claim],
        step: &str,
        validate_only: bool,
    ) -> Result<(), Error> {
        let name = reservation_of(lease)?;
        let request = wire::AmendReservationRequest {
            name: name.to_string(),
            claims: claims.iter().map(claim).collect(),
            tenant: lease.tenant.to_string(),
            etag: String::new(),
            request_id: derive_id(lease.uid, step).to_string(),
            validate_only,
        };
        self.peer
            .call(Some(&operator_of(&name)), request, |channel, request| async move {
                ReservationServiceClient::new(channel).amend_reservation(request).await
            })
            .await
            .map(|_| ())
    }

    /// Gives a reservation back, for its operator.
    ///
    /// # Errors
    /// Inventory's refusal, such as `HOLD_EXPIRED`; what [`Peer::call`] fails with.
    pub async fn release(&self, name: &ReservationName) -> Result<(), Error> {
        let request = wire::ReleaseReservationRequest {
            name: name.to_string(),
            etag: String::new(),
            request_id: derive_id(name.reservation.get(), "release").to_string(),
            validate_only: false,
        };
        self.peer
            .call(Some(&operator_of(name)), request, |channel, request| async move {
                ReservationServiceClient::new(channel).release_reservation(request).await
            })
            .await
            .map(|_| ())
    }

    /// Where a reservation stands now.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`; what [`Peer::call`] fails with.
    pub async fn standing(&self, name: &ReservationName) -> Result<Standing, Error> {
        let request = wire::GetReservationRequest { name: name.to_string(), ..Default::default() };
        let reply = self
            .peer
            .call(Some(&operator_of(name)), request, |channel, request| async move {
                ReservationServiceClient::new(channel).get_reservation(request).await
            })
            .await?;
        let reservation = reply.reservation.ok_or_else(|| nonsense("a reservation"))?;
        standing_of(&reservation)?.ok_or_else(|| nonsense("a state"))
    }

    /// Inventory's feed after a cursor, for leasing itself.
    ///
    /// # Errors
    /// What [`Peer::open`] fails with.
    pub async fn watch(&self, after: Option<String>) -> Result<FeedStream<FeedMessage>, Error> {
        let request = wire::WatchEventsRequest {
            parent: "operators/-".to_owned(),
            after_cursor: after.unwrap_or_default(),
            kinds: Vec::new(),
        };
        self.peer
            .open(None, request, |channel, request| async move {
                EventServiceClient::new(channel).watch_events(request).await
            })
            .await
    }
}

/// What an event of inventory's feed says about a reservation for a lease or a bid; `None` for everything else.
///
/// # Errors
/// `INTERNAL` when the event does not read: it is tried again, never skipped.
pub fn notice(event: &Event) -> Result<Option<Notice>, Error> {
    let Some(data) = event.data.as_ref().filter(|data| data.type_url.ends_with(RESERVATION_TYPE)) else {
        return Ok(None);
    };
    let reservation = wire::Reservation::decode(data.value.as_slice()).map_err(Error::internal)?;
    let bid_uid =
        if reservation.kind() == wire::ReservationKind::Hold { bid_uid_of(&reservation) } else { None };
    let is_lease = reservation.kind() == wire::ReservationKind::Lease;
    if !is_lease && bid_uid.is_none() {
        return Ok(None);
    }
    let Some(standing) = standing_of(&reservation)? else { return Ok(None) };
    Ok(Some(Notice {
        reservation: reservation.name.parse().map_err(|_| nonsense("a reservation name"))?,
        standing,
        lease_uid: uid_of(&reservation.note).filter(|_| is_lease),
        lease_name: name_of(&reservation.note).filter(|_| is_lease),
        bid_uid,
    }))
}

/// The note of a lease's hold: for people its name, for the follower its uid, which is new for every attempt.
fn note(lease: &Lease) -> String {
    format!("{} #{}", lease.name, lease.uid)
}

fn name_of(note: &str) -> Option<LeaseName> {
    note.split_once(" #").and_then(|(name, _)| name.parse().ok())
}

fn uid_of(note: &str) -> Option<Uuid> {
    note.rsplit_once('#').and_then(|(_, uid)| Uuid::try_parse(uid).ok())
}

/// The uid of the bid that a hold was placed for: its note names a bid of its own operator, and nothing else.
fn bid_uid_of(reservation: &wire::Reservation) -> Option<Uuid> {
    let (bid, uid) = reservation.note.split_once(" #")?;
    let (bid, name) = (bid.parse::<BidName>().ok()?, reservation.name.parse::<ReservationName>().ok()?);
    if bid.operator == name.operator { Uuid::try_parse(uid).ok() } else { None }
}

fn claim(claim: &Claim) -> wire::Claim {
    let steps = claim
        .steps
        .iter()
        .map(|(from, capacity)| CapacityStep {
            start_time: Some(to_timestamp(*from)),
            capacity: Some(to_capacity(*capacity)),
        })
        .collect();
    let profile = CapacityProfile { steps, end_time: Some(to_timestamp(claim.end)) };
    wire::Claim { block: claim.block.to_string(), profile: Some(profile) }
}

fn operator_of(name: &ReservationName) -> Organisation {
    Organisation::Operator(name.operator.clone())
}

fn reservation_of(lease: &Lease) -> Result<ReservationName, Error> {
    let hold = lease.hold.ok_or_else(|| Error::internal("a lease without a hold was to be committed"))?;
    Ok(ReservationName::new(lease.name.operator.clone(), hold.reservation))
}

fn hold_of(reservation: Option<wire::Reservation>) -> Result<Hold, Error> {
    let reservation = reservation.ok_or_else(|| nonsense("a reservation"))?;
    let name: ReservationName = reservation.name.parse().map_err(|_| nonsense("a reservation name"))?;
    Ok(Hold { reservation: name.reservation, expire_time: expire_time(&reservation)? })
}

fn expire_time(reservation: &wire::Reservation) -> Result<Instant, Error> {
    let mut v = Violations::new();
    instant(&mut v, "hold_expire_time", reservation.hold_expire_time.as_ref())
        .ok_or_else(|| nonsense("a hold_expire_time"))
}

/// `None` for a state that a newer inventory may know.
fn standing_of(reservation: &wire::Reservation) -> Result<Option<Standing>, Error> {
    Ok(match reservation.state() {
        wire::ReservationState::Unspecified => None,
        wire::ReservationState::Held => Some(Standing::Held(expire_time(reservation)?)),
        wire::ReservationState::Committed => Some(Standing::Committed),
        // Nothing is left of one that became part of another: for a lease on it that is the same.
        wire::ReservationState::Released | wire::ReservationState::Merged => Some(Standing::Released),
        wire::ReservationState::Expired => Some(Standing::Expired),
    })
}

fn nonsense(what: &str) -> Error {
    Error::internal(format!("inventory answered without {what} that can be read"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_gives_back_its_uid_and_others_give_none() {
        let uid = Uuid::from_u128(7);
        let note = format!("operators/hut8/leases/river-bend #{uid}");
        assert_eq!(uid_of(&note), Some(uid));
        assert_eq!(
            name_of(&note).map(|name| name.to_string()).as_deref(),
            Some("operators/hut8/leases/river-bend")
        );
        assert_eq!(uid_of("call Anna about suite #4"), None);
        assert_eq!(uid_of(""), None);
    }

    #[test]
    fn only_reservations_for_leases_are_noticed() {
        let reservation = |kind: wire::ReservationKind| wire::Reservation {
            name: format!("operators/hut8/reservations/{}", Uuid::from_u128(9)),
            kind: kind.into(),
            state: wire::ReservationState::Expired.into(),
            note: format!("operators/hut8/leases/a-b #{}", Uuid::from_u128(7)),
            ..wire::Reservation::default()
        };
        let event = |kind| Event {
            data: Some(prost_types::Any {
                type_url: format!("type.googleapis.com/{RESERVATION_TYPE}"),
                value: reservation(kind).encode_to_vec(),
            }),
            ..Event::default()
        };
        let seen = notice(&event(wire::ReservationKind::Lease)).unwrap().unwrap();
        assert_eq!(seen.standing, Standing::Expired);
        assert_eq!(seen.lease_uid, Some(Uuid::from_u128(7)));
        assert_eq!(notice(&event(wire::ReservationKind::Hold)).unwrap(), None);
        let of_bid = |operator: &str| wire::Reservation {
            note: format!("operators/{operator}/bids/{} #{}", Uuid::from_u128(8), Uuid::from_u128(7)),
            ..reservation(wire::ReservationKind::Hold)
        };
        assert_eq!(bid_uid_of(&of_bid("hut8")), Some(Uuid::from_u128(7)));
        assert_eq!(bid_uid_of(&of_bid("acme")), None);
        assert_eq!(notice(&Event::default()).unwrap(), None);
    }
}
