//! What a lease owes by its terms once: what is paid ahead and held, and the fee for ending early. And how what was paid
//! ahead is credited against rent, month by month.

use std::collections::BTreeMap;

use kernel::{CivilDate, DrawBlock, Exact, Money, Prepayment, ReckoningId, YearMonth};
use serde::{Deserialize, Serialize};

use super::charge::{self, Charge};
use super::charge_type::ChargeType;
use super::lease::{Ending, LeaseCopy, LeaseState, Poison};
use super::reckoned::{Billed, ReckonedLine, Whole, line};
use super::reckoning::{Inputs, Reckoning};

/// What of one type was billed of a lease so far, and what of that was taken back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Once {
    /// The sum of all revisions, minor units.
    pub minor: i64,
    /// What credit notes took back of it.
    pub credited_minor: i64,
    /// The last revision; none where it was never billed.
    pub revision: Option<i32>,
}

/// What a lease's advances came to so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Advanced {
    /// What is billed once, by type.
    pub once: BTreeMap<ChargeType, Once>,
    /// Credits by first day: how much so far, and the last revision.
    pub drawn: BTreeMap<CivilDate, (i64, i32)>,
}

/// What is billed once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OnceInputs {
    /// All of it.
    pub agreed: Money,
    /// Where it is agreed.
    pub says: String,
}

/// A credit of what was paid ahead.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrawInputs {
    /// What is agreed.
    pub prepayment: Prepayment,
    /// The blocks, as credits count them.
    pub blocks: Vec<DrawBlock>,
    /// The last month of rent on the invoice.
    pub month: YearMonth,
    /// What was credited before, minor units.
    pub drawn_minor: i64,
    /// What is left of what was paid ahead, minor units.
    pub left_minor: i64,
    /// The rent that it lowers.
    pub rent: Money,
}

/// A line with what it was computed from.
pub type Reasoned = (ReckonedLine, Reckoning);

impl Advanced {
    /// What of one type was billed.
    #[must_use]
    pub fn of(&self, charge_type: ChargeType) -> Once {
        self.once.get(&charge_type).copied().unwrap_or_default()
    }

    /// Credited so far, minor units.
    #[must_use]
    pub fn drawn_minor(&self) -> i64 {
        self.drawn.values().map(|(minor, _)| minor).sum()
    }

    /// What is left of what was paid ahead, minor units.
    #[must_use]
    pub fn left_minor(&self) -> i64 {
        let paid = self.of(ChargeType::Prepayment);
        paid.minor - paid.credited_minor - self.drawn_minor()
    }

    /// Counts a line that is billed now.
    pub fn take(&mut self, line: &ReckonedLine) {
        if line.charge_type == ChargeType::PrepaymentDraw {
            let drawn = self.drawn.entry(line.period.start()).or_insert((0, line.revision));
            *drawn = (drawn.0 - line.amount.minor, line.revision);
        } else if ChargeType::ONCE.contains(&line.charge_type) {
            let once = self.once.entry(line.charge_type).or_default();
            once.minor += line.amount.minor;
            once.revision = Some(line.revision);
        }
    }
}

impl DrawInputs {
    /// What is credited: what the schedule says by now and was not credited yet, never more than is left or than the rent.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        let due = self.prepayment.due_by(&self.blocks, self.month)?.checked_sub(self.drawn_minor)?;
        let minor = due.min(self.left_minor).min(self.rent.minor).max(0);
        Some(Money::new(minor.checked_neg()?, self.rent.currency))
    }

    /// From what it comes, in words.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let Prepayment { amount, draw_months, first_draw_month, .. } = self.prepayment;
        let block = |block: &DrawBlock| format!("rent of {} kW begins in {}", block.kw, block.from);
        let agreed =
            format!("{amount} paid ahead, in {draw_months} monthly credits after {first_draw_month} months");
        std::iter::once(agreed).chain(self.blocks.iter().map(block)).collect()
    }

    /// The computation in words and figures.
    #[must_use]
    pub fn formula(&self) -> Option<String> {
        let money = |minor| Money::new(minor, self.rent.currency);
        let by_now = money(self.prepayment.due_by(&self.blocks, self.month)?);
        let (drawn, left, amount) = (money(self.drawn_minor), money(self.left_minor), self.amount()?);
        Some(format!(
            "{by_now} to be credited by {}, less {drawn} credited before, at most the {left} that is left and the rent of \
             {} = {amount}",
            self.month, self.rent
        ))
    }
}

/// What a run of `month` bills once, and what it credits against this rent of one lease; both count from now on.
pub fn due_beside(
    lease: &LeaseCopy,
    month: YearMonth,
    rent: &[Charge],
    advanced: &mut Advanced,
    mut id: impl FnMut() -> ReckoningId,
) -> Result<Vec<Reasoned>, Poison> {
    let mut lines = once(lease, month, advanced, &mut id)?;
    for (line, _) in &lines {
        advanced.take(line);
    }
    if let Some((line, reckoning)) = draw(lease, rent, advanced, id)? {
        advanced.take(&line);
        lines.push((line, reckoning));
    }
    Ok(lines)
}

