//! `why`: the reason that a run, a step or a specimen stands where it stands, who may act, and what helps.

use clap::Args;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::why::Because;
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::view::{self, RunDetail, RunView, center};

use super::status::detail;
use crate::access::{self, Door, hidden, who};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::site::Site;

/// Runs of one specimen that are told about.
const RUNS: i64 = 20;

/// Arguments of `why`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai why r019ab3            a run
  kentai why r019ab3/reads_ok   one of its steps (or: kentai why r019ab3 reads_ok)
  kentai why S000000015         a specimen, or its barcode: every order line of it
  kentai why O000000015         an order line; also a lane, shipment, instrument run, case, notice or delivery")]
pub(crate) struct Why {
    /// Run (or the beginning of its id), RUN/STEP, specimen, barcode, order line, lane, shipment, case, notice or delivery
    thing: String,
    /// Step
    step: Option<String>,
}

impl Why {
    /// Says why something stands where it stands.
    pub(crate) async fn say(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        let thing = if self.step.is_none() { self.thing.as_str() } else { "" };
        let language = output.language;
        let now = kentai_engine::clock::now();
        if let Some(all) = center::why(&reader, &who(site), thing, now, language).await.map_err(hidden)? {
            show_center(&all, output);
            return Ok(Exit::Done);
        }
        if access::is_outsider(&who(site)) {
            return Err(Stop::new(Exit::NotFound, format!("there is no `{}`", self.thing.escape_debug())).into());
        }
        let (runs, step) = self.runs(&reader).await?;
        for run in &runs {
            access::of_the_center(site, center::Inner::Run, Some(run.id.as_str())).await?;
        }
        let door = Door::open(site).await;
        let mut all = Vec::new();
        for run in runs {
            let because = match &door {
                Ok(door) => door.why(&run.id, step.as_deref()).await,
                // An engine is at work and answers no requests: what it wrote down is the next best.
                Err(_) => detail(&reader, run.id.as_str()).await.map(|detail| written(&detail, step.as_deref())),
            };
            all.push((run, because));
        }
        if let Ok(door) = door {
            door.close().await?;
        }
        let all = all.into_iter().map(|(run, because)| Ok((run, because?))).collect::<anyhow::Result<Vec<_>>>()?;
        known_step(&all, step.as_deref())?;
        show(&all, output);
        Ok(Exit::Done)
    }

    /// What is meant: every run of a specimen, or one run, and perhaps a step.
    async fn runs(&self, reader: &Reader) -> anyhow::Result<(Vec<RunView>, Option<String>)> {
        let (thing, in_thing) = match self.thing.split_once('/') {
            Some((thing, step)) => (thing, Some(step.to_owned())),
            None => (self.thing.as_str(), None),
        };
        let step = in_thing.or_else(|| self.step.clone());
        let filter = RunFilter { specimen: Some(thing.to_owned()), limit: RUNS, ..RunFilter::default() };
        let of_specimen = view::runs(reader, &filter).await?.items;
        if !of_specimen.is_empty() {
            return Ok((of_specimen, step));
        }
        Ok((vec![detail(reader, thing).await?.run], step))
    }
}

/// The engine answers about the whole run when it knows no such step.
fn known_step(all: &[(RunView, Vec<Because>)], step: Option<&str>) -> anyhow::Result<()> {
    let Some(step) = step else { return Ok(()) };
    if all.iter().flat_map(|(_, because)| because).all(|because| because.step.is_empty()) {
        let runs: Vec<&str> = all.iter().map(|(run, _)| run.id.as_str()).collect();
        let message = format!("run {} has no step `{}`", runs.join(", "), step.escape_debug());
        return Err(Stop::new(Exit::NotFound, message).into());
    }
    Ok(())
}

fn written(detail: &RunDetail, step: Option<&str>) -> Vec<Because> {
    let steps = detail.steps.iter().filter(|one| match step {
        Some(step) => one.key.as_str() == step || one.step == step,
        None => !matches!(one.status.as_str(), "succeeded" | "skipped" | "waiting"),
    });
    let because = |one: &view::StepView| Because {
        step: one.key.to_string(),
        status: one.status.clone(),
        reason: one.reason.clone().unwrap_or_else(|| format!("it is {}", one.status)),
        who: one.ask.as_ref().map(|ask| ask.roles.clone()).unwrap_or_default(),
        next: String::new(),
        values: serde_json::json!({ "gate": one.gate, "failures": one.failures, "answers": one.answers }),
    };
    steps.map(because).collect()
}

fn show_center(all: &[center::WhyView], output: Output) {
    if output.json {
        return output.json(&all);
    }
    for one in all {
        output.line(plain(&format!("{} is {}: {}", one.about.replace('_', " "), one.status, one.said)));
    }
}

fn show(all: &[(RunView, Vec<Because>)], output: Output) {
    if output.json {
        let one = |(run, because): &(RunView, Vec<Because>)| serde_json::json!({ "run": run.id, "specimen": run.specimen, "because": because });
        return output.json(&all.iter().map(one).collect::<Vec<_>>());
    }
    for (run, because) in all {
        let (id, specimen, status): (&RunId, _, _) = (&run.id, &run.specimen, run.status.word());
        output.line(plain(&format!("{specimen} {id}: {status}")));
        for one in because {
            let step = if one.step.is_empty() { String::new() } else { format!("{} ({}): ", one.step, one.status) };
            output.line(plain(&format!("  {step}{}", one.reason)));
            if !one.who.is_empty() {
                output.line(format!("    who may act: {}", one.who.join(" or ")));
            }
            if !one.next.is_empty() {
                output.line(plain(&format!("    next: {}", one.next)));
            }
        }
    }
}
