//! Utility bills to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use kernel::{
    BlockName, DateRange, Error, LeaseName, MeterName, Money, OperatorId, OperatorName, OperatorParent,
    UtilityBillName, Violations,
};
use runtime::wire::{date, money, request_id, to_date, to_decimal, to_money, to_timestamp};

use super::invoice;
use super::lists::{Maybe, list_request};
use crate::app::{BillTold, ListUtilityBills, Listed, PostTrueUp, RecordUtilityBill, etag_of};
use crate::domain::utility_bill::{
    Bearer, BillComponent, BillFacts, BillFilter, Division, UtilityBill, borne_by,
};

const NUMBER_CHARS: usize = 100;
const CODE_CHARS: usize = 63;
const COMPONENTS_MAX: usize = 100;
const DAYS_MAX: i64 = 366;
const AMOUNT_MAX: i64 = 100_000_000_000_000;
const KWH_MAX: i64 = 100_000_000_000;

pub(super) fn record(request: &wire::RecordUtilityBillRequest) -> Result<RecordUtilityBill, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let operator = parent.map(|parent| parent.operator);
    let bill = v.present("utility_bill", request.utility_bill.as_ref());
    let read = bill.and_then(|bill| {
        v.nested("utility_bill", |v| {
            let corrects = v.parse_optional("corrects", &bill.corrects, str::parse::<UtilityBillName>);
            let foreign =
                corrects.as_ref().zip(operator.as_ref()).is_some_and(|(of, own)| of.operator != *own);
            v.require("corrects", !foreign, "must be the parent's");
            let facts = facts(v, bill, operator.as_ref());
            Some((facts?, corrects.map(|of| of.utility_bill)))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (facts, corrects) = read?;
        Some(RecordUtilityBill {
            operator: operator?,
            facts,
            corrects,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn facts(v: &mut Violations, bill: &wire::UtilityBill, operator: Option<&OperatorId>) -> Option<BillFacts> {
    let meter = v.parse("meter", &bill.meter, str::parse::<MeterName>);
    let meter = meter.filter(|meter| {
        v.require("meter", operator.is_none_or(|own| *own == meter.operator), "must be the parent's")
    });
    let number = (!bill.number.trim().is_empty()).then_some(bill.number.as_str());
    let number = v.present("number", number).and_then(|number| v.text("number", number, NUMBER_CHARS));
    let from = date(v, "from_date", bill.from_date.as_ref());
    let until = date(v, "until_date", bill.until_date.as_ref());
    let days = from.zip(until).and_then(|(from, until)| {
        let few = DateRange::new(from, until).ok().filter(|days| days.days() <= DAYS_MAX);
        v.require("until_date", few.is_some(), "must be 1 to 366 days after from_date");
        few
    });
    let bill_date = date(v, "bill_date", bill.bill_date.as_ref());
    let total = money(v, "amount", bill.amount.as_ref());
    let total = total.filter(|total| {
        v.require("amount", (0..=AMOUNT_MAX).contains(&total.minor), "must be from 0 to 1000000000000")
    });
    let kwh = (0..=KWH_MAX).contains(&bill.energy_kwh);
    v.require("energy_kwh", kwh, "must be from 0 to 100000000000 kWh");
    let components = components(v, &bill.components, total);
    let facts = BillFacts {
        meter: meter?.meter,
        number: number?,
        days: days?,
        bill_date: bill_date?,
        total: total?,
        energy_kwh: bill.energy_kwh,
        components: components?,
    };
    v.require("components", facts.adds_up(), "must add up to amount").then_some(facts)
}

fn components(
    v: &mut Violations,
    components: &[wire::UtilityBillComponent],
    total: Option<Money>,
) -> Option<Vec<BillComponent>> {
    let few = components.len() <= COMPONENTS_MAX;
    v.require("components", few, "must be at most 100 components");
    let read = v.each("components", components.iter().take(COMPONENTS_MAX), |v, component| {
        let code = (!component.code.trim().is_empty()).then_some(component.code.as_str());
        let code = v.present("code", code).and_then(|code| v.text("code", code, CODE_CHARS));
        let amount = money(v, "amount", component.amount.as_ref());
        let amount = amount.filter(|amount| {
            let own = total.is_none_or(|total| total.currency == amount.currency);
            v.require("amount", own, "must be in the currency of the bill");
            let bounded = (-AMOUNT_MAX..=AMOUNT_MAX).contains(&amount.minor);
            own && v.require("amount", bounded, "must be from -1000000000000 to 1000000000000")
        });
        Some(BillComponent { code: code?, amount: amount?, by_energy: component.by_energy })
    })?;
    let mut codes: Vec<&str> = read.iter().map(|component| component.code.as_str()).collect();
    codes.sort_unstable();
    let once = codes.windows(2).all(|pair| pair[0] != pair[1]);
    (v.require("components", once, "must name each code once") && few).then_some(read)
}

pub(super) fn recorded(told: &BillTold) -> wire::RecordUtilityBillResponse {
    let bill = to_wire(&told.bill);
    let bill = if told.tried_out {
        wire::UtilityBill { name: String::new(), etag: String::new(), create_time: None, ..bill }
    } else {
        bill
    };
    wire::RecordUtilityBillResponse { utility_bill: Some(bill) }
}

pub(super) fn post(request: &wire::PostTrueUpRequest) -> Result<PostTrueUp, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<UtilityBillName>);
    let etag = invoice::etag(&mut v, &request.etag);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(PostTrueUp {
            name: name?,
            etag: etag?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn posted(told: &BillTold) -> wire::PostTrueUpResponse {
    let bill = to_wire(&told.bill);
    let bill = if told.tried_out { wire::UtilityBill { etag: String::new(), ..bill } } else { bill };
    wire::PostTrueUpResponse { utility_bill: Some(bill) }
}

pub(super) fn name(text: &str) -> Result<UtilityBillName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<UtilityBillName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListUtilityBillsRequest) -> Result<ListUtilityBills, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let meter = v.parse_optional("meter", &request.meter, str::parse::<MeterName>);
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(meter.as_ref())]);
    v.build(|| {
        let filter = BillFilter { meter: meter.map(|name| (name.operator, name.meter)) };
        Some(ListUtilityBills { list: list?, filter })
    })
}

pub(super) fn listed(listed: &Listed<UtilityBill>) -> wire::ListUtilityBillsResponse {
    wire::ListUtilityBillsResponse {
        utility_bills: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next.clone(),
    }
}

pub(super) fn to_wire(bill: &UtilityBill) -> wire::UtilityBill {
    let (operator, facts) = (&bill.operator, &bill.facts);
    let component = |of: &BillComponent| wire::UtilityBillComponent {
        code: of.code.clone(),
        amount: Some(to_money(of.amount)),
        by_energy: of.by_energy,
    };
    let corrects = bill.corrects.map(|id| UtilityBillName::new(operator.clone(), id).to_string());
    let division = bill.division.as_ref().map(|(division, time)| wire::BillDivision {
        time: Some(to_timestamp(*time)),
        ..division_to_wire(operator, facts, division)
    });
    wire::UtilityBill {
        name: bill.name().to_string(),
        meter: MeterName::new(operator.clone(), facts.meter.clone()).to_string(),
        number: facts.number.clone(),
        from_date: Some(to_date(facts.days.start())),
        until_date: Some(to_date(facts.days.end())),
        bill_date: Some(to_date(facts.bill_date)),
        amount: Some(to_money(facts.total)),
        energy_kwh: facts.energy_kwh,
        components: facts.components.iter().map(component).collect(),
        corrects: corrects.unwrap_or_default(),
        revision: bill.revision,
        division,
        create_time: Some(to_timestamp(bill.create_time)),
        etag: etag_of(bill.version),
    }
}

fn division_to_wire(operator: &OperatorId, facts: &BillFacts, division: &Division) -> wire::BillDivision {
    // It was divided when it was written, so that it does fit.
    let shares = division.divide(facts).unwrap_or_default();
    let currency = facts.total.currency;
    let share = |bearer: &Bearer| wire::BillShare {
        lease: LeaseName::new(operator.clone(), bearer.lease.clone()).to_string(),
        block: BlockName::new(operator.clone(), bearer.place.site.clone(), bearer.place.block.clone())
            .to_string(),
        share: Some(to_decimal(division.share_of(Some(bearer)))),
        amount: borne_by(&shares, bearer, currency).map(to_money),
        too_late: division.is_too_late(bearer),
    };
    let kept = Money::checked_sum(currency, shares.iter().map(|of| of.operator));
    wire::BillDivision {
        time: None,
        shares: division.bearers().into_iter().map(share).collect(),
        operator_amount: kept.map(to_money),
        vacant_share: Some(to_decimal(division.share_of(None))),
        estimated: division.is_estimated(),
    }
}
