//! Passwords: argon2id with the parameters of the OWASP cheat sheet (19 MiB, 2 passes, 1 lane). Slow on purpose: never called in the
//! loop.

use argon2::password_hash::{Salt, SaltString};
use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher as _, PasswordVerifier as _, Version};

/// Shorter ones are guessed; NIST SP 800-63B asks for 8, with a second factor.
const CHARACTERS_MIN: usize = 12;
/// What hashing may cost.
const BYTES_MAX: usize = 1024;

/// Why a password is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "each variant's message says it")]
pub enum Bad {
    #[error("a password has at least {CHARACTERS_MIN} characters")]
    Short,
    #[error("a password has at most {BYTES_MAX} bytes")]
    Long,
    #[error("a password is not the name")]
    Name,
    #[error("the password cannot be hashed")]
    Hash,
}

fn argon() -> Argon2<'static> {
    let params = Params::new(19 * 1024, 2, 1, None).expect("constants within the bounds of argon2");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

/// Hashes a new password; PHC form.
///
/// # Errors
/// When it is none that can be taken.
pub fn hash(name: &str, password: &str, salt: &[u8; 16]) -> Result<String, Bad> {
    if password.chars().count() < CHARACTERS_MIN {
        return Err(Bad::Short);
    }
    if password.len() > BYTES_MAX {
        return Err(Bad::Long);
    }
    if password.eq_ignore_ascii_case(name) {
        return Err(Bad::Name);
    }
    let salt = SaltString::encode_b64(salt).map_err(|_| Bad::Hash)?;
    let salt: Salt<'_> = salt.as_salt();
    argon().hash_password(password.as_bytes(), salt).map(|hash| hash.to_string()).map_err(|_| Bad::Hash)
}

/// Is it the password? Takes as long when there is none: nobody learns which names exist.
#[must_use]
pub fn verify(password: &str, stored: &str) -> bool {
    /// The hash of nothing that anybody knows.
    const NOBODY: &str =
        "$argon2id$v=19$m=19456,t=2,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    let known = !stored.is_empty() && password.len() <= BYTES_MAX;
    let password = if password.len() <= BYTES_MAX { password } else { "" };
    let stored = if known { stored } else { NOBODY };
    let Ok(parsed) = PasswordHash::new(stored) else { return false };
    argon().verify_password(password.as_bytes(), &parsed).is_ok() && known
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_known_again_and_no_other() {
        let stored = hash("sato", "correct horse battery", &[5; 16]).expect("a good one");
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(verify("correct horse battery", &stored));
        assert!(!verify("correct horse batterz", &stored));
        assert!(!verify("", &stored) && !verify("correct horse battery", "") && !verify("x", "rubbish"));
        assert_ne!(stored, hash("sato", "correct horse battery", &[6; 16]).expect("a good one"));
    }

    #[test]
    fn weak_ones_are_refused() {
        assert_eq!(hash("sato", "short", &[5; 16]), Err(Bad::Short));
        assert_eq!(hash("sato-hanako-2", "SATO-hanako-2", &[5; 16]), Err(Bad::Name));
        assert_eq!(hash("sato", &"x".repeat(2000), &[5; 16]), Err(Bad::Long));
    }
}
