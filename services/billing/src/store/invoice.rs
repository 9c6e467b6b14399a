//! Invoices with their lines.

use std::collections::HashMap;

use kernel::{
    AccountId, DateRange, Error, InvoiceId, InvoiceName, OperatorId, Percent, Proration, ReckoningId, RunId,
    Scope, Uuid, YearMonth,
};
use postgres::{insert_all, is_unique_violation, store_error};
use sea_orm::sea_query::{Expr, LockBehavior, LockType};
use sea_orm::{
    ColumnTrait as _, Condition, ConnectionTrait, EntityTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set,
};

use super::entity::{invoice, invoice_line};
use super::listing::{Newest, Page, Paged, Sight, newest_first};
use super::payment_instructions;
use super::rows::{broken, money, narrow, parse, place_of, statement};
use crate::domain::charge::Charge;
use crate::domain::invoice::{Invoice, InvoiceFilter, InvoiceLine, Issued, LineCharge};
use crate::domain::invoice_state::InvoiceState;
use crate::domain::number::InvoiceNumber;
use crate::domain::reckoned::ReckonedLine;
use crate::domain::settlement::Settled;

/// Writes drafts with their lines.
///
/// # Errors
/// `TRANSACTION_CONFLICT` when another transaction took one of the charges first: tried again, it sees that.
pub async fn insert(conn: &impl ConnectionTrait, invoices: &[Invoice]) -> Result<(), Error> {
    let rows = invoices.iter().map(row_of).collect::<Result<Vec<_>, _>>()?;
    insert_all(conn, rows).await.map_err(store_error)?;
    let mut lines = Vec::new();
    for invoice in invoices {
        for (number, line) in (1..).zip(&invoice.lines) {
            lines.push(line_row_of(invoice, number, line)?);
        }
    }
    insert_all(conn, lines).await.map_err(|error| match is_unique_violation(&error) {
        true => Error::transaction_conflict().with_source(error),
        false => store_error(error),
    })
}

/// Writes what issuing adds to invoices that this transaction has locked, for all at once.
pub async fn mark_issued(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    invoices: &[Invoice],
) -> Result<(), Error> {
    let issued: Vec<&Issued> = invoices.iter().filter_map(|invoice| invoice.issued.as_ref()).collect();
    if issued.len() != invoices.len() {
        return Err(broken("invoice", "is not issued"));
    }
    // Each by its key, which a limited subquery looks up one by one: with any other condition the database may prefer to read all
    // invoices of the run, or of the operator, for a few of them.
    let sql = "update billing.invoice i set state = n.state, version = n.version, series = n.series, \
                      number = n.number, issue_time = n.issue_time, due_date = n.due_date, \
                      payment_instructions_id = nullif(n.pay_to, '')::uuid \
               from unnest($2::uuid[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::timestamptz[], \
                      $8::date[], $9::text[]) \
                      as n(invoice_id, state, version, series, number, issue_time, due_date, pay_to) \
               cross join lateral (select o.ctid from billing.invoice o where o.operator_id = $1 \
                      and o.invoice_id = n.invoice_id and o.version = n.version - 1 limit 1) o \
               where i.ctid = o.ctid";
    let pay_to = |invoice: &Invoice| invoice.pay_to.as_ref().map(|of| of.id.to_string()).unwrap_or_default();
    let values = [
        operator.as_str().into(),
        invoices.iter().map(|invoice| invoice.id.get()).collect::<Vec<_>>().into(),
        invoices.iter().map(|invoice| invoice.state.as_str().to_owned()).collect::<Vec<_>>().into(),
        invoices.iter().map(|invoice| invoice.version).collect::<Vec<_>>().into(),
        issued.iter().map(|issued| issued.number.series().to_owned()).collect::<Vec<_>>().into(),
        issued.iter().map(|issued| issued.number.get()).collect::<Vec<_>>().into(),
        issued.iter().map(|issued| issued.time).collect::<Vec<_>>().into(),
        issued.iter().map(|issued| issued.due_date).collect::<Vec<_>>().into(),
        invoices.iter().map(pay_to).collect::<Vec<_>>().into(),
    ];
    let done = conn.execute_raw(statement(sql, values)).await.map_err(store_error)?;
    if done.rows_affected() == invoices.len() as u64 { Ok(()) } else { Err(Error::transaction_conflict()) }
}

