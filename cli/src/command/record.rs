//! Records of one kind as a table, and one as its document: what several nouns share.

use kentai_engine::store::read::RecordFilter;
use kentai_engine::view::Page;
use kentai_engine::view::center::{self, RecordView};
use kentai_workflows::value::to_text;

use crate::access::{self, hidden, who};
use crate::exit::Exit;
use crate::output::{Output, plain, shortened, table};
use crate::site::Site;
use crate::times::Zone;

/// Read at once; there are few of what is listed here.
const LIMIT: i64 = 1_000;
/// What a cell shows of a document.
const WIDTH: usize = 80;

/// Records of a kind, those with this status.
pub(crate) async fn list(site: &Site, kind: &str, status: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let page = match access::reader_if_any(site).await? {
        Some(reader) => {
            let (kind, status) = (kind.to_owned(), status.map(str::to_owned));
            let filter = RecordFilter { kind, status, limit: LIMIT, ..RecordFilter::default() };
            center::records(&reader, &who(site), filter).await.map_err(hidden)?
        }
        None => Page { items: Vec::new(), next: None },
    };
    if output.json {
        output.json(&page);
    } else if page.items.is_empty() {
        output.say(format!("no {kind}"));
    } else {
        lines(kind, &page.items, &Zone::of(site), output);
    }
    Ok(Exit::Done)
}

/// Records, one a line.
pub(crate) fn lines(kind: &str, records: &[RecordView], zone: &Zone, output: Output) {
    let rows = records
        .iter()
        .map(|one| vec![one.id.clone(), one.status.clone(), zone.show(&one.updated), shortened(&document(one), WIDTH)]);
    output.line(table(&[kind, "status", &zone.head("updated"), "what"], rows));
}

fn document(record: &RecordView) -> String {
    let fields = record.document.as_object().into_iter().flatten();
    let told = fields.filter(|(_, value)| !value.is_null() && !value.is_object() && !value.is_array());
    let told = told.map(|(name, value)| (name, to_text(value))).filter(|(_, text)| !text.is_empty());
    told.map(|(name, text)| format!("{name}: {text}")).collect::<Vec<_>>().join("; ")
}

/// One record.
pub(crate) async fn show(site: &Site, kind: &str, id: &str, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader(site).await?;
    let found = center::record(&reader, &who(site), kind, id).await.map_err(hidden)?;
    if output.json {
        output.json(&found);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let facts = [(kind, found.id.clone()), ("status", found.status.clone()), ("updated", zone.show(&found.updated))];
    for (name, value) in facts {
        output.line(plain(&format!("{name:<12} {value}")));
    }
    for (name, value) in found.document.as_object().into_iter().flatten() {
        output.line(plain(&format!("{name:<12} {}", to_text(value))));
    }
    Ok(Exit::Done)
}
