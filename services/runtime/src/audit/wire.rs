//! The trail, wire to words and back.

use std::fmt::Write as _;

use contracts::common::v1 as common;
use kernel::{Error, Organisation, Uuid, Violations};
use postgres::audit::{Break, Entry, Filter, Flaw, Head, Outcome, Verdict};

use crate::wire;

const CLAIM_MAX_CHARS: usize = 255;
const TARGET_MAX_CHARS: usize = 1_000;
/// Published heads that one call compares.
const HEADS_MAX: usize = 100;

/// What a list asks for.
pub(super) struct Asked {
    pub(super) owner: Organisation,
    pub(super) filter: Filter,
    pub(super) size: u32,
}

/// What a verification asks for.
pub(super) struct Verify {
    pub(super) owner: Organisation,
    pub(super) after: Option<Head>,
    pub(super) heads: Vec<Head>,
}

fn parent(v: &mut Violations, text: &str) -> Option<Organisation> {
    let owner = v.parse("parent", text, str::parse::<Organisation>)?;
    if matches!(owner, Organisation::Service(_)) {
        v.add("parent", "must be operators/{operator}, tenants/{tenant} or platform: services have no trail");
        return None;
    }
    Some(owner)
}

/// Reads whose trail is asked for.
pub(super) fn owner(text: &str) -> Result<Organisation, Error> {
    let mut v = Violations::new();
    let owner = parent(&mut v, text);
    v.build(|| owner)
}

/// Reads a list; every violation at once.
pub(super) fn list(request: &common::ListAuditEntriesRequest) -> Result<Asked, Error> {
    let mut v = Violations::new();
    let owner = parent(&mut v, &request.parent);
    let size = wire::page_size(&mut v, request.page_size);
    let since = wire::optional_instant(&mut v, "since_time", request.since_time.as_ref());
    let until = wire::optional_instant(&mut v, "until_time", request.until_time.as_ref());
    if let (Some(Some(since)), Some(Some(until))) = (since, until) {
        v.require("until_time", since < until, "must be after since_time");
    }
    let subject = v.text("subject", &request.subject, CLAIM_MAX_CHARS);
    let organisation = v.parse_optional("organisation", &request.organisation, str::parse::<Organisation>);
    let rpc = v.text("rpc", &request.rpc, CLAIM_MAX_CHARS);
    let target = v.text("target", &request.target, TARGET_MAX_CHARS);
    let request_id = v.parse_optional("of_request_id", &request.of_request_id, |text| {
        text.parse::<Uuid>().map_err(|_| "must be a UUID")
    });
    let outcomes = v.each_word("outcomes", &request.outcomes, |v, outcome| {
        let outcome = match common::AuditOutcome::try_from(*outcome) {
            Ok(common::AuditOutcome::Done) => Some(Outcome::Done),
            Ok(common::AuditOutcome::Denied) => Some(Outcome::Denied),
            Ok(common::AuditOutcome::Unauthenticated) => Some(Outcome::Unauthenticated),
            Ok(common::AuditOutcome::Unspecified) | Err(_) => None,
        };
        v.require("", outcome.is_some(), "must be DONE, DENIED or UNAUTHENTICATED");
        outcome
    });
    let given = |text: String| (!text.is_empty()).then_some(text);
    v.build(|| {
        let filter = Filter {
            since: since?,
            until: until?,
            subject: given(subject?),
            organisation: organisation.map(|organisation| organisation.to_string()),
            rpc: given(rpc?),
            target: given(target?),
            request_id,
            outcomes: outcomes?,
        };
        Some(Asked { owner: owner?, filter, size: size? })
    })
}

/// What a page token is bound to: the request without the page.
pub(super) fn fingerprint(request: &common::ListAuditEntriesRequest) -> String {
    let bare = common::ListAuditEntriesRequest { page_size: 0, page_token: String::new(), ..request.clone() };
    hex(&prost::Message::encode_to_vec(&bare))
}

