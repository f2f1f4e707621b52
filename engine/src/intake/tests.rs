//! Whatever bytes come: an answer or a reason, and never a panic.

use proptest::prelude::*;

use super::completion::Completion;
use super::fastq_name::{FastqName, Mate};
use super::run_info::{RunInfo, names_a_run};
use super::schedule::{IfMissed, Schedule};
use super::{sample_sheet, stats};

const SEEDS: [&str; 5] = [
    "<?xml version=\"1.0\"?><RunInfo><Run Id=\"1\" Number=\"2\"><Flowcell>A</Flowcell><Instrument>M1</Instrument><Reads>\
        <Read Number=\"1\" NumCycles=\"2\" IsIndexedRead=\"N\"/></Reads><FlowcellLayout LaneCount=\"1\"/></Run></RunInfo>",
    "<RunCompletionStatus><RunStatus>RunCompleted</RunStatus><RunError><Type>a</Type></RunError></RunCompletionStatus>",
    "[Header]\nFileFormatVersion,2\n[BCLConvert_Data]\nLane,Sample_ID,Index,Index2\n1,S-A,AC,GT\n1,S-B,CA,GT\n",
    "Lane,SampleID,Index,# Reads\n1,S-A,AC,12\n",
    "{\"ConversionResults\":[{\"LaneNumber\":1,\"DemuxResults\":[{\"SampleId\":\"S-A\",\"NumberReads\":3}]}]}",
];

/// Reads bytes as everything.
fn read_all(bytes: &[u8]) {
    let _ = RunInfo::parse(bytes);
    let _ = Completion::parse(bytes);
    let _ = sample_sheet::read(bytes, 8);
    let _ = stats::read("Demultiplex_Stats.csv", bytes);
    let _ = stats::read("Stats.json", bytes);
}

proptest! {
    #[test]
    fn no_bytes_make_a_reader_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        read_all(&bytes);
    }

    #[test]
    fn no_broken_document_makes_a_reader_panic(
        seed in prop::sample::select(SEEDS.as_slice()),
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>(), 0_usize..3), 1..6),
    ) {
        let mut bytes = seed.as_bytes().to_vec();
        for (place, byte, how) in places {
            let at = place.index(bytes.len());
            match how {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => bytes.truncate(at.max(1)),
            }
        }
        read_all(&bytes);
    }

    #[test]
    fn no_text_makes_a_name_or_a_line_panic(text in "\\PC{0,40}", line in "[-0-9*/, a-zL#W?+@]{0,30}") {
        let _ = (FastqName::parse(&text), names_a_run(&text));
        for line in [text, line] {
            if let Ok(schedule) = Schedule::new(&line, "Europe/Berlin", IfMissed::Once) {
                let next = schedule.next(1_800_000_000_000_000);
                prop_assert!(next.is_none_or(|next| next > 1_800_000_000_000_000));
            }
        }
    }

    #[test]
    fn a_fastq_name_is_read_as_it_was_written(
        sample in "[A-Za-z0-9][A-Za-z0-9_-]{0,20}",
        number in 0_u32..1_000,
        lane in prop::option::of(1_u32..9),
        mate in prop::sample::select(&[Mate::R1, Mate::R2, Mate::I1, Mate::I2][..]),
    ) {
        let name = FastqName { sample, number, lane, mate, chunk: 1 };
        prop_assert_eq!(FastqName::parse(&name.to_string()), Some(name));
    }
}
