//! The hash of a signed record.

use std::fmt;

use aws_lc_rs::digest;
use serde::{Deserialize, Serialize};

/// Stored bytes are not what was written.
#[derive(Debug, thiserror::Error)]
#[error("a stored terms record does not read back")]
pub struct Unreadable;

/// SHA-256 of a terms record: what a signature is on. In a record itself it is 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TermsHash(pub [u8; 32]);

impl From<TermsHash> for String {
    fn from(hash: TermsHash) -> Self {
        format!("{hash:?}")
    }
}

impl TryFrom<String> for TermsHash {
    type Error = Unreadable;

    fn try_from(text: String) -> Result<Self, Unreadable> {
        let digits = text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit());
        let byte = |at: usize| text.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
        let bytes: Option<Vec<u8>> = (0..64).step_by(2).map(|at| byte(at).filter(|_| digits)).collect();
        bytes.and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(Unreadable)
    }
}

impl fmt::Debug for TermsHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl TermsHash {
    /// The hash of canonical bytes.
    #[must_use]
    pub fn of(canonical: &[u8]) -> Self {
        let mut hash = [0; 32];
        hash.copy_from_slice(digest::digest(&digest::SHA256, canonical).as_ref());
        Self(hash)
    }
}
