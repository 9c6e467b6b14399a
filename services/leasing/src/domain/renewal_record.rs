//! Rights to renew in the record that is signed.

use serde::{Deserialize, Serialize};

use super::renewal_rent::MarketRent;
use super::terms::RenewalOption;

#[derive(Serialize, Deserialize)]
pub(super) struct RenewalRecord {
    count: u32,
    term_months: u32,
    notice_months: u32,
    #[serde(skip_serializing_if = "is_zero", default)]
    window_months: u32,
    /// Since version 2.
    #[serde(skip_serializing_if = "Vec::is_empty", default)]
    rates_per_kw_month: Vec<String>,
    /// Since version 2.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    market_rent: Option<MarketRecord>,
}

#[derive(Serialize, Deserialize)]
struct MarketRecord {
    #[serde(skip_serializing_if = "Option::is_none", default)]
    floor_percent: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    cap_percent: Option<String>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands a reference")]
fn is_zero(months: &u32) -> bool {
    *months == 0
}

impl RenewalRecord {
    pub(super) fn of(option: &RenewalOption) -> Self {
        Self {
            count: option.count,
            term_months: option.term_months,
            notice_months: option.notice_months,
            window_months: option.window_months,
            rates_per_kw_month: option.rates.iter().map(ToString::to_string).collect(),
            market_rent: option.market.map(|market| MarketRecord {
                floor_percent: market.floor.map(|percent| percent.to_string()),
                cap_percent: market.cap.map(|percent| percent.to_string()),
            }),
        }
    }

    pub(super) fn option(&self) -> Option<RenewalOption> {
        let market = match &self.market_rent {
            None => None,
            Some(record) => Some(MarketRent {
                floor: record.floor_percent.as_deref().map(str::parse).transpose().ok()?,
                cap: record.cap_percent.as_deref().map(str::parse).transpose().ok()?,
            }),
        };
        Some(RenewalOption {
            count: self.count,
            term_months: self.term_months,
            notice_months: self.notice_months,
            window_months: self.window_months,
            rates: self.rates_per_kw_month.iter().map(|rate| rate.parse()).collect::<Result<_, _>>().ok()?,
            market,
        })
    }

    /// Whether it says nothing of rent.
    pub(super) fn goes_on(&self) -> bool {
        self.rates_per_kw_month.is_empty() && self.market_rent.is_none()
    }
}
