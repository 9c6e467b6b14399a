//! Who calls: a signed token in `authorization`, checked to the letter, becomes a [`Caller`].
//!
//! Every bad token gets one code, one message and one reason, so that an attacker learns nothing from the answer; the
//! log (at DEBUG) learns which check failed. No database is asked before this passes.

mod cache;
mod claims;
mod json;
mod keys;

use std::path::Path;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use jsonwebtoken::Algorithm;
use kernel::{Caller, Clock, Error, Reason, Role};

use self::cache::Cache;
use self::claims::{Claims, Expected};
use self::keys::KeyFile;
use crate::settings::AuthSettings;

/// The metadata by which a service says for which organisation it acts.
pub const ON_BEHALF_OF: &str = "gridlease-on-behalf-of";

const TOKEN_MAX_BYTES: usize = 8_192;

/// Judges the tokens of one server.
#[derive(Clone)]
pub struct Authenticator {
    inner: Arc<Inner>,
}

struct Inner {
    expected: Expected,
    keys: KeyFile,
    cache: Cache,
    /// Real time: a test clock must neither revive nor expire tokens.
    clock: Box<dyn Clock>,
}

/// A caller, and until when the token speaks for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// Who calls.
    pub caller: Caller,
    /// When the token expires, leeway included (Unix seconds); a stream ends then.
    pub expires_at: i64,
}

impl Authenticator {
    /// Reads the key file of the settings. `clock` is real time (`SystemClock`) everywhere but in tests of expiry.
    ///
    /// # Errors
    /// A sentence saying what is wrong with the key file.
    pub fn new(settings: &AuthSettings, production: bool, clock: Box<dyn Clock>) -> Result<Self, String> {
        let expected = Expected {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            leeway_s: i64::try_from(settings.leeway.as_secs()).unwrap_or(30).min(30),
        };
        let path: &Path = &settings.jwks_file;
        let keys = KeyFile::open(path, production)
            .map_err(|problem| format!("the key file {} {problem}", path.display()))?;
        Ok(Self { inner: Arc::new(Inner { expected, keys, cache: Cache::default(), clock }) })
    }

    /// The caller of a request with these headers.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for every bad token; `ROLE_NOT_ALLOWED` or `INVALID_FIELD` for a bad on-behalf-of.
    pub fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, Error> {
        let claims = self.claims(headers).map_err(|check| {
            tracing::debug!(check, "token refused");
            Error::unauthenticated()
        })?;
        let on_behalf_of = on_behalf_of(headers, &claims)?;
        let expires_at = claims.expires_at.saturating_add(self.inner.expected.leeway_s);
        let caller = Caller {
            subject: claims.subject,
            organisation: claims.organisation,
            roles: claims.roles,
            on_behalf_of,
            token_id: claims.token_id,
        };
        Ok(Authenticated { caller, expires_at })
    }

    /// The clock by which tokens expire.
    pub(crate) fn now_s(&self) -> i64 {
        self.inner.clock.now().timestamp()
    }

    fn claims(&self, headers: &HeaderMap) -> Result<Claims, &'static str> {
        let token = bearer(headers).ok_or("no bearer token")?;
        let inner = &*self.inner;
        let now = self.now_s();
        let (generation, _) = inner.keys.find(None);
        if let Some(claims) = inner.cache.get(token, generation) {
            return if claims.timely(now, inner.expected.leeway_s) { Ok(claims) } else { Err("not timely") };
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("not a JWS")?;
        let (header, payload) = signed.split_once('.').ok_or("not a JWS")?;
        let header = decode(header).ok_or("bad header")?;
        let kid = claims::key_id(&header).ok_or("header not allowed")?;
        let (generation, key) = inner.keys.find(Some(kid));
        let key = key.ok_or("unknown key")?;
        let genuine = jsonwebtoken::crypto::verify(signature, signed.as_bytes(), &key, Algorithm::EdDSA);
        if !genuine.unwrap_or(false) {
            return Err("bad signature");
        }
        let payload = decode(payload).ok_or("bad payload")?;
        let claims = claims::read(&payload, &inner.expected).ok_or("bad claims")?;
        if !claims.timely(now, inner.expected.leeway_s) {
            return Err("not timely");
        }
        inner.cache.put(token, generation, claims.clone(), now);
        Ok(claims)
    }
}

/// The token of exactly one `authorization: Bearer` header.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let mut values = headers.get_all(http::header::AUTHORIZATION).iter();
    let (value, more) = (values.next()?, values.next());
    if more.is_some() {
        return None;
    }
    let (scheme, token) = value.to_str().ok()?.split_once(' ')?;
    let plain = token.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_' || b == b'.');
    let fits = plain && !token.is_empty() && token.len() <= TOKEN_MAX_BYTES;
    (scheme.eq_ignore_ascii_case("bearer") && fits).then_some(token)
}

fn decode(part: &str) -> Option<serde_json::Map<String, serde_json::Value>> {
    json::object(&URL_SAFE_NO_PAD.decode(part).ok()?)
}

/// The organisation a service acts for; nobody else may act for another.
fn on_behalf_of(headers: &HeaderMap, claims: &Claims) -> Result<Option<kernel::Organisation>, Error> {
    let mut values = headers.get_all(ON_BEHALF_OF).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if !claims.roles.contains(&Role::Service) {
        return Err(Error::refused(
            Reason::RoleNotAllowed,
            "Only a service may act on behalf of another organisation.",
        ));
    }
    let organisation = value.to_str().ok().and_then(claims::organisation);
    match (organisation, values.next()) {
        (Some(organisation), None) => Ok(Some(organisation)),
        _ => Err(Error::invalid_field(ON_BEHALF_OF, "must be one organisation, as operators/x or tenants/y")),
    }
}

#[cfg(test)]
mod tests;
