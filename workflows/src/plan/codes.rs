//! The codes of mistakes in laying out and in parameters, for the manual (`explain`): what each means, in one sentence.

/// Code, English, Japanese.
pub const CODES: &[(&str, &str, &str)] = &[
    (
        "P101",
        "The list of a `for_each` has no value or is no list.",
        "for_each のリストの値がないか、リストではありません。",
    ),
    ("P102", "Two items of a `for_each` have the same name.", "for_each の 2 つの項目が同じ名前です。"),
    ("P103", "A step would run more than 10,000 times.", "ステップの繰り返しが 10,000 回を超えます。"),
    ("P104", "Steps wait for each other.", "ステップが互いに待ち合っています。"),
    ("P201", "The workflow has no such parameter.", "そのパラメータはワークフローにありません。"),
    ("P202", "A required parameter is not given.", "必須パラメータが指定されていません。"),
    ("P203", "A parameter has the wrong type or lies outside of its limits.", "パラメータの型が違うか、範囲外です。"),
    ("P204", "A reference is not registered at this site.", "リファレンスがこのサイトに登録されていません。"),
    ("P205", "The file of a parameter cannot be used.", "パラメータのファイルを使えません。"),
];

#[cfg(test)]
mod tests {
    use super::CODES;

    #[test]
    fn every_code_in_use_is_explained() {
        let sources = [include_str!("layout.rs"), include_str!("parameters.rs")];
        let is_code = |text: &&str| text.len() == 4 && text.starts_with('P') && text[1..].parse::<u16>().is_ok();
        let used: std::collections::BTreeSet<&str> =
            sources.iter().flat_map(|source| source.split('"')).filter(is_code).collect();
        assert_eq!(used, CODES.iter().map(|(code, _, _)| *code).collect());
    }
}
