//! What is agreed of rent beside load and rate, to the wire.

use contracts::leasing::v1 as wire;
use kernel::{Abatement, BillingFrequency, IndexEscalator, IndexMethod, Proration, RentRules, RentTiming};
use runtime::wire::{to_date, to_decimal};

use super::terms;

/// Writes it, where something is said beside how often it is billed.
pub(super) fn write(rules: &RentRules) -> Option<wire::RentTerms> {
    let plain = RentRules { frequency: rules.frequency, ..RentRules::default() };
    (*rules != plain).then(|| wire::RentTerms {
        proration: proration(rules.proration).into(),
        timing: match rules.timing {
            RentTiming::InAdvance => wire::RentTiming::InAdvance,
            RentTiming::InArrears => wire::RentTiming::InArrears,
        }
        .into(),
        abatements: rules.abatements.iter().map(abatement_to_wire).collect(),
        index_escalator: rules.index.as_ref().map(index_to_wire),
    })
}

/// How often rent is billed.
pub(super) fn frequency(frequency: BillingFrequency) -> wire::BillingFrequency {
    match frequency {
        BillingFrequency::Monthly => wire::BillingFrequency::Monthly,
        BillingFrequency::Quarterly => wire::BillingFrequency::Quarterly,
        BillingFrequency::Yearly => wire::BillingFrequency::Yearly,
    }
}

/// How days are counted.
pub(super) fn proration(proration: Proration) -> wire::Proration {
    match proration {
        Proration::ActualActual => wire::Proration::ActualActual,
        Proration::Thirty360 => wire::Proration::Thirty360,
        Proration::Actual365 => wire::Proration::Actual365,
    }
}

fn abatement_to_wire(abatement: &Abatement) -> wire::Abatement {
    wire::Abatement {
        first_month: terms::small(abatement.first_month),
        months: terms::small(abatement.months),
        percent: Some(to_decimal(abatement.percent)),
    }
}

fn index_to_wire(index: &IndexEscalator) -> wire::IndexEscalator {
    let (basis, fixed) = terms::basis_to_wire(index.basis);
    wire::IndexEscalator {
        price_series_id: index.series.to_string(),
        base_value: Some(to_decimal(index.base)),
        lag_months: terms::small(index.lag_months),
        floor_percent: Some(to_decimal(index.floor)),
        cap_percent: index.cap.map(to_decimal),
        method: match index.method {
            IndexMethod::Compounding => wire::IndexMethod::Compounding,
            IndexMethod::BaseOnBase => wire::IndexMethod::BaseOnBase,
        }
        .into(),
        basis: basis.into(),
        fixed_date: fixed.map(to_date),
    }
}
