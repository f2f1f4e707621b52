//! `reference add|list|show|verify`: checksummed reference bundles of a site.

mod add;
mod bundle;

use std::collections::BTreeMap;
use std::path::PathBuf;

use clap::Subcommand;
use kentai_engine::people::permission::Action;
use kentai_workflows::plan::is_id;

pub(crate) use add::Add;

use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::{BundleFile, Site};

/// Reference bundles.
#[derive(Subcommand, Debug)]
pub(crate) enum Reference {
    /// Index a FASTA and register the bundle as NAME@VERSION
    Add(Add),
    /// List bundles
    List,
    /// Show the files of a bundle
    Show {
        /// NAME@VERSION
        bundle: String,
    },
    /// Compare every file of one bundle, or of all, with its checksum
    Verify {
        /// NAME@VERSION
        bundle: Option<String>,
    },
}

impl Reference {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        access::no_stranger(site, Action::ReadSelf)?;
        match self {
            Self::Add(add) => add.add(site, output).await,
            Self::List => Ok(list(site, output)),
            Self::Show { bundle } => show(site, &bundle, output),
            Self::Verify { bundle } => verify(site, bundle.as_deref(), output),
        }
    }
}

/// `NAME@VERSION` taken apart.
fn names(bundle: &str) -> Option<(&str, &str)> {
    bundle.split_once('@').filter(|(name, version)| is_id(name) && is_id(version))
}

fn list(site: &Site, output: Output) -> Exit {
    let bundles = site.bundles();
    if output.json {
        let one = |(name, bundle): (&String, &kentai_workflows::site::Bundle)| serde_json::json!({ "bundle": name, "directory": bundle.directory, "roles": bundle.roles });
        output.json(&bundles.iter().map(one).collect::<Vec<_>>());
    } else if bundles.is_empty() {
        output.say("no bundles; next: kentai reference add NAME@VERSION FASTA");
    } else {
        let rows = bundles.into_iter().map(|(name, bundle)| {
            let roles: Vec<String> = bundle.roles.into_keys().collect();
            vec![name, roles.join(", "), bundle.directory]
        });
        output.line(table(&["bundle", "roles", "directory"], rows));
    }
    Exit::Done
}

fn read(site: &Site, bundle: &str) -> anyhow::Result<(PathBuf, BundleFile)> {
    let directory = site.references().join(bundle);
    if names(bundle).is_none() || !directory.is_dir() {
        let message = format!("there is no bundle `{}`; see `kentai reference list`", bundle.escape_debug());
        return Err(Stop::new(Exit::NotFound, message).into());
    }
    let broken = |error| Stop::new(Exit::CheckFailed, format!("bundle {bundle} has no readable bundle.json: {error}"));
    let document = BundleFile::read(&directory).map_err(broken)?;
    Ok((directory, document))
}

fn show(site: &Site, bundle: &str, output: Output) -> anyhow::Result<Exit> {
    let (directory, document) = read(site, bundle)?;
    if output.json {
        output.json(&document);
    } else {
        output.line(directory.display().to_string());
        let rows = document
            .files
            .into_iter()
            .map(|file| vec![file.name, file.role.unwrap_or_default(), file.size.to_string(), file.sha256]);
        output.line(table(&["file", "role", "bytes", "sha256"], rows));
    }
    Ok(Exit::Done)
}

fn verify(site: &Site, bundle: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let bundles: Vec<String> =
        bundle.map_or_else(|| site.bundles().into_keys().collect(), |name| vec![name.to_owned()]);
    let (mut all, mut found) = (0, Vec::new());
    for name in bundles {
        let (directory, document) = read(site, &name)?;
        // A file with two roles is one file.
        let files: BTreeMap<_, _> = document.files.into_iter().map(|file| (file.name, file.sha256)).collect();
        for (file, promised) in files {
            let real = bundle::checksum(&directory.join(&file)).map(|(sha256, _)| sha256);
            let verdict = match real {
                Ok(real) if real == promised => "ok".to_owned(),
                Ok(real) => format!("WRONG: it is {real}"),
                Err(error) => format!("WRONG: {error}"),
            };
            all += 1;
            if !output.json {
                output.line(format!("{name}/{file}: {verdict}"));
            }
            found.push((name.clone(), file, verdict));
        }
    }
    let wrong = found.iter().filter(|(.., verdict)| verdict != "ok").count();
    if output.json {
        let one = |(bundle, file, verdict): &(String, String, String)| serde_json::json!({ "bundle": bundle, "file": file, "ok": verdict == "ok", "found": verdict });
        output.json(&found.iter().map(one).collect::<Vec<_>>());
    }
    output.say(format!("{all} file(s), {wrong} wrong"));
    Ok(if wrong == 0 { Exit::Done } else { Exit::CheckFailed })
}
