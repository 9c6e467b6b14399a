//! Page tokens: sealed, so that a caller can neither read nor forge the place they name.
//!
//! A token opens only for the caller, RPC and filter that it was made for, and for three days. Everything else is one
//! refusal, `INVALID_PAGE_TOKEN`, that does not say why.

use aws_lc_rs::aead::{AES_256_GCM, Aad, NONCE_LEN, Nonce, RandomizedNonceKey};
use aws_lc_rs::digest;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::{Error, Instant, Reason};
use sea_orm::Condition;
use sea_orm::sea_query::IntoCondition;
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::{Secret, sha256_bytes};

/// How long a token may be used.
const DAYS_VALID: i64 = 3;

/// What comes after the last row of a page in an order by two columns, or more: beyond it in the first, or the same in
/// the first and beyond it in the next.
pub fn after_last(
    beyond: impl IntoCondition,
    same: impl IntoCondition,
    beyond_in_next: impl IntoCondition,
) -> Condition {
    let within = Condition::all().add(same.into_condition()).add(beyond_in_next.into_condition());
    Condition::any().add(beyond.into_condition()).add(within)
}

/// What a token is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Listing<'a> {
    /// Resource name of the caller's organisation.
    pub caller: &'a str,
    /// Full name of the RPC.
    pub rpc: &'a str,
    /// Parent, filter and order as the request said them, in one text.
    pub filter: &'a str,
}

impl Listing<'_> {
    fn fingerprint(&self) -> [u8; 32] {
        let mut context = digest::Context::new(&digest::SHA256);
        for part in [self.caller, self.rpc, self.filter] {
            // The length keeps ("ab", "c") and ("a", "bc") apart.
            context.update(&part.len().to_be_bytes());
            context.update(part.as_bytes());
        }
        sha256_bytes(context.finish())
    }
}

/// Seals and opens page tokens. All replicas of a service share one secret.
pub struct PageTokens {
    key: RandomizedNonceKey,
}

impl std::fmt::Debug for PageTokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PageTokens")
    }
}

impl PageTokens {
    /// The key is derived from the secret, so its length does not matter; its randomness does.
    pub fn new(secret: &Secret) -> Result<Self, Error> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(b"gridlease page tokens v1\0");
        context.update(secret.expose().as_bytes());
        Self::of_key(context.finish().as_ref())
    }

    /// A secret of this process only: tokens end with it.
    pub fn ephemeral() -> Result<Self, Error> {
        let mut key = [0; 32];
        aws_lc_rs::rand::fill(&mut key).map_err(|_| no_crypto())?;
        Self::of_key(&key)
    }

    fn of_key(key: &[u8]) -> Result<Self, Error> {
        Ok(Self { key: RandomizedNonceKey::new(&AES_256_GCM, key).map_err(|_| no_crypto())? })
    }

    /// The token that goes on after `last`, the sort key of the last row given.
    pub fn seal<K: Serialize>(&self, listing: &Listing<'_>, last: &K, now: Instant) -> Result<String, Error> {
        let mut sealed = now.timestamp().to_be_bytes().to_vec();
        serde_json::to_writer(&mut sealed, last).map_err(Error::internal)?;
        let nonce = self
            .key
            .seal_in_place_append_tag(Aad::from(listing.fingerprint()), &mut sealed)
            .map_err(|_| no_crypto())?;
        let mut token = nonce.as_ref().to_vec();
        token.append(&mut sealed);
        Ok(URL_SAFE_NO_PAD.encode(token))
    }

    /// The sort key in `token`; `None` for the empty token, which asks for the first page.
    ///
    /// # Errors
    /// `INVALID_PAGE_TOKEN`, whatever is wrong with it.
    pub fn open<K: DeserializeOwned>(
        &self,
        listing: &Listing<'_>,
        token: &str,
        now: Instant,
    ) -> Result<Option<K>, Error> {
        if token.is_empty() {
            return Ok(None);
        }
        self.unseal(listing, token, now).map(Some).ok_or_else(refused)
    }

    fn unseal<K: DeserializeOwned>(&self, listing: &Listing<'_>, token: &str, now: Instant) -> Option<K> {
        let mut bytes = URL_SAFE_NO_PAD.decode(token).ok()?;
        if bytes.len() < NONCE_LEN {
            return None;
        }
        let mut sealed = bytes.split_off(NONCE_LEN);
        let nonce = Nonce::try_assume_unique_for_key(&bytes).ok()?;
        let plain = self.key.open_in_place(nonce, Aad::from(listing.fingerprint()), &mut sealed).ok()?;
        let (made, last) = plain.split_at_checked(8)?;
        let made = i64::from_be_bytes(made.try_into().ok()?);
        let age = now.timestamp().checked_sub(made)?;
        if age > DAYS_VALID * 86_400 {
            return None;
        }
        serde_json::from_slice(last).ok()
    }
}

fn refused() -> Error {
    Error::refused(
        Reason::InvalidPageToken,
        "The page token is not valid for this request; start from the first page.",
    )
}

fn no_crypto() -> Error {
    Error::internal(std::io::Error::other("the cipher refused to work"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(day: u32) -> Instant {
        chrono::NaiveDate::from_ymd_opt(2026, 1, day)
            .and_then(|d| d.and_hms_opt(0, 0, 0))
            .expect("a date")
            .and_utc()
    }

    const LISTING: Listing<'_> = Listing { caller: "tenants/a", rpc: "List", filter: "x" };

    #[test]
    fn a_token_opens_where_it_was_made() {
        let tokens = PageTokens::new(&Secret::new("s")).expect("key");
        let token = tokens.seal(&LISTING, &("north", 7), at(1)).expect("sealed");
        let twin = PageTokens::new(&Secret::new("s")).expect("key");
        let last: Option<(String, i64)> = twin.open(&LISTING, &token, at(3)).expect("opened");
        assert_eq!(last, Some(("north".to_owned(), 7)));
        assert_eq!(twin.open::<i64>(&LISTING, "", at(1)).expect("first page"), None);
    }

    #[test]
    fn every_other_token_is_refused_alike() {
        let tokens = PageTokens::ephemeral().expect("key");
        let token = tokens.seal(&LISTING, &7, at(1)).expect("sealed");
        let mut tampered = token.clone();
        tampered.replace_range(20..21, if &token[20..21] == "A" { "B" } else { "A" });
        let stranger = Listing { caller: "tenants/b", ..LISTING };
        let other_filter = Listing { filter: "y", ..LISTING };
        let other_key = PageTokens::ephemeral().expect("key");
        let refusals = [
            tokens.open::<i64>(&LISTING, &tampered, at(1)),
            tokens.open::<i64>(&stranger, &token, at(1)),
            tokens.open::<i64>(&other_filter, &token, at(1)),
            tokens.open::<i64>(&LISTING, &token, at(5)),
            tokens.open::<i64>(&LISTING, "AAAA", at(1)),
            tokens.open::<i64>(&LISTING, "not base64!", at(1)),
            other_key.open::<i64>(&LISTING, &token, at(1)),
        ];
        for refusal in refusals {
            assert_eq!(refusal.expect_err("refused").reason(), Reason::InvalidPageToken);
        }
    }
}
