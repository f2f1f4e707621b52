//! How a run ended, by the instrument's own word: RunCompletionStatus.xml and the marker files.
//!
//! NovaSeq writes `RunStatus` (`RunCompleted`, `RunErrored`), NextSeq `CompletionStatus` (`CompletedAsPlanned`, `UserEndedEarly`,
//! `ExceptionEndedEarly`); a MiSeq's CompletedJobInfo.xml has an `AnalysisJobInfo` that holds errors. A word that is not known is
//! never taken for a good one.

use serde::{Deserialize, Serialize};

use super::words::{Words, shown};
use super::xml::{self, Element};

/// The file's name at the top of a run folder.
pub const STATUS_FILE: &str = "RunCompletionStatus.xml";

/// How the run ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "end", rename_all = "snake_case")]
pub enum Completion {
    /// As planned.
    Good {
        /// The instrument's word.
        word: String,
    },
    /// A person or the instrument ended it before its last cycle.
    StoppedEarly {
        /// The instrument's word.
        word: String,
        /// What else it says; may be empty.
        detail: String,
    },
    /// It failed, or the word is not known.
    Failed {
        /// The instrument's word.
        word: String,
        /// What else it says; may be empty.
        detail: String,
    },
}

impl Completion {
    /// Reads RunCompletionStatus.xml or CompletedJobInfo.xml.
    ///
    /// # Errors
    /// Why it cannot be read, as a fragment in both languages.
    pub fn parse(bytes: &[u8]) -> Result<Self, Words> {
        let root = xml::parse(bytes).map_err(|wrong| wrong.words())?;
        match root.name.as_str() {
            "RunCompletionStatus" => status(&root),
            "AnalysisJobInfo" => Ok(job(&root)),
            other => {
                let other = shown(other);
                Err(Words::new(
                    format!("`{other}` is no completion status"),
                    format!("`{other}` は完了状態のファイルではありません"),
                ))
            }
        }
    }

    /// As a sentence.
    #[must_use]
    pub fn words(&self) -> Words {
        let said = |word: &str, detail: &str| {
            if detail.is_empty() { shown(word) } else { format!("{} ({})", shown(word), shown(detail)) }
        };
        match self {
            Self::Good { word } => {
                Words::new(format!("the instrument says {}", shown(word)), format!("装置の完了状態: {}", shown(word)))
            }
            Self::StoppedEarly { word, detail } => Words::new(
                format!("the run was stopped early: {STATUS_FILE} says {}", said(word, detail)),
                format!("ランは途中で終了されました（{STATUS_FILE}: {}）", said(word, detail)),
            ),
            Self::Failed { word, detail } => Words::new(
                format!("the run failed: {STATUS_FILE} says {}", said(word, detail)),
                format!("ランは失敗しました（{STATUS_FILE}: {}）", said(word, detail)),
            ),
        }
    }
}

fn status(root: &Element) -> Result<Completion, Words> {
    let found = root.child("RunStatus").or_else(|| root.child("CompletionStatus"));
    let word = found.map(|element| element.text.clone()).filter(|word| !word.is_empty());
    let word = word.ok_or_else(|| Words::new("it holds no status", "状態が書かれていません"))?;
    let detail = detail(root);
    Ok(match word.as_str() {
        "RunCompleted" | "CompletedAsPlanned" => Completion::Good { word },
        "UserEndedEarly" | "UserEndedRunEarly" | "RunEndedEarly" | "EndedEarly" | "RunStopped" | "RunAborted" => {
            Completion::StoppedEarly { word, detail }
        }
        _ => Completion::Failed { word, detail },
    })
}

/// `ErrorDescription` of the NextSeq, `RunError` of the NovaSeq.
fn detail(root: &Element) -> String {
    let described = root.child("ErrorDescription").map(|element| element.text.as_str());
    let mut parts: Vec<&str> = described.filter(|text| !text.is_empty() && *text != "None").into_iter().collect();
    if let Some(error) = root.child("RunError") {
        parts.extend(["Type", "Message"].iter().filter_map(|name| error.child(name)).map(|part| part.text.as_str()));
    }
    parts.join(": ")
}

fn job(root: &Element) -> Completion {
    let said = |name: &str| root.child(name).map(|element| element.text.clone()).filter(|text| !text.is_empty());
    match said("Error") {
        Some(detail) => Completion::Failed { word: "Error".to_owned(), detail },
        None => Completion::Good { word: "AnalysisJobInfo".to_owned() },
    }
}

/// What a marker file means, for people; `None` for markers of the center's own.
#[must_use]
pub fn meaning(marker: &str) -> Option<Words> {
    Some(match marker.rsplit('/').next().unwrap_or(marker) {
        "RTAComplete.txt" => Words::new("the instrument has called its last base", "装置の一次解析が終了した印"),
        "CopyComplete.txt" => {
            Words::new("the instrument has copied its last file", "装置からのファイル転送が終了した印")
        }
        "RunCompletionStatus.xml" => Words::new("the instrument says how the run ended", "ランの終わり方の記録"),
        "CompletedJobInfo.xml" => Words::new("the instrument's own analysis has ended", "装置内解析が終了した印"),
        "Secondary_Analysis_Complete.txt" => {
            Words::new("the instrument's secondary analysis has ended", "装置内二次解析が終了した印")
        }
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(inner: &str) -> Completion {
        let text = format!("<?xml version=\"1.0\"?>\n<RunCompletionStatus>{inner}</RunCompletionStatus>");
        Completion::parse(text.as_bytes()).expect("readable")
    }

    #[test]
    fn only_known_good_words_are_good() {
        let word = |word: &str| word.to_owned();
        assert_eq!(status("<RunStatus>RunCompleted</RunStatus>"), Completion::Good { word: word("RunCompleted") });
        assert_eq!(
            status("<CompletionStatus>CompletedAsPlanned</CompletionStatus><ErrorDescription>None</ErrorDescription>"),
            Completion::Good { word: word("CompletedAsPlanned") }
        );
        assert_eq!(
            status(
                "<CompletionStatus>UserEndedEarly</CompletionStatus><ErrorDescription>Thread was aborted</ErrorDescription>"
            ),
            Completion::StoppedEarly { word: word("UserEndedEarly"), detail: word("Thread was aborted") }
        );
        assert_eq!(
            status(
                "<RunStatus>RunErrored</RunStatus><RunError><Type>T</Type><Message>I/O check failed</Message></RunError>"
            ),
            Completion::Failed { word: word("RunErrored"), detail: word("T: I/O check failed") }
        );
        assert!(matches!(status("<RunStatus>runcompleted?</RunStatus>"), Completion::Failed { .. }));
    }

    #[test]
    fn a_status_that_is_empty_half_written_or_another_file_is_none() {
        for text in ["", "<RunCompletionStatus>", "<RunCompletionStatus/>", "<Other/>", "RunCompleted"] {
            assert!(Completion::parse(text.as_bytes()).is_err(), "{text}");
        }
    }

    #[test]
    fn a_miseq_job_is_good_without_an_error() {
        assert!(matches!(Completion::parse(b"<AnalysisJobInfo/>"), Ok(Completion::Good { .. })));
        let failed = Completion::parse(b"<AnalysisJobInfo><Error>Sequencing failed</Error></AnalysisJobInfo>");
        assert!(failed.is_ok_and(|end| end.words().en.contains("Sequencing failed")));
    }
}
