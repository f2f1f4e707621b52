//! The grammar: every key of the language, what it takes and what it means.
//!
//! One table, from which come the check of form ("did you mean"), the JSON Schema for editors and the table of keys in the
//! manual. It knows nothing of what values mean to one another.

mod keys;

pub use keys::TOP;

/// What a place takes.
#[derive(Clone, Copy, Debug)]
pub enum Shape {
    /// The number of the language's version.
    Version,
    /// Any scalar, as text.
    Text,
    /// Text, or `{en, ja}`.
    Human,
    /// `snake_case`.
    Id,
    /// A whole number, at least so large.
    Integer(u64),
    /// Any number.
    Number,
    /// `true` or `false`.
    Boolean,
    /// `90s`, `2m`, `4h`, `7d`.
    Duration,
    /// `512 MiB`, `4 GiB`.
    Size,
    /// `x1.5`.
    Factor,
    /// Text in which `${{ }}` is filled in.
    Template,
    /// A bare expression.
    Expression,
    /// A shell script, never filled in.
    Script,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A sequence.
    List(&'static Shape),
    /// `snake_case` names of the author's choice.
    Names(&'static Shape),
    /// Names of environment variables.
    Variables(&'static Shape),
    /// Fixed keys.
    Record(&'static Record),
    /// Whichever fits what is written: a scalar, a list or a map.
    Either(&'static [Shape]),
}

/// A map with fixed keys.
#[derive(Debug)]
pub struct Record {
    /// What the manual calls it.
    pub name: &'static str,
    /// Its keys, in the order of the manual.
    pub keys: &'static [Key],
}

/// One key.
#[derive(Debug)]
pub struct Key {
    /// As written.
    pub name: &'static str,
    /// What it takes.
    pub shape: Shape,
    /// Must be there.
    pub required: bool,
    /// What it means, in English.
    pub en: &'static str,
    /// What it means, in Japanese.
    pub ja: &'static str,
}

impl Key {
    const fn new(name: &'static str, shape: Shape, en: &'static str, ja: &'static str) -> Self {
        Self { name, shape, required: false, en, ja }
    }

    const fn required(mut self) -> Self {
        self.required = true;
        self
    }
}

impl Record {
    /// The key named `name`.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<&'static Key> {
        self.keys.iter().find(|key| key.name == name)
    }
}

/// Keys of a step that say what kind it is.
pub const KINDS: [&str; 7] = ["receive", "script", "command", "gate", "approve", "handoff", "call"];

/// Keys of a step that only `script` and `command` take.
pub const TOOL_KEYS: [&str; 9] =
    ["image", "inputs", "outputs", "env", "resources", "secrets", "network", "shell", "cache"];

/// Words for `gate.read.X.reader`.
pub const READERS: &[&str] = &[
    "fastp",
    "samtools_stats",
    "samtools_flagstat",
    "samtools_coverage",
    "mosdepth_summary",
    "bcftools_stats",
    "picard",
    "selfsm",
];

impl Shape {
    /// In words, for the table of keys and for messages: English, Japanese.
    #[must_use]
    pub fn words(&self) -> (String, String) {
        let pair = |en: &str, ja: &str| (en.to_owned(), ja.to_owned());
        match self {
            Self::Version => pair("`1`", "`1`"),
            Self::Text => pair("text", "文字列"),
            Self::Human => pair("text or {en, ja}", "文字列、または {en, ja}"),
            Self::Id => pair("a snake_case name", "snake_case の名前"),
            Self::Integer(least) => (format!("a whole number, at least {least}"), format!("{least} 以上の整数")),
            Self::Number => pair("a number", "数値"),
            Self::Boolean => pair("`true` or `false`", "`true` か `false`"),
            Self::Duration => {
                pair("a duration such as `90s`, `2m`, `4h`, `7d`", "`90s`、`2m`、`4h`、`7d` のような時間")
            }
            Self::Size => pair("a size such as `512 MiB`, `4 GiB`", "`512 MiB`、`4 GiB` のような大きさ"),
            Self::Factor => pair("a factor such as `x1.5`", "`x1.5` のような倍率"),
            Self::Template => pair("text, `${{ }}` is filled in", "文字列 (`${{ }}` を展開)"),
            Self::Expression => pair("a bare expression", "式 (`${{ }}` なし)"),
            Self::Script => pair("a script, nothing is filled in", "スクリプト (展開なし)"),
            Self::Choice(words) => (words.join(" | "), words.join(" | ")),
            Self::List(item) => (format!("a list of: {}", item.words().0), format!("リスト: {}", item.words().1)),
            Self::Names(value) => (format!("names → {}", value.words().0), format!("名前 → {}", value.words().1)),
            Self::Variables(value) => {
                (format!("variables → {}", value.words().0), format!("変数 → {}", value.words().1))
            }
            Self::Record(record) => {
                let keys: Vec<&str> = record.keys.iter().map(|key| key.name).collect();
                (format!("{{{}}}", keys.join(", ")), format!("{{{}}}", keys.join(", ")))
            }
            Self::Either(shapes) => {
                let (en, ja): (Vec<String>, Vec<String>) = shapes.iter().map(Shape::words).unzip();
                (en.join(", or "), ja.join("、または "))
            }
        }
    }
}
