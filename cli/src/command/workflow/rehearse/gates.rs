//! A changed workflow over what the gates of its earlier runs recorded.

use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use kentai_engine::decide::rehearse::{Rehearsed, rehearse};
use kentai_engine::scheduler::registered;
use kentai_engine::store::read::{Reader, RunFilter};
use kentai_engine::store::rows::detail::Detail;
use kentai_engine::store::rows::{self};
use kentai_workflows::plan::Plan;
use kentai_workflows::workflow::Workflow;

use crate::access;
use crate::exit::Exit;
use crate::intake;
use crate::output::{Output, table};
use crate::site::Site;

/// Runs read at once.
const PAGE: i64 = 500;

/// One gate of one run.
struct Gate {
    run: String,
    specimen: String,
    step: String,
    result: Result<Rehearsed, String>,
}

/// Judges again what the gates of this workflow's runs recorded since then.
pub(super) async fn rehearse_all(site: &Site, file: &Path, since_us: i64, output: Output) -> anyhow::Result<Exit> {
    let changed = intake::workflow_to_read(Some(site), file)?.workflow;
    let reader = access::reader(site).await?;
    let mut olds: HashMap<String, Option<Arc<Workflow>>> = HashMap::new();
    let (mut gates, mut after) = (Vec::new(), None);
    'pages: loop {
        let filter = RunFilter { after: after.clone(), limit: PAGE, ..RunFilter::default() };
        let page = kentai_engine::view::runs(&reader, &filter).await?;
        for line in page.items {
            let Some(run) = reader.run(line.id.as_str()).await? else { continue };
            // The newest come first.
            if run.created_us < since_us {
                break 'pages;
            }
            if line.workflow == changed.id {
                gates.extend(of_run(&reader, &run, &changed, &mut olds).await?);
            }
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    show(&gates, output);
    Ok(Exit::Done)
}

async fn of_run(
    reader: &Reader,
    run: &rows::Run,
    changed: &Workflow,
    olds: &mut HashMap<String, Option<Arc<Workflow>>>,
) -> anyhow::Result<Vec<Gate>> {
    if !olds.contains_key(&run.digest) {
        let row = reader.workflow(&run.digest).await?;
        olds.insert(run.digest.clone(), row.as_ref().and_then(registered::definition));
    }
    let old = olds.get(&run.digest).and_then(Option::as_deref);
    let gate =
        |step: String, result| Gate { run: run.run_id.to_string(), specimen: run.specimen_id.clone(), step, result };
    let plan: Plan = match serde_json::from_str(&run.plan) {
        Ok(plan) => plan,
        Err(error) => return Ok(vec![gate(String::new(), Err(format!("its plan cannot be read: {error}")))]),
    };
    let mut found = Vec::new();
    for step in reader.steps(run.run_id.as_str()).await? {
        let key = step.step_key.to_string();
        let name = plan.steps.iter().find(|planned| planned.key == key).map(|planned| planned.step.clone());
        let detail: Result<Detail, _> = serde_json::from_str(&step.detail);
        match detail {
            Err(error) => found.push(gate(key, Err(format!("it cannot be read: {error}")))),
            Ok(detail) => {
                if let (Some(report), Some(name)) = (detail.gate, name) {
                    found.push(gate(key, rehearse(changed, old, &plan, &name, &report)));
                }
            }
        }
    }
    Ok(found)
}

fn show(gates: &[Gate], output: Output) {
    let judged = || gates.iter().filter_map(|gate| Some((gate, gate.result.as_ref().ok()?)));
    let different: Vec<_> = judged().filter(|(_, one)| one.before != one.after).collect();
    let unread: Vec<_> = gates.iter().filter_map(|gate| Some((gate, gate.result.as_ref().err()?))).collect();
    let same = judged().count() - different.len();
    if output.json {
        let different: Vec<_> = different.iter().map(|(gate, one)| {
            serde_json::json!({ "run": gate.run, "specimen": gate.specimen, "step": gate.step, "before": one.before.word(), "after": one.after.word(), "then": one.then, "because": one.because })
        }).collect();
        let unread: Vec<_> = unread
            .iter()
            .map(|(gate, why)| serde_json::json!({ "run": gate.run, "step": gate.step, "reason": why }))
            .collect();
        return output.json(&serde_json::json!({ "replayed": same + different.len(), "same": same, "different": different, "unreadable": unread }));
    }
    let rows = different.iter().map(|(gate, one)| {
        let (before, after) = (one.before.word().to_owned(), one.after.word().to_owned());
        vec![
            gate.specimen.clone(),
            gate.run.clone(),
            gate.step.clone(),
            before,
            after,
            one.then.into(),
            one.because.join("; "),
        ]
    });
    if !different.is_empty() {
        output.line(table(&["specimen", "run", "gate", "was", "would be", "then", "because"], rows));
    }
    if !unread.is_empty() {
        let rows = unread.iter().map(|(gate, why)| vec![gate.run.clone(), gate.step.clone(), (*why).clone()]);
        output.line(table(&["run", "gate", "not judged, because"], rows));
    }
    output.say(format!("{} gate(s) judged again: {same} as before, {} not", same + different.len(), different.len()));
}
