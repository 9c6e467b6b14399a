//! Commissions, and what became of them.

use std::collections::HashMap;

use kernel::{
    CivilDate, CommissionId, CommissionName, Error, Instant, LeaseName, OperatorId, Scope, Uuid, VoucherId,
};
use postgres::{insert_all, is_unique_violation, store_error};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, DbErr, EntityTrait as _, FromQueryResult, QueryFilter as _,
    QueryOrder as _, Set,
};

use super::entity::{commission, commission_move};
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{broken, money, parse, statement};
use crate::domain::commission::{Commission, CommissionFacts, Move, MoveKind, Moved, Reversal};

/// Whether an operator has a commission of this reference that is not reversed.
pub async fn is_known(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    reference: &str,
) -> Result<bool, Error> {
    use commission::Column as C;
    let found = commission::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::Reference.eq(reference))
        .filter(C::ReverseTime.is_null())
        .one(conn)
        .await
        .map_err(store_error)?;
    Ok(found.is_some())
}

/// Writes a commission that is new.
///
/// # Errors
/// `NAME_TAKEN` when its reference is recorded, and not reversed.
pub async fn insert(conn: &impl ConnectionTrait, new: &Commission) -> Result<(), Error> {
    let facts = &new.facts;
    let row = commission::ActiveModel {
        operator_id: Set(new.operator.to_string()),
        commission_id: Set(new.id.get()),
        lease_id: Set(facts.lease.to_string()),
        payee: Set(facts.payee.clone()),
        reference: Set(facts.reference.clone()),
        trigger_kind: Set(facts.trigger.as_str().to_owned()),
        earn_date: Set(facts.earn_date),
        currency_code: Set(facts.amount.currency.to_string()),
        amount_minor: Set(facts.amount.minor),
        create_time: Set(new.create_time),
        reversal_voucher_id: Set(None),
        reverse_time: Set(None),
    };
    let done = commission::Entity::insert(row).exec_without_returning(conn).await;
    done.map(|_| ()).map_err(|error| taken(error, "commission"))
}

fn taken(error: DbErr, what: &'static str) -> Error {
    if is_unique_violation(&error) { Error::name_taken(what).with_source(error) } else { store_error(error) }
}

/// Writes that a commission was reversed, unless it was before.
pub async fn reverse(conn: &impl ConnectionTrait, of: &Commission) -> Result<(), Error> {
    let reversal = of.reversed.ok_or_else(|| broken("commission", "is not reversed"))?;
    let sql = "update billing.commission set reversal_voucher_id = $3, reverse_time = $4 \
               where operator_id = $1 and commission_id = $2 and reverse_time is null";
    let values = [
        of.operator.as_str().into(),
        of.id.get().into(),
        reversal.voucher.get().into(),
        reversal.time.into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// Writes what becomes of commissions.
///
/// # Errors
/// `NAME_TAKEN` when the bank's reference of a payment is recorded.
pub async fn insert_moves(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    moves: &[(CommissionId, Move)],
    now: Instant,
) -> Result<(), Error> {
    let rows = moves.iter().map(|(of, part)| commission_move::ActiveModel {
        operator_id: Set(operator.to_string()),
        move_id: Set(part.id),
        commission_id: Set(of.get()),
        kind: Set(part.kind.as_str().to_owned()),
        through_date: Set(part.through),
        amount_minor: Set(part.amount.minor),
        bank_reference: Set(part.bank_reference.clone()),
        create_time: Set(now),
    });
    insert_all(conn, rows).await.map_err(|error| taken(error, "bank reference"))
}

/// One commission, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &CommissionName,
) -> Result<Option<Commission>, Error> {
    use commission::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = commission::Entity::find()
        .filter(sight.of_operator(C::OperatorId))
        .filter(C::CommissionId.eq(name.commission.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_moves(conn, rows).await?.pop())
}

/// The commissions of an operator that are not an expense as a whole yet, in order of creation.
pub async fn unamortized(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
) -> Result<Vec<Commission>, Error> {
    use commission::Column as C;
    let rows = commission::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::ReverseTime.is_null())
        .order_by_asc(C::CommissionId)
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut all = with_moves(conn, rows).await?;
    all.retain(|of| !of.unamortized().is_zero());
    Ok(all)
}

/// Commissions, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    lease: Option<&LeaseName>,
    page: &Page<Newest>,
) -> Result<Paged<Commission>, Error> {
    use commission::Column as C;
    let condition = Condition::all()
        .add_option(lease.map(|lease| C::OperatorId.eq(lease.operator.as_str())))
        .add_option(lease.map(|lease| C::LeaseId.eq(lease.lease.as_str())));
    let rows = commission::Entity::find().filter(sight.of_operator(C::OperatorId)).filter(condition);
    let paged = newest_first(conn, rows, (C::CommissionId, C::OperatorId), page).await?;
    Ok(Paged { rows: with_moves(conn, paged.rows).await?, more: paged.more })
}

#[derive(FromQueryResult)]
struct Sum {
    commission_id: Uuid,
    kind: String,
    minor: i64,
    through_date: CivilDate,
}

/// Adds what became of them, in one statement for all.
async fn with_moves(
    conn: &impl ConnectionTrait,
    rows: Vec<commission::Model>,
) -> Result<Vec<Commission>, Error> {
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let ids: Vec<Uuid> = rows.iter().map(|row| row.commission_id).collect();
    let sql = "select commission_id, kind, sum(amount_minor)::bigint as minor, max(through_date) as through_date \
               from billing.commission_move where operator_id = any($1) and commission_id = any($2) \
               group by commission_id, kind";
    let found = Sum::find_by_statement(statement(sql, [operators.into(), ids.into()])).all(conn).await;
    let mut moved: HashMap<Uuid, Moved> = HashMap::new();
    for sum in found.map_err(store_error)? {
        let of = moved.entry(sum.commission_id).or_default();
        match parse("kind", &sum.kind)? {
            MoveKind::Amortized => of.amortized_minor = sum.minor,
            MoveKind::WrittenOff => of.written_off_minor = sum.minor,
            MoveKind::Paid => {
                of.paid_minor = sum.minor;
                continue;
            }
            MoveKind::Returned => {
                of.returned_minor = sum.minor;
                continue;
            }
        }
        of.amortized_through = of.amortized_through.max(Some(sum.through_date));
    }
    rows.iter().map(|row| commission_of(row, moved.remove(&row.commission_id).unwrap_or_default())).collect()
}

fn commission_of(row: &commission::Model, moved: Moved) -> Result<Commission, Error> {
    let reversed = row.reversal_voucher_id.zip(row.reverse_time);
    Ok(Commission {
        operator: parse("operator_id", &row.operator_id)?,
        id: CommissionId::new(row.commission_id),
        facts: CommissionFacts {
            lease: parse("lease_id", &row.lease_id)?,
            payee: row.payee.clone(),
            amount: money(row.amount_minor, &row.currency_code)?,
            trigger: parse("trigger_kind", &row.trigger_kind)?,
            earn_date: row.earn_date,
            reference: row.reference.clone(),
        },
        moved,
        reversed: reversed.map(|(voucher, time)| Reversal { voucher: VoucherId::new(voucher), time }),
        create_time: row.create_time,
    })
}
