//! Translates between the wire and the use cases; decides nothing. One file a gRPC service, one a resource.

mod account;
mod account_service;
mod books;
mod books_service;
mod charging;
mod charging_service;
mod commission;
mod credit_note;
mod dispute;
mod dispute_service;
mod event_service;
mod explanation;
mod export;
mod exposure;
mod invoice;
mod invoice_service;
mod lease_report;
mod lists;
mod meter;
mod metering_service;
mod payment;
mod payment_instructions;
mod payment_service;
mod price_series;
mod price_series_service;
mod rated;
mod reading;
mod receivables;
mod report;
mod report_service;
mod run;
mod service_level;
mod simulation;
mod tariff;
mod tariff_service;
mod utility_bill;

use prost::Message as _;

pub(crate) use account_service::AccountHandler;
pub(crate) use books_service::BooksHandler;
pub(crate) use charging_service::ChargingHandler;
pub(crate) use dispute_service::DisputeHandler;
pub(crate) use event_service::EventHandler;
pub(crate) use invoice_service::{BillingRuns, InvoiceHandler};
pub(crate) use metering_service::MeteringHandler;
pub(crate) use payment_service::PaymentHandler;
pub(crate) use price_series_service::PriceSeriesHandler;
pub(crate) use report_service::ReportHandler;
pub(crate) use tariff_service::TariffHandler;

use crate::app::Wire;

/// How replies are kept and events are written.
pub(crate) const WIRE: Wire = Wire {
    account_event: |account| account::to_wire(account).encode_to_vec(),
    run_event: |run| run::to_wire(run).encode_to_vec(),
    invoice_event: |invoice| invoice::to_wire(invoice).encode_to_vec(),
    run_started: |view| run::started(view).encode_to_vec(),
    run_issued: |view| run::issued(view).encode_to_vec(),
    invoice_issued: |invoice| invoice::issued(invoice).encode_to_vec(),
    meter_created: |created| meter::created(created).encode_to_vec(),
    tariff_created: |created| tariff::created(created).encode_to_vec(),
    components_added: |changed| tariff::added(changed).encode_to_vec(),
    values_recorded: |done| price_series::recorded(*done).encode_to_vec(),
    plan_created: |created| charging::created(created).encode_to_vec(),
    credit_note_event: |note| credit_note::to_wire(note).encode_to_vec(),
    dispute_event: |of| dispute::to_wire(of).encode_to_vec(),
    payment_event: |payment| payment::to_wire(payment).encode_to_vec(),
    books_event: |of| books::to_wire(of).encode_to_vec(),
    voucher_event: |voucher| books::voucher_to_wire(voucher).encode_to_vec(),
    utility_bill_event: |bill| utility_bill::to_wire(bill).encode_to_vec(),
    commission_event: |of| commission::to_wire(of).encode_to_vec(),
    instructions_event: |of| payment_instructions::to_wire(of).encode_to_vec(),
};

/// Full name of the message that events of a kind carry.
pub(crate) fn payload_type(event_kind: &str) -> &'static str {
    match event_kind.split('.').next() {
        Some("account") => "gridlease.billing.v1.Account",
        Some("billing_run") => "gridlease.billing.v1.BillingRun",
        Some("invoice") => "gridlease.billing.v1.Invoice",
        Some("period") => "gridlease.billing.v1.Books",
        Some("utility_bill") => "gridlease.billing.v1.UtilityBill",
        Some("voucher") => "gridlease.billing.v1.Voucher",
        Some("commission") => "gridlease.billing.v1.Commission",
        Some("credit_note") => "gridlease.billing.v1.CreditNote",
        Some("dispute") => "gridlease.billing.v1.Dispute",
        Some("payment_instructions") => "gridlease.billing.v1.PaymentInstructions",
        Some("payment") => "gridlease.billing.v1.Payment",
        // A parked lease: the subject says which; what is wrong with it is in billing's log.
        _ => "google.protobuf.Empty",
    }
}

#[cfg(test)]
mod tests {
    use runtime::settings::{Concern as _, table};

    use super::payload_type;
    use crate::app::kind;

    #[test]
    fn every_kind_of_a_subject_carries_its_message() {
        for of_a_run in [kind::RUN_STARTED, kind::RUN_COMPUTED, kind::RUN_ISSUED] {
            assert_eq!(payload_type(of_a_run), "gridlease.billing.v1.BillingRun");
        }
        assert_eq!(payload_type(kind::INVOICE_WRITTEN_OFF), "gridlease.billing.v1.Invoice");
        assert_eq!(payload_type(kind::LEASE_PARKED), "google.protobuf.Empty");
    }

    #[test]
    fn the_readme_shows_the_settings() {
        let table = table(&[crate::BillingSettings::SETTINGS]);
        assert!(include_str!("../../README.md").contains(table.trim()), "the settings are now:\n{table}");
    }
}
