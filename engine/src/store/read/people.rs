//! Reading what people did and who they are: the audit log from its newest event back, accounts' sessions and tokens.

use super::Reader;
use super::page::id_object;
use crate::store::Error;
use crate::store::rows::center::Record;
use crate::store::rows::{self};

/// How to narrow what the audit log has of one thing.
#[derive(Clone, Debug, Default)]
pub struct AuditFilter {
    /// Only events with this word.
    pub kind: Option<String>,
    /// Only by this person or service.
    pub actor: Option<String>,
    /// Only events before this number.
    pub before: i64,
    /// At most so many.
    pub limit: i64,
}

impl Reader {
    /// Events of the whole log, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_back(&self, before: i64, limit: i64) -> Result<Vec<rows::Event>, Error> {
        let query = sqlx::query_as(include_str!("../sql/audit_back.sql")).bind(before).bind(limit);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Events of one word, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_of_kind(&self, kind: &str, before: i64, limit: i64) -> Result<Vec<rows::Event>, Error> {
        let query = sqlx::query_as(include_str!("../sql/audit_of_kind.sql")).bind(kind).bind(before).bind(limit);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// What one person or service did, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_of_actor(&self, actor: &str, before: i64, limit: i64) -> Result<Vec<rows::Event>, Error> {
        let query = sqlx::query_as(include_str!("../sql/audit_of_actor.sql")).bind(actor).bind(before).bind(limit);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Events of one word by one person or service, the newest first, among the newest `most` of that word; and the number of the last one
    /// that was looked at: none when there are no more.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_of_both(
        &self,
        (kind, actor): (&str, &str),
        before: i64,
        most: i64,
        limit: i64,
    ) -> Result<(Vec<rows::Event>, Option<i64>), Error> {
        let query = sqlx::query_as(include_str!("../sql/audit_floor.sql")).bind(kind).bind(before).bind(most - 1);
        let floor: Option<(i64,)> =
            query.fetch_optional(&self.pool.read).await.map_err(|source| self.pool.error(source))?;
        let floor = floor.map(|(seq,)| seq);
        let query = sqlx::query_as(include_str!("../sql/audit_of_both.sql")).bind(kind).bind(before);
        let query = query.bind(floor.unwrap_or_default()).bind(actor).bind(limit);
        let found = query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))?;
        Ok((found, floor))
    }

    /// Events of these streams, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn audit_of(&self, streams: &[String], filter: &AuditFilter) -> Result<Vec<rows::Event>, Error> {
        sqlx::query_as(include_str!("../sql/audit_of.sql"))
            .bind(id_object(streams))
            .bind(filter.before)
            .bind(&filter.kind)
            .bind(&filter.actor)
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// The newest records of a kind that belong to one.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn newest_of(&self, kind: &str, parent: &str, limit: i64) -> Result<Vec<Record>, Error> {
        sqlx::query_as(include_str!("../sql/newest_of.sql"))
            .bind(kind)
            .bind(parent)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// When each of these people signed in last, microseconds; none: never.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn signed_in_last(&self, names: &[String]) -> Result<Vec<(String, Option<i64>)>, Error> {
        self.all(include_str!("../sql/signed_in_last.sql"), &[&id_object(names)]).await
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use crate::store::pool::Pool;

    macro_rules! explained {
        ($($name:literal $index:literal;)*) => {
            [$(($name, concat!("explain query plan\n", include_str!(concat!("../sql/", $name, ".sql"))), $index)),*]
        };
    }

    const WANTED: [(&str, &str, &str); 8] = explained! {
        "audit_back" "SEARCH event USING INTEGER PRIMARY KEY (rowid<?)";
        "audit_of_kind" "event_kind (kind=? AND rowid<?)";
        "audit_of_actor" "event_actor (actor=? AND rowid<?)";
        "audit_of_both" "event_kind (kind=? AND rowid>? AND rowid<?)";
        "audit_floor" "event_kind (kind=? AND rowid<?)";
        "audit_of" "event_stream (stream=?)";
        "newest_of" "record_parent (kind=? AND parent=?)";
        "signed_in_last" "record_parent (kind=? AND parent=?)";
    };

    #[tokio::test]
    async fn no_query_of_the_log_or_of_people_reads_a_whole_table() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        for (name, sql, index) in WANTED {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "{name}: no {index} in:\n{plan}");
            for line in plan.lines().filter(|line| line.starts_with("SCAN")) {
                assert!(line.starts_with("SCAN m VIRTUAL TABLE"), "{name}:\n{plan}");
            }
            // The events of one thing are few, and may lie in several streams.
            assert!(name == "audit_of" || !plan.contains("TEMP B-TREE"), "{name} sorts:\n{plan}");
        }
    }
}
