//! Explanations: a line with all that it came of, and what it comes to when it is computed again.

use kernel::rent::{Adjustment, escalation_dates};
use kernel::{CivilDate, IndexEscalator, Money, OperatorId, Percent, PriceSeriesId, Rate};

use super::charge::{self, Charge, Standing};
use super::invoice::InvoiceLine;
use super::lease::{LeaseCopy, Poison, Premises, Rent};
use super::reckoned::Whole;
use super::reckoning::{CreditInputs, Evidence, UsageInputs};
use super::service_level::Credit;
use super::true_up::{TrueUp, TrueUpInputs};

/// A line that was computed again.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// Whose invoice.
    pub operator: OperatorId,
    /// The line as it is on the invoice.
    pub line: InvoiceLine,
    /// Its place, from 1.
    pub number: usize,
    /// What it comes to; none where it cannot be computed to anything.
    pub computed: Option<Money>,
    /// Whether that is the same.
    pub same: bool,
    /// From what.
    pub why: Why,
}

/// From what a line came.
#[derive(Clone, Debug)]
pub enum Why {
    /// Rent, from the terms.
    Rent(RentWhy),
    /// A tariff, from readings.
    Usage(Box<UsageWhy>),
    /// Rent given back, from outages: the inputs, what they come to, the whole charge, and what was given back before.
    Credit(Box<(CreditInputs, Credit, Whole, Money)>),
    /// A utility's bill, divided, with what was charged before the line.
    TrueUp(Box<(TrueUpInputs, TrueUp, Money)>),
    /// The terms beside rent, in words and figures.
    Agreed(Vec<String>),
    /// A charge that was billed, and is none any more.
    Gone,
}

/// From what rent came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RentWhy {
    /// Rate of the first year; none where rates are stated.
    pub base: Option<Rate>,
    /// The yearly rise.
    pub escalator: Option<Percent>,
    /// How often the rate had risen.
    pub step: usize,
    /// First day of the step.
    pub step_from: CivilDate,
    /// What the index made of it; none where rates follow none.
    pub index: Option<IndexWhy>,
}

/// What an index made of a rate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IndexWhy {
    /// The series of its values.
    pub series: PriceSeriesId,
    /// What it was when the rate was agreed.
    pub base: Rate,
    /// Every adjustment up to the day.
    pub adjustments: Vec<Adjustment>,
}

/// From what a line by a tariff came.
#[derive(Clone, Debug)]
pub struct UsageWhy {
    /// The inputs, measured again.
    pub inputs: UsageInputs,
    /// The whole charge.
    pub whole: Whole,
    /// What of it was billed before.
    pub before: Money,
    /// What the landlord bears above the cap.
    pub absorbed: Money,
}

impl RentWhy {
    /// The step of a charge.
    pub fn of(lease: &LeaseCopy, rent: &Charge) -> Result<Self, Poison> {
        let terms = &lease.terms;
        let premises = terms.premises.iter().find(|premises| premises.place == rent.place);
        let premises = premises.ok_or_else(|| Poison("the block is not in these terms".to_owned()))?;
        let steps = Standing::of(lease, premises)?.rates;
        let day = rent.period.start();
        let from = steps.iter().rev().find(|step| step.from <= day).map_or(day, |step| step.from);
        let (base, step) = match &premises.rent {
            Rent::Stated { steps } => {
                (None, steps.iter().filter(|step| step.from <= day).count().saturating_sub(1))
            }
            Rent::Base { rate } => {
                let lease_start = terms.start().unwrap_or(premises.term.start());
                let rises = terms.escalator.as_ref().map_or(0, |escalator| {
                    escalation_dates(escalator.basis, lease_start, premises.term.start())
                        .take_while(|date| *date <= day)
                        .count()
                });
                (Some(*rate), rises)
            }
        };
        let escalator = base.and(terms.escalator.as_ref()).map(|escalator| escalator.percent);
        let index = base.and(terms.rent.index.as_ref());
        let index = index.map(|index| IndexWhy::of(lease, premises, index, day)).transpose()?;
        let step = index.as_ref().map_or(step, |index| index.adjustments.len());
        Ok(Self { base, escalator, step, step_from: from, index })
    }
}

