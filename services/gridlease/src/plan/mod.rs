//! `gridlease plan`: where a site's gross power goes over time, as bars, as a picture, or for a machine.

mod bars;
pub mod step;
mod svg;

use std::path::PathBuf;

use anyhow::{Context as _, bail};
use clap::Args;
use contracts::inventory::v1 as inventory;
use contracts::inventory::v1::site_service_client::SiteServiceClient;
use kernel::{SiteName, Zone};
use runtime::wire::to_date;

use crate::asking::{By, Days, Place, Server};
use crate::clients::Wire;
use crate::out;
pub use step::PowerPlan;

const EXAMPLES: &str = "\
Examples:
  gridlease plan hut-8/river-bend                      bars, a quarter each
  gridlease plan operators/hut-8/sites/river-bend --from 2026-01-01 --until 2042-01-01 --by year
  gridlease plan hut-8/river-bend --svg river-bend.svg
  gridlease plan hut-8/river-bend --json";

/// `gridlease plan`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Plan {
    /// The site: OPERATOR/SITE or its resource name
    #[arg(value_name = "SITE")]
    pub site: Place,
    /// Which days.
    #[command(flatten)]
    pub days: Days,
    /// What a bar shows [default: a quarter, or a year where there are more than 24 quarters]
    #[arg(long, value_enum)]
    pub by: Option<By>,
    /// Write a picture of it too
    #[arg(long, value_name = "FILE")]
    pub svg: Option<PathBuf>,
    /// One JSON document instead of bars
    #[arg(long)]
    pub json: bool,
    /// Whom to ask.
    #[command(flatten)]
    pub server: Server,
}

/// Prints a site's power plan.
///
/// # Errors
/// A name that is no site's; a refusal of the server; a picture that cannot be written.
pub async fn plan(arguments: Plan) -> anyhow::Result<()> {
    out::say(drawn(&arguments).await?);
    Ok(())
}

/// What the command prints; the picture is written on the way.
///
/// # Errors
/// As [`plan`].
pub async fn drawn(arguments: &Plan) -> anyhow::Result<String> {
    let Place::Site(site) = &arguments.site else { bail!("{}: no site", arguments.site) };
    let mut client = SiteServiceClient::new(arguments.server.connect(Some(&site.operator))?);
    let plan = asked(&mut client, site, arguments.days).await?;
    if let Some(file) = &arguments.svg {
        std::fs::write(file, svg::draw(&plan)).with_context(|| file.display().to_string())?;
        out::note(format!("written: {}", file.display()));
    }
    if arguments.json {
        let PowerPlan { site, display_name, zone, read_time, steps } = &plan;
        let document = serde_json::json!({
            "site": site, "display_name": display_name, "time_zone": zone.name(), "read_time": read_time,
            "steps": steps,
        });
        return Ok(serde_json::to_string_pretty(&document)?);
    }
    Ok(bars::draw(&plan, arguments.by))
}

/// Asks for a site and its plan.
///
/// # Errors
/// A refusal of the server.
pub async fn asked(
    client: &mut SiteServiceClient<Wire>,
    name: &SiteName,
    days: Days,
) -> anyhow::Result<PowerPlan> {
    let request = inventory::GetSiteRequest { name: name.to_string(), read_time: None };
    let site = client.get_site(request).await?.into_inner().site.context("an answer without its site")?;
    let zone: Zone = site.time_zone.parse().context("an answer with an unknown time zone")?;
    let days = days.range(zone)?;
    let request = inventory::GetPowerPlanRequest {
        name: site.name.clone(),
        start_date: Some(to_date(days.start())),
        end_date: Some(to_date(days.end())),
    };
    let answer = client.get_power_plan(request).await?.into_inner();
    PowerPlan::of((site.name, site.display_name, zone), &answer)
}
