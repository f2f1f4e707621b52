//! Deliveries as GA4GH DRS 1.5 shows them: a file is an object; a specimen, its deliveries and their folders are bundles in each other.
//!
//! What is not open to the asker at this hour is not there. It does not know HTTP, nor how a link is signed.

mod bundle;
mod holder;
mod id;
mod object;

pub use holder::holder;
pub use object::{AccessMethod, Authorizations, Checksum, Content, Object};

use sha2::{Digest as _, Sha256};

use crate::audit::hex;
use crate::clock::Micros;
use crate::handoff::{bag, name};
use crate::people::permission::{Action, Principal, permit};
use crate::store::read::Reader;
use crate::store::rows::{self, PackageFile};
use crate::view::center::{Refused, missing};
use crate::view::{offer, time};
use bundle::Node;
use id::Id;
use object::ACCESS_ID;

/// Whoever asks, where, and when.
pub struct Asker<'a> {
    /// What is stored.
    pub reader: &'a Reader,
    /// Who.
    pub who: &'a Principal,
    /// What time it is.
    pub now: Micros,
    /// The host that they asked, without its port: a DRS URI has none.
    pub host: &'a str,
}

/// One object. `expand` fills the contents of bundles within bundles.
///
/// # Errors
/// When the asker is no receiver, or has no open delivery with this object.
pub async fn object(asker: &Asker<'_>, id: &str, expand: bool) -> Result<Object, Refused> {
    let unknown = || missing("object", id);
    match Id::parse(id) {
        Some(Id::File(sha256)) => {
            let (_, file) = asker.file(sha256).await?.ok_or_else(unknown)?;
            Ok(Object::file(&file, asker.host))
        }
        Some(Id::Delivery(manifest)) => {
            let open = asker.delivery(manifest).await?.ok_or_else(unknown)?;
            let specimen = asker.specimen(&open.row.specimen_id).await?;
            let aliases = vec![open.row.delivery_id.to_string(), specimen.id.clone()];
            let created = time(open.created_us);
            Ok(Object { aliases, ..Object::bundle(&open.node(), created, asker.host, expand) })
        }
        Some(Id::Folder(manifest)) => {
            let open = asker.delivery(manifest).await?.ok_or_else(unknown)?;
            let root = open.node();
            let found = root.find(id).ok_or_else(unknown)?;
            Ok(Object::bundle(found, time(open.created_us), asker.host, expand))
        }
        Some(Id::Specimen(newest)) => {
            let open = asker.delivery(newest).await?.ok_or_else(unknown)?;
            let node = asker.specimen(&open.row.specimen_id).await?;
            // Another delivery came or went: what this id named is not there any more.
            let node = Some(node).filter(|node| node.id == id).ok_or_else(unknown)?;
            let aliases = vec![open.row.specimen_id.clone()];
            Ok(Object { aliases, ..Object::bundle(&node, time(open.created_us), asker.host, expand) })
        }
        None => {
            asker.center()?;
            Err(unknown())
        }
    }
}

/// Where the bytes of an object lie: a path beneath the center's own address.
///
/// # Errors
/// When there is no such object, or no such way to its bytes.
pub async fn place(asker: &Asker<'_>, id: &str, access: &str) -> Result<String, Refused> {
    let found = match Id::parse(id) {
        Some(Id::File(sha256)) => asker.file(sha256).await?,
        _ => {
            asker.center()?;
            None
        }
    };
    let (delivery, file) = found.ok_or_else(|| missing("object", id))?;
    if access != ACCESS_ID {
        return Err(missing("access method", access));
    }
    Ok(format!("/deliveries/{delivery}/{}", name::address(&file.path)))
}

/// A delivery that its asker may fetch now.
struct Open {
    row: rows::Delivery,
    folder: String,
    created_us: Micros,
    files: Vec<PackageFile>,
}

impl Open {
    fn node(&self) -> Node {
        bundle::delivery(&self.folder, &self.row.manifest_sha256, &self.files)
    }
}

impl Asker<'_> {
    /// The data center that asks. Whoever may not is told so whatever they ask for, before anything is looked up.
    fn center(&self) -> Result<&str, Refused> {
        let allowed = permit(self.who, Action::ReadDelivery, None).is_ok();
        self.who.data_center.as_deref().filter(|_| allowed).ok_or_else(|| {
            let name = &self.who.name;
            Refused::NotAllowed(format!(
                "{name} may not do this: objects are fetched by the data centers that they are for"
            ))
        })
    }

    /// The newest open delivery that holds these bytes, and the file in it.
    async fn file(&self, sha256: &str) -> Result<Option<(String, PackageFile)>, Refused> {
        let center = self.center()?;
        for (delivery, path) in self.reader.offered_with(sha256, center).await? {
            if self.may(&delivery).await?.is_some()
                && let Some(file) = self.reader.package_file(&delivery, &path).await?
            {
                return Ok(Some((delivery, file)));
            }
        }
        Ok(None)
    }

    /// The newest open delivery with this manifest.
    async fn delivery(&self, manifest: &str) -> Result<Option<Open>, Refused> {
        let center = self.center()?;
        for (delivery, path) in self.reader.offered_with(manifest, center).await? {
            if path == bag::MANIFEST_SHA256
                && let Some(open) = self.open(&delivery).await?
            {
                return Ok(Some(open));
            }
        }
        Ok(None)
    }

    /// Everything of a specimen that is open to the asker.
    async fn specimen(&self, specimen: &str) -> Result<Node, Refused> {
        let center = self.center()?;
        let mut open = Vec::new();
        for delivery in self.reader.deliveries_to(center, specimen).await? {
            open.extend(self.open(&delivery).await?);
        }
        let newest = open.last().map(|open| open.row.manifest_sha256.clone()).unwrap_or_default();
        let parts: Vec<Node> = open.iter().map(Open::node).collect();
        let mut ids: Vec<&str> = parts.iter().map(|part| part.id.as_str()).collect();
        ids.sort_unstable();
        let id = Id::specimen(&newest, &hex(&Sha256::digest(ids.join("\n"))));
        Ok(Node::bundle(specimen, id, parts))
    }

    async fn open(&self, delivery: &str) -> Result<Option<Open>, Refused> {
        let Some(seen) = self.may(delivery).await? else { return Ok(None) };
        let Some(row) = self.reader.delivery(delivery).await? else { return Ok(None) };
        let files = self.reader.package_files(delivery).await?;
        Ok(Some(Open { row, folder: seen.folder().to_owned(), created_us: seen.record.created_us, files }))
    }

    /// None when it is not theirs, or not to be had now.
    async fn may(&self, delivery: &str) -> Result<Option<offer::Seen>, Refused> {
        match offer::fetchable(self.reader, self.who, delivery, self.now).await {
            Ok(seen) => Ok(Some(seen)),
            Err(Refused::NotFound(_) | Refused::Gone(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }
}
