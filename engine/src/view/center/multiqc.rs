//! What was measured, and its verdicts, as custom content that MultiQC reads: one object for values, one for verdicts.
//!
//! The objects' shape is MultiQC's (<https://docs.seqera.io/multiqc/custom_content>), not ours: names in them do not follow the
//! glossary. MultiQC puts texts into its page as they are, so they are made harmless here.

use std::collections::{BTreeMap, BTreeSet};

use kentai_workflows::diagnostic::Language;
use kentai_workflows::value::Value;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::access::Refused;
use super::measured::{Pages, Wish};
use crate::people::permission::Principal;
use crate::qc::metric::{CATALOGUE, Metric, Unit};
use crate::qc::verdict::{Evaluation, Verdict};
use crate::specimen::record::OrderLine;
use crate::store::read::Reader;
use crate::view::document;

/// Column of the verdict over all criteria.
const VERDICT: &str = "verdict";

/// A file of custom content.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Content {
    /// One among everything in a page.
    pub id: String,
    /// Title of its section.
    pub section_name: String,
    /// What it is, beneath the title.
    pub description: String,
    /// `generalstats`: columns of MultiQC's own table; `table`: a table of its own.
    pub plot_type: String,
    /// Of `generalstats` the columns in order, of `table` its settings.
    pub pconfig: Value,
    /// Columns of a `table`, ordered by their `placement`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<BTreeMap<String, Value>>,
    /// By specimen (and order line, where a specimen has several), then by column.
    pub data: BTreeMap<String, BTreeMap<String, Cell>>,
}

/// What a cell holds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Cell {
    /// In the unit of its column's head.
    Number(f64),
    /// Harmless in a page.
    Text(String),
}

/// Both files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Multiqc {
    /// Values, in the catalogue's units.
    pub values: Content,
    /// Verdicts, of all criteria together and of each.
    pub verdicts: Content,
    /// There are older order lines that were not asked for.
    pub older: bool,
}

/// An order line's newest evaluation: what its release depends on.
struct Newest {
    specimen: String,
    order_line: String,
    assay: String,
    evaluation: Evaluation,
    /// Somebody let pass what this evaluation misses.
    waived: bool,
}

/// Everything that was measured, as MultiQC reads it.
///
/// # Errors
/// When they may not see measured values, the assay is not there, or the database cannot be read.
pub async fn multiqc(reader: &Reader, who: &Principal, wish: &Wish, language: Language) -> Result<Multiqc, Refused> {
    let mut pages = Pages::begin(reader, who, wish).await?;
    let mut found: BTreeMap<String, Newest> = BTreeMap::new();
    let mut older = false;
    'pages: loop {
        let page = pages.next().await?;
        if page.is_empty() {
            break;
        }
        for row in page {
            if found.contains_key(&row.order_line_id) {
                continue;
            }
            if found.len() == wish.limit {
                older = true;
                break 'pages;
            }
            let order: OrderLine = document("an order line", &row.order_document)?;
            let newest = Newest {
                specimen: row.specimen_id,
                order_line: row.order_line_id.clone(),
                assay: format!("{}@{}", row.assay, row.assay_version),
                evaluation: document("an evaluation", &row.document)?,
                waived: order.values_waived == row.evaluation_id,
            };
            found.insert(row.order_line_id, newest);
        }
    }
    let named = named(&found);
    Ok(Multiqc { values: values(&named, language), verdicts: verdicts(&named, language), older })
}

/// Rows by the name that the page shows: what other tools call the specimen, as long as that is one row.
fn named(found: &BTreeMap<String, Newest>) -> BTreeMap<String, &Newest> {
    let mut lines: BTreeMap<&str, usize> = BTreeMap::new();
    for one in found.values() {
        *lines.entry(&one.specimen).or_default() += 1;
    }
    let name = |one: &Newest| match lines.get(one.specimen.as_str()) {
        Some(2..) => format!("{} {}", one.specimen, one.order_line),
        _ => one.specimen.clone(),
    };
    found.values().map(|one| (harmless(&name(one)), one)).collect()
}

fn values(rows: &BTreeMap<String, &Newest>, language: Language) -> Content {
    let numbers = |one: &Newest| -> BTreeMap<String, Cell> {
        CATALOGUE.iter().filter_map(|metric| Some((metric.id.to_owned(), Cell::Number(number(one, metric)?)))).collect()
    };
    let data: BTreeMap<_, _> = rows.iter().map(|(name, one)| (name.clone(), numbers(one))).collect();
    let shown = |metric: &&Metric| data.values().any(|row| row.contains_key(metric.id));
    let columns = CATALOGUE.iter().filter(shown).map(|metric| json!({ metric.id: column(metric, language) }));
    let (name, description) = match language {
        Language::En => ("kentai: values", "The newest values of each order line, by specimen."),
        Language::Ja => ("kentai: 測定値", "各オーダーの最新の測定値（検体別）。"),
    };
    Content {
        id: "kentai_values".into(),
        section_name: name.into(),
        description: description.into(),
        plot_type: "generalstats".into(),
        pconfig: columns.collect(),
        headers: None,
        data,
    }
}

