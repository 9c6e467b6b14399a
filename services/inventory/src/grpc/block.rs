//! Blocks on the wire.

use contracts::inventory::v1 as wire;
use kernel::{BlockId, BlockName, Currency, Error, Instant, SiteName, Violations};
use runtime::wire::{display_name, instant, optional_instant, rate, request_id, to_decimal, to_timestamp};

use super::{mask, or_all, required_text};
use crate::app::{Archive, BlockPatch, Create, ListBlocks, UpdateBlock};
use crate::domain::block::{
    Accelerator, Block, BlockDraft, BlockFacts, BlockFactsPatch, Cooling, LeaseType, Redundancy,
};
use crate::domain::etag;

/// The fields that an update may name. Rate and currency go together.
const CHANGEABLE: &[&str] = &[
    "display_name",
    "cooling_kinds",
    "redundancy",
    "max_kw_per_rack",
    "lease_type",
    "rate_per_kw_month",
    "currency_code",
    "supply_temperature_decicelsius",
    "design_generation",
    "cooling_demarcation",
    "accelerator",
];
const KW_PER_RACK_MAX: i64 = 100_000;

pub(super) fn create(request: &wire::CreateBlockRequest) -> Result<Create<BlockDraft>, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<SiteName>);
    let id = v.parse("block_id", &request.block_id, str::parse);
    let name = parent.zip(id).map(|(parent, id)| BlockName::new(parent.operator, parent.site, id));
    let draft = v
        .present("block", request.block.as_ref())
        .and_then(|block| v.nested("block", |v| facts(v, name, block)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| Some(Create { draft: draft?, request_id: request_id?, validate_only: request.validate_only }))
}

/// Reads all that is said of a block.
pub(super) fn facts(v: &mut Violations, name: Option<BlockName>, block: &wire::Block) -> Option<BlockDraft> {
    let patch = patch(v, block, CHANGEABLE);
    draft(name?, patch?)
}

fn draft(name: BlockName, patch: BlockPatch) -> Option<BlockDraft> {
    Some(BlockDraft {
        name,
        display_name: patch.display_name?,
        cooling: patch.cooling?,
        redundancy: patch.redundancy?,
        max_kw_per_rack: patch.max_kw_per_rack?,
        lease_type: patch.lease_type?,
        rate: patch.rate?,
        more: patch.more.apply(BlockFacts::default()),
    })
}

pub(super) fn update(request: &wire::UpdateBlockRequest) -> Result<UpdateBlock, Error> {
    let mut v = Violations::new();
    let paths = mask(&mut v, request.update_mask.as_ref(), CHANGEABLE);
    let read = v.present("block", request.block.as_ref()).and_then(|block| {
        v.nested("block", |v| {
            let name = v.parse("name", &block.name, str::parse::<BlockName>);
            v.require("etag", !block.etag.is_empty(), "is required");
            let patch = patch(v, block, &paths);
            Some((name?, block.etag.clone(), patch?))
        })
    });
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (name, etag, patch) = read?;
        Some(UpdateBlock { name, etag, patch, request_id: request_id?, validate_only: request.validate_only })
    })
}

/// Reads the named fields, all violations at once.
fn patch(v: &mut Violations, block: &wire::Block, fields: &[&str]) -> Option<BlockPatch> {
    let wants = |field| fields.contains(&field);
    let mut patch = BlockPatch::default();
    let mut whole = true;
    if wants("display_name") {
        patch.display_name = display_name(v, "display_name", &block.display_name);
        whole &= patch.display_name.is_some();
    }
    if wants("cooling_kinds") {
        patch.cooling = cooling(v, &block.cooling_kinds);
        whole &= patch.cooling.is_some();
    }
    if wants("redundancy") {
        patch.redundancy = redundancy(v, "redundancy", block.redundancy);
        whole &= patch.redundancy.is_some();
    }
    if wants("lease_type") {
        patch.lease_type = lease_type(v, "lease_type", block.lease_type);
        whole &= patch.lease_type.is_some();
    }
    if wants("max_kw_per_rack") {
        let kw = block.max_kw_per_rack;
        whole &=
            v.require("max_kw_per_rack", (0..=KW_PER_RACK_MAX).contains(&kw), "must be from 0 to 100000 kW");
        patch.max_kw_per_rack = Some((kw > 0).then_some(kw));
    }
    if wants("rate_per_kw_month") || wants("currency_code") {
        patch.rate = rate_and_currency(v, block);
        whole &= patch.rate.is_some();
    }
    for field in fields {
        whole &= set_more(v, &mut patch.more, block, field).is_some();
    }
    whole.then_some(patch)
}

