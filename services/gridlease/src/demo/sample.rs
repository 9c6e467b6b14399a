//! What a sound run would find, made from the plan: the tables must fit, and every check must be able to fail.

use std::collections::BTreeMap;

use kernel::CivilDate;

use super::findings::{
    BooksFound, Convertible, Findings, GridFound, InvoiceFound, LeaseFound, OperatorFound, PreviewFound,
    RefusalFound, ReservationFound, SearchFound, SiteFound,
};
use super::{checks, figures, site_table, sums, tables};
use crate::market::sums::{schedule, total};
use crate::market::{Deal, Kind, Market, Operator, Site};

fn today() -> CivilDate {
    CivilDate::from_ymd_opt(2026, 12, 16).expect("a day")
}

fn lease(deal: &Deal) -> LeaseFound {
    let lines = schedule(deal);
    LeaseFound {
        deal: deal.id.clone(),
        lease: format!("operators/{}/leases/{}", deal.operator, deal.lease_id()),
        operator: deal.operator.to_string(),
        tenant: deal.tenant_name().to_owned(),
        site: deal.site.to_string(),
        critical_it_kw: deal.critical_it_kw(),
        start_date: deal.start_date(),
        term_months: deal.term_months(),
        rate_per_kw_month: deal.rate().expect("a rate").to_string(),
        escalator_percent: deal.escalator().map(|percent| percent.to_string()),
        year_one_rent_cents: deal.escalator().map(|_| total(&lines[..12])),
        stated_cents: deal.tcv.expect("a value"),
        schedule_cents: total(&lines),
        schedule_lines: lines.len(),
        options_cents: deal.options,
        grid_unstated: deal.lines.iter().any(|line| line.has("GRID_UNSTATED")),
        conditional_kw: 0,
    }
}

fn invoices(market: &Market) -> Vec<InvoiceFound> {
    let of = |deal: &Deal| {
        let lines = schedule(deal);
        let due: Vec<_> = lines
            .iter()
            .filter(|line| line.month == kernel::YearMonth::of(today()))
            .map(|line| line.amount.minor)
            .collect();
        let name = market.operators.iter().find(|own| own.id == deal.operator).expect("an operator");
        (!due.is_empty()).then(|| InvoiceFound {
            operator: deal.operator.to_string(),
            operator_name: name.display_name.clone(),
            deal: deal.id.clone(),
            number: "2026-000001".to_owned(),
            state: "OPEN".to_owned(),
            due_date: today(),
            total_cents: due.iter().sum(),
            lines: vec![
                format!("{} / block: 60,000 kW x 125 USD per kW-month x 31/31 days", deal.site);
                due.len()
            ],
        })
    };
    market.deals_of(Kind::Lease).filter_map(of).collect()
}

fn refusal(reason: &str, figures: [(&str, &str); 2]) -> RefusalFound {
    RefusalFound {
        asked: "hold 1 MW for 2028 at hut-riverbend / hut-fs-rb-1".to_owned(),
        code: "FailedPrecondition".to_owned(),
        reason: reason.to_owned(),
        message:
            "The block has too little of it at some instant of the term that was asked for, and here is a \
                  sentence that is long enough to be broken."
                .to_owned(),
        figures: figures.map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
    }
}

fn operators(market: &Market, leases: &[LeaseFound]) -> Vec<OperatorFound> {
    let found = |operator: &Operator| {
        let own: Vec<_> = leases.iter().filter(|lease| lease.operator == operator.id.as_str()).collect();
        let contracted_kw = own.iter().map(|lease| lease.critical_it_kw).sum();
        OperatorFound {
            operator: operator.id.to_string(),
            name: operator.display_name.clone(),
            leases: own.len(),
            contracted_kw,
            leased_in_inventory_kw: contracted_kw,
            free_kw: 0,
            convertible_kw: 1_234_567,
            year_one_rent_cents: own.iter().filter_map(|lease| lease.year_one_rent_cents).sum(),
            without_year_one: own.iter().filter(|lease| lease.year_one_rent_cents.is_none()).count(),
            stated_cents: own.iter().map(|lease| lease.stated_cents).sum(),
            schedule_cents: own.iter().map(|lease| lease.schedule_cents).sum(),
            options_cents: own.iter().filter_map(|lease| lease.options_cents).sum(),
            grid_unstated_kw: 0,
            conditional_kw: 0,
        }
    };
    market.lessors().into_iter().map(found).collect()
}

