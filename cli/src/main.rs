//! `kentai`: verbs for operators. Each verb is a file in `command`; `assemble` puts the rooms together.

mod access;
mod assemble;
mod client;
mod command;
mod config;
mod demo;
mod exit;
mod intake;
mod library;
mod output;
mod person;
mod progress;
mod pull;
mod secrets;
mod site;
mod telemetry;
mod times;
mod triggers;
mod whole_file;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kentai_workflows::diagnostic::Language;

use exit::{Exit, Stop};
use output::Output;
use site::Site;

/// The production line of a genome sequencing center.
#[derive(Parser, Debug)]
#[command(name = "kentai", version, about)]
struct Cli {
    /// The site's directory
    #[arg(long, global = true, env = "KENTAI_SITE_DIRECTORY", default_value = site::DEFAULT)]
    site: PathBuf,
    /// Print JSON: the API's own objects
    #[arg(long, global = true)]
    json: bool,
    /// Say nothing but data and errors
    #[arg(long, short, global = true)]
    quiet: bool,
    /// Language of messages: en or ja
    #[arg(long, global = true, env = "KENTAI_LANGUAGE")]
    language: Option<String>,
    /// Act as whoever this token is of, instead of as the user of this machine; better given as KENTAI_TOKEN
    #[arg(long, global = true, env = "KENTAI_TOKEN", hide_env_values = true)]
    token: Option<String>,
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Run the whole line on simulated specimens and compare the calls with the truth
    Demo(command::demo::Demo),
    /// Make a site: a directory with a commented kentai.yaml
    Init(command::init::Init),
    /// Run an engine and listen on the site's socket
    Serve {
        /// Executor by name or kind that takes every step
        #[arg(long)]
        executor: Option<String>,
    },
    /// Open the page in a browser, signed in as the user of this machine
    Page(command::page::Page),
    /// Look whether this machine and site can do their work
    Doctor,
    /// Run a workflow over every specimen of a sheet, to the end
    Run(command::run::Run),
    /// Submit to the site's server
    Submit(command::submit::Submit),
    /// Show runs, or one run with its steps
    Status(command::status::Status),
    /// Say what happens to a run until it ends or waits
    Watch(command::watch::Watch),
    /// Print what a tool said
    Logs(command::logs::Logs),
    /// Say why a run, a step or a specimen stands where it stands
    Why(command::why::Why),
    /// End a run: start nothing new, then end what runs
    Cancel(command::control::Cancel),
    /// Do failed steps again, or everything from one step on
    Retry(command::control::Retry),
    /// Answer an approval: yes
    Approve(command::control::Approve),
    /// Answer an approval: no
    Reject(command::control::Reject),
    /// Pause a run: what runs goes on, nothing new starts
    Hold(command::control::Hold),
    /// Let a held run go on
    Resume(command::control::Plain),
    /// Gates that hold, and decisions about them
    #[command(subcommand)]
    Qc(command::qc::Qc),
    /// Check workflows: every mistake at once
    Check(command::check::Check),
    /// Draw a workflow
    Graph(command::workflow::Graph),
    /// Check, format, draw, lock and register workflows
    #[command(subcommand)]
    Workflow(command::workflow::Workflow),
    /// Reference bundles
    #[command(subcommand)]
    Reference(command::reference::Reference),
    /// Specimens
    #[command(subcommand)]
    Specimen(command::specimen::Specimen),
    /// Order lines: one specimen and one assay each
    #[command(subcommand)]
    Order(command::order::Order),
    /// What is ordered: reads, criteria, workflow, targets
    #[command(subcommand)]
    Assay(command::assay::Assay),
    /// What participants agreed to, and took back
    #[command(subcommand)]
    Consent(command::consent::Consent),
    /// What was not as it should be
    #[command(subcommand)]
    Deviation(command::deviation::Deviation),
    /// Messages to somebody outside: what became of them, and sending them again
    #[command(subcommand)]
    Notice(command::notice::Notice),
    /// What starts by the clock
    #[command(subcommand)]
    Schedule(command::schedule::Schedule),
    /// Reports: progress, omissions, turnaround
    #[command(subcommand)]
    Report(command::report::Report),
    /// Confirm what another person proposed
    Confirm {
        /// Proposal
        proposal: String,
    },
    /// The emergency stop: what runs goes on, nothing new starts anywhere
    StopAll {
        /// Why; kept
        #[arg(value_parser = command::control::said)]
        reason: String,
    },
    /// End the emergency stop
    ResumeAll,
    /// People, tokens and the audit log
    #[command(subcommand)]
    Admin(command::admin::Admin),
    /// Hand-offs to data centers
    #[command(subcommand)]
    Handoff(command::handoff::Handoff),
    /// Provenance: write what was done, check what was handed off
    #[command(subcommand)]
    Provenance(command::provenance::Provenance),
    /// The data center's side: pull packages from a center, check, decrypt, acknowledge and link them
    Pull(command::pull::Pull),
    /// Settings, with where each came from
    #[command(subcommand)]
    Config(ConfigVerb),
    /// A page about a diagnostic's code
    Explain(command::explain::Explain),
    /// Completions for a shell
    Completions {
        /// bash, zsh, fish …
        shell: clap_complete::Shell,
    },
    /// Manual pages
    Man {
        /// All of them, into this directory
        #[arg(long)]
        dir: Option<PathBuf>,
    },
}

