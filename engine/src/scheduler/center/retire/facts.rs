//! What is known of a delivery whose copies are to go, and what becomes of each file: read from rows, and from what this turn did to them.

use crate::decide::retain::{Against, Facts, Rule, against};
use crate::handoff::offer::FileStatus;
use crate::scheduler::Hold;
use crate::scheduler::center::desk::{Desk, Held};
use crate::scheduler::handle::Refusal;
use crate::specimen::record::{Case, Delivery, Deviation, Fate, Kind, RetiredFile};
use crate::state::delivery::Status;
use crate::state::{consent, run, withdrawal};
use crate::store::read::{Reader, RunFilter};
use crate::store::rows::PackageFile;

/// Rows as they are stored, and what the turn did to them.
pub(super) struct Look<'a> {
    pub(super) desk: &'a Desk,
    pub(super) reader: &'a Reader,
}

/// What was found.
pub(super) struct Found {
    pub(super) delivery: Held<Delivery>,
    pub(super) facts: Facts,
    pub(super) files: Vec<RetiredFile>,
}

impl Found {
    pub(super) fn against(&self, now: i64) -> Vec<Against> {
        against(&self.facts, now)
    }
}

/// How something else needs a file.
enum Need {
    No,
    /// It stays for it.
    Keeps(String),
    /// Nothing goes before that is done.
    Blocks(String),
}

