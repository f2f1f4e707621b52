//! Reading what Slurm's programs print. Pure; the formats are fixed by the arguments in `controller`.
//!
//! A state that is not known counts as alive: nothing is ever decided by a word that we cannot read.

use std::collections::HashMap;

use kentai_engine::port::executor::Granted;

use super::commands::Said;

/// The columns of `squeue -o`; the name is the last, because it may hold anything.
///
/// `%C` is what an ended job had (whole cores, a whole node). `%m` is left out: it repeats what was asked for, of a core where the
/// partition says so and 0 where it is all that the node has, and does not say which of them it means.
pub(super) const SQUEUE_FORMAT: &str = "%i|%T|%V|%N|%C|%r|%j";
/// The columns of `sacct -P`, as far as they can be in the same order.
pub(super) const SACCT_FORMAT: &str = "JobIDRaw,State,Submit,NodeList,AllocCPUS,AllocTRES,ExitCode,JobName";

/// A job's state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Waits for its turn (or for a person: the reason says).
    Pending,
    /// Something of it runs, or may: running, suspended, completing, requeued, and whatever we do not know.
    Alive,
    /// The script ended with 0.
    Completed,
    /// It ended with something else, or could not be started.
    Failed,
    /// Canceled by somebody.
    Canceled,
    /// Over its time limit.
    Timeout,
    /// Over its memory.
    OutOfMemory,
    /// Its node failed.
    NodeFail,
    /// Another job took its place.
    Preempted,
}

impl State {
    fn read(word: &str) -> Self {
        // sacct adds who: `CANCELLED by 1000`.
        match word.split_ascii_whitespace().next().unwrap_or_default().trim_end_matches('+') {
            "PENDING" => Self::Pending,
            "COMPLETED" => Self::Completed,
            "FAILED" | "SPECIAL_EXIT" => Self::Failed,
            "CANCELLED" | "REVOKED" => Self::Canceled,
            "TIMEOUT" | "DEADLINE" => Self::Timeout,
            "OUT_OF_MEMORY" => Self::OutOfMemory,
            "NODE_FAIL" | "BOOT_FAIL" => Self::NodeFail,
            "PREEMPTED" => Self::Preempted,
            // COMPLETING too: processes may live, and the final state is not shown yet.
            _ => Self::Alive,
        }
    }

    /// Nothing of it runs any more, as far as Slurm knows.
    pub(super) fn is_end(&self) -> bool {
        !matches!(self, Self::Pending | Self::Alive)
    }
}

/// One job as Slurm shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// Its number. Given out again after a controller lost its state: never acted on alone.
    pub id: String,
    pub state: State,
    /// The word itself.
    pub word: String,
    /// When it was submitted, as printed; with the number it names a job for good.
    pub submitted: String,
    pub node: String,
    /// What it had, once it has ended; what it asks for, as long as it waits.
    pub granted: Option<Granted>,
    /// Why it waits, or how it ended.
    pub reason: String,
    /// `<code>:<signal>`, where it was printed.
    pub exit: Option<String>,
}

/// Rows by job name.
pub(super) type Rows = HashMap<String, Vec<Row>>;

/// Reads `squeue`'s table; only names that begin with `prefix`, without it.
pub(super) fn squeue(text: &str, prefix: &str) -> Rows {
    rows(text, prefix, |columns| {
        let [id, word, submitted, node, cpus, reason, name] = columns;
        let row = Row {
            id: id.into(),
            state: State::read(word),
            word: word.into(),
            submitted: submitted.into(),
            node: node.into(),
            granted: granted(cpus, ""),
            reason: reason.into(),
            exit: None,
        };
        (name, row)
    })
}

/// What a job has: none where there are no processors, as of one that never began, or none that can be read.
fn granted(cpus: &str, tres: &str) -> Option<Granted> {
    let cpus = cpus.trim().parse().ok().filter(|cpus| *cpus > 0)?;
    let memory = tres.split(',').find_map(|one| one.trim().strip_prefix("mem="));
    Some(Granted { cpus, memory_bytes: memory.and_then(bytes) })
}

/// Slurm's sizes: a number, and a letter for its unit; without one it is MiB.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a size that is finite and not negative")]
fn bytes(text: &str) -> Option<u64> {
    let number = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let shift = match &text[number.len()..] {
        "K" => 10,
        "" | "M" => 20,
        "G" => 30,
        "T" => 40,
        "P" => 50,
        _ => return None,
    };
    let number: f64 = number.parse().ok().filter(|number: &f64| number.is_finite() && *number > 0.0)?;
    Some((number * (1_u64 << shift) as f64) as u64)
}

/// Reads `sacct`'s table in the same way.
pub(super) fn sacct(text: &str, prefix: &str) -> Rows {
    rows(text, prefix, |columns| {
        let [id, word, submitted, node, cpus, tres, exit, name] = columns;
        let row = Row {
            id: id.into(),
            state: State::read(word),
            word: word.into(),
            submitted: submitted.into(),
            node: node.into(),
            granted: granted(cpus, tres),
            reason: String::new(),
            exit: Some(exit.into()),
        };
        (name, row)
    })
}

