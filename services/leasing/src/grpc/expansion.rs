//! Options on more blocks, there and back.

use contracts::leasing::v1 as wire;
use kernel::Violations;
use runtime::wire::{date, optional_date, to_date, to_timestamp};

use super::terms;
use crate::domain::Lease;
use crate::domain::expansion::{Expansion, ExpansionOption};
use crate::domain::expansion_draft::ExpansionDraft;

/// Reads an option in terms.
pub(super) fn draft(v: &mut Violations, option: &wire::ExpansionOption) -> ExpansionDraft {
    let premises = option.premises.iter().enumerate();
    ExpansionDraft {
        id: v.parse("option_id", &option.option_id, kernel::SiteId::new).map(|id| id.to_string()),
        premises: premises
            .map(|(i, one)| v.nested(&format!("premises[{i}]"), |v| terms::premises(v, one)))
            .collect(),
        first: optional_date(v, "first_notice_date", option.first_notice_date.as_ref()).flatten(),
        last: date(v, "last_notice_date", option.last_notice_date.as_ref()),
    }
}

/// Writes an option. Without `money` rates are left out.
pub(super) fn option_to_wire(option: &ExpansionOption, money: bool) -> wire::ExpansionOption {
    wire::ExpansionOption {
        option_id: option.id.clone(),
        premises: option.premises.iter().map(|one| terms::premises_to_wire(one, money)).collect(),
        first_notice_date: option.first.map(to_date),
        last_notice_date: Some(to_date(option.last)),
    }
}

/// Writes where every option stands: those that were exercised, then those of the terms.
pub(super) fn standing(lease: &Lease) -> Vec<wire::Expansion> {
    let exercised = lease.life.expansions.iter().map(exercised);
    let others = lease.terms.expansion_options.iter().map(|option| {
        let open = lease.is_open_option(option);
        let state = if open { wire::ExpansionState::Open } else { wire::ExpansionState::Lapsed };
        wire::Expansion { option_id: option.id.clone(), state: state.into(), ..Default::default() }
    });
    exercised.chain(others).collect()
}

fn exercised(one: &Expansion) -> wire::Expansion {
    wire::Expansion {
        option_id: one.option.clone(),
        state: wire::ExpansionState::Exercised.into(),
        exercise_time: Some(to_timestamp(one.time)),
        signatory: Some(wire::Signatory {
            name: one.signatory.name.clone(),
            title: one.signatory.title.clone(),
        }),
        version: one.version.into(),
    }
}
