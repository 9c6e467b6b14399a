//! A broker's commission from the word of two people to its last cent: an asset, an expense month by month, paid, and written off
//! when the lease ends early, or reversed when it was recorded wrongly. After every deed the report says what the ledger says.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use gridlease::clients::Clients;
use gridlease::finance::reverse_commission::{Propose, ReverseCommission, What};
use gridlease::finance::voucher::Decide;
use gridlease::finance::{self, Commissions, FinanceWhat, Server};
use integration_tests::market::{date, day, request_id};
use integration_tests::requests::money::{
    commission, pay_commission, return_commission, reverse_commission, usd,
};
use integration_tests::{Refusal, feed};
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

    /// So many dollars under the one reference.
    async fn record(&self, dollars: i64) -> Result<billing::RecordCommissionRequest> {
        let mut record = billing::RecordCommissionRequest {
            validate_only: false,
            ..commission(&self.operator, &self.lease().await?)
        };
        record.commission.iter_mut().for_each(|of| of.amount = Some(usd(dollars)));
        Ok(record)
    }

    /// As one person proposes and another approves.
    async fn recorded(&self, dollars: i64) -> Result<String> {
        let proposed = self.finance.books().record_commission(self.record(dollars).await?).await?;
        let voucher = proposed.into_inner().voucher.context("a voucher")?.name;
        approve(&self.second()?, &voucher).await?;
        Ok(voucher.replace("/vouchers/", "/commissions/"))
    }

    async fn reversal(&self, name: &str) -> Result<String> {
        let ask = billing::ReverseCommissionRequest { validate_only: false, ..reverse_commission(name) };
        let proposed = self.finance.books().reverse_commission(ask).await?.into_inner();
        Ok(proposed.voucher.context("a voucher")?.name)
    }

    async fn reopen_february(&self) -> Result<()> {
        let reopen = billing::ReopenPeriodRequest {
            parent: self.operator.clone(),
            month: month(2),
            reason: "a late bill".to_owned(),
            request_id: request_id(),
            validate_only: false,
        };
        let proposed = self.finance.books().reopen_period(reopen).await?.into_inner();
        approve(&self.second()?, &proposed.voucher.context("a voucher")?.name).await?;
        Ok(())
    }

    /// Costs, expense and payable of the ledger.
    async fn three(&self) -> Result<[i64; 3]> {
        let [cost, expense, payable] = ["commission_costs", "commission_expense", "commissions_payable"];
        Ok([self.ledger(cost).await?, self.ledger(expense).await?, self.ledger(payable).await?])
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

    /// The report's only row: opening, added, amortised, written off, reversed, closing.
    async fn rolled(&self, from: i32, through: i32) -> Result<[i64; 6]> {
        let ask = billing::GetCommissionRollForwardRequest {
            parent: self.operator.clone(),
            start_month: month(from),
            end_month: month(through),
        };
        let rows = self.finance.reports().get_commission_roll_forward(ask).await?.into_inner().rows;
        let [row] = rows.as_slice() else { anyhow::bail!("one lease: {rows:#?}") };
        let all = [&row.opening, &row.added, &row.amortized, &row.written_off, &row.reversed, &row.closing];
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
    let record = books.record(30_000).await?;
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
    approve(&books.second()?, &voucher.name).await?;
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
    ensure!(books.rolled(1, 12).await? == [3_000_000, 0, 0, 0, 0, 3_000_000], "it was earned in December");
    books.stack.move_to(day("2027-04-02")).await?;
    books.close_month(2).await?;
    ensure!(books.rolled(1, 2).await? == [3_000_000, 0, 50_000, 0, 0, 2_950_000]);
    books.close_month(3).await?;
    ensure!(books.rolled(3, 3).await? == [2_950_000, 0, 25_000, 0, 0, 2_925_000]);
    books.reopen_february().await?;
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
    ensure!(csv.contains("30000.00,0.00,750.00,0.00,0.00,29250.00"), "{csv}");
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

#[tokio::test]
async fn a_commission_that_was_recorded_wrongly_is_reversed_and_recorded_anew() -> Result<()> {
    let books = Books::open().await?;
    books.issue(1).await?;
    let name = books.recorded(30_000).await?;
    let pay = billing::PayCommissionRequest { validate_only: false, ..pay_commission(&name) };
    books.finance.books().pay_commission(pay.clone()).await?;
    books.stack.move_to(day("2027-04-02")).await?;
    books.close_month(3).await?;
    ensure!(books.three().await? == [2_925_000, 75_000, -2_900_000]);

    let trial = books.finance.books().reverse_commission(reverse_commission(&name)).await?.into_inner();
    ensure!(trial.voucher.context("a voucher")?.name.is_empty(), "a trial keeps nothing");
    let live = || billing::ReverseCommissionRequest { validate_only: false, ..reverse_commission(&name) };
    let tenant = books.tenants.books().reverse_commission(live()).await;
    ensure!(tenant.is_err_and(|status| status.code() == Code::PermissionDenied), "a tenant reverses nothing");
    let other = books.reversal(&name).await?;
    let voucher = in_the_terminal(&books, &name).await?;
    ensure!(books.three().await? == [0, 0, 100_000], "the payee owes what it was paid");
    ensure!(books.rolled(1, 3).await? == [3_000_000, 0, 75_000, 0, 0, 2_925_000], "what is closed stays");
    ensure!(books.rolled(4, 4).await? == [2_925_000, 0, 0, 0, 2_925_000, 0]);
    let told = books.commission(&name).await?;
    let nothing = [&told.amortized, &told.written_off, &told.unamortized];
    ensure!(nothing.iter().all(|money| cents(money.as_ref()) == 0), "{told:#?}");
    ensure!(cents(told.payable.as_ref()) == -100_000 && told.reverse_time.is_some(), "{told:#?}");
    ensure!(told.reversal_voucher == voucher, "{told:#?}");
    let list = billing::ListCommissionsRequest { parent: books.operator.clone(), ..Default::default() };
    ensure!(books.finance.books().list_commissions(list).await?.into_inner().commissions == [told]);
    heard(&books, &name).await?;

    let second = books.second()?;
    for refused in [
        approve(&second, &other).await,
        books.finance.books().reverse_commission(live()).await.map(|_| ()),
        books.finance.books().pay_commission(paid_by("late", &pay)).await.map(|_| ()),
    ] {
        let refused = Refusal::expect(refused.map(tonic::Response::new))?;
        refused.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
    }
    books.reopen_february().await?;
    books.close_month(3).await?;
    ensure!(books.three().await? == [0, 0, 100_000], "a close passes over it");
    returned(&books, &name).await?;
    anew(&books).await?;
    reversal_walls(&books).await?;
    books.agree().await?;
    books.stack.stop().await;
    Ok(())
}

fn paid_by(reference: &str, pay: &billing::PayCommissionRequest) -> billing::PayCommissionRequest {
    let bank_reference = reference.to_owned();
    billing::PayCommissionRequest { bank_reference, request_id: request_id(), ..pay.clone() }
}

/// One person proposes, and may not confirm; its reference is taken until another has.
async fn in_the_terminal(books: &Books, name: &str) -> Result<String> {
    let run = async |who: &str, what: &dyn Fn(Server) -> Result<What>| -> Result<Value> {
        let token = Some(books.stack.token_of(who, &books.operator, Role::Finance)?);
        let billing = gridlease::asking::Billing { token, ..books.as_finance()? };
        let operator = books.operator.trim_start_matches("operators/").parse()?;
        let what = what(Server { operator, billing, json: true })?;
        let told = finance::answer(FinanceWhat::ReverseCommission(ReverseCommission { what })).await?;
        Ok(serde_json::from_str(&told)?)
    };
    let propose = |server| {
        let reason = "a digit too many".to_owned();
        Ok(What::Propose(Propose { commission: name.parse()?, reason, check: false, server }))
    };
    let told = run("first", &propose).await?;
    ensure!(told[0]["state"] == "PROPOSED" && told[0]["commission"] == name, "{told:#}");
    let voucher = told[0]["voucher"].as_str().context("a voucher")?.to_owned();
    let confirm = |server| Ok(What::Confirm(Decide { voucher: voucher.parse()?, check: false, server }));
    let alone = run("first", &confirm).await.err().context("one person reversed it")?;
    ensure!(format!("{alone:#}").contains("ask another person"), "{alone:#}");
    ensure!(books.three().await? == [2_925_000, 75_000, -2_900_000], "nothing is posted yet");
    let early = books.finance.books().record_commission(books.record(3_000).await?).await;
    Refusal::expect(early)?.is(Code::AlreadyExists, "NAME_TAKEN")?;
    let done = run("second", &confirm).await?;
    ensure!(done[0]["state"] == "APPROVED", "{done:#}");
    Ok(voucher)
}

/// The operator hears of it, with what it is.
async fn heard(books: &Books, name: &str) -> Result<()> {
    let channel = runtime::client::channel(&format!("http://{}", books.stack.stack().addresses().billing))?;
    let bearer = runtime::client::Bearer::new(&books.stack.token(&books.operator, Role::Finance)?)?;
    let mut client = billing::event_service_client::EventServiceClient::with_interceptor(channel, bearer);
    let kinds = vec!["commission.reversed".to_owned()];
    let mut stream =
        client.watch_events(billing::WatchEventsRequest { kinds, ..Default::default() }).await?.into_inner();
    let event = feed::next(&mut stream).await?;
    ensure!(event.subject == name, "{event:#?}");
    Ok(())
}

/// What the payee was paid comes back, in parts, and no more.
async fn returned(books: &Books, name: &str) -> Result<()> {
    let ask = billing::ReturnCommissionRequest { validate_only: false, ..return_commission(name) };
    let part = books.finance.books().return_commission(ask.clone()).await?.into_inner().commission;
    let part = part.context("a commission")?;
    ensure!(cents(part.payable.as_ref()) == -90_000 && cents(part.returned.as_ref()) == 10_000, "{part:#?}");
    let other = |reference: &str, amount| billing::ReturnCommissionRequest {
        bank_reference: reference.to_owned(),
        amount,
        request_id: request_id(),
        ..ask.clone()
    };
    let twice = books.finance.books().return_commission(other("in-0001", None)).await;
    Refusal::expect(twice)?.is(Code::AlreadyExists, "NAME_TAKEN")?;
    let more = books.finance.books().return_commission(other("more", Some(usd(901)))).await;
    Refusal::expect(more)?.is(Code::FailedPrecondition, "AMOUNT_EXCEEDED")?;
    let rest = books.finance.books().return_commission(other("rest", None)).await?.into_inner().commission;
    ensure!(cents(rest.context("a commission")?.payable.as_ref()) == 0);
    ensure!(books.three().await? == [0, 0, 0] && books.ledger("cash").await? == 0);
    Ok(())
}

/// The right amount under the same reference, once; a close makes up for the months before.
async fn anew(books: &Books) -> Result<()> {
    let name = books.recorded(3_000).await?;
    ensure!(books.three().await? == [300_000, 0, -300_000]);
    let again = books.finance.books().record_commission(books.record(30_000).await?).await;
    Refusal::expect(again)?.is(Code::AlreadyExists, "NAME_TAKEN")?;
    books.stack.move_to(day("2027-05-02")).await?;
    books.close_month(4).await?;
    ensure!(books.three().await? == [290_000, 10_000, -300_000]);
    ensure!(books.rolled(4, 4).await? == [2_925_000, 300_000, 10_000, 0, 2_925_000, 290_000]);
    ensure!(cents(books.commission(&name).await?.unamortized.as_ref()) == 290_000);
    Ok(())
}

/// What the database refuses of a commission that is reversed and of one that is not, whoever writes.
async fn reversal_walls(books: &Books) -> Result<()> {
    let mut superuser = books.stack.database.superuser().await?;
    let part = |kind: &str, minor: i64, reference: &str| {
        format!(
            "insert into billing.commission_move select operator_id, gen_random_uuid(), commission_id, '{kind}', '2027-05-31', \
             {minor}, {reference}, create_time from billing.commission where reverse_time is not null"
        )
    };
    let twin = "insert into billing.commission select operator_id, gen_random_uuid(), lease_id, payee, reference, trigger_kind, \
                earn_date, currency_code, amount_minor, create_time from billing.commission where reverse_time is null";
    let reverse = "update billing.commission set reverse_time = create_time, reversal_voucher_id";
    // Approved, but nothing is posted.
    let unposted = format!(
        "with made as (insert into billing.voucher (operator_id, voucher_id, kind, content, reason, state, author, decider, \
             version, create_time, decide_time) \
             select operator_id, gen_random_uuid(), 'COMMISSION_REVERSAL', \
                 jsonb_build_object('kind', 'COMMISSION_REVERSAL', 'commission', commission_id), 'why', 'APPROVED', 'ana', 'ben', \
                 2, create_time, create_time from billing.commission where reverse_time is null returning voucher_id) \
         {reverse} = made.voucher_id from made where reverse_time is null"
    );
    for (sql, constraint) in [
        (part("AMORTIZED", 1, "null"), "commission_move_reversed"),
        (part("PAID", 1, "'wall'"), "commission_move_reversed"),
        (part("RETURNED", 1, "'wall'"), "commission_move_within"),
        (part("RETURNED", 1, "null"), "commission_move_kind"),
        (twin.to_owned(), "commission_reference"),
        (format!("{reverse} = commission_id where reverse_time is null"), "commission_reversal_two_people"),
        (unposted, "commission_reversal_whole"),
        (format!("{reverse} = null where reverse_time is null"), "commission_reversal"),
        (format!("{reverse} = commission_id where reverse_time is not null"), "commission_append_only"),
        (
            "update billing.commission set reverse_time = null, reversal_voucher_id = null".to_owned(),
            "commission_append_only",
        ),
    ] {
        let named = broken(&mut superuser, &sql).await?;
        ensure!(named == constraint, "{sql}: {named}");
    }
    Ok(())
}

#[tokio::test]
async fn a_payment_beside_a_reversal_is_counted_or_refused() -> Result<()> {
    let books = Books::open().await?;
    books.issue(1).await?;
    let second = books.second()?;
    let mut owed = 0;
    for turn in 0..8 {
        let name = books.recorded(30_000).await?;
        let voucher = books.reversal(&name).await?;
        let pay = billing::PayCommissionRequest { validate_only: false, ..pay_commission(&name) };
        let pay = paid_by(&format!("out-{turn}"), &pay);
        let mut client = books.finance.books();
        let (reversed, paid) = tokio::join!(approve(&second, &voucher), client.pay_commission(pay));
        reversed.context("reverse")?;
        match paid {
            Ok(_) => owed += 100_000,
            paid => {
                Refusal::expect(paid)?.is(Code::FailedPrecondition, "INVALID_STATE_TRANSITION")?;
            }
        }
        ensure!(books.three().await? == [0, 0, owed], "turn {turn}");
    }
    books.stack.stop().await;
    Ok(())
}
