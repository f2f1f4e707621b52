//! Signatures of Standard Webhooks 1.0: `v1,<base64 of HMAC-SHA-256 over id.timestamp.body>`, one by each secret that counts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::messenger::Unfit;

/// How a secret begins when it is written down.
const PREFIX: &str = "whsec_";
/// Bytes of a secret, as the standard has them.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret. Never printed, wiped when it is dropped.
pub struct Key(Zeroizing<Vec<u8>>);

impl Key {
    /// Reads one as it is written down: `whsec_` and base64. White space around it is left out.
    ///
    /// # Errors
    /// When it is not written so, or has not 24 to 64 bytes. Nothing of it is in the error.
    pub fn parse(text: &str) -> Result<Self, Unfit> {
        let coded = text.trim().strip_prefix(PREFIX);
        let coded = coded.ok_or_else(|| Unfit(format!("a webhook's secret begins with `{PREFIX}`")))?;
        let bytes = Zeroizing::new(
            STANDARD.decode(coded).map_err(|_| Unfit(format!("behind `{PREFIX}` there must be base64")))?,
        );
        if !BYTES.contains(&bytes.len()) {
            let (least, most) = (BYTES.start(), BYTES.end());
            return Err(Unfit(format!("a webhook's secret has {least} to {most} bytes")));
        }
        Ok(Self(bytes))
    }

    fn sign(&self, signed: &[u8]) -> String {
        // HMAC takes a key of any length: the constructor cannot fail.
        let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(&self.0) else { return String::new() };
        mac.update(signed);
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// `webhook-signature`: by every secret, so that a receiver may hold any of them.
pub(super) fn header(keys: &[Key], id: &str, timestamp_s: i64, body: &str) -> String {
    let signed = format!("{id}.{timestamp_s}.{body}");
    keys.iter().map(|key| key.sign(signed.as_bytes())).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn the_standards_example_is_signed_as_it_says() {
        let key = Key::parse(" whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw\n").expect("a secret");
        let signed = header(&[key], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn what_is_no_secret_is_refused_and_not_repeated() {
        for text in [
            "",
            "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
            "whsec_%%%",
            "whsec_c2hvcnQ=",
            &format!("whsec_{}", "A".repeat(200)),
        ] {
            let Err(error) = Key::parse(text) else { panic!("`{text}` is a secret") };
            let said = error.to_string();
            assert!(!said.contains("MfKQ") && !said.contains("c2hv") && !said.contains("AAAA"), "{said}");
        }
    }
}
