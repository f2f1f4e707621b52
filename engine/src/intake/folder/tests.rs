//! Run folders that grow, lie, break and change, without a disk.

mod build;

use proptest::prelude::*;

use self::build::{Folder, GOOD, MINUTE, SECOND};
use super::*;

/// The waits of a state, as English sentences.
fn waits(state: &FolderState) -> Vec<String> {
    match state {
        FolderState::Seen(watch) | FolderState::Settling(watch) => {
            watch.waits.iter().map(|wait| wait.words().en).collect()
        }
        _ => Vec::new(),
    }
}

/// Looks at `folder` every minute for `minutes`, and gives the last state with everything said.
fn look(folder: &mut Folder, state: Option<FolderState>, minutes: i64) -> (FolderState, Vec<Said>) {
    let (mut state, mut said) = (state, Vec::new());
    for _ in 0..minutes {
        folder.now += MINUTE;
        let judged = judge(state.as_ref(), &Rules::default(), &folder.look());
        said.extend(judged.said);
        state = Some(judged.state);
    }
    (state.expect("at least one look"), said)
}

fn arrival(said: &[Said]) -> &Arrival {
    match said {
        [Said::Complete(arrival)] => arrival,
        other => panic!("not complete once: {other:?}"),
    }
}

#[test]
fn a_whole_folder_is_complete_once_after_it_settled() {
    let mut folder = Folder::whole();
    let (state, said) = look(&mut folder, None, 2);
    assert_eq!((state.word(), said), ("settling", Vec::new()));
    assert!(waits(&state)[0].starts_with("nothing may change for 120 s"), "{:?}", waits(&state));
    let (state, said) = look(&mut folder, Some(state), 100);
    assert_eq!(state.word(), "complete");
    let arrival = arrival(&said);
    assert_eq!((arrival.rows.len(), arrival.run.lanes, arrival.name.as_str()), (3, 2, "run"));
    assert_eq!(arrival.key(), "instrument_run/20260102_LH00123_0042_A22ABCDLT3/22ABCDLT3");
}

#[test]
fn trigger_on_one_marker_file_work_starts_on_incomplete_data() {
    let mut folder = Folder::whole();
    // The marker is there from the first minute on; a base call file grows for an hour.
    let (mut state, mut said) = look(&mut folder, None, 1);
    for _ in 0..60 {
        folder.grow("Data/Intensities/BaseCalls/L002/C4.1/L002_2.cbcl");
        let (next, more) = look(&mut folder, Some(state), 1);
        assert!(more.is_empty());
        assert!(waits(&next).iter().any(|wait| wait.starts_with("sizes still change")), "{:?}", waits(&next));
        (state, said) = (next, more);
    }
    assert!(said.is_empty());
    let (_, said) = look(&mut folder, Some(state), 3);
    arrival(&said);
}

#[test]
fn a_marker_before_the_last_cycles_triggers_nothing_however_long_it_is_quiet() {
    let mut folder = Folder::whole();
    folder.remove("Data/Intensities/BaseCalls/L002/C4.1/L002_2.cbcl");
    let (state, said) = look(&mut folder, None, 600);
    assert!(said.is_empty());
    assert_eq!(waits(&state), ["base calls are missing: 1 of 8 cycles, the first is lane 2 cycle 4"]);
}

#[test]
fn each_missing_thing_is_named() {
    let check = |path: &str, word: &str, wanted: &str| {
        let mut folder = Folder::whole();
        folder.remove(path);
        let (state, said) = look(&mut folder, None, 30);
        assert!(said.is_empty() && state.word() == word, "{path}: {state:?}");
        assert!(waits(&state)[0].starts_with(wanted), "{:?}", waits(&state));
        assert!(!state.why().ja.is_empty());
        folder.restore(path);
        arrival(&look(&mut folder, Some(state), 4).1);
    };
    check("CopyComplete.txt", "seen", "waits for CopyComplete.txt (the instrument has copied its last file)");
    check("RTAComplete.txt", "seen", "waits for RTAComplete.txt");
    check("RunCompletionStatus.xml", "settling", "waits for RunCompletionStatus.xml");
    check("SampleSheet.csv", "settling", "waits for SampleSheet.csv");
    check("RunInfo.xml", "settling", "waits for RunInfo.xml");
}

#[test]
fn a_broken_sheet_waits_with_its_first_mistake_and_starts_when_it_is_mended() {
    let mut folder = Folder::whole();
    folder.write(
        "SampleSheet.csv",
        "[Header]\nFileFormatVersion,2\n[BCLConvert_Data]\nLane,Sample_ID,Index\n9,S-A,AAAC\n1,S B,CCCA\n",
    );
    let (state, said) = look(&mut folder, None, 30);
    assert!(said.is_empty());
    let wanted = "SampleSheet.csv row 5, column `Lane`: expected a lane from 1 to 8, found `9` (and 1 more mistakes)";
    assert_eq!(waits(&state), [wanted]);
    folder.restore("SampleSheet.csv");
    let (_, said) = look(&mut folder, Some(state), 10);
    arrival(&said);
}

