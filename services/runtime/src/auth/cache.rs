//! Tokens that were verified before: the signature is checked once, the times at every use.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use aws_lc_rs::digest;

use super::claims::Claims;
use super::quota::Meter;

const TOKENS_MAX: usize = 4_096;

/// What is known of a token whose signature was verified.
#[derive(Debug, Clone)]
pub(super) struct Verified {
    pub(super) claims: Claims,
    pub(super) meter: Meter,
}

/// A bounded map from a token's SHA-256 to its claims; the tokens themselves are not kept.
#[derive(Default)]
pub(super) struct Cache {
    tokens: Mutex<HashMap<[u8; 32], (u64, Verified)>>,
}

impl Cache {
    /// The claims of a token verified with the keys of this generation.
    pub(super) fn get(&self, token: &str, generation: u64) -> Option<Verified> {
        let tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        let (verified_with, known) = tokens.get(&key(token))?;
        (*verified_with == generation).then(|| known.clone())
    }

    /// Remembers a verified token; what is expired or of older keys makes room, then everything does.
    pub(super) fn put(&self, token: &str, generation: u64, verified: Verified, now_s: i64) {
        let mut tokens = self.tokens.lock().unwrap_or_else(PoisonError::into_inner);
        if tokens.len() >= TOKENS_MAX {
            tokens.retain(|_, (of, known)| *of == generation && known.claims.expires_at > now_s);
        }
        if tokens.len() >= TOKENS_MAX {
            tokens.clear();
        }
        tokens.insert(key(token), (generation, verified));
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner).len()
    }
}

fn key(token: &str) -> [u8; 32] {
    let digest = digest::digest(&digest::SHA256, token.as_bytes());
    let mut key = [0; 32];
    key.copy_from_slice(digest.as_ref());
    key
}
