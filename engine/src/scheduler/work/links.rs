//! The readable view: links `samples/<specimen>/<run>/<step>.<name>` into the artifact store (an item's `/` becomes `@`). Only for people; nothing reads it back.

use std::io;
use std::path::{Path, PathBuf};

pub(in crate::scheduler) struct Work {
    /// `samples/`
    pub(in crate::scheduler) samples: PathBuf,
    pub(in crate::scheduler) specimen: String,
    pub(in crate::scheduler) run: String,
    /// Step key.
    pub(in crate::scheduler) step: String,
    /// Name → artifact, absolute.
    pub(in crate::scheduler) files: Vec<(String, PathBuf)>,
}

impl Work {
    /// Makes the links; those that are there stay. Blocking.
    pub(in crate::scheduler) fn done(&self) -> io::Result<()> {
        let relative = Path::new(&self.specimen).join(&self.run);
        let directory = self.samples.join(&relative);
        let step = self.step.replace('/', "@");
        if !directory.is_dir() {
            std::fs::create_dir_all(&directory)?;
        }
        // Relative links survive a site that is moved: up to the site's directory, then down into the store.
        let up: PathBuf = std::iter::repeat_n("..", relative.components().count() + 1).collect();
        let site = self.samples.parent().unwrap_or(Path::new("/"));
        for (name, artifact) in &self.files {
            let target = artifact.strip_prefix(site).map_or_else(|_| artifact.clone(), |inside| up.join(inside));
            match std::os::unix::fs::symlink(target, directory.join(format!("{step}.{name}"))) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
                _ => {}
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_lead_into_the_store_and_survive_being_made_twice() {
        let site = tempfile::tempdir().expect("a temporary directory");
        let artifact = site.path().join("artifacts/ab");
        std::fs::create_dir_all(site.path().join("artifacts")).expect("made");
        std::fs::write(&artifact, "content").expect("written");
        let work = Work {
            samples: site.path().join("samples"),
            specimen: "S1".into(),
            run: "r1".into(),
            step: "trim/L001".into(),
            files: vec![("reads.fq".into(), artifact)],
        };
        work.done().and_then(|()| work.done()).expect("linked twice");
        let read = std::fs::read_to_string(site.path().join("samples/S1/r1/trim@L001.reads.fq"));
        assert_eq!(read.ok().as_deref(), Some("content"));
    }
}
