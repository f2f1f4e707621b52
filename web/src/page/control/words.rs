//! Words of a control chart.

use kentai_engine::qc::control::{POINTS_MIN, Rule};
use kentai_engine::view::center::control::{Control, Point};
use kentai_workflows::diagnostic::Language;

use crate::page::chart::control::loudest;
use crate::page::say::Say;

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) quality: &'static str,
    pub(super) charts: &'static str,
    pub(super) print: &'static str,
    pub(super) download: &'static str,
    pub(super) record: &'static str,
    pub(super) source: &'static str,
    pub(super) instrument: &'static str,
    pub(super) workflow: &'static str,
    pub(super) assay: &'static str,
    pub(super) window: &'static str,
    pub(super) baseline: &'static str,
    pub(super) since: &'static str,
    pub(super) show: &'static str,
    pub(super) order_lines: &'static str,
    pub(super) all_runs: &'static str,
    pub(super) any_instrument: &'static str,
    pub(super) any_workflow: &'static str,
    pub(super) any_assay: &'static str,
    pub(super) each: &'static str,
    pub(super) chart: &'static str,
    pub(super) as_table: &'static str,
    pub(super) elsewhere: &'static str,
    pub(super) elsewhere_note: &'static str,
    pub(super) table: &'static str,
    pub(super) rules: &'static str,
    pub(super) rules_note: &'static str,
    pub(super) measured: &'static str,
    pub(super) thing: &'static str,
    pub(super) lot: &'static str,
    pub(super) lot_head: &'static str,
    pub(super) value: &'static str,
    pub(super) score: &'static str,
    pub(super) rule: &'static str,
    pub(super) verdict: &'static str,
    pub(super) decision: &'static str,
    pub(super) mean: &'static str,
    pub(super) in_control: &'static str,
    pub(super) warned: &'static str,
    pub(super) out: &'static str,
    pub(super) held_to_nothing: &'static str,
    pub(super) too_few: &'static str,
    pub(super) open: &'static str,
    pub(super) empty: &'static str,
    pub(super) then_out: &'static str,
    pub(super) then_warn: &'static str,
    pub(super) about_metric: &'static str,
    pub(super) decide_title: &'static str,
    pub(super) decide_lead: &'static str,
    pub(super) about: &'static str,
    pub(super) severity: &'static str,
    pub(super) severity_missing: &'static str,
    pub(super) too_long: &'static str,
    pub(super) only: &'static str,
    pub(super) broken_times: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    quality: "Quality",
    charts: "Control charts",
    print: "Print",
    download: "Download CSV",
    record: "Record a decision",
    source: "Control specimen or order lines",
    instrument: "Instrument",
    workflow: "Workflow",
    assay: "Assay",
    window: "Window",
    baseline: "Baseline",
    since: "Begins on",
    show: "Show",
    order_lines: "Order lines",
    all_runs: "Gates of all runs",
    any_instrument: "All",
    any_workflow: "All workflows",
    any_assay: "All assays",
    each: "Points before each",
    chart: "Levey-Jennings chart",
    as_table: "As a table",
    elsewhere: "The same control elsewhere",
    elsewhere_note: "same scale, in SD of each instrument’s own baseline",
    table: "The same as a table",
    rules: "Rules in force",
    rules_note: "Westgard, as in kentai qc trend",
    measured: "Measured",
    thing: "Run or order line",
    lot: "lot",
    lot_head: "Lot",
    value: "Value",
    score: "SD from mean",
    rule: "Rule",
    verdict: "Verdict",
    decision: "Decision",
    mean: "mean",
    in_control: "In control",
    warned: "Warning",
    out: "Out of control",
    held_to_nothing: "No limits yet",
    too_few: "too few points for limits",
    open: "Needs a person",
    empty: "Nobody measured this in the window that was chosen. Values come from gates of runs and from files that are imported.",
    then_out: "then: out of control; it counts toward no later limits",
    then_warn: "then: a warning; it counts",
    about_metric: "Decisions about the metric",
    decide_title: "Record a decision",
    decide_lead: "What you write is kept as a deviation: with your name, open until somebody closes it with what was done.",
    about: "About",
    severity: "Severity",
    severity_missing: "Choose how bad it is.",
    too_long: "Say it in 4,000 characters.",
    only: "Only for:",
    broken_times: "Times broken",
};

