//! `provenance export|verify`: what was done, as documents that others read; and whether a package is what its sender gave away.

mod export;
mod verify;

use std::path::Path;

use clap::Subcommand;

use crate::exit::Exit;
use crate::output::Output;
use crate::site::Site;

/// Which attempts, images, values and people stand behind a result.
#[derive(Subcommand, Debug)]
pub(crate) enum Provenance {
    /// Write what was done for a run, a specimen or a delivery as documents that others read
    Export(export::Export),
    /// Check a package that was handed off, offline; needs no site
    Verify(verify::Verify),
}

impl Provenance {
    pub(crate) async fn run(self, site: &Path, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Export(export) => export.write(&Site::open(site)?, output).await,
            Self::Verify(verify) => verify.run(output),
        }
    }
}
