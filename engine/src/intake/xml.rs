//! Small XML documents as a tree, with a budget on everything. It does not know what the elements mean.
//!
//! No document types and so no entities but the five of XML itself: an instrument writes neither, an attacker both.

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::words::{Words, shown};

/// RunInfo.xml of the largest flow cells lists its tiles and stays far below.
const BYTES_MAX: usize = 4 << 20;
const ELEMENTS_MAX: usize = 100_000;
const DEPTH_MAX: usize = 32;
const ATTRIBUTES_MAX: usize = 64;

/// One element, with everything in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    /// Without its prefix.
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    /// The text directly in it, trimmed.
    pub(super) text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    /// The first child of this name.
    pub(super) fn child(&self, name: &str) -> Option<&Self> {
        self.children.iter().find(|child| child.name == name)
    }

    /// The value of an attribute.
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

/// Why a document cannot be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    TooLarge,
    NotUtf8,
    DocumentType,
    /// It ends before its root does: probably still being written.
    Unfinished,
    Malformed {
        byte: u64,
        reason: String,
    },
}

impl Wrong {
    /// The reason, as a fragment.
    pub(super) fn words(&self) -> Words {
        match self {
            Self::TooLarge => {
                Words::new("it is larger or deeper than any such file", "想定される大きさ・深さを超えています")
            }
            Self::NotUtf8 => Words::new("it is not UTF-8 text", "UTF-8 の文字列ではありません"),
            Self::DocumentType => Words::new("it has a document type or entities", "文書型または実体参照があります"),
            Self::Unfinished => Words::new("it is not whole", "途中で終わっています"),
            Self::Malformed { byte, reason } => {
                let reason = shown(reason);
                Words::new(
                    format!("it is not XML at byte {byte}: {reason}"),
                    format!("{byte} バイト目が XML として読めません: {reason}"),
                )
            }
        }
    }
}

/// The root element of a document.
pub(super) fn parse(bytes: &[u8]) -> Result<Element, Wrong> {
    if bytes.len() > BYTES_MAX {
        return Err(Wrong::TooLarge);
    }
    let text = std::str::from_utf8(bytes).map_err(|_| Wrong::NotUtf8)?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{FEFF}'));
    let mut tree = Tree::default();
    loop {
        let event = reader.read_event();
        let byte = reader.buffer_position();
        let malformed = |reason: String| Wrong::Malformed { byte, reason };
        match event.map_err(|error| malformed(error.to_string()))? {
            Event::Start(start) => {
                tree.open(&start).map_err(|wrong| wrong.unwrap_or_else(|| malformed(bad_attribute())))?
            }
            Event::Empty(start) => {
                tree.open(&start).map_err(|wrong| wrong.unwrap_or_else(|| malformed(bad_attribute())))?;
                tree.close();
            }
            Event::End(_) => tree.close(),
            Event::Text(part) => tree.text(&part.xml10_content()),
            Event::CData(part) => tree.text(&part.xml10_content()),
            Event::GeneralRef(reference) => {
                let named = predefined(&reference.xml10_content());
                let character = named.or_else(|| reference.resolve_char_ref().ok().flatten());
                tree.text(character.ok_or(Wrong::DocumentType)?.encode_utf8(&mut [0; 4]));
            }
            Event::DocType(_) => return Err(Wrong::DocumentType),
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) => {}
            Event::Eof => return tree.finish(),
        }
    }
}

fn bad_attribute() -> String {
    "an attribute cannot be read".to_owned()
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "quot" => '"',
        "apos" => '\'',
        _ => return None,
    })
}

/// The elements that are open, outermost first.
#[derive(Default)]
struct Tree {
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    /// `Err(None)`: an attribute is malformed.
    fn open(&mut self, start: &BytesStart<'_>) -> Result<(), Option<Wrong>> {
        self.elements += 1;
        if self.elements > ELEMENTS_MAX || self.open.len() == DEPTH_MAX {
            return Err(Some(Wrong::TooLarge));
        }
        let mut element = Element { name: start.local_name().as_ref().to_owned(), ..Element::default() };
        for attribute in start.attributes() {
            if element.attributes.len() == ATTRIBUTES_MAX {
                return Err(Some(Wrong::TooLarge));
            }
            let attribute = attribute.map_err(|_| None)?;
            let value = attribute.normalized_value(quick_xml::XmlVersion::Implicit1_0).map_err(|_| None)?;
            element.attributes.push((attribute.key.as_ref().to_owned(), value.into_owned()));
        }
        self.open.push(element);
        Ok(())
    }

    /// The reader has already seen to it that ends match their starts.
    fn close(&mut self) {
        let Some(mut element) = self.open.pop() else { return };
        element.text = element.text.trim().to_owned();
        match self.open.last_mut() {
            Some(parent) => parent.children.push(element),
            None => self.root = self.root.take().or(Some(element)),
        }
    }

    fn text(&mut self, text: &str) {
        if let Some(element) = self.open.last_mut() {
            element.text.push_str(text);
        }
    }

    fn finish(self) -> Result<Element, Wrong> {
        if self.open.is_empty() { self.root.ok_or(Wrong::Unfinished) } else { Err(Wrong::Unfinished) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_becomes_a_tree() {
        let root = parse(
            b"\xEF\xBB\xBF<?xml version=\"1.0\"?><a x:k=\"1\" n=\"a&amp;b\"><b> t&#233;&lt; </b><!-- c --><b/></a>",
        )
        .expect("good");
        assert_eq!((root.name.as_str(), root.children.len()), ("a", 2));
        assert_eq!(root.attribute("n"), Some("a&b"));
        assert_eq!(root.child("b").map(|b| b.text.as_str()), Some("té<"));
    }

    #[test]
    fn a_document_that_is_still_being_written_is_not_whole() {
        let whole = "<?xml version=\"1.0\"?><RunInfo><Run Id=\"1\"><Date>2</Date></Run></RunInfo>";
        for end in 0..whole.len() {
            assert!(parse(&whole.as_bytes()[..end]).is_err(), "{}", &whole[..end]);
        }
        assert!(parse(whole.as_bytes()).is_ok());
    }

    #[test]
    fn entities_and_deep_or_large_documents_are_refused() {
        let bomb = b"<!DOCTYPE a [<!ENTITY b \"bb\">]><a>&b;</a>";
        assert_eq!(parse(bomb), Err(Wrong::DocumentType));
        assert_eq!(parse(b"<a>&b;</a>"), Err(Wrong::DocumentType));
        assert_eq!(parse("<a>".repeat(DEPTH_MAX + 1).as_bytes()), Err(Wrong::TooLarge));
        assert_eq!(parse(&vec![b' '; BYTES_MAX + 1]), Err(Wrong::TooLarge));
        assert_eq!(parse(format!("<a>{}</a>", "<b/>".repeat(ELEMENTS_MAX)).as_bytes()), Err(Wrong::TooLarge));
    }
}
