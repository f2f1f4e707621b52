//! `kentai init DIR`: a new site with a commented site file.

use std::fs::{DirBuilder, File};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;

use crate::config;
use crate::exit::{Exit, Stop};
use crate::output::Output;

/// Directories of a site (docs/operating/site.md).
const PARTS: [&str; 8] = ["artifacts", "attempts", "samples", "logs", "locks", "deliveries", "references", "run"];
/// Container names have room for no more.
const NAME: usize = 40;

/// Arguments of `init`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai init /srv/kentai --name tokyo-1
  kentai init .kentai")]
pub(crate) struct Init {
    /// Directory; made when it is not there
    directory: PathBuf,
    /// Site name, part of container names (a-z, 0-9, -); default: the directory's
    #[arg(long, value_parser = site_name)]
    name: Option<String>,
}

fn site_name(text: &str) -> Result<String, String> {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if text.is_empty() || text.len() > NAME || !text.bytes().all(fits) {
        return Err(format!("use lowercase letters, digits and `-`, at most {NAME}"));
    }
    Ok(text.to_owned())
}

impl Init {
    /// Makes the site; one that is there is left alone.
    pub(crate) fn make(self, output: Output) -> anyhow::Result<Exit> {
        let name = self.name.clone().unwrap_or_else(|| named_after(&self.directory));
        let file = make(&self.directory, &name)?;
        let directory = self.directory.display();
        if output.json {
            output.json(&serde_json::json!({ "site": name, "directory": self.directory, "file": file }));
        }
        output.say(format!("made the site `{name}`; look through {} first", file.display()));
        for verb in ["doctor", "reference add NAME@VERSION FASTA", "serve"] {
            output.say(format!("next: kentai --site {directory} {verb}"));
        }
        Ok(Exit::Done)
    }
}

/// Makes a site of this name with the sample file; gives the file's path.
pub(crate) fn make(directory: &Path, name: &str) -> anyhow::Result<PathBuf> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700);
    let at = |path: &Path| format!("make {}", path.display());
    builder.create(directory).with_context(|| at(directory))?;
    let path = directory.join("kentai.yaml");
    let mut file = match File::options().write(true).create_new(true).mode(0o600).open(&path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            let message = format!("{} is there already; it was not changed", path.display());
            return Err(Stop::new(Exit::State, message).into());
        }
        opened => opened.with_context(|| at(&path))?,
    };
    // Quoted: a name of digits is text all the same.
    let text = config::SAMPLE.replacen("site: kentai  ", &format!("site: \"{name}\"  "), 1);
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).with_context(|| at(&path))?;
    for part in PARTS {
        let part = directory.join(part);
        builder.create(&part).with_context(|| at(&part))?;
    }
    Ok(path)
}

/// The directory's name, made fit for container names.
fn named_after(directory: &Path) -> String {
    let absolute: PathBuf = std::path::absolute(directory).unwrap_or_else(|_| directory.to_owned());
    let name = absolute.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    let fit = |c: char| if c.is_ascii_lowercase() || c.is_ascii_digit() { c } else { '-' };
    let fit: String = name.chars().map(fit).take(NAME).collect();
    let fit = fit.trim_matches('-');
    if fit.is_empty() { "kentai".to_owned() } else { fit.to_owned() }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::site::Site;

    #[test]
    fn a_new_site_can_be_opened_and_is_its_owners_only() {
        let parent = tempfile::tempdir().expect("a temporary directory");
        let directory = parent.path().join("2026");
        make(&directory, "2026").expect("made");
        let site = Site::open(&directory).expect("the sample is a good site file");
        assert_eq!((site.config.site.as_str(), site.origin.of("site")), ("2026", "kentai.yaml"));
        let mode = std::fs::metadata(&directory).expect("there").permissions().mode() & 0o777;
        assert_eq!(mode, 0o700);
        assert!(make(&directory, "other").is_err());
        assert_eq!(Site::open(&directory).expect("unchanged").config.site, "2026");
    }

    #[test]
    fn a_site_is_named_after_its_directory() {
        assert_eq!(named_after(Path::new("/srv/Tokyo_1")), "tokyo-1");
        assert_eq!(named_after(Path::new("/srv/.kentai")), "kentai");
        assert_eq!(named_after(Path::new("/srv/検体")), "kentai");
        assert!(site_name("a b").is_err() && site_name("").is_err() && site_name("tokyo-1").is_ok());
    }
}
