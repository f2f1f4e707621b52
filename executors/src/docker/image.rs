//! Which image a name means today, pulled when it is not here. One pull per image at a time.

use bollard::Docker;
use bollard::query_parameters::CreateImageOptionsBuilder;
use futures_util::StreamExt;
use kentai_engine::port::executor::Error;

use super::DockerExecutor;
use super::credentials;
use super::failure::Failure;

/// A registry may think for a while before the first byte of a pull.
const PULL_TIMEOUT_S: u64 = 600;

impl DockerExecutor {
    pub(super) async fn resolve_image(&self, image: &str) -> Result<String, Error> {
        if !is_reference(image) {
            return Err(missing(image, "it is not the name of an image"));
        }
        let docker = self.client().map_err(|failure| self.error(failure))?;
        if let Some(found) = self.look(&docker, image).await? {
            return Ok(found);
        }
        if image.starts_with("sha256:") {
            return Err(missing(image, "an image id cannot be pulled; load it on this host (`docker load`)"));
        }
        let _only = self.lock(&self.pulls, image).lock().await;
        if let Some(found) = self.look(&docker, image).await? {
            return Ok(found);
        }
        self.pull(image).await?;
        let found = self.look(&docker, image).await?;
        found.ok_or_else(|| missing(image, "it was pulled and is still not here"))
    }

    async fn look(&self, docker: &Docker, image: &str) -> Result<Option<String>, Error> {
        match docker.inspect_image(image).await.map_err(Failure::from) {
            // Asked by digest or id: it is what it says, or it would not have been found.
            Ok(_) if image.starts_with("sha256:") || image.contains("@sha256:") => Ok(Some(image.to_owned())),
            Ok(found) => {
                let repository = repository(image);
                let digests = found.repo_digests.unwrap_or_default();
                let own = digests.into_iter().find(|digest| {
                    digest.split_once('@').is_some_and(|(name, _)| familiar(name) == familiar(repository))
                });
                match own.or(found.id) {
                    Some(name) => Ok(Some(name)),
                    None => Err(Error::Other(format!("Docker knows `{image}` and gives no id"))),
                }
            }
            Err(Failure::Refused { status: 404, .. }) => Ok(None),
            Err(failure) => Err(self.error(failure)),
        }
    }

    async fn pull(&self, image: &str) -> Result<(), Error> {
        let docker = self.client_with(PULL_TIMEOUT_S).map_err(|failure| self.error(failure))?;
        // Without a tag the daemon would pull every one of them.
        let reference = if has_tag(image) { image.to_owned() } else { format!("{image}:latest") };
        let options = CreateImageOptionsBuilder::default().from_image(&reference).build();
        let mut progress = std::pin::pin!(docker.create_image(Some(options), None, credentials::find(image)));
        while let Some(step) = progress.next().await {
            if let Err(error) = step {
                let said = match error {
                    bollard::errors::Error::DockerStreamError { error } => error,
                    other => Failure::from(other).to_string(),
                };
                return Err(missing(
                    image,
                    &format!(
                        "{said}; check its name and the registry's sign-in, or load it on this host (`docker load`)"
                    ),
                ));
            }
        }
        Ok(())
    }
}

fn missing(image: &str, reason: &str) -> Error {
    Error::Image { image: image.to_owned(), reason: reason.to_owned() }
}

/// The name goes into a request's path: only what a reference may hold.
fn is_reference(image: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-/:@".contains(&byte);
    !image.is_empty() && !image.contains("..") && !image.starts_with('/') && image.bytes().all(allowed)
}

fn has_tag(image: &str) -> bool {
    image.contains('@') || image.rsplit('/').next().is_some_and(|last| last.contains(':'))
}

/// A reference without its tag or digest.
fn repository(image: &str) -> &str {
    let image = image.split('@').next().unwrap_or(image);
    match image.rsplit_once(':') {
        Some((name, tag)) if !tag.contains('/') => name,
        _ => image,
    }
}

/// Docker Hub's images have a long and a short spelling.
fn familiar(repository: &str) -> &str {
    let short = repository.strip_prefix("docker.io/").unwrap_or(repository);
    short.strip_prefix("library/").unwrap_or(short)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_taken_apart() {
        for (image, wanted) in [
            ("ubuntu", "ubuntu"),
            ("ubuntu:22.04", "ubuntu"),
            ("localhost:5000/tools/bwa", "localhost:5000/tools/bwa"),
            ("localhost:5000/tools/bwa:1", "localhost:5000/tools/bwa"),
            ("quay.io/bwa@sha256:ab", "quay.io/bwa"),
        ] {
            assert_eq!(repository(image), wanted);
        }
        assert!(has_tag("a:1") && has_tag("a@sha256:1") && !has_tag("localhost:5000/a"));
        assert_eq!(familiar("docker.io/library/ubuntu"), familiar("ubuntu"));
    }

    #[test]
    fn what_could_lead_a_request_elsewhere_is_no_reference() {
        for image in ["", "../containers/json", "a b", "a?x=1", "/a", "a#b", "日本"] {
            assert!(!is_reference(image), "{image}");
        }
    }
}