#[derive(Subcommand, Debug)]
enum ConfigVerb {
    /// Show every setting
    Show,
}

fn main() -> ExitCode {
    // First of all: inside a container this same file is the witness, and must be nothing else.
    if let Some(code) = kentai_executors::witness::called() {
        return ExitCode::from(u8::try_from(code).unwrap_or(u8::MAX));
    }
    let cli = Cli::parse();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&error.into()),
    };
    let output = Output { json: cli.json, quiet: cli.quiet, language: language(&cli) };
    let result = runtime.block_on(go(cli, output)).or_else(|error| mistakes(error, output));
    match result {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => fail(&error),
    }
}

async fn go(cli: Cli, output: Output) -> anyhow::Result<Exit> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("KENTAI_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let site = &cli.site;
    if let Verb::Pull(pull) = cli.verb {
        // The token is a center's, not this machine's site's.
        return pull.run(cli.token, output).await;
    }
    if let Some(token) = cli.token.filter(|token| !token.is_empty()) {
        person::act_by_token(token, site).await?;
    }
    match cli.verb {
        Verb::Init(init) => init.make(output),
        Verb::Run(run) => run.run(&Site::open_or_make(site)?, output).await,
        Verb::Demo(demo) => demo.run(site, output).await,
        Verb::Check(check) => check.run(Site::open_if_any(site)?.as_ref(), output).await,
        Verb::Graph(graph) => graph.draw(output),
        Verb::Workflow(workflow) => workflow.run(site, output).await,
        Verb::Explain(explain) => explain.show(output),
        Verb::Completions { shell } => Ok(command::completions::completions(shell, output)),
        Verb::Man { dir } => command::completions::man(dir.as_deref(), output),
        Verb::Doctor => command::doctor::doctor(site, output).await,
        Verb::Reference(reference) => reference.run(&Site::open_or_make(site)?, output).await,
        Verb::Specimen(specimen) => specimen.run(&Site::open_or_make(site)?, output).await,
        Verb::Admin(admin) => admin.run(site, output).await,
        Verb::Provenance(provenance) => provenance.run(site, output).await,
        verb => with_site(verb, &Site::open(site)?, output).await,
    }
}

