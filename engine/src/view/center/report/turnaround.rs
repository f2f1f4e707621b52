//! How long each gate of each assay took.
//!
//! Durations are counted in buckets and not kept: what this room needs grows with the assays, not with the order lines.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::clock::Micros;
use crate::people::permission::{Action, Principal};
use crate::specimen::expectation::Targets;
use crate::specimen::record::{Assay, Kind, Pause};
use crate::state::order::Stage;
use crate::store::read::Reader;
use crate::store::rows::report::OrderTimes;
use crate::view::center::access::{Refused, part};
use crate::view::document;

/// Order lines read at once.
const PAGE: i64 = 1_000;
const DAY_US: f64 = 86_400e6;
/// Leading bits of a duration that tell buckets apart, beside the first: a bucket is a thousandth of its durations wide.
const BITS: u32 = 10;

/// How long a gate took, over everything that passed it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Turnaround {
    /// `wgs_30x@1`
    pub assay: String,
    /// `arrival`, `accession`, `lab`, `sequencing`, `analysis`, `delivery`, `receipt`, `total`.
    pub gate: String,
    /// How many passed it.
    pub count: usize,
    /// Days, the middle one. This and the next two are durations that were there, at most a thousandth above the exact rank.
    pub median_days: f64,
    /// Days; three quarters took no longer.
    pub p75_days: f64,
    /// Days; nine tenths took no longer.
    pub p90_days: f64,
    /// Days that the assay allows.
    pub target_days: f64,
    /// Of 1: in the target.
    pub share_in_target: f64,
    /// Days that did not count, of all together.
    pub paused_days: f64,
}

