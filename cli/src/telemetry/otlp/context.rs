//! Which trace something belongs to: ids that follow from the run's own, so that the next engine goes on with the same trace, and the
//! `traceparent` of requests (W3C Trace Context, level 1). Pure but for fresh ids.

use kentai_engine::id::RunId;
use rand::TryRngCore as _;
use rand::rngs::OsRng;
use sha2::{Digest as _, Sha256};

/// 16 bytes, not all zero.
pub(super) type TraceId = [u8; 16];
/// 8 bytes, not all zero.
pub(super) type SpanId = [u8; 8];

/// What stands before a run's id, so that no other digest of it is the same.
const DOMAIN: &str = "kentai trace 1";

/// Where a request came from, as its `traceparent` says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Parent {
    pub(super) trace: TraceId,
    pub(super) span: SpanId,
    /// Whoever asks traces this.
    pub(super) is_sampled: bool,
}

/// The trace of a run.
pub(super) fn trace_of(run: &RunId) -> TraceId {
    head(&digest(run, &[]))
}

/// A span of a run's trace, by what it is: made only of numbers and of ids of this program, so that no name can be guessed from it.
pub(super) fn span_of(run: &RunId, parts: &[&str]) -> SpanId {
    head(&digest(run, parts))
}

/// Ids for what belongs to nobody's trace. None: this machine gives no random numbers.
pub(super) fn fresh<const N: usize>() -> Option<[u8; N]> {
    let mut bytes = [0; N];
    OsRng.try_fill_bytes(&mut bytes).ok()?;
    Some(bytes).filter(|bytes| bytes.iter().any(|byte| *byte != 0))
}

/// Is a trace among this share of all? The same trace is for everybody who asks so (`TraceIdRatioBased`).
pub(super) fn is_chosen(trace: TraceId, share: f64) -> bool {
    const ALL: f64 = (1_u64 << 53) as f64;
    let [.., a, b, c, d, e, f, g, h] = trace;
    // 53 bits: as many as the share can say.
    let place = u64::from_be_bytes([a, b, c, d, e, f, g, h]) >> 11;
    share >= 1.0 || (place as f64) < share * ALL
}

/// Reads a `traceparent`; what is not one counts as none.
pub(super) fn parent(text: &str) -> Option<Parent> {
    let [version, trace, span, flags] = text.splitn(5, '-').take(4).collect::<Vec<_>>().try_into().ok()?;
    let [version] = hex::<1>(version)?;
    // Later versions may put more behind, and never less before.
    if version == 0xff || (version == 0 && text.len() != 55) {
        return None;
    }
    let (trace, span, [flags]) = (hex::<16>(trace)?, hex::<8>(span)?, hex::<1>(flags)?);
    let is_some = trace.iter().any(|byte| *byte != 0) && span.iter().any(|byte| *byte != 0);
    is_some.then_some(Parent { trace, span, is_sampled: flags & 1 == 1 })
}

/// Lowercase digits only, as the specification says.
fn hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    let digits = text.as_bytes();
    if digits.len() != 2 * N || !digits.iter().all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(digit)) {
        return None;
    }
    let mut bytes = [0; N];
    for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(bytes)
}

fn digest(run: &RunId, parts: &[&str]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in [DOMAIN, run.as_str()].iter().chain(parts) {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

fn head<const N: usize>(digest: &[u8; 32]) -> [u8; N] {
    let mut id = [0; N];
    id.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
    id
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn ids_of_a_run_are_the_same_each_time_and_no_others() {
        let (one, two) = (RunId::from("r1"), RunId::from("r2"));
        assert_eq!(trace_of(&one), trace_of(&one));
        assert_ne!(trace_of(&one), trace_of(&two));
        let spans = [&["run", "0"][..], &["run", "1"], &["step", "1", "0"], &["step", "10"]];
        let ids: std::collections::BTreeSet<SpanId> = spans.iter().map(|parts| span_of(&one, parts)).collect();
        assert_eq!(ids.len(), spans.len());
    }

    #[test]
    fn a_share_chooses_about_so_many_and_a_larger_one_the_same_and_more() {
        let traces: Vec<TraceId> = (0..4000).map(|n| trace_of(&RunId::from(format!("r{n}")))).collect();
        let chosen = |share| traces.iter().filter(|trace| is_chosen(**trace, share)).count();
        assert_eq!((chosen(0.0), chosen(1.0)), (0, traces.len()));
        assert!((300..500).contains(&chosen(0.1)), "{}", chosen(0.1));
        assert!(traces.iter().all(|trace| !is_chosen(*trace, 0.1) || is_chosen(*trace, 0.2)));
    }

    #[test]
    fn a_traceparent_is_read_as_the_specification_says() {
        let found = parent(GOOD).expect("the specification's own example");
        assert_eq!((found.trace[0], found.span[7], found.is_sampled), (0x4b, 0xb7, true));
        assert!(!parent(&GOOD.replace("-01", "-00")).expect("good").is_sampled);
        assert!(parent(&GOOD.replacen("00-", "cc-", 1)).is_some());
        assert!(parent(&format!("{}-what-follows", GOOD.replacen("00-", "cc-", 1))).is_some());
        for bad in [
            "",
            "00",
            &GOOD.replacen("00-", "ff-", 1),
            &GOOD.to_uppercase(),
            &format!("{GOOD}-more"),
            &format!("{GOOD} "),
            &GOOD.replace("4bf92f3577b34da6a3ce929d0e0e4736", &"0".repeat(32)),
            &GOOD.replace("00f067aa0ba902b7", &"0".repeat(16)),
            &GOOD.replace("4bf", "+bf"),
            &GOOD.replace("4bf", "4b"),
            "00-S-001-x-01",
        ] {
            assert_eq!(parent(bad), None, "{bad}");
        }
    }

    #[test]
    fn fresh_ids_differ() {
        assert_ne!(fresh::<16>(), fresh::<16>());
    }
}
