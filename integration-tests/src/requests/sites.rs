//! Requests about operators, sites, blocks and phases.

use contracts::inventory::v1 as inventory;
use prost::Message as _;

use super::mask;
use crate::market::{self, request_id};
use crate::world::Names;

pub(super) fn sites(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (request_id, validate_only) = (request_id(), true);
    let (page_size, page_token) = (0, String::new());
    Some(match method {
        "SiteService/CreateOperator" => inventory::CreateOperatorRequest {
            operator_id: "another".to_owned(),
            operator: Some(inventory::Operator { display_name: "Another".to_owned(), ..Default::default() }),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetOperator" => {
            inventory::GetOperatorRequest { name: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "SiteService/ListOperators" => {
            inventory::ListOperatorsRequest { page_size, page_token, read_time: None }.encode_to_vec()
        }
        "SiteService/UpdateOperator" => inventory::UpdateOperatorRequest {
            operator: Some(inventory::Operator {
                name: n.operator.clone(),
                etag: n.operator_etag.clone(),
                display_name: "Renamed".to_owned(),
                ..Default::default()
            }),
            update_mask: mask("display_name"),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/CreateSite" => inventory::CreateSiteRequest {
            parent: n.operator.clone(),
            site_id: "another".to_owned(),
            site: Some(market::grid_site(100_000)),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetSite" => {
            inventory::GetSiteRequest { name: n.site.clone(), ..Default::default() }.encode_to_vec()
        }
        "SiteService/ListSites" => {
            inventory::ListSitesRequest { parent: n.operator.clone(), ..Default::default() }.encode_to_vec()
        }
        "SiteService/UpdateSite" => inventory::UpdateSiteRequest {
            site: Some(inventory::Site {
                name: n.site.clone(),
                etag: n.site_etag.clone(),
                current_use: "mining".to_owned(),
                ..Default::default()
            }),
            update_mask: mask("current_use"),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/ArchiveSite" => inventory::ArchiveSiteRequest {
            name: n.spare_site.clone(),
            etag: String::new(),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        _ => return None,
    })
}

pub(super) fn blocks(method: &str, n: &Names) -> Option<Vec<u8>> {
    let (request_id, validate_only) = (request_id(), true);
    Some(match method {
        "SiteService/CreateBlock" => inventory::CreateBlockRequest {
            parent: n.site.clone(),
            block_id: "another".to_owned(),
            block: Some(market::liquid_block()),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetBlock" => {
            inventory::GetBlockRequest { name: n.block.clone(), ..Default::default() }.encode_to_vec()
        }
        "SiteService/ListBlocks" => {
            inventory::ListBlocksRequest { parent: n.site.clone(), ..Default::default() }.encode_to_vec()
        }
        "SiteService/UpdateBlock" => inventory::UpdateBlockRequest {
            block: Some(inventory::Block {
                name: n.block.clone(),
                etag: n.block_etag.clone(),
                display_name: "Hall A".to_owned(),
                ..Default::default()
            }),
            update_mask: mask("display_name"),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/ArchiveBlock" => inventory::ArchiveBlockRequest {
            name: n.spare_block.clone(),
            etag: String::new(),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/CreatePhase" => inventory::CreatePhaseRequest {
            parent: n.block.clone(),
            phase_id: "another".to_owned(),
            phase: Some(market::phase(market::hall(1_000), "2028-01-01")),
            request_id,
            validate_only,
        }
        .encode_to_vec(),
        "SiteService/GetPhase" => {
            inventory::GetPhaseRequest { name: n.phase.clone(), ..Default::default() }.encode_to_vec()
        }
        "SiteService/ListPhases" => {
            inventory::ListPhasesRequest { parent: n.block.clone(), ..Default::default() }.encode_to_vec()
        }
        _ => return None,
    })
}
