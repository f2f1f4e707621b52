//! Parser events → tree, within the limits; duplicate keys, merge keys, tags and non-text keys are found here.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput};

use super::{Content, DEPTH_MAX, Document, EXPANDED_BYTES_MAX, Entry, NODES_MAX, Node, syntax_error};
use crate::diagnostic::Diagnostic;

/// The tree of the document's only YAML document, and what is wrong.
pub(super) fn build(document: &Document) -> (Option<Node>, Vec<Diagnostic>) {
    // One level more than ours, so that it is we who say "too deep".
    let options = granit_parser::options! {
        disallow_directives: true,
        emit_comments: false,
        flow_nesting_limit: DEPTH_MAX + 8,
        block_nesting_limit: DEPTH_MAX + 8,
    };
    let events = Parser::new_from_str_with_options(&document.source, options);
    let (anchors, findings) = (HashMap::new(), Vec::new());
    let mut builder = Builder { document, events, anchors, findings, nodes: 0, bytes: 0, depth: 0, tagged: false };
    let root = builder.document().ok();
    (root, builder.findings)
}

/// A file that is wrong everywhere is told so often enough.
const FINDINGS_MAX: usize = 500;

/// Reading cannot go on; the finding has been noted.
struct Stop;

/// What an alias stands for: nodes and bytes are charged for each use.
struct Anchored {
    node: Node,
    nodes: usize,
    bytes: usize,
}

struct Builder<'a> {
    document: &'a Document,
    events: Parser<'a, StrInput<'a>>,
    anchors: HashMap<usize, Anchored>,
    findings: Vec<Diagnostic>,
    nodes: usize,
    bytes: usize,
    depth: usize,
    /// The last event carried a tag.
    tagged: bool,
}

type Located<'a> = (Event<'a>, Range<usize>);

impl<'a> Builder<'a> {
    fn document(&mut self) -> Result<Node, Stop> {
        let first = loop {
            match self.next()? {
                (Event::StreamStart | Event::DocumentStart(..), _) => {}
                (Event::StreamEnd | Event::DocumentEnd, _) => return Err(self.stop(empty(), 0..0)),
                event => break event,
            }
        };
        let root = self.node(first)?;
        loop {
            match self.next()? {
                (Event::StreamEnd, _) => return Ok(root),
                (Event::DocumentStart(..), span) => return Err(self.stop(several_documents(), span)),
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<Located<'a>, Stop> {
        match self.events.next_event() {
            Some(Ok((event, span))) => self.untagged(event, span),
            Some(Err(error)) => Err(self.syntax(&error)),
            None => Ok((Event::StreamEnd, self.document.source.len()..self.document.source.len())),
        }
    }

    fn syntax(&mut self, error: &ScanError) -> Stop {
        let found = syntax_error::explain(self.document, error);
        self.findings.push(found);
        Stop
    }

    fn stop(&mut self, diagnostic: Diagnostic, span: Range<usize>) -> Stop {
        self.findings.push(self.document.place(diagnostic, span));
        Stop
    }

    fn note(&mut self, diagnostic: Diagnostic, span: Range<usize>) {
        if self.findings.len() >= FINDINGS_MAX {
            return;
        }
        self.findings.push(self.document.place(diagnostic, span));
    }

    fn untagged(&mut self, event: Event<'a>, span: Span) -> Result<Located<'a>, Stop> {
        let range = span.byte_range().unwrap_or(0..0);
        self.tagged = event.tag().is_some();
        if let Some(tag) = event.tag() {
            let written = tag.original();
            let place = span.tag_span().and_then(|span| span.byte_range()).unwrap_or(range.clone());
            self.note(tagged(&written), place);
        }
        Ok((event, range))
    }

    /// The value that begins with `event`.
    fn node(&mut self, (event, span): Located<'a>) -> Result<Node, Stop> {
        let (nodes, bytes) = (self.nodes, self.bytes);
        self.charge(1, 0, &span)?;
        let anchor = event.anchor_id();
        let node = match event {
            Event::Scalar(text, style, ..) => self.scalar(&text, style, span)?,
            Event::SequenceStart(..) => self.deeper(span, Self::list)?,
            Event::MappingStart(..) => self.deeper(span, Self::map)?,
            Event::Alias(id) => self.alias(id, span)?,
            _ => return Err(self.stop(empty(), span)),
        };
        if let Some(id) = anchor {
            let anchored = Anchored { node: node.clone(), nodes: self.nodes - nodes, bytes: self.bytes - bytes };
            self.anchors.insert(id, anchored);
        }
        Ok(node)
    }

    fn scalar(&mut self, text: &str, style: ScalarStyle, span: Range<usize>) -> Result<Node, Stop> {
        self.charge(0, text.len(), &span)?;
        let plain = style == ScalarStyle::Plain;
        let null = plain && (span.is_empty() || matches!(text, "~" | "null"));
        let content = if null { Content::Null } else { Content::Text(Arc::from(text)) };
        Ok(Node { content, span })
    }

    fn alias(&mut self, id: usize, span: Range<usize>) -> Result<Node, Stop> {
        let Some(anchored) = self.anchors.get(&id) else { return Err(self.stop(alias_within_itself(), span)) };
        let (nodes, bytes) = (anchored.nodes, anchored.bytes);
        self.charge(nodes, bytes, &span)?;
        // Charged first: only now is the copy known to be affordable.
        let copy = self.anchors.get(&id).map(|anchored| anchored.node.clone());
        copy.ok_or(Stop)
    }

    fn charge(&mut self, nodes: usize, bytes: usize, span: &Range<usize>) -> Result<(), Stop> {
        self.nodes += nodes;
        self.bytes += bytes;
        if self.nodes > NODES_MAX || self.bytes > EXPANDED_BYTES_MAX {
            return Err(self.stop(too_many(), span.clone()));
        }
        Ok(())
    }

    fn deeper(
        &mut self,
        span: Range<usize>,
        inner: fn(&mut Self, Range<usize>) -> Result<Node, Stop>,
    ) -> Result<Node, Stop> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return Err(self.stop(too_deep(), span));
        }
        let node = inner(self, span);
        self.depth -= 1;
        node
    }

    fn list(&mut self, start: Range<usize>) -> Result<Node, Stop> {
        let mut items = Vec::new();
        loop {
            match self.next()? {
                (Event::SequenceEnd, end) => {
                    return Ok(Node { content: Content::List(items), span: start.start..end.end });
                }
                event => items.push(self.node(event)?),
            }
        }
    }

    fn map(&mut self, start: Range<usize>) -> Result<Node, Stop> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut seen: HashMap<Arc<str>, usize> = HashMap::new();
        loop {
            let event = self.next()?;
            if matches!(event.0, Event::MappingEnd) {
                return Ok(Node { content: Content::Map(entries), span: start.start..event.1.end });
            }
            let key = self.node(event)?;
            let event = self.next()?;
            let tagged = self.tagged;
            let value = self.node(event)?;
            // What a tag has made of the value (`!x` is an empty text) would only be told as a second mistake.
            if tagged {
                continue;
            }
            let Some(name) = self.key(&key) else { continue };
            if let Some(first) = seen.insert(name.clone(), key.span.start) {
                let line = self.document.line(first);
                self.note(duplicate(&name, line), key.span);
                continue;
            }
            entries.push(Entry { key: name, key_span: key.span, value });
        }
    }

