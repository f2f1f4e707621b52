//! Packages to be offered: written with the pure functions, their checksums by `sha256sum` and `md5sum`.

use std::collections::BTreeMap;
use std::fs;

use anyhow::{Context as _, Result};
use kentai_engine::audit::checkpoint::Secret;
use kentai_engine::handoff::bag::info::Info;
use kentai_engine::handoff::delivery::{Consent, Delivered, Document, Plain};
use kentai_engine::handoff::offer::{Detail, Entry, Offer};
use kentai_engine::handoff::{File, bag};
use kentai_tests::tool;

/// One delivery as it is served.
#[derive(Clone)]
pub(super) struct Package {
    /// By path within the package.
    pub files: BTreeMap<String, Vec<u8>>,
    pub detail: Detail,
}

/// What goes into one.
pub(super) struct Recipe<'a> {
    pub delivery: &'a str,
    pub participant: &'a str,
    pub uses: &'a [&'a str],
    pub consent: &'a str,
    pub payload: Vec<(&'a str, Vec<u8>, Option<Plain>)>,
    pub secret: Option<Secret>,
    /// Seconds after the first one.
    pub made: i64,
}

impl Default for Recipe<'_> {
    fn default() -> Self {
        let payload = vec![("S1.cram", noise(1, 300_000), None), ("qc/S1.json", b"{}\n".to_vec(), None)];
        let (delivery, participant, uses) = ("d1", "P1", &["research_domestic"] as &[&str]);
        let secret = Some(center_key());
        Self { delivery, participant, uses, consent: "given", payload, secret, made: 0 }
    }
}

/// The key that the tests' center signs with.
pub(super) fn center_key() -> Secret {
    Secret::from_bytes(&[7; 32])
}

/// Bytes that nothing compresses and that are the same every time.
pub(super) fn noise(seed: u64, bytes: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut noise = Vec::with_capacity(bytes + 8);
    while noise.len() < bytes {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    noise.truncate(bytes);
    noise
}

/// What `sha256sum` and `md5sum` say.
pub(super) fn digests(bytes: &[u8]) -> Result<(String, String)> {
    let directory = tempfile::tempdir()?;
    fs::write(directory.path().join("x"), bytes)?;
    let ask = |program: &str| -> Result<String> {
        let told = tool(program, &["x"], directory.path())?;
        Ok(told.split(' ').next().context("a digest")?.to_owned())
    };
    Ok((ask("sha256sum")?, ask("md5sum")?))
}

/// What is within an encrypted file.
pub(super) fn plain(bytes: &[u8]) -> Result<Plain> {
    let (sha256, md5) = digests(bytes)?;
    Ok(Plain { size: bytes.len() as u64, sha256, md5 })
}

impl Package {
    pub(super) fn of(recipe: Recipe<'_>) -> Result<Self> {
        let mut payload = Vec::new();
        let mut delivered = Vec::new();
        let mut files = BTreeMap::new();
        let mut plains = BTreeMap::new();
        for (name, bytes, within) in recipe.payload {
            let (sha256, md5) = digests(&bytes)?;
            let (size, name) = (bytes.len() as u64, name.to_owned());
            payload.push(File { name: name.clone(), size_bytes: size, sha256: sha256.clone(), md5: md5.clone() });
            plains.insert(format!("data/{name}"), within.clone());
            files.insert(format!("data/{name}"), bytes);
            delivered.push(Delivered { name, size, sha256, md5, plain: within, ..Delivered::default() });
        }
        let scopes = recipe.uses.iter().map(|it| (*it).to_owned()).collect::<Vec<_>>();
        let consent = Consent { scopes: scopes.clone(), status: Some(recipe.consent.into()), ..Consent::default() };
        let document = Document {
            delivery: recipe.delivery.into(),
            specimen: "S1".into(),
            participant: Some(recipe.participant.into()),
            consent: Some(consent),
            files: delivered,
            ..Document::at(1_700_000_000_000_000 + recipe.made * 1_000_000)
        };
        let text = document.write().into_bytes();
        let (sha256, md5) = digests(&text)?;
        payload.push(File { name: "delivery.json".into(), size_bytes: text.len() as u64, sha256, md5 });
        files.insert("data/delivery.json".into(), text);
        let info = Info {
            source_organization: "center".into(),
            external_identifier: recipe.delivery.into(),
            ..Info::default()
        };
        let mut tags = bag::write(&payload, &info, None)?;
        if let Some(secret) = &recipe.secret {
            tags.push(bag::sign(&tags, secret).context("a tag manifest")?);
        }
        files.extend(tags.into_iter().map(|tag| (tag.name.to_owned(), tag.text.into_bytes())));
        let mut entries = Vec::new();
        for (path, bytes) in &files {
            let (sha256, md5) = digests(bytes)?;
            let url = format!("/deliveries/{}/{path}", recipe.delivery);
            let plain = plains.get(path).cloned().flatten();
            let size = bytes.len() as u64;
            entries.push(Entry { path: path.clone(), url, size, sha256, md5, plain, ..Entry::default() });
        }
        let manifest = entries.iter().find(|entry| entry.path == bag::MANIFEST_SHA256).context("a manifest")?;
        let offer = Offer {
            delivery: recipe.delivery.into(),
            folder: format!("S1_{}", recipe.delivery),
            specimen: "S1".into(),
            participant: Some(recipe.participant.into()),
            uses: scopes,
            offered: "2026-11-26T00:00:00Z".into(),
            size: entries.iter().map(|entry| entry.size).sum(),
            files: entries.len() as u64,
            manifest_sha256: manifest.sha256.clone(),
            url: format!("/deliveries/{}/", recipe.delivery),
            ..Offer::default()
        };
        Ok(Self { files, detail: Detail { offer, entries } })
    }

    pub(super) fn small() -> Result<Self> {
        Self::of(Recipe::default())
    }

    /// With one file of so many bytes.
    pub(super) fn large(seed: u64, bytes: usize) -> Result<Self> {
        let payload = vec![("S1.cram", noise(seed, bytes), None), ("S1.vcf.gz", noise(seed + 1, bytes / 8), None)];
        Self::of(Recipe { payload, ..Recipe::default() })
    }

    pub(super) fn bytes(&self) -> u64 {
        self.detail.bytes()
    }
}
