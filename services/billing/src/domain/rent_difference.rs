//! Rent that has changed after it was billed: a block's month is billed once, and what it comes to later otherwise is billed as
//! the difference, under the next revision. What was issued stays as it is.

use std::collections::{BTreeMap, BTreeSet};

use kernel::{Exact, Money, ReckoningId, YearMonth};
use serde::{Deserialize, Serialize};

use super::charge::{self, Charge, ChargeKey, billing_month};
use super::charge_type::{ChargeType, InvoiceKind};
use super::lease::{BlockRef, BlockState, LeaseCopy, Poison, Premises};
use super::reckoned::{Detail, ReckonedLine};
use super::reckoning::{Inputs, Reckoning};

/// What was billed of a block's rent of a month, on invoices that are not void, minor units.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RentBilled {
    /// As it was billed first.
    pub first_minor: i64,
    /// With all differences since.
    pub minor: i64,
    /// What credit notes took back of it, without the right to bill it again.
    pub credited_minor: i64,
    /// The last revision of a difference; none where there was none.
    pub revision: Option<i32>,
    /// The oldest version of the terms that a line of it was computed from.
    pub version: i64,
}

/// What was billed of a lease's rent.
pub type RentMonths = BTreeMap<ChargeKey, RentBilled>;

/// From what a difference is computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RentInputs {
    /// Whose.
    pub place: BlockRef,
    /// The month.
    pub month: YearMonth,
    /// What was billed before.
    pub billed: RentBilled,
    /// What it is now.
    pub right: Money,
    /// How that is computed.
    pub formulas: Vec<String>,
    /// What the invoice comes to beside it, minor units: no more than that is given back by it.
    pub room_minor: i64,
}

impl RentInputs {
    /// What is still to be billed, below zero to be given back, whatever there is room for. What a credit note took back counts
    /// against what is given back, as far as rent has fallen below what was billed first, and is never billed again.
    #[must_use]
    pub fn due_minor(&self) -> Option<i64> {
        let RentBilled { first_minor, minor, credited_minor, .. } = self.billed;
        let fallen = first_minor.checked_sub(self.right.minor)?;
        let given = fallen.min(credited_minor).max(0);
        self.right.minor.checked_add(given)?.checked_sub(minor)
    }

    fn next_revision(&self) -> i32 {
        self.billed.revision.map_or(0, |revision| revision + 1)
    }

    /// What of that is on the invoice.
    #[must_use]
    pub fn amount(&self) -> Option<Money> {
        let minor = self.due_minor()?.max(self.room_minor.checked_neg()?);
        Some(Money::new(minor, self.right.currency))
    }

    /// The computation in words and figures.
    #[must_use]
    pub fn formula(&self) -> Option<String> {
        let money = |minor| Money::new(minor, self.right.currency);
        let (place, amount, due) = (&self.place, self.amount()?, self.due_minor()?);
        let mut text = format!(
            "rent difference of {}, block {}/{}: was {}, is {}",
            self.month,
            place.site,
            place.block,
            money(self.billed.minor),
            self.right
        );
        if self.billed.credited_minor != 0 {
            text += &format!(", {} of it credited", money(self.billed.credited_minor));
        }
        if due != amount.minor {
            text += &format!(", {} left for later", money(due.checked_sub(amount.minor)?));
        }
        Some(format!("{text} = {amount}"))
    }

    /// From what it comes.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let first = Money::new(self.billed.first_minor, self.right.currency);
        let begin = format!("billed first: {first}");
        let now = match self.formulas.as_slice() {
            [] => vec!["now there is no rent for it".to_owned()],
            formulas => formulas.to_vec(),
        };
        std::iter::once(begin).chain(now).collect()
    }

    /// The line, of which nothing is billed where it comes to nothing. `None` beyond 64 bits.
    fn line(&self, reckoning: ReckoningId) -> Option<Option<ReckonedLine>> {
        let amount = self.amount()?;
        if amount.is_zero() {
            return Some(None);
        }
        let detail = Detail {
            quantity: Exact::from(1).to_rate()?,
            unit: "difference".to_owned(),
            rate: Exact::from(amount).to_rate()?,
            formula: self.formula()?,
            jurisdiction: None,
            estimated: false,
            whole_minor: self.right.minor,
            before_minor: self.billed.minor,
        };
        Some(Some(ReckonedLine {
            charge_type: ChargeType::BaseRent,
            place: Some(self.place.clone()),
            item: DIFFERENCE.to_owned(),
            period: self.month.range()?,
            revision: self.next_revision(),
            amount,
            detail,
            reckoning,
        }))
    }
}

/// What a line of a difference is called beside rent.
pub const DIFFERENCE: &str = "difference";

/// What has changed of a lease's rent, before anything is said of where it is billed: what is owed first, then what is to be given
/// back, the oldest first.
pub fn differences(
    lease: &LeaseCopy,
    month: YearMonth,
    billed: &RentMonths,
    now_billed: &[Charge],
) -> Result<Vec<RentInputs>, Poison> {
    let mut found = Vec::new();
    for premises in &lease.terms.premises {
        if has_changed(lease, premises, billed) {
            for of in months_of(lease, premises, billed) {
                found.extend(changed(lease, premises, (month, of), billed, now_billed)?);
            }
        }
    }
    let too_large = || Poison("a difference of rent does not fit 64 bits".to_owned());
    let mut all = Vec::with_capacity(found.len());
    for inputs in found {
        all.push((inputs.due_minor().ok_or_else(too_large)?, inputs));
    }
    all.retain(|(due, _)| *due != 0);
    all.sort_by_key(|(due, inputs)| (*due < 0, inputs.month, inputs.place.clone()));
    Ok(all.into_iter().map(|(_, inputs)| inputs).collect())
}

