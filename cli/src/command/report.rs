//! `report progress|omissions|turnaround|multiqc`

use clap::Subcommand;
use kentai_engine::clock;
use kentai_engine::store::read::Reader;
use kentai_engine::view::center::report::{self, Progress};
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
    #[command(after_help = "Example:
  kentai report progress --csv > progress.csv")]
    Progress {
        /// A CSV file for the operating body
        #[arg(long)]
        csv: bool,
    },
    /// What nobody expected, and what nobody brought
    Omissions,
    /// How long each gate took, and what share was in the target
    Turnaround,
    Multiqc(super::report_multiqc::Multiqc),
}

impl Report {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        match self {
            Self::Progress { csv } => progress(site, &reader, csv, output).await?,
            Self::Omissions => omissions(site, &reader, output).await?,
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

async fn progress(site: &Site, reader: &Reader, csv: bool, output: Output) -> anyhow::Result<()> {
    let all = report::progress(reader, &who(site)).await.map_err(hidden)?;
    if csv {
        let mut writer = csv::Writer::from_writer(Vec::new());
        writer.write_record(ITEMS)?;
        for one in &all {
            writer.write_record(cells(one).iter().map(|cell| harmless(cell)))?;
        }
        output.bytes(&writer.into_inner()?);
    } else if output.json {
        output.json(&all);
    } else if all.is_empty() {
        output.say("no order lines");
    } else {
        output.line(table(&ITEMS, all.iter().map(cells)));
    }
    Ok(())
}

/// A spreadsheet must not take somebody's barcode for a formula.
pub(crate) fn harmless(cell: &str) -> String {
    if cell.starts_with(['=', '+', '-', '@', '\t', '\r']) { format!("'{cell}") } else { cell.to_owned() }
}

async fn omissions(site: &Site, reader: &Reader, output: Output) -> anyhow::Result<()> {
    let all = report::omissions(reader, &who(site), clock::now()).await.map_err(hidden)?;
    if output.json {
        output.json(&all);
    } else if all.is_empty() {
        output.say("nothing is missing");
    } else {
        let zone = Zone::of(site);
        let rows = all.iter().map(|one| {
            let text = if output.language == Language::Ja { &one.ja } else { &one.en };
            vec![one.kind.clone(), one.thing.clone(), one.institution.clone(), zone.show(&one.since), text.clone()]
        });
        output.line(table(&["omission", "thing", "institution", &zone.head("since"), "what"], rows));
    }
    Ok(())
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
}
