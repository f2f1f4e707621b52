//! Read pairs as a sequencer would write them: fragments of both haplotypes, qualities that sink along the read, errors as
//! the qualities say, and a few copies of the same fragment.
//!
//! It knows nothing of variants; it reads the haplotypes it is given.

use std::io::{self, Write};

use rand::Rng;
use rand::rngs::StdRng;

use super::genome::base_other_than;

/// Bases per read.
const READ: usize = 100;
const FRAGMENT_MIN: usize = 220;
const FRAGMENT_MAX: usize = 500;
/// Share of fragments that are read twice, as after amplification.
const DUPLICATES: f64 = 0.015;

/// How many pairs give `depth` over `bases`.
pub(super) fn pairs(bases: usize, depth: usize) -> usize {
    bases * depth / (2 * READ)
}

/// Writes the pairs of one lane as FASTQ to `first` and `second`.
pub(super) fn write_lane(
    rng: &mut StdRng,
    haplotypes: &[Vec<Vec<u8>>; 2],
    (lane, pairs): (usize, usize),
    first: &mut impl Write,
    second: &mut impl Write,
) -> io::Result<()> {
    let mut written = 0;
    for _ in 0..pairs {
        let contigs = &haplotypes[rng.random_range(0..2)];
        let contig = &contigs[rng.random_range(0..contigs.len())];
        let fragment = fragment(rng, contig);
        let (left, right) = (&fragment[..READ], reverse_complement(&fragment[fragment.len() - READ..]));
        let forward = rng.random_bool(0.5);
        let copies = if rng.random_bool(DUPLICATES) { 2 } else { 1 };
        for _ in 0..copies {
            written += 1;
            let name = format!("SIM:1:KENTAI:{lane}:{}:{}:{}", 1101 + written / 5000, written % 5000, written);
            let (one, two) = if forward { (left, right.as_slice()) } else { (right.as_slice(), left) };
            write_read(rng, first, &name, 1, one)?;
            write_read(rng, second, &name, 2, two)?;
        }
    }
    Ok(())
}

/// A fragment of about 350 bases: the sum of twelve dice is near enough to a normal distribution.
fn fragment<'a>(rng: &mut StdRng, bases: &'a [u8]) -> &'a [u8] {
    let dice: f64 = (0..12).map(|_| rng.random::<f64>()).sum::<f64>() - 6.0;
    let length = ((350.0 + 40.0 * dice) as usize).clamp(FRAGMENT_MIN, FRAGMENT_MAX);
    let start = rng.random_range(0..=bases.len() - length);
    &bases[start..start + length]
}

fn write_read(rng: &mut StdRng, out: &mut impl Write, name: &str, number: u8, truth: &[u8]) -> io::Result<()> {
    let mut bases = Vec::with_capacity(truth.len());
    let mut qualities = Vec::with_capacity(truth.len());
    for (position, &base) in truth.iter().enumerate() {
        let quality = quality(rng, position as f64 / truth.len() as f64);
        let wrong = rng.random_bool(10f64.powf(-f64::from(quality) / 10.0));
        bases.push(if wrong { base_other_than(rng, base) } else { base });
        qualities.push(quality + 33);
    }
    writeln!(out, "@{name} {number}:N:0:SIM")?;
    for line in [bases.as_slice(), b"+", &qualities] {
        out.write_all(line)?;
        out.write_all(b"\n")?;
    }
    Ok(())
}

/// Three bins, as current instruments write them; the best one holds 96 % of the first bases and 92 % of the last.
fn quality(rng: &mut StdRng, along: f64) -> u8 {
    let drawn: f64 = rng.random();
    let best = 0.96 - 0.04 * along;
    match drawn {
        drawn if drawn < best => 37,
        drawn if drawn < 0.985 => 25,
        _ => 11,
    }
}

fn reverse_complement(bases: &[u8]) -> Vec<u8> {
    let complement = |&base: &u8| match base {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        _ => b'A',
    };
    bases.iter().rev().map(complement).collect()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;

    use super::super::genome::reference;
    use super::*;

    #[test]
    fn both_ends_of_a_fragment_face_each_other() {
        assert_eq!(reverse_complement(b"ACGTT"), b"AACGT");
    }

    #[test]
    fn most_bases_are_better_than_q30() {
        let mut rng = StdRng::seed_from_u64(1);
        let contig = reference(&mut rng, 1, 5_000).remove(0).bases;
        let haplotypes = [vec![contig.clone()], vec![contig]];
        let (mut first, mut second) = (Vec::new(), Vec::new());
        write_lane(&mut rng, &haplotypes, (1, 300), &mut first, &mut second).expect("a vector takes everything");
        let text = String::from_utf8(first).expect("FASTQ is ASCII");
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len() % 4, 0);
        assert_eq!(lines.len(), String::from_utf8_lossy(&second).lines().count());
        let qualities: Vec<u8> = lines.iter().skip(3).step_by(4).flat_map(|line| line.bytes()).collect();
        let good = qualities.iter().filter(|&&quality| quality >= 33 + 30).count();
        let share = good as f64 / qualities.len() as f64;
        assert!((0.92..0.97).contains(&share), "{share}");
    }
}