/// One invoice, if the scope sees it.
pub async fn find(
    conn: &impl ConnectionTrait,
    scope: &Scope,
    name: &InvoiceName,
) -> Result<Option<Invoice>, Error> {
    use invoice::Column as C;
    let sight = Sight { scope, operator: Some(&name.operator) };
    let rows = invoice::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(C::InvoiceId.eq(name.invoice.get()))
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_lines(conn, rows).await?.pop())
}

/// One invoice, locked until the transaction ends.
pub async fn lock(conn: &impl ConnectionTrait, name: &InvoiceName) -> Result<Option<Invoice>, Error> {
    use invoice::Column as C;
    let rows = invoice::Entity::find()
        .filter(C::OperatorId.eq(name.operator.as_str()))
        .filter(C::InvoiceId.eq(name.invoice.get()))
        .lock_exclusive()
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(with_lines(conn, rows).await?.pop())
}

/// A draft has no number, by which the index of a run's invoices finds it; nor has one that was taken back before it got one.
pub(super) fn is_draft() -> Condition {
    use invoice::Column as C;
    Condition::all().add(C::Number.is_null()).add(C::State.eq(InvoiceState::Draft.as_str()))
}

/// What is owed, as the index of it says it: of bound values the planner does not know that the index serves.
pub(super) fn is_owed() -> Expr {
    let states = InvoiceState::OWED.map(|state| format!("'{}'", state.as_str())).join(", ");
    Expr::cust(format!("\"invoice\".\"state\" in ({states})"))
}

/// The first drafts of a run, as its index has them, in order of lease, that nobody has in hand, locked until the transaction ends.
pub async fn take_drafts(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
    most: usize,
) -> Result<Vec<Invoice>, Error> {
    use invoice::Column as C;
    let rows = invoice::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::RunId.eq(run.get()))
        .filter(is_draft())
        .order_by_asc(C::Number)
        .order_by_asc(C::LeaseId)
        .order_by_asc(C::InvoiceId)
        .limit(u64::try_from(most).unwrap_or(u64::MAX))
        .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
        .all(conn)
        .await
        .map_err(store_error)?;
    with_lines(conn, rows).await
}

fn condition_of(filter: &InvoiceFilter) -> Condition {
    use invoice::Column as C;
    let states: Vec<&str> = filter.states.iter().map(|state| state.as_str()).collect();
    let lease = filter.lease.as_ref();
    let run = filter.run.as_ref();
    Condition::all()
        .add_option((!states.is_empty()).then(|| C::State.is_in(states)))
        .add_option(filter.tenant.as_ref().map(|tenant| C::TenantId.eq(tenant.as_str())))
        .add_option(lease.map(|(operator, _)| C::OperatorId.eq(operator.as_str())))
        .add_option(lease.map(|(_, lease)| C::LeaseId.eq(lease.as_str())))
        .add_option(run.map(|(operator, _)| C::OperatorId.eq(operator.as_str())))
        .add_option(run.map(|(_, run)| C::RunId.eq(run.get())))
        .add_option(filter.month.map(|month| C::PeriodStart.eq(month.first_day())))
}

/// Invoices, newest first.
pub async fn list(
    conn: &impl ConnectionTrait,
    sight: &Sight<'_>,
    filter: &InvoiceFilter,
    page: &Page<Newest>,
) -> Result<Paged<Invoice>, Error> {
    use invoice::Column as C;
    let rows = invoice::Entity::find()
        .filter(sight.condition(C::OperatorId, C::TenantId))
        .filter(condition_of(filter));
    let paged = newest_first(conn, rows, (C::InvoiceId, C::OperatorId), page).await?;
    Ok(Paged { rows: with_lines(conn, paged.rows).await?, more: paged.more })
}

/// The first invoices of a run in order of lease.
pub async fn first_of_run(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    run: RunId,
    most: usize,
) -> Result<Vec<Invoice>, Error> {
    use invoice::Column as C;
    let rows = invoice::Entity::find()
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::RunId.eq(run.get()))
        .order_by_asc(C::LeaseId)
        .order_by_asc(C::InvoiceId)
        .limit(u64::try_from(most).unwrap_or(u64::MAX))
        .all(conn)
        .await
        .map_err(store_error)?;
    with_lines(conn, rows).await
}

