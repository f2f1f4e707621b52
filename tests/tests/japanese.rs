//! Whoever reads Japanese reads Japanese: the demonstration's pages are walked in that language, and no sentence of ours is English.
//!
//! The oracle is what stands on the pages, without the program: words of the Latin alphabet in a row. What people wrote is English in the
//! demonstration and stays so; it is known by standing in the story's own text.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use kentai_tests::demo::{Demo, demo_site};
use kentai_tests::{root, tool};

/// Pages of one kind that are looked at.
const OF_A_KIND: usize = 8;
/// So many words in a row are a sentence; fewer may be a name.
const IN_A_ROW: usize = 3;
/// What stands in these is no sentence, or is the choice of others: code, what is typed, what is chosen from names.
const NOT_READ: [&str; 7] = ["script", "style", "code", "pre", "textarea", "option", "title"];
const WITHOUT_END: [&str; 12] =
    ["meta", "link", "img", "br", "input", "hr", "path", "use", "rect", "circle", "line", "polyline"];
/// Attributes that are read out or shown.
const SHOWN: [&str; 4] = ["title", "aria-label", "placeholder", "alt"];

/// What a page shows, and where it leads.
#[derive(Default)]
struct Page {
    texts: Vec<String>,
    links: Vec<String>,
}

fn plain(text: &str) -> String {
    let mut text = text.to_owned();
    for (entity, character) in [
        ("&#39;", "'"),
        ("&#x27;", "'"),
        ("&quot;", "\""),
        ("&#34;", "\""),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&#38;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text.replace("&amp;", "&")
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let begin = tag.find(&format!(" {name}=\""))? + name.len() + 3;
    let rest = tag.get(begin..)?;
    Some(plain(&rest[..rest.find('"')?]))
}

/// Reads a page of ours: every attribute has quotes, and no `>` stands in one.
fn read(html: &str) -> Page {
    let mut page = Page::default();
    // The element that is not read, and how many of its name are open.
    let mut hidden: Option<(String, usize)> = None;
    for part in html.split('<').skip(1) {
        let (tag, text) = part.split_once('>').unwrap_or((part, ""));
        let name: String = tag.chars().take_while(|c| !c.is_whitespace() && *c != '/').collect();
        if let Some(ended) = tag.strip_prefix('/') {
            if let Some((of, open)) = &mut hidden
                && ended.trim() == of
            {
                *open -= 1;
                if *open == 0 {
                    hidden = None;
                }
            }
        } else if let Some((of, open)) = &mut hidden {
            *open += usize::from(*of == name);
        } else if !WITHOUT_END.contains(&name.as_str()) && !tag.ends_with('/') {
            let is_english = attribute(tag, "lang").is_some_and(|lang| lang == "en");
            if is_english || NOT_READ.contains(&name.as_str()) {
                hidden = Some((name.clone(), 1));
            }
        }
        if name == "a" {
            page.links.extend(attribute(tag, "href").filter(|href| href.starts_with('/')));
        }
        if hidden.is_none() {
            page.texts.extend(SHOWN.iter().filter_map(|shown| attribute(tag, shown)));
            page.texts.push(plain(text));
        }
    }
    page
}

/// English in a text: words of letters with nothing but a space between. Commands (`kentai …`, and what stands in back quotes) are no
/// sentences.
fn english(text: &str) -> Vec<String> {
    let without_code: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" … ");
    let mut found = Vec::new();
    let mut row: Vec<&str> = Vec::new();
    let mut close = |row: &mut Vec<&str>| {
        if row.len() >= IN_A_ROW && row[0] != "kentai" {
            found.push(row.join(" "));
        }
        row.clear();
    };
    let is_inner = |c: char| c.is_ascii_alphabetic() || c == '\'';
    for chunk in without_code.split(' ') {
        let chunk = chunk.trim_start_matches(['(', '"']);
        let word = chunk.trim_end_matches([',', '.', ';', ':', ')', '"', '?']);
        if !word.is_empty() && word.chars().all(is_inner) {
            row.push(word);
        } else {
            // What follows Japanese without a space begins here: 「回収:a lane …」.
            let tail = chunk.rsplit(|c: char| !c.is_ascii()).next().unwrap_or_default();
            close(&mut row);
            if tail.len() < chunk.len() && !tail.is_empty() && tail.chars().all(is_inner) {
                row.push(tail);
            }
        }
        if word.len() < chunk.len() {
            close(&mut row);
        }
    }
    close(&mut row);
    found
}

