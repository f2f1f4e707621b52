//! `completions` and `man`: what shells and manual readers want, made from the one definition of the verbs.

use std::path::Path;

use anyhow::Context as _;
use clap::CommandFactory as _;
use clap_complete::Shell;

use crate::Cli;
use crate::exit::Exit;
use crate::output::Output;

/// Completions for a shell, on standard output.
pub(crate) fn completions(shell: Shell, output: Output) -> Exit {
    // Into memory first: the generator panics when nobody reads to the end.
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "kentai", &mut text);
    output.bytes(&text);
    Exit::Done
}

/// Manual pages: one for each verb into a directory, or the first on standard output.
pub(crate) fn man(directory: Option<&Path>, output: Output) -> anyhow::Result<Exit> {
    let Some(directory) = directory else {
        let mut text = Vec::new();
        clap_mangen::Man::new(Cli::command()).render(&mut text)?;
        output.bytes(&text);
        return Ok(Exit::Done);
    };
    let at = || format!("write into {}", directory.display());
    std::fs::create_dir_all(directory).with_context(at)?;
    clap_mangen::generate_to(Cli::command(), directory).with_context(at)?;
    output.say(format!("manual pages: {}", directory.display()));
    Ok(Exit::Done)
}
