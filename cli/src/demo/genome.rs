//! A small made-up genome, and two haplotypes of it per specimen.
//!
//! Bases are drawn independently, so every read of 100 bases has one home: mapping is not what a demonstration is about.
//! Variants keep their distance from each other and from contig ends, and an indel has one possible position, so that a
//! plain alignment and pileup find each of them and spell it as the truth does.

use rand::Rng;
use rand::rngs::StdRng;

/// Distance between variants, and of a variant from the ends of its contig, in bases.
const SPACING: usize = 600;
/// How far an indel may move from its drawn position to find a place where it is unambiguous.
const SEARCH: usize = 60;
/// One variant in so many is an indel.
const INDEL_EVERY: usize = 9;
const INDEL_LENGTH_MAX: usize = 4;

/// One sequence of the reference.
#[derive(Debug)]
pub(super) struct Contig {
    pub(super) name: String,
    pub(super) bases: Vec<u8>,
}

/// A difference of one specimen from the reference, as VCF spells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Variant {
    /// Index of the contig.
    pub(super) contig: usize,
    /// 0-based position of the first base of `reference`.
    pub(super) position: usize,
    pub(super) reference: Vec<u8>,
    pub(super) alternate: Vec<u8>,
    /// On both haplotypes.
    pub(super) homozygous: bool,
    /// The haplotype that carries it when it is not homozygous.
    pub(super) haplotype: usize,
}

/// `count` contigs of `length` bases with 41 % G and C, as in a human genome.
pub(super) fn reference(rng: &mut StdRng, count: usize, length: usize) -> Vec<Contig> {
    (1..=count)
        .map(|number| Contig { name: format!("sim{number}"), bases: (0..length).map(|_| base(rng)).collect() })
        .collect()
}

fn base(rng: &mut StdRng) -> u8 {
    let pair = if rng.random_bool(0.41) { *b"GC" } else { *b"AT" };
    pair[rng.random_range(0..2)]
}

/// Any base but `other`.
pub(super) fn base_other_than(rng: &mut StdRng, other: u8) -> u8 {
    loop {
        let drawn = base(rng);
        if drawn != other {
            return drawn;
        }
    }
}

/// The variants of one specimen, ordered by contig and position.
pub(super) fn variants(rng: &mut StdRng, contigs: &[Contig]) -> Vec<Variant> {
    let mut found = Vec::new();
    for (index, contig) in contigs.iter().enumerate() {
        let mut position = SPACING + rng.random_range(0..SPACING);
        while position + SPACING + SEARCH < contig.bases.len() {
            let spelled = if found.len() % INDEL_EVERY == INDEL_EVERY - 1 {
                indel(rng, &contig.bases, position)
            } else {
                Some(snv(rng, &contig.bases, position))
            };
            if let Some((at, reference, alternate)) = spelled {
                let homozygous = rng.random_bool(0.35);
                let haplotype = rng.random_range(0..2);
                found.push(Variant { contig: index, position: at, reference, alternate, homozygous, haplotype });
            }
            position += SPACING + SEARCH + rng.random_range(0..SPACING);
        }
    }
    found
}

type Spelled = (usize, Vec<u8>, Vec<u8>);

fn snv(rng: &mut StdRng, bases: &[u8], position: usize) -> Spelled {
    let reference = bases[position];
    (position, vec![reference], vec![base_other_than(rng, reference)])
}

/// An insertion or deletion after an anchor base that can be moved neither left nor right.
fn indel(rng: &mut StdRng, bases: &[u8], from: usize) -> Option<Spelled> {
    let length = rng.random_range(1..=INDEL_LENGTH_MAX);
    let deletion = rng.random_bool(0.5);
    let drawn: Vec<u8> = (0..length).map(|_| base(rng)).collect();
    (from..from + SEARCH).find_map(|anchor| {
        let (changed, after) = if deletion {
            (&bases[anchor + 1..=anchor + length], bases[anchor + 1 + length])
        } else {
            (drawn.as_slice(), bases[anchor + 1])
        };
        let unambiguous = changed[0] != after && changed[length - 1] != bases[anchor];
        let short = vec![bases[anchor]];
        let long = [short.as_slice(), changed].concat();
        match (unambiguous, deletion) {
            (false, _) => None,
            (true, true) => Some((anchor, long, short)),
            (true, false) => Some((anchor, short, long)),
        }
    })
}

/// The contigs as haplotype 0 or 1 of a specimen carries them.
pub(super) fn haplotype(contigs: &[Contig], variants: &[Variant], which: usize) -> Vec<Vec<u8>> {
    contigs
        .iter()
        .enumerate()
        .map(|(index, contig)| {
            let mut bases = Vec::with_capacity(contig.bases.len());
            let mut done = 0;
            let carried =
                |variant: &&Variant| variant.contig == index && (variant.homozygous || variant.haplotype == which);
            for variant in variants.iter().filter(carried) {
                bases.extend_from_slice(&contig.bases[done..variant.position]);
                bases.extend_from_slice(&variant.alternate);
                done = variant.position + variant.reference.len();
            }
            bases.extend_from_slice(&contig.bases[done..]);
            bases
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::*;

    fn small() -> (Vec<Contig>, Vec<Variant>) {
        let mut rng = StdRng::seed_from_u64(7);
        let contigs = reference(&mut rng, 2, 30_000);
        let variants = variants(&mut rng, &contigs);
        (contigs, variants)
    }

    #[test]
    fn variants_say_what_the_reference_holds_and_keep_their_distance() {
        let (contigs, variants) = small();
        assert!(variants.len() > 40, "{}", variants.len());
        assert!(variants.iter().any(|variant| variant.alternate.len() > variant.reference.len()));
        assert!(variants.iter().any(|variant| variant.alternate.len() < variant.reference.len()));
        for variant in &variants {
            let end = variant.position + variant.reference.len();
            assert_eq!(contigs[variant.contig].bases[variant.position..end], variant.reference);
            assert_ne!(variant.reference, variant.alternate);
        }
        for pair in variants.windows(2).filter(|pair| pair[0].contig == pair[1].contig) {
            assert!(pair[1].position >= pair[0].position + SPACING);
        }
    }

    #[test]
    fn a_haplotype_differs_by_exactly_what_it_carries() {
        let (contigs, variants) = small();
        for which in 0..2 {
            let bases = haplotype(&contigs, &variants, which);
            for (index, contig) in contigs.iter().enumerate() {
                let grown: isize = variants
                    .iter()
                    .filter(|variant| variant.contig == index && (variant.homozygous || variant.haplotype == which))
                    .map(|variant| variant.alternate.len() as isize - variant.reference.len() as isize)
                    .sum();
                assert_eq!(bases[index].len() as isize, contig.bases.len() as isize + grown);
            }
        }
    }

    #[test]
    fn the_same_seed_gives_the_same_genome() {
        assert_eq!(small().1, small().1);
        assert_eq!(small().0[0].bases, small().0[0].bases);
    }
}
