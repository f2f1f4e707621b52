//! Words of what stands around every page. Each page has words of its own beside it, made the same way: one structure, filled once for
//! each language, so that a missing word does not compile.

use axum::http::StatusCode;
use kentai_workflows::diagnostic::Language;

/// Words of one page: `name: "English", "日本語";`. A word that is missing in one language does not compile.
macro_rules! bilingual {
    ($($name:ident: $en:literal, $ja:literal;)*) => {
        #[derive(Debug)]
        pub(crate) struct Words {
            language: kentai_workflows::diagnostic::Language,
            $(pub(crate) $name: &'static str,)*
        }
        const EN: Words = Words { language: kentai_workflows::diagnostic::Language::En, $($name: $en,)* };
        const JA: Words = Words { language: kentai_workflows::diagnostic::Language::Ja, $($name: $ja,)* };

        impl Words {
            pub(crate) fn of(language: kentai_workflows::diagnostic::Language) -> &'static Self {
                match language {
                    kentai_workflows::diagnostic::Language::En => &EN,
                    kentai_workflows::diagnostic::Language::Ja => &JA,
                }
            }

            fn pick<T>(&self, en: T, ja: T) -> T {
                match self.language {
                    kentai_workflows::diagnostic::Language::En => en,
                    kentai_workflows::diagnostic::Language::Ja => ja,
                }
            }
        }
    };
}

pub(crate) use bilingual;

/// Words of the bar, the foot and what goes wrong.
#[derive(Debug)]
pub(crate) struct Words {
    language: Language,
    pub(crate) code: &'static str,
    pub(crate) skip: &'static str,
    pub(crate) places: &'static str,
    pub(crate) lists: &'static str,
    pub(crate) today: &'static str,
    pub(crate) specimens: &'static str,
    pub(crate) runs: &'static str,
    pub(crate) quality: &'static str,
    pub(crate) hand_off: &'static str,
    pub(crate) workflows: &'static str,
    pub(crate) capacity: &'static str,
    pub(crate) settings: &'static str,
    pub(crate) api: &'static str,
    pub(crate) menu: &'static str,
    pub(crate) search: &'static str,
    pub(crate) search_what: &'static str,
    pub(crate) other_language: &'static str,
    pub(crate) other_code: &'static str,
    pub(crate) live: &'static str,
    pub(crate) pause: &'static str,
    pub(crate) resume: &'static str,
    pub(crate) stale: &'static str,
    pub(crate) sign_in: &'static str,
    pub(crate) link_counts_once: &'static str,
    pub(crate) link_over: &'static str,
    pub(crate) or_with_password: &'static str,
    pub(crate) sign_out: &'static str,
    pub(crate) name: &'static str,
    pub(crate) password: &'static str,
    pub(crate) one_time_code: &'static str,
    pub(crate) one_time_code_if: &'static str,
    pub(crate) theme: &'static str,
    pub(crate) theme_light: &'static str,
    pub(crate) theme_dark: &'static str,
    pub(crate) theme_auto: &'static str,
    pub(crate) back: &'static str,
    pub(crate) code_of_problem: &'static str,
    pub(crate) next_page: &'static str,
    pub(crate) first_page: &'static str,
    pub(crate) csv: &'static str,
    pub(crate) all: &'static str,
    pub(crate) reason: &'static str,
    pub(crate) reason_missing: &'static str,
    pub(crate) roles: &'static str,
    pub(crate) belongs_to: &'static str,
}

const EN: Words = Words {
    language: Language::En,
    code: "en",
    skip: "To the content",
    places: "Places",
    lists: "Lists",
    today: "Today",
    specimens: "Specimens",
    runs: "Runs",
    quality: "Quality",
    hand_off: "Hand-off",
    workflows: "Workflows",
    capacity: "Capacity",
    settings: "Settings",
    api: "API",
    menu: "Menu",
    search: "Search",
    search_what: "Specimen, barcode, run, flow cell, file or checksum",
    other_language: "日本語",
    other_code: "ja",
    live: "live",
    pause: "Pause",
    resume: "Go on",
    stale: "No news for a while. Numbers may be old.",
    sign_in: "Sign in",
    link_counts_once: "This address counts once, within a minute.",
    link_over: "This address was used, or its minute is over. `kentai page` gives another.",
    or_with_password: "or with a name and password of this site:",
    sign_out: "Sign out",
    name: "Name",
    password: "Password",
    one_time_code: "One-time code",
    one_time_code_if: "if you have been given a key for it",
    theme: "Theme",
    theme_light: "Light",
    theme_dark: "Dark",
    theme_auto: "As the system",
    back: "To the first page",
    code_of_problem: "Code",
    next_page: "Next",
    first_page: "First page",
    csv: "CSV",
    all: "All",
    reason: "Reason",
    reason_missing: "Say why: it is kept with the decision.",
    roles: "Roles",
    belongs_to: "Belongs to",
};

