//! Identifiers, names, quantities, money, callers, errors: their forms, their limits, their JSON.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

use std::collections::BTreeSet;
use std::error::Error as _;

use kernel::id::IdError;
use kernel::money::DecimalError;
use kernel::{
    BlockName, Caller, CapacityVector, Currency, Error, GrossKw, Ids, ItKw, LeaseId, LeaseName, Money,
    OperatorId, OperatorParent, Organisation, Percent, PhaseName, Rate, Reason, RequestId, ReservationName,
    Role, Scope, SiteName, SystemIds, TestIds, UtilityKw, Uuid, Violations, derive_id,
};
use proptest::prelude::*;

const UUID: &str = "0192f0c1-2d3e-7f40-8a5b-6c7d8e9f0a1b";

fn operator(text: &str) -> OperatorId {
    text.parse().unwrap()
}

#[test]
fn slugs() {
    for good in ["abc", "hut-8", "a1b", "whitefiber-bit-digital", &"a".repeat(63)] {
        assert_eq!(operator(good).as_str(), good);
    }
    for bad in ["", "ab", "Abc", "1bc", "ab-", "-bc", "a_b", "a b", "abé", "a/b", "-", &"a".repeat(64)] {
        assert_eq!(bad.parse::<OperatorId>(), Err(IdError::Slug), "{bad}");
    }
    assert!(serde_json::from_str::<OperatorId>("\"Hut 8\"").is_err());
}

proptest! {
    #[test]
    fn a_slug_is_what_its_pattern_says(text in "[a-zA-Z0-9_-]{0,66}", good in "[a-z][a-z0-9-]{1,61}[a-z0-9]") {
        prop_assert!(good.parse::<OperatorId>().is_ok());
        let bytes = text.as_bytes();
        let expected = (3..=63).contains(&bytes.len())
            && bytes[0].is_ascii_lowercase()
            && bytes[bytes.len() - 1] != b'-'
            && !text.contains('_')
            && !text.contains(|c: char| c.is_ascii_uppercase());
        prop_assert_eq!(text.parse::<OperatorId>().is_ok(), expected);
    }
}

#[test]
fn uuids_have_one_form() {
    let id: RequestId = UUID.to_uppercase().parse().unwrap();
    assert_eq!(id.to_string(), UUID);
    assert_eq!(serde_json::to_string(&id).unwrap(), format!("\"{UUID}\""));
    let simple = UUID.replace('-', "");
    let braced = format!("{{{UUID}}}");
    for bad in ["", "00000000-0000-0000-0000-000000000000", &simple, &braced, &UUID[1..], "not-a-uuid"] {
        assert_eq!(bad.parse::<RequestId>(), Err(IdError::Uuid), "{bad}");
    }
    let lease: LeaseId = UUID.to_uppercase().parse().unwrap();
    assert_eq!(lease.as_str(), UUID);
    assert_eq!("wulf-c42".parse::<LeaseId>().unwrap().as_str(), "wulf-c42");
    assert_eq!("No".parse::<LeaseId>(), Err(IdError::SlugOrUuid));
}

#[test]
fn ids_are_new_and_derived_ids_are_not() {
    let made: BTreeSet<Uuid> = (0..1_000).map(|_| SystemIds.next()).collect();
    assert_eq!(made.len(), 1_000);
    let ids = TestIds::default();
    assert_eq!((ids.next().as_u128(), ids.next().as_u128()), (1, 2));
    let parent: Uuid = UUID.parse().unwrap();
    assert_eq!(derive_id(parent, "hold"), derive_id(parent, "hold"));
    assert_ne!(derive_id(parent, "hold"), derive_id(parent, "commit"));
    // Pinned: a saga that began under an older version must go on with the same request id.
    assert_eq!(derive_id(parent, "hold").to_string(), "0e91753f-9dc8-5f7a-8aa2-b9d45d75c5e5");
}

