//! Bad questions about what is free.

use contracts::common::v1::CapacityVector;
use contracts::google::r#type::Date;
use contracts::inventory::v1 as inventory;
use integration_tests::market::{self, date, decimal};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn search() -> Vec<Case> {
    let good = || inventory::SearchCapacityRequest {
        critical_it_kw: 1_000,
        liquid_share_percent: 85,
        start_from_date: Some(date("2027-01-01")),
        term_months: 120,
        ..Default::default()
    };
    let all_wrong = inventory::SearchCapacityRequest {
        critical_it_kw: -1,
        liquid_share_percent: 101,
        capacity: None,
        start_from_date: NO_DAY,
        start_until_date: NO_DAY,
        term_months: 0,
        operators: vec!["acme".to_owned()],
        site: "rockdale".to_owned(),
        max_rate_per_kw_month: decimal("-1"),
        limit: -1,
        ..Default::default()
    };
    let reversed = inventory::SearchCapacityRequest { start_until_date: Some(date("2027-01-01")), ..good() };
    let both = inventory::SearchCapacityRequest { capacity: Some(market::load(1_000)), ..good() };
    let long = inventory::SearchCapacityRequest { term_months: 601, ..good() };
    let of_nobody =
        inventory::SearchCapacityRequest { operators: vec!["operators/nobody-at-all".to_owned()], ..good() };
    vec![
        Case::invalid("nothing", Vec::new(), &["critical_it_kw", "start_from_date", "term_months"]),
        Case::invalid(
            "everything",
            all_wrong.encode_to_vec(),
            &[
                "critical_it_kw",
                "liquid_share_percent",
                "start_from_date",
                "start_until_date",
                "term_months",
                "operators[0]",
                "site",
                "max_rate_per_kw_month",
                "currency_code",
                "limit",
            ],
        ),
        Case::invalid("a reversed window", reversed.encode_to_vec(), &["start_until_date"]),
        Case::invalid("a need said twice", both.encode_to_vec(), &["critical_it_kw", "liquid_share_percent"]),
        Case::new(
            "a term too long",
            long.encode_to_vec(),
            Code::InvalidArgument,
            "TERM_OUT_OF_RANGE",
            &["term_months"],
        ),
        Case::new("a foreign operator", of_nobody.encode_to_vec(), Code::NotFound, "RESOURCE_NOT_FOUND", &[]),
    ]
}

pub(super) fn availability(method: &str, n: &Names) -> Vec<Case> {
    if method == "FindEarliestCapacity" {
        let ask = |capacity, term_months, not_before_date| {
            let parent = n.operator.clone();
            inventory::FindEarliestCapacityRequest {
                parent,
                capacity,
                term_months,
                not_before_date,
                ..Default::default()
            }
            .encode_to_vec()
        };
        let need = market::load(1_000);
        let day = Some(date("2027-01-01"));
        return vec![
            Case::invalid(
                "everything",
                ask(None, -1, NO_DAY),
                &["capacity", "term_months", "not_before_date"],
            ),
            Case::invalid(
                "no load",
                ask(Some(CapacityVector::default()), 12, day),
                &["capacity.critical_it_kw"],
            ),
            Case::new(
                "too long",
                ask(Some(need), 601, day),
                Code::InvalidArgument,
                "TERM_OUT_OF_RANGE",
                &["term_months"],
            ),
        ];
    }
    let ask = |start: &str, end: &str| {
        let (start_date, end_date) = (Some(date(start)), Some(date(end)));
        inventory::GetAvailabilityRequest {
            name: n.block.clone(),
            start_date,
            end_date,
            ..Default::default()
        }
        .encode_to_vec()
    };
    let absurd = inventory::GetAvailabilityRequest {
        name: n.phase.clone(),
        start_date: NO_DAY,
        end_date: Some(Date { year: 12_000, month: 1, day: 1 }),
        ..Default::default()
    };
    vec![
        Case::invalid("everything", absurd.encode_to_vec(), &["name", "start_date", "end_date"]),
        Case::invalid("reversed", ask("2028-01-01", "2027-01-01"), &["end_date"]),
        Case::invalid("empty", ask("2028-01-01", "2028-01-01"), &["end_date"]),
        Case::new(
            "51 years",
            ask("2027-01-01", "2078-01-01"),
            Code::InvalidArgument,
            "TERM_OUT_OF_RANGE",
            &["end_date"],
        ),
    ]
}
