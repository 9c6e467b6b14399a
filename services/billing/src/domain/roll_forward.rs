//! What was paid ahead, what is held and what of commissions is an asset, from one month to another: as the ledger says it, so that it is
//! the ledger's.

use kernel::{LeaseId, Money, TenantId};

use super::ledger_account::LedgerAccount;

/// One lease's prepayments or deposits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdvanceRow {
    /// The lease.
    pub lease: LeaseId,
    /// The tenant, as it was billed last.
    pub tenant: TenantId,
    /// Which liability.
    pub ledger_account: LedgerAccount,
    /// Left before the first month.
    pub opening: Money,
    /// Billed in the months, less what was void.
    pub billed: Money,
    /// Credited against rent.
    pub credited: Money,
    /// Taken back by credit notes: kept for the tenant, or not owed any more.
    pub returned: Money,
    /// Left after the last month.
    pub closing: Money,
}

/// What of the commissions on one lease is an asset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommissionRow {
    /// The lease.
    pub lease: LeaseId,
    /// Left before the first month.
    pub opening: Money,
    /// Recorded in the months.
    pub added: Money,
    /// Became an expense month by month.
    pub amortized: Money,
    /// Became an expense when the lease was over.
    pub written_off: Money,
    /// Was left of commissions when they were reversed.
    pub reversed: Money,
    /// Left after the last month.
    pub closing: Money,
}
