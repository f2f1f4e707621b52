//! The page as somebody without JavaScript has it: signed in by the form, what a page offers to press, forms filled and sent. curl is the
//! browser, and what it fetched is read here; it does not know what any page is about.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use crate::tool;

/// Somebody at the page.
pub struct Visitor {
    /// As they sign in.
    pub name: String,
    origin: String,
    directory: tempfile::TempDir,
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Shown {
    /// HTTP status.
    pub status: u16,
    /// Where it led to.
    pub location: String,
    /// The page.
    pub text: String,
}

/// An element that begins, with what stands around and in it.
#[derive(Clone, Debug, Default)]
pub struct Element {
    /// `a`, `form`, `button` …
    pub tag: String,
    /// Attributes, unescaped.
    pub attributes: BTreeMap<String, String>,
    /// Text in it, its parts joined by one space.
    pub text: String,
    /// Those that it stands in, outermost first: tag, id, class.
    pub within: Vec<(String, String, String)>,
    /// Elements in it, in order.
    pub inside: Vec<usize>,
}

/// A form, and what it sends when nothing is typed.
#[derive(Clone, Debug)]
pub struct Form {
    /// Where to.
    pub action: String,
    /// `get`, `post`.
    pub method: String,
    /// What is sent whatever is typed.
    pub hidden: Vec<(String, String)>,
    /// Names that somebody may fill, with the values that may be chosen; none: any text.
    pub open: BTreeMap<String, Vec<String>>,
    /// Names that must be filled.
    pub required: Vec<String>,
    /// Names and values of its buttons.
    pub buttons: Vec<(String, String)>,
}

impl Visitor {
    /// Signs in with a password.
    ///
    /// # Errors
    /// When it is not taken.
    pub fn sign_in(origin: &str, name: &str, password: &str) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let visitor = Self { name: name.to_owned(), origin: origin.to_owned(), directory };
        let shown = visitor.send("/sign-in", &[("name", name), ("password", password)])?;
        ensure!(shown.status == 303, "{name} cannot sign in: {} {}", shown.status, shown.text);
        Ok(visitor)
    }

    /// Somebody else at the same site.
    ///
    /// # Errors
    /// When they cannot sign in.
    pub fn other(&self, name: &str, password: &str) -> Result<Self> {
        Self::sign_in(&self.origin, name, password)
    }

    fn jar(&self) -> PathBuf {
        self.directory.path().join("cookies")
    }

    fn curl(&self, path: &str, more: &[&str]) -> Result<Shown> {
        let (jar, url) = (self.jar().to_string_lossy().into_owned(), format!("{}{path}", self.origin));
        let fixed = ["-s", "-g", "-b", &jar, "-c", &jar, "-w", "\n%{redirect_url}\n%{http_code}"];
        let told = tool("curl", &[&fixed[..], more, &[url.as_str()]].concat(), self.directory.path())?;
        let (rest, status) = told.rsplit_once('\n').context("a status")?;
        let (text, location) = rest.rsplit_once('\n').context("an address")?;
        let location = location.strip_prefix(&self.origin).unwrap_or(location).to_owned();
        Ok(Shown { status: status.parse()?, location, text: text.to_owned() })
    }

    /// Follows a link, and is led on at most once; what stands behind `#` is the browser's own matter.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn get(&self, path: &str) -> Result<Shown> {
        let shown = self.curl(path.split('#').next().unwrap_or(path), &[])?;
        if shown.status == 303 { self.curl(&shown.location, &[]) } else { Ok(shown) }
    }

    /// Follows a link that must be there.
    ///
    /// # Errors
    /// When it is not.
    pub fn page(&self, path: &str) -> Result<Shown> {
        let shown = self.get(path)?;
        ensure!(shown.status == 200, "{} at {path}: {}\n{}", self.name, shown.status, shown.text);
        Ok(shown)
    }

    /// Sends whatever fields, asked for or not.
    ///
    /// # Errors
    /// When nobody answers.
    pub fn send(&self, path: &str, fields: &[(&str, &str)]) -> Result<Shown> {
        let fields: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let mut arguments = vec!["-X", "POST"];
        for field in &fields {
            arguments.extend(["--data-urlencode", field]);
        }
        self.curl(path, &arguments)
    }

    /// Fills a form and sends it. Whatever is given must be something that the form asks for, whatever it demands must be given.
    ///
    /// # Errors
    /// When the form asks for something else, or nobody answers.
    pub fn fill(&self, form: &Form, typed: &[(&str, &str)]) -> Result<Shown> {
        for (name, value) in typed {
            let choices = form.open.get(*name);
            let button = form.buttons.iter().any(|(known, has)| known == name && has == value);
            let fits = choices.is_some_and(|all| all.is_empty() || all.iter().any(|one| one == value));
            ensure!(fits || button, "{}: the form asks for no {name}={value}: {form:?}", form.action);
        }
        for name in &form.required {
            ensure!(typed.iter().any(|(given, _)| given == name), "{} wants {name}: {form:?}", form.action);
        }
        ensure!(form.method == "post", "{} is sent by {}", form.action, form.method);
        let hidden = form.hidden.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        self.send(&form.action, &hidden.chain(typed.iter().copied()).collect::<Vec<_>>())
    }

    /// Fills a form, which must be taken.
    ///
    /// # Errors
    /// When it is not.
    pub fn done(&self, form: &Form, typed: &[(&str, &str)]) -> Result<Shown> {
        let shown = self.fill(form, typed)?;
        ensure!(shown.status == 303, "{} at {}: {}\n{}", self.name, form.action, shown.status, shown.text);
        Ok(shown)
    }
}

