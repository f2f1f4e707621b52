//! Packing: a parcel becomes a package, every byte of which is known before the first one leaves. What was packed before stays as it is.
//!
//! Files are read, compared with the checksums under which they were made, encrypted where the receiver wants it; the documents are
//! written around them. It carries nothing and moves nothing on.

use std::io;

use crate::audit::checkpoint::{Checkpoint, Secret, Stand};
use crate::clock::Micros;
use crate::handoff::bag::info::Info;
use crate::handoff::bag::{self, DATA};
use crate::handoff::crypt4gh::key::{PublicKey, SecretKey};
use crate::handoff::delivery::{self, Delivered, Document, Plain};
use crate::handoff::{File, qc};
use crate::id::RunId;
use crate::port::courier::{Error, Parcel, ParcelFile};
use crate::provenance::{self, Center, Engine, ro_crate};
use crate::scheduler::center::crypt4gh_key;
use crate::store::artifact::encrypted::{self, Encrypted};
use crate::store::artifact::{ArtifactStore, digest};
use crate::store::read::Reader;
use crate::store::rows::PackageFile;
use crate::view::provenance as view;

mod more;

/// Where this program is found.
const PROGRAM: &str = env!("CARGO_PKG_REPOSITORY");
/// Under which terms the receiver has a package, as far as the package knows.
const TERMS: &str = "For the receiver and the uses that consent covers, as delivery.json names them.";
/// Behind the name of an encrypted file.
const ENCRYPTED: &str = ".c4gh";

/// What is to be packed.
#[derive(Clone)]
pub(in crate::scheduler) struct Work {
    pub(in crate::scheduler) parcel: Parcel,
    pub(in crate::scheduler) run: RunId,
    pub(in crate::scheduler) target: String,
    /// Whose key it is encrypted for; none: plain.
    pub(in crate::scheduler) recipient: Option<PublicKey>,
    /// When the delivery was begun.
    pub(in crate::scheduler) begun_us: Micros,
}

/// What packing needs of the engine.
pub(in crate::scheduler) struct Tools {
    pub(in crate::scheduler) reader: Reader,
    pub(in crate::scheduler) artifacts: ArtifactStore,
    pub(in crate::scheduler) site: std::path::PathBuf,
    pub(in crate::scheduler) signer: Option<Secret>,
}

/// A file of the parcel, looked at.
struct Ready {
    row: PackageFile,
    plain: Option<Plain>,
}

impl Work {
    /// The package's files: those that were packed before, or new ones.
    pub(in crate::scheduler) async fn done(&self, tools: Tools) -> Result<Vec<PackageFile>, Error> {
        let unreadable = |error: crate::store::Error| self.unreachable(&error);
        let packed = tools.reader.package_files(&self.parcel.delivery).await.map_err(unreadable)?;
        if !packed.is_empty() {
            let is_gone =
                |row: &PackageFile| !row.artifact.is_empty() && !tools.artifacts.contains(&row.artifact, false);
            return match packed.iter().find(|row| is_gone(row)) {
                None => Ok(packed),
                Some(row) => Err(Error::Refused(format!(
                    "delivery {} was packed before, and its file {} is not here any more; `kentai handoff show` says why",
                    self.parcel.delivery, row.path
                ))),
            };
        }
        let (work, artifacts, site) = (self.clone(), tools.artifacts.clone(), tools.site.clone());
        let ready = tokio::task::spawn_blocking(move || work.ready(&artifacts, &site)).await;
        let ready = ready.unwrap_or_else(|panic| Err(self.unreachable(&format!("packing broke off: {panic}"))))?;
        self.written(ready, &tools).await
    }

    fn ready(&self, artifacts: &ArtifactStore, site: &std::path::Path) -> Result<Vec<Ready>, Error> {
        let key = match self.recipient {
            Some(_) => Some(crypt4gh_key(site).map_err(|error| self.unreachable(&error))?),
            None => None,
        };
        self.parcel.files.iter().map(|file| self.ready_file(file, artifacts, key.as_ref())).collect()
    }

