//! What a renewal costs: its rate is stated, is agreed on when the renewal comes, or goes on as it rises.

use kernel::rent::{self, EscalationBasis, Escalator};
use kernel::time::add_months;
use kernel::{CivilDate, DateRange, Error, Exact, Money, Percent, QuantityStep, Rate, RateStep};
use serde::{Deserialize, Serialize};

use super::premises::{Premises, cut};
use super::schedule::{agreed_lines, certain, lease_start, quantities, splice, sum, too_large};
use super::terms::{RateTerms, RenewalOption, Terms};

/// The rent of a renewal that both sides agree on when it comes. Until then the last rate goes on, within these.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MarketRent {
    /// The least, of the last rate.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub floor: Option<Percent>,
    /// The most, of the last rate; not less than the floor.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub cap: Option<Percent>,
}

impl MarketRent {
    /// What is paid until it is agreed.
    fn after(self, last: Rate) -> Result<Rate, Error> {
        let share = self.floor.map_or(ALL, |floor| floor.max(ALL));
        let share = self.cap.map_or(share, |cap| cap.min(share));
        (&Exact::from(last) * &Exact::from(share)).to_rate().ok_or_else(too_large)
    }
}

/// 100 percent.
const ALL: Percent = match Percent::from_scaled(100_000_000) {
    Some(percent) => percent,
    None => Percent::ZERO,
};

/// What the terms say of one renewal's rent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RenewalRent {
    /// The rates before it go on as they rise.
    GoesOn,
    /// The rate of its first year; the escalator goes on from it.
    Stated(Rate),
    /// Both sides agree on it when it comes.
    Market(MarketRent),
}

/// One renewal of those that the terms give.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct OneRenewal {
    /// Which it is, from 0.
    pub number: u32,
    /// Its length, in months.
    pub term_months: u32,
    /// Notice before the end, in months.
    pub notice_months: u32,
    /// For how many months before that day notice may be given; 0 is from the commencement on.
    pub window_months: u32,
    /// What it costs.
    pub rent: RenewalRent,
}

impl RenewalOption {
    /// The rent of one of its renewals, from 0.
    fn rent(&self, at: u32) -> RenewalRent {
        let stated = usize::try_from(at).ok().and_then(|at| self.rates.get(at));
        match (stated, self.market) {
            (Some(rate), _) => RenewalRent::Stated(*rate),
            (None, Some(market)) => RenewalRent::Market(market),
            (None, None) => RenewalRent::GoesOn,
        }
    }

    /// Whether it says nothing of rent.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.rates.is_empty() && self.market.is_none()
    }

    /// The same right, whatever it costs.
    fn is_as(&self, other: &Self) -> bool {
        let right = |one: &Self| (one.count, one.term_months, one.notice_months, one.window_months);
        right(self) == right(other)
    }
}

impl Terms {
    /// Every renewal by itself that is left after so many are exercised or lapsed, in order.
    pub fn options_left(&self, spent: u32) -> impl Iterator<Item = OneRenewal> {
        let each =
            self.renewal_options.iter().flat_map(|option| (0..option.count).map(move |at| (option, at)));
        let left = (0..).zip(each).skip(usize::try_from(spent).unwrap_or(usize::MAX));
        left.map(|(number, (option, at))| OneRenewal {
            number,
            term_months: option.term_months,
            notice_months: option.notice_months,
            window_months: option.window_months,
            rent: option.rent(at),
        })
    }

    /// How long all of them are, in months.
    #[must_use]
    pub fn months_left(&self, spent: u32) -> i32 {
        self.options_left(spent).fold(0, |sum, one| {
            i32::try_from(one.term_months).map_or(i32::MAX, |months| sum.saturating_add(months))
        })
    }

