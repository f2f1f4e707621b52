//! FASTQ, compressed (Cock et al. 2010, doi:10.1093/nar/gkp1137): records of four lines, sequence and quality of
//! equal length. Lengths are counted, not kept, so that a read of any length costs no memory.

use std::io::BufRead;

use super::gzip;

pub(super) fn check(reader: &mut impl BufRead) -> Result<(), String> {
    let mut text = gzip::text(reader);
    let mut records = Records::default();
    loop {
        let chunk = text.fill_buf().map_err(|error| gzip::reason(&error))?;
        let length = chunk.len();
        if length == 0 {
            return records.end();
        }
        records.feed(chunk)?;
        text.consume(length);
    }
}

/// Which line of a record, and how far.
#[derive(Default)]
struct Records {
    /// Whole records seen.
    whole: u64,
    /// 0 name, 1 sequence, 2 separator, 3 quality.
    line: u8,
    /// Bytes of this line so far.
    length: u64,
    /// Its last byte, for line ends of two bytes.
    last: u8,
    /// Length of this record's sequence.
    sequence: u64,
}

impl Records {
    fn feed(&mut self, mut chunk: &[u8]) -> Result<(), String> {
        while !chunk.is_empty() {
            let end = chunk.iter().position(|byte| *byte == b'\n');
            let part = &chunk[..end.unwrap_or(chunk.len())];
            self.grow(part)?;
            let Some(end) = end else { return Ok(()) };
            self.close()?;
            chunk = &chunk[end + 1..];
        }
        Ok(())
    }

    fn grow(&mut self, part: &[u8]) -> Result<(), String> {
        let Some(last) = part.last() else { return Ok(()) };
        if self.length == 0 && (self.line == 0 && part[0] != b'@' || self.line == 2 && part[0] != b'+') {
            let wanted = if self.line == 0 { '@' } else { '+' };
            return Err(self.wrong(&format!("a line does not begin with `{wanted}`")));
        }
        self.length += part.len() as u64;
        self.last = *last;
        Ok(())
    }

    fn close(&mut self) -> Result<(), String> {
        let length = self.length - u64::from(self.length > 0 && self.last == b'\r');
        match self.line {
            1 => self.sequence = length,
            3 if length != self.sequence => {
                let text = format!("{} bases and {length} quality values", self.sequence);
                return Err(self.wrong(&text));
            }
            0 | 2 if length == 0 => return Err(self.wrong("an empty line")),
            _ => {}
        }
        self.length = 0;
        self.whole += u64::from(self.line == 3);
        self.line = (self.line + 1) % 4;
        Ok(())
    }

    /// The last line may lack its line end.
    fn end(mut self) -> Result<(), String> {
        if self.length > 0 && self.line == 3 {
            self.close()?;
        }
        if self.line == 0 && self.length == 0 {
            return Ok(());
        }
        Err(self.wrong("it is cut off"))
    }

    fn wrong(&self, what: &str) -> String {
        format!("FASTQ record {}: {what}", self.whole + 1)
    }
}

#[cfg(test)]
mod tests {
    use crate::collect::format::{check, samples};

    fn verdict(text: &str) -> Result<(), String> {
        check("fastq.gz", &mut &samples::gzip(text.as_bytes())[..])
    }

    #[test]
    fn a_fastq_file_cut_anywhere_is_refused() {
        samples::refuses_every_truncation("fastq.gz", &samples::gzip(b"@r1\nACGT\n+\nIIII\n@r2\nAC\n+r2\nII\n"));
    }

    #[test]
    fn whole_records_are_accepted_in_every_spelling() {
        for text in ["@r\nACGT\n+\n@III\n", "@r\r\nACGT\r\n+\r\nIIII\r\n", "@r\nAC\n+\nII", "@r\n\n+\n\n", ""] {
            assert_eq!(verdict(text), Ok(()), "{text:?}");
        }
    }

    #[test]
    fn a_broken_record_is_named_by_its_number() {
        let wrong = |text| verdict(text).expect_err("refused");
        assert_eq!(wrong("@r\nAC\n+\nIII\n"), "FASTQ record 1: 2 bases and 3 quality values");
        assert_eq!(wrong("@r\nAC\n+\nII\nACGT\n"), "FASTQ record 2: a line does not begin with `@`");
        assert_eq!(wrong("@r\nAC\n"), "FASTQ record 1: it is cut off");
        assert_eq!(wrong("@r\nAC\n+\nII\n\n"), "FASTQ record 2: an empty line");
    }

    #[test]
    fn several_members_are_one_file_and_garbage_behind_them_is_not() {
        let mut file = samples::gzip(b"@r\nAC\n");
        file.extend(samples::gzip(b"+\nII\n"));
        assert_eq!(check("fastq.gz", &mut &file[..]), Ok(()));
        file.extend(b"garbage");
        assert!(check("fastq.gz", &mut &file[..]).is_err());
    }

    #[test]
    fn a_flipped_bit_is_seen_by_the_checksum() {
        let mut file = samples::gzip(b"@r\nACGTACGT\n+\nIIIIIIII\n");
        let trailer = file.len() - 8;
        file[trailer] ^= 1;
        assert!(check("fastq.gz", &mut &file[..]).expect_err("refused").contains("gzip"));
    }
}
