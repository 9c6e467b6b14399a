//! What happens to invoices after they are issued, over the wire: corrected, billed again, paid, sent back. After every
//! deed the ledger sums to zero and says what the documents say.

use anyhow::{Context as _, Result, ensure};
use contracts::billing::v1 as billing;
use contracts::google::r#type::Money;
use gridlease::asking::Billing;
use gridlease::clients::Clients;
use integration_tests::market::{self, date, day, request_id};
use integration_tests::requests::money::{credit, record, usd};
use integration_tests::world::{billable, sign};
use integration_tests::{Refusal, TestStack};
use kernel::Role;
use sqlx::{AssertSqlSafe, PgConnection};
use tonic::Code;

/// Rent of a month: 10,000 kW at 125.00.
pub(crate) const MONTH_CENTS: i64 = 125_000_000;

/// An operator with one lease from January 2027 on, and the people of finance.
pub(crate) struct Books {
    pub(crate) stack: TestStack,
    pub(crate) operator: String,
    pub(crate) finance: Clients,
    pub(crate) tenants: Clients,
}

pub(crate) fn cents(money: Option<&Money>) -> i64 {
    money.map_or(0, |money| money.units * 100 + i64::from(money.nanos / 10_000_000))
}

impl Books {
    /// Billing, as the commands of a controller ask it.
    pub(crate) fn as_finance(&self) -> Result<Billing> {
        Ok(Billing {
            billing: format!("http://{}", self.stack.stack().addresses().billing),
            token: Some(self.stack.token(&self.operator, Role::Finance)?),
            data_dir: None,
        })
    }

    /// Noon of 2 January, everything commenced.
    pub(crate) async fn open() -> Result<Self> {
        let stack = TestStack::start().await?;
        let clients = |organisation: &str, role| stack.clients(organisation, role);
        let site = market::site(clients, "acme", &[market::hall(20_000)]).await?;
        let tenant = market::tenant(clients, "lab").await?;
        let sales = stack.clients(&site.operator, Role::Sales)?;
        let terms = market::terms(&site.blocks[0], market::load(10_000));
        let proposal = market::proposal(&site.operator, &tenant, "river", terms);
        let lease = sales.leases().propose_lease(proposal).await?.into_inner().lease.context("a lease")?;
        sign(clients, &lease).await?;
        stack.move_to(day("2027-01-02")).await?;
        let finance = stack.clients(&site.operator, Role::Finance)?;
        billable(&finance, &site.operator, 2027, 1).await?;
        let tenants = stack.clients(&tenant, Role::Tenant)?;
        Ok(Self { operator: site.operator, finance, tenants, stack })
    }

    /// The drafts of a month.
    pub(crate) async fn draft(&self, month: i32) -> Result<(String, Vec<billing::Invoice>)> {
        let start = billing::StartBillingRunRequest {
            parent: self.operator.clone(),
            billing_month: Some(billing::BillingMonth { year: 2027, month }),
            request_id: request_id(),
            validate_only: false,
        };
        let answer = self.finance.invoices().start_billing_run(start).await.context("bill")?.into_inner();
        Ok((answer.billing_run.context("a run")?.name, answer.invoices))
    }

    /// The invoice of a month, issued.
    pub(crate) async fn issue(&self, month: i32) -> Result<billing::Invoice> {
        let (name, _) = self.draft(month).await?;
        let issue = billing::IssueBillingRunRequest { name, request_id: request_id(), ..Default::default() };
        let mut issued = self.finance.invoices().issue_billing_run(issue).await?.into_inner();
        issued.invoices.pop().context("an invoice")
    }

    pub(crate) async fn invoice(&self, name: &str) -> Result<billing::Invoice> {
        let ask = billing::GetInvoiceRequest { name: name.to_owned() };
        self.finance.invoices().get_invoice(ask).await?.into_inner().invoice.context("an invoice")
    }

    pub(crate) async fn payment(&self, name: &str) -> Result<billing::Payment> {
        let ask = billing::GetPaymentRequest { name: name.to_owned() };
        self.finance.payments().get_payment(ask).await?.into_inner().payment.context("a payment")
    }

