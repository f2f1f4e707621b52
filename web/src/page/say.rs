//! Numbers, times and sizes in the reader's language. A value and its unit stay on one line; durations have two parts at most.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use kentai_engine::translated;
use kentai_workflows::diagnostic::Language;

/// Between a value and its unit.
const NBSP: char = '\u{a0}';
const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
/// From so many days on nobody asks for the hours.
const DAYS_ONLY: i64 = 10;
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const WEEKDAYS_EN: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
const WEEKDAYS_JA: [&str; 7] = ["月", "火", "水", "木", "金", "土", "日"];

/// How things are said on one page: language, time zone, and the moment it was made.
#[derive(Clone, Debug)]
pub(crate) struct Say {
    pub(crate) language: Language,
    zone: TimeZone,
    now: Timestamp,
}

impl Say {
    /// `now`: microseconds since the epoch.
    pub(crate) fn new(language: Language, zone: TimeZone, now: i64) -> Self {
        Self { language, zone, now: Timestamp::from_microsecond(now).unwrap_or_default() }
    }

    /// One of two: English, Japanese.
    pub(crate) fn pick<T>(&self, en: T, ja: T) -> T {
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    /// What the engine said in a sentence of its own; what people wrote stays as it is.
    pub(crate) fn engine(&self, text: &str) -> String {
        translated::said(text, self.language).into_owned()
    }

    /// `4,182`
    pub(crate) fn count(&self, number: impl TryInto<i64>) -> String {
        let number = number.try_into().unwrap_or(i64::MAX);
        let digits = number.unsigned_abs().to_string();
        let mut text = String::from(if number < 0 { "−" } else { "" });
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push(',');
            }
            text.push(digit);
        }
        text
    }

    /// `0.94` → `94 %`, `94%`
    pub(crate) fn share(&self, of_one: f64) -> String {
        let percent = (of_one * 100.0).round();
        self.pick(format!("{percent}{NBSP}%"), format!("{percent}%"))
    }

    /// `68.9 GB`; decimal, as disks and transfers are counted.
    pub(crate) fn bytes(&self, bytes: u64) -> String {
        scaled(bytes, 1000.0, &["B", "kB", "MB", "GB", "TB", "PB"])
    }

    /// `64.0 GiB`; binary, as memory is asked for.
    pub(crate) fn memory(&self, bytes: u64) -> String {
        scaled(bytes, 1024.0, &["B", "KiB", "MiB", "GiB", "TiB"])
    }

    /// `600.0 M`
    pub(crate) fn reads(&self, reads: u64) -> String {
        scaled(reads, 1000.0, &["", "k", "M", "G"])
    }

    /// `31.40 x`, `594.6 M reads`: as many digits as tools are good for. A fraction and a plain number have no unit.
    pub(crate) fn measured(&self, value: f64, unit: &str) -> String {
        let number = match unit {
            "reads" | "bp" => scaled_real(value),
            _ => short(value),
        };
        match unit {
            "" | "fraction" => number,
            "%" => self.pick(format!("{number}{NBSP}%"), format!("{number}%")),
            unit => format!("{number}{NBSP}{unit}"),
        }
    }

    /// A round number at an axis: `32`, `0.93`, `600 M`; the unit stands elsewhere.
    pub(crate) fn tick_of(&self, value: f64, unit: &str) -> String {
        let text = self.measured(value, if unit == "reads" || unit == "bp" { unit } else { "" });
        let (number, scale) = text.split_once(NBSP).unwrap_or((&text, ""));
        let number = if number.contains('.') { number.trim_end_matches('0').trim_end_matches('.') } else { number };
        // Of `600.0 M reads` the scale; `reads` alone says nothing here.
        let scale = scale.split(NBSP).next().filter(|scale| ["k", "M", "G"].contains(scale)).unwrap_or_default();
        if scale.is_empty() { number.to_owned() } else { format!("{number}{NBSP}{scale}") }
    }

    /// `+2.15`, `−1.74`: deviations from a mean.
    pub(crate) fn deviations(&self, score: f64) -> String {
        let sign = if score < 0.0 { '−' } else { '+' };
        format!("{sign}{:.2}", score.abs())
    }

    /// A moment as views tell it, for [`Say::date`] and its kin. Microseconds since the epoch.
    pub(crate) fn stamp(&self, at_us: i64) -> String {
        Timestamp::from_microsecond(at_us).map(|at| at.to_string()).unwrap_or_default()
    }

    /// `2 d 4 h`, `2日4時間`; of a negative one its size.
    pub(crate) fn duration(&self, seconds: i64) -> String {
        let seconds = seconds.saturating_abs();
        let unit = |number: i64, en: &str, ja: &str| self.pick(format!("{number}{NBSP}{en}"), format!("{number}{ja}"));
        let two = |whole: String, rest: i64, part: String| match rest {
            0 => whole,
            _ => self.pick(format!("{whole}{NBSP}{part}"), format!("{whole}{part}")),
        };
        match seconds {
            0..MINUTE => unit(seconds, "s", "秒"),
            MINUTE..HOUR => unit(seconds / MINUTE, "min", "分"),
            HOUR..DAY => {
                let minutes = seconds % HOUR / MINUTE;
                two(unit(seconds / HOUR, "h", "時間"), minutes, unit(minutes, "min", "分"))
            }
            _ => {
                let (days, hours) = (seconds / DAY, seconds % DAY / HOUR);
                let hours = if days < DAYS_ONLY { hours } else { 0 };
                two(unit(days, "d", "日"), hours, unit(hours, "h", "時間"))
            }
        }
    }

    /// How long ago a time of a view was; its own text when it is none.
    pub(crate) fn age(&self, at: &str) -> String {
        self.parse(at).map_or_else(|| at.to_owned(), |at| self.duration(self.now.as_second() - at.as_second()))
    }

    /// How long ago that was, microseconds since the epoch; below a day whole hours are enough.
    pub(crate) fn age_us(&self, at_us: i64) -> String {
        let seconds = ((self.now.as_microsecond() - at_us) / 1_000_000).saturating_abs();
        self.duration(if (HOUR..DAY).contains(&seconds) { seconds / HOUR * HOUR } else { seconds })
    }

    /// That time, as a view says it.
    pub(crate) fn iso(&self, at_us: i64) -> String {
        Timestamp::from_microsecond(at_us).unwrap_or_default().to_string()
    }

    /// `9.2`: days, to a tenth.
    pub(crate) fn tenth(&self, number: f64) -> String {
        format!("{number:.1}")
    }

    /// Seconds from then to now; negative when it is still to come.
    pub(crate) fn seconds_since(&self, at: &str) -> Option<i64> {
        Some(self.now.as_second() - self.parse(at)?.as_second())
    }

    /// `19 Nov`, `11月19日`; with the year when it is another.
    pub(crate) fn date(&self, at: &str) -> String {
        let Some(at) = self.zoned(at) else { return at.to_owned() };
        let same_year = at.year() == self.now.to_zoned(self.zone.clone()).year();
        let (year, month, day) = (at.year(), at.month(), at.day());
        let name = month_name(month);
        match (self.language, same_year) {
            (Language::En, true) => format!("{day}{NBSP}{name}"),
            (Language::En, false) => format!("{day}{NBSP}{name}{NBSP}{year}"),
            (Language::Ja, true) => format!("{month}月{day}日"),
            (Language::Ja, false) => format!("{year}年{month}月{day}日"),
        }
    }

    /// `09:42`
    pub(crate) fn time(&self, at: &str) -> String {
        self.zoned(at).map_or_else(|| at.to_owned(), |at| format!("{:02}:{:02}", at.hour(), at.minute()))
    }

    /// `09:42:07`
    pub(crate) fn time_exact(&self, at: &str) -> String {
        self.zoned(at)
            .map_or_else(|| at.to_owned(), |at| format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second()))
    }

    /// `19 Nov, 09:42`, `11月19日09:42`
    pub(crate) fn date_time(&self, at: &str) -> String {
        self.pick(format!("{}, {}", self.date(at), self.time(at)), format!("{}{}", self.date(at), self.time(at)))
    }

    /// The moment of the page: `Tue 19 Nov 2024, 09:42:07 JST`, `2024年11月19日（火）09:42:07`
    pub(crate) fn moment(&self) -> String {
        let now = self.now.to_zoned(self.zone.clone());
        let clock = format!("{:02}:{:02}:{:02}", now.hour(), now.minute(), now.second());
        let (year, month, day) = (now.year(), now.month(), now.day());
        let weekday = usize::try_from(now.weekday().to_monday_zero_offset()).unwrap_or(0);
        match self.language {
            Language::En => {
                let zone = now.strftime("%Z");
                format!("{} {day} {} {year}, {clock} {zone}", WEEKDAYS_EN[weekday % 7], month_name(month))
            }
            Language::Ja => format!("{year}年{month}月{day}日（{}）{clock}", WEEKDAYS_JA[weekday % 7]),
        }
    }

    /// The hour of the page: `09:42`
    pub(crate) fn clock(&self) -> String {
        let now = self.now.to_zoned(self.zone.clone());
        format!("{:02}:{:02}", now.hour(), now.minute())
    }

    /// The day of the page: `Tue 19 Nov`, `11月19日（火）`
    pub(crate) fn day(&self) -> String {
        let now = self.now.to_zoned(self.zone.clone());
        let weekday = usize::try_from(now.weekday().to_monday_zero_offset()).unwrap_or(0) % 7;
        let (month, day) = (now.month(), now.day());
        self.pick(
            format!("{} {day} {}", WEEKDAYS_EN[weekday], month_name(month)),
            format!("{month}月{day}日（{}）", WEEKDAYS_JA[weekday]),
        )
    }

    /// Four characters, an ellipsis, four; `title` and copying give all of it.
    pub(crate) fn digest(&self, hex: &str) -> String {
        let hex = hex.strip_prefix("sha256:").unwrap_or(hex);
        match (hex.get(..4), hex.len().checked_sub(4).and_then(|at| hex.get(at..))) {
            (Some(head), Some(tail)) if hex.len() > 9 => format!("{head}…{tail}"),
            _ => hex.to_owned(),
        }
    }

    /// A time on an axis, of microseconds since the epoch: `09:42`, with seconds where they matter, with the day where hours do not.
    pub(crate) fn tick(&self, at_us: i64, step_s: i64) -> String {
        let at = Timestamp::from_microsecond(at_us).unwrap_or_default().to_string();
        match step_s {
            ..MINUTE => self.time_exact(&at),
            MINUTE..DAY => self.time(&at),
            _ => self.date(&at),
        }
    }

    /// Seconds that the site's zone is ahead of UTC then.
    pub(crate) fn ahead(&self, at_us: i64) -> i64 {
        let at = Timestamp::from_microsecond(at_us).unwrap_or_default();
        i64::from(self.zone.to_offset(at).seconds())
    }

    pub(crate) fn parse(&self, at: &str) -> Option<Timestamp> {
        at.parse().ok()
    }

    fn zoned(&self, at: &str) -> Option<Zoned> {
        Some(self.parse(at)?.to_zoned(self.zone.clone()))
    }
}

