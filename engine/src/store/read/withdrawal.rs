//! Reading withdrawals: counts of one case.

use super::Reader;
use crate::store::Error;

impl Reader {
    /// How many things of a case are listed, proposed, confirmed and done.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn case_things(&self, case: &str) -> Result<(i64, i64, i64, i64), Error> {
        let found: Vec<(i64, i64, i64, i64)> = self.all(include_str!("../sql/case_things.sql"), &[case]).await?;
        Ok(found.first().copied().unwrap_or_default())
    }

    /// How many notices of a case must be answered, how many are, and when the last answer came.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn case_answers(&self, case: &str) -> Result<(i64, i64, Option<i64>), Error> {
        let found: Vec<(i64, i64, Option<i64>)> = self.all(include_str!("../sql/case_answers.sql"), &[case]).await?;
        Ok(found.first().copied().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row as _;

    use crate::store::pool::Pool;

    macro_rules! explained {
        ($name:literal) => {
            concat!("explain query plan\n", include_str!(concat!("../sql/", $name, ".sql")))
        };
    }

    #[tokio::test]
    async fn no_query_about_withdrawals_reads_a_whole_table_or_sorts() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        for (sql, index) in [
            (explained!("case_things"), "record_parent (kind=? AND parent=?)"),
            (explained!("case_answers"), "record_parent (kind=? AND parent=?)"),
        ] {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "no {index} in:\n{plan}");
            assert!(!plan.contains("SCAN") && !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