const JA: Words = Words {
    language: Language::Ja,
    quality: "品質",
    charts: "管理図",
    print: "印刷する",
    download: "CSVを保存",
    record: "判断を記録する",
    source: "管理検体・依頼",
    instrument: "装置",
    workflow: "ワークフロー",
    assay: "アッセイ",
    window: "表示範囲",
    baseline: "基準",
    since: "開始日",
    show: "表示する",
    order_lines: "依頼",
    all_runs: "すべての実行のゲート",
    any_instrument: "すべて",
    any_workflow: "すべてのワークフロー",
    any_assay: "すべてのアッセイ",
    each: "各点より前の点",
    chart: "Levey-Jennings 管理図",
    as_table: "表で見る",
    elsewhere: "ほかの装置の同じ管理項目",
    elsewhere_note: "縦軸は共通。各装置の基準に対するSD",
    table: "同じ内容の表",
    rules: "適用中のルール",
    rules_note: "Westgard（kentai qc trendと同じ）",
    measured: "測定日時",
    thing: "実行・依頼",
    lot: "ロット",
    lot_head: "ロット",
    value: "値",
    score: "平均との差（SD）",
    rule: "ルール",
    verdict: "判定",
    decision: "判断",
    mean: "平均",
    in_control: "管理内",
    warned: "警告",
    out: "管理外",
    held_to_nothing: "管理限界なし",
    too_few: "点が少なく、管理限界はまだありません",
    open: "要対応",
    empty: "この範囲に測定値はありません。測定値は、実行のゲートと取り込んだファイルから入ります。",
    then_out: "該当時：管理外。以後の管理限界には含めません",
    then_warn: "該当時：警告。以後の管理限界に含めます",
    about_metric: "この指標についての判断",
    decide_title: "判断の記録",
    decide_lead: "記録は逸脱として残ります。記録者の名前が付き、処置を書いて閉じるまで未処理のままです。",
    about: "対象",
    severity: "重大さ",
    severity_missing: "重大さを選んでください。",
    too_long: "4,000文字以内で書いてください。",
    only: "実行できる役割：",
    broken_times: "該当回数",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    fn pick(&self, en: String, ja: String) -> String {
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    /// A rule, as it is read.
    pub(super) fn rule(&self, rule: Rule) -> &'static str {
        let (en, ja) = match rule {
            Rule::OneTwoS => ("one value beyond 2 SD", "1点が±2 SDを超える"),
            Rule::OneThreeS => ("one value beyond 3 SD", "1点が±3 SDを超える"),
            Rule::TwoTwoS => ("two in a row beyond the same 2 SD", "連続2点が同じ側の2 SDを超える"),
            Rule::RFourS => {
                ("two in a row, one above +2 SD and one below −2 SD", "連続2点の一方が＋2 SD、他方が−2 SDを超える")
            }
            Rule::TenX => ("ten in a row on one side of the mean", "連続10点が平均の同じ側にある"),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    pub(super) fn severity(&self, word: &str) -> &'static str {
        let (en, ja) = match word {
            "critical" => ("Critical", "重大"),
            "major" => ("Major", "中程度"),
            _ => ("Minor", "軽微"),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    /// A way out of a quality question.
    pub(super) fn way(&self, way: &str) -> Option<&'static str> {
        let (en, ja) = match way {
            "release" => ("released", "承認"),
            "top_up" => ("top-up", "追加シーケンス"),
            "re_prep" => ("prepared again", "再調製"),
            "re_extract" => ("extracted again", "再抽出"),
            "new_material" => ("new material", "再採取"),
            "give_up" => ("given up", "中止"),
            _ => return None,
        };
        Some(match self.language {
            Language::En => en,
            Language::Ja => ja,
        })
    }

    pub(super) fn control(&self, specimen: &str) -> String {
        self.pick(format!("{specimen}, scheduled"), format!("{specimen}（定期実行）"))
    }

    pub(super) fn window(&self, count: usize) -> String {
        self.pick(format!("newest {count}"), format!("最新{count}点"))
    }

    pub(super) fn first(&self, count: usize) -> String {
        self.pick(format!("first {count} of the window"), format!("範囲の最初の{count}点"))
    }

    pub(super) fn baseline(&self, count: usize) -> String {
        self.pick(format!("baseline: {count} points"), format!("基準：{count}点"))
    }

    pub(super) fn limits(&self, mean: &str, deviation: &str, count: usize) -> String {
        self.pick(
            format!("mean {mean}, SD {deviation}, n = {count}"),
            format!("平均 {mean}・SD {deviation}・n = {count}"),
        )
    }

    pub(super) fn no_limits(&self, count: usize, of: usize) -> String {
        self.pick(format!("no limits yet: {count} of {of} points"), format!("管理限界なし：{of}点中{count}点"))
    }

    pub(super) fn count(&self, count: &str, older: bool) -> String {
        match (self.language, older) {
            (Language::En, false) => format!("{count} points; ticks at the right: all values"),
            (Language::En, true) => {
                format!("newest {count} points, there are older ones; ticks at the right: all values")
            }
            (Language::Ja, false) => format!("{count}点・右の目盛りは全測定値"),
            (Language::Ja, true) => format!("最新{count}点（これより古い点あり）・右の目盛りは全測定値"),
        }
    }

    pub(super) fn table_note(&self, shown: &str, all: &str, whole: bool) -> String {
        match (self.language, whole) {
            (Language::En, true) => format!("{shown} of {all} points, newest first"),
            (Language::En, false) => format!("{shown} of {all} points: newest first, then earlier breaches"),
            (Language::Ja, true) => format!("{all}点中{shown}点・新しい順"),
            (Language::Ja, false) => format!("{all}点中{shown}点・新しい順、その後に過去の管理外"),
        }
    }

    pub(super) fn broken_now(&self, rule: &str) -> String {
        self.pick(format!("breaks {rule} now"), format!("{rule}に該当中"))
    }

    pub(super) fn broken_on(&self, date: &str) -> String {
        self.pick(format!("in control, out on {date}"), format!("管理内（{date}に管理外）"))
    }

    /// What a manager must know first: how it stands now, then what was.
    pub(super) fn lead(&self, found: &Control, say: &Say) -> String {
        let Some(last) = found.points.last() else { return self.empty.to_owned() };
        if found.limits.is_none() {
            let (count, least) = (found.counted, POINTS_MIN);
            return self.pick(
                format!("{count} values so far; limits begin at {least}, and until then nothing is judged."),
                format!("測定値は{count}点です。管理限界は{least}点から求めるため、まだ判定していません。"),
            );
        }
        let now = self.now(last, &say.measured(last.value, &found.unit), &say.date(&last.at));
        let earlier: Vec<&Point> = found.points.iter().rev().skip(1).filter(|point| point.is_out()).collect();
        let open = earlier.iter().filter(|point| point.said.is_empty()).count();
        let was = match (earlier.len(), open) {
            (0, _) => {
                self.pick("No earlier value is out of control.".into(), "それ以前に管理外の値はありません。".into())
            }
            (count, 0) => self.pick(
                format!("Earlier values out of control: {count}, all with decisions."),
                format!("それ以前の管理外は{count}件で、すべて判断済みです。"),
            ),
            (count, open) => self.pick(
                format!("Earlier values out of control: {count}; without a decision: {open}."),
                format!("それ以前の管理外は{count}件で、うち{open}件は判断がまだです。"),
            ),
        };
        self.pick(format!("{now} {was}"), format!("{now}{was}"))
    }

    fn now(&self, last: &Point, value: &str, date: &str) -> String {
        match loudest(&last.broken) {
            Some(rule) => self.pick(
                format!("The last value, {value} on {date}, breaks {}: {}.", rule.word(), self.rule(rule)),
                format!("最新値{value}（{date}）は{}に該当します（{}）。", rule.word(), self.rule(rule)),
            ),
            None => self.pick(
                format!("The last value, {value} on {date}, is in control."),
                format!("最新値{value}（{date}）は管理内です。"),
            ),
        }
    }
}
