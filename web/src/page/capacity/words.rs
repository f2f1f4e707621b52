//! Words of the page about capacity.

use kentai_workflows::diagnostic::Language;

/// When the first of the disks is full at the pace of the last days.
#[derive(Debug)]
pub(super) enum FullIn {
    /// Nothing grows.
    Never,
    /// Later than anybody forecasts.
    Late,
    /// After this time, as a person reads it.
    Time(String),
}

#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) executors: &'static str,
    pub(super) act: &'static str,
    pub(super) executor: &'static str,
    pub(super) state: &'static str,
    pub(super) kind: &'static str,
    pub(super) running: &'static str,
    pub(super) other: &'static str,
    pub(super) cores: &'static str,
    pub(super) memory: &'static str,
    pub(super) says: &'static str,
    pub(super) reachable: &'static str,
    pub(super) silent: &'static str,
    pub(super) no_executors: &'static str,
    pub(super) resources: &'static str,
    pub(super) resource: &'static str,
    pub(super) taken: &'static str,
    pub(super) limit: &'static str,
    pub(super) share: &'static str,
    pub(super) no_limit: &'static str,
    pub(super) slots: &'static str,
    pub(super) queue: &'static str,
    pub(super) disks: &'static str,
    pub(super) disk: &'static str,
    pub(super) inodes: &'static str,
    pub(super) parts: &'static str,
    pub(super) free: &'static str,
    pub(super) all: &'static str,
    pub(super) forecast: &'static str,
    pub(super) never_full: &'static str,
    pub(super) nothing_fits: &'static str,
    pub(super) little: &'static str,
    pub(super) soon: &'static str,
    pub(super) enough: &'static str,
    pub(super) make_room: &'static str,
    pub(super) remove_small: &'static str,
    pub(super) waste: &'static str,
    pub(super) workflow: &'static str,
    pub(super) step: &'static str,
    pub(super) attempts: &'static str,
    pub(super) asked: &'static str,
    pub(super) used: &'static str,
    pub(super) idle: &'static str,
    pub(super) suggestion: &'static str,
    pub(super) no_waste: &'static str,
    pub(super) granted: &'static str,
    pub(super) as_asked: &'static str,
    pub(super) waste_cpus: &'static str,
    pub(super) used_on_average: &'static str,
    pub(super) idle_cpus: &'static str,
    pub(super) no_waste_cpus: &'static str,
    pub(super) average_says: &'static str,
    pub(super) failures: &'static str,
    pub(super) all_failures: &'static str,
    pub(super) cause: &'static str,
    pub(super) week: &'static str,
    pub(super) month: &'static str,
    pub(super) steps: &'static str,
    pub(super) no_failures: &'static str,
    pub(super) schedules: &'static str,
    pub(super) labels: &'static str,
    pub(super) only_labelled: &'static str,
    pub(super) caps: &'static str,
    pub(super) waiting: &'static str,
    pub(super) drained: &'static str,
    pub(super) idle_hands: &'static str,
    pub(super) drain: &'static str,
    pub(super) resume: &'static str,
    pub(super) drain_says: &'static str,
    pub(super) resume_says: &'static str,
    pub(super) only: &'static str,
    pub(super) back: &'static str,
    pub(super) moved_on: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "Capacity",
    executors: "Executors",
    act: "Act",
    executor: "Executor",
    state: "State",
    kind: "Kind",
    running: "Attempts running",
    other: "Ending or waiting",
    cores: "Cores",
    memory: "Memory",
    says: "Says",
    reachable: "Answers",
    silent: "Does not answer",
    no_executors: "The site file names no executor: nothing can run here.",
    resources: "Resources",
    resource: "Resource",
    taken: "Taken",
    limit: "Limit",
    share: "Share",
    no_limit: "no limit",
    slots: "Tools at once",
    queue: "Queue",
    disks: "Disk and inodes",
    disk: "Disk",
    inodes: "Inodes",
    parts: "Holds",
    free: "Free",
    all: "Of",
    forecast: "Forecast",
    never_full: "not within ten years",
    nothing_fits: "Nothing fits",
    little: "Little room",
    soon: "Full soon",
    enough: "Enough",
    make_room: "Make room, or move the site: a 30x genome takes about 150 GiB while it runs.",
    remove_small: "Remove small files, or choose another file system: each attempt takes about ten.",
    waste: "Memory asked against used",
    workflow: "Workflow",
    step: "Step",
    attempts: "Attempts",
    asked: "Asked",
    used: "Used at most",
    idle: "Idle, GiB h",
    suggestion: "Suggested setting",
    no_waste: "No attempt that ended well says what memory it used.",
    granted: "Granted",
    as_asked: "as asked",
    waste_cpus: "Cores asked against used",
    used_on_average: "Used on average",
    idle_cpus: "Idle, core h",
    no_waste_cpus: "No attempt that ended well says what processor time it used.",
    average_says: "Used is processor time over the time that the attempt took, of the attempt that used most: not how many cores were busy at once. With a suggested setting a tool takes at most a quarter longer, even if it needs all its cores for a short part; one that waits much for disks or the network may take longer still.",
    failures: "Failures by cause",
    all_failures: "All failures",
    cause: "Cause",
    week: "7 days",
    month: "30 days",
    steps: "Steps, the most first",
    no_failures: "No attempt failed in 30 days.",
    schedules: "Schedules",
    labels: "Labels",
    only_labelled: "no other steps",
    caps: "At most",
    waiting: "Steps waiting",
    drained: "Drained",
    idle_hands: "Another takes every step",
    drain: "Drain",
    resume: "Resume",
    drain_says: "It gets nothing new; what it runs goes on. Steps that only it may take wait until somebody resumes it.",
    resume_says: "It may get new work again.",
    only: "This is for",
    back: "Back to capacity",
    moved_on: "Somebody changed it since this form was made. This is how it stands now.",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "設備",
    executors: "実行環境",
    act: "操作",
    executor: "実行環境",
    state: "状態",
    kind: "種類",
    running: "実行中の試行",
    other: "終了処理・待機",
    cores: "コア",
    memory: "メモリー",
    says: "応答",
    reachable: "応答あり",
    silent: "応答なし",
    no_executors: "サイトファイルに実行環境の指定がないため、何も実行できません。",
    resources: "資源",
    resource: "資源",
    taken: "使用中",
    limit: "上限",
    share: "割合",
    no_limit: "上限なし",
    slots: "同時実行ツール数",
    queue: "待ち行列",
    disks: "ディスクとiノード",
    disk: "ディスク",
    inodes: "iノード",
    parts: "内容",
    free: "空き",
    all: "全体",
    forecast: "見通し",
    never_full: "10年以内には満杯になりません",
    nothing_fits: "空きなし",
    little: "残りわずか",
    soon: "まもなく満杯",
    enough: "余裕あり",
    make_room: "空きを増やすか、サイトを移してください。30xのゲノム1件の実行には約150 GiBが必要です。",
    remove_small: "小さなファイルを減らすか、別のファイルシステムを選んでください。試行1回に約10ファイルが必要です。",
    waste: "メモリーの要求量と使用量",
    workflow: "ワークフロー",
    step: "ステップ",
    attempts: "試行",
    asked: "要求",
    used: "最大使用量",
    idle: "未使用（GiB時）",
    suggestion: "設定の提案",
    no_waste: "メモリー使用量の記録がある、正常に終わった試行はありません。",
    granted: "割り当て",
    as_asked: "要求どおり",
    waste_cpus: "コアの要求量と使用量",
    used_on_average: "平均使用量",
    idle_cpus: "未使用（コア時）",
    no_waste_cpus: "CPU時間の記録がある、正常に終わった試行はありません。",
    average_says: "使用量は、CPU時間を試行の所要時間で割った平均で、最も多く使った試行の値です。同時に動いていたコアの数ではありません。提案の設定では、短い間だけ全コアを使うツールでも、所要時間の増加は25%以内の見込みです。ディスクやネットワークの待ち時間が長いツールでは、それを超えることがあります。",
    failures: "原因別の失敗",
    all_failures: "すべての失敗",
    cause: "原因",
    week: "7日間",
    month: "30日間",
    steps: "ステップ（多い順）",
    no_failures: "直近30日間に失敗した試行はありません。",
    schedules: "定期実行",
    labels: "ラベル",
    only_labelled: "他のステップは不可",
    caps: "上限",
    waiting: "待機中のステップ",
    drained: "受付停止中",
    idle_hands: "別の実行環境が全ステップを担当",
    drain: "受付を停止",
    resume: "受付を再開",
    drain_says: "新しいステップを渡しません。実行中のものは続きます。この実行環境でしか動かないステップは、再開されるまで待ちます。",
    resume_says: "新しいステップを再び渡します。",
    only: "この操作ができる役割：",
    back: "設備に戻る",
    moved_on: "このフォームの表示後に変更がありました。現在の状態を表示しています。",
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

    /// The sentence before the numbers.
    pub(super) fn lead(&self, silent: usize, running: &str, full_in: &FullIn) -> String {
        let hands = match silent {
            0 => self.pick("Every executor answers.".into(), "実行環境はすべて応答しています。".into()),
            1 => self.pick("One executor does not answer.".into(), "実行環境1件が応答していません。".into()),
            more => {
                self.pick(format!("{more} executors do not answer."), format!("実行環境{more}件が応答していません。"))
            }
        };
        let tools = self.pick(format!("Attempts running: {running}."), format!("実行中の試行は{running}件です。"));
        let disk = match full_in {
            FullIn::Never => self.pick("The store does not grow.".into(), "保存領域は増えていません。".into()),
            FullIn::Late => self.pick(
                "At the pace of the last days no disk is full within ten years.".into(),
                "最近の増え方では、ディスクは10年以内には満杯になりません。".into(),
            ),
            FullIn::Time(time) => self.pick(
                format!("At the pace of the last days the disk is full in {time}."),
                format!("最近の増え方では、ディスクは{time}で満杯になります。"),
            ),
        };
        self.pick(format!("{hands} {tools} {disk}"), format!("{hands}{tools}{disk}"))
    }

    pub(super) fn drained_by(&self, by: &str, since: &str, reason: &str) -> String {
        self.pick(format!("by {by} since {since}: {reason}"), format!("{by}（{since}から）：{reason}"))
    }

    pub(super) fn away_since(&self, since: &str) -> String {
        self.pick(format!("since {since}"), format!("{since}から"))
    }

    pub(super) fn failed_last(&self, at: &str) -> String {
        self.pick(format!("last without an answer {at}"), format!("最後の応答なし：{at}"))
    }

    pub(super) fn steps_max(&self, count: &str) -> String {
        self.pick(format!("{count} steps"), format!("{count}ステップ"))
    }

    pub(super) fn cpus_max(&self, count: &str) -> String {
        self.pick(format!("{count} cores"), format!("{count}コア"))
    }

    pub(super) fn full_in(&self, time: &str, date: &str) -> String {
        self.pick(format!("full in about {time}, on {date}"), format!("約{time}で満杯（{date}）"))
    }

    pub(super) fn growth(&self, bytes: &str, days: i64) -> String {
        self.pick(
            format!("forecast from what artifacts grew: {bytes} in {days} days"),
            format!("成果物の増加から予測（{days}日間で{bytes}）"),
        )
    }

    pub(super) fn waste_note(&self, shown: usize, all: usize) -> String {
        self.pick(
            format!("{shown} of {all} steps, what lay idle most first; the newest 5,000 attempts"),
            format!("{all}件中{shown}件・未使用量の多い順・最新5,000試行"),
        )
    }

    pub(super) fn used_of(&self, used: &str, asked: &str) -> String {
        self.pick(format!("{used} used of {asked}"), format!("{asked}中{used}を使用"))
    }

    pub(super) fn suggested(&self, gib: i64) -> String {
        format!("memory: {gib} GiB")
    }

    pub(super) fn failures_note(&self, count: &str) -> String {
        self.pick(format!("{count} attempts in 30 days, the most first"), format!("30日間に{count}件・多い順"))
    }
}
