//! What a quote holds while it stands: whole blocks, since options of several structures on one block take the same
//! capacity.

use kernel::{BlockName, Error, Instant, ReservationId, Uuid};
use serde::{Deserialize, Serialize};

use super::lease::{Hold, Lease, Proposal};
use super::quote::Offer;
use super::quote_record::{Quote, QuoteDeed, QuoteState, nobody_must_approve};

/// A block that is held for a quote's options on it. The hold is placed as that of the lease which the quote may
/// become, so that proposing the lease finds it there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuoteHold {
    /// The block.
    pub block: BlockName,
    /// Parent of the derived request ids, the quote's and the lease's alike.
    pub uid: Uuid,
    /// How long it was asked to last, in seconds.
    pub seconds: i64,
    /// Inventory's id; none until it is known.
    pub reservation: Option<ReservationId>,
}

impl QuoteHold {
    /// Holds of the first `blocks_max` blocks in the options' order.
    pub fn plan(
        offers: &[Offer],
        blocks_max: usize,
        seconds: i64,
        mut new_uid: impl FnMut() -> Uuid,
    ) -> Vec<Self> {
        let mut holds: Vec<Self> = Vec::new();
        for block in offers.iter().filter_map(Offer::block) {
            if holds.len() < blocks_max && !holds.iter().any(|hold| hold.block == *block) {
                holds.push(Self { block: block.clone(), uid: new_uid(), seconds, reservation: None });
            }
        }
        holds
    }
}

impl Quote {
    /// What is held for an option.
    #[must_use]
    pub fn hold_of(&self, offer: &Offer) -> Option<&QuoteHold> {
        self.holds.iter().find(|hold| Some(&hold.block) == offer.block())
    }

    /// The lease that one of the holds is placed for: of any option on its block, since all take the same.
    ///
    /// # Errors
    /// What [`Lease::propose`] fails with.
    pub fn lease_of_hold(&self, hold: &QuoteHold, now: Instant) -> Result<Lease, Error> {
        let offer = self.offers.iter().find(|offer| offer.block() == Some(&hold.block));
        let offer = offer.ok_or_else(|| Error::internal("a quote holds a block of none of its options"))?;
        let proposal = Proposal {
            name: self.lease_name()?,
            uid: hold.uid,
            tenant: self.tenant.clone(),
            terms: offer.terms.clone(),
            hold_seconds: hold.seconds,
        };
        let (mut lease, _) = Lease::propose(proposal, now)?;
        // When it ends is inventory's to say.
        lease.hold = hold.reservation.map(|reservation| Hold { reservation, expire_time: self.valid_until });
        Ok(lease)
    }

    /// Inventory holds everything, in order: the quote is made.
    ///
    /// # Errors
    /// `INVALID_STATE_TRANSITION`.
    pub fn held(mut self, reservations: &[ReservationId], now: Instant) -> Result<Self, Error> {
        let deed = if nobody_must_approve(&self.offers) { QuoteDeed::Offer } else { QuoteDeed::Defer };
        self.go(deed, now)?;
        for (hold, reservation) in self.holds.iter_mut().zip(reservations) {
            hold.reservation = Some(*reservation);
        }
        Ok(self)
    }

    /// Whether a hold under this uid is still the quote's. One of an accepted quote is its lease's.
    #[must_use]
    pub fn wants(&self, uid: Uuid) -> bool {
        let stands = match self.state {
            QuoteState::Holding | QuoteState::PendingApproval | QuoteState::Open | QuoteState::Accepting => {
                true
            }
            QuoteState::Accepted | QuoteState::Rejected | QuoteState::Lapsed => false,
        };
        stands && self.holds.iter().any(|hold| hold.uid == uid)
    }

    /// Notes a hold that inventory tells of before whoever asked for it could. Says whether anything changed.
    pub fn note(&mut self, uid: Uuid, reservation: ReservationId) -> bool {
        let unknown = self.holds.iter_mut().find(|hold| hold.uid == uid && hold.reservation.is_none());
        unknown.map(|hold| hold.reservation = Some(reservation)).is_some()
    }

    /// A hold is gone without the quote: its options are offered without one. One that is being taken up, or is still
    /// being placed, is decided by inventory's answer. Says whether anything changed.
    pub fn lose(&mut self, uid: Uuid) -> bool {
        let before = self.holds.len();
        if matches!(self.state, QuoteState::PendingApproval | QuoteState::Open) {
            self.holds.retain(|hold| hold.uid != uid);
        }
        self.holds.len() < before
    }

