//! The table of a step and of its seven kinds.

use super::super::{READERS, Record, Shape};
use super::{RESOURCES, RETRY, key};
use Shape::{Boolean, Choice, Duration, Either, Expression, Human, Id, Integer, List, Names, Script, Template, Text};

const ONE_OR_MORE: Shape = Names(&Either(&[Expression, Shape::Record(&FROM)]));

static FROM: Record = Record {
    name: "for_each.X",
    keys: &[key("from", Expression, "A list, or a JSON file that holds one.", "リスト、またはリストを収めた JSON。")
        .required()],
};

pub(super) static STEP: Record = Record {
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
        key(
            "script",
            Script,
            "Kind: a shell script; values arrive as `$in_X`, `$out_X`, `$cpus` …",
            "種類: シェルスクリプト。値は `$in_X`、`$out_X`、`$cpus` などで届きます。",
        ),
        key(
            "command",
            List(&Template),
            "Kind: a program and its arguments, without a shell.",
            "種類: シェルを使わないコマンドと引数。",
        ),
        key("gate", Shape::Record(&GATE), "Kind: compares metrics.", "種類: 指標の判定。"),
        key("approve", Shape::Record(&APPROVE), "Kind: waits for people.", "種類: 人の承認。"),
        key("handoff", Shape::Record(&HANDOFF), "Kind: gives files to a target.", "種類: 引き渡し。"),
        key("call", Shape::Record(&CALL), "Kind: another workflow.", "種類: 別のワークフロー。"),
        key("image", Text, "Container image.", "コンテナイメージ。"),
        key(
            "inputs",
            Names(&Either(&[Template, Shape::Record(&INPUT)])),
            "Files; `$in_X` in a script.",
            "入力ファイル。スクリプトでは `$in_X`。",
        ),
        key(
            "outputs",
            Names(&Shape::Record(&OUTPUT)),
            "Files that must be there afterwards; `$out_X` in a script.",
            "終了後に存在すべきファイル。スクリプトでは `$out_X`。",
        ),
        key("env", Shape::Variables(&Template), "Environment variables.", "環境変数。"),
        key("resources", Shape::Record(&RESOURCES), "What it may use.", "使える資源。"),
        key(
            "secrets",
            Names(&Text),
            "Secrets of the site, as files `/run/secrets/X`.",
            "サイトの秘密情報。`/run/secrets/X` に置かれます。",
        ),
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
        key(
            "format",
            Choice(&["bam", "cram", "vcf.gz", "bcf", "fastq.gz", "json", "text"]),
            "A truncated file fails the attempt.",
            "壊れたファイルは失敗になります。",
        ),
        key("optional", Boolean, "It may be absent.", "なくてもよいか。"),
        key("dir", Boolean, "It is a directory.", "ディレクトリか。"),
        key("keep", Boolean, "False: may be deleted after the run.", "false なら実行後に削除してよい。"),
        key("checksum", Choice(&["md5"]), "A checksum beside SHA-256.", "SHA-256 に加えるチェックサム。"),
    ],
};

static RECEIVE: Record = Record {
    name: "receive",
    keys: &[
        key(
            "require",
            List(&Choice(&["specimen", "consent", "checksums", "sheet"])),
            "What must be there.",
            "必要なもの。",
        ),
        key("use", Text, "The consent scope that this run needs.", "必要な同意の範囲。"),
    ],
};

const VERDICT_ACTIONS: Shape = Choice(&["continue", "hold", "fail"]);

static GATE: Record = Record {
    name: "gate",
    keys: &[
        key("read", Names(&Shape::Record(&READ)), "Metric → where it is read.", "指標 → 読み取り元。").required(),
        key("checks", List(&Shape::Record(&CHECK)), "Comparisons.", "判定。").required(),
        key(
            "if_warn",
            VERDICT_ACTIONS,
            "What a warning does; `continue` when absent.",
            "警告のとき。省略時は `continue`。",
        ),
        key("if_fail", VERDICT_ACTIONS, "What a failure does; `hold` when absent.", "不合格のとき。省略時は `hold`。"),
        key("track", List(&Expression), "Metrics for control charts.", "管理図に載せる指標。"),
    ],
};

static READ: Record = Record {
    name: "gate.read.X",
    keys: &[
        key("from", Expression, "A file, or a list of files.", "ファイル、またはそのリスト。").required(),
        key("at", Text, "JSON pointer (`/a/b`) or path (`$.a.b`).", "JSON ポインター (`/a/b`) かパス (`$.a.b`)。"),
        key("reader", Choice(READERS), "Built-in reader.", "組み込みの読み取り方法。"),
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
        key(
            "missing",
            Choice(&["pass", "warn", "fail", "not_measured"]),
            "Verdict when there is no value.",
            "値がないときの判定。",
        )
        .required(),
        key("applies", Expression, "Counts only when true.", "true のときだけ有効。"),
    ],
};

static APPROVE: Record = Record {
    name: "approve",
    keys: &[
        key("roles", List(&Text), "Any of these roles may answer.", "回答できる役割。").required(),
        key("count", Integer(1), "How many people; 1 when absent.", "人数。省略時は 1。"),
        key(
            "not_by",
            List(&Choice(&["submitter", "approver", "previous_decider"])),
            "Who may not answer.",
            "回答できない人。",
        ),
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
        key(
            "encrypt",
            Choice(&["crypt4gh", "none"]),
            "Encryption; the target's policy wins.",
            "暗号化。引き渡し先の方針が優先です。",
        ),
        key("receipt", Shape::Record(&RECEIPT), "The receiver's acknowledgement.", "受領確認。"),
    ],
};

static RECEIPT: Record = Record {
    name: "handoff.receipt",
    keys: &[
        key("required", Boolean, "A receipt is wanted.", "受領確認を求めるか。"),
        key("within", Duration, "Time for it.", "期限。"),
        key(
            "if_late",
            Choice(&["notify", "hold", "fail"]),
            "Afterwards: tell the receiver; hold the order line too; or end the offer with a deviation.",
            "期限後: 受領側へ通知、加えて依頼を保留、または逸脱として提供を終了。",
        ),
    ],
};

static CALL: Record = Record {
    name: "call",
    keys: &[
        key("workflow", Text, "Id or path of the other workflow.", "別のワークフローの ID かパス。").required(),
        key("with", Names(&Template), "Its params.", "渡すパラメーター。"),
        key(
            "inputs",
            Names(&Template),
            "Its specimen inputs; others are passed on by name.",
            "渡す入力。他は同じ名前で渡されます。",
        ),
    ],
};
