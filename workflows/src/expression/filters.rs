//! The filters of the language, all of them: nothing here reads a disk or a clock.
//!
//! An absent value is `none`; `default` treats both alike. File filters take a text or a file and look at its name only.

use minijinja::value::{Rest, ValueKind};
use minijinja::{Environment, Error, ErrorKind, Value};

use crate::value::to_text;

/// Filter names, in the order of the manual.
pub(crate) const NAMES: [&str; 12] =
    ["default", "basename", "stem", "ext", "length", "join", "first", "last", "round", "int", "float", "string"];

/// Compression endings that belong to the ending before them.
const COMPRESSION: [&str; 6] = ["gz", "bgz", "bz2", "xz", "zst", "zip"];

/// Fewest and most arguments of the filter `name`; `None` when there is no such filter.
pub(super) fn arguments(name: &str) -> Option<(usize, usize)> {
    match name {
        "default" => Some((1, 1)),
        "join" | "round" => Some((0, 1)),
        _ => NAMES.contains(&name).then_some((0, 0)),
    }
}

/// Adds them to an environment that has none.
pub(super) fn install(environment: &mut Environment<'_>) {
    environment.add_filter("default", default);
    environment.add_filter("basename", |of: &Value| name_of(of).map(|name| basename(&name).to_owned()));
    environment.add_filter("stem", |of: &Value| name_of(of).map(|name| split(basename(&name)).0.to_owned()));
    environment.add_filter("ext", |of: &Value| name_of(of).map(|name| split(basename(&name)).1.to_owned()));
    environment.add_filter("length", length);
    environment.add_filter("join", join);
    environment
        .add_filter("first", |of: &Value| items(of).map(|items| items.first().cloned().unwrap_or(Value::UNDEFINED)));
    environment
        .add_filter("last", |of: &Value| items(of).map(|items| items.last().cloned().unwrap_or(Value::UNDEFINED)));
    environment.add_filter("round", round);
    environment.add_filter("int", int);
    environment.add_filter("float", |of: &Value| number(of).map(Value::from));
    environment.add_filter("string", |of: &Value| text(of));
}

fn default(of: &Value, other: Value) -> Value {
    if of.is_undefined() || of.is_none() { other } else { of.clone() }
}

fn wrong(reason: impl Into<String>) -> Error {
    Error::new(ErrorKind::InvalidOperation, reason.into())
}

fn text(of: &Value) -> Result<String, Error> {
    if of.is_undefined() {
        return Err(Error::from(ErrorKind::UndefinedError));
    }
    let json = serde_json::to_value(of).map_err(|_| wrong("this value has no text"))?;
    Ok(to_text(&json))
}

fn name_of(of: &Value) -> Result<String, Error> {
    match of.kind() {
        ValueKind::String | ValueKind::Map | ValueKind::Undefined => text(of),
        _ => Err(wrong("only a file or a text has a name")),
    }
}

fn basename(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// Stem and ending: `a.fastq.gz` → `a`, `fastq.gz`; a leading point is part of the stem.
fn split(name: &str) -> (&str, &str) {
    let point = |name: &str| name.rfind('.').filter(|at| *at > 0);
    let Some(last) = point(name) else { return (name, "") };
    let inner = COMPRESSION.contains(&&name[last + 1..]).then(|| point(&name[..last])).flatten();
    let at = inner.unwrap_or(last);
    (&name[..at], &name[at + 1..])
}

fn items(of: &Value) -> Result<Vec<Value>, Error> {
    match of.kind() {
        ValueKind::Seq | ValueKind::Iterable => Ok(of.try_iter()?.collect()),
        ValueKind::Undefined => Err(Error::from(ErrorKind::UndefinedError)),
        _ => Err(wrong("this is not a list")),
    }
}

fn length(of: &Value) -> Result<usize, Error> {
    match of.len() {
        Some(length) => Ok(length),
        None => items(of).map(|items| items.len()),
    }
}

fn join(of: &Value, separator: Rest<String>) -> Result<String, Error> {
    let texts: Result<Vec<String>, Error> = items(of)?.iter().map(text).collect();
    Ok(texts?.join(separator.first().map_or("", String::as_str)))
}

fn number(of: &Value) -> Result<f64, Error> {
    let parsed = match of.as_str() {
        Some(text) => text.trim().parse::<f64>().ok(),
        None => f64::try_from(of.clone()).ok(),
    };
    parsed.filter(|number| number.is_finite()).ok_or_else(|| wrong("this is not a number"))
}

/// Without places the result is a whole number, so that it prints without a point.
fn round(of: &Value, places: Rest<u32>) -> Result<Value, Error> {
    let number = number(of)?;
    match places.first() {
        None | Some(0) => whole(number.round()),
        Some(places) => {
            let scale = 10_f64.powi((*places).min(15).cast_signed());
            Ok(Value::from((number * scale).round() / scale))
        }
    }
}

fn int(of: &Value) -> Result<Value, Error> {
    if let Ok(exact) = i64::try_from(of.clone()) {
        return Ok(Value::from(exact));
    }
    if let Some(exact) = of.as_str().and_then(|text| text.trim().parse::<i64>().ok()) {
        return Ok(Value::from(exact));
    }
    whole(number(of)?.trunc())
}

fn whole(number: f64) -> Result<Value, Error> {
    // Beyond 2^53 a float no longer names one whole number.
    if number.abs() > 9_007_199_254_740_992.0 {
        return Err(wrong("this number is too large to be a whole number"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "whole and within 2^53, as tested above")]
    Ok(Value::from(number as i64))
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn a_compressed_ending_counts_as_one() {
        assert_eq!(split("L001_R1.fastq.gz"), ("L001_R1", "fastq.gz"));
        assert_eq!(split("NA12878.v2.bam"), ("NA12878.v2", "bam"));
        assert_eq!(split("a.vcf.gz.tbi"), ("a.vcf.gz", "tbi"));
        assert_eq!(split(".hidden"), (".hidden", ""));
        assert_eq!(split("README"), ("README", ""));
        assert_eq!(split("a.gz"), ("a", "gz"));
    }
}
