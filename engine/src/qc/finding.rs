//! Is it the person that it should be? What sex by coverage and a fingerprint say, by the assay's own limits, beside its criteria.
//!
//! A mismatch opens a deviation, and what was found is part of the verdict. Pure: it opens nothing itself.

use serde::{Deserialize, Serialize};

use super::identity::{self, CONCORDANCE, Limits};
use super::metric::Unit;
use super::sex::{self, Rectangle, X_RATIO, Y_RATIO};
use super::verdict::{Value, Verdict};
use crate::state::words;

words!(
    /// What was looked at.
    About {
        /// Sex by coverage, against the declared one.
        Sex = "sex",
        /// Genotypes, against a panel.
        Identity = "identity",
    }
);

impl About {
    /// The metrics that it rests on: all of them, or nothing is found.
    #[must_use]
    pub fn metrics(self) -> &'static [&'static str] {
        match self {
            Self::Sex => &[X_RATIO, Y_RATIO],
            Self::Identity => &[CONCORDANCE],
        }
    }
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at.
    pub about: About,
    /// What it amounts to.
    pub verdict: Verdict,
    /// In words, with values.
    pub said: String,
    /// The limits as they stood.
    #[serde(default)]
    pub rule: String,
    /// Of the deviation that it opens: `minor`, `major`, `critical`; empty: it opens none.
    #[serde(default)]
    pub severity: String,
}

/// An assay's limits.
#[derive(Clone, Debug, PartialEq)]
pub struct Rules {
    /// Ratios that count as a sex.
    pub rectangles: Vec<Rectangle>,
    /// A sex that does not match is only a warning.
    pub mismatch_warns: bool,
    /// Agreement with the panel.
    pub limits: Limits,
}

/// What the values say of whose they are. Sex is found only where a sex is declared (`male`, `female`): without it the ratios stay
/// values, for people to read.
#[must_use]
pub fn find(values: &[Value], declared: &str, rules: &Rules) -> Vec<Finding> {
    [of_sex(values, declared, rules), of_identity(values, rules.limits)].into_iter().flatten().collect()
}

/// What several files of one run say: for each question the file that answers it worst, so that a good lane hides no bad one.
#[must_use]
pub fn find_in_files(files: &[Vec<Value>], declared: &str, rules: &Rules) -> (Vec<Value>, Vec<Finding>) {
    let (mut values, mut findings) = (Vec::new(), Vec::new());
    for about in About::ALL {
        let ours = files.iter().map(|file| {
            let ours = file.iter().filter(|value| about.metrics().contains(&value.metric.as_str()));
            ours.cloned().collect::<Vec<_>>()
        });
        let complete = ours.filter(|file| file.len() == about.metrics().len());
        let judged = complete.map(|file| (find(&file, declared, rules).pop(), file));
        let rank = |found: &Option<Finding>| found.as_ref().map(|found| super::verdict::rank(found.verdict));
        if let Some((found, file)) = judged.max_by_key(|(found, _)| rank(found)) {
            values.extend(file);
            findings.extend(found);
        }
    }
    (values, findings)
}

fn number(values: &[Value], metric: &str, unit: Unit) -> Option<f64> {
    let found = values.iter().find(|value| value.metric == metric)?;
    found.unit.convert(found.value?, unit).ok().filter(|number| number.is_finite())
}

fn of_sex(values: &[Value], declared: &str, rules: &Rules) -> Option<Finding> {
    let ratios = (number(values, X_RATIO, Unit::One)?, number(values, Y_RATIO, Unit::One)?);
    if !matches!(declared, "male" | "female") {
        return None;
    }
    let found = sex::judge(ratios, &rules.rectangles, declared, rules.mismatch_warns);
    let severity = match (&found.sex, found.verdict) {
        // Whoever declared that it is expected is told, and no more.
        (Some(_), Verdict::Warn) => "minor",
        (Some(_), Verdict::Fail) => "critical",
        _ => "",
    };
    Some(Finding {
        about: About::Sex,
        verdict: found.verdict,
        said: format!(
            "sex by coverage is {} (X {:.2}, Y {:.2} of the autosomes' depth), declared is {declared}",
            found.sex.as_deref().unwrap_or("undetermined"),
            found.x_ratio,
            found.y_ratio,
        ),
        rule: rules.rectangles.iter().map(ToString::to_string).collect::<Vec<_>>().join("; "),
        severity: severity.into(),
    })
}

fn of_identity(values: &[Value], limits: Limits) -> Option<Finding> {
    values.iter().find(|value| value.metric == CONCORDANCE)?;
    let share = number(values, CONCORDANCE, Unit::Fraction);
    let (verdict, severity) = match limits.verdict(share) {
        verdict @ Verdict::Fail => (verdict, "critical"),
        verdict @ Verdict::Warn => (verdict, "major"),
        verdict => (verdict, ""),
    };
    let said = match share {
        Some(share) => format!("{:.1} % of the fingerprint's genotypes agree", share * 100.0),
        None => format!("the fingerprint decides nothing: fewer than {} sites were compared", identity::SITES_MIN),
    };
    let rule = limits.to_string();
    Some(Finding { about: About::Identity, verdict, said, rule, severity: severity.into() })
}

