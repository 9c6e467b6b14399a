//! Disputes.

use std::collections::{BTreeMap, HashMap};

use kernel::{
    CivilDate, CreditNoteId, DisputeId, DisputeName, Error, Instant, InvoiceId, InvoiceName, OperatorId,
    Scope, Uuid,
};
use postgres::store_error;
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, FromQueryResult, QueryFilter as _, Set,
};

use super::entity::dispute;
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{broken, money, parse, statement};
use crate::domain::dispute::{Dispute, DisputeFilter, DisputeState, Resolution};
use crate::domain::interest::Disputed;

/// Writes a dispute.
pub async fn insert(conn: &impl ConnectionTrait, dispute: &Dispute) -> Result<(), Error> {
    let row = dispute::ActiveModel {
        operator_id: Set(dispute.operator.to_string()),
        dispute_id: Set(dispute.id.get()),
        invoice_id: Set(dispute.invoice.get()),
        line_number: Set(dispute.line),
        tenant_id: Set(dispute.tenant.to_string()),
        currency_code: Set(dispute.amount.currency.to_string()),
        amount_minor: Set(dispute.amount.minor),
        reason: Set(dispute.reason.clone()),
        opened_by: Set(dispute.opened_by.clone()),
        state: Set(dispute.state.as_str().to_owned()),
        resolution: Set(String::new()),
        resolved_by: Set(None),
        credit_note_id: Set(None),
        version: Set(dispute.version),
        create_time: Set(dispute.create_time),
        resolve_time: Set(None),
    };
    dispute::Entity::insert(row).exec_without_returning(conn).await.map_err(store_error)?;
    Ok(())
}

/// Writes the answer to a dispute.
pub async fn settle(conn: &impl ConnectionTrait, dispute: &Dispute) -> Result<(), Error> {
    let answer = dispute.resolution.as_ref().ok_or_else(|| broken("resolution", "is missing"))?;
    let sql = "update billing.dispute set state = $3, resolution = $4, resolved_by = $5, credit_note_id = $6, \
                      version = $7, resolve_time = $8 \
               where operator_id = $1 and dispute_id = $2 and version = $7 - 1";
    let values = [
        dispute.operator.as_str().into(),
        dispute.id.get().into(),
        dispute.state.as_str().into(),
        answer.reason.clone().into(),
        answer.by.clone().into(),
        answer.credit_note.map(CreditNoteId::get).into(),
        dispute.version.into(),
        answer.time.into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// One dispute, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &DisputeName,
) -> Result<Option<Dispute>, Error> {
    use dispute::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let row = dispute::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(C::DisputeId.eq(name.dispute.get()))
        .one(conn)
        .await
        .map_err(store_error)?;
    row.as_ref().map(dispute_of).transpose()
}

/// Disputes, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    filter: &DisputeFilter,
    page: &Page<Newest>,
) -> Result<Paged<Dispute>, Error> {
    use dispute::Column as C;
    let invoice = filter.invoice.as_ref();
    let condition = Condition::all()
        .add_option(invoice.map(|name| C::OperatorId.eq(name.operator.as_str())))
        .add_option(invoice.map(|name| C::InvoiceId.eq(name.invoice.get())))
        .add_option(filter.open_only.then(|| C::State.eq(DisputeState::Open.as_str())));
    let rows = dispute::Entity::find().filter(sight.condition(C::OperatorId, C::TenantId)).filter(condition);
    let paged = newest_first(conn, rows, (C::DisputeId, C::OperatorId), page).await?;
    let rows = paged.rows.iter().map(dispute_of).collect::<Result<_, _>>()?;
    Ok(Paged { rows, more: paged.more })
}

/// What is in open dispute of each line of an invoice, in minor units, but by the dispute that is settled.
pub async fn open_by_line(
    conn: &impl ConnectionTrait,
    invoice: &InvoiceName,
    settled: Option<DisputeId>,
) -> Result<BTreeMap<i32, i64>, Error> {
    let sql = "select line_number, sum(amount_minor)::bigint from billing.dispute \
               where operator_id = $1 and invoice_id = $2 and state = 'OPEN' and dispute_id is distinct from $3 \
               group by line_number";
    let settled = settled.map(DisputeId::get);
    let values = [invoice.operator.as_str().into(), invoice.invoice.get().into(), settled.into()];
    let rows = conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?;
    rows.iter().map(|row| row.try_get_many_by_index::<(i32, i64)>().map_err(store_error)).collect()
}

#[derive(FromQueryResult)]
struct DisputedRow {
    invoice_id: Uuid,
    amount_minor: i64,
    create_time: Instant,
    resolve_time: Option<Instant>,
}

/// What was or is in dispute of invoices, but on lines of interest, by the days on which it was. What was upheld is taken
/// back as a whole, and so is nothing here.
pub async fn of_invoices(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    invoices: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<Disputed>>, Error> {
    let sql = "select d.invoice_id, d.amount_minor, d.create_time, d.resolve_time from billing.dispute d \
               join billing.invoice_line l on l.operator_id = d.operator_id and l.invoice_id = d.invoice_id \
                    and l.line_number = d.line_number \
               where d.operator_id = $1 and d.invoice_id = any($2) and d.state <> 'UPHELD' \
                 and l.charge_type <> 'LATE_INTEREST' order by d.dispute_id";
    let values = [operator.as_str().into(), invoices.into()];
    let rows = DisputedRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let mut all: HashMap<Uuid, Vec<Disputed>> = HashMap::new();
    for row in rows {
        let part = Disputed {
            from: row.create_time.date_naive(),
            until: row.resolve_time.map(|time| time.date_naive()),
            minor: row.amount_minor,
        };
        all.entry(row.invoice_id).or_default().push(part);
    }
    Ok(all)
}

/// What was in open dispute of invoices on a day, in minor units.
pub async fn open_on(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    day: CivilDate,
) -> Result<HashMap<InvoiceId, i64>, Error> {
    let sql = "select invoice_id, sum(amount_minor)::bigint from billing.dispute \
               where operator_id = $1 and (create_time at time zone 'UTC')::date <= $2 \
                 and (resolve_time is null or (resolve_time at time zone 'UTC')::date > $2) group by invoice_id";
    let values = [operator.as_str().into(), day.into()];
    let rows = conn.query_all_raw(statement(sql, values)).await.map_err(store_error)?;
    rows.iter()
        .map(|row| {
            let (invoice, minor) = row.try_get_many_by_index::<(Uuid, i64)>().map_err(store_error)?;
            Ok((InvoiceId::new(invoice), minor))
        })
        .collect()
}

fn dispute_of(row: &dispute::Model) -> Result<Dispute, Error> {
    let resolution = match (&row.resolved_by, row.resolve_time) {
        (Some(by), Some(time)) => Some(Resolution {
            reason: row.resolution.clone(),
            by: by.clone(),
            time,
            credit_note: row.credit_note_id.map(CreditNoteId::new),
        }),
        _ => None,
    };
    Ok(Dispute {
        operator: parse("operator_id", &row.operator_id)?,
        id: DisputeId::new(row.dispute_id),
        invoice: InvoiceId::new(row.invoice_id),
        line: row.line_number,
        tenant: parse("tenant_id", &row.tenant_id)?,
        amount: money(row.amount_minor, &row.currency_code)?,
        reason: row.reason.clone(),
        opened_by: row.opened_by.clone(),
        state: parse("state", &row.state)?,
        resolution,
        version: row.version,
        create_time: row.create_time,
    })
}
