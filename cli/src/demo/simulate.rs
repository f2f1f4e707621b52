//! Writes a whole demonstration: a reference, two specimens' reads in two lanes each, their truth, and the sheet.
//!
//! The same seed writes the same bytes, on any machine.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use flate2::Compression;
use flate2::write::GzEncoder;
use rand::SeedableRng;
use rand::rngs::StdRng;
use sha2::{Digest, Sha256};

use super::genome::{self, Contig};
use super::{reads, variants};

const LANES: [&str; 2] = ["L001", "L002"];
const HEADER: &str = "specimen,participant,barcode,sex,consent,lane,r1,r2,r1_sha256,r2_sha256";

/// What was written.
#[derive(Debug)]
pub(crate) struct Simulated {
    /// `reference.fa`
    pub(crate) reference: PathBuf,
    /// `sheet.csv`, with the columns that `germline_wgs` asks for.
    pub(crate) sheet: PathBuf,
    /// Specimen ids with their truth (VCF).
    pub(crate) specimens: Vec<(String, PathBuf)>,
}

/// How much to write.
struct Scale {
    contigs: usize,
    contig_bases: usize,
    depth: usize,
}

/// Enough to pass both gates of `germline_wgs` at their defaults, small enough to be written in seconds (about 5 MB).
const DEMONSTRATION: Scale = Scale { contigs: 3, contig_bases: 40_000, depth: 40 };

struct Person {
    specimen: &'static str,
    participant: &'static str,
    barcode: &'static str,
    sex: &'static str,
    consent: &'static str,
}

const PEOPLE: [Person; 2] = [
    Person {
        specimen: "SIM001",
        participant: "P-SIM-1",
        barcode: "0041002201",
        sex: "female",
        consent: "C-SIM-1:sequencing;research_domestic",
    },
    Person {
        specimen: "SIM002",
        participant: "P-SIM-2",
        barcode: "0041002202",
        sex: "male",
        consent: "C-SIM-2:sequencing;research_domestic",
    },
];

/// Writes the demonstration into `dir`, unless a former call wrote all of it: files that stay as they are make the same
/// submission again.
///
/// # Errors
/// When a file cannot be written.
pub(crate) fn simulate(dir: &Path, seed: u64) -> io::Result<Simulated> {
    match written(dir) {
        Some(simulated) => Ok(simulated),
        None => write(dir, seed, &DEMONSTRATION),
    }
}

/// What a former call wrote; its sheet comes last.
fn written(dir: &Path) -> Option<Simulated> {
    let sheet = dir.join("sheet.csv");
    let truth =
        |person: &Person| (person.specimen.to_owned(), dir.join("truth").join(format!("{}.vcf", person.specimen)));
    sheet.is_file().then(|| Simulated {
        reference: dir.join("reference.fa"),
        sheet,
        specimens: PEOPLE.iter().map(truth).collect(),
    })
}

fn write(dir: &Path, seed: u64, scale: &Scale) -> io::Result<Simulated> {
    fs::create_dir_all(dir.join("reads"))?;
    fs::create_dir_all(dir.join("truth"))?;
    let mut rng = StdRng::seed_from_u64(seed);
    let contigs = genome::reference(&mut rng, scale.contigs, scale.contig_bases);
    let reference = dir.join("reference.fa");
    write_reference(&reference, &contigs)?;
    let mut rows = vec![HEADER.to_owned()];
    let mut specimens = Vec::new();
    for person in &PEOPLE {
        let found = genome::variants(&mut rng, &contigs);
        let truth = dir.join("truth").join(format!("{}.vcf", person.specimen));
        let mut out = BufWriter::new(File::create(&truth)?);
        variants::write(&mut out, person.specimen, &contigs, &found)?;
        out.flush()?;
        let haplotypes = [0, 1].map(|which| genome::haplotype(&contigs, &found, which));
        let pairs = reads::pairs(scale.contigs * scale.contig_bases, scale.depth) / LANES.len();
        for number in 1..=LANES.len() {
            rows.push(write_lane(dir, &mut rng, person, &haplotypes, (number, pairs))?);
        }
        specimens.push((person.specimen.to_owned(), truth));
    }
    let sheet = dir.join("sheet.csv");
    let unfinished = dir.join("sheet.csv.new");
    fs::write(&unfinished, rows.join("\n") + "\n")?;
    fs::rename(&unfinished, &sheet)?;
    Ok(Simulated { reference, sheet, specimens })
}