    /// Takes the holds away that the lease of the accepted option does not take over, and says which.
    #[must_use]
    pub fn let_go(&mut self) -> Vec<ReservationId> {
        let kept = match self.state {
            QuoteState::Accepted => {
                self.accepted.and_then(|number| self.option(number)).and_then(Offer::block)
            }
            _ => None,
        };
        let gone = self.holds.iter().filter(|hold| Some(&hold.block) != kept);
        let gone = gone.filter_map(|hold| hold.reservation).collect();
        self.holds.clear();
        gone
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{at, quote};

    fn uid(n: u128) -> Uuid {
        Uuid::from_u128(n)
    }

    fn holding() -> Quote {
        let mut quote = quote(&["hall-a", "hall-b"]);
        let mut next = 0;
        quote.holds = QuoteHold::plan(&quote.offers, 5, 3_600, || {
            next += 1;
            uid(next)
        });
        quote.state = QuoteState::Holding;
        quote
    }

    fn held() -> Quote {
        let ids = [7, 8].map(|n| ReservationId::new(uid(n)));
        holding().held(&ids, at("2026-12-02")).unwrap()
    }

    #[test]
    fn a_block_is_held_once_for_all_its_options() {
        let quote = holding();
        assert_eq!(quote.offers.len(), 6, "three structures on two halls");
        assert_eq!(quote.holds.len(), 2);
        assert_eq!(QuoteHold::plan(&quote.offers, 1, 60, || uid(1)).len(), 1);
        assert!(QuoteHold::plan(&quote.offers, 0, 60, || uid(1)).is_empty());
        // What is held is what the lease of each option would hold.
        for offer in &quote.offers {
            let hold = quote.hold_of(offer).unwrap();
            let lease = quote.lease_of_hold(hold, at("2026-12-02")).unwrap();
            let claims: Vec<_> = lease.premises.iter().map(|one| one.claim(0)).collect();
            let own = crate::domain::schedule::freeze(&offer.terms).unwrap();
            assert_eq!(claims, own.iter().map(|one| one.claim(0)).collect::<Vec<_>>());
        }
    }

    #[test]
    fn the_accepted_option_keeps_its_hold_and_the_others_are_let_go() {
        let (time, now) = (at("2026-12-02"), at("2026-12-02"));
        let number = 1 + u32::try_from(
            held()
                .offers
                .iter()
                .position(|offer| offer.block().unwrap().to_string().ends_with("hall-b"))
                .unwrap(),
        )
        .unwrap();
        let mut accepted = held().accept(number, None, time, now).unwrap().proposed(now).unwrap();
        assert_eq!(accepted.let_go(), [ReservationId::new(uid(7))]);
        assert!(accepted.holds.is_empty() && !accepted.wants(uid(2)));
        let mut rejected = held().reject("No.", now).unwrap();
        assert_eq!(rejected.let_go().len(), 2);
    }

    #[test]
    fn a_hold_that_is_gone_leaves_an_offer_without_one() {
        let mut quote = held();
        assert!(quote.wants(uid(1)) && quote.lose(uid(1)) && !quote.wants(uid(1)) && !quote.lose(uid(1)));
        assert_eq!(quote.state, QuoteState::Open);
        // While it is being taken up, inventory's answer decides.
        let mut accepting = held().accept(1, None, at("2026-12-02"), at("2026-12-02")).unwrap();
        assert!(!accepting.lose(uid(1)) && accepting.wants(uid(1)));
        let mut holding = holding();
        assert!(!holding.lose(uid(1)) && !holding.is_shown());
        // What was told of is let go, whoever placed it.
        let told = ReservationId::new(uid(8));
        assert!(holding.note(uid(2), told) && !holding.note(uid(2), told) && !holding.note(uid(3), told));
        assert_eq!(holding.let_go(), [told]);
    }

    #[test]
    fn validity_is_the_databases_and_its_end_is_too_late() {
        let (end, now) = (at("2026-12-31"), at("2026-12-02"));
        assert_eq!(held().valid_until, end);
        let late = held().accept(1, None, end, now).unwrap_err();
        assert_eq!(late.reason(), kernel::Reason::QuoteLapsed);
        held().accept(1, None, end - chrono::TimeDelta::microseconds(1), now).unwrap();
        // Business time may be anything.
        held().accept(1, None, now, at("2027-06-01")).unwrap();
    }
}
