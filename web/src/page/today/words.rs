//! Words of the first page, its lists and the wall.

use kentai_engine::state::order::Stage;
use kentai_workflows::diagnostic::Language;

macro_rules! words {
    ($($name:ident: $en:literal, $ja:literal;)*) => {
        #[derive(Debug)]
        pub(crate) struct Words {
            pub(crate) language: Language,
            $(pub(crate) $name: &'static str,)*
        }
        const EN: Words = Words { language: Language::En, $($name: $en,)* };
        const JA: Words = Words { language: Language::Ja, $($name: $ja,)* };
    };
}

words! {
    title: "Today", "今日";
    needs: "Needs you now", "要対応";
    oldest_first: "oldest first", "古い順";
    needs_empty: "Nothing waits for a person. What does comes here by itself, the oldest first.", "対応待ちはありません。判断が必要になると、古い順にここに表示されます。";
    all_decisions: "All decisions", "判断の一覧";
    kind: "What", "種類";
    thing: "About", "対象";
    why: "Why", "理由";
    since: "Since", "経過";
    who_may: "Who may act", "担当";
    act: "Act", "操作";
    line: "The line", "工程";
    line_note: "Line thickness: order lines moved on in the last 24 h. Second row: median age.", "線の太さ：過去24時間に次へ進んだ件数。下の値：滞在期間の中央値。";
    trouble: "Late and stuck", "遅延と停滞";
    worst_first: "worst first", "深刻な順";
    trouble_empty: "No order line is late, due within 3 days or stuck.", "期限超過、3日以内の期限、停滞はいずれもありません。";
    specimen: "Specimen", "検体";
    due: "Due", "期限";
    owner: "Owner", "担当";
    next: "Next", "次の操作";
    turnaround: "Turnaround", "所要日数";
    turnaround_note: "last 30 days, in days; bar from median to 75th, tick at 90th", "過去30日・帯は中央値〜75%点、端は90%点";
    turnaround_empty: "Nothing passed a gate in the last 30 days. Order lines that do are counted here.", "過去30日に区間を終えた依頼はありません。終えた依頼がここに集計されます。";
    turnaround_counting: "It is being counted, and appears here by itself.", "集計中です。終わるとここに表示されます。";
    by_week: "By week", "週ごと";
    gate: "Gate", "区間";
    target: "Target", "目標";
    median: "Median", "中央値";
    p75: "75th", "75%点";
    p90: "90th", "90%点";
    in_target: "In target", "目標内";
    paused: "Paused", "停止中";
    queue: "Queue", "実行待ち";
    queue_empty: "No step waits to start.", "開始待ちのステップはありません。";
    step: "Step", "ステップ";
    waiting: "Waiting", "件数";
    wait_for: "For", "待っているもの";
    ahead: "Ahead", "先行";
    starts: "Starts in", "開始まで";
    longest: "Unchanged for", "最終更新から";
    not_begun: "runs not begun", "未開始の実行";
    hand_off: "Hand-off", "引き渡し";
    hand_off_note: "deliveries; nothing is done before its receipt", "受領確認があるまで完了とみなさない";
    hand_off_empty: "This site hands off to nobody yet. Targets are named in kentai.yaml.", "引き渡し先がありません。引き渡し先は kentai.yaml で指定します。";
    reconciliation: "Reconciliation", "照合";
    receiver: "Receiver", "受領先";
    offered: "Offered", "提供中";
    delivered: "Delivered", "送達";
    acknowledged: "Acknowl.", "受領確認";
    refused: "Refused", "拒否";
    fetching: "being fetched", "取得中";
    partly: "partly", "一部受領";
    oldest_open: "Oldest open", "最長未確認";
    last_contact: "Last contact", "最終連絡";
    charts: "Control charts", "管理図";
    charts_says: "Every tracked metric in time, with its limits and the rules of Westgard.", "追跡する全項目の推移、管理限界、ウェストガードの規則。";
    charts_note: "last 30 days", "過去30日";
    pass_rate: "Values that passed", "合格した値";
    out_of_control: "Metrics out of control", "管理外れの項目";
    overrides: "Let pass by", "合格扱いにした人";
    open_charts: "Open the charts", "管理図を開く";
    failures: "Failures by cause", "原因別の失敗";
    failures_note: "attempts of the last 30 days", "過去30日の試行";
    failures_empty: "None failed.", "失敗はありません。";
    all_failures: "All failures", "失敗の一覧";
    intake: "Instrument runs and intake", "装置ランと受け入れ";
    intake_empty: "No run folder and no shipment is known yet.", "ランフォルダも便もまだありません。";
    run_folders: "Instrument runs", "装置ラン";
    omissions: "Omissions", "漏れ";
    omissions_empty: "Nothing is missing, unannounced or unanswered.", "漏れはありません。";
    all_omissions: "All omissions", "漏れの一覧";
    capacity: "Capacity", "設備";
    slots: "tools run", "実行中のツール";
    disk_free: "disk free", "ディスク空き";
    inodes_free: "inodes free", "inode空き";
    all_capacity: "Capacity", "設備";
    waste: "Waste", "無駄";
    waste_note: "memory of the newest 1,000 attempts", "最新1,000回の試行のメモリ";
    waste_empty: "No attempt says yet what it used.", "使用量の記録はまだありません。";
    asked: "asked for", "要求";
    used: "used", "使用";
    schedules: "Schedules", "定時実行";
    schedules_empty: "Nothing starts by the clock.", "定時実行はありません。";
    all_schedules: "All schedules", "定時実行の一覧";
    withdrawals: "Withdrawals", "同意撤回";
    withdrawals_empty: "No case of withdrawal was ever opened.", "撤回の案件はありません。";
    all_withdrawals: "All withdrawals", "撤回の一覧";
    withdrawals_note: "median and longest of the newest 50", "最新50件の中央値と最長";
    to_stop: "to stop", "停止まで";
    to_receipt: "to last receipt", "最終回答まで";
    at_most: "longest", "最長";
    unanswered: "wait for an answer", "回答待ち";
    decisions: "Recent decisions", "最近の判断";
    decisions_empty: "Nobody decided a quality question yet.", "品質の判断はまだありません。";
    all_decided: "Everything decided", "これまでの判断";
    // The wall.
    wall_line_note: "each counted once; thickness: moved on in 24 h; grey: median age", "重複なし・太さは24時間の進み・灰色は滞在期間の中央値";
    by_reason: "by reason", "理由別";
    wall_turnaround: "30 days; median, share in target", "30日・中央値と目標内の割合";
    oldest: "Oldest", "最長";
    deliveries: "deliveries", "件数";
    closed: "Closed", "終了";
    // Lists of their own.
    queue_title: "What waits to start", "実行待ち";
    queue_order: "what starts first, first", "開始順";
    turnaround_title: "Turnaround by week", "週ごとの所要日数";
    month: "Last 30 days", "過去30日";
    week_to: "Week to", "週の終わり";
    passed: "Passed", "件数";
    assay: "Assay", "検査項目";
    needs_title: "What needs a person", "対応が必要なもの";
    role: "Role", "役割";
    counted: "counted", "集計";
}

impl Words {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    fn pick<T>(&self, en: T, ja: T) -> T {
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    /// What a stage is called at the line; a `|` is where it may break.
    pub(crate) fn stage(&self, stage: Stage) -> &'static str {
        let (en, ja) = match stage {
            Stage::Expected => ("Expected", "到着予定"),
            Stage::Received => ("Received", "受領"),
            Stage::Rejected => ("Rejected", "受入不可"),
            Stage::Accessioned => ("Accessioned", "受付済み"),
            Stage::InLab => ("In lab", "ラボ作業中"),
            Stage::Sequencing => ("Sequencing", "シーケンス中"),
            Stage::Sequenced => ("Sequenced", "シーケンス済み"),
            Stage::SequenceQcFailed => ("Sequence QC |failed", "シーケンス|QC不合格"),
            Stage::AwaitingTopUp => ("Awaiting |top-up", "シーケンス|追加待ち"),
            Stage::AwaitingMaterial => ("Awaiting |material", "再採取待ち"),
            Stage::Ready => ("Ready", "解析待ち"),
            Stage::Analyzing => ("Analyzing", "解析中"),
            Stage::AnalysisFailed => ("Analysis failed", "解析失敗"),
            Stage::AnalysisQcFailed => ("Analysis QC |failed", "解析QC不合格"),
            Stage::ReleaseReview => ("Release review", "引き渡し審査"),
            Stage::Released => ("Released", "承認済み"),
            Stage::Offered => ("Offered", "提供中"),
            Stage::Delivered => ("Delivered", "送達済み"),
            Stage::Acknowledged => ("Acknowledged", "受領確認済み"),
            Stage::Refused => ("Refused", "受取拒否"),
            Stage::Archived => ("Archived", "保管済み"),
            Stage::Recalled => ("Recalled", "回収"),
            Stage::ClosedFailed => ("closed, failed", "不成立で終了"),
            Stage::Withdrawn => ("withdrawn", "同意撤回"),
            Stage::Canceled => ("canceled", "取消"),
        };
        self.pick(en, ja)
    }

    /// What a gate is called.
    pub(crate) fn turn(&self, gate: &str) -> String {
        let (en, ja) = match gate {
            "arrival" => ("order to arrival", "依頼→到着"),
            "accession" => ("arrival to accession", "到着→受付"),
            "lab" => ("DNA to instrument", "DNA→装置"),
            "sequencing" => ("instrument to data", "装置→データ"),
            "analysis" => ("data to hand-off", "データ→引き渡し"),
            "delivery" => ("release to delivery", "承認→送達"),
            "receipt" => ("delivery to receipt", "送達→受領確認"),
            "total" => ("order to receipt", "依頼→受領確認"),
            other => return other.to_owned(),
        };
        self.pick(en, ja).to_owned()
    }

    /// What a cause, a status, a kind of omission is called; its own word where we know none.
    pub(crate) fn plain(&self, word: &str) -> String {
        let (en, ja) = match word {
            "tool" => ("the tool failed", "ツールの失敗"),
            "out_of_memory" => ("out of memory", "メモリ不足"),
            "timeout" => ("out of time", "時間切れ"),
            "lost" => ("lost", "消失"),
            "infrastructure" => ("infrastructure", "基盤の障害"),
            "preempted" => ("preempted", "中断"),
            "image" => ("image", "イメージ"),
            "policy" => ("policy", "規則"),
            "unanswered_notice" => ("notices without an answer", "回答のない通知"),
            "undelivered_notice" => ("notices that did not arrive", "届かなかった通知"),
            "late_receipt" => ("receipts that are late", "受領確認の遅れ"),
            "order_without_consent" => ("orders without consent", "同意のない依頼"),
            "order_without_data" => ("orders without data", "データのない依頼"),
            "data_without_specimen" => ("data without a specimen", "検体のないデータ"),
            "specimen_without_order" => ("specimens without an order", "依頼のない検体"),
            "extra_item" => ("tubes that nobody announced", "予定外の検体"),
            "missing_item" => ("tubes that did not come", "未着の検体"),
            "top_up" => ("top-up", "追加シーケンス"),
            "re_prep" => ("re-prep", "再調製"),
            "re_extract" => ("re-extract", "再抽出"),
            "new_material" => ("new material", "再採取"),
            "release" => ("release", "承認"),
            "give_up" => ("give up", "中止"),
            "seen" => ("seen", "検出"),
            "settling" => ("still written", "書き込み中"),
            "complete" => ("complete", "完了"),
            "incomplete" => ("incomplete", "不足あり"),
            "taken" => ("taken in", "取り込み済み"),
            "failed" => ("failed", "失敗"),
            "stopped_early" => ("stopped early", "途中停止"),
            "changed" => ("changed afterwards", "完了後に変更"),
            "sent" => ("sent", "発送済み"),
            "received" => ("received", "受領"),
            "running" => ("running", "稼働中"),
            "paused" => ("paused", "休止中"),
            "stopped" => ("stopped", "停止中"),
            "listed" => ("being sealed", "遮断処理中"),
            "sealed" => ("sealed", "封印済み"),
            "notified" => ("notified", "通知済み"),
            "closed" => ("closed", "終了"),
            "recorded" => ("recorded", "記録済み"),
            "instrument_run" => ("run folders", "ランフォルダ"),
            "shipment" => ("shipments", "便"),
            other => return other.replace('_', " "),
        };
        self.pick(en, ja).to_owned()
    }
}
