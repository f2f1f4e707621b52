//! Links to files that count for minutes: a path, by whom, until when, and an HMAC-SHA-256 over all three by a key of the site's.
//!
//! A link says who asks, and nothing of what they may: that is looked up at each request, as for a token. Whoever holds one holds what
//! it opens, so no log may have it. It knows no person and no record.

use hmac::{Hmac, KeyInit as _, Mac as _};
use kentai_engine::clock::Micros;
use sha2::Sha256;

/// How long a link counts: to begin a download, not to end it.
const COUNTS_S: i64 = 15 * 60;

/// What links are signed with. Never printed.
#[derive(Clone)]
pub(crate) struct Key(Hmac<Sha256>);

/// Why a link does not count.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Wrong {
    /// It was not made here, or for another path, person or time.
    Signature,
    /// It was made here, and its time is over.
    Over,
}

impl Wrong {
    /// For whoever followed it.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Self::Signature => "this link was not made here, or not for this file: ask `/access` for one",
            Self::Over => "the time of this link is over: ask `/access` for another one",
        }
    }
}

impl Key {
    /// None never: HMAC takes a key of any length, and says so only by its type.
    pub(crate) fn new(bytes: &[u8; 32]) -> Option<Self> {
        Hmac::new_from_slice(bytes).ok().map(Self)
    }

    /// `path?expires=…&by=…&signature=…`. The path is as an address spells it; `by` needs no encoding.
    pub(crate) fn sign(&self, path: &str, by: &str, now: Micros) -> String {
        let expires_s = now / 1_000_000 + COUNTS_S;
        let signature = self.over(path, by, expires_s).finalize().into_bytes();
        let hex: String = signature.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{path}?expires={expires_s}&by={by}&signature={hex}")
    }

    /// Whose link this is.
    pub(crate) fn verify(&self, path: &str, query: &str, now: Micros) -> Result<String, Wrong> {
        let link = Link::read(query).ok_or(Wrong::Signature)?;
        let mac = self.over(path, link.by, link.expires_s);
        mac.verify_slice(&link.signature).map_err(|_| Wrong::Signature)?;
        // Only of a link of ours is it said that it is old.
        if now / 1_000_000 < link.expires_s { Ok(link.by.to_owned()) } else { Err(Wrong::Over) }
    }

    /// A digest that nobody can guess who does not hold the key, lowercase hex; of something else (`what`) than a link. No part but the last
    /// may hold a line's end.
    pub(crate) fn digest(&self, what: &str, parts: &[&[u8]]) -> String {
        let begun = self.0.clone().chain_update(what);
        let mac = parts.iter().fold(begun, |mac, part| mac.chain_update(b"\n").chain_update(part));
        mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// None of the parts can hold a line's end, so that no two links are signed as one text.
    fn over(&self, path: &str, by: &str, expires_s: i64) -> Hmac<Sha256> {
        self.0.clone().chain_update(format!("kentai link 1\n{path}\n{by}\n{expires_s}\n"))
    }
}

/// Does somebody say by a link who they are?
pub(crate) fn is_link(query: &str) -> bool {
    query.split('&').any(|part| part.starts_with("signature="))
}

struct Link<'a> {
    by: &'a str,
    expires_s: i64,
    signature: [u8; 32],
}

impl<'a> Link<'a> {
    /// Exactly as [`Key::sign`] writes it; what else might be meant is not guessed.
    fn read(query: &'a str) -> Option<Self> {
        let (expires, rest) = query.strip_prefix("expires=")?.split_once("&by=")?;
        let (by, signature) = rest.split_once("&signature=")?;
        Some(Self { by, expires_s: expires.parse().ok()?, signature: crate::download::from_hex(signature)? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Micros = 1_780_000_000_000_000;
    const PATH: &str = "/deliveries/D1/data/S1.vcf";

    fn key(byte: u8) -> Key {
        Key::new(&[byte; 32]).expect("any length")
    }

    fn query(link: &str) -> &str {
        link.split_once('?').expect("a link").1
    }

    #[test]
    fn a_link_counts_for_its_path_until_its_time_is_over() {
        let link = key(1).sign(PATH, "t.T1", NOW);
        let query = query(&link);
        assert_eq!(key(1).verify(PATH, query, NOW), Ok("t.T1".into()));
        assert_eq!(key(1).verify(PATH, query, NOW + 899_999_999), Ok("t.T1".into()));
        assert_eq!(key(1).verify(PATH, query, NOW + 900_000_000), Err(Wrong::Over));
        assert_eq!(key(2).verify(PATH, query, NOW), Err(Wrong::Signature));
        for path in ["/deliveries/D1/data/S2.vcf", "/deliveries/D2/data/S1.vcf", "/deliveries/D1/data/S1.vcf/", ""] {
            assert_eq!(key(1).verify(path, query, NOW), Err(Wrong::Signature), "{path}");
        }
    }

    #[test]
    fn no_character_of_a_link_can_be_changed() {
        let link = key(1).sign(PATH, "t.T1", NOW);
        let query = query(&link);
        for at in 0..query.len() {
            let mut other = query.as_bytes().to_vec();
            other[at] = if other[at] == b'1' { b'2' } else { b'1' };
            let other = String::from_utf8(other).expect("ASCII");
            assert!(key(1).verify(PATH, &other, NOW).is_err(), "{other}");
            assert!(key(1).verify(PATH, &query[..at], NOW).is_err(), "{at}");
        }
        for more in ["&x=1", "&by=p.root", "0"] {
            assert!(key(1).verify(PATH, &format!("{query}{more}"), NOW).is_err(), "{more}");
        }
    }

    /// By `printf … | openssl dgst -sha256 -mac HMAC -macopt hexkey:0101…`.
    #[test]
    fn it_is_signed_as_openssl_signs_it() {
        let link = key(1).sign(PATH, "t.T1", NOW);
        assert_eq!(
            link,
            "/deliveries/D1/data/S1.vcf?expires=1780000900&by=t.T1&signature=3a5bd8d816078484df3a117f894cbdb10cb6e13f74c85cda3544c6ceb49653bf"
        );
    }
}
