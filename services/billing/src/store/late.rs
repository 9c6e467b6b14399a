//! Invoices that were or are paid late, and the interest that was billed on them.

use std::collections::{BTreeMap, HashMap};

use kernel::{CivilDate, DateRange, Error, LeaseId, OperatorId, Uuid};
use postgres::store_error;
use sea_orm::{ConnectionTrait, FromQueryResult};

use super::dispute;
use super::rows::{broken, parse, statement};
use crate::domain::charge_type::ChargeType;
use crate::domain::interest::{Overdue, Paid};
use crate::domain::number::InvoiceNumber;
use crate::domain::reckoned::{Billed, BilledCharges, ReckonedKey};

/// An invoice with the interest that was billed on it.
#[derive(Clone, Debug)]
pub struct LateInvoice {
    /// Its lease.
    pub lease: LeaseId,
    /// What became of it.
    pub overdue: Overdue,
    /// What was billed.
    pub billed: BilledCharges,
}

#[derive(FromQueryResult)]
struct InvoiceRow {
    invoice_id: Uuid,
    lease_id: String,
    series: String,
    number: i64,
    due_date: CivilDate,
    principal_minor: i64,
}

#[derive(FromQueryResult)]
struct PaidRow {
    invoice_id: Uuid,
    posting_date: CivilDate,
    amount_minor: i64,
}

#[derive(FromQueryResult)]
struct BilledRow {
    lease_id: String,
    item: String,
    period_start: CivilDate,
    period_end: CivilDate,
    revision: i32,
    amount_minor: i64,
}

/// Invoices of these leases that were due before a day and are not paid, were paid late, or have interest; of an invoice
/// that is void nothing was owed. One that was given up stays as it was billed.
pub async fn of_leases(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    leases: &[LeaseId],
    before: CivilDate,
) -> Result<Vec<LateInvoice>, Error> {
    let ids: Vec<String> = leases.iter().map(ToString::to_string).collect();
    let mut billed = billed(conn, operator, ids.clone()).await?;
    let with_interest = billed.values().flat_map(BTreeMap::keys);
    let with_interest: Vec<InvoiceNumber> =
        with_interest.map(|number| parse("item", number)).collect::<Result<_, _>>()?;
    let rows = invoices(conn, operator, (ids, with_interest), before).await?;
    let invoices: Vec<Uuid> = rows.iter().map(|row| row.invoice_id).collect();
    let mut paid = paid(conn, operator, invoices.clone()).await?;
    let mut disputed = dispute::of_invoices(conn, operator, invoices).await?;
    rows.into_iter()
        .map(|row| {
            let lease: LeaseId = parse("lease_id", &row.lease_id)?;
            let number = InvoiceNumber::new(row.series, row.number).to_string();
            let billed = billed.get_mut(&lease).and_then(|of| of.remove(&number)).unwrap_or_default();
            let overdue = Overdue {
                number,
                due: row.due_date,
                principal_minor: row.principal_minor,
                paid: paid.remove(&row.invoice_id).unwrap_or_default(),
                disputed: disputed.remove(&row.invoice_id).unwrap_or_default(),
            };
            Ok(LateInvoice { lease, overdue, billed })
        })
        .collect()
}

async fn invoices(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    (leases, with_interest): (Vec<String>, Vec<InvoiceNumber>),
    before: CivilDate,
) -> Result<Vec<InvoiceRow>, Error> {
    let sql = "select i.invoice_id, i.lease_id, i.series, i.number, i.due_date, \
                      case when i.state = 'VOID' then 0 else p.minor end as principal_minor \
               from billing.invoice i join lateral ( \
                    select coalesce(sum(l.amount_minor - coalesce(( \
                        select sum(c.amount_minor) from billing.credit_note_line c \
                        where c.operator_id = l.operator_id and c.invoice_id = l.invoice_id \
                          and c.line_number = l.line_number), 0)), 0)::bigint as minor \
                    from billing.invoice_line l \
                    where l.operator_id = i.operator_id and l.invoice_id = i.invoice_id \
                      and l.charge_type <> 'LATE_INTEREST') p on true \
               where i.operator_id = $1 and i.lease_id = any($2) and i.due_date < $3 \
                 and i.state in ('OPEN', 'PARTIALLY_PAID', 'PAID', 'VOID') \
                 and (i.state in ('OPEN', 'PARTIALLY_PAID') \
                      or (i.series, i.number) in (select * from unnest($4::text[], $5::bigint[])) \
                      or (i.state = 'PAID' and exists (select from billing.payment_allocation a \
                          where a.operator_id = i.operator_id and a.invoice_id = i.invoice_id \
                            and a.posting_date > i.due_date))) \
               order by i.lease_id, i.series, i.number";
    let series: Vec<String> = with_interest.iter().map(|number| number.series().to_owned()).collect();
    let numbers: Vec<i64> = with_interest.iter().map(InvoiceNumber::get).collect();
    let values = [operator.as_str().into(), leases.into(), before.into(), series.into(), numbers.into()];
    InvoiceRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)
}

async fn paid(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    invoices: Vec<Uuid>,
) -> Result<HashMap<Uuid, Vec<Paid>>, Error> {
    let sql = "select invoice_id, posting_date, amount_minor from billing.payment_allocation \
               where operator_id = $1 and invoice_id = any($2) order by posting_date, allocation_id";
    let values = [operator.as_str().into(), invoices.into()];
    let rows = PaidRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let mut paid: HashMap<Uuid, Vec<Paid>> = HashMap::new();
    for row in rows {
        let part = Paid { on: row.posting_date, minor: row.amount_minor };
        paid.entry(row.invoice_id).or_default().push(part);
    }
    Ok(paid)
}

/// Interest that was billed, by lease and number of the invoice that was late.
async fn billed(
    conn: &impl ConnectionTrait,
    operator: &OperatorId,
    leases: Vec<String>,
) -> Result<HashMap<LeaseId, BTreeMap<String, BilledCharges>>, Error> {
    let sql = "select lease_id, item, period_start, period_end, revision, amount_minor from billing.invoice_line \
               where operator_id = $1 and lease_id = any($2) and live and site_id is null \
                 and charge_type = 'LATE_INTEREST' order by revision";
    let values = [operator.as_str().into(), leases.into()];
    let rows = BilledRow::find_by_statement(statement(sql, values)).all(conn).await.map_err(store_error)?;
    let mut all: HashMap<LeaseId, BTreeMap<String, BilledCharges>> = HashMap::new();
    for row in rows {
        let of_lease = all.entry(parse("lease_id", &row.lease_id)?).or_default();
        let number = row.item.split('.').next().unwrap_or_default().to_owned();
        let charges = of_lease.entry(number).or_default();
        let key = ReckonedKey {
            period_start: row.period_start,
            charge_type: ChargeType::LateInterest,
            item: row.item,
        };
        let before = charges.get(&key).map_or(0, |billed| billed.minor);
        let billed = Billed {
            period: DateRange::new(row.period_start, row.period_end)
                .map_err(|error| broken("period_end", error))?,
            minor: before.saturating_add(row.amount_minor),
            revision: row.revision,
            jurisdiction: None,
        };
        charges.insert(key, billed);
    }
    Ok(all)
}
