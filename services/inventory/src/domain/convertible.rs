//! Power that could become product: contracted, not in any phase, not publicly leased. Every assumption is a sentence.

use kernel::time::add_months;
use kernel::{CapacityVector, CivilDate, GrossKw, ItKw, SiteName, StepFunction, UtilityKw};

use super::availability::{PhaseView, SiteView};
use super::grid;
use super::search::Need;

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

/// What a site's phases draw at most, or what is set aside for them, from each of their days on, gross kW: made once,
/// asked often.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DrawnAfter(Box<[(CivilDate, i64)]>);

impl DrawnAfter {
    /// Of the phases of a site.
    pub fn of<'a>(phases: impl Iterator<Item = &'a PhaseView>) -> Self {
        let draws: Vec<grid::Draw> = phases.flat_map(PhaseView::life).map(grid::Draw::from).collect();
        let mut days: Vec<CivilDate> =
            draws.iter().flat_map(|draw| std::iter::once(draw.from).chain(draw.until)).collect();
        days.sort_unstable();
        days.dedup();
        let mut drawn: Vec<(CivilDate, i64)> =
            days.into_iter().map(|day| (day, grid::drawn_on(&draws, day))).collect();
        let mut most = 0;
        // What was drawn before a day still is, until the next: a day's own value counts for every day from it on.
        for at in (0..drawn.len()).rev() {
            most = most.max(drawn[at].1);
            drawn[at].1 = most;
        }
        Self(drawn.into())
    }

    /// The most that is drawn on any day from `from` on.
    fn from(&self, from: CivilDate) -> i64 {
        let after = self.0.partition_point(|step| step.0 <= from);
        let at = after.checked_sub(1).unwrap_or(after);
        self.0.get(at).map_or(0, |step| step.1)
    }

    /// Bytes on the heap.
    pub fn bytes(&self) -> usize {
        size_of_val(&*self.0)
    }
}

/// The most IT load that is booked at any instant, of what is booked block by block.
pub fn most_it(booked: impl Iterator<Item = StepFunction<CapacityVector>>) -> i64 {
    let sum = booked.fold(StepFunction::zero(), |sum, own| sum.add(&own).unwrap_or(sum));
    // Zero before the first step, so never less.
    sum.steps().iter().map(|step| step.1.critical_it).fold(0, i64::max)
}

/// A site with what its grid power is already needed for.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What is said of it.
    pub site: &'a SiteView,
    /// What its phases draw.
    pub drawn: &'a DrawnAfter,
    /// The most IT load that is booked on it at any instant.
    pub booked_most_kw: i64,
}

/// Sites that could be converted to carry the need within its window, by load descending, then name.
pub fn convertible<'a>(
    places: impl Iterator<Item = Place<'a>>,
    need: &Need,
    today: CivilDate,
    limit: usize,
) -> Vec<Convertible> {
    let mut found: Vec<(Place<'a>, GrossKw, CivilDate)> = places
        .filter_map(|place| {
            let (headroom, start) = headroom(&place, need, today)?;
            Some((place, headroom, start))
        })
        .filter(|found| found.1.it_assumed().get() >= need.capacity.critical_it.max(1))
        .filter(|found| need.until.is_none_or(|until| found.2 < until))
        .collect();
    found.sort_by(|a, b| (b.1.it_assumed(), &a.0.site.name).cmp(&(a.1.it_assumed(), &b.0.site.name)));
    found.truncate(limit);
    found.into_iter().map(|(place, headroom, start)| written(&place, headroom, start, need, today)).collect()
}

fn headroom(place: &Place<'_>, need: &Need, today: CivilDate) -> Option<(GrossKw, CivilDate)> {
    let contracted = grid::contracted_on(&place.site.grid_steps, need.from).and_then(UtilityKw::new)?;
    let drawn = GrossKw::new(place.drawn.from(need.from))?;
    let reported = ItKw::new(unbooked_reported(place)).and_then(ItKw::gross_assumed)?;
    let headroom = contracted.headroom(drawn.checked_add(reported)?)?;
    let ready = add_months(today, CONVERSION_MONTHS)?;
    Some((headroom, need.from.max(ready)))
}

fn written(
    place: &Place<'_>,
    headroom: GrossKw,
    assumed_start: CivilDate,
    need: &Need,
    today: CivilDate,
) -> Convertible {
    Convertible {
        site: place.site.name.clone(),
        headroom_gross_kw: headroom.get(),
        convertible_it_kw: headroom.it_assumed().get(),
        ratio: "10/7",
        assumed_start,
        assumptions: assumptions(place.site, need, today, unbooked_reported(place)),
    }
}

/// Reported leases that are not booked here, critical IT kW.
fn unbooked_reported(place: &Place<'_>) -> i64 {
    (place.site.reported_leased_it_kw.unwrap_or(0) - place.booked_most_kw).max(0)
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