/// `N` columns; a line that has fewer is passed over.
fn rows<'a, const N: usize>(text: &'a str, prefix: &str, read: impl Fn([&'a str; N]) -> (&'a str, Row)) -> Rows {
    let mut rows = Rows::new();
    for line in text.lines() {
        let columns: Vec<&str> = line.splitn(N, '|').collect();
        let Ok(columns) = <[&str; N]>::try_from(columns) else { continue };
        let (name, row) = read(columns);
        // A submission that was refused leaves a row as if a job had failed. It never was one.
        if row.state == State::Failed && row.reason == "BadConstraints" {
            continue;
        }
        if let Some(name) = name.strip_prefix(prefix) {
            // One of each name, as good as always: room for more would be most of what ten thousand jobs take.
            rows.entry(name.to_owned()).or_insert_with(|| Vec::with_capacity(1)).push(row);
        }
    }
    rows
}

/// What a submission came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Submitted {
    /// Accepted under this number.
    As(String),
    /// Certainly not: the controller was not reached.
    Not(String),
    /// Certainly not: it said no, or the program did before it asked.
    Refused(String),
    /// Perhaps. Ask by name, once it answers.
    Unknown(String),
}

/// What the controller says when it has read a request and does not want it.
const REFUSALS: [&str; 17] = [
    "invalid partition",
    "invalid account",
    "invalid qos",
    "invalid feature",
    "invalid job array",
    "invalid reservation",
    "requested node configuration",
    "requested time limit",
    "requested partition",
    "memory specification",
    "cpu count",
    "node count",
    "more processors requested",
    "violates accounting",
    "access/permission denied",
    "group not permitted",
    "job script",
];

/// Reads the answer of `sbatch --parsable`: `<id>` or `<id>;<cluster>`.
pub(super) fn submitted(said: &Said) -> Submitted {
    let id = said.out.lines().last().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    if said.code == Some(0) && !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Submitted::As(id.to_owned());
    }
    let words = words(&said.err);
    let low = words.to_ascii_lowercase();
    match said.code {
        Some(code) if code != 0 => {
            if low.contains("connect failure") {
                return Submitted::Not(words);
            }
            let asked = said.err.contains("Batch job submission failed") || low.contains("timed out");
            if !asked || REFUSALS.iter().any(|refusal| low.contains(refusal)) {
                return Submitted::Refused(words);
            }
            Submitted::Unknown(words)
        }
        _ => Submitted::Unknown(words),
    }
}

/// An error text in one line, without the program's own name before each.
pub(super) fn words(text: &str) -> String {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let lines = lines.map(|line| {
        let line = line.split_once(": error: ").map_or(line, |(_, rest)| rest);
        line.strip_prefix("Batch job submission failed: ").unwrap_or(line)
    });
    let mut said: Vec<&str> = Vec::new();
    for line in lines {
        if !said.contains(&line) {
            said.push(line);
        }
    }
    said.join("; ")
}

