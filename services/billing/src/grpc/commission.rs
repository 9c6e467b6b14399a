//! Commissions to the wire, and what is asked of them from it.

use contracts::billing::v1 as wire;
use kernel::{
    CommissionName, Error, LeaseName, OperatorId, OperatorName, OperatorParent, Violations, VoucherName,
};
use runtime::wire::{date, known, request_id, to_date, to_money, to_timestamp};

use super::credit_note::{optional_amount, positive_amount, reason};
use super::lists::{Maybe, list_request};
use super::payment::reference;
use crate::app::{ListCommissions, Listed, PayCommission, Propose};
use crate::domain::commission::{Commission, CommissionFacts, Trigger};
use crate::domain::voucher::Content;

const PAYEE_CHARS: usize = 200;
const AMOUNT_MAX: i64 = 100_000_000_000_000;

pub(super) fn record(request: &wire::RecordCommissionRequest) -> Result<Propose, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let operator = parent.map(|name| name.operator);
    let commission = v.present("commission", request.commission.as_ref());
    let commission = commission.and_then(|of| v.nested("commission", |v| facts(v, of, operator.as_ref())));
    let reason = reason(&mut v, &request.reason);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(Propose {
            operator: operator?,
            content: Content::Commission { commission: commission? },
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

fn facts(
    v: &mut Violations,
    of: &wire::Commission,
    operator: Option<&OperatorId>,
) -> Option<CommissionFacts> {
    let lease = v.parse("lease", &of.lease, str::parse::<LeaseName>);
    let lease = lease.filter(|lease| {
        v.require("lease", operator.is_none_or(|own| *own == lease.operator), "must be a lease of the parent")
    });
    let payee = (!of.payee.trim().is_empty()).then_some(of.payee.as_str());
    let payee = v.present("payee", payee).and_then(|payee| v.text("payee", payee, PAYEE_CHARS));
    let amount = positive_amount(v, "amount", of.amount.as_ref())
        .filter(|amount| v.require("amount", amount.minor <= AMOUNT_MAX, "must be at most 1000000000000"));
    let trigger =
        known::<wire::CommissionTrigger>(v, "trigger", of.trigger).and_then(|trigger| match trigger {
            wire::CommissionTrigger::Unspecified => None,
            wire::CommissionTrigger::Signing => Some(Trigger::Signing),
            wire::CommissionTrigger::Commencement => Some(Trigger::Commencement),
        });
    let earn_date = date(v, "earn_date", of.earn_date.as_ref());
    let reference = reference(v, "reference", &of.reference);
    Some(CommissionFacts {
        lease: lease?.lease,
        payee: payee?,
        amount: amount?,
        trigger: trigger?,
        earn_date: earn_date?,
        reference: reference?,
    })
}

pub(super) fn pay(request: &wire::PayCommissionRequest) -> Result<PayCommission, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<CommissionName>);
    let bank_reference = reference(&mut v, "bank_reference", &request.bank_reference);
    let value_date = date(&mut v, "value_date", request.value_date.as_ref());
    let amount = optional_amount(&mut v, "amount", request.amount.as_ref());
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(PayCommission {
            name: name?,
            bank_reference: bank_reference?,
            value_date: value_date?,
            amount: amount?,
            returned: false,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// What is said of a return is said as of a payment.
pub(super) fn give_back(request: &wire::ReturnCommissionRequest) -> Result<PayCommission, Error> {
    let command = pay(&wire::PayCommissionRequest {
        name: request.name.clone(),
        bank_reference: request.bank_reference.clone(),
        value_date: request.value_date,
        amount: request.amount.clone(),
        request_id: request.request_id.clone(),
        validate_only: request.validate_only,
    })?;
    Ok(PayCommission { returned: true, ..command })
}

pub(super) fn reverse(request: &wire::ReverseCommissionRequest) -> Result<Propose, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<CommissionName>);
    let reason = reason(&mut v, &request.reason);
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let name = name?;
        Some(Propose {
            operator: name.operator,
            content: Content::CommissionReversal { commission: name.commission },
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

pub(super) fn returned(of: &Commission) -> wire::ReturnCommissionResponse {
    wire::ReturnCommissionResponse { commission: Some(to_wire(of)) }
}

pub(super) fn paid(of: &Commission) -> wire::PayCommissionResponse {
    wire::PayCommissionResponse { commission: Some(to_wire(of)) }
}

pub(super) fn name(text: &str) -> Result<CommissionName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<CommissionName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListCommissionsRequest) -> Result<ListCommissions, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let lease = v.parse_optional("lease", &request.lease, str::parse::<LeaseName>);
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(lease.as_ref())]);
    v.build(|| Some(ListCommissions { list: list?, lease }))
}

pub(super) fn listed(listed: &Listed<Commission>) -> wire::ListCommissionsResponse {
    wire::ListCommissionsResponse {
        commissions: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next.clone(),
    }
}

/// What is agreed, as a voucher tells it.
pub(super) fn facts_to_wire(operator: &OperatorId, facts: &CommissionFacts) -> wire::Commission {
    let trigger = match facts.trigger {
        Trigger::Signing => wire::CommissionTrigger::Signing,
        Trigger::Commencement => wire::CommissionTrigger::Commencement,
    };
    wire::Commission {
        lease: LeaseName::new(operator.clone(), facts.lease.clone()).to_string(),
        payee: facts.payee.clone(),
        amount: Some(to_money(facts.amount)),
        trigger: trigger.into(),
        earn_date: Some(to_date(facts.earn_date)),
        reference: facts.reference.clone(),
        ..wire::Commission::default()
    }
}

pub(super) fn to_wire(of: &Commission) -> wire::Commission {
    wire::Commission {
        name: of.name().to_string(),
        amortized: Some(to_money(of.amortized())),
        written_off: Some(to_money(of.written_off())),
        unamortized: Some(to_money(of.unamortized())),
        amortized_through_date: of.moved.amortized_through.map(to_date),
        paid: Some(to_money(of.paid())),
        payable: Some(to_money(of.payable())),
        create_time: Some(to_timestamp(of.create_time)),
        returned: Some(to_money(of.returned())),
        reverse_time: of.reversed.map(|reversal| to_timestamp(reversal.time)),
        reversal_voucher: of
            .reversed
            .map(|reversal| VoucherName::new(of.operator.clone(), reversal.voucher).to_string())
            .unwrap_or_default(),
        ..facts_to_wire(&of.operator, &of.facts)
    }
}