impl Look<'_> {
    pub(super) async fn found(&self, delivery: Held<Delivery>, rule: Option<Rule>) -> Result<Found, Refusal> {
        let mut users = self.open_runs(&delivery).await?;
        let mut files = Vec::new();
        for file in self.reader.package_files(&delivery.row.record_id).await? {
            if !file.artifact.is_empty() {
                files.push(self.fate(&delivery, &file, &mut users).await?);
            }
        }
        users.sort();
        users.dedup();
        let doc = &delivery.doc;
        let of = |status: FileStatus| doc.payload().filter(move |(_, file)| file.status == status);
        let copies = of(FileStatus::Accepted).map(|(_, file)| file.copies.unwrap_or(1)).min();
        let (files_count, accepted) = (doc.payload().count(), of(FileStatus::Accepted).count());
        let wrong = doc.files.iter().filter(|(_, file)| file.status == FileStatus::Mismatch);
        let facts = Facts {
            target: delivery.row.owner.clone(),
            rule,
            status: status(&delivery)?,
            files: files_count,
            accepted,
            mismatched: wrong.map(|(path, _)| path.clone()).collect(),
            answered_us: doc.receipts.values().map(|receipt| receipt.at_us).max(),
            receiver_copies: copies.filter(|_| accepted == files_count).unwrap_or(0),
            archives: doc.archives.len(),
            holds: self.holds(&delivery).await?,
            withdrawal: self.withdrawal(&doc.participant).await?,
            disputes: self.disputes(&delivery).await?,
            users,
        };
        Ok(Found { delivery, facts, files })
    }

    /// A run of this specimen that is not over may make the same bytes again, or hand them off.
    async fn open_runs(&self, delivery: &Held<Delivery>) -> Result<Vec<String>, Refusal> {
        let specimen = Some(delivery.row.specimen_id.clone());
        let runs = self.reader.runs(&RunFilter { specimen, limit: i64::MAX, ..RunFilter::default() }).await?;
        let open = runs.into_iter().filter(|run| is_open(&run.status));
        Ok(open.map(|run| format!("run {}, which is {},", run.run_id, run.status)).collect())
    }

    async fn fate(
        &self,
        delivery: &Held<Delivery>,
        file: &PackageFile,
        users: &mut Vec<String>,
    ) -> Result<RetiredFile, Refusal> {
        let (mut plain, mut form) = (Vec::new(), Vec::new());
        let (specimen, order_line) = (&delivery.row.specimen_id, &delivery.doc.order_line);
        for (run, status) in self.reader.makers_beside(&file.artifact, specimen, order_line).await? {
            if is_open(&status) {
                users.push(format!("run {run}, which is {status},"));
            } else {
                plain.push(format!("run {run} made the same file for somebody else"));
            }
        }
        for (other, encrypted) in self.reader.deliveries_with(&file.artifact).await? {
            if other == delivery.row.record_id {
                continue;
            }
            match self.need(&other).await? {
                Need::No => {}
                Need::Blocks(who) => users.push(who),
                Need::Keeps(who) if encrypted => form.push(who),
                Need::Keeps(who) => plain.push(who),
            }
        }
        let is_encrypted = !file.header.is_empty();
        let fate = match (plain.is_empty() && form.is_empty(), is_encrypted && form.is_empty()) {
            (true, _) => Fate::Destroyed,
            (false, true) => Fate::EncryptedFormDestroyed,
            (false, false) => Fate::Kept,
        };
        plain.extend(form);
        Ok(RetiredFile {
            path: file.path.clone(),
            sha256: file.artifact.clone(),
            sent_sha256: file.sha256.clone(),
            size: file.size,
            fate,
            because: plain.join("; "),
            certificate: None,
        })
    }

    /// Does another delivery still need the files that both have?
    async fn need(&self, id: &str) -> Result<Need, Refusal> {
        let Some(held) = self.desk.find::<Delivery>(Kind::Delivery, id).await? else {
            // Packed, and never given: its run will, or is over.
            let Some(row) = self.reader.delivery(id).await? else { return Ok(Need::No) };
            let run = self.reader.run(row.run_id.as_str()).await?;
            let open = run.is_some_and(|run| is_open(&run.status));
            return Ok(if open { Need::Blocks(format!("delivery {id}, which is {},", row.status)) } else { Need::No });
        };
        let status = status(&held)?;
        let is_carried_and_over = !held.doc.pull && held.doc.receipt_due_us.is_none() && status == Status::Delivered;
        let what = format!("delivery {id} to {}, which is {status},", held.row.owner);
        Ok(match status {
            Status::Retired | Status::Recalled | Status::Superseded => Need::No,
            // It lies at its target, and nobody is expected to say anything of it.
            _ if is_carried_and_over => Need::No,
            Status::Acknowledged => Need::Keeps(format!("{what} has it too")),
            Status::Offered
            | Status::Pulling
            | Status::Delivered
            | Status::PartlyAcknowledged
            | Status::Refused
            | Status::Expired => Need::Blocks(what),
        })
    }

    async fn holds(&self, delivery: &Held<Delivery>) -> Result<Vec<String>, Refusal> {
        let mut holds = Vec::new();
        let said = |what: String, hold: &str| {
            let hold: Option<Hold> = serde_json::from_str(hold).unwrap_or_default();
            hold.map(|hold| format!("{what} is held by {}: {}", hold.by, hold.reason))
        };
        if let Some(order) = self.desk.find_order(&delivery.doc.order_line).await? {
            holds.extend(said(format!("order line {}", order.row.order_line_id), &order.row.hold));
        }
        if let Some(run) = self.reader.run(&delivery.row.parent).await? {
            holds.extend(said(format!("run {}", run.run_id), &run.hold));
        }
        Ok(holds)
    }

    async fn withdrawal(&self, participant: &str) -> Result<Option<String>, Refusal> {
        let Some(participant) = self.desk.find_participant(participant).await? else { return Ok(None) };
        let case = &participant.doc.case;
        if participant.row.consent == consent::Status::Withdrawn.word() {
            return Ok(Some(format!("consent was withdrawn (case {case})")));
        }
        let case = self.desk.find::<Case>(Kind::Case, case).await?;
        let open = case.filter(|case| case.row.status != withdrawal::Status::Closed.word());
        Ok(open.map(|case| format!("withdrawal case {} is {}", case.row.record_id, case.row.status)))
    }

    async fn disputes(&self, delivery: &Held<Delivery>) -> Result<Vec<String>, Refusal> {
        let about = format!("delivery {}", delivery.row.record_id);
        let all = self.desk.records_of::<Deviation>(Kind::Deviation, &delivery.row.specimen_id).await?;
        let open = all.into_iter().filter(|held| held.row.status == "open" && held.doc.about == about);
        Ok(open.map(|held| held.row.record_id).collect())
    }
}

fn status(held: &Held<Delivery>) -> Result<Status, Refusal> {
    let unknown = || crate::store::Error::Unknown { what: "a status", found: held.row.status.clone() };
    Ok(Status::parse(&held.row.status).ok_or_else(unknown)?)
}

fn is_open(status: &str) -> bool {
    run::Status::parse(status).is_none_or(|status| !status.is_end())
}
