//! Rehearsal: what recorded values would have been judged by other criteria. Nothing is changed by it.

use serde::Serialize;

use super::criteria::Criteria;
use super::verdict::{Evaluation, Verdict, evaluate};

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

/// A record that could not be judged again.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Unreadable {
    /// The evaluation's id.
    pub evaluation: String,
    /// What it was about.
    pub about: String,
    /// Why not.
    pub reason: String,
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
    /// Those that could not be replayed, and count nowhere else.
    pub unreadable: Vec<Unreadable>,
}

/// An evaluation as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Its id.
    pub evaluation: String,
    /// What it is about: an order line.
    pub about: String,
    /// An [`Evaluation`] as JSON.
    pub document: String,
}

/// Judges every recorded evaluation's values anew, if a version of these criteria judged them: other sets' values are other assays'.
///
/// A record that cannot be read or judged, damaged or of a later version, is listed; of such a one nobody knows whose set it was.
#[must_use]
pub fn rehearse(recorded: &[Recorded], criteria: &Criteria) -> Rehearsal {
    let mut shown = Rehearsal::default();
    for one in recorded {
        match again(one, criteria) {
            Ok(None) => {}
            Ok(Some((before, after))) => {
                shown.replayed += 1;
                match difference(one, &before, &after) {
                    None => shown.same += 1,
                    Some(difference) => shown.different.push(difference),
                }
            }
            Err(reason) => shown.unreadable.push(Unreadable {
                evaluation: one.evaluation.clone(),
                about: one.about.clone(),
                reason,
            }),
        }
    }
    shown
}

/// As it was and as it would be; none when other criteria judged it.
fn again(one: &Recorded, criteria: &Criteria) -> Result<Option<(Evaluation, Evaluation)>, String> {
    let before: Evaluation = serde_json::from_str(&one.document).map_err(|error| error.to_string())?;
    if before.criteria.rsplit_once('@').is_none_or(|(id, _)| id != criteria.id) {
        return Ok(None);
    }
    let after = evaluate(criteria, &before.subject, &before.values).map_err(|error| error.to_string())?;
    // What was found of the person no criterion changes.
    let after = after.with(before.findings.clone());
    Ok(Some((before, after)))
}

fn difference(one: &Recorded, before: &Evaluation, after: &Evaluation) -> Option<Difference> {
    (after.verdict != before.verdict).then(|| Difference {
        evaluation: one.evaluation.clone(),
        about: one.about.clone(),
        before: before.verdict,
        after: after.verdict,
        because: after.deciding(),
    })
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

    fn recorded(depth: f64) -> Recorded {
        let (tool, tool_version, source_sha256) = Default::default();
        let metric = "mean_autosome_coverage".into();
        let value = Value { metric, value: Some(depth), unit: Unit::Depth, tool, tool_version, source_sha256 };
        let evaluation = evaluate(&criteria(26.0), &Subject::default(), &[value]).expect("judged");
        let document = serde_json::to_string(&evaluation).expect("written");
        Recorded { evaluation: format!("e{depth}"), about: format!("O{depth}"), document }
    }

    #[test]
    fn only_what_would_differ_is_shown_with_the_check_that_decides() {
        let month = [recorded(25.0), recorded(28.0), recorded(31.0)];
        let shown = rehearse(&month, &criteria(30.0));
        assert_eq!((shown.replayed, shown.same, shown.different.len()), (3, 2, 1));
        let one = &shown.different[0];
        assert_eq!((one.about.as_str(), one.before, one.after), ("O28", Verdict::Pass, Verdict::Fail));
        assert_eq!(one.because, ["mean_autosome_coverage: 28 x, wanted >= 30 x (6.7 % short)"]);
    }

    #[test]
    fn a_record_that_cannot_be_read_is_listed_and_stops_no_other() {
        let mut month = vec![recorded(25.0), recorded(28.0), recorded(31.0), recorded(32.0)];
        month[0].document = "{".into();
        // Of a version that knew a metric more.
        month[2].document = month[2].document.replace("mean_autosome_coverage", "mean_moon_coverage");
        let shown = rehearse(&month, &criteria(30.0));
        assert_eq!((shown.replayed, shown.same, shown.different.len()), (2, 1, 1));
        let names: Vec<_> = shown.unreadable.iter().map(|one| one.about.as_str()).collect();
        assert_eq!(names, ["O25", "O31"]);
        assert!(shown.unreadable[0].reason.contains("line 1") && shown.unreadable[1].reason.contains("moon"));
    }

    #[test]
    fn a_mismatch_that_was_found_stays_one() {
        let mut one = recorded(28.0);
        let found = serde_json::json!([{ "about": "sex", "verdict": "fail", "said": "sex by coverage is male" }]);
        let mut document: serde_json::Value = serde_json::from_str(&one.document).expect("written");
        document["findings"] = found;
        document["verdict"] = "fail".into();
        one.document = document.to_string();
        let shown = rehearse(&[one], &criteria(20.0));
        assert_eq!((shown.same, shown.different), (1, vec![]), "no depth makes up for another person");
    }

    #[test]
    fn other_sets_values_are_not_judged() {
        let mut other = recorded(28.0);
        other.document = other.document.replace("wgs@26", "panel@26");
        let shown = rehearse(&[other], &criteria(30.0));
        assert_eq!(shown, Rehearsal::default());
    }
}
