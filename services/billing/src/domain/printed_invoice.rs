//! What stands on an invoice that is sent.

use kernel::{InvoiceName, LeaseName, Rate, TenantName};
use paper::{Column, Document, Entity, Fact, Part, Party, Section, Table, words};

use super::invoice::{ChargeType, Invoice, InvoiceKind, InvoiceLine, LineCharge};
use super::invoice_state::InvoiceState;
use super::rent_difference::DIFFERENCE;

/// The names behind the resource names.
#[derive(Clone, Debug)]
pub struct Names {
    /// The operator's name.
    pub operator: String,
    /// The legal entities of the sites that are billed.
    pub entities: Vec<Entity>,
    /// The tenant's name.
    pub tenant: String,
}

/// The invoice as a document.
#[must_use]
pub fn printed_invoice(invoice: &Invoice, names: &Names) -> Document {
    Document {
        title: title(invoice.kind).to_owned(),
        reference: match &invoice.issued {
            Some(issued) => issued.number.to_string(),
            None => InvoiceName::new(invoice.operator.clone(), invoice.id).to_string(),
        },
        stamp: stamp(invoice.state),
        as_of: invoice.issued.as_ref().map_or(invoice.create_time, |issued| issued.time),
        parties: parties(invoice, names),
        facts: facts(invoice),
        sections: sections(invoice),
        seal: None,
    }
}

fn sections(invoice: &Invoice) -> Vec<Section> {
    let mut sections = vec![
        Section::new("Charges", vec![Part::Table(charges(invoice))]),
        Section::new("Payment", vec![Part::Text(payment(invoice))]),
    ];
    let asks = invoice.total.minor >= 0 && invoice.state != InvoiceState::Void;
    sections.extend(invoice.pay_to.as_ref().filter(|_| asks).map(|pay_to| pay_to.details.printed()));
    sections
}

fn title(kind: InvoiceKind) -> &'static str {
    match kind {
        InvoiceKind::Regular => "Invoice",
        InvoiceKind::Prepayment => "Invoice for rent paid ahead",
        InvoiceKind::Deposit => "Invoice for a deposit",
        InvoiceKind::TerminationFee => "Invoice for a termination fee",
    }
}

/// Nobody shall pay what is not asked for.
fn stamp(state: InvoiceState) -> Option<&'static str> {
    match state {
        InvoiceState::Draft => Some("DRAFT"),
        InvoiceState::Void => Some("VOID"),
        InvoiceState::Open
        | InvoiceState::PartiallyPaid
        | InvoiceState::Paid
        | InvoiceState::Uncollectible => None,
    }
}

fn parties(invoice: &Invoice, names: &Names) -> Vec<Party> {
    let operator = format!("operators/{}", invoice.operator);
    let tenant = TenantName::new(invoice.tenant.clone()).to_string();
    vec![
        Party::operator("Issued by", &operator, &names.operator, &names.entities),
        Party { role: "Bill to".to_owned(), name: names.tenant.clone(), lines: vec![tenant] },
    ]
}

fn facts(invoice: &Invoice) -> Vec<Fact> {
    let lease = LeaseName::new(invoice.operator.clone(), invoice.lease.clone()).to_string();
    let month = invoice.month.first_day().format("%B %Y").to_string();
    let mut facts = vec![match &invoice.issued {
        Some(issued) => Fact::new("Invoice number", issued.number.to_string()),
        None => Fact::new("Invoice number", "none before it is issued"),
    }];
    if let Some(issued) = &invoice.issued {
        facts.push(Fact::new("Date of issue", words::day(issued.time.date_naive())));
        facts.push(Fact::new("Due", words::day(issued.due_date)));
    }
    facts.push(Fact::new("Billing month", month));
    facts.push(Fact::new("Lease", lease));
    facts.push(Fact::new("Payment terms", format!("{} from issue", days(invoice))));
    facts.push(Fact::new("Total", words::money(invoice.total)));
    facts
}

fn charges(invoice: &Invoice) -> Table {
    let currency = invoice.total.currency;
    let columns = [
        Column::words("Charge"),
        Column::words("Period"),
        Column::numbers("Quantity"),
        Column::words("Unit"),
        Column::numbers(format!("Rate, {currency}")),
        Column::numbers(format!("Amount, {currency}")),
    ];
    let total = ["Total", "", "", "", "", &invoice.total.grouped()].map(str::to_owned);
    let remarks = invoice.lines.iter().map(|line| parted(&line.formula()));
    let rates: Vec<_> = invoice.lines.iter().map(|line| measure(line).2).collect();
    let rows = invoice.lines.iter().zip(words::rates(&rates)).map(|(line, rate)| row(line, rate));
    Table::new(columns, rows).with_remarks(remarks).with_total(total)
}

/// A computation with the thousands of its numbers parted, as everywhere on the page; a day or a number of a document stays.
fn parted(text: &str) -> String {
    let part = |word: &str| {
        let bare = word.trim_end_matches([',', '.', ';', ')']);
        let whole = bare.split('.').next().unwrap_or_default();
        let plain = bare.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
        match whole.parse::<i64>() {
            Ok(number) if plain => format!("{}{}", words::number(number), &word[whole.len()..]),
            _ => word.to_owned(),
        }
    };
    text.split(' ').map(part).collect::<Vec<_>>().join(" ")
}

/// How much of what, at which rate.
fn measure(line: &InvoiceLine) -> (String, &str, Rate) {
    match &line.charge {
        LineCharge::Rent(rent) => (words::number(rent.quantity_kw), "kW-month", rent.rate),
        LineCharge::Reckoned(line) => {
            (words::quantity(line.detail.quantity), &line.detail.unit, line.detail.rate)
        }
    }
}

