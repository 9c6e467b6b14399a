//! Finding PostgreSQL's programs on this machine.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{EmbeddedError, fetch};

/// Names the folder of `initdb`, `pg_ctl` and `postgres`; `none` passes over what is installed and fetches.
const BIN_DIR: &str = "GRIDLEASE_PG_BIN_DIR";

/// Oldest version that the SQL of the services is written for.
const MAJOR_MIN: u32 = 15;

/// Folders of versions beside each other, as packages lay them out: (parent, prefix of the version, rest).
const LAYOUTS: &[(&str, &str, &str)] = &[
    ("/usr/lib/postgresql", "", "bin"),
    ("/usr", "pgsql-", "bin"),
    ("/usr/lib64", "pgsql-", "bin"),
    ("/opt/homebrew/opt", "postgresql@", "bin"),
    ("/usr/local/opt", "postgresql@", "bin"),
    ("/Applications/Postgres.app/Contents/Versions", "", "bin"),
];

/// A folder with the programs, and their version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Binaries {
    pub(super) folder: PathBuf,
    pub(super) major: u32,
}

impl Binaries {
    /// The folder, if all programs are there and answer.
    pub(super) fn at(folder: &Path) -> Option<Self> {
        let complete = ["initdb", "pg_ctl", "postgres"].iter().all(|program| folder.join(program).is_file());
        if !complete {
            return None;
        }
        let output = Command::new(folder.join("postgres")).arg("--version").output().ok()?;
        let major = major_of(&String::from_utf8_lossy(&output.stdout))?;
        Some(Self { folder: folder.to_path_buf(), major })
    }

    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

/// The newest that is there, or for existing data of `data_major` the same version, which alone can read it.
pub(super) fn find(data_major: Option<u32>) -> Result<Binaries, EmbeddedError> {
    let fits = |found: &Binaries| data_major.map_or(found.major >= MAJOR_MIN, |major| found.major == major);
    let found = match std::env::var_os(BIN_DIR) {
        Some(none) if none == "none" => None,
        Some(folder) => {
            let named = Binaries::at(Path::new(&folder)).ok_or_else(|| {
                EmbeddedError::Refused(format!(
                    "{BIN_DIR}={} has no working initdb, pg_ctl and postgres",
                    Path::new(&folder).display()
                ))
            })?;
            return check(named, data_major);
        }
        None => candidates().iter().filter_map(|folder| Binaries::at(folder)).find(fits),
    };
    match found {
        Some(found) => Ok(found),
        None => check(fetch::fetch()?, data_major),
    }
}

fn check(found: Binaries, data_major: Option<u32>) -> Result<Binaries, EmbeddedError> {
    match data_major {
        Some(major) if major != found.major => Err(EmbeddedError::Refused(format!(
            "the data was made by PostgreSQL {major} and only {} is at hand: install {major}, or name another \
             data folder",
            found.major
        ))),
        None if found.major < MAJOR_MIN => Err(EmbeddedError::Refused(format!(
            "PostgreSQL {} is too old: {MAJOR_MIN} or later is needed",
            found.major
        ))),
        _ => Ok(found),
    }
}

fn candidates() -> Vec<PathBuf> {
    let mut found: Vec<(u32, PathBuf)> = Vec::new();
    for (parent, prefix, rest) in LAYOUTS {
        let Ok(entries) = std::fs::read_dir(parent) else { continue };
        for entry in entries.flatten() {
            let name = entry.file_name();
            let version = name.to_str().and_then(|name| name.strip_prefix(prefix));
            if let Some(major) = version.and_then(|v| v.split('.').next()).and_then(|v| v.parse().ok()) {
                found.push((major, entry.path().join(rest)));
            }
        }
    }
    found.sort_by_key(|(major, _)| std::cmp::Reverse(*major));
    let mut folders: Vec<PathBuf> = found.into_iter().map(|(_, folder)| folder).collect();
    folders.extend(on_path());
    folders
}

/// Links on PATH lead to the folder where the other programs are.
fn on_path() -> Vec<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .flat_map(|folder| ["pg_ctl", "initdb"].map(|program| folder.join(program)))
        .filter_map(|program| program.canonicalize().ok())
        .filter_map(|program| program.parent().map(Path::to_path_buf))
        .collect()
}

/// From `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)`.
fn major_of(text: &str) -> Option<u32> {
    let version = text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_ascii_digit()))?;
    version.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_versions_of_packages_and_betas() {
        assert_eq!(major_of("postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)\n"), Some(15));
        assert_eq!(major_of("postgres (PostgreSQL) 19beta1"), Some(19));
        assert_eq!(major_of("postgres"), None);
    }

    #[test]
    fn data_is_read_by_its_own_version_only() {
        let found = |major| Binaries { folder: PathBuf::new(), major };
        assert!(check(found(18), Some(15)).is_err());
        assert!(check(found(14), None).is_err());
        assert!(check(found(18), None).is_ok());
        assert!(check(found(15), Some(15)).is_ok());
    }
}
