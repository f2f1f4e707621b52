//! Sentences that the engine stores in English, told in the reader's language. They stand in the log and in rows as they were said, and the
//! API gives them so; what a page shows goes through here.
//!
//! A sentence that nobody here made (a note, a reason that somebody gave) is not known, and stays as it was written.

use std::borrow::Cow;

use kentai_workflows::diagnostic::Language;

/// As the engine says it, `{}` for what differs; as it is told in Japanese, with the places by number.
/// The longer one of two that begin alike comes first.
const SENTENCES: &[(&str, &str)] = &[
    // decide/verdict.rs
    ("the kernel killed a process of it for lack of memory", "メモリ不足のため、カーネルがプロセスを強制終了しました"),
    (
        "the kernel killed all of it for lack of memory",
        "メモリ不足のため、カーネルがすべてのプロセスを強制終了しました",
    ),
    ("it was ended at its time limit", "制限時間に達したため終了させました"),
    ("it could not be started: {}", "起動できませんでした：{0}"),
    ("its record says exit code 0, its executor says {}", "終了記録では終了コード0、実行環境の報告では{0}です"),
    ("exit code {}", "終了コード{0}"),
    ("ended by signal {}", "シグナル{0}により終了"),
    ("it ended (executor says {}) without an exit record", "終了記録を残さずに終わりました（実行環境の報告：{0}）"),
    ("it is gone and left no exit record", "終了記録を残さずに消えました"),
    ("the exit record carries another attempt's nonce", "終了記録が別の試行のものです"),
    ("the exit record has neither code nor signal", "終了記録に終了コードもシグナルもありません"),
    // decide/retry.rs
    (
        "the site's budget of {} more attempts after {} failures is used up",
        "「{1}」によるサイト側の再試行{0}回を使い切りました",
    ),
    ("the workflow asks for no other attempt after {}", "ワークフローは「{0}」の後の再試行を求めていません"),
    ("all {} attempts of the workflow are used up", "ワークフローの試行{0}回をすべて使い切りました"),
    // scheduler/report.rs, advance.rs, command/answer.rs, delivery.rs
    ("attempt {} is in quarantine, a person must look: {}", "試行{0}を隔離しました。人の確認が必要です：{1}"),
    ("waits for executor `{}`: {}", "実行環境「{0}」を待っています：{1}"),
    ("its outputs wait to be taken in: {}", "出力の取り込みを待っています：{0}"),
    ("output `{}`: {}", "出力「{0}」：{1}"),
    ("its `when` is false", "実行条件（when）に当てはまりません"),
    ("its list was made again and does not have it", "一覧が作り直され、含まれなくなりました"),
    ("the called run {} is {}", "呼び出した実行{0}は「{1}」です"),
    ("this site has no target `{}` any more", "引き渡し先「{0}」はこのサイトにもうありません"),
    ("nobody answered in time; it still waits", "期限までに回答がありません。引き続き待っています"),
    ("nobody answered in time", "期限までに回答がありませんでした"),
    // view/run.rs
    ("it is being canceled; something of it still runs", "中止処理中です。まだ動いている処理があります"),
    ("held by {}: {}", "{0}が保留：{1}"),
    // view/step.rs
    (
        "the workflow holds here until a person lets it go (`hold_before`)",
        "ワークフローの指定（hold_before）により、再開の指示を待っています",
    ),
    ("the workflow holds here until a person lets it go", "ワークフローがここで止まり、再開の指示を待っています"),
    ("it waits for an answer ({})", "回答を待っています（{0}）"),
    // qc/finding.rs
    (
        "sex by coverage is {} (X {}, Y {} of the autosomes' depth), declared is {}",
        "カバレッジから推定した性別は{0}（常染色体の深度に対しX {1}、Y {2}）、申告は{3}",
    ),
    ("{} % of the fingerprint's genotypes agree", "フィンガープリントの遺伝型は{0} %が一致"),
    (
        "the fingerprint decides nothing: fewer than {} sites were compared",
        "フィンガープリントでは判定できません（比較できた部位が{0}未満）",
    ),
    // scheduler/center/folders.rs over intake/completion.rs
    ("the run failed: the run failed: {} says {}", "ランは失敗しました（{0}：{1}）"),
    ("the run was stopped early: the run was stopped early: {} says {}", "ランは途中で終了されました（{0}：{1}）"),
    ("the folder changed after it was complete", "完了後にフォルダの内容が変わりました"),
    // scheduler/center/withdrawal, store/artifact/sealed.rs
    ("backups of this site until their retention ends", "このサイトのバックアップ（保存期間が終わるまで）"),
    (
        "content truncated under all its names, name removed, directory synced",
        "すべての名前で内容を消去し、名前を削除し、ディレクトリを同期",
    ),
    ("destroyed outside, as recorded", "外部で破棄（記録のとおり）"),
    ("only its name and checksum stay", "名前とチェックサムのみ保管"),
    ("kept, with an ethics reference", "倫理審査の番号を付して保管"),
    ("consent was withdrawn (case {})", "同意が撤回されました（案件{0}）"),
    ("consent was withdrawn", "同意が撤回されました"),
];

