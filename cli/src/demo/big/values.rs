//! What is measured, and how tasks end: numbers out of a seed, and the few that a story needs as they are. Pure.

use kentai_engine::exit_record::ExitRecord;
use kentai_engine::port::executor::{Evidence, Obstacle, Report, Task};
use kentai_engine::qc::metric::Unit;
use kentai_engine::qc::verdict::Value;
use kentai_executors::pretend::record;

use super::dice::Dice;
use super::fate::Fate;
use super::plan::{HOUR, Line};

const MINUTE: i64 = HOUR / 60;
const GIB: f64 = (1_u64 << 30) as f64;
/// Standard deviation and mean of a control's depth.
const CONTROL: (f64, f64) = (0.54, 31.4);
/// Sides of the mean on which a control in order lies, so that no ten in a row are on one.
const SIDES: [f64; 8] = [1.0, -1.0, -1.0, 1.0, -1.0, 1.0, 1.0, -1.0];

/// How a task ends: after how long, how, which values it measured, and what it said.
pub(super) struct End {
    pub(super) after: i64,
    pub(super) report: Report,
    pub(super) values: Vec<(&'static str, f64)>,
    pub(super) said: String,
}

/// Minutes that a step takes, from and to, and the share of its memory that it needs.
fn usual(step: &str) -> (f64, f64, f64) {
    match step {
        "trim" => (16.0, 24.0, 0.55),
        "align" => (100.0, 170.0, 0.82),
        "merge" => (12.0, 20.0, 0.4),
        "call" => (50.0, 80.0, 0.7),
        "coverage" => (20.0, 30.0, 0.6),
        "identity" => (10.0, 15.0, 0.3),
        "mito" => (14.0, 20.0, 0.3),
        "join" => (15.0, 30.0, 0.35),
        "analyze" => (300.0, 480.0, 0.75),
        _ => (5.0, 10.0, 0.2),
    }
}

/// The share of its processors that a step has in use on average.
fn busy(step: &str) -> f64 {
    match step {
        "align" => 0.93,
        "call" | "analyze" => 0.78,
        "merge" => 0.31,
        "join" | "identity" => 0.16,
        _ => 0.55,
    }
}

/// How a task of a line ends. `again`: its run was tried again after it failed.
pub(super) fn end(seed: u64, number: usize, line: &Line, task: &Task, again: bool) -> End {
    let attempt: u64 = task.env.get("attempt").and_then(|text| text.parse().ok()).unwrap_or(1);
    let mut dice = Dice::of(seed, number as u64, &format!("{} {attempt} {again}", task.step));
    let step = task.step.split('/').next().unwrap_or_default();
    let (from, to, share) = usual(step);
    let pace = if line.night.is_some() { 0.1 } else { 1.0 };
    #[expect(clippy::cast_possible_truncation, reason = "minutes of a day")]
    let after = (dice.between(from, to) * pace * MINUTE as f64) as i64;
    let memory = task.memory_bytes as f64;
    // A control has nothing odd but its values.
    let odd = if line.night.is_some() { 100 } else { dice.below(100) };
    let (report, after, said) = match line.fate {
        Fate::AnalysisFailed if matches!(step, "coverage" | "analyze") => (out_of_memory(task), after / 3, "Killed"),
        Fate::Retried if step == "analyze" && !again => {
            (exited(task, 1, after, 0.4 * memory), after / 2, "truncated input")
        }
        _ if attempt == 1 && odd < 4 && matches!(step, "align" | "analyze") => {
            (out_of_memory(task), after / 2, "Killed")
        }
        _ if attempt == 1 && odd < 6 && step == "call" => {
            (Report::NotStarted(Obstacle::Infrastructure, "node-3 is down".into()), MINUTE, "")
        }
        _ => (exited(task, 0, after, (share + dice.between(-0.06, 0.06)) * memory), after, "done"),
    };
    let said = format!(
        "{step}: {} on {} cores, {:.0} GiB\nchr1 done\nchr6 done\n{said}\n",
        task.step,
        task.cpus,
        memory / GIB
    );
    let (report, said) =
        if matches!(report, Report::NotStarted(..)) { (report, String::new()) } else { (report, said) };
    End { after, report, values: values(&mut dice, line), said }
}

fn values(dice: &mut Dice, line: &Line) -> Vec<(&'static str, f64)> {
    let contamination = match line.fate {
        Fate::Contaminated => 0.024,
        Fate::Overridden => 0.022,
        _ => round(dice.between(0.001, 0.011), 3),
    };
    vec![
        ("q30", round(dice.between(0.89, 0.95), 3)),
        ("depth", round(dice.between(30.6, 35.5), 1)),
        ("insert_size", round(dice.between(405.0, 460.0), 0)),
        ("contamination", contamination),
    ]
}

fn round(value: f64, digits: i32) -> f64 {
    let scale = 10_f64.powi(digits);
    (value * scale).round() / scale
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "bytes and milliseconds of one task")]
fn exited(task: &Task, code: i32, after: i64, memory: f64) -> Report {
    let step = task.step.split('/').next().unwrap_or_default();
    let cpu_ms = (after as f64 / 1e3 * f64::from(task.cpus) * busy(step)) as u64;
    let record = ExitRecord { exit_code: Some(code), cpu_ms, max_rss_bytes: memory.max(0.0) as u64, ..record(task) };
    Report::Exited(Evidence { record: Some(record), executor_exit_code: Some(code.into()), ..Evidence::default() })
}

