//! Reading by what somebody typed: each question by an index, and few answers.

use sqlx::FromRow;
use sqlx::sqlite::SqliteRow;

use super::Reader;
use crate::store::Error;
use crate::store::rows::center::Record;

/// A file's name or path, what it is of (a run or a delivery), its checksum.
type FileFound = (String, String, String);

impl Reader {
    async fn few<T>(&self, sql: &'static str, text: &str, limit: i64) -> Result<Vec<T>, Error>
    where
        T: for<'r> FromRow<'r, SqliteRow> + Send + Unpin,
    {
        let query = sqlx::query_as(sql).bind(text).bind(limit);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Records of a kind whose id begins so, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn records_beginning(&self, kind: &str, text: &str, limit: i64) -> Result<Vec<Record>, Error> {
        sqlx::query_as(include_str!("../sql/records_beginning.sql"))
            .bind(kind)
            .bind(text)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Ids and specimens of runs whose id begins so (letters and digits only).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn runs_beginning(&self, text: &str, limit: i64) -> Result<Vec<(String, String)>, Error> {
        self.few(include_str!("../sql/runs_beginning.sql"), text, limit).await
    }

    /// Ids and specimens of deliveries whose id begins so (letters and digits only).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries_beginning(&self, text: &str, limit: i64) -> Result<Vec<(String, String)>, Error> {
        self.few(include_str!("../sql/deliveries_beginning.sql"), text, limit).await
    }

    /// Files that runs made under this name: name, run, checksum.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn made_named(&self, name: &str, limit: i64) -> Result<Vec<FileFound>, Error> {
        self.few(include_str!("../sql/made_named.sql"), name, limit).await
    }

    /// Files that runs made, whose checksum begins so: name, run, checksum.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn made_beginning(&self, hex: &str, limit: i64) -> Result<Vec<FileFound>, Error> {
        self.few(include_str!("../sql/made_beginning.sql"), hex, limit).await
    }

    /// Files of packages, whose checksum as they left begins so: path, delivery, checksum.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn packed_beginning(&self, hex: &str, limit: i64) -> Result<Vec<FileFound>, Error> {
        self.few(include_str!("../sql/packed_beginning.sql"), hex, limit).await
    }

    /// Instrument runs with this flow cell.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn flow_cell(&self, barcode: &str, limit: i64) -> Result<Vec<Record>, Error> {
        self.few(include_str!("../sql/flow_cell.sql"), barcode, limit).await
    }
}
