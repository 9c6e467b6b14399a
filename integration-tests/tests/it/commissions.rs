//! A broker's commission from the word of two people to its last cent: an asset, an expense month by month, paid, and written off
//! when the lease ends early. After every deed the report says what the ledger says.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use gridlease::clients::Clients;
use gridlease::finance::{self, Commissions, FinanceWhat, Server};
use integration_tests::Refusal;
use integration_tests::market::{date, day, request_id};
use integration_tests::requests::money::{commission, pay_commission, usd};
use kernel::Role;
use serde_json::Value;
use tonic::Code;

use crate::money::{Books, broken, cents};

fn month(month: i32) -> Option<billing::BillingMonth> {
    Some(billing::BillingMonth { year: 2027, month })
}

impl Books {
    async fn lease(&self) -> Result<String> {
        let ask = billing::ListInvoicesRequest { parent: self.operator.clone(), ..Default::default() };
        let all = self.finance.invoices().list_invoices(ask).await?.into_inner().invoices;
        Ok(all.first().context("an invoice")?.lease.clone())
    }

    async fn commission(&self, name: &str) -> Result<billing::Commission> {
        let ask = billing::GetCommissionRequest { name: name.to_owned() };
        self.finance.books().get_commission(ask).await?.into_inner().commission.context("a commission")
    }

    async fn close_month(&self, of: i32) -> Result<()> {
        let ask = billing::ClosePeriodRequest {
            parent: self.operator.clone(),
            month: month(of),
            request_id: request_id(),
            ..Default::default()
        };
        self.finance.books().close_period(ask).await.context("close")?;
        Ok(())
    }

    /// The report's only row: opening, added, amortised, written off, closing. It ends where the ledger does.
    async fn rolled(&self, from: i32, through: i32) -> Result<[i64; 5]> {
        let ask = billing::GetCommissionRollForwardRequest {
            parent: self.operator.clone(),
            start_month: month(from),
            end_month: month(through),
        };
        let rows = self.finance.reports().get_commission_roll_forward(ask).await?.into_inner().rows;
        let [row] = rows.as_slice() else { anyhow::bail!("one lease: {rows:#?}") };
        let all = [&row.opening, &row.added, &row.amortized, &row.written_off, &row.closing];
        Ok(all.map(|money| cents(money.as_ref())))
    }
}

