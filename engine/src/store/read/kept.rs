//! Reading what is kept of askings under a key.

use super::Reader;
use crate::clock::Micros;
use crate::store::Error;
use crate::store::rows::kept::KeptAnswer;

impl Reader {
    /// What is kept under a key and newer than `after`: the answer first, then what the engine did.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn kept_answers(&self, key: &str, after: Micros) -> Result<Vec<KeptAnswer>, Error> {
        sqlx::query_as(include_str!("../sql/kept_answers.sql"))
            .bind(key)
            .bind(after)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Row;

    use crate::store::pool::Pool;
    use crate::store::read::Reader;
    use crate::store::rows::kept::KeptAnswer;
    use crate::store::writer::{Change, Table, Writer, next_epoch};

    const DAY_US: i64 = 86_400_000_000;

    fn row(key: &str, act: &str, at_us: i64) -> KeptAnswer {
        let (key_id, act, body) = (key.into(), act.into(), format!("{at_us}"));
        KeptAnswer { key_id, act, sent: "s".into(), status: 0, content_type: String::new(), body, at_us }
    }

    async fn put(writer: &Writer, row: &KeptAnswer) {
        let mut change = Change::default();
        change.put(Table::KeptAnswer, row);
        writer.commit(change).await.expect("written");
    }

    #[tokio::test]
    async fn what_is_older_than_a_day_goes_and_what_is_newer_stays() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        let epoch = next_epoch(&pool).await.expect("counted");
        let (writer, _) = Writer::start(pool.clone(), epoch);
        let reader = Reader::new(pool);
        put(&writer, &row("old", "", 1)).await;
        put(&writer, &row("young", "center", 5)).await;
        put(&writer, &row("young", "", 6)).await;
        put(&writer, &row("new", "", DAY_US + 2)).await;
        assert!(reader.kept_answers("old", 0).await.expect("read").is_empty(), "a day and a moment old");
        let young = reader.kept_answers("young", 0).await.expect("read");
        assert_eq!(young.iter().map(|row| row.act.as_str()).collect::<Vec<_>>(), ["", "center"]);
        assert!(reader.kept_answers("young", 6).await.expect("read").is_empty());
        // Used again after its day, it is a new one.
        put(&writer, &row("young", "", DAY_US * 2)).await;
        assert_eq!(reader.kept_answers("young", DAY_US).await.expect("read")[0].at_us, DAY_US * 2);
    }

    #[tokio::test]
    async fn a_key_is_found_and_forgotten_by_an_index() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        for (sql, index) in [
            (concat!("explain query plan\n", include_str!("../sql/kept_answers.sql")), "PRIMARY KEY (key_id=?)"),
            (concat!("explain query plan\n", include_str!("../sql/forget_answers.sql")), "kept_answer_at (at_us<?)"),
        ] {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index) && !plan.contains("SCAN kept_answer"), "no {index} in:\n{plan}\n{sql}");
        }
    }
}
