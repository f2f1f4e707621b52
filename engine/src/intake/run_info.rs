//! RunInfo.xml: which run of which instrument, on which flow cell, with which reads and how many lanes.
//!
//! Versions 2 to 6 of the file, as MiSeq, NextSeq, NovaSeq 6000 and NovaSeq X write it. It does not know samples.

use serde::{Deserialize, Serialize};

use super::words::{Words, shown};
use super::xml::{self, Element};

/// The file's name at the top of a run folder.
pub const RUN_INFO: &str = "RunInfo.xml";

/// More lanes than any flow cell has are a mistake, and would become that many rows.
const LANES_MAX: u32 = 64;
const CYCLES_MAX: u32 = 10_000;

/// One read of the run, in the order of sequencing.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Read {
    /// From 1.
    pub number: u32,
    /// Its length.
    pub cycles: u32,
    /// Is it an index, and no read of the specimen?
    pub index: bool,
}

/// What RunInfo.xml says.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunInfo {
    /// Such as `20260102_LH00123_0042_A22ABCDLT3`; the run folder's usual name.
    pub run_id: String,
    /// The instrument's own count of its runs.
    pub number: u32,
    /// Barcode of the flow cell.
    pub flow_cell: String,
    /// Serial number of the instrument.
    pub instrument: String,
    /// As written; its form differs between instruments.
    pub date: String,
    /// In order of sequencing.
    pub reads: Vec<Read>,
    /// Lanes of the flow cell.
    pub lanes: u32,
}

/// An instrument's family, as far as it changes what its run folder holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// MiSeq: no RunCompletionStatus.xml in older versions of its software.
    MiSeq,
    /// Older HiSeq: no RunCompletionStatus.xml.
    HiSeq,
    /// NextSeq 500, 550, 1000, 2000.
    NextSeq,
    /// NovaSeq 6000.
    NovaSeq6000,
    /// NovaSeq X.
    NovaSeqX,
    /// MiniSeq, iSeq, MiSeq i100, or a serial number of a kind not known here.
    Other,
}

impl RunInfo {
    /// Reads the file.
    ///
    /// # Errors
    /// What is missing or wrong, as a fragment in both languages.
    pub fn parse(bytes: &[u8]) -> Result<Self, Words> {
        let root = xml::parse(bytes).map_err(|wrong| wrong.words())?;
        let run = root.child("Run").filter(|_| root.name == "RunInfo").ok_or_else(|| missing("Run"))?;
        let reads = run.child("Reads").ok_or_else(|| missing("Reads"))?;
        let reads: Vec<Read> =
            reads.children.iter().filter(|read| read.name == "Read").map(read).collect::<Result<_, _>>()?;
        if reads.iter().all(|read| read.index) {
            return Err(missing("Read"));
        }
        let layout = run.child("FlowcellLayout").ok_or_else(|| missing("FlowcellLayout"))?;
        Ok(Self {
            run_id: text(run.attribute("Id"), "Id")?,
            number: run.attribute("Number").and_then(|number| number.parse().ok()).unwrap_or(0),
            flow_cell: text(run.child("Flowcell").map(|cell| cell.text.as_str()), "Flowcell")?,
            instrument: text(run.child("Instrument").map(|instrument| instrument.text.as_str()), "Instrument")?,
            date: run.child("Date").map_or_else(String::new, |date| shown(&date.text)),
            reads,
            lanes: number(layout.attribute("LaneCount"), "LaneCount", LANES_MAX)?,
        })
    }

    /// The family, by the serial number's letters.
    #[must_use]
    pub fn family(&self) -> Family {
        let letters: String = self.instrument.chars().take_while(char::is_ascii_alphabetic).collect();
        match letters.as_str() {
            "M" => Family::MiSeq,
            "D" | "E" | "K" | "J" | "ST" | "SN" | "HWI" => Family::HiSeq,
            "NB" | "NS" | "VH" | "VL" => Family::NextSeq,
            "A" => Family::NovaSeq6000,
            "LH" => Family::NovaSeqX,
            _ => Family::Other,
        }
    }

    /// Cycles of all reads, indexes among them.
    #[must_use]
    pub fn cycles(&self) -> u32 {
        self.reads.iter().map(|read| read.cycles).sum()
    }

    /// Is each fragment read from both ends?
    #[must_use]
    pub fn paired(&self) -> bool {
        self.reads.iter().filter(|read| !read.index).count() > 1
    }
}