/// In the catalogue's unit; what is no number was not measured.
fn number(one: &Newest, metric: &Metric) -> Option<f64> {
    let own = one.evaluation.values.iter().filter(|value| value.metric == metric.id);
    let mut numbers = own.filter_map(|value| value.unit.convert(value.value?, metric.unit).ok());
    numbers.find(|number| number.is_finite())
}

fn column(metric: &Metric, language: Language) -> Value {
    let unit = metric.unit.word();
    let name = if language == Language::Ja { metric.ja } else { metric.en };
    let title = if unit.is_empty() || name == unit { name.to_owned() } else { format!("{name} ({unit})") };
    let mut column = json!({
        "title": title, "description": metric.id, "namespace": "kentai", "format": format(metric), "min": 0,
    });
    match metric.unit {
        Unit::Percent => column["max"] = json!(100),
        Unit::Fraction => column["max"] = json!(1),
        _ => {}
    }
    column
}

/// As many places as say something. Python's format.
fn format(metric: &Metric) -> &'static str {
    match metric.unit {
        _ if metric.id.starts_with("count_") || metric.id.starts_with("yield_") => "{:,.0f}",
        Unit::Reads | Unit::MegaReads => "{:,.0f}",
        Unit::Bases | Unit::MegaBases | Unit::GigaBases => "{:,.1f}",
        Unit::Depth | Unit::Percent => "{:,.2f}",
        Unit::One => "{:,.3f}",
        Unit::Fraction => "{:,.4f}",
    }
}

fn verdicts(rows: &BTreeMap<String, &Newest>, language: Language) -> Content {
    let judged: BTreeSet<&str> =
        rows.values().flat_map(|one| &one.evaluation.checks).map(|check| check.criterion.metric.as_str()).collect();
    let en = language == Language::En;
    let word = |en_text: &str, ja_text: &str| if en { en_text.to_owned() } else { ja_text.to_owned() };
    let metrics = CATALOGUE.iter().filter(|metric| judged.contains(metric.id));
    let metrics = metrics.map(|metric| (metric.id, word(metric.en, metric.ja)));
    let columns = [(VERDICT, word("verdict", "判定")), ("waived", word("let pass by a reviewer", "承認による通過"))]
        .into_iter()
        .chain(metrics)
        .chain([
            ("said", word("what was missed", "基準外の項目")),
            ("assay", word("assay", "アッセイ")),
            ("criteria", word("criteria", "判定基準")),
        ]);
    let headers = columns.enumerate().map(|(place, (id, title))| (id.to_owned(), head(place, id, &title)));
    Content {
        id: "kentai_verdicts".into(),
        section_name: word("kentai: verdicts", "kentai: 判定"),
        description: word(
            "The newest values of each order line against its assay's criteria. What was not measured is no pass.",
            "各オーダーの最新の測定値をアッセイの基準で判定した結果。測定されていない項目は合格ではありません。",
        ),
        plot_type: "table".into(),
        pconfig: json!({
            "id": "kentai_verdicts_table", "title": word("kentai: verdicts", "kentai: 判定"), "namespace": "kentai",
            "col1_header": word("specimen", "検体"), "no_violin": true,
        }),
        headers: Some(headers.collect()),
        data: rows.iter().map(|(name, one)| (name.clone(), verdict_cells(one))).collect(),
    }
}

fn head(place: usize, id: &str, title: &str) -> Value {
    let mut head = json!({ "title": title, "description": id, "placement": place, "scale": false });
    if id == VERDICT || crate::qc::metric::find(id).is_some() {
        // A release waits for what was not measured as it does for what failed.
        head["cond_formatting_rules"] = json!({
            "pass": [{ "s_eq": Verdict::Pass.word() }],
            "warn": [{ "s_eq": Verdict::Warn.word() }],
            "fail": [{ "s_eq": Verdict::Fail.word() }, { "s_eq": Verdict::NotMeasured.word() }],
        });
    }
    head
}

fn verdict_cells(one: &Newest) -> BTreeMap<String, Cell> {
    let Evaluation { verdict, criteria, checks, .. } = &one.evaluation;
    let missed = checks.iter().filter(|check| check.verdict != Verdict::Pass);
    let said: Vec<String> = missed.map(|check| format!("{}: {}", check.criterion.metric, check.said)).collect();
    let own = [(VERDICT, verdict.word()), ("said", &said.join("; ")), ("assay", &one.assay), ("criteria", criteria)];
    let each = checks.iter().map(|check| (check.criterion.metric.as_str(), check.verdict.word()));
    // Of two criteria on one metric the worse one is shown; both stand in `said`.
    let mut cells: BTreeMap<String, Cell> = BTreeMap::new();
    let rank = |word: &str| Verdict::ALL.iter().position(|verdict| verdict.word() == word);
    for (id, word) in each {
        let as_bad = matches!(cells.get(id), Some(Cell::Text(other)) if rank(other) >= rank(word));
        if !as_bad {
            cells.insert(id.to_owned(), Cell::Text(word.to_owned()));
        }
    }
    if one.waived {
        // Neither `yes` nor `no`: MultiQC colors both, and neither is good or bad here.
        cells.insert("waived".into(), Cell::Text("waived".into()));
    }
    cells.extend(own.map(|(id, text)| (id.to_owned(), Cell::Text(harmless(text)))));
    cells
}

