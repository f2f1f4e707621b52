//! Messengers: how a notice's letter reaches one receiver. They send once and say what became of it; when it is tried again is the
//! engine's.

pub mod mail;
pub mod webhook;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// Why a messenger cannot be set up: what is wrong with what the site file says, and what helps.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Unfit(pub String);

/// Characters of a reason that are kept.
const REASON_MAX: usize = 300;

/// A text of somebody else's, fit to be shown and kept: one line, no control characters, not long.
fn harmless(text: &str) -> String {
    let printed: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(REASON_MAX).collect();
    printed.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// An error with all that is behind it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut next = error.source();
    while let Some(cause) = next {
        let more = cause.to_string();
        // Some repeat what is behind them.
        if !text.contains(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        next = cause.source();
    }
    harmless(&text)
}

/// Certificates of a PEM file.
fn certificates(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, Unfit> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match read {
        Ok(all) if !all.is_empty() => Ok(all),
        Ok(_) => Err(Unfit("there is no certificate in it: it must be PEM".into())),
        Err(error) => Err(Unfit(format!("its certificates cannot be read: {error}"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_somebody_else_said_is_one_short_line() {
        assert_eq!(harmless("a\r\nBcc: x\u{1b}[2J  b"), "a Bcc: x [2J b");
        assert_eq!(harmless(&"x".repeat(9_000)).len(), REASON_MAX);
    }

    #[test]
    fn a_file_without_a_certificate_is_refused() {
        assert!(certificates(b"").is_err() && certificates(b"hello").is_err());
    }
}
