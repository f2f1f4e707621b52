//! A temporary site with an executor: what each contract test runs in.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use kentai_engine::exit_record::ExitRecord;
use kentai_engine::port::executor::{Evidence, Executor, Report, Task};
use kentai_executors::process::ProcessExecutor;

/// The binary that is the witness in these tests.
pub(crate) const WITNESS: &str = env!("CARGO_BIN_EXE_kentai-witness-test");

static NEXT: AtomicU32 = AtomicU32::new(0);

/// One site, removed at the end.
pub(crate) struct House {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) executor: Arc<dyn Executor>,
    pub(crate) image: Option<String>,
    pub(crate) site: String,
}

impl House {
    /// A site of plain processes.
    pub(crate) fn process() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let executor = ProcessExecutor::new("local", directory.path().join("attempts"), WITNESS);
        Self { directory, executor: Arc::new(executor), image: None, site: fresh("site") }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A task that runs a shell script (`$0` is the tool's own view of the attempt directory).
    pub(crate) fn shell(&self, script: &str) -> Task {
        self.task(&["/bin/sh", "-c", script])
    }

    pub(crate) fn task(&self, argv: &[&str]) -> Task {
        let attempt = fresh("attempt");
        Task {
            directory: self.directory.path().join("attempts").join(&attempt),
            nonce: format!("nonce-of-{attempt}"),
            attempt,
            site: self.site.clone(),
            run: "run-1".into(),
            step: "trim/L001".into(),
            epoch: 1,
            image: self.image.clone(),
            argv: argv.iter().map(ToString::to_string).collect(),
            env: BTreeMap::from([("SAMPLE".into(), "S1".into())]),
            mounts: Vec::new(),
            secrets: Vec::new(),
            cpus: 1,
            memory_bytes: 256 << 20,
            disk_bytes: 0,
            network: false,
            timeout_s: 0,
            grace_s: 5,
            digest: "d".repeat(64),
            log_bytes_max: 1 << 20,
        }
    }

    pub(crate) async fn run(&self, task: &Task) -> Report {
        self.executor.run(task).await
    }

    /// Runs a task that must exit with a record.
    pub(crate) async fn record(&self, task: &Task) -> ExitRecord {
        let evidence = exited(self.run(task).await);
        self.executor.forget(&task.attempt).await.expect("forgotten");
        evidence.record.expect("a record")
    }
}

impl Drop for House {
    /// A failed test leaves no container behind.
    fn drop(&mut self) {
        if self.image.is_some() {
            super::docker::remove_all(&self.site);
        }
    }
}

/// The evidence of a report that must be `Exited`.
pub(crate) fn exited(report: Report) -> Evidence {
    match report {
        Report::Exited(evidence) => evidence,
        other => panic!("not exited: {other:?}"),
    }
}

/// A name that no other test has.
pub(crate) fn fresh(word: &str) -> String {
    format!("{word}-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

/// Waits until a file is there and not empty: the tool says that it has come so far.
pub(crate) async fn appeared(path: &Path) {
    while std::fs::read(path).map_or(true, |text| text.is_empty()) {
        tokio::task::yield_now().await;
    }
}

/// Lines of a file that tools append to.
pub(crate) fn lines(path: &Path) -> usize {
    std::fs::read_to_string(path).unwrap_or_default().lines().count()
}
