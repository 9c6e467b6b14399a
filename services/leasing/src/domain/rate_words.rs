//! How rates rise, in the words of an order form.

use kernel::{EscalationBasis, IndexEscalator, IndexMethod};
use paper::words;

use super::renewal_rent::MarketRent;
use super::terms::{RateTerms, RenewalOption, Terms};

/// By what and when.
pub(super) fn escalation(terms: &Terms) -> String {
    if let Some(index) = &terms.contract.rent.index {
        return indexed(terms, index);
    }
    let Some(escalator) = &terms.escalator else { return "Rates do not rise by themselves.".to_owned() };
    let when = anniversary(escalator.basis);
    let rises = format!(
        "Base rates rise by {} percent a year {when}; every rate of the term is worked out below.",
        escalator.percent
    );
    with_stated(terms, rises)
}

/// The rent of the renewals that an option gives, in their order.
pub(super) fn renewal_rent(option: &RenewalOption) -> String {
    let stated = words::rates(&option.rates);
    let stated = (!stated.is_empty()).then(|| {
        format!(
            "{} in the first year, rising as the base rates do from each renewal on",
            stated.join(", then ")
        )
    });
    let all_stated = usize::try_from(option.count).is_ok_and(|count| option.rates.len() >= count);
    let others = match option.market {
        _ if all_stated => None,
        None => Some("as the rates before it rise".to_owned()),
        Some(MarketRent { floor, cap }) => {
            let least =
                floor.map_or(String::new(), |floor| format!(", at least {floor} percent of the last rate"));
            let most = cap.map_or(String::new(), |cap| format!(", at most {cap} percent of the last rate"));
            Some(format!("by the market, to be agreed{least}{most}"))
        }
    };
    stated.into_iter().chain(others).collect::<Vec<_>>().join("; then ")
}

/// What the parties agreed of an index, and what the figures below leave out.
fn indexed(terms: &Terms, index: &IndexEscalator) -> String {
    let when = anniversary(index.basis);
    let how = match index.method {
        IndexMethod::Compounding => "by each year's change of the index, on the rate before",
        IndexMethod::BaseOnBase => "by the index over its base value, on the base rate",
    };
    let cap = index.cap.map_or(String::new(), |cap| format!(" and at most {cap} percent"));
    let lag = match index.lag_months {
        0 => "of the month".to_owned(),
        months => format!("of {} before", words::count(months, "month")),
    };
    let IndexEscalator { series, base, floor, .. } = index;
    let rises = format!(
        "Base rates follow the index {series}, which was {base} when they were agreed: they are adjusted {when}, by \
         its value {lag}, {how}, by at least {floor} percent{cap} a year. The figures below are what is certain: rates \
         that rise by {floor} percent a year."
    );
    with_stated(terms, rises)
}

fn anniversary(basis: EscalationBasis) -> String {
    match basis {
        EscalationBasis::LeaseAnniversary => {
            "on each anniversary of the first commencement, for all blocks".to_owned()
        }
        EscalationBasis::BlockAnniversary => "on each anniversary of the block's commencement".to_owned(),
        EscalationBasis::FirstOfMonthOnOrAfterBlockAnniversary => {
            "on the first of the month on or after each anniversary of the block's commencement".to_owned()
        }
        EscalationBasis::FixedDate(day) => {
            format!("on {} and each anniversary of it, for all blocks", words::day(day))
        }
    }
}

fn with_stated(terms: &Terms, rises: String) -> String {
    let stated = terms.premises.iter().any(|premises| matches!(premises.rate, RateTerms::Stated(_)));
    if stated {
        format!("{rises} Rates that the terms state step by step do not rise beyond that.")
    } else {
        rises
    }
}
