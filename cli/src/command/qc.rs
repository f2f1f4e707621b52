//! `qc list|decide|import|trend|lane`

use clap::{ArgAction, Subcommand};
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::view::center::Inner;
use kentai_engine::view::{self, RunView, StepView};

use super::center::{ask, yes};
use super::control::{Control, Decide, said};
use crate::access;
use crate::exit::Exit;
use crate::output::{Output, table};
use crate::site::Site;
use crate::times::Zone;

/// Runs read at once.
const PAGE: i64 = 500;

/// Gates and what people decide about them.
#[derive(Subcommand, Debug)]
pub(crate) enum Qc {
    /// List gates that hold
    List,
    /// Decide about a gate that holds, or an order line with too little data (needs the role reviewer)
    Decide(Decide),
    /// Bring what tools measured, and judge it by the assay's criteria
    #[command(after_help = "Example:
  kentai qc import O000000015 S1.mosdepth.summary.txt S1.selfSM S1.stats.txt")]
    Import {
        /// Order line
        order_line: String,
        /// fastp, samtools stats, flagstat and coverage, mosdepth, bcftools stats and gtcheck, Picard, verifyBamID2, GA4GH WGS QC
        #[arg(required = true)]
        files: Vec<std::path::PathBuf>,
    },
    Trend(super::qc_trend::Trend),
    /// Answer the two questions about a lane (needs the role reviewer)
    #[command(after_help = "Example:
  kentai qc lane 20261101_LH00123_0042_A/3/S000000015 --counts no --use yes --reason 'index hopping seen'")]
    Lane {
        /// Lane: instrument run, number and sample
        id: String,
        /// Do its reads count toward the order?
        #[arg(long, action = ArgAction::Set, value_parser = yes, value_name = "yes|no")]
        counts: bool,
        /// May a workflow use it?
        #[arg(long = "use", action = ArgAction::Set, value_parser = yes, value_name = "yes|no")]
        usable: bool,
        /// Why
        #[arg(long, value_parser = said)]
        reason: String,
    },
}

impl Qc {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Decide(decide) => match decide.of_order_line() {
                Some(request) => ask(site, output, request).await,
                None => Control::Decide(decide).ask(site, output).await,
            },
            Self::Import { order_line, files } => super::qc_import::import(site, output, order_line, files).await,
            Self::Trend(trend) => trend.run(site, output).await,
            Self::Lane { id, counts, usable, reason } => {
                ask(site, output, Request::Lane { lane_library: id, counts, r#use: usable, reason }).await
            }
            Self::List => {
                access::of_the_center(site, Inner::Run, None).await?;
                list(site, output).await
            }
        }
    }
}

async fn list(site: &Site, output: Output) -> anyhow::Result<Exit> {
    let holding = match access::reader_if_any(site).await? {
        Some(reader) => holding(&reader).await?,
        None => Vec::new(),
    };
    if output.json {
        let one = |(run, step): &(RunView, StepView)| serde_json::json!({ "run": run.id, "specimen": run.specimen, "workflow": run.workflow, "step": step });
        output.json(&holding.iter().map(one).collect::<Vec<_>>());
        return Ok(Exit::Done);
    }
    let Some((run, step)) = holding.first() else {
        output.say("no gate holds");
        return Ok(Exit::Done);
    };
    let zone = Zone::of(site);
    let rows = holding.iter().map(|(run, step)| {
        let since = step.ask.as_ref().map(|ask| zone.show(&ask.asked)).unwrap_or_default();
        let reason = step.reason.clone().unwrap_or_default();
        vec![run.id.to_string(), run.specimen.clone(), step.key.to_string(), since, reason]
    });
    output.line(table(&["run", "specimen", "gate", &zone.head("since"), "found"], rows));
    output.say(format!("next: kentai why {0} {1}; kentai qc decide {0} {1} --verdict … --reason …", run.id, step.key));
    Ok(Exit::Done)
}

/// Every gate that waits for a decision, newest run first.
async fn holding(reader: &Reader) -> anyhow::Result<Vec<(RunView, StepView)>> {
    let mut filter = RunFilter { status: Some("waits_for_person".into()), limit: PAGE, ..RunFilter::default() };
    let mut holding = Vec::new();
    loop {
        let page = view::runs(reader, &filter).await?;
        for run in page.items {
            let Some(detail) = view::run(reader, &run.id).await? else { continue };
            let asks = |step: &StepView| step.ask.as_ref().is_some_and(|ask| ask.kind == "qc");
            let gates = detail.steps.into_iter().filter(|step| step.status == "awaiting_person" && asks(step));
            holding.extend(gates.map(|step| (run.clone(), step)));
        }
        match page.next {
            Some(next) => filter.after = Some(next),
            None => return Ok(holding),
        }
    }
}