fn books(invoices: &[InvoiceFound]) -> Vec<BooksFound> {
    let mut sums: BTreeMap<&str, i64> = BTreeMap::new();
    for invoice in invoices {
        *sums.entry(&invoice.operator).or_default() += invoice.total_cents;
    }
    let found = |(operator, cents): (&str, i64)| BooksFound {
        operator: operator.to_owned(),
        debit_cents: cents,
        credit_cents: cents,
    };
    sums.into_iter().map(found).collect()
}

fn search(asked_by: &str) -> SearchFound {
    SearchFound {
        asked_by: asked_by.to_owned(),
        need: "40 MW".to_owned(),
        free: Vec::new(),
        nearest: vec!["the same need, later: 2036-09-01 at cifr-barberlake / cifr-fs-168-1".to_owned()],
        convertible: vec![Convertible {
            site: "operators/iren/sites/iren-sweetwater1".to_owned(),
            headroom_gross_kw: 1_400_000,
            convertible_it_kw: 980_000,
            start_date: today(),
            assumptions: vec!["Nine months for a retrofit, which nobody has promised, ".repeat(3)],
        }],
    }
}

/// Sites as they would be answered: what is corrected and what is not booked, otherwise than in the file.
fn site_figures(market: &Market) -> Vec<SiteFound> {
    let found = |site: &Site| {
        let begun = site.grid_from.is_none_or(|from| from <= today());
        let leased = market.deals.iter().filter(|deal| deal.site == site.id && deal.kind != Kind::Refused);
        SiteFound {
            site: site.id.to_string(),
            operator: site.operator.to_string(),
            stated: site.stated,
            energised_kw: site.energised_kw.filter(|_| begun),
            contracted_kw: site.contracted_kw.filter(|_| begun),
            mined_kw: site.mined_kw.unwrap_or(0),
            leased_it_kw: leased.map(Deal::critical_it_kw).sum(),
            free_it_kw: 0,
            headroom_kw: site.contracted_kw,
            plan_steps: 3,
            fault: None,
        }
    };
    market.sites.iter().map(found).collect()
}

fn findings(market: &Market) -> Findings {
    let leases: Vec<LeaseFound> = market.deals_of(Kind::Lease).map(lease).collect();
    let invoices = invoices(market);
    let capacity_only = market.deals_of(Kind::CapacityOnly).map(|deal| ReservationFound {
        deal: deal.id.clone(),
        reservation: "operators/galaxy/reservations/0".to_owned(),
        operator: deal.operator.to_string(),
        tenant: deal.tenant_name().to_owned(),
        site: deal.site.to_string(),
        critical_it_kw: deal.critical_it_kw(),
        start_date: deal.start_date(),
    });
    Findings {
        business_date: today(),
        sites: market.sites.len(),
        bands: sums::bands(market).expect("bands"),
        capacity_only: capacity_only.collect(),
        grid: vec![GridFound {
            site: "hut-riverbend".to_owned(),
            gross_kw: 330_000,
            contracted_kw: Some(330_000),
        }],
        own_search: search("the sales of Riot Platforms"),
        search: search("a tenant"),
        differences: figures::differences(market, &site_figures(market)),
        site_figures: site_figures(market),
        full: refusal("CAPACITY_EXHAUSTED", [("availableKw", "0"), ("shortKw", "1000")]),
        over_grid: refusal("SITE_POWER_EXCEEDED", [("neededKw", "7143"), ("contractedKw", "5000")]),
        preview: PreviewFound {
            deal: "WULF-C42".to_owned(),
            invoices: 119,
            to_come_cents: 103_174_913_808 - 750_000_000,
            invoiced_cents: 750_000_000,
        },
        assumptions: sums::assumptions(market),
        not_booked: sums::not_booked(market),
        operators: operators(market, &leases),
        leases,
        books: books(&invoices),
        invoices: numbered(invoices),
        checks: Vec::new(),
    }
}

