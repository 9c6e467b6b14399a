//! Payments with their allocations and refunds.

use std::collections::HashMap;

use kernel::{AccountId, Error, Instant, InvoiceId, PaymentId, PaymentName, Scope, Uuid};
use postgres::{insert_all, is_unique_violation, store_error};
use sea_orm::sea_query::{Expr, ExprTrait as _};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    Set,
};

use super::entity::{payment, payment_allocation, payment_refund};
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{money, parse, statement};
use crate::domain::payment::{Allocation, Drawn, Payment, PaymentFilter, Refund};

fn taken(error: DbErr, what: &'static str) -> Error {
    if is_unique_violation(&error) { Error::name_taken(what).with_source(error) } else { store_error(error) }
}

/// Writes a payment that is new, without allocations.
///
/// # Errors
/// `NAME_TAKEN` when its reference is recorded.
pub async fn insert(conn: &impl ConnectionTrait, payment: &Payment) -> Result<(), Error> {
    let row = payment::ActiveModel {
        operator_id: Set(payment.operator.to_string()),
        payment_id: Set(payment.id.get()),
        account_id: Set(payment.account.get()),
        tenant_id: Set(payment.tenant.to_string()),
        currency_code: Set(payment.amount.currency.to_string()),
        kind: Set(payment.kind.as_str().to_owned()),
        reference: Set(payment.reference.clone()),
        value_date: Set(payment.value_date),
        note: Set(payment.note.clone()),
        amount_minor: Set(payment.amount.minor),
        allocated_minor: Set(0),
        refunded_minor: Set(0),
        version: Set(1),
        create_time: Set(payment.create_time),
        lease_id: Set(payment.drawn.as_ref().map(|drawn| drawn.lease.to_string())),
        credit_support_id: Set(payment.drawn.as_ref().map(|drawn| drawn.support.clone())),
    };
    let done = payment::Entity::insert(row).exec_without_returning(conn).await;
    done.map(|_| ()).map_err(|error| taken(error, "payment"))
}

