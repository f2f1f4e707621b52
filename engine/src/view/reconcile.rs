//! What a receiver says that it has, held against what was sent to it and what it acknowledged. It changes nothing, and knows no file
//! formats: whoever asks has read the receiver's list.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize, Serializer};

use super::{deliveries, delivery};
use crate::handoff::offer::FileStatus;
use crate::store::Error;
use crate::store::read::{DeliveryFilter, Reader};

/// Deliveries that are read at once.
const PAGE: i64 = 500;

/// A row of the receiver's list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Listed {
    /// Delivery, by our id.
    pub delivery: String,
    /// Path within the package.
    pub path: String,
    /// SHA-256 of what they have, hex.
    pub sha256: String,
}

/// How the two sides differ about a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Unlike {
    /// They have it, and we did not send it.
    NotSent,
    /// They have other bytes than we sent.
    OtherBytes,
    /// They have it, and did not acknowledge it.
    NotAcknowledged,
    /// They acknowledged it, and do not have it.
    NotThere,
}

impl Unlike {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::NotSent, Self::OtherBytes, Self::NotAcknowledged, Self::NotThere];

    /// In one sentence.
    #[must_use]
    pub fn said(self) -> &'static str {
        match self {
            Self::NotSent => "they have it, and we did not send it",
            Self::OtherBytes => "they have other bytes than we sent",
            Self::NotAcknowledged => "they have it, and did not acknowledge it",
            Self::NotThere => "they acknowledged it, and do not have it",
        }
    }
}

impl Serialize for Unlike {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.said())
    }
}

/// Something that the two sides do not agree about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Delivery.
    pub delivery: String,
    /// Path within the package.
    pub path: String,
    /// What differs.
    pub what: Unlike,
}

/// By delivery and path: SHA-256 as it was sent, and whether the receiver acknowledged it.
pub type Sent = BTreeMap<(String, String), (String, bool)>;

/// What was sent to a target: all of it, or of its newest `most` deliveries and of those that the list names. Says whether older ones
/// were left out.
///
/// # Errors
/// When the database cannot be read.
pub async fn sent(
    reader: &Reader,
    target: &str,
    listed: &[Listed],
    most: Option<usize>,
) -> Result<(Sent, bool), Error> {
    let (mut sent, mut seen, mut after) = (Sent::new(), BTreeSet::new(), None);
    let mut more = false;
    'all: loop {
        let filter = DeliveryFilter { target: Some(target.into()), after, limit: PAGE, ..DeliveryFilter::default() };
        let page = deliveries(reader, &filter).await?;
        for one in &page.items {
            if most.is_some_and(|most| seen.len() >= most) {
                more = true;
                break 'all;
            }
            of_one(reader, target, one.id.as_str(), &mut sent).await?;
            seen.insert(one.id.to_string());
        }
        match page.next {
            Some(next) => after = Some(next),
            None => break,
        }
    }
    let named: BTreeSet<&String> = listed.iter().map(|row| &row.delivery).collect();
    for id in named.into_iter().filter(|id| more && !seen.contains(*id)) {
        of_one(reader, target, id, &mut sent).await?;
    }
    Ok((sent, more))
}

async fn of_one(reader: &Reader, target: &str, id: &str, sent: &mut Sent) -> Result<(), Error> {
    let Some(one) = delivery(reader, id).await?.filter(|one| one.target == target) else { return Ok(()) };
    for file in reader.package_files(id).await? {
        let accepted = one.answers.get(&file.path).is_some_and(|state| state.status == FileStatus::Accepted);
        sent.insert((id.to_owned(), file.path), (file.sha256, accepted));
    }
    Ok(())
}

/// Everything that the two sides do not agree about: first what they list, in their order, then what they acknowledged and do not list.
#[must_use]
pub fn differences(sent: &Sent, listed: &[Listed]) -> Vec<Difference> {
    let mut left: BTreeSet<(&str, &str)> = sent
        .iter()
        .filter(|(_, (_, accepted))| *accepted)
        .map(|((delivery, path), _)| (delivery.as_str(), path.as_str()))
        .collect();
    let mut found = Vec::new();
    for Listed { delivery, path, sha256 } in listed {
        let what = match sent.get(&(delivery.clone(), path.clone())) {
            None => Some(Unlike::NotSent),
            Some((ours, _)) if ours != sha256 => Some(Unlike::OtherBytes),
            Some((_, false)) if path.starts_with("data/") => Some(Unlike::NotAcknowledged),
            Some(_) => None,
        };
        left.remove(&(delivery.as_str(), path.as_str()));
        found.extend(what.map(|what| Difference { delivery: delivery.clone(), path: path.clone(), what }));
    }
    let gone = |(delivery, path): (&str, &str)| Difference {
        delivery: delivery.to_owned(),
        path: path.to_owned(),
        what: Unlike::NotThere,
    };
    found.extend(left.into_iter().map(gone));
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_way_in_which_two_lists_can_differ_is_said() {
        let key = |path: &str| ("d1".to_owned(), path.to_owned());
        let sent = Sent::from([
            (key("data/a"), ("1".into(), true)),
            (key("data/b"), ("2".into(), true)),
            (key("data/c"), ("3".into(), false)),
            (key("data/d"), ("4".into(), true)),
            (key("bagit.txt"), ("5".into(), false)),
        ]);
        let row = |path: &str, sha256: &str| Listed { delivery: "d1".into(), path: path.into(), sha256: sha256.into() };
        let listed =
            [row("data/a", "1"), row("data/b", "x"), row("data/c", "3"), row("data/e", "6"), row("bagit.txt", "5")];
        let said: Vec<(String, Unlike)> =
            differences(&sent, &listed).into_iter().map(|one| (one.path, one.what)).collect();
        assert_eq!(
            said,
            [
                ("data/b".to_owned(), Unlike::OtherBytes),
                ("data/c".to_owned(), Unlike::NotAcknowledged),
                ("data/e".to_owned(), Unlike::NotSent),
                ("data/d".to_owned(), Unlike::NotThere),
            ]
        );
    }
}
