//! What tenants owe, as the ledger says it.

use kernel::{AccountName, Caller, CivilDate, DateRange, Error, OperatorId};

use super::App;
use crate::domain::aging::Aging;
use crate::domain::statement::Statement;
use crate::store::{account, receivables};

impl App {
    /// Receivables by how long they are due, as of a day; without one, of today.
    pub async fn aging(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        as_of: Option<CivilDate>,
    ) -> Result<Aging, Error> {
        let scope = &Self::own_operator(caller, operator)?;
        let as_of = as_of.unwrap_or_else(|| self.now().date_naive());
        self.db
            .read("receivables_aging", scope, |tx| async move {
                let owed = receivables::owed(tx.conn(), operator, as_of).await?;
                let kept = receivables::unapplied(tx.conn(), operator, as_of).await?;
                Ok((tx, Aging::of(operator.clone(), as_of, owed, kept)?))
            })
            .await
    }

    /// What moved on an account in some days.
    pub async fn statement(
        &self,
        caller: &Caller,
        name: &AccountName,
        days: DateRange,
    ) -> Result<Statement, Error> {
        let gone = || Error::not_found("account");
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("account_statement", scope, |tx| async move {
                let found = account::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                let currency = found.balance.currency.to_string();
                let opening = receivables::balance_before(tx.conn(), name, &currency, days.start()).await?;
                let lines = receivables::moved(tx.conn(), name, &currency, days).await?;
                Ok((tx, Statement::of(name.clone(), found.tenant, opening, lines)?))
            })
            .await
    }
}
