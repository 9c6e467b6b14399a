//! What capacity without blocks comes to, and what it comes to once blocks are named.

use kernel::time::add_months;
use kernel::{CivilDate, DateRange, Error, Money, QuantityStep};

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

/// The rent over some days of its term of what is not placed yet, as if one block were named for all of it.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
fn unplaced(terms: &Terms, premises: &[Premises], one: &Nomination, days: DateRange) -> Result<Money, Error> {
    let range = DateRange::new(one.commencement, one.end).map_err(|_| too_large())?;
    let live = premises.iter().filter(|one| one.state.is_leased()).map(|one| one.commencement);
    let planned = terms.nominations.iter().map(|one| one.commencement);
    let lease_start = live.chain(planned).min().unwrap_or(one.commencement);
    let rates = rates(terms, one.rate, lease_start, range)?;
    let rates = risen(terms, lease_start, one.commencement, rates, one.end)?;
    let quantity = [QuantityStep { from: one.commencement, kw: one.capacity.critical_it }];
    sum(terms, agreed_lines(terms, range, &quantity, &rates, days)?)
}

impl Lease {
    /// What it is worth: what its blocks come to, and apart from it what is not placed yet.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
    pub fn value(&self) -> Result<Value, Error> {
        let mut value = schedule::value(&self.terms, &self.premises)?;
        for one in self.open_nominations() {
            let term = DateRange::new(one.commencement, one.end).map_err(|_| too_large())?;
            let rent = unplaced(&self.terms, &self.premises, one, term)?;
            let sum = value.unplaced_contract_value.checked_add(rent);
            value.unplaced_contract_value = sum.ok_or_else(too_large)?;
            value.unplaced_it_kw = value.unplaced_it_kw.saturating_add(one.capacity.critical_it);
        }
        Ok(value)
    }

    /// The rent of so many months from a day on, as it would have followed. Capacity that is not placed yet counts as if its blocks had
    /// been named: the tenant is bound to take them, and who has given notice would be rid of that by the notice, after which nobody names
    /// any.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
    pub(super) fn rent_following(&self, from: CivilDate, months: u32) -> Result<Money, Error> {
        let months = i32::try_from(months).map_err(|_| too_large())?;
        let until = add_months(from, months).ok_or_else(too_large)?;
        let mut total = schedule::rent_between(&self.terms, &self.premises, from, until)?;
        for one in self.open_nominations() {
            if let Ok(days) = DateRange::new(one.commencement.max(from), one.end.min(until)) {
                let rent = unplaced(&self.terms, &self.premises, one, days)?;
                total = total.checked_add(rent).ok_or_else(too_large)?;
            }
        }
        Ok(total)
    }
}
