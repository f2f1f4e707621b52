//! Specimens of the center: order lines in lists, one specimen's story, its history.

use kentai_engine::clock;
use kentai_engine::store::read::{OrderFilter, Reader, RecordFilter};
use kentai_engine::view::Page;
use kentai_engine::view::center::{self, OrderLineView, SpecimenStory};

use crate::access::{hidden, who};
use crate::exit::Exit;
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// How to narrow a list.
#[derive(Debug, Default)]
pub(crate) struct Wish {
    pub(crate) stage: Option<String>,
    pub(crate) institution: Option<String>,
    pub(crate) stuck: bool,
    pub(crate) after: Option<String>,
    pub(crate) limit: i64,
}

/// Does this site know specimens of the center, or sheets only?
pub(crate) async fn is_center(reader: &Reader) -> anyhow::Result<bool> {
    let filter = RecordFilter { kind: "specimen".into(), limit: 1, ..RecordFilter::default() };
    Ok(!reader.records(&filter).await?.is_empty())
}

/// Order lines.
pub(crate) async fn list(site: &Site, reader: Option<Reader>, wish: Wish, output: Output) -> anyhow::Result<Exit> {
    let Wish { stage, institution, stuck, after, limit } = wish;
    let who = who(site);
    let page = match reader {
        None => Page { items: Vec::new(), next: None },
        Some(reader) if stuck => {
            center::stuck(&reader, &who, clock::now(), (after.as_deref(), limit)).await.map_err(hidden)?
        }
        Some(reader) => {
            let filter = OrderFilter { stage, institution, after, limit };
            center::order_lines(&reader, &who, filter).await.map_err(hidden)?
        }
    };
    show_lines(site, &page, stuck, output);
    Ok(Exit::Done)
}

fn show_lines(site: &Site, page: &Page<OrderLineView>, stuck: bool, output: Output) {
    if output.json {
        return output.json(page);
    }
    if page.items.is_empty() {
        return output.say(if stuck { "nothing is stuck" } else { "no order lines" });
    }
    let zone = Zone::of(site);
    let rows = page.items.iter().map(|line| {
        let (owner, due) = line.expected.as_ref().map(|next| (next.owner.clone(), zone.show(&next.due))).unzip();
        vec![
            line.id.clone(),
            line.specimen.clone(),
            line.institution.clone(),
            line.assay.clone(),
            standing(line),
            owner.unwrap_or_default(),
            due.unwrap_or_default(),
        ]
    });
    let until = zone.head("until");
    output.line(table(&["order line", "specimen", "institution", "assay", "stage", "waits for", &until], rows));
    if let Some(next) = &page.next {
        output.say(format!("there may be more: --after {next}, or a larger --limit"));
    }
    if let Some(first) = page.items.first() {
        output.say(format!("next: kentai order show {}", first.id));
    }
}

/// The stage, and whether somebody paused it.
pub(crate) fn standing(line: &OrderLineView) -> String {
    if line.held.is_some() { format!("{} (held)", line.stage) } else { line.stage.clone() }
}

/// A specimen with everything that reaches it.
pub(crate) fn show(site: &Site, story: &SpecimenStory, output: Output) {
    if output.json {
        return output.json(story);
    }
    let zone = Zone::of(site);
    let text = |name: &str| story.specimen.document[name].as_str().unwrap_or_default().to_owned();
    let participant = story.participant.as_ref();
    let consent = participant.map(|found| format!("{} ({})", found.consent, found.scopes.join(", ")));
    let facts = [
        ("specimen", story.specimen.id.clone()),
        ("barcode", text("barcode")),
        ("institution", story.specimen.institution.clone()),
        ("program", text("program")),
        ("participant", participant.map(|found| found.pseudonym.clone()).unwrap_or_default()),
        ("consent", consent.unwrap_or_default()),
        ("type", text("specimen_type")),
        ("amount", text("amount")),
        ("leftover", text("custody")),
        ("replaces", text("replaces")),
        ("registered", zone.show(&story.specimen.created)),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        output.line(plain(&format!("{name:<12} {value}")));
    }
    let rows = story.order_lines.iter().map(|line| {
        let run = line.run.clone().unwrap_or_default();
        vec![line.id.clone(), line.assay.clone(), standing(line), line.round.to_string(), zone.show(&line.due), run]
    });
    output.line(table(&["order line", "assay", "stage", "round", &zone.head("due"), "run"], rows));
    if !story.records.is_empty() {
        let rows = story.records.iter().map(|record| {
            vec![record.kind.clone(), record.id.clone(), record.status.clone(), zone.show(&record.updated)]
        });
        output.line(table(&["record", "id", "status", &zone.head("updated")], rows));
    }
    output.say(format!("next: kentai specimen history {}", story.specimen.id));
}

/// What happened, in order.
pub(crate) async fn history(site: &Site, reader: &Reader, id: &str, output: Output) -> anyhow::Result<Exit> {
    let page = center::history(reader, &who(site), id).await.map_err(hidden)?;
    if output.json {
        output.json(&page);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let rows = page.items.iter().map(|event| {
        let reason = event.body["reason"].as_str().unwrap_or_default().to_owned();
        vec![zone.show(&event.at), event.of.clone(), event.kind.clone(), event.actor.clone(), reason]
    });
    output.line(table(&[&zone.head("at"), "of", "what", "by", "why"], rows));
    Ok(Exit::Done)
}
