//! Small things that the domain's tests share.

use std::sync::Arc;

use kernel::{
    AccountId, BlockSlug, CivilDate, Currency, DateRange, EscalationBasis, Escalator, Instant, InvoiceId,
    LedgerTransactionId, Money, OperatorId, PaymentInstructionsId, QuantityStep, RunId, SiteId, Uuid,
    VoucherId, YearMonth,
};

use super::charge::Charge;
use super::invoice::{ChargeType, Invoice, InvoiceLine, LineCharge};
use super::invoice_state::InvoiceState;
use super::lease::{
    BillingTerms, BlockProgress, BlockRef, BlockState, LeaseCopy, LeaseState, Premises, Rent,
};
use super::payment_instructions::{BankAccount, PaymentDetails, PaymentInstructions};

pub(crate) fn usd() -> Currency {
    "USD".parse().expect("a currency")
}

pub(crate) fn date(year: i32, month: u32, day: u32) -> CivilDate {
    CivilDate::from_ymd_opt(year, month, day).expect("a date")
}

pub(crate) fn instant(year: i32, month: u32, day: u32) -> Instant {
    date(year, month, day).and_hms_opt(9, 0, 0).expect("a time").and_utc()
}

pub(crate) fn month(year: i32, month: u32) -> YearMonth {
    YearMonth::new(year, month).expect("a month")
}

pub(crate) fn transaction_id() -> LedgerTransactionId {
    LedgerTransactionId::new(Uuid::from_u128(77))
}

pub(crate) fn operator() -> OperatorId {
    "op-one".parse().expect("a slug")
}

pub(crate) fn place(block: &str) -> BlockRef {
    BlockRef {
        site: "site-one".parse::<SiteId>().expect("a slug"),
        block: block.parse::<BlockSlug>().expect("a slug"),
    }
}

/// A block of constant load at a base rate.
pub(crate) fn premises(block: &str, kw: i64, rate: &str, start: CivilDate, end: CivilDate) -> Premises {
    Premises {
        place: place(block),
        term: DateRange::new(start, end).expect("a term"),
        quantities: vec![QuantityStep { from: start, kw }],
        rent: Rent::Base { rate: rate.parse().expect("a rate") },
    }
}

pub(crate) fn escalator(percent: &str, basis: EscalationBasis) -> Option<Escalator> {
    Some(Escalator { percent: percent.parse().expect("a percentage"), basis })
}

/// An active lease whose blocks have all commenced.
pub(crate) fn lease(escalator: Option<Escalator>, premises: Vec<Premises>) -> LeaseCopy {
    let blocks = premises
        .iter()
        .map(|p| BlockProgress { place: p.place.clone(), state: BlockState::Commenced, moved: None })
        .collect();
    LeaseCopy {
        operator: operator(),
        lease: "lease-one".parse().expect("a slug"),
        tenant: "tenant-one".parse().expect("a slug"),
        version: 1,
        state: LeaseState::Active,
        terms: BillingTerms {
            currency: usd(),
            payment_terms_days: 30,
            escalator,
            rent: kernel::RentRules::default(),
            money: kernel::MoneyTerms::default(),
            credit: Vec::new(),
            premises,
        },
        blocks,
        ending: None,
        billed_from: None,
        index: kernel::IndexValues::new(),
    }
}

/// A draft with one line per amount.
pub(crate) fn invoice(amounts: &[i64]) -> Invoice {
    let lines: Vec<InvoiceLine> = amounts
        .iter()
        .map(|&minor| InvoiceLine {
            charge: LineCharge::Rent(Charge {
                charge_type: ChargeType::BaseRent,
                place: place("hall-one"),
                period: DateRange::new(date(2026, 10, 24), date(2026, 11, 1)).expect("some days"),
                month: month(2026, 10),
                days: 8,
                days_in_month: 31,
                quantity_kw: 20_000,
                rate: "130".parse().expect("a rate"),
                proration: kernel::Proration::ActualActual,
                abated: kernel::Percent::ZERO,
                amount: Money::new(minor, usd()),
            }),
            lease_version: 1,
        })
        .collect();
    Invoice {
        operator: operator(),
        id: InvoiceId::new(Uuid::from_u128(1)),
        run: RunId::new(Uuid::from_u128(2)),
        account: AccountId::new(Uuid::from_u128(3)),
        tenant: "tenant-one".parse().expect("a slug"),
        lease: "lease-one".parse().expect("a slug"),
        kind: super::invoice::InvoiceKind::Regular,
        state: InvoiceState::Draft,
        month: month(2026, 10),
        total: Money::new(amounts.iter().sum(), usd()),
        lines,
        payment_terms_days: 30,
        version: 1,
        create_time: instant(2026, 10, 1),
        issued: None,
        settled: super::settlement::Settled::default(),
        state_reason: String::new(),
        pay_to: None,
    }
}

/// A tenant's meter of 50 MW, installed at the beginning of 2026.
pub(crate) fn meter_facts(zone: &str, minutes: i32) -> super::meter::MeterFacts {
    super::meter::MeterFacts {
        display_name: "Hall one".to_owned(),
        kind: super::meter::MeterKind::Tenant,
        site: place("hall-one").site,
        block: Some(place("hall-one").block),
        tenant: Some("tenant-one".parse().expect("a slug")),
        zone: zone.parse().expect("a zone"),
        interval: super::meter::IntervalLength::of_minutes(minutes).expect("a divisor of the hour"),
        max_kw: 50_000,
        assumed_kw: 10_000,
        install_date: date(2026, 1, 1),
    }
}

pub(crate) fn meter(zone: &str, minutes: i32) -> super::meter::Meter {
    super::meter::Meter {
        operator: operator(),
        id: "meter-one".parse().expect("a slug"),
        facts: meter_facts(zone, minutes),
        progress: super::meter::Progress::default(),
        create_time: instant(2026, 1, 1),
    }
}

/// An account in Germany, for dollars.
pub(crate) fn pay_to() -> Arc<PaymentInstructions> {
    Arc::new(PaymentInstructions {
        operator: operator(),
        id: PaymentInstructionsId::new(Uuid::from_u128(5)),
        voucher: VoucherId::new(Uuid::from_u128(6)),
        details: PaymentDetails {
            currency: usd(),
            account_holder: "Op & Co".to_owned(),
            bank_name: "Bank One".to_owned(),
            account: BankAccount::Iban("DE89370400440532013000".parse().expect("an IBAN")),
            bic: Some("COBADEFFXXX".parse().expect("a BIC")),
            routing_number: None,
            bank_address: String::new(),
            reference: String::new(),
        },
        number: 1,
        confirm_time: instant(2026, 11, 1),
        end_time: None,
    })
}
