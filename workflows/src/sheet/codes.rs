//! The codes of sheet mistakes, for the manual (`explain`): what each means, in one sentence.

/// Code, English, Japanese.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "S101",
        "A row has another number of cells than the header, or a quotation mark is never closed.",
        "行のセル数が見出しと異なるか、引用符が閉じられていません。",
    ),
    ("S102", "A column that this workflow needs is missing.", "ワークフローに必要な列がありません。"),
    (
        "S103",
        "The id of a specimen or lane is not [A-Za-z0-9][A-Za-z0-9._-]{0,63}.",
        "検体またはレーンの ID が [A-Za-z0-9][A-Za-z0-9._-]{0,63} に合いません。",
    ),
    ("S104", "A column has a name that this workflow does not know.", "ワークフローにない列名です。"),
    ("S105", "A required value is missing.", "必須の値がありません。"),
    (
        "S106",
        "A value has the wrong type, is none of the choices, or lies outside of its limits.",
        "値の型が違うか、選択肢にないか、範囲外です。",
    ),
    (
        "S107",
        "A lane, or a specimen of one row, is there twice.",
        "同じレーン、または 1 行であるべき検体が重複しています。",
    ),
    ("S108", "Two rows of one specimen say different things of it.", "同じ検体の行どうしで値が食い違っています。"),
    (
        "S109",
        "A checksum is not hexadecimal, or belongs to no file.",
        "チェックサムの書式が違うか、対応するファイルがありません。",
    ),
    (
        "S110",
        "A path is not usable, or the file is not there, is empty, or may not be read.",
        "パスが使えないか、ファイルがない・空・読めない状態です。",
    ),
    ("S111", "The sheet has no specimens.", "シートに検体がありません。"),
    ("S112", "The sheet is not UTF-8 text.", "シートの文字コードが UTF-8 ではありません。"),
    (
        "S113",
        "The sheet, a row or a cell is too large, or there are too many mistakes to show.",
        "シート・行・セルが大きすぎるか、誤りが多すぎて表示しきれません。",
    ),
    (
        "S114",
        "Warning: two specimen ids differ only in upper and lower case.",
        "警告: 大文字・小文字だけが異なる検体 ID があります。",
    ),
    ("S115", "Warning: a byte order mark was ignored.", "警告: BOM を無視しました。"),
    ("S116", "Warning: full-width characters were read as ASCII.", "警告: 全角文字を半角として読みました。"),
    ("S117", "Two columns have the same name.", "列名が重複しています。"),
    ("S118", "Warning: two lanes name the same file.", "警告: 同じファイルが複数のレーンで使われています。"),
    ("S119", "A specimen has fewer items than the workflow needs.", "検体の項目数がワークフローの最小数に足りません。"),
    ("S120", "An Illumina sample sheet has no data section.", "Illumina サンプルシートにデータ欄がありません。"),
    (
        "S121",
        "The workflow cannot take what an Illumina sample sheet gives.",
        "ワークフローは Illumina サンプルシートの内容を受け取れません。",
    ),
    (
        "S122",
        "The version of the Illumina sample sheet is not known.",
        "Illumina サンプルシートの版に対応していません。",
    ),
    (
        "S123",
        "A file does not have the checksum that the sheet promises.",
        "ファイルのチェックサムがシートの値と一致しません。",
    ),
];

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn every_code_in_use_is_explained() {
        let sources = [
            include_str!("cell.rs"),
            include_str!("columns.rs"),
            include_str!("file.rs"),
            include_str!("finish.rs"),
            include_str!("illumina.rs"),
            include_str!("illumina/derive.rs"),
            include_str!("row.rs"),
            include_str!("row/item.rs"),
            include_str!("table.rs"),
            include_str!("../sheet.rs"),
        ];
        let used: std::collections::BTreeSet<&str> =
            sources.iter().flat_map(|source| source.split('"')).filter(|text| is_code(text)).collect();
        let explained = CODES.iter().map(|(code, _, _)| *code).collect();
        assert_eq!(used, explained);
    }

    fn is_code(text: &str) -> bool {
        text.len() == 4 && text.starts_with('S') && text[1..].bytes().all(|byte| byte.is_ascii_digit())
    }
}
