//! Sex by coverage: depth of X and Y over the autosomes', against what was reported. Whether a mismatch stops anything is the assay's
//! business: after a transplant, or in a tumor, it only warns.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::verdict::Verdict;

/// The metric of X over autosomes.
pub const X_RATIO: &str = "sex_x_ratio";
/// The metric of Y over autosomes.
pub const Y_RATIO: &str = "sex_y_ratio";

/// Ratios that count as one sex.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Rectangle {
    /// `female`, `male`.
    pub sex: String,
    /// X over autosomes, from and to.
    pub x: (f64, f64),
    /// Y over autosomes, from and to.
    pub y: (f64, f64),
}

impl std::fmt::Display for Rectangle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { sex, x, y } = self;
        write!(f, "{sex}: X {} to {}, Y {} to {}", x.0, x.1, y.0, y.1)
    }
}

impl Rectangle {
    /// What cannot be meant, in words.
    #[must_use]
    pub fn problem(&self) -> Option<String> {
        let is_span = |(from, to): (f64, f64)| from.is_finite() && to.is_finite() && from <= to;
        if !matches!(self.sex.as_str(), "male" | "female") {
            return Some(format!("`{}` is neither male nor female", self.sex));
        }
        (!is_span(self.x) || !is_span(self.y)).then(|| format!("{self}: a span goes from a number to one not below it"))
    }
}

/// The usual ones; a center has its own by capture and reference.
#[must_use]
pub fn usual() -> Vec<Rectangle> {
    vec![
        Rectangle { sex: "female".into(), x: (0.8, 1.2), y: (0.0, 0.1) },
        Rectangle { sex: "male".into(), x: (0.35, 0.65), y: (0.25, 0.7) },
    ]
}

/// What was found.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Found {
    /// X over autosomes.
    pub x_ratio: f64,
    /// Y over autosomes.
    pub y_ratio: f64,
    /// The sex whose rectangle holds both; none: undetermined.
    pub sex: Option<String>,
    /// Against what was reported.
    pub verdict: Verdict,
}

/// Depths of a table of contigs: name, length, depth.
#[must_use]
pub fn ratios(contigs: &[(String, f64, f64)]) -> Option<(f64, f64)> {
    let mean = |wanted: &dyn Fn(&str) -> bool| {
        let ours = contigs.iter().filter(|(name, ..)| wanted(name.strip_prefix("chr").unwrap_or(name)));
        let (length, bases) = ours.fold((0.0, 0.0), |(length, bases), (_, l, depth)| (length + l, bases + l * depth));
        (length > 0.0).then(|| bases / length)
    };
    let autosomes = mean(&|name| name.parse::<u32>().is_ok_and(|number| (1..=22).contains(&number)))?;
    if autosomes <= 0.0 {
        return None;
    }
    Some((mean(&|name| name == "X")? / autosomes, mean(&|name| name == "Y")? / autosomes))
}

/// Compares with the reported sex. What was not reported, or is undetermined, is not measured: it is nobody's pass. Where a mismatch
/// only warns, so does what lies between the sexes: a graft that took in part is found there.
#[must_use]
pub fn judge(ratios: (f64, f64), rectangles: &[Rectangle], reported: &str, mismatch_warns: bool) -> Found {
    let (x_ratio, y_ratio) = ratios;
    let holds = |(from, to): (f64, f64), value: f64| value >= from && value <= to;
    let sex = rectangles.iter().find(|one| holds(one.x, x_ratio) && holds(one.y, y_ratio)).map(|one| one.sex.clone());
    let is_reported = matches!(reported, "male" | "female");
    let verdict = match &sex {
        Some(found) if found == reported => Verdict::Pass,
        _ if is_reported && mismatch_warns => Verdict::Warn,
        Some(_) if is_reported => Verdict::Fail,
        _ => Verdict::NotMeasured,
    };
    Found { x_ratio, y_ratio, sex, verdict }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contigs(x: f64, y: f64) -> Vec<(String, f64, f64)> {
        [("chr1", 100.0, 30.0), ("chr2", 300.0, 30.0), ("chrX", 50.0, x), ("chrY", 20.0, y)]
            .map(|(name, length, depth)| (name.to_owned(), length, depth))
            .into()
    }

    #[test]
    fn depth_tells_the_sex_and_a_mismatch_is_said() {
        let male = ratios(&contigs(15.0, 14.0)).expect("all contigs");
        assert_eq!(judge(male, &usual(), "male", false).verdict, Verdict::Pass);
        assert_eq!(judge(male, &usual(), "female", false).verdict, Verdict::Fail);
        assert_eq!(judge(male, &usual(), "unknown", false).verdict, Verdict::NotMeasured);
        let neither = ratios(&contigs(22.0, 5.0)).expect("all contigs");
        assert_eq!((judge(neither, &usual(), "male", false).sex, ratios(&[])), (None, None));
    }

    #[test]
    fn sex_mismatch_hard_fails_transplants() {
        // BALSAMIC#1517: after a transplant the blood has the donor's sex. The assay says that it only warns.
        let donor = ratios(&contigs(30.0, 0.1)).expect("all contigs");
        assert_eq!(judge(donor, &usual(), "male", true).verdict, Verdict::Warn);
        assert_eq!(judge(donor, &usual(), "male", false).verdict, Verdict::Fail);
    }
}
