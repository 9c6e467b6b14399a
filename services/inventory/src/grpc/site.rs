//! Sites on the wire.

use contracts::inventory::v1 as wire;
use kernel::{Error, Instant, OperatorName, OperatorParent, SiteName, Violations, Zone};
use runtime::wire::{date, display_name, instant, optional_instant, request_id, to_date, to_timestamp};

use super::{mask, partial_date, provenance, short_texts, site_facts, to_partial_date, to_provenance};
use crate::app::{Archive, Create, ListSites, SitePatch, UpdateSite};
use crate::domain::etag;
use crate::domain::site::{GridStep, Interconnection, Site, SiteDraft};
use crate::domain::site_facts::SiteFacts;

const KW_MAX: i64 = 100_000_000;
const GRID_STEPS_MAX: usize = 200;

/// The fields that an update may name.
const CHANGEABLE: &[&str] = &[
    "display_name",
    "aliases",
    "city",
    "state_code",
    "country_code",
    "grid_iso",
    "utility",
    "latitude_e7",
    "longitude_e7",
    "interconnection",
    "grid_steps",
    "reported_leased_it_kw",
    "current_use",
    "provenance",
    "billing_entity",
    "fibre",
    "backup_generation",
    "gross_to_it",
    "regulatory_risk",
    "utility_contracts",
    "curtailment_programmes",
];

pub(super) fn create(request: &wire::CreateSiteRequest) -> Result<Create<SiteDraft>, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorName>);
    let id = v.parse("site_id", &request.site_id, str::parse);
    let site = v.present("site", request.site.as_ref());
    let read = site.and_then(|site| {
        let name = parent.zip(id).map(|(parent, id)| SiteName::new(parent.operator, id));
        v.nested("site", |v| facts(v, name, site))
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| Some(Create { draft: read?, request_id: request_id?, validate_only: request.validate_only }))
}

/// Reads all that is said of a site.
pub(super) fn facts(v: &mut Violations, name: Option<SiteName>, site: &wire::Site) -> Option<SiteDraft> {
    let zone = v.parse("time_zone", &site.time_zone, str::parse::<Zone>);
    let patch = patch(v, site, CHANGEABLE);
    draft(name?, zone?, patch?)
}

fn draft(name: SiteName, zone: Zone, patch: SitePatch) -> Option<SiteDraft> {
    let (interconnection, interconnection_source, interconnection_as_of) = patch.interconnection?;
    Some(SiteDraft {
        name,
        display_name: patch.display_name?,
        aliases: patch.aliases?,
        city: patch.city?,
        state_code: patch.state_code?,
        country_code: patch.country_code?,
        grid_iso: patch.grid_iso?,
        utility: patch.utility?,
        zone,
        latitude_e7: patch.latitude_e7?,
        longitude_e7: patch.longitude_e7?,
        interconnection,
        interconnection_source,
        interconnection_as_of,
        grid_steps: patch.grid_steps?,
        reported_leased_it_kw: patch.reported_leased_it_kw?,
        current_use: patch.current_use?,
        provenance: patch.provenance?,
        more: patch.more.apply(SiteFacts::default()),
    })
}

