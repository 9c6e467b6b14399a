//! Revocations, wire to words and back.

use contracts::common::v1 as common;
use contracts::common::v1::revocation::Tokens as Said;
use contracts::common::v1::revoke_tokens_request::Tokens as Asked;
use kernel::{Error, Organisation, Violations};

use super::{Revocation, Revoke, Tokens};
use crate::wire;

/// As long as a claim may be.
const CLAIM_MAX_CHARS: usize = 255;
const REASON_MAX_CHARS: usize = 200;

/// Reads a request; every violation at once.
pub(super) fn read(request: &common::RevokeTokensRequest) -> Result<Revoke, Error> {
    let mut v = Violations::new();
    let owner = v.parse("parent", &request.parent, str::parse::<Organisation>);
    let claim = |v: &mut Violations, field, text: &str| {
        let given = v.require(field, !text.trim().is_empty(), "is required");
        v.text(field, text, CLAIM_MAX_CHARS).filter(|text| given && text.len() <= CLAIM_MAX_CHARS)
    };
    let tokens = match &request.tokens {
        Some(Asked::TokenId(id)) => {
            v.require("issued_until_time", request.issued_until_time.is_none(), "goes with a subject only");
            claim(&mut v, "token_id", id).map(Tokens::Token)
        }
        Some(Asked::Subject(subject)) => claim(&mut v, "subject", subject).map(Tokens::Subject),
        None => {
            v.add("tokens", "is required: token_id or subject");
            None
        }
    };
    let issued_until =
        wire::optional_instant(&mut v, "issued_until_time", request.issued_until_time.as_ref());
    let reason = v.text("reason", &request.reason, REASON_MAX_CHARS);
    let request_id = wire::request_id(&mut v, &request.request_id);
    v.build(|| {
        Some(Revoke {
            owner: owner?,
            tokens: tokens?,
            issued_until: issued_until?,
            reason: reason?,
            request_id: request_id?,
            validate_only: request.validate_only,
        })
    })
}

/// The answer.
pub(super) fn to_reply(revocation: &Revocation) -> common::RevokeTokensResponse {
    let tokens = match &revocation.tokens {
        Tokens::Token(id) => Said::TokenId(id.clone()),
        Tokens::Subject(subject) => Said::Subject(subject.clone()),
    };
    common::RevokeTokensResponse {
        revocation: Some(common::Revocation {
            parent: revocation.owner.to_string(),
            tokens: Some(tokens),
            issued_until_time: Some(wire::to_timestamp(revocation.issued_until)),
            reason: revocation.reason.clone(),
            update_time: Some(wire::to_timestamp(revocation.updated)),
            expire_time: Some(wire::to_timestamp(revocation.expires)),
        }),
    }
}