fn row(line: &InvoiceLine, rate: String) -> [String; 6] {
    let what = match line.charge_type() {
        ChargeType::BaseRent if line.item() == DIFFERENCE => "Rent difference",
        ChargeType::BaseRent => "Base rent",
        ChargeType::Energy => "Energy",
        ChargeType::Demand => "Demand",
        ChargeType::PassThrough => "Passed on",
        ChargeType::Tax => "Tax",
        ChargeType::SlaCredit => "Rent given back",
        ChargeType::Prepayment => "Rent paid ahead",
        ChargeType::Deposit => "Deposit",
        ChargeType::PrepaymentDraw => "Credit of rent paid ahead",
        ChargeType::TakeOrPay => "Paid for and not taken",
        ChargeType::LateInterest => "Late interest",
        ChargeType::TerminationFee => "Termination fee",
        ChargeType::TrueUp => "Utility bill, trued up",
    };
    let (place, period) = (line.place(), line.period());
    let item = if line.charge_type() == ChargeType::BaseRent { "" } else { line.item() };
    let of = [item, line.jurisdiction().unwrap_or_default()];
    let remarks = match &line.charge {
        LineCharge::Rent(_) => [""; 2],
        LineCharge::Reckoned(line) => [
            if line.revision > 0 { "corrected" } else { "" },
            if line.detail.estimated { "partly estimated" } else { "" },
        ],
    };
    let place = place.map_or_else(String::new, |place| format!("{} / {}", place.site, place.block));
    let words_of_it = [what].into_iter().chain(of).chain(remarks).chain([place.as_str()]);
    let what: Vec<&str> = words_of_it.filter(|word| !word.is_empty()).collect();
    let (quantity, unit, _) = measure(line);
    [
        what.join(", "),
        format!("{} \u{2013} {}", words::day(period.start()), words::last_day(period.end())),
        quantity,
        unit.to_owned(),
        rate,
        line.amount().grouped(),
    ]
}

fn payment(invoice: &Invoice) -> String {
    let total = words::money(invoice.total);
    match &invoice.issued {
        Some(_) if invoice.total.minor < 0 => "This is a credit: nothing is to be paid.".to_owned(),
        Some(issued) => format!(
            "Please pay {total} by {}, and quote {}. The days of a period are those of the site.",
            words::day(issued.due_date),
            issued.number
        ),
        None => format!("This is a draft of {total}: nothing is asked for before it is issued."),
    }
}

fn days(invoice: &Invoice) -> String {
    words::count(invoice.payment_terms_days.into(), "day")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::number::InvoiceNumber;
    use crate::domain::sample;
    use paper::Format;

    fn names() -> Names {
        let entity = Entity { legal_name: "Op One Texas LP".to_owned(), ..Entity::default() };
        Names { operator: "Op One".to_owned(), entities: vec![entity], tenant: "Tenant <One>".to_owned() }
    }

    fn html(invoice: &Invoice) -> String {
        let html = paper::print(&printed_invoice(invoice, &names()), Format::Html).expect("HTML");
        String::from_utf8(html).expect("UTF-8")
    }

    #[test]
    fn numbers_are_parted_and_days_are_not() {
        let text = parted("12345.50 on 2027-03-01, INV-001234 (is 1000000), 999 of 42");
        assert_eq!(text, "12,345.50 on 2027-03-01, INV-001234 (is 1,000,000), 999 of 42");
    }

    #[test]
    fn a_draft_is_stamped_and_asks_for_nothing() {
        let draft = sample::invoice(&[67_096_774]);
        assert_eq!(printed_invoice(&draft, &names()).stamp, Some("DRAFT"));
        let text = html(&draft);
        assert!(text.contains("DRAFT") && !text.contains("Please pay"), "{text}");
    }

    #[test]
    fn what_asks_for_money_says_where_to_pay_and_nothing_else_does() {
        let pay_to = Some(sample::pay_to());
        let asked = Invoice { pay_to: pay_to.clone(), ..sample::invoice(&[100]) };
        let text = html(&asked);
        for said in ["Pay to, in USD", "Op &amp; Co", "DE89 3704 0044 0532 0130 00", "Bank One"] {
            assert!(text.contains(said), "{said} in {text}");
        }
        assert!(!text.contains("Routing number") && !text.contains("Bank address"), "{text}");
        let credit = Invoice { pay_to: pay_to.clone(), ..sample::invoice(&[-100]) };
        let void = Invoice { state: InvoiceState::Void, ..asked };
        for nothing in [credit, void, sample::invoice(&[100])] {
            assert!(!html(&nothing).contains("Pay to"));
        }
    }

    #[test]
    fn an_issued_invoice_says_what_a_payer_needs() {
        let draft = sample::invoice(&[67_096_774, 100]);
        let issued =
            draft.issue(InvoiceNumber::new("INV", 7), sample::instant(2026, 12, 1)).expect("a draft");
        assert_eq!(printed_invoice(&issued, &names()).stamp, None);
        let text = html(&issued);
        for said in [
            "Op One Texas LP",
            "Tenant &lt;One&gt;",
            "INV-000007",
            "1 Dec 2026",
            "Please pay USD 670,968.74 by 31 Dec 2026, and quote INV-000007.",
            "October 2026",
            "Base rent, site-one / hall-one",
            "24 Oct 2026 \u{2013} 31 Oct 2026",
            "20,000",
            "130.00",
            "670,967.74",
            "20,000 kW x 130 USD per kW-month x 8/31 days = USD 670,967.74",
        ] {
            assert!(text.contains(said), "{said} in {text}");
        }
    }
}
