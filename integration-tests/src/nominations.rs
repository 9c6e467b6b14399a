//! Capacity whose blocks are named later, to test with.

use contracts::leasing::v1 as leasing;

use crate::market::{date, load, request_id, terms_from};

/// So many kW of a site from a day on, for ten years at 125 and 3 percent, whose blocks are named through another day.
#[must_use]
pub fn nomination(site: &str, id: &str, kw: i64, from: &str, last: &str) -> leasing::Nomination {
    let like = terms_from(&format!("{site}/blocks/any"), load(kw), from).premises.remove(0);
    leasing::Nomination {
        nomination_id: id.to_owned(),
        site: site.to_owned(),
        capacity: Some(load(kw)),
        commencement_date: like.commencement_date,
        end_date: like.end_date,
        base_rate_per_kw_month: like.base_rate_per_kw_month,
        last_nomination_date: Some(date(last)),
    }
}

/// Names so many kW of each of these blocks.
#[must_use]
pub fn nominated(lease: &str, id: &str, blocks: &[(&str, i64)]) -> leasing::NominatePremisesRequest {
    let named = |(block, kw): &(&str, i64)| leasing::NominatedBlock {
        block: (*block).to_owned(),
        capacity: Some(load(*kw)),
    };
    leasing::NominatePremisesRequest {
        name: lease.to_owned(),
        nomination: id.to_owned(),
        blocks: blocks.iter().map(named).collect(),
        signatory: Some(leasing::Signatory { name: "Ben Ortiz".to_owned(), title: "Director".to_owned() }),
        request_id: request_id(),
        ..Default::default()
    }
}