/// Writes what is used of a payment, if nobody changed it meanwhile.
pub async fn save(conn: &impl ConnectionTrait, payment: &Payment) -> Result<(), Error> {
    let sql = "update billing.payment set allocated_minor = $3, refunded_minor = $4, version = $5 \
               where operator_id = $1 and payment_id = $2 and version < $5";
    let values = [
        payment.operator.as_str().into(),
        payment.id.get().into(),
        payment.allocated_minor().into(),
        payment.refunded_minor().into(),
        payment.version.into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// Writes allocations of a payment.
pub async fn allocate(
    conn: &impl ConnectionTrait,
    payment: &Payment,
    parts: &[Allocation],
    now: Instant,
) -> Result<(), Error> {
    let rows = parts.iter().map(|part| payment_allocation::ActiveModel {
        operator_id: Set(payment.operator.to_string()),
        allocation_id: Set(part.id),
        payment_id: Set(payment.id.get()),
        invoice_id: Set(part.invoice.get()),
        amount_minor: Set(part.amount.minor),
        posting_date: Set(part.posting_date),
        create_time: Set(now),
    });
    insert_all(conn, rows).await.map_err(store_error)
}

/// Writes a refund of a payment.
///
/// # Errors
/// `NAME_TAKEN` when its reference is recorded.
pub async fn refund(conn: &impl ConnectionTrait, payment: &Payment, part: &Refund) -> Result<(), Error> {
    let row = payment_refund::ActiveModel {
        operator_id: Set(payment.operator.to_string()),
        refund_id: Set(part.id),
        payment_id: Set(payment.id.get()),
        reference: Set(part.reference.clone()),
        amount_minor: Set(part.amount.minor),
        create_time: Set(part.create_time),
    };
    let done = payment_refund::Entity::insert(row).exec_without_returning(conn).await;
    done.map(|_| ()).map_err(|error| taken(error, "refund"))
}

/// One payment, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &PaymentName,
) -> Result<Option<Payment>, Error> {
    use payment::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = payment::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(C::PaymentId.eq(name.payment.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_parts(conn, rows).await?.pop())
}

/// Payments, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    filter: &PaymentFilter,
    page: &Page<Newest>,
) -> Result<Paged<Payment>, Error> {
    use payment::Column as C;
    let used = Expr::col(C::AllocatedMinor).add(Expr::col(C::RefundedMinor));
    let condition = Condition::all()
        .add_option(filter.account.as_ref().map(|(operator, _)| C::OperatorId.eq(operator.as_str())))
        .add_option(filter.account.as_ref().map(|(_, account)| C::AccountId.eq(account.get())))
        .add_option(filter.unapplied_only.then(|| used.lt(Expr::col(C::AmountMinor))));
    let rows = payment::Entity::find().filter(sight.condition(C::OperatorId, C::TenantId)).filter(condition);
    let paged = newest_first(conn, rows, (C::PaymentId, C::OperatorId), page).await?;
    Ok(Paged { rows: with_parts(conn, paged.rows).await?, more: paged.more })
}

/// Adds allocations and refunds, in one statement each for all.
async fn with_parts(conn: &impl ConnectionTrait, rows: Vec<payment::Model>) -> Result<Vec<Payment>, Error> {
    use payment_allocation::Column as A;
    use payment_refund::Column as R;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.payment_id).collect();
    let mut allocations: HashMap<Uuid, Vec<payment_allocation::Model>> = HashMap::new();
    let found = payment_allocation::Entity::find()
        .filter(A::OperatorId.is_in(operators.clone()))
        .filter(A::PaymentId.is_in(ids.clone()))
        .order_by_asc(A::AllocationId)
        .all(conn)
        .await
        .map_err(store_error)?;
    for row in found {
        allocations.entry(row.payment_id).or_default().push(row);
    }
    let mut refunds: HashMap<Uuid, Vec<payment_refund::Model>> = HashMap::new();
    let found = payment_refund::Entity::find()
        .filter(R::OperatorId.is_in(operators))
        .filter(R::PaymentId.is_in(ids))
        .order_by_asc(R::RefundId)
        .all(conn)
        .await
        .map_err(store_error)?;
    for row in found {
        refunds.entry(row.payment_id).or_default().push(row);
    }
    rows.into_iter()
        .map(|row| {
            let allocations = allocations.remove(&row.payment_id).unwrap_or_default();
            let refunds = refunds.remove(&row.payment_id).unwrap_or_default();
            payment_of(&row, &allocations, &refunds)
        })
        .collect()
}

fn payment_of(
    row: &payment::Model,
    allocations: &[payment_allocation::Model],
    refunds: &[payment_refund::Model],
) -> Result<Payment, Error> {
    let allocation = |part: &payment_allocation::Model| {
        Ok(Allocation {
            id: part.allocation_id,
            invoice: InvoiceId::new(part.invoice_id),
            amount: money(part.amount_minor, &row.currency_code)?,
            posting_date: part.posting_date,
        })
    };
    let refund = |part: &payment_refund::Model| {
        Ok(Refund {
            id: part.refund_id,
            reference: part.reference.clone(),
            amount: money(part.amount_minor, &row.currency_code)?,
            create_time: part.create_time,
        })
    };
    let drawn = row.lease_id.as_ref().zip(row.credit_support_id.clone());
    let drawn = drawn.map(|(lease, support)| Ok(Drawn { lease: parse("lease_id", lease)?, support }));
    Ok(Payment {
        operator: parse("operator_id", &row.operator_id)?,
        id: PaymentId::new(row.payment_id),
        account: AccountId::new(row.account_id),
        tenant: parse("tenant_id", &row.tenant_id)?,
        kind: parse("kind", &row.kind)?,
        reference: row.reference.clone(),
        value_date: row.value_date,
        note: row.note.clone(),
        drawn: drawn.transpose()?,
        amount: money(row.amount_minor, &row.currency_code)?,
        allocations: allocations.iter().map(allocation).collect::<Result<_, Error>>()?,
        refunds: refunds.iter().map(refund).collect::<Result<_, Error>>()?,
        version: row.version,
        create_time: row.create_time,
    })
}
