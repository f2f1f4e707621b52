//! Sizes, durations and factors as people write them, and back.
//!
//! Only binary sizes (`KiB MiB GiB TiB`) and plain bytes are understood: `GB` means two different numbers to two different
//! people, so it is refused. This file does not know which place of a workflow the text came from.

const KIB: u64 = 1024;
const SIZE_UNITS: [(&str, u64); 6] =
    [("TiB", KIB * KIB * KIB * KIB), ("GiB", KIB * KIB * KIB), ("MiB", KIB * KIB), ("KiB", KIB), ("B", 1), ("", 1)];

/// Largest first, the order in which they may be combined (`1h30m`); milliseconds each.
const DURATION_UNITS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// More decimal places than this say nothing about a number of bytes.
const DECIMALS_MAX: usize = 9;

/// Bytes of `4 GiB`, `512MiB`, `1.5 GiB` or `123`; `None` for anything else, also when it does not fit 64 bits.
///
/// ```
/// use kentai_workflows::resources::parse_size;
/// assert_eq!(parse_size("1.5 GiB"), Some(1_610_612_736));
/// assert_eq!(parse_size("4 GB"), None);
/// ```
#[must_use]
pub fn parse_size(text: &str) -> Option<u64> {
    let text = text.trim();
    let (number, unit) = split_number(text);
    let (_, factor) = SIZE_UNITS.iter().find(|(name, _)| *name == unit.trim_start())?;
    multiply(number, *factor)
}

/// Seconds of `90s`, `2m`, `4h`, `7d`, `1h30m`; `None` for anything else, also for parts of a second.
#[must_use]
pub fn parse_duration_s(text: &str) -> Option<u64> {
    let ms = parse_duration_ms(text)?;
    ms.is_multiple_of(1_000).then_some(ms / 1_000)
}

/// Milliseconds of `250ms`, `90s`, `1h30m`; `None` for anything else.
#[must_use]
pub fn parse_duration_ms(text: &str) -> Option<u64> {
    let mut rest = text.trim();
    let mut total: u64 = 0;
    let mut units = DURATION_UNITS.iter();
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let (number, after) = split_number(rest);
        let length = after.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(after.len());
        let (unit, next) = after.split_at(length);
        // Searching onward only: every unit at most once, larger before smaller.
        let (_, factor) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(multiply(number, *factor)?)?;
        rest = next;
    }
    Some(total)
}

/// The factor of `x1.5`; finite and at least 1, because an escalation never shrinks a request.
#[must_use]
pub fn parse_factor(text: &str) -> Option<f64> {
    let number = text.trim().strip_prefix('x')?;
    if !number.starts_with(|c: char| c.is_ascii_digit()) {
        return None;
    }
    number.parse::<f64>().ok().filter(|factor| factor.is_finite() && *factor >= 1.0)
}

/// `bytes` in the largest unit that keeps it readable: `4 GiB`, `1.5 GiB`, `123 B`; at most one decimal.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    let fitting = SIZE_UNITS.iter().find(|(_, factor)| bytes >= *factor);
    let Some((unit, factor)) = fitting else { return "0 B".into() };
    let whole = bytes / factor;
    let tenths = bytes % factor * 10 / factor;
    if tenths == 0 { format!("{whole} {unit}") } else { format!("{whole}.{tenths} {unit}") }
}

/// `seconds` as the language writes them: `90` → `1m30s`, `14400` → `4h`; exact, and readable by [`parse_duration_s`].
#[must_use]
pub fn format_duration_s(seconds: u64) -> String {
    let mut rest = seconds;
    let mut text = String::new();
    for (unit, ms) in &DURATION_UNITS[..4] {
        let factor = ms / 1_000;
        if rest >= factor {
            text.push_str(&format!("{}{unit}", rest / factor));
            rest %= factor;
        }
    }
    if text.is_empty() { "0s".into() } else { text }
}

/// The digits (and one decimal point) at the start, and what follows.
fn split_number(text: &str) -> (&str, &str) {
    let length = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at(length)
}

/// `number` × `factor` in whole units, without going through floating point; parts of a unit are cut off.
fn multiply(number: &str, factor: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || fraction.len() > DECIMALS_MAX || (factor == 1 && number.contains('.')) {
        return None;
    }
    let scale = 10_u128.pow(u32::try_from(fraction.len()).ok()?);
    let digits = u128::from(whole.parse::<u64>().ok()?) * scale + u128::from(fraction.parse::<u64>().ok()?);
    u64::try_from(digits.checked_mul(u128::from(factor))? / scale).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn sizes_are_binary_or_plain_bytes() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(parse_size(text), expected, "{text}");
        check("123", Some(123));
        check("4 GiB", Some(4 << 30));
        check("512MiB", Some(512 << 20));
        check("1.5 GiB", Some(3 << 29));
        check(" 2 TiB ", Some(2 << 40));
        check("0.5 KiB", Some(512));
        for refused in
            ["", "GiB", "4 GB", "4G", "-1", "1.5", "1. GiB", "1.2.3 GiB", ".5 GiB", "4 gib", "99999999 TiB", "1e3"]
        {
            check(refused, None);
        }
    }

    #[test]
    fn durations_combine_larger_before_smaller() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(parse_duration_s(text), expected, "{text}");
        check("90s", Some(90));
        check("2m", Some(120));
        check("4h", Some(14_400));
        check("7d", Some(604_800));
        check("1h30m", Some(5_400));
        check("0s", Some(0));
        check("1.5h", Some(5_400));
        for refused in ["", "90", "h", "30m1h", "1h1h", "1 h", "-2m", "250ms", "4 hours", "99999999999999999999d"] {
            check(refused, None);
        }
        assert_eq!(parse_duration_ms("250ms"), Some(250));
        assert_eq!(parse_duration_ms("1s250ms"), Some(1_250));
    }

    #[test]
    fn factors_never_shrink() {
        assert_eq!(parse_factor("x1.5"), Some(1.5));
        assert_eq!(parse_factor("x2"), Some(2.0));
        for refused in ["1.5", "x0.5", "x", "x-2", "xinf", "xNaN", "x 2"] {
            assert_eq!(parse_factor(refused), None, "{refused}");
        }
    }

    #[test]
    fn sizes_read_well() {
        let check = |bytes: u64, expected: &str| assert_eq!(format_size(bytes), expected);
        check(0, "0 B");
        check(1023, "1023 B");
        check(4 << 30, "4 GiB");
        check(3 << 29, "1.5 GiB");
        check((4 << 30) + 1, "4 GiB");
    }

    proptest! {
        #[test]
        fn a_written_duration_reads_back_equal(seconds in 0_u64..10_000_000_000) {
            prop_assert_eq!(parse_duration_s(&format_duration_s(seconds)), Some(seconds));
        }

        #[test]
        fn no_text_makes_the_parsers_panic(text in ".{0,30}") {
            let _ = (parse_size(&text), parse_duration_ms(&text), parse_factor(&text));
        }
    }
}
