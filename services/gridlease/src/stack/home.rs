//! Where a run keeps its database and its keys.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use postgres::embedded::{default_data_dir, throw_away_dir};

/// A folder for the database and one for the development issuer's key.
pub struct Home {
    postgres: PathBuf,
    keys: PathBuf,
    throw_away: bool,
    // Removes the keys of a throw-away run on a server that is not ours.
    _scratch: Option<tempfile::TempDir>,
}

/// The data directory that a run uses: the named one, else the user's.
///
/// # Errors
/// An account without a home.
pub fn data_dir(named: Option<PathBuf>) -> anyhow::Result<PathBuf> {
    match named {
        Some(named) => std::path::absolute(&named).with_context(|| named.display().to_string()),
        None => {
            let postgres = default_data_dir()?;
            Ok(postgres.parent().map_or(postgres.clone(), Path::to_path_buf))
        }
    }
}

impl Home {
    /// Data that stays: `postgres/` and the key in this directory.
    #[must_use]
    pub fn kept(data_dir: PathBuf) -> Self {
        Self { postgres: data_dir.join("postgres"), keys: data_dir, throw_away: false, _scratch: None }
    }

    /// Data that is gone when the run ends, also after a kill: nobody else may use it, so its name is this process's.
    /// `embedded`: the keys lie beside the database and go with it; on a server of somebody else they lie apart.
    ///
    /// # Errors
    /// A temporary folder that cannot be written.
    pub fn thrown_away(name: &str, embedded: bool) -> anyhow::Result<Self> {
        let postgres = throw_away_dir(&format!("{name}-{}", std::process::id()))?;
        Self::at(postgres, embedded)
    }

    fn at(postgres: PathBuf, embedded: bool) -> anyhow::Result<Self> {
        let scratch =
            if embedded { None } else { Some(tempfile::tempdir().context("make a temporary folder")?) };
        let keys = scratch.as_ref().map_or_else(|| postgres.join("keys"), |own| own.path().to_path_buf());
        Ok(Self { postgres, keys, throw_away: true, _scratch: scratch })
    }

    /// As thrown away, but on the disk of a data directory and not in the temporary folder, which may be memory.
    ///
    /// # Errors
    /// A temporary folder that cannot be written.
    pub fn thrown_away_in(data_dir: &Path, name: &str, embedded: bool) -> anyhow::Result<Self> {
        Self::at(data_dir.join(format!("{name}-{}", std::process::id())), embedded)
    }

    /// The folder of the embedded Postgres.
    #[must_use]
    pub fn postgres(&self) -> &Path {
        &self.postgres
    }

    /// The folder of the development issuer's key and key set.
    #[must_use]
    pub fn keys(&self) -> &Path {
        &self.keys
    }

    /// Whether all of it goes when the run ends.
    #[must_use]
    pub fn is_thrown_away(&self) -> bool {
        self.throw_away
    }
}
