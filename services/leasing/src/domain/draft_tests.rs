use kernel::{
    BlockName, CapacityVector, CivilDate, Currency, EscalationBasis, OperatorId, Percent, Rate, Reason,
    TenantName, Zone,
};
use proptest::prelude::*;

use super::*;
use crate::domain::record;
use crate::domain::testing::{date, river_bend};

fn check(draft: Draft) -> Result<Checked, kernel::Error> {
    let mut findings = Findings::new();
    let operator: OperatorId = "hut8".parse().unwrap();
    let checked = draft.check(Some(&operator), date("2026-12-01"), &mut findings);
    findings.finish()?;
    // Parts that could not be read are noted by whoever read them, which here is nobody.
    checked.ok_or_else(|| kernel::Error::internal("a part is missing"))
}

fn fields(refusal: &kernel::Error) -> Vec<&str> {
    refusal.violations().iter().map(|violation| violation.field.as_str()).collect()
}

#[test]
fn good_terms_pass() {
    let checked = check(river_bend()).unwrap();
    assert_eq!(checked.sites().count(), 1);
    let chicago: Zone = "America/Chicago".parse().unwrap();
    let terms = checked.clone().in_zones(&[(checked.sites().next().unwrap(), chicago)]).unwrap();
    assert_eq!(terms.lease_start(), Some(date("2027-12-01")));
    assert!(checked.in_zones(&[]).is_none());
}

#[test]
fn everything_wrong_is_found_at_once() {
    let mut draft = river_bend();
    draft.term_months = 0;
    draft.payment_terms_days = -1;
    draft.notes = "\u{7}".to_owned();
    draft.renewal_options =
        vec![RenewalDraft { count: 0, term_months: 12, notice_months: 999, ..RenewalDraft::default() }];
    let mut second = draft.premises[0].clone();
    second.end = second.commencement;
    second.rate = None;
    second.profile[0].1 =
        Some(CapacityVector { critical_it: 10, air: 1, liquid: 1, immersion: 0, accelerators: 0 });
    draft.premises.push(second);
    let refusal = check(draft).expect_err("refused");
    assert_eq!(refusal.reason(), Reason::InvalidField);
    assert_eq!(
        fields(&refusal),
        [
            "terms.term_months",
            "terms.payment_terms_days",
            "terms.premises[1].block",
            "terms.premises[1].end_date",
            "terms.premises[1].quantity_steps[0].capacity",
            "terms.premises[1].base_rate_per_kw_month",
            "terms.renewal_options[0].count",
            "terms.renewal_options[0].notice_months",
            "terms.notes",
        ]
    );
}

#[test]
fn what_is_beyond_the_business_has_its_own_reason() {
    let mut draft = river_bend();
    draft.premises[0].commencement = Some(date("2037-01-01"));
    draft.premises[0].profile[0].0 = Some(date("2037-01-01"));
    draft.premises[0].end = Some(date("2038-01-01"));
    assert_eq!(check(draft).expect_err("too far ahead").reason(), Reason::TermOutOfRange);

    let mut draft = river_bend();
    draft.term_months = 601;
    assert_eq!(check(draft).expect_err("too long").reason(), Reason::TermOutOfRange);
}

#[test]
fn steps_begin_with_the_term_rise_and_stay_inside() {
    let mut draft = river_bend();
    let capacity = draft.premises[0].profile[0].1;
    draft.premises[0].profile = vec![
        (Some(date("2028-01-01")), capacity),
        (Some(date("2028-01-01")), capacity),
        (Some(date("2042-12-01")), capacity),
    ];
    let steps = RateDraft::Stated(vec![(Some(date("2027-12-01")), Some(Rate::ZERO))]);
    draft.premises[0].rate = Some(steps);
    let refusal = check(draft).expect_err("refused");
    assert_eq!(
        fields(&refusal),
        [
            "terms.premises[0].quantity_steps[0].from_date",
            "terms.premises[0].quantity_steps[1].from_date",
            "terms.premises[0].quantity_steps[2].from_date",
            "terms.premises[0].rate_steps[0].rate_per_kw_month",
        ]
    );
}

