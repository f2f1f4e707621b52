//! BAM (SAM specification, section 4.2): BGZF whose text begins with `BAM\1`.

use std::io::BufRead;

use super::bgzf;

pub(super) fn check(reader: &mut impl BufRead) -> Result<(), String> {
    if bgzf::walk(reader)?.starts_with(b"BAM\x01") {
        return Ok(());
    }
    Err("it is BGZF but does not begin as BAM".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::collect::format::{check, samples};

    #[test]
    fn a_bam_file_cut_anywhere_is_refused() {
        samples::refuses_every_truncation("bam", &samples::bgzf(&[b"BAM\x01....", b"reads"]));
    }

    #[test]
    fn another_bgzf_file_is_not_bam() {
        assert!(check("bam", &mut &samples::bgzf(&[b"##fileformat=VCFv4.2\n"])[..]).is_err());
    }
}