/// Why a waiting job does not move without a person, with what helps; none: it is in the queue, as jobs are.
pub(super) fn mended_by_a_person(row: &Row) -> Option<String> {
    let (id, reason) = (&row.id, row.reason.as_str());
    let remedy = match reason {
        "JobHeldUser" | "JobHeldAdmin" => format!("somebody holds it; release it with: scontrol release {id}"),
        "launch failed requeued held" => {
            format!(
                "its node could not start it and Slurm holds it; look at the node's log, then: scontrol release {id}"
            )
        }
        "DependencyNeverSatisfied" => "it waits for a job that will never end well; cancel the step".to_owned(),
        "BadConstraints" => {
            "no node can ever have what it asks for; lower the step's resources or correct the site file".to_owned()
        }
        "PartitionDown" => "its partition is down; ask the cluster's administrators".to_owned(),
        "PartitionInactive" => "its partition takes no jobs; ask the cluster's administrators".to_owned(),
        "PartitionTimeLimit" => {
            "it asks for more time than its partition gives; shorten the step's timeout, or name another partition"
                .to_owned()
        }
        "PartitionNodeLimit" => {
            "it asks for more than its partition gives; lower the step's resources, or name another partition"
                .to_owned()
        }
        "InvalidAccount" => "its account is not known; correct `account:` of the executor in kentai.yaml".to_owned(),
        "InvalidQOS" => "its quality of service is not known; correct `qos:` of the executor in kentai.yaml".to_owned(),
        "ReservationDeleted" => "its reservation is gone; correct the executor's arguments in kentai.yaml".to_owned(),
        _ if reason.starts_with("ReqNodeNotAvail") => {
            format!("the nodes that it needs are away ({reason}); ask the cluster's administrators")
        }
        _ if reason.starts_with("Nodes required for job are DOWN") => {
            "the nodes that it needs are down, drained or reserved; ask the cluster's administrators".to_owned()
        }
        _ => return None,
    };
    Some(format!("Slurm's job {id} is pending: {reason}; {remedy}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(code: Option<i32>, out: &str, err: &str) -> Said {
        Said { code, out: out.into(), err: err.into() }
    }

    #[test]
    fn a_table_is_read_by_name_and_others_jobs_are_passed_over() {
        let text = "7|RUNNING|2026-11-26T12:00:00|n1|2|None|kentai-s-a-1\n8|PENDING|2026-11-26T12:00:01||1|Resources, or so|kentai-s-a-2\n\
                    9|COMPLETING|x|n2|1|None|kentai-s-a|3\n10|COMPLETED|x|n2|1|None|theirs\nnonsense\n12|FAILED|x||1|BadConstraints|kentai-s-a-2\n11|NEW_STATE|x|n|1|None|kentai-s-a-1";
        let rows = squeue(text, "kentai-s-");
        assert_eq!(rows.len(), 3, "{rows:?}");
        assert_eq!(rows["a-1"].iter().map(|row| row.id.as_str()).collect::<Vec<_>>(), ["7", "11"]);
        assert_eq!(rows["a-1"][1].state, State::Alive, "an unknown state decides nothing");
        assert_eq!((&rows["a-2"][0].state, rows["a-2"][0].reason.as_str()), (&State::Pending, "Resources, or so"));
        assert_eq!(rows["a-2"].len(), 1, "a refused submission is no job");
        assert!(!rows["a|3"][0].state.is_end(), "completing is no end");
    }

    #[test]
    fn what_a_job_had_is_read_where_it_is_said() {
        let of = |line: &str| squeue(line, "kentai-s-")["a"][0].granted;
        let cpus = |cpus| Some(Granted { cpus, memory_bytes: None });
        assert_eq!(of("7|COMPLETED|x|n1|4|None|kentai-s-a"), cpus(4));
        assert_eq!(of("7|COMPLETED|x|n1|2048|None|kentai-s-a"), cpus(2048), "squeue 22.05 makes no `2K` of it");
        for unreadable in ["", "0", "2K", "-1", "n/a"] {
            assert_eq!(of(&format!("7|COMPLETED|x|n1|{unreadable}|None|kentai-s-a")), None, "{unreadable}");
        }
        let of = |line: &str| sacct(line, "kentai-s-")["a"][0].clone();
        let had = |cpus, memory_bytes| Some(Granted { cpus, memory_bytes: Some(memory_bytes) });
        let row = of("7|COMPLETED|x|n1|4|billing=4,cpu=4,mem=16000M,node=1|0:0|kentai-s-a");
        assert_eq!((row.granted, row.exit.as_deref()), (had(4, 16000 << 20), Some("0:0")));
        assert_eq!(of("7|FAILED|x|n1|4|cpu=4,mem=1.50G|1:0|kentai-s-a").granted, had(4, 3 << 29));
        assert_eq!(of("7|CANCELLED by 0|x|None assigned|0||0:0|kentai-s-a").granted, None, "it never began");
        assert_eq!(of("7|FAILED|x|n1|4|cpu=4,mem=lots|1:0|kentai-s-a").granted, cpus(4));
    }

    #[test]
    fn a_submission_is_certain_only_where_slurm_says_so() {
        assert_eq!(submitted(&said(Some(0), "17\n", "")), Submitted::As("17".into()));
        assert_eq!(submitted(&said(Some(0), "17;main\n", "noise")), Submitted::As("17".into()));
        let failed = "sbatch: error: Batch job submission failed: ";
        let connect = format!("{failed}Unable to contact slurm controller (connect failure)");
        assert!(matches!(submitted(&said(Some(1), "", &connect)), Submitted::Not(_)));
        let partition =
            format!("sbatch: error: invalid partition specified: x\n{failed}Invalid partition name specified");
        let Submitted::Refused(words) = submitted(&said(Some(1), "", &partition)) else { panic!() };
        assert_eq!(words, "invalid partition specified: x; Invalid partition name specified");
        assert!(matches!(
            submitted(&said(Some(1), "", "sbatch: error: Invalid --mem specification")),
            Submitted::Refused(_)
        ));
        for unknown in [
            said(Some(1), "", &format!("{failed}Socket timed out on send/recv operation")),
            said(Some(1), "", &format!("{failed}Zero Bytes were transmitted or received")),
            said(None, "", "sbatch did not end within 60 s"),
            said(Some(0), "", ""),
            said(Some(0), "accepted, somehow", ""),
        ] {
            assert!(matches!(submitted(&unknown), Submitted::Unknown(_)), "{unknown:?}");
        }
    }

    #[test]
    fn who_waits_for_a_person_says_for_what() {
        let row = |reason: &str| Row {
            id: "7".into(),
            state: State::Pending,
            word: "PENDING".into(),
            submitted: String::new(),
            node: String::new(),
            granted: None,
            reason: reason.into(),
            exit: None,
        };
        assert!(mended_by_a_person(&row("Resources")).is_none());
        assert!(mended_by_a_person(&row("Priority")).is_none());
        assert!(mended_by_a_person(&row("JobHeldUser")).is_some_and(|text| text.contains("scontrol release 7")));
        assert!(mended_by_a_person(&row("ReqNodeNotAvail, UnavailableNodes:n1")).is_some());
    }
}
