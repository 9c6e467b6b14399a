//! What a lease still has to pay, by the same function as a billing run. Nothing is kept.

use kernel::{AccountId, Caller, CivilDate, Error, LeaseName, Money, OperatorId, YearMonth};

use super::App;
use crate::domain::charge::{self, NotKnown};
use crate::domain::invoice::{Bill, TooLarge};
use crate::domain::rent_difference::differences;
use crate::domain::unroll::unroll;
use crate::store::charge::rent_billed;
use crate::store::{account, advance, lease};

/// Asks for the invoices to come.
#[derive(Clone, Debug)]
pub struct PreviewInvoices {
    /// Of which lease.
    pub lease: LeaseName,
    /// Months that begin on or before this date; `None`: to the end of the base term.
    pub through: Option<CivilDate>,
}

/// The invoices to come.
#[derive(Clone, Debug)]
pub struct Preview {
    /// One a month, in order of month.
    pub bills: Vec<Bill>,
    /// The account they will go to, if it is open.
    pub account: Option<AccountId>,
    /// Their sum.
    pub total: Money,
    /// Whose they are.
    pub operator: OperatorId,
    /// What is not known of the index that rates follow: the bills end before the first month that needs it.
    pub not_known: Vec<NotKnown>,
}

impl App {
    /// Computes the invoices to come.
    pub async fn preview_invoices(
        &self,
        caller: &Caller,
        command: PreviewInvoices,
    ) -> Result<Preview, Error> {
        let scope =
            caller.scope_of_operator(&command.lease.operator).map_err(|_| Error::not_found("lease"))?;
        let (command, scope) = (&command, &scope);
        let operator = &command.lease.operator;
        let (lease, billed, mut advanced, account) = self
            .db
            .read("preview_invoices", scope, |tx| async move {
                let found = lease::find(tx.conn(), scope, &command.lease).await?;
                let lease = found.ok_or_else(|| Error::not_found("lease"))?;
                let of_lease = (&lease.lease, &lease.lease);
                let mut billed = rent_billed(tx.conn(), operator, of_lease, None).await?;
                let billed = billed.remove(&lease.lease).unwrap_or_default();
                let mut advanced = advance::of_span(tx.conn(), operator, of_lease).await?;
                let advanced = advanced.remove(&lease.lease).unwrap_or_default();
                let accounts = account::by_tenant(tx.conn(), scope, operator).await?;
                let account = accounts.get(&(lease.tenant.clone(), lease.terms.currency)).copied();
                Ok((tx, (lease, billed, advanced, account)))
            })
            .await?;
        let taken = billed.keys().cloned().collect();
        let mut charges = charge::to_bill(&lease, command.through, &taken).map_err(Error::internal)?;
        let not_known = charge::not_known(&lease).map_err(Error::internal)?;
        if let Some(from) = not_known.iter().map(|one| YearMonth::of(one.missing.from)).min() {
            charges.retain(|charge| charge.month < from);
        }
        let today = YearMonth::of(self.now().date_naive());
        let next = charges.iter().map(|charge| charge::billing_month(&lease, charge)).min().unwrap_or(today);
        let changed = differences(&lease, next, &billed, &charges).map_err(Error::internal)?;
        let bills = unroll(&lease, charges, command.through, (&mut advanced, (next, changed)))?;
        let total = Money::checked_sum(lease.terms.currency, bills.iter().map(|bill| bill.total))
            .ok_or_else(|| Error::internal(TooLarge))?;
        Ok(Preview { bills, account, total, operator: operator.clone(), not_known })
    }
}