fn month_name(month: i8) -> &'static str {
    usize::try_from(month).ok().and_then(|month| MONTHS.get(month.checked_sub(1)?)).copied().unwrap_or_default()
}

#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
fn scaled(number: u64, step: f64, units: &[&str]) -> String {
    let mut value = number as f64;
    let mut at = 0;
    while value >= step && at + 1 < units.len() {
        value /= step;
        at += 1;
    }
    let digits = usize::from(at > 0);
    format!("{value:.digits$}{NBSP}{}", units[at]).trim_end().to_owned()
}

/// Three or four digits that count; a minus as it is printed.
fn short(value: f64) -> String {
    let text = match value.abs() {
        size if size >= 1000.0 => format!("{value:.0}"),
        size if size >= 100.0 => format!("{value:.1}"),
        size if size >= 1.0 => format!("{value:.2}"),
        size if size >= 0.001 || size <= 0.0 => format!("{value:.4}"),
        _ => format!("{value:.2e}"),
    };
    text.replace('-', "−")
}

fn scaled_real(value: f64) -> String {
    let mut value = value;
    let mut at = 0;
    let units = ["", "k", "M", "G"];
    while value.abs() >= 1000.0 && at + 1 < units.len() {
        value /= 1000.0;
        at += 1;
    }
    let digits = usize::from(at > 0);
    format!("{value:.digits$}{NBSP}{}", units[at]).trim_end().replace('-', "−")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 19 November 2024, 09:42:07 in Tokyo.
    const NOW: i64 = 1_731_976_927_000_000;

    fn say(language: Language) -> Say {
        Say::new(language, TimeZone::get("Asia/Tokyo").expect("bundled"), NOW)
    }

    fn plain(text: &str) -> String {
        text.replace(NBSP, " ")
    }

    #[test]
    fn a_duration_has_two_parts_at_most() {
        let cases = [
            (38, "38 s", "38秒"),
            (42 * MINUTE, "42 min", "42分"),
            (HOUR + 20 * MINUTE, "1 h 20 min", "1時間20分"),
            (19 * HOUR, "19 h", "19時間"),
            (2 * DAY + 4 * HOUR + 59 * MINUTE, "2 d 4 h", "2日4時間"),
            (12 * DAY + 3 * HOUR, "12 d", "12日"),
        ];
        for (seconds, en, ja) in cases {
            assert_eq!(plain(&say(Language::En).duration(seconds)), en);
            assert_eq!(plain(&say(Language::Ja).duration(seconds)), ja);
        }
    }

    #[test]
    fn numbers_are_grouped_and_units_stay_with_their_value() {
        let say = say(Language::En);
        assert_eq!(say.count(4_182), "4,182");
        assert_eq!(say.count(-1_000_000), "−1,000,000");
        assert_eq!(say.count(999), "999");
        assert_eq!(say.bytes(68_900_000_000), "68.9\u{a0}GB");
        assert_eq!(say.memory(64 << 30), "64.0\u{a0}GiB");
        assert_eq!(say.reads(600_000_000), "600.0\u{a0}M");
        assert_eq!(say.share(0.94), "94\u{a0}%");
    }

    #[test]
    fn measured_values_have_the_digits_that_count() {
        let say = say(Language::En);
        let told = |value, unit| plain(&say.measured(value, unit));
        assert_eq!(told(31.4, "x"), "31.40 x");
        assert_eq!(told(594_600_000.0, "reads"), "594.6 M reads");
        assert_eq!(told(0.93, "fraction"), "0.9300");
        assert_eq!(told(95.25, "%"), "95.25 %");
        assert_eq!(told(-0.000_012_3, ""), "−1.23e−5");
        assert_eq!((say.deviations(-1.742), say.deviations(2.15)), ("−1.74".to_owned(), "+2.15".to_owned()));
        let ticks = [(32.0, "x"), (0.93, "fraction"), (600_000_000.0, "reads"), (120.0, "")];
        let ticks = ticks.map(|(value, unit)| plain(&say.tick_of(value, unit)));
        assert_eq!(ticks, ["32", "0.93", "600 M", "120"]);
        assert_eq!(say.stamp(0), "1970-01-01T00:00:00Z");
    }

    #[test]
    fn times_are_told_in_the_sites_zone() {
        let (en, ja) = (say(Language::En), say(Language::Ja));
        assert_eq!(en.moment(), "Tue 19 Nov 2024, 09:42:07 JST");
        assert_eq!(ja.moment(), "2024年11月19日（火）09:42:07");
        assert_eq!(plain(&en.date_time("2024-11-16T18:30:00Z")), "17 Nov, 03:30");
        assert_eq!(ja.date("2023-11-16T18:30:00Z"), "2023年11月17日");
        assert_eq!(plain(&en.age("2024-11-18T05:42:07Z")), "19 h");
    }

    #[test]
    fn a_digest_shows_its_ends() {
        assert_eq!(say(Language::En).digest("sha256:41d70000000090bc"), "41d7…90bc");
        assert_eq!(say(Language::En).digest("ab"), "ab");
    }
}
