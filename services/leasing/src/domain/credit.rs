//! What stands behind a tenant: guaranties and letters of credit, each up to a cap that may fall from the first rent on.

use kernel::{CivilDate, Currency, Error, Money};
pub use kernel::{CoversFrom, CreditSupport, SupportKind};

use super::findings::Findings;
use super::lease::{Lease, Premises};
use super::schedule::too_large;
use super::state::LeaseState;

/// Supports of one lease.
pub const SUPPORTS_MAX: usize = 20;
/// A million millions of dollars, in cents: more than anybody has promised, and a number that JSON keeps.
const CAP_MAX: i64 = 100_000_000_000_000;

/// How far one promise reaches on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cover {
    /// The promise.
    pub support: CreditSupport,
    /// The most that is owed under it on that day.
    pub cover: Money,
    /// The next day on which that is less or more; none where it stays.
    pub next: Option<(CivilDate, Money)>,
}

/// How far all of them reach on a day.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreditCover {
    /// The day.
    pub as_of: CivilDate,
    /// First day of rent, as the blocks stand.
    pub first_rent: Option<CivilDate>,
    /// Each of them, in the order of the terms.
    pub covers: Vec<Cover>,
    /// Their sum.
    pub total: Money,
}

impl Lease {
    /// How far what stands behind the tenant reaches on a day.
    ///
    /// # Errors
    /// `TERM_OUT_OF_RANGE` where the sum outgrows its type.
    pub fn credit_cover(&self, as_of: CivilDate) -> Result<CreditCover, Error> {
        let live = self.premises.iter().filter(|one| one.state.is_leased());
        let first_rent = live.filter(|one| one.rent_from() < one.end).map(Premises::rent_from).min();
        let was_in_force = self.effective_time.is_some_and(|time| as_of >= self.today(time));
        let covers = was_in_force && self.state != LeaseState::Closed;
        let cover = |support: &CreditSupport| {
            let on = |day| {
                if covers {
                    support.on(day, first_rent).ok_or_else(too_large)
                } else {
                    Ok(Money::zero(support.cap.currency))
                }
            };
            let cover = on(as_of)?;
            let (mut next, mut at) = (None, as_of);
            // A first rent alone may change nothing.
            while let (None, Some(day)) = (next, support.next_day(at, first_rent).filter(|_| covers)) {
                at = day;
                next = Some((day, on(day)?)).filter(|(_, then)| *then != cover);
            }
            Ok(Cover { support: support.clone(), cover, next })
        };
        let covers =
            self.terms.contract.credit_supports.iter().map(cover).collect::<Result<Vec<_>, Error>>()?;
        let total = Money::checked_sum(self.terms.currency, covers.iter().map(|one| one.cover));
        Ok(CreditCover { as_of, first_rent, total: total.ok_or_else(too_large)?, covers })
    }
}

