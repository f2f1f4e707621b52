//! Images as the cluster has them: asked of the runtime where the engine runs (a login node sees what nodes see, or the center's image
//! folder does).

use std::ffi::OsString;
use std::path::PathBuf;

use kentai_engine::port::executor::Error;

use super::{Runtime, SlurmExecutor, runtime, sha256};

impl SlurmExecutor {
    /// The id that an image's name means now.
    pub(super) async fn resolve_image(&self, image: &str) -> Result<String, Error> {
        let runtime = self.options.runtime;
        if runtime == Runtime::None {
            return Ok(image.to_owned());
        }
        if runtime.image_files() {
            return self.resolve_file(image).await;
        }
        let args = ["image", "inspect", "--format", "{{.Id}}", image].map(OsString::from).to_vec();
        let said = self.controller.asked(runtime.program(), args).await;
        let id = said.map_err(|error| {
            self.no_image(image, format!("{error}; load or pull it on this machine and on the nodes"))
        })?;
        let id = id.out.trim();
        Ok(if id.starts_with("sha256:") { id.to_owned() } else { format!("sha256:{id}") })
    }

    async fn resolve_file(&self, image: &str) -> Result<String, Error> {
        let folder = self.options.images.clone().unwrap_or_else(|| PathBuf::from("/"));
        let path = runtime::image_file(&folder, image);
        let read = path.clone();
        let bytes = tokio::task::spawn_blocking(move || std::fs::read(read).map(|bytes| sha256(&bytes))).await;
        let found = bytes.unwrap_or_else(|error| Err(std::io::Error::other(error)));
        match found {
            // The file is what runs, so its name stays part of what is locked.
            Ok(digest) => Ok(format!("{image}@sha256:{digest}")),
            Err(error) => Err(self.no_image(
                image,
                format!(
                    "{} cannot be read ({error}); build it there: {} build {0} docker://{image}",
                    path.display(),
                    self.options.runtime
                ),
            )),
        }
    }

    fn no_image(&self, image: &str, reason: String) -> Error {
        Error::Image { image: image.to_owned(), reason }
    }

    /// The runtime's version, for `ping`; empty without one.
    pub(super) async fn runtime_version(&self) -> Result<String, Error> {
        let program = self.options.runtime.program();
        if program.is_empty() {
            return Ok(String::new());
        }
        let said = self.controller.asked(program, vec!["--version".into()]).await.map_err(|error| {
            Error::Other(format!(
                "{error}; install {program} here and on the nodes, or correct `runtime:` of executor `{}`",
                self.options.name
            ))
        })?;
        Ok(format!(", {}", said.out.lines().next().unwrap_or(program).trim()))
    }
}
