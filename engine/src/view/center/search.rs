//! What somebody typed, looked up: ids, barcodes as they were scanned, beginnings of runs and checksums, flow cells, names of files.
//!
//! Every question is answered by an index. What somebody may not see is not found, and nothing says that it is there.

use serde::Serialize;

use super::access::{Refused, is_outsider};
use super::inside::{Inner, inside};
use super::record::record;
use super::why::things;
use crate::people::permission::{Action, Principal, permit};
use crate::scheduler::center::why::{NEAR, near_name};
use crate::specimen::record::Kind;
use crate::state::words;
use crate::store::read::{Reader, RecordFilter};

/// Answers to one question.
const FEW: i64 = 10;
/// What is longer is no id, barcode, name or checksum.
const TEXT_MAX: usize = 512;
/// A shorter beginning of a checksum means nothing.
const HEX_MIN: usize = 8;
/// A shorter beginning of an id means nothing.
const BEGINNING_MIN: usize = 3;
/// Institutions among whose barcodes a near miss is looked for.
const INSTITUTIONS_MAX: i64 = 1_000;

words!(
    /// What was found.
    Found {
        /// A specimen.
        Specimen = "specimen",
        /// A specimen that only a sheet knows.
        Sheet = "sheet",
        /// A tube that nobody announced.
        Tube = "tube",
        /// An order line.
        OrderLine = "order_line",
        /// A participant, as `program/pseudonym`.
        Participant = "participant",
        /// A shipment.
        Shipment = "shipment",
        /// A run.
        Run = "run",
        /// An instrument run.
        InstrumentRun = "instrument_run",
        /// A delivery.
        Delivery = "delivery",
        /// A withdrawal.
        Case = "case",
    }
);

/// One thing that was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Hit {
    /// What it is.
    pub what: Found,
    /// Its id.
    pub id: String,
    /// By what it was found, when that is not its id: a barcode, a file's name, a checksum.
    pub by: String,
    /// Of what it is: a specimen, an institution; may be empty.
    pub of: String,
}

/// What was found.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Hits {
    /// In the order of [`Found`].
    pub hits: Vec<Hit>,
    /// Barcodes that differ from what was typed by leading zeros only: never the same tube, and worth a look.
    pub near: Vec<Hit>,
}

struct Search<'a> {
    reader: &'a Reader,
    who: &'a Principal,
    found: Hits,
}

/// What `text` may mean.
///
/// # Errors
/// When they may see no specimens at all, or the database cannot be read.
pub async fn search(reader: &Reader, who: &Principal, text: &str) -> Result<Hits, Refused> {
    let text = text.trim();
    let mut search = Search { reader, who, found: Hits::default() };
    if text.is_empty() || text.len() > TEXT_MAX {
        return Ok(search.found);
    }
    search.specimens(text).await?;
    search.records(text).await?;
    search.work(text).await?;
    search.files(text).await?;
    if search.found.hits.is_empty() {
        search.near(text).await?;
    }
    let Hits { mut hits, near } = search.found;
    hits.sort_by(|one, other| (one.what as u8, &one.id).cmp(&(other.what as u8, &other.id)));
    hits.dedup_by(|one, other| one.what == other.what && one.id == other.id);
    Ok(Hits { hits, near })
}

/// What they may not see was not found.
fn seen<T>(found: Result<T, Refused>) -> Result<Option<T>, Refused> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Refused::NotFound(_) | Refused::NotAllowed(_)) => Ok(None),
        Err(other) => Err(other),
    }
}

