//! The metrics that criteria may name, and their units. Ids are those of the GA4GH WGS Quality Control Standards where it has one;
//! thresholds are an assay's business, the standard gives none.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a unit measures. Values of different dimensions are never compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    /// Reads.
    Reads,
    /// Base pairs.
    Bases,
    /// Shares: fractions and percents.
    Share,
    /// Depth.
    Depth,
    /// A plain number.
    Number,
}

/// A unit, as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Unit {
    /// One read.
    #[serde(rename = "reads")]
    Reads,
    /// A million reads.
    #[serde(rename = "M reads")]
    MegaReads,
    /// One base pair.
    #[serde(rename = "bp")]
    Bases,
    /// A million base pairs.
    #[serde(rename = "Mb")]
    MegaBases,
    /// A thousand million base pairs.
    #[serde(rename = "Gb")]
    GigaBases,
    /// 0 to 1.
    #[serde(rename = "fraction")]
    Fraction,
    /// 0 to 100.
    #[serde(rename = "%")]
    Percent,
    /// Mean number of reads over a place.
    #[serde(rename = "x")]
    Depth,
    /// A plain number.
    #[serde(rename = "")]
    One,
}

impl Unit {
    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Reads => "reads",
            Self::MegaReads => "M reads",
            Self::Bases => "bp",
            Self::MegaBases => "Mb",
            Self::GigaBases => "Gb",
            Self::Fraction => "fraction",
            Self::Percent => "%",
            Self::Depth => "x",
            Self::One => "",
        }
    }

    /// What it measures, and how many of its own unit make one: times the first, by the second. Two whole numbers, so that 95 % is
    /// 0.95 and nothing beside it.
    fn measure(self) -> (Dimension, f64, f64) {
        match self {
            Self::Reads => (Dimension::Reads, 1.0, 1.0),
            Self::MegaReads => (Dimension::Reads, 1e6, 1.0),
            Self::Bases => (Dimension::Bases, 1.0, 1.0),
            Self::MegaBases => (Dimension::Bases, 1e6, 1.0),
            Self::GigaBases => (Dimension::Bases, 1e9, 1.0),
            Self::Fraction => (Dimension::Share, 1.0, 1.0),
            Self::Percent => (Dimension::Share, 1.0, 100.0),
            Self::Depth => (Dimension::Depth, 1.0, 1.0),
            Self::One => (Dimension::Number, 1.0, 1.0),
        }
    }

    /// What it measures.
    #[must_use]
    pub fn dimension(self) -> Dimension {
        self.measure().0
    }

    /// `value` in another unit.
    ///
    /// # Errors
    /// [`Mismatch`] when the two measure different things.
    pub fn convert(self, value: f64, to: Self) -> Result<f64, Mismatch> {
        let ((from_dimension, up, down), (to_dimension, up_to, down_to)) = (self.measure(), to.measure());
        if from_dimension != to_dimension {
            return Err(Mismatch { from: self, to });
        }
        // Exact where nothing is to be done: 0.85 stays 0.85.
        Ok(if self == to { value } else { value * (up * down_to) / (down * up_to) })
    }
}

/// Two units that measure different things.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` and `{}` measure different things", .from.word(), .to.word())]
pub struct Mismatch {
    /// Of the value.
    pub from: Unit,
    /// Of the limit.
    pub to: Unit,
}

/// A metric of the catalogue.
#[derive(Clone, Copy, Debug)]
pub struct Metric {
    /// Id.
    pub id: &'static str,
    /// Its own unit.
    pub unit: Unit,
    /// In English.
    pub en: &'static str,
    /// In Japanese.
    pub ja: &'static str,
}

macro_rules! catalogue {
    ($($id:literal $unit:ident $en:literal $ja:literal;)*) => {
        /// Every metric that criteria may name.
        pub const CATALOGUE: &[Metric] = &[$(Metric { id: $id, unit: Unit::$unit, en: $en, ja: $ja }),*];
    };
}

catalogue! {
    "yield_bp_q30" Bases "bases of quality 30 or better" "Q30 以上の塩基数";
    "mean_autosome_coverage" Depth "mean depth of the autosomes" "常染色体の平均深度";
    "mad_autosome_coverage" Depth "median absolute deviation of the autosomes' depth" "常染色体深度の中央絶対偏差";
    "pct_autosomes_10x" Percent "autosomes at 10x or more" "10x 以上の常染色体の割合";
    "pct_autosomes_15x" Percent "autosomes at 15x or more" "15x 以上の常染色体の割合";
    "pct_autosomes_20x" Percent "autosomes at 20x or more" "20x 以上の常染色体の割合";
    "mean_interval_coverage" Depth "mean depth of the intervals that were measured" "計測区間の平均深度";
    "mad_interval_coverage" Depth "median absolute deviation of the measured intervals' depth" "計測区間の深度の中央絶対偏差";
    "pct_intervals_10x" Percent "measured intervals at 10x or more" "10x 以上の計測区間の割合";
    "pct_intervals_15x" Percent "measured intervals at 15x or more" "15x 以上の計測区間の割合";
    "pct_intervals_20x" Percent "measured intervals at 20x or more" "20x 以上の計測区間の割合";
    "pct_reads_mapped" Percent "mapped reads" "マッピングされたリードの割合";
    "pct_reads_properly_paired" Percent "properly paired reads" "適切にペアになったリードの割合";
    "mean_insert_size" Bases "mean insert size" "平均インサートサイズ";
    "insert_size_std_deviation" Bases "standard deviation of the insert size" "インサートサイズの標準偏差";
    "cross_contamination_rate" Fraction "contamination by another human" "他検体の混入率";
    "count_snvs" One "SNVs" "SNV 数";
    "count_insertions" One "insertions" "挿入の数";
    "count_deletions" One "deletions" "欠失の数";
    "ratio_transitions_transversions_snv" One "transitions to transversions" "Ti/Tv 比";
    "ratio_heterozygous_homzygous_snv" One "heterozygous to homozygous SNVs" "SNV のヘテロ／ホモ比";
    "ratio_heterozygous_homzygous_indel" One "heterozygous to homozygous indels" "挿入欠失のヘテロ／ホモ比";
    "ratio_insertion_deletion" One "insertions to deletions" "挿入／欠失比";
    "reads" Reads "reads" "リード数";
    "q30_rate" Fraction "bases of quality 30 or better" "Q30 以上の塩基の割合";
    "pct_reads_duplicate" Percent "duplicate reads" "重複リードの割合";
    "adapter_rate" Fraction "reads with adapter" "アダプター混入率";
    "sex_x_ratio" One "X depth over autosomes" "X 染色体の相対深度";
    "sex_y_ratio" One "Y depth over autosomes" "Y 染色体の相対深度";
    "identity_concordance" Fraction "genotypes that agree with the panel" "パネルとの遺伝型一致率";
}

/// The metric with this id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Metric> {
    CATALOGUE.iter().find(|metric| metric.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_of_one_kind_convert_and_others_never_meet() {
        assert_eq!(Unit::MegaReads.convert(594.6, Unit::Reads), Ok(594_600_000.0));
        assert_eq!(Unit::Percent.convert(95.0, Unit::Fraction), Ok(0.95));
        assert_eq!(Unit::Reads.convert(1.0, Unit::Bases), Err(Mismatch { from: Unit::Reads, to: Unit::Bases }));
        assert_eq!(Unit::Fraction.convert(0.85, Unit::Fraction), Ok(0.85));
    }

    #[test]
    fn every_id_is_there_once() {
        let mut ids: Vec<_> = CATALOGUE.iter().map(|metric| metric.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), CATALOGUE.len());
    }
}
