//! What stands behind a tenant, as leasing tells it.

use contracts::leasing::v1 as wire;
use kernel::{CoversFrom, CreditSupport, SupportKind, Violations};
use runtime::wire::{known, money, optional_date};

pub(super) fn support_of(v: &mut Violations, support: &wire::CreditSupport) -> Option<CreditSupport> {
    let kind = known::<wire::CreditSupportKind>(v, "kind", support.kind);
    let covers_from = known::<wire::CreditCoverStart>(v, "covers_from", support.covers_from);
    let cap = money(v, "cap", support.cap.as_ref());
    let months = v.take("amortisation_months", u32::try_from(support.amortisation_months));
    let expiry = optional_date(v, "expiry_date", support.expiry_date.as_ref());
    Some(CreditSupport {
        id: support.credit_support_id.clone(),
        kind: match kind? {
            wire::CreditSupportKind::Unspecified => return None,
            wire::CreditSupportKind::Guaranty => SupportKind::Guaranty,
            wire::CreditSupportKind::LetterOfCredit => SupportKind::LetterOfCredit,
        },
        provider: support.provider.clone(),
        cap: cap?,
        covers_from: match covers_from? {
            wire::CreditCoverStart::Unspecified => return None,
            wire::CreditCoverStart::InForce => CoversFrom::InForce,
            wire::CreditCoverStart::FirstRent => CoversFrom::FirstRent,
        },
        amortisation_months: months?,
        expiry: expiry?,
    })
}
