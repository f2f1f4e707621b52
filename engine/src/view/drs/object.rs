//! Objects as they are sent: the words of DRS 1.5, `DrsObject` and what it is made of.

use serde::Serialize;

use super::bundle::{Node, portable};
use super::id::Id;
use crate::store::rows::PackageFile;
use crate::view::time;

/// The one way to a file's bytes. Its address is given by `/access` alone and counts for minutes: an object may be kept for years.
pub(super) const ACCESS_ID: &str = "https";

/// `DrsObject`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Object {
    /// Its id.
    pub id: String,
    /// As it may be called on a disk.
    pub name: String,
    /// `drs://HOST/ID`
    pub self_uri: String,
    /// Bytes; of a bundle, of all that it holds.
    pub size: u64,
    /// RFC 3339.
    pub created_time: String,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mime_type: Option<&'static str>,
    /// Of the bytes as served; of a bundle over its members' checksums.
    pub checksums: Vec<Checksum>,
    /// Of a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub access_methods: Option<Vec<AccessMethod>>,
    /// Of a bundle.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Vec<Content>>,
    /// For people.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<&'static str>,
    /// A delivery's id and that of its specimen's bundle; a specimen's own id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub aliases: Vec<String>,
}

/// `Checksum`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checksum {
    /// Lowercase hex.
    pub checksum: String,
    /// `sha-256`, `md5`.
    #[serde(rename = "type")]
    pub kind: &'static str,
}

/// `AccessMethod`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AccessMethod {
    /// `https`
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What `/access` is asked with.
    pub access_id: &'static str,
    /// It needs no thawing.
    pub available: bool,
    /// How `/access` is asked.
    pub authorizations: Authorizations,
}

/// `Authorizations`: the same for every object, there or not, so that they tell nothing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authorizations {
    /// Of this object.
    pub drs_object_id: String,
    /// What may be shown.
    pub supported_types: Vec<&'static str>,
}

/// `ContentsObject`
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Content {
    /// In the bundle.
    pub name: String,
    /// Its id.
    pub id: String,
    /// `drs://HOST/ID`
    pub drs_uri: Vec<String>,
    /// Of a bundle, when the asker wants all at once.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contents: Option<Vec<Content>>,
}

impl Authorizations {
    /// A bearer token, and nothing else.
    #[must_use]
    pub fn of(id: &str) -> Self {
        Self { drs_object_id: id.to_owned(), supported_types: vec!["BearerAuth"] }
    }
}

impl Object {
    /// A file as it is served.
    pub(super) fn file(row: &PackageFile, host: &str) -> Self {
        let id = Id::file(&row.sha256);
        let encrypted = (!row.header.is_empty())
            .then_some("encrypted with Crypt4GH; size and checksums are of the encrypted bytes");
        let method = AccessMethod {
            kind: "https",
            access_id: ACCESS_ID,
            available: true,
            authorizations: Authorizations::of(&id),
        };
        Self {
            name: portable(row.path.rsplit('/').next().unwrap_or_default()),
            self_uri: uri(host, &id),
            size: u64::try_from(row.size).unwrap_or(0),
            created_time: time(row.created_us),
            mime_type: Some("application/octet-stream"),
            checksums: checksums(&row.sha256, &row.md5),
            access_methods: Some(vec![method]),
            contents: None,
            description: encrypted,
            aliases: Vec::new(),
            id,
        }
    }

    /// A bundle, offered since `created` (RFC 3339).
    pub(super) fn bundle(node: &Node, created: String, host: &str, expand: bool) -> Self {
        Self {
            id: node.id.clone(),
            name: node.name.clone(),
            self_uri: uri(host, &node.id),
            size: node.size,
            created_time: created,
            mime_type: None,
            checksums: checksums(&node.sha256, &node.md5),
            access_methods: None,
            contents: Some(contents(node, host, expand)),
            description: None,
            aliases: Vec::new(),
        }
    }
}

fn contents(node: &Node, host: &str, expand: bool) -> Vec<Content> {
    let content = |node: &Node| Content {
        name: node.name.clone(),
        id: node.id.clone(),
        drs_uri: vec![uri(host, &node.id)],
        contents: (expand && node.contents.is_some()).then(|| contents(node, host, true)),
    };
    node.contents.iter().flatten().map(content).collect()
}

fn checksums(sha256: &str, md5: &str) -> Vec<Checksum> {
    let of = |kind, checksum: &str| Checksum { checksum: checksum.to_owned(), kind };
    vec![of("sha-256", sha256), of("md5", md5)]
}

fn uri(host: &str, id: &str) -> String {
    format!("drs://{host}/{id}")
}
