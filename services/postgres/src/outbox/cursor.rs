//! Where a reader of a feed stands. Opaque outside: feed epoch and position.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use kernel::Error;
use uuid::Uuid;

const VERSION: u8 = 1;
const BYTES: usize = 1 + 16 + 8 + 8;

/// A position in one epoch of one service's feed; everything up to and including it has been read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cursor {
    pub(super) epoch: Uuid,
    pub(super) xid: i64,
    pub(super) seq: i64,
}

impl Cursor {
    pub(super) fn refused(why: &str) -> Error {
        Error::invalid_field("after_cursor", why)
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = Vec::with_capacity(BYTES);
        bytes.push(VERSION);
        bytes.extend_from_slice(self.epoch.as_bytes());
        bytes.extend_from_slice(&self.xid.to_be_bytes());
        bytes.extend_from_slice(&self.seq.to_be_bytes());
        f.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let malformed = || Cursor::refused("is not a cursor of this feed");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| malformed())?;
        let bytes: [u8; BYTES] = bytes.try_into().map_err(|_| malformed())?;
        let number = |from: usize| -> Result<i64, Error> {
            let part = bytes.get(from..from + 8).and_then(|b| b.try_into().ok()).ok_or_else(malformed)?;
            Ok(i64::from_be_bytes(part))
        };
        let (xid, seq) = (number(17)?, number(25)?);
        if bytes[0] != VERSION || xid < 0 || seq < 0 {
            return Err(malformed());
        }
        let epoch = Uuid::from_slice(&bytes[1..17]).map_err(|_| malformed())?;
        Ok(Self { epoch, xid, seq })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn survives_the_wire() {
        let cursor = Cursor { epoch: Uuid::from_u128(7), xid: 1 << 40, seq: 3 };
        assert_eq!(cursor.to_string().parse::<Cursor>().expect("own text"), cursor);
    }

    #[test]
    fn refuses_what_it_did_not_write() {
        for text in ["", "x", "AAAA", &"A".repeat(44), "é"] {
            assert!(text.parse::<Cursor>().is_err(), "{text:?}");
        }
    }
}
