//! `gridlease availability`: what is free over time, what takes the rest, and who has rights on it.

mod text;

use anyhow::{Context as _, bail};
use clap::{Args, ValueEnum};
use contracts::common::v1::CapacityVector;
use contracts::inventory::v1 as inventory;
use contracts::inventory::v1::capacity_service_client::CapacityServiceClient;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use kernel::{Instant, Violations, Zone};
use runtime::wire::{instant, to_date};
use serde::Serialize;

use crate::asking::{By, Days, Place, Server};
use crate::clients::Wire;
use crate::out;

/// Sites of a page.
const PAGE: i32 = 1_000;

const EXAMPLES: &str = "\
Examples:
  gridlease availability hut-8                         an operator: all it has, and a line for each site
  gridlease availability hut-8/river-bend --by step    a site, a row wherever something changes
  gridlease availability hut-8/river-bend/hall-1 --lane liquid-cooling
  gridlease availability --grid-iso ERCOT --as tenants/anthropic
  gridlease availability hut-8 --json";

/// `gridlease availability`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Availability {
    /// An operator, a site or a block: OPERATOR, OPERATOR/SITE, OPERATOR/SITE/BLOCK or a resource name
    #[arg(value_name = "NAME", required_unless_present_any = ["grid_iso", "country"], conflicts_with_all = ["grid_iso", "country"])]
    pub name: Option<Place>,
    /// A region instead: sites of this grid operator
    #[arg(long, value_name = "ISO")]
    pub grid_iso: Option<String>,
    /// A region instead: sites in this country, ISO 3166-1 alpha-2
    #[arg(long, value_name = "CC")]
    pub country: Option<String>,
    /// Which days.
    #[command(flatten)]
    pub days: Days,
    /// What a row shows: of a quarter or a year the time at which least is free
    #[arg(long, value_enum, default_value_t = By::Quarter)]
    pub by: By,
    /// What is counted
    #[arg(long, value_enum, default_value_t = Lane::CriticalIt)]
    pub lane: Lane,
    /// One JSON document instead of tables
    #[arg(long)]
    pub json: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// A lane of capacity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Lane {
    /// Critical IT load
    CriticalIt,
    /// Air cooling
    AirCooling,
    /// Liquid cooling
    LiquidCooling,
    /// Immersion cooling
    ImmersionCooling,
    /// Accelerators, a count
    Accelerators,
}

impl Lane {
    fn of(self, vector: Option<&CapacityVector>) -> i64 {
        let Some(vector) = vector else { return 0 };
        match self {
            Self::CriticalIt => vector.critical_it_kw,
            Self::AirCooling => vector.air_cooling_kw,
            Self::LiquidCooling => vector.liquid_cooling_kw,
            Self::ImmersionCooling => vector.immersion_cooling_kw,
            Self::Accelerators => vector.accelerators,
        }
    }

    /// What its figures count.
    fn unit(self) -> &'static str {
        match self {
            Self::CriticalIt => "MW of critical IT load",
            Self::AirCooling => "MW of air cooling",
            Self::LiquidCooling => "MW of liquid cooling",
            Self::ImmersionCooling => "MW of immersion cooling",
            Self::Accelerators => "accelerators",
        }
    }

    fn figure(self, count: i64) -> String {
        if self == Self::Accelerators { out::grouped(count) } else { out::megawatts(count) }
    }
}

/// One lane of capacity over a stretch of time, and what takes it, in kW (of accelerators a count).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Step {
    start_time: Instant,
    end_time: Instant,
    capacity: i64,
    leased: i64,
    optioned: i64,
    held: i64,
    own_use: i64,
    free: i64,
    short: i64,
    /// Critical IT load under encumbrances; `None` where that is not told.
    soft_kw: Option<i64>,
    free_unencumbered_kw: Option<i64>,
}

/// A right that stands before a booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Right {
    rank: i32,
    kind: String,
    /// Empty where it is another's.
    tenant: String,
    quantity_kw: i64,
    valid_until_time: Option<Instant>,
    response_days: i32,
    encumbrance: String,
}

/// What was answered of one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
struct Of {
    name: String,
    #[serde(skip)]
    zone: Zone,
    read_time: Option<Instant>,
    steps: Vec<Step>,
    rights: Vec<Right>,
}

/// Prints what is free.
///
/// # Errors
/// A name that is none; a refusal of the server.
pub async fn availability(arguments: Availability) -> anyhow::Result<()> {
    out::say(told(&arguments).await?);
    Ok(())
}

