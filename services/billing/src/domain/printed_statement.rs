//! What stands on a statement of account that is sent.

use std::sync::Arc;

use chrono::NaiveTime;
use kernel::{CivilDate, DateRange, Instant, Money, TenantName};
use paper::{Column, Document, Fact, Part, Party, Section, Table, words};

use super::aging::{Aging, AgingRow, Owed};
use super::payment_instructions::PaymentInstructions;
use super::posting_rules::Deed;
use super::printed_invoice::Names;
use super::statement::Statement;

/// A statement, and what is open after its last day.
#[derive(Clone, Debug)]
pub struct Stated {
    /// What moved.
    pub statement: Statement,
    /// The days it tells.
    pub days: DateRange,
    /// What the account owes by postings of these days and before; by how long it is due on the last of them that has
    /// begun.
    pub aging: Aging,
    /// When it was asked for.
    pub now: Instant,
    /// Where to pay then, in the account's currency.
    pub pay_to: Option<Arc<PaymentInstructions>>,
}

impl Stated {
    /// The day on which what is open is so long due: the last one told, or today where that has not come.
    #[must_use]
    pub fn as_of(days: DateRange, now: Instant) -> CivilDate {
        days.last_day().min(now.date_naive())
    }

    /// Days that are over say the same for ever, but for names and for where to pay.
    fn printed_at(&self) -> Instant {
        self.days.end().and_time(NaiveTime::MIN).and_utc().min(self.now)
    }
}

/// The statement as a document.
#[must_use]
pub fn printed_statement(stated: &Stated, names: &Names) -> Document {
    let statement = &stated.statement;
    let mut sections = vec![Section::new("Movements", vec![Part::Table(movements(stated))])];
    if let Some(row) = stated.aging.rows.first() {
        sections.push(Section::new("Open by days past due", open(stated, row)));
    }
    sections.push(Section::new("Payment", vec![Part::Text(payment(stated))]));
    sections.extend(stated.pay_to.as_ref().map(|pay_to| pay_to.details.printed()));
    Document {
        title: "Statement of account".to_owned(),
        reference: statement.account.to_string(),
        stamp: None,
        as_of: stated.printed_at(),
        parties: vec![
            Party::operator(
                "From",
                &format!("operators/{}", statement.account.operator),
                &names.operator,
                &names.entities,
            ),
            Party {
                role: "To".to_owned(),
                name: names.tenant.clone(),
                lines: vec![TenantName::new(statement.tenant.clone()).to_string()],
            },
        ],
        facts: facts(stated),
        sections,
        seal: None,
    }
}

fn facts(stated: &Stated) -> Vec<Fact> {
    let (days, statement) = (stated.days, &stated.statement);
    vec![
        Fact::new("First day", words::day(days.start())),
        Fact::new("Last day", words::last_day(days.end())),
        Fact::new("Currency", statement.opening.currency.to_string()),
        Fact::new("Opening balance", words::money(statement.opening)),
        Fact::new("Closing balance", words::money(statement.closing())),
    ]
}

fn movements(stated: &Stated) -> Table {
    let statement = &stated.statement;
    let currency = statement.opening.currency;
    let columns = [
        Column::words("Date"),
        Column::words("Movement"),
        Column::words("Reference"),
        Column::numbers(format!("Amount, {currency}")),
        Column::numbers(format!("Balance, {currency}")),
    ];
    let opening = [
        words::day(stated.days.start()),
        "Opening balance".to_owned(),
        String::new(),
        String::new(),
        statement.opening.grouped(),
    ];
    let moved = statement.lines.iter().zip(&statement.balances).map(|(line, balance)| {
        [
            words::day(line.posting_date),
            movement(line.deed).to_owned(),
            line.description.clone(),
            line.amount.grouped(),
            balance.grouped(),
        ]
    });
    let closing = ["Closing balance", "", "", "", &statement.closing().grouped()].map(str::to_owned);
    Table::new(columns, std::iter::once(opening).chain(moved)).with_total(closing)
}

fn movement(deed: Deed) -> &'static str {
    match deed {
        Deed::InvoiceIssued => "Invoice",
        Deed::InvoiceVoided => "Invoice taken back",
        Deed::CreditNoteIssued => "Credit note",
        Deed::PaymentReceived => "Payment",
        Deed::PaymentAllocated => "Payment allocated",
        Deed::PaymentRefunded => "Refund",
        Deed::InvoiceWrittenOff => "Write-off",
        Deed::JournalPosted => "Journal",
        Deed::AccrualPosted => "Accrual",
        Deed::AccrualReversed => "Accrual reversed",
        Deed::CommissionCapitalized => "Commission",
        Deed::CommissionAmortized => "Commission amortised",
        Deed::CommissionWrittenOff => "Commission written off",
        Deed::CommissionPaid => "Commission paid",
        Deed::CommissionReturned => "Commission returned",
        Deed::CommissionReversed => "Commission reversed",
    }
}

