//! A request that succeeds for every RPC, made from the names of a world: what tests bend in one place at a time.

mod agreements;
pub mod amendments;
mod billing;
mod capacity;
pub mod charging;
mod conversion;
mod facts;
mod leasing;
mod metering;
pub mod money;
pub mod offers;
mod reservations;
mod rights;
pub mod series;
mod sites;
pub mod tariffs;
pub mod tender;

use contracts::common::v1 as common;
use prost::Message as _;

use crate::market;
use crate::world::Names;

/// An encoded request for `rpc` (`package.Service/Method`) that its role may make and that succeeds; writes only ask
/// (`validate_only`). `None` for an RPC that nobody has written a request for.
#[must_use]
pub fn valid(rpc: &str, n: &Names) -> Option<Vec<u8>> {
    let (service, method) = rpc.strip_prefix("gridlease.")?.split_once(".v1.")?;
    match service {
        "common" => common(method, n),
        "inventory" => sites::sites(method, n)
            .or_else(|| sites::blocks(method, n))
            .or_else(|| facts::facts(method, n))
            .or_else(|| conversion::phases(method, n))
            .or_else(|| conversion::maintenance(method, n))
            .or_else(|| capacity::capacity(method, n))
            .or_else(|| reservations::reservations(method, n))
            .or_else(|| amendments::valid(method, n)),
        "leasing" => leasing::leases(method, n)
            .or_else(|| tender::valid(method, n))
            .or_else(|| rights::rights(method, n))
            .or_else(|| agreements::agreements(method, n))
            .or_else(|| offers::offers(method, n))
            .or_else(|| offers::quotes(method, n)),
        "billing" => billing::bills(method, n)
            .or_else(|| metering::meters(method, n))
            .or_else(|| tariffs::tariffs(method, n))
            .or_else(|| charging::charging(method, n))
            .or_else(|| series::series(method, n))
            .or_else(|| money::money(method, n))
            .or_else(|| money::books(method, n))
            .or_else(|| money::reports(method, n)),
        _ => None,
    }
}

fn mask(path: &str) -> Option<prost_types::FieldMask> {
    Some(prost_types::FieldMask { paths: vec![path.to_owned()] })
}

/// A request for an operator's audit trail.
#[must_use]
pub fn list_audit_entries(n: &Names) -> common::ListAuditEntriesRequest {
    common::ListAuditEntriesRequest { parent: n.operator.clone(), ..Default::default() }
}

/// A request that verifies an operator's chain from its beginning.
#[must_use]
pub fn verify_audit(n: &Names) -> common::VerifyAuditRequest {
    common::VerifyAuditRequest { parent: n.operator.clone(), ..Default::default() }
}

/// A request that ends the tokens of somebody who is not there.
#[must_use]
pub fn revoke_tokens(n: &Names) -> common::RevokeTokensRequest {
    common::RevokeTokensRequest {
        parent: n.operator.clone(),
        tokens: Some(common::revoke_tokens_request::Tokens::Subject("somebody-who-left".to_owned())),
        issued_until_time: None,
        reason: "left".to_owned(),
        request_id: market::request_id(),
        validate_only: true,
    }
}

fn common(method: &str, n: &Names) -> Option<Vec<u8>> {
    Some(match method {
        "ClockService/GetTime" => common::GetTimeRequest {}.encode_to_vec(),
        "ClockService/AdvanceTime" => {
            let later = kernel::Zone::UTC.start_of_day(market::day("2027-01-03"));
            common::AdvanceTimeRequest { time: Some(runtime::wire::to_timestamp(later)) }.encode_to_vec()
        }
        "AccessService/RevokeTokens" => revoke_tokens(n).encode_to_vec(),
        "AuditService/ListAuditEntries" => list_audit_entries(n).encode_to_vec(),
        "AuditService/GetAuditHead" => {
            common::GetAuditHeadRequest { parent: n.operator.clone() }.encode_to_vec()
        }
        "AuditService/VerifyAudit" => verify_audit(n).encode_to_vec(),
        _ => return None,
    })
}