/// What the command prints.
///
/// # Errors
/// As [`availability`].
pub async fn told(arguments: &Availability) -> anyhow::Result<String> {
    let wire = arguments.server.connect(arguments.name.as_ref().map(Place::operator))?;
    let mut asking = Asking {
        arguments,
        sites: SiteServiceClient::new(wire.clone()),
        capacity: CapacityServiceClient::new(wire),
    };
    let zone = match arguments.name.as_ref().and_then(Place::site) {
        Some(site) => asking.zone(site.to_string()).await?,
        None => Zone::UTC,
    };
    let whole = asking.of(arguments.name.as_ref().map(ToString::to_string), zone).await?;
    let mut sites = Vec::new();
    for (name, zone) in asking.sites().await? {
        sites.push(asking.of(Some(name), zone).await?);
    }
    if arguments.json {
        return Ok(serde_json::to_string_pretty(&serde_json::json!({"of": whole, "sites": sites}))?);
    }
    text::tell(&whole, &sites, arguments)
}

struct Asking<'a> {
    arguments: &'a Availability,
    sites: SiteServiceClient<Wire>,
    capacity: CapacityServiceClient<Wire>,
}

impl Asking<'_> {
    async fn zone(&mut self, name: String) -> anyhow::Result<Zone> {
        let request = inventory::GetSiteRequest { name, read_time: None };
        let site =
            self.sites.get_site(request).await?.into_inner().site.context("an answer without its site")?;
        site.time_zone.parse().context("an answer with an unknown time zone")
    }

    /// The sites that have a line of their own: those of an operator or a region.
    async fn sites(&mut self) -> anyhow::Result<Vec<(String, Zone)>> {
        let parent = match &self.arguments.name {
            Some(Place::Operator(name)) => name.to_string(),
            Some(Place::Site(_) | Place::Block(_)) => return Ok(Vec::new()),
            None => "operators/-".to_owned(),
        };
        let mut found = Vec::new();
        let mut page_token = String::new();
        loop {
            let request = inventory::ListSitesRequest {
                parent: parent.clone(),
                page_size: PAGE,
                page_token,
                grid_isos: self.arguments.grid_iso.iter().cloned().collect(),
                country_codes: self.arguments.country.iter().cloned().collect(),
                ..Default::default()
            };
            let page = self.sites.list_sites(request).await?.into_inner();
            for site in page.sites {
                found.push((site.name, site.time_zone.parse().context("an unknown time zone")?));
            }
            page_token = page.next_page_token;
            if page_token.is_empty() {
                return Ok(found);
            }
        }
    }

    async fn of(&mut self, name: Option<String>, zone: Zone) -> anyhow::Result<Of> {
        let days = self.arguments.days.range(zone)?;
        let region = |said: &Option<String>| if name.is_none() { said.clone() } else { None };
        let request = inventory::GetAvailabilityRequest {
            grid_iso: region(&self.arguments.grid_iso).unwrap_or_default(),
            country_code: region(&self.arguments.country).unwrap_or_default(),
            name: name.clone().unwrap_or_default(),
            start_date: Some(to_date(days.start())),
            end_date: Some(to_date(days.end())),
        };
        let answer = self.capacity.get_availability(request).await?.into_inner();
        let steps = answer.steps.iter().map(|step| self.step(step)).collect::<anyhow::Result<Vec<_>>>()?;
        if steps.is_empty() {
            bail!("an answer without steps");
        }
        let said = [&self.arguments.grid_iso, &self.arguments.country];
        let region = said.into_iter().flatten().cloned().collect::<Vec<_>>().join(", ");
        let mut rights: Vec<Right> = answer.rights.iter().map(right).collect();
        rights.sort_by_key(|right| right.rank);
        let read_time = time(answer.read_time.as_ref());
        Ok(Of { name: name.unwrap_or(region), zone, read_time, steps, rights })
    }

    fn step(&self, step: &inventory::AvailabilityStep) -> anyhow::Result<Step> {
        let of = |vector: &Option<CapacityVector>| self.arguments.lane.of(vector.as_ref());
        Ok(Step {
            start_time: time(step.start_time.as_ref()).context("a step without its start")?,
            end_time: time(step.end_time.as_ref()).context("a step without its end")?,
            capacity: of(&step.capacity),
            leased: of(&step.leased),
            optioned: of(&step.optioned),
            held: of(&step.held),
            own_use: of(&step.own_use),
            free: of(&step.free),
            short: of(&step.short),
            soft_kw: step.soft_kw,
            free_unencumbered_kw: step.free_unencumbered_kw,
        })
    }
}

fn time(timestamp: Option<&prost_types::Timestamp>) -> Option<Instant> {
    instant(&mut Violations::new(), "", timestamp)
}

fn right(right: &inventory::Right) -> Right {
    Right {
        rank: right.rank,
        kind: right.kind().as_str_name().trim_start_matches("ENCUMBRANCE_KIND_").to_owned(),
        tenant: right.tenant.clone(),
        quantity_kw: right.quantity_kw,
        valid_until_time: time(right.valid_until_time.as_ref()),
        response_days: right.response_days,
        encumbrance: right.encumbrance.clone(),
    }
}
