//! Bad commissions.

use contracts::billing::v1 as billing;
use integration_tests::market::date;
use integration_tests::requests::money::{
    commission, pay_commission, return_commission, reverse_commission, usd,
};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::money::euros;
use super::{NO_DAY, books};
use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "RecordCommission" => recorded(n),
        "PayCommission" => paid(n),
        "ReturnCommission" => returned(n),
        "ReverseCommission" => {
            let reverse = billing::ReverseCommissionRequest {
                name: n.voucher.clone(),
                reason: " ".to_owned(),
                ..reverse_commission(&n.commission)
            };
            vec![Case::invalid("a voucher, for no reason", reverse.encode_to_vec(), &["name", "reason"])]
        }
        "GetCommissionRollForward" => books::by_month(method, n),
        "ListCommissions" => {
            let list = billing::ListCommissionsRequest {
                parent: n.operator.clone(),
                lease: n.site.clone(),
                ..Default::default()
            };
            vec![Case::invalid("a lease that is none", list.encode_to_vec(), &["lease"])]
        }
        _ => Vec::new(),
    }
}

fn with(n: &Names, change: &dyn Fn(&mut billing::Commission)) -> Vec<u8> {
    let mut record = commission(&n.operator, &n.active);
    record.commission.iter_mut().for_each(change);
    record.encode_to_vec()
}

fn recorded(n: &Names) -> Vec<Case> {
    let nothing = billing::Commission { earn_date: NO_DAY, ..Default::default() };
    let fields = ["lease", "payee", "amount", "trigger", "earn_date", "reference"];
    let fields = fields.map(|field| format!("commission.{field}"));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let absent = billing::RecordCommissionRequest {
        commission: None,
        reason: String::new(),
        ..commission(&n.operator, &n.active)
    };
    vec![
        Case::invalid("nothing", absent.encode_to_vec(), &["commission", "reason"]),
        Case::invalid("an empty one", with(n, &|of| *of = nothing.clone()), &fields),
        Case::invalid("for nothing", with(n, &|of| of.amount = Some(usd(0))), &["commission.amount"]),
        Case::invalid(
            "on a lease of another",
            with(n, &|of| of.lease = n.active.replace("acme", "zenith")),
            &["commission.lease"],
        ),
        Case::invalid("by nothing", with(n, &|of| of.trigger = 99), &["commission.trigger"]),
        Case::invalid(
            "in another currency, tomorrow",
            with(n, &|of| (of.amount, of.earn_date) = (euros(), Some(date("2037-01-01")))),
            &["commission.amount", "commission.earn_date"],
        ),
    ]
}

fn paid(n: &Names) -> Vec<Case> {
    let good = || billing::PayCommissionRequest { validate_only: false, ..pay_commission(&n.commission) };
    let all = billing::PayCommissionRequest {
        bank_reference: " ".to_owned(),
        value_date: NO_DAY,
        amount: Some(usd(0)),
        ..good()
    };
    let late = billing::PayCommissionRequest { value_date: Some(date("2037-01-01")), ..good() };
    let foreign = billing::PayCommissionRequest { amount: euros(), ..good() };
    let more = billing::PayCommissionRequest { amount: Some(usd(30_001)), ..good() };
    vec![
        Case::invalid("nothing", all.encode_to_vec(), &["bank_reference", "value_date", "amount"]),
        Case::invalid("tomorrow", late.encode_to_vec(), &["value_date"]),
        Case::invalid("in another currency", foreign.encode_to_vec(), &["amount"]),
        Case::new(
            "more than is owed",
            more.encode_to_vec(),
            Code::FailedPrecondition,
            "AMOUNT_EXCEEDED",
            &[],
        ),
    ]
}

fn returned(n: &Names) -> Vec<Case> {
    let good =
        || billing::ReturnCommissionRequest { validate_only: false, ..return_commission(&n.commission) };
    let all = billing::ReturnCommissionRequest {
        bank_reference: " ".to_owned(),
        value_date: NO_DAY,
        amount: Some(usd(0)),
        ..good()
    };
    let late = billing::ReturnCommissionRequest { value_date: Some(date("2037-01-01")), ..good() };
    let foreign = billing::ReturnCommissionRequest { amount: euros(), ..good() };
    let more = billing::ReturnCommissionRequest { amount: Some(usd(1_001)), ..good() };
    vec![
        Case::invalid("nothing", all.encode_to_vec(), &["bank_reference", "value_date", "amount"]),
        Case::invalid("tomorrow", late.encode_to_vec(), &["value_date"]),
        Case::invalid("in another currency", foreign.encode_to_vec(), &["amount"]),
        Case::new(
            "more than was paid",
            more.encode_to_vec(),
            Code::FailedPrecondition,
            "AMOUNT_EXCEEDED",
            &[],
        ),
    ]
}
