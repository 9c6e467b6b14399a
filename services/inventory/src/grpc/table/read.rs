//! Rows to what is to be created: each read as the RPC that creates one thing reads it.

use std::collections::BTreeMap;

use contracts::common::v1 as common;
use contracts::google::r#type::Decimal;
use contracts::inventory::v1 as wire;
use kernel::{BlockName, BlockSlug, OperatorId, PhaseId, PhaseName, SiteId, SiteName};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::cells::Cells;
use super::format::Row;
use super::{BLOCK, PHASE, SITE, STEP};
use crate::app::{Numbered, Problem};
use crate::domain::block::{BlockDraft, BlockFacts};
use crate::domain::phase::PhaseDraft;
use crate::domain::site::SiteDraft;
use crate::domain::site_facts::SiteFacts;
use crate::grpc::{block, phase, site, site_facts};

/// What was read, and all that is wrong.
#[derive(Default)]
pub(super) struct Table {
    pub(super) sites: Vec<Numbered<SiteDraft>>,
    pub(super) blocks: Vec<Numbered<BlockDraft>>,
    pub(super) phases: Vec<Numbered<PhaseDraft>>,
    pub(super) problems: Vec<Problem>,
}

pub(super) fn read(operator: &OperatorId, rows: &[Row]) -> Table {
    let mut table = Table::default();
    let mut steps = table.steps(rows);
    let mut seen: BTreeMap<(&str, &str, &str, &str), i32> = BTreeMap::new();
    for row in rows {
        let mut cells = Cells::of(row);
        let kind = cells.text("kind");
        let key = match kind {
            SITE => Some((SITE, cells.text("site"), "", "")),
            BLOCK => Some((BLOCK, cells.text("site"), cells.text("block"), "")),
            PHASE => Some((PHASE, cells.text("site"), cells.text("block"), cells.text("phase"))),
            _ => None,
        };
        if let Some(first) = key.and_then(|key| seen.get(&key)) {
            cells.v.add(kind, format!("is in row {first} already"));
        } else if let Some(key) = key {
            seen.insert(key, row.number);
        }
        match kind {
            SITE => {
                let of_site = steps.remove(cells.text("site")).unwrap_or_default();
                let draft = site_row(&mut cells, operator, of_site);
                table.sites.extend(draft.map(|draft| (row.number, draft)));
            }
            BLOCK => {
                let draft = block_row(&mut cells, operator);
                table.blocks.extend(draft.map(|draft| (row.number, draft)));
            }
            PHASE => {
                let draft = phase_row(&mut cells, operator);
                table.phases.extend(draft.map(|draft| (row.number, draft)));
            }
            STEP => {}
            _ => cells.v.add("kind", "must be site, grid_step, block or phase"),
        }
        table.note(cells);
    }
    for (_, row) in steps.into_values().flatten() {
        table.problems.push(Problem {
            row,
            column: "site".to_owned(),
            message: "must be a site of the same table".to_owned(),
        });
    }
    table
}

impl Table {
    /// Adds what is wrong with a row.
    fn note(&mut self, cells: Cells<'_>) {
        let row = cells.row.number;
        let Err(refusal) = cells.v.finish() else { return };
        let mut told: Vec<String> = Vec::new();
        for violation in refusal.violations() {
            let (column, message) = in_words_of_the_table(&violation.field, &violation.description);
            // A cell that does not read is missing later on; once is enough.
            if column.is_empty() || column == "more" || !told.contains(&column) {
                told.push(column.clone());
                self.problems.push(Problem { row, column, message });
            }
        }
    }

    /// The grid steps of each site, in order of their dates, with their rows.
    fn steps<'a>(&mut self, rows: &'a [Row]) -> BTreeMap<&'a str, Vec<(wire::GridStep, i32)>> {
        let mut found: BTreeMap<&str, Vec<(wire::GridStep, i32)>> = BTreeMap::new();
        for row in rows {
            let mut cells = Cells::of(row);
            if cells.text("kind") != STEP {
                continue;
            }
            cells.only_of(STEP);
            let step = wire::GridStep {
                from_date: cells.date("from_date"),
                contracted_kw: cells.number("contracted_kw"),
                energised_kw: cells.number("energised_kw"),
                interim_kw: cells.number("interim_kw"),
            };
            site::grid_step(&mut cells.v, &step);
            found.entry(cells.text("site")).or_default().push((step, row.number));
            self.note(cells);
        }
        for steps in found.values_mut() {
            steps.sort_by_key(|(step, _)| step.from_date.map(|date| (date.year, date.month, date.day)));
        }
        found
    }
}

