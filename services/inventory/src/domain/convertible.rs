//! Power that could become product: contracted, not in any phase, not publicly leased. Every assumption is a sentence.

use kernel::time::add_months;
use kernel::{CivilDate, GrossKw, ItKw, SiteName, StepFunction, UtilityKw};

use super::availability::{PhaseView, SiteView};
use super::grid;
use super::search::{Filter, Need};

/// Retrofits take about three quarters of a year.
const CONVERSION_MONTHS: i32 = 9;

/// A site whose contracted power is not all spoken for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Convertible {
    /// The site.
    pub site: SiteName,
    /// Gross power left, kW.
    pub headroom_gross_kw: i64,
    /// Critical IT load it carries, kW.
    pub convertible_it_kw: i64,
    /// Gross to IT, in words.
    pub ratio: &'static str,
    /// First day assumed to be possible.
    pub assumed_start: CivilDate,
    /// What was assumed.
    pub assumptions: Vec<String>,
}

/// Sites that could be converted to carry the need within its window, by load descending, then name.
pub fn convertible(
    sites: &[SiteView],
    filter: &Filter,
    need: &Need,
    today: CivilDate,
    limit: usize,
) -> Vec<Convertible> {
    let mut found: Vec<Convertible> = sites
        .iter()
        .filter(|site| filter.wants_site(site))
        .filter_map(|site| of_site(site, need, today))
        .filter(|found| found.convertible_it_kw >= need.capacity.critical_it.max(1))
        .filter(|found| need.until.is_none_or(|until| found.assumed_start < until))
        .collect();
    found.sort_by(|a, b| (b.convertible_it_kw, &a.site).cmp(&(a.convertible_it_kw, &b.site)));
    found.truncate(limit);
    found
}

fn of_site(site: &SiteView, need: &Need, today: CivilDate) -> Option<Convertible> {
    let contracted = grid::contracted_on(&site.grid_steps, need.from).and_then(UtilityKw::new)?;
    let drawn = GrossKw::new(drawn_most(site, need.from))?;
    let unbooked = unbooked_reported(site);
    let reported = ItKw::new(unbooked).and_then(ItKw::gross_assumed)?;
    let headroom = contracted.headroom(drawn.checked_add(reported)?)?;
    let ready = add_months(today, CONVERSION_MONTHS)?;
    let assumed_start = need.from.max(ready);
    Some(Convertible {
        site: site.name.clone(),
        headroom_gross_kw: headroom.get(),
        convertible_it_kw: headroom.it_assumed().get(),
        ratio: "10/7",
        assumed_start,
        assumptions: assumptions(site, need, today, unbooked),
    })
}

/// The most that the phases draw, or that is set aside for them, on any day from `from` on.
fn drawn_most(site: &SiteView, from: CivilDate) -> i64 {
    let draws: Vec<grid::Draw> = site
        .blocks
        .iter()
        .flat_map(|block| &block.phases)
        .flat_map(PhaseView::life)
        .map(grid::Draw::from)
        .collect();
    let days = draws.iter().map(|draw| draw.from.max(from));
    days.chain(std::iter::once(from)).map(|day| grid::drawn_on(&draws, day)).max().unwrap_or(0)
}

/// Reported leases that are not booked here, critical IT kW.
fn unbooked_reported(site: &SiteView) -> i64 {
    let booked =
        site.blocks.iter().fold(StepFunction::zero(), |sum, block| sum.add(&block.used()).unwrap_or(sum));
    let most = booked.steps().iter().map(|step| step.1.critical_it).max().unwrap_or(0);
    (site.reported_leased_it_kw.unwrap_or(0) - most).max(0)
}

fn assumptions(site: &SiteView, need: &Need, today: CivilDate, unbooked: i64) -> Vec<String> {
    let mut sentences = vec![
        "One kW of critical IT load is assumed to need 10/7 kW of gross power; the site's own ratio may differ."
            .to_owned(),
        format!(
            "Conversion is assumed to begin on {today} and to take {CONVERSION_MONTHS} months, as retrofits have."
        ),
        "The cooling that is asked for is assumed to be built with the conversion.".to_owned(),
        "Mining and other present use is assumed to make room.".to_owned(),
        format!("The power contracted on {} is assumed to be delivered then.", need.from),
        "No rent is known; none was compared with the price asked for.".to_owned(),
    ];
    match site.reported_leased_it_kw {
        Some(_) if unbooked > 0 => sentences.push(format!(
            "{unbooked} kW of critical IT load that the operator reports as leased and that is not booked here is \
             assumed to need its power too."
        )),
        Some(_) => {}
        None => sentences.push(
            "The operator reports no leases; none beyond those booked here is assumed to exist.".to_owned(),
        ),
    }
    sentences
}
