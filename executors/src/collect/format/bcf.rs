//! BCF (VCF specification, section 6): BGZF whose text begins with `BCF\2`.

use std::io::BufRead;

use super::bgzf;

pub(super) fn check(reader: &mut impl BufRead) -> Result<(), String> {
    if bgzf::walk(reader)?.starts_with(b"BCF\x02") {
        return Ok(());
    }
    Err("it is BGZF but does not begin as BCF 2".to_owned())
}

#[cfg(test)]
mod tests {
    use crate::collect::format::samples;

    #[test]
    fn a_bcf_file_cut_anywhere_is_refused() {
        samples::refuses_every_truncation("bcf", &samples::bgzf(&[b"BCF\x02\x02....", b"records"]));
    }
}
