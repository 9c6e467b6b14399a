//! What tenants owe, as the ledger says it.

use kernel::{AccountName, Caller, CivilDate, DateRange, Error, OperatorId, Scope, SiteId};
use sea_orm::ConnectionTrait;

use super::App;
use crate::domain::aging::Aging;
use crate::domain::printed_statement::Stated;
use crate::domain::statement::Statement;
use crate::store::{account, payment_instructions, receivables};

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
                let owed = receivables::owed(tx.conn(), operator, None, as_of).await?;
                let kept = receivables::unapplied(tx.conn(), operator, None, as_of).await?;
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
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("account_statement", scope, |tx| async move {
                let statement = moved(tx.conn(), scope, name, days).await?;
                Ok((tx, statement))
            })
            .await
    }

    /// The same with what is open after it, and the sites it is about: all of one moment.
    pub(super) async fn stated(
        &self,
        caller: &Caller,
        name: &AccountName,
        days: DateRange,
    ) -> Result<(Stated, Vec<SiteId>), Error> {
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        let (now, operator, account) = (self.now(), &name.operator, Some(name.account));
        let (last, as_of) = (days.last_day(), Stated::as_of(days, now));
        self.db
            .read("account_stated", scope, |tx| async move {
                let statement = moved(tx.conn(), scope, name, days).await?;
                let owed = receivables::owed(tx.conn(), operator, account, last).await?;
                let kept = receivables::unapplied(tx.conn(), operator, account, last).await?;
                let sites = receivables::sites(tx.conn(), name).await?;
                let aging = Aging::of(operator.clone(), as_of, owed, kept)?;
                let pay_to = payment_instructions::in_force(tx.conn(), operator).await?;
                let pay_to = pay_to.now(operator, statement.opening.currency);
                Ok((tx, (Stated { statement, days, aging, now, pay_to }, sites)))
            })
            .await
    }
}

fn gone() -> Error {
    Error::not_found("account")
}

async fn moved(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &AccountName,
    days: DateRange,
) -> Result<Statement, Error> {
    let found = account::find(conn, scope, name).await?.ok_or_else(gone)?;
    let currency = found.balance.currency.to_string();
    let opening = receivables::balance_before(conn, name, &currency, days.start()).await?;
    let lines = receivables::moved(conn, name, &currency, days).await?;
    Statement::of(name.clone(), found.tenant, opening, lines)
}