#[test]
fn a_failed_run_is_said_once_and_never_starts() {
    let mut folder = Folder::whole();
    folder.write(
        "RunCompletionStatus.xml",
        "<RunCompletionStatus><RunStatus>RunErrored</RunStatus></RunCompletionStatus>",
    );
    folder.remove("CopyComplete.txt");
    // While the folder still changes the word may be another tomorrow.
    let (state, said) = look(&mut folder, None, 2);
    assert!(said.is_empty() && waits(&state)[0].starts_with("the run failed"));
    let (state, said) = look(&mut folder, Some(state), 30);
    assert!(matches!(said.as_slice(), [Said::Failed(words)] if words.en.contains("RunErrored")), "{said:?}");
    // A log that goes on is no news.
    folder.write("Logs/late.log", "x");
    let (state, said) = look(&mut folder, Some(state), 30);
    assert_eq!((state.word(), said), ("failed", Vec::new()));
    // A person transfers the run anew.
    folder.restore("CopyComplete.txt");
    folder.restore("RunCompletionStatus.xml");
    arrival(&look(&mut folder, Some(state), 30).1);
}

#[test]
fn a_run_that_was_stopped_early_never_starts() {
    let mut folder = Folder::whole();
    folder.write(
        "RunCompletionStatus.xml",
        "<RunCompletionStatus><CompletionStatus>UserEndedEarly</CompletionStatus></RunCompletionStatus>",
    );
    let (state, said) = look(&mut folder, None, 30);
    assert_eq!(state.word(), "stopped_early");
    assert!(matches!(said.as_slice(), [Said::StoppedEarly(_)]));
}

#[test]
fn a_folder_that_changes_afterwards_is_a_deviation_once_and_no_second_run() {
    let mut folder = Folder::whole();
    let (state, _) = look(&mut folder, None, 10);
    folder.grow("Data/Intensities/BaseCalls/L001/C1.1/L001_1.cbcl");
    let (state, said) = look(&mut folder, Some(state), 10);
    assert!(matches!(said.as_slice(), [Said::Changed { .. }]) && state.word() == "changed");
    folder.grow("Data/Intensities/BaseCalls/L001/C1.1/L001_1.cbcl");
    let (state, said) = look(&mut folder, Some(state), 100);
    assert_eq!((state.word(), said), ("changed", Vec::new()));
}

#[test]
fn the_instruments_later_analysis_is_beside_the_run_unless_a_marker_lies_in_it() {
    let mut folder = Folder::whole();
    let (state, _) = look(&mut folder, None, 10);
    folder.write("Analysis/1/Data/x.ora", "x");
    let (state, said) = look(&mut folder, Some(state), 10);
    assert_eq!((state.word(), said), ("complete", Vec::new()));
    let mut rules = Rules::default();
    rules.markers.push("Analysis/1/CopyComplete.txt".to_owned());
    assert!(rules.counts("Analysis/1/Data/x.ora") && !Rules::default().counts("Analysis/1/Data/x.ora"));
    assert!(Rules::default().counts("Analysis.csv"));
}

#[test]
fn a_copy_under_way_holds_the_folder_back() {
    let mut folder = Folder::whole();
    folder.write("Data/.L001_1.cbcl.Ab3dE9", "x");
    let (state, said) = look(&mut folder, None, 30);
    assert!(said.is_empty());
    assert_eq!(waits(&state), ["is still being copied: `Data/.L001_1.cbcl.Ab3dE9` is not whole (1 such files)"]);
}

#[test]
fn a_missing_mate_holds_the_folder_back_and_is_named() {
    let mut folder = Folder::whole();
    folder.write("Data/S-A_S1_L001_R1_001.fastq.gz", "x");
    let (state, said) = look(&mut folder, None, 30);
    assert!(said.is_empty() && waits(&state)[0].contains("Data/S-A_S1_L001_R2_001.fastq.gz is not there"));
}

#[test]
fn a_look_that_could_not_see_everything_starts_nothing_and_reports_no_change() {
    let unseen = |folder: &Folder| {
        let mut look = folder.look();
        look.trouble = Some(Trouble::Unreadable { path: "Data".to_owned(), reason: "permission denied".to_owned() });
        look
    };
    let mut folder = Folder::whole();
    let (state, _) = look(&mut folder, None, 2);
    let judged = judge(Some(&state), &Rules::default(), &unseen(&folder));
    assert_eq!(waits(&judged.state), ["`Data` cannot be read: permission denied"]);
    let (state, said) = look(&mut folder, Some(judged.state), 2);
    assert!(said.is_empty(), "it must settle again");
    let (state, said) = look(&mut folder, Some(state), 3);
    arrival(&said);
    assert_eq!(judge(Some(&state), &Rules::default(), &unseen(&folder)), Judged { state, said: None });
}

