//! Calls against the truth: what was found, what was missed, what was made up.

use std::io;
use std::path::Path;

use super::variants::{Key, read};

/// How many variants of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// In the truth and called.
    pub(crate) found: usize,
    /// In the truth, not called.
    pub(crate) missed: usize,
    /// Called, not in the truth.
    pub(crate) extra: usize,
}

/// Calls of one specimen compared with its truth.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Comparison {
    /// Single bases.
    pub(crate) snvs: Counts,
    /// Insertions and deletions.
    pub(crate) indels: Counts,
    /// Found, with another number of copies than the truth says.
    pub(crate) genotypes_wrong: usize,
}

impl Comparison {
    /// Everything found, nothing made up, every genotype right.
    pub(crate) fn is_perfect(&self) -> bool {
        let spotless = |counts: &Counts| counts.missed == 0 && counts.extra == 0;
        spotless(&self.snvs) && spotless(&self.indels) && self.genotypes_wrong == 0
    }

    fn counts(&mut self, key: &Key) -> &mut Counts {
        if key.2.len() == key.3.len() { &mut self.snvs } else { &mut self.indels }
    }
}

/// Compares two VCF files, plain or compressed, by place, alleles and genotype.
///
/// # Errors
/// When one cannot be read or is not VCF.
pub(crate) fn compare(truth: &Path, calls: &Path) -> io::Result<Comparison> {
    let (truth, calls) = (read(truth)?, read(calls)?);
    let mut comparison = Comparison::default();
    for (key, copies) in &truth {
        match calls.get(key) {
            None => comparison.counts(key).missed += 1,
            Some(called) => {
                comparison.counts(key).found += 1;
                comparison.genotypes_wrong += usize::from(called != copies);
            }
        }
    }
    for key in calls.keys().filter(|key| !truth.contains_key(*key)) {
        comparison.counts(key).extra += 1;
    }
    Ok(comparison)
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    const TRUTH: &str = "#CHROM\nc\t10\t.\tA\tG\t.\t.\t.\tGT\t0/1\nc\t90\t.\tA\tC\t.\t.\t.\tGT\t1/1\nc\t200\t.\tAT\tA\t.\t.\t.\tGT\t0/1\n";

    #[test]
    fn a_perfect_call_set_is_perfect_even_when_compressed_in_blocks() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (plain, packed) = (dir.path().join("t.vcf"), dir.path().join("c.vcf.gz"));
        fs::write(&plain, TRUTH).expect("written");
        let mut bytes = Vec::new();
        for half in [&TRUTH[..40], &TRUTH[40..]] {
            let mut encoder = GzEncoder::new(&mut bytes, Compression::fast());
            encoder.write_all(half.as_bytes()).expect("packed");
            encoder.finish().expect("packed");
        }
        fs::write(&packed, bytes).expect("written");
        let comparison = compare(&plain, &packed).expect("both are VCF");
        assert!(comparison.is_perfect(), "{comparison:?}");
        assert_eq!((comparison.snvs.found, comparison.indels.found), (2, 1));
    }

    #[test]
    fn missed_extra_and_wrong_genotypes_are_told_apart() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let (truth, calls) = (dir.path().join("t.vcf"), dir.path().join("c.vcf"));
        fs::write(&truth, TRUTH).expect("written");
        fs::write(&calls, "c\t10\t.\tA\tG\t.\t.\t.\tGT\t1/1\nc\t91\t.\tA\tC\t.\t.\t.\tGT\t1/1\n").expect("written");
        let comparison = compare(&truth, &calls).expect("both are VCF");
        assert_eq!(comparison.snvs, Counts { found: 1, missed: 1, extra: 1 });
        assert_eq!(comparison.indels, Counts { found: 0, missed: 1, extra: 0 });
        assert_eq!(comparison.genotypes_wrong, 1);
        assert!(!comparison.is_perfect());
    }
}