/// Text that is text in a page, whatever somebody wrote into it.
fn harmless(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;").replace('\'', "&#39;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::qc::criteria::{Applies, Behavior, Comparator, Criteria, Criterion, Unknown};
    use crate::qc::verdict::{Subject, Value as Brought, evaluate};

    fn newest(specimen: &str, order_line: &str, depth: Option<f64>) -> (String, Newest) {
        let criterion = |metric: &str, unit, comparator, pass| Criterion {
            metric: metric.into(),
            unit,
            comparator,
            pass,
            warn: None,
            applies_to: Applies::default(),
            behavior: Behavior::Hold,
            unknown: Unknown::default(),
        };
        let criteria = Criteria {
            id: "<b>wgs".into(),
            version: "1".into(),
            criteria: vec![
                criterion("mean_autosome_coverage", Unit::Depth, Comparator::AtLeast, 30.0),
                criterion("cross_contamination_rate", Unit::Fraction, Comparator::AtMost, 0.02),
            ],
            unknown: Unknown::default(),
        };
        let value = |metric: &str, value, unit| {
            let (tool, tool_version, source_sha256) = Default::default();
            Brought { metric: metric.into(), value, unit, tool, tool_version, source_sha256 }
        };
        let values = [
            value("mean_autosome_coverage", depth, Unit::Depth),
            value("cross_contamination_rate", Some(1.0), Unit::Percent),
        ];
        let evaluation = evaluate(&criteria, &Subject::default(), &values).expect("judged");
        let (specimen, order_line) = (specimen.to_owned(), order_line.to_owned());
        let waived = depth.is_none();
        (order_line.clone(), Newest { specimen, order_line, assay: "wgs@1".into(), evaluation, waived })
    }

    fn text(content: &Content, row: &str, column: &str) -> String {
        match &content.data[row][column] {
            Cell::Text(text) => text.clone(),
            Cell::Number(number) => panic!("{number} is no text"),
        }
    }

    #[test]
    fn values_stand_in_the_unit_of_their_head_and_what_is_missing_is_left_out() {
        let found = BTreeMap::from([newest("S1", "O1", Some(31.5)), newest("S2", "O2", None)]);
        let values = values(&named(&found), Language::En);
        assert_eq!(values.data["S1"]["cross_contamination_rate"], Cell::Number(0.01));
        assert_eq!(values.data["S1"]["mean_autosome_coverage"], Cell::Number(31.5));
        assert!(!values.data["S2"].contains_key("mean_autosome_coverage"));
        let columns = values.pconfig.as_array().expect("columns");
        assert_eq!(columns.len(), 2, "only what somebody measured: {columns:?}");
        assert_eq!(columns[0]["mean_autosome_coverage"]["title"], "mean depth of the autosomes (x)");
    }

    #[test]
    fn a_verdict_is_said_of_everything_together_and_of_each_criterion() {
        let found = BTreeMap::from([newest("S1", "O1", Some(29.7)), newest("S2", "O2", None)]);
        let verdicts = verdicts(&named(&found), Language::En);
        assert_eq!(text(&verdicts, "S1", "verdict"), "fail");
        assert_eq!(text(&verdicts, "S1", "cross_contamination_rate"), "pass");
        assert!(!verdicts.data["S1"].contains_key("waived"));
        let said = text(&verdicts, "S1", "said");
        assert_eq!(said, "mean_autosome_coverage: 29.7 x, wanted &gt;= 30 x (1.0 % short)");
        assert_eq!(text(&verdicts, "S2", "mean_autosome_coverage"), "not_measured");
        assert_eq!(text(&verdicts, "S2", "waived"), "waived");
        assert_eq!(text(&verdicts, "S1", "criteria"), "&lt;b&gt;wgs@1");
        let headers = verdicts.headers.expect("columns");
        assert_eq!((&headers["verdict"]["placement"], &headers["criteria"]["placement"]), (&json!(0), &json!(6)));
    }

    #[test]
    fn a_specimen_with_two_order_lines_has_two_rows() {
        let found =
            BTreeMap::from([newest("S1", "O1", Some(31.0)), newest("S1", "O2", None), newest("S2", "O3", None)]);
        assert_eq!(named(&found).keys().collect::<Vec<_>>(), ["S1 O1", "S1 O2", "S2"]);
    }

    #[test]
    fn the_files_read_back_as_they_were_written() {
        let found = BTreeMap::from([newest("S1", "O1", Some(31.0))]);
        for content in [values(&named(&found), Language::Ja), verdicts(&named(&found), Language::En)] {
            let text = serde_json::to_string(&content).expect("written");
            assert_eq!(serde_json::from_str::<Content>(&text).expect("read"), content);
        }
    }
}
