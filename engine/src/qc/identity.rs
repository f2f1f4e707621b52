//! Is it the specimen that it should be? Genotypes against an independent panel, as `bcftools gtcheck` (1.16) counts them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::metric::Unit;
use super::reader::{Error, number_at};
use super::verdict::{Value, Verdict};

/// Fewer sites decide nothing (npg).
pub const SITES_MIN: u64 = 18;
/// From so many independent SNPs on, a panel itself identifies a person (Japan's act on personal information).
pub const PERSONAL_SITES: u64 = 40;

/// The metric of the agreement.
pub const CONCORDANCE: &str = "identity_concordance";

/// How much must agree, fractions of the compared sites. The usual ones are npg's: above 0.95 it is the same person, below 0.5 another.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "IdentityLimits")]
pub struct Limits {
    /// More is the same person.
    pub pass: f64,
    /// Less is another person; between the two somebody looks.
    pub fail: f64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { pass: 0.95, fail: 0.5 }
    }
}

impl std::fmt::Display for Limits {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "more than {} agrees, less than {} does not", self.pass, self.fail)
    }
}

impl Limits {
    /// What a concordance amounts to; none is not measured.
    #[must_use]
    pub fn verdict(self, concordance: Option<f64>) -> Verdict {
        match concordance {
            None => Verdict::NotMeasured,
            Some(share) if share > self.pass => Verdict::Pass,
            Some(share) if share < self.fail => Verdict::Fail,
            Some(_) => Verdict::Warn,
        }
    }

    /// What cannot be meant, in words.
    #[must_use]
    pub fn problem(self) -> Option<String> {
        let is_share = |limit: f64| (0.0..=1.0).contains(&limit);
        let good = is_share(self.pass) && is_share(self.fail) && self.fail <= self.pass;
        (!good).then(|| format!("pass {} and fail {}: fractions, and fail not above pass", self.pass, self.fail))
    }
}

/// One pair of a comparison.
#[derive(Clone, Debug, PartialEq)]
pub struct Pair {
    /// The sample that was asked about.
    pub query: String,
    /// The panel's sample.
    pub panel: String,
    /// Sites that both have.
    pub sites: u64,
    /// Sites that differ.
    pub differ: u64,
}

impl Pair {
    /// Share of the sites that agree; none when there are too few.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "sites of a panel")]
    pub fn concordance(&self) -> Option<f64> {
        (self.sites >= SITES_MIN).then(|| 1.0 - self.differ as f64 / self.sites as f64)
    }

    /// By the usual limits. Too few sites are not measured.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        Limits::default().verdict(self.concordance())
    }

    /// The panel itself must be kept like a genome.
    #[must_use]
    pub fn is_personal(&self) -> bool {
        self.sites >= PERSONAL_SITES
    }

    /// As a value for criteria.
    #[must_use]
    pub fn value(&self) -> Value {
        Value {
            metric: CONCORDANCE.into(),
            value: self.concordance(),
            unit: Unit::Fraction,
            tool: "bcftools gtcheck".into(),
            tool_version: String::new(),
            source_sha256: String::new(),
        }
    }
}

/// Reads `bcftools gtcheck -e 0` (discordance counts mismatching sites): `DC`, query, panel, discordance, −log P, sites compared.
///
/// # Errors
/// When there is no such line, or one is cut.
pub fn read(bytes: &[u8]) -> Result<Vec<Pair>, Error> {
    const READER: &str = "bcftools_gtcheck";
    let text = String::from_utf8_lossy(bytes);
    let mut pairs = Vec::new();
    for (line, place) in text.lines().zip(1..).filter(|(line, _)| line.starts_with("DC\t")) {
        let fields: Vec<&str> = line.split('\t').collect();
        let count = |index: usize| {
            let number = number_at(READER, place, &fields, index)?;
            if number.fract() != 0.0 || number < 0.0 {
                return Err(Error::at(READER, place, "the discordance is no count: run gtcheck with `-e 0`"));
            }
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "looked at above")]
            Ok(number as u64)
        };
        let (differ, sites) = (count(3)?, count(5)?);
        if differ > sites {
            return Err(Error::at(READER, place, "more sites differ than were compared"));
        }
        // The counts were there, so the names before them are.
        pairs.push(Pair { query: fields[1].to_owned(), panel: fields[2].to_owned(), sites, differ });
    }
    if pairs.is_empty() {
        return Err(Error::NotTheFormat { reader: READER.into(), reason: "there is no line `DC`".into() });
    }
    Ok(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_gtcheck_wrote_is_read() {
        // Written by bcftools 1.16 over the small sample's own calls.
        let pairs = read(include_bytes!("fixtures/gtcheck.txt")).expect("read");
        assert_eq!((pairs[0].sites, pairs[0].differ, pairs[0].verdict()), (33, 0, Verdict::Pass));
    }

    #[test]
    fn too_few_sites_decide_nothing_and_another_person_is_found() {
        let pair = |sites, differ| Pair { query: "a".into(), panel: "b".into(), sites, differ };
        assert_eq!(pair(17, 0).verdict(), Verdict::NotMeasured);
        assert_eq!(pair(24, 1).verdict(), Verdict::Pass);
        assert_eq!(pair(24, 6).verdict(), Verdict::Warn);
        assert_eq!(pair(24, 14).verdict(), Verdict::Fail);
        assert!(pair(40, 0).is_personal() && !pair(39, 0).is_personal());
        assert!(read(b"nothing").is_err() && read(b"DC\ta\tb\t0.5\t0\t24\n").is_err());
    }
}
