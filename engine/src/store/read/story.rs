//! Reading what a specimen's story needs: events of many streams at once, with their links, and what runs and packages say shortly.

use sqlx::{FromRow, Row};

use super::Reader;
use super::page::id_object;
use crate::store::{Error, rows};

/// Path, bytes, SHA-256, whether it is encrypted (0 or 1).
type Packed = (String, i64, String, i64);

impl Reader {
    /// Events of several streams, in no order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn events_of(&self, streams: &[String]) -> Result<Vec<rows::Event>, Error> {
        self.all(include_str!("../sql/events_of.sql"), &[&id_object(streams)]).await
    }

    /// Events of several streams after the one numbered `after` in the whole log, each with the hash of the one before it there.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn links(&self, streams: &[String], after: i64, limit: i64) -> Result<Vec<(rows::Event, String)>, Error> {
        let found = sqlx::query(include_str!("../sql/links.sql"))
            .bind(id_object(streams))
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        let read = found.iter().map(|row| Ok((rows::Event::from_row(row)?, row.try_get("before")?)));
        read.collect::<Result<_, _>>().map_err(|source| self.pool.error(source))
    }

    /// Numbers in the whole log of a stream's first event and its last, of which it has `count`; none when it has none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stream_ends(&self, stream: &str, count: i64) -> Result<Option<(i64, i64)>, Error> {
        let found: Option<(Option<i64>, Option<i64>)> = sqlx::query_as(include_str!("../sql/stream_ends.sql"))
            .bind(stream)
            .bind(count)
            .fetch_optional(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        Ok(found.and_then(|(first, last)| first.zip(last)))
    }

    /// How many records of a kind belong to another.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn count_of(&self, kind: &str, parent: &str) -> Result<i64, Error> {
        let found: Vec<(i64,)> = self.all(include_str!("../sql/count_of.sql"), &[kind, parent]).await?;
        Ok(found.first().map_or(0, |(count,)| *count))
    }

    /// Steps of a run that judged something, in plan order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn judged_steps(&self, run: &str) -> Result<Vec<rows::Step>, Error> {
        self.all(include_str!("../sql/judged_steps.sql"), &[run]).await
    }

    /// Files of a package, by path: path, bytes, SHA-256, whether it is encrypted (0 or 1).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn package_sizes(&self, delivery: &str) -> Result<Vec<Packed>, Error> {
        self.all(include_str!("../sql/package_sizes.sql"), &[delivery]).await
    }
}
