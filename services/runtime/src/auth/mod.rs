//! Who calls: a signed token in `authorization`, checked to the letter, becomes a [`Caller`].
//!
//! Every bad token gets one code, one message and one reason, so that an attacker learns nothing from the answer; the
//! log (at DEBUG) learns which check failed. No database is asked before this passes.

mod cache;
mod claims;
mod fetch;
mod json;
mod keyring;
mod keys;
mod quota;
mod revoked;

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::HeaderMap;
use kernel::{Caller, Clock, Error, Reason, Role};
use tokio_util::sync::CancellationToken;

use self::cache::{Cache, Verified};
pub(crate) use self::claims::LIFETIME_MAX_S;
use self::claims::{Claims, Expected};
use self::keyring::Keyring;
pub(crate) use self::quota::Meter;
use self::quota::{Quotas, Strangers};
pub use self::revoked::Revocations;
use self::revoked::Revoked;
use crate::settings::AuthSettings;
use crate::tls;

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
    keys: Keyring,
    cache: Cache,
    revoked: Revoked,
    quotas: Quotas,
    strangers: Strangers,
    /// Real time: a test clock must neither revive nor expire tokens.
    clock: Box<dyn Clock>,
}

/// A caller, and until when the token speaks for them.
#[derive(Debug, Clone)]
pub struct Authenticated {
    /// Who calls.
    pub caller: Caller,
    /// When the token was issued (Unix seconds).
    pub issued_at: i64,
    /// When the token expires, leeway included (Unix seconds); a stream ends then.
    pub expires_at: i64,
    /// How often they may call.
    pub(crate) meter: Meter,
}

/// A caller who is not let in.
#[derive(Debug)]
pub(crate) struct Refused {
    /// What they are told.
    pub(crate) error: Error,
    /// What the audit trail is told: which check failed.
    pub(crate) check: &'static str,
    /// Who it is, where the token's signature is good.
    pub(crate) caller: Option<Box<Caller>>,
}

/// Which check a token failed, and what it claims, where its signature is good.
struct Bad(&'static str, Option<Box<Claims>>);

impl From<&'static str> for Bad {
    fn from(check: &'static str) -> Self {
        Self(check, None)
    }
}

impl Authenticator {
    /// Tests the cryptography, reads the key file of the settings, or prepares to ask the URL. `clock` is real time
    /// (`SystemClock`) everywhere but in tests of expiry.
    ///
    /// # Errors
    /// A sentence saying what is wrong with the keys, or with the cryptography of this build.
    pub fn new(settings: &AuthSettings, production: bool, clock: Box<dyn Clock>) -> Result<Self, String> {
        tls::install()?;
        keys::self_test()?;
        let expected = Expected {
            issuer: settings.issuer.clone(),
            audience: settings.audience.clone(),
            leeway_s: i64::try_from(settings.leeway.as_secs()).unwrap_or(30).min(30),
        };
        let keys = Keyring::open(settings, production)?;
        let (cache, revoked) = (Cache::default(), Revoked::default());
        let (quotas, strangers) = (Quotas::new(settings), Strangers::new(settings));
        Ok(Self { inner: Arc::new(Inner { expected, keys, cache, revoked, quotas, strangers, clock }) })
    }

    /// The caller of a request with these headers.
    ///
    /// # Errors
    /// `UNAUTHENTICATED` for every bad token; `ROLE_NOT_ALLOWED` or `INVALID_FIELD` for a bad on-behalf-of.
    pub async fn authenticate(&self, headers: &HeaderMap) -> Result<Authenticated, Error> {
        self.judge(headers).await.map_err(|refused| refused.error)
    }