#[test]
fn names_are_paths_of_typed_ids() {
    let text = "operators/hut-8/sites/river-bend/blocks/hut-fs-rb-1";
    let block: BlockName = text.parse().unwrap();
    assert_eq!(block.to_string(), text);
    assert_eq!(block.site_name(), "operators/hut-8/sites/river-bend".parse().unwrap());
    let phase: PhaseName = format!("{text}/phases/first").parse().unwrap();
    assert_eq!(phase.block_name(), block);
    assert_eq!(serde_json::to_string(&block).unwrap(), format!("\"{text}\""));
    assert_eq!(BlockName::PATTERN, "operators/{operator}/sites/{site}/blocks/{block}");
    let lease: LeaseName = "operators/terawulf/leases/wulf-c42".parse().unwrap();
    assert_eq!(lease.lease.as_str(), "wulf-c42");
    assert!(format!("operators/terawulf/reservations/{UUID}").parse::<ReservationName>().is_ok());

    for bad in [
        "",
        "operators",
        "operators/",
        "operators/hut-8",
        "operators/hut-8/sites/river-bend/",
        "/operators/hut-8/sites/x",
    ] {
        let refusal = bad.parse::<SiteName>().unwrap_err().to_string();
        assert!(refusal.starts_with("must have the form operators/{operator}/sites/{site}"), "{refusal}");
    }
    let refusal = "operators/hut-8/sites/River Bend".parse::<SiteName>().unwrap_err().to_string();
    assert!(refusal.contains("where site must be 3 to 63"), "{refusal}");
    assert_eq!("operators/-".parse::<OperatorParent>(), Ok(OperatorParent::All));
    assert_eq!("operators/hut-8".parse::<OperatorParent>().unwrap().operator(), Some(&operator("hut-8")));
    assert!("tenants/-".parse::<OperatorParent>().is_err());
}

#[test]
fn kilowatts_do_not_go_below_zero() {
    let it = |kw| ItKw::new(kw).unwrap();
    assert_eq!(ItKw::new(-1), None);
    assert_eq!(it(5).checked_sub(it(6)), None);
    assert_eq!(it(i64::MAX).checked_add(it(1)), None);
    assert_eq!(it(5).checked_add(it(6)), Some(it(11)));
    assert_eq!(serde_json::to_string(&it(5)).unwrap(), "5");
    assert!(serde_json::from_str::<ItKw>("-5").is_err());
}

/// The ratio of 300 to 210, exactly: a rounded one refuses Sandersville (175 MW on 250) and River Bend.
#[test]
fn gross_is_ten_sevenths_of_it() {
    let gross = |kw| ItKw::new(kw).unwrap().gross_assumed().unwrap().get();
    assert_eq!((gross(210_000), gross(175_000), gross(5_000), gross(0)), (300_000, 250_000, 7_143, 0));
    assert_eq!(ItKw::new(i64::MAX).unwrap().gross_assumed(), None);
    let it = |kw| GrossKw::new(kw).unwrap().it_assumed().get();
    assert_eq!((it(300_000), it(7_143), it(7_142), it(1)), (210_000, 5_000, 4_999, 0));
    let grid = UtilityKw::new(5_000).unwrap();
    assert!(!grid.covers(GrossKw::new(7_143).unwrap()));
    assert_eq!(grid.headroom(GrossKw::new(4_000).unwrap()), GrossKw::new(1_000));
    assert_eq!(grid.headroom(GrossKw::new(5_001).unwrap()), None);
}

proptest! {
    #[test]
    fn assumed_gross_carries_its_it(kw in 0..i64::MAX / 10) {
        let gross = ItKw::new(kw).unwrap().gross_assumed().unwrap();
        prop_assert!(i128::from(gross.get()) * 7 >= i128::from(kw) * 10);
        prop_assert!(i128::from(gross.get() - 1) * 7 < i128::from(kw) * 10);
        prop_assert_eq!(gross.it_assumed().get(), kw);
    }

    #[test]
    fn assumed_it_fits_its_gross(kw in any::<i64>().prop_filter("not negative", |kw| *kw >= 0)) {
        let it = GrossKw::new(kw).unwrap().it_assumed().get();
        prop_assert_eq!(i128::from(it), i128::from(kw) * 7 / 10);
    }
}

