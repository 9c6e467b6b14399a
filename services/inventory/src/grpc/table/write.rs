//! What there is, as rows that an import reads.

use std::collections::BTreeMap;

use contracts::inventory::v1::TableFormat;
use kernel::Error;
use serde::Serialize;
use serde_json::{Map, Value};

use super::cells::BETWEEN;
use super::{BLOCK, COLUMNS, Holds, PHASE, SITE, STEP};
use crate::app::Whole;
use crate::domain::block::Block;
use crate::domain::conversion::InterimUse;
use crate::domain::phase::{Phase, PhaseDraft};
use crate::domain::site::{PartialDate, Site};

/// A row: what its columns hold, those that hold nothing left out.
type Cells = BTreeMap<&'static str, String>;

/// Writes whole sites as a table.
pub(crate) fn write(format: TableFormat, whole: &[Whole]) -> Result<String, Error> {
    let mut rows = Vec::new();
    for one in whole {
        rows.push(site(&one.site)?);
        rows.extend(steps(&one.site));
        for block in &one.blocks {
            rows.push(self::block(block)?);
            let of = |phase: &&Phase| phase.name.block_name() == block.facts.name;
            rows.extend(one.phases.iter().filter(of).map(phase));
        }
    }
    match format {
        TableFormat::Csv | TableFormat::Unspecified => csv(&rows),
        TableFormat::Json => json(&rows),
    }
}

fn csv(rows: &[Cells]) -> Result<String, Error> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS.iter().map(|column| column.name)).map_err(Error::internal)?;
    for row in rows {
        let cells = COLUMNS.iter().map(|column| row.get(column.name).map_or("", String::as_str));
        writer.write_record(cells).map_err(Error::internal)?;
    }
    let bytes = writer.into_inner().map_err(|error| Error::internal(error.to_string()))?;
    String::from_utf8(bytes).map_err(Error::internal)
}

fn json(rows: &[Cells]) -> Result<String, Error> {
    let value = |holds: Holds, cell: &String| match holds {
        Holds::Text => Value::String(cell.clone()),
        Holds::Number | Holds::Json => serde_json::from_str(cell).unwrap_or_default(),
    };
    let row = |row: &Cells| {
        let cells = COLUMNS
            .iter()
            .filter_map(|column| Some((column.name.to_owned(), value(column.holds, row.get(column.name)?))));
        cells.collect::<Map<String, Value>>()
    };
    let rows: Vec<Map<String, Value>> = rows.iter().map(row).collect();
    serde_json::to_string_pretty(&rows).map_err(Error::internal)
}

/// The filled cells of a row.
fn cells(kind: &'static str, filled: impl IntoIterator<Item = (&'static str, String)>) -> Cells {
    let mut row: Cells = filled.into_iter().filter(|(_, cell)| !cell.is_empty()).collect();
    row.insert("kind", kind.to_owned());
    row
}

fn number<T: ToString>(number: Option<T>) -> String {
    number.map(|number| number.to_string()).unwrap_or_default()
}

/// A number of which none is not written.
fn some(count: i64) -> String {
    number((count != 0).then_some(count))
}

fn word(word: &'static str) -> String {
    if word == "UNSPECIFIED" { String::new() } else { word.to_owned() }
}

fn partial(date: Option<PartialDate>) -> String {
    date.map(PartialDate::text).unwrap_or_default()
}

fn list<T: AsRef<str>>(entries: impl IntoIterator<Item = T>) -> String {
    let entries: Vec<T> = entries.into_iter().collect();
    entries.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(&BETWEEN.to_string())
}

/// The rarer facts, or nothing where there are none.
fn more(facts: &impl Serialize) -> Result<String, Error> {
    let text = serde_json::to_string(facts).map_err(Error::internal)?;
    Ok(if text == "{}" { String::new() } else { text })
}

fn site(site: &Site) -> Result<Cells, Error> {
    let facts = &site.facts;
    Ok(cells(
        SITE,
        [
            ("site", facts.name.site.to_string()),
            ("display_name", facts.display_name.clone()),
            ("aliases", list(&facts.aliases)),
            ("city", facts.city.clone()),
            ("state_code", facts.state_code.clone()),
            ("country_code", facts.country_code.clone()),
            ("grid_iso", facts.grid_iso.clone()),
            ("utility", facts.utility.clone()),
            ("time_zone", facts.zone.name().to_owned()),
            ("latitude_e7", number(facts.latitude_e7)),
            ("longitude_e7", number(facts.longitude_e7)),
            ("interconnection_status", word(facts.interconnection.as_str())),
            ("interconnection_source", facts.interconnection_source.clone()),
            ("interconnection_as_of_date", partial(facts.interconnection_as_of)),
            ("reported_leased_it_kw", number(facts.reported_leased_it_kw)),
            ("current_use", facts.current_use.clone()),
            ("provenance_source", facts.provenance.source.clone()),
            ("provenance_as_of_date", partial(facts.provenance.as_of)),
            ("provenance_confidence", word(facts.provenance.confidence.as_str())),
            ("more", more(&facts.more)?),
        ],
    ))
}

fn steps(site: &Site) -> impl Iterator<Item = Cells> + '_ {
    site.facts.grid_steps.iter().map(|step| {
        cells(
            STEP,
            [
                ("site", site.facts.name.site.to_string()),
                ("from_date", step.from.to_string()),
                ("contracted_kw", number(step.contracted_kw)),
                ("energised_kw", number(step.energised_kw)),
                ("interim_kw", number(step.interim_kw)),
            ],
        )
    })
}

fn block(block: &Block) -> Result<Cells, Error> {
    let facts = &block.facts;
    Ok(cells(
        BLOCK,
        [
            ("site", facts.name.site.to_string()),
            ("block", facts.name.block.to_string()),
            ("display_name", facts.display_name.clone()),
            ("cooling_kinds", list(facts.cooling.iter().map(|kind| kind.as_str()))),
            ("redundancy", word(facts.redundancy.as_str())),
            ("max_kw_per_rack", number(facts.max_kw_per_rack)),
            ("lease_type", word(facts.lease_type.as_str())),
            ("rate_per_kw_month", number(facts.rate.map(|rate| rate.0))),
            ("currency_code", number(facts.rate.map(|rate| rate.1.code()))),
            ("more", more(&facts.more)?),
        ],
    ))
}

fn phase(phase: &Phase) -> Cells {
    // What was assumed is left to the assumption again.
    let PhaseDraft { name, capacity, gross_kw, ready_for_service, date_basis, end, conversion } =
        phase.draft();
    let interim =
        if conversion.interim_use == InterimUse::None { "" } else { conversion.interim_use.as_str() };
    cells(
        PHASE,
        [
            ("site", name.site.to_string()),
            ("block", name.block.to_string()),
            ("phase", name.phase.to_string()),
            ("critical_it_kw", capacity.critical_it.to_string()),
            ("air_cooling_kw", capacity.air.to_string()),
            ("liquid_cooling_kw", capacity.liquid.to_string()),
            ("immersion_cooling_kw", capacity.immersion.to_string()),
            ("accelerators", capacity.accelerators.to_string()),
            ("gross_kw", number(gross_kw)),
            ("ready_for_service_date", ready_for_service.to_string()),
            ("date_basis", word(date_basis.as_str())),
            ("end_date", number(end)),
            ("interim_use", interim.to_owned()),
            ("interim_gross_kw", some(conversion.interim_gross_kw)),
            ("interim_start_date", number(conversion.interim_start)),
            ("conversion_start_date", number(conversion.start)),
            ("wind_down_notice_days", some(i64::from(conversion.wind_down_notice_days))),
        ],
    )
}
