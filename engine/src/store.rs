//! The store: the only room that touches the database and the artifact files.
//!
//! One writer task with group commit ([`writer`]), a pool of readers ([`read`]), migrations, and the content-addressed files
//! ([`artifact`]). It knows rows and SQL; what a row means is `scheduler`'s and `state`'s business.

pub mod artifact;
pub mod chain;
pub mod index;
pub mod package;
pub mod pool;
pub mod read;
pub mod rows;
pub mod writer;

/// Why the store could not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Error {
    #[error("read or write the database {path}")]
    Database { path: String, source: sqlx::Error },
    #[error("bring the database {path} up to date")]
    Migrate { path: String, source: sqlx::migrate::MigrateError },
    #[error("read {path}: it is from an earlier version; `kentai serve` (or any change) brings it up to date")]
    Older { path: String },
    #[error("use SQLite {found}: versions before 3.51.3 can corrupt the write-ahead log")]
    OldSqlite { found: String },
    #[error("keep the database on {path}: it is on a network file system ({kind}), whose locks cannot be trusted")]
    NetworkFileSystem { path: String, kind: String },
    #[error("change {table}: {missing} row(s) were changed by another engine since they were read")]
    Stale { table: &'static str, missing: usize },
    #[error("understand the database: {what} is `{found}`")]
    Unknown { what: &'static str, found: String },
    #[error("reach the store: its writer has stopped")]
    Closed,
}

impl Error {
    /// The world may mend it (disk full, I/O): trying again loses nothing, because the transaction was rolled back.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Database { source: sqlx::Error::Database(error), .. } => {
                !(error.is_unique_violation() || error.is_foreign_key_violation() || error.is_check_violation())
            }
            Self::Database { .. } => true,
            _ => false,
        }
    }
}
