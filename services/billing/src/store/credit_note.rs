//! Credit notes with their lines: append only.

use std::collections::{BTreeMap, HashMap};

use kernel::{AccountId, CreditNoteId, CreditNoteName, Error, InvoiceId, InvoiceName, Scope, Uuid};
use postgres::{insert_all, store_error};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _, Set,
};

use super::entity::{credit_note, credit_note_line};
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::rows::{money, parse};
use crate::domain::credit_note::{CreditNote, CreditNoteLine};
use crate::domain::number::InvoiceNumber;

/// What earlier credit notes took of each line of an invoice, in minor units.
pub async fn credited(
    conn: &impl ConnectionTrait,
    invoice: &InvoiceName,
) -> Result<BTreeMap<i32, i64>, Error> {
    use credit_note_line::Column as C;
    let rows = credit_note_line::Entity::find()
        .filter(C::OperatorId.eq(invoice.operator.as_str()))
        .filter(C::InvoiceId.eq(invoice.invoice.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    let mut credited = BTreeMap::new();
    for row in rows {
        *credited.entry(row.line_number).or_insert(0) += row.amount_minor;
    }
    Ok(credited)
}

/// Writes a credit note with its lines.
pub async fn insert(conn: &impl ConnectionTrait, note: &CreditNote) -> Result<(), Error> {
    let row = credit_note::ActiveModel {
        operator_id: Set(note.operator.to_string()),
        credit_note_id: Set(note.id.get()),
        invoice_id: Set(note.invoice.get()),
        account_id: Set(note.account.get()),
        tenant_id: Set(note.tenant.to_string()),
        currency_code: Set(note.total.currency.to_string()),
        total_minor: Set(note.total.minor),
        applied_minor: Set(note.applied.minor),
        reason: Set(note.reason.clone()),
        rebill: Set(note.rebill),
        series: Set(note.number.series().to_owned()),
        number: Set(note.number.get()),
        create_time: Set(note.create_time),
    };
    credit_note::Entity::insert(row).exec_without_returning(conn).await.map_err(store_error)?;
    let lines = note.lines.iter().map(|line| credit_note_line::ActiveModel {
        operator_id: Set(note.operator.to_string()),
        credit_note_id: Set(note.id.get()),
        line_number: Set(line.line),
        invoice_id: Set(note.invoice.get()),
        amount_minor: Set(line.amount.minor),
    });
    insert_all(conn, lines).await.map_err(store_error)
}

/// One credit note, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &CreditNoteName,
) -> Result<Option<CreditNote>, Error> {
    use credit_note::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = credit_note::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(C::CreditNoteId.eq(name.credit_note.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_lines(conn, rows).await?.pop())
}

/// Credit notes, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    invoice: Option<&InvoiceName>,
    page: &Page<Newest>,
) -> Result<Paged<CreditNote>, Error> {
    use credit_note::Column as C;
    let of_invoice = Condition::all()
        .add_option(invoice.map(|name| C::OperatorId.eq(name.operator.as_str())))
        .add_option(invoice.map(|name| C::InvoiceId.eq(name.invoice.get())));
    let rows =
        credit_note::Entity::find().filter(sight.condition(C::OperatorId, C::TenantId)).filter(of_invoice);
    let paged = newest_first(conn, rows, (C::CreditNoteId, C::OperatorId), page).await?;
    Ok(Paged { rows: with_lines(conn, paged.rows).await?, more: paged.more })
}

/// Adds the lines, in one statement for all.
async fn with_lines(
    conn: &impl ConnectionTrait,
    rows: Vec<credit_note::Model>,
) -> Result<Vec<CreditNote>, Error> {
    use credit_note_line::Column as C;
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let mut lines: HashMap<Uuid, Vec<credit_note_line::Model>> = HashMap::new();
    let found = credit_note_line::Entity::find()
        .filter(C::OperatorId.is_in(operators))
        .filter(C::CreditNoteId.is_in(rows.iter().map(|row| row.credit_note_id)))
        .order_by_asc(C::LineNumber)
        .all(conn)
        .await
        .map_err(store_error)?;
    for line in found {
        lines.entry(line.credit_note_id).or_default().push(line);
    }
    rows.into_iter()
        .map(|row| {
            let lines = lines.remove(&row.credit_note_id).unwrap_or_default();
            note_of(&row, &lines)
        })
        .collect()
}

fn note_of(row: &credit_note::Model, lines: &[credit_note_line::Model]) -> Result<CreditNote, Error> {
    let line = |line: &credit_note_line::Model| {
        Ok(CreditNoteLine { line: line.line_number, amount: money(line.amount_minor, &row.currency_code)? })
    };
    Ok(CreditNote {
        operator: parse("operator_id", &row.operator_id)?,
        id: CreditNoteId::new(row.credit_note_id),
        invoice: InvoiceId::new(row.invoice_id),
        account: AccountId::new(row.account_id),
        tenant: parse("tenant_id", &row.tenant_id)?,
        number: InvoiceNumber::new(&row.series, row.number),
        lines: lines.iter().map(line).collect::<Result<_, Error>>()?,
        total: money(row.total_minor, &row.currency_code)?,
        applied: money(row.applied_minor, &row.currency_code)?,
        reason: row.reason.clone(),
        rebill: row.rebill,
        create_time: row.create_time,
    })
}
