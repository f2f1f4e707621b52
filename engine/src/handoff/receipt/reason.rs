//! Why a receiver refuses a file: one of few words, so that programs can act on it.

/// Why a file is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "each is its own word")]
pub enum Reason {
    Checksum,
    Key,
    Metadata,
    UnknownSample,
    Consent,
    Policy,
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 6] =
        [Self::Checksum, Self::Key, Self::Metadata, Self::UnknownSample, Self::Consent, Self::Policy];

    /// As it is written.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Checksum => "checksum",
            Self::Key => "key",
            Self::Metadata => "metadata",
            Self::UnknownSample => "unknown_sample",
            Self::Consent => "consent",
            Self::Policy => "policy",
        }
    }

    /// The reason that is written so.
    #[must_use]
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.word() == word)
    }
}
