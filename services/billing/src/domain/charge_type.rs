//! What lines charge for, and on which kind of invoice they stand.

use super::words::names;

/// What a line charges for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChargeType {
    /// Base rent, in advance.
    BaseRent,
    /// Energy, in arrears.
    Energy,
    /// Load, in arrears.
    Demand,
    /// What is passed on beside energy and load, in arrears.
    PassThrough,
    /// A tax on other charges, in arrears.
    Tax,
    /// Rent given back.
    SlaCredit,
    /// Rent that is paid ahead.
    Prepayment,
    /// What is held until the lease is over.
    Deposit,
    /// What was paid ahead, credited against rent.
    PrepaymentDraw,
    /// What was not taken of the least that is paid for, in arrears.
    TakeOrPay,
    /// Interest on what was paid late.
    LateInterest,
    /// For ending the lease before its term.
    TerminationFee,
    /// What a block bears of a utility's bill, less what its tariff charged.
    TrueUp,
}

names!(ChargeType {
    BaseRent => "BASE_RENT",
    Energy => "ENERGY",
    Demand => "DEMAND",
    PassThrough => "PASS_THROUGH",
    Tax => "TAX",
    SlaCredit => "SLA_CREDIT",
    Prepayment => "PREPAYMENT",
    Deposit => "DEPOSIT",
    PrepaymentDraw => "PREPAYMENT_DRAW",
    TakeOrPay => "TAKE_OR_PAY",
    LateInterest => "LATE_INTEREST",
    TerminationFee => "TERMINATION_FEE",
    TrueUp => "TRUE_UP",
});

/// What an invoice is for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum InvoiceKind {
    /// A month of a lease.
    #[default]
    Regular,
    /// Rent that is paid ahead.
    Prepayment,
    /// What is held.
    Deposit,
    /// The fee for ending early.
    TerminationFee,
}

names!(InvoiceKind {
    Regular => "REGULAR",
    Prepayment => "PREPAYMENT",
    Deposit => "DEPOSIT",
    TerminationFee => "TERMINATION_FEE",
});

impl ChargeType {
    /// Billed once in the life of a lease, by whichever run comes first.
    pub const ONCE: [Self; 3] = [Self::Prepayment, Self::Deposit, Self::TerminationFee];

    /// Charged by a tariff, which a utility's bill is compared with.
    pub const BY_TARIFF: [Self; 4] = [Self::Energy, Self::Demand, Self::PassThrough, Self::Tax];

    /// On which kind of invoice it stands.
    #[must_use]
    pub fn invoice_kind(self) -> InvoiceKind {
        match self {
            Self::Prepayment => InvoiceKind::Prepayment,
            Self::Deposit => InvoiceKind::Deposit,
            Self::TerminationFee => InvoiceKind::TerminationFee,
            Self::BaseRent
            | Self::Energy
            | Self::Demand
            | Self::PassThrough
            | Self::Tax
            | Self::SlaCredit
            | Self::PrepaymentDraw
            | Self::TakeOrPay
            | Self::LateInterest
            | Self::TrueUp => InvoiceKind::Regular,
        }
    }
}