    /// Whether these give the same renewals, whatever they cost: what is exercised or lapsed of one is of the other.
    #[must_use]
    pub fn renews_as(&self, other: &Self) -> bool {
        let (ours, theirs) = (&self.renewal_options, &other.renewal_options);
        ours.len() == theirs.len() && ours.iter().zip(theirs).all(|(one, other)| one.is_as(other))
    }

    fn rent_of_renewal(&self, number: u32) -> RenewalRent {
        self.options_left(number).next().map_or(RenewalRent::GoesOn, |one| one.rent)
    }
}

/// A renewal that was exercised, of one block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Renewed {
    /// Which of those that the terms give; none once they give other ones.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    number: Option<u32>,
    /// Its first day.
    pub from: CivilDate,
    /// The rate of its first year; none where the rates before it go on.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    rate: Option<Rate>,
    /// Its rent is to be agreed yet.
    #[serde(skip_serializing_if = "std::ops::Not::not", default)]
    pub is_open: bool,
}

impl Renewed {
    /// From now on the terms give other renewals: what it costs stays.
    pub(super) fn forget(&mut self) {
        self.number = None;
    }

    /// Which of those that the terms give it is.
    #[must_use]
    pub fn number(&self) -> Option<u32> {
        self.number
    }

    fn has_own_rate(&self, terms: &Terms) -> bool {
        match self.number {
            Some(number) => terms.rent_of_renewal(number) != RenewalRent::GoesOn,
            None => self.rate.is_some(),
        }
    }

    /// What the terms make of it, after this rate.
    fn price(&mut self, terms: &Terms, last: Rate) -> Result<(), Error> {
        let Some(number) = self.number else { return Ok(()) };
        (self.rate, self.is_open) = match terms.rent_of_renewal(number) {
            RenewalRent::GoesOn => (None, false),
            RenewalRent::Stated(rate) => (Some(rate), false),
            RenewalRent::Market(market) => (Some(market.after(last)?), true),
        };
        Ok(())
    }

    /// Its rates until a day. What is not agreed does not rise.
    fn rates(&self, terms: &Terms, rate: Rate, end: CivilDate) -> Result<Vec<RateStep>, Error> {
        let escalator = terms.escalator.filter(|_| !self.is_open).map(since_renewal);
        rent::rate_steps(rate, escalator.as_ref(), self.from, self.from, end).map_err(|_| too_large())
    }
}

/// A rate of a first year is that of twelve months: it rises on anniversaries of the renewal, whatever it rose on before.
fn since_renewal(escalator: Escalator) -> Escalator {
    let basis = match escalator.basis {
        EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary => escalator.basis,
        EscalationBasis::LeaseAnniversary
        | EscalationBasis::BlockAnniversary
        | EscalationBasis::FixedDate(_) => EscalationBasis::BlockAnniversary,
    };
    Escalator { basis, ..escalator }
}

/// The rates of a block from its commencement until `end`, by its terms and by those of its renewals, which are priced anew.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rate outgrows its type.
pub(super) fn price(
    terms: &Terms,
    of: &mut Premises,
    lease_start: CivilDate,
    end: CivilDate,
) -> Result<Vec<RateStep>, Error> {
    let renewals = of.standing.renewals.clone();
    let priced: Vec<_> = (0..renewals.len()).filter(|at| renewals[*at].has_own_rate(terms)).collect();
    let ends = priced.iter().map(|at| renewals[*at].from).chain([end]);
    let mut ends = ends.collect::<Vec<_>>().into_iter();
    let mut rates = of_term(terms, of, lease_start, ends.next().unwrap_or(end))?;
    for one in &mut of.standing.renewals {
        let last = rates.last().ok_or_else(too_large)?.rate;
        one.price(terms, last)?;
        if let Some(rate) = one.rate {
            rates.extend(one.rates(terms, rate, ends.next().unwrap_or(end))?);
        }
    }
    Ok(rates)
}

