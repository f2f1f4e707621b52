//! The seven tracked items of each order line, page by page. It changes nothing.

mod words;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::get;
use kentai_engine::view::center::report::{self, Progress};
use serde::Deserialize;

use super::address::Address;
use super::list::{self, Format, Turns};
use super::shape::{Shape, State as Shown};
use super::shell::{Place, Shell, page};
use super::visit::Visit;
use crate::App;
use crate::error::Problem;
use crate::extract::Asked;

use words::Words;

pub(super) fn routes() -> Router<App> {
    Router::new().route("/progress", get(show))
}

/// Which page.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wanted {
    after: Option<String>,
    #[serde(default)]
    format: Format,
}

#[derive(Template)]
#[template(path = "progress.html")]
struct Page {
    shell: Shell,
    words: &'static Words,
    rows: Vec<Row>,
    turns: Turns,
}

struct Row {
    line: String,
    specimen: String,
    barcode: String,
    institution: String,
    assay: String,
    items: [Shown; 7],
}

/// `GET /progress`
async fn show(State(app): State<App>, visit: Visit, Asked(wanted): Asked<Wanted>) -> Result<Response, Problem> {
    let (who, limit) = (visit.principal(), wanted.format.rows());
    let found = report::progress(app.engine.reader(), &who, wanted.after.as_deref(), limit).await?;
    if wanted.format == Format::Csv {
        return csv(found.items);
    }
    let shell = visit.shell(Place::Specimens);
    let words = Words::of(visit.language());
    let address = Address::new("/progress");
    let template = Page {
        turns: Turns::new(&address, wanted.after.as_deref(), found.next.as_deref()),
        rows: found.items.into_iter().map(|one| row(one, words)).collect(),
        words,
        shell,
    };
    Ok(page(&template))
}

fn row(one: Progress, words: &Words) -> Row {
    let item = |word: &str| shape(word).called(words.item(word));
    Row {
        items: [
            item(&one.consent),
            item(&one.specimen_status),
            item(&one.send_receive),
            item(&one.qc),
            item(&one.analysis),
            item(&one.clinical_information),
            item(&one.report_return),
        ],
        line: one.order_line,
        specimen: one.specimen,
        barcode: one.barcode,
        institution: one.institution,
        assay: one.assay,
    }
}

/// How a tracked item stands, whatever it is of. A word of a later version waits: it is shown as it is written.
fn shape(word: &str) -> Shape {
    match word {
        "given" | "accepted" | "passed" | "complete" | "returned" | "in_lab" | "in_biobank" | "released"
        | "delivered" | "acknowledged" | "archived" => Shape::Passed,
        "partial" | "waived" | "exhausted" | "expired" => Shape::Warned,
        "refused" | "rejected" | "failed" | "missing" | "lost" | "closed_failed" => Shape::Failed,
        "withdrawn" | "canceled" | "destroyed" | "recalled" => Shape::Canceled,
        "running" | "counting" | "offered" | "packed" | "in_transit" => Shape::Running,
        "in_review" | "extra" => Shape::Needs,
        _ => Shape::Waiting,
    }
}

fn csv(found: Vec<Progress>) -> Result<Response, Problem> {
    let head = [
        "order_line",
        "specimen",
        "barcode",
        "institution",
        "program",
        "assay",
        "consent",
        "specimen_status",
        "send_receive",
        "qc",
        "analysis",
        "clinical_information",
        "report_return",
    ];
    let rows = found.into_iter().map(|one| {
        [
            one.order_line,
            one.specimen,
            one.barcode,
            one.institution,
            one.program,
            one.assay,
            one.consent,
            one.specimen_status,
            one.send_receive,
            one.qc,
            one.analysis,
            one.clinical_information,
            one.report_return,
        ]
    });
    list::csv("progress", head, rows)
}

#[cfg(test)]
mod tests {
    use kentai_engine::state::{consent, custody, shipment_item};

    use super::*;

    #[test]
    fn every_word_of_the_engine_is_called_something_in_both_languages() {
        let mut words: Vec<&str> =
            vec!["pending", "counting", "passed", "waived", "failed", "ready", "running", "in_review"];
        words.extend(["closed_failed", "withdrawn", "canceled", "released", "offered", "delivered", "acknowledged"]);
        words.extend(["refused", "archived", "recalled", "unknown", "missing", "partial", "complete", "returned"]);
        words.extend(consent::Status::ALL.iter().map(|status| status.word()));
        words.extend(custody::Status::ALL.iter().map(|status| status.word()));
        words.extend(shipment_item::Status::ALL.iter().map(|status| status.word()));
        for language in [kentai_workflows::diagnostic::Language::En, kentai_workflows::diagnostic::Language::Ja] {
            for word in &words {
                assert!(!Words::of(language).item(word).is_empty() && Words::of(language).item(word) != "?", "{word}");
            }
        }
    }

    #[test]
    fn what_went_wrong_is_never_shown_as_good() {
        for word in ["refused", "rejected", "failed", "missing", "lost", "closed_failed"] {
            assert_eq!(shape(word), Shape::Failed, "{word}");
        }
        assert_eq!(shape("something new"), Shape::Waiting);
    }
}
