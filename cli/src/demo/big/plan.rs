//! Who comes when, and on which instrument run: the whole story up to the data, laid out from a seed before anything is asked. Pure.

use std::collections::BTreeMap;

use super::dice::Dice;
use super::fate::{CAST, Fate};

pub(super) const HOUR: i64 = 3_600_000_000;
pub(super) const DAY: i64 = 24 * HOUR;
/// How far back it goes.
pub(super) const HISTORY: i64 = 125 * DAY;
/// The newest instrument run was complete so long ago.
const NEWEST: i64 = 3 * HOUR;
/// Between two instrument runs.
const BETWEEN: i64 = 30 * HOUR;
/// Instrument runs with data.
const RUNS: usize = 82;
/// Nights of a control on its instrument.
const NIGHTS: usize = 60;
/// One in so many is the first of a family.
const FAMILY_EVERY: usize = 29;
/// Instrument of the nightly control that shows everything; the others' shows nothing.
const CONTROLLED: usize = 1;

pub(super) const INSTRUMENTS: [&str; 3] = ["N-01", "N-02", "N-03"];
pub(super) const HOSPITALS: [&str; 5] = ["H-003", "H-008", "H-011", "H-017", "H-024"];
pub(super) const PROGRAMS: [&str; 3] = ["rare", "cancer", "cohort"];
/// Whose the control materials are.
pub(super) const CONTROLS: &str = "CTRL";

/// An order line's story.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) fate: Fate,
    pub(super) hospital: &'static str,
    pub(super) program: &'static str,
    pub(super) assay: &'static str,
    pub(super) pseudonym: String,
    pub(super) barcode: String,
    pub(super) sex: &'static str,
    pub(super) family: String,
    pub(super) family_role: &'static str,
    pub(super) priority: &'static str,
    pub(super) announced: i64,
    /// When it is scanned, accessioned, prepared, put on an instrument; what does not happen has no time.
    pub(super) arrived: Option<i64>,
    pub(super) accessioned: Option<i64>,
    pub(super) prepared: Option<i64>,
    pub(super) loaded: Option<i64>,
    /// Night of a control, counted back from the newest.
    pub(super) night: Option<usize>,
}

/// An instrument run with data of some lines: whose, and reads.
#[derive(Clone, Debug, Default)]
pub(super) struct Flow {
    pub(super) at: i64,
    pub(super) instrument: usize,
    pub(super) number: usize,
    pub(super) samples: Vec<(usize, u64)>,
}

/// Everything that is laid out.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) lines: Vec<Line>,
    pub(super) flows: Vec<Flow>,
    /// Lines that are announced together.
    pub(super) shipments: Vec<Vec<usize>>,
}

/// Lays everything out. `now` is the end of the story.
pub(super) fn plan(seed: u64, specimens: usize, now: i64) -> Plan {
    let mut flows: Vec<Flow> = (0..RUNS)
        .map(|age| Flow {
            at: now - NEWEST - i64::try_from(age).unwrap_or(0) * BETWEEN,
            instrument: age % INSTRUMENTS.len(),
            number: RUNS - age,
            samples: Vec::new(),
        })
        .collect();
    let mut lines = Vec::new();
    while lines.len() < specimens {
        let number = lines.len();
        if number > CAST.len() && number.is_multiple_of(FAMILY_EVERY) && number + 3 <= specimens {
            (0..3).for_each(|member| patient(seed, (number, member), Fate::Archived, now, &mut lines, &mut flows));
            continue;
        }
        let fate = CAST.get(number).copied();
        let fate = fate.unwrap_or_else(|| Fate::of(Dice::of(seed, number as u64, "fate").below(1 << 40)));
        let first = if fate.is_of_family() { 0 } else { number };
        patient(seed, (first, number - first), fate, now, &mut lines, &mut flows);
    }
    let plenty = specimens >= 300;
    for (instrument, nights) in
        [(CONTROLLED, NIGHTS), (0, if plenty { 20 } else { 0 }), (2, if plenty { 20 } else { 0 })]
    {
        for night in 0..nights {
            control(seed, (instrument, night, nights), now, &mut lines, &mut flows);
        }
    }
    let shipments = shipments(&lines);
    Plan { lines, flows, shipments }
}

