//! What a lease takes of inventory, beside what it took before.

use super::lease::Lease;
use super::state::PremisesState;

impl Lease {
    /// Whether its reservation is to take the same for another lease as for this one.
    #[must_use]
    pub fn takes_as(&self, other: &Self) -> bool {
        let sorted = |lease: &Self| {
            let mut claims = lease.claims();
            claims.sort_by_cached_key(|claim| claim.block.to_string());
            claims
        };
        sorted(self) == sorted(other)
    }

    /// Whether it takes capacity before the day from which on the terms before gave it, or beyond them, or of another block, or
    /// anything else by other terms.
    #[must_use]
    pub fn takes_more_than(&self, before: &Self) -> bool {
        let pairs = || before.premises.iter().zip(&self.premises);
        let early = pairs().any(|(before, after)| {
            let reserved = before.commencement.min(before.agreed.start());
            after.state == PremisesState::Commenced && after.commencement < reserved
        });
        let stays =
            pairs().any(|(before, after)| after.standing.held_over_from.is_some() && after.end > before.end);
        let has = before.claims();
        let more = self.claims().iter().any(|wanted| !has.iter().any(|claim| claim.block == wanted.block));
        early || stays || more || self.version != before.version && !self.takes_as(before)
    }
}
