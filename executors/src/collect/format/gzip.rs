//! Gzip (RFC 1952): every member inflated, every trailer's checksum and length compared.

use std::io::BufRead;

use flate2::bufread::MultiGzDecoder;

/// Bytes inflated at a time.
const CHUNK: usize = 256 * 1024;

/// A reader of the text; read it to its end to have checked the file.
pub(super) fn text<R: BufRead>(reader: R) -> std::io::BufReader<MultiGzDecoder<R>> {
    std::io::BufReader::with_capacity(CHUNK, MultiGzDecoder::new(reader))
}

/// Says what a read error of [`text`] means.
pub(super) fn reason(error: &std::io::Error) -> String {
    if error.kind() == std::io::ErrorKind::UnexpectedEof {
        return "the gzip data is cut off".to_owned();
    }
    format!("the gzip data is damaged: {error}")
}
