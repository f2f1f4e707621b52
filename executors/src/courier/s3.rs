//! A target that is a prefix of an S3 bucket: each file is an object beneath `<prefix>/<folder>/`, the signature comes last.
//!
//! What is there already is compared and never overwritten; large files go up in parts and are taken up where they were left.
//! The key that it is given needs no right to delete objects. It does not know who reads them, nor what is in them.

mod answer;
mod client;
mod keys;
mod multipart;
mod object;

use std::collections::BTreeMap;
use std::path::PathBuf;

use kentai_engine::port::BoxFuture;
use kentai_engine::port::courier::{Carried, Courier, Entry, Error, Package};
use rusty_s3::{Bucket, UrlStyle};

use super::turns::Turns;
use super::{check_names, in_sending_order, is_safe};
use answer::Upload;
use client::{Client, Failure};

/// How the bucket's name gets into an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// `https://endpoint/bucket/key`.
    Path,
    /// `https://bucket.endpoint/key`.
    VirtualHost,
}

/// How it is made sure that what arrived is what was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verify {
    /// By the SHA-256 that the server computed; where it tells none, by reading the object back.
    Checksums,
    /// Every object is read back and hashed here.
    Read,
}

/// What a courier to a bucket has to know.
#[derive(Clone, Debug)]
pub struct Options {
    /// Name of the target at this site.
    pub target: String,
    /// `https://host[:port]`; `http` only to this machine itself.
    pub endpoint: String,
    /// How the bucket is addressed.
    pub style: Style,
    /// Region that requests are signed for.
    pub region: String,
    /// Bucket; it must be there.
    pub bucket: String,
    /// Folders before the package's own, without `/` around them; empty: none.
    pub prefix: String,
    /// File of mode 0600 with `aws_access_key_id = …` and `aws_secret_access_key = …`, read whenever a package is carried.
    pub credentials: PathBuf,
    /// PEM file of the only authorities that the endpoint may be certified by; none: those of this machine.
    pub authorities: Option<PathBuf>,
    /// How what arrived is compared.
    pub verify: Verify,
}

/// Carries packages into one bucket.
pub struct S3Courier {
    options: Options,
    http: reqwest::Client,
    bucket: Bucket,
    turns: Turns,
}

impl S3Courier {
    /// A courier for this bucket. Nothing is sent yet.
    ///
    /// # Errors
    /// When an option cannot be meant, and why.
    pub fn new(options: Options) -> Result<Self, String> {
        let endpoint = options.endpoint.parse().map_err(|_| format!("`{}` is no address", options.endpoint))?;
        client::check_endpoint(&endpoint)?;
        if let Some(part) = options.prefix.split('/').find(|part| !is_safe(part) && !options.prefix.is_empty()) {
            return Err(format!("the prefix has `{}`, which is not a safe name", part.escape_debug()));
        }
        if !is_safe(&options.bucket) {
            return Err(format!("`{}` is no name of a bucket", options.bucket.escape_debug()));
        }
        let style = match options.style {
            Style::Path => UrlStyle::Path,
            Style::VirtualHost => UrlStyle::VirtualHost,
        };
        let bucket = Bucket::new(endpoint, style, options.bucket.clone(), options.region.clone());
        let bucket = bucket.map_err(|error| format!("the endpoint cannot be used: {error}"))?;
        let http = client::http(options.authorities.as_deref())?;
        Ok(Self { options, http, bucket, turns: Turns::new() })
    }
}

impl Courier for S3Courier {
    fn carry<'a>(&'a self, package: &'a Package) -> BoxFuture<'a, Result<Carried, Error>> {
        Box::pin(async move {
            check_names(package)?;
            let _turn = self.turns.take(&package.folder).await;
            let keys = keys::read(&self.options.credentials).map_err(|reason| self.unreachable(reason))?;
            let client = Client::new(self.http.clone(), self.bucket.clone(), keys);
            Carrier { options: &self.options, client, package }.carry().await
        })
    }
}

impl S3Courier {
    fn unreachable(&self, reason: String) -> Error {
        Error::Unreachable { target: self.options.target.clone(), reason }
    }
}

/// One package on its way.
struct Carrier<'a> {
    options: &'a Options,
    client: Client,
    package: &'a Package,
}