    fn ready_file(
        &self,
        file: &ParcelFile,
        artifacts: &ArtifactStore,
        key: Option<&SecretKey>,
    ) -> Result<Ready, Error> {
        let corrupt = || Error::Corrupt { sha256: file.sha256.clone() };
        // A specimen's own file, which lies outside: what leaves must not change any more.
        if !artifacts.contains(&file.sha256, false) {
            match artifacts.import_copy(&file.source) {
                Ok(made) if made.sha256 == file.sha256 => {}
                Ok(_) => return Err(corrupt()),
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(corrupt()),
                Err(error) => return Err(self.unreachable(&error)),
            }
        }
        let mut source = match artifacts.open_read(&file.sha256) {
            Ok(source) => source,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Err(corrupt()),
            Err(error) => return Err(self.unreachable(&error)),
        };
        let plain = digest::digests(&mut source).map_err(|error| self.unreachable(&error))?;
        if plain.sha256 != file.sha256 || plain.size != file.size {
            return Err(corrupt());
        }
        let mut row = PackageFile {
            artifact: file.sha256.clone(),
            sha256: plain.sha256.clone(),
            md5: plain.md5.clone(),
            size: count(plain.size),
            ..self.row(&file.name)
        };
        let (Some(site), Some(recipient)) = (key, &self.recipient) else { return Ok(Ready { row, plain: None }) };
        let encrypted = encrypt(artifacts, &file.sha256, site, recipient).map_err(|error| self.unreachable(&error))?;
        let Encrypted { header, whole } = encrypted;
        row.path.push_str(ENCRYPTED);
        row.header = crate::audit::hex(&header);
        (row.size, row.sha256, row.md5) = (count(whole.size), whole.sha256, whole.md5);
        (row.plain_size, row.plain_md5) = (count(plain.size), plain.md5.clone());
        let plain = Plain { size: plain.size, sha256: plain.sha256, md5: plain.md5 };
        Ok(Ready { row, plain: Some(plain) })
    }

    fn row(&self, name: &str) -> PackageFile {
        PackageFile {
            delivery_id: self.parcel.delivery.as_str().into(),
            path: format!("{DATA}{name}"),
            size: 0,
            sha256: String::new(),
            md5: String::new(),
            artifact: String::new(),
            header: String::new(),
            plain_size: 0,
            plain_md5: String::new(),
            content: String::new(),
            created_us: self.begun_us,
        }
    }

    fn text(&self, path: &str, content: String) -> PackageFile {
        let digests = digest::digests(&mut content.as_bytes()).expect("memory can be read");
        PackageFile {
            path: path.to_owned(),
            size: count(digests.size),
            sha256: digests.sha256,
            md5: digests.md5,
            content,
            ..self.row("")
        }
    }

    fn document_row(&self, name: &str, content: String) -> PackageFile {
        self.text(&format!("{DATA}{name}"), content)
    }

    /// The documents around the files, and the tag files around everything.
    async fn written(&self, ready: Vec<Ready>, tools: &Tools) -> Result<Vec<PackageFile>, Error> {
        let store = |error: crate::store::Error| self.unreachable(&error);
        let more = more::More::read(self, &tools.reader).await.map_err(store)?;
        let mut document: Document = serde_json::from_value(self.parcel.document.clone())
            .map_err(|error| Error::Refused(format!("the parcel's document cannot be read: {error}")))?;
        document.files = ready.iter().map(delivered).collect();
        document.recipient_key = self.recipient.map(|key| crate::audit::hex(&key.0));
        document.audit = checkpoint(tools, self.begun_us).await.map_err(store)?;
        more.fill(&mut document);
        let quality = qc::Document {
            delivery: document.delivery.clone(),
            specimen: document.specimen.clone(),
            values: more.values.clone(),
            quality: document.quality.clone(),
            decisions: document.decisions.clone(),
            ..qc::Document::default()
        };
        let mut payload: Vec<PackageFile> = ready.into_iter().map(|ready| ready.row).collect();
        payload.push(self.document_row(delivery::NAME, document.write()));
        payload.push(self.document_row(qc::NAME, quality.write()));
        payload.push(self.document_row(qc::MULTIQC_NAME, quality.multiqc()));
        let described = |error: view::Error| self.unreachable(&error);
        for text in view::texts(&tools.reader, &self.run, self.begun_us).await.map_err(described)? {
            payload.push(self.document_row(&text.name, text.text));
        }
        let ask = self.ask(&document, &payload);
        let description = view::description(&tools.reader, ask).await.map_err(described)?;
        match ro_crate::write(&description) {
            Ok(text) => payload.push(self.document_row(ro_crate::NAME, text)),
            // A sheet's own files, and no tool: there is nothing to tell of.
            Err(crate::provenance::Error::NothingRan) => {}
            Err(error) => return Err(Error::Refused(error.to_string())),
        }
        let tags = self.tags(&payload, &document, tools.signer.as_ref())?;
        payload.extend(tags);
        payload.sort_by(|one, other| one.path.cmp(&other.path));
        Ok(payload)
    }

