//! Which copies of deliveries a site may let go, and why it keeps the others.

use serde::{Deserialize, Serialize};

use super::Page;
use crate::clock::Micros;
use crate::decide::retain::Rule;
use crate::scheduler::center::retire;
use crate::specimen::record::RetiredFile;
use crate::store::Error;
use crate::store::read::{DeliveryFilter, Reader};

/// One delivery whose copies are here.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RetentionView {
    /// Delivery.
    pub delivery: String,
    /// Of this specimen.
    pub specimen: String,
    /// To this target.
    pub target: String,
    /// Where it stands.
    pub status: String,
    /// Nothing stands against it.
    pub may_go: bool,
    /// Everything that does, in words.
    pub against: Vec<String>,
    /// What would become of each file.
    pub files: Vec<RetiredFile>,
}

/// Deliveries at their receivers with what stands against the end of their copies here, newest first. `rule` says what the site has set
/// for a target.
///
/// # Errors
/// When the database cannot be read.
pub async fn retention(
    reader: &Reader,
    filter: &DeliveryFilter,
    rule: impl Fn(&str) -> Option<Rule>,
    now: Micros,
) -> Result<Page<RetentionView>, Error> {
    let rows = reader.deliveries_page(filter).await?;
    let page = Page::new(rows, filter.limit, |row| row.delivery_id.to_string());
    let mut items = Vec::new();
    for row in page.items {
        let id = row.delivery_id.to_string();
        let Some(looked) = retire::look(reader, &id, rule(&row.target), now).await? else { continue };
        items.push(RetentionView {
            delivery: id,
            specimen: row.specimen_id,
            target: row.target,
            status: row.status,
            may_go: looked.against.is_empty(),
            against: looked.against.iter().map(ToString::to_string).collect(),
            files: looked.files,
        });
    }
    Ok(Page { items, next: page.next })
}
