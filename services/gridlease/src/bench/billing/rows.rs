//! The same invoices by a program that writes each in a transaction of its own; and the leases that both bill.

use anyhow::Context as _;
use contracts::billing::v1 as billing;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{Connection as _, PgConnection, PgPool};
use uuid::Uuid;

/// Invoices of a measurement, and the connections that write them.
pub(super) const ROWS: u32 = 2_000;
pub(super) const CONNECTIONS: u32 = 8;

/// Eight connections with the rights of the service, in the scope of the operator that is billed row by row.
pub(super) struct Rows {
    pool: PgPool,
}

impl Rows {
    pub(super) async fn connect(options: PgConnectOptions) -> anyhow::Result<Self> {
        let pool = PgPoolOptions::new().min_connections(CONNECTIONS).max_connections(CONNECTIONS);
        let pool = pool.after_connect(|connection, _| {
            Box::pin(async move {
                sqlx::query("set role billing").execute(&mut *connection).await?;
                let scope = "select set_config('app.operator', 'rows', false)";
                sqlx::query(scope).execute(&mut *connection).await?;
                Ok(())
            })
        });
        Ok(Self { pool: pool.connect_with(options).await.context("connect")? })
    }

    /// Invoices a second, a transaction each: the rows that the service writes, with all constraints, rights and
    /// policies.
    pub(super) async fn per_s(&self, month: billing::BillingMonth) -> anyhow::Result<u64> {
        let day = format!("{:04}-{:02}-01", month.year, month.month);
        let since = tokio::time::Instant::now();
        let share = ROWS / CONNECTIONS;
        let tasks: Vec<_> = (0..CONNECTIONS)
            .map(|connection| {
                let (pool, day) = (self.pool.clone(), day.clone());
                tokio::spawn(async move {
                    let mut held = pool.acquire().await?;
                    for lease in 1 + connection * share..=(connection + 1) * share {
                        one_invoice(&mut held, &format!("lease-{lease:07}"), lease % 100, &day).await?;
                    }
                    Ok::<_, sqlx::Error>(())
                })
            })
            .collect();
        for task in tasks {
            task.await?.context("write an invoice")?;
        }
        let micros = since.elapsed().as_micros().max(1);
        Ok(u64::try_from(u128::from(ROWS) * 1_000_000 / micros)?)
    }

    pub(super) async fn close(self) {
        self.pool.close().await;
    }
}

/// Leases of an operator as leasing's events would have written them, up to so many: one block of 1,000 kW each, at 100 a kW
/// and month, commenced, for twenty years.
pub(super) async fn write_leases(
    connection: &mut PgConnection,
    operator: &str,
    leases: u32,
) -> anyhow::Result<()> {
    for sql in [
        "insert into billing.billing_entity (operator_id, create_time) values ($1, now()) on conflict do nothing",
        "insert into billing.account (operator_id, account_id, tenant_id, currency_code, create_time)
             select $1, gen_random_uuid(), 'tenant-' || n, 'USD', now() from generate_series(0, 99) n
             on conflict do nothing",
        "insert into billing.lease (operator_id, lease_id, tenant_id, version, state, currency_code, last_event_id, update_time)
             select $1, 'lease-' || lpad(n::text, 7, '0'), 'tenant-' || n % 100, 1, 'ACTIVE', 'USD', gen_random_uuid(), now()
             from generate_series(1, $2) n on conflict do nothing",
        "insert into billing.lease_version (operator_id, lease_id, version, terms, event_id, create_time)
             select operator_id, lease_id, 1, jsonb_build_object(
                     'currency', 'USD', 'payment_terms_days', 30, 'escalator', null,
                     'premises', jsonb_build_array(jsonb_build_object(
                         'place', jsonb_build_object('site', 'measured', 'block', lease_id),
                         'term', jsonb_build_object('start', '2026-12-01', 'end', '2046-12-01'),
                         'quantities', jsonb_build_array(jsonb_build_object('from', '2026-12-01', 'kw', 1000)),
                         'rent', jsonb_build_object('kind', 'base', 'rate', '100')))),
                 last_event_id, now()
             from billing.lease where operator_id = $1 and $2 > 0 on conflict do nothing",
        "insert into billing.lease_block (operator_id, lease_id, site_id, block_id, state)
             select operator_id, lease_id, 'measured', lease_id, 'COMMENCED' from billing.lease
             where operator_id = $1 and $2 > 0 on conflict do nothing",
        "insert into billing.billing_run (operator_id, run_id, run_number, billing_month, state, version, create_time)
             select $1, '00000000-0000-4000-8000-000000000001', 1, '2027-01-01', 'COMPUTING', 1, now()
             where $1 = 'rows' and $2 > 0",
        "update billing.billing_run set state = 'DRAFT' where operator_id = 'rows' and $1 = 'rows' and $2 > 0",
    ] {
        let last = sql.contains("$2");
        let query = sqlx::query(sql).bind(operator);
        let query = if last { query.bind(i64::from(leases)) } else { query };
        query.execute(&mut *connection).await.context("write the leases")?;
    }
    Ok(())
}

