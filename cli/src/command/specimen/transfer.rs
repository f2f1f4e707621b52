//! `specimen transfer`: what goes to a biobank together, as a manifest that travels with the parcel.

use clap::Args;
use kentai_engine::specimen::record::Transfer as Document;
use kentai_engine::view::center;

use crate::access::{self, hidden, who};
use crate::command::report::harmless;
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain, table};
use crate::site::Site;
use crate::times::Zone;

/// Arguments of `specimen transfer`.
#[derive(Args, Debug)]
#[command(after_help = "Examples:
  kentai specimen custody S000000015 packed --transfer T-1 --holder biobank
  kentai specimen custody S000000015 handed_over
  kentai specimen transfer T-1 --csv > T-1.csv
  kentai specimen custody S000000015 arrived --accession BB-77 --receipt R-12")]
pub(crate) struct Transfer {
    /// Transfer
    id: String,
    /// The manifest as a CSV file: one line per specimen
    #[arg(long)]
    csv: bool,
}

const COLUMNS: [&str; 11] = [
    "transfer",
    "to",
    "specimen",
    "barcode",
    "specimen_type",
    "amount",
    "packed",
    "handed_over",
    "ended",
    "accession",
    "receipt",
];

impl Transfer {
    pub(super) async fn show(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        let reader = access::reader(site).await?;
        let found = center::record(&reader, &who(site), "transfer", &self.id).await.map_err(hidden)?;
        if output.json {
            output.json(&found);
            return Ok(Exit::Done);
        }
        let document: Document = serde_json::from_value(found.document)
            .map_err(|error| Stop::new(Exit::Unexpected, format!("transfer {} cannot be read: {error}", self.id)))?;
        let zone = Zone::of(site);
        let rows = rows(&self.id, &document, &zone);
        if self.csv {
            let mut writer = csv::Writer::from_writer(Vec::new());
            writer.write_record(COLUMNS)?;
            for row in rows {
                writer.write_record(row.iter().map(|cell| harmless(cell)))?;
            }
            output.bytes(&writer.into_inner()?);
            return Ok(Exit::Done);
        }
        output.line(plain(&format!("transfer {} to {}: {}", self.id, document.to, found.status)));
        // The first two are said above.
        output.line(table(&COLUMNS[2..], rows.into_iter().map(|row| row[2..].to_vec())));
        Ok(Exit::Done)
    }
}

fn rows(id: &str, document: &Document, zone: &Zone) -> Vec<Vec<String>> {
    let time = |at: Option<i64>| at.map(|at| zone.show_us(at)).unwrap_or_default();
    let row = |(specimen, item): (&String, &kentai_engine::specimen::record::TransferItem)| {
        let ended = item.ended_us.map(|at| format!("{} {}", item.how, zone.show_us(at))).unwrap_or_default();
        vec![
            id.to_owned(),
            document.to.clone(),
            specimen.clone(),
            item.barcode.clone(),
            item.specimen_type.clone(),
            item.amount.clone(),
            zone.show_us(item.packed_us),
            time(item.handed_over_us),
            ended,
            item.accession.clone(),
            item.receipt.clone(),
        ]
    };
    document.items.iter().map(row).collect()
}