/// The flow that was complete about so many days ago.
fn flow_of(age_days: f64) -> usize {
    #[expect(clippy::cast_possible_truncation, reason = "a few hundred days at most")]
    let hours = (age_days * 24.0 - 3.0).max(0.0) as i64;
    usize::try_from((hours * HOUR + BETWEEN / 2) / BETWEEN).unwrap_or(0).min(RUNS - 1)
}

/// A span of days about a middle.
#[expect(clippy::cast_possible_truncation, reason = "a few hundred days at most")]
fn days(dice: &mut Dice, from: f64, to: f64) -> i64 {
    (dice.between(from, to) * DAY as f64) as i64
}

/// The next line; `first` is the number of its family's first one, which is its own when it is alone.
fn patient(
    seed: u64,
    (first, member): (usize, usize),
    fate: Fate,
    now: i64,
    lines: &mut Vec<Line>,
    flows: &mut [Flow],
) {
    let number = lines.len();
    let mut dice = Dice::of(seed, number as u64, "line");
    let mut line = stranger(&mut dice, number, fate);
    let is_family = fate.is_of_family() || number != first || first > CAST.len() && first.is_multiple_of(FAMILY_EVERY);
    if is_family {
        let mut family = Dice::of(seed, first as u64, "family");
        line.assay = "wgs_trio";
        line.priority = "routine";
        line.family = format!("F-{:04}", 311 + first);
        line.family_role = ["proband", "mother", "father"][member];
        line.sex = [line.sex, "female", "male"][member];
        (line.hospital, line.program) = (family.one_of(&HOSPITALS), "rare");
        times(&mut dice, &mut family, &mut line, number, now, flows);
    } else {
        let mut place = Dice::of(seed, number as u64, "flow");
        times(&mut dice, &mut place, &mut line, number, now, flows);
    }
    lines.push(line);
}

/// Somebody whose times are not known yet.
fn stranger(dice: &mut Dice, number: usize, fate: Fate) -> Line {
    let assay = match (fate, dice.below(100)) {
        (Fate::Released, _) => "low_pass",
        // What is shown closely has the long workflow, and no family to wait for.
        (Fate::Analyzing | Fate::AnalysisFailed | Fate::Contaminated | Fate::Identity, _) => "wgs_30x",
        (_, 0..66) => "wgs_30x",
        (_, 66..90) => "exome",
        _ => "wgs_urgent",
    };
    let program = dice.one_of(&PROGRAMS);
    Line {
        fate,
        hospital: dice.one_of(&HOSPITALS),
        program,
        assay,
        pseudonym: format!("P-{:05}-{:02}", number + 1, dice.below(100)),
        barcode: format!("{:04}-{:07}", 11 + dice.below(80), number * 7 + 93_412),
        sex: dice.one_of(&["female", "male"]),
        family: String::new(),
        family_role: "",
        priority: if assay == "wgs_urgent" { dice.one_of(&["urgent", "stat"]) } else { "routine" },
        announced: 0,
        arrived: None,
        accessioned: None,
        prepared: None,
        loaded: None,
        night: None,
    }
}

/// Backwards from where it stands now.
fn times(dice: &mut Dice, place: &mut Dice, line: &mut Line, number: usize, now: i64, flows: &mut [Flow]) {
    let pace = if line.assay == "wgs_urgent" { 0.4 } else { 1.0 };
    let mut at = match (line.fate.data_age(), line.fate) {
        (Some((from, to)), fate) => {
            let place = flow_of(place.between(from, to));
            let reads = if fate.is_short() { 562_000_000 + 2 * dice.below(18_000_000) } else { enough(dice) };
            flows[place].samples.push((number, reads));
            if fate == Fate::ToppedUp {
                flows[place - 5].samples.push((number, 48_000_000 + 2 * dice.below(9_000_000)));
            }
            line.loaded = Some(flows[place].at - days(dice, 1.6, 2.0));
            line.loaded.unwrap_or(now)
        }
        (None, Fate::Sequencing) => *line.loaded.insert(now - days(dice, 0.1, 2.0)),
        (None, Fate::SequencingLate) => *line.loaded.insert(now - days(dice, 6.0, 8.0)),
        _ => now,
    };
    let is_at = |fates: &[Fate]| fates.contains(&line.fate);
    if line.loaded.is_some() {
        at -= days(dice, 2.0 * pace, 5.0 * pace);
        line.prepared = Some(at);
    } else if is_at(&[Fate::InLab, Fate::FamilyInLab]) {
        at = now - days(dice, 0.5, 12.0);
        line.prepared = Some(at);
    } else if is_at(&[Fate::InLabLate]) {
        at = now - days(dice, 41.0, 45.0);
        line.prepared = Some(at);
    }
    if line.prepared.is_some() {
        at -= days(dice, 0.5 * pace, 2.0 * pace);
        line.accessioned = Some(at);
    } else if is_at(&[Fate::Accessioned]) {
        at = now - days(dice, 0.2, 1.8);
        line.accessioned = Some(at);
    } else if is_at(&[Fate::Canceled, Fate::ReopenProposed]) {
        at = now - days(dice, 8.0, 70.0);
        line.accessioned = Some(at);
    }
    if line.accessioned.is_some() {
        at -= days(dice, 0.1, 0.9);
        line.arrived = Some(at);
    } else if is_at(&[Fate::Received]) {
        at = now - days(dice, 0.05, 0.4);
        line.arrived = Some(at);
    } else if is_at(&[Fate::WithoutConsent]) {
        at = now - days(dice, 3.0, 5.0);
        line.arrived = Some(at);
    } else if is_at(&[Fate::Rejected]) {
        at = now - days(dice, 0.5, 9.0);
        line.arrived = Some(at);
    }
    line.announced = match line.fate {
        Fate::Expected => now - days(dice, 0.3, 5.0),
        Fate::ExpectedLate => now - days(dice, 9.0, 12.0),
        _ => at - days(dice, 1.5, 4.0),
    };
}

