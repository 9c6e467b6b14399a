//! What inventory knows of the power of a place.

use contracts::inventory::v1 as wire;
use contracts::inventory::v1::capacity_service_client::CapacityServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use kernel::time::add_months;
use kernel::{CivilDate, Error, Organisation, SiteName};
use runtime::wire::to_date;

use super::{Inventory, nonsense};
use crate::domain::comparison::{Place, PlaceName};

/// A block's capacity is looked for this far ahead, in months: contracts begin within ten years.
const AHEAD_MONTHS: i32 = 120;
/// Gross to IT where nobody has said it.
const ASSUMED: (i64, i64) = (10, 7);

impl Inventory {
    /// One site as inventory shows it.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`; what [`runtime::client::Peer::call`] fails with.
    pub(crate) async fn site(
        &self,
        organisation: &Organisation,
        site: &SiteName,
    ) -> Result<wire::Site, Error> {
        let request = wire::GetSiteRequest { name: site.to_string(), ..Default::default() };
        let reply = self
            .peer
            .call(Some(organisation), request, |channel, request| async move {
                SiteServiceClient::new(channel).get_site(request).await
            })
            .await?;
        reply.site.ok_or_else(|| nonsense("a site"))
    }

    /// The power of a place on a day, and sentences on where it comes from.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`; `INVALID_FIELD` for a place whose power nobody has told; what
    /// [`runtime::client::Peer::call`] fails with.
    pub async fn power_of(
        &self,
        organisation: &Organisation,
        place: &PlaceName,
        today: CivilDate,
    ) -> Result<(Place, Vec<String>), Error> {
        let site_name = match place {
            PlaceName::Site(site) => site.clone(),
            PlaceName::Block(block) => block.site_name(),
        };
        let site = self.site(organisation, &site_name).await?;
        let (ratio, said) = ratio_of(&site);
        let power = match place {
            PlaceName::Site(_) => {
                let gross_kw = contracted(&site, today).ok_or_else(unknown)?;
                Place { gross_kw, critical_it_kw: scale(gross_kw, ratio.1, ratio.0, 0) }
            }
            PlaceName::Block(block) => {
                let critical_it_kw = self.capacity_of(organisation, &block.to_string(), today).await?;
                Place { gross_kw: scale(critical_it_kw, ratio.0, ratio.1, ratio.1 - 1), critical_it_kw }
            }
        };
        if power.critical_it_kw <= 0 {
            return Err(unknown());
        }
        Ok((power, vec![said]))
    }

    /// The largest critical IT load that a block will carry.
    async fn capacity_of(
        &self,
        organisation: &Organisation,
        block: &str,
        today: CivilDate,
    ) -> Result<i64, Error> {
        let request = wire::GetAvailabilityRequest {
            name: block.to_owned(),
            start_date: Some(to_date(today)),
            end_date: add_months(today, AHEAD_MONTHS).map(to_date),
            ..Default::default()
        };
        let reply = self
            .peer
            .call(Some(organisation), request, |channel, request| async move {
                CapacityServiceClient::new(channel).get_availability(request).await
            })
            .await?;
        let capacities = reply.steps.iter().filter_map(|step| step.capacity.as_ref());
        Ok(capacities.map(|capacity| capacity.critical_it_kw).max().unwrap_or(0))
    }
}

/// Gross to IT, and where it comes from.
pub(super) fn ratio_of(site: &wire::Site) -> ((i64, i64), String) {
    match &site.gross_to_it {
        Some(ratio) if ratio.gross_kw > 0 && ratio.critical_it_kw > 0 => (
            (ratio.gross_kw, ratio.critical_it_kw),
            format!(
                "The site carries {} kW of IT load on {} kW gross.",
                ratio.critical_it_kw, ratio.gross_kw
            ),
        ),
        _ => (ASSUMED, "Gross to IT is assumed to be 10 to 7: the site has told no ratio.".to_owned()),
    }
}

/// `kw` times a ratio, rounded down, or up where `carry` is the denominator less one.
pub(super) fn scale(kw: i64, numerator: i64, denominator: i64, carry: i64) -> i64 {
    let scaled = (i128::from(kw) * i128::from(numerator) + i128::from(carry)) / i128::from(denominator);
    i64::try_from(scaled).unwrap_or(i64::MAX)
}

/// The power that the utility has contracted to deliver on a day.
fn contracted(site: &wire::Site, today: CivilDate) -> Option<i64> {
    let day = to_date(today);
    let begun = |step: &&wire::GridStep| {
        step.from_date.is_some_and(|from| (from.year, from.month, from.day) <= (day.year, day.month, day.day))
    };
    site.grid_steps.iter().rfind(begun).and_then(|step| step.contracted_kw).filter(|kw| *kw > 0)
}

fn unknown() -> Error {
    Error::invalid_field(
        "place",
        "has no power that inventory knows today; give gross_kw and critical_it_kw instead",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_rounded_down_and_gross_is_rounded_up() {
        assert_eq!(scale(330_000, 245_000, 330_000, 0), 245_000);
        assert_eq!(scale(100, 7, 10, 0), 70);
        assert_eq!(scale(101, 7, 10, 0), 70);
        assert_eq!(scale(70, 10, 7, 6), 100);
        assert_eq!(scale(71, 10, 7, 6), 102);
    }
}
