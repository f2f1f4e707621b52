//! Workflows that are known here.

use axum::Json;
use axum::extract::State;
use kentai_engine::view::{self, Page, WorkflowView};

use crate::App;
use crate::error::Problem;

/// `GET /workflows`
pub(super) async fn list(State(app): State<App>) -> Result<Json<Page<WorkflowView>>, Problem> {
    let items = view::workflows(app.engine.reader()).await?;
    Ok(Json(Page { items, next: None }))
}