    /// As [`Authenticator::authenticate`], and whoever is refused with what is known of them.
    pub(crate) async fn judge(&self, headers: &HeaderMap) -> Result<Authenticated, Refused> {
        let refused = |check, caller| {
            tracing::debug!(check, "token refused");
            Refused { error: Error::unauthenticated(), check, caller }
        };
        let bad = |Bad(check, claims)| refused(check, claims.map(|claims| Box::new(caller_of(*claims))));
        let Verified { claims, meter } = self.verified(headers).await.map_err(bad)?;
        let expires_at = claims.expires_at.saturating_add(self.inner.expected.leeway_s);
        let issued_at = claims.issued_at;
        let mut caller = caller_of(claims);
        if self.inner.revoked.cover(&caller, issued_at) {
            return Err(refused("revoked", Some(Box::new(caller))));
        }
        match on_behalf_of(headers, &caller.roles) {
            Ok(organisation) => caller.on_behalf_of = organisation,
            Err(error) => {
                return Err(Refused { error, check: "on behalf of another", caller: Some(Box::new(caller)) });
            }
        }
        Ok(Authenticated { caller, issued_at, expires_at, meter })
    }

    /// Counts a call without a good token from an address.
    ///
    /// # Errors
    /// `QUOTA_EXCEEDED` where there were too many.
    pub(crate) fn stranger(&self, address: Option<std::net::IpAddr>) -> Result<(), Error> {
        self.inner.strangers.take(address)
    }

    /// Takes over what is revoked from now on, at once for every call and every open stream.
    pub fn revoke(&self, revocations: Revocations) {
        self.inner.revoked.replace(revocations);
    }

    /// Ends when this caller's token is revoked.
    pub(crate) async fn revoked(&self, caller: &Caller, issued_at: i64) {
        self.inner.revoked.wait_for(caller, issued_at).await;
    }

    /// Whether there are keys to judge tokens by.
    pub(crate) fn has_keys(&self) -> bool {
        self.inner.keys.has_keys()
    }

    /// The first keys from a URL, or the first failure to get them.
    pub(crate) async fn first_keys(&self) {
        self.inner.keys.first().await;
    }

    /// Asks a URL for the keys again and again, until `stop`.
    pub(crate) async fn keep_fresh(&self, stop: &CancellationToken) {
        self.inner.keys.keep_fresh(stop).await;
    }

    /// The clock by which tokens expire.
    pub(crate) fn now_s(&self) -> i64 {
        self.inner.clock.now().timestamp()
    }

    async fn verified(&self, headers: &HeaderMap) -> Result<Verified, Bad> {
        let token = bearer(headers).ok_or("no bearer token")?;
        let inner = &*self.inner;
        let now = self.now_s();
        if let Some(known) = inner.cache.get(token, inner.keys.generation()) {
            let timely = known.claims.timely(now, inner.expected.leeway_s);
            return if timely { Ok(known) } else { Err(Bad("not timely", Some(Box::new(known.claims)))) };
        }
        let (signed, signature) = token.rsplit_once('.').ok_or("not a JWS")?;
        let (header, payload) = signed.split_once('.').ok_or("not a JWS")?;
        let header = decode(header).ok_or("bad header")?;
        let (kid, algorithm) = claims::key_id(&header).ok_or("header not allowed")?;
        let (generation, key) = inner.keys.find(kid).await.ok_or("unknown key")?;
        if !key.verifies(algorithm, signed.as_bytes(), signature) {
            return Err("bad signature".into());
        }
        let payload = decode(payload).ok_or("bad payload")?;
        let claims = claims::read(&payload, &inner.expected).ok_or("bad claims")?;
        if !claims.timely(now, inner.expected.leeway_s) {
            return Err(Bad("not timely", Some(Box::new(claims))));
        }
        let verified = Verified { meter: inner.quotas.meter(&claims), claims };
        inner.cache.put(token, generation, verified.clone(), now);
        Ok(verified)
    }
}

fn caller_of(claims: Claims) -> Caller {
    Caller {
        subject: claims.subject,
        organisation: claims.organisation,
        roles: claims.roles,
        on_behalf_of: None,
        token_id: claims.token_id,
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
fn on_behalf_of(headers: &HeaderMap, roles: &[Role]) -> Result<Option<kernel::Organisation>, Error> {
    let mut values = headers.get_all(ON_BEHALF_OF).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if !roles.contains(&Role::Service) {
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
