//! How to reach the server and what a connection may do.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::TransactionMeters;

/// Text that neither `Debug` nor a log may show.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps the text.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself; the caller keeps it out of logs.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("(secret)")
    }
}

impl<T: Into<String>> From<T> for Secret {
    fn from(text: T) -> Self {
        Self::new(text)
    }
}

/// One pool of connections. A service has two: one for requests, one (with its `_worker` role) for background work.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `postgres://user:password@host:port/database?sslmode=...`; a secret, since it may hold a password.
    pub url: Secret,
    /// TLS only, with the server's name verified, whatever the URL says; default `false`: as the URL says.
    pub verify_tls: bool,
    /// PEM file with the authorities of the server's certificate; `None`: as the URL says, or the system's.
    pub ca_file: Option<PathBuf>,
    /// Role that every connection acts as from its first statement (startup option `role`); `None`: the login itself.
    pub role: Option<String>,
    /// Upper bound of open connections; default 10.
    pub max_connections: u32,
    /// Shown in `pg_stat_activity`; default `gridlease`.
    pub application_name: String,
    /// How long a call may wait for a free connection before it is refused as `STORE_UNAVAILABLE`; default 3 s.
    pub acquire_timeout: Duration,
    /// Longest single statement; default 10 s. It does not bound a COMMIT that waits for a standby.
    pub statement_timeout: Duration,
    /// Longest wait for one lock, after which the transaction is tried again; default 5 s.
    pub lock_timeout: Duration,
    /// Longest pause inside a transaction before the server ends the session; default 15 s.
    pub idle_in_transaction_timeout: Duration,
    /// How long an unused connection is kept; default 5 min.
    pub idle_timeout: Duration,
    /// The driver tells of each statement (target `sqlx::query`, level TRACE), for whoever makes spans of them; default
    /// `false`.
    pub tell_statements: bool,
    /// Where its transactions are counted; default: where nobody looks.
    pub meters: TransactionMeters,
}

impl Settings {
    /// The defaults above, for this server.
    pub fn new(url: impl Into<Secret>) -> Self {
        Self {
            url: url.into(),
            verify_tls: false,
            ca_file: None,
            role: None,
            max_connections: 10,
            application_name: "gridlease".to_owned(),
            acquire_timeout: Duration::from_secs(3),
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(5),
            idle_in_transaction_timeout: Duration::from_secs(15),
            idle_timeout: Duration::from_secs(300),
            tell_statements: false,
            meters: TransactionMeters::default(),
        }
    }

    /// The same server, acting as `role`.
    #[must_use]
    pub fn role(mut self, role: impl Into<String>) -> Self {
        self.role = Some(role.into());
        self
    }

    /// The same server with this many connections at most.
    #[must_use]
    pub fn max_connections(mut self, connections: u32) -> Self {
        self.max_connections = connections;
        self
    }

    /// The same server under this name in `pg_stat_activity`.
    #[must_use]
    pub fn application_name(mut self, name: impl Into<String>) -> Self {
        self.application_name = name.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_never_printed() {
        let settings = Settings::new("postgres://a:hunter2@b/c").role("inventory");
        assert!(!format!("{settings:?}").contains("hunter2"));
    }
}
