//! A directory of this host as a target.

use std::path::PathBuf;
use std::sync::Arc;

use kentai_engine::port::courier::Courier;
use kentai_executors::courier::directory::DirectoryCourier;

use super::{Target, promises};
use crate::support::package::{FOLDER, Files, read_folder};

struct Directory(tempfile::TempDir);

impl Directory {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary directory"))
    }

    fn write(&self, folder: &str, path: &str, bytes: &[u8]) {
        let path: PathBuf = self.0.path().join(folder).join(path);
        std::fs::create_dir_all(path.parent().expect("in a folder")).expect("made");
        std::fs::write(path, bytes).expect("written");
    }
}

impl Target for Directory {
    fn courier(&self) -> Arc<dyn Courier> {
        Arc::new(DirectoryCourier::new("partner", self.0.path()))
    }

    fn unreachable(&self) -> (Arc<dyn Courier>, &'static str) {
        (Arc::new(DirectoryCourier::new("partner", self.0.path().join("unmounted"))), "make or mount it")
    }

    fn files(&self) -> Files {
        let mut found = Files::new();
        read_folder(&self.0.path().join(FOLDER), "", &mut found);
        found
    }

    fn leftovers(&self) -> Vec<String> {
        super::others_in(self.0.path())
    }

    fn place(&self) -> String {
        self.0.path().join(FOLDER).display().to_string()
    }

    fn plant(&self, path: &str, bytes: &[u8]) {
        self.write(FOLDER, path, bytes);
    }

    fn plant_half(&self, path: &str, bytes: &[u8]) {
        self.write(&format!(".{FOLDER}.partial-delivery-1"), path, bytes);
    }
}

promises!(Some(Directory::new()));