/// Verbs that need a site which is there already.
async fn with_site(verb: Verb, site: &Site, output: Output) -> anyhow::Result<Exit> {
    use command::center::ask;
    use command::control::Control;
    use kentai_engine::scheduler::center::request::Request;
    match verb {
        Verb::Serve { executor } => command::serve::serve(site, executor.as_deref(), output).await,
        Verb::Page(page) => page.run(site, output).await,
        Verb::Submit(submit) => submit.submit(site, output).await,
        Verb::Status(status) => status.show(site, output).await,
        Verb::Watch(watch) => watch.watch(site, output).await,
        Verb::Logs(logs) => logs.print(site, output).await,
        Verb::Why(why) => why.say(site, output).await,
        Verb::Cancel(args) => Control::Cancel(args).ask(site, output).await,
        Verb::Hold(args) => Control::Hold(args).ask(site, output).await,
        Verb::Resume(args) => Control::Resume(args).ask(site, output).await,
        Verb::Retry(args) => Control::Retry(args).ask(site, output).await,
        Verb::Approve(args) => Control::Approve(args).ask(site, output).await,
        Verb::Reject(args) => Control::Reject(args).ask(site, output).await,
        Verb::Qc(qc) => qc.run(site, output).await,
        Verb::Order(order) => order.run(site, output).await,
        Verb::Assay(assay) => assay.run(site, output).await,
        Verb::Consent(consent) => consent.run(site, output).await,
        Verb::Deviation(deviation) => deviation.run(site, output).await,
        Verb::Notice(notice) => notice.run(site, output).await,
        Verb::Schedule(schedule) => schedule.run(site, output).await,
        Verb::Report(report) => report.run(site, output).await,
        Verb::Confirm { proposal } => ask(site, output, Request::Confirm { proposal }).await,
        Verb::StopAll { reason } => ask(site, output, Request::StopAll { reason }).await,
        Verb::ResumeAll => ask(site, output, Request::ResumeAll).await,
        Verb::Handoff(handoff) => handoff.run(site, output).await,
        Verb::Config(ConfigVerb::Show) => command::config::show(site, output),
        _ => Err(Stop::new(Exit::Unexpected, "a verb without a room").into()),
    }
}

/// The person's wish, else the site's, else the machine's.
fn language(cli: &Cli) -> Language {
    let of_site = || {
        let (config, origin) = config::Config::load(&cli.site).ok()?;
        (origin.of("language") != "default").then_some(config.language)
    };
    let wish = cli.language.clone().or_else(of_site).or_else(|| std::env::var("LANG").ok()).unwrap_or_default();
    if wish.starts_with("ja") { Language::Ja } else { Language::En }
}

/// What a person wrote wrong is no error: it is shown with its places, wherever it was found.
fn mistakes(error: anyhow::Error, output: Output) -> anyhow::Result<Exit> {
    if let Some(refused) = error.downcast_ref::<client::ClientError>()
        && output.json
        && !refused.problem.diagnostics.is_empty()
    {
        output.json(&serde_json::json!({ "diagnostics": refused.problem.diagnostics }));
        return Ok(refused.exit());
    }
    match error.downcast::<intake::Error>()? {
        intake::Error::Found(found) => {
            output.diagnostics(&found);
            Ok(Exit::CheckFailed)
        }
        other => Err(other.into()),
    }
}

/// The whole chain, once, at the border.
fn fail(error: &anyhow::Error) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "kentai: {error:#}");
    ExitCode::from(code_of(error) as u8)
}

fn code_of(error: &anyhow::Error) -> Exit {
    // A context has to be asked for by itself: it is no link of the chain.
    let stop = error.downcast_ref::<Stop>().or_else(|| error.chain().find_map(|cause| cause.downcast_ref()));
    if let Some(stop) = stop {
        return stop.exit;
    }
    if let Some(refused) = error.downcast_ref::<client::ClientError>() {
        return refused.exit();
    }
    match error.downcast_ref() {
        Some(site::Error::Missing(_)) => return Exit::NotFound,
        Some(site::Error::Config(config::Error::Variable { .. })) => return Exit::Usage,
        Some(site::Error::Config(config::Error::Bad { .. })) => return Exit::CheckFailed,
        _ => {}
    }
    if let Some(intake::Error::NoWorkflow { .. } | intake::Error::Read { .. }) = error.downcast_ref() {
        return Exit::NotFound;
    }
    // Read, it stays as it is; whoever changes something brings it up to date.
    if let Some(kentai_engine::store::Error::Older { .. }) = error.downcast_ref() {
        return Exit::State;
    }
    match error.downcast_ref() {
        Some(assemble::Error::NoExecutor { .. }) => Exit::Usage,
        Some(assemble::Error::Notices { .. }) => Exit::CheckFailed,
        Some(assemble::Error::Engine(kentai_engine::scheduler::Error::Locked { .. })) => Exit::State,
        // A full or broken disk: nothing was lost, and the same command goes on when it is mended.
        Some(assemble::Error::Engine(kentai_engine::scheduler::Error::Store(error))) if error.is_passing() => {
            Exit::Unreachable
        }
        Some(assemble::Error::Engine(kentai_engine::scheduler::Error::Site { source, .. }))
            if source.kind() == std::io::ErrorKind::StorageFull =>
        {
            Exit::Unreachable
        }
        _ => Exit::Unexpected,
    }
}
