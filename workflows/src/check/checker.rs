//! What every check shares: the document, the site, the names, and the one list of findings.

use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::names::Names;
use crate::diagnostic::Diagnostic;
use crate::document::{Document, Node, did_you_mean};
use crate::resources::parse_duration_s;
use crate::site::Site;
use crate::workflow::{Text, Workflow};

/// Findings beyond this tell nobody anything.
const FINDINGS_MAX: usize = 500;
/// Comparing one name with thousands, thousands of times, is not worth the wait.
const SUGGESTIONS_MAX: usize = 50;
pub(super) const SUGGESTED_FROM_MAX: usize = 500;

pub(super) struct Checker<'a> {
    pub(super) document: &'a Document,
    pub(super) site: &'a Site,
    pub(super) names: Names,
    pub(super) findings: Vec<Diagnostic>,
    /// Outputs that some expression reads: step and name.
    pub(super) used: HashSet<(usize, String)>,
    /// Workflows that `call` steps name.
    pub(super) called: HashMap<String, Arc<Workflow>>,
    /// Place and message of what has been told.
    told: HashSet<(usize, String)>,
    suggestions: usize,
}

impl<'a> Checker<'a> {
    pub(super) fn new(document: &'a Document, site: &'a Site) -> Self {
        let (names, findings, used) = (Names::default(), Vec::new(), HashSet::new());
        Self { document, site, names, findings, used, called: HashMap::new(), told: HashSet::new(), suggestions: 0 }
    }

    pub(super) fn note(&mut self, diagnostic: Diagnostic, span: Range<usize>) {
        // What `defaults` says is looked at for every step, but told once.
        let news = (span.start, diagnostic.message.en.clone());
        if !self.is_full() && self.told.insert(news) {
            self.findings.push(self.document.place(diagnostic, span));
        }
    }

    /// Enough has been told.
    pub(super) fn is_full(&self) -> bool {
        self.findings.len() >= FINDINGS_MAX
    }

    /// Notes an unknown name, with the nearest of `known`.
    pub(super) fn note_unknown(&mut self, diagnostic: Diagnostic, written: &str, known: &[&str], span: Range<usize>) {
        self.suggestions += 1;
        let searched = if self.suggestions > SUGGESTIONS_MAX { 0 } else { known.len().min(SUGGESTED_FROM_MAX) };
        let diagnostic = did_you_mean(diagnostic, written, known[..searched].iter().copied());
        self.note(diagnostic, span);
    }

    /// Names that the site lacks; `None`: the site does not tell.
    pub(super) fn at_site<'k>(
        &mut self,
        (en, ja): (&str, &str),
        written: &str,
        known: Option<impl Iterator<Item = &'k String>>,
        span: Range<usize>,
    ) {
        let Some(known) = known else { return };
        let known: Vec<&str> = known.map(String::as_str).collect();
        if known.contains(&written) {
            return;
        }
        let listed = if known.is_empty() { "-".to_owned() } else { known.join(", ") };
        let diagnostic = Diagnostic::error(
            "K056",
            format!("this site has no {en} `{written}`"),
            format!("このサイトには{ja} `{written}` がありません"),
        )
        .help(format!("it has: {listed}"), format!("あるもの: {listed}"));
        self.note_unknown(diagnostic, written, &known, span);
    }

    /// Says that a key is understood but not yet obeyed.
    pub(super) fn no_effect(&mut self, key: &str, span: Range<usize>) {
        let found = Diagnostic::warning(
            "K090",
            format!("`{key}` is checked but has no effect yet"),
            format!("`{key}` は検査されますが、この版ではまだ働きません"),
        );
        self.note(found, span);
    }

    /// Warns of an image whose content may change from day to day.
    pub(super) fn image(&mut self, image: &str, span: Range<usize>) {
        if image.trim().is_empty() || image.contains(char::is_whitespace) || image.contains("${{") {
            let found = Diagnostic::error("K014", "this is not the name of an image", "イメージの名前ではありません");
            self.note(
                found.help("write: NAME:TAG or NAME@sha256:…", "こう書きます: 名前:タグ または 名前@sha256:…"),
                span,
            );
        } else if !image.contains("@sha256:") && !self.site.locked_images.contains_key(image) {
            let found = Diagnostic::warning(
                "K050",
                format!("the tag `{image}` may mean another image tomorrow"),
                format!("タグ `{image}` の中身は変わることがあります"),
            )
            .help("lock it at this site: kentai workflow lock", "このサイトで固定します: kentai workflow lock");
            self.note(found, span);
        }
    }

    /// Whole seconds of a duration whose form has been checked.
    pub(super) fn seconds(&mut self, node: Option<&Node>) -> Option<u64> {
        let node = node?;
        let text = node.text()?;
        let seconds = parse_duration_s(text);
        // Text that is no duration at all has been told about by the check of form.
        if seconds.is_none() && crate::resources::parse_duration_ms(text).is_some() {
            let (en, ja) = ("this duration must be whole seconds", "この時間は秒単位で書きます");
            self.note(Diagnostic::error("K014", en, ja), node.span.clone());
        }
        seconds
    }
}

/// The text of `key`, when it is one.
pub(super) fn text_of<'n>(node: &'n Node, key: &str) -> Option<&'n str> {
    node.get(key).and_then(Node::text)
}

/// The text of `key`, owned.
pub(super) fn owned(node: &Node, key: &str) -> Option<String> {
    text_of(node, key).map(str::to_owned)
}

/// Is `key` true? `absent` when it is not written.
pub(super) fn flag(node: &Node, key: &str, absent: bool) -> bool {
    text_of(node, key).map_or(absent, |text| text == "true")
}

/// The number of `key`.
pub(super) fn number<T: std::str::FromStr>(node: &Node, key: &str) -> Option<T> {
    text_of(node, key).and_then(|text| text.parse().ok())
}

/// The texts of the list `key`.
pub(super) fn texts(node: &Node, key: &str) -> Vec<String> {
    let items = node.get(key).map(Node::items).unwrap_or_default();
    items.iter().filter_map(Node::text).map(str::to_owned).collect()
}

/// A human text; `absent` when it is not written.
pub(super) fn human(node: Option<&Node>, absent: &str) -> Text {
    let Some(node) = node else { return Text { en: absent.to_owned(), ja: None } };
    if let Some(text) = node.text() {
        return Text { en: text.to_owned(), ja: None };
    }
    let (en, ja) = (owned(node, "en"), owned(node, "ja"));
    Text { en: en.or_else(|| ja.clone()).unwrap_or_else(|| absent.to_owned()), ja }
}
