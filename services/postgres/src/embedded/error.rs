//! Why no server could be started, in words for the person at the keyboard.

use std::io;

/// Failure of the launcher.
#[derive(Debug, thiserror::Error)]
pub enum EmbeddedError {
    /// The machine has no PostgreSQL and none could be fetched.
    #[error("PostgreSQL 15 or later was not found, and fetching it failed: {fetch}\n{}", INSTALL)]
    NoBinaries {
        /// Why fetching failed.
        fetch: String,
    },
    /// The operating system refused.
    #[error("could not {doing}: {source}")]
    Io {
        /// What was being done.
        doing: String,
        /// The refusal.
        source: io::Error,
    },
    /// A program of PostgreSQL failed.
    #[error("{program} failed: {output}")]
    Program {
        /// Its name.
        program: String,
        /// The end of what it said.
        output: String,
    },
    /// Starting would be wrong.
    #[error("{0}")]
    Refused(String),
}

const INSTALL: &str = "Install it with one of
    sudo apt-get install -y postgresql            (Debian, Ubuntu)
    sudo dnf install -y postgresql-server         (Fedora, RHEL)
    brew install postgresql@18                    (macOS)
or run one elsewhere and say where:
    docker run -d -p 5432:5432 -e POSTGRES_PASSWORD=gridlease postgres:18
    export DATABASE_URL=postgres://postgres:gridlease@127.0.0.1:5432/postgres
GRIDLEASE_PG_BIN_DIR names the folder of initdb, pg_ctl and postgres if they are somewhere else.";

impl EmbeddedError {
    pub(super) fn io(doing: impl Into<String>, source: io::Error) -> Self {
        Self::Io { doing: doing.into(), source }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_the_exact_line_to_install() {
        let text = EmbeddedError::NoBinaries { fetch: "no python3".to_owned() }.to_string();
        for line in
            ["apt-get install -y postgresql", "dnf install", "brew install", "docker run", "no python3"]
        {
            assert!(text.contains(line), "{text}");
        }
    }
}
