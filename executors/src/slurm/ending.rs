//! From what Slurm says of ended jobs, and what lies on disk, to a report. Pure.
//!
//! The record is the truth about the tool. Slurm's state says why there is none, or why the tool was asked to end; it never makes a success.

use kentai_engine::port::executor::{Evidence, Granted, Obstacle, Report};
use kentai_engine::state::attempt::Cause;

use super::answer::{Row, State};
use super::keeper::End;
use crate::attempt::Traces;

/// What `sbatch` could not open gives this signal number; nothing was started.
const CANNOT_OPEN: &str = "0:53";

/// The report of an attempt all of whose jobs have ended; `rows` may be empty where Slurm has forgotten them.
pub(super) fn report(rows: &[Row], traces: Traces, end: Option<&End>, said: Option<&str>) -> Report {
    let told = rows.iter().find_map(cause);
    let oom_killed = rows.iter().any(|row| row.state == State::OutOfMemory);
    if !traces.started {
        return not_started(rows, traces.fenced, end, said);
    }
    if traces.record.is_none() && !oom_killed && told.is_none() {
        let words = if rows.is_empty() { "Slurm knows no such job any more".to_owned() } else { list(rows) };
        return Report::Lost(format!("{words}; it left no exit record"));
    }
    let (executor_cause, executor_error) = told.map_or((None, None), |(cause, words)| (Some(cause), Some(words)));
    Report::Exited(Evidence {
        record: traces.record,
        executor_exit_code: None,
        oom_killed,
        executor_error,
        executor_cause,
        granted: granted(rows),
    })
}

/// What the job that ran the tool had. Of several nobody says which of them did: none unless they had the same.
fn granted(rows: &[Row]) -> Option<Granted> {
    let (first, others) = rows.split_first()?;
    first.granted.filter(|granted| others.iter().all(|row| row.granted == Some(*granted)))
}

fn not_started(rows: &[Row], fenced: Option<String>, end: Option<&End>, said: Option<&str>) -> Report {
    if let Some(End { image_missing: Some(words), .. }) = end {
        return Report::NotStarted(Obstacle::Image, words.clone());
    }
    let own = said.map(str::to_owned).or_else(|| end.and_then(|end| end.error.clone())).or(fenced);
    let words = match (rows.iter().find_map(cause), own) {
        (Some((_, words)), None) => words,
        (Some((_, words)), Some(own)) => format!("{words} ({own})"),
        (None, Some(own)) if rows.is_empty() => own,
        (None, Some(own)) => format!("{own} ({})", list(rows)),
        (None, None) if rows.is_empty() => "Slurm knows no such job, and nothing was started".to_owned(),
        (None, None) => format!("{}; its tool was never started", list(rows)),
    };
    Report::NotStarted(Obstacle::Infrastructure, words)
}

/// Why Slurm ended a job, where it did.
fn cause(row: &Row) -> Option<(Cause, String)> {
    let job = &row.id;
    Some(match row.state {
        State::Timeout => (Cause::Timeout, format!("Slurm ended job {job} at its time limit")),
        State::Canceled => (Cause::Infrastructure, format!("Slurm's job {job} was canceled from outside")),
        State::NodeFail => (Cause::Infrastructure, format!("the node of Slurm's job {job} failed ({})", row.node)),
        State::Preempted => (Cause::Preempted, format!("Slurm's job {job} made room for another")),
        State::Failed if row.exit.as_deref() == Some(CANNOT_OPEN) => {
            let at = &row.node;
            (
                Cause::Infrastructure,
                format!("{at} could not open the log of Slurm's job {job}; is the directory shared with it?"),
            )
        }
        State::Pending | State::Alive | State::Completed | State::Failed | State::OutOfMemory => return None,
    })
}

fn list(rows: &[Row]) -> String {
    let one = |row: &Row| {
        let exit = row.exit.as_ref().map(|exit| format!(", exit {exit}")).unwrap_or_default();
        let reason =
            if matches!(row.reason.as_str(), "" | "None") { String::new() } else { format!(", {}", row.reason) };
        format!("job {} {}{reason}{exit}", row.id, row.word)
    };
    format!("Slurm says: {}", rows.iter().map(one).collect::<Vec<_>>().join("; "))
}

