//! The findings as tables that fit 100 columns.

use kernel::Rate;

use super::findings::{Findings, LeaseFound, OperatorFound, RefusalFound};
use crate::out::{WIDTH, dollars, grouped, megawatts, table};

/// Millions of dollars with two decimals, rounded half up.
fn millions(cents: i64) -> String {
    dollars((cents + 500_000).div_euclid(1_000_000))
}

fn or_not_stated(cents: Option<i64>) -> String {
    cents.map_or_else(|| "n/s".to_owned(), millions)
}

/// One operator's leases.
pub(super) fn leases(operator: &OperatorFound, leases: &[LeaseFound]) -> String {
    let mut rows = table(&[
        "Lease",
        "Tenant",
        ">IT MW",
        "From",
        ">Yrs",
        ">$/kW-mo",
        ">Year 1 $m",
        ">Base $m",
        ">Options $m",
    ]);
    for lease in leases.iter().filter(|lease| lease.operator == operator.operator) {
        rows.add_row([
            format!("{}{}", lease.deal, if lease.grid_unstated { "*" } else { "" }),
            tenant(&lease.tenant),
            megawatts(lease.critical_it_kw),
            lease.start_date.to_string(),
            (lease.term_months / 12).to_string(),
            year_one_rate(lease),
            or_not_stated(lease.year_one_rent_cents),
            millions(lease.stated_cents),
            lease.options_cents.map_or_else(|| "-".to_owned(), millions),
        ]);
    }
    format!("{}\n{}", operator.name, rows.trim_fmt())
}

/// The rate of the first year; `n/s` where no escalator is stated, since an average is not a price.
fn year_one_rate(lease: &LeaseFound) -> String {
    let rate = lease.escalator_percent.as_ref().and_then(|_| lease.rate_per_kw_month.parse::<Rate>().ok());
    rate.map_or_else(|| "n/s".to_owned(), |rate| rate.rounded(2))
}

/// A tenant's name in little room; which of the undisclosed ones it is, the lease says.
fn tenant(name: &str) -> String {
    if name.starts_with("Undisclosed") { "undisclosed".to_owned() } else { shortened(name, 16) }
}

/// The beginning of a text that is too long.
pub(super) fn shortened(text: &str, most: usize) -> String {
    if text.chars().count() <= most {
        return text.to_owned();
    }
    let kept: String = text.chars().take(most - 1).collect();
    format!("{}…", kept.trim_end())
}

/// One line per operator.
pub(super) fn operators(found: &Findings) -> String {
    let mut rows = table(&[
        "Operator",
        ">Leases",
        ">Contracted\nIT MW",
        ">Free MW,\ndated",
        ">Convertible\nMW, date\nassumed",
        ">Year 1 $m",
        ">Base TCV\n$m",
        ">Options\n$m, apart",
    ]);
    for operator in &found.operators {
        let year_one = match (operator.leases - operator.without_year_one, operator.without_year_one) {
            (0, _) => "n/s".to_owned(),
            (_, 0) => millions(operator.year_one_rent_cents),
            (_, _) => format!("{} + n/s", millions(operator.year_one_rent_cents)),
        };
        rows.add_row([
            shortened(&operator.name, 16),
            operator.leases.to_string(),
            megawatts(operator.contracted_kw),
            megawatts(operator.free_kw),
            megawatts(operator.convertible_kw),
            year_one,
            millions(operator.stated_cents),
            millions(operator.options_cents),
        ]);
    }
    let sum = |of: fn(&OperatorFound) -> i64| found.operators.iter().map(of).sum::<i64>();
    rows.add_row([
        "all".to_owned(),
        found.leases.len().to_string(),
        megawatts(sum(|own| own.contracted_kw)),
        megawatts(sum(|own| own.free_kw)),
        megawatts(sum(|own| own.convertible_kw)),
        format!("{} + n/s", millions(sum(|own| own.year_one_rent_cents))),
        millions(sum(|own| own.stated_cents)),
        millions(sum(|own| own.options_cents)),
    ]);
    let unstated = megawatts(sum(|own| own.grid_unstated_kw));
    let conditional = megawatts(sum(|own| own.conditional_kw));
    format!(
        "{}\n\
         n/s: no escalator is stated, so no year-1 rent; an average over the term is not a price.\n\
         Free MW: on 2028-07-01, when every lease has begun and none has ended.\n\
         Of the contracted MW, {unstated} are on sites whose grid limit is not stated (* above): booked, not verified;\n\
         {conditional} are conditional on financing in the source: signed here, not to be counted as effective there.",
        rows.trim_fmt()
    )
}

