//! Small variants as VCF records: written for a truth set, read from any caller's file.
//!
//! Only what a comparison needs is read: place, alleles, and how many copies the first sample carries.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::Path;

use flate2::read::MultiGzDecoder;

use super::genome::{Contig, Variant};

/// Place (contig, 1-based position) and alleles (reference, alternate), trimmed to the shortest spelling.
pub(super) type Key = (String, u64, String, String);

/// Variants with the number of copies in the first sample; `None` where the file does not say.
pub(super) type Calls = BTreeMap<Key, Option<usize>>;

/// Writes the truth of one specimen.
pub(super) fn write(out: &mut impl Write, specimen: &str, contigs: &[Contig], variants: &[Variant]) -> io::Result<()> {
    writeln!(out, "##fileformat=VCFv4.2")?;
    for contig in contigs {
        writeln!(out, "##contig=<ID={},length={}>", contig.name, contig.bases.len())?;
    }
    writeln!(out, "##FORMAT=<ID=GT,Number=1,Type=String,Description=\"Genotype\">")?;
    writeln!(out, "#CHROM\tPOS\tID\tREF\tALT\tQUAL\tFILTER\tINFO\tFORMAT\t{specimen}")?;
    for variant in variants {
        let contig = &contigs[variant.contig].name;
        let (reference, alternate) = (as_text(&variant.reference), as_text(&variant.alternate));
        let genotype = if variant.homozygous { "1/1" } else { "0/1" };
        writeln!(out, "{contig}\t{}\t.\t{reference}\t{alternate}\t.\tPASS\t.\tGT\t{genotype}", variant.position + 1)?;
    }
    Ok(())
}

fn as_text(bases: &[u8]) -> String {
    bases.iter().copied().map(char::from).collect()
}

/// Reads a VCF file, plain or compressed.
pub(super) fn read(path: &Path) -> io::Result<Calls> {
    let mut file = BufReader::new(File::open(path)?);
    let packed = file.fill_buf()?.starts_with(&[0x1f, 0x8b]);
    let text: Box<dyn Read> = if packed { Box::new(MultiGzDecoder::new(file)) } else { Box::new(file) };
    let mut calls = Calls::new();
    for line in BufReader::new(text).lines() {
        let line = line?;
        if !line.starts_with('#') && !line.is_empty() {
            record(&line, &mut calls)
                .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, format!("not a VCF record: {line}")))?;
        }
    }
    Ok(calls)
}

/// One line; several alternate alleles are several variants.
fn record(line: &str, calls: &mut Calls) -> Option<()> {
    let columns: Vec<&str> = line.split('\t').collect();
    let [contig, position, _, reference, alternates, ..] = columns.as_slice() else { return None };
    let position: u64 = position.parse().ok()?;
    let genotype = genotype(&columns);
    for (index, alternate) in alternates.split(',').enumerate() {
        if alternate.bytes().all(|base| base.is_ascii_alphabetic()) {
            let (position, reference, alternate) = trim(position, reference, alternate);
            let copies = genotype.as_ref().map(|alleles| alleles.iter().filter(|&&allele| allele == index + 1).count());
            calls.insert(((*contig).to_owned(), position, reference, alternate), copies);
        }
    }
    Some(())
}

/// Allele numbers of the first sample.
fn genotype(columns: &[&str]) -> Option<Vec<usize>> {
    let place = columns.get(8)?.split(':').position(|key| key == "GT")?;
    columns.get(9)?.split(':').nth(place)?.split(['/', '|']).map(|allele| allele.parse().ok()).collect()
}

/// Takes off what both alleles share, first at the end, then at the beginning, and leaves one base of each.
fn trim(position: u64, reference: &str, alternate: &str) -> (u64, String, String) {
    let (mut left, mut right) = (reference.to_ascii_uppercase(), alternate.to_ascii_uppercase());
    let mut position = position;
    while left.len() > 1 && right.len() > 1 && left.as_bytes().last() == right.as_bytes().last() {
        left.pop();
        right.pop();
    }
    while left.len() > 1 && right.len() > 1 && left.as_bytes()[0] == right.as_bytes()[0] {
        left.remove(0);
        right.remove(0);
        position += 1;
    }
    (position, left, right)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(position: u64, reference: &str, alternate: &str) -> Key {
        ("c".to_owned(), position, reference.to_owned(), alternate.to_owned())
    }

    #[test]
    fn a_long_spelling_and_a_short_one_are_the_same_variant() {
        assert_eq!(trim(10, "GACA", "GA"), (10, "GAC".to_owned(), "G".to_owned()));
        assert_eq!(trim(10, "CAT", "CGT"), (11, "A".to_owned(), "G".to_owned()));
        assert_eq!(trim(10, "a", "t"), (10, "A".to_owned(), "T".to_owned()));
    }

    #[test]
    fn every_alternate_allele_counts_and_placeholders_do_not() {
        let mut calls = Calls::new();
        record("c\t5\t.\tA\tG,T,<*>\t9\t.\t.\tDP:GT\t7:1/2", &mut calls).expect("a record");
        record("c\t9\t.\tA\t.\t9\t.\t.", &mut calls).expect("a record without a variant");
        let expected = Calls::from([(key(5, "A", "G"), Some(1)), (key(5, "A", "T"), Some(1))]);
        assert_eq!(calls, expected);
    }

    #[test]
    fn a_line_that_is_no_record_is_said_so() {
        assert!(record("c\tfive\t.\tA\tG", &mut Calls::new()).is_none());
        assert!(record("nothing", &mut Calls::new()).is_none());
    }
}