fn numbered(mut invoices: Vec<InvoiceFound>) -> Vec<InvoiceFound> {
    for (number, invoice) in (1..).zip(&mut invoices) {
        invoice.number = format!("2026-{number:06}");
    }
    invoices
}

#[test]
fn a_sound_run_passes_every_check() {
    let market = Market::load().expect("sound data");
    let failed: Vec<_> =
        checks::all(&market, &findings(&market)).into_iter().filter(|check| !check.held).collect();
    assert!(failed.is_empty(), "{failed:#?}");
}

#[test]
fn a_cent_a_kilowatt_or_a_word_out_of_place_fails_a_check() {
    let market = Market::load().expect("sound data");
    type Damage = fn(&mut Findings);
    let damages: [(&str, Damage); 17] = [
        ("a kW less", |found| found.leases[0].critical_it_kw -= 1),
        ("a lease lost", |found| drop(found.leases.pop())),
        ("a reservation lost", |found| drop(found.capacity_only.pop())),
        ("a row without its reason", |found| drop(found.not_booked.pop())),
        ("inventory disagrees", |found| found.operators[0].leased_in_inventory_kw += 1),
        ("a dollar too much rent", |found| found.leases[1].schedule_cents += 100),
        ("a cent too much invoiced", |found| found.invoices[0].total_cents += 1),
        ("a number twice", |found| found.invoices[1].number = found.invoices[0].number.clone()),
        ("crooked books", |found| found.books[0].credit_cents -= 1),
        ("the wrong refusal", |found| found.full.reason = "OVERLOADED".to_owned()),
        ("a site over its grid", |found| found.grid[0].gross_kw += 1),
        ("a plan that does not add up", |found| {
            found.site_figures[3].fault = Some("1 kW of 2 kW".to_owned());
        }),
        ("a site without its plan", |found| drop(found.site_figures.pop())),
        ("a difference nobody knows why", |found| found.differences[0].why.clear()),
        ("a reason without its difference", |found| {
            found.differences.retain(|own| own.site != "corz-austin");
        }),
        ("a mine beyond its grid", |found| found.site_figures[0].mined_kw = 700_001),
        ("a preview that forgets a month", |found| found.preview.to_come_cents -= 1),
    ];
    for (what, damage) in damages {
        let mut found = findings(&market);
        damage(&mut found);
        assert!(checks::all(&market, &found).iter().any(|check| !check.held), "{what}: nothing failed");
    }
}

#[test]
fn a_rounded_value_leaves_a_band() {
    let bands = sums::bands(&Market::load().expect("sound data")).expect("bands");
    let river_bend = bands.iter().find(|band| band.deal == "HUT-FS-RB").expect("River Bend");
    assert_eq!((river_bend.low.as_str(), river_bend.high.as_str()), ("127.10", "128.93"));
    assert_eq!(bands.len(), 4, "WULF-C42's rate is published, not solved");
}

#[test]
fn every_line_fits_a_hundred_columns() {
    let market = Market::load().expect("sound data");
    let mut found = findings(&market);
    found.checks = checks::all(&market, &found);
    let mut all: Vec<String> =
        found.operators.iter().map(|operator| tables::leases(operator, &found.leases)).collect();
    all.extend([
        tables::operators(&found),
        tables::ties(&found),
        tables::capacity(&found),
        site_table::figures(&found),
        tables::search(&found),
        tables::refusal(&found.full),
        tables::invoices(&found),
        tables::assumptions(&found),
        tables::not_booked(&found),
        tables::checks(&found),
    ]);
    for line in all.iter().flat_map(|table| table.lines()) {
        assert!(line.chars().count() <= usize::from(crate::out::WIDTH), "{line}");
    }
    // The figures of a row stand on one line each: a broken figure is misread.
    let operators = tables::operators(&found);
    for figure in ["23,500.00", "96,337.75", "1,234.567", "3,282"] {
        assert!(operators.contains(figure), "{figure} is broken:\n{operators}");
    }
    let figures = site_table::figures(&found);
    for figure in ["14,689 | 17,389", "3,695 | 5,024", "2,255"] {
        assert!(figures.contains(figure), "{figure} is broken:\n{figures}");
    }
}
