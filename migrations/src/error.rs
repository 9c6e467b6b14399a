//! Why the schemas could not be brought to, or are not in, the state this program was built for.

/// Failure of the runner; the text is for whoever runs it.
#[derive(Debug, thiserror::Error)]
pub enum MigrationError {
    /// The server refused or was lost.
    #[error("{doing}: {source}")]
    Store {
        /// What was being done, with the file if one was applied.
        doing: String,
        /// What the server said.
        source: sqlx::Error,
    },
    /// A file was changed after it had been applied.
    #[error("{migration} was changed after it was applied; restore the file and add a new one")]
    Changed {
        /// The file.
        migration: String,
    },
    /// The database has migrations that this program does not know.
    #[error("schema {schema} has version {version}, which this program does not know: use the newer program")]
    Newer {
        /// The schema.
        schema: String,
        /// Its version.
        version: i64,
    },
    /// Something is still to be applied.
    #[error("not applied yet: {}; run `gridlease migrate up`", .0.join(", "))]
    Pending(Vec<String>),
    /// The catalogue is not what the migrations make.
    #[error("the database differs from the migrations: {0}")]
    Drift(String),
    /// Another migrator holds the lock and does not end.
    #[error("another migrator has been running on this database for two minutes")]
    Busy,
}

impl MigrationError {
    pub(crate) fn store(doing: impl Into<String>) -> impl FnOnce(sqlx::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Store { doing, source }
    }
}