fn site_row(
    cells: &mut Cells<'_>,
    operator: &OperatorId,
    steps: Vec<(wire::GridStep, i32)>,
) -> Option<SiteDraft> {
    cells.only_of(SITE);
    let id = cells.id::<SiteId>("site");
    let facts: Option<SiteFacts> = more(cells);
    let mut sent = wire::Site {
        display_name: cells.owned("display_name"),
        aliases: cells.list("aliases"),
        city: cells.owned("city"),
        state_code: cells.owned("state_code"),
        country_code: cells.owned("country_code"),
        grid_iso: cells.owned("grid_iso"),
        utility: cells.owned("utility"),
        time_zone: cells.owned("time_zone"),
        latitude_e7: cells.number("latitude_e7"),
        longitude_e7: cells.number("longitude_e7"),
        interconnection: Some(wire::Interconnection {
            status: cells.word(
                "interconnection_status",
                "INTERCONNECTION_STATUS_",
                wire::InterconnectionStatus::from_str_name,
            ),
            source: cells.owned("interconnection_source"),
            as_of_date: cells.partial_date("interconnection_as_of_date"),
        }),
        // What is wrong with one of them is told of its own row.
        grid_steps: steps.into_iter().map(|(step, _)| step).filter(site::is_grid_step).collect(),
        reported_leased_it_kw: cells.number("reported_leased_it_kw"),
        current_use: cells.owned("current_use"),
        provenance: Some(common::Provenance {
            source: cells.owned("provenance_source"),
            as_of_date: cells.partial_date("provenance_as_of_date"),
            confidence: cells.word("provenance_confidence", "CONFIDENCE_", common::Confidence::from_str_name),
        }),
        ..wire::Site::default()
    };
    site_facts::put(&mut sent, &facts.unwrap_or_default());
    let name = id.map(|id| SiteName::new(operator.clone(), id));
    site::facts(&mut cells.v, name, &sent)
}

fn block_row(cells: &mut Cells<'_>, operator: &OperatorId) -> Option<BlockDraft> {
    cells.only_of(BLOCK);
    let (site, id) = (cells.id::<SiteId>("site"), cells.id::<BlockSlug>("block"));
    let facts: Option<BlockFacts> = more(cells);
    let rate = cells.owned("rate_per_kw_month");
    let mut sent = wire::Block {
        display_name: cells.owned("display_name"),
        cooling_kinds: cells.words("cooling_kinds", "COOLING_KIND_", wire::CoolingKind::from_str_name),
        redundancy: cells.word("redundancy", "REDUNDANCY_", wire::Redundancy::from_str_name),
        max_kw_per_rack: cells.number("max_kw_per_rack").unwrap_or_default(),
        lease_type: cells.word("lease_type", "LEASE_TYPE_", wire::LeaseType::from_str_name),
        rate_per_kw_month: (!rate.is_empty()).then_some(Decimal { value: rate }),
        currency_code: cells.owned("currency_code"),
        ..wire::Block::default()
    };
    block::put(&mut sent, &facts.unwrap_or_default());
    let name = site.zip(id).map(|(site, id)| BlockName::new(operator.clone(), site, id));
    let draft = block::facts(&mut cells.v, name, &sent)?;
    cells.contradicted("block.", draft.check());
    Some(draft)
}

