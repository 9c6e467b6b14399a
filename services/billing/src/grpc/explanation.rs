//! Explanations to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::rent::Adjustment;
use kernel::{
    ChargingPlanName, Error, IncidentName, InvoiceName, MeterName, Money, OperatorId, PriceSeriesName,
    TariffName, UtilityBillName, Violations,
};
use runtime::wire::{to_date, to_decimal, to_money};

use super::invoice::{line_to_wire, to_month};
use crate::app::{ExplainLine, etag_of};
use crate::domain::explanation::{Explanation, RentWhy, UsageWhy, Why};
use crate::domain::reckoned::Whole;
use crate::domain::reckoning::{CreditInputs, Evidence};
use crate::domain::service_level::Credit;
use crate::domain::true_up::{TrueUp, TrueUpInputs};

pub(super) fn ask(request: &wire::ExplainLineRequest) -> Result<ExplainLine, Error> {
    let mut v = Violations::new();
    let invoice = v.parse("invoice", &request.invoice, str::parse::<InvoiceName>);
    let number = usize::try_from(request.line_number).ok().filter(|number| *number > 0);
    v.require("line_number", number.is_some(), "must be at least 1");
    v.build(|| Some(ExplainLine { invoice: invoice?, line_number: number? }))
}

pub(super) fn answer(explained: &Explanation) -> wire::ExplainLineResponse {
    let operator = &explained.operator;
    let mut answer = wire::ExplainLineResponse {
        line: Some(line_to_wire(operator, &explained.line, explained.number)),
        same: explained.same,
        computed: explained.computed.map(to_money),
        steps: explained.steps(),
        ..Default::default()
    };
    match &explained.why {
        Why::Rent(why) => answer.rent = Some(rent(operator, why)),
        Why::Usage(why) => answer.usage = Some(usage(operator, why)),
        Why::Credit(why) => answer.credit = Some(credit(operator, &why.0, &why.1, (&why.2, why.3))),
        Why::TrueUp(why) => answer.true_up = Some(true_up(operator, &why.0, &why.1, why.2)),
        Why::Agreed(_) | Why::Gone => {}
    }
    answer
}

fn rent(operator: &OperatorId, why: &RentWhy) -> wire::RentExplanation {
    let index = why.index.as_ref();
    let adjustment = |one: &Adjustment| wire::IndexAdjustment {
        from_date: Some(to_date(one.from)),
        month: Some(to_month(one.month)),
        value: one.value.map(to_decimal),
        factor: Some(to_decimal(&one.factor)),
    };
    let series = index.map(|index| PriceSeriesName::new(operator.clone(), index.series.clone()).to_string());
    wire::RentExplanation {
        price_series: series.unwrap_or_default(),
        index_base_value: index.map(|index| to_decimal(index.base)),
        adjustments: index
            .map(|index| index.adjustments.iter().map(adjustment).collect())
            .unwrap_or_default(),
        base_rate_per_kw_month: why.base.map(to_decimal),
        escalator_percent: why.escalator.map(to_decimal),
        rate_step: i32::try_from(why.step).unwrap_or(i32::MAX),
        rate_step_date: Some(to_date(why.step_from)),
    }
}

fn usage(operator: &OperatorId, why: &UsageWhy) -> wire::UsageExplanation {
    let inputs = &why.inputs;
    wire::UsageExplanation {
        charging_plan: ChargingPlanName::new(operator.clone(), inputs.plan.clone()).to_string(),
        tariff: TariffName::new(operator.clone(), inputs.tariff.clone()).to_string(),
        tariff_etag: etag_of(inputs.tariff_version),
        meter: Some(evidence(operator, &inputs.own)),
        facility: inputs.facility.as_ref().map(|of| evidence(operator, of)),
        shared_energy_wh: inputs.shared_wh(),
        energy_factor: Some(to_decimal(inputs.energy_factor())),
        share: Some(to_decimal(inputs.share())),
        contracted_kw: inputs.contracted_kw,
        whole: Some(to_money(why.whole.amount)),
        billed_before: Some(to_money(why.before)),
        absorbed: Some(to_money(why.absorbed)),
    }
}

fn true_up(
    operator: &OperatorId,
    inputs: &TrueUpInputs,
    of: &TrueUp,
    before: Money,
) -> wire::TrueUpExplanation {
    let facts = &inputs.facts;
    wire::TrueUpExplanation {
        utility_bill: UtilityBillName::new(operator.clone(), inputs.bill).to_string(),
        number: facts.number.clone(),
        from_date: Some(to_date(facts.days.start())),
        until_date: Some(to_date(facts.days.end())),
        bill_amount: Some(to_money(of.shares.amount)),
        share: Some(to_decimal(inputs.division.share_of(Some(&inputs.bearer)))),
        share_amount: Some(to_money(of.borne)),
        estimate: Some(to_money(of.estimate)),
        whole: Some(to_money(of.amount)),
        billed_before: Some(to_money(before)),
    }
}

fn evidence(operator: &OperatorId, of: &Evidence) -> wire::MeterEvidence {
    wire::MeterEvidence {
        meter: MeterName::new(operator.clone(), of.meter.clone()).to_string(),
        batch: of.batch,
        energy_wh: of.energy_wh,
        estimated_wh: of.estimated_wh,
        peak_w: of.peak_w,
    }
}

fn credit(
    operator: &OperatorId,
    inputs: &CreditInputs,
    credit: &Credit,
    (whole, before): (&Whole, Money),
) -> wire::CreditExplanation {
    let incident = |id: &kernel::IncidentId| IncidentName::new(operator.clone(), *id).to_string();
    wire::CreditExplanation {
        charging_plan: ChargingPlanName::new(operator.clone(), inputs.plan.clone()).to_string(),
        month_rent: Some(to_money(inputs.rent)),
        days_of_rent: i32::try_from(credit.days).unwrap_or(i32::MAX),
        cap: Some(to_money(credit.cap)),
        incidents: credit.incidents.iter().map(incident).collect(),
        whole: Some(to_money(whole.amount)),
        billed_before: Some(to_money(before)),
    }
}
