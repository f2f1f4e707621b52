//! JSON (RFC 8259): one value, parsed whole, nothing behind it.

use std::io::BufRead;

use serde::Deserialize;
use serde::de::IgnoredAny;

pub(super) fn check(reader: &mut impl BufRead) -> Result<(), String> {
    let mut parser = serde_json::Deserializer::from_reader(reader);
    let parsed = IgnoredAny::deserialize(&mut parser).and_then(|_| parser.end());
    parsed.map_err(|error| format!("it is not JSON: {error}"))
}

#[cfg(test)]
mod tests {
    use crate::collect::format::{check, samples};

    #[test]
    fn a_json_file_cut_anywhere_is_refused() {
        samples::refuses_every_truncation("json", br#"{"a": [1, 2.5, "x"], "b": null}"#);
    }

    #[test]
    fn two_values_are_not_one_file_and_deep_nesting_does_not_overflow() {
        assert!(check("json", &mut &b"{} {}"[..]).is_err());
        assert!(check("json", &mut &vec![b'['; 1 << 20][..]).is_err());
    }
}
