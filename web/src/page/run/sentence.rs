//! Sentences of a run's page that count or name something, in both languages.

use kentai_engine::view::run_sheet::TaskState;
use kentai_workflows::diagnostic::Language;

use super::words::Words;
use crate::page::shape::Shape;

impl Words {
    pub(super) fn shape(state: TaskState) -> Shape {
        match state {
            TaskState::Failed => Shape::Failed,
            TaskState::Needs => Shape::Needs,
            TaskState::Running => Shape::Running,
            TaskState::Waiting => Shape::Waiting,
            TaskState::Warned => Shape::Warned,
            TaskState::Passed => Shape::Passed,
            TaskState::Canceled => Shape::Canceled,
        }
    }

    pub(super) fn state_of(&self, state: TaskState) -> &'static str {
        Self::shape(state).word(self.language)
    }

    /// A cause as people say it; one that is not known stays what it is.
    pub(super) fn cause_of(&self, cause: &str) -> String {
        let (en, ja) = match cause {
            "tool" => ("the tool failed", "ツールの失敗"),
            "out_of_memory" => ("out of memory", "メモリ不足"),
            "timeout" => ("its time was over", "時間切れ"),
            "bad_output" => ("its output is not as declared", "出力が宣言と不一致"),
            "infrastructure" => ("the machine failed", "基盤の障害"),
            "preempted" => ("preempted", "強制中断"),
            "image" => ("the image could not be had", "イメージ取得不可"),
            "lost" => ("lost: nobody knows its end", "行方不明"),
            "policy" => ("a rule or a person ended it", "規則または判断による終了"),
            "consent" => ("consent does not allow it", "同意の範囲外"),
            other => return other.replace('_', " "),
        };
        self.pick(en, ja).to_owned()
    }

    /// What a cause means for whoever must decide.
    pub(super) fn meaning(&self, cause: &str, memory: Option<&str>) -> String {
        match (cause, memory) {
            ("out_of_memory", Some(memory)) => self.pick(
                format!("The last attempt had {memory} and was ended for want of memory. The same again will most likely end the same."),
                format!("最後の試行は{memory}を与えられましたが、メモリ不足で終了しました。同じ条件ではおそらく同じ結果になります。"),
            ),
            ("tool", _) => self.pick(
                "The tool ended with an error of its own. Its last lines say more than kentai can.".to_owned(),
                "ツール自身がエラーで終了しました。詳しくはログの末尾を見てください。".to_owned(),
            ),
            ("timeout", _) => self.pick(
                "It was ended because its time was over.".to_owned(),
                "制限時間を超えたため終了しました。".to_owned(),
            ),
            ("bad_output", _) => self.pick(
                "The tool ended well, but what it left is not what the workflow declares.".to_owned(),
                "ツールは正常に終了しましたが、出力がワークフローの宣言と異なります。".to_owned(),
            ),
            ("infrastructure" | "preempted" | "lost" | "image", _) => self.pick(
                "It is the machine or the network, not the tool: trying again often helps.".to_owned(),
                "ツールではなく機械やネットワークの問題です。再試行で解決することがよくあります。".to_owned(),
            ),
            ("consent", _) => self.pick(
                "Consent does not allow it any more. Trying again changes nothing.".to_owned(),
                "同意の範囲を外れています。再試行しても変わりません。".to_owned(),
            ),
            ("policy", _) => self.pick(
                "A rule of the workflow, or a person, ended it.".to_owned(),
                "ワークフローの規則、または担当者の判断で終了しました。".to_owned(),
            ),
            _ => String::new(),
        }
    }

    /// `18 of 24 done, 1 retrying`
    pub(super) fn done_of(&self, done: &str, total: &str, again: i64) -> String {
        match (self.language, again) {
            (Language::En, 0) => format!("{done} of {total} done"),
            (Language::En, again) => format!("{done} of {total} done, {again} retrying"),
            (Language::Ja, 0) => format!("{total}件中{done}件完了"),
            (Language::Ja, again) => format!("{total}件中{done}件完了、再試行{again}件"),
        }
    }

    /// `Failed, 3 attempts`
    pub(super) fn failed_after(&self, attempts: u32) -> String {
        match (self.language, attempts) {
            (Language::En, 1) => "Failed, 1 attempt".to_owned(),
            (Language::En, attempts) => format!("Failed, {attempts} attempts"),
            (Language::Ja, attempts) => format!("失敗、{attempts}回試行"),
        }
    }

    pub(super) fn waits_for(&self, names: &[String]) -> String {
        match self.language {
            Language::En => match names {
                [all @ .., last] if !all.is_empty() => format!("waits for {} and {last}", all.join(", ")),
                names => format!("waits for {}", names.join("")),
            },
            Language::Ja => format!("{}を待っています", names.join("と")),
        }
    }

    /// One state of a run that is not at its end, in words: what failed, what runs.
    pub(super) fn standing(&self, (failed, needs, running): (i64, i64, i64)) -> String {
        let mut parts = Vec::new();
        let some = |number: i64, en: (&str, &str), ja: &str| match self.language {
            Language::En => format!("{number} {}", if number == 1 { en.0 } else { en.1 }),
            Language::Ja => format!("{ja}{number}件"),
        };
        if failed > 0 {
            parts.push(some(failed, ("task failed", "tasks failed"), "失敗"));
        }
        if needs > 0 {
            parts.push(some(needs, ("task asks a person", "tasks ask a person"), "要対応"));
        }
        if running > 0 {
            parts.push(some(running, ("task runs", "tasks run"), "実行中"));
        }
        parts.join(self.pick("; ", "、"))
    }

    pub(super) fn passed_of(&self, done: &str, total: &str) -> String {
        self.pick(format!("{done} of {total} tasks passed"), format!("{total}件中{done}件のタスクが合格"))
    }

    pub(super) fn open_for(&self, roles: &str, age: &str) -> String {
        self.pick(format!("{roles}; open for {age}"), format!("{roles}・{age}前から"))
    }

    pub(super) fn who_may(&self, roles: &str) -> String {
        self.pick(format!("This is for: {roles}."), format!("この操作ができる役割: {roles}"))
    }

    pub(super) fn retry_effect(&self, again: i64, kept: i64) -> String {
        match self.language {
            Language::En => {
                let what = if again == 1 {
                    "1 step that failed or was canceled is"
                } else {
                    "steps that failed or were canceled are"
                };
                let number = if again == 1 { String::new() } else { format!("{again} ") };
                format!(
                    "{number}{what} tried again, with the workflow and the images as they were; {kept} finished tasks are kept."
                )
            }
            Language::Ja => format!(
                "失敗または取消の{again}件を、同じワークフローと同じイメージでやり直します。完了した{kept}件はそのまま残ります。"
            ),
        }
    }

    pub(super) fn cancel_effect(&self, running: i64) -> String {
        self.pick(
            format!("Ends {running} running tasks and starts nothing new; finished files are kept. A canceled run can be retried."),
            format!("実行中の{running}件を終了し、新しい処理は始めません。完成したファイルは残ります。あとで再試行できます。"),
        )
    }

    pub(super) fn hold_effect(&self) -> &'static str {
        self.pick(
            "What runs goes on to its end; nothing new starts until somebody resumes the run.",
            "実行中の処理は最後まで続き、再開するまで新しい処理は始まりません。",
        )
    }

    pub(super) fn resume_effect(&self) -> &'static str {
        self.pick("The run goes on from where it stands.", "今の状態から処理を続けます。")
    }

    pub(super) fn again_from_effect(&self) -> &'static str {
        self.pick(
            "This step and everything after it is done again; what came before is kept. The run must have ended.",
            "選んだステップとそれ以降をすべてやり直します。それより前は残ります。実行が終わっている必要があります。",
        )
    }

    /// A way out, as its button says it, and what follows from it.
    pub(super) fn way_out(&self, verdict: &str) -> (String, &'static str) {
        let (en, ja, effect_en, effect_ja) = match verdict {
            "approve" => (
                "Approve",
                "承認する",
                "The run goes on when enough people have approved.",
                "必要な人数が承認すると処理が進みます。",
            ),
            "reject" => (
                "Reject",
                "却下する",
                "The step fails; nothing leaves the building.",
                "ステップは失敗になり、何も外へ出ません。",
            ),
            "release" => (
                "Release",
                "合格として進める",
                "The run goes on although the gate says no; your name and reason stay with it.",
                "判定にかかわらず処理を進めます。氏名と理由が記録に残ります。",
            ),
            "top_up" => (
                "Top up",
                "追加読み取りする",
                "This run ends; more reads of the same library are asked for.",
                "この実行を終え、同じライブラリの追加読み取りを依頼します。",
            ),
            "re_prep" => (
                "Prepare again",
                "ライブラリを作り直す",
                "This run ends; a new library is asked for.",
                "この実行を終え、新しいライブラリを依頼します。",
            ),
            "re_extract" => (
                "Extract again",
                "抽出をやり直す",
                "This run ends; the lab extracts again.",
                "この実行を終え、抽出のやり直しを依頼します。",
            ),
            "new_material" => (
                "New material",
                "再採取を依頼する",
                "This run ends; the institution is asked for new material.",
                "この実行を終え、施設に新しい検体を依頼します。",
            ),
            "give_up" => (
                "Give up",
                "中止する",
                "This run ends as failed; nothing is asked for.",
                "この実行を失敗として終えます。",
            ),
            other => return (other.replace('_', " "), ""),
        };
        (self.pick(en, ja).to_owned(), self.pick(effect_en, effect_ja))
    }

    /// A relation that keeps somebody from answering.
    pub(super) fn relation(&self, relation: &str) -> String {
        let (en, ja) = match relation {
            "submitter" => ("whoever submitted the run", "投入した人"),
            "approver" => ("whoever approved before", "先に承認した人"),
            "previous_decider" => ("whoever decided before", "先に判断した人"),
            "signer" => ("whoever signed before", "先に署名した人"),
            other => (other, other),
        };
        self.pick(en, ja).to_owned()
    }
}
