//! `UpdateSite`.

use kernel::{Caller, Error, SiteName, Uuid};
use postgres::Answer;
use serde::Serialize;

use super::as_of::supersede;
use super::write::Write;
use super::{App, kind, own_scope, rpc};
use crate::domain::site::{GridStep, Interconnection, PartialDate, Provenance, Site, SiteDraft};
use crate::domain::site_facts::SiteFactsPatch;
use crate::domain::{check_etag, grid};
use crate::store::{phases, sites};

/// The grid connection's state, who says so, and as of when.
pub type InterconnectionFacts = (Interconnection, String, Option<PartialDate>);

/// The fields to change; those that are absent stay.
#[derive(Debug, Clone, Default, Serialize)]
pub struct SitePatch {
    /// What people call it.
    pub display_name: Option<String>,
    /// Other names.
    pub aliases: Option<Vec<String>>,
    /// Town or county.
    pub city: Option<String>,
    /// State, province or price zone.
    pub state_code: Option<String>,
    /// Country.
    pub country_code: Option<String>,
    /// Grid operator.
    pub grid_iso: Option<String>,
    /// Utility.
    pub utility: Option<String>,
    /// Latitude; `Some(None)` clears it.
    pub latitude_e7: Option<Option<i32>>,
    /// Longitude; `Some(None)` clears it.
    pub longitude_e7: Option<Option<i32>>,
    /// Grid connection.
    pub interconnection: Option<InterconnectionFacts>,
    /// Grid power over time.
    pub grid_steps: Option<Vec<GridStep>>,
    /// What is publicly reported as leased; `Some(None)` clears it.
    pub reported_leased_it_kw: Option<Option<i64>>,
    /// Present use.
    pub current_use: Option<String>,
    /// Where the figures come from.
    pub provenance: Option<Provenance>,
    /// What else is known of it.
    pub more: SiteFactsPatch,
}

impl SitePatch {
    fn apply(self, facts: SiteDraft) -> SiteDraft {
        let connection = (facts.interconnection, facts.interconnection_source, facts.interconnection_as_of);
        let (interconnection, interconnection_source, interconnection_as_of) =
            self.interconnection.unwrap_or(connection);
        SiteDraft {
            display_name: self.display_name.unwrap_or(facts.display_name),
            aliases: self.aliases.unwrap_or(facts.aliases),
            city: self.city.unwrap_or(facts.city),
            state_code: self.state_code.unwrap_or(facts.state_code),
            country_code: self.country_code.unwrap_or(facts.country_code),
            grid_iso: self.grid_iso.unwrap_or(facts.grid_iso),
            utility: self.utility.unwrap_or(facts.utility),
            latitude_e7: self.latitude_e7.unwrap_or(facts.latitude_e7),
            longitude_e7: self.longitude_e7.unwrap_or(facts.longitude_e7),
            interconnection,
            interconnection_source,
            interconnection_as_of,
            grid_steps: self.grid_steps.unwrap_or(facts.grid_steps),
            reported_leased_it_kw: self.reported_leased_it_kw.unwrap_or(facts.reported_leased_it_kw),
            current_use: self.current_use.unwrap_or(facts.current_use),
            provenance: self.provenance.unwrap_or(facts.provenance),
            more: self.more.apply(facts.more),
            name: facts.name,
            zone: facts.zone,
        }
    }
}

/// A change of a site.
#[derive(Debug, Clone, Serialize)]
pub struct UpdateSite {
    /// Which site.
    pub name: SiteName,
    /// The etag the caller read.
    pub etag: String,
    /// What to change.
    pub patch: SitePatch,
    /// The caller's id for this request.
    #[serde(skip)]
    pub request_id: Uuid,
    /// Only check.
    #[serde(skip)]
    pub validate_only: bool,
}

impl App {
    /// Changes fields of a site.
    ///
    /// # Errors
    /// `RESOURCE_NOT_FOUND`, `ETAG_MISMATCH`, `SITE_POWER_EXCEEDED`, `REQUEST_ID_REUSED`.
    pub async fn update_site(&self, caller: &Caller, command: UpdateSite) -> Result<Answer<Site>, Error> {
        let name = &command.name;
        own_scope(caller, &name.operator, "site")?;
        let now = self.now();
        let wire = self.wire;
        let how = Write {
            name: "update_site",
            rpc: rpc::UPDATE_SITE,
            operator: &name.operator,
            request_id: command.request_id,
            validate_only: command.validate_only,
            event: kind::SITE_UPDATED,
            tell: &move |site: &Site| (site.facts.name.to_string(), (wire.site)(site)),
            reply: wire.site_updated,
        };
        let (patch, etag) = (&command.patch, &command.etag);
        self.write(caller, &command, how, |tx| async move {
            let site = sites::lock(&tx, name).await?.ok_or_else(|| Error::not_found("site"))?;
            check_etag(etag, site.version)?;
            if site.archived_at.is_some() {
                return Err(Error::archived("site"));
            }
            // Two replicas' clocks may differ a little; time does not run backwards in what is kept.
            let now = now.max(site.updated_at);
            supersede(&tx, &self.wire, &site, now).await?;
            let facts = patch.clone().apply(site.facts);
            if patch.grid_steps.is_some() {
                grid::check(name, &facts.grid_steps, &phases::draws(&tx, name, None).await?)?;
            }
            let site = Site {
                facts,
                version: site.version + 1,
                created_at: site.created_at,
                updated_at: now,
                archived_at: None,
            };
            sites::update(&tx, &site).await?;
            Ok((tx, site))
        })
        .await
    }
}
