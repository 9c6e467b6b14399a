//! Capacity without blocks, in the record that both sides sign.

use std::str::FromStr as _;

use kernel::{CapacityVector, Rate, Zone};
use serde::{Deserialize, Serialize};

use super::nomination::Nomination;
use super::record::date;

/// As it is signed: text and whole numbers.
#[derive(Serialize, Deserialize)]
pub(super) struct NominationRecord {
    id: String,
    site: String,
    time_zone: String,
    capacity: CapacityVector,
    commencement_date: String,
    end_date: String,
    base_rate_per_kw_month: String,
    last_nomination_date: String,
}

impl NominationRecord {
    pub(super) fn of(one: &Nomination) -> Self {
        Self {
            id: one.id.clone(),
            site: one.site.to_string(),
            time_zone: one.zone.to_string(),
            capacity: one.capacity,
            commencement_date: date(one.commencement),
            end_date: date(one.end),
            base_rate_per_kw_month: one.rate.to_string(),
            last_nomination_date: date(one.last),
        }
    }

    pub(super) fn nomination(self) -> Option<Nomination> {
        Some(Nomination {
            id: self.id,
            site: self.site.parse().ok()?,
            zone: Zone::from_str(&self.time_zone).ok()?,
            capacity: self.capacity,
            commencement: self.commencement_date.parse().ok()?,
            end: self.end_date.parse().ok()?,
            rate: Rate::from_str(&self.base_rate_per_kw_month).ok()?,
            last: self.last_nomination_date.parse().ok()?,
        })
    }
}
