//! Two tables of what steps asked for, were granted and used: memory, and processors. What is suggested is the engine's.

use kentai_engine::view::center::capacity::Waste;

use super::words::Words;
use crate::page::chart::shares;
use crate::page::markup::Markup;
use crate::page::shell::Shell;

/// Steps that are shown.
const ROWS: usize = 20;

pub(super) struct Table {
    pub(super) id: &'static str,
    pub(super) title: &'static str,
    pub(super) note: String,
    pub(super) empty: &'static str,
    pub(super) used: &'static str,
    pub(super) idle: &'static str,
    /// What the figures are not; empty where they are what they say.
    pub(super) says: &'static str,
    /// Somebody said what was granted.
    pub(super) granted: bool,
    pub(super) rows: Vec<Row>,
}

pub(super) struct Row {
    pub(super) workflow: String,
    pub(super) step: String,
    pub(super) attempts: String,
    pub(super) asked: String,
    pub(super) granted: String,
    pub(super) used: String,
    pub(super) bar: Markup,
    pub(super) idle: String,
    pub(super) suggested: String,
}

/// Both, each with what lay idle most first.
pub(super) fn tables(all: &[Waste], words: &'static Words, shell: &Shell) -> [Table; 2] {
    let of_memory: Vec<&Waste> = all.iter().filter(|one| one.says_memory()).collect();
    let mut of_cpus: Vec<&Waste> = all.iter().filter(|one| one.says_cpus()).collect();
    of_cpus.sort_by_key(|one| std::cmp::Reverse(one.idle_cpu_s));
    let note = |all: usize| words.waste_note(all.min(ROWS), all);
    [
        Table {
            id: "waste",
            title: words.waste,
            note: note(of_memory.len()),
            empty: words.no_waste,
            used: words.used,
            idle: words.idle,
            says: "",
            granted: of_memory.iter().take(ROWS).any(|one| one.granted.is_some()),
            rows: of_memory.into_iter().take(ROWS).map(|one| memory(one, words, shell)).collect(),
        },
        Table {
            id: "waste-cpus",
            title: words.waste_cpus,
            note: note(of_cpus.len()),
            empty: words.no_waste_cpus,
            used: words.used_on_average,
            idle: words.idle_cpus,
            says: words.average_says,
            granted: of_cpus.iter().take(ROWS).any(|one| one.cpus_granted.is_some()),
            rows: of_cpus.into_iter().take(ROWS).map(|one| cpus(one, words, shell)).collect(),
        },
    ]
}

fn memory(one: &Waste, words: &Words, shell: &Shell) -> Row {
    let size = |bytes: i64| u64::try_from(bytes).unwrap_or(0);
    let told = |bytes: i64| shell.say.memory(size(bytes));
    let held = one.granted.unwrap_or(one.asked);
    Row {
        workflow: one.workflow.clone(),
        step: one.step.clone(),
        attempts: shell.say.count(one.attempts),
        asked: told(one.asked),
        granted: one.granted.map_or_else(|| words.as_asked.to_owned(), told),
        used: told(one.used),
        bar: shares::bar(size(one.used), size(held), &words.used_of(&told(one.used), &told(held))),
        // Gibibyte-hours: what the machine kept free for nothing.
        idle: shell.say.count(i64::try_from(one.idle_byte_s / (1 << 30) / 3_600).unwrap_or(i64::MAX)),
        suggested: one.suggested.map_or_else(String::new, |bytes| words.suggested(bytes >> 30)),
    }
}

fn cpus(one: &Waste, words: &Words, shell: &Shell) -> Row {
    let held = one.cpus_granted.unwrap_or(one.cpus_asked);
    let used = tenths(one.cpus_used_milli);
    let milli = |count: i64| u64::try_from(count).unwrap_or(0);
    Row {
        workflow: one.workflow.clone(),
        step: one.step.clone(),
        attempts: shell.say.count(one.attempts),
        asked: shell.say.count(one.cpus_asked),
        granted: one.cpus_granted.map_or_else(|| words.as_asked.to_owned(), |count| shell.say.count(count)),
        bar: shares::bar(
            milli(one.cpus_used_milli),
            milli(held.saturating_mul(1_000)),
            &words.used_of(&used, &shell.say.count(held)),
        ),
        used,
        idle: shell.say.count(one.idle_cpu_s / 3_600),
        suggested: one.cpus_suggested.map_or_else(String::new, |count| format!("cpus: {count}")),
    }
}

/// `12.9`, of thousandths.
fn tenths(milli: i64) -> String {
    let tenths = (milli + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thousandths_are_told_in_tenths() {
        assert_eq!([12_949, 12_950, 980, 49].map(tenths), ["12.9", "13.0", "1.0", "0.0"]);
    }
}
