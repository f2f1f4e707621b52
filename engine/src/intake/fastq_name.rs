//! Names of FASTQ files as Illumina's demultiplexers write them: `<sample>_S<n>[_L<lane>]_<R1|R2|I1|I2>_<chunk>.fastq.gz`.
//!
//! Only names; whether there is such a file is for others to see.

use serde::{Deserialize, Serialize};

/// The sample that reads without a known index go to.
pub const UNDETERMINED: &str = "Undetermined";

/// Which read of a fragment a file holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mate {
    /// The first read.
    R1,
    /// The second read.
    R2,
    /// The first index.
    I1,
    /// The second index.
    I2,
}

impl Mate {
    /// As the name spells it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::R1 => "R1",
            Self::R2 => "R2",
            Self::I1 => "I1",
            Self::I2 => "I2",
        }
    }

    fn parse(word: &str) -> Option<Self> {
        [Self::R1, Self::R2, Self::I1, Self::I2].into_iter().find(|mate| mate.word() == word)
    }
}

/// A name taken apart.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FastqName {
    /// May hold `_` itself.
    pub sample: String,
    /// Place of the sample in the sheet, from 1; 0 for undetermined reads.
    pub number: u32,
    /// `None` when the lanes were joined.
    pub lane: Option<u32>,
    /// Which read.
    pub mate: Mate,
    /// Always 1 with today's software.
    pub chunk: u32,
}

impl FastqName {
    /// Takes a file's name (without directories) apart; `None`: not such a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let stem = name.strip_suffix(".fastq.gz").or_else(|| name.strip_suffix(".fastq"))?;
        let (stem, chunk) = stem.rsplit_once('_')?;
        let chunk = digits(chunk, 3)?;
        let (stem, mate) = stem.rsplit_once('_')?;
        let mate = Mate::parse(mate)?;
        let (before, last) = stem.rsplit_once('_')?;
        let (stem, lane) = match last.strip_prefix('L').and_then(|lane| digits(lane, 3)) {
            Some(lane) => (before, Some(lane)),
            None => (stem, None),
        };
        let (sample, number) = stem.rsplit_once('_')?;
        let number = number.strip_prefix('S').and_then(|number| digits(number, 1))?;
        (!sample.is_empty()).then(|| Self { sample: sample.to_owned(), number, lane, mate, chunk })
    }

    /// The same name for another read.
    #[must_use]
    pub fn mate_of(&self, mate: Mate) -> Self {
        Self { mate, ..self.clone() }
    }
}

impl std::fmt::Display for FastqName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}_S{}_", self.sample, self.number)?;
        if let Some(lane) = self.lane {
            write!(f, "L{lane:03}_")?;
        }
        write!(f, "{}_{:03}.fastq.gz", self.mate.word(), self.chunk)
    }
}

fn digits(text: &str, least: usize) -> Option<u32> {
    let good = (least..=9).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    good.then(|| text.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_taken_apart_and_put_together_again() {
        for (name, sample, lane, mate) in [
            ("S-A_S1_L001_R1_001.fastq.gz", "S-A", Some(1), Mate::R1),
            ("a_b_L002_S12_L008_R2_001.fastq.gz", "a_b_L002", Some(8), Mate::R2),
            ("NA12878_S3_R1_001.fastq.gz", "NA12878", None, Mate::R1),
            ("Undetermined_S0_L004_I1_001.fastq.gz", "Undetermined", Some(4), Mate::I1),
            ("x_S1_S2_R2_001.fastq.gz", "x_S1", None, Mate::R2),
        ] {
            let parsed = FastqName::parse(name).expect(name);
            assert_eq!((parsed.sample.as_str(), parsed.lane, parsed.mate), (sample, lane, mate));
            assert_eq!(parsed.to_string(), name);
        }
    }

    #[test]
    fn other_names_are_not_taken_for_them() {
        for name in [
            "reads_1.fq.gz",
            "S-A_S1_L001_R3_001.fastq.gz",
            "_S1_R1_001.fastq.gz",
            "S-A_L001_R1_001.fastq.gz",
            "a.bam",
            "",
        ] {
            assert_eq!(FastqName::parse(name), None, "{name}");
        }
    }
}
