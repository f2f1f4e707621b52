//! `kentai`: verbs for operators. Each verb is a file in `command`; `assemble` puts the rooms together.

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
mod site;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use kentai_workflows::diagnostic::Language;

use exit::{Exit, Stop};
use output::Output;
use site::Site;

/// The production line of a genome sequencing center.
#[derive(Parser, Debug)]
#[command(name = "kentai", version, about, disable_help_subcommand = true)]
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
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand, Debug)]
enum Verb {
    /// Run a workflow over every specimen of a sheet, to the end
    Run(command::run::Run),
    /// Check workflows: every mistake at once
    Check {
        /// Workflow files, or names of shipped workflows
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
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
    match runtime.block_on(go(cli)) {
        Ok(exit) => ExitCode::from(exit as u8),
        Err(error) => fail(&error),
    }
}

async fn go(cli: Cli) -> anyhow::Result<Exit> {
    tracing_subscriber::fmt()
        .with_env_filter(tracing_subscriber::EnvFilter::try_from_env("KENTAI_LOG").unwrap_or_else(|_| "warn".into()))
        .with_writer(std::io::stderr)
        .init();
    let output = Output { json: cli.json, quiet: cli.quiet, language: language(&cli) };
    match cli.verb {
        Verb::Run(run) => {
            let site = Site::open_or_make(&cli.site)?;
            run.run(&site, output).await
        }
        Verb::Check { files } => {
            let site = Site::open(&cli.site).ok();
            command::check::run(&files, site.as_ref(), output)
        }
    }
}

fn language(cli: &Cli) -> Language {
    let wish = cli.language.clone().or_else(|| std::env::var("LANG").ok()).unwrap_or_default();
    if wish.starts_with("ja") { Language::Ja } else { Language::En }
}

/// The whole chain, once, at the border.
fn fail(error: &anyhow::Error) -> ExitCode {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "kentai: {error:#}");
    let exit = error.chain().find_map(|cause| cause.downcast_ref::<Stop>().map(|stop| stop.exit)).unwrap_or_else(|| code_of(error));
    ExitCode::from(exit as u8)
}

fn code_of(error: &anyhow::Error) -> Exit {
    if let Some(site::Error::Missing(_)) = error.downcast_ref() {
        return Exit::NotFound;
    }
    if let Some(intake::Error::NoWorkflow { .. } | intake::Error::Read { .. }) = error.downcast_ref() {
        return Exit::NotFound;
    }
    match error.downcast_ref() {
        Some(assemble::Error::NoExecutor { .. }) => Exit::Usage,
        Some(assemble::Error::Engine(kentai_engine::scheduler::Error::Locked { .. })) => Exit::State,
        // A full or broken disk: nothing was lost, and the same command goes on when it is mended.
        Some(assemble::Error::Engine(kentai_engine::scheduler::Error::Store(error))) if error.is_passing() => Exit::Unreachable,
        _ => Exit::Unexpected,
    }
}
