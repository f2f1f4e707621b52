//! Text from a sheet or a command line, read as the type that a parameter declares.
//!
//! Files and references need more than their text (a directory, a site) and stay text here.

use crate::plan::words::{Wrong, did_you_mean, shown};
use crate::resources::{format_duration_s, format_size, parse_duration_s, parse_size};
use crate::value::Value;
use crate::workflow::{Param, ParamKind};

/// `text` as `param` wants it: durations in seconds, sizes in bytes.
pub(crate) fn parse(param: &Param, text: &str) -> Result<Value, Wrong> {
    match &param.kind {
        ParamKind::String | ParamKind::File | ParamKind::Reference => plain(text),
        ParamKind::Number => within(param, number(text)?),
        ParamKind::Integer => within(param, integer(text)?),
        ParamKind::Duration => within(param, duration(text)?),
        ParamKind::Size => within(param, size(text)?),
        ParamKind::Boolean => boolean(text),
        ParamKind::Choice(of) => choice(of, text),
    }
}

/// NUL cannot be carried by an environment variable or a path, so it could only be lost on the way.
fn plain(text: &str) -> Result<Value, Wrong> {
    if text.contains('\0') {
        return Err(Wrong::new("the text contains a NUL character", "文字列に NUL 文字が含まれています"));
    }
    Ok(text.into())
}

fn number(text: &str) -> Result<Value, Wrong> {
    if let Ok(whole) = text.parse::<i64>() {
        return Ok(whole.into());
    }
    // `inf` and `NaN` parse as floating point, but no limit could be compared with them.
    let number = text.parse::<f64>().ok().filter(|number| number.is_finite());
    number.map(Value::from).ok_or_else(|| expected("a number, such as 0.85", "数値（例: 0.85）", text))
}

fn integer(text: &str) -> Result<Value, Wrong> {
    text.parse::<i64>().map(Value::from).map_err(|_| expected("a whole number", "整数", text))
}

fn duration(text: &str) -> Result<Value, Wrong> {
    parse_duration_s(text)
        .map(Value::from)
        .ok_or_else(|| expected("a duration, such as 90s or 4h", "時間（例: 90s、4h）", text))
}

fn size(text: &str) -> Result<Value, Wrong> {
    parse_size(text)
        .map(Value::from)
        .ok_or_else(|| expected("a size, such as 512 MiB or 4 GiB", "サイズ（例: 512 MiB、4 GiB）", text))
}

fn boolean(text: &str) -> Result<Value, Wrong> {
    // Spreadsheets write TRUE and FALSE.
    match text.to_ascii_lowercase().as_str() {
        "true" => Ok(true.into()),
        "false" => Ok(false.into()),
        _ => Err(expected("true or false", "true または false", text)),
    }
}

fn choice(of: &[String], text: &str) -> Result<Value, Wrong> {
    if of.iter().any(|allowed| allowed == text) {
        return Ok(text.into());
    }
    let (en, ja) = did_you_mean(text, of.iter().map(String::as_str));
    let list = of.join(", ");
    Err(Wrong::new(
        format!("`{}` is not one of {list}{en}", shown(text)),
        format!("`{}` は {list} のどれでもありません{ja}", shown(text)),
    ))
}

fn expected(en: &str, ja: &str, found: &str) -> Wrong {
    let found = shown(found);
    Wrong::new(format!("expected {en}, found `{found}`"), format!("{ja}を書いてください。`{found}` とあります"))
}

/// `value` when it lies between the parameter's `min` and `max`.
fn within(param: &Param, value: Value) -> Result<Value, Wrong> {
    let number = value.as_f64().unwrap_or(f64::NAN);
    if let Some(min) = param.min.filter(|min| number < *min) {
        let (found, limit) = (in_words(param, number), in_words(param, min));
        return Err(Wrong::new(
            format!("{found} is below the minimum, {limit}"),
            format!("{found} は最小値 {limit} より小さい値です"),
        ));
    }
    if let Some(max) = param.max.filter(|max| number > *max) {
        let (found, limit) = (in_words(param, number), in_words(param, max));
        return Err(Wrong::new(
            format!("{found} is above the maximum, {limit}"),
            format!("{found} は最大値 {limit} より大きい値です"),
        ));
    }
    Ok(value)
}

/// `number` as its author would write it.
fn in_words(param: &Param, number: f64) -> String {
    match param.kind {
        ParamKind::Duration => format_duration_s(number as u64),
        ParamKind::Size => format_size(number as u64),
        _ => param.unit.as_ref().map_or_else(|| number.to_string(), |unit| format!("{number} {unit}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workflow::Text;
    use serde_json::json;

    fn param(kind: ParamKind) -> Param {
        let (min, max) = (Some(0.0), Some(100_000.0));
        Param { name: "x".into(), kind, default: None, min, max, unit: None, required: true, help: Text::default() }
    }

    #[test]
    fn each_type_takes_its_own_text() {
        let check = |kind: ParamKind, text: &str, expected: Value| {
            assert_eq!(parse(&param(kind), text), Ok(expected), "{text}")
        };
        check(ParamKind::Number, "0.85", json!(0.85));
        check(ParamKind::Number, "30", json!(30));
        check(ParamKind::Integer, "30", json!(30));
        check(ParamKind::Boolean, "TRUE", json!(true));
        check(ParamKind::Duration, "1h30m", json!(5400));
        check(ParamKind::Size, "4 KiB", json!(4096));
        check(ParamKind::String, "; rm -rf", json!("; rm -rf"));
        check(ParamKind::Choice(vec!["male".into()]), "male", json!("male"));
    }

    #[test]
    fn what_does_not_fit_is_refused_in_words() {
        let check = |kind: ParamKind, text: &str, words: &str| {
            let wrong = parse(&param(kind), text).expect_err("refused");
            assert!(wrong.en.contains(words), "{}", wrong.en);
        };
        check(ParamKind::Number, "NaN", "expected a number");
        check(ParamKind::Number, "1,000", "expected a number");
        check(ParamKind::Number, "-0.1", "-0.1 is below the minimum, 0");
        check(ParamKind::Integer, "1.5", "expected a whole number");
        check(ParamKind::Boolean, "no", "expected true or false");
        check(ParamKind::Duration, "2d", "2d is above the maximum");
        check(ParamKind::Size, "1 GB", "expected a size");
        check(ParamKind::Choice(vec!["male".into()]), "Male", "did you mean `male`?");
        check(ParamKind::String, "a\0", "NUL");
    }
}
