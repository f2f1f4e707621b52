//! `workflow check|fmt|graph|schema|lock|register|list|show`

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kentai_engine::port::executor;
use kentai_engine::scheduler::handle::Definition;
use kentai_engine::view;
use kentai_workflows::workflow::{StepKind, Workflow as Checked};
use kentai_workflows::{format, graph, schema};

use crate::access::{self, Door};
use crate::exit::{Exit, Stop};
use crate::intake;
use crate::output::{Output, table};
use crate::site::Site;
use crate::{assemble, library};

/// Workflows.
#[derive(Subcommand, Debug)]
pub(crate) enum Workflow {
    /// Check workflows: every mistake at once
    Check {
        /// Workflow files, or names of shipped workflows
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Lay a workflow file out in the one way that everybody reads
    Fmt {
        /// Workflow files
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// Write the files; without it the result goes to standard output
        #[arg(long)]
        write: bool,
        /// Change nothing; exit code 3 when a file would change
        #[arg(long, conflicts_with = "write")]
        check: bool,
    },
    /// Draw a workflow
    Graph(Graph),
    /// JSON Schema of the language, for editors
    Schema,
    /// Resolve every image tag of a workflow to a digest and keep the lock in the site
    Lock {
        /// Workflow file, or the name of a shipped workflow
        file: PathBuf,
        /// Executor by name or kind
        #[arg(long)]
        executor: Option<String>,
    },
    /// Register a version of a workflow at this site; its images must be locked
    Register {
        /// Workflow file, or the name of a shipped workflow
        file: PathBuf,
    },
    /// List shipped, registered and run workflows
    List,
    /// Print the text of a workflow: shipped, or known at this site by id or digest
    Show {
        /// Name, or digest
        name: String,
    },
}

/// Arguments of `graph`.
#[derive(Args, Debug)]
pub(crate) struct Graph {
    /// Workflow file, or the name of a shipped workflow
    file: PathBuf,
    /// As SVG
    #[arg(long)]
    svg: bool,
    /// As Mermaid text (the default)
    #[arg(long, conflicts_with = "svg")]
    mermaid: bool,
}

impl Graph {
    pub(crate) fn draw(&self, output: Output) -> anyhow::Result<Exit> {
        match load(None, &self.file, output)? {
            Ok(workflow) if self.svg => output.line(graph::svg(&workflow, output.language)),
            Ok(workflow) => output.line(graph::mermaid(&workflow).trim_end()),
            Err(exit) => return Ok(exit),
        }
        Ok(Exit::Done)
    }
}

/// A checked workflow, or the exit code after its mistakes were shown.
fn load(site: Option<&Site>, file: &Path, output: Output) -> anyhow::Result<Result<std::sync::Arc<Checked>, Exit>> {
    let loaded = match site {
        Some(site) => intake::workflow_to_run(site, file, None),
        None => intake::workflow(None, file),
    };
    match loaded {
        Ok(loaded) => Ok(Ok(loaded.workflow)),
        Err(intake::Error::Found(found)) => {
            output.diagnostics(&found);
            Ok(Err(Exit::CheckFailed))
        }
        Err(other) => Err(other.into()),
    }
}

impl Workflow {
    pub(crate) async fn run(self, directory: &Path, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Check { files } => super::check::run(&files, Site::open(directory).ok().as_ref(), output),
            Self::Fmt { files, write, check } => fmt(&files, write, check, output),
            Self::Graph(graph) => graph.draw(output),
            Self::Schema => {
                output.json(&schema::json_schema());
                Ok(Exit::Done)
            }
            Self::Lock { file, executor } => {
                lock(&Site::open_or_make(directory)?, &file, executor.as_deref(), output).await
            }
            Self::Register { file } => register(&Site::open_or_make(directory)?, &file, output).await,
            Self::List => list(Site::open(directory).ok().as_ref(), output).await,
            Self::Show { name } => show(Site::open(directory).ok().as_ref(), &name, output).await,
        }
    }
}

fn fmt(files: &[PathBuf], write: bool, check: bool, output: Output) -> anyhow::Result<Exit> {
    let mut exit = Exit::Done;
    for file in files {
        let source =
            std::fs::read_to_string(file).map_err(|source| intake::Error::Read { path: file.clone(), source })?;
        let formatted = match format::format(&source) {
            Ok(formatted) => formatted,
            Err(diagnostics) => {
                let name = file.to_string_lossy().into_owned();
                output.diagnostics(&intake::Found { diagnostics, sources: BTreeMap::from([(name, source)]) });
                exit = Exit::CheckFailed;
                continue;
            }
        };
        if check {
            if formatted != source {
                output.line(file.display().to_string());
                exit = Exit::CheckFailed;
            }
        } else if write {
            if formatted != source {
                replace(file, formatted.as_bytes())?;
                output.say(format!("{} was laid out anew", file.display()));
            }
        } else {
            output.line(formatted.trim_end());
        }
    }
    Ok(exit)
}

