//! Why a run folder is not complete, each reason with its values, as a sentence in both languages.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::observation::{Extent, Trouble};
use crate::clock::Micros;
use crate::intake::completion::{STATUS_FILE, meaning};
use crate::intake::sample_sheet::Mistake;
use crate::intake::words::{Words, grouped, shown};

/// One reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "waits_for", rename_all = "snake_case")]
pub enum Wait {
    /// A look could not see everything.
    Unseen {
        /// Why.
        trouble: Trouble,
    },
    /// A marker is not there.
    Marker {
        /// Its path.
        name: String,
    },
    /// A program is still copying into the folder, or left something behind.
    Copying {
        /// The first file that is not whole.
        path: String,
        /// How many there are.
        files: u64,
    },
    /// A document that must be there is not.
    Document {
        /// Its path.
        name: String,
    },
    /// A document cannot be read.
    Unreadable {
        /// Its path.
        name: String,
        /// Why.
        reason: Words,
    },
    /// The sample sheet is not valid.
    Sheet {
        /// All mistakes, by row; at most as many as a page shows.
        mistakes: Vec<Mistake>,
        /// How many there are in all.
        count: u64,
    },
    /// The instrument has said that the run ended badly, and the folder still changes.
    Ended {
        /// What it says.
        reason: Words,
    },
    /// Base calls are missing.
    Cycles {
        /// The first lane that lacks some.
        lane: u32,
        /// The first cycle that it lacks.
        cycle: u32,
        /// Cycles missing over all lanes.
        missing: u64,
        /// Cycles of the run over all lanes.
        of: u64,
    },
    /// A FASTQ file has no mate.
    Mate {
        /// The path that is not there.
        missing: String,
        /// How many mates are missing.
        count: u64,
    },
    /// Something has changed since the look before.
    Changing {
        /// Files at the look before.
        files_before: u64,
        /// Bytes at the look before.
        bytes_before: u64,
        /// What is there now.
        now: Extent,
    },
    /// Nothing changes, but not long enough.
    Settle {
        /// When it will be long enough.
        until: Micros,
        /// How long it must be.
        settle_s: u64,
    },
}

impl Wait {
    /// As a sentence that fits after the folder's name.
    #[must_use]
    pub fn words(&self) -> Words {
        match self {
            Self::Unseen { trouble } => trouble.words(),
            Self::Marker { name } => marker(name),
            Self::Copying { path, files } => {
                let (path, files) = (shown(path), grouped(*files));
                Words::new(
                    format!("is still being copied: `{path}` is not whole ({files} such files)"),
                    format!("コピー中です: `{path}` が未完了です（{files} 件）"),
                )
            }
            Self::Document { name } if name == STATUS_FILE => Words::new(
                format!("waits for {STATUS_FILE}: the instrument has not said how the run ended"),
                format!("{STATUS_FILE} を待っています（ランの終わり方がまだ分かりません）"),
            ),
            Self::Document { name } => Words::new(format!("waits for {name}"), format!("{name} を待っています")),
            Self::Unreadable { name, reason } => {
                let name = shown(name);
                Words::new(
                    format!("{name} cannot be read: {}", reason.en),
                    format!("{name} を読めません: {}", reason.ja),
                )
            }
            Self::Sheet { mistakes, count } => sheet(mistakes, *count),
            Self::Ended { reason } => reason.clone(),
            Self::Cycles { lane, cycle, missing, of } => {
                let (missing, of) = (grouped(*missing), grouped(*of));
                Words::new(
                    format!("base calls are missing: {missing} of {of} cycles, the first is lane {lane} cycle {cycle}"),
                    format!(
                        "ベースコールが不足しています: {of} サイクル中 {missing}（最初はレーン {lane} サイクル {cycle}）"
                    ),
                )
            }
            Self::Mate { missing, count } => {
                let (missing, count) = (shown(missing), grouped(*count));
                Words::new(
                    format!("a FASTQ file lacks its mate: {missing} is not there ({count} in all)"),
                    format!("対になる FASTQ がありません: {missing}（計 {count} 件）"),
                )
            }
            Self::Changing { files_before, bytes_before, now } => changing(*files_before, *bytes_before, now),
            Self::Settle { until, settle_s } => {
                let until =
                    Timestamp::from_microsecond(*until).map_or_else(|_| "?".to_owned(), |time| format!("{time:.0}"));
                Words::new(
                    format!("nothing may change for {settle_s} s: until {until}"),
                    format!("{settle_s} 秒間変化がないことを確認しています（{until} まで）"),
                )
            }
        }
    }
}

fn marker(name: &str) -> Words {
    match meaning(name) {
        Some(meaning) => {
            Words::new(format!("waits for {name} ({})", meaning.en), format!("{name} を待っています（{}）", meaning.ja))
        }
        None => Words::new(format!("waits for {name}"), format!("{name} を待っています")),
    }
}

fn sheet(mistakes: &[Mistake], count: u64) -> Words {
    let Some(first) = mistakes.first() else {
        return Words::new("the sample sheet is not valid", "サンプルシートに誤りがあります");
    };
    match count {
        0 | 1 => first.words.clone(),
        more => {
            let more = more - 1;
            Words::new(
                format!("{} (and {more} more mistakes)", first.words.en),
                format!("{}（ほかに {more} 件）", first.words.ja),
            )
        }
    }
}

fn changing(files_before: u64, bytes_before: u64, now: &Extent) -> Words {
    let (files_before, bytes_before) = (grouped(files_before), grouped(bytes_before));
    let (files, bytes, newest) = (grouped(now.files), grouped(now.bytes), shown(&now.newest));
    Words::new(
        format!(
            "sizes still change: {files_before} files, {bytes_before} bytes → {files} files, {bytes} bytes; the latest is {newest}"
        ),
        format!(
            "まだ変化しています: {files_before} ファイル {bytes_before} バイト → {files} ファイル {bytes} バイト（最新: {newest}）"
        ),
    )
}
