//! A small delivery for tests: two lanes trimmed (one at the second try), aligned, gated, released; one file encrypted, one not.

use sha2::{Digest as _, Sha256};

use super::*;

/// The payload: name and content.
pub(crate) const PAYLOAD: [(&str, &str); 5] = [
    ("S1.cram", "aligned reads\n"),
    ("S1.report.txt.c4gh", "crypt4gh and nothing to be read\n"),
    ("delivery.json", "{}\n"),
    ("qc.json", "{}\n"),
    ("workflow.yaml", "kentai: 1\nworkflow: small\n"),
];

/// 2026-11-25T00:00:00Z
const DAY: Micros = 1_795_564_800_000_000;
const SECOND: Micros = 1_000_000;

fn sha256(text: &str) -> String {
    Sha256::digest(text.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn bound(name: &str, content: &str) -> Bound {
    Bound { name: name.into(), artifact: sha256(content) }
}

fn artifact(name: &str, content: &str) -> Artifact {
    let format = if name.ends_with(".gz") { "application/gzip" } else { "" };
    Artifact {
        sha256: sha256(content),
        name: name.into(),
        size_bytes: content.len() as u64,
        directory: false,
        format: format.into(),
    }
}

fn attempt(n: u32, key: &str, number: u32, used: &[Bound], generated: &[Bound]) -> Attempt {
    let (step, item) = key.split_once('/').unwrap_or((key, ""));
    let image = Image { name: "registry.example:5000/kentai/seqtools:1".into(), sha256: sha256("image") };
    Attempt {
        id: format!("r1-{n}"),
        key: key.into(),
        step: step.into(),
        number,
        executor: "here".into(),
        image: (item != "L002").then_some(image),
        started_us: DAY + Micros::from(n) * SECOND,
        ended_us: DAY + Micros::from(n) * SECOND + 123_456,
        outcome: Outcome::Completed,
        used: used.to_vec(),
        generated: generated.to_vec(),
        cpu_ms: Some(90),
        max_rss_bytes: (n > 1).then_some(4096),
    }
}

fn attempts() -> Vec<Attempt> {
    let failed = Attempt {
        outcome: Outcome::Failed("out_of_memory: the tool was killed at 64 MiB".into()),
        ..attempt(1, "trim/L001", 1, &[bound("reads", "lane 1")], &[])
    };
    let (one, two) = (bound("trimmed", "trimmed 1"), bound("trimmed", "trimmed 2"));
    let reads = [one.clone(), two.clone()].map(|file| Bound { name: "reads".into(), ..file });
    let made = [bound("cram", PAYLOAD[0].1), bound("report", "deep enough"), bound("index", "a directory's manifest")];
    vec![
        failed,
        attempt(2, "trim/L001", 2, &[bound("reads", "lane 1")], &[one]),
        attempt(3, "trim/L002", 1, &[bound("reads", "lane 2")], &[two]),
        attempt(4, "align", 1, &reads, &made),
    ]
}

fn decisions() -> Vec<Decision> {
    let depth = Measured {
        metric: "mean_autosome_coverage".into(),
        value: Some(28.5),
        unit: "x".into(),
        wanted: ">= 30".into(),
        verdict: "warn".into(),
    };
    let reads = Measured { metric: "reads".into(), value: None, unit: String::new(), ..depth.clone() };
    let said = |key: &str, by: Option<&str>, verdict: &str, reason: &str, at: Micros| Decision {
        key: key.into(),
        step: key.into(),
        by: by.map(Into::into),
        verdict: verdict.into(),
        reason: reason.into(),
        at_us: DAY + at * SECOND,
        values: Vec::new(),
    };
    vec![
        Decision { values: vec![depth, reads], ..said("depth", None, "warn", "", 10) },
        said("depth", Some("tanaka"), "release", "deep enough for this question", 60),
        said("release", Some("佐藤"), "approve", "as ordered", 120),
    ]
}

fn files() -> Vec<Delivered> {
    let format = |name: &str| match name.rsplit('.').next() {
        Some("json") => "application/json",
        Some("yaml") => "application/yaml",
        _ => "application/octet-stream",
    };
    let file = |(name, content): (&str, &str)| Delivered {
        name: name.into(),
        size_bytes: content.len() as u64,
        sha256: sha256(content),
        format: format(name).into(),
        description: String::new(),
        artifact: match name {
            "S1.cram" => Some(sha256(content)),
            "S1.report.txt.c4gh" => Some(sha256("deep enough")),
            _ => None,
        },
    };
    PAYLOAD.map(file).into()
}

/// The delivery.
pub(crate) fn description() -> Description {
    let step = |id: &str, tool| Step { id: id.into(), title: String::new(), tool };
    let param = |name: &str, kind, value: &str| Param { name: name.into(), kind, value: value.into() };
    Description {
        delivery: "d1".into(),
        title: "Delivery d1 of specimen S1".into(),
        description: "Aligned reads and a report of one specimen.".into(),
        at_us: DAY + 200 * SECOND,
        license: "https://center.example/terms".into(),
        center: Center { name: "北 center".into(), url: Some("https://center.example/".into()) },
        engine: Engine { version: "0.1.0".into(), url: "https://kentai.example/".into() },
        workflow: Workflow {
            id: "small".into(),
            version: "3".into(),
            title: "A small one".into(),
            file: "workflow.yaml".into(),
            steps: vec![
                step("receive", false),
                step("trim", true),
                step("align", true),
                step("never", true),
                step("depth", false),
                step("release", false),
                step("deliver", false),
            ],
        },
        run: Run {
            id: "r1".into(),
            by: Some("yamada".into()),
            started_us: DAY,
            ended_us: DAY + 120 * SECOND,
            params: vec![
                param("reference", ParamKind::Text, "tiny@1"),
                param("threads", ParamKind::Integer, "2"),
                param("least", ParamKind::Float, "0.85"),
                param("strict", ParamKind::Boolean, "true"),
            ],
            inputs: vec![bound("lanes", "lane 1"), bound("lanes", "lane 2")],
            outputs: vec![bound("cram", PAYLOAD[0].1), bound("report", "deep enough")],
        },
        people: ["tanaka", "佐藤", "yamada"].map(|id| Person { id: id.into(), name: id.into() }).into(),
        artifacts: vec![
            artifact("L001.fastq.gz", "lane 1"),
            artifact("L002.fastq.gz", "lane 2"),
            artifact("trimmed.fastq.gz", "trimmed 1"),
            artifact("trimmed.fastq.gz", "trimmed 2"),
            artifact("merged.cram", PAYLOAD[0].1),
            artifact("report.txt", "deep enough"),
            Artifact { directory: true, ..artifact("index", "a directory's manifest") },
        ],
        attempts: attempts(),
        decisions: decisions(),
        files: files(),
    }
}