/// Whether a temperature of what cools is one that can be, in tenths of a degree Celsius.
pub(super) fn supply_temperature(v: &mut Violations, field: &str, tenths: Option<i32>) -> bool {
    let inside = tenths.is_none_or(|tenths| (-500..=1_000).contains(&tenths));
    v.require(field, inside, "must be from -500 to 1000 tenths of a degree Celsius")
}

fn set_more(v: &mut Violations, patch: &mut BlockFactsPatch, block: &wire::Block, field: &str) -> Option<()> {
    match field {
        "supply_temperature_decicelsius" => {
            let tenths = block.supply_temperature_decicelsius;
            supply_temperature(v, field, tenths).then_some(())?;
            patch.supply_temperature_decicelsius = Some(tenths);
        }
        "design_generation" => {
            patch.design_generation = Some(v.text(field, &block.design_generation, 100)?);
        }
        "cooling_demarcation" => {
            patch.cooling_demarcation = Some(v.text(field, &block.cooling_demarcation, 200)?);
        }
        "accelerator" => {
            let read = block.accelerator.as_ref().map(|sent| v.nested(field, |v| accelerator(v, sent)));
            patch.accelerator = Some(match read {
                Some(read) => Some(read?),
                None => None,
            });
        }
        _ => {}
    }
    Some(())
}

fn accelerator(v: &mut Violations, sent: &wire::Accelerator) -> Option<Accelerator> {
    let model = required_text(v, "model", &sent.model, 100);
    let inside = v.require("watts", (1..=1_000_000).contains(&sent.watts), "must be from 1 to 1000000 W");
    Some(Accelerator { model: model?, watts: inside.then_some(sent.watts)? })
}

fn rate_and_currency(v: &mut Violations, block: &wire::Block) -> Option<Option<(kernel::Rate, Currency)>> {
    if block.rate_per_kw_month.is_none() && block.currency_code.is_empty() {
        return Some(None);
    }
    let rate = rate(v, "rate_per_kw_month", block.rate_per_kw_month.as_ref());
    let currency = v.parse("currency_code", &block.currency_code, str::parse::<Currency>);
    Some(Some((rate?, currency?)))
}

pub(super) fn cooling(v: &mut Violations, sent: &[i32]) -> Option<Vec<Cooling>> {
    let kinds =
        v.each_word("cooling_kinds", sent, |v, number| match wire::CoolingKind::try_from(*number) {
            Ok(wire::CoolingKind::Air) => Some(Cooling::Air),
            Ok(wire::CoolingKind::Liquid) => Some(Cooling::Liquid),
            Ok(wire::CoolingKind::Immersion) => Some(Cooling::Immersion),
            Ok(wire::CoolingKind::Unspecified) | Err(_) => {
                v.add("", "is not a known value");
                None
            }
        })?;
    let mut once = kinds.clone();
    once.sort_unstable();
    once.dedup();
    v.require("cooling_kinds", once.len() == kinds.len(), "must name each kind at most once").then_some(kinds)
}

pub(super) fn redundancy(v: &mut Violations, field: &str, number: i32) -> Option<Redundancy> {
    match wire::Redundancy::try_from(number) {
        Ok(wire::Redundancy::Unspecified) => Some(Redundancy::Unspecified),
        Ok(wire::Redundancy::N) => Some(Redundancy::N),
        Ok(wire::Redundancy::NPlus1) => Some(Redundancy::NPlus1),
        Ok(wire::Redundancy::TwoN) => Some(Redundancy::TwoN),
        Ok(wire::Redundancy::TwoNPlus1) => Some(Redundancy::TwoNPlus1),
        Ok(wire::Redundancy::Distributed) => Some(Redundancy::Distributed),
        Err(_) => {
            v.add(field, "is not a known value");
            None
        }
    }
}

pub(super) fn lease_type(v: &mut Violations, field: &str, number: i32) -> Option<LeaseType> {
    match wire::LeaseType::try_from(number) {
        Ok(wire::LeaseType::Unspecified) => Some(LeaseType::Unspecified),
        Ok(wire::LeaseType::PoweredShell) => Some(LeaseType::PoweredShell),
        Ok(wire::LeaseType::Turnkey) => Some(LeaseType::Turnkey),
        Ok(wire::LeaseType::GpuCloud) => Some(LeaseType::GpuCloud),
        Err(_) => {
            v.add(field, "is not a known value");
            None
        }
    }
}

pub(super) fn archive(request: &wire::ArchiveBlockRequest) -> Result<Archive<BlockName>, Error> {
    super::archive(&request.name, &request.etag, &request.request_id, request.validate_only)
}

