//! The table itself, from the top of a file down.

use super::{Key, Record, Shape};
use Shape::{Boolean, Choice, Duration, Either, Expression, Factor, Human, Id, Integer, List, Names, Number, Script, Template, Text};

const fn key(name: &'static str, shape: Shape, en: &'static str, ja: &'static str) -> Key {
    Key::new(name, shape, en, ja)
}

/// The whole file.
pub static TOP: Record = Record {
    name: "top",
    keys: &[
        key("kentai", Shape::Version, "Version of the language; the first key.", "言語の版。最初のキーです。").required(),
        key("workflow", Id, "The workflow's id.", "ワークフローの ID。").required(),
        key("version", Text, "The workflow's own version.", "ワークフロー自身の版。"),
        key("title", Human, "Title for people.", "表示名。"),
        key("owner", Text, "Who answers for it.", "責任者。"),
        key("params", Names(&Shape::Record(&PARAM)), "What may differ from run to run.", "実行ごとに変えられる値。"),
        key("specimen", Shape::Record(&SPECIMEN), "What one row of the sheet brings.", "シートの 1 行がもたらすもの。"),
        key("defaults", Shape::Record(&DEFAULTS), "Defaults of every script and command step.", "すべてのスクリプトとコマンドの既定値。"),
        key("steps", Names(&Shape::Record(&STEP)), "The steps; their order follows from data and `after`.", "ステップ。順序はデータと `after` で決まります。").required(),
        key("outputs", Names(&Expression), "What a `call` of this workflow gives back.", "`call` の呼び出し元に返すもの。"),
        key("triggers", List(&Shape::Record(&TRIGGER)), "What starts runs by itself.", "自動で実行を始めるもの。"),
        key("notify", List(&Text), "Channels of the site that hear of this workflow's runs.", "実行を知らせるサイトの通知先。"),
    ],
};

static PARAM: Record = Record {
    name: "params.X, specimen.fields.X",
    keys: &[
        key("type", Choice(&["string", "number", "integer", "boolean", "choice", "file", "duration", "size", "reference"]), "Its type.", "型。").required(),
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
        key("inputs", Names(&Either(&[Choice(&["file"]), Shape::Record(&INPUT_SPEC)])), "Files, or lists of them.", "ファイル、またはそのリスト。"),
    ],
};

static INPUT_SPEC: Record = Record {
    name: "specimen.inputs.X",
    keys: &[
        key("type", Choice(&["file", "list"]), "One file, or one item per row.", "1 ファイル、または行ごとの項目。").required(),
        key("item", Names(&Choice(&["file", "string"])), "An item's fields; `id` is always there.", "項目のフィールド。`id` は常にあります。"),
        key("column", Text, "Sheet column of the item's `id`; the list's singular when absent.", "項目の `id` の列。省略時はリスト名の単数形。"),
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
    ],
};