impl Element {
    /// An attribute; empty when it has none.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.attributes.get(name).map(String::as_str).unwrap_or_default()
    }

    /// Is this one of its classes?
    #[must_use]
    pub fn is(&self, class: &str) -> bool {
        self.get("class").split(' ').any(|one| one == class)
    }

    /// The id of the nearest element of this sort that it stands in.
    #[must_use]
    pub fn of(&self, tag: &str) -> &str {
        self.within.iter().rev().find(|(one, ..)| one == tag).map(|(_, id, _)| id.as_str()).unwrap_or_default()
    }

    /// Does it stand in an element of this sort?
    #[must_use]
    pub fn is_in(&self, tag: &str) -> bool {
        self.within.iter().any(|(one, ..)| one == tag)
    }

    /// Does it stand in an element of this sort and class?
    #[must_use]
    pub fn stands_in(&self, tag: &str, class: &str) -> bool {
        self.within.iter().any(|(one, _, has)| one == tag && has.split(' ').any(|has| has == class))
    }
}

impl Shown {
    /// Every element, in order.
    #[must_use]
    pub fn elements(&self) -> Vec<Element> {
        read(&self.text)
    }

    /// Elements of one sort.
    #[must_use]
    pub fn all(&self, tag: &str) -> Vec<Element> {
        self.elements().into_iter().filter(|one| one.tag == tag).collect()
    }

    /// The text of the first heading.
    #[must_use]
    pub fn heading(&self) -> String {
        self.all("h1").into_iter().next().map(|one| one.text).unwrap_or_default()
    }

    /// The one form that goes to `action`, in the element with the id `part` where one is named.
    ///
    /// # Errors
    /// When there is none, or there are several.
    pub fn form(&self, action: &str, part: &str) -> Result<Form> {
        let all = self.elements();
        let fits = |one: &&Element| {
            let here = part.is_empty() || one.within.iter().any(|(_, id, _)| id == part);
            one.tag == "form" && one.get("action") == action && here
        };
        let found: Vec<&Element> = all.iter().filter(fits).collect();
        let [form] = found[..] else {
            let known: Vec<&str> = all.iter().filter(|one| one.tag == "form").map(|one| one.get("action")).collect();
            anyhow::bail!("{} forms go to {action} in `{part}`, of {known:?}\n{}", found.len(), self.text);
        };
        Ok(of(form, &all))
    }
}

fn of(form: &Element, all: &[Element]) -> Form {
    let mut found = Form {
        action: form.get("action").to_owned(),
        method: if form.get("method").is_empty() { "get".into() } else { form.get("method").to_owned() },
        hidden: Vec::new(),
        open: BTreeMap::new(),
        required: Vec::new(),
        buttons: Vec::new(),
    };
    let mut select = String::new();
    for one in form.inside.iter().map(|at| &all[*at]) {
        let (name, value) = (one.get("name").to_owned(), one.get("value").to_owned());
        if one.attributes.contains_key("required") && !found.required.contains(&name) {
            found.required.push(name.clone());
        }
        match (one.tag.as_str(), one.get("type")) {
            ("input", "hidden") => found.hidden.push((name, value)),
            ("input", "radio" | "checkbox") => found.open.entry(name).or_default().push(value),
            ("input" | "textarea", _) => drop(found.open.insert(name, Vec::new())),
            ("select", _) => select = name,
            ("option", _) => found.open.entry(select.clone()).or_default().push(value),
            ("button", _) => found.buttons.push((name, value)),
            _ => {}
        }
    }
    found
}

