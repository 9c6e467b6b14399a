//! What stands on the order form of a lease: all that both sides sign, and who has.

use kernel::{
    Abatement, BillingFrequency, CapacityVector, Error, Proration, RentTiming, SiteName, TenantName,
};
use paper::{Column, Document, Entity, Fact, Part, Section, Table, words};

use super::cut_over::Import;
use super::lease::{Lease, Party, Premises, Signatory, Signature};
use super::lease_years::lease_years;
use super::money_words::money;
use super::order_contract;
use super::rate_words::{escalation, renewal_rent};
use super::schedule::{ScheduleLine, Value};
use super::state::LeaseState;
use super::terms::{RenewalOption, Structure, Terms};

/// The names behind the resource names, as they are known now.
#[derive(Clone, Debug)]
pub struct Names {
    /// The operator's name.
    pub operator: String,
    /// The tenant's name.
    pub tenant: String,
    /// The sites of the premises.
    pub sites: Vec<NamedSite>,
}

/// A site's name, and the legal entity that bills for it.
#[derive(Clone, Debug)]
pub struct NamedSite {
    /// Its resource name.
    pub site: SiteName,
    /// What people call it.
    pub display_name: String,
    /// Who issues, if it is known.
    pub entity: Option<Entity>,
}

impl Names {
    /// A block as people call it.
    pub(super) fn place(&self, premises: &Premises) -> String {
        let site = premises.block.site_name();
        let name =
            self.sites.iter().find(|known| known.site == site).map(|known| known.display_name.as_str());
        format!("{} / {}", name.unwrap_or(site.site.as_str()), premises.block.block)
    }
}

/// The order form.
///
/// # Errors
/// `TERM_OUT_OF_RANGE`, which a lease that was accepted does not give.
pub fn order_form(
    lease: &Lease,
    value: &Value,
    lines: &[ScheduleLine],
    names: &Names,
) -> Result<Document, Error> {
    let terms = &lease.terms;
    let mut sections = Vec::new();
    if lease.taken().is_empty() {
        sections.push(Section::new("Rates", vec![Part::Text(escalation(terms))]));
    } else {
        sections.extend([
            Section::new("Premises", vec![Part::Table(premises(lease, names))]),
            Section::new("Rates", vec![Part::Text(escalation(terms)), Part::Table(rates(lease, names))]),
            Section::new("Rent by lease year", rent(lease, value, lines)?),
        ]);
    }
    sections.extend(order_contract::nominations(lease, value));
    sections.push(Section::new("Renewal options", options(terms, value)));
    sections.push(Section::new("Billing", vec![Part::Facts(billing(terms))]));
    sections.extend(order_contract::expansions(lease, value, names));
    sections.extend(order_contract::section(lease, names));
    sections.extend(order_contract::master_agreement(terms));
    if !terms.notes.is_empty() {
        sections
            .push(Section::new("Remarks that are part of the terms", vec![Part::Text(terms.notes.clone())]));
    }
    sections.push(Section::new("Signatures", signatures(lease)));
    Ok(Document {
        title: "Order form".to_owned(),
        reference: format!("{}, version {}", lease.name, lease.version),
        stamp: stamp(lease),
        as_of: lease.update_time,
        parties: parties(lease, names),
        facts: facts(lease, value),
        sections,
        seal: Some(Fact::new("Terms SHA-256", words::hex(&lease.terms_hash.0))),
    })
}

/// Nobody shall take for an agreement what is none, or none any more.
fn stamp(lease: &Lease) -> Option<&'static str> {
    match lease.state {
        LeaseState::Draft | LeaseState::Proposing | LeaseState::Proposed => Some("NOT SIGNED"),
        LeaseState::Cancelled => Some("CANCELLED"),
        LeaseState::Lapsed => Some("LAPSED"),
        LeaseState::Terminated => Some("TERMINATED"),
        LeaseState::Signing
        | LeaseState::Signed
        | LeaseState::Effective
        | LeaseState::Active
        | LeaseState::Holdover
        | LeaseState::Defaulted
        | LeaseState::Expired
        | LeaseState::Closed => None,
    }
}

fn parties(lease: &Lease, names: &Names) -> Vec<paper::Party> {
    let operator = format!("operators/{}", lease.name.operator);
    let entities: Vec<Entity> = names.sites.iter().filter_map(|site| site.entity.clone()).collect();
    let tenant = TenantName::to_string(&lease.tenant);
    let party =
        |role: &str, name: &str, lines| paper::Party { role: role.to_owned(), name: name.to_owned(), lines };
    let contract = &lease.terms.contract;
    let end_user = contract.end_user.iter().map(|name| party("End user", name, Vec::new()));
    let guarantor = contract.guarantor.iter().map(|name| party("Guarantor", name, Vec::new()));
    let sides = [
        paper::Party::operator("Operator", &operator, &names.operator, &entities),
        party("Tenant", &names.tenant, vec![tenant]),
    ];
    sides.into_iter().chain(end_user).chain(guarantor).collect()
}

