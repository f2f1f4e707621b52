//! Taking tables in: every row is looked at before any is kept; the same table again changes nothing.

mod shipment;

use kentai_workflows::plan::is_id;
use serde_json::json;

use super::desk::{By, Held};
use super::order::assay_id;
use super::request::Answer;
use crate::qc::identity::Limits;
use crate::qc::sex::Rectangle;
use crate::scheduler::handle::Refusal;
use crate::scheduler::service::Service;
use crate::specimen::import::{Cells, Problem, Row, Table, check_header};
use crate::specimen::record::{Assay, Consent, Institution, Kind, LaneLibrary, Library, Program, Specimen};

const CONSENTS: &[&str] = &["given", "partial", "refused"];
const YES: &[&str] = &["yes", "no"];
const ROLES: &[&str] = &["sender", "data_center", "biobank"];

/// What a request brings beside its rows.
pub(in crate::scheduler) struct Source<'a> {
    pub(in crate::scheduler) institution: &'a str,
    pub(in crate::scheduler) dry_run: bool,
}

#[derive(Default)]
struct Tally {
    answer: Answer,
}

impl Tally {
    fn changed(&mut self, kind: &str, id: &str) {
        self.answer.changed.push(format!("{kind} {id}"));
    }
}

impl Service {
    /// All of a table, or nothing of it and every problem.
    pub(in crate::scheduler) async fn import(
        &mut self,
        table: Table,
        rows: &[Row],
        source: &Source<'_>,
        by: &By,
    ) -> Result<Answer, Refusal> {
        let mut problems = check_header(table, rows);
        let mut tally = Tally::default();
        if problems.is_empty() {
            for (row, number) in rows.iter().zip(2..) {
                let mut cells = Cells::new(number, row, &mut problems);
                match table {
                    Table::Institutions => self.institution_row(&mut cells, by, &mut tally).await?,
                    Table::Programs => self.program_row(&mut cells, by, &mut tally).await?,
                    Table::Shipment => self.shipment_row(&mut cells, source, by, &mut tally).await?,
                    Table::Consents => self.consent_row(&mut cells, source, by, &mut tally).await?,
                    Table::Libraries => self.library_row(&mut cells, source, by, &mut tally).await?,
                    Table::Lanes => self.lane_row(&mut cells, by, &mut tally).await?,
                }
            }
        }
        self.close_import(table, problems, tally, source.dry_run).await
    }

    async fn close_import(
        &mut self,
        table: Table,
        problems: Vec<Problem>,
        mut tally: Tally,
        dry_run: bool,
    ) -> Result<Answer, Refusal> {
        if !problems.is_empty() {
            self.desk.sweep();
            let said = format!("{table}: {} cell(s) are wrong; nothing was taken", problems.len());
            return Ok(Answer { said, problems, dry_run, ..Answer::default() });
        }
        let made = tally.answer.changed.len();
        tally.answer.dry_run = dry_run;
        if dry_run {
            self.desk.sweep();
            tally.answer.said =
                format!("{table}: {made} would be new or changed, {} as they are", tally.answer.unchanged);
        } else {
            tally.answer.said = format!("{table}: {made} new or changed, {} as they were", tally.answer.unchanged);
        }
        Ok(tally.answer)
    }

    async fn institution_row(&mut self, cells: &mut Cells<'_>, by: &By, tally: &mut Tally) -> Result<(), Refusal> {
        let code = code(cells, "code");
        let doc = Institution {
            name: cells.needed("name"),
            role: cells.word("role", ROLES, "sender"),
            contact: cells.text("contact"),
        };
        self.define(Kind::Institution, &code, doc, by, tally).await
    }

    async fn program_row(&mut self, cells: &mut Cells<'_>, by: &By, tally: &mut Tally) -> Result<(), Refusal> {
        let code = code(cells, "code");
        let doc = Program { name: cells.needed("name"), consent_documents: cells.list("consent_documents") };
        self.define(Kind::Program, &code, doc, by, tally).await
    }