/// What the service writes of one invoice, a statement a row.
const ROWS_OF_AN_INVOICE: [&str; 6] = [
    "insert into billing.invoice (operator_id, invoice_id, run_id, account_id, tenant_id, lease_id, state, period_start,
         period_end, currency_code, total_minor, line_count, payment_terms_days, version, create_time)
     values ('rows', $1, '00000000-0000-4000-8000-000000000001', $2, $3, $4, 'DRAFT', $5::date,
         ($5::date + interval '1 month')::date, 'USD', 10000000, 1, 30, 1, now())",
    "insert into billing.invoice_line (operator_id, invoice_id, line_number, lease_id, site_id, block_id, charge_type,
         period_start, period_end, days, days_in_month, quantity_kw, rate_per_kw_month, amount_minor, lease_version, item)
     select 'rows', $1, 1, $2, 'measured', $2, 'BASE_RENT', $3::date, e, e - $3::date, e - $3::date, 1000, 100, 10000000,
         1, '' from (select ($3::date + interval '1 month')::date as e) m",
    "insert into billing.ledger_transaction (operator_id, transaction_id, kind, source_id, invoice_id, entry_count,
         posting_date, description, create_time)
     values ('rows', $1, 'INVOICE_ISSUED', $1, $1, 2, current_date, 'row by row', now())",
    "insert into billing.ledger_entry (operator_id, transaction_id, entry_number, entry_id, ledger_account, account_id,
         currency_code, amount_minor)
     values ('rows', $1, $3, gen_random_uuid(), $4, $2, 'USD', $5)",
    "insert into billing.outbox (operator_id, event_id, kind, subject, audience_tenant, occurred_at, payload)
     values ('rows', gen_random_uuid(), 'invoice.issued', 'operators/rows/invoices/' || $1, $2, now(), $3)",
    "update billing.invoice set state = 'OPEN', version = 2, series = 'INV', number = $2, issue_time = now(),
         due_date = current_date + 30 where operator_id = 'rows' and invoice_id = $1",
];
const NEXT_NUMBER: &str =
    "insert into billing.number_counter as c (operator_id, series, last_number) values ('rows', 'INV', 1)
     on conflict (operator_id, series) do update set last_number = c.last_number + 1 returning last_number";
const ACCOUNT: &str = "select account_id from billing.account where operator_id = 'rows' and tenant_id = $1";

/// A draft, its posting and its event, then its number, whose lock is held to the commit only.
async fn one_invoice(
    connection: &mut PgConnection,
    lease: &str,
    tenant: u32,
    day: &str,
) -> Result<(), sqlx::Error> {
    #![expect(clippy::disallowed_methods, reason = "a client makes its own ids")]
    let (id, tenant) = (Uuid::new_v4(), format!("tenant-{tenant}"));
    let [invoice, line, transaction, entry, event, numbered] = ROWS_OF_AN_INVOICE.map(sqlx::query);
    let mut tx = connection.begin().await?;
    let account: Uuid = sqlx::query_scalar(ACCOUNT).bind(&tenant).fetch_one(&mut *tx).await?;
    let invoice = invoice.bind(id).bind(account).bind(&tenant).bind(lease).bind(day);
    invoice.execute(&mut *tx).await?;
    line.bind(id).bind(lease).bind(day).execute(&mut *tx).await?;
    transaction.bind(id).execute(&mut *tx).await?;
    let debit = entry.bind(id).bind(account).bind(1).bind("accounts_receivable").bind(10_000_000_i64);
    debit.execute(&mut *tx).await?;
    let credit = sqlx::query(ROWS_OF_AN_INVOICE[3]).bind(id).bind(account).bind(2);
    credit.bind("rent_income").bind(-10_000_000_i64).execute(&mut *tx).await?;
    event.bind(id).bind(&tenant).bind(vec![0_u8; 400]).execute(&mut *tx).await?;
    let number: i64 = sqlx::query_scalar(NEXT_NUMBER).fetch_one(&mut *tx).await?;
    numbered.bind(id).bind(number).execute(&mut *tx).await?;
    tx.commit().await
}
