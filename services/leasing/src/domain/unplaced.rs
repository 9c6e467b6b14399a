//! What capacity without blocks comes to, and what it comes to once blocks are named.

use kernel::{DateRange, Error, Money, QuantityStep};

use super::lease::Lease;
use super::nomination::Nomination;
use super::premises::Premises;
use super::schedule::{self, Value, agreed_lines, freeze_one, rates, risen, start_with, sum, too_large};
use super::terms::{PremisesTerms, Terms};

/// Blocks that join those of a lease, by terms that have them.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rate outgrows its type.
pub(super) fn join(
    terms: &Terms,
    agreed: &[PremisesTerms],
    premises: &[Premises],
) -> Result<Vec<Premises>, Error> {
    let lease_start = start_with(premises, agreed);
    agreed.iter().map(|one| freeze_one(terms, one, lease_start)).collect()
}

/// The rent over its term of what is not placed yet, as if one block were named for all of it.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
fn unplaced(terms: &Terms, premises: &[Premises], one: &Nomination) -> Result<Money, Error> {
    let range = DateRange::new(one.commencement, one.end).map_err(|_| too_large())?;
    let live = premises.iter().filter(|one| one.state.is_leased()).map(|one| one.commencement);
    let planned = terms.nominations.iter().map(|one| one.commencement);
    let lease_start = live.chain(planned).min().unwrap_or(one.commencement);
    let rates = rates(terms, one.rate, lease_start, range)?;
    let rates = risen(terms, lease_start, one.commencement, rates, one.end)?;
    let quantity = [QuantityStep { from: one.commencement, kw: one.capacity.critical_it }];
    sum(terms, agreed_lines(terms, range, &quantity, &rates, range)?)
}

impl Lease {
    /// What it is worth: what its blocks come to, and apart from it what is not placed yet.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
    pub fn value(&self) -> Result<Value, Error> {
        let mut value = schedule::value(&self.terms, &self.premises)?;
        for one in self.open_nominations() {
            let rent = unplaced(&self.terms, &self.premises, one)?;
            let sum = value.unplaced_contract_value.checked_add(rent);
            value.unplaced_contract_value = sum.ok_or_else(too_large)?;
            value.unplaced_it_kw = value.unplaced_it_kw.saturating_add(one.capacity.critical_it);
        }
        Ok(value)
    }
}