#[test]
fn heat_is_carried_or_not() {
    let lease = CapacityVector::new(245_000, 36_750, 208_250, 0).unwrap();
    assert!(lease.carries_heat());
    assert!(!CapacityVector { liquid: 208_249, ..lease }.carries_heat());
    assert!(!CapacityVector { air: i64::MAX, liquid: 1, ..lease }.carries_heat());
    assert_eq!(CapacityVector::new(1, 0, -1, 0), None);
    assert_eq!(lease.with_accelerators(-1), None);
    let cluster = lease.with_accelerators(16_384).unwrap();
    assert!(cluster.carries_heat() && !cluster.fits_in(&lease) && lease.fits_in(&cluster));
    assert!(lease.fits_in(&lease) && !CapacityVector { immersion: 1, ..lease }.fits_in(&lease));
    let json = r#"{"critical_it_kw":245000,"air_cooling_kw":36750,"liquid_cooling_kw":208250,"immersion_cooling_kw":0,"accelerators":0}"#;
    assert_eq!(serde_json::to_string(&lease).unwrap(), json);
}

#[test]
fn rates_are_exact_and_have_one_form() {
    for (text, normal) in [
        ("1.0", "1"),
        ("1.00", "1"),
        ("125", "125"),
        ("128.0156677674", "128.0156677674"),
        ("0.50", "0.5"),
        ("-0", "0"),
        ("+3.10", "3.1"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-0.182495", "-0.182495"),
        ("007", "7"),
        ("99999999999999.9999999999", "99999999999999.9999999999"),
        ("1.00000000000000", "1"),
    ] {
        let rate: Rate = text.parse().unwrap();
        assert_eq!(rate.to_string(), normal, "{text}");
        assert_eq!(serde_json::to_string(&rate).unwrap(), format!("\"{normal}\""));
        let stored = rust_decimal::Decimal::from(rate);
        assert_eq!(Rate::try_from(stored), Ok(rate));
    }
    for (text, refusal) in [
        ("", DecimalError::Malformed),
        (".", DecimalError::Malformed),
        ("-", DecimalError::Malformed),
        ("NaN", DecimalError::Malformed),
        ("1e3", DecimalError::Malformed),
        ("1,5", DecimalError::Malformed),
        ("--1", DecimalError::Malformed),
        ("1.2.3", DecimalError::Malformed),
        (" 1", DecimalError::Malformed),
        ("٣", DecimalError::Malformed),
        ("1.00000000001", DecimalError::TooFine),
        ("100000000000000", DecimalError::OutOfRange),
        ("-100000000000000", DecimalError::OutOfRange),
        ("99999999999999999999999999999999999999999999", DecimalError::OutOfRange),
    ] {
        assert_eq!(text.parse::<Rate>(), Err(refusal), "{text}");
    }
    let rate: Rate = "128.0156677674".parse().unwrap();
    assert_eq!(
        (rate.rounded(2), rate.rounded(0), rate.rounded(4)),
        ("128.02".into(), "128".into(), "128.0157".into())
    );
    assert_eq!("-0.004".parse::<Rate>().unwrap().rounded(2), "0.00");
    assert_eq!("3.0".parse::<Percent>(), "3".parse());
    assert_eq!("-100".parse::<Percent>(), Err(DecimalError::OutOfRange));
    assert_eq!("2.0000001".parse::<Percent>(), Err(DecimalError::TooFine));
}

proptest! {
    #[test]
    fn any_rate_survives_text_json_and_the_store(scaled in -(10_i128.pow(24) - 1)..10_i128.pow(24)) {
        let rate = Rate::from_scaled(scaled).unwrap();
        prop_assert_eq!(rate.to_string().parse::<Rate>(), Ok(rate));
        prop_assert_eq!(Rate::try_from(rust_decimal::Decimal::from(rate)), Ok(rate));
        prop_assert_eq!(serde_json::from_str::<Rate>(&serde_json::to_string(&rate).unwrap()).unwrap(), rate);
    }
}

#[test]
fn money_is_in_minor_units_of_one_currency() {
    let usd = |minor| Money::new(minor, Currency::USD);
    let yen = Money::new(1_234_567, "JPY".parse().unwrap());
    assert_eq!(usd(103_174_913_808).grouped(), "1,031,749,138.08");
    assert_eq!(
        (usd(-5).grouped(), usd(-100_000).grouped(), usd(0).grouped()),
        ("-0.05".into(), "-1,000.00".into(), "0.00".into())
    );
    assert_eq!((yen.grouped(), yen.to_string()), ("1,234,567".into(), "JPY 1234567".into()));
    assert_eq!(Money::new(i64::MIN, "KWD".parse().unwrap()).to_string(), "KWD -9223372036854775.808");
    assert_eq!(usd(1).checked_add(yen), None);
    assert_eq!(usd(i64::MAX).checked_add(usd(1)), None);
    assert_eq!(Money::checked_sum(Currency::USD, [usd(1), usd(2)]), Some(usd(3)));
    assert_eq!(Money::checked_sum(Currency::USD, [usd(1), yen]), None);
    assert_eq!(serde_json::to_string(&usd(5)).unwrap(), r#"{"minor":5,"currency":"USD"}"#);
    for bad in ["", "US", "usd", "USDT", "XXX", "XAU"] {
        assert!(bad.parse::<Currency>().is_err(), "{bad}");
    }
}

fn caller(organisation: &str, roles: &[Role], on_behalf_of: Option<&str>) -> Caller {
    Caller {
        subject: "someone".into(),
        organisation: organisation.parse().unwrap(),
        roles: roles.to_vec(),
        on_behalf_of: on_behalf_of.map(|text| text.parse().unwrap()),
        token_id: "t1".into(),
    }
}

#[test]
fn callers_see_their_own_rows() {
    let (own, other) = (operator("hut-8"), operator("riot"));
    let tenant = Scope::Tenant("anthropic".parse().unwrap());
    let sales = caller("operators/hut-8", &[Role::Sales], None);
    assert_eq!(sales.scope(), Scope::Operator(own.clone()));
    assert_eq!(sales.scope_of_operator(&own).unwrap(), Scope::Operator(own.clone()));
    let refusal = sales.scope_of_operator(&other).unwrap_err();
    assert_eq!(
        (refusal.reason(), refusal.get("resource_type")),
        (Reason::ResourceNotFound, Some("operator"))
    );

    let buyer = caller("tenants/anthropic", &[Role::Tenant], None);
    assert_eq!(buyer.scope_of_operator(&own).unwrap(), tenant);
    let platform = caller("platform", &[Role::PlatformAdmin], None);
    assert_eq!(platform.scope(), Scope::Market);
    assert!(platform.scope_of_operator(&own).is_err());

    let service = caller("services/leasing", &[Role::Service], None);
    assert_eq!(service.scope(), Scope::Worker);
    assert_eq!(service.scope_of_operator(&own).unwrap(), Scope::Operator(own.clone()));
    let for_buyer = caller("services/leasing", &[Role::Service], Some("tenants/anthropic"));
    assert_eq!(for_buyer.scope(), tenant);
    let for_other = caller("services/leasing", &[Role::Service], Some("operators/riot"));
    assert!(for_other.scope_of_operator(&own).is_err());
    // Only a service acts for another.
    let pretender = caller("operators/hut-8", &[Role::Sales], Some("operators/riot"));
    assert_eq!(pretender.effective_organisation(), &Organisation::Operator(own));
    // An organisation named like a service without the role is nobody to an operator.
    assert!(caller("services/leasing", &[], None).scope_of_operator(&other).is_err());
}

#[test]
fn organisations_and_roles_have_one_form() {
    for text in ["operators/hut-8", "tenants/anthropic", "platform", "services/leasing"] {
        assert_eq!(text.parse::<Organisation>().unwrap().to_string(), text);
    }
    for bad in ["", "operators/", "operators/-", "hut-8", "platform/x", "users/me", "operators/a/b"] {
        assert!(bad.parse::<Organisation>().is_err(), "{bad}");
    }
    for role in Role::ALL {
        assert_eq!(role.as_str().parse::<Role>(), Ok(role));
        assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
    }
}

#[test]
fn reasons_are_upper_snake_and_unique() {
    let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.as_str()).collect();
    assert_eq!(names.len(), Reason::ALL.len());
    for reason in Reason::ALL {
        assert_eq!(reason.as_str().parse::<Reason>(), Ok(*reason));
        assert!(reason.as_str().len() <= 63);
        assert!(reason.as_str().bytes().all(|b| b.is_ascii_uppercase() || b == b'_'));
    }
}

#[test]
fn an_error_shows_its_sentence_and_hides_its_cause() {
    fn assert_usable<E: std::error::Error + Send + Sync + 'static>(_: &E) {}
    let error = Error::internal("relation \"lease\" does not exist").with("error_id", UUID);
    assert_usable(&error);
    assert_eq!(error.to_string(), "Something went wrong on our side.");
    assert!(!format!("{error:#} {:?}", error.metadata()).contains("relation"));
    assert_eq!(error.source().unwrap().to_string(), "relation \"lease\" does not exist");
    assert_eq!(std::mem::size_of::<Error>(), std::mem::size_of::<usize>());
}

#[test]
fn all_violations_are_said_at_once_and_with_their_paths() {
    let mut v = Violations::new();
    v.parse("tenant", "", str::parse::<OperatorId>);
    v.nested("terms", |v| {
        v.require("term_months", false, "must be positive");
        let kw = v.each("premises", [5, -1, -2], |v, kw| {
            v.require("critical_it_kw", kw > 0, "must be positive").then_some(kw)
        });
        assert_eq!(kw, None);
    });
    assert!(v.text("note", "a\u{7}b", 10).is_none() && v.text("title", &"é".repeat(11), 10).is_none());
    assert_eq!(v.text("title", "Älgen", 5).as_deref(), Some("Älgen"));
    let error = v.build(|| Some(())).unwrap_err();
    let fields: Vec<_> = error.violations().iter().map(|violation| violation.field.as_str()).collect();
    assert_eq!(
        fields,
        [
            "tenant",
            "terms.term_months",
            "terms.premises[1].critical_it_kw",
            "terms.premises[2].critical_it_kw",
            "note",
            "title"
        ]
    );
    assert_eq!(
        (error.reason(), error.to_string().as_str()),
        (Reason::InvalidField, "6 fields are not valid.")
    );
    assert_eq!(
        Error::invalid_field("term_months", "must be positive").to_string(),
        "term_months: must be positive."
    );

    let mut v = Violations::new();
    assert_eq!(v.each_word("states", &[1; 50], |_, n| Some(*n)).map(|read| read.len()), Some(50));
    assert_eq!(v.each_word("states", &[1; 51], |_, n| Some(*n)), None);
    assert_eq!(v.finish().unwrap_err().violations()[0].description, "must have at most 50 entries");

    let mut many = Violations::new();
    for i in 0..80 {
        many.add(&format!("f[{i}]"), "is wrong");
    }
    assert_eq!(many.finish().unwrap_err().violations().len(), 50);
    assert_eq!(Violations::new().build(|| None::<()>).unwrap_err().reason(), Reason::Internal);
}
