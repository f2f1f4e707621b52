//! Workflows as runs keep them, read once: a text with this digest never changes. It knows no run.

use std::sync::{Arc, Mutex};

use kentai_engine::scheduler::registered;
use kentai_engine::store::rows;
use kentai_workflows::workflow::Workflow;

use crate::App;
use crate::error::Problem;

/// A site has some dozens of versions at work; what is looked at less is read again.
const KEPT: usize = 64;

/// The row, and the workflow unless this version finds mistakes in it.
pub(in crate::page) type Known = (Arc<rows::Workflow>, Option<Arc<Workflow>>);

static KNOWN: Mutex<Vec<Known>> = Mutex::new(Vec::new());

/// The workflow with this digest.
pub(in crate::page) async fn definition(app: &App, digest: &str) -> Result<Option<Known>, Problem> {
    if let Some(known) = lookup(digest) {
        return Ok(Some(known));
    }
    let Some(row) = app.engine.reader().workflow(digest).await? else { return Ok(None) };
    // Reading a large workflow takes milliseconds: not where others wait for their turn.
    let read = tokio::task::spawn_blocking(move || (registered::definition(&row), Arc::new(row)));
    let (workflow, row) = read.await.map_err(|error| Problem::internal(&error))?;
    let known = (row, workflow);
    if let Ok(mut all) = KNOWN.lock() {
        if all.len() >= KEPT {
            all.remove(0);
        }
        all.push(known.clone());
    }
    Ok(Some(known))
}

fn lookup(digest: &str) -> Option<Known> {
    let mut all = KNOWN.lock().ok()?;
    let at = all.iter().position(|(row, _)| row.digest == digest)?;
    // Who was asked for last goes last.
    let known = all.remove(at);
    all.push(known.clone());
    Some(known)
}
