//! Identifiers: text newtypes, so that a run cannot be mistaken for an attempt. Only [`fresh`] is not pure.

use std::fmt;

use serde::{Deserialize, Serialize};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema, sqlx::Type)]
        #[sqlx(transparent)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// Its text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }
    };
}

id!(
    /// One execution of a plan.
    RunId
);
id!(
    /// What one `run` or `submit` call asked for.
    SubmissionId
);
id!(
    /// One try of one step: `<run>-<n>`, n counted over the run. Names the container or job.
    AttemptId
);
id!(
    /// A concrete step within its run: `trim` or `trim/L001`.
    StepKey
);
id!(
    /// One hand-off of one run to one target.
    DeliveryId
);

/// Crockford's base 32 in lowercase: no `i l o u`, fit for container names and for reading aloud.
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// A new id `<prefix><26 characters>` that sorts by time (UUID version 7, RFC 9562).
#[must_use]
pub fn fresh(prefix: &str) -> String {
    encode(prefix, uuid::Uuid::now_v7().as_u128())
}

/// 128 bits in 26 letters; the highest letter carries 3 bits.
fn encode(prefix: &str, bits: u128) -> String {
    let mut text = String::with_capacity(prefix.len() + 26);
    text.push_str(prefix);
    for shift in (0..26).rev().map(|place| place * 5) {
        let letter = ((bits >> shift) & 31) as usize;
        text.push(char::from(ALPHABET[letter]));
    }
    text
}

impl RunId {
    /// The `n`-th attempt of this run, counted from 1 over all its steps.
    #[must_use]
    pub fn attempt(&self, n: u32) -> AttemptId {
        AttemptId(format!("{}-{n}", self.0))
    }
}

impl AttemptId {
    /// The run that this attempt belongs to, when the id has our shape.
    #[must_use]
    pub fn run(&self) -> Option<RunId> {
        let (run, n) = self.0.rsplit_once('-')?;
        n.parse::<u32>().ok()?;
        Some(RunId(run.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_sort_as_their_bits_do() {
        assert_eq!(encode("r", 0), "r00000000000000000000000000");
        assert!(encode("r", 5) < encode("r", 1 << 70));
        assert_eq!(encode("r", u128::MAX).len(), 27);
    }

    #[test]
    fn an_attempt_names_its_run() {
        let run = RunId::from("r0abc");
        assert_eq!(run.attempt(12).run(), Some(run));
        assert_eq!(AttemptId::from("other").run(), None);
    }
}
