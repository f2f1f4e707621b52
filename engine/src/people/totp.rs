//! One-time codes (RFC 6238: HMAC-SHA-1, 30 seconds, 6 digits), as every authenticator speaks them. A code is taken once.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use crate::clock::Micros;

/// Seconds of a code.
const STEP_S: i64 = 30;
/// Steps before and after that are taken too: clocks go wrong.
const DRIFT: u64 = 1;
/// RFC 4648, without padding, as authenticators want it.
const ALPHABET: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The key of 20 random bytes, as a person types it into an authenticator.
#[must_use]
pub fn write_key(random: &[u8; 20]) -> String {
    // 160 bits are 32 letters exactly.
    let bit = |at: usize| usize::from(random[at / 8] >> (7 - at % 8) & 1);
    (0..32).map(|letter| char::from(ALPHABET[(0..5).fold(0, |value, at| value << 1 | bit(letter * 5 + at))])).collect()
}

fn read_key(text: &str) -> Option<[u8; 20]> {
    if text.len() != 32 {
        return None;
    }
    let mut key = [0_u8; 20];
    for (letter, byte) in text.bytes().enumerate() {
        let value = ALPHABET.iter().position(|known| *known == byte)?;
        for at in 0..5 {
            let place = letter * 5 + at;
            key[place / 8] |= u8::from(value >> (4 - at) & 1 == 1) << (7 - place % 8);
        }
    }
    Some(key)
}

/// The address that an authenticator takes as a QR code.
#[must_use]
pub fn address(site: &str, name: &str, key: &str) -> String {
    let safe = |text: &str| -> String {
        text.bytes().fold(String::new(), |mut out, byte| {
            if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
                out.push(char::from(byte));
            } else {
                out.push_str(&format!("%{byte:02X}"));
            }
            out
        })
    };
    let (site, name) = (safe(&format!("kentai {site}")), safe(name));
    format!("otpauth://totp/{site}:{name}?secret={key}&issuer={site}")
}

/// The time step that `code` is good for, when it is good now and newer than `used`. Keep it: it is the next `used`.
#[must_use]
pub fn accept(key: &str, code: &str, now: Micros, used: u64) -> Option<u64> {
    let key = read_key(key)?;
    let step = u64::try_from(now.div_euclid(1_000_000).div_euclid(STEP_S)).ok()?;
    let mut found = None;
    for step in step.saturating_sub(DRIFT)..=step + DRIFT {
        let right: bool = digits(&key, step, 6).as_bytes().ct_eq(code.as_bytes()).into();
        if right && step > used {
            found = Some(step);
        }
    }
    found
}

/// RFC 4226, 5.3.
fn digits(key: &[u8], step: u64, count: usize) -> String {
    let mut mac = Hmac::<Sha1>::new_from_slice(key).expect("HMAC takes a key of any length");
    mac.update(&step.to_be_bytes());
    let hash = mac.finalize().into_bytes();
    let at = usize::from(hash[19] & 0xf);
    let number = u32::from_be_bytes([hash[at] & 0x7f, hash[at + 1], hash[at + 2], hash[at + 3]]);
    let modulus = 10_u32.pow(u32::try_from(count).unwrap_or(6));
    format!("{:0count$}", number % modulus)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8; 20] = b"12345678901234567890";

    #[test]
    fn the_codes_are_those_of_the_rfc() {
        // RFC 6238, appendix B, the column of SHA-1.
        for (seconds, code) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(digits(KEY, seconds / 30, 8), code);
        }
    }

    #[test]
    fn a_code_is_taken_once_and_only_around_its_time() {
        let key = write_key(KEY);
        let now = 1_111_111_111_000_000;
        let step = accept(&key, "050471", now, 0).expect("the RFC's code");
        assert_eq!(accept(&key, "050471", now, step), None);
        assert_eq!(accept(&key, "050471", now + 30_000_000, 0), Some(step));
        assert_eq!(accept(&key, "050471", now + 90_000_000, 0), None);
        assert_eq!(accept(&key, "050472", now, 0), None);
        assert_eq!(accept(&key, "", now, 0), None);
        assert_eq!(accept("", "050471", now, 0), None);
    }

    #[test]
    fn a_key_is_read_as_it_was_written() {
        assert_eq!(write_key(KEY), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(read_key(&write_key(KEY)), Some(*KEY));
        assert_eq!(read_key("gezdgnbvgy3tqojqgezdgnbvgy3tqojq"), None);
        assert!(address("tokyo", "佐 a", "K").contains(":%E4%BD%90%20a?secret=K"));
    }
}
