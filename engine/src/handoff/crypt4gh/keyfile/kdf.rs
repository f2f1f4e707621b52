//! From a passphrase to the key that a key file is encrypted with. The parameters are those of the reference implementation.

use scrypt::Params;
use sha2::Sha256;
use zeroize::Zeroizing;

use super::super::key::KEY_BYTES;
use super::{Error, shown};

/// The reference writes 100.
const BCRYPT_ROUNDS_MAX: u32 = 1_000;
/// The reference writes 100,000.
const PBKDF2_ROUNDS_MAX: u32 = 10_000_000;
/// N = 2¹⁴, r = 8, p = 1, whatever the file says of rounds: 16 MiB.
const SCRYPT_LOG_N: u8 = 14;

/// How a key is derived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kdf {
    Scrypt,
    Bcrypt,
    Pbkdf2,
}

impl Kdf {
    pub(super) fn named(name: &[u8]) -> Result<Self, Error> {
        match name {
            b"scrypt" => Ok(Self::Scrypt),
            b"bcrypt" => Ok(Self::Bcrypt),
            b"pbkdf2_hmac_sha256" => Ok(Self::Pbkdf2),
            other => Err(Error::Kdf(shown(other))),
        }
    }

    pub(super) fn derive(
        self,
        passphrase: &str,
        salt: &[u8],
        rounds: u32,
    ) -> Result<Zeroizing<[u8; KEY_BYTES]>, Error> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        match self {
            Self::Scrypt => {
                let params = Params::new(SCRYPT_LOG_N, 8, 1).expect("constants within the bounds of scrypt");
                scrypt::scrypt(passphrase.as_bytes(), salt, &params, key.as_mut_slice())
                    .expect("32 bytes can be derived");
            }
            Self::Bcrypt => {
                bounded(rounds, BCRYPT_ROUNDS_MAX)?;
                // Refuses an empty passphrase and an empty salt: neither has ever locked a file.
                bcrypt_pbkdf::bcrypt_pbkdf(passphrase, salt, rounds, key.as_mut_slice())
                    .map_err(|_| Error::Passphrase)?;
            }
            Self::Pbkdf2 => {
                bounded(rounds, PBKDF2_ROUNDS_MAX)?;
                pbkdf2::pbkdf2_hmac::<Sha256>(passphrase.as_bytes(), salt, rounds, key.as_mut_slice());
            }
        }
        Ok(key)
    }
}

/// Rounds come from the file: one that asks for four billion must not keep anybody waiting.
fn bounded(rounds: u32, most: u32) -> Result<(), Error> {
    if (1..=most).contains(&rounds) { Ok(()) } else { Err(Error::Rounds { rounds, most }) }
}
