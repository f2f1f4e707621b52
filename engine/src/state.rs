//! The state machines: each one enum of statuses, one of events, one function `next` with every pair written out.
//!
//! Pure. Appending and replaying call the same function; a pair that is not allowed is [`Illegal`], never a silent no.

pub mod attempt;
pub mod case_item;
pub mod consent;
pub mod custody;
pub mod delivery;
pub mod instrument_run;
pub mod notice;
pub mod order;
pub mod parcel;
pub mod retirement;
pub mod run;
pub mod shipment_item;
pub mod step;
pub mod transfer;
pub mod withdrawal;
pub mod work_request;

/// An event that the status does not allow.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{machine} is {status}: {event} is not possible")]
pub struct Illegal {
    /// `run`, `step`, `attempt`.
    pub machine: &'static str,
    /// The status, as stored.
    pub status: &'static str,
    /// The event, as stored.
    pub event: &'static str,
}

/// What may happen to a record whose status is stored as a word.
pub trait Happens: Copy {
    /// The word of the status after this; none: no status has the word `status`.
    ///
    /// # Errors
    /// [`Illegal`] when the pair is not allowed.
    fn after(self, status: &str) -> Option<Result<&'static str, Illegal>>;
}

macro_rules! happens {
    ($($machine:ident),* $(,)?) => {
        $(impl Happens for $machine::Event {
            fn after(self, status: &str) -> Option<Result<&'static str, Illegal>> {
                Some($machine::Status::parse(status)?.next(self).map($machine::Status::word))
            }
        })*
    };
}
happens!(
    case_item,
    custody,
    delivery,
    instrument_run,
    notice,
    parcel,
    retirement,
    shipment_item,
    transfer,
    withdrawal,
    work_request,
);

/// Statuses and events as the database and the API spell them.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $word:literal),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name { $($(#[$vdoc])* #[serde(rename = $word)] $variant),* }

        impl $name {
            /// As stored.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),* }
            }

            /// Every one of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),*];

            /// The one that `word` stands for.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                match word { $($word => Some(Self::$variant),)* _ => None }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}
pub(crate) use words;
