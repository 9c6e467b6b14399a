//! `gridlease import` and `gridlease export`: an operator's sites, grid power, blocks and phases as a table.

mod parts;

use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use clap::{Args, ValueEnum};
use contracts::inventory::v1 as inventory;
use contracts::inventory::v1::import_service_client::ImportServiceClient;
use kernel::{Ids as _, OperatorId, SystemIds, derive_id};
use runtime::client::{Bearer, channel};
use tonic::service::interceptor::InterceptedService;

use crate::clients::Wire;
use crate::out;
use parts::Part;

/// Sites a page of an export.
const PAGE: i32 = 100;

/// How a table is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Comma-separated values with a header
    Csv,
    /// A JSON array of objects
    Json,
}

impl Format {
    /// What the file's name says, where nobody says otherwise.
    fn of(said: Option<Self>, file: Option<&Path>) -> Self {
        let by_name = || {
            let is_json = file.and_then(Path::extension).is_some_and(|end| end.eq_ignore_ascii_case("json"));
            if is_json { Self::Json } else { Self::Csv }
        };
        said.unwrap_or_else(by_name)
    }

    fn wire(self) -> i32 {
        match self {
            Self::Csv => inventory::TableFormat::Csv.into(),
            Self::Json => inventory::TableFormat::Json.into(),
        }
    }
}

/// Whom to ask, and as whom.
#[derive(Clone, Debug, Args)]
pub struct Server {
    /// Where inventory listens
    #[arg(long, env = "GRIDLEASE_INVENTORY", default_value = "http://127.0.0.1:50051", value_name = "URI")]
    pub inventory: String,
    /// A token of the operator's site staff (`gridlease token`)
    #[arg(long, env = "GRIDLEASE_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub token: String,
    /// The operator
    #[arg(long, value_name = "SLUG")]
    pub operator: OperatorId,
}

impl Server {
    fn client(&self) -> anyhow::Result<ImportServiceClient<Wire>> {
        let wire = InterceptedService::new(channel(&self.inventory)?, Bearer::new(&self.token)?);
        Ok(ImportServiceClient::new(wire))
    }

    fn parent(&self) -> String {
        format!("operators/{}", self.operator)
    }
}

const IMPORT_EXAMPLES: &str = "\
Examples:
  gridlease import --operator hut-8 --check sites.csv     tell every wrong row, create nothing
  gridlease import --operator hut-8 sites.csv
  gridlease export --operator hut-8 | gridlease import --operator hut-9 -

A table begins so (its columns in any order, those that say nothing left out):
  kind,site,block,phase,display_name,country_code,time_zone,from_date,contracted_kw,critical_it_kw,liquid_cooling_kw,ready_for_service_date,date_basis
  site,river-bend,,,River Bend,US,America/Chicago,,,,,,
  grid_step,river-bend,,,,,,2026-01-01,330000,,,,
  block,river-bend,hall-1,,Hall 1,,,,,,,,
  phase,river-bend,hall-1,one,,,,,,35000,35000,2027-12-01,FORECAST";

/// `gridlease import`.
#[derive(Debug, Args)]
#[command(after_help = IMPORT_EXAMPLES)]
pub struct Import {
    /// The table; - is standard input
    #[arg(value_name = "FILE")]
    pub file: PathBuf,
    /// How it is written [default: as the file's name ends, else csv]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Only check
    #[arg(long)]
    pub check: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

const EXPORT_EXAMPLES: &str = "\
Examples:
  gridlease export --operator hut-8 > sites.csv
  gridlease export --operator hut-8 --output sites.json";

/// `gridlease export`.
#[derive(Debug, Args)]
#[command(after_help = EXPORT_EXAMPLES)]
pub struct Export {
    /// Where to write it [default: standard output]
    #[arg(long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to write it [default: as the file's name ends, else csv]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// Imports a table; larger ones than the server takes at once in parts, all of them checked first.
///
/// # Errors
/// A file that cannot be read or is no table; a refusal of the server.
pub async fn import(arguments: Import) -> anyhow::Result<ExitCode> {
    let text = read(&arguments.file)?;
    let format = Format::of(arguments.format, Some(&arguments.file));
    let parts = parts::split(format, &text)?;
    let (base, parent) = (SystemIds.next(), arguments.server.parent());
    let mut client = arguments.server.client()?;
    let mut send = async |number: usize, part: &Part, validate_only: bool| {
        let request = inventory::ImportInventoryRequest {
            parent: parent.clone(),
            format: format.wire(),
            text: part.text.clone(),
            request_id: derive_id(base, &format!("{number} {validate_only}")).to_string(),
            validate_only,
        };
        let answer = client.import_inventory(request).await.context("import")?;
        anyhow::Ok(answer.into_inner())
    };
    let mut problems = 0;
    let mut done = [0; 3];
    for validate_only in [true, false] {
        // One part is checked by its import itself.
        if validate_only && parts.len() == 1 && !arguments.check {
            continue;
        }
        done = [0; 3];
        for (number, part) in parts.iter().enumerate() {
            let answer = send(number, part, validate_only).await?;
            problems += tell(part, &answer.problems);
            for (sum, count) in
                done.iter_mut().zip([answer.site_count, answer.block_count, answer.phase_count])
            {
                *sum += count;
            }
        }
        if problems > 0 || arguments.check {
            break;
        }
    }
    if problems > 0 {
        out::note(format!("gridlease: {problems} problems; nothing was created"));
        return Ok(ExitCode::FAILURE);
    }
    let what = if arguments.check { "would be created" } else { "created" };
    out::say(format!("{} sites, {} blocks and {} phases {what}", done[0], done[1], done[2]));
    Ok(ExitCode::SUCCESS)
}

fn read(file: &Path) -> anyhow::Result<String> {
    if file != Path::new("-") {
        return std::fs::read_to_string(file).with_context(|| file.display().to_string());
    }
    let mut text = String::new();
    std::io::stdin().lock().read_to_string(&mut text).context("standard input")?;
    Ok(text)
}

/// Prints each problem under the number that its row has in the file.
fn tell(part: &Part, problems: &[inventory::RowProblem]) -> usize {
    for problem in problems {
        let place = usize::try_from(problem.row).unwrap_or_default().saturating_sub(1);
        let row = part.rows.get(place).copied().unwrap_or_default();
        let column = if problem.column.is_empty() { String::new() } else { format!(", {}", problem.column) };
        out::say(format!("row {row}{column}: {}", problem.message));
    }
    problems.len()
}

/// Exports a table.
///
/// # Errors
/// A refusal of the server; a file that cannot be written.
pub async fn export(arguments: Export) -> anyhow::Result<()> {
    let format = Format::of(arguments.format, arguments.output.as_deref());
    let mut client = arguments.server.client()?;
    let (mut pages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = inventory::ExportInventoryRequest {
            parent: arguments.server.parent(),
            format: format.wire(),
            page_size: PAGE,
            page_token,
        };
        let page = client.export_inventory(request).await.context("export")?.into_inner();
        pages.push(page.text);
        page_token = page.next_page_token;
        if page_token.is_empty() {
            break;
        }
    }
    let table = parts::join(format, &pages)?;
    match arguments.output {
        Some(file) => std::fs::write(&file, table).with_context(|| file.display().to_string())?,
        None => out::say(table.trim_end()),
    }
    Ok(())
}
