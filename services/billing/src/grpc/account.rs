//! Accounts to the wire, and what is asked about them from it.

use contracts::billing::v1 as wire;
use kernel::{AccountName, Error, OperatorParent, TenantName, Violations};
use runtime::wire::{to_money, to_timestamp};

use super::lists::{Maybe, list_request};
use crate::app::{ListAccounts, Listed};
use crate::domain::account::Account;

pub(super) fn name(text: &str) -> Result<AccountName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<AccountName>);
    v.build(|| name)
}

pub(super) fn list(request: &wire::ListAccountsRequest) -> Result<ListAccounts, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let tenant = v.parse_optional("tenant", &request.tenant, str::parse::<TenantName>);
    let page = (request.page_size, request.page_token.as_str());
    let list = list_request(&mut v, parent, page, &[&Maybe(tenant.as_ref())]);
    v.build(|| Some(ListAccounts { list: list?, tenant: tenant.map(|name| name.tenant) }))
}

pub(super) fn listed(listed: Listed<Account>) -> wire::ListAccountsResponse {
    wire::ListAccountsResponse {
        accounts: listed.items.iter().map(to_wire).collect(),
        next_page_token: listed.next,
    }
}

pub(super) fn to_wire(account: &Account) -> wire::Account {
    wire::Account {
        name: AccountName::new(account.operator.clone(), account.id).to_string(),
        tenant: TenantName::new(account.tenant.clone()).to_string(),
        currency_code: account.balance.currency.to_string(),
        balance: Some(to_money(account.balance)),
        create_time: Some(to_timestamp(account.create_time)),
    }
}
