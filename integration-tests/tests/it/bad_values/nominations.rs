//! Values that are wrong for capacity whose blocks are named later.

use contracts::leasing::v1 as leasing;
use integration_tests::market::{self, date, decimal};
use integration_tests::world::Names;
use prost::Message as _;
use tonic::Code;

use super::NO_DAY;
use crate::bad_input::Case;

pub(super) fn nominate(n: &Names) -> Vec<Case> {
    let ask = |lease: &str, blocks: &[(&str, i64)]| market::nominated(lease, "later", blocks);
    let of = |blocks: &[(&str, i64)]| ask(&n.unplaced, blocks).encode_to_vec();
    let block = n.free_block.as_str();
    let nothing = leasing::NominatePremisesRequest {
        nomination: "No".to_owned(),
        signatory: None,
        ..ask(&n.unplaced, &[])
    };
    let unknown = leasing::NominatePremisesRequest {
        nomination: "never".to_owned(),
        ..ask(&n.unplaced, &[(block, 1)])
    };
    let mut hot = ask(&n.unplaced, &[(block, 10)]);
    hot.blocks[0].capacity = Some(market::load(10)).map(|load| {
        let liquid_cooling_kw = load.liquid_cooling_kw - 1;
        contracts::common::v1::CapacityVector { liquid_cooling_kw, ..load }
    });
    let elsewhere = format!("{}/blocks/any", n.spare_site);
    let absent = format!("{}/blocks/no-such-hall", n.site);
    let refused = |what: &str, message: Vec<u8>, code, reason| Case::new(what, message, code, reason, &[]);
    vec![
        Case::invalid("nothing", nothing.encode_to_vec(), &["nomination", "blocks", "signatory"]),
        Case::invalid("what the terms do not leave", unknown.encode_to_vec(), &["nomination"]),
        Case::invalid("a hall of another site", of(&[(&elsewhere, 1)]), &["blocks[0].block"]),
        Case::invalid("a hall twice", of(&[(block, 1), (block, 1)]), &["blocks[1].block"]),
        Case::invalid("nothing of a hall", of(&[(block, 0)]), &["blocks[0].capacity.critical_it_kw"]),
        Case::invalid("too hot", hot.encode_to_vec(), &["blocks[0].capacity"]),
        refused("more than is left", of(&[(block, 1_001)]), Code::FailedPrecondition, "NOMINATION_EXCEEDED"),
        refused("a hall that is not", of(&[(&absent, 1)]), Code::NotFound, "RESOURCE_NOT_FOUND"),
        refused(
            "more than the hall has free",
            of(&[(&n.block, 1_000)]),
            Code::FailedPrecondition,
            "CAPACITY_EXHAUSTED",
        ),
        refused(
            "not agreed",
            ask(&n.proposed, &[(block, 1)]).encode_to_vec(),
            Code::FailedPrecondition,
            "INVALID_STATE_TRANSITION",
        ),
    ]
}

/// What terms may not leave to be named.
pub(crate) fn terms(n: &Names) -> Vec<Case> {
    let good = || market::nomination(&n.site, "later", 1_000, "2028-01-01", "2027-06-01");
    let of = |nominations: Vec<leasing::Nomination>| {
        let terms = leasing::LeaseTerms { nominations, ..market::terms(&n.free_block, market::load(1_000)) };
        market::proposal(&n.operator, &n.tenant, "fresh", terms).encode_to_vec()
    };
    let fields = [
        "nomination_id",
        "site",
        "capacity",
        "commencement_date",
        "end_date",
        "base_rate_per_kw_month",
        "last_nomination_date",
    ];
    let paths = fields.map(|field| format!("terms.nominations[0].{field}"));
    let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
    let nothing = leasing::Nomination { last_nomination_date: NO_DAY, ..Default::default() };
    let one = |what: &str, change: &dyn Fn(&mut leasing::Nomination), field: &str| {
        let mut bent = good();
        change(&mut bent);
        Case::invalid(what, of(vec![bent]), &[&format!("terms.nominations[0].{field}")])
    };
    let many = (0..21).map(|i| leasing::Nomination { nomination_id: format!("one-{i}"), ..good() });
    let nowhere =
        leasing::LeaseTerms { premises: Vec::new(), ..market::terms(&n.free_block, market::load(1_000)) };
    let nowhere = market::proposal(&n.operator, &n.tenant, "fresh", nowhere).encode_to_vec();
    vec![
        Case::invalid("nothing to name", of(vec![nothing]), &paths),
        Case::invalid("named twice", of(vec![good(), good()]), &["terms.nominations[1].nomination_id"]),
        Case::invalid("21 of them", of(many.collect()), &["terms.nominations"]),
        Case::invalid("neither a block nor one to name", nowhere, &["terms.premises"]),
        one("another's site", &|one| one.site = one.site.replace("acme", "zenith"), "site"),
        one("for nothing", &|one| one.base_rate_per_kw_month = decimal("0"), "base_rate_per_kw_month"),
        one(
            "named once it commences",
            &|one| one.last_nomination_date = one.commencement_date,
            "last_nomination_date",
        ),
        one(
            "named yesterday",
            &|one| one.last_nomination_date = Some(date("2026-11-01")),
            "last_nomination_date",
        ),
        one("over before it begins", &|one| one.end_date = one.commencement_date, "end_date"),
    ]
}
