//! Reading packages and the feed of those who are offered them.

use super::Reader;
use crate::store::{Error, rows};

impl Reader {
    /// Every file of a package, by path; none as long as it is not packed.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn package_files(&self, delivery: &str) -> Result<Vec<rows::PackageFile>, Error> {
        self.all(include_str!("../sql/package_files.sql"), &[delivery]).await
    }

    /// One file of a package.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn package_file(&self, delivery: &str, path: &str) -> Result<Option<rows::PackageFile>, Error> {
        let found = self.all(include_str!("../sql/package_file.sql"), &[delivery, path]).await?;
        Ok(found.into_iter().next())
    }

    /// Where a receiver is offered a file with these bytes (lowercase hex of their SHA-256): ids of its open deliveries and paths within
    /// them, newest first, a hundred at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn offered_with(&self, sha256: &str, data_center: &str) -> Result<Vec<(String, String)>, Error> {
        self.all(include_str!("../sql/offered_with.sql"), &[sha256, data_center]).await
    }

    /// Deliveries whose package holds an artifact, and whether they hold its encrypted form.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries_with(&self, artifact: &str) -> Result<Vec<(String, bool)>, Error> {
        self.all(include_str!("../sql/deliveries_with.sql"), &[artifact]).await
    }

    /// Runs that are at work on an artifact, or made it for another specimen or order line: ids and statuses, ten at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn makers_beside(
        &self,
        artifact: &str,
        specimen: &str,
        order_line: &str,
    ) -> Result<Vec<(String, String)>, Error> {
        self.all(include_str!("../sql/makers_beside.sql"), &[artifact, specimen, order_line]).await
    }

    /// Attempts that made an artifact: each may have left a copy of its own in its directory.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn made_by(&self, artifact: &str) -> Result<Vec<String>, Error> {
        let found: Vec<(String,)> = self.all(include_str!("../sql/made_by.sql"), &[artifact]).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// The participants (empty: nobody that the center knows) of whose runs some package holds an artifact.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn givers(&self, artifact: &str) -> Result<Vec<String>, Error> {
        let found: Vec<(String,)> = self.all(include_str!("../sql/givers.sql"), &[artifact]).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// Ids of what a target was given of a specimen, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries_to(&self, target: &str, specimen: &str) -> Result<Vec<String>, Error> {
        let found: Vec<(String,)> = self.all(include_str!("../sql/deliveries_to.sql"), &[target, specimen]).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// Offers whose time was over at `now_us`, and that are still said to be open.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn deliveries_over(&self, now_us: i64, limit: i64) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(include_str!("../sql/deliveries_over.sql"))
            .bind(now_us)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// When the next offer ends, after `after_us`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn delivery_ends_after(&self, after_us: i64) -> Result<Option<i64>, Error> {
        sqlx::query_scalar(include_str!("../sql/delivery_ends_after.sql"))
            .bind(after_us)
            .fetch_optional(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// The event by which a receipt was taken; `stream` is the delivery's.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn receipt_event(&self, stream: &str, receipt: &str) -> Result<Option<rows::Event>, Error> {
        let found = self.all(include_str!("../sql/receipt_event.sql"), &[stream, receipt]).await?;
        Ok(found.into_iter().next())
    }

    /// Deliveries whose receipt was due at `now_us` and is not there, and for which what follows from that was not done yet.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn receipts_late(&self, now_us: i64, limit: i64) -> Result<Vec<String>, Error> {
        sqlx::query_scalar(include_str!("../sql/receipts_late.sql"))
            .bind(now_us)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// When the next receipt is due that something follows for, after `after_us`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn receipt_due_after(&self, after_us: i64) -> Result<Option<i64>, Error> {
        sqlx::query_scalar(include_str!("../sql/receipt_due_after.sql"))
            .bind(after_us)
            .fetch_optional(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// The number of the newest change that a target is told of; 0 when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn feed_end(&self, target: &str) -> Result<i64, Error> {
        sqlx::query_scalar(include_str!("../sql/feed_end.sql"))
            .bind(target)
            .fetch_one(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// What changed for a target after this number, each delivery once.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn feed(&self, target: &str, after: i64, limit: i64) -> Result<Vec<rows::Feed>, Error> {
        sqlx::query_as(include_str!("../sql/feed.sql"))
            .bind(target)
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }
}
