//! The data center's index as a database of its own: one file, made whole, for programs that ask in SQL. It knows no site and no package;
//! what it holds is the caller's. Its layout is a promise, told in `index/schema.sql`.

use std::path::Path;

use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode};
use sqlx::{Connection as _, SqliteConnection};

use super::Error;

/// One pseudonym with all there is.
#[derive(Clone, Debug, Default)]
pub struct Participant {
    /// Pseudonym.
    pub participant: String,
    /// `both`, `genome`, `clinical`, `neither`.
    pub has: &'static str,
    /// Why consent allows no use, where it allows none.
    pub why_none: Option<String>,
    /// Uses that consent allows, each once.
    pub uses: Vec<String>,
    /// Deliveries.
    pub deliveries: Vec<Delivery>,
    /// Clinical records.
    pub records: Vec<Record>,
}

/// A delivery of a participant.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// Its id.
    pub delivery: String,
    /// Specimen.
    pub specimen: String,
    /// As the center has it.
    pub status: &'static str,
    /// Where it lies, when it is here and stands.
    pub folder: Option<String>,
    /// When it was made, RFC 3339.
    pub created: Option<String>,
    /// Uses that it came with, each once.
    pub uses: Vec<String>,
}

/// A clinical record.
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The phenopacket's own id.
    pub id: String,
    /// Where it lies.
    pub file: String,
    /// Line of a file of lines.
    pub line: Option<i64>,
}

/// Writes an index into `path`, an empty file that nobody else has open; the caller gives it its name when it is whole.
///
/// # Errors
/// When it cannot be written, or a delivery or a record is there twice.
pub async fn write(path: &Path, participants: &[Participant]) -> Result<(), Error> {
    let at = |source| Error::Database { path: path.display().to_string(), source };
    // Nobody reads it before it is whole: a rollback needs no file beside it.
    let options = SqliteConnectOptions::new().filename(path).journal_mode(SqliteJournalMode::Memory).foreign_keys(true);
    let mut connection = SqliteConnection::connect_with(&options).await.map_err(at)?;
    let mut tx = connection.begin().await.map_err(at)?;
    sqlx::raw_sql(include_str!("index/schema.sql")).execute(&mut *tx).await.map_err(at)?;
    for one in participants {
        participant(&mut tx, one).await.map_err(at)?;
    }
    tx.commit().await.map_err(at)?;
    connection.close().await.map_err(at)
}

async fn participant(tx: &mut SqliteConnection, one: &Participant) -> Result<(), sqlx::Error> {
    let of = one.participant.as_str();
    sqlx::query(include_str!("index/participant.sql"))
        .bind(of)
        .bind(one.has)
        .bind(one.why_none.as_deref())
        .execute(&mut *tx)
        .await?;
    for allowed in &one.uses {
        sqlx::query(include_str!("index/participant_use.sql")).bind(of).bind(allowed).execute(&mut *tx).await?;
    }
    for it in &one.deliveries {
        sqlx::query(include_str!("index/delivery.sql"))
            .bind(&it.delivery)
            .bind(of)
            .bind(&it.specimen)
            .bind(it.status)
            .bind(it.folder.as_deref())
            .bind(it.created.as_deref())
            .execute(&mut *tx)
            .await?;
        for allowed in &it.uses {
            let query = sqlx::query(include_str!("index/delivery_use.sql"));
            query.bind(&it.delivery).bind(allowed).execute(&mut *tx).await?;
        }
    }
    for it in &one.records {
        let query = sqlx::query(include_str!("index/phenopacket.sql"));
        query.bind(&it.id).bind(of).bind(&it.file).bind(it.line).execute(&mut *tx).await?;
    }
    Ok(())
}