/// Whole or not at all.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(
        path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new(".")),
    )?;
    file.write_all(bytes)?;
    file.as_file().sync_all()?;
    if let Ok(facts) = std::fs::metadata(path) {
        file.as_file().set_permissions(facts.permissions())?;
    }
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

fn images(workflow: &Checked, found: &mut BTreeSet<String>) {
    for step in &workflow.steps {
        if let StepKind::Tool(tool) = &step.kind {
            found.extend(tool.image.clone());
        }
    }
    workflow.calls.values().for_each(|called| images(called, found));
}

async fn lock(site: &Site, file: &Path, executor: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let workflow = match load(Some(site), file, output)? {
        Ok(workflow) => workflow,
        Err(exit) => return Ok(exit),
    };
    let hands = assemble::executors(site, executor)?;
    let hands = hands.first().ok_or_else(|| Stop::new(Exit::Usage, "this site has no executor"))?;
    let mut names = BTreeSet::new();
    images(&workflow, &mut names);
    let mut locks = site.locked_images();
    for name in names {
        let id = hands.resolve(&name).await.map_err(|error| match error {
            executor::Error::Image { .. } | executor::Error::Unreachable { .. } => {
                Stop::new(Exit::Unreachable, error.to_string())
            }
            executor::Error::Other(reason) => Stop::new(Exit::Unexpected, reason),
        })?;
        output.line(format!("{name} {id}"));
        locks.insert(name, id);
    }
    std::fs::create_dir_all(site.directory.join("locks"))?;
    replace(&site.directory.join("locks/images.json"), &serde_json::to_vec_pretty(&locks)?)?;
    Ok(Exit::Done)
}

async fn register(site: &Site, file: &Path, output: Output) -> anyhow::Result<Exit> {
    let loaded = match intake::workflow_to_run(site, file, None) {
        Ok(loaded) => loaded,
        Err(intake::Error::Found(found)) => {
            output.diagnostics(&found);
            return Ok(Exit::CheckFailed);
        }
        Err(other) => return Err(other.into()),
    };
    let definition = Definition { path: loaded.path, source: loaded.source, called: loaded.called };
    let door = Door::open(site).await?;
    let kept = door.register(&definition, output).await;
    door.close().await?;
    let Some(digest) = kept? else { return Ok(Exit::CheckFailed) };
    output.say(format!("registered {} {} ({digest})", loaded.workflow.id, loaded.workflow.version));
    Ok(Exit::Done)
}

async fn list(site: Option<&Site>, output: Output) -> anyhow::Result<Exit> {
    let known = match site {
        Some(site) if site.database().exists() => view::workflows(&access::reader(site).await?).await?,
        _ => Vec::new(),
    };
    if output.json {
        output.json(&serde_json::json!({ "shipped": library::NAMES.map(|(name, _)| name), "known": known }));
        return Ok(Exit::Done);
    }
    let shipped = library::NAMES
        .iter()
        .map(|(name, _)| vec![(*name).to_owned(), String::new(), "shipped".to_owned(), String::new()]);
    let known = known.into_iter().map(|one| {
        let state = if one.registered { "registered" } else { "was run" };
        vec![one.id, one.version, state.to_owned(), one.digest.chars().take(12).collect()]
    });
    output.line(table(&["workflow", "version", "state", "digest"], shipped.chain(known)));
    Ok(Exit::Done)
}

async fn show(site: Option<&Site>, name: &str, output: Output) -> anyhow::Result<Exit> {
    if let Some(text) = library::text(name) {
        output.line(text.trim_end());
        return Ok(Exit::Done);
    }
    if let Some(site) = site
        && site.database().exists()
    {
        let reader = access::reader(site).await?;
        let known = view::workflows(&reader)
            .await?
            .into_iter()
            .find(|one| one.id == name || (name.len() >= 8 && one.digest.starts_with(name)));
        if let Some(one) = known
            && let Some(row) = reader.workflow(&one.digest).await?
        {
            output.line(row.source.trim_end());
            return Ok(Exit::Done);
        }
    }
    Err(Stop::new(Exit::NotFound, format!("there is no workflow `{name}`; see `kentai workflow list`")).into())
}
