//! What a utility charged for a meter, and how that is divided among those whose load the meter measures.

use kernel::{
    CivilDate, Currency, DateRange, Error, Exact, Instant, LeaseId, MeterId, Money, OperatorId, Rate, Reason,
    UtilityBillId, UtilityBillName,
};
use serde::{Deserialize, Serialize};

use super::allocation::divide;
use super::lease::BlockRef;
use super::plan::Allocation;
use super::reckoning::Evidence;

/// A bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UtilityBill {
    /// Whose.
    pub operator: OperatorId,
    /// Its id.
    pub id: UtilityBillId,
    /// What it says.
    pub facts: BillFacts,
    /// 1 for the first of these days, one more for each that corrects it.
    pub revision: i32,
    /// The bill that it corrects.
    pub corrects: Option<UtilityBillId>,
    /// How it was divided, and when; none before it is trued up.
    pub division: Option<(Division, Instant)>,
    /// Counts changes.
    pub version: i64,
    /// When it was recorded.
    pub create_time: Instant,
}

/// What is told of a bill when it is recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillFacts {
    /// The meter by which the utility charges.
    pub meter: MeterId,
    /// The utility's own number.
    pub number: String,
    /// The days of service, in the meter's zone.
    pub days: DateRange,
    /// Its own day.
    pub bill_date: CivilDate,
    /// All of it.
    pub total: Money,
    /// Energy that it charges for, kWh.
    pub energy_kwh: i64,
    /// What it is made of; nothing is all of it as one.
    pub components: Vec<BillComponent>,
}

/// A part of a bill.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BillComponent {
    /// Code of the tariff's component.
    pub code: String,
    /// What it comes to.
    pub amount: Money,
    /// Whether it is divided by energy.
    pub by_energy: bool,
}

/// Which bills to list.
#[derive(Clone, Debug, Default)]
pub struct BillFilter {
    /// Of this meter: its operator and id.
    pub meter: Option<(OperatorId, MeterId)>,
}

/// Who bears a part.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Bearer {
    /// The lease.
    pub lease: LeaseId,
    /// Its block.
    pub place: BlockRef,
}

/// The load of one meter over some days.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LoadPart {
    /// Whose it is; nobody's is the operator's.
    pub bearer: Option<Bearer>,
    /// The days.
    pub days: DateRange,
    /// What was read.
    pub evidence: Evidence,
    /// Its energy in the interval in which all took most, Wh.
    pub at_peak_wh: i64,
    /// Contracted load, kW.
    pub contracted_kw: i64,
    /// Facility energy per IT energy above which the operator bears the rest.
    pub pue_cap: Option<Rate>,
    /// Whether the bill came too late for the plan: then the operator bears it.
    pub too_late: bool,
}

/// From what a bill is divided; kept, so that it can be divided again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Division {
    /// By what.
    pub allocation: Allocation,
    /// All that the facility took; none where the meter is one tenant's own.
    pub facility: Option<Evidence>,
    /// Every load, in order of bearer, nobody's first.
    pub parts: Vec<LoadPart>,
}

/// A bill divided, of one component or as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shares {
    /// The component's code; empty for the whole.
    pub code: String,
    /// What is divided.
    pub amount: Money,
    /// What each bears, each once.
    pub borne: Vec<(Bearer, Money)>,
    /// What stays with the operator.
    pub operator: Money,
}

impl UtilityBill {
    /// Its resource name.
    #[must_use]
    pub fn name(&self) -> UtilityBillName {
        UtilityBillName::new(self.operator.clone(), self.id)
    }
}

impl BillFacts {
    /// What is divided, each by itself: its components, or all of it under no code.
    #[must_use]
    pub fn divided(&self) -> Vec<BillComponent> {
        if self.components.is_empty() {
            return vec![BillComponent { code: String::new(), amount: self.total, by_energy: false }];
        }
        self.components.clone()
    }

    /// Whether its components come to its amount; none is always right.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        let sum = Money::checked_sum(self.total.currency, self.components.iter().map(|part| part.amount));
        self.components.is_empty() || sum == Some(self.total)
    }
}

impl LoadPart {
    fn weight(&self, by: Allocation) -> Exact {
        match by {
            Allocation::Energy => Exact::from(self.evidence.energy_wh),
            Allocation::Peak => Exact::from(self.at_peak_wh),
            Allocation::ContractedKw => &Exact::from(self.contracted_kw) * &Exact::from(self.days.days()),
        }
    }
}

impl Division {
    /// All whose load it is, each once.
    #[must_use]
    pub fn bearers(&self) -> Vec<&Bearer> {
        let mut bearers: Vec<&Bearer> = self.parts.iter().filter_map(|part| part.bearer.as_ref()).collect();
        bearers.sort();
        bearers.dedup();
        bearers
    }

    /// From the first to the last day on which a bearer has a load.
    #[must_use]
    pub fn days_of(&self, bearer: &Bearer) -> Option<DateRange> {
        let own = || self.of(Some(bearer)).map(|part| part.days);
        DateRange::new(own().map(|d| d.start()).min()?, own().map(|d| d.end()).max()?).ok()
    }

