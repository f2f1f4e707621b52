//! What proves who somebody is: `kt_<id>_<secret>` for a service, `ks_<id>_<secret>` for somebody who is signed in. Stored as a hash
//! only: whoever reads the database cannot use it.

use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::audit::{hex, unhex};

/// What is behind the second underscore, bytes.
pub const SECRET_BYTES: usize = 32;

/// A text that is not shown, whatever prints what holds it.
#[derive(Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(transparent)]
pub struct Hidden(pub String);

impl std::fmt::Debug for Hidden {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("…")
    }
}

/// What somebody showed, taken apart.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// Record's id.
    pub id: &'a str,
    secret: [u8; SECRET_BYTES],
}

/// Writes one: what its owner keeps, and what is stored of it.
#[must_use]
pub fn write(prefix: &str, id: &str, random: &[u8; SECRET_BYTES]) -> (Hidden, String) {
    (Hidden(format!("{prefix}_{id}_{}", hex(random))), digest(random))
}

/// Takes one apart; none when it is not written so.
#[must_use]
pub fn read<'a>(prefix: &str, shown: &'a str) -> Option<Shown<'a>> {
    let (id, secret) = shown.strip_prefix(prefix)?.strip_prefix('_')?.split_once('_')?;
    Some(Shown { id, secret: unhex(secret)? })
}

impl Shown<'_> {
    /// Is it the one whose hash is stored? Takes as long for every wrong one.
    #[must_use]
    pub fn is(&self, stored: &str) -> bool {
        digest(&self.secret).as_bytes().ct_eq(stored.as_bytes()).into()
    }
}

/// The secret is random: a plain hash is enough, there is nothing to guess.
fn digest(secret: &[u8; SECRET_BYTES]) -> String {
    hex(&Sha256::digest(secret))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_was_given_out_is_believed() {
        let (shown, stored) = write("kt", "t01", &[9; 32]);
        assert!(!stored.contains(&hex(&[9; 32])));
        let read_back = read("kt", &shown.0).expect("as written");
        assert!(read_back.id == "t01" && read_back.is(&stored));
        assert!(!read("kt", &write("kt", "t01", &[8; 32]).0.0).expect("as written").is(&stored));
        assert!(!read_back.is("") && !read_back.is(&stored[1..]));
    }

    #[test]
    fn what_is_not_written_so_is_nothing() {
        let (shown, _) = write("kt", "t01", &[0xab; 32]);
        assert!(read("ks", &shown.0).is_none());
        assert!(read("kt", &shown.0.to_uppercase()).is_none());
        for text in ["", "kt", "kt_", "kt__", "kt_t01", "kt_t01_", "kt_t01_zz", "日本語"] {
            assert!(read("kt", text).is_none(), "{text}");
        }
        assert_eq!(format!("{shown:?}"), "…");
    }
}