pub(super) fn update(request: &wire::UpdateSiteRequest) -> Result<UpdateSite, Error> {
    let mut v = Violations::new();
    let paths = mask(&mut v, request.update_mask.as_ref(), CHANGEABLE);
    let read = v.present("site", request.site.as_ref()).and_then(|site| {
        v.nested("site", |v| {
            let name = v.parse("name", &site.name, str::parse::<SiteName>);
            v.require("etag", !site.etag.is_empty(), "is required");
            let patch = patch(v, site, &paths);
            Some((name?, site.etag.clone(), patch?))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (name, etag, patch) = read?;
        Some(UpdateSite { name, etag, patch, request_id: request_id?, validate_only: request.validate_only })
    })
}

/// Reads the named fields, all violations at once.
fn patch(v: &mut Violations, site: &wire::Site, fields: &[&str]) -> Option<SitePatch> {
    let mut patch = SitePatch::default();
    let mut whole = true;
    for field in fields {
        whole &= set(v, &mut patch, site, field).is_some();
    }
    whole.then_some(patch)
}

fn set(v: &mut Violations, patch: &mut SitePatch, site: &wire::Site, field: &str) -> Option<()> {
    let whole = |e7: i32, most: i32| (-most..=most).contains(&e7);
    match field {
        "display_name" => patch.display_name = Some(display_name(v, field, &site.display_name)?),
        "aliases" => patch.aliases = Some(short_texts(v, field, &site.aliases, 20)?),
        "city" => patch.city = Some(v.text(field, &site.city, 200)?),
        "state_code" => patch.state_code = Some(v.text(field, &site.state_code, 20)?),
        "country_code" => patch.country_code = Some(country(v, &site.country_code)?),
        "grid_iso" => patch.grid_iso = Some(v.text(field, &site.grid_iso, 100)?),
        "utility" => patch.utility = Some(v.text(field, &site.utility, 200)?),
        "current_use" => patch.current_use = Some(v.text(field, &site.current_use, 500)?),
        "latitude_e7" => {
            let inside = site.latitude_e7.is_none_or(|e7| whole(e7, 900_000_000));
            v.require(field, inside, "must be from -900000000 to 900000000").then_some(())?;
            patch.latitude_e7 = Some(site.latitude_e7);
        }
        "longitude_e7" => {
            let inside = site.longitude_e7.is_none_or(|e7| whole(e7, 1_800_000_000));
            v.require(field, inside, "must be from -1800000000 to 1800000000").then_some(())?;
            patch.longitude_e7 = Some(site.longitude_e7);
        }
        "interconnection" => patch.interconnection = Some(interconnection(v, site.interconnection.as_ref())?),
        "grid_steps" => patch.grid_steps = Some(grid_steps(v, &site.grid_steps)?),
        "reported_leased_it_kw" => {
            patch.reported_leased_it_kw = Some(optional_kw(v, field, site.reported_leased_it_kw)?);
        }
        "provenance" => patch.provenance = Some(provenance(v, site.provenance.as_ref())?),
        more => site_facts::set(v, &mut patch.more, site, more)?,
    }
    Some(())
}

pub(super) fn country(v: &mut Violations, code: &str) -> Option<String> {
    let holds = code.len() == 2 && code.bytes().all(|b| b.is_ascii_uppercase());
    v.require("country_code", holds, "must be an ISO 3166-1 alpha-2 code such as US").then(|| code.to_owned())
}

pub(super) fn optional_kw(v: &mut Violations, field: &str, kw: Option<i64>) -> Option<Option<i64>> {
    let inside = kw.is_none_or(|kw| (0..=KW_MAX).contains(&kw));
    v.require(field, inside, "must be from 0 to 100000000 kW").then_some(kw)
}

fn interconnection(
    v: &mut Violations,
    sent: Option<&wire::Interconnection>,
) -> Option<(Interconnection, String, Option<crate::domain::site::PartialDate>)> {
    let Some(sent) = sent else { return Some((Interconnection::Unspecified, String::new(), None)) };
    v.nested("interconnection", |v| {
        let status = match wire::InterconnectionStatus::try_from(sent.status) {
            Ok(wire::InterconnectionStatus::Unspecified) => Some(Interconnection::Unspecified),
            Ok(wire::InterconnectionStatus::Requested) => Some(Interconnection::Requested),
            Ok(wire::InterconnectionStatus::Studied) => Some(Interconnection::Studied),
            Ok(wire::InterconnectionStatus::Contracted) => Some(Interconnection::Contracted),
            Ok(wire::InterconnectionStatus::Energised) => Some(Interconnection::Energised),
            Err(_) => {
                v.add("status", "is not a known value");
                None
            }
        };
        let source = v.text("source", &sent.source, 2_000);
        let as_of = partial_date(v, "as_of_date", sent.as_of_date.as_ref());
        Some((status?, source?, as_of?))
    })
}

/// Reads one step.
pub(super) fn grid_step(v: &mut Violations, step: &wire::GridStep) -> Option<GridStep> {
    let from = date(v, "from_date", step.from_date.as_ref());
    let contracted_kw = optional_kw(v, "contracted_kw", step.contracted_kw);
    let energised_kw = optional_kw(v, "energised_kw", step.energised_kw);
    let interim_kw = optional_kw(v, "interim_kw", step.interim_kw);
    if let (Some(contracted), Some(interim)) = (step.contracted_kw, step.interim_kw) {
        v.require("interim_kw", interim <= contracted, "must be at most contracted_kw");
    }
    Some(GridStep {
        from: from?,
        contracted_kw: contracted_kw?,
        energised_kw: energised_kw?,
        interim_kw: interim_kw?,
    })
}

/// Whether a step reads.
pub(super) fn is_grid_step(step: &wire::GridStep) -> bool {
    grid_step(&mut Violations::new(), step).is_some()
}

fn grid_steps(v: &mut Violations, sent: &[wire::GridStep]) -> Option<Vec<GridStep>> {
    if sent.len() > GRID_STEPS_MAX {
        v.add("grid_steps", format!("must have at most {GRID_STEPS_MAX} entries"));
        return None;
    }
    let steps = v.each("grid_steps", sent, grid_step)?;
    let rising = steps.windows(2).all(|pair| pair[0].from < pair[1].from);
    v.require("grid_steps", rising, "must rise strictly by from_date").then_some(steps)
}

pub(super) fn archive(request: &wire::ArchiveSiteRequest) -> Result<Archive<SiteName>, Error> {
    super::archive(&request.name, &request.etag, &request.request_id, request.validate_only)
}

pub(super) fn get(request: &wire::GetSiteRequest) -> Result<(SiteName, Option<Instant>), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<SiteName>);
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    v.build(|| Some((name?, read_time?)))
}