static RETRY: Record = Record {
    name: "retry",
    keys: &[
        key("attempts", Integer(1), "Attempts in all.", "試行の総数。"),
        key("causes", List(&Choice(&["tool", "out_of_memory", "timeout", "bad_output"])), "Causes worth another attempt.", "再試行する原因。"),
        key("exit_codes", List(&Integer(0)), "Exit codes worth another attempt.", "再試行する終了コード。"),
        key("wait", Shape::Record(&WAIT), "Time between attempts.", "試行の間隔。"),
        key("escalate", Shape::Record(&ESCALATE), "What grows with each attempt, up to the site's limits.", "試行ごとに増やすもの (サイトの上限まで)。"),
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

const ONE_OR_MORE: Shape = Names(&Either(&[Expression, Shape::Record(&FROM)]));

static FROM: Record =
    Record { name: "for_each.X", keys: &[key("from", Expression, "A list, or a JSON file that holds one.", "リスト、またはリストを収めた JSON。").required()] };

static STEP: Record = Record {
    name: "steps.X",
    keys: &[
        key("title", Human, "Title for people.", "表示名。"),
        key("after", List(&Id), "Steps that come first without giving data.", "データは渡さないが先に終わるステップ。"),
        key("when", Expression, "Runs only when true.", "true のときだけ実行。"),
        key("for_each", ONE_OR_MORE, "Loop name → list: once per item.", "ループ名 → リスト。項目ごとに実行。"),
        key("max_parallel", Integer(1), "At most so many items at once.", "同時に実行する項目の上限。"),
        key("timeout", Duration, "Longest time of one attempt.", "1 回の試行の制限時間。"),
        key("retry", Shape::Record(&RETRY), "What to do about failures.", "失敗したときの再試行。"),
        key("hold_before", Boolean, "Waits for a person's `resume` first.", "最初に人の `resume` を待つ。"),
        key("receive", Shape::Record(&RECEIVE), "Kind: checks what came in.", "種類: 受領の確認。"),
        key("script", Script, "Kind: a shell script; values arrive as `$in_X`, `$out_X`, `$cpus` …", "種類: シェルスクリプト。値は `$in_X`、`$out_X`、`$cpus` などで届きます。"),
        key("command", List(&Template), "Kind: a program and its arguments, without a shell.", "種類: シェルを使わないコマンドと引数。"),
        key("gate", Shape::Record(&GATE), "Kind: compares metrics.", "種類: 指標の判定。"),
        key("approve", Shape::Record(&APPROVE), "Kind: waits for people.", "種類: 人の承認。"),
        key("handoff", Shape::Record(&HANDOFF), "Kind: gives files to a target.", "種類: 引き渡し。"),
        key("call", Shape::Record(&CALL), "Kind: another workflow.", "種類: 別のワークフロー。"),
        key("image", Text, "Container image.", "コンテナイメージ。"),
        key("inputs", Names(&Either(&[Template, Shape::Record(&INPUT)])), "Files; `$in_X` in a script.", "入力ファイル。スクリプトでは `$in_X`。"),
        key("outputs", Names(&Shape::Record(&OUTPUT)), "Files that must be there afterwards; `$out_X` in a script.", "終了後に存在すべきファイル。スクリプトでは `$out_X`。"),
        key("env", Shape::Variables(&Template), "Environment variables.", "環境変数。"),
        key("resources", Shape::Record(&RESOURCES), "What it may use.", "使える資源。"),
        key("secrets", Names(&Text), "Secrets of the site, as files `/run/secrets/X`.", "サイトの秘密情報。`/run/secrets/X` に置かれます。"),
        key("network", Boolean, "Asks for a network.", "ネットワークを使うか。"),
        key("shell", Choice(&["sh", "bash"]), "Shell of the script.", "スクリプトのシェル。"),
        key("cache", Boolean, "May a later run reuse the outputs?", "後の実行で出力を再利用してよいか。"),
    ],
};

static INPUT: Record = Record {
    name: "inputs.X",
    keys: &[
        key("from", Expression, "The file.", "ファイル。").required(),
        key("optional", Boolean, "It may be absent.", "なくてもよいか。"),
    ],
};

static OUTPUT: Record = Record {
    name: "outputs.X",
    keys: &[
        key("path", Template, "Path beneath the working directory.", "作業ディレクトリからのパス。"),
        key("glob", Template, "Pattern; the output is a list.", "パターン。出力はリストになります。"),
        key("format", Choice(&["bam", "cram", "vcf.gz", "bcf", "fastq.gz", "json", "text"]), "A truncated file fails the attempt.", "壊れたファイルは失敗になります。"),
        key("optional", Boolean, "It may be absent.", "なくてもよいか。"),
        key("dir", Boolean, "It is a directory.", "ディレクトリか。"),
        key("keep", Boolean, "False: may be deleted after the run.", "false なら実行後に削除してよい。"),
        key("checksum", Choice(&["md5"]), "A checksum beside SHA-256.", "SHA-256 に加えるチェックサム。"),
    ],
};

static RECEIVE: Record = Record {
    name: "receive",
    keys: &[
        key("require", List(&Choice(&["specimen", "consent", "checksums", "sheet"])), "What must be there.", "必要なもの。"),
        key("use", Text, "The consent scope that this run needs.", "必要な同意の範囲。"),
    ],
};

const VERDICT_ACTIONS: Shape = Choice(&["continue", "hold", "fail"]);

static GATE: Record = Record {
    name: "gate",
    keys: &[
        key("read", Names(&Shape::Record(&READ)), "Metric → where it is read.", "指標 → 読み取り元。").required(),
        key("checks", List(&Shape::Record(&CHECK)), "Comparisons.", "判定。").required(),
        key("if_warn", VERDICT_ACTIONS, "What a warning does; `continue` when absent.", "警告のとき。省略時は `continue`。"),
        key("if_fail", VERDICT_ACTIONS, "What a failure does; `hold` when absent.", "不合格のとき。省略時は `hold`。"),
        key("track", List(&Expression), "Metrics for control charts.", "管理図に載せる指標。"),
    ],
};

static READ: Record = Record {
    name: "gate.read.X",
    keys: &[
        key("from", Expression, "A file, or a list of files.", "ファイル、またはそのリスト。").required(),
        key("at", Text, "JSON pointer (`/a/b`) or path (`$.a.b`).", "JSON ポインター (`/a/b`) かパス (`$.a.b`)。"),
        key("reader", Choice(crate::check::READERS), "Built-in reader.", "組み込みの読み取り方法。"),
        key("metric", Text, "The reader's metric.", "読み取る指標。"),
        key("combine", Choice(&["min", "max", "mean", "sum"]), "Headline of a list.", "リストの代表値。"),
        key("unit", Text, "Unit of the value.", "値の単位。"),
        key("if_made", Boolean, "The file may not have been made.", "ファイルがなくてもよいか。"),
        key("contigs", List(&Text), "Only these contigs count.", "対象のコンティグ。"),
    ],
};

static CHECK: Record = Record {
    name: "gate.checks[]",
    keys: &[
        key("metric", Text, "A metric of `read`.", "`read` の指標。").required(),
        key("pass", Template, "Comparison, such as `>= 30`.", "`>= 30` のような比較。").required(),
        key("warn", Template, "Weaker comparison.", "より緩い比較。"),
        key("missing", Choice(&["pass", "warn", "fail", "not_measured"]), "Verdict when there is no value.", "値がないときの判定。").required(),
        key("applies", Expression, "Counts only when true.", "true のときだけ有効。"),
    ],
};

static APPROVE: Record = Record {
    name: "approve",
    keys: &[
        key("roles", List(&Text), "Any of these roles may answer.", "回答できる役割。").required(),
        key("count", Integer(1), "How many people; 1 when absent.", "人数。省略時は 1。"),
        key("not_by", List(&Choice(&["submitter", "approver", "previous_decider"])), "Who may not answer.", "回答できない人。"),
        key("ask", Human, "The question.", "質問。"),
        key("show", List(&Expression), "What the answer binds to.", "回答の対象となるもの。"),
        key("expires", Duration, "Time to answer.", "回答の期限。"),
        key("if_expired", Choice(&["hold", "fail"]), "Afterwards; `hold` when absent.", "期限後。省略時は `hold`。"),
    ],
};

static HANDOFF: Record = Record {
    name: "handoff",
    keys: &[
        key("to", Template, "Target of the site.", "サイトの引き渡し先。").required(),
        key("files", List(&Template), "Files that must be there.", "必ず渡すファイル。"),
        key("files_if_made", List(&Template), "Files that may not exist.", "あれば渡すファイル。"),
        key("encrypt", Choice(&["crypt4gh", "none"]), "Encryption; the target's policy wins.", "暗号化。引き渡し先の方針が優先です。"),
        key("receipt", Shape::Record(&RECEIPT), "The receiver's acknowledgement.", "受領確認。"),
    ],
};

static RECEIPT: Record = Record {
    name: "handoff.receipt",
    keys: &[
        key("required", Boolean, "A receipt is wanted.", "受領確認を求めるか。"),
        key("within", Duration, "Time for it.", "期限。"),
        key("if_late", Choice(&["notify", "hold", "fail"]), "Afterwards.", "期限後。"),
    ],
};

static CALL: Record = Record {
    name: "call",
    keys: &[
        key("workflow", Text, "Id or path of the other workflow.", "別のワークフローの ID かパス。").required(),
        key("with", Names(&Template), "Its params.", "渡すパラメーター。"),
        key("inputs", Names(&Template), "Its specimen inputs; others are passed on by name.", "渡す入力。他は同じ名前で渡されます。"),
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
        key("if_missed", Choice(&["run_once", "run_all", "skip"]), "Times that passed while the engine was down.", "停止中に過ぎた時刻の扱い。"),
        key("specimen", Text, "The specimen that is run.", "対象の検体。"),
    ],
};

static API: Record = Record { name: "triggers[].api", keys: &[] };