fn out_of_memory(task: &Task) -> Report {
    let record =
        ExitRecord { exit_code: None, signal: Some(9), oom_kills: 1, max_rss_bytes: task.memory_bytes, ..record(task) };
    let evidence =
        Evidence { record: Some(record), executor_exit_code: Some(137), oom_killed: true, ..Evidence::default() };
    Report::Exited(evidence)
}

/// The report with the time that its tool had.
pub(super) fn timed(report: Report, began: i64, ended: i64) -> Report {
    match report {
        Report::Exited(mut evidence) => {
            if let Some(record) = &mut evidence.record {
                (record.started_us, record.ended_us) = (began, ended);
            }
            Report::Exited(evidence)
        }
        other => other,
    }
}

/// What somebody brings of a line when its review is asked for.
pub(super) fn measured(seed: u64, number: usize, line: &Line) -> Vec<Value> {
    let mut dice = Dice::of(seed, number as u64, "measured");
    if line.night.is_some() {
        return vec![value("mean_autosome_coverage", control(&mut dice, line), Unit::Depth, "mosdepth")];
    }
    let male = line.sex == "male" && line.fate != Fate::Identity;
    let (x, y) = if male { (0.5, 0.46) } else { (1.0, 0.004) };
    vec![
        value("mean_autosome_coverage", dice.about(32.6, 0.5).max(30.2), Unit::Depth, "mosdepth"),
        value("pct_autosomes_15x", dice.between(95.4, 97.8), Unit::Percent, "mosdepth"),
        value("pct_reads_mapped", dice.between(99.2, 99.9), Unit::Percent, "samtools"),
        value("pct_reads_duplicate", dice.about(11.0, 1.6).clamp(6.0, 19.0), Unit::Percent, "samtools"),
        value("cross_contamination_rate", dice.between(0.001, 0.011), Unit::Fraction, "verifybamid2"),
        value("mean_insert_size", dice.about(432.0, 9.0).max(380.0), Unit::Bases, "samtools"),
        value("sex_x_ratio", x + dice.between(-0.02, 0.02), Unit::One, "mosdepth"),
        value("sex_y_ratio", y + dice.between(0.0, 0.006), Unit::One, "mosdepth"),
        value("identity_concordance", dice.between(0.996, 0.999), Unit::Fraction, "gtcheck"),
    ]
}

fn value(metric: &str, number: f64, unit: Unit, tool: &str) -> Value {
    Value {
        metric: metric.to_owned(),
        value: Some(round(number, 4)),
        unit,
        tool: tool.to_owned(),
        tool_version: "1.0".into(),
        source_sha256: String::new(),
    }
}

/// A control's depth: in order but for what its chart is to show on the one instrument that is controlled every night.
fn control(dice: &mut Dice, line: &Line) -> f64 {
    let night = line.night.unwrap_or(0);
    let score = match night {
        _ if line.assay != "control_n02" => None,
        // 1-3s
        37 => Some(-4.0),
        // R-4s
        28 => Some(2.6),
        27 => Some(-2.6),
        // 2-2s
        18 => Some(2.6),
        17 => Some(2.5),
        // 10-x
        0..10 => Some(dice.between(-1.3, -0.3)),
        _ => None,
    };
    let score = score.unwrap_or_else(|| SIDES[night % SIDES.len()] * dice.between(0.2, 1.6));
    CONTROL.1 + score * CONTROL.0
}
