//! Rows of reports: gathered from several tables, or only what a report needs of one. No table of ours has these columns.

use sqlx::FromRow;

/// The tracked items of an order line.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `progress.sql` says what they hold")]
pub struct ProgressLine {
    pub order_line_id: String,
    pub specimen_id: String,
    pub institution: String,
    pub program: String,
    pub assay: String,
    pub assay_version: String,
    pub stage: String,
    pub barcode: String,
    pub custody: String,
    pub consent: String,
    /// Status of the specimen's first item.
    pub item: String,
    pub waived: String,
    pub clinical_information: String,
    pub report_return: String,
}

/// When an order line reached its stages.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; `order_times.sql` says what they hold")]
pub struct OrderTimes {
    pub order_line_id: String,
    pub assay: String,
    pub assay_version: String,
    pub created_us: i64,
    pub document: String,
}

/// Something that is omitted.
#[derive(Clone, Debug, FromRow)]
#[expect(missing_docs, reason = "columns; the files `omitted_*.sql` say what they hold")]
pub struct Omitted {
    pub id: String,
    /// `order_line`, or the record's kind.
    pub what: String,
    pub institution: String,
    /// The word that makes it an omission: a status, a stage, the state of consent.
    pub word: String,
    pub parent: String,
    /// Empty for order lines.
    pub document: String,
    pub since_us: i64,
    /// The largest number: no time is set.
    pub due_us: i64,
}