    /// A record by its own name: new, changed, or as it was.
    async fn define<T>(&mut self, kind: Kind, id: &str, doc: T, by: &By, tally: &mut Tally) -> Result<(), Refusal>
    where
        T: serde::Serialize + serde::de::DeserializeOwned + PartialEq,
    {
        let (mut held, event) = match self.desk.find::<T>(kind, id).await? {
            Some(known) if known.doc == doc => {
                tally.answer.unchanged += 1;
                return Ok(());
            }
            Some(known) => (Held { doc, ..known }, "changed"),
            None => (self.desk.new_record(kind, id, "active", doc), "defined"),
        };
        let body = json!({ "document": held.doc });
        self.desk.record(&mut held, &format!("{kind}_{event}"), by, &body);
        tally.changed(kind.word(), id);
        Ok(())
    }

    /// A version of an assay. A version that was used is never changed: a change is another version.
    pub(in crate::scheduler) async fn assay_version(
        &mut self,
        name: &str,
        version: &str,
        assay: Assay,
        by: &By,
    ) -> Result<Answer, Refusal> {
        if !is_id(name) || !is_id(version) {
            return Err(Refusal::Bad(format!("`{name}@{version}` is not a name and a version")));
        }
        if let Some(criteria) = &assay.criteria {
            let problems = criteria.check();
            if !problems.is_empty() {
                let list: Vec<String> = problems.iter().map(ToString::to_string).collect();
                return Err(Refusal::Bad(format!("the criteria of {name}@{version}: {}", list.join("; "))));
            }
        }
        let sexes = assay.sex_rectangles.iter().filter_map(Rectangle::problem);
        let problems: Vec<String> = sexes.chain(assay.identity_limits.and_then(Limits::problem)).collect();
        if !problems.is_empty() {
            return Err(Refusal::Bad(format!("the limits of {name}@{version}: {}", problems.join("; "))));
        }
        let id = assay_id(name, version);
        if let Some(known) = self.desk.find::<Assay>(Kind::Assay, &id).await? {
            if known.doc == assay {
                return Ok(Answer { said: format!("assay {id} is as it was"), unchanged: 1, ..Answer::default() });
            }
            return Err(Refusal::State(format!("assay {id} exists and is different: give it another version")));
        }
        let mut held = self.desk.new_record(Kind::Assay, &id, "active", assay);
        name.clone_into(&mut held.row.parent);
        let body = json!({ "document": held.doc });
        self.desk.record(&mut held, "assay_defined", by, &body);
        Ok(Answer { said: format!("assay {id} is defined"), changed: vec![format!("assay {id}")], ..Answer::default() })
    }

    async fn consent_row(
        &mut self,
        cells: &mut Cells<'_>,
        source: &Source<'_>,
        by: &By,
        tally: &mut Tally,
    ) -> Result<(), Refusal> {
        let (program, pseudonym) = (cells.needed("program"), cells.needed("pseudonym"));
        let status = cells.word("status", CONSENTS, "given");
        let now = self.desk.now;
        let consent = Consent {
            document: cells.needed("document"),
            document_version: cells.needed("version"),
            scopes: cells.list("scopes"),
            duo: cells.list("duo"),
            effective_us: cells.moment("effective").unwrap_or(now),
            expires_us: cells.moment("expires"),
            recorded_by: by.name.clone(),
            evidence: cells.text("evidence"),
        };
        let Some(mut participant) = self.participant_by_name(&program, &pseudonym).await? else {
            let en = format!("program {program} has no participant `{pseudonym}`");
            cells.wrong("pseudonym", "I016", &en, &format!("プログラム {program} に参加者「{pseudonym}」はいません"));
            return Ok(());
        };
        if !source.institution.is_empty() && participant.row.institution != source.institution {
            let en = format!("program {program} has no participant `{pseudonym}`");
            cells.wrong("pseudonym", "I016", &en, &format!("プログラム {program} に参加者「{pseudonym}」はいません"));
            return Ok(());
        }
        match self.add_consent(&mut participant, consent, &status, by).await {
            Ok(Some(id)) => tally.changed("consent", &id),
            Ok(None) => tally.answer.unchanged += 1,
            Err(Refusal::State(reason) | Refusal::Bad(reason)) => cells.wrong("status", "I017", &reason, &reason),
            Err(other) => return Err(other),
        }
        Ok(())
    }