#[cfg(test)]
mod tests {
    use super::super::import::{detect, values};
    use super::*;

    fn rules(mismatch_warns: bool) -> Rules {
        Rules { rectangles: sex::usual(), mismatch_warns, limits: Limits::default() }
    }

    fn read(bytes: &[u8]) -> Vec<Value> {
        values(detect(bytes).expect("known"), bytes).expect("read")
    }

    /// `samtools coverage` over a small genome with one X and one Y.
    fn coverage() -> Vec<Value> {
        read(include_bytes!("fixtures/one_sample/coverage.txt"))
    }

    fn fingerprint(sites: u32, differ: u32) -> Vec<Value> {
        read(format!("# This file was produced by bcftools (1.16), the command line was:\n# bcftools gtcheck\nDC\tS\tP\t{differ}\t1.0\t{sites}\n").as_bytes())
    }

    fn said(found: &[Finding]) -> Vec<(About, Verdict, &str)> {
        found.iter().map(|one| (one.about, one.verdict, one.severity.as_str())).collect()
    }

    #[test]
    fn a_coverage_file_tells_the_sex_and_a_mismatch_opens_a_deviation() {
        let values = coverage();
        assert_eq!(said(&find(&values, "male", &rules(false))), [(About::Sex, Verdict::Pass, "")]);
        let found = find(&values, "female", &rules(false));
        assert_eq!(said(&found), [(About::Sex, Verdict::Fail, "critical")]);
        assert_eq!(
            found[0].said,
            "sex by coverage is male (X 0.48, Y 0.48 of the autosomes' depth), declared is female"
        );
        assert!(found[0].rule.contains("male: X 0.35 to 0.65, Y 0.25 to 0.7"), "{}", found[0].rule);
        assert_eq!(said(&find(&values, "female", &rules(true))), [(About::Sex, Verdict::Warn, "minor")]);
        assert_eq!(find(&values, "unknown", &rules(false)), [], "nothing is declared");
    }

    #[test]
    fn what_fits_no_sex_is_nobodys_pass_and_no_mismatch() {
        let mosdepth = b"chrom\tlength\tbases\tmean\tmin\tmax\nchr1\t100\t3000\t30\t0\t60\nchrX\t100\t2200\t22\t0\t60\nchrY\t100\t500\t5\t0\t9\n";
        let values = read(mosdepth);
        assert_eq!(said(&find(&values, "male", &rules(false))), [(About::Sex, Verdict::NotMeasured, "")]);
        assert_eq!(said(&find(&values, "male", &rules(true))), [(About::Sex, Verdict::Warn, "")]);
    }

    #[test]
    fn a_fingerprint_is_judged_by_the_assays_limits() {
        // Written by bcftools 1.16: three of forty sites differ.
        let real = read(include_bytes!("fixtures/one_sample/gtcheck.txt"));
        assert_eq!((real[0].value, real[0].tool_version.as_str()), (Some(0.925), "1.16+htslib-1.16"));
        assert_eq!(said(&find(&real, "", &rules(false))), [(About::Identity, Verdict::Warn, "major")]);
        let own = Rules { limits: Limits { pass: 0.9, fail: 0.8 }, ..rules(false) };
        assert_eq!(said(&find(&real, "", &own)), [(About::Identity, Verdict::Pass, "")]);
        let of = |sites, differ| find(&fingerprint(sites, differ), "", &rules(false));
        assert_eq!(said(&of(24, 14)), [(About::Identity, Verdict::Fail, "critical")]);
        assert_eq!(said(&of(17, 0)), [(About::Identity, Verdict::NotMeasured, "")]);
    }

    #[test]
    fn several_comparisons_in_one_file_are_refused_with_what_to_do() {
        let two = b"# bcftools gtcheck\nDC\tS1\tP1\t3\t4.2\t40\nDC\tS1\tP2\t40\t0.0\t40\n";
        let refused = values(detect(two).expect("known"), two).expect_err("which?").to_string();
        assert!(refused.contains("2 pairs") && refused.contains("-s qry:"), "{refused}");
    }

    #[test]
    fn a_good_lane_hides_no_bad_one() {
        let files = [fingerprint(24, 0), fingerprint(24, 20), coverage(), fingerprint(24, 1)];
        let (values, found) = find_in_files(&files, "male", &rules(false));
        assert_eq!(said(&found), [(About::Sex, Verdict::Pass, ""), (About::Identity, Verdict::Fail, "critical")]);
        assert_eq!(
            values.iter().map(|value| value.metric.as_str()).collect::<Vec<_>>(),
            [X_RATIO, Y_RATIO, CONCORDANCE]
        );
    }

    #[test]
    fn two_tools_that_count_depth_a_little_differently_do_not_contradict_each_other() {
        let other = |y: f64| {
            let mut values = coverage();
            values.retain(|value| value.metric == Y_RATIO);
            values[0].value = Some(y);
            values
        };
        let both = |one: f64, two: f64| {
            let values = [other(one), other(two)].concat();
            super::super::verdict::evaluate(&Default::default(), &Default::default(), &values).is_ok()
        };
        assert!(both(0.002, 0.004) && !both(0.002, 0.4));
    }
}
