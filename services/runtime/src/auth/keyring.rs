//! The keys at present: from a file that is read again when it changes, or from a URL that is asked now and then.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use tokio_util::sync::CancellationToken;

use super::fetch::Url;
use super::keys::{self, Key, Keys};
use crate::settings::AuthSettings;

/// How often the file may be looked at for known keys; a key id that is not known is worth a look of its own, which
/// costs less than the signature of a forgery.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Calls with an unknown key id that may wait for one answer of the issuer; more are refused at once.
const WAITING_MAX: usize = 64;

type Stamp = (SystemTime, u64);

/// Where keys come from, and what was last read there.
pub(super) struct Keyring {
    source: Source,
    production: bool,
    state: Mutex<State>,
    /// One question to the issuer at a time.
    asking: tokio::sync::Mutex<()>,
    waiting: tokio::sync::Semaphore,
}

enum Source {
    File(PathBuf),
    Url(Box<Url>),
}

struct State {
    keys: Keys,
    /// Rises with every change, so that tokens verified with older keys are verified again.
    generation: u64,
    bytes: Vec<u8>,
    stamp: Option<Stamp>,
    /// When the source was last looked at, with or without an answer.
    looked: Option<Instant>,
    /// When it last answered.
    fresh: Option<Instant>,
}

impl Keyring {
    /// Reads the file, or prepares to ask the URL: [`Keyring::ask`] does.
    pub(super) fn open(settings: &AuthSettings, production: bool) -> Result<Self, String> {
        let source = match (&settings.jwks_file, &settings.jwks_url) {
            (Some(path), None) => Source::File(path.clone()),
            (None, Some(_)) => Source::Url(Box::new(Url::new(settings)?)),
            _ => return Err("name either auth.jwks_file or auth.jwks_url".to_owned()),
        };
        let state = State {
            keys: Keys::new(),
            generation: 0,
            bytes: Vec::new(),
            stamp: None,
            looked: None,
            fresh: None,
        };
        let ring = Self {
            source,
            production,
            state: Mutex::new(state),
            asking: tokio::sync::Mutex::new(()),
            waiting: tokio::sync::Semaphore::new(WAITING_MAX),
        };
        if let Source::File(path) = &ring.source {
            let stamp = stamp(path).map_err(|what| format!("the key file {} {what}", path.display()))?;
            let bytes = std::fs::read(path).map_err(|error| format!("cannot be read ({})", error.kind()));
            let taken = bytes.and_then(|bytes| ring.take(&mut ring.state(), bytes));
            taken.map_err(|what| format!("the key file {} {what}", path.display()))?;
            ring.state().stamp = Some(stamp);
        }
        Ok(ring)
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The generation of the keys, which a token verified before must share.
    pub(super) fn generation(&self) -> u64 {
        let mut state = self.state();
        if let Source::File(path) = &self.source
            && state.looked.is_none_or(|looked| looked.elapsed() >= LOOK_EVERY)
        {
            self.look(path, &mut state);
        }
        state.generation
    }

    /// Whether there is any key to verify with.
    pub(super) fn has_keys(&self) -> bool {
        !self.state().keys.is_empty()
    }

    /// The key of this id and its generation. An unknown id makes us look, as often as the settings allow.
    pub(super) async fn find(&self, kid: &str) -> Option<(u64, Arc<Key>)> {
        let known = |state: &State| Some((state.generation, Arc::clone(state.keys.get(kid)?)));
        let seen = {
            let mut state = self.state();
            if let Some(found) = known(&state) {
                return Some(found);
            }
            if let Source::File(path) = &self.source {
                self.look(path, &mut state);
                return known(&state);
            }
            state.looked
        };
        let Source::Url(url) = &self.source else { return None };
        // Where somebody has just asked, or too many wait for the answer, there is nothing to wait for.
        let _place = self.waiting.try_acquire().ok()?;
        let _one = self.asking.lock().await;
        let asked_meanwhile = self.state().looked != seen;
        if !asked_meanwhile && seen.is_none_or(|looked| looked.elapsed() >= url.min_interval) {
            self.ask(url).await;
        }
        known(&self.state())
    }

    /// Asks a URL for the first time, and again at its interval until `stop`; a file is looked at when it is used.
    pub(super) async fn keep_fresh(&self, stop: &CancellationToken) {
        let Source::Url(url) = &self.source else { return };
        loop {
            let pause = if self.has_keys() { url.refresh_every } else { url.min_interval };
            if stop.run_until_cancelled(tokio::time::sleep(pause)).await.is_none() {
                return;
            }
            let _one = self.asking.lock().await;
            self.ask(url).await;
            self.forget_stale(url.max_stale);
        }
    }

    /// The first keys, or the first failure to get them.
    pub(super) async fn first(&self) {
        if let Source::Url(url) = &self.source {
            let _one = self.asking.lock().await;
            self.ask(url).await;
        }
    }

    async fn ask(&self, url: &Url) {
        self.state().looked = Some(Instant::now());
        let answered = url.get().await;
        let mut state = self.state();
        if let Err(problem) = answered.and_then(|bytes| self.take(&mut state, bytes)) {
            let age_s = state.fresh.map(|fresh| fresh.elapsed().as_secs());
            tracing::warn!(url = url.shown(), problem, age_s, "token keys kept as they were");
        }
    }

    /// Keys that nobody has vouched for in so long are no keys.
    fn forget_stale(&self, max_stale: Duration) {
        let mut state = self.state();
        if !state.keys.is_empty() && state.fresh.is_none_or(|fresh| fresh.elapsed() > max_stale) {
            tracing::error!("the token keys are too old: every token is refused until the issuer answers");
            state.keys.clear();
            state.bytes.clear();
            state.generation += 1;
        }
    }

    fn look(&self, path: &std::path::Path, state: &mut State) {
        state.looked = Some(Instant::now());
        let now = stamp(path);
        if now.as_ref().is_ok_and(|now| state.stamp.as_ref() == Some(now)) {
            return;
        }
        let read = now.and_then(|now| {
            let bytes = std::fs::read(path).map_err(|error| format!("cannot be read ({})", error.kind()))?;
            self.take(state, bytes)?;
            Ok(now)
        });
        match read {
            Ok(stamp) => state.stamp = Some(stamp),
            // A half-written file must not lock everybody out: the old keys stay until it reads.
            Err(problem) => {
                tracing::warn!(path = %path.display(), problem, "token keys kept as they were");
            }
        }
    }

    fn take(&self, state: &mut State, bytes: Vec<u8>) -> Result<(), String> {
        let keys = keys::read(&bytes, self.production)?;
        state.fresh = Some(Instant::now());
        if state.bytes != bytes {
            tracing::info!(keys = keys.len(), "token keys read");
            state.keys = keys;
            state.bytes = bytes;
            state.generation += 1;
        }
        Ok(())
    }
}

fn stamp(path: &std::path::Path) -> Result<Stamp, String> {
    let metadata = std::fs::metadata(path).map_err(|error| format!("cannot be read ({})", error.kind()))?;
    let modified = metadata.modified().map_err(|error| format!("has no time ({})", error.kind()))?;
    if metadata.len() > keys::SET_MAX_BYTES as u64 {
        return Err(format!("is larger than {} bytes", keys::SET_MAX_BYTES));
    }
    Ok((modified, metadata.len()))
}
