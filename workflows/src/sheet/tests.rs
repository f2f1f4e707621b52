//! Whole sheets in, specimens or mistakes out.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::diagnostic::{Severity, has_errors};
use crate::plan::Priority;
use crate::plan::fixture::{by_lane, lanes, param, step, workflow};
use crate::value::FileValue;
use crate::workflow::{InputKind, InputSpec, ParamKind, Receive};

const PATH: &str = "/data/samples.csv";

fn sheet(text: &str) -> SheetRead {
    read(PATH, text.as_bytes(), &by_lane())
}

/// Code, row and column number of every mistake.
fn check(text: &str, expected: &[(&str, usize, usize)]) {
    let read = sheet(text);
    let found: Vec<_> = read.diagnostics.iter().map(|note| (note.code, note.line, note.column)).collect();
    assert_eq!(found, expected, "{:#?}", read.diagnostics);
}

#[test]
fn lanes_of_a_specimen_become_its_list() {
    let read = sheet(
        "specimen,lane,r1,r2,sex,barcode,participant,consent,priority\n\
         S1,L001,a_1.fq.gz,a_2.fq.gz,female, 00１2 ,P-7,C-1:sequencing;industry,stat\n\
         S2,L001,/x/c_1.fq.gz,/x/c_2.fq.gz,,,,,\n\
         S1,L002,b_1.fq.gz,b_2.fq.gz,,,,,\n",
    );
    assert_eq!(read.diagnostics, []);
    let [one, two] = &read.specimens[..] else { panic!("two specimens") };
    assert_eq!((one.id.as_str(), two.id.as_str()), ("S1", "S2"));
    assert_eq!((one.barcode.as_deref(), one.participant.as_deref()), (Some(" 00１2 "), Some("P-7")));
    assert_eq!(one.consent.as_ref().map(|consent| consent.scopes.len()), Some(2));
    assert_eq!((one.priority, two.priority), (Priority::Stat, Priority::Routine));
    assert_eq!((&one.values["sex"], &two.values["sex"]), (&json!("female"), &json!("unknown")));
    let lanes = one.values["lanes"].as_array().expect("a list");
    assert_eq!((&lanes[0]["id"], &lanes[1]["id"]), (&json!("L001"), &json!("L002")));
    let r2 = FileValue::of(&lanes[1]["r2"]).expect("a file");
    assert_eq!((r2.name.as_str(), r2.path.as_deref()), ("b_2.fq.gz", Some("/data/b_2.fq.gz")));
    let last = read.files.last().expect("a file");
    assert_eq!((last.row, last.column.as_str(), last.column_number, last.specimen.as_str()), (4, "r2", 4, "S1"));
}

#[test]
fn every_mistake_of_a_sheet_is_reported_at_once() {
    check(
        "specimen,lane,r1,r2,sexx,r1_sha256\n\
         $(touch x),L001,a,b,,\n\
         S1,L001,c,,,xyz\n\
         S1,L001,d,s3://x/e,,\n\
         S1,L002\n\
         ,L003,f,g,,\n\
         S2,,h,i,,\n",
        &[
            ("S104", 1, 5),
            ("S103", 2, 1),
            ("S105", 3, 4),
            ("S109", 3, 6),
            ("S107", 4, 2),
            ("S110", 4, 4),
            ("S101", 5, 1),
            ("S105", 6, 1),
            ("S105", 7, 2),
        ],
    );
}

#[test]
fn hostile_ids_are_refused_and_nothing_else_happens() {
    for id in ["$(touch x)", "../x", "\"S1\nS2\"", "-rf", "\"S1\n\"", ".", "検体", "S1;ls"] {
        let read = sheet(&format!("specimen,lane,r1,r2\n{id},L001,a,b\n"));
        let codes: Vec<_> = read.diagnostics.iter().map(|note| (note.code, note.line)).collect();
        assert_eq!(codes, [("S103", 2)], "{id}");
        assert_eq!((read.specimens.len(), read.files.len()), (0, 0));
        assert!(!read.diagnostics[0].message.en.contains('\n'));
    }
}