    /// The key's text; notes keys that cannot be keys.
    fn key(&mut self, key: &Node) -> Option<Arc<str>> {
        match &key.content {
            Content::Text(text) if &**text == "<<" => self.note(merge_key(), key.span.clone()),
            Content::Text(text) => return Some(text.clone()),
            Content::Null => self.note(key_is_empty(), key.span.clone()),
            Content::Map(_) => {
                let found = quote_it(self.document.source.get(key.span.start..).unwrap_or(""));
                self.note(found, key.span.clone());
            }
            Content::List(_) => self.note(key_is_empty(), key.span.clone()),
        }
        None
    }
}

fn empty() -> Diagnostic {
    Diagnostic::error("K009", "this file holds no workflow", "このファイルにはワークフローがありません")
        .help("begin with: kentai: 1", "先頭に書きます: kentai: 1")
}

fn several_documents() -> Diagnostic {
    Diagnostic::error(
        "K009",
        "a second document begins here; one file is one workflow",
        "ここで 2 つ目の文書が始まっています。1 ファイルに 1 ワークフローです",
    )
    .help("delete `---` and what follows, or make it a file of its own", "`---` 以降を削除するか、別のファイルにします")
}

fn tagged(tag: &str) -> Diagnostic {
    let found = Diagnostic::error(
        "K008",
        format!("YAML tags are not used here: {tag}"),
        format!("YAML のタグは使えません: {tag}"),
    );
    found.help(
        "in an expression write `not` instead of `!`; text that begins with `!` needs quotes",
        "式では `!` の代わりに `not` を使います。`!` で始まる文字列は引用符で囲みます",
    )
}

fn too_many() -> Diagnostic {
    Diagnostic::error(
        "K005",
        format!("this file has more than {NODES_MAX} keys and values, or {EXPANDED_BYTES_MAX} bytes, with its aliases written out"),
        format!("エイリアスを展開すると、キーと値が {NODES_MAX} 個、または {EXPANDED_BYTES_MAX} バイトを超えます"),
    )
    .help("split it into workflows that `call` one another", "`call` で呼び合う複数のワークフローに分けてください")
}

fn too_deep() -> Diagnostic {
    Diagnostic::error(
        "K005",
        format!("nested more than {DEPTH_MAX} levels deep"),
        format!("入れ子が {DEPTH_MAX} 段を超えています"),
    )
}

fn alias_within_itself() -> Diagnostic {
    Diagnostic::error(
        "K005",
        "this alias stands inside of what it repeats",
        "このエイリアスは、繰り返す対象の内側にあります",
    )
}

fn duplicate(key: &str, line: usize) -> Diagnostic {
    Diagnostic::error("K006", format!("key `{key}` is written twice"), format!("キー `{key}` が 2 回書かれています"))
        .label(format!("first written in line {line}"), format!("最初は {line} 行目"))
}

fn merge_key() -> Diagnostic {
    Diagnostic::error("K007", "merge keys (`<<`) are not used here", "マージキー (`<<`) は使えません").help(
        "write the keys out, or repeat a whole value with an alias",
        "キーを書き下すか、値全体をエイリアスで繰り返します",
    )
}

fn key_is_empty() -> Diagnostic {
    Diagnostic::error("K003", "a key must be a name", "キーは名前でなければなりません")
}

fn quote_it(written: &str) -> Diagnostic {
    let (en, ja) = (
        "this value starts with `{`, so YAML reads it as a map",
        "この値は `{` で始まるため、YAML はマップとして読みます",
    );
    let inner = written.trim_start_matches('{').split('}').next().unwrap_or("").lines().next().unwrap_or("").trim();
    let fix = format!("\"${{{{ {inner} }}}}\"");
    Diagnostic::error("K003", en, ja).help(format!("quote it: {fix}"), format!("引用符で囲みます: {fix}"))
}
