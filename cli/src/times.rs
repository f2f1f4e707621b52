//! Times as people of the site read them: in the zone that `kentai.yaml` names. Objects for machines stay in UTC.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::site::Site;

/// The site's time zone.
#[derive(Clone, Debug)]
pub(crate) struct Zone {
    name: String,
    zone: TimeZone,
}

impl Zone {
    pub(crate) fn of(site: &Site) -> Self {
        let name = &site.config.time_zone;
        match TimeZone::get(name) {
            Ok(zone) => Self { name: name.clone(), zone },
            // The site file's reader refuses such a name; a time in UTC misleads nobody who reads the head of its column.
            Err(_) => Self { name: "UTC".into(), zone: TimeZone::UTC },
        }
    }

    /// As the page is given it.
    pub(crate) fn zone(&self) -> TimeZone {
        self.zone.clone()
    }

    /// A column's head: `updated (Asia/Tokyo)`.
    pub(crate) fn head(&self, what: &str) -> String {
        format!("{what} ({})", self.name)
    }

    /// `2026-11-25 16:42:05`; a text that is no time stays as it is.
    pub(crate) fn show(&self, text: &str) -> String {
        match text.parse::<Timestamp>() {
            Ok(at) => at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string(),
            Err(_) => text.to_owned(),
        }
    }

    /// The same for a time in microseconds.
    pub(crate) fn show_us(&self, at: i64) -> String {
        let at = Timestamp::from_microsecond(at).unwrap_or_default();
        at.to_zoned(self.zone.clone()).strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// A moment with its own zone, or a date in the site's zone; microseconds since the epoch.
    pub(crate) fn start(&self, text: &str) -> Option<i64> {
        if let Ok(moment) = text.parse::<Timestamp>() {
            return Some(moment.as_microsecond());
        }
        // A date alone is its midnight.
        let moment: jiff::civil::DateTime = text.parse().ok()?;
        Some(moment.to_zoned(self.zone.clone()).ok()?.timestamp().as_microsecond())
    }

    /// `16:42:05`, for lines that come while somebody looks.
    pub(crate) fn clock(&self, text: &str) -> String {
        self.show(text).split(' ').next_back().unwrap_or_default().to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_shown_in_the_sites_zone() {
        let zone = TimeZone::get("Asia/Tokyo").expect("bundled with the binary");
        let tokyo = Zone { name: "Asia/Tokyo".into(), zone };
        assert_eq!(tokyo.show("2026-11-25T16:42:05.123456Z"), "2026-11-26 01:42:05");
        assert_eq!(tokyo.clock("2026-11-25T16:42:05Z"), "01:42:05");
        assert_eq!(tokyo.show("never"), "never");
        assert_eq!(tokyo.head("updated"), "updated (Asia/Tokyo)");
        assert_eq!(tokyo.start("1970-01-02"), Some(15 * 3_600_000_000));
        assert_eq!(tokyo.start("1970-01-02T09:00:00"), Some(24 * 3_600_000_000));
        assert_eq!(tokyo.start("1970-01-02T00:00:00Z"), Some(24 * 3_600_000_000));
        assert_eq!(tokyo.start("yesterday"), None);
    }
}
