//! A month's end over the wire: receivables by age, a statement, accruals that reverse themselves, a close that holds, and
//! what takes two people.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use gridlease::clients::Clients;
use integration_tests::market::{date, day, request_id};
use integration_tests::requests::money::{accrual, journal, record, usd};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use tonic::Code;

use crate::money::{Books, MONTH_CENTS, broken, cents};

fn month(month: i32) -> Option<billing::BillingMonth> {
    Some(billing::BillingMonth { year: 2027, month })
}

impl Books {
    async fn close(&self, of: i32) -> Result<billing::ClosePeriodResponse, tonic::Status> {
        let ask = billing::ClosePeriodRequest {
            parent: self.operator.clone(),
            month: month(of),
            request_id: request_id(),
            ..Default::default()
        };
        Ok(self.finance.books().close_period(ask).await?.into_inner())
    }

    /// Debits less credits of an account up to and with a day.
    async fn as_of(&self, account: &str, day: &str) -> Result<i64> {
        let ask =
            billing::GetTrialBalanceRequest { parent: self.operator.clone(), as_of_date: Some(date(day)) };
        let balance = self.finance.reports().get_trial_balance(ask).await?.into_inner();
        let row = balance.rows.iter().find(|row| row.ledger_account == account);
        Ok(row.map_or(0, |row| cents(row.debit.as_ref()) - cents(row.credit.as_ref())))
    }

    pub(crate) fn second(&self) -> Result<Clients> {
        self.stack.clients_of("second", &self.operator, Role::Finance)
    }
}

async fn approve(by: &Clients, voucher: &billing::Voucher) -> Result<billing::Voucher, tonic::Status> {
    let ask = billing::ApproveVoucherRequest {
        name: voucher.name.clone(),
        etag: voucher.etag.clone(),
        request_id: request_id(),
        validate_only: false,
    };
    let done = by.books().approve_voucher(ask).await?.into_inner().voucher;
    done.ok_or_else(|| tonic::Status::internal("no voucher"))
}