fn write_reference(path: &Path, contigs: &[Contig]) -> io::Result<()> {
    let mut out = BufWriter::new(File::create(path)?);
    for contig in contigs {
        writeln!(out, ">{}", contig.name)?;
        for line in contig.bases.chunks(60) {
            out.write_all(line)?;
            out.write_all(b"\n")?;
        }
    }
    out.flush()
}

/// Writes both files of a lane; gives the lane's row of the sheet.
fn write_lane(
    dir: &Path,
    rng: &mut StdRng,
    person: &Person,
    haplotypes: &[Vec<Vec<u8>>; 2],
    (number, pairs): (usize, usize),
) -> io::Result<String> {
    let lane = LANES[number - 1];
    let names = ["R1", "R2"].map(|read| format!("reads/{}_{lane}_{read}.fastq.gz", person.specimen));
    let [mut first, mut second] = [packed(dir, &names[0])?, packed(dir, &names[1])?];
    reads::write_lane(rng, haplotypes, (number, pairs), &mut first, &mut second)?;
    for out in [first, second] {
        out.finish()?.flush()?;
    }
    let sums = [sha256(&dir.join(&names[0]))?, sha256(&dir.join(&names[1]))?];
    let Person { specimen, participant, barcode, sex, consent } = person;
    let [r1, r2] = names;
    let [r1_sum, r2_sum] = sums;
    Ok(format!("{specimen},{participant},{barcode},{sex},{consent},{lane},{r1},{r2},{r1_sum},{r2_sum}"))
}

fn packed(dir: &Path, name: &str) -> io::Result<GzEncoder<BufWriter<File>>> {
    Ok(GzEncoder::new(BufWriter::new(File::create(dir.join(name))?), Compression::new(4)))
}

fn sha256(path: &Path) -> io::Result<String> {
    let digest = Sha256::digest(fs::read(path)?);
    Ok(digest.iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SMALL: Scale = Scale { contigs: 2, contig_bases: 6_000, depth: 2 };

    #[test]
    fn the_same_seed_writes_the_same_bytes_and_another_does_not() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let sheet = |name: &str, seed| {
            let simulated = write(&dir.path().join(name), seed, &SMALL).expect("written");
            fs::read_to_string(simulated.sheet).expect("a sheet")
        };
        assert_eq!(sheet("a", 1), sheet("b", 1));
        assert_ne!(sheet("a", 1), sheet("c", 2));
    }

    #[test]
    fn the_sheet_names_every_lane_with_files_that_exist_and_their_checksums() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let simulated = write(dir.path(), 3, &SMALL).expect("written");
        let sheet = fs::read_to_string(&simulated.sheet).expect("a sheet");
        let rows: Vec<Vec<&str>> = sheet.lines().map(|line| line.split(',').collect()).collect();
        assert_eq!(rows.len(), 1 + PEOPLE.len() * LANES.len());
        for row in &rows[1..] {
            assert_eq!(row.len(), rows[0].len());
            assert_eq!(sha256(&dir.path().join(row[6])).expect("the first file"), row[8]);
            assert_eq!(sha256(&dir.path().join(row[7])).expect("the second file"), row[9]);
        }
    }

    #[test]
    fn the_truth_compares_perfectly_with_itself() {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let simulated = write(dir.path(), 4, &SMALL).expect("written");
        for (_, truth) in &simulated.specimens {
            let comparison = super::super::compare(truth, truth).expect("the truth is VCF");
            assert!(comparison.is_perfect());
            assert!(comparison.snvs.found > 0);
        }
    }
}
