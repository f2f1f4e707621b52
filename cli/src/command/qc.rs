//! `qc list|decide`

use clap::Subcommand;
use kentai_engine::store::read::RunFilter;
use kentai_engine::view;

use super::control::{Control, Decide};
use crate::access;
use crate::exit::Exit;
use crate::output::{Output, table};
use crate::site::Site;

/// Gates and what people decide about them.
#[derive(Subcommand, Debug)]
pub(crate) enum Qc {
    /// List gates that hold, oldest run last
    List,
    /// Decide about a gate that holds (needs the role reviewer)
    Decide(Decide),
}

impl Qc {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Decide(decide) => Control::Decide(decide).ask(site, output).await,
            Self::List => list(site, output).await,
        }
    }
}

async fn list(site: &Site, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader(site).await?;
    let filter = RunFilter { status: Some("waits_for_person".into()), limit: 10_000, ..RunFilter::default() };
    let mut holding = Vec::new();
    for run in view::runs(&reader, &filter).await?.items {
        let Some(detail) = view::run(&reader, &run.id).await? else { continue };
        let gates = detail
            .steps
            .into_iter()
            .filter(|step| step.ask.as_ref().is_some_and(|ask| ask.kind == "qc") && step.status == "awaiting_person");
        holding.extend(gates.map(|step| (run.clone(), step)));
    }
    if output.json {
        let list: Vec<_> = holding
            .iter()
            .map(|(run, step)| serde_json::json!({ "run": run.id, "specimen": run.specimen, "step": step }))
            .collect();
        output.json(&list);
        return Ok(Exit::Done);
    }
    let rows = holding.iter().map(|(run, step)| {
        vec![run.id.to_string(), run.specimen.clone(), step.key.to_string(), step.reason.clone().unwrap_or_default()]
    });
    output.line(table(&["run", "specimen", "gate", "found"], rows));
    Ok(Exit::Done)
}
