//! SHA-256 and MD5 of the same bytes in one reading. MD5 is for receivers that know nothing newer.

use std::io::{self, Read, Write};

use md5::Md5;
use sha2::{Digest, Sha256};

use super::hex;

const CHUNK: usize = 1 << 20;

/// What bytes amount to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Digests {
    /// Number.
    pub size: u64,
    /// Lowercase hex.
    pub sha256: String,
    /// Lowercase hex.
    pub md5: String,
}

/// Of everything that `source` gives.
///
/// # Errors
/// When it cannot be read.
pub fn digests(source: &mut impl Read) -> io::Result<Digests> {
    copy_digested(source, &mut io::sink())
}

/// Of everything that `source` gives, which is written to `target`.
///
/// # Errors
/// When one cannot be read or the other not written.
pub fn copy_digested(source: &mut impl Read, target: &mut impl Write) -> io::Result<Digests> {
    let (mut sha256, mut md5, mut size) = (Sha256::new(), Md5::new(), 0);
    let mut buffer = vec![0; CHUNK];
    loop {
        let count = match source.read(&mut buffer) {
            Ok(0) => break,
            Ok(count) => count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        sha256.update(&buffer[..count]);
        md5.update(&buffer[..count]);
        target.write_all(&buffer[..count])?;
        size += count as u64;
    }
    Ok(Digests { size, sha256: hex(&sha256.finalize()), md5: hex(&md5.finalize()) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_digests_of_the_bytes_that_were_copied() {
        let mut copy = Vec::new();
        let found = copy_digested(&mut b"abc".as_slice(), &mut copy).expect("memory");
        assert_eq!(copy, b"abc");
        assert_eq!(found.size, 3);
        // RFC 1321 (A.5) and FIPS 180-2 (B.1).
        assert_eq!(found.md5, "900150983cd24fb0d6963f7d28e17f72");
        assert_eq!(found.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    }
}