/// Published values beside the schedules' sums.
pub(super) fn ties(found: &Findings) -> String {
    let mut rows =
        table(&["Lease", ">Base TCV, $", ">Schedule, $", ">Residue, $", ">Rent lines", ">Bound, $"]);
    for lease in &found.leases {
        let bound = i64::try_from(lease.schedule_lines).unwrap_or(i64::MAX);
        rows.add_row([
            lease.deal.clone(),
            dollars(lease.stated_cents),
            dollars(lease.schedule_cents),
            dollars(lease.residue_cents()),
            grouped(bound),
            format!("{}{}", dollars(bound / 2), if bound % 2 == 0 { "" } else { "5" }),
        ]);
    }
    let mut text = rows.trim_fmt();
    text.push_str("\nA schedule ties when its residue is within half a cent per rent line.");
    text.push_str("\nPublished values are rounded to a tenth of a billion: year-1 $/kW-month may lie in");
    for band in &found.bands {
        text.push_str(&format!("\n  {:<12} {} to {}", band.deal, band.low, band.high));
    }
    text
}

/// What the search answered.
pub(super) fn search(found: &Findings) -> String {
    let search = &found.search;
    let mut text = wrapped(&format!("Asked by {}: {}", search.asked_by, search.need), "");
    text.push_str("\n\nFree and dated:");
    if search.free.is_empty() {
        text.push_str(" nothing.");
    }
    for offer in &search.free {
        let block = super::ask::short(&offer.block);
        text.push_str(&format!(
            "\n  {block}: {} MW from {}",
            megawatts(offer.critical_it_kw),
            offer.start_date
        ));
    }
    for nearest in &search.nearest {
        text.push_str(&format!("\n  nearest, {nearest}"));
    }
    text.push_str("\n\nConvertible, date assumed:\n");
    let mut rows = table(&["Site", ">Headroom, gross MW", ">IT MW it carries", "Assumed start"]);
    for site in &search.convertible {
        rows.add_row([
            super::ask::short(&site.site),
            megawatts(site.headroom_gross_kw),
            megawatts(site.convertible_it_kw),
            site.start_date.to_string(),
        ]);
    }
    text.push_str(&rows.trim_fmt());
    text.push_str("\nAssumptions:");
    for (assumption, sites) in search_assumptions(found) {
        text.push_str(&wrapped(&format!("- {assumption} ({sites})"), "  "));
    }
    let own = &found.own_search;
    let sites: Vec<String> = own
        .convertible
        .iter()
        .map(|site| format!("{} {} MW", super::ask::short(&site.site), megawatts(site.convertible_it_kw)))
        .collect();
    let line = format!(
        "The same asked by {}, who see their own sites: {} free and dated; convertible {}.",
        own.asked_by,
        own.free.len(),
        if sites.is_empty() { "none".to_owned() } else { sites.join(", ") }
    );
    text.push_str(&format!("\n{}", wrapped(&line, "")));
    text
}

/// Each assumption once, with how many of the sites it is made for.
fn search_assumptions(found: &Findings) -> Vec<(String, String)> {
    let all = found.search.convertible.len();
    let mut seen: Vec<(String, Vec<String>)> = Vec::new();
    for site in &found.search.convertible {
        for assumption in &site.assumptions {
            let name = super::ask::short(&site.site);
            match seen.iter_mut().find(|(own, _)| own == assumption) {
                Some((_, sites)) => sites.push(name),
                None => seen.push((assumption.clone(), vec![name])),
            }
        }
    }
    let counted = |sites: Vec<String>| if sites.len() == all { "all".to_owned() } else { sites.join(", ") };
    seen.into_iter().map(|(assumption, sites)| (assumption, counted(sites))).collect()
}