    fn ask(&self, document: &Document, payload: &[PackageFile]) -> view::Ask {
        let delivered = |row: &PackageFile| {
            let File { name, size_bytes, sha256, .. } = file(row);
            let format = format_of(&name).to_owned();
            let artifact = Some(row.artifact.clone()).filter(|artifact| !artifact.is_empty());
            provenance::Delivered { name, size_bytes, sha256, format, description: String::new(), artifact }
        };
        view::Ask {
            run: self.run.clone(),
            until_us: self.begun_us,
            delivery: document.delivery.clone(),
            title: format!("Delivery {} of specimen {}", document.delivery, document.specimen),
            description: format!("What workflow {} made of specimen {}.", document.workflow.id, document.specimen),
            at_us: self.begun_us,
            license: TERMS.into(),
            center: Center { name: document.sender.clone(), url: None },
            engine: Engine { version: env!("CARGO_PKG_VERSION").into(), url: PROGRAM.into() },
            files: payload.iter().map(delivered).collect(),
            given: Vec::new(),
        }
    }

    fn tags(
        &self,
        payload: &[PackageFile],
        document: &Document,
        signer: Option<&Secret>,
    ) -> Result<Vec<PackageFile>, Error> {
        let day = jiff::Timestamp::from_microsecond(self.begun_us).unwrap_or_default();
        let info = Info {
            source_organization: document.sender.clone(),
            external_description: Some(format!("Sequencing data of specimen {}", document.specimen)),
            bagging_date: day.to_zoned(jiff::tz::TimeZone::UTC).date(),
            external_identifier: self.parcel.delivery.clone(),
            internal_sender_identifier: document.order_line.clone().or_else(|| Some(self.run.to_string())),
            software_agent: Some(concat!("kentai ", env!("CARGO_PKG_VERSION")).into()),
        };
        let files: Vec<File> = payload.iter().map(file).collect();
        let mut tags = bag::write(&files, &info, None).map_err(|error| Error::Refused(error.to_string()))?;
        let signer = signer.ok_or_else(|| self.unreachable("the site's key signs a package, and it cannot be read"))?;
        tags.extend(bag::sign(&tags, signer));
        Ok(tags.into_iter().map(|tag| self.text(tag.name, tag.text)).collect())
    }

    fn unreachable(&self, reason: &(impl ToString + ?Sized)) -> Error {
        Error::Unreachable { target: self.target.clone(), reason: reason.to_string() }
    }
}

fn encrypt(
    artifacts: &ArtifactStore,
    sha256: &str,
    site: &SecretKey,
    recipient: &PublicKey,
) -> Result<Encrypted, encrypted::Error> {
    use rand::{RngCore as _, SeedableRng as _};
    // Cryptographically secure, and seeded by the machine.
    let mut generator = rand::rngs::StdRng::try_from_os_rng().map_err(io::Error::other)?;
    let mut random = |bytes: &mut [u8]| generator.fill_bytes(bytes);
    artifacts.encrypt(sha256, site, recipient, &mut random)
}

/// How the audit log stands, signed: by it either side can prove this delivery later.
async fn checkpoint(tools: &Tools, at_us: Micros) -> Result<Option<Checkpoint>, crate::store::Error> {
    let Some(signer) = &tools.signer else { return Ok(None) };
    let (events, head) = tools.reader.head().await?;
    Ok(Some(signer.sign(&Stand { events, head, at_us, sha256: String::new() })))
}

fn delivered(ready: &Ready) -> Delivered {
    let File { name, size_bytes, sha256, md5 } = file(&ready.row);
    let kind = name.trim_end_matches(ENCRYPTED).split_once('.').map_or("", |(_, kind)| kind).to_owned();
    Delivered { name, kind, size: size_bytes, sha256, md5, plain: ready.plain.clone() }
}

fn file(row: &PackageFile) -> File {
    File {
        name: row.path.strip_prefix(DATA).unwrap_or(&row.path).to_owned(),
        size_bytes: u64::try_from(row.size).unwrap_or(0),
        sha256: row.sha256.clone(),
        md5: row.md5.clone(),
    }
}

/// Media type of a file, by its name.
pub(crate) fn format_of(name: &str) -> &'static str {
    match name.rsplit('.').next() {
        Some("json") => "application/json",
        Some("yaml") => "application/yaml",
        Some("txt" | "csv" | "tsv") => "text/plain",
        Some("html") => "text/html",
        Some("gz") => "application/gzip",
        _ => "application/octet-stream",
    }
}

fn count(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}
