//! Tokens: keys of services. A token narrows what its owner may, and never widens it.

use std::collections::BTreeSet;

use super::permission::Action;
use super::record::Token;
use super::secret::Shown;
use crate::clock::Micros;

/// What a token begins with.
pub const PREFIX: &str = "kt";
/// The status of a token that counts.
pub const ACTIVE: &str = "active";
/// The status of one that was taken back.
pub const REVOKED: &str = "revoked";

/// Does this token count now?
#[must_use]
pub fn counts(token: &Token, status: &str, shown: &Shown<'_>, now: Micros) -> bool {
    // The hash is compared in every case: a revoked token takes as long as a wrong one.
    let known = shown.is(&token.sha256);
    known && status == ACTIVE && token.expires_us.is_none_or(|end| now < end)
}

/// Scopes as they were asked for; empty: whatever the roles allow.
///
/// # Errors
/// The word that is no action.
pub fn scopes(asked: &[String]) -> Result<Option<BTreeSet<String>>, String> {
    if let Some(odd) = asked.iter().find(|word| Action::parse(word).is_none()) {
        return Err(odd.clone());
    }
    Ok((!asked.is_empty()).then(|| asked.iter().cloned().collect()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::people::secret::{read, write};

    #[test]
    fn a_token_counts_until_it_is_revoked_or_over() {
        let (text, sha256) = write(PREFIX, "t1", &[1; 32]);
        let shown = read(PREFIX, &text.0).expect("as written");
        let token = Token { sha256, expires_us: Some(100), ..Token::default() };
        assert!(counts(&token, ACTIVE, &shown, 99));
        assert!(!counts(&token, ACTIVE, &shown, 100));
        assert!(!counts(&token, REVOKED, &shown, 99));
        assert!(!counts(&Token::default(), ACTIVE, &shown, 99));
    }

    #[test]
    fn a_scope_is_a_known_action() {
        assert_eq!(scopes(&[]), Ok(None));
        assert_eq!(scopes(&["submit".into()]), Ok(Some(["submit".to_owned()].into())));
        assert_eq!(scopes(&["everything".into()]), Err("everything".into()));
    }
}