/// The numbers of those of some invoices that have one.
pub(super) async fn numbers_of(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    invoices: Vec<Uuid>,
) -> Result<HashMap<Uuid, InvoiceNumber>, Error> {
    use invoice::Column as C;
    let numbers = invoice::Entity::find()
        .select_only()
        .columns([C::InvoiceId, C::Series, C::Number])
        .filter(C::OperatorId.eq(operator.as_str()))
        .filter(C::InvoiceId.eq_any(invoices))
        .filter(C::Number.is_not_null())
        .into_tuple::<(Uuid, String, i64)>()
        .all(conn)
        .await
        .map_err(store_error)?;
    Ok(numbers.into_iter().map(|(id, series, number)| (id, InvoiceNumber::new(&series, number))).collect())
}

/// Adds the lines and where to pay, in one statement each for all.
pub(super) async fn with_lines(
    conn: &impl ConnectionTrait,
    rows: Vec<invoice::Model>,
) -> Result<Vec<Invoice>, Error> {
    use invoice_line::Column as C;
    let mut lines: HashMap<Uuid, Vec<invoice_line::Model>> = HashMap::new();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let mut operators: Vec<String> = rows.iter().map(|row| row.operator_id.clone()).collect();
    operators.dedup();
    let invoices: Vec<Uuid> = rows.iter().map(|row| row.invoice_id).collect();
    let pay_to = payment_instructions::of_invoices(conn, &operators, &rows).await?;
    let found = invoice_line::Entity::find()
        .filter(C::OperatorId.is_in(operators))
        .filter(C::InvoiceId.eq_any(invoices))
        .order_by_asc(C::LineNumber)
        .all(conn)
        .await
        .map_err(store_error)?;
    for line in found {
        lines.entry(line.invoice_id).or_default().push(line);
    }
    rows.into_iter()
        .map(|row| {
            let lines = lines.remove(&row.invoice_id).unwrap_or_default();
            Ok(Invoice { pay_to: pay_to.of(&row)?, ..invoice_of(&row, &lines)? })
        })
        .collect()
}

fn row_of(invoice: &Invoice) -> Result<invoice::ActiveModel, Error> {
    let issued = invoice.issued.as_ref();
    let days = invoice.month.range();
    Ok(invoice::ActiveModel {
        operator_id: Set(invoice.operator.to_string()),
        invoice_id: Set(invoice.id.get()),
        run_id: Set(invoice.run.get()),
        account_id: Set(invoice.account.get()),
        tenant_id: Set(invoice.tenant.to_string()),
        lease_id: Set(invoice.lease.to_string()),
        kind: Set(invoice.kind.as_str().to_owned()),
        state: Set(invoice.state.as_str().to_owned()),
        period_start: Set(invoice.month.first_day()),
        period_end: Set(days.map_or(invoice.month.first_day(), |days| days.end())),
        currency_code: Set(invoice.total.currency.to_string()),
        total_minor: Set(invoice.total.minor),
        line_count: Set(narrow("line_count", invoice.lines.len())?),
        payment_terms_days: Set(invoice.payment_terms_days.into()),
        version: Set(invoice.version),
        create_time: Set(invoice.create_time),
        series: Set(issued.map(|i| i.number.series().to_owned())),
        number: Set(issued.map(|i| i.number.get())),
        issue_time: Set(issued.map(|i| i.time)),
        due_date: Set(issued.map(|i| i.due_date)),
        paid_minor: Set(invoice.settled.paid_minor),
        credited_minor: Set(invoice.settled.credited_minor),
        written_off_minor: Set(invoice.settled.written_off_minor),
        state_reason: Set(invoice.state_reason.clone()),
        // Written with the number.
        payment_instructions_id: Set(None),
    })
}

