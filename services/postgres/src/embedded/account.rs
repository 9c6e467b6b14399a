//! Whose account the server runs under, and which folders that account can enter.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;

use super::EmbeddedError;

/// Neither `postgres` nor `nobody` in /etc/passwd: the conventional number of nobody.
const NOBODY: u32 = 65_534;

/// The account that the server's processes and files belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Account {
    uid: u32,
    gid: u32,
    /// We are root, and become `uid` for every program of PostgreSQL.
    switch: bool,
}

impl Account {
    /// Our own account; for root, which PostgreSQL refuses, that of `postgres` or `nobody`.
    pub(super) fn for_server() -> Result<Self, EmbeddedError> {
        let (uid, gid) = own_ids()?;
        if uid != 0 {
            return Ok(Self { uid, gid, switch: false });
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        let (uid, gid) =
            ["postgres", "nobody"].iter().find_map(|name| ids_of(&passwd, name)).unwrap_or((NOBODY, NOBODY));
        Ok(Self { uid, gid, switch: true })
    }

    pub(super) fn is_switched(self) -> bool {
        self.switch
    }

    pub(super) fn uid(self) -> u32 {
        self.uid
    }

    /// A program of PostgreSQL under this account, deaf to the PG* variables that would point it elsewhere.
    pub(super) fn command(self, program: &Path, folder: &Path) -> Command {
        let mut command = Command::new(program);
        command.current_dir(folder);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        command.env("LC_ALL", "C");
        if self.switch {
            // std drops the supplementary groups together with the user.
            command.uid(self.uid).gid(self.gid);
        }
        command
    }

    /// Gives a folder of ours to the account.
    pub(super) fn own(self, path: &Path) -> Result<(), EmbeddedError> {
        if !self.switch {
            return Ok(());
        }
        std::os::unix::fs::chown(path, Some(self.uid), Some(self.gid))
            .map_err(|e| EmbeddedError::io(format!("give {} to the server's account", path.display()), e))
    }

    /// Whether the account can enter every folder from the root down to `path`; folders that do not exist yet will
    /// be made enterable.
    pub(super) fn can_enter(self, path: &Path) -> bool {
        path.ancestors().filter_map(|folder| fs::metadata(folder).ok()).all(|found| {
            let needed = if found.uid() == self.uid {
                0o100
            } else if found.gid() == self.gid {
                0o010
            } else {
                0o001
            };
            !found.is_dir() || found.mode() & needed != 0
        })
    }
}

/// std has no getuid: whoever owns a file that we have just made is us.
fn own_ids() -> Result<(u32, u32), EmbeddedError> {
    if let Ok(found) = fs::metadata("/proc/self") {
        return Ok((found.uid(), found.gid()));
    }
    let probe = std::env::temp_dir().join(format!("gridlease-who-{}", std::process::id()));
    let doing = || format!("make {} to learn our user id", probe.display());
    fs::write(&probe, b"").map_err(|e| EmbeddedError::io(doing(), e))?;
    let found = fs::metadata(&probe).map_err(|e| EmbeddedError::io(doing(), e));
    let _ = fs::remove_file(&probe);
    found.map(|found| (found.uid(), found.gid()))
}

fn ids_of(passwd: &str, name: &str) -> Option<(u32, u32)> {
    let line = passwd.lines().find(|line| line.split(':').next() == Some(name))?;
    let mut fields = line.split(':').skip(2);
    Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_ids_of_an_account() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\npostgres2:x:7:8::/:\npostgres:x:101:104:,,,:/var:/bin/bash\n";
        assert_eq!(ids_of(passwd, "postgres"), Some((101, 104)));
        assert_eq!(ids_of(passwd, "nobody"), None);
    }

    #[test]
    fn a_private_folder_is_not_entered_by_others() {
        use std::os::unix::fs::PermissionsExt as _;
        let stranger = Account { uid: 4_000_001, gid: 4_000_001, switch: true };
        let folder = std::env::temp_dir().join(format!("gridlease-enter-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).expect("open");
        assert!(stranger.can_enter(&folder.join("not/there/yet")));
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).expect("private");
        assert!(!stranger.can_enter(&folder));
        fs::remove_dir(&folder).expect("removed");
    }
}