/// Reads what is to be verified; every violation at once.
pub(super) fn verify(request: &common::VerifyAuditRequest) -> Result<Verify, Error> {
    let mut v = Violations::new();
    let owner = parent(&mut v, &request.parent);
    let after = request.after.as_ref().map(|head| v.nested("after", |v| read_head(v, head)));
    if request.heads.len() > HEADS_MAX {
        v.add("heads", format!("must have at most {HEADS_MAX} entries"));
    }
    let heads = v.each("heads", request.heads.iter().take(HEADS_MAX), read_head);
    v.build(|| {
        let after = match after {
            Some(after) => Some(after?),
            None => None,
        };
        Some(Verify { owner: owner?, after, heads: heads? })
    })
}

fn read_head(v: &mut Violations, head: &common::AuditHead) -> Option<Head> {
    v.require("number", head.number >= 0, "must not be negative");
    let hash = unhex(&head.hash);
    v.require("hash", hash.is_some(), "must have 64 hexadecimal digits");
    Some(Head { number: head.number, hash: hash?, chained_at: None })
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string never fails.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let mut bytes = [0; 32];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

/// A link.
pub(super) fn head(head: &Head) -> common::AuditHead {
    common::AuditHead {
        number: head.number,
        hash: hex(&head.hash),
        chain_time: head.chained_at.map(wire::to_timestamp),
    }
}

/// What was found.
pub(super) fn verdict(verdict: &Verdict) -> common::VerifyAuditResponse {
    let flaw = |flaw| match flaw {
        Flaw::LinkChanged => common::AuditFlaw::LinkChanged,
        Flaw::LinkMissing => common::AuditFlaw::LinkMissing,
        Flaw::EntriesChanged => common::AuditFlaw::EntriesChanged,
        Flaw::CutOff => common::AuditFlaw::CutOff,
        Flaw::MadeAnew => common::AuditFlaw::MadeAnew,
    };
    let told = |one: &Break| common::AuditBreak { number: one.number, flaw: flaw(one.flaw).into() };
    common::VerifyAuditResponse {
        head: Some(head(&verdict.head)),
        entry_count: verdict.entries,
        complete: verdict.complete,
        breaks: verdict.breaks.iter().map(told).collect(),
    }
}

/// An entry.
pub(super) fn entry(entry: Entry) -> common::AuditEntry {
    let mut told = common::AuditEntry {
        record_time: Some(wire::to_timestamp(entry.recorded_at)),
        outcome: common::AuditOutcome::Done.into(),
        tenant: entry.tenant.unwrap_or_default(),
        target: entry.target,
        event_kind: entry.kind.unwrap_or_default(),
        transaction: entry.place.xid,
        ..Default::default()
    };
    if let Some(deed) = entry.deed {
        told.outcome = match deed.outcome {
            Outcome::Done => common::AuditOutcome::Done,
            Outcome::Denied => common::AuditOutcome::Denied,
            Outcome::Unauthenticated => common::AuditOutcome::Unauthenticated,
        }
        .into();
        told.organisation = deed.actor.organisation;
        told.subject = deed.actor.subject;
        told.token_id = deed.actor.token;
        told.on_behalf_of = deed.on_behalf_of.unwrap_or_default();
        told.rpc = deed.rpc;
        told.request_id = deed.request_id.map(|id| id.to_string()).unwrap_or_default();
        told.reason = deed.reason.unwrap_or_default();
        told.address = deed.address.map(|address| address.to_string()).unwrap_or_default();
        told.unwritten_count = i64::try_from(deed.unwritten).unwrap_or(i64::MAX);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_read_as_they_are_written() {
        let hash = [0xab; 32];
        assert_eq!(unhex(&hex(&hash)), Some(hash));
        for bad in ["", "ab", &"g".repeat(64), &"é".repeat(32), &"a".repeat(65)] {
            assert_eq!(unhex(bad), None, "{bad}");
        }
    }
}
