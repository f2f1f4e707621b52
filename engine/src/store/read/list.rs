//! Reading lists that people narrow: the narrowest thing that is asked for chooses the query, and with it the index.

use super::Reader;
use super::page::id_object;
use crate::store::Error;
use crate::store::rows::center::{OrderLine, Record};

/// How to narrow a list of order lines.
#[derive(Clone, Debug, Default)]
pub struct LineFilter {
    /// Only this stage.
    pub stage: Option<String>,
    /// Only this institution's.
    pub institution: Option<String>,
    /// Only this assay, whatever version.
    pub assay: Option<String>,
    /// Only whose expectation has lapsed.
    pub stuck: bool,
    /// Only whose whole time is over, while it counts.
    pub late: bool,
    /// Only what somebody paused.
    pub held: bool,
    /// Microseconds since the epoch.
    pub now_us: i64,
    /// Only those after this time and id; the time counts only in lists by time.
    pub after: (i64, String),
    /// At most so many.
    pub limit: i64,
}

/// In which order a list of order lines is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// By when its expectation lapsed, then id.
    Lapsed,
    /// By when it is due, then id.
    Due,
    /// By id.
    Id,
}

impl LineFilter {
    /// Its order.
    #[must_use]
    pub fn listing(&self) -> Listing {
        match self {
            Self { stuck: true, .. } => Listing::Lapsed,
            Self { late: true, .. } => Listing::Due,
            _ => Listing::Id,
        }
    }

    fn sql(&self) -> &'static str {
        match self {
            Self { stuck: true, .. } => include_str!("../sql/lines_stuck.sql"),
            Self { late: true, .. } => include_str!("../sql/lines_late.sql"),
            Self { held: true, .. } => include_str!("../sql/lines_held.sql"),
            Self { stage: Some(_), .. } => include_str!("../sql/lines_of_stage.sql"),
            Self { institution: Some(_), .. } => include_str!("../sql/lines_of_institution.sql"),
            Self { assay: Some(_), .. } => include_str!("../sql/lines_of_assay.sql"),
            _ => include_str!("../sql/lines_by_id.sql"),
        }
    }
}

/// How to narrow a list of specimens.
#[derive(Clone, Debug, Default)]
pub struct SpecimenFilter {
    /// Only with an order line in this stage.
    pub stage: Option<String>,
    /// Only this institution's.
    pub institution: Option<String>,
    /// Only this program's.
    pub program: Option<String>,
    /// Only ids that begin so.
    pub begins: String,
    /// Only ids after this one.
    pub after: Option<String>,
    /// At most so many.
    pub limit: i64,
}

impl SpecimenFilter {
    fn sql(&self) -> &'static str {
        match self {
            Self { stage: Some(_), .. } => include_str!("../sql/specimens_of_stage.sql"),
            Self { institution: Some(_), .. } => include_str!("../sql/specimens_of_institution.sql"),
            Self { program: Some(_), .. } => include_str!("../sql/specimens_of_program.sql"),
            _ => include_str!("../sql/specimens_by_id.sql"),
        }
    }
}

