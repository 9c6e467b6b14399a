//! The sites as the sources report them.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail, ensure};
use kernel::{CivilDate, OperatorId, SiteId};
use serde::Deserialize;

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
    ai_leased_it_mw: String,
    current_use: String,
    timezone: String,
    as_of: String,
    confidence: String,
    source_url: String,
    /// Not in the file: first day of the grid figures, where a correction gives it.
    #[serde(default)]
    grid_from: Option<CivilDate>,
}

/// What a report means where its columns do not say it: one value of one site.
#[derive(Debug, Deserialize)]
pub struct Correction {
    /// The site.
    pub site_id: SiteId,
    /// The column of `sites.csv`, or `grid_from`.
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
            "grid_from" => self.grid_from = Some(correction.value.parse()?),
            other => bail!("site_corrections.csv: no correction of `{other}` is known"),
        }
        Ok(())
    }
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
        .map(|row| {
            let id = row.site_id.clone();
            site(row, operators).with_context(|| format!("sites.csv: {id}"))
        })
        .collect()
}

fn site(row: Row, operators: &BTreeMap<&str, &OperatorId>) -> anyhow::Result<Site> {
    let operator = operators.get(row.operator.as_str());
    let operator = *operator.with_context(|| format!("operators.csv lacks `{}`", row.operator))?;
    let known = |text: &str| (!text.is_empty()).then(|| kilowatts(text)).transpose();
    let place = match (row.lat.is_empty(), row.lon.is_empty()) {
        (true, true) => None,
        _ => Some((e7(&row.lat)?, e7(&row.lon)?)),
    };
    // A remark instead of a figure (`on-site gas 101 MW` stands under utility) would be a shifted row: refuse it.
    Ok(Site {
        place,
        operator: operator.clone(),
        energised_kw: known(&row.energized_mw)?,
        contracted_kw: known(&row.contracted_power_mw)?,
        grid_from: row.grid_from,
        reported_leased_it_kw: known(&row.ai_leased_it_mw)?,
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