/// The buckets, what of them is disputed, what is kept against them, and the invoices they are made of.
fn open(stated: &Stated, row: &AgingRow) -> Vec<Part> {
    let ends = ["Not due", "1\u{2013}30 days", "31\u{2013}60 days", "61\u{2013}90 days", "Over 90 days"];
    let columns = [ends[0], ends[1], ends[2], ends[3], ends[4], "Open"].map(Column::numbers);
    let [not_due, to_30, to_60, to_90, more] = row.buckets.map(Money::grouped);
    let buckets = Table::new(columns, [[not_due, to_30, to_60, to_90, more, row.owed.grouped()]]);
    let mut facts = vec![Fact::new("As of", words::day(stated.aging.as_of))];
    if !row.disputed.is_zero() {
        facts.push(Fact::new("Of which disputed", words::money(row.disputed)));
    }
    if !row.unapplied.is_zero() {
        facts.push(Fact::new("Received and not yet applied", words::money(row.unapplied)));
    }
    let mut parts = vec![Part::Facts(facts), Part::Table(buckets)];
    if !stated.aging.invoices.is_empty() {
        parts.push(Part::Table(invoices(stated)));
    }
    parts
}

fn invoices(stated: &Stated) -> Table {
    let currency = stated.statement.opening.currency;
    let columns = [
        Column::words("Invoice"),
        Column::words("Due"),
        Column::numbers("Days past due"),
        Column::numbers(format!("Disputed, {currency}")),
        Column::numbers(format!("Open, {currency}")),
    ];
    let row = |owed: &Owed| {
        [
            owed.number.to_string(),
            words::day(owed.due_date),
            words::number(owed.days_past_due(stated.aging.as_of).max(0)),
            if owed.disputed.is_zero() { String::new() } else { owed.disputed.grouped() },
            owed.open.grouped(),
        ]
    };
    Table::new(columns, stated.aging.invoices.iter().map(row))
}

fn payment(stated: &Stated) -> String {
    let closing = stated.statement.closing();
    let balance = words::money(closing);
    let says = match closing.minor {
        0 => "Nothing is owed.".to_owned(),
        1.. => format!("{balance} is owed. Please quote the invoice that you pay."),
        _ => format!("The balance of {balance} is in your favour."),
    };
    format!("{says} Days are in UTC; charges stand above zero, payments and credits below.")
}

#[cfg(test)]
mod tests {
    use kernel::{AccountId, AccountName, InvoiceId, Uuid};
    use paper::Format;

    use super::*;
    use crate::domain::number::InvoiceNumber;
    use crate::domain::sample::{date, instant, operator, usd};
    use crate::domain::statement::StatementLine;

    fn stated(moved: &[(Deed, i64)], open: &[(i64, i64)], now: Instant) -> Stated {
        let account = AccountId::new(Uuid::from_u128(3));
        let days = DateRange::new(date(2027, 1, 1), date(2027, 3, 1)).expect("days");
        let line = |(deed, minor): &(Deed, i64)| StatementLine {
            posting_date: date(2027, 1, 5),
            deed: *deed,
            description: format!("of {deed}"),
            invoice: None,
            amount: Money::new(*minor, usd()),
        };
        let owed = |(open, disputed): &(i64, i64)| Owed {
            invoice: InvoiceId::new(Uuid::from_u128(1)),
            number: InvoiceNumber::new("INV", 7),
            account,
            tenant: "tenant-one".parse().expect("a slug"),
            due_date: date(2027, 1, 20),
            open: Money::new(*open, usd()),
            disputed: Money::new(*disputed, usd()),
        };
        let as_of = Stated::as_of(days, now);
        Stated {
            statement: Statement::of(
                AccountName::new(operator(), account),
                "tenant-one".parse().expect("a slug"),
                Money::new(10_000, usd()),
                moved.iter().map(line).collect(),
            )
            .expect("fits"),
            days,
            aging: Aging::of(operator(), as_of, open.iter().map(owed).collect(), Vec::new()).expect("fits"),
            now,
            pay_to: None,
        }
    }

    fn html(stated: &Stated) -> String {
        let names =
            Names { operator: "Op One".to_owned(), entities: vec![], tenant: "Tenant <One>".to_owned() };
        let html = paper::print(&printed_statement(stated, &names), Format::Html).expect("HTML");
        String::from_utf8(html).expect("UTF-8")
    }

    #[test]
    fn a_statement_says_what_moved_and_what_is_open() {
        let moved = [(Deed::InvoiceIssued, 67_096_774), (Deed::PaymentReceived, -10_000)];
        let text = html(&stated(&moved, &[(67_096_774, 5_000)], instant(2027, 6, 1)));
        for said in [
            "Op One",
            "Tenant &lt;One&gt;",
            "1 Jan 2027",
            "28 Feb 2027",
            "Opening balance",
            "671,067.74",
            "-100.00",
            "of INVOICE_ISSUED",
            "Closing balance",
            "INV-000007",
            "<td class=\"n\">39</td>",
            "Of which disputed</dt><dd>USD 50.00",
            "USD 670,967.74 is owed.",
            "As of 1 Mar 2027 00:00:00 UTC",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
    }

    #[test]
    fn nobody_is_asked_for_what_is_not_owed() {
        let even = html(&stated(&[(Deed::PaymentReceived, -10_000)], &[], instant(2027, 2, 1)));
        assert!(even.contains("Nothing is owed.") && !even.contains("past due"), "{even}");
        let over = html(&stated(&[(Deed::PaymentReceived, -10_001)], &[], instant(2027, 2, 1)));
        assert!(over.contains("USD -0.01 is in your favour."), "{over}");
    }

    #[test]
    fn days_that_are_over_say_the_same_for_ever() {
        let at = |now| html(&stated(&[], &[(10_000, 0)], now));
        assert_eq!(at(instant(2027, 3, 1)), at(instant(2027, 9, 1)));
        assert_ne!(at(instant(2027, 2, 1)), at(instant(2027, 3, 1)));
    }
}
