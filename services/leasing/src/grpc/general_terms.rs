//! What is agreed once for every order, there and back.

use contracts::leasing::v1 as wire;
use kernel::{MoneyTerms, Violations};
use runtime::wire::optional_known;

use super::contract::{self, within};
use super::money_terms;
use crate::domain::agreement::{Clause, GeneralTerms, MasterTerms, Precedence};
use crate::domain::contract::Contract;
use crate::domain::draft::PAYMENT_DAYS_MAX;

const CLAUSES_MAX: usize = 20;
const HEADING_CHARS: usize = 200;
const TEXT_CHARS: usize = 2_000;

/// Reads it; whatever has no meaning is noted.
pub(super) fn read(v: &mut Violations, sent: &wire::GeneralTerms) -> Option<GeneralTerms> {
    let days = within(v, "payment_terms_days", sent.payment_terms_days, 0, PAYMENT_DAYS_MAX);
    // They are the same terms as those of a lease, and are read as such.
    let as_of_lease = wire::LeaseTerms {
        late_interest: sent.late_interest.clone(),
        dispute: sent.dispute,
        ..wire::LeaseTerms::default()
    };
    let MoneyTerms { late_interest, dispute, .. } = runtime::wire::money_terms(v, &as_of_lease);
    let cure = sent.cure.as_ref().and_then(|terms| v.nested("cure", |v| contract::cure(v, terms)));
    let holdover =
        sent.holdover.as_ref().and_then(|terms| v.nested("holdover", |v| contract::holdover(v, terms)));
    let precedence = optional_known::<wire::TermsPrecedence>(v, "precedence", sent.precedence);
    Some(GeneralTerms {
        payment_terms_days: days.filter(|days| *days > 0),
        cure,
        late_interest,
        dispute,
        holdover,
        precedence: match precedence.flatten() {
            Some(wire::TermsPrecedence::Agreement) => Precedence::Agreement,
            Some(wire::TermsPrecedence::Order | wire::TermsPrecedence::Unspecified) | None => {
                Precedence::Order
            }
        },
        clauses: clauses(v, &sent.clauses)?,
    })
}

fn clauses(v: &mut Violations, sent: &[wire::Clause]) -> Option<Vec<Clause>> {
    let few = v.require("clauses", sent.len() <= CLAUSES_MAX, "must have at most 20 entries");
    if !few {
        return None;
    }
    let clauses = v.each("clauses", sent, |v, one| {
        v.require("heading", !one.heading.trim().is_empty(), "is required");
        v.require("text", !one.text.trim().is_empty(), "is required");
        let heading = v.text("heading", &one.heading, HEADING_CHARS);
        let text = v.text("text", &one.text, TEXT_CHARS);
        Some(Clause { heading: heading?, text: text? })
    });
    for (i, one) in sent.iter().enumerate() {
        if !one.heading.is_empty() && sent[..i].iter().any(|earlier| earlier.heading == one.heading) {
            v.add(&format!("clauses[{i}].heading"), "is given twice");
        }
    }
    clauses
}

/// Writes it.
pub(super) fn write(general: &GeneralTerms) -> wire::GeneralTerms {
    let GeneralTerms { cure, late_interest, dispute, holdover, .. } = general.clone();
    let contract = contract::write(&Contract { cure, holdover, ..Contract::default() }, true, <_>::default());
    let money = MoneyTerms { late_interest, dispute, ..MoneyTerms::default() };
    let money = money_terms::write(&money, wire::LeaseTerms::default());
    let precedence = match general.precedence {
        Precedence::Order => wire::TermsPrecedence::Order,
        Precedence::Agreement => wire::TermsPrecedence::Agreement,
    };
    let clause = |one: &Clause| wire::Clause { heading: one.heading.clone(), text: one.text.clone() };
    wire::GeneralTerms {
        payment_terms_days: general.payment_terms_days.map_or(0, super::terms::small),
        cure: contract.cure,
        late_interest: money.late_interest,
        dispute: money.dispute,
        holdover: contract.holdover,
        precedence: precedence.into(),
        clauses: general.clauses.iter().map(clause).collect(),
    }
}

/// Writes what an order has taken over.
pub(super) fn of_order(master: &MasterTerms) -> wire::MasterTerms {
    wire::MasterTerms {
        terms_hash: master.terms_hash.0.to_vec(),
        display_name: master.title.clone(),
        general_terms: Some(write(&master.general)),
    }
}