/// Notes what the currency of the terms does not allow, under `terms.credit_supports[i]`.
pub fn check(supports: &[CreditSupport], currency: Option<Currency>, findings: &mut Findings) {
    let count = supports.len();
    if count > SUPPORTS_MAX {
        findings.invalid("terms.credit_supports", format!("needs 0 to {SUPPORTS_MAX} entries, has {count}"));
    }
    for (i, support) in supports.iter().enumerate() {
        let path = |field: &str| format!("terms.credit_supports[{i}].{field}");
        if supports[..i].iter().any(|earlier| earlier.id == support.id) {
            findings.invalid(&path("credit_support_id"), "is given twice");
        }
        if currency.is_some_and(|currency| currency != support.cap.currency) {
            findings.invalid(&path("cap"), "must be in the currency of the lease");
        } else if !(1..=CAP_MAX).contains(&support.cap.minor) {
            findings.invalid(&path("cap"), "must be more than 0, and at most 1,000,000,000,000");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::testing::{at, date, proposing, river_bend, terms};

    fn usd(minor: i64) -> Money {
        Money::new(minor, Currency::USD)
    }

    /// 1.3bn that falls to nothing in ten years from the first rent on, as published for Abernathy.
    fn backstop(covers_from: CoversFrom) -> CreditSupport {
        CreditSupport {
            id: "backstop".to_owned(),
            kind: SupportKind::Guaranty,
            provider: "Google".to_owned(),
            cap: usd(130_000_000_000),
            covers_from,
            amortisation_months: 120,
            expiry: None,
        }
    }

    /// River Bend, whose rent begins on 1 December 2027, in force since 1 January 2027.
    fn lease(supports: Vec<CreditSupport>) -> Lease {
        let mut draft = river_bend();
        draft.contract.credit_supports = supports;
        let mut lease = proposing(terms(draft, "America/Chicago"));
        lease.state = LeaseState::Effective;
        lease.effective_time = Some(lease.premises[0].zone.start_of_day(date("2027-01-01")));
        lease
    }

    fn on(lease: &Lease, day: &str) -> (Vec<i64>, i64) {
        let cover = lease.credit_cover(date(day)).expect("a cover");
        (cover.covers.iter().map(|one| one.cover.minor).collect(), cover.total.minor)
    }

    #[test]
    fn a_cap_falls_a_step_a_month_from_the_first_rent_on() {
        let at_once = CreditSupport { id: "at-once".to_owned(), ..backstop(CoversFrom::InForce) };
        let lease = lease(vec![backstop(CoversFrom::FirstRent), at_once]);
        let whole = 130_000_000_000;
        assert_eq!(on(&lease, "2026-12-31"), (vec![0, 0], 0), "it is not in force");
        assert_eq!(on(&lease, "2027-11-30"), (vec![0, whole], whole), "before the first rent");
        assert_eq!(on(&lease, "2027-12-01"), (vec![whole, whole], 2 * whole));
        assert_eq!(on(&lease, "2027-12-31").0[0], whole);
        // 119 of 120 parts, rounded to the cent.
        assert_eq!(on(&lease, "2028-01-01").0[0], 128_916_666_667);
        assert_eq!(on(&lease, "2032-12-01").0[0], whole / 2);
        assert_eq!(on(&lease, "2037-11-30").0[0], 1_083_333_333);
        assert_eq!(on(&lease, "2037-12-01").0[0], 0);
    }

    #[test]
    fn the_next_change_is_said_until_there_is_none() {
        let mut letter = CreditSupport { id: "letter".to_owned(), ..backstop(CoversFrom::InForce) };
        (letter.kind, letter.amortisation_months) = (SupportKind::LetterOfCredit, 0);
        letter.expiry = Some(date("2030-06-15"));
        let lease = lease(vec![backstop(CoversFrom::FirstRent), letter]);
        let next = |day: &str| {
            let cover = lease.credit_cover(date(day)).expect("a cover");
            cover.covers.iter().map(|one| one.next.map(|(day, then)| (day, then.minor))).collect::<Vec<_>>()
        };
        let expires = Some((date("2030-06-15"), 0));
        assert_eq!(next("2027-11-30"), [Some((date("2027-12-01"), 130_000_000_000)), expires]);
        assert_eq!(next("2027-12-01"), [Some((date("2028-01-01"), 128_916_666_667)), expires]);
        assert_eq!(next("2037-11-30"), [Some((date("2037-12-01"), 0)), None]);
        assert_eq!(next("2037-12-01"), [None, None]);
    }

    #[test]
    fn what_is_late_keeps_its_cap_for_as_long_and_what_is_closed_has_none() {
        let mut lease = lease(vec![backstop(CoversFrom::FirstRent)]);
        let premises = &mut lease.premises[0];
        premises.move_to(date("2028-03-01"), premises.end);
        premises.standing.rent_from = Some(date("2028-04-16"));
        assert_eq!(on(&lease, "2028-04-15").0, [0]);
        assert_eq!(on(&lease, "2028-05-15").0, [130_000_000_000]);
        assert_eq!(on(&lease, "2028-05-16").0, [128_916_666_667]);
        lease.state = LeaseState::Closed;
        assert_eq!(on(&lease, "2028-05-16").0, [0]);
        assert!(at("2028-05-16") > at("2028-05-15"));
    }
}
