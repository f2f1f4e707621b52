//! Sheets of both versions, good and broken.

use super::*;

const V2: &str = "[Header],,,\nFileFormatVersion,2,,\nRunName,x,,\n,,,\n[Reads],,,\nRead1Cycles,151,,\n\n\
    [BCLConvert_Settings],,,\nSoftwareVersion,4.2.7,,\n\n[BCLConvert_Data],,,\nLane,Sample_ID,Index,Index2\n\
    1,S-A,AAACCCGGGT,TTTGGGCCCA\n2,S-A,AAACCCGGGT,TTTGGGCCCA\n1,S-B,CCCAAATTTG,TTTGGGCCCA\n";

const V1: &str = "[Header],,,,\r\nIEMFileVersion,4,,,\r\nDate,1/2/2026,,,\r\n\r\n[Reads]\r\n151\r\n151\r\n\r\n[Settings]\r\n\r\n\
    [Data]\r\nSample_ID,Sample_Name,I7_Index_ID,index,Sample_Project\r\nS-A,a,D701,ATTACTCG,p1\r\nS-B,b,D702,TCCGGAGA,p1\r\n";

fn lanes(sheet: &Sheet) -> Vec<(usize, u32, &str, &str)> {
    sheet.rows.iter().map(|row| (row.row, row.lane, row.sample.as_str(), row.index.as_str())).collect()
}

fn places(sheet: &Sheet) -> Vec<(usize, usize)> {
    sheet.mistakes.iter().map(|mistake| (mistake.row, mistake.column)).collect()
}

#[test]
fn version_two_gives_each_sample_in_each_lane() {
    let sheet = read(V2.as_bytes(), 2);
    assert_eq!(sheet.mistakes, []);
    let wanted = [(13, 1, "S-A", "AAACCCGGGT"), (14, 2, "S-A", "AAACCCGGGT"), (15, 1, "S-B", "CCCAAATTTG")];
    assert_eq!(lanes(&sheet), wanted);
}

#[test]
fn version_one_without_lanes_puts_its_samples_into_every_lane() {
    let sheet = read(V1.as_bytes(), 2);
    assert_eq!(sheet.mistakes, []);
    let wanted =
        [(13, 1, "S-A"), (13, 2, "S-A"), (14, 1, "S-B"), (14, 2, "S-B")].map(|(row, lane, id)| (row, lane, id));
    assert_eq!(lanes(&sheet).into_iter().map(|(row, lane, id, _)| (row, lane, id)).collect::<Vec<_>>(), wanted);
    assert_eq!(sheet.rows[0].project, "p1");
}

#[test]
fn a_duplicated_index_is_named_with_its_lane_and_both_rows() {
    let sheet = read(V2.replace("CCCAAATTTG", "aaacccgggt").as_bytes(), 2);
    assert_eq!(places(&sheet), [(15, 3)]);
    let words = &sheet.mistakes[0].words;
    assert!(words.en.contains("row 15, column `Index`") && words.en.contains("lane 1") && words.en.contains("row 13"));
    assert!(words.ja.contains("レーン 1") && words.ja.contains("13 行目"));
    // The same index in another lane is another matter.
    assert!(read(V2.replace("1,S-B,CCCAAATTTG", "2,S-B,CCCAAATTTG").as_bytes(), 2).mistakes.is_empty());
}

#[test]
fn every_mistake_comes_at_once() {
    let text = V2.replace("2,S-A,AAACCCGGGT", "7,S-A,AAAX").replace("1,S-B", "x,S B");
    assert_eq!(places(&read(text.as_bytes(), 2)), [(14, 1), (14, 3), (15, 1), (15, 2)]);
}

#[test]
fn two_samples_of_a_lane_need_indexes() {
    let sheet = |rows: &str| read(format!("[Header]\n[Data]\nLane,Sample_ID,index\n{rows}").as_bytes(), 4);
    assert!(sheet("1,S-A,\n2,S-B,\n").mistakes.is_empty());
    assert_eq!(places(&sheet("1,S-A,\n1,S-B,\n")), [(5, 3)]);
    assert_eq!(places(&sheet("1,S-A,\n1,S-B,ACGT\n")), [(5, 3)]);
    assert_eq!(places(&sheet("1,S-A,ACGT\n1,S-B,\n")), [(5, 3)]);
}

#[test]
fn a_sheet_that_ends_in_the_middle_of_its_header_is_not_valid() {
    for end in ["[Header]\nFileFormatVersion,2\n", "", "[BCLConvert_Data]\nLane,Samp"] {
        assert!(!read(end.as_bytes(), 1).mistakes.is_empty(), "{end}");
    }
}