/// Words that stand in such sentences, and alone mean nothing.
const WORDS: &[(&str, &str)] = &[
    ("tool", "ツールの失敗"),
    ("out_of_memory", "メモリ不足"),
    ("timeout", "時間切れ"),
    ("bad_output", "出力の不備"),
    ("infrastructure", "基盤の障害"),
    ("preempted", "割り込み"),
    ("image", "イメージの取得"),
    ("lost", "行方不明"),
    ("policy", "規則"),
    ("consent", "同意"),
    ("male", "男性"),
    ("female", "女性"),
    ("undetermined", "判定不能"),
    ("succeeded", "完了"),
    ("failed", "失敗"),
    ("canceled", "中止"),
];

/// The sentence in the reader's language, if it is one of ours; else as it is.
#[must_use]
pub fn said(text: &str, language: Language) -> Cow<'_, str> {
    match language {
        Language::En => Cow::Borrowed(text),
        Language::Ja => japanese(text).map_or(Cow::Borrowed(text), Cow::Owned),
    }
}

fn japanese(text: &str) -> Option<String> {
    let whole = |simple: bool| {
        SENTENCES.iter().find_map(|(en, ja)| {
            let holes = holes(en, text)?;
            (!simple || !holes.iter().any(|hole| hole.contains(" ("))).then(|| filled(ja, &holes))
        })
    };
    // What stands in parentheses behind a sentence is rather another one than a part of it.
    whole(true).or_else(|| with_more(text)).or_else(|| whole(false)).or_else(|| behind_a_key(text))
}

/// `sentence (sentence)`: a failure, and why no other attempt follows.
fn with_more(text: &str) -> Option<String> {
    let (first, more) = text.strip_suffix(')')?.rsplit_once(" (")?;
    Some(format!("{}（{}）", japanese(first)?, japanese(more).unwrap_or_else(|| more.to_owned())))
}

/// `step: sentence`: of which step a run tells.
fn behind_a_key(text: &str) -> Option<String> {
    let (key, rest) = text.split_once(": ").filter(|(key, _)| !key.contains(' '))?;
    Some(format!("{key}：{}", japanese(rest)?))
}

/// What stands in the places of a sentence; none when the text is another one.
fn holes<'t>(sentence: &str, text: &'t str) -> Option<Vec<&'t str>> {
    let mut parts = sentence.split("{}");
    let mut rest = text.strip_prefix(parts.next()?)?;
    let mut found = Vec::new();
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        // The last one reaches to the end, the others no further than they must.
        let end = if parts.peek().is_some() {
            rest.find(part)?
        } else {
            rest.len().checked_sub(part.len()).filter(|end| rest.get(*end..) == Some(part))?
        };
        found.push(rest.get(..end)?);
        rest = rest.get(end + part.len()..)?;
    }
    rest.is_empty().then_some(found)
}