    async fn library_row(
        &mut self,
        cells: &mut Cells<'_>,
        source: &Source<'_>,
        by: &By,
        tally: &mut Tally,
    ) -> Result<(), Refusal> {
        let id = code(cells, "library");
        let barcode = cells.needed("barcode");
        let found = match self.desk.find::<Specimen>(Kind::Specimen, &barcode).await? {
            Some(found) => Some(found),
            None => self.by_barcode(&barcode, source.institution).await?,
        };
        let Some(specimen) = found else {
            let en = format!("there is no specimen with the barcode `{barcode}`");
            cells.wrong("barcode", "I018", &en, &format!("バーコード「{barcode}」の検体はありません"));
            return Ok(());
        };
        let doc =
            Library { kit: cells.text("kit"), index: cells.text("index"), prepared_by: cells.text("prepared_by") };
        match self.desk.find::<Library>(Kind::Library, &id).await? {
            Some(known) if known.row.specimen_id == specimen.row.record_id => {
                tally.answer.unchanged += 1;
                return Ok(());
            }
            Some(known) => {
                let en = format!("library {id} is of specimen {}", known.row.specimen_id);
                cells.wrong(
                    "library",
                    "I019",
                    &en,
                    &format!("ライブラリ {id} は検体 {} のものです", known.row.specimen_id),
                );
                return Ok(());
            }
            None => {}
        }
        let mut held = self.desk.new_record(Kind::Library, &id, "prepared", doc);
        held.row.parent.clone_from(&specimen.row.record_id);
        held.row.specimen_id.clone_from(&specimen.row.record_id);
        held.row.owner.clone_from(&specimen.row.owner);
        let body = json!({ "document": held.doc });
        self.desk.record(&mut held, "library_prepared", by, &body);
        tally.changed("library", &id);
        self.lab_started(&specimen.row.record_id, by).await
    }

    async fn lane_row(&mut self, cells: &mut Cells<'_>, by: &By, tally: &mut Tally) -> Result<(), Refusal> {
        let run = code(cells, "instrument_run");
        let sample = cells.needed("sample");
        let lane = cells.number("lane").unwrap_or(0);
        let reads = cells.number("reads").unwrap_or(0);
        if lane == 0 || lane > 64 {
            cells.wrong("lane", "I002", "lanes are numbered from 1", "レーン番号は 1 からです");
        }
        let counts = cells.word("counts", YES, "yes") == "yes";
        let r#use = cells.word("use", YES, "yes") == "yes";
        let doc = LaneLibrary {
            lane: u32::try_from(lane).unwrap_or(0),
            sample,
            reads,
            counts_toward_order: counts,
            use_downstream: r#use,
            decided_by: by.name.clone(),
            ..LaneLibrary::default()
        };
        match self.lane_arrived(&run, doc, by).await? {
            Some(id) => tally.changed("lane_library", &id),
            None => tally.answer.unchanged += 1,
        }
        Ok(())
    }
}

/// A name that may stand in paths, streams and ids.
fn code(cells: &mut Cells<'_>, column: &str) -> String {
    let text = cells.needed(column);
    if !text.is_empty() && !is_id(&text) {
        let en = format!("`{}` is not a name: letters, digits, `.`, `_` and `-`, at most 64", text.escape_debug());
        cells.wrong(
            column,
            "I008",
            &en,
            &format!("「{}」は名前として使えません(英数字と . _ - のみ、64 文字まで)", text.escape_debug()),
        );
    }
    text
}