/// `text` on lines of at most 100 columns, each after a line break and `indent`.
pub(super) fn wrapped(text: &str, indent: &str) -> String {
    let mut whole = String::new();
    let mut line = String::new();
    for word in text.split_whitespace() {
        let long = indent.chars().count() + line.chars().count() + 1 + word.chars().count();
        if !line.is_empty() && long > usize::from(WIDTH) {
            whole.push_str(&format!("\n{indent}{line}"));
            line = format!("  {word}");
        } else {
            if !line.is_empty() {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    format!("{whole}\n{indent}{line}")
}

/// A refusal with its figures.
pub(super) fn refusal(found: &RefusalFound) -> String {
    let mut text = format!("Asked: {}", found.asked);
    text.push_str(&wrapped(&format!("{} {}: {}", found.code, found.reason, found.message), "  "));
    for (key, value) in &found.figures {
        text.push_str(&wrapped(&format!("{key}: {value}"), "    "));
    }
    text
}

/// The month's invoices.
pub(super) fn invoices(found: &Findings) -> String {
    let mut rows = table(&["Operator", "Number", "Lease", ">Total, $", "Due", "State"]);
    for invoice in &found.invoices {
        rows.add_row([
            invoice.operator_name.clone(),
            invoice.number.clone(),
            invoice.deal.clone(),
            dollars(invoice.total_cents),
            invoice.due_date.to_string(),
            invoice.state.clone(),
        ]);
    }
    let total: i64 = found.invoices.iter().map(|invoice| invoice.total_cents).sum();
    rows.add_row([
        "all".to_owned(),
        found.invoices.len().to_string(),
        String::new(),
        dollars(total),
        String::new(),
        String::new(),
    ]);
    let mut text = format!("{}\nHow each line was computed:", rows.trim_fmt());
    for line in found.invoices.iter().flat_map(|invoice| &invoice.lines) {
        text.push_str(&wrapped(line, "  "));
    }
    text.push_str("\nEarlier periods: billed before cut-over.");
    text
}

/// What is leased without a price, and what the grid of the sites carries.
pub(super) fn capacity(found: &Findings) -> String {
    let mut held = table(&["Row", "Tenant", "Site", ">IT MW", "From"]);
    for own in &found.capacity_only {
        held.add_row([
            own.deal.clone(),
            own.tenant.clone(),
            own.site.clone(),
            megawatts(own.critical_it_kw),
            own.start_date.to_string(),
        ]);
    }
    let mut grid = table(&["Site", ">Gross MW of its phases", ">Contracted MW", "Verified"]);
    for site in &found.grid {
        grid.add_row([
            site.site.clone(),
            megawatts(site.gross_kw),
            site.contracted_kw.map_or_else(|| "not stated".to_owned(), megawatts),
            if site.contracted_kw.is_some() { "yes" } else { "no" }.to_owned(),
        ]);
    }
    format!(
        "Held as leased, no published price: no lease, no rent.\n{}\n\nThe grid connections.\n{}",
        held.trim_fmt(),
        grid.trim_fmt()
    )
}

/// What the bookings rest on beside the sources.
pub(super) fn assumptions(found: &Findings) -> String {
    let mut rows = table(&["Assumption", "What it says", "Rows"]);
    for own in &found.assumptions {
        let carriers = if own.rows.is_empty() { "all".to_owned() } else { own.rows.join(", ") };
        rows.add_row([own.flag.clone(), own.meaning.clone(), carriers]);
    }
    rows.trim_fmt()
}

/// Rows that are not booked, and why.
pub(super) fn not_booked(found: &Findings) -> String {
    let mut rows = table(&["Row", ">IT MW", "Reason", "Detail"]);
    for row in &found.not_booked {
        rows.add_row([
            row.deal.clone(),
            row.critical_it_kw.map_or_else(|| "?".to_owned(), megawatts),
            row.reason.clone(),
            row.detail.clone(),
        ]);
    }
    rows.trim_fmt()
}

/// The checks.
pub(super) fn checks(found: &Findings) -> String {
    let mut rows = table(&["Check", "Must be", "Is", "Held"]);
    for check in &found.checks {
        let held = if check.held { "yes" } else { "NO" };
        rows.add_row([&check.what, &check.expected, &check.found, &held.to_owned()]);
    }
    rows.trim_fmt()
}
