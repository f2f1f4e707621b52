//! `pull link`: genomes and phenopackets of the same pseudonyms, as an index and as a list.

use std::path::{Path, PathBuf};

use kentai_engine::store;
use serde_json::json;
use tokio::task::block_in_place;

use super::Place;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain, table};
use crate::pull::Failure;
use crate::pull::link::{Index, Participant};
use crate::whole_file;

/// Name of the index in the pull directory.
const INDEX: &str = "link.jsonl";

/// Arguments of `pull link`.
#[derive(clap::Args, Debug)]
pub(crate) struct Link {
    /// Phenopackets v2: a directory of *.json and *.jsonl, or one such file
    phenopackets: PathBuf,
    /// Only participants whose consent allows this use
    #[arg(long = "use", value_name = "USE")]
    wanted_use: Option<String>,
    /// Where the index is written; link.jsonl in the pull directory otherwise
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// The list as a table too
    #[arg(long, value_name = "FILE.csv")]
    csv: Option<PathBuf>,
    /// The index as an SQLite database too
    #[arg(long, value_name = "FILE.sqlite")]
    sqlite: Option<PathBuf>,
}

impl Link {
    pub(super) async fn run(self, path: &Path, output: Output) -> anyhow::Result<Exit> {
        let place = Place::open(path)?;
        let index = block_in_place(|| Index::make(&place.directory, &self.phenopackets)).map_err(Stop::from)?;
        let out = self.out.clone().unwrap_or_else(|| PathBuf::from(place.directory.place(INDEX)));
        let fail = |path: &Path, error: &std::io::Error| Stop::from(Failure::disk(&path.display().to_string(), error));
        whole_file::replace(&out, index.lines()?.as_bytes()).map_err(|error| fail(&out, &error))?;
        if let Some(file) = &self.sqlite {
            let made = whole_file::beside(file).map_err(|error| fail(file, &error))?;
            store::index::write(made.path(), &index.rows()).await?;
            whole_file::put(file, made).map_err(|error| fail(file, &error))?;
        }
        let allowed = |one: &&Participant| self.wanted_use.as_ref().is_none_or(|wanted| one.uses.contains(wanted));
        let listed: Vec<&Participant> = index.participants.iter().filter(allowed).collect();
        if let Some(file) = &self.csv {
            let text = csv_text(&listed)?;
            whole_file::replace(file, &text).map_err(|error| fail(file, &error))?;
        }
        if output.json {
            output.json(&json!({ "participants": listed, "bad": index.bad, "notes": index.notes }));
        } else if !listed.is_empty() {
            output.line(table(
                &["participant", "has", "deliveries", "records", "uses"],
                listed.iter().map(|one| row(one)),
            ));
        }
        output.say(format!(
            "{} of {} participants; the index: {}",
            listed.len(),
            index.participants.len(),
            out.display()
        ));
        for note in &index.notes {
            output.say(plain(note));
        }
        for bad in &index.bad {
            let line = bad.line.map_or_else(String::new, |line| format!(", line {line}"));
            output.say(plain(&format!("{}{line}: {}", bad.file, bad.why)));
        }
        Ok(if index.bad.is_empty() { Exit::Done } else { Exit::CheckFailed })
    }
}

fn row(one: &Participant) -> Vec<String> {
    let uses = match &one.why_none {
        Some(why) => format!("none: {why}"),
        None => one.uses.join(" "),
    };
    let (deliveries, records) = (one.deliveries.len().to_string(), one.records.len().to_string());
    vec![one.participant.clone(), one.has.word().to_owned(), deliveries, records, uses]
}

fn csv_text(listed: &[&Participant]) -> anyhow::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["participant", "has", "uses", "deliveries", "folders", "phenopackets"])?;
    for one in listed {
        let joined = |parts: Vec<&str>| parts.join(" ");
        writer.write_record([
            one.participant.as_str(),
            one.has.word(),
            &one.uses.join(" "),
            &joined(one.deliveries.iter().map(|it| it.delivery.as_str()).collect()),
            &joined(one.deliveries.iter().filter_map(|it| it.folder.as_deref()).collect()),
            &joined(one.records.iter().map(|it| it.id.as_str()).collect()),
        ])?;
    }
    Ok(writer.into_inner()?)
}
