//! `reference add|list|show|verify`: checksummed reference bundles of a site.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use kentai_engine::id::RunId;
use kentai_engine::scheduler::handle::{Submit, Submitted};
use kentai_engine::store::artifact::ArtifactStore;
use kentai_engine::view::{self, FileView};
use kentai_workflows::plan::{Priority, Specimen, is_id};
use kentai_workflows::value::{FileValue, Map};
use sha2::{Digest, Sha256};

use crate::client::Client;
use crate::command::{run, submit};
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::{BundleEntry, BundleFile, Site};
use crate::{access, assemble, intake, library, person};

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

/// Arguments of `reference add`.
#[derive(Args, Debug)]
pub(crate) struct Add {
    /// NAME@VERSION, as workflows will name it
    pub bundle: String,
    /// FASTA, plain or gzip
    pub fasta: PathBuf,
    /// Known sites (VCF), kept beside it as they are
    #[arg(long)]
    pub known_sites: Option<PathBuf>,
    /// Executor by name or kind
    #[arg(long)]
    pub executor: Option<String>,
}

impl Reference {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Add(add) => add.add(site, output).await,
            Self::List => Ok(list(site, output)),
            Self::Show { bundle } => show(site, &bundle, output),
            Self::Verify { bundle } => verify(site, bundle.as_deref(), output),
        }
    }
}

impl Add {
    /// Runs the shipped workflow over the FASTA, then registers its outputs whole.
    pub(crate) async fn add(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let (name, version) = self.names()?;
        let place = site.references().join(&self.bundle);
        if place.exists() {
            return Err(
                Stop::new(Exit::State, format!("bundle {} is here already: {}", self.bundle, place.display())).into()
            );
        }
        let submit = self.submission(&name)?;
        let (exit, submitted) = carry_out(site, submit, self.executor.as_deref(), output).await?;
        if exit != Exit::Done {
            return Ok(exit);
        }
        let run = submitted.runs.first().ok_or_else(|| Stop::new(Exit::Unexpected, "the submission has no run"))?;
        let files = outputs(site, run).await?;
        register(site, &place, (&name, &version), &files, self.known_sites.as_deref())?;
        output.say(format!("bundle {} is registered: {}", self.bundle, place.display()));
        Ok(Exit::Done)
    }

    fn names(&self) -> anyhow::Result<(String, String)> {
        let parts = self.bundle.split_once('@').filter(|(name, version)| is_id(name) && is_id(version));
        let message = format!("`{}`: write it as NAME@VERSION with letters, digits and . _ -", self.bundle);
        parts
            .map(|(name, version)| (name.to_owned(), version.to_owned()))
            .ok_or_else(|| Stop::new(Exit::Usage, message).into())
    }

    fn submission(&self, name: &str) -> anyhow::Result<Submit> {
        let path = std::path::absolute(&self.fasta)?;
        let facts = std::fs::metadata(&path)
            .map_err(|error| Stop::new(Exit::NotFound, format!("{}: {error}", path.display())))?;
        let file = FileValue {
            name: path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
            path: Some(path.to_string_lossy().into_owned()),
            sha256: None,
            size: Some(facts.len()),
            bundle: None,
            dir: false,
        };
        let specimen = Specimen {
            id: name.to_owned(),
            values: Map::from_iter([("fasta".to_owned(), file.to_value())]),
            participant: None,
            barcode: None,
            consent: None,
            priority: Priority::Routine,
            checksums: Vec::new(),
        };
        let stamp = format!("{} {}", facts.len(), std::os::unix::fs::MetadataExt::mtime_nsec(&facts));
        Ok(Submit {
            path: "reference_bundle".into(),
            source: library::text("reference_bundle").unwrap_or_default().into(),
            called: BTreeMap::new(),
            specimens: vec![(specimen, stamp)],
            params: BTreeMap::new(),
        })
    }
}

/// Through the site's server when one answers, else by an engine of our own.
async fn carry_out(
    site: &Site,
    submit: Submit,
    executor: Option<&str>,
    output: Output,
) -> anyhow::Result<(Exit, Submitted)> {
    if let Some(client) = Client::connect(&site.socket()).await? {
        let submitted = client.submit(&submit).await?;
        return Ok((submit::wait(&client, &submitted).await?, submitted));
    }
    let engine = assemble::engine(site, executor, false).await?;
    let me = person::me(&site.config, &site.directory);
    match engine.handle.submit(submit, &me).await {
        Ok(submitted) => {
            let exit = run::finish(engine, &submitted, None, Output { json: false, ..output }).await?;
            Ok((exit, submitted))
        }
        Err(refusal) => {
            engine.stop().await?;
            Err(run::refused(refusal))
        }
    }
}

async fn outputs(site: &Site, run: &RunId) -> anyhow::Result<Vec<FileView>> {
    let detail = view::run(&access::reader(site).await?, run).await?;
    let steps = detail.map(|detail| detail.steps).unwrap_or_default();
    Ok(steps.into_iter().flat_map(|step| step.outputs.into_values().flatten()).collect())
}