#[test]
fn a_clock_that_is_set_back_begins_the_wait_again() {
    let mut folder = Folder::whole();
    let (state, _) = look(&mut folder, None, 2);
    folder.now -= 60 * MINUTE;
    let (state, said) = look(&mut folder, Some(state), 1);
    assert!(said.is_empty());
    arrival(&look(&mut folder, Some(state), 4).1);
}

#[test]
fn rows_of_unknown_specimens_and_data_without_rows_are_kept() {
    let mut folder = Folder::whole();
    for path in ["Data/S-Z_S9_L001", "Data/S-Y_S8_L001", "again/S-Y_S8_L001"] {
        folder.write(&format!("{path}_R1_001.fastq.gz"), "x");
        folder.write(&format!("{path}_R2_001.fastq.gz"), "x");
    }
    folder.write("Data/whose.fq.gz", "x");
    let (_, said) = look(&mut folder, None, 30);
    let omissions = arrival(&said).omissions(|sample| ["S-A", "S-Y"].contains(&sample));
    let doubled = |mate: &str| Omission::DoubledFile {
        first: format!("Data/S-Y_S8_L001_{mate}_001.fastq.gz"),
        second: format!("again/S-Y_S8_L001_{mate}_001.fastq.gz"),
    };
    let wanted = [
        Omission::RowWithoutSpecimen { row: 7, sample: "S-B".to_owned() },
        Omission::DataWithoutRow { sample: "S-Y".to_owned() },
        Omission::DataWithoutSpecimen { sample: "S-Z".to_owned() },
        Omission::UnknownFile { path: "Data/whose.fq.gz".to_owned() },
        doubled("R1"),
        doubled("R2"),
        Omission::RowWithoutData { row: 5, sample: "S-A".to_owned() },
        Omission::RowWithoutData { row: 6, sample: "S-A".to_owned() },
        Omission::RowWithoutData { row: 7, sample: "S-B".to_owned() },
    ];
    assert_eq!(omissions, wanted);
}

#[test]
fn counts_of_the_latest_demultiplexing_come_with_the_arrival() {
    let mut folder = Folder::whole();
    let header = "Lane,SampleID,Index,# Reads\n";
    folder.write("Demux/2/Reports/Demultiplex_Stats.csv", &format!("{header}1,S-A,AAAC,7\n"));
    folder.write("Demux/10/Reports/Demultiplex_Stats.csv", &format!("{header}1,S-A,AAAC,594600000\n"));
    let (_, said) = look(&mut folder, None, 30);
    assert_eq!(crate::intake::stats::reads_of(&arrival(&said).stats, "S-A"), 594_600_000);
}

#[test]
fn states_are_stored_and_read_back_and_older_ones_too() {
    let mut folder = Folder::whole();
    folder.remove("CopyComplete.txt");
    let (seen, _) = look(&mut folder, None, 3);
    folder.restore("CopyComplete.txt");
    let (complete, _) = look(&mut folder, Some(seen.clone()), 9);
    for state in [seen, complete] {
        let text = serde_json::to_string(&state).expect("writable");
        assert_eq!(serde_json::from_str::<FolderState>(&text).expect("readable"), state);
    }
    let old: FolderState =
        serde_json::from_str(r#"{"state":"settling","since":1,"fingerprint":"ab","later":true}"#).expect("readable");
    assert_eq!(old.word(), "settling");
}

proptest! {
    /// Whatever is written whenever, marker and status early or late: complete is said at most once, and never within `settle` of a
    /// write that a look could have seen. With writes that follow one another closely, never before the last one.
    #[test]
    fn complete_is_said_at_most_once_and_never_before_the_last_write_has_settled(
        order in Just((0..GOOD.len()).collect::<Vec<_>>()).prop_shuffle(),
        gaps in prop::collection::vec(1_i64..119, GOOD.len()),
        growths in prop::collection::vec((0_usize..GOOD.len(), 1_i64..119), 0..12),
        every in 5_i64..90,
    ) {
        let mut folder = Folder::empty();
        let mut writes: Vec<(i64, usize)> = Vec::new();
        let mut at = 0;
        for (file, gap) in order.into_iter().zip(gaps).chain(growths) {
            at += gap * SECOND;
            writes.push((at, file));
        }
        let last = at;
        let (mut state, mut completed) = (None, Vec::new());
        let mut pending = writes.into_iter().peekable();
        while folder.now < last + 600 * SECOND {
            folder.now += every * SECOND;
            while let Some((_, file)) = pending.next_if(|(at, _)| *at <= folder.now) {
                folder.touch(file);
            }
            let judged = judge(state.as_ref(), &Rules::default(), &folder.look());
            if matches!(judged.said, Some(Said::Complete(_))) {
                completed.push(folder.now);
            }
            let changed = matches!(judged.said, Some(Said::Changed { .. }));
            prop_assert!(!changed);
            state = Some(judged.state);
        }
        prop_assert_eq!(completed.len(), 1);
        prop_assert!(completed[0] >= last + 120 * SECOND);
    }
}
