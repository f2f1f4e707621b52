//! `kentai init DIR`: a new site with a commented site file.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::config;
use crate::exit::{Exit, Stop};
use crate::output::Output;

/// Makes the site; one that is there is left alone.
pub(crate) fn init(directory: &Path, name: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let file = directory.join("kentai.yaml");
    if file.exists() {
        return Err(Stop::new(Exit::State, format!("{} is there already; it was not changed", file.display())).into());
    }
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    let name = match name {
        Some(name) => name.to_owned(),
        None => named_after(directory),
    };
    std::fs::write(&file, config::SAMPLE.replace("site: kentai  ", &format!("site: {name}  ")))?;
    // Read back at once: a name that is none is said now and not at the first run.
    if let Err(error) = crate::site::Site::open(directory) {
        std::fs::remove_file(&file)?;
        return Err(anyhow::Error::from(error).context(Stop::new(Exit::Usage, "cannot use this name")));
    }
    output.say(format!("made the site `{name}`: {}", file.display()));
    let site = directory.display();
    output.say(format!("next: kentai --site {site} doctor\n      kentai --site {site} reference add NAME@VERSION FASTA\n      kentai --site {site} serve"));
    Ok(Exit::Done)
}

/// The directory's name, made fit for container names.
fn named_after(directory: &Path) -> String {
    let absolute: PathBuf = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let name = absolute.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let fit: String =
        name.chars().map(|c| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' }).take(40).collect();
    let fit = fit.trim_matches('-');
    if fit.is_empty() { "kentai".to_owned() } else { fit.to_owned() }
}
