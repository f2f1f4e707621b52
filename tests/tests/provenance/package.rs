//! A whole package of a real delivery, written to a folder with the engine's own documents: one file plain, one encrypted.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use kentai_engine::audit::checkpoint::{Checkpoint, Public, Secret};
use kentai_engine::audit::hex;
use kentai_engine::handoff::bag::info::Info;
use kentai_engine::handoff::crypt4gh::Nonce;
use kentai_engine::handoff::crypt4gh::header::header_for;
use kentai_engine::handoff::crypt4gh::key::{DataKey, SecretKey};
use kentai_engine::handoff::crypt4gh::stream::Sealing;
use kentai_engine::handoff::delivery::{self, Delivered, Document, Plain};
use kentai_engine::handoff::{File, bag, qc};
use kentai_engine::id::RunId;
use kentai_engine::port::courier::Parcel;
use kentai_engine::provenance::{self, Center, Engine, ro_crate};
use kentai_engine::store::read::Reader;
use kentai_engine::view::provenance::{Ask, description, texts};
use kentai_tests::house::sha256;
use md5::{Digest as _, Md5};

/// A package in a folder of its own.
pub(super) struct Package {
    directory: tempfile::TempDir,
    pub(super) key: Public,
    /// Whom the encrypted file is for.
    pub(super) receiver: SecretKey,
}

impl Package {
    /// The folder.
    pub(super) fn place(&self) -> PathBuf {
        self.directory.path().join("package")
    }

    /// Beside the folder.
    pub(super) fn beside(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Every file of it, by its path.
    pub(super) fn files(&self) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for folder in [self.place(), self.place().join("data")] {
            for entry in std::fs::read_dir(folder)? {
                found.push(entry?.path());
            }
        }
        found.retain(|path| path.is_file());
        found.sort();
        Ok(found)
    }

    /// The package of a run's first delivery, signed with `secret`.
    pub(super) async fn of(reader: &Reader, run: &RunId, secret: &Secret, audit: Option<Checkpoint>) -> Result<Self> {
        let rows = reader.deliveries_of(run.as_str()).await?;
        let row = rows.first().context("a delivery")?;
        let parcel: Parcel = serde_json::from_str(&row.parcel)?;
        let receiver = SecretKey::new(&[9; 32]);
        let mut payload = BTreeMap::new();
        let (mut listed, mut told) = (Vec::new(), Vec::new());
        for (file, number) in parcel.files.iter().zip(0..) {
            let plain = std::fs::read(&file.source)?;
            let within = Plain { size: plain.len() as u64, sha256: sha256(&plain), md5: md5(&plain) };
            let encrypts = number > 0;
            let (name, bytes) = if encrypts {
                (format!("{}.c4gh", file.name), encrypted(&plain, &receiver)?)
            } else {
                (file.name.clone(), plain)
            };
            let File { name, size_bytes: size, sha256, md5 } = measured(&name, &bytes);
            let one = Delivered { name, size, sha256, md5, plain: encrypts.then_some(within), ..Delivered::default() };
            told.push(describes(&one.name, &bytes, Some(file.sha256.clone())));
            payload.insert(one.name.clone(), bytes);
            listed.push(one);
        }
        let document = Document {
            delivery: row.delivery_id.to_string(),
            sender: "house".into(),
            receiver: row.target.clone(),
            recipient_key: Some("5f".into()),
            specimen: row.specimen_id.clone(),
            run: run.to_string(),
            files: listed,
            audit,
            ..Document::at(row.created_us)
        };
        let quality = qc::Document {
            delivery: document.delivery.clone(),
            specimen: document.specimen.clone(),
            ..qc::Document::default()
        };
        for (name, text) in [(delivery::NAME, document.write()), (qc::NAME, quality.write())] {
            told.push(describes(name, text.as_bytes(), None));
            payload.insert(name.to_owned(), text.into_bytes());
        }
        for text in texts(reader, run, row.created_us).await? {
            payload.insert(text.name, text.text.into_bytes());
        }
        let ask = Ask {
            run: run.clone(),
            until_us: row.created_us,
            delivery: document.delivery.clone(),
            title: format!("Delivery {}", document.delivery),
            description: "What a test gave away.".into(),
            at_us: row.created_us,
            license: "https://center.example/terms".into(),
            center: Center { name: "house".into(), url: None },
            engine: Engine::this(),
            files: told,
            given: Vec::new(),
        };
        payload.insert(ro_crate::NAME.into(), ro_crate::write(&description(reader, ask).await?)?.into_bytes());
        let package = Self { directory: tempfile::tempdir()?, key: secret.public(), receiver };
        write(&package.place(), &payload, &document, secret)?;
        Ok(package)
    }
}

fn write(place: &Path, payload: &BTreeMap<String, Vec<u8>>, document: &Document, secret: &Secret) -> Result<()> {
    std::fs::create_dir_all(place.join("data"))?;
    for (name, bytes) in payload {
        std::fs::write(place.join("data").join(name), bytes)?;
    }
    let files: Vec<File> = payload.iter().map(|(name, bytes)| measured(name, bytes)).collect();
    let info = Info {
        source_organization: "house".into(),
        bagging_date: "2026-11-25".parse()?,
        external_identifier: document.delivery.clone(),
        internal_sender_identifier: Some(document.run.clone()),
        ..Info::default()
    };
    let mut tags = bag::write(&files, &info, None)?;
    tags.push(bag::sign(&tags, secret).context("a tag manifest")?);
    for tag in tags {
        std::fs::write(place.join(tag.name), tag.text)?;
    }
    Ok(())
}

fn md5(bytes: &[u8]) -> String {
    hex(&Md5::digest(bytes))
}

fn measured(name: &str, bytes: &[u8]) -> File {
    File { name: name.into(), size_bytes: bytes.len() as u64, sha256: sha256(bytes), md5: md5(bytes) }
}

fn describes(name: &str, bytes: &[u8], artifact: Option<String>) -> provenance::Delivered {
    provenance::Delivered {
        name: name.into(),
        size_bytes: bytes.len() as u64,
        sha256: sha256(bytes),
        format: if name.ends_with(".json") { "application/json" } else { "application/octet-stream" }.into(),
        description: String::new(),
        artifact,
    }
}

fn nonces() -> impl FnMut() -> Nonce {
    let mut count = 0_u64;
    move || {
        count += 1;
        let mut nonce = [3; 12];
        nonce[..8].copy_from_slice(&count.to_le_bytes());
        nonce
    }
}

fn encrypted(plain: &[u8], receiver: &SecretKey) -> Result<Vec<u8>> {
    let key = DataKey::new(&[5; 32]);
    let header = header_for(&key, &receiver.public(), &SecretKey::new(&[8; 32]), nonces())?;
    let mut body = Sealing::new(Vec::new(), &key, nonces());
    body.write_all(plain)?;
    Ok([header, body.finish()?].concat())
}
