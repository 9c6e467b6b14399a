//! Sites, blocks and phases as one table of text, in and out.

mod cells;
mod format;
mod read;
mod write;

use contracts::inventory::v1 as wire;
use kernel::{Error, OperatorId, OperatorName, Violations};
use runtime::wire::{known, request_id};

use crate::app::{Import, Imported, PageRequest};
pub(super) use write::write;

/// Bytes of a table, so that its message stays below the server's limit.
const BYTES_MAX: usize = 900_000;
/// Problems that an answer lists.
const PROBLEMS_MAX: usize = 1_000;

/// A column and what its cells hold.
struct Column {
    name: &'static str,
    holds: Holds,
    /// The kinds of rows that have it.
    of: &'static [&'static str],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Holds {
    Text,
    Number,
    Json,
}

const SITE: &str = "site";
const STEP: &str = "grid_step";
const BLOCK: &str = "block";
const PHASE: &str = "phase";

const fn column(name: &'static str, holds: Holds, of: &'static [&'static str]) -> Column {
    Column { name, holds, of }
}

/// The columns, in the order in which they are written.
const COLUMNS: &[Column] = &[
    column("kind", Holds::Text, &[SITE, STEP, BLOCK, PHASE]),
    column("site", Holds::Text, &[SITE, STEP, BLOCK, PHASE]),
    column("block", Holds::Text, &[BLOCK, PHASE]),
    column("phase", Holds::Text, &[PHASE]),
    column("display_name", Holds::Text, &[SITE, BLOCK]),
    column("aliases", Holds::Text, &[SITE]),
    column("city", Holds::Text, &[SITE]),
    column("state_code", Holds::Text, &[SITE]),
    column("country_code", Holds::Text, &[SITE]),
    column("grid_iso", Holds::Text, &[SITE]),
    column("utility", Holds::Text, &[SITE]),
    column("time_zone", Holds::Text, &[SITE]),
    column("latitude_e7", Holds::Number, &[SITE]),
    column("longitude_e7", Holds::Number, &[SITE]),
    column("interconnection_status", Holds::Text, &[SITE]),
    column("interconnection_source", Holds::Text, &[SITE]),
    column("interconnection_as_of_date", Holds::Text, &[SITE]),
    column("reported_leased_it_kw", Holds::Number, &[SITE]),
    column("current_use", Holds::Text, &[SITE]),
    column("provenance_source", Holds::Text, &[SITE]),
    column("provenance_as_of_date", Holds::Text, &[SITE]),
    column("provenance_confidence", Holds::Text, &[SITE]),
    column("from_date", Holds::Text, &[STEP]),
    column("contracted_kw", Holds::Number, &[STEP]),
    column("energised_kw", Holds::Number, &[STEP]),
    column("interim_kw", Holds::Number, &[STEP]),
    column("cooling_kinds", Holds::Text, &[BLOCK]),
    column("redundancy", Holds::Text, &[BLOCK]),
    column("max_kw_per_rack", Holds::Number, &[BLOCK]),
    column("lease_type", Holds::Text, &[BLOCK]),
    column("rate_per_kw_month", Holds::Text, &[BLOCK]),
    column("currency_code", Holds::Text, &[BLOCK]),
    column("critical_it_kw", Holds::Number, &[PHASE]),
    column("air_cooling_kw", Holds::Number, &[PHASE]),
    column("liquid_cooling_kw", Holds::Number, &[PHASE]),
    column("immersion_cooling_kw", Holds::Number, &[PHASE]),
    column("accelerators", Holds::Number, &[PHASE]),
    column("gross_kw", Holds::Number, &[PHASE]),
    column("ready_for_service_date", Holds::Text, &[PHASE]),
    column("date_basis", Holds::Text, &[PHASE]),
    column("end_date", Holds::Text, &[PHASE]),
    column("interim_use", Holds::Text, &[PHASE]),
    column("interim_gross_kw", Holds::Number, &[PHASE]),
    column("interim_start_date", Holds::Text, &[PHASE]),
    column("conversion_start_date", Holds::Text, &[PHASE]),
    column("wind_down_notice_days", Holds::Number, &[PHASE]),
    column("more", Holds::Json, &[SITE, BLOCK]),
];

/// A table as it was read.
pub(super) enum Read {
    /// Every row is well-formed.
    Good(Box<Import>),
    /// Some are not.
    Wrong(Imported),
}

pub(super) fn import(request: &wire::ImportInventoryRequest) -> Result<Read, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let format = known::<wire::TableFormat>(&mut v, "format", request.format);
    let short = v.require("text", request.text.len() <= BYTES_MAX, "must have at most 900000 bytes");
    let rows = format.filter(|_| short).and_then(|format| format::rows(&mut v, format, &request.text));
    let request_id = request_id(&mut v, &request.request_id);
    let (operator, rows, request_id) = v.build(|| Some((parent?.operator, rows?, request_id?)))?;
    let mut read = read::read(&operator, &rows);
    if !read.problems.is_empty() {
        read.problems.sort_by_key(|problem| problem.row);
        read.problems.truncate(PROBLEMS_MAX);
        return Ok(Read::Wrong(Imported { problems: read.problems, ..Imported::default() }));
    }
    let (sites, blocks, phases) = (read.sites, read.blocks, read.phases);
    let validate_only = request.validate_only;
    Ok(Read::Good(Box::new(Import { operator, sites, blocks, phases, request_id, validate_only })))
}

pub(super) fn export(
    request: &wire::ExportInventoryRequest,
) -> Result<(OperatorId, wire::TableFormat, PageRequest), Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let format = known::<wire::TableFormat>(&mut v, "format", request.format);
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| Some((parent?.operator, format?, page?)))
}

pub(super) fn imported(done: &Imported) -> wire::ImportInventoryResponse {
    let count = |count: usize| i32::try_from(count).unwrap_or(i32::MAX);
    wire::ImportInventoryResponse {
        site_count: count(done.sites),
        block_count: count(done.blocks),
        phase_count: count(done.phases),
        problems: done
            .problems
            .iter()
            .take(PROBLEMS_MAX)
            .map(|problem| wire::RowProblem {
                row: problem.row,
                column: problem.column.clone(),
                message: problem.message.clone(),
            })
            .collect(),
    }
}