fn line_row_of(
    invoice: &Invoice,
    number: i32,
    line: &InvoiceLine,
) -> Result<invoice_line::ActiveModel, Error> {
    let (place, period) = (line.place(), line.period());
    let row = invoice_line::ActiveModel {
        operator_id: Set(invoice.operator.to_string()),
        invoice_id: Set(invoice.id.get()),
        line_number: Set(number),
        lease_id: Set(invoice.lease.to_string()),
        site_id: Set(place.map(|place| place.site.to_string())),
        block_id: Set(place.map(|place| place.block.to_string())),
        charge_type: Set(line.charge_type().as_str().to_owned()),
        period_start: Set(period.start()),
        revision: Set(0),
        live: Set(true),
        period_end: Set(period.end()),
        days: Set(None),
        days_in_month: Set(None),
        quantity_kw: Set(None),
        rate_per_kw_month: Set(None),
        proration: Set(Proration::ActualActual.as_str().to_owned()),
        abated_percent: Set(Percent::ZERO.into()),
        amount_minor: Set(line.amount().minor),
        lease_version: Set(line.lease_version),
        item: Set(line.item().to_owned()),
        detail: Set(None),
        reckoning_id: Set(None),
    };
    match &line.charge {
        LineCharge::Rent(rent) => Ok(invoice_line::ActiveModel {
            days: Set(Some(narrow("days", rent.days)?)),
            days_in_month: Set(Some(narrow("days_in_month", rent.days_in_month)?)),
            quantity_kw: Set(Some(rent.quantity_kw)),
            rate_per_kw_month: Set(Some(rent.rate.into())),
            proration: Set(rent.proration.as_str().to_owned()),
            abated_percent: Set(rent.abated.into()),
            ..row
        }),
        LineCharge::Reckoned(reckoned) => Ok(invoice_line::ActiveModel {
            revision: Set(reckoned.revision),
            detail: Set(Some(serde_json::to_value(&reckoned.detail).map_err(Error::internal)?)),
            reckoning_id: Set(Some(reckoned.reckoning.get())),
            ..row
        }),
    }
}

fn invoice_of(row: &invoice::Model, lines: &[invoice_line::Model]) -> Result<Invoice, Error> {
    let issued = match (&row.series, row.number, row.issue_time, row.due_date) {
        (Some(series), Some(number), Some(time), Some(due_date)) => {
            Some(Issued { number: InvoiceNumber::new(series, number), time, due_date })
        }
        _ => None,
    };
    Ok(Invoice {
        operator: parse("operator_id", &row.operator_id)?,
        id: InvoiceId::new(row.invoice_id),
        run: RunId::new(row.run_id),
        account: AccountId::new(row.account_id),
        tenant: parse("tenant_id", &row.tenant_id)?,
        lease: parse("lease_id", &row.lease_id)?,
        kind: parse("kind", &row.kind)?,
        state: parse("state", &row.state)?,
        month: YearMonth::of(row.period_start),
        lines: lines.iter().map(|line| line_of(line, &row.currency_code)).collect::<Result<_, _>>()?,
        total: money(row.total_minor, &row.currency_code)?,
        payment_terms_days: narrow("payment_terms_days", row.payment_terms_days)?,
        version: row.version,
        create_time: row.create_time,
        issued,
        settled: Settled {
            paid_minor: row.paid_minor,
            credited_minor: row.credited_minor,
            written_off_minor: row.written_off_minor,
        },
        state_reason: row.state_reason.clone(),
        pay_to: None,
    })
}

fn line_of(row: &invoice_line::Model, currency_code: &str) -> Result<InvoiceLine, Error> {
    let charge_type = parse("charge_type", &row.charge_type)?;
    let place = place_of(row.site_id.as_deref(), row.block_id.as_deref())?;
    let period = DateRange::new(row.period_start, row.period_end);
    let period = period.map_err(|error| broken("period_end", error))?;
    let amount = money(row.amount_minor, currency_code)?;
    let charge = match (row.reckoning_id, row.detail.clone()) {
        (Some(reckoning), Some(detail)) => LineCharge::Reckoned(ReckonedLine {
            charge_type,
            place,
            item: row.item.clone(),
            period,
            revision: row.revision,
            amount,
            detail: serde_json::from_value(detail).map_err(|error| broken("detail", error))?,
            reckoning: ReckoningId::new(reckoning),
        }),
        _ => {
            let rate = row.rate_per_kw_month.ok_or_else(|| broken("rate_per_kw_month", "is missing"))?;
            LineCharge::Rent(Charge {
                charge_type,
                place: place.ok_or_else(|| broken("block_id", "is missing"))?,
                period,
                month: YearMonth::of(row.period_start),
                days: narrow("days", row.days.unwrap_or_default())?,
                days_in_month: narrow("days_in_month", row.days_in_month.unwrap_or_default())?,
                quantity_kw: row.quantity_kw.unwrap_or_default(),
                rate: rate.try_into().map_err(|error| broken("rate_per_kw_month", error))?,
                proration: parse("proration", &row.proration)?,
                abated: row.abated_percent.try_into().map_err(|error| broken("abated_percent", error))?,
                amount,
            })
        }
    };
    Ok(InvoiceLine { charge, lease_version: row.lease_version })
}