const JA: Words = Words {
    language: Language::Ja,
    code: "ja",
    skip: "本文へ",
    places: "ページ",
    lists: "一覧",
    today: "今日",
    specimens: "検体",
    runs: "実行",
    quality: "品質",
    hand_off: "引き渡し",
    workflows: "ワークフロー",
    capacity: "設備",
    settings: "設定",
    api: "API",
    menu: "メニュー",
    search: "検索",
    search_what: "検体・実行・ファイル名・チェックサムを検索",
    other_language: "English",
    other_code: "en",
    live: "自動更新中",
    pause: "止める",
    resume: "再開する",
    stale: "しばらく更新がありません。数値は古い可能性があります。",
    sign_in: "サインイン",
    link_counts_once: "このアドレスは1分以内に1回だけ使えます。",
    link_over: "このアドレスは使用済みか、有効期限（1分）が切れています。`kentai page` で新しいアドレスを発行してください。",
    or_with_password: "または、このサイトの名前とパスワードで：",
    sign_out: "サインアウト",
    name: "名前",
    password: "パスワード",
    one_time_code: "ワンタイムコード",
    one_time_code_if: "鍵を受け取っている場合",
    theme: "配色",
    theme_light: "明",
    theme_dark: "暗",
    theme_auto: "システムに合わせる",
    back: "最初のページへ",
    code_of_problem: "コード",
    next_page: "次へ",
    first_page: "先頭へ",
    csv: "CSV",
    all: "すべて",
    reason: "理由",
    reason_missing: "理由を書いてください。判断とともに残ります。",
    roles: "役割",
    belongs_to: "所属",
};

impl Words {
    pub(crate) fn of(language: Language) -> &'static Self {
        match language {
            Language::En => &EN,
            Language::Ja => &JA,
        }
    }

    /// What a problem's page is called.
    pub(crate) fn problem(&self, status: StatusCode) -> &'static str {
        let (en, ja) = match status {
            StatusCode::NOT_FOUND | StatusCode::GONE => ("It is not here", "見つかりません"),
            StatusCode::FORBIDDEN | StatusCode::UNAUTHORIZED => ("You may not do this", "権限がありません"),
            StatusCode::CONFLICT => ("It has moved on since", "状態が変わっています"),
            StatusCode::TOO_MANY_REQUESTS => ("Too many requests", "要求が多すぎます"),
            status if status.is_client_error() => ("This cannot be done so", "このままでは実行できません"),
            StatusCode::SERVICE_UNAVAILABLE => ("The engine does not answer", "エンジンが応答しません"),
            _ => ("Something is broken here", "内部エラーです"),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }

    /// `5 of 20`, `20件中5件`
    pub(crate) fn of_all(&self, shown: &str, all: &str) -> String {
        match self.language {
            Language::En => format!("{shown} of {all}"),
            Language::Ja => format!("{all}件中{shown}件"),
        }
    }

    /// `Sign in as sato`, `satoとしてサインイン`
    pub(crate) fn sign_in_as(&self, name: &str) -> String {
        match self.language {
            Language::En => format!("Sign in as {name}"),
            Language::Ja => format!("{name} としてサインイン"),
        }
    }

    /// A role, as people are called by it.
    pub(crate) fn role(&self, role: &str) -> &'static str {
        let (en, ja) = match role {
            "operator" => ("operator", "運用担当"),
            "reviewer" => ("reviewer", "QC審査者"),
            "releaser" => ("releaser", "承認者"),
            "withdrawal_officer" => ("withdrawal officer", "撤回担当"),
            "admin" => ("admin", "管理者"),
            "auditor" => ("auditor", "監査担当"),
            "institution" => ("institution", "依頼施設"),
            "data_center" => ("data center", "データセンター"),
            "lab" => ("lab", "ラボ"),
            "reception" => ("reception", "受付"),
            "engine" => ("engine", "エンジン"),
            _ => ("", ""),
        };
        match self.language {
            Language::En => en,
            Language::Ja => ja,
        }
    }
}
