//! A cron line, field by field, so that a mistake has a place.

use std::str::FromStr;

use cron::Cron;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::intake::words::{Words, shown};

const FIELDS: [(&str, &str); 5] = [
    ("minute (0-59)", "分（0-59）"),
    ("hour (0-23)", "時（0-23）"),
    ("day of month (1-31)", "日（1-31）"),
    ("month (1-12)", "月（1-12）"),
    ("day of week (0-7, Sunday is 0 and 7)", "曜日（0-7、日曜は 0 と 7）"),
];
const LENGTH_MAX: usize = 200;

/// A line that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}", words.en)]
pub struct BadLine {
    /// 1-based column of the line, in characters, where the mistake begins; 0 when it is not in the line.
    pub column: usize,
    /// What is wrong, with the field.
    pub words: Words,
}

impl BadLine {
    pub(super) fn zone(name: &str) -> Self {
        let name = shown(name);
        let words = Words::new(
            format!("time zone `{name}` is not known; write one such as Asia/Tokyo"),
            format!("タイムゾーン `{name}` はありません（例: Asia/Tokyo）"),
        );
        Self { column: 0, words }
    }
}

/// Reads five fields.
pub(super) fn parse(line: &str) -> Result<Cron, BadLine> {
    let fields = fields(line);
    if fields.len() != FIELDS.len() || line.len() > LENGTH_MAX {
        return Err(number_of_fields(line, &fields));
    }
    for (at, (column, text)) in fields.iter().enumerate() {
        let mut alone = ["*"; FIELDS.len()];
        alone[at] = text;
        if let Err(error) = Cron::from_str(&alone.join(" ")) {
            return Err(bad_field(*column, text, FIELDS[at], &error.to_string()));
        }
    }
    let cron = Cron::from_str(line.trim()).map_err(|error| bad_field(1, line, ("line", "行"), &error.to_string()))?;
    // Found here once, so that nobody searches the centuries for it at each look.
    let start = Timestamp::UNIX_EPOCH.to_zoned(TimeZone::UTC);
    cron.find_next_occurrence(&start, false).map_err(|_| never(fields[2].0))?;
    Ok(cron)
}

/// 1-based column in characters, and text, of each field.
fn fields(line: &str) -> Vec<(usize, &str)> {
    let mut fields = Vec::new();
    let mut rest = line;
    loop {
        let text = rest.trim_start();
        if text.is_empty() {
            return fields;
        }
        let column = 1 + line.chars().count() - text.chars().count();
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        fields.push((column, &text[..end]));
        rest = &text[end..];
    }
}

fn number_of_fields(line: &str, fields: &[(usize, &str)]) -> BadLine {
    let count = fields.len();
    let column = fields.get(FIELDS.len()).map_or(1 + line.trim_end().chars().count(), |(column, _)| *column);
    let words = Words::new(
        format!("a cron line has 5 fields (minute hour day month weekday), this has {count}"),
        format!("cron の行は 5 項目（分 時 日 月 曜日）です。{count} 項目あります"),
    );
    BadLine { column, words }
}

fn never(column: usize) -> BadLine {
    let words = Words::new(
        format!("column {column}: no month has such a day, so the time never comes"),
        format!("{column} 文字目: 該当する日付が存在しないため、実行されることがありません"),
    );
    BadLine { column, words }
}

fn bad_field(column: usize, text: &str, (en, ja): (&str, &str), reason: &str) -> BadLine {
    let (text, reason) = (shown(text), shown(reason));
    let words = Words::new(
        format!("column {column}: `{text}` cannot be the {en}: {reason}"),
        format!("{column} 文字目: `{text}` は{ja}として使えません: {reason}"),
    );
    BadLine { column, words }
}
