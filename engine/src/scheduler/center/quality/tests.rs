//! A center without hands: values are brought for an order line, and what they say of the person is heard.

use std::collections::BTreeMap;
use std::sync::Arc;

use kentai_workflows::site::Site;

use crate::clock::Clock;
use crate::decide::admit;
use crate::decide::retry::Budgets;
use crate::id::RunId;
use crate::qc::criteria::{Applies, Behavior, Comparator, Criteria, Criterion, Unknown};
use crate::qc::import::{detect, values};
use crate::qc::metric::Unit;
use crate::qc::verdict::{Evaluation, Value, Verdict};
use crate::scheduler::center::request::{Answer, Request};
use crate::scheduler::handle::{Message, Refusal};
use crate::scheduler::{Actor, Options, Running, start};
use crate::specimen::import::Table;
use crate::specimen::record::{Assay, Deviation};
use crate::store::read::RecordFilter;

struct Center {
    running: Running,
    order: String,
    _directory: tempfile::TempDir,
}

fn options(directory: &std::path::Path) -> Options {
    Options {
        site: "test".into(),
        directory: directory.join("site"),
        executors: Vec::new(),
        chosen: false,
        collect: Arc::new(|_| Vec::new()),
        targets: BTreeMap::new(),
        subscribers: Vec::new(),
        facts: Arc::new(Site::default),
        resources: admit::Request::default(),
        slots: 1,
        memory_max_per_step: 0,
        timeout_max_s: 0,
        budgets: Budgets { infrastructure: 1, preempted: 1, image: 1, lost: 1 },
        keep_attempts_s: 0,
        clock: Clock::Machine,
        drain: true,
    }
}

fn somebody() -> Actor {
    let roles = ["operator", "reviewer", "releaser"].map(str::to_owned).into();
    Actor { name: "tanaka".into(), roles, ..Actor::default() }
}

impl Center {
    /// One order line of somebody who is declared to be female.
    async fn open(assay: Assay) -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        std::fs::create_dir_all(directory.path().join("site")).expect("made");
        let running = start(options(directory.path())).await.expect("it starts");
        let mut center = Self { running, order: String::new(), _directory: directory };
        center.import(Table::Institutions, "", &[("code", "H1"), ("name", "Hospital"), ("role", "sender")]).await;
        center.import(Table::Programs, "", &[("code", "rare"), ("name", "Rare diseases")]).await;
        let request = Request::Assay { name: "wgs".into(), version: "1".into(), assay: Box::new(assay) };
        center.ask(request).await.expect("defined");
        let cells =
            [("shipment", "SH1"), ("barcode", "T1"), ("pseudonym", "P1"), ("program", "rare"), ("assay", "wgs")];
        let cells: Vec<_> = cells.into_iter().chain([("sex", "female")]).collect();
        let answer = center.import(Table::Shipment, "H1", &cells).await;
        let order = answer.changed.iter().find_map(|said| said.strip_prefix("order_line "));
        center.order = order.expect("an order line").to_owned();
        center
    }

    async fn ask(&self, request: Request) -> Result<Answer, Refusal> {
        self.running.handle.center(request, &somebody()).await
    }

    async fn import(&self, table: Table, institution: &str, cells: &[(&str, &str)]) -> Answer {
        let row = cells.iter().map(|(column, text)| ((*column).to_owned(), (*text).to_owned())).collect();
        let institution = institution.to_owned();
        let request = Request::Import { table, rows: vec![row], dry_run: false, source: "test".into(), institution };
        let answer = self.ask(request).await.expect("imported");
        assert!(answer.problems.is_empty(), "{:?}", answer.problems);
        answer
    }

    async fn bring(&self, values: Vec<Value>) -> Result<Answer, Refusal> {
        self.ask(Request::Measured { order_line: self.order.clone(), values }).await
    }

    async fn records<T: serde::de::DeserializeOwned>(&self, kind: &str) -> Vec<T> {
        let filter = RecordFilter { kind: kind.into(), limit: 100, ..RecordFilter::default() };
        let mut rows = self.running.handle.reader().records(&filter).await.expect("read");
        rows.sort_by_key(|row| row.created_us);
        rows.iter().map(|row| serde_json::from_str(&row.document).expect("known")).collect()
    }

    async fn newest(&self) -> Evaluation {
        self.records::<Evaluation>("evaluation").await.pop().expect("one")
    }
}

fn coverage_of_a_man() -> Vec<Value> {
    let bytes = include_bytes!("../../../qc/fixtures/one_sample/coverage.txt");
    values(detect(bytes).expect("known"), bytes).expect("read")
}

fn fingerprint(differ: u32) -> Vec<Value> {
    let text = format!("# bcftools gtcheck\nDC\tS\tP\t{differ}\t1.0\t24\n");
    values(detect(text.as_bytes()).expect("known"), text.as_bytes()).expect("read")
}

fn depth(wanted: f64) -> Option<Criteria> {
    let criterion = Criterion {
        metric: "mean_autosome_coverage".into(),
        unit: Unit::Depth,
        comparator: Comparator::AtLeast,
        pass: wanted,
        warn: None,
        applies_to: Applies::default(),
        behavior: Behavior::Hold,
        unknown: Unknown::default(),
    };
    Some(Criteria { id: "wgs".into(), version: "1".into(), criteria: vec![criterion], ..Criteria::default() })
}

