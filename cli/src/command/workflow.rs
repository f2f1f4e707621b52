//! `workflow check|fmt|graph|schema|lock|register|list|show`

mod fmt;
mod graph;
mod lock;
mod rehearse;

use std::path::{Path, PathBuf};

use clap::Subcommand;
use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::handle::Definition;
use kentai_engine::view::{self, WorkflowView};
use kentai_workflows::schema;

pub(crate) use graph::Graph;

use crate::access::{self, Door};
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;
use crate::{intake, library};

/// Characters of a digest that name a workflow well enough.
const DIGEST: usize = 12;

/// Workflows.
#[derive(Subcommand, Debug)]
pub(crate) enum Workflow {
    /// Check workflows: every mistake at once
    Check(super::check::Check),
    /// Lay a workflow file out in the one way that everybody reads
    Fmt(fmt::Fmt),
    /// Draw a workflow
    Graph(Graph),
    /// JSON Schema of the language, for editors
    #[command(after_help = "Example:
  kentai workflow schema > kentai.schema.json
  then, as a file's first line: # yaml-language-server: $schema=kentai.schema.json")]
    Schema,
    /// Resolve every image tag of a workflow to a digest and keep the lock in the site
    Lock(lock::Lock),
    /// Register a version of a workflow at this site; its images must be locked
    Register {
        /// Workflow file, or the name of a shipped workflow
        file: PathBuf,
    },
    /// Say what other criteria would have made of what was measured
    Rehearse(rehearse::Rehearse),
    /// List shipped, registered and run workflows
    List,
    /// Print the text of a workflow: shipped, or known at this site
    #[command(after_help = "Examples:
  kentai workflow show germline_wgs
  kentai workflow show germline_wgs@2026.11.0
  kentai workflow show 9c02ae884032")]
    Show {
        /// Name, NAME@VERSION, or the beginning of a digest
        name: String,
    },
}

impl Workflow {
    pub(crate) async fn run(self, directory: &Path, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check(check) => check.run(Site::open_if_any(directory)?.as_ref(), output).await,
            Self::Fmt(fmt) => fmt.run(output),
            Self::Graph(graph) => graph.draw(output),
            Self::Schema => {
                output.json(&schema::json_schema());
                Ok(Exit::Done)
            }
            Self::Lock(lock) => lock.run(&Site::open_or_make(directory)?, output).await,
            Self::Register { file } => register(&Site::open_or_make(directory)?, &file, output).await,
            Self::Rehearse(rehearse) => rehearse.run(&Site::open(directory)?, output).await,
            Self::List => list(Site::open_if_any(directory)?.as_ref(), output).await,
            Self::Show { name } => show(Site::open_if_any(directory)?.as_ref(), &name, output).await,
        }
    }
}

async fn register(site: &Site, file: &Path, output: Output) -> anyhow::Result<Exit> {
    // Whether its steps must name images is for the engine to say, which checks it again.
    let loaded = intake::workflow_to_read(Some(site), file)?;
    let definition = Definition { path: loaded.path, source: loaded.source, called: loaded.called };
    let door = Door::open(site).await?;
    let kept = door.register(&definition).await;
    door.close().await?;
    let digest = kept?;
    let (id, version) = (&loaded.workflow.id, &loaded.workflow.version);
    if output.json {
        output.json(&serde_json::json!({ "id": id, "version": version, "digest": digest, "registered": true }));
    }
    output.say(format!("registered {id} {version} ({digest}); next: kentai workflow show {id}"));
    Ok(Exit::Done)
}

/// What the site knows, newest first.
async fn known(site: Option<&Site>) -> anyhow::Result<Vec<WorkflowView>> {
    let Some(site) = site else { return Ok(Vec::new()) };
    access::no_stranger(site, Action::ReadSelf)?;
    match access::reader_if_any(site).await? {
        Some(reader) => Ok(view::workflows(&reader).await?),
        None => Ok(Vec::new()),
    }
}

async fn list(site: Option<&Site>, output: Output) -> anyhow::Result<Exit> {
    let known = known(site).await?;
    if output.json {
        output.json(&serde_json::json!({ "shipped": library::NAMES.map(|(name, _)| name), "known": known }));
        return Ok(Exit::Done);
    }
    let row =
        |id: &str, version: &str, state: &str, digest: &str| [id, version, state, digest].map(str::to_owned).to_vec();
    let shipped = library::NAMES.iter().map(|(name, _)| row(name, "", "shipped", ""));
    let known = known.iter().map(|one| {
        let state = if one.registered { "registered" } else { "was run" };
        row(&one.id, &one.version, state, one.digest.get(..DIGEST).unwrap_or_default())
    });
    output.line(table(&["workflow", "version", "state", "digest"], shipped.chain(known)));
    Ok(Exit::Done)
}

async fn show(site: Option<&Site>, name: &str, output: Output) -> anyhow::Result<Exit> {
    let mut known = known(site).await?;
    // What was registered means more than what was only run once.
    known.sort_by_key(|one| !one.registered);
    let named = |one: &&WorkflowView| {
        one.id == name
            || format!("{}@{}", one.id, one.version) == name
            || (name.len() >= DIGEST && one.digest.starts_with(name))
    };
    if let (Some(one), Some(site)) = (known.iter().find(named), site)
        && let Some(row) = access::reader(site).await?.workflow(&one.digest).await?
    {
        return Ok(print(one.id.as_str(), &row.source, Some(one), output));
    }
    if let Some(text) = library::text(name) {
        return Ok(print(name, text, None, output));
    }
    let message = format!("there is no workflow `{}`; see `kentai workflow list`", name.escape_debug());
    Err(Stop::new(Exit::NotFound, message).into())
}

fn print(id: &str, source: &str, known: Option<&WorkflowView>, output: Output) -> Exit {
    if output.json {
        output.json(&serde_json::json!({ "id": id, "known": known, "source": source }));
    } else {
        output.line(source.trim_end());
    }
    Exit::Done
}
