//! The accounts of the ledger.

use serde::{Deserialize, Serialize};

use super::words::names;

/// An account of the ledger. Its normal side is where its balance usually stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerAccount {
    /// What tenants owe (asset, normally a debit).
    AccountsReceivable,
    /// Tenants' money that pays nothing yet (liability, normally a credit).
    UnappliedCash,
    /// At the bank (asset, normally a debit).
    Cash,
    /// Straight-line rent not yet billed, or billed before it is earned (asset, may turn to a liability).
    AccruedRent,
    /// Earned and not billed (asset, normally a debit).
    AccruedRevenue,
    /// Used and not billed to us (liability, normally a credit).
    AccruedExpense,
    /// Rent paid ahead and not credited yet (a contract liability, or deferred rent of a lease; normally a credit).
    Prepayments,
    /// What is held until leases are over (liability, normally a credit).
    Deposits,
    /// Commissions that are not an expense yet (asset, normally a debit).
    CommissionCosts,
    /// Commissions owed to their payees (liability, normally a credit).
    CommissionsPayable,
    /// Rent earned (income, normally a credit).
    RentIncome,
    /// Energy passed on (income, normally a credit).
    EnergyIncome,
    /// Load passed on (income, normally a credit).
    DemandIncome,
    /// What is passed on beside energy and load (income, normally a credit).
    PassThroughIncome,
    /// Paid for and not taken (income, normally a credit).
    TakeOrPayIncome,
    /// Interest on what was paid late (income, normally a credit).
    InterestIncome,
    /// Fees for ending leases early (income, normally a credit).
    TerminationIncome,
    /// Rent given back for outages (taken off income, normally a debit).
    SlaCredits,
    /// Taxes collected and owed on, by jurisdiction (liability, normally a credit).
    TaxesPayable,
    /// Other income (normally a credit).
    OtherIncome,
    /// Receivables given up (expense, normally a debit).
    BadDebtExpense,
    /// Power bought (expense, normally a debit).
    PowerExpense,
    /// Commissions, over the base terms of their leases (expense, normally a debit).
    CommissionExpense,
    /// Other expenses (normally a debit).
    OtherExpense,
}

impl LedgerAccount {
    /// What documents alone move, so that they and the ledger agree: no journal does.
    pub const OF_DOCUMENTS: [Self; 7] = [
        Self::AccountsReceivable,
        Self::UnappliedCash,
        Self::Cash,
        Self::Prepayments,
        Self::Deposits,
        Self::CommissionCosts,
        Self::CommissionsPayable,
    ];
}

names!(LedgerAccount {
    AccountsReceivable => "accounts_receivable",
    UnappliedCash => "unapplied_cash",
    Cash => "cash",
    AccruedRent => "accrued_rent",
    AccruedRevenue => "accrued_revenue",
    AccruedExpense => "accrued_expense",
    Prepayments => "prepayments",
    Deposits => "deposits",
    CommissionCosts => "commission_costs",
    CommissionsPayable => "commissions_payable",
    RentIncome => "rent_income",
    EnergyIncome => "energy_income",
    DemandIncome => "demand_income",
    PassThroughIncome => "pass_through_income",
    TakeOrPayIncome => "take_or_pay_income",
    InterestIncome => "interest_income",
    TerminationIncome => "termination_income",
    SlaCredits => "sla_credits",
    TaxesPayable => "taxes_payable",
    OtherIncome => "other_income",
    BadDebtExpense => "bad_debt_expense",
    PowerExpense => "power_expense",
    CommissionExpense => "commission_expense",
    OtherExpense => "other_expense",
});
