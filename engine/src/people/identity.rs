//! Accounts elsewhere that stand for accounts here: an issuer, and what one of its claims says. Pure; whether a claim is true has been
//! found out before.

use sha2::{Digest, Sha256};

use super::record::Identity;

/// No issuer and no claim's value is longer, bytes.
const LENGTH_MAX: usize = 255;

impl Identity {
    /// An identity as it is compared: addresses of mail in lower case, everything else as it was said.
    ///
    /// # Errors
    /// What is wrong with it, in one sentence.
    pub fn new(issuer: &str, claim: &str, value: &str) -> Result<Self, String> {
        let value = value.trim();
        for (what, text) in [("the issuer", issuer), ("the claim", claim), ("the claim's value", value)] {
            if text.is_empty() || text.len() > LENGTH_MAX || text.chars().any(char::is_control) {
                return Err(format!("{what} is 1 to {LENGTH_MAX} bytes without control characters"));
            }
        }
        let value = if claim == "email" { value.to_lowercase() } else { value.to_owned() };
        Ok(Self { issuer: issuer.to_owned(), claim: claim.to_owned(), value })
    }

    /// Its record's id: the same for the same identity, and nobody reads a name out of it.
    #[must_use]
    pub fn id(&self) -> String {
        let mut digest = Sha256::new();
        for part in [&self.issuer, &self.claim, &self.value] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(issuer: &str, claim: &str, value: &str) -> String {
        Identity::new(issuer, claim, value).expect("it fits").id()
    }

    #[test]
    fn the_same_word_of_another_issuer_or_claim_is_somebody_else() {
        let sato = id("https://a.example", "sub", "sato");
        assert_eq!(sato.len(), 64);
        assert_eq!(sato, id("https://a.example", "sub", " sato "));
        for other in [
            id("https://b.example", "sub", "sato"),
            id("https://a.example", "email", "sato"),
            id("https://a.example", "sub", "Sato"),
            id("https://a.example", "subs", "ato"),
        ] {
            assert_ne!(sato, other);
        }
        assert_eq!(
            id("https://a.example", "email", "Sato@A.example"),
            id("https://a.example", "email", "sato@a.example")
        );
    }

    #[test]
    fn what_nobody_could_be_called_is_refused() {
        for value in ["", "  ", "a\nb", &"x".repeat(256)] {
            assert!(Identity::new("https://a.example", "sub", value).is_err(), "{value:?}");
        }
    }
}
