//! Bad utility bills.

use contracts::billing::v1 as billing;
use integration_tests::market::date;
use integration_tests::requests::charging::{record, utility_bill};
use integration_tests::requests::money::usd;
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use super::money::euros;
use crate::bad_input::Case;

pub(super) fn of(method: &str, n: &Names) -> Vec<Case> {
    match method {
        "RecordUtilityBill" => [shapes(n), days(n)].concat(),
        "ListUtilityBills" => {
            let list = billing::ListUtilityBillsRequest {
                parent: n.operator.clone(),
                meter: n.site.clone(),
                ..Default::default()
            };
            vec![Case::invalid("a meter that is none", list.encode_to_vec(), &["meter"])]
        }
        _ => Vec::new(),
    }
}

fn with(n: &Names, change: &dyn Fn(&mut billing::UtilityBill)) -> Vec<u8> {
    let mut bill = utility_bill(n, "2026-10-01", "2026-11-01");
    change(&mut bill);
    record(&n.operator, bill).encode_to_vec()
}

fn shapes(n: &Names) -> Vec<Case> {
    let nothing = billing::UtilityBill { from_date: NO_DAY, energy_kwh: -1, ..Default::default() };
    let fields = ["meter", "number", "from_date", "until_date", "bill_date", "amount", "energy_kwh"];
    let fields = fields.map(|field| format!("utility_bill.{field}"));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let part = |code: &str, units| billing::UtilityBillComponent {
        code: code.to_owned(),
        amount: Some(usd(units)),
        by_energy: false,
    };
    vec![
        Case::invalid("nothing", record(&n.operator, nothing).encode_to_vec(), &fields),
        Case::invalid(
            "less than nothing",
            with(n, &|bill| bill.amount = Some(usd(-1))),
            &["utility_bill.amount"],
        ),
        Case::invalid(
            "components of something else",
            with(n, &|bill| bill.components = vec![part("energy", 999)]),
            &["utility_bill.components"],
        ),
        Case::invalid(
            "a component twice",
            with(n, &|bill| bill.components = vec![part("energy", 400), part("energy", 600)]),
            &["utility_bill.components"],
        ),
        Case::invalid(
            "a component of nothing, in euros",
            with(n, &|bill| {
                bill.components = vec![billing::UtilityBillComponent { amount: euros(), ..part("", 1) }];
            }),
            &["utility_bill.components[0].code", "utility_bill.components[0].amount"],
        ),
        Case::invalid(
            "of another operator",
            with(n, &|bill| {
                bill.meter = bill.meter.replace("acme", "zenith");
                bill.corrects = n.utility_bill.replace("acme", "zenith");
            }),
            &["utility_bill.meter", "utility_bill.corrects"],
        ),
    ]
}

fn days(n: &Names) -> Vec<Case> {
    vec![
        Case::invalid(
            "backwards",
            with(n, &|bill| bill.until_date = bill.from_date),
            &["utility_bill.until_date"],
        ),
        Case::invalid(
            "of days to come",
            with(n, &|bill| {
                bill.from_date = Some(date("2031-01-01"));
                bill.until_date = Some(date("2031-02-01"));
                bill.bill_date = Some(date("2031-02-01"));
            }),
            &["utility_bill.until_date", "utility_bill.bill_date"],
        ),
        Case::invalid(
            "that corrects one of other days",
            with(n, &|bill| bill.corrects.clone_from(&n.utility_bill)),
            &["utility_bill.corrects"],
        ),
        Case::new(
            "no such meter",
            with(n, &|bill| bill.meter.push_str("-b")),
            Code::NotFound,
            "RESOURCE_NOT_FOUND",
            &[],
        ),
        Case::new(
            "of days that another has",
            with(n, &|bill| bill.until_date = Some(date("2026-11-02"))),
            Code::FailedPrecondition,
            "UTILITY_BILL_OVERLAPS",
            &[],
        ),
    ]
}
