//! `handoff reconcile`: what a receiver lists, held against what was sent and what they acknowledged.

use std::path::Path;

use anyhow::Context as _;
use kentai_engine::view::center::{Inner, own_target};
use kentai_engine::view::reconcile::{Difference, Listed, Sent, differences, sent};

use crate::access;
use crate::exit::{Exit, Stop};
use crate::output::{Output, table};
use crate::site::Site;

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
    let listed = listed(list)?;
    let sent = match access::reader_if_any(site).await? {
        Some(reader) => sent(&reader, target, &listed, None).await?.0,
        None => Sent::new(),
    };
    let found = differences(&sent, &listed);
    if output.json {
        output.json(&found);
    } else if found.is_empty() {
        output.say(format!("{target} has what it acknowledged, and nothing else"));
    } else {
        let row = |one: &Difference| vec![one.delivery.clone(), one.path.clone(), one.what.said().to_owned()];
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
