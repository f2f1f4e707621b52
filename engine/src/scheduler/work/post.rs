//! The outbox: a message that somebody outside must answer, as a signed file under `notices/`. Whoever carries mail takes it from there;
//! written again it is the same file.

use std::io::Write;
use std::path::PathBuf;

pub(in crate::scheduler) struct Work {
    /// `notices/` of the site.
    pub(in crate::scheduler) directory: PathBuf,
    pub(in crate::scheduler) notice: String,
    /// The file's text.
    pub(in crate::scheduler) text: String,
}

impl Work {
    /// Writes it: whole or not at all. Blocking.
    pub(in crate::scheduler) fn done(&self) -> std::io::Result<()> {
        std::fs::create_dir_all(&self.directory)?;
        let path = self.directory.join(format!("{}.json", self.notice));
        let partial = self.directory.join(format!(".{}.new", self.notice));
        let mut file = std::fs::File::create(&partial)?;
        file.write_all(self.text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&partial, path)?;
        std::fs::File::open(&self.directory)?.sync_all()
    }
}