fn filled(sentence: &str, holes: &[&str]) -> String {
    let word = |hole: &str| {
        let known = WORDS.iter().find(|(en, _)| *en == hole).map(|(_, ja)| (*ja).to_owned());
        known.or_else(|| japanese(hole)).unwrap_or_else(|| hole.to_owned())
    };
    // Each place once, from what was written: what a hole holds is not looked through again.
    let mut told = String::new();
    let mut rest = sentence;
    while let Some((before, after)) = rest.split_once('{') {
        told.push_str(before);
        let Some((place, behind)) = after.split_once('}') else { break };
        told.push_str(
            &place.parse::<usize>().ok().and_then(|place| holes.get(place)).map_or_else(String::new, |hole| word(hole)),
        );
        rest = behind;
    }
    told + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_engine_says_is_told_in_japanese_with_its_values() {
        for (en, ja) in [
            ("exit code 3", "終了コード3"),
            (
                "exit code 1 (the workflow asks for no other attempt after tool)",
                "終了コード1（ワークフローは「ツールの失敗」の後の再試行を求めていません）",
            ),
            (
                "coverage: the kernel killed a process of it for lack of memory (all 3 attempts of the workflow are used up)",
                "coverage：メモリ不足のため、カーネルがプロセスを強制終了しました（ワークフローの試行3回をすべて使い切りました）",
            ),
            (
                "sex by coverage is female (X 1.02, Y 0.01 of the autosomes' depth), declared is male",
                "カバレッジから推定した性別は女性（常染色体の深度に対しX 1.02、Y 0.01）、申告は男性",
            ),
            ("99.7 % of the fingerprint's genotypes agree", "フィンガープリントの遺伝型は99.7 %が一致"),
            (
                "the run failed: the run failed: RunCompletionStatus.xml says RunErrored",
                "ランは失敗しました（RunCompletionStatus.xml：RunErrored）",
            ),
            ("consent was withdrawn (case k01)", "同意が撤回されました（案件k01）"),
        ] {
            assert_eq!(said(en, Language::Ja), ja);
            assert_eq!(said(en, Language::En), en);
        }
    }

    #[test]
    fn what_people_wrote_stays_as_it_is() {
        for text in ["the cap was loose", "exit", "", "note: the library has volume left", "a (b)", "tool", "{0}"] {
            assert_eq!(said(text, Language::Ja), text);
        }
        assert_eq!(said("exit code {1}{0}", Language::Ja), "終了コード{1}{0}");
    }

    #[test]
    fn what_a_failure_says_is_known() {
        use crate::decide::retry::{Budgets, Next, decide};
        use crate::decide::verdict::{Outcome, judge};
        use crate::exit_record::ExitRecord;
        use crate::port::executor::Evidence;
        use crate::state::attempt::Cause;
        let record = |record: ExitRecord| Evidence { record: Some(record), ..Evidence::default() };
        let of = |code| record(ExitRecord { exit_code: code, ..ExitRecord::default() });
        let found = [
            of(Some(3)),
            record(ExitRecord { signal: Some(9), ..ExitRecord::default() }),
            record(ExitRecord { timed_out: true, ..ExitRecord::default() }),
            record(ExitRecord { oom_kills: 1, ..ExitRecord::default() }),
            record(ExitRecord { error: Some("<no such program>".into()), ..ExitRecord::default() }),
            Evidence { executor_exit_code: Some(1), ..of(Some(0)) },
            of(None),
            Evidence::default(),
            Evidence { oom_killed: true, ..Evidence::default() },
            Evidence { executor_exit_code: Some(137), ..Evidence::default() },
        ];
        for evidence in found {
            let (Outcome::Failed(_, said) | Outcome::Contradiction(said)) = judge(&evidence, "") else {
                panic!("{evidence:?} is no failure");
            };
            assert!(japanese(&said).is_some(), "{said}");
        }
        let budgets = Budgets { infrastructure: 0, preempted: 0, image: 0, lost: 0 };
        let retry = kentai_workflows::workflow::Retry {
            attempts: 2,
            causes: vec![kentai_workflows::workflow::RetryCause::Timeout],
            exit_codes: Vec::new(),
            wait_first_ms: 1,
            wait_factor: 1.0,
            wait_max_ms: 1,
            jitter: false,
            escalate_memory: None,
            escalate_timeout: None,
            escalate_disk: None,
        };
        let failures = Cause::ALL.iter().map(|cause| (cause.word().to_owned(), 9)).collect();
        for cause in Cause::ALL {
            let next = decide(&retry, &budgets, &failures, *cause, Some(1), 0.5);
            let Next::GiveUp(said) = next else { panic!("{cause} has no end") };
            let told = japanese(&said).unwrap_or_default();
            assert!(!told.is_empty() && !told.contains(cause.word()), "{said}: {told}");
        }
    }

    #[test]
    fn every_sentence_is_told_without_english_and_with_all_its_values() {
        for (en, ja) in SENTENCES {
            let values: Vec<String> = (0..en.matches("{}").count()).map(|n| format!("<{n}>")).collect();
            let text = values.iter().fold((*en).to_owned(), |text, value| text.replacen("{}", value, 1));
            let told = said(&text, Language::Ja);
            assert!(values.iter().all(|value| told.contains(value.as_str())), "{told}");
            assert!(told.chars().any(|letter| letter > '\u{3000}') && !told.contains(" the "), "{told}");
            assert!(!ja.is_empty());
        }
    }
}