/// Whether a block's rent may be another than what was billed: its terms are of a later version than a line, or its days are not
/// those of the terms. Else what was billed stays, also where a value of an index was corrected.
fn has_changed(lease: &LeaseCopy, premises: &Premises, billed: &RentMonths) -> bool {
    let runs = lease.block_state(&premises.place).is_some_and(|state| BlockState::BILLED.contains(&state));
    let moved = lease.moved(&premises.place).is_some();
    let mut of = billed.iter().filter(|(key, _)| key.place == premises.place).peekable();
    let settled = |of: &RentBilled| of.version == lease.version && of.revision.is_none();
    runs && of.peek().is_some() && (moved || of.any(|(_, of)| !settled(of)))
}

/// The months that were billed of a block, and those that would have been billed with them.
fn months_of(lease: &LeaseCopy, premises: &Premises, billed: &RentMonths) -> BTreeSet<YearMonth> {
    let frequency = lease.terms.rent.frequency;
    let of = billed.keys().filter(|key| key.place == premises.place);
    of.flat_map(|key| {
        let (first, last) = frequency.period(key.month);
        std::iter::successors(Some(first), |month| month.next()).take_while(move |month| *month <= last)
    })
    .collect()
}

/// What a month comes to now. One that was not billed with others of its period is due once a run of its own would bill it.
fn changed(
    lease: &LeaseCopy,
    premises: &Premises,
    (run, month): (YearMonth, YearMonth),
    billed: &RentMonths,
    now_billed: &[Charge],
) -> Result<Option<RentInputs>, Poison> {
    let place = &premises.place;
    let before = billed.get(&ChargeKey { place: place.clone(), charge_type: ChargeType::BaseRent, month });
    let charges = match charge::of_month(lease, premises, month) {
        // What needs a value of an index that is not known was not billed, and waits.
        Err(_) if before.is_none() => return Ok(None),
        charges => charges?,
    };
    let waits = || {
        charges.first().is_none_or(|charge| billing_month(lease, charge) > run)
            || now_billed.iter().any(|charge| charge.place == *place && charge.month == month)
    };
    if before.is_none() && waits() {
        return Ok(None);
    }
    let right = charge::sum_of(lease, &charges)?;
    Ok(Some(RentInputs {
        place: place.clone(),
        month,
        billed: before.copied().unwrap_or_default(),
        right,
        formulas: charges.iter().map(Charge::formula).collect(),
        room_minor: 0,
    }))
}

/// What a run adds to an invoice.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Differences {
    /// The lines, with what they were computed from.
    pub lines: Vec<(ReckonedLine, Reckoning)>,
    /// What there was no room for, as a later run finds it.
    pub left: Vec<RentInputs>,
}

/// Bills differences on an invoice that comes to `beside_minor` without them: it is never below zero by them.
pub fn bill(
    changed: &[RentInputs],
    beside_minor: i64,
    mut id: impl FnMut() -> ReckoningId,
) -> Result<Differences, Poison> {
    let too_large = || Poison("a difference of rent does not fit 64 bits".to_owned());
    let mut done = Differences::default();
    let mut room = beside_minor;
    for inputs in changed {
        let inputs = RentInputs { room_minor: room.max(0), ..inputs.clone() };
        let id = id();
        let (due, amount) =
            (inputs.due_minor().ok_or_else(too_large)?, inputs.amount().ok_or_else(too_large)?);
        room = room.checked_add(amount.minor).ok_or_else(too_large)?;
        if due != amount.minor {
            let revision =
                if amount.is_zero() { inputs.billed.revision } else { Some(inputs.next_revision()) };
            let minor = inputs.billed.minor.checked_add(amount.minor).ok_or_else(too_large)?;
            let billed = RentBilled { minor, revision, ..inputs.billed };
            done.left.push(RentInputs { billed, ..inputs.clone() });
        }
        if let Some(line) = inputs.line(id).ok_or_else(too_large)? {
            let place = Some(inputs.place.clone());
            let reckoning =
                Reckoning { id, place, month: inputs.month, inputs: Inputs::Rent { rent: inputs } };
            done.lines.push((line, reckoning));
        }
    }
    Ok(done)
}

/// What is left to be given back, as it is told to who runs the billing. `None` where nothing is, or beyond 64 bits.
#[must_use]
pub fn left_over(left: &[RentInputs]) -> Option<String> {
    let minor = left.iter().try_fold(0_i64, |sum, inputs| sum.checked_sub(inputs.due_minor()?))?;
    let money = Money::new(minor, left.first()?.right.currency);
    Some(format!("of rent that has fallen {money} is left to be given back: the invoice had no room for it"))
}

/// What the regular invoice of a lease comes to by these charges and lines, minor units. `None` beyond 64 bits.
#[must_use]
pub fn regular_minor(rent: &[Charge], lines: &[ReckonedLine]) -> Option<i64> {
    let regular = lines.iter().filter(|line| line.charge_type.invoice_kind() == InvoiceKind::Regular);
    let all = rent.iter().map(|charge| charge.amount.minor).chain(regular.map(|line| line.amount.minor));
    all.into_iter().try_fold(0_i64, i64::checked_add)
}

#[cfg(test)]
mod tests;
