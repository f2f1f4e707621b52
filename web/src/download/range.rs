//! The header Range (RFC 9110, section 14): text and a size in, bytes out. It knows no conditions.

/// What a Range asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// It is as if it had not been sent: malformed, another unit, several ranges, or of an empty object.
    Everything,
    /// These bytes, first and last, both counted.
    Part(u64, u64),
    /// None that the object has.
    Nothing,
}

/// One of the two forms.
enum Spec {
    From(u64, Option<u64>),
    Last(u64),
}

/// What `text`, the value of one Range header, asks of an object of `size` bytes.
pub(super) fn asked(text: &str, size: u64) -> Asked {
    // Many clients ask every object for a range; an empty one has no byte that 206 could name, and 416 would be an error to them.
    let Some(spec) = spec(text).filter(|_| size > 0) else { return Asked::Everything };
    match spec {
        Spec::From(first, _) if first >= size => Asked::Nothing,
        Spec::From(first, last) => Asked::Part(first, last.unwrap_or(u64::MAX).min(size - 1)),
        Spec::Last(0) => Asked::Nothing,
        Spec::Last(count) => Asked::Part(size.saturating_sub(count), size - 1),
    }
}

fn spec(text: &str) -> Option<Spec> {
    let (unit, set) = text.split_once('=')?;
    if !unit.eq_ignore_ascii_case("bytes") {
        return None;
    }
    // A list may have empty elements (section 5.6.1.2).
    let mut specs = set.split(',').map(|one| one.trim_matches([' ', '\t'])).filter(|one| !one.is_empty());
    let (one, None) = (specs.next()?, specs.next()) else { return None };
    let (first, last) = one.split_once('-')?;
    match (first, last) {
        ("", count) => Some(Spec::Last(number(count)?)),
        (first, "") => Some(Spec::From(number(first)?, None)),
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            (first <= last).then_some(Spec::From(first, Some(last)))
        }
    }
}

/// Digits only. A number that nothing here is as large as counts as the largest one.
fn number(text: &str) -> Option<u64> {
    if text.is_empty() || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::Asked::{self, Everything, Nothing, Part};
    use super::asked;

    fn check(text: &str, wanted: Asked) {
        assert_eq!(asked(text, 10_000), wanted, "{text}");
    }

    #[test]
    fn the_examples_of_the_standard() {
        // RFC 9110, section 14.1.2.
        check("bytes=0-499", Part(0, 499));
        check("bytes=500-999", Part(500, 999));
        check("bytes=-500", Part(9_500, 9_999));
        check("bytes=9500-", Part(9_500, 9_999));
        check("bytes=0-0,-1", Everything);
        check("bytes= 0-999, 4500-5499, -1000", Everything);
        check("bytes=500-600,601-999", Everything);
    }

    #[test]
    fn ends_beyond_the_object_are_cut_and_beginnings_are_refused() {
        check("bytes=9999-20000", Part(9_999, 9_999));
        check("bytes=0-99999999999999999999999999", Part(0, 9_999));
        check("bytes=-99999999999999999999999999", Part(0, 9_999));
        check("bytes=10000-", Nothing);
        check("bytes=99999999999999999999999999-", Nothing);
        check("bytes=10000-10001", Nothing);
        check("bytes=-0", Nothing);
    }

    #[test]
    fn what_cannot_be_understood_is_as_if_it_were_not_there() {
        for text in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=a-b",
            "bytes=5-4",
            "bytes=+1-2",
            "bytes=1 -2",
            "bytes=1--2",
            "bytes=0x1-2",
            "lines=1-2",
            "bytes=1-2-3",
            "bytes 1-2",
            "bytes=,",
            "bytes=１-2",
            "bytes=1-2;",
            " bytes=1-2",
        ] {
            check(text, Everything);
        }
        check("BYTES=1-2", Part(1, 2));
        check("bytes=\t1-2 ,", Part(1, 2));
    }

    #[test]
    fn an_empty_object_is_sent_whole() {
        for text in ["bytes=0-", "bytes=-1", "bytes=-0", "bytes=5-"] {
            assert_eq!(asked(text, 0), Everything, "{text}");
        }
    }
}