async fn approve(by: &Clients, voucher: &str) -> Result<(), tonic::Status> {
    let ask = billing::ApproveVoucherRequest {
        name: voucher.to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    by.books().approve_voucher(ask).await.map(|_| ())
}

#[tokio::test]
async fn a_commission_is_an_asset_that_becomes_an_expense_to_the_cent() -> Result<()> {
    let books = Books::open().await?;
    books.issue(1).await?;
    let lease = books.lease().await?;
    let record =
        billing::RecordCommissionRequest { validate_only: false, ..commission(&books.operator, &lease) };
    let proposed = books.finance.books().record_commission(record.clone()).await?.into_inner();
    let voucher = proposed.voucher.context("a voucher")?;
    let told = match &voucher.content {
        Some(billing::voucher::Content::Commission(told)) => (**told).clone(),
        other => anyhow::bail!("not a commission: {other:#?}"),
    };
    ensure!(Some(told) == record.commission, "{voucher:#?}");
    let alone = approve(&books.finance, &voucher.name).await.map(tonic::Response::new);
    Refusal::expect(alone)?.is(Code::FailedPrecondition, "SECOND_PERSON_NEEDED")?;
    ensure!(books.ledger("commission_costs").await? == 0, "nothing is posted yet");
    let second = books.stack.clients_of("second", &books.operator, Role::Finance)?;
    approve(&second, &voucher.name).await?;
    ensure!(books.ledger("commission_costs").await? == 3_000_000);
    ensure!(books.ledger("commissions_payable").await? == -3_000_000);
    let again = billing::RecordCommissionRequest { request_id: request_id(), ..record.clone() };
    Refusal::expect(books.finance.books().record_commission(again).await)?
        .is(Code::AlreadyExists, "NAME_TAKEN")?;
    let tenant = books.tenants.books().record_commission(record).await;
    ensure!(tenant.is_err_and(|status| status.code() == Code::PermissionDenied), "a tenant records nothing");

    let name = voucher.name.replace("/vouchers/", "/commissions/");
    pay(&books, &name).await?;
    expensed(&books, &name).await?;
    walls(&books).await?;
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}

/// In parts, each reference once, and no more than is owed.
async fn pay(books: &Books, name: &str) -> Result<()> {
    let ask = billing::PayCommissionRequest { validate_only: false, ..pay_commission(name) };
    let paid = books.finance.books().pay_commission(ask.clone()).await?.into_inner().commission;
    let paid = paid.context("a commission")?;
    ensure!(cents(paid.paid.as_ref()) == 100_000 && cents(paid.payable.as_ref()) == 2_900_000, "{paid:#?}");
    ensure!(
        books.ledger("cash").await? == -100_000 && books.ledger("commissions_payable").await? == -2_900_000
    );
    let twice = billing::PayCommissionRequest { request_id: request_id(), ..ask.clone() };
    Refusal::expect(books.finance.books().pay_commission(twice).await)?
        .is(Code::AlreadyExists, "NAME_TAKEN")?;
    let other = |reference: &str, amount| billing::PayCommissionRequest {
        bank_reference: reference.to_owned(),
        amount,
        request_id: request_id(),
        ..ask.clone()
    };
    let more = books.finance.books().pay_commission(other("more", Some(usd(29_001)))).await;
    Refusal::expect(more)?.is(Code::FailedPrecondition, "AMOUNT_EXCEEDED")?;
    let rest = books.finance.books().pay_commission(other("rest", None)).await?.into_inner().commission;
    ensure!(cents(rest.context("a commission")?.payable.as_ref()) == 0);
    ensure!(books.ledger("commissions_payable").await? == 0);
    Ok(())
}

/// Ten years: 250 dollars a month, however often a month is closed.
async fn expensed(books: &Books, name: &str) -> Result<()> {
    ensure!(books.rolled(1, 12).await? == [3_000_000, 0, 0, 0, 3_000_000], "it was earned in December");
    books.stack.move_to(day("2027-04-02")).await?;
    books.close_month(2).await?;
    ensure!(books.rolled(1, 2).await? == [3_000_000, 0, 50_000, 0, 2_950_000]);
    books.close_month(3).await?;
    ensure!(books.rolled(3, 3).await? == [2_950_000, 0, 25_000, 0, 2_925_000]);
    let reopen = billing::ReopenPeriodRequest {
        parent: books.operator.clone(),
        month: month(2),
        reason: "a late bill".to_owned(),
        request_id: request_id(),
        validate_only: false,
    };
    let voucher =
        books.finance.books().reopen_period(reopen).await?.into_inner().voucher.context("a voucher")?;
    approve(&books.stack.clients_of("second", &books.operator, Role::Finance)?, &voucher.name).await?;
    books.close_month(3).await?;
    ensure!(books.ledger("commission_costs").await? == 2_925_000, "closed twice, posted once");
    ensure!(books.ledger("commission_expense").await? == 75_000);
    let told = books.commission(name).await?;
    ensure!(
        told.amortized_through_date == Some(date("2027-03-31"))
            && cents(told.unamortized.as_ref()) == 2_925_000,
        "{told:#?}"
    );
    let list = billing::ListCommissionsRequest { parent: books.operator.clone(), ..Default::default() };
    let listed = books.finance.books().list_commissions(list).await?.into_inner().commissions;
    ensure!(listed == [told], "{listed:#?}");
    let ask = |json| -> Result<FinanceWhat> {
        let operator = books.operator.trim_start_matches("operators/").parse()?;
        let server = Server { operator, billing: books.as_finance()?, json };
        Ok(FinanceWhat::Commissions(Commissions {
            from: "2027-01".parse()?,
            through: "2027-03".parse()?,
            server,
        }))
    };
    let json: Value = serde_json::from_str(&finance::answer(ask(true)?).await?)?;
    ensure!(json[0]["after"] == "29,250.00", "{json:#}");
    ensure!(finance::answer(ask(false)?).await?.contains("29,250.00"));
    let export = billing::ExportReportRequest {
        parent: books.operator.clone(),
        report: billing::ReportKind::CommissionRollForward.into(),
        start_month: month(1),
        end_month: month(3),
        ..Default::default()
    };
    let csv = books.finance.reports().export_report(export).await?.into_inner().csv;
    ensure!(csv.contains("30000.00,0.00,750.00,0.00,29250.00"), "{csv}");
    Ok(())
}

/// What the database refuses, whoever writes.
async fn walls(books: &Books) -> Result<()> {
    let mut superuser = books.stack.database.superuser().await?;
    let part = |kind: &str, through: &str, minor: i64| {
        format!(
            "insert into billing.commission_move select operator_id, gen_random_uuid(), commission_id, '{kind}', '{through}', \
             {minor}, null, create_time from billing.commission"
        )
    };
    for (sql, constraint) in [
        (part("AMORTIZED", "2027-03-31", 1), "commission_move_amortized_once"),
        (part("AMORTIZED", "2027-04-30", 2_925_001), "commission_move_within"),
        (part("PAID", "2027-04-30", 1), "commission_move_kind"),
        ("update billing.commission set amount_minor = 1".to_owned(), "commission_append_only"),
        ("delete from billing.commission_move".to_owned(), "commission_move_append_only"),
    ] {
        let named = broken(&mut superuser, &sql).await?;
        ensure!(named == constraint, "{sql}: {named}");
    }
    Ok(())
}
