//! Linking events: each row carries the hash over itself and the row before it. What goes into a link is `audit::link`'s business.

use sqlx::SqliteConnection;

use super::artifact::hex;
use super::rows;
use super::writer::rows_object;
use super::{Error, pool::Pool};
use crate::audit::link::{Fields, link};

/// The newest event's place in the chain.
#[derive(Clone, Copy, Debug, Default)]
struct Head {
    seq: i64,
    hash: [u8; 32],
}

impl Head {
    /// Links an event behind this one.
    fn append(&mut self, event: &mut rows::Event) {
        self.seq += 1;
        event.seq = self.seq;
        self.link(event);
    }

    fn read(found: Option<(i64, String)>) -> Result<Self, Error> {
        let Some((seq, hash)) = found else { return Ok(Self::default()) };
        let hash = unhex(&hash).ok_or(Error::Unknown { what: "the hash of the newest event", found: hash })?;
        Ok(Self { seq, hash })
    }

    fn link(&mut self, event: &mut rows::Event) {
        self.hash = link(
            &self.hash,
            &Fields {
                seq: event.seq,
                stream: &event.stream,
                n: event.n,
                at_us: event.at_us,
                kind: &event.kind,
                subject: &event.subject,
                actor: &event.actor,
                role: &event.role,
                body: &event.body,
            },
        );
        event.hash = hex(&self.hash);
        self.seq = event.seq;
    }
}

/// Gives the batch's events their places behind the newest one of the database.
pub(super) async fn append(pool: &Pool, tx: &mut SqliteConnection, events: &mut [rows::Event]) -> Result<(), Error> {
    if events.is_empty() {
        return Ok(());
    }
    let mut head = head(pool, tx).await?;
    events.iter_mut().for_each(|event| head.append(event));
    Ok(())
}

/// Read within the transaction: whatever was rolled back, and whoever wrote last, the chain goes on from what is there.
async fn head(pool: &Pool, tx: &mut SqliteConnection) -> Result<Head, Error> {
    let found: Option<(i64, String)> = sqlx::query_as(include_str!("sql/event_head.sql"))
        .fetch_optional(tx)
        .await
        .map_err(|source| pool.error(source))?;
    Head::read(found)
}

/// Events of before the chain get their hashes, in order. Done once, when the engine starts.
///
/// # Errors
/// When the database cannot be written.
pub async fn seal(pool: &Pool) -> Result<(), Error> {
    const AT_ONCE: i64 = 10_000;
    let writer = pool.write.as_ref().ok_or(Error::Closed)?;
    let found: Option<(i64, String)> = sqlx::query_as(include_str!("sql/event_sealed.sql"))
        .fetch_optional(writer)
        .await
        .map_err(|source| pool.error(source))?;
    let mut head = Head::read(found)?;
    loop {
        let mut events: Vec<rows::Event> = sqlx::query_as(include_str!("sql/events_unsealed.sql"))
            .bind(head.seq)
            .bind(AT_ONCE)
            .fetch_all(writer)
            .await
            .map_err(|source| pool.error(source))?;
        if events.is_empty() {
            return Ok(());
        }
        for event in &mut events {
            head.link(event);
            head.seq = event.seq;
        }
        let rows: Vec<String> = events.iter().filter_map(|event| serde_json::to_string(event).ok()).collect();
        sqlx::query(include_str!("sql/seal_event.sql"))
            .bind(rows_object(&rows))
            .execute(writer)
            .await
            .map_err(|source| pool.error(source))?;
    }
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut bytes = [0; 32];
    if text.len() != 64 || !text.is_ascii() {
        return None;
    }
    for (index, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(&text[2 * index..2 * index + 2], 16).ok()?;
    }
    Some(bytes)
}
