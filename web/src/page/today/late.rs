//! Order lines that are late or stuck, as rows: what is done about each, where, and only for readers who may. It asks nothing.

use kentai_engine::people::permission::Action;
use kentai_engine::specimen::sentence::Because;
use kentai_engine::view::center::trouble::{Trouble, Worry};

use crate::page::address::Address;
use crate::page::needs::encoded;
use crate::page::say::Say;

/// An order line that is late or stuck.
#[derive(Debug)]
pub(crate) struct Late {
    pub(crate) id: String,
    pub(crate) specimen: String,
    pub(crate) href: String,
    pub(crate) due: String,
    pub(crate) said: String,
    pub(crate) owner: String,
    pub(crate) next: String,
    pub(crate) next_href: String,
}

/// `may`: what the reader may do; where they may not, there is nothing to press.
pub(crate) fn lates(all: Vec<Trouble>, may: impl Fn(Action) -> bool, say: &Say) -> Vec<Late> {
    all.into_iter()
        .map(|one| {
            let line = &one.line;
            let href = Address::new(format!("/specimens/{}", encoded(&line.specimen))).to_string();
            let (next, next_href) = next(&one, &may, say);
            Late {
                id: line.id.clone(),
                specimen: line.specimen.clone(),
                href,
                due: worry_said(one.worry, one.at_us, say),
                said: one.said,
                owner: one.owner,
                next,
                next_href,
            }
        })
        .collect()
}

/// What is done about it, and where; nothing where only waiting helps, or where it is not for the reader.
fn next(one: &Trouble, may: &impl Fn(Action) -> bool, say: &Say) -> (String, String) {
    let decide = format!("/order-lines/{}/decide", one.line.id);
    let (label, href, may) = match &one.because {
        Because::WaitsForReceiver { .. } => {
            let list = Address::new("/hand-off").with("specimen", Some(&one.line.specimen));
            (say.pick("Ask again", "再照会"), list.to_string(), may(Action::Notify))
        }
        Because::ReadsShort { .. } => (say.pick("Top up", "追加シーケンス"), decide, may(Action::QcDecide)),
        Because::FamilyIncomplete { .. } => (say.pick("Start alone", "単独で開始"), decide, may(Action::ReportStage)),
        Because::RunFailed { run, .. } | Because::GateHolds { run, .. } | Because::WaitsForReview { run }
            if !run.is_empty() =>
        {
            let action = match &one.because {
                Because::RunFailed { .. } => Action::Retry,
                Because::GateHolds { .. } => Action::QcDecide,
                _ => Action::Release,
            };
            (say.pick("Decide", "判断"), format!("/runs/{run}"), may(action))
        }
        _ if one.next.is_empty() => return (String::new(), String::new()),
        because => {
            let action = match because {
                Because::Rejected { .. } => Action::QcDecide,
                Because::WaitsForAccession => Action::Receive,
                Because::Held { .. } => Action::Resume,
                Because::NoConsent { .. } => Action::Cancel,
                _ => Action::ReportStage,
            };
            (say.pick("Decide", "判断"), decide, may(action))
        }
    };
    if may { (label.to_owned(), href) } else { (String::new(), String::new()) }
}

fn worry_said(worry: Worry, at_us: i64, say: &Say) -> String {
    let age = say.age_us(at_us);
    match worry {
        Worry::Late => say.pick(format!("{age} late"), format!("{age}超過")),
        Worry::Today => say.pick("due today".to_owned(), "本日期限".to_owned()),
        Worry::Stuck => say.pick(format!("stuck {age}"), format!("停滞{age}")),
        Worry::Soon => say.pick(format!("due in {age}"), format!("あと{age}")),
    }
}