/// Reads an earlier version back.
pub(super) fn of_wire(bytes: &[u8], version: i64) -> Result<Site, Error> {
    super::kept(bytes, |v, kept: wire::Site| {
        let name = v.parse("name", &kept.name, str::parse::<SiteName>);
        let facts = facts(v, name, &kept);
        let created_at = instant(v, "create_time", kept.create_time.as_ref());
        let updated_at = instant(v, "update_time", kept.update_time.as_ref());
        let archived_at = optional_instant(v, "archive_time", kept.archive_time.as_ref());
        Some(Site {
            facts: facts?,
            version,
            created_at: created_at?,
            updated_at: updated_at?,
            archived_at: archived_at?,
        })
    })
}

pub(super) fn list(request: &wire::ListSitesRequest) -> Result<ListSites, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<OperatorParent>);
    let grid_isos = short_texts(&mut v, "grid_isos", &request.grid_isos, 50);
    let country_codes = short_texts(&mut v, "country_codes", &request.country_codes, 250);
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| {
        Some(ListSites {
            parent: parent?,
            grid_isos: grid_isos?,
            country_codes: country_codes?,
            show_archived: request.show_archived,
            read_time: read_time?,
            page: page?,
        })
    })
}

pub(super) fn created(site: &Site) -> wire::CreateSiteResponse {
    wire::CreateSiteResponse { site: Some(to_wire(site)) }
}

pub(super) fn updated(site: &Site) -> wire::UpdateSiteResponse {
    wire::UpdateSiteResponse { site: Some(to_wire(site)) }
}

pub(super) fn archived(site: &Site) -> wire::ArchiveSiteResponse {
    wire::ArchiveSiteResponse { site: Some(to_wire(site)) }
}

pub(super) fn to_wire(site: &Site) -> wire::Site {
    let facts = &site.facts;
    let mut sent = wire::Site {
        name: facts.name.to_string(),
        display_name: facts.display_name.clone(),
        aliases: facts.aliases.clone(),
        city: facts.city.clone(),
        state_code: facts.state_code.clone(),
        country_code: facts.country_code.clone(),
        grid_iso: facts.grid_iso.clone(),
        utility: facts.utility.clone(),
        time_zone: facts.zone.name().to_owned(),
        latitude_e7: facts.latitude_e7,
        longitude_e7: facts.longitude_e7,
        interconnection: Some(wire::Interconnection {
            status: match facts.interconnection {
                Interconnection::Unspecified => wire::InterconnectionStatus::Unspecified,
                Interconnection::Requested => wire::InterconnectionStatus::Requested,
                Interconnection::Studied => wire::InterconnectionStatus::Studied,
                Interconnection::Contracted => wire::InterconnectionStatus::Contracted,
                Interconnection::Energised => wire::InterconnectionStatus::Energised,
            }
            .into(),
            source: facts.interconnection_source.clone(),
            as_of_date: facts.interconnection_as_of.map(to_partial_date),
        }),
        grid_steps: facts
            .grid_steps
            .iter()
            .map(|step| wire::GridStep {
                from_date: Some(to_date(step.from)),
                contracted_kw: step.contracted_kw,
                energised_kw: step.energised_kw,
                interim_kw: step.interim_kw,
            })
            .collect(),
        reported_leased_it_kw: facts.reported_leased_it_kw,
        current_use: facts.current_use.clone(),
        provenance: to_provenance(&facts.provenance),
        etag: etag(site.version),
        create_time: Some(to_timestamp(site.created_at)),
        update_time: Some(to_timestamp(site.updated_at)),
        archive_time: site.archived_at.map(to_timestamp),
        ..wire::Site::default()
    };
    site_facts::put(&mut sent, &facts.more);
    sent
}
