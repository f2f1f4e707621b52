//! Provenance without a package: of a run as far as it has come, or of a delivery as it stood when it was begun. Files are told by
//! checksum, and none travels along but the workflow's.

use super::{Ask, Error, Text, description, texts};
use crate::clock::Micros;
use crate::id::RunId;
use crate::port::courier::Parcel;
use crate::provenance::{Center, Description, Engine};
use crate::store::read::Reader;
use crate::view::document;

/// What a site that says nothing else of its terms says.
const TERMS: &str = "As agreed between the center and the receiver.";

/// A run, as it stood when it last changed: asked again, the answer is the same until something happens. The workflow's texts beside it.
///
/// # Errors
/// When there is no such run, or something that is stored of it cannot be read.
pub async fn of_run(reader: &Reader, run: &RunId, site: &str) -> Result<(Description, Vec<Text>), Error> {
    let row = reader.run(run.as_str()).await?.ok_or_else(|| Error::NoRun(run.clone()))?;
    let text = format!("What was done with specimen {} in run {run}.", row.specimen_id);
    let ask = Ask {
        delivery: run.to_string(),
        title: format!("Run {run} of specimen {}", row.specimen_id),
        ..ask(run, row.updated_us, text, site)
    };
    told(reader, ask, Micros::MAX).await
}

/// A delivery, as it stood when it was begun; none: there is no such delivery.
///
/// # Errors
/// When something that is stored of it cannot be read.
pub async fn of_delivery(reader: &Reader, id: &str, site: &str) -> Result<Option<(Description, Vec<Text>)>, Error> {
    let Some(row) = reader.delivery(id).await? else { return Ok(None) };
    let parcel: Parcel = document("a parcel", &row.parcel)?;
    let text = format!("What was done for delivery {id} of specimen {} to {}.", row.specimen_id, row.target);
    let ask = Ask {
        delivery: id.to_owned(),
        title: format!("Delivery {id} of specimen {}", row.specimen_id),
        given: parcel.files.into_iter().map(|file| file.sha256).collect(),
        ..ask(&row.run_id, row.created_us, text, site)
    };
    Ok(Some(told(reader, ask, row.created_us).await?))
}

async fn told(reader: &Reader, ask: Ask, until_us: Micros) -> Result<(Description, Vec<Text>), Error> {
    let texts = texts(reader, &ask.run, until_us).await?;
    Ok((description(reader, Ask { until_us, ..ask }).await?, texts))
}

fn ask(run: &RunId, at_us: Micros, description: String, site: &str) -> Ask {
    Ask {
        run: run.clone(),
        until_us: at_us,
        delivery: String::new(),
        title: String::new(),
        description,
        at_us,
        license: TERMS.into(),
        center: Center { name: site.to_owned(), url: None },
        engine: Engine::this(),
        files: Vec::new(),
        given: Vec::new(),
    }
}
