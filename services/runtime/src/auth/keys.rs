//! The public keys of tokens: a JSON Web Key Set in a file, read again when the file changes.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, JwkSet, KeyAlgorithm};

use crate::token::DEVELOPMENT_KEY_ID;

/// How often the file may be looked at: an unknown key id costs at most one `stat` a second.
const LOOK_EVERY: Duration = Duration::from_secs(1);
const FILE_MAX_BYTES: u64 = 65_536;
const KEYS_MAX: usize = 32;

type Keys = HashMap<String, DecodingKey>;
type Stamp = (SystemTime, u64);

/// A key file and what was last read from it.
pub(super) struct KeyFile {
    path: PathBuf,
    production: bool,
    state: Mutex<State>,
}

struct State {
    keys: Keys,
    /// Rises with every reading, so that tokens verified with older keys are verified again.
    generation: u64,
    stamp: Stamp,
    looked: Instant,
}

impl KeyFile {
    /// Reads the file.
    pub(super) fn open(path: &Path, production: bool) -> Result<Self, String> {
        let (keys, stamp) = read(path, production)?;
        let state = State { keys, generation: 0, stamp, looked: Instant::now() };
        Ok(Self { path: path.to_owned(), production, state: Mutex::new(state) })
    }

    /// The keys' generation and, if `kid` is known, its key.
    pub(super) fn find(&self, kid: Option<&str>) -> (u64, Option<DecodingKey>) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.looked.elapsed() >= LOOK_EVERY {
            state.looked = Instant::now();
            self.refresh(&mut state);
        }
        (state.generation, kid.and_then(|kid| state.keys.get(kid)).cloned())
    }

    fn refresh(&self, state: &mut State) {
        if stamp(&self.path).is_ok_and(|stamp| stamp == state.stamp) {
            return;
        }
        match read(&self.path, self.production) {
            Ok((keys, stamp)) => {
                tracing::info!(path = %self.path.display(), keys = keys.len(), "token keys read again");
                state.keys = keys;
                state.stamp = stamp;
                state.generation += 1;
            }
            // A half-written file must not lock everybody out: the old keys stay until it reads.
            Err(problem) => {
                tracing::warn!(path = %self.path.display(), problem, "token keys kept as they were");
            }
        }
    }
}

fn stamp(path: &Path) -> Result<Stamp, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read ({})", error.kind()))?;
    let modified = metadata.modified().map_err(|error| format!("has no time ({})", error.kind()))?;
    Ok((modified, metadata.len()))
}

fn read(path: &Path, production: bool) -> Result<(Keys, Stamp), String> {
    let stamp = stamp(path)?;
    if stamp.1 > FILE_MAX_BYTES {
        return Err(format!("is larger than {FILE_MAX_BYTES} bytes"));
    }
    let bytes = std::fs::read(path).map_err(|error| format!("cannot be read ({})", error.kind()))?;
    let set: JwkSet =
        serde_json::from_slice(&bytes).map_err(|error| format!("is not a JSON Web Key Set ({error})"))?;
    Ok((keys(&set, production)?, stamp))
}

fn keys(set: &JwkSet, production: bool) -> Result<Keys, String> {
    if set.keys.len() > KEYS_MAX {
        return Err(format!("has more than {KEYS_MAX} keys"));
    }
    let mut keys = Keys::new();
    // Keys of other algorithms are another server's business.
    for jwk in set.keys.iter().filter(|jwk| is_ed25519(jwk)) {
        let kid = jwk.common.key_id.clone().filter(|kid| !kid.is_empty()).ok_or("has a key without kid")?;
        if production && kid.starts_with(DEVELOPMENT_KEY_ID) {
            return Err(format!("has the development key {kid}, which is refused in production"));
        }
        let key = DecodingKey::from_jwk(jwk).map_err(|error| format!("has a broken key {kid} ({error})"))?;
        if key.try_get_as_bytes().map_or(0, <[u8]>::len) != 32 {
            return Err(format!("has a key {kid} that is not 32 bytes"));
        }
        if keys.insert(kid.clone(), key).is_some() {
            return Err(format!("has the kid {kid} twice"));
        }
    }
    if keys.is_empty() { Err("has no Ed25519 key".to_owned()) } else { Ok(keys) }
}

fn is_ed25519(jwk: &Jwk) -> bool {
    let curve = matches!(&jwk.algorithm, AlgorithmParameters::OctetKeyPair(pair)
        if pair.curve == EllipticCurve::Ed25519);
    curve && jwk.common.key_algorithm.is_none_or(|algorithm| algorithm == KeyAlgorithm::EdDSA)
}
