//! `handoff reconcile`: what a receiver lists, held against what was sent and what they acknowledged.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context as _;
use kentai_engine::handoff::offer::FileStatus;
use kentai_engine::store::read::{DeliveryFilter, Reader};
use kentai_engine::view;
use kentai_engine::view::center::{Inner, own_target};
use serde::{Deserialize, Serialize};

use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;

/// Deliveries that are read at once.
const PAGE: i64 = 500;

/// A row of the receiver's list.
#[derive(Deserialize)]
struct Listed {
    delivery: String,
    path: String,
    sha256: String,
}

/// Something that the two sides do not agree about.
#[derive(Serialize)]
struct Difference {
    delivery: String,
    path: String,
    what: &'static str,
}

/// By delivery and path: SHA-256 as it was sent, and whether the receiver acknowledged it.
type Sent = BTreeMap<(String, String), (String, bool)>;

pub(super) async fn reconcile(site: &Site, target: &str, list: &Path, output: Output) -> anyhow::Result<Exit> {
    access::of_the_center(site, Inner::Delivery, None).await?;
    let who = access::who(site);
    if own_target(&who).is_some() {
        let message = format!("{} may not do this: it is for people of the center", who.name);
        return Err(Stop::new(Exit::NotAllowed, message).into());
    }
    if !site.config.targets.contains_key(target) {
        let message = format!("there is no target `{}`; see `targets:` in kentai.yaml", target.escape_debug());
        return Err(Stop::new(Exit::NotFound, message).into());
    }
    let sent = match access::reader_if_any(site).await? {
        Some(reader) => sent(&reader, target).await?,
        None => Sent::new(),
    };
    let found = differences(&sent, &listed(list)?);
    if output.json {
        output.json(&found);
    } else if found.is_empty() {
        output.say(format!("{target} has what it acknowledged, and nothing else"));
    } else {
        let row = |one: &Difference| vec![one.delivery.clone(), one.path.clone(), one.what.to_owned()];
        output.line(table(&["delivery", "file", "difference"], found.iter().map(row)));
    }
    Ok(if found.is_empty() { Exit::Done } else { Exit::CheckFailed })
}

fn listed(list: &Path) -> anyhow::Result<Vec<Listed>> {
    let mut reader = csv::Reader::from_path(list).with_context(|| format!("read {}", list.display()))?;
    let rows = reader.deserialize().zip(2_usize..).map(|(row, line)| {
        let place = || format!("{}, line {line}: it needs the columns delivery, path and sha256", list.display());
        row.with_context(place)
    });
    rows.collect()
}

async fn sent(reader: &Reader, target: &str) -> anyhow::Result<Sent> {
    let (mut sent, mut after) = (Sent::new(), None);
    loop {
        let filter = DeliveryFilter { target: Some(target.into()), after, limit: PAGE, ..DeliveryFilter::default() };
        let page = view::deliveries(reader, &filter).await?;
        for one in &page.items {
            let said = view::delivery(reader, one.id.as_str()).await?.map(|one| one.answers).unwrap_or_default();
            for file in reader.package_files(one.id.as_str()).await? {
                let accepted = said.get(&file.path).is_some_and(|state| state.status == FileStatus::Accepted);
                sent.insert((one.id.to_string(), file.path), (file.sha256, accepted));
            }
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(sent),
        }
    }
}

fn differences(sent: &Sent, listed: &[Listed]) -> Vec<Difference> {
    let mut left: BTreeMap<&(String, String), bool> =
        sent.iter().filter(|(_, (_, accepted))| *accepted).map(|(key, _)| (key, true)).collect();
    let mut found = Vec::new();
    for Listed { delivery, path, sha256 } in listed {
        let key = (delivery.clone(), path.clone());
        let what = match sent.get(&key) {
            None => Some("they have it, and we did not send it"),
            Some((ours, _)) if ours != sha256 => Some("they have other bytes than we sent"),
            Some((_, false)) if path.starts_with("data/") => Some("they have it, and did not acknowledge it"),
            Some(_) => None,
        };
        left.remove(&key);
        found.extend(what.map(|what| Difference { delivery: delivery.clone(), path: path.clone(), what }));
    }
    let gone = left.into_keys().map(|(delivery, path)| Difference {
        delivery: delivery.clone(),
        path: path.clone(),
        what: "they acknowledged it, and do not have it",
    });
    found.extend(gone);
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
        let said: Vec<(String, &str)> =
            differences(&sent, &listed).into_iter().map(|one| (one.path, one.what)).collect();
        assert_eq!(
            said,
            [
                ("data/b".to_owned(), "they have other bytes than we sent"),
                ("data/c".to_owned(), "they have it, and did not acknowledge it"),
                ("data/e".to_owned(), "they have it, and we did not send it"),
                ("data/d".to_owned(), "they acknowledged it, and do not have it"),
            ]
        );
    }
}
