//! Words of the API's page. What the document itself says is in English, as every word that a program sends is.

use kentai_workflows::diagnostic::Language;

/// One language.
#[derive(Debug)]
pub(super) struct Words {
    language: Language,
    pub(super) title: &'static str,
    pub(super) lead: &'static str,
    pub(super) begin: &'static str,
    pub(super) token: &'static str,
    pub(super) document: &'static str,
    pub(super) version: &'static str,
    pub(super) operation: &'static str,
    pub(super) gives: &'static str,
    pub(super) parameters: &'static str,
    pub(super) body: &'static str,
    pub(super) answers: &'static str,
    pub(super) example: &'static str,
    pub(super) problems: &'static str,
    pub(super) types: &'static str,
    pub(super) name: &'static str,
    pub(super) kind: &'static str,
    pub(super) meaning: &'static str,
    pub(super) required: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    title: "API",
    lead: "What the verbs and the pages do, for programs. Whoever may do something here may do it there.",
    begin: "How to begin",
    token: "A token says who asks: `kentai admin token new`. On the site's own machine its socket does, without a token.",
    document: "The same as OpenAPI 3.1",
    version: "Version",
    operation: "Operation",
    gives: "What it does",
    parameters: "Parameters",
    body: "Body",
    answers: "Answers",
    example: "Example",
    problems: "Problems",
    types: "Types",
    name: "Name",
    kind: "Kind",
    meaning: "Meaning",
    required: "required",
};

const JA: Words = Words {
    language: Language::Ja,
    title: "API",
    lead: "コマンドやページと同じ操作を、プログラムから行えます。権限も同じです。",
    begin: "はじめに",
    token: "誰の要求かはトークンで示します（`kentai admin token new`）。サイトのマシン上では、ソケットを使えばトークンは不要です。",
    document: "OpenAPI 3.1 の文書",
    version: "バージョン",
    operation: "操作",
    gives: "内容",
    parameters: "パラメータ",
    body: "本文",
    answers: "応答",
    example: "例",
    problems: "エラー",
    types: "型",
    name: "名前",
    kind: "種類",
    meaning: "意味",
    required: "必須",
};

impl Words {
    pub(super) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    /// What a noun of the document is called.
    pub(super) fn noun(&self, name: &str) -> &'static str {
        let (en, ja) = match name {
            "runs" => ("Runs", "実行"),
            "submissions" => ("Submissions", "投入"),
            "workflows" => ("Workflows", "ワークフロー"),
            "specimens" => ("Specimens", "検体"),
            "deliveries" => ("Hand-offs", "引き渡し"),
            "order lines" => ("Order lines", "依頼"),
            "records" => ("Records", "記録"),
            "reports" => ("Reports", "集計"),
            "requests" => ("Requests", "センターへの要求"),
            "site" => ("Site", "サイト"),
            "offers" => ("Offers", "データセンターへの提供"),
            _ => ("About", "この API について"),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }
}
