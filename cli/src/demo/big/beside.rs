//! Acts of those beside the line: receivers, the biobank, withdrawal officers, and whoever finds something odd.

use anyhow::{Context as _, Result};
use kentai_engine::handoff::receipt::{Outcome, Reason, Receipt, Said};
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::specimen::record::{CaseItem, Kind};

use super::agenda::Act;
use super::fate::Fate;
use super::founding::person;
use super::plan::HOSPITALS;
use super::replay::{Learned, Replay};

/// Of the files of one delivery, so many are refused or have no receipt where a story wants it.
const ODD_FILES: usize = 2;

impl Replay {
    pub(super) async fn beside(&self, act: Act) -> Result<Learned> {
        match act {
            Act::Fetch(number) => self.fetch(number).await?,
            Act::Acknowledge(number) if self.plan.lines[number].night.is_some() => {
                self.report("ops-01", number, "acknowledged", "kept in the archive").await?;
            }
            Act::Acknowledge(number) => self.acknowledge(number).await?,
            Act::Leftover(number) => self.leftover(number).await?,
            Act::CallBack(number) => {
                let (delivery, _) = self.delivery(number).await?;
                let reason = "a lane was swapped; a new analysis follows".into();
                self.ask("ops-07", Request::Recall { delivery, reason }).await?;
            }
            Act::Withdraw(number) => return self.withdraw(number).await,
            Act::DecideCase(number) => self.decide_case(number).await?,
            Act::CloseCase(number) => self.close_case(number).await?,
            Act::Extra(one) => {
                let (barcode, institution) = (format!("9999-{one:07}"), HOSPITALS[one].to_owned());
                let note = "nobody announced it".into();
                self.ask("ops-02", Request::Receive { barcode, institution, condition: String::new(), note }).await?;
            }
            Act::Deviation(one) => self.deviate(one).await?,
            _ => {}
        }
        Ok(Learned::Nothing)
    }

    /// The newest delivery of a line, and whose it is.
    async fn delivery(&self, number: usize) -> Result<(String, String)> {
        let rows = self.handle.reader().records_of(Kind::Delivery.word(), &self.known[number].run).await?;
        let newest = rows.into_iter().max_by_key(|row| (row.created_us, row.record_id.clone()));
        newest.map(|row| (row.record_id, row.owner)).context("a delivery")
    }

    async fn fetch(&self, number: usize) -> Result<()> {
        let (delivery, owner) = self.delivery(number).await?;
        let receiver = person(&format!("{owner}-desk"));
        for file in self.handle.reader().package_files(&delivery).await? {
            if file.path.starts_with("data/") {
                let request = Request::Fetched { delivery: delivery.clone(), path: file.path, whole: true };
                self.ask_as(&receiver, request).await?;
            }
        }
        Ok(())
    }

    async fn acknowledge(&self, number: usize) -> Result<()> {
        let fate = self.plan.lines[number].fate;
        let (delivery, owner) = self.delivery(number).await?;
        let files = self.handle.reader().package_files(&delivery).await?;
        let files = files.into_iter().filter(|file| file.path.starts_with("data/"));
        let said = files.enumerate().filter_map(|(place, file)| {
            let odd = place < ODD_FILES;
            let outcome = match fate {
                Fate::ReceiptLate if odd => return None,
                Fate::Refused if odd => {
                    Outcome::Refused { reason: Reason::Checksum, text: Some("another checksum than announced".into()) }
                }
                _ => Outcome::Accepted {
                    sha256: file.sha256,
                    plain_sha256: None,
                    accession: Some(format!("ACC-{number:04}-{:05}", 77_120 + place)),
                },
            };
            Some(Said { path: file.path, outcome })
        });
        let receipt = Receipt::new(&format!("RC-{number:06}"), said.collect())?;
        self.ask_as(&person(&format!("{owner}-desk")), Request::Receipt { delivery, receipt }).await.map(drop)
    }

