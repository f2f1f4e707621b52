//! The table itself, from the top of a file down.

use super::{Key, Record, Shape};
use Shape::{
    Boolean, Choice, Duration, Either, Expression, Factor, Human, Id, Integer, List, Names, Number, Template, Text,
};

mod step;

use step::STEP;

const fn key(name: &'static str, shape: Shape, en: &'static str, ja: &'static str) -> Key {
    Key::new(name, shape, en, ja)
}

/// The whole file.
pub static TOP: Record = Record {
    name: "top",
    keys: &[
        key("kentai", Shape::Version, "Version of the language; the first key.", "言語の版。最初のキーです。")
            .required(),
        key("workflow", Id, "The workflow's id.", "ワークフローの ID。").required(),
        key("version", Text, "The workflow's own version.", "ワークフロー自身の版。"),
        key("title", Human, "Title for people.", "表示名。"),
        key("owner", Text, "Who answers for it.", "責任者。"),
        key("params", Names(&Shape::Record(&PARAM)), "What may differ from run to run.", "実行ごとに変えられる値。"),
        key("specimen", Shape::Record(&SPECIMEN), "What one row of the sheet brings.", "シートの 1 行がもたらすもの。"),
        key(
            "defaults",
            Shape::Record(&DEFAULTS),
            "Defaults of every script and command step.",
            "すべてのスクリプトとコマンドの既定値。",
        ),
        key(
            "steps",
            Names(&Shape::Record(&STEP)),
            "The steps; their order follows from data and `after`.",
            "ステップ。順序はデータと `after` で決まります。",
        )
        .required(),
        key(
            "outputs",
            Names(&Expression),
            "What a `call` of this workflow gives back.",
            "`call` の呼び出し元に返すもの。",
        ),
        key("triggers", List(&Shape::Record(&TRIGGER)), "What starts runs by itself.", "自動で実行を始めるもの。"),
        key(
            "notify",
            List(&Text),
            "Channels of the site that hear of this workflow's runs.",
            "実行を知らせるサイトの通知先。",
        ),
    ],
};

static PARAM: Record = Record {
    name: "params.X, specimen.fields.X",
    keys: &[
        key(
            "type",
            Choice(&["string", "number", "integer", "boolean", "choice", "file", "duration", "size", "reference"]),
            "Its type.",
            "型。",
        )
        .required(),
        key("of", List(&Text), "The choices, for `type: choice`.", "`type: choice` の選択肢。"),
        key("default", Text, "The value when none is given.", "省略時の値。"),
        key("min", Number, "Smallest value.", "最小値。"),
        key("max", Number, "Largest value.", "最大値。"),
        key("unit", Text, "Unit of a number.", "数値の単位。"),
        key("required", Boolean, "Must be given; true when there is no default.", "必須か。既定値がなければ true。"),
        key("help", Human, "What it is for.", "説明。"),
    ],
};

static SPECIMEN: Record = Record {
    name: "specimen",
    keys: &[
        key("fields", Names(&Shape::Record(&PARAM)), "Columns with values.", "値の列。"),
        key(
            "inputs",
            Names(&Either(&[Choice(&["file"]), Shape::Record(&INPUT_SPEC)])),
            "Files, or lists of them.",
            "ファイル、またはそのリスト。",
        ),
    ],
};

static INPUT_SPEC: Record = Record {
    name: "specimen.inputs.X",
    keys: &[
        key("type", Choice(&["file", "list"]), "One file, or one item per row.", "1 ファイル、または行ごとの項目。")
            .required(),
        key(
            "item",
            Names(&Choice(&["file", "string"])),
            "An item's fields; `id` is always there.",
            "項目のフィールド。`id` は常にあります。",
        ),
        key(
            "column",
            Text,
            "Sheet column of the item's `id`; the list's singular when absent.",
            "項目の `id` の列。省略時はリスト名の単数形。",
        ),
        key("min_items", Integer(0), "Fewest items.", "最少の項目数。"),
        key("required", Boolean, "The specimen cannot run without it; true when absent.", "必須か。省略時は true。"),
    ],
};

