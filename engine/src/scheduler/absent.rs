//! Stands in for an executor that an attempt was given to and that the site has no more: whether the attempt runs cannot be known,
//! and giving it to another could run it twice. It is waited for, until a person brings the executor back.

use std::path::{Path, PathBuf};

use crate::port::BoxFuture;
use crate::port::executor::{Error, Executor, Held, Report, Stop, Task};

/// Out of reach under its old name.
pub(super) struct Absent {
    pub(super) name: String,
}

const REASON: &str = "this site has no such executor any more; bring it back under `executors:` in kentai.yaml";

impl Absent {
    fn error(&self) -> Error {
        Error::Unreachable { executor: self.name.clone(), reason: REASON.into() }
    }
}

impl Executor for Absent {
    fn name(&self) -> &str {
        &self.name
    }

    fn kind(&self) -> &'static str {
        "absent"
    }

    fn needs_image(&self) -> bool {
        false
    }

    fn root(&self, directory: &Path) -> PathBuf {
        directory.to_owned()
    }

    fn run<'a>(&'a self, _task: &'a Task) -> BoxFuture<'a, Report> {
        Box::pin(async { Report::Unreachable(REASON.into()) })
    }

    fn stop<'a>(&'a self, _task: &'a Task, _how: Stop) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Err(self.error()) })
    }

    fn held(&self) -> BoxFuture<'_, Result<Vec<Held>, Error>> {
        Box::pin(async { Err(self.error()) })
    }

    fn forget<'a>(&'a self, _attempt: &'a str) -> BoxFuture<'a, Result<(), Error>> {
        Box::pin(async { Err(self.error()) })
    }

    fn resolve<'a>(&'a self, _image: &'a str) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async { Err(self.error()) })
    }

    fn ping(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(async { Err(self.error()) })
    }
}
