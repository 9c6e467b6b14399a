use kernel::Reason;

use super::*;
use crate::domain::number::InvoiceNumber;
use crate::domain::sample;

#[test]
fn every_wrong_field_of_a_list_is_told_at_once() {
    let request = wire::ListInvoicesRequest {
        parent: "operators/".to_owned(),
        page_size: -1,
        states: vec![1, 0, 77],
        tenant: "tenants/UPPER".to_owned(),
        lease: "leases/x".to_owned(),
        billing_run: "operators/op-one/billingRuns/nil".to_owned(),
        billing_month: Some(wire::BillingMonth { year: 2026, month: 13 }),
        ..wire::ListInvoicesRequest::default()
    };
    let error = list(&request).expect_err("all wrong");
    assert_eq!(error.reason(), Reason::InvalidField);
    let fields: Vec<&str> = error.violations().iter().map(|v| v.field.as_str()).collect();
    for field in
        ["parent", "page_size", "states[1]", "states[2]", "tenant", "lease", "billing_run", "billing_month"]
    {
        assert!(fields.contains(&field), "{field} is not in {fields:?}");
    }
}

#[test]
fn a_list_for_all_operators_with_every_filter_is_read() {
    let request = wire::ListInvoicesRequest {
        parent: "operators/-".to_owned(),
        states: vec![wire::InvoiceState::Open.into()],
        tenant: "tenants/tenant-one".to_owned(),
        billing_month: Some(wire::BillingMonth { year: 2026, month: 12 }),
        ..wire::ListInvoicesRequest::default()
    };
    let command = list(&request).expect("well formed");
    assert_eq!(command.filter.states, [InvoiceState::Open]);
    assert_eq!(command.filter.month, Some(sample::month(2026, 12)));
    let other = wire::ListInvoicesRequest { states: Vec::new(), ..request };
    assert_ne!(command.list.fingerprint, list(&other).expect("well formed").list.fingerprint);
}

#[test]
fn a_preview_says_how_far_in_one_way() {
    let request = |until_end, through_date| wire::PreviewInvoicesRequest {
        lease: "operators/op-one/leases/lease-one".to_owned(),
        through_date,
        until_end,
    };
    let date = Some(to_date(sample::date(2027, 1, 1)));
    assert!(preview(&request(true, None)).is_ok());
    assert!(preview(&request(false, date)).is_ok());
    for wrong in [request(false, None), request(true, date)] {
        let error = preview(&wrong).expect_err("not one way");
        assert_eq!(error.violations()[0].field, "through_date");
    }
}

#[test]
fn months_that_are_never_billed_are_refused() {
    for (year, month_of_year) in [(1999, 12), (9999, 1), (2026, 0), (2026, -1), (0, 0)] {
        let mut v = Violations::new();
        let asked = wire::BillingMonth { year, month: month_of_year };
        assert_eq!(month(&mut v, "billing_month", Some(&asked)), None, "{year}-{month_of_year}");
        assert!(v.finish().is_err());
    }
}

#[test]
fn an_issued_invoice_tells_all_that_is_needed_to_compute_it_again() {
    let now = sample::instant(2026, 10, 24);
    let invoice = sample::invoice(&[67_096_774]).issue(InvoiceNumber::new("INV", 3), now).expect("a draft");
    let told = to_wire(&invoice);
    assert_eq!((told.series.as_str(), told.number.as_str(), told.etag.as_str()), ("INV", "INV-000003", "v2"));
    assert_eq!(told.state(), wire::InvoiceState::Open);
    assert_eq!(told.due_date, Some(to_date(sample::date(2026, 11, 23))));
    let line = &told.lines[0];
    assert_eq!((line.days, line.days_in_month, line.quantity_kw), (8, 31, 20_000));
    assert_eq!(line.block, "operators/op-one/sites/site-one/blocks/hall-one");
    assert_eq!(line.amount.as_ref().map(|m| (m.units, m.nanos)), Some((670_967, 740_000_000)));
    assert_eq!(told.total, line.amount);
}
