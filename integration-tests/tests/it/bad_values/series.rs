//! Bad values of indexes, and terms of rent that mean nothing.

use contracts::billing::v1 as billing;
use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, decimal};
use integration_tests::requests::series::{record, value};
use integration_tests::world::Names;
use prost::Message as _;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn values(n: &Names) -> Vec<Case> {
    let of = |values: Vec<billing::SeriesValue>| {
        billing::RecordSeriesValuesRequest { values, validate_only: false, ..record(&n.operator) }
            .encode_to_vec()
    };
    let bad = billing::SeriesValue { month: None, source: " ".to_owned(), ..value(2027, 1, "0", 1_001) };
    let fine = value(2027, 1, "1.00000000001", 0);
    let late = value(9_999, 1, "1", -1);
    vec![
        Case::invalid("nothing", of(Vec::new()), &["values"]),
        Case::invalid("too many", of(vec![value(2027, 1, "1", 0); 1_001]), &["values"]),
        Case::invalid("one twice", of(vec![value(2027, 1, "1", 0), value(2027, 1, "2", 0)]), &["values"]),
        Case::invalid(
            "everything",
            of(vec![bad]),
            &["values[0].month", "values[0].value", "values[0].revision", "values[0].source"],
        ),
        Case::invalid("too fine", of(vec![fine]), &["values[0].value"]),
        Case::invalid("no such month", of(vec![late]), &["values[0].month", "values[0].revision"]),
        Case::invalid(
            "a long source",
            of(vec![billing::SeriesValue { source: "s".repeat(501), ..value(2027, 1, "1", 0) }]),
            &["values[0].source"],
        ),
    ]
}

/// A proposal with these terms of rent, and with the usual escalator or none.
fn with(n: &Names, escalates: bool, rent: leasing::RentTerms) -> Vec<u8> {
    let good = market::terms(&n.free_block, market::load(1_000));
    let escalator = good.escalator.filter(|_| escalates);
    let terms = leasing::LeaseTerms { escalator, rent: Some(rent), ..good };
    market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec()
}

pub(super) fn index() -> leasing::IndexEscalator {
    leasing::IndexEscalator {
        price_series_id: "cpi-u".to_owned(),
        base_value: decimal("310"),
        method: leasing::IndexMethod::Compounding.into(),
        basis: leasing::EscalationBasis::BlockAnniversary.into(),
        ..Default::default()
    }
}

pub(crate) fn rents(n: &Names) -> Vec<Case> {
    let of_index =
        |index_escalator| leasing::RentTerms { index_escalator: Some(index_escalator), ..Default::default() };
    let off = |first_month, months, percent: &str| leasing::Abatement {
        first_month,
        months,
        percent: decimal(percent),
    };
    let abated = |abatements| with(n, true, leasing::RentTerms { abatements, ..Default::default() });
    let everything = leasing::RentTerms {
        proration: 99,
        timing: -1,
        abatements: vec![off(-1, 0, "0"), off(600, 601, "100.1")],
        index_escalator: Some(leasing::IndexEscalator {
            price_series_id: "CPI".to_owned(),
            base_value: decimal("0"),
            lag_months: 25,
            floor_percent: decimal("-1"),
            cap_percent: decimal("101"),
            method: 0,
            basis: 0,
            fixed_date: NO_DAY,
        }),
    };
    let fields = [
        "proration",
        "timing",
        "abatements[0].first_month",
        "abatements[0].months",
        "abatements[0].percent",
        "abatements[1].first_month",
        "abatements[1].months",
        "abatements[1].percent",
        "index_escalator.price_series_id",
        "index_escalator.base_value",
        "index_escalator.lag_months",
        "index_escalator.floor_percent",
        "index_escalator.cap_percent",
        "index_escalator.method",
        "index_escalator.basis",
        "index_escalator.fixed_date",
    ]
    .map(|field| format!("terms.rent.{field}"));
    let fields: Vec<&str> = fields.iter().map(String::as_str).collect();
    let below = leasing::IndexEscalator { floor_percent: decimal("3"), cap_percent: decimal("2"), ..index() };
    let undated = leasing::IndexEscalator { basis: leasing::EscalationBasis::FixedDate.into(), ..index() };
    vec![
        Case::invalid("everything of rent", with(n, false, everything), &fields),
        Case::invalid(
            "an index and an escalator",
            with(n, true, of_index(index())),
            &["terms.rent.index_escalator"],
        ),
        Case::invalid(
            "a cap below its floor",
            with(n, false, of_index(below)),
            &["terms.rent.index_escalator.cap_percent"],
        ),
        Case::invalid(
            "a fixed date that is not given",
            with(n, false, of_index(undated)),
            &["terms.rent.index_escalator.fixed_date"],
        ),
        Case::invalid(
            "a month let off twice",
            abated(vec![off(0, 3, "100"), off(2, 1, "50")]),
            &["terms.rent.abatements"],
        ),
        Case::invalid("51 abatements", abated(vec![off(0, 1, "1"); 51]), &["terms.rent.abatements"]),
    ]
}
