//! Carrying a package to its target.

use std::sync::Arc;

use crate::port::courier::{Carried, Courier, Entry, Error, Package, Parcel, Piece};
use crate::store::artifact::ArtifactStore;
use crate::store::rows::PackageFile;

pub(in crate::scheduler) struct Work {
    pub(in crate::scheduler) courier: Arc<dyn Courier>,
    pub(in crate::scheduler) package: Package,
    /// What it was packed from.
    pub(in crate::scheduler) parcel: Parcel,
    pub(in crate::scheduler) target: String,
}

impl Work {
    pub(in crate::scheduler) async fn done(&self) -> Result<Carried, Error> {
        self.courier.carry(&self.package).await
    }
}

/// The package of these rows.
pub(in crate::scheduler) fn package(
    delivery: &str,
    folder: &str,
    rows: &[PackageFile],
    artifacts: &ArtifactStore,
) -> Package {
    let entries = rows.iter().map(|row| entry(row, artifacts)).collect();
    Package { delivery: delivery.to_owned(), folder: folder.to_owned(), entries }
}

/// A file of a package with its bytes.
pub(crate) fn entry(row: &PackageFile, artifacts: &ArtifactStore) -> Entry {
    let size = u64::try_from(row.size).unwrap_or(0);
    let header = crate::audit::unhex_any(&row.header).unwrap_or_default();
    let pieces = if row.artifact.is_empty() {
        vec![Piece::Bytes(row.content.as_bytes().into())]
    } else if header.is_empty() {
        vec![Piece::File { path: artifacts.path_of(&row.artifact, false), size, artifact: row.artifact.clone() }]
    } else {
        let path = artifacts.encrypted_path(&row.artifact);
        let size = size.saturating_sub(header.len() as u64);
        vec![Piece::Bytes(header.into()), Piece::File { path, size, artifact: row.artifact.clone() }]
    };
    Entry { path: row.path.clone(), size, sha256: row.sha256.clone(), md5: row.md5.clone(), pieces }
}
