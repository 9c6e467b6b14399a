//! Reads accounts, invoices and runs. What is absent and what is another's look the same.

use kernel::{AccountName, BillingRunName, Caller, Error, InvoiceName, TenantId};

use super::{App, INVOICES_IN_ANSWER, ListRequest, Listed, rpc, sight};
use crate::domain::account::Account;
use crate::domain::invoice::{Invoice, InvoiceFilter};
use crate::domain::run::{BillingRun, Problem};
use crate::store::account::AccountKey;
use crate::store::listing::Newest;
use crate::store::{account, invoice, run, run_chunk};

/// Lists accounts.
#[derive(Clone, Debug)]
pub struct ListAccounts {
    /// Parent and page.
    pub list: ListRequest,
    /// Only of this tenant.
    pub tenant: Option<TenantId>,
}

/// Lists invoices.
#[derive(Clone, Debug)]
pub struct ListInvoices {
    /// Parent and page.
    pub list: ListRequest,
    /// Which.
    pub filter: InvoiceFilter,
}

/// Lists billing runs.
#[derive(Clone, Debug)]
pub struct ListRuns {
    /// Parent and page.
    pub list: ListRequest,
}

impl App {
    /// One account.
    pub async fn get_account(&self, caller: &Caller, name: &AccountName) -> Result<Account, Error> {
        let gone = || Error::not_found("account");
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("get_account", scope, |tx| async move {
                let found = account::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Accounts in order of name.
    pub async fn list_accounts(
        &self,
        caller: &Caller,
        command: ListAccounts,
    ) -> Result<Listed<Account>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |account: &Account| AccountKey(account.operator.clone(), account.id);
        let what = ("list_accounts", rpc::LIST_ACCOUNTS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = account::list(tx.conn(), &sight, command.tenant.as_ref(), &page).await?;
            Ok((tx, rows))
        })
        .await
    }

    /// One invoice.
    pub async fn get_invoice(&self, caller: &Caller, name: &InvoiceName) -> Result<Invoice, Error> {
        let gone = || Error::not_found("invoice");
        let scope = &caller.scope_of_operator(&name.operator).map_err(|_| gone())?;
        self.db
            .read("get_invoice", scope, |tx| async move {
                let found = invoice::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                Ok((tx, found))
            })
            .await
    }

    /// Invoices, newest first.
    pub async fn list_invoices(
        &self,
        caller: &Caller,
        command: ListInvoices,
    ) -> Result<Listed<Invoice>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |invoice: &Invoice| Newest(invoice.id.get(), invoice.operator.clone());
        let what = ("list_invoices", rpc::LIST_INVOICES);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = invoice::list(tx.conn(), &sight, &command.filter, &page).await?;
            Ok((tx, rows))
        })
        .await
    }

    /// One billing run, with the first of what it could not bill.
    pub async fn get_billing_run(
        &self,
        caller: &Caller,
        name: &BillingRunName,
    ) -> Result<(BillingRun, Vec<Problem>), Error> {
        let gone = || Error::not_found("billing run");
        let scope = &Self::own_operator(caller, &name.operator).map_err(|_| gone())?;
        self.db
            .read("get_billing_run", scope, |tx| async move {
                let found = run::find(tx.conn(), scope, name).await?.ok_or_else(gone)?;
                let problems =
                    run_chunk::problems(tx.conn(), &name.operator, name.run, INVOICES_IN_ANSWER).await?;
                Ok((tx, (found, problems)))
            })
            .await
    }

    /// Billing runs, newest first.
    pub async fn list_billing_runs(
        &self,
        caller: &Caller,
        command: ListRuns,
    ) -> Result<Listed<BillingRun>, Error> {
        let scope = &Self::list_scope(caller, &command.list.parent)?;
        let command = &command;
        let key = |run: &BillingRun| Newest(run.head.id.get(), run.head.operator.clone());
        let what = ("list_billing_runs", rpc::LIST_RUNS);
        self.page(caller, what, scope, &command.list, key, |tx, page| async move {
            let sight = sight(scope, &command.list.parent);
            let rows = run::list(tx.conn(), &sight, &page).await?;
            Ok((tx, rows))
        })
        .await
    }
}
