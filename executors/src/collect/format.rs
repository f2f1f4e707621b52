//! Declared formats: a file that claims one is read whole, and must end where its format says it ends.
//!
//! Truncation is what happens to outputs; so each check proves the end, not only the beginning. Contents beyond that
//! (is this alignment right?) are the gates' business.

mod bam;
mod bcf;
mod bgzf;
mod cram;
mod fastq;
mod gzip;
mod json;
mod vcf;

use std::io::BufRead;

/// Reads a file to its end; says what is wrong with it.
pub(super) fn check(format: &str, reader: &mut impl BufRead) -> Result<(), String> {
    match format {
        "bam" => bam::check(reader),
        "cram" => cram::check(reader),
        "vcf.gz" => vcf::check(reader),
        "bcf" => bcf::check(reader),
        "fastq.gz" => fastq::check(reader),
        "json" => json::check(reader),
        "text" => Ok(()),
        other => Err(format!("`{other}` is not a format this version can check")),
    }
}

#[cfg(test)]
mod samples {
    //! Small files for the formats' tests.

    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder};

    pub(crate) fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    /// A BGZF file with one block per part and the end marker.
    pub(crate) fn bgzf(parts: &[&[u8]]) -> Vec<u8> {
        let mut file = Vec::new();
        for part in parts {
            let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
            encoder.write_all(part).expect("memory");
            let data = encoder.finish().expect("memory");
            let mut crc = flate2::Crc::new();
            crc.update(part);
            file.extend([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0]);
            file.extend(u16::try_from(data.len() + 25).expect("small").to_le_bytes());
            file.extend(data);
            file.extend(crc.sum().to_le_bytes());
            file.extend(u32::try_from(part.len()).expect("small").to_le_bytes());
        }
        file.extend(super::bgzf::END_MARKER);
        file
    }

    /// Every shorter beginning of a good file must be refused.
    pub(crate) fn refuses_every_truncation(format: &str, file: &[u8]) {
        assert_eq!(super::check(format, &mut &file[..]), Ok(()), "{format}");
        for length in 0..file.len() {
            assert!(super::check(format, &mut &file[..length]).is_err(), "{format} cut to {length} bytes");
        }
    }
}
