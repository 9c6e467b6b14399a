//! Blocks on the wire.

use contracts::inventory::v1 as wire;
use kernel::{BlockName, Currency, Error, SiteName, Violations};
use runtime::wire::{display_name, rate, request_id, to_decimal, to_timestamp};

use super::{mask, or_all};
use crate::app::{BlockPatch, Create, ListBlocks, UpdateBlock};
use crate::domain::block::{Block, BlockDraft, Cooling, LeaseType, Redundancy};
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
];
const KW_PER_RACK_MAX: i64 = 100_000;

pub(super) fn create(request: &wire::CreateBlockRequest) -> Result<Create<BlockDraft>, Error> {
    let mut v = Violations::new();
    let parent = v.parse("parent", &request.parent, str::parse::<SiteName>);
    let id = v.parse("block_id", &request.block_id, str::parse);
    let patch = v
        .present("block", request.block.as_ref())
        .and_then(|block| v.nested("block", |v| patch(v, block, CHANGEABLE)));
    let request_id = request_id(&mut v, &request.request_id);
    v.build(|| {
        let (parent, patch) = (parent?, patch?);
        let draft = BlockDraft {
            name: BlockName::new(parent.operator, parent.site, id?),
            display_name: patch.display_name?,
            cooling: patch.cooling?,
            redundancy: patch.redundancy?,
            max_kw_per_rack: patch.max_kw_per_rack?,
            lease_type: patch.lease_type?,
            rate: patch.rate?,
        };
        Some(Create { draft, request_id: request_id?, validate_only: request.validate_only })
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
    whole.then_some(patch)
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
    let kinds = v.each("cooling_kinds", sent, |v, number| match wire::CoolingKind::try_from(*number) {
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

pub(super) fn name(text: &str) -> Result<BlockName, Error> {
    let mut v = Violations::new();
    let name = v.parse("name", text, str::parse::<BlockName>);
    v.build(|| name)
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
    let page = super::page(&mut v, request.page_size, &request.page_token);
    v.build(|| {
        let (operator, site) = parent?;
        Some(ListBlocks { operator, site, page: page? })
    })
}

pub(super) fn created(block: &Block) -> wire::CreateBlockResponse {
    wire::CreateBlockResponse { block: Some(to_wire(block)) }
}

pub(super) fn updated(block: &Block) -> wire::UpdateBlockResponse {
    wire::UpdateBlockResponse { block: Some(to_wire(block)) }
}

pub(super) fn to_wire(block: &Block) -> wire::Block {
    let facts = &block.facts;
    let cooling = |kind: &Cooling| match kind {
        Cooling::Air => wire::CoolingKind::Air,
        Cooling::Liquid => wire::CoolingKind::Liquid,
        Cooling::Immersion => wire::CoolingKind::Immersion,
    };
    wire::Block {
        name: facts.name.to_string(),
        display_name: facts.display_name.clone(),
        cooling_kinds: facts.cooling.iter().map(|kind| cooling(kind).into()).collect(),
        redundancy: match facts.redundancy {
            Redundancy::Unspecified => wire::Redundancy::Unspecified,
            Redundancy::N => wire::Redundancy::N,
            Redundancy::NPlus1 => wire::Redundancy::NPlus1,
            Redundancy::TwoN => wire::Redundancy::TwoN,
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
    }
}
