//! The seven tracked items of each order line, page by page.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::people::permission::{Action, Principal};
use crate::state::order::Stage;
use crate::store::read::Reader;
use crate::store::rows::report::ProgressLine;
use crate::view::Page;
use crate::view::center::access::{Refused, part};

/// The seven tracked items of one order line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Progress {
    /// Specimen.
    pub specimen: String,
    /// As on the tube.
    pub barcode: String,
    /// Order line.
    pub order_line: String,
    /// Whose it is.
    pub institution: String,
    /// Program.
    pub program: String,
    /// `wgs_30x@1`
    pub assay: String,
    /// 1: `unknown`, `given`, `partial`, `refused`, `withdrawn`, `expired`.
    pub consent: String,
    /// 2: where the specimen, or what is left of it, is.
    pub specimen_status: String,
    /// 3: `expected`, `accepted`, `rejected`, `missing`.
    pub send_receive: String,
    /// 4: `pending`, `counting`, `passed`, `waived`, `failed`.
    pub qc: String,
    /// 5: `pending`, `ready`, `running`, `failed`, `in_review`, and from there on the stage.
    pub analysis: String,
    /// 6: the data center's word: `unknown`, `missing`, `partial`, `complete`.
    pub clinical_information: String,
    /// 7: the data center's word: `pending`, `returned`.
    pub report_return: String,
}

impl Progress {
    fn of(row: ProgressLine) -> Self {
        let (qc, analysis) = Stage::parse(&row.stage).map_or(("pending", "pending"), |stage| words(stage, &row.waived));
        let or = |text: String, otherwise: &str| if text.is_empty() { otherwise.to_owned() } else { text };
        Self {
            specimen: row.specimen_id,
            barcode: row.barcode,
            order_line: row.order_line_id,
            institution: row.institution,
            program: row.program,
            assay: format!("{}@{}", row.assay, row.assay_version),
            consent: row.consent,
            specimen_status: or(row.custody, "in_lab"),
            send_receive: row.item,
            qc: qc.to_owned(),
            analysis: analysis.to_owned(),
            clinical_information: or(row.clinical_information, "unknown"),
            report_return: or(row.report_return, "pending"),
        }
    }
}

/// The seven tracked items, one row for each order line, by id: at most `limit` of them, after the order line `after`.
///
/// One query, which reads no more rows than the page has, wherever it lies.
///
/// # Errors
/// When they may not see reports, or the database cannot be read.
pub async fn progress(
    reader: &Reader,
    who: &Principal,
    after: Option<&str>,
    limit: i64,
) -> Result<Page<Progress>, Refused> {
    let Some(institution) = part(who, &[Action::ReadReport], None)?.institution() else {
        return Ok(Page { items: Vec::new(), next: None });
    };
    let rows = reader.progress(institution.as_deref(), after.unwrap_or_default(), limit).await?;
    Ok(Page::new(rows.into_iter().map(Progress::of).collect(), limit, |one: &Progress| one.order_line.clone()))
}

/// Quality and analysis, as a stage says them.
fn words(stage: Stage, waived: &str) -> (&'static str, &'static str) {
    let passed = if waived.is_empty() { "passed" } else { "waived" };
    match stage {
        Stage::Expected
        | Stage::Received
        | Stage::Rejected
        | Stage::Accessioned
        | Stage::InLab
        | Stage::Sequencing
        | Stage::AwaitingMaterial => ("pending", "pending"),
        Stage::Sequenced => ("counting", "pending"),
        Stage::SequenceQcFailed | Stage::AwaitingTopUp => ("failed", "pending"),
        Stage::Ready => (passed, "ready"),
        Stage::Analyzing => (passed, "running"),
        Stage::AnalysisFailed => (passed, "failed"),
        Stage::AnalysisQcFailed => ("failed", "failed"),
        Stage::ReleaseReview => (passed, "in_review"),
        Stage::ClosedFailed => ("failed", stage.word()),
        Stage::Withdrawn | Stage::Canceled => ("pending", stage.word()),
        Stage::Released
        | Stage::Offered
        | Stage::Delivered
        | Stage::Acknowledged
        | Stage::Refused
        | Stage::Archived
        | Stage::Recalled => (passed, stage.word()),
    }
}
