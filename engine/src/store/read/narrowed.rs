//! Reading decisions and notices that a list is narrowed to: by person, sort, receiver and subject, each by an index, the newest first.

use super::Reader;
use crate::store::Error;
use crate::store::rows;
use crate::store::rows::center::Record;

/// After every id.
const LAST: &str = "~";

/// Which decisions about steps of runs.
#[derive(Clone, Debug, Default)]
pub struct DecisionFilter<'a> {
    /// Only this person's.
    pub person: Option<&'a str>,
    /// Only ways out of gates, or only answers.
    pub gates: Option<bool>,
    /// Only ids before this one.
    pub before: Option<&'a str>,
    /// At most so many.
    pub limit: i64,
}

/// Which notices.
#[derive(Clone, Debug, Default)]
pub struct NoticeFilter<'a> {
    /// Only with this status.
    pub status: Option<&'a str>,
    /// Those of withdrawals too.
    pub of_withdrawals: bool,
    /// Only for this institution, target or `biobank`.
    pub to: Option<&'a str>,
    /// Only those that say this.
    pub subject: Option<&'a str>,
    /// Only ids before this one.
    pub before: Option<&'a str>,
    /// At most so many.
    pub limit: i64,
}

impl Reader {
    /// What people decided about steps of runs, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn decisions_back(&self, filter: &DecisionFilter<'_>) -> Result<Vec<rows::Decision>, Error> {
        let sql = match (filter.person, filter.gates) {
            (None, None) => include_str!("../sql/decisions_back.sql"),
            (Some(_), None) => include_str!("../sql/decisions_back_of_person.sql"),
            (None, Some(_)) => include_str!("../sql/decisions_back_of_sort.sql"),
            (Some(_), Some(_)) => include_str!("../sql/decisions_back_of_both.sql"),
        };
        let mut query = sqlx::query_as(sql).bind(filter.before.unwrap_or(LAST)).bind(filter.limit);
        if let Some(person) = filter.person {
            query = query.bind(person);
        }
        if let Some(gates) = filter.gates {
            query = query.bind(i64::from(gates));
        }
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// What one person decided about order lines, the newest first, before this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn decided_by(&self, person: &str, before: Option<&str>, limit: i64) -> Result<Vec<Record>, Error> {
        self.back(include_str!("../sql/decided_by.sql"), person, before, limit).await
    }

    /// What one person proposed, the newest first, before this id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn proposed_by(&self, person: &str, before: Option<&str>, limit: i64) -> Result<Vec<Record>, Error> {
        self.back(include_str!("../sql/proposed_by.sql"), person, before, limit).await
    }

    async fn back(&self, sql: &'static str, of: &str, before: Option<&str>, limit: i64) -> Result<Vec<Record>, Error> {
        let query = sqlx::query_as(sql).bind(of).bind(before.unwrap_or(LAST)).bind(limit);
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
    }

    /// Notices, the newest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn notices(&self, filter: &NoticeFilter<'_>) -> Result<Vec<Record>, Error> {
        let sql = match (filter.to, filter.subject) {
            (None, None) => include_str!("../sql/notices.sql"),
            (Some(_), _) => include_str!("../sql/notices_to.sql"),
            (None, Some(_)) => include_str!("../sql/notices_of_subject.sql"),
        };
        let mut query = sqlx::query_as(sql)
            .bind(filter.status)
            .bind(i64::from(filter.of_withdrawals))
            .bind(filter.before.unwrap_or(LAST))
            .bind(filter.limit);
        if let Some(to) = filter.to {
            query = query.bind(to).bind(filter.subject);
        } else if let Some(subject) = filter.subject {
            query = query.bind(subject);
        }
        query.fetch_all(&self.pool.read).await.map_err(|source| self.pool.error(source))
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

    const WANTED: [(&str, &str, &str); 9] = explained! {
        "decisions_back" "sqlite_autoindex_decision_1 (decision_id<?)";
        "decisions_back_of_person" "decision_person (person=? AND decision_id<?)";
        "decisions_back_of_sort" "decision_sort (<expr>=? AND decision_id<?)";
        "decisions_back_of_both" "decision_person_sort (person=? AND <expr>=? AND decision_id<?)";
        "decided_by" "record_decided_by (<expr>=? AND record_id<?)";
        "proposed_by" "record_proposed_by (<expr>=? AND record_id<?)";
        "notices" "sqlite_autoindex_record_1 (kind=?)";
        "notices_to" "record_notice_to (<expr>=? AND record_id<?)";
        "notices_of_subject" "record_notice_subject (<expr>=? AND record_id<?)";
    };

    #[tokio::test]
    async fn no_filter_of_decisions_or_notices_reads_a_whole_table_or_sorts() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        for (name, sql, index) in WANTED {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "{name}: no {index} in:\n{plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{name}:\n{plan}");
        }
    }
}
