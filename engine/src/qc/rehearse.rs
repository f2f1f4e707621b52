//! Rehearsal: what recorded values would have been judged by other criteria. Nothing is changed by it.

use serde::Serialize;

use super::criteria::Criteria;
use super::verdict::{Error, Evaluation, Verdict, evaluate};

/// A subject that would be judged differently.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The evaluation's id.
    pub evaluation: String,
    /// What it was about.
    pub about: String,
    /// As it was judged.
    pub before: Verdict,
    /// As it would be.
    pub after: Verdict,
    /// The checks that decide it, in words.
    pub because: Vec<String>,
}

/// What a rehearsal shows.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Rehearsal {
    /// Evaluations that were replayed.
    pub replayed: usize,
    /// Those that stay as they are.
    pub same: usize,
    /// Those that do not.
    pub different: Vec<Difference>,
}

/// Judges every recorded evaluation's values anew: id, what it is about, and the evaluation as it stands.
///
/// # Errors
/// When the criteria compare what cannot be compared.
pub fn rehearse(recorded: &[(String, String, Evaluation)], criteria: &Criteria) -> Result<Rehearsal, Error> {
    let mut shown = Rehearsal { replayed: recorded.len(), ..Rehearsal::default() };
    for (id, about, before) in recorded {
        let after = evaluate(criteria, &before.subject, &before.values)?;
        if after.verdict == before.verdict {
            shown.same += 1;
            continue;
        }
        let deciding = after.checks.iter().filter(|check| check.verdict == after.verdict);
        shown.different.push(Difference {
            evaluation: id.clone(),
            about: about.clone(),
            before: before.verdict,
            after: after.verdict,
            because: deciding.map(|check| format!("{}: {}", check.criterion.metric, check.said)).collect(),
        });
    }
    Ok(shown)
}

#[cfg(test)]
mod tests {
    use super::super::criteria::{Applies, Behavior, Comparator, Criterion, Unknown};
    use super::super::metric::Unit;
    use super::super::verdict::{Subject, Value};
    use super::*;

    fn criteria(pass: f64) -> Criteria {
        let criterion = Criterion {
            metric: "mean_autosome_coverage".into(),
            unit: Unit::Depth,
            comparator: Comparator::AtLeast,
            pass,
            warn: None,
            applies_to: Applies::default(),
            behavior: Behavior::Hold,
            unknown: Unknown::default(),
        };
        Criteria { id: "wgs".into(), version: pass.to_string(), criteria: vec![criterion], ..Criteria::default() }
    }

    fn recorded(depth: f64) -> (String, String, Evaluation) {
        let (tool, tool_version, source_sha256) = Default::default();
        let metric = "mean_autosome_coverage".into();
        let value = Value { metric, value: Some(depth), unit: Unit::Depth, tool, tool_version, source_sha256 };
        let evaluation = evaluate(&criteria(26.0), &Subject::default(), &[value]).expect("judged");
        (format!("e{depth}"), format!("O{depth}"), evaluation)
    }

    #[test]
    fn only_what_would_differ_is_shown_with_the_check_that_decides() {
        let month = [recorded(25.0), recorded(28.0), recorded(31.0)];
        let shown = rehearse(&month, &criteria(30.0)).expect("replayed");
        assert_eq!((shown.replayed, shown.same, shown.different.len()), (3, 2, 1));
        let one = &shown.different[0];
        assert_eq!((one.about.as_str(), one.before, one.after), ("O28", Verdict::Pass, Verdict::Fail));
        assert_eq!(one.because, ["mean_autosome_coverage: 28 x, wanted >= 30 x (6.7 % short)"]);
    }
}
