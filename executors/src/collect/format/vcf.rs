//! VCF, compressed (VCF specification, section 1.2): BGZF whose first line names the format.

use std::io::BufRead;

use super::bgzf;

pub(super) fn check(reader: &mut impl BufRead) -> Result<(), String> {
    if bgzf::walk(reader)?.starts_with(b"##fileformat=VCF") {
        return Ok(());
    }
    Err("it is BGZF but does not begin with ##fileformat=VCF".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::collect::format::samples;

    #[test]
    fn a_vcf_file_cut_anywhere_is_refused() {
        samples::refuses_every_truncation("vcf.gz", &samples::bgzf(&[b"##fileformat=VCFv4.3\n", b"#CHROM\n"]));
    }
}