    fn of<'a>(&'a self, bearer: Option<&'a Bearer>) -> impl Iterator<Item = &'a LoadPart> {
        self.parts.iter().filter(move |part| part.bearer.as_ref() == bearer)
    }

    /// A bearer's part of the load, or nobody's; nothing where there was no load.
    #[must_use]
    pub fn share_of(&self, bearer: Option<&Bearer>) -> Exact {
        let sum = |parts: &mut dyn Iterator<Item = &LoadPart>| {
            parts.fold(Exact::zero(), |sum, part| &sum + &part.weight(self.allocation))
        };
        let all = sum(&mut self.parts.iter());
        sum(&mut self.of(bearer)).over(&all).unwrap_or_else(Exact::zero)
    }

    /// Whether the bill came too late for a bearer.
    #[must_use]
    pub fn is_too_late(&self, bearer: &Bearer) -> bool {
        self.of(Some(bearer)).any(|part| part.too_late)
    }

    /// Whether an interval had no reading, or an estimated one.
    #[must_use]
    pub fn is_estimated(&self) -> bool {
        let all = self.parts.iter().map(|part| &part.evidence).chain(&self.facility);
        all.into_iter().any(|evidence| evidence.estimated_wh > 0 || evidence.missing_count > 0)
    }

    /// What of a load is passed on where it goes by energy: all, or as much as a cap on facility energy per IT energy lets.
    fn passed_on(&self, part: &LoadPart) -> Exact {
        let one = Exact::from(1);
        let (Some(cap), Some(facility)) = (part.pue_cap, &self.facility) else { return one };
        let it_wh: i64 = self.parts.iter().map(|part| part.evidence.energy_wh).sum();
        let most = &Exact::from(it_wh) * &Exact::from(cap);
        most.over(&Exact::from(facility.energy_wh)).map_or(one.clone(), |most| most.min(one))
    }

    /// Divides one component. Each bears what its load weighs, as far as it is passed on and not too late; the rest stays with the
    /// operator, and so does all where nobody has a load. The shares add up to the amount. `None` beyond 64 bits.
    #[must_use]
    pub fn shares(&self, component: &BillComponent) -> Option<Shares> {
        let by = if component.by_energy { Allocation::Energy } else { self.allocation };
        let bearers = self.bearers();
        let mut weights = vec![Exact::zero(); bearers.len() + 1];
        for part in &self.parts {
            let weight = part.weight(by);
            let passed = match (&part.bearer, by) {
                (None, _) => Exact::zero(),
                (Some(_), _) if part.too_late => Exact::zero(),
                (Some(_), Allocation::Energy) => &weight * &self.passed_on(part),
                (Some(_), _) => weight.clone(),
            };
            let at = part.bearer.as_ref().and_then(|bearer| bearers.iter().position(|one| *one == bearer));
            let kept = &weight - &passed;
            let own = weights.get_mut(at.unwrap_or(bearers.len()))?;
            *own = &*own + &passed;
            let rest = weights.last_mut()?;
            *rest = &*rest + &kept;
        }
        if weights.iter().all(|weight| *weight == Exact::zero()) {
            *weights.last_mut()? = Exact::from(1);
        }
        let mut amounts = divide(component.amount, &weights)?;
        let operator = amounts.pop()?;
        let borne = bearers.into_iter().cloned().zip(amounts).collect();
        Some(Shares { code: component.code.clone(), amount: component.amount, borne, operator })
    }

    /// Divides a whole bill, component by component. `None` beyond 64 bits.
    #[must_use]
    pub fn divide(&self, facts: &BillFacts) -> Option<Vec<Shares>> {
        facts.divided().iter().map(|component| self.shares(component)).collect()
    }
}

impl Shares {
    /// What one bears.
    #[must_use]
    pub fn of(&self, bearer: &Bearer) -> Money {
        let own = self.borne.iter().find(|(one, _)| one == bearer);
        own.map_or(Money::zero(self.amount.currency), |(_, amount)| *amount)
    }
}

/// The sum of what one bears of a bill. `None` beyond 64 bits.
#[must_use]
pub fn borne_by(shares: &[Shares], bearer: &Bearer, currency: Currency) -> Option<Money> {
    Money::checked_sum(currency, shares.iter().map(|of| of.of(bearer)))
}

/// Another bill counts in the place of this one.
#[must_use]
pub fn corrected(by: &UtilityBill) -> Error {
    let why = format!("The bill was corrected by {}, which counts.", by.name());
    Error::refused(Reason::UtilityBillCorrected, why).with("utilityBill", by.name())
}

/// Another bill has some of these days.
#[must_use]
pub fn overlaps(other: &UtilityBill) -> Error {
    let days = other.facts.days;
    let why = format!(
        "{} is for {} to {} by the same meter; a bill that corrects it says so and is for the same days.",
        other.name(),
        days.start(),
        days.last_day()
    );
    Error::refused(Reason::UtilityBillOverlaps, why).with("utilityBill", other.name())
}

#[cfg(test)]
mod tests;
