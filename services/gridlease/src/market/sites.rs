//! The sites as the sources report them.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use kernel::{CivilDate, OperatorId, SiteId};
use serde::{Deserialize, Serialize};

use super::{Basis, e7, kilowatts};

/// A row of `sites.csv` as it stands.
#[derive(Debug, Deserialize)]
pub(super) struct Row {
    site_id: SiteId,
    operator: String,
    site_name: String,
    city_or_county: String,
    state_or_region: String,
    country: String,
    lat: String,
    lon: String,
    grid_iso: String,
    utility: String,
    energized_mw: String,
    contracted_power_mw: String,
    pipeline_mw: String,
    ai_leased_it_mw: String,
    current_use: String,
    timezone: String,
    as_of: String,
    confidence: String,
    source_url: String,
    /// Not in the file: first day of the grid figures, where a correction gives it.
    #[serde(default)]
    grid_from: Option<CivilDate>,
    /// Not in the file: what is mined, where the notes say it of a site that does not only mine.
    #[serde(default)]
    interim_mw: String,
}

/// The uses that are mining and nothing else: what is energised is mined.
const MINES: [&str; 3] = ["mining", "mining hosting", "mining to HPC"];

/// What a report means where its columns do not say it: one value of one site.
#[derive(Debug, Deserialize)]
pub struct Correction {
    /// The site.
    pub site_id: SiteId,
    /// The column of `sites.csv`, or `grid_from`, or `interim_mw`.
    pub column: String,
    /// The value instead; empty: unknown.
    pub value: String,
    /// Where it comes from.
    pub basis: Basis,
    /// Why.
    pub why: String,
}

impl Row {
    fn correct(&mut self, correction: &Correction) -> anyhow::Result<()> {
        match correction.column.as_str() {
            "ai_leased_it_mw" => self.ai_leased_it_mw.clone_from(&correction.value),
            "contracted_power_mw" => self.contracted_power_mw.clone_from(&correction.value),
            "interim_mw" => self.interim_mw.clone_from(&correction.value),
            "grid_from" => self.grid_from = Some(correction.value.parse()?),
            other => bail!("site_corrections.csv: no correction of `{other}` is known"),
        }
        Ok(())
    }

    fn figures(&self) -> anyhow::Result<Figures> {
        Ok(Figures {
            energised_kw: known(&self.energized_mw)?,
            contracted_kw: known(&self.contracted_power_mw)?,
            pipeline_kw: known(&self.pipeline_mw)?,
            leased_it_kw: known(&self.ai_leased_it_mw)?,
        })
    }
}

/// A figure, where there is one.
fn known(megawatts: &str) -> anyhow::Result<Option<i64>> {
    (!megawatts.is_empty()).then(|| kilowatts(megawatts)).transpose()
}

/// What a row of `sites.csv` says of a site's power; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Figures {
    /// Load that may be drawn today.
    pub energised_kw: Option<i64>,
    /// Load that the utility or grid operator has agreed to.
    pub contracted_kw: Option<i64>,
    /// Studied, optioned or announced only.
    pub pipeline_kw: Option<i64>,
    /// Critical IT load leased to AI tenants.
    pub leased_it_kw: Option<i64>,
}

/// Why the server's answer differs from a column of `sites.csv`, for one site.
#[derive(Debug, Deserialize)]
pub struct Difference {
    /// The site.
    pub site_id: SiteId,
    /// The column.
    pub column: String,
    /// Why.
    pub why: String,
}

/// A site; `None` is unknown, which is neither zero nor unlimited.
#[derive(Clone, Debug)]
pub struct Site {
    /// The name on the wire.
    pub id: SiteId,
    /// Whose it is.
    pub operator: OperatorId,
    /// The name for people.
    pub name: String,
    /// City or county.
    pub city: String,
    /// State, province or price zone.
    pub state: String,
    /// ISO 3166 code of two letters.
    pub country: String,
    /// Latitude and longitude in ten millionths of a degree.
    pub place: Option<(i32, i32)>,
    /// The grid's operator, as the source writes it.
    pub grid_iso: String,
    /// The utility, as the source writes it.
    pub utility: String,
    /// Load that may be drawn today.
    pub energised_kw: Option<i64>,
    /// Load that the utility or grid operator has agreed to.
    pub contracted_kw: Option<i64>,
    /// First day on which the two hold, where the source dates it.
    pub grid_from: Option<CivilDate>,
    /// Load that is mined beside what is booked, at most.
    pub mined_kw: Option<i64>,
    /// The row's figures before anything was corrected.
    pub stated: Figures,
    /// What the operator publicly reports as leased to AI tenants.
    pub reported_leased_it_kw: Option<i64>,
    /// What it is used for, as the source writes it.
    pub current_use: String,
    /// IANA zone, which decides its days and months.
    pub time_zone: String,
    /// Date of the report: the first day of its month or year.
    pub as_of: CivilDate,
    /// `A`, `B` or `C`.
    pub confidence: String,
    /// Where it was read.
    pub source: String,
}

