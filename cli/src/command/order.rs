//! `order list|show|hold|resume|cancel|report|reopen|singleton|external`

use clap::Subcommand;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::view::center;

use super::center::ask;
use super::control::said;
use super::specimen::{Wish, list, standing};
use crate::access::{self, hidden, who};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::site::Site;
use crate::times::Zone;

/// Order lines: one specimen and one assay each.
#[derive(Subcommand, Debug)]
pub(crate) enum Order {
    /// List order lines, by id
    List {
        /// Only this stage
        #[arg(long)]
        stage: Option<String>,
        /// Only this institution's
        #[arg(long)]
        institution: Option<String>,
        /// Only those after this one
        #[arg(long, value_name = "ID")]
        after: Option<String>,
        /// At most so many
        #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(i64).range(1..=1000))]
        limit: i64,
    },
    /// Show one order line
    Show {
        /// Order line
        id: String,
    },
    /// Pause it: nothing new starts
    Hold {
        /// Order line
        id: String,
        /// Why; kept with it
        #[arg(long, value_parser = said)]
        reason: String,
    },
    /// Let a held order line go on
    Resume {
        /// Order line
        id: String,
    },
    /// Take the order back
    Cancel {
        /// Order line
        id: String,
        /// Why; kept with it
        #[arg(long, value_parser = said)]
        reason: String,
    },
    /// Report what the bench, an instrument or a receiver did
    #[command(after_help = "Examples:
  kentai order report O000000015 lab_started
  kentai order report O000000015 released --reason 'seen'")]
    Report {
        /// Order line
        id: String,
        /// lab_started, sequencing_started, sequenced, released, acknowledged, archived …
        event: String,
        /// Why; kept with it
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Propose to open an ended order line again; another person confirms
    Reopen {
        /// Order line
        id: String,
        /// Why; kept with it
        #[arg(long, value_parser = said)]
        reason: String,
    },
    /// Do not wait for the rest of the family
    Singleton {
        /// Order line
        id: String,
        /// Why; kept with it
        #[arg(long, value_parser = said)]
        reason: String,
    },
    /// Write down what only the data center knows
    External {
        /// Order line
        id: String,
        /// Is the clinical information there?
        #[arg(long, default_value = "", value_parser = ["", "missing", "partial", "complete"])]
        clinical_information: String,
        /// Was the report returned?
        #[arg(long, default_value = "", value_parser = ["", "pending", "returned"])]
        report_return: String,
        /// The receiver's own id
        #[arg(long, default_value = "")]
        accession: String,
    },
}

impl Order {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::List { stage, institution, after, limit } => {
                let wish = Wish { stage, institution, after, limit, stuck: false };
                list(site, access::reader_if_any(site).await?, wish, output).await
            }
            Self::Show { id } => show(site, &id, output).await,
            other => ask(site, output, other.request()?).await,
        }
    }

    fn request(self) -> anyhow::Result<Request> {
        Ok(match self {
            Self::Hold { id, reason } => Request::Hold { order_line: id, reason },
            Self::Resume { id } => Request::Resume { order_line: id },
            Self::Cancel { id, reason } => Request::Cancel { order_line: id, reason },
            Self::Report { id, event, reason } => Request::Report { order_line: id, event, reason },
            Self::Reopen { id, reason } => Request::Reopen { order_line: id, reason },
            Self::Singleton { id, reason } => Request::Singleton { order_line: id, reason },
            Self::External { id, clinical_information, report_return, accession } => {
                Request::External { order_line: id, clinical_information, report_return, accession }
            }
            Self::List { .. } | Self::Show { .. } => {
                return Err(Stop::new(Exit::Unexpected, "a verb that asks nothing").into());
            }
        })
    }
}

async fn show(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader(site).await?;
    let line = center::order_line(&reader, &who(site), id).await.map_err(hidden)?;
    if output.json {
        output.json(&line);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let number =
        |name: &str| line.document[name].as_u64().filter(|number| *number > 0).map(|number| number.to_string());
    let word = |name: &str| line.document[name].as_str().filter(|word| !word.is_empty()).map(str::to_owned);
    let held =
        line.held.as_ref().map(|hold| format!("by {} since {}: {}", hold.by, zone.show(&hold.since), hold.reason));
    let next = line.expected.as_ref().map(|next| format!("{}, until {}", next.owner, zone.show(&next.due)));
    let facts = [
        ("order line", Some(line.id.clone())),
        ("specimen", Some(line.specimen.clone())),
        ("institution", Some(line.institution.clone())),
        ("assay", Some(line.assay.clone())),
        ("stage", Some(standing(&line))),
        ("reason", word("reason")),
        ("held", held),
        ("waits for", next),
        ("due", Some(zone.show(&line.due))),
        ("round", Some(line.round.to_string())),
        ("priority", Some(line.priority.clone())),
        ("reads", number("reads")),
        ("needed", number("reads_needed")),
        ("run", line.run.clone()),
        ("requisition", word("requisition")),
    ];
    for (name, value) in facts {
        if let Some(value) = value {
            output.line(plain(&format!("{name:<12} {value}")));
        }
    }
    output.say(format!("next: kentai specimen history {}", line.specimen));
    Ok(Exit::Done)
}