#[test]
fn a_message_names_the_row_the_column_and_the_remedy() {
    let read = sheet("specimen,lane,r1,r2,sexx\nS1,L001,a,b,male\n");
    assert_eq!(read.diagnostics[0].message.en, "samples.csv row 1, column `sexx`: unknown column; did you mean `sex`?");
    assert_eq!(
        read.diagnostics[0].message.ja.as_deref(),
        Some("samples.csv の 1 行目、列 `sexx`: 知らない列です。`sex` のことですか？")
    );
    let read = sheet("specimen,lane,r1,r2,sex\nS1,L001,a,b,Male\n");
    assert_eq!(
        read.diagnostics[0].message.en,
        "samples.csv row 2, column `sex`: `Male` is not one of female, male, unknown; did you mean `male`?"
    );
}

#[test]
fn a_byte_order_mark_and_full_width_characters_are_read_with_a_warning() {
    let read = sheet("\u{FEFF}specimen,lane,r1,r2\nＳ１,Ｌ００１,a,b\nS1,L002,c,d\n");
    let found: Vec<_> =
        read.diagnostics.iter().map(|note| (note.code, note.severity, note.line, note.column)).collect();
    let warning = Severity::Warning;
    assert_eq!(found, [("S115", warning, 1, 1), ("S116", warning, 2, 1), ("S116", warning, 2, 2)]);
    assert_eq!((read.specimens.len(), read.specimens[0].id.as_str()), (1, "S1"));
}

#[test]
fn missing_columns_and_rows_are_named() {
    check("specimen,r1,r2\nS1,a,b\n", &[("S102", 1, 1)]);
    check(
        "specimen;lane;r1;r2\nS1;L001;a;b\n",
        &[("S104", 1, 1), ("S102", 1, 1), ("S102", 1, 1), ("S102", 1, 1), ("S102", 1, 1)],
    );
    check("specimen,lane,r1,r2\n", &[("S111", 2, 1)]);
    check("", &[("S111", 1, 1)]);
    check("specimen,lane,r1,r2,r1\nS1,L001,a,b,c\n", &[("S117", 1, 5)]);
}

#[test]
fn rows_of_one_specimen_must_agree() {
    check("specimen,lane,r1,r2,sex\nS1,L001,a,b,male\nS1,L002,c,d,female\n", &[("S108", 3, 5)]);
    check("specimen,lane,r1,r2,barcode\nS1,L001,a,b,001\nS1,L002,c,d,1\n", &[("S108", 3, 5)]);
}

#[test]
fn look_alikes_and_files_used_twice_are_warned_of() {
    check("specimen,lane,r1,r2\ns1,L001,a,b\nS1,L001,c,d\n", &[("S114", 3, 1)]);
    check("specimen,lane,r1,r2\nS1,L001,a,b\nS2,L001,a,d\n", &[("S118", 3, 3)]);
}

#[test]
fn a_specimen_has_one_row_where_there_is_no_list() {
    let reads = InputSpec { name: "reads".into(), kind: InputKind::File, required: true };
    let depth = crate::workflow::Param { required: false, ..param("depth", ParamKind::Number) };
    let workflow =
        crate::workflow::Workflow { inputs: vec![reads], fields: vec![depth], ..workflow(vec![step("receive")]) };
    let md5 = "d41d8cd98f00b204e9800998ecf8427e";
    let read =
        read("/d/s.tsv", format!("specimen\treads\treads_md5\tdepth\nS1\ta.fq\t{md5}\t３０\n").as_bytes(), &workflow);
    assert!(!has_errors(&read.diagnostics));
    let specimen = &read.specimens[0];
    assert_eq!((&specimen.values["depth"], specimen.checksums[0].path.as_str()), (&json!(30), "/d/a.fq"));
    let found = super::read("/d/s.csv", b"specimen,reads,reads_md5\nS1,a,\nS1,a,\nS2,,\n", &workflow).diagnostics;
    let codes: Vec<_> = found.iter().map(|note| (note.code, note.line, note.column)).collect();
    assert_eq!(codes, [("S107", 3, 1), ("S105", 4, 2)]);
}

