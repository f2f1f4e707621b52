//! BGZF (SAM specification, section 4.1): gzip members of at most 64 KiB that name their own size, then an end marker.
//!
//! The chain of blocks is walked from the first byte to the last without inflating, so a cut anywhere is seen; the
//! first block is inflated for whoever knows what must lie in it.

use std::io::{BufRead, Read};

use flate2::bufread::MultiGzDecoder;

/// The empty block that ends every BGZF file (SAM specification, section 4.1.2).
pub(super) const END_MARKER: [u8; 28] =
    [0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0, 0x1b, 0, 3, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// Walks all blocks; gives what the first one holds.
pub(super) fn walk(reader: &mut impl BufRead) -> Result<Vec<u8>, String> {
    let mut block = Vec::with_capacity(64 * 1024);
    let mut first = None;
    let mut ended = false;
    while read_block(reader, &mut block)? {
        ended = block == END_MARKER;
        if first.is_none() {
            first = Some(inflate(&block)?);
        }
    }
    if !ended {
        return Err("the BGZF end block is missing: the file is cut off".to_owned());
    }
    first.ok_or_else(|| "it is empty".to_owned())
}

/// Reads one block whole; false at the end of the file.
fn read_block(reader: &mut impl BufRead, block: &mut Vec<u8>) -> Result<bool, String> {
    block.clear();
    take(reader, block, 12)?;
    if block.is_empty() {
        return Ok(false);
    }
    if block.len() < 12 {
        return Err("it ends within a BGZF block".to_owned());
    }
    if block[..4] != END_MARKER[..4] {
        let plain = block[..3] == END_MARKER[..3];
        return Err(if plain { "it is plain gzip, not BGZF (use bgzip)" } else { "it is not BGZF" }.to_owned());
    }
    let extra = usize::from(u16::from_le_bytes([block[10], block[11]]));
    take(reader, block, extra)?;
    let size = block_size(block.get(12..).unwrap_or_default()).ok_or("a gzip member without a BGZF size")?;
    let left = size.checked_sub(12 + extra).ok_or("a BGZF block smaller than its header")?;
    take(reader, block, left)?;
    if block.len() == size { Ok(true) } else { Err("it ends within a BGZF block".to_owned()) }
}

/// Appends up to `count` bytes.
fn take(reader: &mut impl BufRead, block: &mut Vec<u8>, count: usize) -> Result<(), String> {
    reader.by_ref().take(count as u64).read_to_end(block).map_err(|error| error.to_string())?;
    Ok(())
}

/// The whole block's size: subfield `BC` holds it less one.
fn block_size(mut extra: &[u8]) -> Option<usize> {
    while let [first, second, low, high, rest @ ..] = extra {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let field = rest.get(..length)?;
        if (*first, *second, length) == (b'B', b'C', 2) {
            return Some(usize::from(u16::from_le_bytes([field[0], field[1]])) + 1);
        }
        extra = &rest[length..];
    }
    None
}

fn inflate(block: &[u8]) -> Result<Vec<u8>, String> {
    let mut text = Vec::new();
    let read = MultiGzDecoder::new(block).read_to_end(&mut text);
    read.map_err(|error| format!("its first BGZF block cannot be decompressed: {error}"))?;
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::collect::format::samples;

    #[test]
    fn a_plain_gzip_file_is_told_from_garbage() {
        let plain = samples::gzip(b"##fileformat=VCFv4.3\n");
        assert!(walk(&mut &plain[..]).expect_err("refused").contains("plain gzip"));
        assert!(walk(&mut &b"hello, this is text"[..]).expect_err("refused").contains("not BGZF"));
    }

    #[test]
    fn bytes_after_the_end_block_are_refused() {
        let mut file = samples::bgzf(&[b"x"]);
        file.extend(samples::gzip(b"y"));
        assert!(walk(&mut &file[..]).is_err());
    }
}