impl Carrier<'_> {
    async fn carry(&self) -> Result<Carried, Error> {
        let entries = in_sending_order(self.package);
        // All of it before the first byte: where another package lies, nothing of this one comes beside it.
        let missing = self.missing(&entries).await?;
        let mut uploads = self.uploads().await?;
        for entry in &missing {
            let ours = uploads.remove(&self.key(entry)).unwrap_or_default();
            self.put(entry, ours).await?;
            if !self.is_same(entry, &self.head(entry).await?.unwrap_or_default()).await? {
                return Err(self.unreachable(format!("{} is not there as it was sent", self.key(entry))));
            }
        }
        for (key, uploads) in uploads {
            self.abort(&key, &uploads).await?;
        }
        Ok(Carried { place: self.place(&self.folder()) })
    }

    /// The files that are not there yet.
    async fn missing<'e>(&self, entries: &[&'e Entry]) -> Result<Vec<&'e Entry>, Error> {
        let there = self.client.objects(&self.folder()).await;
        let there = there.map_err(|failure| self.failed("list what is there", failure))?;
        if let Some(key) = there.iter().find(|key| !entries.iter().any(|entry| self.key(entry) == **key)) {
            return Err(Error::Conflict { place: self.place(key) });
        }
        let mut missing = Vec::new();
        for entry in entries {
            match self.head(entry).await? {
                None => missing.push(*entry),
                Some(head) if self.is_same(entry, &head).await? => {}
                Some(_) => return Err(self.conflict(entry)),
            }
        }
        Ok(missing)
    }

    /// Uploads beneath the folder that nobody completed, by their key.
    async fn uploads(&self) -> Result<BTreeMap<String, Vec<Upload>>, Error> {
        let found = self.client.uploads(&self.folder()).await;
        let mut uploads: BTreeMap<String, Vec<Upload>> = BTreeMap::new();
        for upload in found.map_err(|failure| self.failed("list unfinished uploads", failure))? {
            uploads.entry(upload.key.clone()).or_default().push(upload);
        }
        Ok(uploads)
    }

    async fn abort(&self, key: &str, uploads: &[Upload]) -> Result<(), Error> {
        for upload in uploads {
            match self.client.abort(key, &upload.id).await {
                Ok(()) => {}
                // Somebody else ended it meanwhile.
                Err(failure) if failure.status() == Some(404) => {}
                Err(failure) => return Err(self.failed(&format!("abort an upload of {key}"), failure)),
            }
        }
        Ok(())
    }

    /// The key of the package's folder, with the `/` at its end.
    fn folder(&self) -> String {
        let prefix = if self.options.prefix.is_empty() { String::new() } else { format!("{}/", self.options.prefix) };
        format!("{prefix}{}/", self.package.folder)
    }

    fn key(&self, entry: &Entry) -> String {
        self.folder() + &entry.path
    }

    fn place(&self, key: &str) -> String {
        format!("s3://{}/{key}", self.options.bucket)
    }

    fn conflict(&self, entry: &Entry) -> Error {
        Error::Conflict { place: self.place(&self.key(entry)) }
    }

    fn failed(&self, what: &str, failure: Failure) -> Error {
        self.unreachable(format!("{what}: {}", failure.into_reason(self.options)))
    }

    fn unreachable(&self, reason: String) -> Error {
        Error::Unreachable { target: self.options.target.clone(), reason }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options() -> Options {
        Options {
            target: "dc2".into(),
            endpoint: "https://s3.example.org".into(),
            style: Style::Path,
            region: "eu-west-1".into(),
            bucket: "inbox".into(),
            prefix: "from/center".into(),
            credentials: "secrets/dc2".into(),
            authorities: None,
            verify: Verify::Checksums,
        }
    }

    fn refused(change: impl Fn(&mut Options)) -> bool {
        let mut options = options();
        change(&mut options);
        S3Courier::new(options).is_err()
    }

    #[test]
    fn an_address_that_nobody_can_mean_is_refused() {
        assert!(!refused(|_| ()) && !refused(|options| options.prefix.clear()));
        assert!(!refused(|options| options.endpoint = "http://127.0.0.1:9000".into()));
        assert!(!refused(|options| options.endpoint = "http://[::1]:9000".into()));
        for prefix in ["/from", "from/", "a//b", "../b", "a/./b"] {
            assert!(refused(|options| options.prefix = prefix.into()), "{prefix}");
        }
        for endpoint in
            ["", "s3.example.org", "ftp://s3.example.org", "http://s3.example.org", "https://key:secret@s3.example.org"]
        {
            assert!(refused(|options| options.endpoint = endpoint.into()), "{endpoint}");
        }
        assert!(refused(|options| options.bucket = "../other".into()));
        assert!(refused(|options| options.authorities = Some("/nowhere".into())));
    }

    #[test]
    fn the_bucket_is_in_the_path_or_in_the_host() {
        let url = |style| {
            let courier = S3Courier::new(Options { style, ..options() }).unwrap_or_else(|reason| panic!("{reason}"));
            courier.bucket.object_url("from/center/f/bagit.txt").to_string()
        };
        assert_eq!(url(Style::Path), "https://s3.example.org/inbox/from/center/f/bagit.txt");
        assert_eq!(url(Style::VirtualHost), "https://inbox.s3.example.org/from/center/f/bagit.txt");
    }
}
