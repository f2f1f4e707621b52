//! A center in a house: an institution, a program, an assay with a workflow, and short ways to bring specimens along.

use std::collections::BTreeMap;

use anyhow::{Context, Result, bail, ensure};
use kentai_engine::clock::Clock;
use kentai_engine::id::RunId;
use kentai_engine::scheduler::center::request::{Answer, Request};
use kentai_engine::scheduler::handle::{AnswerKind, Definition, Refusal};
use kentai_engine::scheduler::{Actor, Subscriber, Target};
use kentai_engine::specimen::import::{Row, Table};
use kentai_engine::specimen::record::{Assay, Consent};
use kentai_tests::house::{House, Plan, operator, person, workflow};

/// A workflow that takes no files: these tests are not about reads.
pub(super) fn short() -> String {
    workflow(
        "  a:
    outputs: { m: { path: m.json, keep: true } }
    script: x
  depth:
    after: [a]
    gate:
      read: { q: { from: steps.a.m, at: $.q } }
      checks: [ { metric: q, pass: \">= 30\", warn: \">= 20\", missing: not_measured } ]
      if_warn: hold
      if_fail: hold
  review:
    after: [depth]
    approve: { ask: { en: \"Release?\" }, roles: [releaser], not_by: [previous_decider] }
  give:
    after: [review]
    handoff: { to: outbox, files: [\"${{ steps.a.m }}\"] }
",
    )
}

/// A center with one institution `H1`, one program `rare` and the assay `wgs@1`: 600 M reads, of which all are needed.
pub(super) struct Center {
    pub(super) house: House,
}

pub(super) fn row(cells: &[(&str, &str)]) -> Row {
    cells.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect()
}

pub(super) fn officer(name: &str) -> Actor {
    person(name, "withdrawal_officer")
}

impl Center {
    pub(super) async fn open(source: &str) -> Result<Self> {
        Self::open_at(source, Clock::Machine).await
    }

    /// With a clock of its own.
    pub(super) async fn open_at(source: &str, clock: Clock) -> Result<Self> {
        Self::open_with(source, clock, Vec::new()).await
    }

    /// With a clock of its own, and somebody who gets notices.
    pub(super) async fn open_with(source: &str, clock: Clock, subscribers: Vec<Subscriber>) -> Result<Self> {
        Self::built(source, Plan { clock, subscribers, ..Plan::default() }).await
    }

    /// To a plan; both targets want consent to `research`.
    pub(super) async fn built(source: &str, plan: Plan) -> Result<Self> {
        let consent_use = Some("research".to_owned());
        let fetched = Target { consent_use: consent_use.clone(), ..Target::pulled() };
        let mut plan = Plan { consent_use: consent_use.clone(), ..plan };
        let target = plan.targets.entry("dc1".to_owned()).or_insert(fetched);
        target.consent_use = consent_use;
        let house = House::with(plan).await?;
        let definition = Definition { path: "test.yaml".into(), source: source.into(), called: BTreeMap::new() };
        house.handle().register(&definition, &operator()).await.map_err(|refusal| anyhow::anyhow!("{refusal:?}"))?;
        let center = Self { house };
        center
            .import(Table::Institutions, &[&[("code", "H1"), ("name", "Hospital 1"), ("role", "sender")]], "")
            .await?;
        center
            .import(Table::Institutions, &[&[("code", "H2"), ("name", "Hospital 2"), ("role", "sender")]], "")
            .await?;
        center.import(Table::Programs, &[&[("code", "rare"), ("name", "Rare diseases")]], "").await?;
        center
            .assay(
                "1",
                Assay { workflow: "test".into(), reads_ordered: 600_000_000, reads_percent: 100.0, ..Assay::default() },
            )
            .await?;
        Ok(center)
    }

    pub(super) async fn assay(&self, version: &str, assay: Assay) -> Result<Answer> {
        self.ask(Request::Assay { name: "wgs".into(), version: version.into(), assay: Box::new(assay) }, &operator())
            .await
    }

    /// A request that must be granted.
    pub(super) async fn ask(&self, request: Request, actor: &Actor) -> Result<Answer> {
        let answer =
            self.house.handle().center(request, actor).await.map_err(|refusal| anyhow::anyhow!("{refusal}"))?;
        ensure!(answer.problems.is_empty(), "{:?}", answer.problems);
        Ok(answer)
    }

    /// A request that must be refused.
    pub(super) async fn refused(&self, request: Request, actor: &Actor) -> Result<Refusal> {
        match self.house.handle().center(request, actor).await {
            Ok(answer) => bail!("it was granted: {answer:?}"),
            Err(refusal) => Ok(refusal),
        }
    }

    pub(super) async fn import(&self, table: Table, rows: &[&[(&str, &str)]], institution: &str) -> Result<Answer> {
        let rows = rows.iter().map(|cells| row(cells)).collect();
        let institution = institution.to_owned();
        self.ask(Request::Import { table, rows, dry_run: false, source: "test".into(), institution }, &operator()).await
    }

    /// Announces one tube of `H1` and gives its specimen and order line.
    pub(super) async fn announce(&self, barcode: &str, pseudonym: &str) -> Result<(String, String)> {
        let cells = [
            ("shipment", "SH1"),
            ("barcode", barcode),
            ("pseudonym", pseudonym),
            ("program", "rare"),
            ("assay", "wgs"),
        ];
        let answer = self.import(Table::Shipment, &[&cells], "H1").await?;
        let order = answer.changed.iter().find_map(|said| said.strip_prefix("order_line ")).context("an order line")?;
        let specimen =
            self.house.sql(&format!("select specimen_id from order_line where order_line_id = '{order}'"))?;
        Ok((specimen, order.to_owned()))
    }

    pub(super) async fn consent(&self, pseudonym: &str, scopes: &[&str]) -> Result<Answer> {
        let consent = Consent {
            document: "form".into(),
            document_version: "3".into(),
            scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
            evidence: "shelf 1".into(),
            ..Consent::default()
        };
        let status = "given".into();
        let request = Request::Consent { program: "rare".into(), pseudonym: pseudonym.into(), consent, status };
        self.ask(request, &operator()).await
    }

    pub(super) async fn receive(&self, barcode: &str) -> Result<Answer> {
        let request = Request::Receive {
            barcode: barcode.into(),
            institution: "H1".into(),
            condition: String::new(),
            note: String::new(),
        };
        self.ask(request, &operator()).await
    }

    pub(super) async fn accession(&self, specimen: &str) -> Result<Answer> {
        self.ask(Request::Accession { specimen: specimen.into() }, &operator()).await
    }

    /// One lane of data.
    pub(super) async fn lane(&self, run: &str, lane: &str, sample: &str, reads: &str) -> Result<Answer> {
        let cells = [("instrument_run", run), ("lane", lane), ("sample", sample), ("reads", reads)];
        self.import(Table::Lanes, &[&cells], "").await
    }

    /// Announced, consented, received, accessioned.
    pub(super) async fn bring(&self, barcode: &str, pseudonym: &str) -> Result<(String, String)> {
        let (specimen, order) = self.announce(barcode, pseudonym).await?;
        self.consent(pseudonym, &["sequencing", "research"]).await?;
        self.receive(barcode).await?;
        self.accession(&specimen).await?;
        Ok((specimen, order))
    }

    pub(super) fn stage(&self, order: &str) -> Result<String> {
        self.house.sql(&format!("select stage from order_line where order_line_id = '{order}'"))
    }

    pub(super) fn run(&self, order: &str) -> Result<String> {
        self.house.sql(&format!("select run_id from order_line where order_line_id = '{order}'"))
    }

    /// Two people say yes at a step of a run.
    pub(super) async fn release(&self, run: &RunId, step: &str) -> Result<(), Refusal> {
        for name in ["mori", "oka"] {
            self.house.answer(run, step, (name, "releaser"), AnswerKind::Approve, "approve").await?;
        }
        Ok(())
    }

    pub(super) async fn until_stage(&self, order: &str, stage: &str) -> Result<()> {
        self.house.until(&format!("stage {stage}"), async |_| Ok(self.stage(order)? == stage)).await
    }

    /// What was put down for an order line, in order.
    pub(super) fn history(&self, order: &str) -> Result<Vec<String>> {
        let kinds =
            self.house.sql(&format!("select kind from event where stream = 'order_line:{order}' order by n"))?;
        Ok(kinds.lines().map(str::to_owned).collect())
    }
}
