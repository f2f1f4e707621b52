//! `workflow lock`: what each image tag stands for here, kept in the site as `locks/images.json`.

use std::collections::BTreeSet;
use std::fs::File;
use std::path::PathBuf;
use std::sync::Arc;

use clap::Args;
use kentai_engine::port::executor::{Error, Executor};
use kentai_workflows::workflow::{StepKind, Workflow};
use rustix::fs::FlockOperation;

use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;
use crate::whole_file::replace;
use crate::{assemble, intake};

/// Arguments of `workflow lock`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  kentai workflow lock germline_wgs && kentai workflow register germline_wgs")]
pub(crate) struct Lock {
    /// Workflow file, or the name of a shipped workflow
    file: PathBuf,
    /// Executor by name or kind; default: the site's first that runs images
    #[arg(long)]
    executor: Option<String>,
}

/// One image and what became of its lock.
#[derive(serde::Serialize)]
struct Locked {
    image: String,
    stands_for: String,
    before: Option<String>,
}

impl Lock {
    /// Resolves every tag, then keeps all of them or none.
    pub(super) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let workflow = intake::workflow_to_run(site, &self.file, self.executor.as_deref())?.workflow;
        let mut names = BTreeSet::new();
        tags(&workflow, &mut names);
        if names.is_empty() {
            output.say("nothing to lock: it names no image by a tag");
            return Ok(Exit::Done);
        }
        let hands = hands(site, self.executor.as_deref())?;
        let mut found = Vec::new();
        for image in names {
            let stands_for = hands.resolve(&image).await.map_err(refused)?;
            found.push(Locked { image, stands_for, before: None });
        }
        keep(site, &mut found)?;
        say(&found, output);
        Ok(Exit::Done)
    }
}

/// Every image that is not named by what it is.
fn tags(workflow: &Workflow, found: &mut BTreeSet<String>) {
    for step in &workflow.steps {
        if let StepKind::Tool(tool) = &step.kind {
            found.extend(
                tool.image.clone().filter(|image| !image.contains("@sha256:") && !image.starts_with("sha256:")),
            );
        }
    }
    workflow.calls.values().for_each(|called| tags(called, found));
}

fn hands(site: &Site, wish: Option<&str>) -> anyhow::Result<Arc<dyn Executor>> {
    let mut all = assemble::executors(site, wish)?.into_iter();
    let chosen =
        if wish.is_some() { all.next().filter(|one| one.needs_image()) } else { all.find(|one| one.needs_image()) };
    let message = "plain processes run no images: name an executor that does";
    Ok(chosen.ok_or_else(|| Stop::new(Exit::Usage, message))?)
}

fn refused(error: Error) -> Stop {
    let exit = match &error {
        Error::Image { .. } | Error::Unreachable { .. } => Exit::Unreachable,
        Error::Other(_) => Exit::Unexpected,
    };
    Stop::new(exit, error.to_string())
}

/// Adds to what is locked already; another `lock` at the same time waits.
fn keep(site: &Site, found: &mut [Locked]) -> anyhow::Result<()> {
    let directory = site.directory.join("locks");
    std::fs::create_dir_all(&directory)?;
    let guard = File::options().create(true).append(true).open(directory.join(".lock"))?;
    rustix::fs::flock(&guard, FlockOperation::LockExclusive)?;
    let mut locks = site.locked_images();
    for one in found.iter_mut() {
        one.before = locks.insert(one.image.clone(), one.stands_for.clone());
    }
    Ok(replace(&directory.join("images.json"), &serde_json::to_vec_pretty(&locks)?)?)
}

fn say(found: &[Locked], output: Output) {
    if output.json {
        return output.json(&found);
    }
    let row = |one: &Locked| {
        let change = match &one.before {
            None => "new".to_owned(),
            Some(before) if *before == one.stands_for => "as before".to_owned(),
            Some(before) => format!("CHANGED, was {before}"),
        };
        vec![one.image.clone(), one.stands_for.clone(), change]
    };
    if !found.is_empty() {
        output.line(table(&["image", "stands for", "lock"], found.iter().map(row)));
    }
}