#[tokio::test]
async fn a_sex_that_does_not_match_fails_and_opens_one_deviation() {
    let center = Center::open(Assay { criteria: depth(10.0), ..Assay::default() }).await;
    let answer = center.bring(coverage_of_a_man()).await.expect("judged");
    assert!(answer.said.ends_with(": fail"), "{}", answer.said);
    assert!(answer.notes.iter().any(|note| note.contains("sex by coverage is male")), "{:?}", answer.notes);
    assert!(answer.changed.iter().any(|changed| changed.starts_with("deviation ")), "{:?}", answer.changed);
    // Brought again it is the same deviation.
    center.bring(coverage_of_a_man()).await.expect("judged");
    let deviations: Vec<Deviation> = center.records("deviation").await;
    assert_eq!(deviations.len(), 1);
    assert_eq!(
        (deviations[0].severity.as_str(), &deviations[0].about),
        ("critical", &format!("order_line {}", center.order))
    );
    let newest = center.newest().await;
    assert_eq!((newest.verdict, newest.checks[0].verdict, newest.findings.len()), (Verdict::Fail, Verdict::Pass, 1));
}

#[tokio::test]
async fn other_values_brought_later_do_not_hide_a_mismatch() {
    let center = Center::open(Assay { criteria: depth(10.0), ..Assay::default() }).await;
    center.bring(fingerprint(20)).await.expect("judged");
    let mut only_depth = coverage_of_a_man();
    only_depth.retain(|value| value.metric == "mean_autosome_coverage");
    let answer = center.bring(only_depth.clone()).await.expect("judged");
    assert!(answer.said.ends_with(": fail"), "{}", answer.said);
    // Measured anew it is what is measured now.
    let again = [only_depth, fingerprint(0)].concat();
    let answer = center.bring(again).await.expect("judged");
    assert!(answer.said.ends_with(": pass"), "{}", answer.said);
}

#[tokio::test]
async fn an_assay_says_what_a_mismatch_is() {
    let center = Center::open(Assay { criteria: depth(10.0), sex_mismatch_warns: true, ..Assay::default() }).await;
    let answer = center.bring(coverage_of_a_man()).await.expect("judged");
    assert!(answer.said.ends_with(": warn"), "{}", answer.said);
    let deviations: Vec<Deviation> = center.records("deviation").await;
    assert_eq!(deviations[0].severity, "minor");
    // Limits that cannot be meant are refused.
    let limits = serde_json::json!({ "identity_limits": { "pass": 0.5, "fail": 0.9 } });
    let assay: Assay = serde_json::from_value(limits).expect("read");
    let refused = center.ask(Request::Assay { name: "wgs".into(), version: "2".into(), assay: Box::new(assay) }).await;
    assert!(matches!(&refused, Err(Refusal::Bad(why)) if why.contains("fail not above pass")), "{refused:?}");
    let rectangles = serde_json::json!({ "sex_rectangles": [{ "sex": "male", "x": [0.6, 0.3], "y": [0.2, 0.7] }] });
    let assay: Assay = serde_json::from_value(rectangles).expect("read");
    let refused = center.ask(Request::Assay { name: "wgs".into(), version: "2".into(), assay: Box::new(assay) }).await;
    assert!(matches!(&refused, Err(Refusal::Bad(why)) if why.contains("0.6 to 0.3")), "{refused:?}");
}

#[tokio::test]
async fn a_mismatch_is_found_where_an_assay_has_no_criteria() {
    let center = Center::open(Assay::default()).await;
    let refused = center.bring(Vec::new()).await;
    assert!(matches!(&refused, Err(Refusal::State(why)) if why.contains("has no criteria")), "{refused:?}");
    let answer = center.bring(coverage_of_a_man()).await.expect("judged");
    assert!(answer.said.ends_with(": fail"), "{}", answer.said);
}

#[tokio::test]
async fn what_a_run_measured_joins_what_was_brought() {
    let center = Center::open(Assay { criteria: depth(10.0), ..Assay::default() }).await;
    let mut only_depth = coverage_of_a_man();
    only_depth.retain(|value| value.metric == "mean_autosome_coverage");
    center.bring(only_depth).await.expect("judged");
    assert_eq!(center.newest().await.verdict, Verdict::Pass);
    // The order line has no run: its name is empty, as it is here.
    let found = || {
        let mut files = vec![fingerprint(0), fingerprint(20), coverage_of_a_man()];
        for (file, name) in files.iter_mut().zip(["lane 1", "lane 2", "both"]) {
            file.iter_mut().for_each(|value| value.source_sha256 = name.into());
        }
        files
    };
    for _ in 0..2 {
        let message = Message::Measured(center.order.clone(), RunId::from(""), found());
        assert!(center.running.handle.inbox.send(message).await.is_ok());
    }
    let other = Message::Measured(center.order.clone(), RunId::from("of-an-earlier-round"), vec![fingerprint(0)]);
    assert!(center.running.handle.inbox.send(other).await.is_ok());
    // Answered after what was sent before it.
    center.import(Table::Programs, "", &[("code", "rare"), ("name", "Rare diseases")]).await;
    let all: Vec<Evaluation> = center.records("evaluation").await;
    assert_eq!(all.len(), 2, "the same twice is written down once");
    assert_eq!((all[1].verdict, all[1].checks[0].verdict, all[1].findings.len()), (Verdict::Fail, Verdict::Pass, 2));
    assert_eq!(center.records::<Deviation>("deviation").await.len(), 2);
}
