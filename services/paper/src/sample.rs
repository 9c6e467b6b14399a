//! Documents that tests print.

use crate::{Column, Document, Fact, Part, Party, Section, Table};

/// An invoice of so many lines.
pub(crate) fn invoice(lines: usize) -> Document {
    let columns = [
        Column::words("Block"),
        Column::words("Period"),
        Column::numbers("Quantity"),
        Column::numbers("Rate, USD"),
        Column::numbers("Amount, USD"),
    ];
    let rows = (0..lines).map(|n| {
        [
            format!("river-bend / hall-{n:03}"),
            "1 Dec 2026 \u{2013} 31 Dec 2026".to_owned(),
            "245,000 kW".to_owned(),
            "128.0156677674".to_owned(),
            format!("{}31,363,838.{:02}", if n % 7 == 3 { "-" } else { "" }, n % 100),
        ]
    });
    let table =
        Table::new(columns, rows)
            .with_remarks((0..lines).map(|_| {
                "245000 kW x 128.0156677674 USD per kW-month x 31/31 days = USD 31363838.60".to_owned()
            }))
            .with_total(["Total", "", "", "", "31,363,838.60"].map(str::to_owned));
    Document {
        title: "Invoice".to_owned(),
        reference: "INV-000042".to_owned(),
        stamp: None,
        as_of: "2026-12-01T06:00:00Z".parse().expect("an instant"),
        parties: vec![
            Party {
                role: "From".to_owned(),
                name: "Łódź Kraftwerke Øst & Sønner Digital Infrastructure Holding (Québec) Société"
                    .to_owned(),
                lines: vec![
                    "1 Main Street, Rockdale, TX 76567".to_owned(),
                    "Tax number US-12-3456789".to_owned(),
                ],
            },
            Party {
                role: "To".to_owned(),
                name: "Acme AI".to_owned(),
                lines: vec!["tenants/acme".to_owned()],
            },
        ],
        facts: vec![
            Fact::new("Number", "INV-000042"),
            Fact::new("Issued", "1 Dec 2026"),
            Fact::new("Due", "31 Dec 2026"),
        ],
        sections: vec![Section::new("Charges", vec![Part::Table(table)])],
        seal: None,
    }
}