/// Reads that are enough for any assay here.
fn enough(dice: &mut Dice) -> u64 {
    612_000_000 + 2 * dice.below(44_000_000)
}

fn control(
    seed: u64,
    (instrument, night, nights): (usize, usize, usize),
    now: i64,
    lines: &mut Vec<Line>,
    flows: &mut Vec<Flow>,
) {
    let number = lines.len();
    let every = if instrument == CONTROLLED { DAY } else { 3 * DAY };
    let at = now - 7 * HOUR - i64::try_from(night).unwrap_or(0) * every;
    let mut dice = Dice::of(seed, number as u64, "control");
    let flow = Flow {
        at,
        instrument,
        number: 1000 + instrument * 100 + nights - night,
        samples: vec![(number, enough(&mut dice))],
    };
    flows.push(flow);
    lines.push(Line {
        fate: Fate::Archived,
        hospital: CONTROLS,
        program: "control",
        assay: ["control_n01", "control_n02", "control_n03"][instrument],
        pseudonym: "NA18939".into(),
        barcode: format!("NA18939-{}-{:03}", INSTRUMENTS[instrument], nights - night),
        sex: "female",
        family: String::new(),
        family_role: "",
        priority: "routine",
        announced: at - 44 * HOUR,
        arrived: Some(at - 40 * HOUR),
        accessioned: Some(at - 36 * HOUR),
        prepared: Some(at - 30 * HOUR),
        loaded: Some(at - 24 * HOUR),
        night: Some(night),
    });
}

/// What one hospital announces on one day goes in one parcel; a day is counted from the beginning.
fn shipments(lines: &[Line]) -> Vec<Vec<usize>> {
    let mut parcels: BTreeMap<(i64, &str), Vec<usize>> = BTreeMap::new();
    for (number, line) in lines.iter().enumerate() {
        parcels.entry((line.announced.div_euclid(DAY), line.hospital)).or_default().push(number);
    }
    parcels.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_764_000_000_000_000;

    #[test]
    fn the_same_seed_lays_out_the_same_and_everything_lies_in_the_past() {
        let one = plan(7, 600, NOW);
        assert_eq!(format!("{one:?}"), format!("{:?}", plan(7, 600, NOW)));
        assert_ne!(format!("{one:?}"), format!("{:?}", plan(8, 600, NOW)));
        for line in &one.lines {
            let times = [Some(line.announced), line.arrived, line.accessioned, line.prepared, line.loaded];
            let times: Vec<i64> = times.into_iter().flatten().collect();
            assert!(times.is_sorted() && times.iter().all(|at| *at > NOW - HISTORY && *at < NOW), "{line:?}");
        }
        assert_eq!(one.shipments.iter().map(Vec::len).sum::<usize>(), one.lines.len());
    }

    #[test]
    fn every_fate_of_the_cast_is_there() {
        let lines = plan(1, CAST.len(), NOW).lines;
        assert!(CAST.iter().all(|fate| lines.iter().any(|line| line.fate == *fate)));
    }
}
