//! Our own terms as a caller would write them, so that they pass the same rules.

use super::draft::{Draft, EscalatorDraft, PremisesDraft, RateDraft, RenewalDraft};
use super::expansion::ExpansionOption;
use super::expansion_draft::ExpansionDraft;
use super::nomination::Nomination;
use super::nomination_draft::NominationDraft;
use super::terms::{PremisesTerms, RateTerms, Terms};

impl Draft {
    /// Terms that were written by us, as a caller would write them.
    #[must_use]
    pub fn of(terms: &Terms) -> Self {
        let small = |number: u32| i32::try_from(number).unwrap_or(i32::MAX);
        let escalator = terms.escalator.map(|escalator| EscalatorDraft {
            percent: Some(escalator.percent),
            basis: Some(escalator.basis),
        });
        let renewals = terms.renewal_options.iter().map(|option| RenewalDraft {
            count: small(option.count),
            term_months: small(option.term_months),
            notice_months: small(option.notice_months),
            window_months: small(option.window_months),
            rates: option.rates.clone(),
            market: option.market,
        });
        Self {
            currency: Some(terms.currency),
            structure: Some(terms.structure),
            premises: terms.premises.iter().map(PremisesDraft::of).collect(),
            escalator,
            invoice_lead_days: small(terms.invoice_lead_days),
            payment_terms_days: small(terms.payment_terms_days),
            term_months: small(terms.term_months),
            renewal_options: renewals.collect(),
            expansion_options: terms.expansion_options.iter().map(ExpansionDraft::of).collect(),
            nominations: terms.nominations.iter().map(NominationDraft::of).collect(),
            announced: terms.announced,
            notes: terms.notes.clone(),
            contract: terms.contract.clone(),
            // What an order has taken over is part of its contract.
            master: None,
        }
    }
}

impl PremisesDraft {
    fn of(one: &PremisesTerms) -> Self {
        Self {
            block: Some(one.block.clone()),
            profile: one.profile.iter().map(|step| (Some(step.from), Some(step.capacity))).collect(),
            commencement: Some(one.commencement),
            end: Some(one.end),
            rate: Some(match &one.rate {
                RateTerms::Base(rate) => RateDraft::Base(Some(*rate)),
                RateTerms::Stated(steps) => {
                    RateDraft::Stated(steps.iter().map(|step| (Some(step.from), Some(step.rate))).collect())
                }
            }),
        }
    }
}

impl ExpansionDraft {
    fn of(option: &ExpansionOption) -> Self {
        Self {
            id: Some(option.id.clone()),
            premises: option.premises.iter().map(PremisesDraft::of).collect(),
            first: option.first,
            last: Some(option.last),
        }
    }
}

impl NominationDraft {
    fn of(one: &Nomination) -> Self {
        Self {
            id: Some(one.id.clone()),
            site: Some(one.site.clone()),
            capacity: Some(one.capacity),
            commencement: Some(one.commencement),
            end: Some(one.end),
            rate: Some(one.rate),
            last: Some(one.last),
        }
    }
}
