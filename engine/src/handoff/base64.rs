//! Base 64 (RFC 4648, section 4) with padding, in its one canonical spelling. It knows no lines.

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Four letters for three bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits = group.iter().enumerate().fold(0_u32, |bits, (at, byte)| bits | u32::from(*byte) << (16 - 8 * at));
        for letter in 0..4 {
            let known = letter <= group.len();
            let value = (bits >> (18 - 6 * letter) & 63) as usize;
            text.push(if known { char::from(ALPHABET[value]) } else { '=' });
        }
    }
    text
}

/// With `-` and `_` and without padding (section 5): what an address can hold.
pub(crate) fn encode_for_address(bytes: &[u8]) -> String {
    encode(bytes).trim_end_matches('=').replace('+', "-").replace('/', "_")
}

/// What [`encode`] wrote, and only that: no blanks, no missing padding, no stray bits.
pub(crate) fn decode(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in text.as_bytes().chunks(4) {
        let letters = group.iter().take_while(|letter| **letter != b'=').count();
        if group.len() < 4 || letters < 2 {
            return None;
        }
        let mut bits = 0_u32;
        for (at, letter) in group[..letters].iter().enumerate() {
            let value = ALPHABET.iter().position(|known| known == letter)?;
            bits |= u32::try_from(value).ok()? << (18 - 6 * at);
        }
        bytes.extend_from_slice(&bits.to_be_bytes()[1..letters]);
    }
    (encode(&bytes) == text).then_some(bytes)
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