/// The rates of a block as its own terms make them, also beyond its term: the escalator goes on, and stated rates go on from their
/// last step, which is then the base.
fn of_term(
    terms: &Terms,
    of: &Premises,
    lease_start: CivilDate,
    end: CivilDate,
) -> Result<Vec<RateStep>, Error> {
    let escalator = terms.escalator.as_ref();
    match terms.of_block(&of.block).map(|agreed| &agreed.rate) {
        Some(RateTerms::Base(rate)) => {
            rent::rate_steps(*rate, escalator, lease_start, of.commencement, end).map_err(|_| too_large())
        }
        Some(RateTerms::Stated(steps)) => {
            let term_end = of.end_for(of.commencement, terms.contract.term_basis);
            if end <= term_end {
                return Ok(cut(steps, of.commencement, end));
            }
            let last = steps.last().ok_or_else(too_large)?;
            let on = rent::rate_steps(last.rate, escalator, last.from, last.from, end);
            Ok(splice(&cut(steps, of.commencement, term_end), &on.map_err(|_| too_large())?, term_end, end))
        }
        None => Err(too_large()),
    }
}

impl Premises {
    /// First day, and first day after, each renewal of which the rent is to be agreed yet.
    pub(super) fn open_rents(&self) -> impl Iterator<Item = (CivilDate, CivilDate)> {
        let renewals = &self.standing.renewals;
        let ends = renewals.iter().skip(1).map(|next| next.from).chain([self.end]);
        renewals.iter().zip(ends).filter(|(one, _)| one.is_open).map(|(one, end)| (one.from, end))
    }
}

/// Renewals of a block, one after another from its end on; until when they are.
fn follow(of: &mut Premises, renewals: impl Iterator<Item = OneRenewal>) -> Result<(), Error> {
    for renewal in renewals {
        let months = i32::try_from(renewal.term_months).map_err(|_| too_large())?;
        let end = add_months(of.end, months).ok_or_else(too_large)?;
        let number = Some(renewal.number);
        of.standing.renewals.push(Renewed { number, from: of.end, rate: None, is_open: false });
        of.move_to(of.commencement, end);
    }
    Ok(())
}

/// A block goes on until another day, at the rates that the terms say of it.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a rate outgrows its type.
pub(super) fn renew(
    terms: &Terms,
    premises: &mut Premises,
    lease_start: CivilDate,
    renewal: OneRenewal,
) -> Result<(), Error> {
    let from = premises.end;
    follow(premises, std::iter::once(renewal))?;
    let rates = price(terms, premises, lease_start, premises.end)?;
    premises.rate_steps = splice(&premises.rate_steps, &rates, from, premises.end);
    premises.standing.rate_steps = Some(premises.rate_steps.clone());
    premises.standing.renewed_until = Some(premises.end);
    Ok(())
}

/// Rent of one block if every renewal that is left were taken up: the last load goes on, and what is agreed on later is taken as what is
/// paid until then.
///
/// # Errors
/// `TERM_OUT_OF_RANGE` when a sum outgrows its type.
pub(super) fn options_of(terms: &Terms, premises: &[Premises], of: &Premises) -> Result<Money, Error> {
    if terms.months_left(of.standing.options_spent) == 0 {
        return Ok(Money::zero(terms.currency));
    }
    let mut renewed = of.clone();
    follow(&mut renewed, terms.options_left(of.standing.options_spent))?;
    let range = DateRange::new(of.end, renewed.end).map_err(|_| too_large())?;
    let last_kw = quantities(of).last().map_or(0, |step| step.kw);
    let quantity = [QuantityStep { from: of.end, kw: last_kw }];
    let rates = price(terms, &mut renewed, lease_start(premises, of), range.end())?;
    let rates = certain(terms, premises, of, rates, range.end())?;
    let days = DateRange::new(of.rent_from().min(of.end), range.end()).map_err(|_| too_large())?;
    sum(terms, agreed_lines(terms, days, &quantity, &rates, range)?)
}

#[cfg(test)]
#[path = "renewal_rent_tests.rs"]
mod tests;