#[test]
fn a_list_needs_its_fewest_items() {
    let mut lanes = lanes();
    if let InputKind::List { min_items, .. } = &mut lanes.kind {
        *min_items = 2;
    }
    let workflow = crate::workflow::Workflow { inputs: vec![lanes], ..by_lane() };
    let read = read(PATH, b"specimen,lane,r1,r2\nS1,L001,a,b\n", &workflow);
    assert_eq!((read.diagnostics[0].code, read.specimens.len()), ("S119", 0));
}

#[test]
fn sizes_are_filled_in_and_missing_files_point_at_their_cell() {
    let mut read = sheet("specimen,lane,r1,r2\nS1,L001,a,b\n");
    set_size(&mut read.specimens[0], "/data/a", 7);
    let r1 = FileValue::of(&read.specimens[0].values["lanes"][0]["r1"]).expect("a file");
    assert_eq!(r1.size, Some(7));
    let note = missing_file(PATH, &read.files[1], Reason::NotFound);
    assert_eq!(note.message.en, "samples.csv row 2, column `r2`: the file /data/b does not exist");
    assert_eq!((note.code, note.line, note.column), ("S110", 2, 4));
}

#[test]
fn an_illumina_sheet_names_the_files_of_the_demultiplexer() {
    let text = "[Header]\nFileFormatVersion,2\n[Reads]\nRead1Cycles,151\nRead2Cycles,151\n[BCLConvert_Data]\n\
                Lane,Sample_ID,Index,Index2\n1,S-A,AAAC,GGGT\n1,S-B,CCCA,TTTG\n2,S-A,AAAC,GGGT\n";
    let read = sheet(text);
    assert_eq!(read.diagnostics, []);
    let names: Vec<&str> = read.files.iter().map(|file| file.path.as_str()).collect();
    assert_eq!(names[2], "/data/S-B_S2_L001_R1_001.fastq.gz");
    assert_eq!(names[5], "/data/S-A_S1_L002_R2_001.fastq.gz");
    assert_eq!(read.specimens[0].values["lanes"][1]["id"], "L002");
    let other = super::read(PATH, text.as_bytes(), &workflow(vec![step("receive")]));
    assert_eq!(other.diagnostics[0].code, "S121");
    check(&text.replace("Read2Cycles,151\n", ""), &[("S121", 1, 1)]);
    check(&text.replace("2,S-A,AAAC", "1,S-A,AAAC"), &[("S107", 10, 1)]);
    check(&text.replace("2,S-A", ",S-A"), &[("S106", 10, 1), ("S105", 10, 1)]);
}

#[test]
fn the_header_follows_the_workflow() {
    assert_eq!(header_for(&by_lane()), ["specimen", "lane", "r1", "r2", "sex"]);
    let mut workflow = by_lane();
    let require = vec![Requirement::Consent, Requirement::Checksums];
    workflow.steps[0].kind = StepKind::Receive(Receive { require, use_scope: None });
    assert_eq!(header_for(&workflow), ["specimen", "lane", "r1", "r2", "sex", "r1_sha256", "r2_sha256", "consent"]);
}

#[test]
fn a_thousand_mistakes_are_enough() {
    let rows: String = (0..3_000).map(|_| "-,L001,a,b\n").collect();
    let read = sheet(&format!("specimen,lane,r1,r2\n{rows}"));
    assert_eq!(read.diagnostics.len(), DIAGNOSTICS_MAX + 1);
    assert!(read.diagnostics[DIAGNOSTICS_MAX].message.en.contains("2000 more mistakes"));
}

proptest! {
    #[test]
    fn no_bytes_make_a_sheet_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let read = read(PATH, &bytes, &by_lane());
        prop_assert!(has_errors(&read.diagnostics));
    }

    #[test]
    fn no_text_makes_a_sheet_panic(rows in prop::collection::vec("[-S1a,\"\\r\\n\t \u{FF11}./;$\\[\\]]{0,24}", 0..8), head in 0..3_usize) {
        let head = ["specimen,lane,r1,r2,sex,r1_md5\n", "[Header]\nFileFormatVersion,2\n[Data]\nLane,Sample_ID\n", "\u{FEFF}"][head];
        let text = format!("{head}{}", rows.join("\n"));
        let read = sheet(&text);
        for specimen in &read.specimens {
            prop_assert!(crate::plan::is_id(&specimen.id));
        }
    }
}