#[tokio::test]
async fn a_closed_month_stays_as_it_is_until_two_people_open_it() -> Result<()> {
    let books = Books::open().await?;
    let january = books.issue(1).await?;
    // The power of January is not billed yet.
    let accrue = billing::PostAccrualRequest { validate_only: false, ..accrual(&books.operator, 1, 70_000) };
    let accrued = books.finance.books().post_accrual(accrue).await?.into_inner();
    ensure!(
        (accrued.posting_date, accrued.reversal_date) == (Some(date("2027-01-31")), Some(date("2027-02-01"))),
        "{accrued:#?}"
    );
    ensure!(books.as_of("power_expense", "2027-01-31").await? == 7_000_000, "it counts in January");
    ensure!(books.as_of("power_expense", "2027-02-01").await? == 0, "and no longer in February");

    let early = Refusal::expect(books.close(1).await.map(tonic::Response::new))?;
    early.is(Code::FailedPrecondition, "PERIOD_CLOSED")?;
    books.stack.move_to(day("2027-02-03")).await?;
    books.draft(2).await?;
    let closed = books.close(1).await?;
    let through = closed.books.clone().context("books")?.closed_through_date;
    ensure!((through, closed.draft_invoice_count) == (Some(date("2027-01-31")), 0), "{closed:#?}");
    let before = books.as_of("cash", "2027-01-31").await?;

    // Money that came in January and is found in February is posted on the first open day.
    let late = books.pay(&january.account, "found late", 1_000, true).await?;
    ensure!(late.value_date == Some(date("2027-01-02")), "{late:#?}");
    ensure!(late.allocations[0].posting_date == Some(date("2027-02-01")), "{late:#?}");
    ensure!(books.as_of("cash", "2027-01-31").await? == before, "January stays as it is");
    let mut into = billing::PostJournalRequest { validate_only: false, ..journal(&books.operator) };
    let refused = Refusal::expect(books.finance.books().post_journal(into.clone()).await)?;
    let refused = refused.is(Code::FailedPrecondition, "PERIOD_CLOSED")?;
    ensure!(refused.fact("closedThrough")? == "2027-01-31", "{refused:#?}");
    walls_hold(&books.stack).await?;

    let reopen = billing::ReopenPeriodRequest {
        parent: books.operator.clone(),
        month: month(1),
        reason: "the utility's bill".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let voucher =
        books.finance.books().reopen_period(reopen).await?.into_inner().voucher.context("a voucher")?;
    let alone = Refusal::expect(approve(&books.finance, &voucher).await.map(tonic::Response::new))?;
    alone.is(Code::FailedPrecondition, "SECOND_PERSON_NEEDED")?;
    ensure!(books.close(1).await.is_err(), "it is closed as long as one person wants it open");
    let done = approve(&books.second()?, &voucher).await?;
    ensure!(done.state() == billing::VoucherState::Approved && done.decider == "second", "{done:#?}");

    into.request_id = request_id();
    let voucher =
        books.finance.books().post_journal(into).await?.into_inner().voucher.context("a voucher")?;
    ensure!(books.as_of("power_expense", "2027-01-31").await? == 7_000_000, "nothing is posted yet");
    approve(&books.second()?, &voucher).await?;
    ensure!(books.as_of("power_expense", "2027-01-31").await? == 7_100_000, "a journal of January");
    let again = Refusal::expect(approve(&books.second()?, &voucher).await.map(tonic::Response::new))?;
    again.is(Code::Aborted, "ETAG_MISMATCH")?;
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}

/// What the database refuses, whoever writes.
async fn walls_hold(stack: &TestStack) -> Result<()> {
    let mut superuser = stack.database.superuser().await?;
    let transaction = "insert into billing.ledger_transaction (operator_id, transaction_id, kind, source_id, entry_count, \
        posting_date, description, create_time) values ('acme', gen_random_uuid(), 'JOURNAL_POSTED', \
        gen_random_uuid(), 2, '2027-01-31', 'x', now())";
    for (sql, constraint) in [
        (transaction, "ledger_transaction_period_open"),
        ("update billing.books set closed_through = '2027-01-30'", "books_closed_through"),
        (
            "update billing.invoice set paid_minor = paid_minor + 1 where state = 'PARTIALLY_PAID'",
            "invoice_settled",
        ),
        ("update billing.payment set refunded_minor = 1", "payment"),
        ("update billing.payment set amount_minor = amount_minor + 1", "payment_immutable"),
        ("delete from billing.payment_allocation", "payment_allocation_append_only"),
        ("update billing.ledger_entry set amount_minor = 1", "ledger_entry_append_only"),
        (
            "insert into billing.voucher values ('acme', gen_random_uuid(), 'JOURNAL', '{}', 'r', 'APPROVED', 'a', 'a', 1, \
             now(), now())",
            "voucher_two_people",
        ),
    ] {
        let named = broken(&mut superuser, sql).await?;
        ensure!(named.starts_with(constraint), "{sql}: {named}");
    }
    Ok(())
}

#[tokio::test]
async fn what_is_owed_is_told_by_age_and_given_up_by_two_people() -> Result<()> {
    let books = Books::open().await?;
    let january = books.issue(1).await?;
    books.stack.move_to(day("2027-02-01")).await?;
    let february = books.issue(2).await?;
    let account = january.account.clone();
    // Due on 1 February and on 3 March.
    ensure!(
        (january.due_date, february.due_date) == (Some(date("2027-02-01")), Some(date("2027-03-03"))),
        "{january:#?}"
    );
    books.pay(&account, "wire-1", 500, false).await?;
    let aging = async |as_of: &str| {
        let ask = billing::GetReceivablesAgingRequest {
            parent: books.operator.clone(),
            as_of_date: Some(date(as_of)),
        };
        anyhow::Ok(books.finance.reports().get_receivables_aging(ask).await?.into_inner())
    };
    let buckets = |row: &billing::AgingRow| {
        [&row.not_due, &row.days_1_to_30, &row.days_31_to_60, &row.days_61_to_90, &row.days_over_90]
            .map(|money| cents(money.as_ref()) / MONTH_CENTS)
    };
    for (as_of, wanted, stage) in [
        ("2027-01-31", [1, 0, 0, 0, 0], billing::DunningStage::NotDue),
        ("2027-02-01", [2, 0, 0, 0, 0], billing::DunningStage::NotDue),
        ("2027-02-02", [1, 1, 0, 0, 0], billing::DunningStage::Grace),
        ("2027-03-05", [0, 1, 1, 0, 0], billing::DunningStage::Demand),
        ("2027-06-02", [0, 0, 0, 0, 2], billing::DunningStage::FinalNotice),
    ] {
        let told = aging(as_of).await?;
        let [row] = told.rows.as_slice() else { anyhow::bail!("one account: {told:#?}") };
        ensure!(buckets(row) == wanted && row.stage() == stage, "{as_of}: {row:#?}");
        let of_ledger = books.as_of("accounts_receivable", as_of).await?;
        ensure!(cents(row.owed.as_ref()) == of_ledger, "the ledger says {of_ledger}: {row:#?}");
        ensure!(told.totals.len() == 1 && told.totals[0].owed == row.owed, "{told:#?}");
        ensure!(cents(row.unapplied.as_ref()) == 50_000, "{row:#?}");
    }
    ensure!(aging("2027-01-01").await?.rows.is_empty(), "nothing was owed before");

    let write_off = billing::WriteOffRequest {
        name: january.name.clone(),
        reason: "insolvent".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let voucher =
        books.finance.books().write_off(write_off).await?.into_inner().voucher.context("a voucher")?;
    ensure!(
        books.invoice(&january.name).await?.state() == billing::InvoiceState::Open,
        "nothing is done yet"
    );
    let done = approve(&books.second()?, &voucher).await?;
    ensure!(done.state() == billing::VoucherState::Approved, "{done:#?}");
    let lost = books.invoice(&january.name).await?;
    ensure!(
        lost.state() == billing::InvoiceState::Uncollectible && lost.state_reason == "insolvent",
        "{lost:#?}"
    );
    ensure!(books.ledger("bad_debt_expense").await? == MONTH_CENTS);
    books.agree().await?;
    statement(&books, &account).await?;
    books.stack.stop().await;
    Ok(())
}

async fn statement(books: &Books, account: &str) -> Result<()> {
    let back = billing::RefundPaymentRequest {
        name: books.pay(account, "wire-2", 200, false).await?.name,
        bank_reference: "back".to_owned(),
        amount: Some(usd(50)),
        request_id: request_id(),
        ..Default::default()
    };
    books.finance.payments().refund_payment(back).await?;
    books
        .finance
        .payments()
        .record_payment(billing::RecordPaymentRequest {
            bank_reference: "wire-3".to_owned(),
            allocate_oldest_first: true,
            validate_only: false,
            ..record(account)
        })
        .await?;
    let ask = billing::GetStatementRequest {
        name: account.to_owned(),
        start_date: Some(date("2027-01-03")),
        end_date: Some(date("2027-03-01")),
    };
    let told =
        books.tenants.accounts().get_statement(ask).await?.into_inner().statement.context("a statement")?;
    // Before: the rent of January less three payments of 2 January.
    ensure!(cents(told.opening_balance.as_ref()) == MONTH_CENTS - 170_000, "{told:#?}");
    let lines: Vec<_> =
        told.lines.iter().map(|line| (line.deed.as_str(), cents(line.amount.as_ref()))).collect();
    let wanted =
        [("INVOICE_ISSUED", MONTH_CENTS), ("INVOICE_WRITTEN_OFF", -MONTH_CENTS), ("PAYMENT_REFUNDED", 5_000)];
    ensure!(lines == wanted, "{told:#?}");
    let closing = cents(told.closing_balance.as_ref());
    let ledger = books.ledger("accounts_receivable").await? + books.ledger("unapplied_cash").await?;
    ensure!(closing == ledger, "{closing} and {ledger}: {told:#?}");
    Ok(())
}