    /// Dollars that came under a reference.
    pub(crate) async fn pay(
        &self,
        account: &str,
        reference: &str,
        dollars: i64,
        allocate: bool,
    ) -> Result<billing::Payment> {
        let ask = billing::RecordPaymentRequest {
            bank_reference: reference.to_owned(),
            amount: Some(usd(dollars)),
            allocate_oldest_first: allocate,
            validate_only: false,
            ..record(account)
        };
        let answer = self.finance.payments().record_payment(ask).await?.into_inner();
        answer.payment.context("a payment")
    }

    /// Cents on an account of the ledger, debits less credits.
    pub(crate) async fn ledger(&self, account: &str) -> Result<i64> {
        let ask = billing::GetTrialBalanceRequest { parent: self.operator.clone(), as_of_date: None };
        let balance = self.finance.reports().get_trial_balance(ask).await?.into_inner();
        for total in &balance.totals {
            ensure!(total.debit == total.credit, "the ledger does not balance: {balance:#?}");
        }
        let row = balance.rows.iter().find(|row| row.ledger_account == account);
        Ok(row.map_or(0, |row| cents(row.debit.as_ref()) - cents(row.credit.as_ref())))
    }

    /// The ledger sums to zero, and receivables and unapplied cash are what invoices, accounts and payments say.
    pub(crate) async fn agree(&self) -> Result<()> {
        let parent = self.operator.clone();
        let ask =
            billing::ListInvoicesRequest { parent: parent.clone(), page_size: 1_000, ..Default::default() };
        let invoices = self.finance.invoices().list_invoices(ask).await?.into_inner().invoices;
        let open: i64 = invoices.iter().map(|invoice| cents(invoice.open.as_ref())).sum();
        let ask = billing::ListAccountsRequest { parent: parent.clone(), ..Default::default() };
        let accounts = self.finance.accounts().list_accounts(ask).await?.into_inner().accounts;
        let owed: i64 = accounts.iter().map(|account| cents(account.balance.as_ref())).sum();
        let ask = billing::ListPaymentsRequest { parent, page_size: 1_000, ..Default::default() };
        let payments = self.finance.payments().list_payments(ask).await?.into_inner().payments;
        let unapplied: i64 = payments.iter().map(|payment| cents(payment.unapplied.as_ref())).sum();
        let ledger = (self.ledger("accounts_receivable").await?, -self.ledger("unapplied_cash").await?);
        ensure!(
            ledger == (open, unapplied) && owed == open,
            "{ledger:?}, {owed}: {invoices:#?} {payments:#?}"
        );
        Ok(())
    }

    async fn credit(
        &self,
        ask: billing::CreateCreditNoteRequest,
    ) -> Result<(billing::CreditNote, billing::Invoice)> {
        let ask = billing::CreateCreditNoteRequest { validate_only: false, ..ask };
        let answer = self.finance.invoices().create_credit_note(ask).await?.into_inner();
        Ok((answer.credit_note.context("a credit note")?, answer.invoice.context("an invoice")?))
    }
}

/// What the store says to a statement of whoever rules it: the constraint that is broken.
pub(crate) async fn broken(superuser: &mut PgConnection, sql: &str) -> Result<String> {
    let done = sqlx::raw_sql(AssertSqlSafe(sql)).execute(superuser).await;
    let error = done.err().with_context(|| format!("done: {sql}"))?;
    let named = error.as_database_error().and_then(|error| error.constraint().map(str::to_owned));
    named.with_context(|| format!("{sql}: {error}"))
}