impl IndexWhy {
    fn of(
        lease: &LeaseCopy,
        premises: &Premises,
        index: &IndexEscalator,
        day: CivilDate,
    ) -> Result<Self, Poison> {
        let (start, term) = (charge::start_as_it_stands(lease), charge::occupied(lease, premises));
        let start = start.unwrap_or(term.start());
        let mut adjustments = index
            .adjustments(start, term.start(), term.end(), &lease.index)
            .map_err(|error| Poison(error.to_string()))?;
        adjustments.retain(|one| one.from <= day);
        Ok(Self { series: index.series.clone(), base: index.base, adjustments })
    }
}

impl Explanation {
    /// The computation, step by step, in words and figures.
    #[must_use]
    pub fn steps(&self) -> Vec<String> {
        let mut steps = match &self.why {
            Why::Rent(why) => why.steps(),
            Why::Usage(why) => why.steps(),
            Why::Credit(credit) => credit_steps(&credit.0, &credit.1),
            Why::TrueUp(of) => of.0.steps(&self.operator),
            Why::Agreed(steps) => steps.clone(),
            Why::Gone => vec!["by the plan and the readings that hold now nothing is charged".to_owned()],
        };
        steps.push(self.line.formula());
        steps
    }
}

impl RentWhy {
    fn steps(&self) -> Vec<String> {
        let (step, from) = (self.step, self.step_from);
        if let (Some(base), Some(index)) = (&self.base, &self.index) {
            let begin = format!("{base} when the index {} was {}", index.series, index.base);
            return std::iter::once(begin).chain(index.adjustments.iter().map(adjusted)).collect();
        }
        vec![match (&self.base, &self.escalator) {
            (Some(base), Some(percent)) => {
                format!("{base} in the first year, risen {step} times by {percent} %, from {from}")
            }
            (Some(base), None) => format!("{base} for the whole term"),
            (None, _) => format!("step {} of the stated rates, from {from}", step + 1),
        }]
    }
}

impl UsageWhy {
    fn steps(&self) -> Vec<String> {
        let inputs = &self.inputs;
        let read = |what: &str, of: &Evidence| {
            let estimated = match of.estimated_wh {
                0 => String::new(),
                some => format!(", {some} Wh of them estimated"),
            };
            format!(
                "{what} {}: {} Wh{estimated}, at most {} W, by its readings up to batch {}",
                of.meter, of.energy_wh, of.peak_w, of.batch
            )
        };
        let mut steps = vec![read("meter", &inputs.own)];
        if let Some(facility) = &inputs.facility {
            steps.push(read("facility", facility));
            let cap = inputs.rule.facility.as_ref().and_then(|facility| facility.pue_cap);
            let cap = cap.map_or_else(String::new, |cap| format!(", at most {cap}"));
            let (all, factor) = (inputs.shared_wh(), inputs.energy_factor());
            steps.push(format!("{} Wh of {all} Wh of IT energy{cap}: {factor} for one", facility.energy_wh));
            let (mine, of) = inputs.weight;
            steps.push(format!("{mine} of {of} of the facility's peak and of monthly charges"));
        }
        if self.absorbed.minor != 0 {
            steps.push(format!("above the cap the landlord bears {}", self.absorbed));
        }
        steps
    }
}

fn adjusted(one: &Adjustment) -> String {
    let value = one.value.map_or("not known".to_owned(), |value| value.to_string());
    format!("from {} by its value of {}, {value}: {} times the base rate", one.from, one.month, one.factor)
}

fn credit_steps(inputs: &CreditInputs, credit: &Credit) -> Vec<String> {
    vec![
        format!("rent of {} days: {}", inputs.days.days(), inputs.rent),
        format!("{} outages counted, which come to {} days of rent", credit.incidents.len(), credit.days),
        format!("at most {} % of the rent is given back: {}", inputs.level.cap, credit.cap),
    ]
}