static DEFAULTS: Record = Record {
    name: "defaults",
    keys: &[
        key("image", Text, "Container image.", "コンテナイメージ。"),
        key("resources", Shape::Record(&RESOURCES), "What a step may use.", "使える資源。"),
        key("timeout", Duration, "Longest time of one attempt.", "1 回の試行の制限時間。"),
        key("retry", Shape::Record(&RETRY), "What to do about failures.", "失敗したときの再試行。"),
        key("network", Boolean, "Asks for a network.", "ネットワークを使うか。"),
    ],
};

static RESOURCES: Record = Record {
    name: "resources",
    keys: &[
        key("cpus", Template, "Cores, a whole number.", "コア数 (整数)。"),
        key("memory", Template, "Memory, such as `4 GiB`.", "メモリ。`4 GiB` のように書きます。"),
        key("disk", Template, "Disk, such as `20 GiB`.", "ディスク。`20 GiB` のように書きます。"),
        key("gpus", Template, "Graphics processors.", "GPU の数。"),
        key("labels", List(&Id), "Labels that its executor must have.", "実行環境に必要なラベル。"),
    ],
};

static RETRY: Record = Record {
    name: "retry",
    keys: &[
        key("attempts", Integer(1), "Attempts in all.", "試行の総数。"),
        key(
            "causes",
            List(&Choice(&["tool", "out_of_memory", "timeout", "bad_output"])),
            "Causes worth another attempt.",
            "再試行する原因。",
        ),
        key("exit_codes", List(&Integer(0)), "Exit codes worth another attempt.", "再試行する終了コード。"),
        key("wait", Shape::Record(&WAIT), "Time between attempts.", "試行の間隔。"),
        key(
            "escalate",
            Shape::Record(&ESCALATE),
            "What grows with each attempt, up to the site's limits.",
            "試行ごとに増やすもの (サイトの上限まで)。",
        ),
    ],
};

static WAIT: Record = Record {
    name: "retry.wait",
    keys: &[
        key("first", Duration, "Before the second attempt.", "2 回目の前。"),
        key("factor", Number, "Multiplies per attempt.", "試行ごとの倍率。"),
        key("max", Duration, "Longest wait.", "最長。"),
        key("jitter", Boolean, "Spreads waits over 50 to 100 %.", "50〜100 % にばらつかせる。"),
    ],
};

static ESCALATE: Record = Record {
    name: "retry.escalate",
    keys: &[
        key("memory", Factor, "After running out of memory.", "メモリ不足の後。"),
        key("timeout", Factor, "After a timeout.", "時間切れの後。"),
        key("disk", Factor, "After running out of disk.", "ディスク不足の後。"),
    ],
};

static TRIGGER: Record = Record {
    name: "triggers[]",
    keys: &[
        key("run_folder", Shape::Record(&RUN_FOLDER), "A sequencer's folder.", "シーケンサーのフォルダー。"),
        key("schedule", Shape::Record(&SCHEDULE), "A time.", "時刻。"),
        key("api", Shape::Record(&API), "A request.", "API の要求。"),
    ],
};

static RUN_FOLDER: Record = Record {
    name: "triggers[].run_folder",
    keys: &[
        key("root", Text, "A place of the site.", "サイトの場所。").required(),
        key("ready_when", List(&Text), "Files that mark a finished run folder.", "完了を示すファイル。"),
        key("settle", Duration, "Sizes stand still for so long.", "大きさが変わらない時間。"),
        key("every", Duration, "Looks so often.", "確認の間隔。"),
    ],
};

static SCHEDULE: Record = Record {
    name: "triggers[].schedule",
    keys: &[
        key("cron", Text, "Minute, hour, day, month, weekday.", "分 時 日 月 曜日。").required(),
        key("timezone", Text, "Such as `Asia/Tokyo`.", "`Asia/Tokyo` など。").required(),
        key(
            "if_missed",
            Choice(&["run_once", "run_all", "skip"]),
            "Times that passed while the engine was down.",
            "停止中に過ぎた時刻の扱い。",
        ),
        key("specimen", Text, "The specimen that is run.", "対象の検体。"),
    ],
};

static API: Record = Record { name: "triggers[].api", keys: &[] };
