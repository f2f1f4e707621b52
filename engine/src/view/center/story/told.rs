//! What a story tells of runs and deliveries.

use std::collections::HashMap;

use kentai_workflows::value::Map;
use serde::Serialize;

use crate::id::RunId;
use crate::store::Error;
use crate::store::read::Reader;
use crate::view::{AttemptView, DecisionView, DeliveryView, RunView, StepView, document};

/// A run with more attempts is told by its gates alone.
const ATTEMPTS_TOLD: i64 = 400;
/// Files of a package that are told.
pub(super) const FILES_TOLD: usize = 500;

/// A run of an order line.
#[derive(Clone, Debug, Serialize)]
pub struct RunTold {
    /// The run.
    pub run: RunView,
    /// With what it was asked for.
    pub params: Map,
    /// All of them; only those that judged something when there are too many attempts.
    pub steps: Vec<StepView>,
    /// Oldest first; none when there are too many.
    pub attempts: Vec<AttemptView>,
    /// How many there are.
    pub attempts_made: i64,
    /// What people decided.
    pub decisions: Vec<DecisionView>,
    /// Numbers of its first and its last event in the whole log, and how many it has.
    pub events: Option<(i64, i64, i64)>,
}

/// A delivery, with its files as they left.
#[derive(Clone, Debug, Serialize)]
pub struct DeliveryTold {
    /// The delivery and what the receiver said.
    pub delivery: DeliveryView,
    /// By path; the first five hundred.
    pub files: Vec<PackedFile>,
    /// How many there are.
    pub count: usize,
    /// Bytes of all.
    pub bytes: u64,
}

/// One file of a package.
#[derive(Clone, Debug, Serialize)]
pub struct PackedFile {
    /// In the package's folder.
    pub path: String,
    /// Bytes, as they leave.
    pub size: u64,
    /// Lowercase hex, as they leave.
    pub sha256: String,
    /// It is encrypted for its receiver.
    pub encrypted: bool,
}

pub(super) async fn run(reader: &Reader, id: &RunId) -> Result<Option<RunTold>, Error> {
    let Some(row) = reader.run(id.as_str()).await? else { return Ok(None) };
    let Some(run) = crate::view::run::views(reader, &[id.to_string()]).await?.pop() else { return Ok(None) };
    let few = row.attempts_made <= ATTEMPTS_TOLD;
    let (steps, attempts) = if few {
        (reader.steps(id.as_str()).await?, reader.attempts(id.as_str()).await?)
    } else {
        (reader.judged_steps(id.as_str()).await?, Vec::new())
    };
    let reasons: HashMap<String, String> =
        if few { reader.attempt_reasons(id.as_str()).await?.into_iter().collect() } else { HashMap::new() };
    let submission = reader.submission(row.submission_id.as_str()).await?;
    let params = submission.map(|submission| document("parameters", &submission.params)).transpose()?;
    let ends = reader.stream_ends(id.as_str(), row.events).await?;
    Ok(Some(RunTold {
        run,
        params: params.unwrap_or_default(),
        steps: steps.iter().map(|step| StepView::of(step, &HashMap::new())).collect::<Result<_, _>>()?,
        attempts: attempts
            .iter()
            .map(|attempt| AttemptView::of(attempt, reasons.get(attempt.attempt_id.as_str())))
            .collect(),
        attempts_made: row.attempts_made,
        decisions: reader.decisions(id.as_str()).await?.iter().map(DecisionView::of).collect(),
        events: ends.map(|(first, last)| (first, last, row.events)),
    }))
}

pub(super) async fn deliveries(reader: &Reader, run: &RunId) -> Result<Vec<DeliveryTold>, Error> {
    let mut rows = reader.deliveries_of(run.as_str()).await?;
    rows.sort_by_key(|row| row.created_us);
    let mut told = Vec::new();
    for row in rows {
        let Some(delivery) = crate::view::delivery(reader, row.delivery_id.as_str()).await? else { continue };
        let files = reader.package_sizes(row.delivery_id.as_str()).await?;
        let size = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
        let packed = files.iter().take(FILES_TOLD).map(|(path, bytes, sha256, encrypted)| PackedFile {
            path: path.clone(),
            size: size(*bytes),
            sha256: sha256.clone(),
            encrypted: *encrypted != 0,
        });
        told.push(DeliveryTold {
            delivery,
            files: packed.collect(),
            count: files.len(),
            bytes: files.iter().map(|(_, bytes, ..)| size(*bytes)).sum(),
        });
    }
    Ok(told)
}
