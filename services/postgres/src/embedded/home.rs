//! The folder of a server: who made it, who uses it, whose turn it is to start or stop it.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use super::account::Account;
use super::{EmbeddedError, server};

/// Marks a folder that this module made to be thrown away; no other folder is ever removed.
const MARKER: &str = "throw-away";

#[derive(Clone, Debug)]
pub(super) struct Home {
    path: PathBuf,
}

impl Home {
    /// The folder, made if it is not there, owned by the server's account and closed to everybody else.
    pub(super) fn prepare(path: &Path, throw_away: bool, account: &Account) -> Result<Self, EmbeddedError> {
        if !account.can_enter(path) {
            return Err(EmbeddedError::Refused(format!(
                "PostgreSQL does not run as root, and the account it runs under cannot enter {}; name a folder \
                 outside root's home, such as /var/lib/gridlease",
                path.display()
            )));
        }
        let io = |doing: &str| {
            let doing = format!("{doing} {}", path.display());
            move |e| EmbeddedError::io(doing, e)
        };
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(io("make the parent of"))?;
        }
        match DirBuilder::new().mode(0o700).create(path) {
            Ok(()) => {
                account.own(path)?;
                if throw_away {
                    fs::write(path.join(MARKER), b"").map_err(io("write to"))?;
                }
            }
            Err(e) if e.kind() == ErrorKind::AlreadyExists => account_of_existing(path, account)?,
            Err(e) => return Err(io("make")(e)),
        }
        let path = path.canonicalize().map_err(io("find"))?;
        Ok(Self { path })
    }

    /// A folder that somebody else prepared.
    pub(super) fn existing(path: PathBuf) -> Self {
        Self { path }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the right to start or stop the server. `None`: the folder was removed meanwhile.
    pub(super) fn take_turn(&self) -> Result<Option<File>, EmbeddedError> {
        let Some(file) = self.lock_file("turn.lock")? else { return Ok(None) };
        file.lock().map_err(|e| self.io("lock", e))?;
        let still_there = fs::metadata(self.path.join("turn.lock"))
            .is_ok_and(|there| file.metadata().is_ok_and(|ours| ours.ino() == there.ino()));
        Ok(still_there.then_some(file))
    }

    /// Becomes a user: the file stays locked, shared, as long as it is open.
    pub(super) fn join_users(&self) -> Result<File, EmbeddedError> {
        let file = self.must_lock_file("users.lock")?;
        file.lock_shared().map_err(|e| self.io("lock", e))?;
        Ok(file)
    }

    /// Waits until no user is left.
    pub(super) fn wait_for_no_users(&self) -> Result<(), EmbeddedError> {
        self.must_lock_file("users.lock")?.lock().map_err(|e| self.io("lock", e))
    }

    /// Whether no user is there; the lock is held as long as the answer is kept.
    pub(super) fn no_users_now(&self) -> Result<Option<File>, EmbeddedError> {
        self.try_exclusive("users.lock")
    }

    /// Becomes the guard, if there is none.
    pub(super) fn become_guard(&self) -> Result<Option<File>, EmbeddedError> {
        self.try_exclusive("guard.lock")
    }

    /// Removes a throw-away folder. It is renamed first, so that nobody starts a server in what is being removed.
    pub(super) fn remove_if_throw_away(&self) -> Result<(), EmbeddedError> {
        if !self.path.join(MARKER).is_file() {
            return Ok(());
        }
        let mut name = self.path.file_name().unwrap_or_default().to_os_string();
        name.push(format!(".gone-{}", std::process::id()));
        let gone = self.path.with_file_name(name);
        fs::rename(&self.path, &gone).map_err(|e| self.io("rename", e))?;
        fs::remove_dir_all(&gone).map_err(|e| self.io("remove", e))
    }

    fn try_exclusive(&self, name: &str) -> Result<Option<File>, EmbeddedError> {
        let file = self.must_lock_file(name)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(e)) => Err(self.io("lock", e)),
        }
    }

    fn must_lock_file(&self, name: &str) -> Result<File, EmbeddedError> {
        self.lock_file(name)?.ok_or_else(|| self.io("open a lock in", ErrorKind::NotFound.into()))
    }

    fn lock_file(&self, name: &str) -> Result<Option<File>, EmbeddedError> {
        match OpenOptions::new().create(true).truncate(false).write(true).open(self.path.join(name)) {
            Ok(file) => Ok(Some(file)),
            Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
            Err(e) => Err(self.io("open a lock in", e)),
        }
    }

    fn io(&self, doing: &str, error: std::io::Error) -> EmbeddedError {
        EmbeddedError::io(format!("{doing} {}", self.path.display()), error)
    }
}

/// The version of the data that lies in a folder already.
pub(super) fn data_major(home: &Path) -> Result<Option<u32>, EmbeddedError> {
    let file = home.join(server::DATA).join("PG_VERSION");
    match fs::read_to_string(&file) {
        Ok(text) => Ok(text.trim().parse().ok()),
        Err(e) if e.kind() == ErrorKind::NotFound => Ok(None),
        Err(e) => Err(EmbeddedError::io(format!("read {}", file.display()), e)),
    }
}

/// In a folder for all, such as /tmp, somebody else may have been first with this name.
fn account_of_existing(path: &Path, account: &Account) -> Result<(), EmbeddedError> {
    // Emptiness first: whoever makes the folder gives it away before anything is put into it.
    let empty = fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    let found = fs::symlink_metadata(path)
        .map_err(|e| EmbeddedError::io(format!("look at {}", path.display()), e))?;
    if empty && account.is_switched() && found.uid() == 0 {
        return account.own(path);
    }
    if found.is_dir() && found.uid() == account.uid() {
        return Ok(());
    }
    Err(EmbeddedError::Refused(format!("{} belongs to somebody else: name another folder", path.display())))
}

/// Where `gridlease up` keeps its data: the user's data folder, for root (whose home the server's account cannot
/// enter) `/var/lib/gridlease/postgres`.
pub fn default_data_dir() -> Result<PathBuf, EmbeddedError> {
    if Account::for_server()?.is_switched() {
        return Ok(PathBuf::from("/var/lib/gridlease/postgres"));
    }
    if let Some(data) = std::env::var_os("XDG_DATA_HOME").map(PathBuf::from).filter(|d| d.is_absolute()) {
        return Ok(data.join("gridlease/postgres"));
    }
    let home = std::env::var_os("HOME")
        .map(PathBuf::from)
        .ok_or_else(|| EmbeddedError::Refused("HOME is not set: name a data folder".to_owned()))?;
    let data = if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/share" };
    Ok(home.join(data).join("gridlease/postgres"))
}

/// A folder for a throw-away server: `name` in the temporary folder (`TMPDIR`), or in `/var/tmp` where the server's
/// account cannot enter that one. Processes that say the same name share the server.
pub fn throw_away_dir(name: &str) -> Result<PathBuf, EmbeddedError> {
    let account = Account::for_server()?;
    let temporary = std::env::temp_dir();
    let parent = if account.can_enter(&temporary) { temporary } else { PathBuf::from("/var/tmp") };
    Ok(parent.join(format!("gridlease-{}-{name}", account.uid())))
}