#[cfg(test)]
mod tests {
    use kentai_engine::exit_record::ExitRecord;

    use super::*;

    const GRANTED: Granted = Granted { cpus: 4, memory_bytes: None };

    fn row(state: State, reason: &str, exit: Option<&str>) -> Row {
        Row {
            id: "7".into(),
            word: format!("{state:?}"),
            state,
            submitted: String::new(),
            node: "n1".into(),
            granted: Some(GRANTED),
            reason: reason.into(),
            exit: exit.map(Into::into),
        }
    }

    fn started(record: Option<ExitRecord>) -> Traces {
        Traces { started: true, record, ..Traces::default() }
    }

    fn evidence(state: State, record: Option<ExitRecord>) -> Evidence {
        match report(&[row(state, "", None)], started(record), None, None) {
            Report::Exited(evidence) => evidence,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn without_a_record_slurm_says_why_and_never_that_it_went_well() {
        assert!(evidence(State::OutOfMemory, None).oom_killed);
        assert_eq!(evidence(State::Timeout, None).executor_cause, Some(Cause::Timeout));
        assert_eq!(evidence(State::Canceled, None).executor_cause, Some(Cause::Infrastructure));
        assert_eq!(evidence(State::NodeFail, None).executor_cause, Some(Cause::Infrastructure));
        assert_eq!(evidence(State::Preempted, None).executor_cause, Some(Cause::Preempted));
        for state in [State::Completed, State::Failed] {
            let lost = report(&[row(state, "NonZeroExitCode", Some("9:0"))], started(None), None, None);
            assert!(matches!(lost, Report::Lost(_)), "{lost:?}");
        }
        assert!(matches!(report(&[], started(None), None, None), Report::Lost(_)));
    }

    #[test]
    fn with_a_record_it_decides_and_a_kill_for_memory_is_not_hidden() {
        let well = Some(ExitRecord { exit_code: Some(0), ..ExitRecord::default() });
        assert_eq!(evidence(State::Completed, well.clone()).executor_cause, None);
        assert!(evidence(State::OutOfMemory, well.clone()).oom_killed);
        assert_eq!(evidence(State::Failed, well.clone()).record, well);
    }

    #[test]
    fn what_was_granted_is_told_where_the_jobs_agree() {
        let well = Some(ExitRecord { exit_code: Some(0), ..ExitRecord::default() });
        let of = |rows: &[Row]| match report(rows, started(well.clone()), None, None) {
            Report::Exited(evidence) => evidence.granted,
            other => panic!("{other:?}"),
        };
        let (one, again) = (row(State::Completed, "", None), row(State::Failed, "", Some("96:0")));
        assert_eq!(of(std::slice::from_ref(&one)), Some(GRANTED));
        assert_eq!(of(&[one.clone(), again.clone()]), Some(GRANTED));
        let other = Row { granted: Some(Granted { cpus: 32, ..GRANTED }), ..again.clone() };
        assert_eq!(of(&[one.clone(), other]), None);
        assert_eq!(of(&[one, Row { granted: None, ..again }]), None);
        assert_eq!(of(&[]), None, "a record whose job Slurm has forgotten");
    }

    #[test]
    fn what_was_never_started_is_said_to_be_so() {
        let never = |rows: &[Row], end: Option<&End>| report(rows, Traces::default(), end, None);
        for state in
            [State::Completed, State::Failed, State::Canceled, State::NodeFail, State::Timeout, State::OutOfMemory]
        {
            let found = never(&[row(state, "", None)], None);
            assert!(matches!(found, Report::NotStarted(Obstacle::Infrastructure, _)), "{found:?}");
        }
        let end = End { image_missing: Some("no image".into()), ..End::default() };
        assert!(matches!(never(&[row(State::Failed, "", None)], Some(&end)), Report::NotStarted(Obstacle::Image, _)));
        let Report::NotStarted(_, words) = never(&[row(State::Failed, "", Some("0:53"))], None) else { panic!() };
        assert!(words.contains("shared"), "{words}");
    }
}