/// What a run of `month` bills once and no invoice has: the rest where it has grown. `id` gives new ids.
pub fn once(
    lease: &LeaseCopy,
    month: YearMonth,
    advanced: &Advanced,
    mut id: impl FnMut() -> ReckoningId,
) -> Result<Vec<Reasoned>, Poison> {
    let mut lines = Vec::new();
    for (charge_type, inputs) in agreed_once(lease, month) {
        let billed = advanced.of(charge_type);
        if inputs.agreed.minor <= billed.minor {
            continue;
        }
        let period = month.range().ok_or_else(|| Poison(format!("{month} is the last month")))?;
        let whole = inputs.whole(charge_type, period);
        let before = billed.revision.map(|revision| Billed {
            period,
            minor: billed.minor,
            revision,
            jurisdiction: None,
        });
        let reckoning = Reckoning { id: id(), place: None, month, inputs: Inputs::Once { once: inputs } };
        let line = line(None, &whole, before.as_ref(), reckoning.id).flatten();
        lines.extend(line.map(|line| (line, reckoning)));
    }
    Ok(lines)
}

fn agreed_once(lease: &LeaseCopy, month: YearMonth) -> Vec<(ChargeType, OnceInputs)> {
    let terms = &lease.terms.money;
    let of = |charge_type, agreed: Money, says: String| (charge_type, OnceInputs { agreed, says });
    let prepayment = terms.prepayment.map(|paid| {
        let says = format!("rent paid ahead, credited over {} months", paid.draw_months);
        of(ChargeType::Prepayment, paid.amount, says)
    });
    let deposit = terms
        .deposit
        .map(|deposit| of(ChargeType::Deposit, deposit.amount, "held until the lease is over".to_owned()));
    let runs = LeaseState::ASKS_AHEAD.contains(&lease.state);
    let ahead = [prepayment, deposit].into_iter().flatten().filter(|_| runs);
    let due = lease.ending.as_ref().filter(|ending| YearMonth::of(ending.end) <= month);
    let fee = due.and_then(|Ending { end, fee, .. }| {
        Some(of(ChargeType::TerminationFee, (*fee)?, format!("the lease ends before its term on {end}")))
    });
    ahead.chain(fee).collect()
}

impl OnceInputs {
    /// The charge.
    #[must_use]
    pub fn whole(&self, charge_type: ChargeType, period: kernel::DateRange) -> Whole {
        Whole {
            charge_type,
            item: String::new(),
            period,
            amount: self.agreed,
            quantity: Exact::from(1),
            unit: "payment".to_owned(),
            rate: Exact::from(self.agreed),
            formula: format!("{} = {}", self.says, self.agreed),
            jurisdiction: None,
            estimated: false,
        }
    }
}

/// The blocks of a lease as credits count them: those that commence, or may.
#[must_use]
pub fn draw_blocks(lease: &LeaseCopy) -> Vec<DrawBlock> {
    let block = |premises| {
        let days = charge::days_of(lease, premises)?;
        let kw = lease.quantities(premises).iter().map(|step| step.kw).max()?;
        Some(DrawBlock { from: YearMonth::of(days.start()), kw })
    };
    lease.terms.premises.iter().filter_map(block).collect()
}

/// What was paid ahead and is credited against the rent of one invoice.
pub fn draw(
    lease: &LeaseCopy,
    rent: &[Charge],
    advanced: &Advanced,
    id: impl FnOnce() -> ReckoningId,
) -> Result<Option<Reasoned>, Poison> {
    let last = rent.iter().map(|charge| charge.month).max();
    let (Some(prepayment), Some(month)) = (lease.terms.money.prepayment, last) else { return Ok(None) };
    let too_large = || Poison("what was paid ahead does not fit 64 bits".to_owned());
    let currency = lease.terms.currency;
    let inputs = DrawInputs {
        prepayment,
        blocks: draw_blocks(lease),
        month,
        drawn_minor: advanced.drawn_minor(),
        left_minor: advanced.left_minor(),
        rent: Money::checked_sum(currency, rent.iter().map(|charge| charge.amount)).ok_or_else(too_large)?,
    };
    let amount = inputs.amount().ok_or_else(too_large)?;
    let period = month.range().ok_or_else(|| Poison(format!("{month} is the last month")))?;
    if amount.is_zero() {
        return Ok(None);
    }
    let whole = Whole {
        charge_type: ChargeType::PrepaymentDraw,
        item: String::new(),
        period,
        amount,
        quantity: Exact::from(1),
        unit: "credit".to_owned(),
        rate: Exact::from(amount),
        formula: inputs.formula().ok_or_else(too_large)?,
        jurisdiction: None,
        estimated: false,
    };
    // A further credit of a month is a whole of its own: the inputs have counted what came before.
    let before = advanced.drawn.get(&period.start()).map(|(_, revision)| Billed {
        period,
        minor: 0,
        revision: *revision,
        jurisdiction: None,
    });
    let reckoning = Reckoning { id: id(), place: None, month, inputs: Inputs::Draw { draw: inputs } };
    let line = line(None, &whole, before.as_ref(), reckoning.id).ok_or_else(too_large)?;
    Ok(line.map(|line| (line, reckoning)))
}

#[cfg(test)]
mod tests;