fn facts(lease: &Lease, value: &Value) -> Vec<Fact> {
    let terms = &lease.terms;
    let structure = match terms.structure {
        Structure::TripleNet => "Triple net: the tenant bears power, taxes, insurance and upkeep",
        Structure::ModifiedGross => "Modified gross: some running costs are in the rent",
        Structure::Gross => "Gross: running costs are in the rent",
    };
    let mut facts = vec![
        Fact::new("State", lease.state.name()),
        Fact::new("Structure", structure),
        Fact::new("Critical IT load", format!("{} kW", words::number(value.critical_it_kw))),
        Fact::new("Base term", words::count(terms.term_months, "month")),
    ];
    if let Some(start) = lease.taken().iter().map(|one| one.commencement).min() {
        facts.push(Fact::new("First commencement", words::day(start)));
    }
    if let Some(end) = lease.taken().iter().map(|one| one.end).max() {
        facts.push(Fact::new("Last day", words::last_day(end)));
    }
    facts.push(Fact::new("Rent of year one", words::money(value.year_one_rent)));
    facts.push(Fact::new("Rent of the base term", words::money(value.base_contract_value)));
    let dates = [
        ("Proposed", Some(lease.create_time)),
        ("Signed", lease.signed_time),
        ("In force", lease.effective_time),
    ];
    let told = dates.into_iter().filter_map(|(label, at)| Some(Fact::new(label, words::instant(at?))));
    facts.extend(told);
    facts.extend(terms.announced.map(|day| Fact::new("Announced", words::day(day))));
    facts
}

/// One row a step of the load; the dates are days of the site.
fn premises(lease: &Lease, names: &Names) -> Table {
    let mut remarks = Vec::new();
    let mut rows = Vec::new();
    for one in lease.taken() {
        let ends = one.quantity_steps.iter().skip(1).map(|step| step.from).chain([one.end]);
        for (i, (step, end)) in one.quantity_steps.iter().zip(ends).enumerate() {
            let CapacityVector { critical_it, air, liquid, immersion, .. } = step.capacity;
            let place = if i == 0 { names.place(one) } else { String::new() };
            let [it, air, liquid, immersion] = [critical_it, air, liquid, immersion].map(words::number);
            rows.push([place, words::day(step.from), words::last_day(end), it, air, liquid, immersion]);
            remarks.push(remark(one, step.capacity.accelerators, i == 0));
        }
    }
    let columns = [
        Column::words("Block"),
        Column::words("From"),
        Column::words("Through"),
        Column::numbers("Critical IT, kW"),
        Column::numbers("Air cooling, kW"),
        Column::numbers("Liquid cooling, kW"),
        Column::numbers("Immersion, kW"),
    ];
    Table::new(columns, rows).with_remarks(remarks)
}

fn remark(premises: &Premises, accelerators: i64, first: bool) -> String {
    let mut parts = Vec::new();
    if first {
        parts.push(format!("{}, days in {}", premises.block, premises.zone));
        let agreed = premises.agreed;
        if (agreed.start(), agreed.end()) != (premises.commencement, premises.end) {
            let (from, through) = (words::day(agreed.start()), words::last_day(agreed.end()));
            parts.push(format!("agreed from {from} through {through}"));
        }
        if premises.rent_from() != premises.commencement {
            parts.push(format!("rent from {}", words::day(premises.rent_from())));
        }
    }
    if accelerators > 0 {
        parts.push(format!("with {} accelerators", words::number(accelerators)));
    }
    parts.join(", ")
}

fn rates(lease: &Lease, names: &Names) -> Table {
    let steps = || {
        lease.taken().iter().flat_map(|one| one.rate_steps.iter().enumerate().map(move |step| (one, step)))
    };
    let figures = words::rates(&steps().map(|(_, (_, step))| step.rate).collect::<Vec<_>>());
    let rows = steps().zip(figures).map(|((one, (i, step)), rate)| {
        let place = if i == 0 { names.place(one) } else { String::new() };
        [place, words::day(step.from), rate]
    });
    let rate = format!("Rent per kW of critical IT and month, {}", lease.terms.currency);
    Table::new([Column::words("Block"), Column::words("From"), Column::numbers(rate)], rows)
}

fn rent(lease: &Lease, value: &Value, lines: &[ScheduleLine]) -> Result<Vec<Part>, Error> {
    let years = lease_years(&lease.terms, lease.taken(), lines)?;
    let rows = years.iter().map(|year| {
        let (from, through) = (words::day(year.days.start()), words::last_day(year.days.end()));
        [year.number.to_string(), from, through, year.rent.grouped()]
    });
    let columns = [
        Column::words("Lease year"),
        Column::words("From"),
        Column::words("Through"),
        Column::numbers(format!("Rent, {}", lease.terms.currency)),
    ];
    let total = ["Base term".to_owned(), String::new(), String::new(), value.base_contract_value.grouped()];
    let days = match lease.terms.contract.rent.proration {
        Proration::ActualActual => "by their days",
        Proration::Thirty360 => "as if each had 30 days",
        Proration::Actual365 => "by days of a year of 365",
    };
    let how = format!("Broken months are prorated {days}; every month is rounded once, half up.");
    Ok(vec![Part::Table(Table::new(columns, rows).with_total(total)), Part::Text(how)])
}

