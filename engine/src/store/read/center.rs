//! Reading the center: records by id, by parent and by page; order lines by what they wait for.

use super::Reader;
use crate::store::Error;
use crate::store::rows::center::{OrderEvaluation, OrderLine, Participant, Record, StageCount};
use crate::store::rows::{self};

/// How to narrow a list of order lines.
#[derive(Clone, Debug, Default)]
pub struct OrderFilter {
    /// Only this stage.
    pub stage: Option<String>,
    /// Only this institution's.
    pub institution: Option<String>,
    /// Only ids after this one.
    pub after: Option<String>,
    /// At most so many; oldest id first.
    pub limit: i64,
}

/// How to narrow a list of records.
#[derive(Clone, Debug, Default)]
pub struct RecordFilter {
    /// Only this kind.
    pub kind: String,
    /// Only this status.
    pub status: Option<String>,
    /// Only this institution's.
    pub owner: Option<String>,
    /// Only ids after this one.
    pub after: Option<String>,
    /// At most so many; oldest id first.
    pub limit: i64,
}

/// How to narrow what was measured of order lines.
#[derive(Clone, Debug, Default)]
pub struct EvaluationFilter {
    /// Only this assay's.
    pub assay: Option<String>,
    /// Only this version's of it.
    pub assay_version: Option<String>,
    /// Only what was judged then or later, microseconds.
    pub since_us: i64,
    /// Only ids before this one (the last of the page before).
    pub before: Option<String>,
    /// At most so many; newest first.
    pub limit: i64,
}

/// After every evaluation's id: they begin with `e`.
const AFTER_EVALUATIONS: &str = "f";