/// Elements that have no end.
const EMPTY: [&str; 9] = ["input", "meta", "link", "br", "hr", "img", "use", "path", "circle"];

fn read(text: &str) -> Vec<Element> {
    let (mut all, mut open): (Vec<Element>, Vec<usize>) = (Vec::new(), Vec::new());
    let mut rest = text;
    while let Some(at) = rest.find('<') {
        say(&mut all, &open, &rest[..at]);
        rest = &rest[at + 1..];
        let Some(end) = end_of(rest) else { break };
        let inside = &rest[..end];
        rest = &rest[end + 1..];
        if let Some(tag) = inside.strip_prefix('/') {
            if let Some(last) = open.iter().rposition(|at| all[*at].tag == tag.trim()) {
                open.truncate(last);
            }
            continue;
        }
        if inside.starts_with('!') {
            continue;
        }
        let (tag, attributes) = taken_apart(inside);
        let within = open.iter().map(|at| &all[*at]);
        let within = within.map(|one| (one.tag.clone(), one.get("id").to_owned(), one.get("class").to_owned()));
        let one = Element { within: within.collect(), tag: tag.clone(), attributes, ..Element::default() };
        all.push(one);
        let at = all.len() - 1;
        open.iter().for_each(|outer| all[*outer].inside.push(at));
        if !EMPTY.contains(&tag.as_str()) && !inside.ends_with('/') {
            open.push(at);
        }
    }
    all
}

fn say(all: &mut [Element], open: &[usize], text: &str) {
    let said = unescaped(text);
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    if said.is_empty() {
        return;
    }
    for at in open {
        let text = &mut all[*at].text;
        if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&said);
    }
}

/// Where a tag ends: not within what is quoted.
fn end_of(text: &str) -> Option<usize> {
    let mut quoted = false;
    text.char_indices().find_map(|(at, letter)| {
        quoted ^= letter == '"';
        (letter == '>' && !quoted).then_some(at)
    })
}

fn taken_apart(inside: &str) -> (String, BTreeMap<String, String>) {
    let inside = inside.trim_end_matches('/');
    let (tag, mut rest) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let mut attributes = BTreeMap::new();
    while !rest.trim().is_empty() {
        rest = rest.trim_start();
        let end = rest.find(|letter: char| letter == '=' || letter.is_whitespace()).unwrap_or(rest.len());
        let name = rest[..end].to_owned();
        rest = &rest[end..];
        let value = rest.strip_prefix("=\"").and_then(|quoted| quoted.split_once('"'));
        if let Some((value, after)) = value {
            rest = after;
            attributes.insert(name, unescaped(value));
        } else {
            attributes.insert(name, String::new());
        }
    }
    (tag.to_owned(), attributes)
}

/// What our templates escape.
fn unescaped(text: &str) -> String {
    let known = [("&#34;", "\""), ("&#39;", "'"), ("&#60;", "<"), ("&#62;", ">"), ("&quot;", "\""), ("&lt;", "<")];
    let mut text = text.to_owned();
    for (escaped, plain) in known.into_iter().chain([("&gt;", ">"), ("&#38;", "&"), ("&amp;", "&")]) {
        text = text.replace(escaped, plain);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_page_offers_is_read_with_what_stands_around_it() {
        let text = r##"<main><section id="needs"><tr id="reads-O1"><td class="act"><a class="button x" href="/o?a=1&#38;b=2">De <b>cide</b></a></td></tr></section>
<section id="s"><form method="post" action="/f"><input type="hidden" name="shown" value="a&#34;b"><input type="radio" name="way" value="x" required><input type="radio" name="way" value="y"><textarea id="r" name="reason"></textarea><button name="act" value="go">Go</button></form></section></main>"##;
        let page = Shown { status: 200, location: String::new(), text: text.to_owned() };
        let link = page.all("a").remove(0);
        assert_eq!((link.get("href"), link.text.as_str(), link.of("section")), ("/o?a=1&b=2", "De cide", "needs"));
        assert!(link.is("button") && link.stands_in("td", "act") && link.of("tr") == "reads-O1");
        let form = page.form("/f", "s").expect("one form");
        assert_eq!(form.hidden, [("shown".to_owned(), "a\"b".to_owned())]);
        assert_eq!(form.open["way"], ["x", "y"]);
        assert!(form.open["reason"].is_empty() && form.required == ["way"] && form.method == "post");
        assert_eq!(form.buttons, [("act".to_owned(), "go".to_owned())]);
        assert!(page.form("/f", "needs").is_err());
    }
}
