//! `consent record|import|show|withdraw|case|decide|confirm|answered|close`

use std::path::PathBuf;

use clap::{Args, Subcommand};
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::specimen::import::Table;
use kentai_engine::specimen::record;
use kentai_engine::view::center;

use super::center::{Import, ask, moment};
use super::record::lines;
use crate::access::{self, hidden, who};
use crate::exit::{Exit, Stop};
use crate::output::{Output, plain};
use crate::site::Site;
use crate::times::Zone;

/// What participants agreed to, and took back.
#[derive(Subcommand, Debug)]
pub(crate) enum Consent {
    /// Write down what a participant agreed to
    Record(Record),
    /// Take a table of consents in: all of it or nothing
    Import {
        /// CSV file with a header: pseudonym, program, document, version, scopes …
        file: PathBuf,
        /// Whose they are: an institution's code
        #[arg(long, default_value = "")]
        institution: String,
        /// Check only
        #[arg(long)]
        dry_run: bool,
    },
    /// Show what is in force, and everything that was recorded
    Show {
        /// Program
        program: String,
        /// Pseudonym
        pseudonym: String,
    },
    /// A participant takes consent back: everything of theirs stops (needs the role withdrawal_officer)
    #[command(after_help = "Examples:
  kentai consent withdraw P1 N0042 --evidence letter-2026-118
  kentai consent withdraw P1 N0042 --scope industry --evidence letter-2026-119")]
    Withdraw {
        /// Program
        program: String,
        /// Pseudonym
        pseudonym: String,
        /// Only this use; may be given several times
        #[arg(long)]
        scope: Vec<String>,
        /// Where the notice lies
        #[arg(long)]
        evidence: String,
        /// When the participant said so; otherwise now
        #[arg(long, value_parser = moment)]
        noticed: Option<i64>,
        /// What they said of it; they owe nobody a reason
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Show a withdrawal: things to decide, messages to be answered
    Case {
        /// Case
        id: String,
    },
    /// Propose what becomes of a thing of a withdrawal; another person confirms
    Decide {
        /// Item of the case
        item: String,
        /// What becomes of it
        #[arg(value_parser = ["destroy", "keep", "stub"])]
        decision: String,
        /// Ethics reference, for what is kept
        #[arg(long, default_value = "")]
        reference: String,
        /// Why
        #[arg(long, default_value = "")]
        reason: String,
    },
    /// Confirm what another person proposed: what is to be destroyed is destroyed now
    Confirm {
        /// Item of the case
        item: String,
    },
    /// Somebody outside answered a notice
    Answered {
        /// Notice
        notice: String,
        /// Reference of the answer
        #[arg(long)]
        receipt: String,
    },
    /// Close a withdrawal of which everything is decided and answered
    Close {
        /// Case
        case: String,
    },
}

/// Arguments of `consent record`.
#[derive(Args, Debug)]
#[command(after_help = "Example:
  kentai consent record P1 N0042 --document ICF --version 3 --scope sequencing --scope research_domestic")]
pub(crate) struct Record {
    /// Program
    program: String,
    /// Pseudonym
    pseudonym: String,
    /// Form
    #[arg(long)]
    document: String,
    /// Its version
    #[arg(long)]
    version: String,
    /// A use that is covered; may be given several times
    #[arg(long)]
    scope: Vec<String>,
    /// What was said
    #[arg(long, default_value = "given", value_parser = ["given", "partial", "refused"])]
    status: String,
    /// A DUO code; may be given several times
    #[arg(long)]
    duo: Vec<String>,
    /// When it came into force; otherwise now
    #[arg(long, value_parser = moment)]
    effective: Option<i64>,
    /// When it ends
    #[arg(long, value_parser = moment)]
    expires: Option<i64>,
    /// Where the form lies
    #[arg(long, default_value = "")]
    evidence: String,
}

impl Record {
    fn request(self) -> Request {
        let consent = record::Consent {
            document: self.document,
            document_version: self.version,
            scopes: self.scope,
            duo: self.duo,
            effective_us: self.effective.unwrap_or_default(),
            expires_us: self.expires,
            recorded_by: String::new(),
            evidence: self.evidence,
        };
        Request::Consent { program: self.program, pseudonym: self.pseudonym, consent, status: self.status }
    }
}

impl Consent {
    pub(crate) async fn run(self, site: &Site, output: Output) -> anyhow::Result<Exit> {
        match self {
            Self::Import { file, institution, dry_run } => {
                Import { file, table: Table::Consents, institution, dry_run }.run(site, output).await
            }
            Self::Show { program, pseudonym } => show(site, &program, &pseudonym, output).await,
            Self::Case { id } => case(site, &id, output).await,
            other => ask(site, output, other.request()?).await,
        }
    }

    fn request(self) -> anyhow::Result<Request> {
        Ok(match self {
            Self::Record(record) => record.request(),
            Self::Withdraw { program, pseudonym, scope, evidence, noticed, reason } => {
                Request::Withdraw { program, pseudonym, scopes: scope, evidence, noticed_us: noticed, reason }
            }
            Self::Decide { item, decision, reference, reason } => {
                Request::CaseDecide { item, decision, reference, reason }
            }
            Self::Confirm { item } => Request::CaseConfirm { item },
            Self::Answered { notice, receipt } => Request::NoticeAnswered { notice, receipt },
            Self::Close { case } => Request::CaseClose { case },
            Self::Import { .. } | Self::Show { .. } | Self::Case { .. } => {
                return Err(Stop::new(Exit::Unexpected, "a verb that asks nothing").into());
            }
        })
    }
}

async fn show(site: &Site, program: &str, pseudonym: &str, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader(site).await?;
    let found = center::participant(&reader, &who(site), program, pseudonym).await.map_err(hidden)?;
    if output.json {
        output.json(&found);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    let one = &found.participant;
    let facts = [
        ("participant", one.pseudonym.clone()),
        ("program", one.program.clone()),
        ("institution", one.institution.clone()),
        ("consent", one.consent.clone()),
        ("covers", one.scopes.join(", ")),
        ("case", one.document["case"].as_str().unwrap_or_default().to_owned()),
        ("updated", zone.show(&one.updated)),
    ];
    for (name, value) in facts.into_iter().filter(|(_, value)| !value.is_empty()) {
        output.line(plain(&format!("{name:<12} {value}")));
    }
    if !found.consents.is_empty() {
        lines("record", &found.consents, &zone, output);
    }
    Ok(Exit::Done)
}

async fn case(site: &Site, id: &str, output: Output) -> anyhow::Result<Exit> {
    let reader = access::reader(site).await?;
    let found = center::case(&reader, &who(site), id).await.map_err(hidden)?;
    if output.json {
        output.json(&found);
        return Ok(Exit::Done);
    }
    let zone = Zone::of(site);
    lines("case", std::slice::from_ref(&found.case), &zone, output);
    if !found.items.is_empty() {
        lines("item", &found.items, &zone, output);
    }
    if !found.notices.is_empty() {
        lines("notice", &found.notices, &zone, output);
    }
    let open = found.items.iter().filter(|item| item.status != "done").count();
    let unanswered = found.notices.iter().filter(|notice| notice.status != "answered").count();
    output.say(match (open, unanswered) {
        (0, 0) => format!("next: kentai consent close {id}"),
        _ => format!("{open} thing(s) without a decision, {unanswered} notice(s) without an answer"),
    });
    Ok(Exit::Done)
}
