//! `config show`, `completions`, `man`, `explain`.

use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;

use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;

/// Every single value with where it came from, then the lists and maps as the file says.
pub(crate) fn show(site: &Site, output: Output) -> anyhow::Result<Exit> {
    let values = serde_json::to_value(&site.config)?;
    let single: Vec<(String, String, String)> = site
        .origin
        .all()
        .map(|(key, _)| {
            let pointer = format!("/{}", key.replace('.', "/"));
            let value = values.pointer(&pointer).map(kentai_workflows::value::to_text).unwrap_or_default();
            (key.clone(), value, site.origin.of(key).to_owned())
        })
        .collect();
    if output.json {
        let origin: serde_json::Map<_, _> = single.into_iter().map(|(key, _, from)| (key, from.into())).collect();
        output.json(&serde_json::json!({ "config": values, "origin": origin }));
        return Ok(Exit::Done);
    }
    output.line(table(&["key", "value", "from"], single.into_iter().map(|(key, value, from)| vec![key, value, from])));
    for name in ["executors", "places", "people", "targets", "secrets"] {
        if let Some(value) = values.get(name) {
            output.line(format!("\n{name}:\n{}", crate::config::to_yaml(value).trim_end()));
        }
    }
    Ok(Exit::Done)
}

/// Completions for a shell, on standard output.
pub(crate) fn completions(shell: Shell, mut command: Command) -> Exit {
    clap_complete::generate(shell, &mut command, "kentai", &mut std::io::stdout());
    Exit::Done
}

/// Manual pages: all of them into a directory, or the first on standard output.
pub(crate) fn man(directory: Option<&Path>) -> anyhow::Result<Exit> {
    let command = crate::Cli::command();
    match directory {
        Some(directory) => {
            std::fs::create_dir_all(directory)?;
            clap_mangen::generate_to(command, directory)?;
        }
        None => clap_mangen::Man::new(command).render(&mut std::io::stdout())?,
    }
    Ok(Exit::Done)
}

/// The page of a diagnostic's code.
pub(crate) fn explain(code: &str, output: Output) -> anyhow::Result<Exit> {
    let code = code.to_uppercase();
    if let Some(page) = kentai_workflows::explain::page(&code, output.language) {
        output.line(page.trim_end());
        return Ok(Exit::Done);
    }
    let near: Vec<&str> =
        kentai_workflows::explain::codes().into_iter().filter(|known| known.get(..2) == code.get(..2)).collect();
    Err(Stop::new(Exit::NotFound, format!("there is no code {code}; near it: {}", near.join(", "))).into())
}
