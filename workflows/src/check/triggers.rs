//! `triggers`: folders, times, requests; and when a cron text comes next.

use std::str::FromStr;

use cron::Cron;
use jiff::{Timestamp, tz::TimeZone};

use super::checker::{Checker, owned, text_of, texts};
use crate::diagnostic::Diagnostic;
use crate::document::Node;
use crate::workflow::Trigger;

/// The next `n` times of `cron` in `timezone` after `now`, as `2026-11-25 02:30 (Wednesday)` with the zone's offset.
///
/// # Errors
/// In words, when the cron text or the time zone is not known, or no such time comes.
pub fn next_times(cron: &str, timezone: &str, now: Timestamp, n: usize) -> Result<Vec<String>, String> {
    let cron = parse_cron(cron)?;
    let zone = TimeZone::get(timezone).map_err(|_| format!("time zone `{timezone}` is not known"))?;
    let after = cron.iter_after(now.to_zoned(zone)).take(n);
    let times: Vec<String> = after.map(|time| time.strftime("%Y-%m-%d %H:%M %:z (%A)").to_string()).collect();
    if times.is_empty() && n > 0 { Err("no such time ever comes".to_owned()) } else { Ok(times) }
}

/// Five fields only: seconds are finer than any promise that we make.
fn parse_cron(text: &str) -> Result<Cron, String> {
    let fields = text.split_whitespace().count();
    if fields != 5 {
        return Err(format!("a cron text has 5 fields (minute hour day month weekday), this has {fields}"));
    }
    Cron::from_str(text).map_err(|error| error.to_string())
}

impl Checker<'_> {
    pub(super) fn triggers(&mut self, node: Option<&Node>) -> Vec<Trigger> {
        let items = node.map(Node::items).unwrap_or_default();
        items.iter().filter_map(|item| self.trigger(item)).collect()
    }

    fn trigger(&mut self, node: &Node) -> Option<Trigger> {
        let [entry] = node.entries() else {
            let (en, ja) = (
                "a trigger is exactly one of: run_folder, schedule, api",
                "トリガーは run_folder、schedule、api のうちちょうど 1 つです",
            );
            self.note(Diagnostic::error("K020", en, ja), node.span.start..node.span.start + 1);
            return None;
        };
        match &*entry.key {
            "run_folder" => self.run_folder(&entry.value),
            "schedule" => self.schedule(&entry.value),
            "api" => Some(Trigger::Api),
            _ => None,
        }
    }

    fn run_folder(&mut self, node: &Node) -> Option<Trigger> {
        let root = node.get("root")?;
        let known = self.site.places.as_ref().map(std::collections::BTreeSet::iter);
        self.at_site(("place", "場所"), root.text()?, known, root.span.clone());
        Some(Trigger::RunFolder {
            root: root.text()?.to_owned(),
            ready_when: texts(node, "ready_when"),
            settle_s: self.seconds(node.get("settle")).unwrap_or(120),
            every_s: self.seconds(node.get("every")).unwrap_or(60),
        })
    }

    fn schedule(&mut self, node: &Node) -> Option<Trigger> {
        let (cron, zone) = (node.get("cron")?, node.get("timezone")?);
        if let Err(reason) = parse_cron(cron.text()?) {
            let found = Diagnostic::error(
                "K080",
                format!("this cron text cannot be read: {reason}"),
                format!("cron の書式を読めません: {reason}"),
            )
            .help(
                "write: \"30 2 * * *\" (minute hour day month weekday)",
                "こう書きます: \"30 2 * * *\" (分 時 日 月 曜日)",
            );
            self.note(found, cron.span.clone());
        }
        if TimeZone::get(zone.text()?).is_err() {
            let name = zone.text()?;
            let found = Diagnostic::error(
                "K080",
                format!("time zone `{name}` is not known"),
                format!("タイムゾーン `{name}` はありません"),
            )
            .help("write: timezone: Asia/Tokyo", "こう書きます: timezone: Asia/Tokyo");
            self.note(found, zone.span.clone());
        }
        let if_missed = text_of(node, "if_missed").unwrap_or("run_once").to_owned();
        let (cron, timezone) = (cron.text()?.to_owned(), zone.text()?.to_owned());
        Some(Trigger::Schedule { cron, timezone, if_missed, specimen: owned(node, "specimen") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_times_follow_the_zone() {
        let now: Timestamp = "2026-11-25T00:00:00Z".parse().expect("a time");
        let times = next_times("30 2 * * *", "Asia/Tokyo", now, 2).expect("times");
        assert_eq!(times, ["2026-11-26 02:30 +09:00 (Thursday)", "2026-11-27 02:30 +09:00 (Friday)"]);
    }

    #[test]
    fn what_cannot_be_a_time_is_told() {
        let now = Timestamp::UNIX_EPOCH;
        assert!(next_times("30 2 * *", "Asia/Tokyo", now, 1).is_err());
        assert!(next_times("61 2 * * *", "Asia/Tokyo", now, 1).is_err());
        assert!(next_times("30 2 * * *", "Asia/Tokio", now, 1).is_err());
        assert!(next_times("0 0 30 2 *", "Asia/Tokyo", now, 1).is_err());
    }
}
