//! What inventory has that is free for a need.

use std::collections::BTreeMap;

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::capacity_service_client::CapacityServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use kernel::{BlockName, Error, OperatorId, Organisation, SiteName, Violations};
use runtime::wire::{date, to_capacity, to_date};

use super::power::ratio_of;
use super::{Inventory, nonsense};
use crate::domain::comparison::Place;
use crate::domain::quote::{Candidate, Need};
use crate::domain::quote_record::Whereabouts;
use crate::domain::rate_card::{LeaseType, Redundancy};

/// The most blocks that one quote looks at.
const CANDIDATES_MAX: usize = 20;
const LIMIT: i32 = 1_000;

/// Free blocks, and the nearest misses where there are none.
#[derive(Clone, Debug, Default)]
pub struct Found {
    /// Blocks that carry the need for the whole term.
    pub candidates: Vec<Candidate>,
    /// What a refusal says would work: (key, value).
    pub nearest: Vec<(&'static str, String)>,
}

impl Inventory {
    /// Blocks of an operator that are free for a need, at most twenty of the search's order.
    ///
    /// # Errors
    /// `INVALID_FIELD`, `TERM_OUT_OF_RANGE` as inventory says; what [`runtime::client::Peer::call`] fails with.
    pub async fn candidates(
        &self,
        organisation: &Organisation,
        operator: &OperatorId,
        need: &Need,
        whereabouts: &Whereabouts,
    ) -> Result<Found, Error> {
        let request = wire::SearchCapacityRequest {
            capacity: Some(to_capacity(need.capacity)),
            start_from_date: Some(to_date(whereabouts.start_from)),
            start_until_date: whereabouts.start_until.map(to_date),
            term_months: i32::try_from(need.term_months).map_err(Error::internal)?,
            operators: vec![format!("operators/{operator}")],
            limit: LIMIT,
            ..Default::default()
        };
        let reply = self
            .peer
            .call(Some(organisation), request, |channel, request| async move {
                CapacityServiceClient::new(channel).search_capacity(request).await
            })
            .await?;
        let mut sites = BTreeMap::new();
        let mut candidates = Vec::new();
        let fitting = reply.free_and_dated.iter().filter(|free| lies_in(free, &whereabouts.places));
        for free in fitting.take(CANDIDATES_MAX) {
            if !sites.contains_key(&free.site) {
                let name: SiteName = free.site.parse().map_err(|_| nonsense("a site name"))?;
                sites.insert(free.site.clone(), self.site(organisation, &name).await?);
            }
            let site = sites.get(&free.site).ok_or_else(|| nonsense("a site"))?;
            candidates.push(self.candidate(organisation, free, site).await?);
        }
        Ok(Found { candidates, nearest: nearest(reply.near_misses.as_ref()) })
    }

    async fn candidate(
        &self,
        organisation: &Organisation,
        free: &wire::FreeCapacity,
        site: &wire::Site,
    ) -> Result<Candidate, Error> {
        let request = wire::GetBlockRequest { name: free.block.clone(), ..Default::default() };
        let reply = self
            .peer
            .call(Some(organisation), request, |channel, request| async move {
                SiteServiceClient::new(channel).get_block(request).await
            })
            .await?;
        let block = reply.block.ok_or_else(|| nonsense("a block"))?;
        let ((gross_kw, critical_it_kw), said) = ratio_of(site);
        let mut v = Violations::new();
        Ok(Candidate {
            block: block.name.parse::<BlockName>().map_err(|_| nonsense("a block name"))?,
            zone: site.time_zone.parse().map_err(|_| nonsense("a time zone"))?,
            start: date(&mut v, "start_date", free.start_date.as_ref())
                .ok_or_else(|| nonsense("a start date"))?,
            lease_type: lease_type(block.lease_type()),
            redundancy: redundancy(block.redundancy()),
            gross_to_it: (Place { gross_kw, critical_it_kw }, said),
            rights: free.rights.clone(),
        })
    }
}

fn lies_in(free: &wire::FreeCapacity, places: &[String]) -> bool {
    places.is_empty() || places.iter().any(|place| *place == free.block || *place == free.site)
}

fn nearest(misses: Option<&wire::NearMisses>) -> Vec<(&'static str, String)> {
    let Some(misses) = misses else { return Vec::new() };
    let day = |day: Option<&contracts::google::r#type::Date>| {
        day.map(|day| format!("{:04}-{:02}-{:02}", day.year, day.month, day.day)).unwrap_or_default()
    };
    let mut said = Vec::new();
    if let Some(earliest) = &misses.earliest {
        said.push(("earliestDate", day(earliest.start_date.as_ref())));
        said.push(("earliestBlock", earliest.block.clone()));
    }
    if let Some(largest) = &misses.largest {
        said.push(("largestKw", largest.critical_it_kw.to_string()));
        said.push(("largestBlock", largest.block.clone()));
    }
    said
}

fn lease_type(sent: wire::LeaseType) -> Option<LeaseType> {
    match sent {
        wire::LeaseType::Unspecified => None,
        wire::LeaseType::PoweredShell => Some(LeaseType::PoweredShell),
        wire::LeaseType::Turnkey => Some(LeaseType::Turnkey),
        wire::LeaseType::GpuCloud => Some(LeaseType::GpuCloud),
    }
}

fn redundancy(sent: wire::Redundancy) -> Option<Redundancy> {
    match sent {
        wire::Redundancy::Unspecified => None,
        wire::Redundancy::N => Some(Redundancy::N),
        wire::Redundancy::NPlus1 => Some(Redundancy::NPlusOne),
        wire::Redundancy::TwoN => Some(Redundancy::TwoN),
        wire::Redundancy::TwoNPlus1 => Some(Redundancy::TwoNPlusOne),
        wire::Redundancy::Distributed => Some(Redundancy::Distributed),
    }
}