fn phase_row(cells: &mut Cells<'_>, operator: &OperatorId) -> Option<PhaseDraft> {
    cells.only_of(PHASE);
    let (site, block) = (cells.id::<SiteId>("site"), cells.id::<BlockSlug>("block"));
    let id = cells.id::<PhaseId>("phase");
    let mut lane = |column| cells.number(column).unwrap_or_default();
    let capacity = common::CapacityVector {
        critical_it_kw: lane("critical_it_kw"),
        air_cooling_kw: lane("air_cooling_kw"),
        liquid_cooling_kw: lane("liquid_cooling_kw"),
        immersion_cooling_kw: lane("immersion_cooling_kw"),
        accelerators: lane("accelerators"),
    };
    let sent = wire::Phase {
        capacity: Some(capacity),
        gross_kw: cells.number("gross_kw").unwrap_or_default(),
        ready_for_service_date: cells.date("ready_for_service_date"),
        date_basis: cells.word("date_basis", "DATE_BASIS_", wire::DateBasis::from_str_name),
        end_date: cells.date("end_date"),
        interim_use: cells.word("interim_use", "INTERIM_USE_", wire::InterimUse::from_str_name),
        interim_gross_kw: cells.number("interim_gross_kw").unwrap_or_default(),
        interim_start_date: cells.date("interim_start_date"),
        conversion_start_date: cells.date("conversion_start_date"),
        wind_down_notice_days: cells.number("wind_down_notice_days").unwrap_or_default(),
        ..wire::Phase::default()
    };
    let name =
        site.zip(block).zip(id).map(|((site, block), id)| PhaseName::new(operator.clone(), site, block, id));
    let draft = phase::draft(&mut cells.v, name, &sent)?;
    cells.contradicted("phase.", draft.check());
    Some(draft)
}

/// The rarer facts: a JSON object of which every key is known.
fn more<T: DeserializeOwned + Serialize>(cells: &mut Cells<'_>) -> Option<T> {
    let text = cells.text("more");
    if text.is_empty() {
        return None;
    }
    let read = serde_json::from_str::<Value>(text)
        .and_then(|sent| Ok((serde_json::from_value::<T>(sent.clone())?, sent)));
    match read {
        Err(error) => {
            cells.v.add("more", format!("must be a JSON object of facts: {error}"));
            None
        }
        Ok((facts, sent)) => {
            if let Some(key) = unread(&sent, &serde_json::to_value(&facts).unwrap_or_default()) {
                cells.v.add("more", format!("has a key {} that no fact has", crate::grpc::quoted(&key)));
            }
            Some(facts)
        }
    }
}

/// A key that was sent and is not among what was read.
fn unread(sent: &Value, read: &Value) -> Option<String> {
    match (sent, read) {
        (Value::Object(sent), Value::Object(read)) => sent.iter().find_map(|(key, value)| {
            let says_nothing = value.is_null() || value.as_array().is_some_and(Vec::is_empty);
            match read.get(key) {
                Some(read) => unread(value, read),
                None if says_nothing => None,
                None => Some(key.clone()),
            }
        }),
        (Value::Array(sent), Value::Array(read)) => {
            sent.iter().zip(read).find_map(|(sent, read)| unread(sent, read))
        }
        _ => None,
    }
}

/// A path within a message as the column it came from, the rest of the path with the sentence.
fn in_words_of_the_table(field: &str, description: &str) -> (String, String) {
    let head = field.split(['.', '[']).next().unwrap_or_default();
    if FACTS.contains(&head) {
        return ("more".to_owned(), format!("{field} {description}"));
    }
    let field = field.trim_start_matches("capacity.");
    let column = field.split('[').next().unwrap_or_default().replace('.', "_");
    let is_column = super::COLUMNS.iter().any(|known| known.name == column);
    match (is_column, field.is_empty()) {
        (true, _) => (column, description.to_owned()),
        (false, true) => (String::new(), description.to_owned()),
        (false, false) => (String::new(), format!("{field} {description}")),
    }
}

/// The fields that lie in the column `more`.
const FACTS: &[&str] = &[
    "billing_entity",
    "fibre",
    "backup_generation",
    "gross_to_it",
    "regulatory_risk",
    "utility_contracts",
    "curtailment_programmes",
    "supply_temperature_decicelsius",
    "design_generation",
    "cooling_demarcation",
    "accelerator",
];