#[tokio::test]
async fn what_is_taken_back_may_be_billed_again() -> Result<()> {
    let books = Books::open().await?;
    let first = books.issue(1).await?;
    let void = billing::VoidInvoiceRequest {
        name: first.name.clone(),
        reason: "the wrong tenant's order number".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let only_asked = billing::VoidInvoiceRequest { validate_only: true, ..void.clone() };
    let tried = books.finance.invoices().void_invoice(only_asked).await?.into_inner().invoice;
    ensure!(tried.context("an invoice")?.state() == billing::InvoiceState::Void, "it would be void");
    ensure!(
        books.invoice(&first.name).await?.state() == billing::InvoiceState::Open,
        "a trial keeps nothing"
    );
    let voided = books.finance.invoices().void_invoice(void).await?.into_inner().invoice.context("void")?;
    ensure!(voided.state() == billing::InvoiceState::Void && voided.number == first.number, "{voided:#?}");
    ensure!(cents(voided.open.as_ref()) == 0 && !voided.state_reason.is_empty(), "{voided:#?}");
    books.agree().await?;
    ensure!(books.ledger("rent_income").await? == 0, "the posting is reversed");

    let second = books.issue(1).await?;
    ensure!((first.number.as_str(), second.number.as_str()) == ("INV-000001", "INV-000002"), "{second:#?}");
    // A part, then the rest with the right to bill it again.
    let (part, left) = books.credit(credit(&second.name)).await?;
    ensure!(part.number == "CN-000001" && left.state() == billing::InvoiceState::PartiallyPaid, "{left:#?}");
    ensure!(cents(left.open.as_ref()) == MONTH_CENTS - 100, "{left:#?}");
    books.agree().await?;
    ensure!(books.draft(1).await?.1.is_empty(), "a part is not billed again");
    let rest = billing::CreateCreditNoteRequest { lines: Vec::new(), rebill: true, ..credit(&second.name) };
    let (rest, left) = books.credit(rest).await?;
    ensure!(
        (cents(rest.total.as_ref()), rest.total.clone()) == (MONTH_CENTS - 100, rest.applied.clone()),
        "{rest:#?}"
    );
    ensure!(rest.number == "CN-000002" && left.state() == billing::InvoiceState::Paid, "{left:#?}");
    books.agree().await?;
    let none = books.finance.invoices().create_credit_note(credit(&second.name)).await;
    Refusal::expect(none)?.is(Code::FailedPrecondition, "AMOUNT_EXCEEDED")?;

    let third = books.issue(1).await?;
    ensure!(third.number == "INV-000003" && third.total == second.total, "{third:#?}");
    ensure!(books.ledger("rent_income").await? == -MONTH_CENTS, "one month of rent is earned");
    books.agree().await?;
    let seen = billing::ListCreditNotesRequest {
        parent: books.operator.clone(),
        invoice: second.name.clone(),
        ..Default::default()
    };
    let seen = books.tenants.invoices().list_credit_notes(seen).await?.into_inner().credit_notes;
    ensure!(seen == [rest, part], "the tenant sees its credit notes: {seen:#?}");
    books.stack.stop().await;
    Ok(())
}

#[tokio::test]
async fn money_finds_its_invoices_and_what_is_left_goes_back() -> Result<()> {
    let books = Books::open().await?;
    let invoices = [books.issue(1).await?, books.issue(2).await?, books.issue(3).await?];
    let account = invoices[0].account.clone();
    let month = MONTH_CENTS / 100;
    // One and a half months, oldest first.
    let first = books.pay(&account, "wire-1", month * 3 / 2, true).await?;
    let paid: Vec<_> =
        first.allocations.iter().map(|part| (part.invoice.clone(), cents(part.amount.as_ref()))).collect();
    ensure!(
        paid == [(invoices[0].name.clone(), MONTH_CENTS), (invoices[1].name.clone(), MONTH_CENTS / 2)],
        "{first:#?}"
    );
    ensure!(cents(first.unapplied.as_ref()) == 0, "{first:#?}");
    let states = async || {
        let mut states = Vec::new();
        for invoice in &invoices {
            states.push(books.invoice(&invoice.name).await?.state());
        }
        anyhow::Ok(states)
    };
    use billing::InvoiceState::{Open, Paid, PartiallyPaid};
    ensure!(states().await? == [Paid, PartiallyPaid, Open]);
    books.agree().await?;
    let twice = books.finance.payments();
    let again = billing::RecordPaymentRequest {
        bank_reference: "wire-1".to_owned(),
        validate_only: false,
        ..record(&account)
    };
    Refusal::expect(twice.clone().record_payment(again).await)?.is(Code::AlreadyExists, "NAME_TAKEN")?;

    // Told which, more than all: the rest is left, then sent back.
    let second = books.pay(&account, "wire-2", month * 2, false).await?;
    books.agree().await?;
    let allocate = |name: &str, parts: Vec<(&str, Option<Money>)>| billing::AllocatePaymentRequest {
        name: name.to_owned(),
        allocations: parts
            .into_iter()
            .map(|(invoice, amount)| billing::PaymentAllocation {
                invoice: invoice.to_owned(),
                amount,
                posting_date: None,
            })
            .collect(),
        request_id: request_id(),
        ..Default::default()
    };
    let over = allocate(&second.name, vec![(&invoices[1].name, Some(usd(month)))]);
    let refusal = Refusal::expect(books.finance.payments().allocate_payment(over).await)?;
    let refusal = refusal.is(Code::FailedPrecondition, "AMOUNT_EXCEEDED")?;
    ensure!(refusal.fact("left")? == "USD 625000.00", "{refusal:#?}");
    let named = allocate(&second.name, vec![(&invoices[2].name, None), (&invoices[1].name, None)]);
    let done =
        books.finance.payments().allocate_payment(named).await?.into_inner().payment.context("paid")?;
    ensure!(cents(done.unapplied.as_ref()) == MONTH_CENTS / 2, "{done:#?}");
    ensure!(states().await? == [Paid, Paid, Paid]);
    books.agree().await?;

    what_is_left(&books, &invoices[0].name, &second.name).await?;
    books.stack.stop().await;
    Ok(())
}

/// A paid invoice is credited, and what is left of a payment goes back.
async fn what_is_left(books: &Books, invoice: &str, payment: &str) -> Result<()> {
    // What was paid and is credited is kept for the tenant as well.
    let (note, still) = books.credit(credit(invoice)).await?;
    ensure!(still.state() == billing::InvoiceState::Paid && cents(note.applied.as_ref()) == 0, "{note:#?}");
    let left = billing::ListPaymentsRequest {
        parent: books.operator.clone(),
        unapplied_only: true,
        ..Default::default()
    };
    let left = books.tenants.payments().list_payments(left).await?.into_inner().payments;
    let kinds: Vec<_> =
        left.iter().map(|p| (p.kind(), p.reference.clone(), cents(p.unapplied.as_ref()))).collect();
    let kept = [
        (billing::PaymentKind::CreditNote, note.number.clone(), 100),
        (billing::PaymentKind::Bank, "wire-2".to_owned(), MONTH_CENTS / 2),
    ];
    ensure!(kinds == kept, "{kinds:?}");
    books.agree().await?;
    let back = billing::RefundPaymentRequest {
        name: payment.to_owned(),
        bank_reference: "back-1".to_owned(),
        request_id: request_id(),
        ..Default::default()
    };
    let sent =
        books.finance.payments().refund_payment(back).await?.into_inner().payment.context("sent back")?;
    ensure!(cents(sent.unapplied.as_ref()) == 0 && sent.refunds.len() == 1, "{sent:#?}");
    books.agree().await?;
    ensure!(books.ledger("cash").await? == 3 * MONTH_CENTS, "three months are at the bank");
    Ok(())
}

/// Of sixteen who allocate one payment at once, and credit and void what it pays, no cent is used twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_at_once_use_no_cent_twice() -> Result<()> {
    let books = Books::open().await?;
    let invoices = [books.issue(1).await?, books.issue(2).await?];
    let payment = books.pay(&invoices[0].account, "wire-1", MONTH_CENTS / 100 * 3 / 2, false).await?;
    let mut tasks = tokio::task::JoinSet::new();
    for at in 0..16 {
        let (finance, payment, invoice) =
            (books.finance.clone(), payment.name.clone(), invoices[at % 2].name.clone());
        tasks.spawn(async move {
            if at % 4 == 3 {
                let _ = finance
                    .invoices()
                    .create_credit_note(billing::CreateCreditNoteRequest {
                        validate_only: false,
                        ..credit(&invoice)
                    })
                    .await;
                return;
            }
            let part = billing::PaymentAllocation { invoice, amount: Some(usd(400_000)), posting_date: None };
            let ask = billing::AllocatePaymentRequest {
                name: payment,
                allocations: vec![part],
                request_id: request_id(),
                ..Default::default()
            };
            let _ = finance.payments().allocate_payment(ask).await;
        });
    }
    let mut steps = 0;
    while let Some(done) = tasks.join_next().await {
        done?;
        steps += 1;
    }
    ensure!(steps == 16);
    books.agree().await?;
    let payment = books.payment(&payment.name).await?;
    // 1,875,000.00 carries four parts of 400,000.00.
    ensure!(
        payment.allocations.len() == 4 && cents(payment.unapplied.as_ref()) == 27_500_000,
        "{payment:#?}"
    );
    ensure!(payment.value_date == Some(date("2027-01-02")), "{payment:#?}");
    books.stack.stop().await;
    Ok(())
}
