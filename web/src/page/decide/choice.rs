//! What can be decided about an order line where it stands. Pure: the stages' own table says what may follow.

use kentai_engine::people::permission::Action;
use kentai_engine::scheduler::center::request::Request;
use kentai_engine::state::order::{Event, Stage};
use kentai_engine::view::center::{OpenProposal, OrderLineView};
use kentai_workflows::diagnostic::Language;

/// Where it stands.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standing {
    pub(super) stage: Stage,
    pub(super) held: bool,
}

impl Standing {
    pub(super) fn of(line: &OrderLineView) -> Self {
        Self { stage: Stage::parse(&line.stage).unwrap_or(Stage::Expected), held: line.held.is_some() }
    }
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Choice {
    /// A way out of a quality question.
    Way(&'static str),
    /// Something that people report.
    Report(Event),
    /// Identity and order match: the lab may have it.
    Accession,
    /// Do not wait for the rest of the family.
    Singleton,
    Hold,
    Resume,
    Cancel,
    Reopen,
    /// The second yes: proposal, what was proposed, by whom.
    Confirm(String, String, Vec<String>),
}

/// Ways out, and the event that each is.
const WAYS: [(&str, Event); 6] = [
    ("top_up", Event::TopUpRequested),
    ("re_prep", Event::RePrepRequested),
    ("re_extract", Event::ReExtractRequested),
    ("new_material", Event::MaterialRequested),
    ("release", Event::SequenceQcWaived),
    ("give_up", Event::GivenUp),
];

/// What people decide by reporting it.
const REPORTS: [Event; 4] = [Event::Released, Event::ReviewRejected, Event::ReanalysisRequested, Event::Reoffered];

/// Everything that can be decided there.
pub(super) fn of(standing: &Standing, proposals: &[OpenProposal]) -> Vec<Choice> {
    let stage = standing.stage;
    let confirms =
        proposals.iter().map(|one| Choice::Confirm(one.id.clone(), one.what.clone(), vec![one.proposed_by.clone()]));
    let mut all: Vec<Choice> = confirms.collect();
    let waives = stage == Stage::ReleaseReview;
    let ways = WAYS.iter().filter(|(way, event)| stage.next(*event).is_ok() || (*way == "release" && waives));
    all.extend(ways.map(|(way, _)| Choice::Way(way)));
    all.extend(REPORTS.into_iter().filter(|event| stage.next(*event).is_ok()).map(Choice::Report));
    if stage == Stage::Received {
        all.push(Choice::Accession);
    }
    if stage == Stage::Ready {
        all.push(Choice::Singleton);
    }
    match (standing.held, stage.is_end()) {
        (true, _) => all.push(Choice::Resume),
        (false, false) => all.push(Choice::Hold),
        (false, true) => {}
    }
    if stage.next(Event::Canceled).is_ok() {
        all.push(Choice::Cancel);
    }
    // Consent that was taken back is not opened again.
    if stage.is_end() && stage != Stage::Withdrawn {
        all.push(Choice::Reopen);
    }
    all
}

impl Choice {
    /// As the form sends it.
    pub(super) fn value(&self) -> String {
        match self {
            Self::Way(way) => (*way).to_owned(),
            Self::Report(event) => event.word().to_owned(),
            Self::Accession => "accession".to_owned(),
            Self::Singleton => "singleton".to_owned(),
            Self::Hold => "hold".to_owned(),
            Self::Resume => "resume".to_owned(),
            Self::Cancel => "cancel".to_owned(),
            Self::Reopen => "reopen".to_owned(),
            Self::Confirm(id, ..) => format!("confirm:{id}"),
        }
    }

    /// What it needs.
    pub(super) fn action(&self) -> Action {
        match self {
            Self::Way(_) => Action::QcDecide,
            Self::Report(Event::Released) => Action::Release,
            Self::Accession => Action::Receive,
            Self::Report(_) | Self::Singleton => Action::ReportStage,
            Self::Hold => Action::Hold,
            Self::Resume => Action::Resume,
            Self::Cancel => Action::Cancel,
            Self::Reopen => Action::Reopen,
            Self::Confirm(..) => Action::Confirm,
        }
    }

    /// Who was the first, and is no second.
    pub(super) fn not_by(&self) -> &[String] {
        match self {
            Self::Confirm(.., first) => first,
            _ => &[],
        }
    }

    pub(super) fn wants_reason(&self) -> bool {
        !matches!(self, Self::Accession | Self::Resume | Self::Confirm(..))
    }

    /// The same request as the verb's.
    pub(super) fn request(&self, line: &OrderLineView, reason: &str) -> Request {
        let (order_line, reason) = (line.id.clone(), reason.to_owned());
        match self {
            Self::Way(way) => Request::Decide { order_line, way: (*way).to_owned(), code: String::new(), reason },
            Self::Report(event) => Request::Report { order_line, event: event.word().to_owned(), reason },
            Self::Accession => Request::Accession { specimen: line.specimen.clone() },
            Self::Singleton => Request::Singleton { order_line, reason },
            Self::Hold => Request::Hold { order_line, reason },
            Self::Resume => Request::Resume { order_line },
            Self::Cancel => Request::Cancel { order_line, reason },
            Self::Reopen => Request::Reopen { order_line, reason },
            Self::Confirm(proposal, ..) => Request::Confirm { proposal: proposal.clone() },
        }
    }

    /// What it is called, and what will happen.
    pub(super) fn words(&self, language: Language) -> (String, String) {
        let (en, ja) = match self {
            Self::Confirm(_, what, first) => {
                let first = first.join(", ");
                return match language {
                    Language::En => (
                        format!("Confirm what {first} proposed"),
                        format!("{what}. You are the second person: it is done at once."),
                    ),
                    Language::Ja => {
                        (format!("{first}の提案を確認する"), format!("{what}。2人目の確認で、ただちに実行されます。"))
                    }
                };
            }
            Self::Way("top_up") => (
                ("Top up", "The lab sequences more of the same library. Another round begins; what came before stays."),
                (
                    "追加シーケンス",
                    "同じライブラリーの追加シーケンスをラボに依頼します。新しい回が始まり、これまでの記録は残ります。",
                ),
            ),
            Self::Way("re_prep") => (
                ("Prepare again", "The lab makes another library of the same DNA. Another round begins."),
                ("再調製", "同じDNAから新しいライブラリーを調製します。新しい回が始まります。"),
            ),
            Self::Way("re_extract") => (
                ("Extract again", "The lab extracts the specimen again. Another round begins."),
                ("再抽出", "検体からDNAを抽出し直します。新しい回が始まります。"),
            ),
            Self::Way("new_material") => (
                (
                    "Ask for new material",
                    "The institution is asked for a new specimen; the clock stands until it is announced.",
                ),
                ("再採取", "依頼施設に新しい検体を依頼します。届け出があるまで期限の時計は止まります。"),
            ),
            Self::Way("give_up") => (
                ("Give up", "The order line is closed without data, and the institution gets a report."),
                ("中止", "データなしで終了し、依頼施設に報告書を送ります。"),
            ),
            Self::Way(_) => (
                ("Let it pass", "The shortfall is waived with your reason. Another person must still release it."),
                ("判断付きで通す", "不足を理由とともに認めます。引き渡しには、さらに別の人の承認が必要です。"),
            ),
            Self::Report(Event::Released) => (
                (
                    "Release",
                    "It may leave the building. Unless somebody else decided about it before, a second releaser must confirm within 7 days.",
                ),
                (
                    "引き渡しを承認",
                    "センターの外へ出せるようになります。まだ誰も判断していない場合は、7日以内にもう1人の承認者の確認が必要です。",
                ),
            ),
            Self::Report(Event::ReviewRejected) => (
                ("Send back", "The review says no: it goes back to be decided about."),
                ("差し戻し", "審査で差し戻し、あらためて判断します。"),
            ),
            Self::Report(Event::Reoffered) => {
                (("Offer again", "The receiver may take it once more."), ("再提供", "受領先へもう一度提供します。"))
            }
            Self::Report(_) => (
                ("Analyze again", "A new run is made of the same data. Another round begins."),
                ("再解析", "同じデータで新しい実行を始めます。新しい回が始まります。"),
            ),
            Self::Accession => (
                ("Accession", "Identity and order match: the specimen goes on to the lab."),
                ("受入登録", "検体と依頼が一致することを確認し、ラボに進めます。"),
            ),
            Self::Singleton => (
                ("Start alone", "It is analyzed without waiting for the rest of its family."),
                ("単独で開始", "家族のほかの検体を待たずに解析を始めます。"),
            ),
            Self::Hold => (
                ("Hold", "Nothing of it starts or leaves until somebody lets it go on."),
                ("保留", "再開するまで、新たな処理も引き渡しも行われません。"),
            ),
            Self::Resume => (
                ("Let it go on", "What was held goes on where it stood."),
                ("再開", "止まっていたところから続けます。"),
            ),
            Self::Cancel => (
                ("Cancel the order", "It ends here. Opening it again takes two people."),
                ("依頼の取消", "ここで終了します。再開には2人の承認が必要です。"),
            ),
            Self::Reopen => (
                ("Open again", "You propose it; another person confirms within 7 days."),
                ("再開の提案", "提案すると、7日以内に別の人の確認が必要です。"),
            ),
        };
        let (name, says) = match language {
            Language::En => en,
            Language::Ja => ja,
        };
        (name.to_owned(), says.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values(stage: Stage, held: bool) -> Vec<String> {
        of(&Standing { stage, held }, &[]).iter().map(Choice::value).collect()
    }

    #[test]
    fn too_few_reads_have_six_ways_out() {
        let found = values(Stage::SequenceQcFailed, false);
        for (way, _) in WAYS {
            assert!(found.contains(&way.to_owned()), "{way} in {found:?}");
        }
        assert!(found.contains(&"hold".to_owned()) && !found.contains(&"resume".to_owned()));
    }

    #[test]
    fn what_ended_is_opened_again_by_two_and_what_was_withdrawn_never() {
        assert_eq!(values(Stage::Canceled, false), ["reopen"]);
        assert!(values(Stage::Withdrawn, false).is_empty());
    }

    #[test]
    fn no_stage_offers_one_thing_twice_and_every_choice_is_said() {
        for stage in Stage::ALL {
            for held in [false, true] {
                let all = of(&Standing { stage: *stage, held }, &[]);
                let mut found = values(*stage, held);
                found.sort();
                found.dedup();
                assert_eq!(found.len(), all.len(), "{stage}");
                for language in [Language::En, Language::Ja] {
                    let mut names: Vec<_> = all.iter().map(|choice| choice.words(language).0).collect();
                    names.sort();
                    names.dedup();
                    assert_eq!(names.len(), all.len(), "{stage}");
                }
            }
        }
    }
}