/// Name, from where, to where, days that the assay allows.
type Gate = (&'static str, Stage, Stage, fn(&Targets) -> f64);

const GATES: &[Gate] = &[
    ("arrival", Stage::Expected, Stage::Received, |targets| targets.arrival),
    ("accession", Stage::Received, Stage::Accessioned, |targets| targets.accession),
    ("lab", Stage::Accessioned, Stage::Sequencing, |targets| targets.lab),
    ("sequencing", Stage::Sequencing, Stage::Sequenced, |targets| targets.sequencing),
    ("analysis", Stage::Sequenced, Stage::Offered, |targets| targets.analysis),
    ("delivery", Stage::Released, Stage::Delivered, |targets| targets.delivery),
    ("receipt", Stage::Delivered, Stage::Acknowledged, |targets| targets.receipt),
    ("total", Stage::Expected, Stage::Acknowledged, |targets| targets.total),
];

/// The part of an order line's document that says when.
#[derive(Deserialize, JsonSchema)]
struct Times {
    #[serde(default)]
    since: BTreeMap<String, Micros>,
    #[serde(default)]
    pauses: Vec<Pause>,
}

/// Durations of nearly the same length.
#[derive(Default)]
struct Bucket {
    count: usize,
    longest_us: Micros,
}

/// How long a gate took, of many order lines.
#[derive(Default)]
struct Spread {
    buckets: BTreeMap<Micros, Bucket>,
    count: usize,
    in_target: usize,
    paused_us: Micros,
}

impl Spread {
    fn add(&mut self, took: Took, target_days: f64) {
        let bucket = self.buckets.entry(floor(took.us)).or_default();
        bucket.count += 1;
        bucket.longest_us = bucket.longest_us.max(took.us);
        self.count += 1;
        self.in_target += usize::from(days(took.us) <= target_days);
        self.paused_us = self.paused_us.saturating_add(took.paused_us);
    }

    /// The nearest rank, microseconds: a duration that was there.
    fn percentile(&self, percent: usize) -> Micros {
        let mut rank = (self.count * percent).div_ceil(100).max(1);
        for bucket in self.buckets.values() {
            if rank <= bucket.count {
                return bucket.longest_us;
            }
            rank -= bucket.count;
        }
        0
    }

    #[expect(clippy::cast_precision_loss, reason = "counts")]
    fn told(&self, assay: &str, gate: &str, target_days: f64) -> Turnaround {
        Turnaround {
            assay: assay.to_owned(),
            gate: gate.to_owned(),
            count: self.count,
            median_days: days(self.percentile(50)),
            p75_days: days(self.percentile(75)),
            p90_days: days(self.percentile(90)),
            target_days,
            share_in_target: self.in_target as f64 / self.count.max(1) as f64,
            paused_days: days(self.paused_us),
        }
    }
}

/// The bucket of a duration: its leading bits, the rest zero.
fn floor(us: Micros) -> Micros {
    let shift = us.max(1).ilog2().saturating_sub(BITS);
    us >> shift << shift
}

#[expect(clippy::cast_precision_loss, reason = "microseconds of some thousand years")]
fn days(us: Micros) -> f64 {
    us as f64 / DAY_US
}

/// Times at which a gate was passed, microseconds.
pub type Window = std::ops::Range<Micros>;

/// Time that counts, and time that does not.
#[derive(Clone, Copy)]
struct Took {
    us: Micros,
    paused_us: Micros,
}

/// Between two stages of the newest round.
fn took(row: &OrderTimes, times: &Times, from: Stage, to: Stage) -> Option<Took> {
    let to = *times.since.get(to.word())?;
    let begun = times.since.get(from.word()).copied();
    let from = if from == Stage::Expected { begun.unwrap_or(row.created_us) } else { begun? };
    if to < from {
        return None;
    }
    let paused = times.pauses.iter().map(|pause| (pause.to_us.unwrap_or(to).min(to) - pause.from_us.max(from)).max(0));
    let paused_us: Micros = paused.sum();
    Some(Took { us: to - from - paused_us, paused_us })
}

/// What is known of one assay version.
struct Gathered {
    targets: Targets,
    /// For each time that is asked for.
    windows: Vec<[Spread; GATES.len()]>,
}

impl Gathered {
    async fn of(reader: &Reader, assay: &str, windows: usize) -> Result<Self, Refused> {
        let targets = match reader.record(Kind::Assay.word(), assay).await? {
            Some(row) => document::<Assay>("an assay", &row.document)?.targets,
            None => Targets::default(),
        };
        Ok(Self { targets, windows: (0..windows).map(|_| Default::default()).collect() })
    }

    fn add(&mut self, row: &OrderTimes, windows: &[Window]) -> Result<(), Refused> {
        let times: Times = document("an order line", &row.document)?;
        for (at, (_, from, to, target)) in GATES.iter().enumerate() {
            let Some(passed) = times.since.get(to.word()) else { continue };
            let Some(took) = took(row, &times, *from, *to) else { continue };
            for (window, spreads) in windows.iter().zip(&mut self.windows) {
                if window.contains(passed) {
                    spreads[at].add(took, target(&self.targets));
                }
            }
        }
        Ok(())
    }
}

/// How long each gate of each assay took; time that does not count is left out and shown beside.
///
/// It costs one pass over all order lines that they may see, in pages of 1,000, so its time grows with their number: ask for it now and
/// then, not with every page that is shown. Its memory does not: per assay version and gate some thousand counts, however many order
/// lines there are. The price is that a percentile is exact to a thousandth.
///
/// # Errors
/// When they may not see reports, or the database cannot be read.
pub async fn turnaround(reader: &Reader, who: &Principal) -> Result<Vec<Turnaround>, Refused> {
    let always = Micros::MIN..Micros::MAX;
    let all = turnaround_in(reader, who, std::slice::from_ref(&always)).await?;
    Ok(all.into_iter().next().unwrap_or_default())
}

/// The same for each of these times, by when the gate was passed; one pass, however many there are.
///
/// # Errors
/// When they may not see reports, or the database cannot be read.
pub async fn turnaround_in(
    reader: &Reader,
    who: &Principal,
    windows: &[Window],
) -> Result<Vec<Vec<Turnaround>>, Refused> {
    let Some(institution) = part(who, &[Action::ReadReport], None)?.institution() else {
        return Ok(vec![Vec::new(); windows.len()]);
    };
    let mut assays: BTreeMap<String, Gathered> = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = reader.order_times(institution.as_deref(), &after, PAGE).await?;
        for row in &page {
            let assay = format!("{}@{}", row.assay, row.assay_version);
            match assays.get_mut(&assay) {
                Some(gathered) => gathered.add(row, windows)?,
                None => {
                    let mut gathered = Gathered::of(reader, &assay, windows.len()).await?;
                    gathered.add(row, windows)?;
                    assays.insert(assay, gathered);
                }
            }
        }
        match page.last() {
            Some(last) if i64::try_from(page.len()).is_ok_and(|len| len >= PAGE) => {
                after.clone_from(&last.order_line_id);
            }
            _ => break,
        }
    }
    let told = |at: usize| {
        let each = assays.iter().flat_map(move |(assay, gathered)| {
            let passed = GATES.iter().zip(&gathered.windows[at]).filter(|(_, spread)| spread.count > 0);
            passed.map(move |((gate, _, _, target), spread)| spread.told(assay, gate, target(&gathered.targets)))
        });
        each.collect()
    };
    Ok((0..windows.len()).map(told).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    const DAY: Micros = 86_400_000_000;

    fn spread(took: impl IntoIterator<Item = (Micros, Micros)>, target_days: f64) -> Spread {
        let mut spread = Spread::default();
        took.into_iter().for_each(|(us, paused_us)| spread.add(Took { us, paused_us }, target_days));
        spread
    }

    #[test]
    fn a_percentile_is_a_duration_that_was_there() {
        let spread = spread([4, 1, 3, 2].map(|days| (days * DAY, 0)), 1.0);
        assert_eq!([50, 75, 90].map(|percent| spread.percentile(percent) / DAY), [2, 3, 4]);
    }

    #[test]
    fn a_share_is_of_all_that_passed_and_pauses_are_shown() {
        let spread = spread([(1, 0), (5, 2), (9, 0), (30, 0)].map(|(us, paused)| (us * DAY, paused * DAY)), 21.0);
        let one = spread.told("wgs@1", "lab", 21.0);
        assert_eq!((one.count, (one.share_in_target * 100.0) as i64, one.paused_days as i64), (4, 75, 2));
    }

    #[test]
    fn many_durations_are_few_buckets_and_a_percentile_is_right_to_a_thousandth() {
        // From a minute to forty days, spread over all lengths alike.
        let longest: Vec<Micros> = (0..100_000).map(|n| 60_000_000 + n * n * 345).collect();
        let spread = spread(longest.iter().map(|us| (*us, 0)), 21.0);
        assert!(spread.buckets.len() < 20_000, "{}", spread.buckets.len());
        for percent in [50, 75, 90] {
            let exact = longest[(longest.len() * percent).div_ceil(100) - 1];
            let found = spread.percentile(percent);
            assert!(exact <= found && found - exact <= exact / 1_000, "{percent} %: {found} for {exact}");
            assert!(longest.binary_search(&found).is_ok(), "{found} was not there");
        }
    }

    #[test]
    fn a_pause_counts_only_where_it_lies_between_the_two_stages() {
        let since = [("received", 10), ("accessioned", 40)].map(|(stage, at)| (stage.to_owned(), at));
        let pause = |from_us, to_us| Pause { from_us, to_us, reason: String::new() };
        let times = Times { since: since.into(), pauses: vec![pause(0, Some(15)), pause(30, None)] };
        let row = OrderTimes {
            order_line_id: "O1".into(),
            assay: "wgs".into(),
            assay_version: "1".into(),
            created_us: 4,
            document: String::new(),
        };
        let found = |from, to| took(&row, &times, from, to).map(|took| (took.us, took.paused_us));
        assert_eq!(found(Stage::Received, Stage::Accessioned), Some((15, 15)));
        assert_eq!(found(Stage::Expected, Stage::Received), Some((0, 6)));
        assert_eq!(found(Stage::Accessioned, Stage::Sequencing), None);
    }
}
