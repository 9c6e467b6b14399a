//! Lines that are reckoned when a month is over: usage and credits. What has changed since a month was billed is billed as
//! the difference, under the next revision of the same charge; what was issued stays as it is.

use std::collections::BTreeMap;

use kernel::{CivilDate, Currency, DateRange, Exact, Money, Rate, ReckoningId, YearMonth};
use serde::{Deserialize, Serialize};

use super::invoice::ChargeType;
use super::lease::BlockRef;

/// A line of usage or of a credit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReckonedLine {
    /// What for.
    pub charge_type: ChargeType,
    /// Which block; none is the whole lease.
    pub place: Option<BlockRef>,
    /// The component and its band; empty for credits.
    pub item: String,
    /// The days it is for, all of one month; of interest, those since the due date.
    pub period: DateRange,
    /// 0 where the charge is billed first.
    pub revision: i32,
    /// What is billed: the whole less what was billed before.
    pub amount: Money,
    /// What the whole was computed from.
    pub detail: Detail,
    /// The computation with its inputs.
    pub reckoning: ReckoningId,
}

/// The whole charge in words and figures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Detail {
    /// How many of `unit`.
    pub quantity: Rate,
    /// What the quantity counts.
    pub unit: String,
    /// Money for one of it; the mean where prices differ.
    pub rate: Rate,
    /// The computation.
    pub formula: String,
    /// Who levies it, where it is a tax.
    pub jurisdiction: Option<String>,
    /// Whether a part of the energy was estimated.
    pub estimated: bool,
    /// What the whole comes to, minor units.
    pub whole_minor: i64,
    /// What of it was billed before, minor units.
    pub before_minor: i64,
}

/// What may be billed once in each revision, within a block.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ReckonedKey {
    /// First day charged.
    pub period_start: CivilDate,
    /// What for.
    pub charge_type: ChargeType,
    /// The component and its band.
    pub item: String,
}

/// A whole charge, not yet compared with what was billed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Whole {
    /// What for.
    pub charge_type: ChargeType,
    /// The component and its band.
    pub item: String,
    /// The days it is for.
    pub period: DateRange,
    /// What it comes to.
    pub amount: Money,
    /// How many of `unit`.
    pub quantity: Exact,
    /// What the quantity counts.
    pub unit: String,
    /// Money for one of it.
    pub rate: Exact,
    /// The computation.
    pub formula: String,
    /// Who levies it, where it is a tax.
    pub jurisdiction: Option<String>,
    /// Whether a part of the energy was estimated.
    pub estimated: bool,
}

/// What was billed of a charge so far.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Billed {
    /// The days of the last revision.
    pub period: DateRange,
    /// The sum of all revisions, minor units.
    pub minor: i64,
    /// The last revision.
    pub revision: i32,
    /// Who levies it.
    pub jurisdiction: Option<String>,
}

/// What was billed of a block's charges.
pub type BilledCharges = BTreeMap<ReckonedKey, Billed>;

impl Whole {
    /// The key under which it is billed.
    #[must_use]
    pub fn key(&self) -> ReckonedKey {
        ReckonedKey {
            period_start: self.period.start(),
            charge_type: self.charge_type,
            item: self.item.clone(),
        }
    }
}

impl ReckonedLine {
    /// The key under which it is billed.
    #[must_use]
    pub fn key(&self) -> ReckonedKey {
        ReckonedKey {
            period_start: self.period.start(),
            charge_type: self.charge_type,
            item: self.item.clone(),
        }
    }

    /// The month.
    #[must_use]
    pub fn month(&self) -> YearMonth {
        YearMonth::of(self.period.start())
    }

    /// The computation in words and figures, with what was billed before.
    #[must_use]
    pub fn formula(&self) -> String {
        let (detail, currency) = (&self.detail, self.amount.currency);
        // A difference of rent says itself what was billed before.
        if self.revision == 0 || self.charge_type == ChargeType::BaseRent {
            return detail.formula.clone();
        }
        let before = Money::new(detail.before_minor, currency);
        format!("{}, less {before} billed before = {}", detail.formula, self.amount)
    }
}

/// What is to be billed of a block's month: the charges that no invoice has, and the differences to what invoices have.
/// `None` beyond 64 bits.
#[must_use]
pub fn difference(
    place: Option<&BlockRef>,
    wholes: &[Whole],
    billed: &BilledCharges,
    (currency, reckoning): (Currency, ReckoningId),
) -> Option<Vec<ReckonedLine>> {
    let mut lines = Vec::new();
    for whole in wholes {
        let before = billed.get(&whole.key());
        lines.extend(line(place, whole, before, reckoning)?);
    }
    // What is no longer charged at all is given back.
    for (key, before) in billed.iter().filter(|(key, _)| !wholes.iter().any(|whole| whole.key() == **key)) {
        let gone = gone(key, before, currency);
        lines.extend(line(place, &gone, Some(before), reckoning)?);
    }
    lines.sort_by_key(ReckonedLine::key);
    Some(lines)
}

/// A line for what of a whole charge was not billed before; inner `None` where there is no difference. `None` beyond 64
/// bits.
pub(super) fn line(
    place: Option<&BlockRef>,
    whole: &Whole,
    before: Option<&Billed>,
    reckoning: ReckoningId,
) -> Option<Option<ReckonedLine>> {
    let (before_minor, revision) = before.map_or((0, 0), |billed| (billed.minor, billed.revision + 1));
    let minor = whole.amount.minor.checked_sub(before_minor)?;
    if minor == 0 {
        return Some(None);
    }
    let detail = Detail {
        quantity: whole.quantity.to_rate()?,
        unit: whole.unit.clone(),
        rate: whole.rate.to_rate()?,
        formula: whole.formula.clone(),
        jurisdiction: whole.jurisdiction.clone(),
        estimated: whole.estimated,
        whole_minor: whole.amount.minor,
        before_minor,
    };
    Some(Some(ReckonedLine {
        charge_type: whole.charge_type,
        place: place.cloned(),
        item: whole.item.clone(),
        period: whole.period,
        revision,
        amount: Money::new(minor, whole.amount.currency),
        detail,
        reckoning,
    }))
}

fn gone(key: &ReckonedKey, before: &Billed, currency: Currency) -> Whole {
    let nothing = Money::zero(currency);
    Whole {
        charge_type: key.charge_type,
        item: key.item.clone(),
        period: before.period,
        amount: nothing,
        quantity: Exact::zero(),
        unit: String::new(),
        rate: Exact::zero(),
        formula: format!("no longer charged = {nothing}"),
        jurisdiction: before.jurisdiction.clone(),
        estimated: false,
    }
}

#[cfg(test)]
mod tests;