    /// What is left of the material goes to the biobank, ten lines in a parcel.
    async fn leftover(&self, number: usize) -> Result<()> {
        let steps: [(&str, &str, &str); 3] = [("packed", "", ""), ("handed_over", "", ""), ("arrived", "BB", "R")];
        // The newest parcels are still here, or on their way.
        let done = if number.is_multiple_of(7) { 1 + number % 2 } else { steps.len() };
        for (event, accession, receipt) in steps.into_iter().take(done) {
            let numbered =
                |prefix: &str| if prefix.is_empty() { String::new() } else { format!("{prefix}-{number:06}") };
            let request = Request::Custody {
                specimen: self.known[number].specimen.clone(),
                event: event.into(),
                holder: "B-01".into(),
                transfer: if event == "packed" { format!("T-{number:06}") } else { String::new() },
                accession: numbered(accession),
                receipt: numbered(receipt),
            };
            self.ask("ops-02", request).await?;
        }
        Ok(())
    }

    async fn withdraw(&self, number: usize) -> Result<Learned> {
        let line = &self.plan.lines[number];
        let request = Request::Withdraw {
            program: line.program.into(),
            pseudonym: line.pseudonym.clone(),
            scopes: Vec::new(),
            evidence: format!("letter {number}"),
            noticed_us: None,
            reason: String::new(),
        };
        let answer = self.ask("wdo-01", request).await?;
        let case = answer.changed.iter().find_map(|said| said.strip_prefix("case ")).context("a case")?;
        Ok(Learned::Case(number, case.to_owned()))
    }

    /// Both people, about everything; of a case that stays open, one person about one thing.
    async fn decide_case(&self, number: usize) -> Result<()> {
        let all = self.plan.lines[number].fate == Fate::WithdrawnClosed;
        let mut items = self.handle.reader().records_of(Kind::CaseItem.word(), &self.known[number].case).await?;
        items.sort_by(|one, other| one.document.cmp(&other.document));
        for item in items.into_iter().take(if all { usize::MAX } else { 1 }) {
            let doc: CaseItem = serde_json::from_str(&item.document)?;
            let decision = if doc.shared_with.is_empty() { "destroy" } else { "stub" };
            let request = Request::CaseDecide {
                item: item.record_id.clone(),
                decision: decision.into(),
                reference: String::new(),
                reason: "as asked".into(),
            };
            self.ask("wdo-01", request).await?;
            if all {
                self.ask("wdo-02", Request::CaseConfirm { item: item.record_id }).await?;
            }
        }
        Ok(())
    }

    async fn close_case(&self, number: usize) -> Result<()> {
        let case = self.known[number].case.clone();
        for notice in self.handle.reader().records_of(Kind::Notice.word(), &case).await? {
            let request = Request::NoticeAnswered { notice: notice.record_id, receipt: format!("mail {number}") };
            self.ask("wdo-01", request).await?;
        }
        self.ask("wdo-01", Request::CaseClose { case }).await.map(drop)
    }

    async fn deviate(&self, one: usize) -> Result<()> {
        let (about, description, severity) = [
            ("freezer 2", "it was at -12 degrees for 40 minutes; no specimen thawed", "minor"),
            ("instrument N-02", "reagent lot F-2231 was used two days past its date", "major"),
            ("reception", "a box was opened without a second person", "minor"),
        ][one];
        let request = Request::Deviation {
            specimen: String::new(),
            about: about.into(),
            description: description.into(),
            severity: severity.into(),
        };
        let answer = self.ask("rev-01", request).await?;
        let made = answer.changed.iter().find_map(|said| said.strip_prefix("deviation "));
        if let (2, Some(deviation)) = (one, made) {
            let action = "the two of reception were taught again".into();
            self.ask("rev-02", Request::DeviationClose { deviation: deviation.to_owned(), action }).await?;
        }
        Ok(())
    }
}
