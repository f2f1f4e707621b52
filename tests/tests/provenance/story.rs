//! One run with everything that provenance must tell: lanes that were received, a try that failed, a called run, a gate, people.

use anyhow::{Result, ensure};
use kentai_engine::clock::Micros;
use kentai_engine::id::RunId;
use kentai_engine::provenance::{Center, Description, Engine};
use kentai_engine::scheduler::handle::AnswerKind;
use kentai_engine::view::provenance::{Ask, description};
use kentai_tests::house::{Act, House, file, specimen};
use kentai_workflows::plan::Specimen;
use serde_json::json;

const WORKFLOW: &str = "kentai: 1
workflow: test
version: '3'
title: A line of three tools
params:
  level: { type: integer, default: 2 }
  least: { type: number, default: 0.85 }
  strict: { type: boolean, default: true }
  note: { type: string, default: /srv/secret/place }
specimen:
  inputs:
    lanes: { type: list, item: { id: string, r1: file } }
steps:
  receive:
    receive: { require: [specimen] }
  trim:
    after: [receive]
    for_each: { lane: specimen.lanes }
    inputs: { reads: \"${{ lane.r1 }}\" }
    outputs: { trimmed: { path: trimmed.fastq.gz } }
    retry: { attempts: 2, causes: [tool], wait: { first: 0s, max: 0s, jitter: false } }
    script: x
  align:
    inputs: { reads: \"${{ steps.trim.all.trimmed }}\" }
    outputs: { cram: { path: merged.cram }, metrics: { path: metrics.json, format: json } }
    script: x
  sub:
    call: { workflow: called.yaml, with: { depth: \"7\" }, inputs: { x: \"${{ steps.align.cram }}\" } }
  good:
    gate:
      read: { q: { from: steps.align.metrics, at: $.q } }
      checks: [ { metric: q, pass: \">= 2\", warn: \">= 1\", missing: fail } ]
      if_warn: hold
      if_fail: fail
  ask:
    after: [good]
    approve: { roles: [releaser], count: 1 }
  deliver:
    after: [ask]
    handoff: { to: outbox, files: [\"${{ steps.align.cram }}\", \"${{ steps.sub.report }}\"] }
";

const CALLED: &str = "kentai: 1
workflow: called
params: { depth: { type: integer, default: 1 } }
specimen: { inputs: { x: file } }
steps:
  report:
    inputs: { x: \"${{ specimen.x }}\" }
    outputs: { o: { path: report.txt, format: text } }
    script: x
outputs: { report: steps.report.o }
";

/// Whose names the files came with: none of it is anybody's business.
pub(super) const FROM_OUTSIDE: &str = "yamada_taro";

/// A house in which the run has come to its end.
pub(super) struct Story {
    pub(super) house: House,
    pub(super) run: RunId,
}

impl Story {
    pub(super) async fn told() -> Result<Self> {
        let mut house = House::open().await?;
        house.called.insert("called.yaml".into(), ("called.yaml".into(), CALLED.into()));
        house.hands.plan("trim/L001", [Act::Exit(75), Act::Well]);
        house.hands.plan(
            "align",
            [Act::Make(vec![("merged.cram", "aligned\n".into()), ("metrics.json", "{\"q\": 1}".into())])],
        );
        let run = house.submit(WORKFLOW, &with_lanes(&house)?).await?;
        house.step_is(&run, "good", "awaiting_person").await?;
        house.answer(&run, "good", ("tanaka", "reviewer"), AnswerKind::Qc, "release").await?;
        house.step_is(&run, "ask", "awaiting_person").await?;
        house.answer(&run, "ask", ("佐藤", "releaser"), AnswerKind::Approve, "approve").await?;
        let status = house.end(&run).await?;
        ensure!(status == "succeeded", "it {status}: {}", house.why(&run, None).await?);
        Ok(Self { house, run })
    }

    /// What is asked for when nothing is delivered.
    pub(super) fn ask(&self, until_us: Micros) -> Ask {
        Ask {
            run: self.run.clone(),
            until_us,
            delivery: self.run.to_string(),
            title: format!("Run {}", self.run),
            description: "What was done for one specimen.".into(),
            at_us: 1_795_564_800_000_000,
            license: "https://center.example/terms".into(),
            center: Center { name: "北 center".into(), url: Some("https://center.example/".into()) },
            engine: Engine { version: "0.1.0".into(), url: "https://kentai.example/".into() },
            files: Vec::new(),
            given: Vec::new(),
        }
    }

    pub(super) async fn described(&self, until_us: Micros) -> Result<Description> {
        Ok(description(self.house.handle().reader(), self.ask(until_us)).await?)
    }
}

fn with_lanes(house: &House) -> Result<Specimen> {
    let lane = |id: &str| {
        let path = house.directory.path().join(format!("{FROM_OUTSIDE}_{id}.fastq.gz"));
        std::fs::write(&path, format!("reads of {id}\n"))?;
        anyhow::Ok(json!({ "id": id, "r1": file(&path) }))
    };
    let mut specimen = specimen("S1");
    specimen.values = [("lanes".to_owned(), json!([lane("L001")?, lane("L002")?]))].into_iter().collect();
    Ok(specimen)
}
