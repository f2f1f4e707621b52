//! CRAM (CRAM specification, sections 6 and 9): a file definition, and from 2.1 on a last container that says "end".

use std::io::{BufRead, Read};

const END_2_1: [u8; 30] = [
    0x0b, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xe0, 0x45, 0x4f, 0x46, 0, 0, 0, 0, 1, 0, 0, 1, 0, 6, 6, 1, 0, 1, 0,
    1, 0,
];
const END_3: [u8; 38] = [
    0x0f, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0x0f, 0xe0, 0x45, 0x4f, 0x46, 0, 0, 0, 0, 1, 0, 5, 0xbd, 0xd9, 0x4f, 0, 1,
    0, 6, 6, 1, 0, 1, 0, 1, 0, 0xee, 0x63, 1, 0x4b,
];
/// Magic, version and a name of 20 bytes.
const DEFINITION_BYTES: u64 = 26;

pub(super) fn check(reader: &mut impl BufRead) -> Result<(), String> {
    let mut definition = Vec::new();
    let read = reader.by_ref().take(DEFINITION_BYTES).read_to_end(&mut definition);
    read.map_err(|error| error.to_string())?;
    if !definition.starts_with(b"CRAM") || definition.len() as u64 != DEFINITION_BYTES {
        return Err("it does not begin as CRAM".to_owned());
    }
    let end: &[u8] = match (definition[4], definition[5]) {
        (3, _) => &END_3,
        (2, 1) => &END_2_1,
        (major, minor) => return Err(format!("CRAM {major}.{minor} has no end container that could be checked")),
    };
    if last(reader, end.len())? == end {
        return Ok(());
    }
    Err("the CRAM end container is missing: the file is cut off".to_owned())
}

/// The last bytes of what is left.
fn last(reader: &mut impl BufRead, count: usize) -> Result<Vec<u8>, String> {
    let mut tail = Vec::new();
    loop {
        let chunk = reader.fill_buf().map_err(|error| error.to_string())?;
        let length = chunk.len();
        if length == 0 {
            return Ok(tail);
        }
        tail.extend_from_slice(&chunk[length.saturating_sub(count)..]);
        tail.drain(..tail.len().saturating_sub(count));
        reader.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::format::samples;

    #[test]
    fn a_cram_file_cut_anywhere_is_refused_in_each_version() {
        for (version, end) in [([3, 0], &END_3[..]), ([3, 1], &END_3[..]), ([2, 1], &END_2_1[..])] {
            let mut file = b"CRAM".to_vec();
            file.extend(version);
            file.extend([0; 20]);
            file.extend(b"containers");
            file.extend(end);
            samples::refuses_every_truncation("cram", &file);
        }
    }

    #[test]
    fn a_version_without_an_end_is_refused() {
        let mut file = b"CRAM\x02\x00".to_vec();
        file.extend([0; 60]);
        assert!(check(&mut &file[..]).is_err());
    }
}