impl Search<'_> {
    fn hit(&mut self, what: Found, id: impl Into<String>, by: impl Into<String>, of: impl Into<String>) {
        self.found.hits.push(Hit { what, id: id.into(), by: by.into(), of: of.into() });
    }

    async fn record(&self, kind: Kind, id: &str) -> Result<Option<super::RecordView>, Refused> {
        seen(record(self.reader, self.who, kind.word(), id).await)
    }

    /// By id or its beginning, and by barcode.
    async fn specimens(&mut self, text: &str) -> Result<(), Refused> {
        let begins = text.to_ascii_uppercase();
        if begins.len() >= BEGINNING_MIN && begins.starts_with('S') {
            for row in self.reader.records_beginning(Kind::Specimen.word(), &begins, FEW).await? {
                if let Some(view) = self.record(Kind::Specimen, &row.record_id).await? {
                    self.hit(Found::Specimen, view.id, "", view.institution);
                }
            }
        }
        if let Some(view) = self.record(Kind::Specimen, text).await? {
            self.hit(Found::Specimen, view.id, "", view.institution);
        } else if self.inside(Inner::Specimen, text).await? && self.reader.specimen(text).await?.is_some() {
            self.hit(Found::Sheet, text, "", "");
        }
        if self.who.data_center.is_some() {
            return Ok(());
        }
        let (specimens, extra) = things::barcode(self.reader, self.who, text).await?;
        for id in specimens {
            if let Some(view) = self.record(Kind::Specimen, &id).await? {
                let barcode = view.document["barcode"].as_str().unwrap_or_default().to_owned();
                self.hit(Found::Specimen, view.id, barcode, view.institution);
            }
        }
        for row in extra {
            if let Some(view) = self.record(Kind::Item, &row.record_id).await? {
                let barcode = view.document["barcode"].as_str().unwrap_or_default().to_owned();
                self.hit(Found::Tube, view.id, barcode, view.institution);
            }
        }
        Ok(())
    }

    async fn records(&mut self, text: &str) -> Result<(), Refused> {
        if let Some(line) = seen(super::order_line(self.reader, self.who, text).await)? {
            self.hit(Found::OrderLine, line.id, "", line.specimen);
        }
        for (kind, what) in [(Kind::Shipment, Found::Shipment), (Kind::Case, Found::Case)] {
            if let Some(view) = self.record(kind, text).await? {
                self.hit(what, view.id, "", view.institution);
            }
        }
        for row in self.reader.participants_named(text).await? {
            let participant = super::participant(self.reader, self.who, &row.program, &row.pseudonym).await;
            if seen(participant)?.is_some() {
                self.hit(Found::Participant, format!("{}/{}", row.program, row.pseudonym), "", row.institution);
            }
        }
        let mut runs = self.reader.flow_cell(text, FEW).await?;
        if text.len() >= BEGINNING_MIN {
            runs.extend(self.reader.records_beginning(Kind::InstrumentRun.word(), text, FEW).await?);
        }
        for row in runs {
            if let Some(view) = self.record(Kind::InstrumentRun, &row.record_id).await? {
                let cell = view.document["flow_cell"].as_str().unwrap_or_default();
                let by = if cell == text { cell.to_owned() } else { String::new() };
                self.hit(Found::InstrumentRun, view.id, by, "");
            }
        }
        Ok(())
    }

    async fn inside(&self, inner: Inner, id: &str) -> Result<bool, Refused> {
        Ok(seen(inside(self.reader, self.who, inner, Some(id)).await)?.is_some())
    }

    fn reads_runs(&self) -> bool {
        !is_outsider(self.who) && permit(self.who, Action::ReadRun, None).is_ok()
    }

    /// Runs and deliveries by the beginnings of their ids.
    async fn work(&mut self, text: &str) -> Result<(), Refused> {
        let text = text.to_ascii_lowercase();
        if text.len() < BEGINNING_MIN || !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Ok(());
        }
        if self.reads_runs() {
            for (run, specimen) in self.reader.runs_beginning(&text, FEW).await? {
                self.hit(Found::Run, run, "", specimen);
            }
        }
        for (delivery, specimen) in self.reader.deliveries_beginning(&text, FEW).await? {
            if self.inside(Inner::Delivery, &delivery).await? {
                self.hit(Found::Delivery, delivery, "", specimen);
            }
        }
        Ok(())
    }

    /// By a file's name or its checksum: the run that made it, the delivery in which it left.
    async fn files(&mut self, text: &str) -> Result<(), Refused> {
        let hex = text.strip_prefix("sha256:").unwrap_or(text).to_ascii_lowercase();
        let is_hex = hex.len() >= HEX_MIN && hex.len() <= 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit());
        if self.reads_runs() {
            let mut made = self.reader.made_named(text, FEW).await?;
            if is_hex {
                made.extend(self.reader.made_beginning(&hex, FEW).await?);
            }
            for (name, run, sha256) in made {
                self.hit(Found::Run, run, format!("{name} {sha256}"), "");
            }
        }
        if !is_hex {
            return Ok(());
        }
        for (path, delivery, sha256) in self.reader.packed_beginning(&hex, FEW).await? {
            if self.inside(Inner::Delivery, &delivery).await? {
                self.hit(Found::Delivery, delivery, format!("{path} {sha256}"), "");
            }
        }
        Ok(())
    }

    /// Leading zeros make another tube: what nearly fits is shown as that.
    async fn near(&mut self, text: &str) -> Result<(), Refused> {
        let institutions = match &self.who.institution {
            Some(mine) => vec![mine.clone()],
            None if is_outsider(self.who) => return Ok(()),
            None => {
                let kind = Kind::Institution.word().into();
                let filter = RecordFilter { kind, limit: INSTITUTIONS_MAX, ..RecordFilter::default() };
                self.reader.records(&filter).await?.into_iter().map(|row| row.record_id).collect()
            }
        };
        for institution in institutions {
            let Some(id) = self.reader.named(NEAR, &near_name(&institution, text)).await? else { continue };
            if let Some(view) = self.record(Kind::Specimen, &id).await? {
                let by = view.document["barcode"].as_str().unwrap_or_default().to_owned();
                self.found.near.push(Hit { what: Found::Specimen, id: view.id, by, of: view.institution });
            }
        }
        Ok(())
    }
}