fn options(terms: &Terms, value: &Value) -> Vec<Part> {
    if terms.renewal_options.is_empty() {
        return vec![Part::Text("None.".to_owned())];
    }
    let rows = terms.renewal_options.iter().map(|option| {
        let notice = match option.notice_months {
            0 => "by the end of the term".to_owned(),
            months => format!("{} before the end", words::count(months, "month")),
        };
        let (times, months) = (words::count(option.count, "time"), words::count(option.term_months, "month"));
        [times, months, notice, renewal_rent(option)]
    });
    let columns = ["How often", "Term of each", "Notice due", "Rate"].map(Column::words);
    let rent = words::money(value.options_contract_value);
    let how = if terms.renewal_options.iter().all(RenewalOption::goes_on) {
        "Rent of all renewals, the rates going on as they rise"
    } else {
        "Rent of all renewals, where it is to be agreed at the last rate before within floor and cap"
    };
    vec![
        Part::Table(Table::new(columns, rows)),
        Part::Text(format!("{how}: {rent}. It is no part of the base term.")),
    ]
}

fn billing(terms: &Terms) -> Vec<Fact> {
    let lead = match terms.invoice_lead_days {
        0 => "on the first day of the month".to_owned(),
        days => format!("{} before the month", words::count(days, "day")),
    };
    let rent = &terms.contract.rent;
    let often = match rent.frequency {
        BillingFrequency::Monthly => "every calendar month",
        BillingFrequency::Quarterly => "every quarter of the calendar",
        BillingFrequency::Yearly => "every calendar year",
    };
    let timing = match rent.timing {
        RentTiming::InAdvance => "in advance",
        RentTiming::InArrears => "in arrears",
    };
    let mut facts = vec![
        Fact::new("Rent is billed", format!("{often}, {timing}")),
        Fact::new("Currency", terms.currency.to_string()),
        Fact::new("Invoices are due to be issued", lead),
        Fact::new("Payment is due", format!("{} after issue", words::count(terms.payment_terms_days, "day"))),
    ];
    facts.extend(rent.abatements.iter().map(|Abatement { first_month, months, percent }| {
        let after = match first_month {
            0 => "from each block's first day of rent".to_owned(),
            first => format!("from {} after each block's first day of rent", words::count(*first, "month")),
        };
        Fact::new(
            "Let off",
            format!("{percent} percent of the rent for {} {after}", words::count(*months, "month")),
        )
    }));
    facts.extend(money(&terms.contract.money));
    facts
}

pub(super) fn side(party: Party) -> &'static str {
    match party {
        Party::Operator => "Operator",
        Party::Tenant => "Tenant",
    }
}

fn signatures(lease: &Lease) -> Vec<Part> {
    let sides = [Party::Operator, Party::Tenant];
    let of = |party| lease.signatures.iter().find(|signature| signature.party == party);
    let rows = sides.map(|party| match of(party) {
        Some(Signature { signatory, time, peer_address, .. }) => [
            side(party).to_owned(),
            signatory.name.clone(),
            signatory.title.clone(),
            words::instant(*time),
            peer_address.clone(),
        ],
        None if lease.is_nominated() => {
            [side(party), "bound by the right to name blocks in the version before", "", "", ""]
                .map(str::to_owned)
        }
        None if lease.is_expanded() => {
            [side(party), "bound by the option in the version before", "", "", ""].map(str::to_owned)
        }
        None => [side(party), "not signed yet", "", "", ""].map(str::to_owned),
    });
    let columns = ["Side", "Name", "Office", "When", "From where"].map(Column::words);
    let signed = |signature: &Signature| format!("signed {}", words::hex(&signature.terms_hash.0));
    let remarks = sides.map(|party| of(party).map(signed).unwrap_or_default());
    let how =
        "Both sides sign the SHA-256 hash of the same canonical terms (RFC 8785); it stands on every page.";
    match &lease.life.import {
        Some(import) if lease.version == 1 => vec![Part::Facts(paper(import))],
        _ => vec![Part::Table(Table::new(columns, rows).with_remarks(remarks)), Part::Text(how.to_owned())],
    }
}

/// What there is instead of signatures where nobody signed here.
fn paper(import: &Import) -> Vec<Fact> {
    let Signatory { name, title } = &import.signatory;
    let who = if title.is_empty() { name.clone() } else { format!("{name}, {title}") };
    vec![
        Fact::new("Signed on paper", format!("{}, {}", import.reference, words::day(import.signed))),
        Fact::new("Attested for the operator", format!("by {who}, {}", words::instant(import.time))),
        Fact::new("Billed here", format!("from {}", words::day(import.billed_from))),
    ]
}

#[cfg(test)]
#[path = "order_form_tests.rs"]
mod tests;
