//! What a file says about whose it is: depth of X and Y over the autosomes', and agreement with a fingerprint panel.

use super::super::identity;
use super::super::metric::Unit;
use super::super::reader::{Error, number_at};
use super::super::sex;
use super::super::verdict::Value;
use super::Format;

/// Both ratios, where the file has X, Y and autosomes under the names that people are used to.
pub(super) fn sex_ratios(format: Format, bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let Some((x, y)) = sex::ratios(&depths(format, bytes)?) else { return Ok(Vec::new()) };
    let value = |metric, number| super::value(metric, Some(number), Unit::One, format.word());
    Ok(vec![value(sex::X_RATIO, x), value(sex::Y_RATIO, y)])
}

/// Name, length in base pairs and mean depth of each contig.
fn depths(format: Format, bytes: &[u8]) -> Result<Vec<(String, f64, f64)>, Error> {
    let text = String::from_utf8_lossy(bytes);
    let mut found = Vec::new();
    for (line, place) in text.lines().zip(1..).skip(1) {
        let fields: Vec<&str> = line.split('\t').collect();
        let number = |index| number_at(format.word(), place, &fields, index);
        let (length, depth) = match format {
            // `#rname startpos endpos numreads covbases coverage meandepth …`, 1-based and closed.
            Format::SamtoolsCoverage => (number(2)? - number(1)? + 1.0, number(6)?),
            // `chrom length bases mean …`
            _ => (number(1)?, number(3)?),
        };
        found.push((fields[0].to_owned(), length, depth));
    }
    Ok(found)
}

/// The one comparison of the file. Of several, nobody here knows which is meant.
pub(super) fn concordance(bytes: &[u8]) -> Result<Vec<Value>, Error> {
    let pairs = identity::read(bytes)?;
    match pairs.as_slice() {
        [pair] => Ok(vec![Value { tool: Format::BcftoolsGtcheck.word().into(), ..pair.value() }]),
        several => Err(Error::NotTheFormat {
            reader: Format::BcftoolsGtcheck.word().into(),
            reason: format!(
                "it compares {} pairs: name the one that is meant, `bcftools gtcheck -e 0 -s qry:SAMPLE -s gt:SAMPLE -g panel.vcf.gz …`",
                several.len()
            ),
        }),
    }
}