/// Does a directory's name begin as instruments name their run folders: date, instrument, number?
#[must_use]
pub fn names_a_run(name: &str) -> bool {
    let mut parts = name.splitn(4, '_');
    let digits = |text: &str, least: usize| text.len() >= least && text.bytes().all(|byte| byte.is_ascii_digit());
    let (date, instrument, number) = (parts.next(), parts.next(), parts.next());
    date.is_some_and(|date| digits(date, 6))
        && instrument
            .is_some_and(|serial| !serial.is_empty() && serial.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && number.is_some_and(|number| digits(number, 1))
        && parts.next().is_some()
}

fn read(element: &Element) -> Result<Read, Words> {
    Ok(Read {
        number: number(element.attribute("Number"), "Number", 16)?,
        cycles: number(element.attribute("NumCycles"), "NumCycles", CYCLES_MAX)?,
        index: match element.attribute("IsIndexedRead") {
            Some("Y") => true,
            Some("N") => false,
            _ => return Err(missing("IsIndexedRead")),
        },
    })
}

fn text(found: Option<&str>, name: &str) -> Result<String, Words> {
    let text = found.map(str::trim).filter(|text| !text.is_empty()).ok_or_else(|| missing(name))?;
    // Ids and barcodes of instruments become parts of keys and file names.
    let plain = text.len() <= 128 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    if plain { Ok(text.to_owned()) } else { Err(bad(name, text)) }
}

fn number(found: Option<&str>, name: &str, most: u32) -> Result<u32, Words> {
    let text = found.ok_or_else(|| missing(name))?;
    text.trim().parse().ok().filter(|number| (1..=most).contains(number)).ok_or_else(|| bad(name, text))
}

fn missing(name: &str) -> Words {
    Words::new(format!("`{name}` is missing"), format!("`{name}` がありません"))
}

fn bad(name: &str, text: &str) -> Words {
    let text = shown(text);
    Words::new(format!("`{name}` cannot be `{text}`"), format!("`{name}` の値 `{text}` は使えません"))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOVASEQ_X: &str = r#"<?xml version="1.0" encoding="utf-8"?>
<RunInfo Version="6">
  <Run Id="20260102_LH00123_0042_A22ABCDLT3" Number="42">
    <Flowcell>22ABCDLT3</Flowcell>
    <Instrument>LH00123</Instrument>
    <Date>2026-01-02T03:04:05Z</Date>
    <Reads>
      <Read Number="1" NumCycles="151" IsIndexedRead="N" IsReverseComplement="N" />
      <Read Number="2" NumCycles="10" IsIndexedRead="Y" IsReverseComplement="N" />
      <Read Number="3" NumCycles="10" IsIndexedRead="Y" IsReverseComplement="Y" />
      <Read Number="4" NumCycles="151" IsIndexedRead="N" IsReverseComplement="N" />
    </Reads>
    <FlowcellLayout LaneCount="8" SurfaceCount="2" SwathCount="2" TileCount="98">
      <TileSet TileNamingConvention="FourDigit"><Tiles><Tile>1_1101</Tile></Tiles></TileSet>
    </FlowcellLayout>
  </Run>
</RunInfo>"#;

    #[test]
    fn a_novaseq_x_run_is_read_whole() {
        let info = RunInfo::parse(NOVASEQ_X.as_bytes()).expect("good");
        assert_eq!((info.run_id.as_str(), info.number), ("20260102_LH00123_0042_A22ABCDLT3", 42));
        assert_eq!((info.flow_cell.as_str(), info.lanes, info.cycles()), ("22ABCDLT3", 8, 322));
        assert_eq!((info.family(), info.paired()), (Family::NovaSeqX, true));
        assert_eq!(info.reads[1], Read { number: 2, cycles: 10, index: true });
    }

    #[test]
    fn a_miseq_run_of_an_old_version_is_read_whole() {
        let text = r#"<?xml version="1.0"?>
<RunInfo xmlns:xsd="http://www.w3.org/2001/XMLSchema" Version="2">
  <Run Id="140210_M00123_0007_000000000-A6XYZ" Number="7">
    <Flowcell>000000000-A6XYZ</Flowcell><Instrument>M00123</Instrument><Date>140210</Date>
    <Reads><Read NumCycles="151" Number="1" IsIndexedRead="N" /><Read NumCycles="8" Number="2" IsIndexedRead="Y" /></Reads>
    <FlowcellLayout LaneCount="1" SurfaceCount="2" SwathCount="1" TileCount="14" />
  </Run>
</RunInfo>"#;
        let info = RunInfo::parse(text.as_bytes()).expect("good");
        assert_eq!((info.family(), info.paired(), info.lanes), (Family::MiSeq, false, 1));
    }

    #[test]
    fn run_folders_are_known_by_their_names() {
        for name in ["20260102_LH00123_0042_A22ABCDLT3", "140210_M00123_0007_000000000-A6XYZ"] {
            assert!(names_a_run(name), "{name}");
        }
        for name in ["scripts", "20260102", "2026_01_02_x", "20260102_LH00123_0042", "old_LH1_1_x"] {
            assert!(!names_a_run(name), "{name}");
        }
    }

    #[test]
    fn what_is_missing_or_wrong_is_named() {
        let check = |from: &str, to: &str, wanted: &str| {
            let wrong = RunInfo::parse(NOVASEQ_X.replace(from, to).as_bytes()).expect_err(wanted);
            assert!(wrong.en.contains(wanted) && !wrong.ja.is_empty(), "{wrong:?}");
        };
        check("LaneCount=\"8\"", "", "`LaneCount` is missing");
        check("LaneCount=\"8\"", "LaneCount=\"4000000000\"", "`LaneCount` cannot be `4000000000`");
        check("22ABCDLT3</Flow", "../../x</Flow", "`Flowcell` cannot be `../../x`");
        check("<Flowcell>22ABCDLT3</Flowcell>", "", "`Flowcell` is missing");
        check("</RunInfo>", "", "it is not whole");
    }
}