/// Pages that differ by ids only are of one kind.
fn kind(path: &str) -> String {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let part = |part: &str| if part.chars().any(|c| c.is_ascii_digit()) { "*".to_owned() } else { part.to_owned() };
    path.split('/').map(part).collect::<Vec<_>>().join("/")
}

fn get(demo: &Demo, path: &str) -> Result<Option<String>> {
    let socket = demo.path().join("run/kentai.sock").to_string_lossy().into_owned();
    let url = format!("http://kentai{path}");
    let headers = ["--header", "accept-language: ja", "--header", "accept: text/html"];
    let more = ["--silent", "--globoff", "--unix-socket", &socket, "--write-out", "\n%{content_type}", &url];
    let told = tool("curl", &[&headers[..], &more].concat(), Path::new("/"))?;
    let (text, kind) = told.rsplit_once('\n').context("a kind")?;
    Ok(kind.starts_with("text/html").then(|| text.to_owned()))
}

/// Whatever people say in the demonstration's story, in one line.
fn story() -> Result<String> {
    fn walk(folder: &Path, text: &mut String) -> Result<()> {
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            if path.is_dir() {
                walk(&path, text)?;
            } else if path.extension().is_some_and(|end| end == "rs") {
                text.push_str(&fs::read_to_string(&path)?);
            }
        }
        Ok(())
    }
    let mut text = String::new();
    walk(&root().join("cli/src/demo"), &mut text)?;
    Ok(text)
}

#[test]
fn no_sentence_on_a_japanese_page_of_the_demonstration_is_english() -> Result<()> {
    let mut demo = demo_site(60)?;
    let port = std::net::TcpListener::bind(("127.0.0.1", 0))?.local_addr()?.port();
    demo.serve(port)?;
    let story = story()?;
    let (mut seen, mut kinds) = (BTreeSet::new(), BTreeMap::<String, usize>::new());
    let mut wrong = BTreeMap::<String, String>::new();
    let mut ahead = VecDeque::from(["/".to_owned()]);
    while let Some(path) = ahead.pop_front() {
        let of_kind = kinds.entry(kind(&path)).or_default();
        if *of_kind >= OF_A_KIND || !seen.insert(path.clone()) {
            continue;
        }
        *of_kind += 1;
        let Some(html) = get(&demo, &path)? else { continue };
        ensure!(html.contains("lang=\"ja\""), "{path} is not in Japanese");
        let page = read(&html);
        ahead.extend(page.links);
        let said = page.texts.iter().flat_map(|text| english(text));
        // A word may stand before what somebody wrote: the state of a tube before the note about it.
        let is_told = |sentence: &String| {
            let behind =
                sentence.split_once(' ').map(|(_, rest)| rest).filter(|rest| rest.split(' ').count() >= IN_A_ROW);
            story.contains(sentence.as_str()) || behind.is_some_and(|rest| story.contains(rest))
        };
        for sentence in said.filter(|sentence| !is_told(sentence)) {
            wrong.entry(sentence).or_insert_with(|| path.clone());
        }
    }
    ensure!(seen.len() > 150 && kinds.len() > 40, "{} pages of {} kinds were seen", seen.len(), kinds.len());
    let told: Vec<String> = wrong.iter().map(|(sentence, path)| format!("{path}: {sentence}")).collect();
    ensure!(told.is_empty(), "English on Japanese pages ({} seen):\n{}", seen.len(), told.join("\n"));
    Ok(())
}

#[test]
fn what_is_english_is_seen_and_what_is_a_name_or_a_command_is_not() {
    let found = |html: &str| read(html).texts.iter().flat_map(|text| english(text)).collect::<Vec<_>>();
    assert_eq!(found("<p>理由：it was ended at 3</p>"), ["it was ended at"]);
    assert_eq!(found("<td title=\"a box was opened\">1</td>"), ["a box was opened"]);
    assert_eq!(found("<p>99 % of the fingerprint&#39;s genotypes agree</p>"), ["of the fingerprint's genotypes agree"]);
    assert_eq!(found("<p>回収: a lane was swapped</p>"), ["a lane was swapped"]);
    for html in [
        "<code>it was ended at its limit</code>",
        "<p lang=\"en\">it was <b>ended</b> at its limit</p>",
        "<p>全体は kentai admin audit verify で検証</p>",
        "<p>選択肢: `kentai handoff reoffer d01`</p>",
        "<p>Hospital H-017からの血液</p>",
        "<textarea>it was ended at its limit</textarea>",
    ] {
        assert_eq!(found(html), Vec::<String>::new(), "{html}");
    }
}
