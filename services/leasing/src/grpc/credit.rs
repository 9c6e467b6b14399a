//! What stands behind a tenant, there and back.

use contracts::leasing::v1 as wire;
use kernel::{CivilDate, Error, LeaseName, Violations};
use runtime::wire::{date, display_name, known, money, optional_date, to_date, to_money};

use super::contract::within;
use super::terms::small;
use crate::domain::credit::{CoversFrom, CreditCover, CreditSupport, SupportKind};

/// Reads one promise of the terms.
pub(super) fn support(v: &mut Violations, support: &wire::CreditSupport) -> Option<CreditSupport> {
    let id = v.parse("credit_support_id", &support.credit_support_id, kernel::SiteId::new);
    let kind = known::<wire::CreditSupportKind>(v, "kind", support.kind);
    let provider = display_name(v, "provider", &support.provider);
    let cap = money(v, "cap", support.cap.as_ref());
    let covers_from = known::<wire::CreditCoverStart>(v, "covers_from", support.covers_from);
    let amortisation_months = within(v, "amortisation_months", support.amortisation_months, 0, 600);
    let expiry = support.expiry_date.as_ref().map(|day| date(v, "expiry_date", Some(day)));
    Some(CreditSupport {
        id: id?.to_string(),
        kind: match kind? {
            wire::CreditSupportKind::Unspecified => return None,
            wire::CreditSupportKind::Guaranty => SupportKind::Guaranty,
            wire::CreditSupportKind::LetterOfCredit => SupportKind::LetterOfCredit,
        },
        provider: provider?,
        cap: cap?,
        covers_from: match covers_from? {
            wire::CreditCoverStart::Unspecified => return None,
            wire::CreditCoverStart::InForce => CoversFrom::InForce,
            wire::CreditCoverStart::FirstRent => CoversFrom::FirstRent,
        },
        amortisation_months: amortisation_months?,
        expiry: expiry.flatten(),
    })
}

/// Writes one promise. Without `money` its cap is left out.
pub(super) fn support_to_wire(support: &CreditSupport, money: bool) -> wire::CreditSupport {
    let kind = match support.kind {
        SupportKind::Guaranty => wire::CreditSupportKind::Guaranty,
        SupportKind::LetterOfCredit => wire::CreditSupportKind::LetterOfCredit,
    };
    let covers_from = match support.covers_from {
        CoversFrom::InForce => wire::CreditCoverStart::InForce,
        CoversFrom::FirstRent => wire::CreditCoverStart::FirstRent,
    };
    wire::CreditSupport {
        credit_support_id: support.id.clone(),
        kind: kind.into(),
        provider: support.provider.clone(),
        cap: money.then(|| to_money(support.cap)),
        covers_from: covers_from.into(),
        amortisation_months: small(support.amortisation_months),
        expiry_date: support.expiry.map(to_date),
    }
}

/// Reads of which lease, and on which day.
pub(super) fn get(request: &wire::GetCreditCoverRequest) -> Result<(LeaseName, Option<CivilDate>), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse);
    let as_of = optional_date(&mut v, "as_of_date", request.as_of_date.as_ref());
    v.build(|| Some((name?, as_of?)))
}

/// The reply to a question for the cover.
pub(super) fn told(cover: &CreditCover) -> wire::GetCreditCoverResponse {
    let covers = cover.covers.iter().map(|one| wire::CreditCover {
        credit_support: Some(support_to_wire(&one.support, true)),
        cover: Some(to_money(one.cover)),
        next_change_date: one.next.map(|(day, _)| to_date(day)),
        next_cover: one.next.map(|(_, then)| to_money(then)),
    });
    wire::GetCreditCoverResponse {
        as_of_date: Some(to_date(cover.as_of)),
        first_rent_date: cover.first_rent.map(to_date),
        covers: covers.collect(),
        total: Some(to_money(cover.total)),
    }
}
