//! What the books say.

use kernel::{Caller, CivilDate, Error, OperatorId};

use super::{App, ListRequest, Listed, rpc};
use crate::domain::ledger::{EntryFilter, PostedEntry};
use crate::domain::trial_balance::TrialBalance;
use crate::store::ledger::{self, EntryKey};

/// Lists ledger entries.
#[derive(Clone, Debug)]
pub struct ListEntries {
    /// Whose ledger.
    pub operator: OperatorId,
    /// Parent and page.
    pub list: ListRequest,
    /// Which.
    pub filter: EntryFilter,
}

impl App {
    /// The trial balance up to and with a day.
    ///
    /// # Errors
    /// `INTERNAL` when debits and credits differ: the ledger's own constraint was broken.
    pub async fn trial_balance(
        &self,
        caller: &Caller,
        operator: &OperatorId,
        as_of: Option<CivilDate>,
    ) -> Result<TrialBalance, Error> {
        let scope = &Self::own_operator(caller, operator)?;
        let balance = self
            .db
            .read("trial_balance", scope, |tx| async move {
                let balance = ledger::trial_balance(tx.conn(), operator, as_of).await?;
                Ok((tx, balance))
            })
            .await?;
        if !balance.balances() {
            return Err(Error::internal(format!("the ledger of {operator} does not balance")));
        }
        Ok(balance)
    }

    /// Entries in order of posting.
    pub async fn list_ledger_entries(
        &self,
        caller: &Caller,
        command: ListEntries,
    ) -> Result<Listed<PostedEntry>, Error> {
        let scope = &Self::own_operator(caller, &command.operator)?;
        let command = &command;
        let key = |entry: &PostedEntry| EntryKey(entry.transaction, entry.number);
        let what = ("list_ledger_entries", rpc::LIST_ENTRIES);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let rows = ledger::list(tx.conn(), &command.operator, &command.filter, &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}
