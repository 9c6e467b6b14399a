//! PostgreSQL's programs themselves, for whoever runs servers of its own: tests of failover, drills.

use std::path::Path;
use std::process::Command;

use super::EmbeddedError;
use super::account::Account;
use super::binaries::{self, Binaries};

/// The programs that [`super::Embedded`] would use, under the account that it would use.
#[derive(Clone, Debug)]
pub struct Programs {
    account: Account,
    binaries: Binaries,
}

impl Programs {
    /// Finds them, or fetches them once.
    ///
    /// # Errors
    /// There are none, and what to install.
    pub fn find() -> Result<Self, EmbeddedError> {
        Ok(Self { account: Account::for_server()?, binaries: binaries::find(None)? })
    }

    /// Whether this program came along: packages differ in what is beside the server.
    #[must_use]
    pub fn has(&self, program: &str) -> bool {
        self.binaries.program(program).is_file()
    }

    /// The program, to be run in this folder.
    #[must_use]
    pub fn command(&self, program: &str, folder: &Path) -> Command {
        self.account.command(&self.binaries.program(program), folder)
    }

    /// Gives a file or folder to the account that the programs run under.
    ///
    /// # Errors
    /// The file system's.
    pub fn own(&self, path: &Path) -> Result<(), EmbeddedError> {
        self.account.own(path)
    }
}
