//! Base 64 (RFC 4648, section 4) with padding, in its one canonical spelling. It knows no lines.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// Four letters for three bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// With `-` and `_` and without padding (section 5): what an address can hold.
pub(crate) fn encode_for_address(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// What [`encode`] wrote, and only that: no blanks, no missing padding, no stray bits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    STANDARD.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_vectors_of_the_specification_hold() {
        // RFC 4648, section 10.
        for (plain, text) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foob", "Zm9vYg=="),
            ("fooba", "Zm9vYmE="),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(encode(plain.as_bytes()), text);
            assert_eq!(decode(text).as_deref(), Some(plain.as_bytes()));
        }
    }

    #[test]
    fn an_address_can_hold_it() {
        assert_eq!(encode_for_address(&[0xfb, 0xff, 0xfe, 0xff]), "-__-_w");
    }

    #[test]
    fn bytes_have_one_spelling() {
        for other in ["Zg=", "Zg", "Zh==", "Z===", "====", "Zg==Zg==", "Zm 8=", "Zm9v\n", "Zm9-"] {
            assert_eq!(decode(other), None, "{other:?}");
        }
    }
}
