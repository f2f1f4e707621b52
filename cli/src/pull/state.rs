//! What is known of each delivery, one small file each, and how far the feed was read. It knows no disk.

use kentai_engine::handoff::offer::{Entry, Offer, Status};
use serde::{Deserialize, Serialize};

/// Version of the format.
const VERSION: u32 = 1;

/// One delivery, as it was last heard of and as it lies here.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct State {
    pub kentai_pull: u32,
    /// What the feed said last.
    pub offer: Offer,
    /// The package that is here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pulled: Option<Pulled>,
    /// What is decrypted of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decrypted: Option<Decrypted>,
    /// The newest receipt that the center answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt: Option<Sent>,
    /// Taken back by the center, and moved out of the packages.
    #[serde(default)]
    pub set_aside: bool,
}

/// A package that is here, whole and checked.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Pulled {
    /// RFC 3339.
    pub at: String,
    /// Its name among the packages.
    pub folder: String,
    /// Names its content.
    pub manifest_sha256: String,
    /// Whose signature it has, as a line of OpenSSH.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed_by: Option<String>,
    /// Its files as they were offered.
    pub entries: Vec<Entry>,
}

/// A package's payload, decrypted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Decrypted {
    /// RFC 3339.
    pub at: String,
    /// Of which package.
    pub manifest_sha256: String,
    /// SHA-256 of the plain bytes, by the path of the encrypted file.
    pub plain_sha256: std::collections::BTreeMap<String, String>,
}

/// A receipt that was answered.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Sent {
    /// Our id of it.
    pub receipt: String,
    /// Of which package; absent when none was here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub manifest_sha256: Option<String>,
    /// Every file was accepted by us, and by the center with our checksums.
    pub accepted: bool,
}

/// How far the feed was read.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Seen {
    /// Where to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Offers that cannot be taken as they are, by delivery: why.
    #[serde(default)]
    pub odd: std::collections::BTreeMap<String, String>,
}

impl State {
    /// Of an offer that was not heard of before.
    pub(crate) fn new(offer: Offer) -> Self {
        Self { kentai_pull: VERSION, offer, ..Self::default() }
    }

    /// Is the package here that is offered now?
    pub(crate) fn is_here(&self) -> bool {
        !self.set_aside && self.pulled.as_ref().is_some_and(|it| it.manifest_sha256 == self.offer.manifest_sha256)
    }

    /// Is what lies here decrypted?
    pub(crate) fn is_decrypted(&self) -> bool {
        let of = self.decrypted.as_ref().map(|it| &it.manifest_sha256);
        of.is_some() && of == self.pulled.as_ref().map(|it| &it.manifest_sha256)
    }

    /// Did the center hear that what lies here is accepted?
    pub(crate) fn is_acknowledged(&self) -> bool {
        let of = self.receipt.as_ref().filter(|it| it.accepted).and_then(|it| it.manifest_sha256.as_ref());
        of.is_some() && of == self.pulled.as_ref().map(|it| &it.manifest_sha256)
    }

    /// Should it be pulled without being asked for by name?
    pub(crate) fn is_wanted(&self) -> bool {
        let open = matches!(
            self.offer.status,
            Status::Offered | Status::Pulling | Status::Delivered | Status::PartlyAcknowledged
        );
        open && !self.is_here() && !self.set_aside
    }

    /// In one word, for people.
    pub(crate) fn here(&self) -> &'static str {
        match () {
            () if self.set_aside => "set aside",
            () if self.pulled.is_none() => "-",
            () if !self.is_here() => "older",
            () if self.is_acknowledged() => "acknowledged",
            () if self.is_decrypted() => "decrypted",
            () => "pulled",
        }
    }

    /// What a person must know about it, if anything.
    pub(crate) fn warning(&self) -> Option<String> {
        let delivery = &self.offer.delivery;
        match self.offer.status {
            Status::Recalled if self.set_aside => Some(format!(
                "{delivery} was RECALLED by the center: its package lies in recalled/ and must not be used; say so with \
                 `kentai pull acknowledge {delivery} --recalled`"
            )),
            Status::Recalled => Some(format!("{delivery} was RECALLED by the center")),
            Status::Expired if !self.is_here() => {
                Some(format!("{delivery} EXPIRED before it was pulled: ask the center to offer it again"))
            }
            Status::Superseded => Some(format!("{delivery} was SUPERSEDED: use the delivery that took its place")),
            Status::Retired if !self.is_here() => {
                Some(format!("{delivery} is not here, and the center keeps no copy of it any more"))
            }
            Status::Unknown => {
                Some(format!("{delivery} has a status that this program does not know: is the center newer?"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn another_issue_of_a_delivery_is_wanted_again() {
        let offer = |manifest: &str| Offer { manifest_sha256: manifest.into(), ..Offer::default() };
        let mut state = State::new(offer("a"));
        assert!(state.is_wanted() && state.here() == "-");
        state.pulled = Some(Pulled { manifest_sha256: "a".into(), ..Pulled::default() });
        state.receipt = Some(Sent { manifest_sha256: Some("a".into()), accepted: true, ..Sent::default() });
        assert!(!state.is_wanted() && state.is_acknowledged());
        state.offer = offer("b");
        assert!(state.is_wanted() && state.here() == "older");
        state.offer.status = Status::Recalled;
        assert!(!state.is_wanted() && state.warning().is_some());
    }
}
