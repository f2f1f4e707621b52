//! `bcftools stats`: summary numbers, substitutions, lengths of insertions and deletions, and genotypes of the samples.
//!
//! It is read as one sample's own file. Of a joint file, or of two that are compared, most numbers are of nobody.

use super::{Error, share, snake};

/// A summary number by its name (`snps`), `ts_tv`, or one of the counts and ratios below; `None` where the file has no such lines, as
/// without `-s -`, and for a ratio to nothing.
pub(super) fn metric(text: &str, metric: &str) -> Option<f64> {
    match metric {
        "ts_tv" => lines(text, "TSTV").find_map(|line| number(line, 4)),
        "insertions" => lengths(text, |length| length > 0.0),
        "deletions" => lengths(text, |length| length < 0.0),
        "insertions_to_deletions" => share(self::metric(text, "insertions"), self::metric(text, "deletions")),
        "het_to_hom_snvs" => share(genotypes(text, "PSC", &["nHets"]), genotypes(text, "PSC", &["nNonRefHom"])),
        "het_to_hom_indels" => share(
            genotypes(text, "PSI", &["nInsHets", "nDelHets"]),
            genotypes(text, "PSI", &["nInsAltHoms", "nDelAltHoms"]),
        ),
        other => summary(text, other),
    }
}

/// Says what the numbers would be of when they are not one sample's.
///
/// # Errors
/// For several samples, and for a comparison of two files.
pub(in crate::qc) fn of_one_sample(text: &str) -> Result<(), Error> {
    let bad = |reason: String| Err(Error::NotTheFormat { reader: "bcftools_stats".into(), reason });
    match summary(text, "samples") {
        // `stats -s SAMPLE` is not enough: its summary and lengths stay those of the whole file (seen with 1.16).
        Some(samples) if samples > 1.0 => bad(format!(
            "it counts {samples} samples together: take one out first, `bcftools view -s SAMPLE -c 1 … | bcftools stats -s -`"
        )),
        _ if lines(text, "ID").any(|line| field(line, 1) != Some("0")) => {
            bad("it compares two files: give `bcftools stats` one".into())
        }
        _ => Ok(()),
    }
}

fn lines<'a>(text: &'a str, tag: &'a str) -> impl Iterator<Item = &'a str> {
    text.lines().filter(move |line| field(line, 0) == Some(tag))
}

fn field(line: &str, index: usize) -> Option<&str> {
    line.split('\t').nth(index).map(str::trim)
}

fn number(line: &str, index: usize) -> Option<f64> {
    field(line, index)?.parse().ok()
}

/// `SN<tab>0<tab>number of SNPs:<tab>34`
fn summary(text: &str, metric: &str) -> Option<f64> {
    lines(text, "SN").find_map(|line| {
        let name = snake(field(line, 2)?);
        if name.strip_prefix("number_of_").unwrap_or(&name) == metric { number(line, 3) } else { None }
    })
}

/// `IDD<tab>0<tab>-1<tab>8`: length, deletions negative, and sites. No line of a kind is none of that kind, if indels were counted at all.
fn lengths(text: &str, ours: impl Fn(f64) -> bool) -> Option<f64> {
    summary(text, "indels")?;
    let wanted = lines(text, "IDD").filter(|line| number(line, 2).is_some_and(&ours));
    wanted.map(|line| number(line, 3)).sum()
}

/// Sum of the columns that the table's own header names so: their places differ between versions.
fn genotypes(text: &str, tag: &str, columns: &[&str]) -> Option<f64> {
    let line = lines(text, tag).next()?;
    let commented = format!("# {tag}");
    // `# PSC<tab>[2]id<tab>[3]sample<tab>[4]nRefHom…`
    let head = lines(text, &commented).next()?;
    let place = |wanted: &str| {
        head.split('\t').position(|cell| cell.split_once(']').is_some_and(|(_, name)| name.trim() == wanted))
    };
    columns.iter().map(|column| number(line, place(column)?)).sum()
}