#[test]
fn a_foreign_block_and_one_named_twice_are_refused() {
    let mut draft = river_bend();
    draft.premises.push(draft.premises[0].clone());
    let mut foreign = draft.premises[0].clone();
    foreign.block = Some("operators/riot/sites/rockdale/blocks/one".parse::<BlockName>().unwrap());
    draft.premises.push(foreign);
    let refusal = check(draft).expect_err("refused");
    assert_eq!(fields(&refusal), ["terms.premises[1].block", "terms.premises[2].block"]);
}

#[test]
fn equal_requests_have_equal_fingerprints() {
    let operator: OperatorId = "hut8".parse().unwrap();
    let tenant: TenantName = "tenants/fluidstack".parse().unwrap();
    let print = |draft: Draft| check(draft).unwrap().fingerprint(&operator, &tenant).unwrap();
    let mut same = river_bend();
    same.premises[0].rate = Some(RateDraft::Base(Some("128.01566776740".parse().unwrap())));
    assert_eq!(print(river_bend()), print(same));
    let mut other = river_bend();
    other.notes.push('!');
    assert_ne!(print(river_bend()), print(other));
}

fn any_date() -> impl Strategy<Value = CivilDate> {
    (0_i64..20_000).prop_map(|days| date("2000-01-01") + chrono::TimeDelta::days(days))
}

prop_compose! {
    fn any_premises()(
        start in proptest::option::of(any_date()),
        end in proptest::option::of(any_date()),
        steps in proptest::collection::vec(
            (proptest::option::of(any_date()), proptest::option::of((-5_i64..1_000, -5_i64..1_000))), 0..4),
        rate in proptest::option::of(0_i128..1_000_000_000_000),
    ) -> PremisesDraft {
        PremisesDraft {
            block: "operators/hut8/sites/river-bend/blocks/one".parse().ok(),
            profile: steps.into_iter().map(|(from, kw)| (from, kw.map(|(critical_it, liquid)| CapacityVector {
                critical_it, air: 0, liquid, immersion: 0, accelerators: 0,
            }))).collect(),
            commencement: start,
            end,
            rate: rate.map(|rate| RateDraft::Base(Rate::from_scaled(rate))),
        }
    }
}

proptest! {
    /// Whatever is written, the check neither panics nor lets through what breaks a rule, and what it lets through
    /// can be frozen and read back from its signed bytes.
    #[test]
    fn what_passes_keeps_every_rule(
        premises in proptest::collection::vec(any_premises(), 0..3),
        term_months in -1_i32..700,
        percent in 0_i64..10_000_000,
    ) {
        let draft = Draft {
            currency: Currency::new("USD"),
            structure: Some(Structure::Gross),
            premises,
            escalator: Some(EscalatorDraft {
                percent: Percent::from_scaled(percent),
                basis: Some(EscalationBasis::BlockAnniversary),
            }),
            term_months,
            ..Draft::default()
        };
        if let Ok(checked) = check(draft) {
            let terms = checked.clone().in_zones(&checked.sites().map(|site| (site, Zone::UTC)).collect::<Vec<_>>()).unwrap();
            for premises in &terms.premises {
                prop_assert!(premises.commencement < premises.end);
                prop_assert_eq!(premises.profile[0].from, premises.commencement);
                prop_assert!(premises.profile.iter().all(|step| step.from < premises.end));
                prop_assert!(premises.profile.iter().all(|step| step.capacity.carries_heat()));
            }
            let operator = "operators/hut8".parse().unwrap();
            let tenant = "tenants/acme".parse().unwrap();
            let canonical = record::canonical(&operator, &tenant, &terms).unwrap();
            prop_assert_eq!(record::read(&canonical.bytes).unwrap(), terms);
        }
    }
}
