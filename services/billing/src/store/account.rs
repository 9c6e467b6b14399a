//! Accounts, and the operators that have them.

use std::collections::HashMap;

use kernel::{AccountId, AccountName, Currency, Error, Instant, OperatorId, Scope, TenantId, Uuid};
use postgres::page::after_last;
use postgres::store_error;
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _,
};
use serde::{Deserialize, Serialize};

use super::entity::{account, invoice};
use super::listing::{Page, Paged, Sight};
use super::rows::{money, parse, statement};
use crate::domain::account::Account;

/// Makes sure the operator is known as an issuer.
pub async fn ensure_entity(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    now: Instant,
) -> Result<(), Error> {
    let sql = "insert into billing.billing_entity (operator_id, create_time) values ($1, $2) \
               on conflict (operator_id) do nothing";
    conn.execute_raw(statement(sql, [operator.as_str().into(), now.into()])).await.map_err(store_error)?;
    Ok(())
}

/// Opens the tenant's account in a currency; `true` if it was not open yet.
pub async fn open(conn: &impl ConnectionTrait, account: &Account) -> Result<bool, Error> {
    let sql = "insert into billing.account (operator_id, account_id, tenant_id, currency_code, create_time) \
               values ($1, $2, $3, $4, $5) on conflict (operator_id, tenant_id, currency_code) do nothing";
    let values = [
        account.operator.as_str().into(),
        account.id.get().into(),
        account.tenant.as_str().into(),
        account.balance.currency.to_string().into(),
        account.create_time.into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    Ok(done.rows_affected() == 1)
}

/// The account of each tenant and currency of an operator.
pub async fn by_tenant(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    operator: &OperatorId,
) -> Result<HashMap<(TenantId, Currency), AccountId>, Error> {
    let sight = Sight { scope, operator: Some(operator) };
    let rows = account::Entity::find()
        .filter(sight.condition(account::Column::OperatorId, account::Column::TenantId))
        .all(conn)
        .await
        .map_err(store_error)?;
    rows.into_iter()
        .map(|row| {
            let key = (parse("tenant_id", &row.tenant_id)?, parse("currency_code", &row.currency_code)?);
            Ok((key, AccountId::new(row.account_id)))
        })
        .collect()
}

/// One account, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &AccountName,
) -> Result<Option<Account>, Error> {
    use account::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = account::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(C::AccountId.eq(name.account.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_balances(conn, rows).await?.pop())
}

/// Sort key of accounts: their name.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct AccountKey(pub OperatorId, pub AccountId);

/// Accounts in order of name.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    tenant: Option<&TenantId>,
    page: &Page<AccountKey>,
) -> Result<Paged<Account>, Error> {
    use account::Column as C;
    let after = page.after.as_ref().map(|AccountKey(operator, id)| {
        let of = operator.as_str();
        after_last(C::OperatorId.gt(of), C::OperatorId.eq(of), C::AccountId.gt(id.get()))
    });
    let rows = account::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(Condition::all().add_option(tenant.map(|t| C::TenantId.eq(t.as_str()))).add_option(after))
        .order_by_asc(C::OperatorId)
        .order_by_asc(C::AccountId)
        .limit(page.limit())
        .all(conn)
        .await
        .map_err(store_error)?;
    let paged = Paged::of(rows, page);
    Ok(Paged { rows: with_balances(conn, paged.rows).await?, more: paged.more })
}

/// Adds what is issued and not paid, in one statement for all.
async fn with_balances(
    conn: &impl ConnectionTrait,
    rows: Vec<account::Model>,
) -> Result<Vec<Account>, Error> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    use invoice::Column as C;
    let operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    let accounts: Vec<Uuid> = rows.iter().map(|row| row.account_id).collect();
    // What is still owed; what is written off is owed no more, and its invoice is not of those counted.
    let open = Expr::col(C::TotalMinor).sub(Expr::col(C::PaidMinor)).sub(Expr::col(C::CreditedMinor));
    let owed: HashMap<Uuid, i64> = invoice::Entity::find()
        .select_only()
        .column(C::AccountId)
        .column_as(open.sum().cast_as("bigint"), "owed")
        .filter(C::OperatorId.is_in(operators))
        .filter(C::AccountId.is_in(accounts))
        .filter(super::invoice::is_owed())
        .group_by(C::AccountId)
        .into_tuple::<(Uuid, i64)>()
        .all(conn)
        .await
        .map_err(store_error)?
        .into_iter()
        .collect();
    rows.into_iter()
        .map(|row| {
            Ok(Account {
                operator: parse("operator_id", &row.operator_id)?,
                id: AccountId::new(row.account_id),
                tenant: parse("tenant_id", &row.tenant_id)?,
                balance: money(owed.get(&row.account_id).copied().unwrap_or(0), &row.currency_code)?,
                create_time: row.create_time,
            })
        })
        .collect()
}
