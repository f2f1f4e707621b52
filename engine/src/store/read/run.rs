//! Reading one run in parts: however many tasks it has, nothing here gives all of them.

use sqlx::Row;

use super::Reader;
use super::page::id_object;
use crate::store::Error;
use crate::store::rows::{self, run::RunFile, run::Tally};

/// Which tasks of a run, and from where on.
#[derive(Clone, Debug)]
pub struct TaskFilter {
    /// First and last rank, as `run_tasks.sql` counts them.
    pub ranks: (i64, i64),
    /// Only this logical step.
    pub step: Option<String>,
    /// Only tasks behind this rank, position and key.
    pub after: (i64, i64, String),
    /// At most so many.
    pub limit: i64,
}

/// Which files of a run, and from where on.
#[derive(Clone, Debug)]
pub struct FileFilter {
    /// Only of this logical step.
    pub step: Option<String>,
    /// Only files behind this step key, output and position.
    pub after: (String, String, i64),
    /// At most so many.
    pub limit: i64,
}

impl Reader {
    /// How far each logical step of a run is.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_tally(&self, run: &str) -> Result<Vec<Tally>, Error> {
        self.all(include_str!("../sql/run_tally.sql"), &[run]).await
    }

    /// Tasks of a run, what needs attention first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_tasks(&self, run: &str, filter: &TaskFilter) -> Result<Vec<rows::Step>, Error> {
        sqlx::query_as(include_str!("../sql/run_tasks.sql"))
            .bind(run)
            .bind(filter.ranks.0)
            .bind(filter.ranks.1)
            .bind(&filter.step)
            .bind(filter.after.0)
            .bind(filter.after.1)
            .bind(&filter.after.2)
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// The newest attempt of each of these steps; who has none is left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_attempts(&self, run: &str, keys: &[String]) -> Result<Vec<rows::Attempt>, Error> {
        self.all(include_str!("../sql/last_attempts.sql"), &[run, &id_object(keys)]).await
    }

    /// Attempts of one step, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn step_attempts(&self, run: &str, key: &str) -> Result<Vec<rows::Attempt>, Error> {
        self.all(include_str!("../sql/step_attempts.sql"), &[run, key]).await
    }

    /// These steps of a run, in plan order; who is not there is left out.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn steps_named(&self, run: &str, keys: &[String]) -> Result<Vec<rows::Step>, Error> {
        self.all(include_str!("../sql/steps_named.sql"), &[run, &id_object(keys)]).await
    }

    /// Attempts of at most so many tasks of each logical step, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_bars(&self, run: &str, tasks_max: i64) -> Result<Vec<rows::Attempt>, Error> {
        sqlx::query_as(include_str!("../sql/run_bars.sql"))
            .bind(run)
            .bind(tasks_max)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Files that a run made, by step.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_files(&self, run: &str, filter: &FileFilter) -> Result<Vec<RunFile>, Error> {
        sqlx::query_as(include_str!("../sql/run_files.sql"))
            .bind(run)
            .bind(&filter.step)
            .bind(&filter.after.0)
            .bind(&filter.after.1)
            .bind(filter.after.2)
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// How many files a run made.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_files_count(&self, run: &str) -> Result<i64, Error> {
        let row = sqlx::query(include_str!("../sql/run_files_count.sql"))
            .bind(run)
            .fetch_one(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        Ok(row.get(0))
    }

    /// Other runs that failed at the same step for the same cause; `looked_at`: failed runs that are looked at, at most.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn run_kin(
        &self,
        (run, step, cause): (&str, &str, &str),
        since_us: i64,
        looked_at: i64,
    ) -> Result<Vec<String>, Error> {
        let rows = sqlx::query(include_str!("../sql/run_kin.sql"))
            .bind(run)
            .bind(step)
            .bind(cause)
            .bind(since_us)
            .bind(looked_at)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        Ok(rows.iter().map(|row| row.get(0)).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::pool::Pool;

    macro_rules! explained {
        ($name:literal) => {
            concat!("explain query plan\n", include_str!(concat!("../sql/", $name, ".sql")))
        };
    }

    /// What may be walked from end to end: what was narrowed to one run before, and what the caller handed over.
    fn may_scan(line: &str) -> bool {
        let narrowed = ["SCAN c", "SCAN f", "SCAN r", "SCAN ranked", "SCAN chosen", "SCAN (subquery"];
        line.starts_with("SCAN m VIRTUAL TABLE") || narrowed.iter().any(|known| line.starts_with(known))
    }

    #[tokio::test]
    async fn no_query_about_one_run_reads_another() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        let wanted: [(&'static str, &str); 9] = [
            (explained!("run_tally"), "run_id=?"),
            (
                explained!("run_tasks"),
                "SEARCH i USING COVERING INDEX sqlite_autoindex_step_1 (run_id=? AND step_key>? AND step_key<?)",
            ),
            (explained!("last_attempts"), "attempt_run (run_id=? AND step_key=?)"),
            (explained!("step_attempts"), "attempt_run (run_id=? AND step_key=?)"),
            (explained!("steps_named"), "sqlite_autoindex_step_1 (run_id=? AND step_key=?)"),
            (explained!("run_bars"), "attempt_run (run_id=? AND step_key=?)"),
            (explained!("run_files"), "made_run (run_id=?)"),
            (explained!("run_files_count"), "made_run (run_id=?)"),
            (explained!("run_kin"), "run_open (status=? AND priority=? AND created_us>?)"),
        ];
        for (sql, index) in wanted {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            for line in plan.lines().filter(|line| line.starts_with("SCAN")) {
                assert!(may_scan(line), "{sql}\n{plan}");
            }
            assert!(plan.contains(index), "no {index} in:\n{plan}\n{sql}");
        }
    }
}
