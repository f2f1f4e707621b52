//! `report progress|omissions|turnaround|multiqc`: none of them keeps more than a page in memory.

use clap::Subcommand;
use kentai_engine::clock;
use kentai_engine::store::read::Reader;
use kentai_engine::view::center::report::{self, MORE_MAX, OmissionFilter, Omissions, Progress};
use kentai_workflows::diagnostic::Language;

use crate::access::{self, hidden, who};
use crate::exit::Exit;
use crate::output::{Output, table};
use crate::site::Site;
use crate::times::Zone;

/// Reports over everything.
#[derive(Subcommand, Debug)]
pub(crate) enum Report {
    /// The seven tracked items: consent, specimen, send and receive, quality, analysis, clinical information, report return
    #[command(after_help = "Examples:
  kentai report progress --limit 20
  kentai report progress --csv > progress.csv")]
    Progress {
        /// A CSV file for the operating body: every order line
        #[arg(long, conflicts_with_all = ["after", "limit"])]
        csv: bool,
        /// Only order lines after this one
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// What nobody expected, what nobody brought, and what nobody answered
    #[command(after_help = "Examples:
  kentai report omissions
  kentai report omissions --kind order_without_data --limit 1000")]
    Omissions {
        /// Only this kind
        #[arg(long)]
        kind: Option<String>,
        /// Only what follows this, as the page before said
        #[arg(long, value_name = "PLACE", requires = "kind")]
        after: Option<String>,
        /// At most so many of each kind
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// How long each gate took, and what share was in the target
    Turnaround,
    Multiqc(super::report_multiqc::Multiqc),
}

impl Report {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        match self {
            Self::Progress { csv: true, .. } => export(site, &reader, output).await?,
            Self::Progress { after, limit, .. } => progress(site, &reader, after.as_deref(), limit, output).await?,
            Self::Omissions { kind, after, limit } => {
                omissions(site, &reader, &OmissionFilter { kind, after, limit }, output).await?;
            }
            Self::Turnaround => turnaround(site, &reader, output).await?,
            Self::Multiqc(multiqc) => multiqc.run(site, &reader, output).await?,
        }
        Ok(Exit::Done)
    }
}

const ITEMS: [&str; 13] = [
    "specimen",
    "barcode",
    "order_line",
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

fn cells(one: &Progress) -> Vec<String> {
    let Progress { specimen, barcode, order_line, institution, program, assay, .. } = one;
    let Progress { consent, specimen_status, send_receive, qc, analysis, clinical_information, report_return, .. } =
        one;
    let all = [
        specimen,
        barcode,
        order_line,
        institution,
        program,
        assay,
        consent,
        specimen_status,
        send_receive,
        qc,
        analysis,
        clinical_information,
        report_return,
    ];
    all.map(Clone::clone).to_vec()
}

async fn progress(site: &Site, reader: &Reader, after: Option<&str>, limit: i64, output: Output) -> anyhow::Result<()> {
    let page = report::progress(reader, &who(site), after, limit).await.map_err(hidden)?;
    if output.json {
        output.json(&page);
        return Ok(());
    }
    if page.items.is_empty() {
        output.say("no order lines");
        return Ok(());
    }
    output.line(table(&ITEMS, page.items.iter().map(cells)));
    if let Some(next) = &page.next {
        output.say(format!("there may be more: --after {next}, a larger --limit, or --csv for all"));
    }
    Ok(())
}

/// Order lines of an export that are in memory at once.
const EXPORTED: i64 = 1_000;

/// Every order line, under one header. What was written before the database failed stays written; the exit code says that it is not all.
async fn export(site: &Site, reader: &Reader, output: Output) -> anyhow::Result<()> {
    let who = who(site);
    let mut head = Some(ITEMS);
    let mut after: Option<String> = None;
    loop {
        let page = report::progress(reader, &who, after.as_deref(), EXPORTED).await.map_err(hidden)?;
        let mut writer = csv::Writer::from_writer(Vec::new());
        if let Some(items) = head.take() {
            writer.write_record(items)?;
        }
        for one in &page.items {
            writer.write_record(cells(one).iter().map(|cell| harmless(cell)))?;
        }
        let read_on = output.bytes(&writer.into_inner()?);
        after = page.next;
        if after.is_none() || !read_on {
            return Ok(());
        }
    }
}

/// A spreadsheet must not take somebody's barcode for a formula.
pub(crate) fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

async fn omissions(site: &Site, reader: &Reader, filter: &OmissionFilter, output: Output) -> anyhow::Result<()> {
    let all = report::omissions(reader, &who(site), clock::now(), filter).await.map_err(hidden)?;
    if output.json {
        output.json(&all);
        return Ok(());
    }
    if all.iter().all(|one| one.items.is_empty()) {
        output.say("nothing is missing");
        return Ok(());
    }
    let zone = Zone::of(site);
    let rows = all.iter().flat_map(|one| &one.items).map(|one| {
        let text = if output.language == Language::Ja { &one.ja } else { &one.en };
        let due = one.due.as_deref().map(|due| zone.show(due)).unwrap_or_default();
        let (since, owner) = (zone.show(&one.since), one.owner.clone());
        vec![one.kind.clone(), one.thing.clone(), one.institution.clone(), since, owner, due, text.clone()]
    });
    let head = ["omission", "thing", "institution", &zone.head("since"), "owner", &zone.head("by when"), "what"];
    output.line(table(&head, rows));
    all.iter().filter_map(further).for_each(|text| output.say(text));
    Ok(())
}

/// What is not on the page.
fn further(one: &Omissions) -> Option<String> {
    let next = one.next.as_ref()?;
    let more = if one.more < MORE_MAX { one.more.to_string() } else { format!("{MORE_MAX} or") };
    Some(format!("and {more} more of {kind}: --kind {kind} --after {next}", kind = one.kind))
}

async fn turnaround(site: &Site, reader: &Reader, output: Output) -> anyhow::Result<()> {
    let all = report::turnaround(reader, &who(site)).await.map_err(hidden)?;
    if output.json {
        output.json(&all);
    } else if all.is_empty() {
        output.say("nothing passed a gate yet");
    } else {
        let days = |days: f64| format!("{days:.1}");
        let rows = all.iter().map(|one| {
            vec![
                one.assay.clone(),
                one.gate.clone(),
                one.count.to_string(),
                days(one.median_days),
                days(one.p75_days),
                days(one.p90_days),
                days(one.target_days),
                format!("{:.0} %", one.share_in_target * 100.0),
                days(one.paused_days),
            ]
        });
        let head = ["assay", "gate", "count", "median", "75 %", "90 %", "target", "in target", "paused"];
        output.line(table(&head, rows));
        output.say("days; time that waits for new material is left out of them and shown as paused");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        assert_eq!(harmless("=1+1"), "'=1+1");
        assert_eq!(harmless("B-001"), "B-001");
    }

    #[test]
    fn what_is_not_on_the_page_is_counted_honestly() {
        let one = |more| Omissions { kind: "extra_item".into(), items: Vec::new(), more, next: Some("i1".into()) };
        let said = |more| further(&one(more)).expect("there is more");
        assert_eq!(said(7), "and 7 more of extra_item: --kind extra_item --after i1");
        assert_eq!(said(MORE_MAX), "and 10000 or more of extra_item: --kind extra_item --after i1");
        assert_eq!(further(&Omissions { next: None, ..one(0) }), None);
    }
}
