//! What an order form says of the time after the signatures.

use paper::{Column, Fact, Part, Section, Table, words};

use super::agreement::Precedence;
use super::contract::{Contract, DeliveryTerms, HoldoverTerms, TermBasis, TerminationTerms};
use super::credit::{CoversFrom, SupportKind};
use super::lease::Lease;
use super::order_form::{Names, side};
use super::right::RightKind;
use super::schedule::Value;
use super::terms::Terms;

/// What is agreed for the time after the signatures, where something is.
pub(super) fn section(lease: &Lease, names: &Names) -> Option<Section> {
    let contract = &lease.terms.contract;
    if contract.is_plain() {
        return None;
    }
    let mut parts = vec![Part::Facts(after_signature(contract))];
    if !contract.conditions.is_empty() {
        parts.push(Part::Table(conditions(lease, names)));
    }
    if !contract.expansion_rights.is_empty() {
        parts.push(Part::Table(expansion_rights(contract)));
    }
    if !contract.credit_supports.is_empty() {
        parts.push(Part::Table(credit_supports(contract)));
    }
    Some(Section::new("Conditions, delivery and the way out", parts))
}

/// The options on more blocks, where there are any.
pub(super) fn expansions(lease: &Lease, value: &Value, names: &Names) -> Option<Section> {
    let options = &lease.terms.expansion_options;
    let blocks = options.iter().flat_map(|option| option.premises.iter().map(move |one| (option, one)));
    let rows: Vec<_> = blocks
        .filter_map(|(option, agreed)| {
            let one = lease.premises.iter().find(|one| one.block == agreed.block)?;
            let first = option.first.map_or("the lease is in force".to_owned(), words::day);
            let rate = one.rate_steps.first().map(|step| step.rate.to_string()).unwrap_or_default();
            Some([
                option.id.clone(),
                names.place(one),
                words::day(agreed.commencement),
                words::last_day(agreed.end),
                words::number(one.critical_it_kw()),
                rate,
                format!("{first} through {}", words::day(option.last)),
            ])
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let columns = [
        Column::words("Option"),
        Column::words("Block"),
        Column::words("From"),
        Column::words("Through"),
        Column::numbers("Critical IT, kW"),
        Column::numbers(format!("First rent per kW and month, {}", lease.terms.currency)),
        Column::words("Notice from"),
    ];
    let rent = words::money(value.expansions_contract_value);
    let apart = format!("Rent of all options that are open: {rent}. It is no part of the base term.");
    Some(Section::new(
        "Options on more blocks",
        vec![Part::Table(Table::new(columns, rows)), Part::Text(apart)],
    ))
}

/// Capacity whose blocks are named later, where some is open.
pub(super) fn nominations(lease: &Lease, value: &Value) -> Option<Section> {
    let rows: Vec<_> = lease
        .open_nominations()
        .map(|one| {
            [
                one.id.clone(),
                one.site.to_string(),
                words::day(one.commencement),
                words::last_day(one.end),
                words::number(one.capacity.critical_it),
                one.rate.to_string(),
                words::day(one.last),
            ]
        })
        .collect();
    if rows.is_empty() {
        return None;
    }
    let columns = [
        Column::words("Nomination"),
        Column::words("Site"),
        Column::words("From"),
        Column::words("Through"),
        Column::numbers("Critical IT, kW"),
        Column::numbers(format!("First rent per kW and month, {}", lease.terms.currency)),
        Column::words("To be named by"),
    ];
    let rent = words::money(value.unplaced_contract_value);
    let apart = format!(
        "Nothing is held for it until the operator names blocks; what is not named by its day lapses. Its rent, not yet placed: {rent}. \
         It is no part of the base term."
    );
    let parts = vec![Part::Table(Table::new(columns, rows)), Part::Text(apart)];
    Some(Section::new("Capacity without blocks yet", parts))
}

/// The agreement that it is an order under: what was taken over stands where the terms of the order do.
pub(super) fn master_agreement(terms: &Terms) -> Option<Section> {
    let master = terms.contract.master.as_ref()?;
    let counts = match master.general.precedence {
        Precedence::Order => "the order's, where it states terms of its own",
        Precedence::Agreement => "the agreement's",
    };
    let mut facts = vec![
        Fact::new("This is an order under", format!("{}, {}", master.title, master.agreement)),
        Fact::new("SHA-256 of the agreement", words::hex(&master.terms_hash.0)),
        Fact::new("Whose word counts", counts),
    ];
    let clauses = master.general.clauses.iter();
    facts.extend(clauses.map(|clause| Fact::new(clause.heading.clone(), clause.text.clone())));
    Some(Section::new("Master agreement", vec![Part::Facts(facts)]))
}

fn after_signature(contract: &Contract) -> Vec<Fact> {
    let days = |days| words::count(days, "day");
    let cure = [true, false].map(|monetary| days(contract.cure_days(monetary)));
    let mut facts = vec![
        Fact::new(
            "A block that commences on another day than agreed is leased",
            match contract.term_basis {
                TermBasis::CoTerminous => "until its agreed end",
                TermBasis::FromEachPhase => "for its whole term",
            },
        ),
        Fact::new("Time to cure a default", format!("{} to pay, {} otherwise", cure[0], cure[1])),
    ];
    if let Some(delivery) = contract.delivery {
        let DeliveryTerms { acceptance_days, grace_days, single_abatement_days, outside_days } = delivery;
        let abates = format!(
            "free for {}; each of the next {} abates a day of rent, each later one two",
            days(grace_days),
            days(single_abatement_days)
        );
        facts.push(Fact::new(
            "Deemed acceptance",
            format!("{} after ready for service", days(acceptance_days)),
        ));
        facts.push(Fact::new("Delay", abates));
        let outside = outside_days.map_or("never".to_owned(), |outside| format!("of {}", days(outside)));
        facts.push(Fact::new("The tenant may end the lease after a delay", outside));
    }
    if let Some(TerminationTerms { notice_months, fee_months }) = contract.termination {
        let (notice, fee) = (words::count(notice_months, "month"), words::count(fee_months, "month"));
        facts.push(Fact::new(
            "The tenant may end the lease",
            format!("with {notice} of notice, for {fee} of rent"),
        ));
    }
    let staying = contract.holdover.unwrap_or(HoldoverTerms::USUAL).percent;
    facts.push(Fact::new(
        "Rent of a tenant that stays beyond the term",
        format!("{staying} % of the last rate"),
    ));
    facts
}

fn conditions(lease: &Lease, names: &Names) -> Table {
    let rows = lease.terms.contract.conditions.iter().map(|condition| {
        let block = condition.block.as_ref();
        let place = block.and_then(|block| lease.premises.iter().find(|one| one.block == *block));
        let met = lease.life.met.iter().find(|met| met.condition == condition.id);
        [
            condition.description.clone(),
            place.map_or("the whole lease".to_owned(), |one| names.place(one)),
            side(condition.satisfied_by).to_owned(),
            words::last_day(condition.outside_date),
            met.map_or("open".to_owned(), |met| format!("met {}", words::day(met.time.date_naive()))),
        ]
    });
    Table::new(["Condition", "Of", "Said by", "Last day", "Stands"].map(Column::words), rows)
}

/// What the tenant is asked before others are.
fn expansion_rights(contract: &Contract) -> Table {
    let rows = contract.expansion_rights.iter().map(|right| {
        let kind = match right.kind {
            RightKind::Rofr => "First refusal",
            RightKind::Rofo => "First offer",
        };
        [
            kind.to_owned(),
            right.place.to_string(),
            words::number(right.quantity_kw),
            words::count(right.response_days, "day"),
            right.until.map_or("the end of the lease".to_owned(), words::last_day),
        ]
    });
    let [of, on, time, through] = ["Right of", "On", "Time to answer", "Through"].map(Column::words);
    Table::new([of, on, Column::numbers("Critical IT, kW"), time, through], rows)
}

/// Who stands behind the tenant, and for how much.
fn credit_supports(contract: &Contract) -> Table {
    let rows = contract.credit_supports.iter().map(|support| {
        let kind = match support.kind {
            SupportKind::Guaranty => "Guaranty",
            SupportKind::LetterOfCredit => "Letter of credit",
        };
        let from = match support.covers_from {
            CoversFrom::InForce => "the lease is in force",
            CoversFrom::FirstRent => "the first rent",
        };
        let falls = match support.amortisation_months {
            0 => "does not fall".to_owned(),
            months => format!("to nothing in {} from the first rent on", words::count(months, "month")),
        };
        let until = support.expiry.map_or("the end of the lease".to_owned(), words::last_day);
        [kind.to_owned(), support.provider.clone(), words::money(support.cap), from.to_owned(), falls, until]
    });
    let [kind, by, from, falls, through] =
        ["Support", "By", "From when", "How it falls", "Through"].map(Column::words);
    Table::new([kind, by, Column::numbers("At most"), from, falls, through], rows)
}
