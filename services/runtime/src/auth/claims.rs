//! What a token must say (RFC 9068, narrowed): header and claims with the right JSON types, or it is no token.

use std::collections::BTreeSet;
use std::str::FromStr as _;

use kernel::{Organisation, Role};
use serde_json::{Map, Value};

/// A token that is valid longer than this is refused, whatever its issuer thinks.
pub(crate) const LIFETIME_MAX_S: i64 = 24 * 3_600;
const TEXT_MAX_BYTES: usize = 255;
const ROLES_MAX: usize = 8;

/// Header members that say nothing about how to verify. Any other (jku, jwk, x5u, crit, b64, zip, ...) is refused.
const HEADER_MEMBERS: &[&str] = &["alg", "typ", "kid", "x5t", "x5t#S256"];

/// What a token's issuer vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claims {
    pub(super) subject: String,
    pub(super) organisation: Organisation,
    pub(super) roles: Vec<Role>,
    pub(super) token_id: String,
    /// Unix seconds.
    pub(super) issued_at: i64,
    /// Unix seconds.
    pub(super) expires_at: i64,
    /// Unix seconds.
    pub(super) not_before: i64,
}

/// What the server expects of every token.
#[derive(Debug, Clone)]
pub(super) struct Expected {
    pub(super) issuer: String,
    pub(super) audience: String,
    pub(super) leeway_s: i64,
}

/// The key id and the algorithm of a header that asks for what we do: at+jwt, and nothing else. Whether the algorithm is
/// the key's is for the key to say.
pub(super) fn key_id(header: &Map<String, Value>) -> Option<(&str, &str)> {
    let text = |name: &str| header.get(name).and_then(Value::as_str);
    let plain = header.keys().all(|member| HEADER_MEMBERS.contains(&member.as_str()));
    let ours = text("typ").is_some_and(|typ| typ.eq_ignore_ascii_case("at+jwt"));
    let kid = text("kid").filter(|kid| plain && ours && !kid.is_empty() && kid.len() <= TEXT_MAX_BYTES)?;
    Some((kid, text("alg")?))
}

/// The claims, if every one that we need is there and right; the times are judged by [`Claims::timely`].
pub(super) fn read(claims: &Map<String, Value>, expected: &Expected) -> Option<Claims> {
    let issued_at = seconds(claims, "iat")?;
    let expires_at = seconds(claims, "exp")?;
    let not_before = if claims.contains_key("nbf") { seconds(claims, "nbf")? } else { issued_at };
    let in_order = expires_at > issued_at && expires_at - issued_at <= LIFETIME_MAX_S;
    let ours = text(claims, "iss")? == expected.issuer && is_audience(claims.get("aud")?, &expected.audience);
    if !in_order || !ours {
        return None;
    }
    let organisation = organisation(text(claims, "org")?)?;
    Some(Claims {
        subject: text(claims, "sub")?.to_owned(),
        roles: roles(claims.get("roles")?, &organisation)?,
        organisation,
        token_id: text(claims, "jti")?.to_owned(),
        issued_at,
        expires_at,
        // A token from the future is as early as one that says so.
        not_before: not_before.max(issued_at),
    })
}

impl Claims {
    /// Whether the token is valid at `now` (Unix seconds).
    pub(super) fn timely(&self, now: i64, leeway_s: i64) -> bool {
        now < self.expires_at.saturating_add(leeway_s) && now.saturating_add(leeway_s) >= self.not_before
    }
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    let text = claims.get(name)?.as_str()?;
    let plain =
        !text.trim().is_empty() && text.len() <= TEXT_MAX_BYTES && !text.chars().any(char::is_control);
    plain.then_some(text)
}

/// A whole number of seconds within 2000..9999; a text or a fraction is not a time.
fn seconds(claims: &Map<String, Value>, name: &str) -> Option<i64> {
    claims.get(name)?.as_i64().filter(|seconds| (946_684_800..253_402_300_800).contains(seconds))
}

/// Exactly our audience: an array with another member would be a token that is also someone else's.
fn is_audience(value: &Value, audience: &str) -> bool {
    match value {
        Value::String(text) => text == audience,
        Value::Array(list) => matches!(list.as_slice(), [Value::String(text)] if text == audience),
        _ => false,
    }
}

/// `operators/x`, `tenants/y`, `services/z` or `platform`.
pub(super) fn organisation(text: &str) -> Option<Organisation> {
    Organisation::from_str(text).ok()
}

fn roles(value: &Value, organisation: &Organisation) -> Option<Vec<Role>> {
    let list = value.as_array()?;
    if list.is_empty() || list.len() > ROLES_MAX {
        return None;
    }
    let roles: BTreeSet<Role> =
        list.iter().map(|role| Role::from_str(role.as_str()?).ok()).collect::<Option<_>>()?;
    let consistent = roles.len() == list.len() && roles.iter().all(|role| may_have(organisation, *role));
    consistent.then(|| roles.into_iter().collect())
}

/// Which roles people of which kind of organisation may have.
fn may_have(organisation: &Organisation, role: Role) -> bool {
    match organisation {
        Organisation::Operator(_) => {
            matches!(role, Role::OperatorAdmin | Role::SiteOps | Role::Sales | Role::Finance | Role::Auditor)
        }
        Organisation::Tenant(_) => matches!(role, Role::Tenant | Role::Auditor),
        Organisation::Platform => matches!(role, Role::PlatformAdmin),
        Organisation::Service(_) => matches!(role, Role::Service),
    }
}
