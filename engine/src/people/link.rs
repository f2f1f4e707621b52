//! Addresses that sign somebody in: a user of the site's machine asks for one and opens it in a browser. It counts once, for a minute,
//! and is never itself a session.

use super::record::Session;
use super::secret::Shown;
use crate::clock::Micros;

/// What its secret begins with. Another one than a session's: an address that somebody keeps in a cookie is nothing.
pub const PREFIX: &str = "kl";
/// How long it counts: until a browser has opened.
pub const LASTS_US: Micros = 60 * 1_000_000;
/// The status of one that nobody has used; it is stored as a session that nobody has opened yet.
pub const OFFERED: &str = "offered";
/// The status of one that was used.
pub const USED: &str = "used";

/// Why it does not count now; none: it does.
#[must_use]
pub fn refused(link: &Session, status: &str, shown: &Shown<'_>, now: Micros) -> Option<&'static str> {
    if !shown.is(&link.sha256) {
        Some("secret")
    } else if status != OFFERED {
        Some("used")
    } else if now >= link.until_us {
        Some("over")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::secret;

    #[test]
    fn it_counts_once_and_for_a_minute() {
        let (told, sha256) = secret::write(PREFIX, "l1", &[7; 32]);
        let link = Session { sha256, until_us: LASTS_US, user: Some(1000) };
        let shown = secret::read(PREFIX, &told.0).expect("as written");
        assert_eq!(refused(&link, OFFERED, &shown, LASTS_US - 1), None);
        assert_eq!(refused(&link, OFFERED, &shown, LASTS_US), Some("over"));
        assert_eq!(refused(&link, USED, &shown, 0), Some("used"));
        assert_eq!(refused(&link, "revoked", &shown, 0), Some("used"));
        let other = Session { sha256: secret::write(PREFIX, "l1", &[8; 32]).1, ..link };
        assert_eq!(refused(&other, OFFERED, &shown, 0), Some("secret"));
    }
}