impl Reader {
    /// Order lines, in the order of [`LineFilter::listing`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lines_listed(&self, filter: &LineFilter) -> Result<Vec<OrderLine>, Error> {
        sqlx::query_as(filter.sql())
            .bind(filter.after.0)
            .bind(&filter.after.1)
            .bind(&filter.stage)
            .bind(&filter.institution)
            .bind(&filter.assay)
            .bind(filter.limit)
            .bind(filter.now_us)
            .bind(i64::from(filter.stuck))
            .bind(i64::from(filter.late))
            .bind(i64::from(filter.held))
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Order lines whose expectation has lapsed and which are not due until `soon_us`, in the order of [`Listing::Lapsed`].
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn lines_stuck_beside(&self, filter: &LineFilter, soon_us: i64) -> Result<Vec<OrderLine>, Error> {
        sqlx::query_as(include_str!("../sql/lines_stuck_beside.sql"))
            .bind(filter.after.0)
            .bind(&filter.after.1)
            .bind(&filter.stage)
            .bind(&filter.institution)
            .bind(&filter.assay)
            .bind(filter.limit)
            .bind(filter.now_us)
            .bind(soon_us)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Specimens that the center knows, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn specimens_listed(&self, filter: &SpecimenFilter) -> Result<Vec<Record>, Error> {
        let mut found: Vec<Record> = sqlx::query_as(filter.sql())
            .bind(filter.after.as_deref().unwrap_or_default())
            .bind(&filter.begins)
            .bind(&filter.stage)
            .bind(&filter.institution)
            .bind(&filter.program)
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))?;
        found.sort_by(|one, other| one.record_id.cmp(&other.record_id));
        Ok(found)
    }

    /// The order lines of several specimens, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn orders_of_specimens(&self, specimens: &[String]) -> Result<Vec<OrderLine>, Error> {
        let mut found: Vec<OrderLine> =
            self.all(include_str!("../sql/orders_of_specimens.sql"), &[&id_object(specimens)]).await?;
        found.sort_by(|one, other| one.order_line_id.cmp(&other.order_line_id));
        Ok(found)
    }

    /// Records of a kind, the last id first, before this one; of a status or an institution, if one is named.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn records_back(
        &self,
        kind: &str,
        status: Option<&str>,
        owner: Option<&str>,
        before: Option<&str>,
        limit: i64,
    ) -> Result<Vec<Record>, Error> {
        let sql = match (owner, status) {
            (Some(_), _) => include_str!("../sql/records_back_of_owner.sql"),
            (None, Some(_)) => include_str!("../sql/records_back_of_status.sql"),
            (None, None) => include_str!("../sql/records_back.sql"),
        };
        let query = sqlx::query_as(sql).bind(kind).bind(before).bind(limit);
        let query = match (owner, status) {
            (Some(owner), status) => query.bind(owner).bind(status),
            (None, Some(status)) => query.bind(status),
            (None, None) => query,
        };
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

    /// Every query of a list, a story or the search; the index that it must go by.
    const WANTED: [(&str, &str, &str); 30] = explained! {
        "events_of" "event_stream (stream=?)";
        "links" "event_stream (stream=?)";
        "stream_ends" "event_stream (stream=? AND n=?)";
        "count_of" "record_parent (kind=? AND parent=?)";
        "package_sizes" "_package_file_1 (delivery_id=?)";
        "lines_stuck" "order_line_expect ((expect_us,order_line_id)>(?,?) AND expect_us<?)";
        "lines_stuck_beside" "order_line_expect ((expect_us,order_line_id)>(?,?) AND expect_us<?)";
        "lines_late" "order_line_due ((due_us,order_line_id)>(?,?) AND due_us<?)";
        "lines_held" "order_line_held (order_line_id>?)";
        "lines_of_stage" "order_line_stage (stage=? AND order_line_id>?)";
        "lines_of_institution" "order_line_institution (institution=? AND order_line_id>?)";
        "lines_of_assay" "order_line_assay (assay=? AND order_line_id>?)";
        "lines_by_id" "_order_line_1 (order_line_id>?)";
        "specimens_of_stage" "order_line_stage_specimen (stage=? AND specimen_id>? AND specimen_id<?)";
        "specimens_of_institution" "record_specimen_owner (owner=? AND record_id>? AND record_id<?)";
        "specimens_of_program" "record_program (<expr>=? AND record_id>? AND record_id<?)";
        "specimens_by_id" "_record_1 (kind=? AND record_id>? AND record_id<?)";
        "orders_of_specimens" "order_line_specimen (specimen_id=?)";
        "records_back" "_record_1 (kind=?)";
        "records_back_of_status" "record_status (kind=? AND status=?)";
        "records_back_of_owner" "record_owner (kind=? AND owner=?)";
        "records_beginning" "_record_1 (kind=? AND record_id>? AND record_id<?)";
        "runs_beginning" "_run_1 (run_id>? AND run_id<?)";
        "made_named" "made_name (name=?)";
        "made_beginning" "made_sha256 (sha256>? AND sha256<?)";
        "packed_beginning" "package_file_sha256 (sha256>? AND sha256<?)";
        "flow_cell" "record_flow_cell (<expr>=?)";
        "stuck" "order_line_expect ((expect_us,order_line_id)>(?,?) AND expect_us<?)";
        "workflows_page" "workflow_created (created_us<?)";
        "feed_end" "feed_target (target=?)";
    };

    #[tokio::test]
    async fn no_query_of_a_list_a_story_or_the_search_reads_a_whole_table_or_sorts() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let pool = Pool::open(&site.path().join("kentai.db")).await.expect("opened");
        for (name, sql, index) in WANTED {
            let rows = sqlx::query(sql).fetch_all(&pool.read).await.expect("explained");
            let plan = rows.iter().map(|row| row.get::<String, _>("detail")).collect::<Vec<_>>().join("\n");
            assert!(plan.contains(index), "{name}: no {index} in:\n{plan}");
            for line in plan.lines().filter(|line| line.starts_with("SCAN")) {
                // What was narrowed already, and what the caller handed over.
                assert!(line == "SCAN o" || line.starts_with("SCAN m VIRTUAL TABLE"), "{name}:\n{plan}");
            }
            // The events of one specimen are few, and come from many streams.
            assert!(name == "links" || !plan.contains("TEMP B-TREE"), "{name} sorts:\n{plan}");
        }
    }
}
