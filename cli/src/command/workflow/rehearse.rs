//! `workflow rehearse`: last month's values, judged by other criteria or by a changed workflow's gates. Nothing is changed.

mod gates;

use std::path::PathBuf;

use clap::Args;
use kentai_engine::clock;
use kentai_engine::people::permission::{Action, permit};
use kentai_engine::qc::rehearse::{Recorded, Rehearsal, rehearse};
use kentai_engine::store::read::{Reader, RecordFilter};

use crate::access::{self, who};
use crate::config;
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::{Output, table};
use crate::site::Site;

const DAY_US: i64 = 86_400_000_000;
/// Read at once.
const PAGE: i64 = 1_000;

/// Say what other criteria, or a changed workflow's gates, would have made of what was measured
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai workflow rehearse wgs_30x_stricter.yaml --since 31    an assay: its criteria
  kentai workflow rehearse germline_wgs.yaml                   a workflow: its gates")]
pub(crate) struct Rehearse {
    /// An assay's file, as `assay define` takes it, or a workflow's
    file: PathBuf,
    /// Only what was judged in so many days
    #[arg(long, default_value_t = 31, value_parser = clap::value_parser!(i64).range(1..=3_650))]
    since: i64,
}

impl Rehearse {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        if permit(&who(site), Action::Rehearse, None).is_err() {
            let message = "rehearsing needs the role operator, reviewer or auditor";
            return Err(Stop::new(Exit::NotAllowed, message).into());
        }
        let path = self.file.clone();
        let text =
            std::fs::read_to_string(&path).map_err(|source| intake::Error::Read { path: path.clone(), source })?;
        if is_workflow(&text) {
            return gates::rehearse_all(site, &path, clock::now() - self.since * DAY_US, output).await;
        }
        let bad = |reason: String| Stop::new(Exit::CheckFailed, format!("{}: {reason}", path.display()));
        let assay = config::assay(&text).map_err(|reason| bad(reason.to_string()))?;
        let criteria = assay.criteria.ok_or_else(|| bad("it has no criteria".into()))?;
        let problems: Vec<String> = criteria.check().iter().map(ToString::to_string).collect();
        if !problems.is_empty() {
            return Err(bad(problems.join("; ")).into());
        }
        let recorded = recorded(&access::reader(site).await?, clock::now() - self.since * DAY_US).await?;
        show(&rehearse(&recorded, &criteria), output);
        Ok(Exit::Done)
    }
}

/// A workflow says so with its first key.
fn is_workflow(text: &str) -> bool {
    text.lines().any(|line| line.starts_with("kentai:"))
}

async fn recorded(reader: &Reader, since_us: i64) -> anyhow::Result<Vec<Recorded>> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let filter = RecordFilter { kind: "evaluation".into(), after, limit: PAGE, ..RecordFilter::default() };
        let page = reader.records(&filter).await?;
        let Some(last) = page.last() else { return Ok(found) };
        after = Some(last.record_id.clone());
        for row in page.into_iter().filter(|row| row.created_us >= since_us) {
            found.push(Recorded { evaluation: row.record_id, about: row.parent, document: row.document });
        }
    }
}

fn show(shown: &Rehearsal, output: Output) {
    if output.json {
        return output.json(shown);
    }
    let rows = shown
        .different
        .iter()
        .map(|one| vec![one.about.clone(), one.before.to_string(), one.after.to_string(), one.because.join("; ")]);
    if !shown.different.is_empty() {
        output.line(table(&["order line", "was", "would be", "because"], rows));
    }
    if !shown.unreadable.is_empty() {
        let rows =
            shown.unreadable.iter().map(|one| vec![one.about.clone(), one.evaluation.clone(), one.reason.clone()]);
        output.line(table(&["order line", "not read", "because"], rows));
    }
    output.say(format!("{} judged again: {} as before, {} not", shown.replayed, shown.same, shown.different.len()));
}
