//! Words of the list of watched metrics.

use kentai_workflows::diagnostic::Language;

#[derive(Debug)]
pub(crate) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) of_order_lines: &'static str,
    pub(super) of_gates: &'static str,
    pub(super) no_order_lines: &'static str,
    pub(super) no_gates: &'static str,
    pub(super) assay: &'static str,
    pub(super) workflow: &'static str,
    pub(super) metric: &'static str,
    pub(super) state: &'static str,
    pub(super) count: &'static str,
    pub(super) last: &'static str,
    pub(super) measured: &'static str,
    pub(super) score: &'static str,
    pub(super) out_count: &'static str,
    pub(super) warned_count: &'static str,
    pub(super) pass: &'static str,
    pub(super) overrides: &'static str,
    pub(super) not_judged: &'static str,
    pub(super) in_control: &'static str,
    pub(super) out: &'static str,
    pub(super) warned: &'static str,
    pub(super) no_limits: &'static str,
    pub(super) deviations: &'static str,
    pub(super) decisions: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Quality",
    lead: "Every metric that is watched, over the last 30 days. Each value is held to those before it.",
    of_order_lines: "Order lines",
    of_gates: "Gates of runs",
    no_order_lines: "Nothing was measured of order lines in 30 days. Values come from runs and from files that are imported.",
    no_gates: "No gate that tracks a metric was passed in 30 days. A workflow says under `track` which metrics are watched.",
    assay: "Assay",
    workflow: "Workflow",
    metric: "Metric",
    state: "State",
    count: "n",
    last: "Last value",
    measured: "Measured",
    score: "SD from mean",
    out_count: "Out of control",
    warned_count: "Warnings",
    pass: "Passed (of n judged)",
    overrides: "Released although failed",
    not_judged: "no criterion",
    in_control: "In control",
    out: "Out of control",
    warned: "Warning",
    no_limits: "No limits yet",
    deviations: "Deviations",
    decisions: "Decisions",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "品質",
    lead: "監視対象の指標（直近30日間）。各値は、それより前の値から求めた管理限界で判定しています。",
    of_order_lines: "依頼",
    of_gates: "実行のゲート",
    no_order_lines: "直近30日間に依頼の測定値はありません。測定値は、実行または取り込んだファイルから入ります。",
    no_gates: "直近30日間に監視対象のゲートの測定値はありません。監視する指標はワークフローの `track` で指定します。",
    assay: "アッセイ",
    workflow: "ワークフロー",
    metric: "指標",
    state: "状態",
    count: "n",
    last: "最新値",
    measured: "測定時刻",
    score: "平均との差（SD）",
    out_count: "管理外",
    warned_count: "警告",
    pass: "合格率（判定数）",
    overrides: "不合格のまま承認した人",
    not_judged: "基準なし",
    in_control: "管理内",
    out: "管理外",
    warned: "警告",
    no_limits: "管理限界なし",
    deviations: "逸脱",
    decisions: "判断",
};

impl Words {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    /// `12 metrics`, `12件`
    pub(super) fn metrics(&self, count: &str) -> String {
        match self.language {
            Language::En => format!("{count} metrics, 30 days, by name"),
            Language::Ja => format!("{count}件・30日間・名前順"),
        }
    }
}
