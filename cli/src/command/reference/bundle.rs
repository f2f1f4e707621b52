//! Making a bundle: files and `bundle.json` in a directory beside its place, synced and renamed. It is there whole or not at all.

use std::fs::{DirBuilder, File};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::path::Path;

use anyhow::Context as _;
use kentai_engine::store::artifact::ArtifactStore;
use kentai_engine::view::FileView;
use rustix::fs::{CWD, FlockOperation, RenameFlags};
use sha2::{Digest, Sha256};

use crate::exit::{Exit, Stop};
use crate::intake::hex;
use crate::site::{BundleEntry, BundleFile, Site};

/// A bundle to be.
pub(super) struct Bundle<'a> {
    pub(super) site: &'a Site,
    pub(super) place: &'a Path,
    pub(super) name: &'a str,
    pub(super) version: &'a str,
}

impl Bundle<'_> {
    /// Registers the files that the workflow made, with known sites if there are some.
    pub(super) fn register(&self, files: &[FileView], known_sites: Option<&Path>) -> anyhow::Result<BundleFile> {
        let references = self.site.references();
        DirBuilder::new().recursive(true).mode(0o755).create(&references)?;
        let _lock = only_one(&references)?;
        let partial = references.join(format!(".{}@{}.partial", self.name, self.version));
        // What a call left that died here is not trusted.
        if partial.exists() {
            std::fs::remove_dir_all(&partial)?;
        }
        DirBuilder::new().mode(0o755).create(&partial)?;
        let mut entries = self.made(files, &partial)?;
        if let Some(sites) = known_sites {
            entries.extend(self.known_sites(sites, &partial)?);
        }
        let document = BundleFile { name: self.name.into(), version: self.version.into(), files: entries };
        let mut file = File::create_new(partial.join("bundle.json"))?;
        file.write_all(&serde_json::to_vec_pretty(&document)?)?;
        file.sync_all()?;
        File::open(&partial)?.sync_all()?;
        rustix::fs::renameat_with(CWD, &partial, CWD, self.place, RenameFlags::NOREPLACE)
            .with_context(|| format!("give the bundle its place {}", self.place.display()))?;
        File::open(&references)?.sync_all()?;
        Ok(document)
    }

    fn made(&self, files: &[FileView], directory: &Path) -> anyhow::Result<Vec<BundleEntry>> {
        let store = ArtifactStore::open(&self.site.directory)?;
        let mut entries = Vec::new();
        for file in files {
            let promised = file.sha256.as_deref().unwrap_or_default();
            let source = store.open_read(promised).with_context(|| format!("open artifact {promised}"))?;
            let (sha256, size) = copy(source, &directory.join(&file.name))?;
            if sha256 != promised {
                let message = format!("artifact {promised} ({}) does not have its checksum any more", file.name);
                return Err(Stop::new(Exit::CheckFailed, message).into());
            }
            let entry = BundleEntry { name: file.name.clone(), role: None, size, sha256 };
            // bwa finds its index beside the FASTA: both roles name it.
            if file.name.ends_with(".fa") {
                entries.extend(["fasta", "bwa"].map(|role| BundleEntry { role: Some(role.into()), ..entry.clone() }));
            } else {
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// Under names of our own: what somebody called the file must not meet another one here.
    fn known_sites(&self, sites: &Path, directory: &Path) -> anyhow::Result<Vec<BundleEntry>> {
        let packed = sites.to_string_lossy().ends_with(".gz");
        let name = if packed { "known_sites.vcf.gz" } else { "known_sites.vcf" };
        let mut entries = vec![entry(sites, directory, name.to_owned(), Some("known_sites"))?];
        for index in ["tbi", "csi", "idx"] {
            let mut beside = sites.as_os_str().to_owned();
            beside.push(format!(".{index}"));
            if Path::new(&beside).is_file() {
                entries.push(entry(Path::new(&beside), directory, format!("{name}.{index}"), None)?);
            }
        }
        Ok(entries)
    }
}

fn entry(from: &Path, directory: &Path, name: String, role: Option<&str>) -> anyhow::Result<BundleEntry> {
    let source = File::open(from).with_context(|| format!("open {}", from.display()))?;
    let (sha256, size) = copy(source, &directory.join(&name))?;
    Ok(BundleEntry { name, role: role.map(str::to_owned), size, sha256 })
}

/// Two calls at once would write into one directory.
fn only_one(references: &Path) -> anyhow::Result<File> {
    let lock = File::options().create(true).append(true).open(references.join(".lock"))?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| {
        Stop::new(Exit::State, "another `kentai reference add` is registering a bundle at this moment: try again")
    })?;
    Ok(lock)
}

/// Copies durably; gives checksum and size of what was written.
fn copy(mut from: File, to: &Path) -> io::Result<(String, u64)> {
    let mut target = File::create_new(to)?;
    let found = hashed(&mut from, |bytes| target.write_all(bytes))?;
    target.set_permissions(std::fs::Permissions::from_mode(0o444))?;
    target.sync_all()?;
    Ok(found)
}

/// Checksum and size of a file.
pub(super) fn checksum(path: &Path) -> io::Result<(String, u64)> {
    hashed(&mut File::open(path)?, |_| Ok(()))
}

fn hashed(from: &mut File, mut each: impl FnMut(&[u8]) -> io::Result<()>) -> io::Result<(String, u64)> {
    let (mut hash, mut size, mut buffer) = (Sha256::new(), 0, vec![0; 1 << 20]);
    loop {
        match from.read(&mut buffer)? {
            0 => return Ok((hex(&hash.finalize()), size)),
            n => {
                hash.update(&buffer[..n]);
                size += n as u64;
                each(&buffer[..n])?;
            }
        }
    }
}