pub(super) fn parse(
    mut rows: Vec<Row>,
    corrections: &[Correction],
    operators: &BTreeMap<&str, &OperatorId>,
) -> anyhow::Result<Vec<Site>> {
    let stated = rows.iter().map(Row::figures).collect::<anyhow::Result<Vec<_>>>()?;
    for correction in corrections {
        ensure!(
            correction.basis != Basis::Stated,
            "a correction is derived or assumed: what is stated stands in the row"
        );
        let row = rows.iter_mut().find(|row| row.site_id == correction.site_id);
        row.with_context(|| format!("site_corrections.csv: no site {}", correction.site_id))?
            .correct(correction)?;
    }
    rows.into_iter()
        .zip(stated)
        .map(|(row, stated)| {
            let id = row.site_id.clone();
            site(row, stated, operators).with_context(|| format!("sites.csv: {id}"))
        })
        .collect()
}

fn site(row: Row, stated: Figures, operators: &BTreeMap<&str, &OperatorId>) -> anyhow::Result<Site> {
    let operator = operators.get(row.operator.as_str());
    let operator = *operator.with_context(|| format!("operators.csv lacks `{}`", row.operator))?;
    let Figures { energised_kw, contracted_kw, leased_it_kw, .. } = row.figures()?;
    let all_of_it = if MINES.contains(&row.current_use.as_str()) { energised_kw } else { None };
    let place = match (row.lat.is_empty(), row.lon.is_empty()) {
        (true, true) => None,
        _ => Some((e7(&row.lat)?, e7(&row.lon)?)),
    };
    // A remark instead of a figure (`on-site gas 101 MW` stands under utility) would be a shifted row: refuse it.
    Ok(Site {
        place,
        operator: operator.clone(),
        energised_kw,
        contracted_kw,
        mined_kw: known(&row.interim_mw)?.or(all_of_it),
        stated,
        grid_from: row.grid_from,
        reported_leased_it_kw: leased_it_kw,
        as_of: month(&row.as_of)?,
        id: row.site_id,
        name: row.site_name,
        city: row.city_or_county,
        state: row.state_or_region,
        country: row.country,
        grid_iso: row.grid_iso,
        utility: row.utility,
        current_use: row.current_use,
        time_zone: row.timezone,
        confidence: row.confidence,
        source: row.source_url,
    })
}

impl Site {
    /// What is mined over time: from a day on, and from each day on which a phase of the plan takes its place. It is
    /// never more than the contracted power less what the phases draw, and what gave way does not come back.
    #[must_use]
    pub fn mined_steps(&self, from: CivilDate, phases: &[(CivilDate, i64)]) -> Vec<(CivilDate, i64)> {
        let Some(mut mined) = self.mined_kw else { return Vec::new() };
        let mut days: Vec<CivilDate> = phases.iter().map(|(day, _)| (*day).max(from)).collect();
        days.push(from);
        days.sort_unstable();
        days.dedup();
        let mut steps: Vec<(CivilDate, i64)> = Vec::new();
        for day in days {
            let drawn: i64 =
                phases.iter().filter(|(start, _)| *start <= day).map(|(_, gross_kw)| gross_kw).sum();
            mined = self.contracted_kw.map_or(mined, |contracted| mined.min((contracted - drawn).max(0)));
            if steps.last().is_none_or(|last| last.1 != mined) {
                steps.push((day, mined));
            }
        }
        steps
    }
}

/// `2026-08` or `2025`: its first day.
fn month(text: &str) -> anyhow::Result<CivilDate> {
    let padded = match text.len() {
        4 => format!("{text}-01-01"),
        7 => format!("{text}-01"),
        10 => text.to_owned(),
        _ => bail!("as_of `{text}`: neither a year nor a month nor a day"),
    };
    padded.parse().with_context(|| format!("as_of `{text}`"))
}

#[cfg(test)]
mod tests {
    use super::super::Market;
    use super::*;

    fn day(text: &str) -> CivilDate {
        text.parse().expect("a date")
    }

    #[test]
    fn a_mine_gives_way_to_what_is_booked() {
        let market = Market::load().expect("sound data");
        let named =
            |id: &str| market.sites.iter().find(|site| site.id.as_str() == id).expect("a site").clone();
        let (from, odessa) = (day("2020-01-01"), named("cifr-odessa"));
        assert_eq!(odessa.mined_steps(from, &[]), [(from, 207_000)]);
        let phases = [(day("2028-01-01"), 7_000), (day("2027-01-01"), 100_000), (day("2019-01-01"), 150_000)];
        let steps = [(from, 57_000), (day("2027-01-01"), 0)];
        assert_eq!(odessa.mined_steps(from, &phases), steps);
        // Room beside the mine costs it nothing, and where no limit is known nothing takes its place.
        assert_eq!(named("slnh-dorothy1").mined_steps(from, &[(from, 50_000)]), [(from, 50_000)]);
        assert_eq!(named("apld-ellendale").mined_steps(from, &[(from, 571_430)]), [(from, 180_000)]);
        assert!(
            named("riot-rockdale").mined_steps(from, &[]).is_empty(),
            "mixed, the mine's part not stated"
        );
    }

    #[test]
    fn mining_that_the_file_states_is_as_added_by_hand() {
        let market = Market::load().expect("sound data");
        let mined: i64 = market.sites.iter().filter_map(|site| site.mined_kw).sum();
        assert_eq!(mined, 2_255_000);
    }
}