pub(super) fn get(request: &wire::GetBlockRequest) -> Result<(BlockName, Option<Instant>), Error> {
    let mut v = Violations::new();
    let name = v.parse("name", &request.name, str::parse::<BlockName>);
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    v.build(|| Some((name?, read_time?)))
}

/// Reads an earlier version back.
pub(super) fn of_wire(bytes: &[u8], revision: i64, id: BlockId) -> Result<Block, Error> {
    super::kept(bytes, |v, kept: wire::Block| {
        let name = v.parse("name", &kept.name, str::parse::<BlockName>);
        let facts = facts(v, name, &kept);
        let created_at = instant(v, "create_time", kept.create_time.as_ref());
        let updated_at = instant(v, "update_time", kept.update_time.as_ref());
        let archived_at = optional_instant(v, "archive_time", kept.archive_time.as_ref());
        Some(Block {
            id,
            facts: facts?,
            revision,
            created_at: created_at?,
            updated_at: updated_at?,
            archived_at: archived_at?,
        })
    })
}

pub(super) fn list(request: &wire::ListBlocksRequest) -> Result<ListBlocks, Error> {
    let mut v = Violations::new();
    let parent = match request.parent.split('/').collect::<Vec<_>>()[..] {
        ["operators", operator, "sites", site] => {
            or_all(&mut v, "parent", operator).zip(or_all(&mut v, "parent", site))
        }
        _ => {
            v.add("parent", "must have the form operators/{operator}/sites/{site}; either id may be -");
            None
        }
    };
    let read_time = optional_instant(&mut v, "read_time", request.read_time.as_ref());
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| {
        let (operator, site) = parent?;
        let show_archived = request.show_archived;
        Some(ListBlocks { operator, site, show_archived, read_time: read_time?, page: page? })
    })
}

pub(super) fn created(block: &Block) -> wire::CreateBlockResponse {
    wire::CreateBlockResponse { block: Some(to_wire(block)) }
}

pub(super) fn updated(block: &Block) -> wire::UpdateBlockResponse {
    wire::UpdateBlockResponse { block: Some(to_wire(block)) }
}

pub(super) fn archived(block: &Block) -> wire::ArchiveBlockResponse {
    wire::ArchiveBlockResponse { block: Some(to_wire(block)) }
}

pub(super) fn to_wire(block: &Block) -> wire::Block {
    let facts = &block.facts;
    let cooling = |kind: &Cooling| match kind {
        Cooling::Air => wire::CoolingKind::Air,
        Cooling::Liquid => wire::CoolingKind::Liquid,
        Cooling::Immersion => wire::CoolingKind::Immersion,
    };
    let mut sent = wire::Block {
        name: facts.name.to_string(),
        display_name: facts.display_name.clone(),
        cooling_kinds: facts.cooling.iter().map(|kind| cooling(kind).into()).collect(),
        redundancy: match facts.redundancy {
            Redundancy::Unspecified => wire::Redundancy::Unspecified,
            Redundancy::N => wire::Redundancy::N,
            Redundancy::NPlus1 => wire::Redundancy::NPlus1,
            Redundancy::TwoN => wire::Redundancy::TwoN,
            Redundancy::TwoNPlus1 => wire::Redundancy::TwoNPlus1,
            Redundancy::Distributed => wire::Redundancy::Distributed,
        }
        .into(),
        max_kw_per_rack: facts.max_kw_per_rack.unwrap_or(0),
        lease_type: match facts.lease_type {
            LeaseType::Unspecified => wire::LeaseType::Unspecified,
            LeaseType::PoweredShell => wire::LeaseType::PoweredShell,
            LeaseType::Turnkey => wire::LeaseType::Turnkey,
            LeaseType::GpuCloud => wire::LeaseType::GpuCloud,
        }
        .into(),
        rate_per_kw_month: facts.rate.map(|rate| to_decimal(rate.0)),
        currency_code: facts.rate.map(|rate| rate.1.code().to_owned()).unwrap_or_default(),
        etag: etag(block.revision),
        create_time: Some(to_timestamp(block.created_at)),
        update_time: Some(to_timestamp(block.updated_at)),
        archive_time: block.archived_at.map(to_timestamp),
        ..wire::Block::default()
    };
    put(&mut sent, &facts.more);
    sent
}

/// Writes the rarer facts into a block.
pub(super) fn put(block: &mut wire::Block, facts: &BlockFacts) {
    block.supply_temperature_decicelsius = facts.supply_temperature_decicelsius;
    block.design_generation.clone_from(&facts.design_generation);
    block.cooling_demarcation.clone_from(&facts.cooling_demarcation);
    block.accelerator = facts
        .accelerator
        .as_ref()
        .map(|accelerator| wire::Accelerator { model: accelerator.model.clone(), watts: accelerator.watts });
}
