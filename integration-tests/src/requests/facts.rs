//! Requests about tables of sites, blocks and phases.

use contracts::inventory::v1 as inventory;
use prost::Message as _;

use crate::market::request_id;
use crate::world::Names;

pub(super) fn facts(method: &str, n: &Names) -> Option<Vec<u8>> {
    let format = inventory::TableFormat::Csv.into();
    Some(match method {
        "ImportService/ImportInventory" => inventory::ImportInventoryRequest {
            parent: n.operator.clone(),
            format,
            text: "kind,site,display_name,country_code,time_zone\nsite,imported,Imported,US,UTC\n".to_owned(),
            request_id: request_id(),
            validate_only: true,
        }
        .encode_to_vec(),
        "ImportService/ExportInventory" => {
            inventory::ExportInventoryRequest { parent: n.operator.clone(), format, ..Default::default() }
                .encode_to_vec()
        }
        _ => return None,
    })
}