impl Reader {
    /// One record.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn record(&self, kind: &str, id: &str) -> Result<Option<Record>, Error> {
        Ok(self.all(include_str!("../sql/record.sql"), &[kind, id]).await?.pop())
    }

    /// Records that belong to another, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn records_of(&self, kind: &str, parent: &str) -> Result<Vec<Record>, Error> {
        self.all(include_str!("../sql/records_of.sql"), &[kind, parent]).await
    }

    /// Records that reach a specimen, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn records_about(&self, specimen: &str) -> Result<Vec<Record>, Error> {
        self.all(include_str!("../sql/records_about.sql"), &[specimen]).await
    }

    /// Records, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn records(&self, filter: &RecordFilter) -> Result<Vec<Record>, Error> {
        sqlx::query_as(include_str!("../sql/records.sql"))
            .bind(&filter.kind)
            .bind(&filter.status)
            .bind(&filter.owner)
            .bind(filter.after.as_deref().unwrap_or_default())
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// The record that a name leads to.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn named(&self, kind: &str, name: &str) -> Result<Option<String>, Error> {
        let found: Vec<(String,)> = self.all(include_str!("../sql/named.sql"), &[kind, name]).await?;
        Ok(found.into_iter().next().map(|(id,)| id))
    }

    /// One participant.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn participant(&self, id: &str) -> Result<Option<Participant>, Error> {
        self.one(include_str!("../sql/participant.sql"), id).await
    }

    /// The participant with this pseudonym in this program.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn participant_by_pseudonym(&self, program: &str, pseudonym: &str) -> Result<Option<Participant>, Error> {
        Ok(self.all(include_str!("../sql/participant_by_pseudonym.sql"), &[program, pseudonym]).await?.pop())
    }

    /// Participants whose consent had ended at `now_us`, and is still said to be in force.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn consents_ended(&self, now_us: i64, limit: i64) -> Result<Vec<Participant>, Error> {
        sqlx::query_as(include_str!("../sql/consents_ended.sql"))
            .bind(now_us)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// When the next consent ends by itself, after `after_us`.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn consent_ends_after(&self, after_us: i64) -> Result<Option<i64>, Error> {
        sqlx::query_scalar(include_str!("../sql/consent_ends_after.sql"))
            .bind(after_us)
            .fetch_optional(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// One order line.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order_line(&self, id: &str) -> Result<Option<OrderLine>, Error> {
        self.one(include_str!("../sql/order_line.sql"), id).await
    }

    /// The order lines of a specimen.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn orders_of_specimen(&self, specimen: &str) -> Result<Vec<OrderLine>, Error> {
        self.all(include_str!("../sql/orders_of_specimen.sql"), &[specimen]).await
    }

    /// The order lines of a participant.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn orders_of_participant(&self, participant: &str) -> Result<Vec<OrderLine>, Error> {
        self.all(include_str!("../sql/orders_of_participant.sql"), &[participant]).await
    }

    /// The runs of a participant, oldest first.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn runs_of_participant(&self, participant: &str) -> Result<Vec<rows::Run>, Error> {
        self.all(include_str!("../sql/runs_of_participant.sql"), &[participant]).await
    }

    /// Order lines, by id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn order_lines(&self, filter: &OrderFilter) -> Result<Vec<OrderLine>, Error> {
        sqlx::query_as(include_str!("../sql/order_lines.sql"))
            .bind(&filter.stage)
            .bind(&filter.institution)
            .bind(filter.after.as_deref().unwrap_or_default())
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// What was measured of order lines, newest first; nothing of participants who have withdrawn.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn evaluations(&self, filter: &EvaluationFilter) -> Result<Vec<OrderEvaluation>, Error> {
        sqlx::query_as(include_str!("../sql/evaluations.sql"))
            .bind(&filter.assay)
            .bind(&filter.assay_version)
            .bind(filter.since_us)
            .bind(filter.before.as_deref().unwrap_or(AFTER_EVALUATIONS))
            .bind(filter.limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// Order lines whose expectation had lapsed at `now_us`, the longest ago first, from the beginning.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stuck(&self, now_us: i64, institution: Option<&str>, limit: i64) -> Result<Vec<OrderLine>, Error> {
        self.stuck_after(now_us, institution, (i64::MIN, ""), limit).await
    }

    /// The same behind a time and an id.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stuck_after(
        &self,
        now_us: i64,
        institution: Option<&str>,
        (after_us, after): (i64, &str),
        limit: i64,
    ) -> Result<Vec<OrderLine>, Error> {
        sqlx::query_as(include_str!("../sql/stuck.sql"))
            .bind(now_us)
            .bind(institution)
            .bind(limit)
            .bind(after_us)
            .bind(after)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// How many order lines stand in each stage.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stage_counts(&self) -> Result<Vec<StageCount>, Error> {
        self.all(include_str!("../sql/stage_counts.sql"), &[]).await
    }

    /// Events of one stream in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn stream(&self, stream: &str) -> Result<Vec<rows::Event>, Error> {
        self.all(include_str!("../sql/events.sql"), &[stream]).await
    }

    /// Events after the one numbered `after` in the whole log, in order.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn log_after(&self, after: i64, limit: i64) -> Result<Vec<rows::Event>, Error> {
        sqlx::query_as(include_str!("../sql/log_after.sql"))
            .bind(after)
            .bind(limit)
            .fetch_all(&self.pool.read)
            .await
            .map_err(|source| self.pool.error(source))
    }

    /// The newest event's number and hash; zero when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn head(&self) -> Result<(i64, String), Error> {
        let found: Vec<(i64, String)> = self.all(include_str!("../sql/event_head.sql"), &[]).await?;
        Ok(found.into_iter().next().unwrap_or_else(|| (0, crate::audit::hex(&[0; 32]))))
    }

    /// The number of events that the newest signed checkpoint speaks of.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn signed_until(&self) -> Result<i64, Error> {
        let found: Vec<(String,)> = self.all(include_str!("../sql/newest_checkpoint.sql"), &[]).await?;
        Ok(found.first().and_then(|(id,)| id.parse().ok()).unwrap_or(0))
    }

    /// The participants whose runs made an artifact.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn makers(&self, sha256: &str) -> Result<Vec<String>, Error> {
        let found: Vec<(String,)> = self.all(include_str!("../sql/makers.sql"), &[sha256]).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// The members of a family.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn family(&self, program: &str, family: &str) -> Result<Vec<Participant>, Error> {
        self.all(include_str!("../sql/family.sql"), &[program, family]).await
    }

    /// Participants with this pseudonym in whatever program (at most 2: enough to know that it is ambiguous).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn participants_named(&self, pseudonym: &str) -> Result<Vec<Participant>, Error> {
        self.all(include_str!("../sql/participants_named.sql"), &[pseudonym]).await
    }

    /// The number of the newest id that begins with this letter; zero when there is none.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn last_number(&self, letter: char) -> Result<u64, Error> {
        let next = char::from_u32(u32::from(letter) + 1).unwrap_or(letter).to_string();
        let found: Vec<(String,)> =
            self.all(include_str!("../sql/last_number.sql"), &[&letter.to_string(), &next]).await?;
        Ok(found.first().and_then(|(id,)| crate::specimen::check_character::number(id)).unwrap_or(0))
    }

    /// One artifact.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn artifact(&self, sha256: &str) -> Result<Option<rows::Artifact>, Error> {
        self.one(include_str!("../sql/artifact.sql"), sha256).await
    }
}
