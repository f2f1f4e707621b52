//! What is kept of an asking under a key, as the database holds it.

use serde::Serialize;
use sqlx::FromRow;

/// `kept_answer`
#[derive(Clone, Debug, Serialize, FromRow)]
#[expect(missing_docs, reason = "columns; the migration says what they hold")]
pub struct KeptAnswer {
    pub key_id: String,
    pub act: String,
    pub sent: String,
    pub status: i64,
    pub content_type: String,
    pub body: String,
    pub at_us: i64,
}