/// Makes the bundle beside its place and renames it: it is there whole or not at all.
fn register(
    site: &Site,
    place: &Path,
    (name, version): (&str, &str),
    files: &[FileView],
    known_sites: Option<&Path>,
) -> anyhow::Result<()> {
    let store = ArtifactStore::open(&site.directory)?;
    std::fs::create_dir_all(site.references())?;
    let temporary = site.references().join(format!(".{name}@{version}.partial"));
    if temporary.exists() {
        std::fs::remove_dir_all(&temporary)?;
    }
    std::fs::create_dir(&temporary)?;
    let mut entries = Vec::new();
    for file in files {
        let sha256 = file.sha256.clone().unwrap_or_default();
        copy(&store.path_of(&sha256, false), &temporary.join(&file.name))?;
        let entry = BundleEntry { name: file.name.clone(), role: None, size: file.size.unwrap_or(0), sha256 };
        // bwa finds its index beside the FASTA: both roles name it.
        if file.name.ends_with(".fa") {
            entries.extend(["fasta", "bwa"].map(|role| BundleEntry { role: Some(role.into()), ..entry.clone() }));
        } else {
            entries.push(entry);
        }
    }
    if let Some(sites) = known_sites {
        entries.push(add_known_sites(sites, &temporary)?);
    }
    let bundle = BundleFile { name: name.to_owned(), version: version.to_owned(), files: entries };
    let mut document = File::create(temporary.join("bundle.json"))?;
    document.write_all(&serde_json::to_vec_pretty(&bundle)?)?;
    document.sync_all()?;
    File::open(&temporary)?.sync_all()?;
    std::fs::rename(&temporary, place)?;
    Ok(File::open(site.references())?.sync_all()?)
}

fn add_known_sites(sites: &Path, directory: &Path) -> anyhow::Result<BundleEntry> {
    let name = sites.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let target = directory.join(&name);
    copy(sites, &target)?;
    let (sha256, size) = checksum(&target)?;
    Ok(BundleEntry { name, role: Some("known_sites".into()), size, sha256 })
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut target = File::create_new(to)?;
    io::copy(&mut File::open(from)?, &mut target)?;
    target.sync_all()?;
    std::fs::set_permissions(to, std::os::unix::fs::PermissionsExt::from_mode(0o444))
}

fn checksum(path: &Path) -> io::Result<(String, u64)> {
    let (mut file, mut hash, mut size) = (File::open(path)?, Sha256::new(), 0);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let n = file.read(&mut buffer)?;
        if n == 0 {
            return Ok((intake::hex(&hash.finalize()), size));
        }
        hash.update(&buffer[..n]);
        size += n as u64;
    }
}

fn list(site: &Site, output: Output) -> Exit {
    let bundles = site.bundles();
    if output.json {
        let list: Vec<_> = bundles.iter().map(|(name, bundle)| serde_json::json!({ "bundle": name, "directory": bundle.directory, "roles": bundle.roles })).collect();
        output.json(&list);
    } else if bundles.is_empty() {
        output.say("no bundles; add one with kentai reference add NAME@VERSION FASTA");
    } else {
        let rows = bundles.into_iter().map(|(name, bundle)| {
            vec![name, bundle.roles.into_keys().collect::<Vec<_>>().join(", "), bundle.directory]
        });
        output.line(table(&["bundle", "roles", "directory"], rows));
    }
    Exit::Done
}

fn read(site: &Site, bundle: &str) -> anyhow::Result<(PathBuf, BundleFile)> {
    let named = bundle.split_once('@').is_some_and(|(name, version)| is_id(name) && is_id(version));
    let directory = site.references().join(bundle);
    if !named || !directory.is_dir() {
        return Err(
            Stop::new(Exit::NotFound, format!("there is no bundle `{bundle}`; see `kentai reference list`")).into()
        );
    }
    let document = BundleFile::read(&directory)?;
    Ok((directory, document))
}

fn show(site: &Site, bundle: &str, output: Output) -> anyhow::Result<Exit> {
    let (_, document) = read(site, bundle)?;
    if output.json {
        output.json(&document);
    } else {
        let rows = document
            .files
            .into_iter()
            .map(|file| vec![file.name, file.role.unwrap_or_default(), file.size.to_string(), file.sha256]);
        output.line(table(&["file", "role", "bytes", "sha256"], rows));
    }
    Ok(Exit::Done)
}

fn verify(site: &Site, bundle: Option<&str>, output: Output) -> anyhow::Result<Exit> {
    let names: Vec<String> = bundle.map_or_else(|| site.bundles().into_keys().collect(), |name| vec![name.to_owned()]);
    let mut wrong = 0;
    for name in names {
        let (directory, document) = read(site, &name)?;
        for file in document.files {
            let found = checksum(&directory.join(&file.name)).map(|(sha256, _)| sha256);
            let good = found.as_ref().is_ok_and(|sha256| *sha256 == file.sha256);
            wrong += usize::from(!good);
            let verdict = match found {
                _ if good => "ok".to_owned(),
                Ok(sha256) => format!("WRONG: it is {sha256}"),
                Err(error) => format!("WRONG: {error}"),
            };
            output.line(format!("{name}/{}: {verdict}", file.name));
        }
    }
    Ok(if wrong == 0 { Exit::Done } else { Exit::CheckFailed })
}
